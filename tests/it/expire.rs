//! Expiry.

use crate::support::{check, info, put_list};
use staywire::testkit::Harness;
use std::time::Duration;

#[test]
fn setting_asking_and_removing() {
    check(&[
        ("EXPIRE none 10", ":0"),
        ("TTL none", ":-2"),
        ("PTTL none", ":-2"),
        ("EXPIRETIME none", ":-2"),
        ("PEXPIRETIME none", ":-2"),
        ("PERSIST none", ":0"),
        ("SET k v", "+OK"),
        ("TTL k", ":-1"),
        ("PTTL k", ":-1"),
        ("EXPIRETIME k", ":-1"),
        ("PEXPIRETIME k", ":-1"),
        ("PERSIST k", ":0"),
        ("EXPIRE k 10", ":1"),
        ("TTL k", ":10"),
        ("PTTL k", ":10000"),
        ("PEXPIRE k 1499", ":1"),
        ("TTL k", ":1"),
        ("PEXPIRE k 1500", ":1"),
        ("TTL k", ":2"),
        ("EXPIREAT k 4102444800", ":1"),
        ("EXPIRETIME k", ":4102444800"),
        ("PEXPIREAT k 4102444800500", ":1"),
        ("EXPIRETIME k", ":4102444801"),
        ("PEXPIRETIME k", ":4102444800500"),
        ("PERSIST k", ":1"),
        ("TTL k", ":-1"),
    ]);
}

#[test]
fn conditions() {
    check(&[
        ("SET k v", "+OK"),
        ("EXPIRE k 100 XX", ":0"),
        ("EXPIRE k 100 GT", ":0"),
        ("TTL k", ":-1"),
        ("EXPIRE k 100 NX", ":1"),
        ("EXPIRE k 200 nx", ":0"),
        ("TTL k", ":100"),
        ("EXPIRE k 200 XX", ":1"),
        ("EXPIRE k 100 GT", ":0"),
        ("EXPIRE k 200 GT", ":0"),
        ("EXPIRE k 300 gt", ":1"),
        ("EXPIRE k 300 LT", ":0"),
        ("EXPIRE k 400 LT", ":0"),
        ("EXPIRE k 200 lt", ":1"),
        ("EXPIRE k 300 XX GT", ":1"),
        ("EXPIRE k 200 XX LT", ":1"),
        ("TTL k", ":200"),
        ("PERSIST k", ":1"),
        ("EXPIRE k 100 XX LT", ":0"),
        ("EXPIRE k 100 LT", ":1"),
        ("PEXPIRE k 50000 LT", ":1"),
        ("PEXPIREAT k 4102444800000 GT", ":1"),
        ("EXPIREAT k 4102444799 GT", ":0"),
        ("EXPIRE none 1 NX", ":0"),
        ("EXPIRE k 1 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 1 GT NX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 1 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE none 1 FOO", "-ERR Unsupported option FOO"),
        ("EXPIRE k x FOO", "-ERR Unsupported option FOO"),
        ("EXPIRE k x", "-ERR value is not an integer or out of range"),
    ]);
}

