//! Keys, whatever they hold, and whole databases.

use crate::support::{check, check_with, events_of, is_broken, put_list, wait_for, watch};
use staywire::{
    state::config::{Config, POLICIES},
    testkit::Harness,
};
use std::{collections::BTreeSet, time::Duration};

const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
const NOT_AN_INT: &str = "-ERR value is out of range, value must between -2147483648 and 2147483647";
const NO_SUCH_DB: &str = "-ERR DB index is out of range";
const SAME_OBJECT: &str = "-ERR source and destination objects are the same";

#[test]
fn deleting_and_counting() {
    check(&[
        ("MSET a 1 b 2 c 3 d 4", "+OK"),
        ("EXISTS a a none b", ":3"),
        ("DEL a none a", ":1"),
        ("EXISTS a", ":0"),
        ("UNLINK b none", ":1"),
        ("TOUCH c d d none", ":3"),
        ("DBSIZE", ":2"),
        ("TYPE c", "+string"),
        ("TYPE none", "+none"),
        ("DEL", "-ERR wrong number of arguments for 'del' command"),
    ]);
    let mut h = Harness::new();
    put_list(&mut h, 0, b"l", &["a"]);
    check_with(&mut h, &[("TYPE l", "+list"), ("DEL l", ":1"), ("DBSIZE", ":0")]);
}

/// A deletion, and a turn after it, free a bounded part of a large value.
#[test]
fn large_values_are_freed_bit_by_bit() {
    let mut h = Harness::new();
    let elements = vec!["x".repeat(100); 300_000];
    let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
    for (line, wanted) in [("DEL l", ":1"), ("UNLINK l", ":1"), ("SET l v", "+OK"), ("FLUSHALL SYNC", "+OK")]
    {
        put_list(&mut h, 0, b"l", &elements);
        let c = h.connect();
        h.send(c, line);
        assert_eq!(h.receive(c), wanted, "{line}");
        assert!(h.engine.store.mem_bytes() > 10_000_000, "{line}");
        let mut turns = 0;
        while h.engine.store.has_garbage() {
            h.turn();
            turns += 1;
            assert!(turns < 1000, "{line}");
        }
        assert!(h.engine.store.mem_bytes() < 1000, "{line}");
        assert_eq!(h.call(c, "EXISTS l"), if line.starts_with("SET") { ":1" } else { ":0" });
    }
}