#[test]
fn times_at_the_edge() {
    let invalid = |name: &str| format!("-ERR invalid expire time in '{name}' command");
    let (expire, pexpire, expireat) = (invalid("expire"), invalid("pexpire"), invalid("expireat"));
    check(&[
        ("SET k v", "+OK"),
        ("EXPIRE k 9223372036854775807", &expire),
        ("EXPIRE k 9223372036854775", &expire),
        ("EXPIRE k -9223372036854776", &expire),
        ("EXPIRE none 9223372036854775807", &expire),
        ("EXPIRE k 9223372036854775808", "-ERR value is not an integer or out of range"),
        ("PEXPIRE k 9223372036854775807", &pexpire),
        ("EXPIREAT k 9223372036854776", &expireat),
        ("EXPIREAT k 9223372036854775", ":1"),
        ("PEXPIRETIME k", ":9223372036854775000"),
        ("PEXPIREAT k 9223372036854775807", ":1"),
        ("PEXPIRETIME k", ":9223372036854775807"),
        ("EXPIRETIME k", ":9223372036854776"),
        ("PEXPIREAT k 9223372036854775807 GT", ":0"),
        ("GET k", r#""v""#),
        ("PEXPIREAT k -9223372036854775808", ":1"),
        ("EXISTS k", ":0"),
    ]);
}

#[test]
fn the_past_deletes() {
    for line in
        ["EXPIRE k 0", "EXPIRE k -1", "PEXPIRE k 0", "EXPIREAT k 1", "EXPIREAT k 0", "PEXPIREAT k 1 LT"]
    {
        check(&[("SET k v", "+OK"), (line, ":1"), ("DBSIZE", ":0"), ("TTL k", ":-2"), (line, ":0")]);
    }
    check(&[("SET k v", "+OK"), ("EXPIRE k -1 GT", ":0"), ("EXPIRE k -1 XX", ":0"), ("DBSIZE", ":1")]);
}

/// No command sees a key from the millisecond on at which it expires.
#[test]
fn no_stale_read() {
    let lines = [
        ("GET k", "nil"),
        ("MGET k", "[nil]"),
        ("EXISTS k", ":0"),
        ("TYPE k", "+none"),
        ("TTL k", ":-2"),
        ("STRLEN k", ":0"),
        ("GETRANGE k 0 -1", r#""""#),
        ("GETDEL k", "nil"),
        ("GETEX k EX 5", "nil"),
        ("GETSET k x", "nil"),
        ("SET k x GET", "nil"),
        ("SET k x XX", "nil"),
        ("SET k x NX", "+OK"),
        ("SETNX k x", ":1"),
        ("MSETNX k x", ":1"),
        ("INCR k", ":1"),
        ("APPEND k x", ":1"),
        ("SETRANGE k 1 x", ":2"),
        ("DEL k", ":0"),
        ("UNLINK k", ":0"),
        ("TOUCH k", ":0"),
        ("EXPIRE k 10", ":0"),
        ("PERSIST k", ":0"),
        ("RENAME k r", "-ERR no such key"),
        ("COPY k r", ":0"),
        ("MOVE k 1", ":0"),
        ("KEYS *", "[]"),
        ("SCAN 0", r#"["0", []]"#),
        ("RANDOMKEY", "nil"),
        ("OBJECT ENCODING k", "nil"),
        ("LCS k k", r#""""#),
    ];
    for (line, wanted) in lines {
        let mut h = Harness::new();
        h.engine.state.config.active_expire = false;
        let c = h.connect();
        h.call(c, "SET k 5 PX 100");
        h.clock.advance(Duration::from_millis(99));
        assert_eq!(h.call(c, "EXISTS k"), ":1");
        h.clock.advance(Duration::from_millis(1));
        assert_eq!(h.call(c, line), wanted, "{line}");
    }
}

#[test]
fn keys_expire_untouched() {
    let mut h = Harness::new();
    let c = h.connect();
    put_list(&mut h, 0, b"l", &["a"]);
    for line in ["SET k v EX 1", "PEXPIRE l 1500", "SET stays v"] {
        h.call(c, line);
    }
    h.advance(Duration::from_millis(999));
    assert_eq!(h.call(c, "DBSIZE"), ":3");
    h.advance(Duration::from_millis(1));
    assert_eq!(h.call(c, "DBSIZE"), ":2");
    h.advance(Duration::from_millis(500));
    assert_eq!(h.call(c, "DBSIZE"), ":1");
    assert_eq!(h.engine.store.stats.expired, 2);
}

/// A crowd of keys that expire in the same millisecond is gone after some turns of the loop, a bounded part in each.
#[test]
fn a_crowd_expires_slice_by_slice() {
    let mut h = Harness::new();
    let c = h.connect();
    for chunk in 0..30 {
        let mut bytes = Vec::new();
        for i in 0..1000 {
            let n = chunk * 1000 + i;
            let line = format!("SET soon:{n} x PX 100000\r\nSET late:{n} x EX 100000\r\nSET never:{n} x\r\n");
            bytes.extend_from_slice(line.as_bytes());
        }
        h.send_bytes(c, &bytes);
        h.receive_bytes(c);
    }
    assert_eq!(h.call(c, "DBSIZE"), ":90000");
    h.clock.advance(Duration::from_secs(100));
    let (mut turns, mut before) = (0, 90_000);
    while h.engine.store.len(0) > 60_000 {
        h.turn();
        let now = h.engine.store.len(0);
        assert!(before - now <= 5000, "{} in one turn", before - now);
        before = now;
        turns += 1;
        assert!(turns < 100, "{now} keys are left");
        h.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(h.call(c, "EXISTS soon:1 late:1 never:1"), ":2");
    assert_eq!(h.engine.store.volatile_len(0), 30_000);
}

#[test]
fn an_expiry_follows_its_key() {
    check(&[
        ("SET k 1 EX 100", "+OK"),
        ("INCR k", ":2"),
        ("TTL k", ":100"),
        ("MSET k 1", "+OK"),
        ("TTL k", ":-1"),
        ("EXPIRE k 100", ":1"),
        ("DEL k", ":1"),
        ("SET k 1", "+OK"),
        ("TTL k", ":-1"),
        ("EXPIRE k 100", ":1"),
        ("SWAPDB 0 1", "+OK"),
        ("TTL k", ":-2"),
        ("SELECT 1", "+OK"),
        ("TTL k", ":100"),
    ]);
}

#[test]
fn a_wave_of_expiries_ends_soon_wherever_the_walk_stands() {
    let mut server = Harness::new();
    let client = server.connect();
    let load = |server: &mut Harness, name: &str, n: usize, ms: u64| {
        let lines: Vec<String> = (0..n).map(|i| format!("SET {name}:{i} x PX {ms}\r\n")).collect();
        server.send_bytes(client, lines.concat().as_bytes());
        server.receive_bytes(client);
    };
    load(&mut server, "far", 60_000, 10_000_000);
    for wave in 0..6 {
        load(&mut server, "near", 20_000, 500);
        // The walk has come to some place in the middle.
        for _ in 0..wave * 3 {
            server.clock.advance(Duration::from_millis(100));
            server.turn();
        }
        server.clock.advance(Duration::from_millis(500));
        // Two walks over 80,000 keys by slices of 2,000 take 80 turns, some more where a walk ends inside a slice.
        for _ in 0..100 {
            server.turn();
        }
        assert_eq!(server.call(client, "DBSIZE"), ":60000", "wave {wave}");
    }
}

#[test]
fn a_large_value_whose_time_has_come_is_freed_as_the_parameters_say() {
    for (lazily, freed_later) in [("yes", "1"), ("no", "0")] {
        let mut h = Harness::new();
        let c = h.connect();
        h.call(c, &format!("CONFIG SET lazyfree-lazy-expire {lazily}"));
        let element = "x".repeat(1000);
        put_list(&mut h, 0, b"k", &[&*element; 1000]);
        h.call(c, "PEXPIRE k 5");
        h.clock.advance(Duration::from_millis(5));
        assert_eq!(h.call(c, "EXISTS k"), ":0");
        assert_eq!(info(&mut h, c, "expired_keys"), "1");
        while h.engine.store.has_garbage() {
            h.turn();
        }
        assert_eq!(info(&mut h, c, "lazyfreed_objects"), freed_later, "{lazily}");
    }
}