#[test]
fn keys_lists_what_matches() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "MSET one 1 two 2 three 3 [x] 4 \"\\x00\\xff\" 5");
    h.call(c, "SET gone 1 PX 1");
    h.engine.state.config.active_expire = false;
    h.clock.advance(Duration::from_millis(1));
    for (pattern, wanted) in [
        ("t*", vec!["three", "two"]),
        ("*e", vec!["one", "three"]),
        ("t[gw]o", vec!["two"]),
        ("t[^w]*", vec!["three"]),
        ("\\[x]", vec!["[x]"]),
        ("g*", vec![]),
        ("???", vec!["[x]", "one", "two"]),
        ("none", vec![]),
    ] {
        let mut found = words(&h.call(c, &format!("KEYS {pattern}")));
        found.sort();
        assert_eq!(found, wanted, "{pattern}");
    }
    assert_eq!(words(&h.call(c, "KEYS *")).len(), 5);
    assert_eq!(h.call(c, r#"KEYS "\x00*""#), r#"["\x00\xff"]"#);
}

/// The quoted words of a reply.
fn words(reply: &str) -> Vec<String> {
    reply.split('"').skip(1).step_by(2).map(str::to_string).collect()
}

/// All keys of a walk with SCAN and these options, and how many calls it took.
fn scan(h: &mut Harness, options: &str) -> (BTreeSet<String>, usize) {
    let c = h.connect();
    let (mut keys, mut cursor, mut calls) = (BTreeSet::new(), String::from("0"), 0);
    loop {
        let mut found = words(&h.call(c, &format!("SCAN {cursor} {options}"))).into_iter();
        cursor = found.next().expect("a cursor");
        keys.extend(found);
        calls += 1;
        if cursor == "0" {
            return (keys, calls);
        }
    }
}

#[test]
fn scan_finds_all() {
    let mut h = Harness::new();
    let c = h.connect();
    assert_eq!(h.call(c, "SCAN 0"), r#"["0", []]"#);
    let all: BTreeSet<String> = (0..5000).map(|i| format!("key:{i}")).collect();
    for key in &all {
        h.call(c, &format!("SET {key} x"));
    }
    for i in 0..10 {
        put_list(&mut h, 0, format!("list:{i}").as_bytes(), &["a"]);
    }
    let (found, calls) = scan(&mut h, "");
    assert_eq!(found.len(), 5010);
    assert!(found.is_superset(&all));
    let (_, fewer) = scan(&mut h, "COUNT 1000");
    assert!(calls > 100 && fewer <= 6, "{calls} calls with COUNT 10, {fewer} with 1000");
    let (lists, _) = scan(&mut h, "TYPE list");
    assert_eq!(lists.len(), 10);
    assert_eq!(scan(&mut h, "TYPE STRING COUNT 100").0, all);
    assert_eq!(scan(&mut h, "TYPE hash").0.len(), 0);
    let (matching, _) = scan(&mut h, "MATCH key:49?? COUNT 10000");
    assert_eq!(matching.len(), 100);
    assert_eq!(scan(&mut h, "MATCH list:3 TYPE string").0.len(), 0);
    assert_eq!(scan(&mut h, "COUNT 9223372036854775807").1, 1);
}

#[test]
fn scan_finds_what_stays_while_much_else_comes_and_goes() {
    let mut h = Harness::new();
    let c = h.connect();
    let stays: BTreeSet<String> = (0..500).map(|i| format!("stays:{i}")).collect();
    for key in &stays {
        h.call(c, &format!("SET {key} x"));
    }
    let (mut found, mut cursor, mut step) = (BTreeSet::new(), String::from("0"), 0);
    loop {
        let mut reply = words(&h.call(c, &format!("SCAN {cursor}"))).into_iter();
        cursor = reply.next().expect("a cursor");
        found.extend(reply.filter(|key| key.starts_with("stays:")));
        if cursor == "0" {
            break;
        }
        for i in 0..200 {
            // Grows at first, then shrinks.
            let line = if step < 8 { format!("SET {step}:{i} x") } else { format!("DEL {}:{i}", step - 8) };
            h.call(c, &line);
        }
        step += 1;
    }
    assert_eq!(found, stays);
}

#[test]
fn scan_deletes_what_it_finds_expired() {
    let mut h = Harness::new();
    let c = h.connect();
    h.engine.state.config.active_expire = false;
    for i in 0..100 {
        h.call(c, &format!("SET key:{i} x PX {}", if i < 50 { 1 } else { 1000 }));
    }
    h.clock.advance(Duration::from_millis(1));
    assert_eq!(scan(&mut h, "").0.len(), 50);
    assert_eq!(h.call(c, "DBSIZE"), ":50");
}

#[test]
fn scan_arguments() {
    let all = r#"["0", ["k"]]"#;
    let invalid = "-ERR invalid cursor";
    check(&[
        ("SET k v", "+OK"),
        ("SCAN 00", all),
        ("SCAN +1", all),
        ("SCAN \" 1\"", all),
        ("SCAN -01", all),
        ("SCAN 18446744073709551615", all),
        ("SCAN 0 MATCH *", all),
        ("SCAN 0 match x count 5", r#"["0", []]"#),
        ("SCAN 18446744073709551616", invalid),
        ("SCAN -1", invalid),
        ("SCAN x", invalid),
        ("SCAN \"\"", invalid),
        ("SCAN \"1 \"", invalid),
        ("SCAN 0 COUNT 0", "-ERR syntax error"),
        ("SCAN 0 COUNT -5", "-ERR syntax error"),
        ("SCAN 0 COUNT x", NOT_AN_INTEGER),
        ("SCAN 0 COUNT", "-ERR syntax error"),
        ("SCAN 0 MATCH", "-ERR syntax error"),
        ("SCAN 0 FOO 1", "-ERR syntax error"),
        ("SCAN 0 TYPE foo", "-ERR unknown type name 'foo'"),
        ("SCAN 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"),
        ("SCAN 0 NOSCORES", "-ERR NOSCORES option can only be used in ZSCAN"),
    ]);
}

#[test]
fn randomkey_is_fair_and_alive() {
    let mut h = Harness::new();
    let c = h.connect();
    assert_eq!(h.call(c, "RANDOMKEY"), "nil");
    h.engine.state.config.active_expire = false;
    for i in 0..20 {
        h.call(c, &format!("SET gone:{i} x PX 1"));
    }
    h.clock.advance(Duration::from_millis(1));
    h.call(c, "MSET a 1 b 2");
    let picks: Vec<String> = (0..200).map(|_| h.call(c, "RANDOMKEY")).collect();
    let of_a = picks.iter().filter(|pick| *pick == r#""a""#).count();
    assert_eq!(picks.iter().filter(|pick| *pick == r#""b""#).count(), 200 - of_a);
    assert!((50..150).contains(&of_a), "{of_a} of 200");
}

#[test]
fn rename() {
    check(&[
        ("RENAME none a", "-ERR no such key"),
        ("RENAME none none", "-ERR no such key"),
        ("RENAMENX none none", "-ERR no such key"),
        ("SET a 1 EX 100", "+OK"),
        ("SET b 2 EX 200", "+OK"),
        ("RENAME a a", "+OK"),
        ("RENAMENX a a", ":0"),
        ("RENAMENX a b", ":0"),
        ("RENAME a b", "+OK"),
        ("EXISTS a", ":0"),
        ("GET b", r#""1""#),
        ("TTL b", ":100"),
        ("RENAMENX b c", ":1"),
        ("GET c", r#""1""#),
        ("SET d x", "+OK"),
        ("RENAME d c", "+OK"),
        ("TTL c", ":-1"),
        ("DBSIZE", ":1"),
    ]);
}

#[test]
fn move_to_another_database() {
    check(&[
        ("SET k 1 EX 100", "+OK"),
        ("MOVE k 0", SAME_OBJECT),
        ("MOVE k 16", NO_SUCH_DB),
        ("MOVE k -1", NO_SUCH_DB),
        ("MOVE k x", NOT_AN_INTEGER),
        ("MOVE k 4294967296", NOT_AN_INT),
        ("MOVE none 1", ":0"),
        ("MOVE k 1", ":1"),
        ("EXISTS k", ":0"),
        ("SET k 2", "+OK"),
        ("MOVE k 1", ":0"),
        ("GET k", r#""2""#),
        ("SELECT 1", "+OK"),
        ("GET k", r#""1""#),
        ("TTL k", ":100"),
    ]);
}

#[test]
fn copy() {
    let mut h = Harness::new();
    put_list(&mut h, 0, b"l", &["a", "b"]);
    check_with(
        &mut h,
        &[
            ("SET k 1 EX 100", "+OK"),
            ("COPY k k", SAME_OBJECT),
            ("COPY k k DB 0", SAME_OBJECT),
            ("COPY none k2", ":0"),
            ("COPY k k2", ":1"),
            ("TTL k2", ":100"),
            ("INCR k2", ":2"),
            ("GET k", r#""1""#),
            ("COPY k k2", ":0"),
            ("COPY k k2 replace", ":1"),
            ("GET k2", r#""1""#),
            ("COPY k k DB 1", ":1"),
            ("COPY k k DB 1", ":0"),
            ("COPY l k DB 1 REPLACE", ":1"),
            ("COPY k l REPLACE DB 2", ":1"),
            ("COPY k x DB", "-ERR syntax error"),
            ("COPY k x FOO", "-ERR syntax error"),
            ("COPY k x DB 16", NO_SUCH_DB),
            ("COPY k x DB x", NOT_AN_INTEGER),
            ("COPY k x DB 4294967296", NOT_AN_INT),
            ("SELECT 1", "+OK"),
            ("TYPE k", "+list"),
            ("TTL k", ":-1"),
        ],
    );
}

#[test]
fn databases() {
    check(&[
        ("SET k 0", "+OK"),
        ("SELECT 1", "+OK"),
        ("MSET k 1 m 1", "+OK"),
        ("SWAPDB 0 1", "+OK"),
        ("GET k", r#""0""#),
        ("DBSIZE", ":1"),
        ("SWAPDB 1 1", "+OK"),
        ("GET k", r#""0""#),
        ("FLUSHDB", "+OK"),
        ("DBSIZE", ":0"),
        ("SELECT 0", "+OK"),
        ("DBSIZE", ":2"),
        ("FLUSHDB foo", "-ERR syntax error"),
        ("FLUSHALL ASYNC SYNC", "-ERR syntax error"),
        ("DBSIZE", ":2"),
        ("FLUSHALL async", "+OK"),
        ("DBSIZE", ":0"),
        ("SET k v", "+OK"),
        ("FLUSHDB SYNC", "+OK"),
        ("GET k", "nil"),
        ("SWAPDB x 1", "-ERR invalid first DB index"),
        ("SWAPDB 0 x", "-ERR invalid second DB index"),
        ("SWAPDB 4294967296 x", "-ERR invalid first DB index"),
        ("SWAPDB 0 16", NO_SUCH_DB),
        ("SWAPDB -1 0", NO_SUCH_DB),
    ]);
}

/// What each line does to the transaction of a client that watches `k` in database 0.
#[test]
fn what_breaks_a_transaction() {
    // (where `k` is a live key at first; the line; whether it breaks)
    let cases: &[(&[usize], &str, bool)] = &[
        (&[0], "FLUSHDB", true),
        (&[], "FLUSHDB", false),
        (&[0], "FLUSHALL", true),
        (&[1], "FLUSHALL", false),
        (&[0], "SWAPDB 0 1", true),
        (&[1], "SWAPDB 0 1", true),
        (&[0, 1], "SWAPDB 1 0", true),
        (&[], "SWAPDB 0 1", false),
        (&[0], "SWAPDB 0 0", false),
        (&[0], "SWAPDB 1 2", false),
        (&[0], "MOVE k 1", true),
        (&[0], "RENAME k other", true),
        (&[0], "COPY k other", false),
        (&[0], "DEL k", true),
        (&[], "DEL k", false),
        (&[], "SET k v", true),
        (&[0], "SET k v NX", false),
        (&[0], "GET k", false),
        (&[0], "TOUCH k", false),
        (&[0], "EXPIRE k 10", true),
        (&[0], "EXPIRE k 10 XX", false),
        (&[0], "PERSIST k", false),
        (&[0], "APPEND k x", true),
        (&[0], "SETRANGE k 0 x", true),
        (&[0], "SETRANGE k 0 \"\"", false),
        (&[0], "GETDEL k", true),
        (&[0], "GETEX k", false),
        (&[0], "GETEX k EX 1", true),
        (&[0], "INCR k", true),
        (&[0], "MSETNX k 1 other 2", false),
    ];
    for &(present, line, breaks) in cases {
        let mut h = Harness::new();
        let (watcher, c) = (h.connect(), h.connect());
        for db in present {
            h.call(c, &format!("SELECT {db}"));
            h.call(c, "SET k 5");
        }
        h.call(c, "SELECT 0");
        watch(&mut h, watcher, 0, b"k");
        h.call(c, line);
        assert_eq!(is_broken(&mut h, watcher), breaks, "{line} with k in {present:?}");
    }
}

#[test]
fn a_client_breaks_its_own_transaction_too() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "SET k v");
    watch(&mut h, c, 0, b"k");
    h.call(c, "FLUSHALL");
    assert!(is_broken(&mut h, c));
}

/// A key that had expired when it was watched does not count as changed when it is deleted or stays expired.
#[test]
fn expired_keys_and_transactions() {
    // (where `k` is an expired key, the line, whether it breaks)
    let cases: &[(&[usize], &str, bool)] = &[
        (&[0], "FLUSHDB", false),
        (&[0], "DEL k", false),
        (&[0], "GET k", false),
        (&[0], "SWAPDB 0 1", false),
        (&[1], "SWAPDB 0 1", false),
        (&[0, 1], "SWAPDB 0 1", false),
        (&[0], "SET k v", true),
    ];
    for &(expired, line, breaks) in cases {
        let mut h = Harness::new();
        h.engine.state.config.active_expire = false;
        let (watcher, c) = (h.connect(), h.connect());
        for db in expired {
            h.call(c, &format!("SELECT {db}"));
            h.call(c, "SET k 5 PX 1");
        }
        h.call(c, "SELECT 0");
        h.clock.advance(Duration::from_millis(1));
        h.turn();
        watch(&mut h, watcher, 0, b"k");
        h.call(c, line);
        assert_eq!(is_broken(&mut h, watcher), breaks, "{line} with k expired in {expired:?}");
        // Whatever it was, a key that is written now is a change.
        h.call(c, "SET k v");
        assert!(is_broken(&mut h, watcher), "{line}, then SET");
    }
}

#[test]
fn a_key_that_expires_while_it_is_watched_breaks_the_transaction() {
    let mut h = Harness::new();
    let (watcher, c) = (h.connect(), h.connect());
    h.engine.state.config.active_expire = false;
    h.call(c, "SET k v PX 1");
    watch(&mut h, watcher, 0, b"k");
    h.clock.advance(Duration::from_millis(1));
    h.turn();
    assert!(!is_broken(&mut h, watcher));
    h.call(c, "FLUSHDB");
    assert!(is_broken(&mut h, watcher));
}

#[test]
fn lists_that_get_there_without_a_push_wake_those_who_wait() {
    for line in ["RENAME src k", "RENAMENX src k", "COPY src k", "COPY l k REPLACE", "SWAPDB 0 1", "MOVE k 0"]
    {
        let mut h = Harness::new();
        let (waiter, other, c) = (h.connect(), h.connect(), h.connect());
        put_list(&mut h, 0, b"src", &["a"]);
        put_list(&mut h, 0, b"l", &["a"]);
        put_list(&mut h, 1, b"k", &["a"]);
        wait_for(&mut h, waiter, 0, b"k");
        wait_for(&mut h, other, 0, b"another");
        h.call(c, "SET string v");
        assert_eq!(h.call(c, "RENAME string k"), "+OK");
        assert_eq!(h.receive(waiter), "", "a string wakes nobody");
        h.call(c, "DEL k");
        if line.starts_with("MOVE") {
            h.call(c, "SELECT 1");
        }
        h.call(c, line);
        assert_eq!((h.receive(waiter), h.receive(other)), ("+list".into(), "".into()), "{line}");
    }
}

#[test]
fn object() {
    check(&[
        ("OBJECT ENCODING none", "nil"),
        ("OBJECT REFCOUNT none", "nil"),
        ("OBJECT IDLETIME none", "nil"),
        ("OBJECT FREQ none", "nil"),
        ("SET k v", "+OK"),
        ("OBJECT REFCOUNT k", ":1"),
        ("object idletime k", ":0"),
        (
            "OBJECT FREQ k",
            "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ),
        ("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"),
        ("OBJECT FOO k", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."),
    ]);
    let mut h = Harness::new();
    let c = h.connect();
    let help = h.call(c, "OBJECT HELP");
    assert!(
        help.starts_with(
            "[+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:, +ENCODING <key>"
        )
    );
    assert!(help.ends_with("+HELP, +    Print this help.]"));
}

#[test]
fn object_idletime_counts_from_the_last_use() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "SET k v");
    h.advance(Duration::from_secs(100));
    for line in ["OBJECT ENCODING k", "TYPE k", "TTL k", "EXISTS k"] {
        h.call(c, line);
        assert_eq!(h.call(c, "OBJECT IDLETIME k"), ":100", "{line} is no use");
    }
    for line in ["GET k", "TOUCH k", "APPEND k x", "STRLEN k", "SET k v"] {
        h.call(c, line);
        assert_eq!(h.call(c, "OBJECT IDLETIME k"), ":0", "{line} is a use");
        h.advance(Duration::from_secs(10));
        assert_eq!(h.call(c, "OBJECT IDLETIME k"), ":10");
    }
}

#[test]
fn object_freq_counts_uses() {
    let maxmemory_policy = POLICIES.iter().position(|&name| name == "allkeys-lfu").expect("a policy");
    let mut h = Harness::with(Config { maxmemory_policy, lfu_log_factor: 0, ..Config::default() }, 1);
    h.advance(Duration::from_secs(1));
    check_with(
        &mut h,
        &[
            ("SET k v", "+OK"),
            ("OBJECT FREQ k", ":5"),
            ("GET k", r#""v""#),
            ("OBJECT FREQ k", ":6"),
            (
                "OBJECT IDLETIME k",
                "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching \
                 between policies at runtime LRU and LFU data will take some time to adjust.",
            ),
        ],
    );
}

#[test]
fn events_in_order() {
    let events = events_of(&[
        "SET k 1",
        "SET k 2 EX 10",
        "SET k 2 NX",
        "GETSET k 3",
        "GETEX k PX 5000",
        "GETEX k PERSIST",
        "GETEX k PERSIST",
        "APPEND k 0",
        "SETRANGE k 0 4",
        "INCR k",
        "INCRBYFLOAT k 1",
        "EXPIRE k 100",
        "PERSIST k",
        "RENAME k r",
        "RENAME r r",
        "COPY r c DB 1",
        "MOVE r 2",
        "MSETNX a 1 a 2",
        "SETEX a 10 v",
        "EXPIRE a -1",
        "GETDEL none",
        "SET d 1",
        "GETDEL d",
        "SET p 1 EXAT 1",
        "MSET x 1 y 2",
        "DEL x none",
        "UNLINK y",
        "EXISTS none",
        "OBJECT ENCODING none",
        "FLUSHALL",
    ]);
    let wanted = [
        "0:k new",
        "0:k set",
        "0:k set",
        "0:k expire",
        "0:k set",
        "0:k expire",
        "0:k persist",
        "0:k append",
        "0:k setrange",
        "0:k incrby",
        "0:k incrbyfloat",
        "0:k expire",
        "0:k persist",
        "0:r new",
        "0:k rename_from",
        "0:r rename_to",
        "1:c new",
        "1:c copy_to",
        "2:r new",
        "0:r move_from",
        "2:r move_to",
        "0:a new",
        "0:a set",
        "0:a set",
        "0:a set",
        "0:a expire",
        "0:a expired",
        "0:none keymiss",
        "0:d new",
        "0:d set",
        "0:d del",
        "0:x new",
        "0:x set",
        "0:y new",
        "0:y set",
        "0:x del",
        "0:y del",
        "0:none keymiss",
    ];
    assert_eq!(events, wanted);
}

#[test]
fn hits_and_misses_are_counted_for_reads() {
    let mut h = Harness::new();
    check_with(
        &mut h,
        &[
            ("SET k v", "+OK"),
            ("GET k", r#""v""#),
            ("GET none", "nil"),
            ("MGET k none", r#"["v", nil]"#),
            ("EXISTS k none", ":1"),
            ("TTL k", ":-1"),
            ("TYPE k", "+string"),
            ("STRLEN k", ":1"),
            ("OBJECT REFCOUNT k", ":1"),
            ("SETNX k v", ":0"),
            ("INCR none", ":1"),
            ("DEL none k", ":2"),
        ],
    );
    assert_eq!((h.engine.store.stats.hits, h.engine.store.stats.misses), (7, 3));
}
