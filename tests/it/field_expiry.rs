//! Fields of hashes that expire.

use crate::support::{check, check_with, events_of};
use staywire::testkit::Harness;
use std::time::Duration;

const NUMFIELDS: &str = "-ERR numfields should be greater than 0 and match the provided number of fields";

/// A server whose hash `h` has the fields a, b and c, of which a expires in a second.
fn with_field_that_expires() -> Harness {
    let mut server = Harness::new();
    check_with(&mut server, &[("HSET h a 1 b 2 c 3", ":3"), ("HEXPIRE h 1 FIELDS 1 a", "[:1]")]);
    server
}

/// The same a second later, and nobody searches for what has expired.
fn with_expired_field() -> Harness {
    let mut server = with_field_that_expires();
    check_with(&mut server, &[("DEBUG SET-ACTIVE-EXPIRE 0", "+OK")]);
    server.clock.advance(Duration::from_secs(1));
    server
}

#[test]
fn times_are_set_read_and_removed() {
    check(&[
        ("HSET h a 1 b 2 c 3", ":3"),
        ("HEXPIRE h 100 FIELDS 2 a none", "[:1, :-2]"),
        ("HPEXPIRE h 1500 FIELDS 1 b", "[:1]"),
        ("HTTL h FIELDS 4 a b c none", "[:100, :2, :-1, :-2]"),
        ("HPTTL h FIELDS 2 a b", "[:100000, :1500]"),
        ("HEXPIREAT h 4000000000 FIELDS 1 a", "[:1]"),
        ("HPEXPIREAT h 4000000000500 FIELDS 1 b", "[:1]"),
        ("HEXPIRETIME h FIELDS 3 a b c", "[:4000000000, :4000000001, :-1]"),
        ("HPEXPIRETIME h FIELDS 2 a b", "[:4000000000000, :4000000000500]"),
        ("HPERSIST h FIELDS 3 a c none", "[:1, :-1, :-2]"),
        ("HTTL h FIELDS 1 a", "[:-1]"),
        ("HTTL none FIELDS 2 a b", "[:-2, :-2]"),
        ("HPERSIST none FIELDS 1 a", "[:-2]"),
        ("HEXPIRE none 1 FIELDS 1 a", "[:-2]"),
        ("HPEXPIREAT h 9223372036854775807 FIELDS 1 a", "[:1]"),
        ("HPEXPIRETIME h FIELDS 1 a", "[:9223372036854775807]"),
        ("HGETALL h", r#"["a", "1", "b", "2", "c", "3"]"#),
    ]);
}

#[test]
fn a_time_needs_a_table() {
    check(&[
        ("HSET h a 1 b 2", ":2"),
        ("HEXPIRE h 100 FIELDS 1 none", "[:-2]"),
        ("HEXPIRE h 100 XX FIELDS 1 a", "[:0]"),
        ("HPERSIST h FIELDS 1 a", "[:-1]"),
        ("HSETEX h KEEPTTL FIELDS 1 a 2", ":1"),
        ("HEXPIRE h 0 FIELDS 1 b", "[:2]"),
        ("OBJECT ENCODING h", r#""listpack""#),
        ("HEXPIRE h 100 FIELDS 1 a", "[:1]"),
        ("OBJECT ENCODING h", r#""hashtable""#),
        ("HPERSIST h FIELDS 1 a", "[:1]"),
        ("OBJECT ENCODING h", r#""hashtable""#),
        ("HSETEX new EX 10 FIELDS 1 a 1", ":1"),
        ("OBJECT ENCODING new", r#""hashtable""#),
        ("HSETEX packed FIELDS 1 a 1", ":1"),
        ("OBJECT ENCODING packed", r#""listpack""#),
    ]);
}

#[test]
fn conditions() {
    check(&[
        ("HSET h a 1 b 2", ":2"),
        ("HEXPIRE h 100 NX FIELDS 1 a", "[:1]"),
        ("HEXPIRE h 100 NX FIELDS 1 a", "[:0]"),
        ("HEXPIRE h 200 XX FIELDS 2 a b", "[:1, :0]"),
        ("HEXPIRE h 100 GT FIELDS 2 a b", "[:0, :0]"),
        ("HEXPIRE h 100 LT FIELDS 2 a b", "[:1, :1]"),
        ("HEXPIRE h 0 GT FIELDS 1 a", "[:0]"),
        ("HEXPIRE h 0 lt FIELDS 1 a", "[:2]"),
        (
            "HEXPIRE h 1 NX XX FIELDS 1 a",
            "-ERR NX and XX, GT or LT options at the same time are not compatible",
        ),
        ("HEXPIRE h 1 GT LT FIELDS 1 a", "-ERR GT and LT options at the same time are not compatible"),
        ("HEXPIRE h 1 BOGUS FIELDS 1 a", "-ERR Unsupported option BOGUS"),
        ("HLEN h", ":1"),
    ]);
}

#[test]
fn what_is_written_wrong_is_refused() {
    let wrong = [
        ("HEXPIRE h 1 FIELDS 0 a", NUMFIELDS),
        ("HEXPIRE h 1 FIELDS 2 a", NUMFIELDS),
        ("HEXPIRE h 1 FIELDS 1 a b", NUMFIELDS),
        ("HEXPIRE h 1 FIELDS -1 a", NUMFIELDS),
        ("HEXPIRE h 1 FIELDS 9223372036854775807 a", NUMFIELDS),
        ("HEXPIRE h 1 FIELDS x a", "-ERR value is not an integer or out of range"),
        ("HEXPIRE h 1 a b c", NUMFIELDS),
        ("HEXPIRE h 1 NX XX FIELDS", NUMFIELDS),
        ("HEXPIRE h x FIELDS 1 a", "-ERR value is not an integer or out of range"),
        ("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"),
        ("HPEXPIRE h 9223372036854775807 FIELDS 1 a", "-ERR invalid expire time in 'hpexpire' command"),
        ("HEXPIREAT h 9223372036854775807 FIELDS 1 a", "-ERR invalid expire time in 'hexpireat' command"),
        ("HPEXPIREAT h -9223372036854775808 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command"),
        ("HEXPIRE h 1 FIELDS 1", "-ERR wrong number of arguments for 'hexpire' command"),
        ("HTTL h FIELDS 2 a", "-ERR syntax error"),
        ("HTTL h BOGUS 1 a", "-ERR syntax error"),
        ("HTTL h FIELDS x a", "-ERR value is not an integer or out of range"),
        ("HPERSIST h FIELDS 2 a", NUMFIELDS),
        ("HPERSIST h BOGUS 1 a", "-ERR syntax error"),
        ("HGETDEL h FIELDS 2 a", NUMFIELDS),
        ("HGETDEL h BOGUS x a", "-ERR syntax error"),
        ("HGETEX h EX 1 PX 1 FIELDS 1 a", "-ERR syntax error"),
        ("HGETEX h PERSIST EX 1 FIELDS 1 a", "-ERR syntax error"),
        ("HGETEX h KEEPTTL FIELDS 1 a", "-ERR syntax error"),
        ("HGETEX h EX FIELDS 1 a", "-ERR syntax error"),
        ("HGETEX none EX -1 FIELDS 1 a", "-ERR invalid expire time in 'hgetex' command"),
        ("HGETEX none EX x FIELDS 1 a", "-ERR value is not an integer or out of range"),
        ("HSETEX h FNX FXX FIELDS 1 a 1", "-ERR syntax error"),
        ("HSETEX h NX XX FIELDS 1 a 1", "-ERR syntax error"),
        ("HSETEX h EX 1 KEEPTTL FIELDS 1 a 1", "-ERR syntax error"),
        ("HSETEX h PERSIST FIELDS 1 a 1", "-ERR syntax error"),
        ("HSETEX h FIELDS 1 a 1 b", NUMFIELDS),
        ("HSETEX h FIELDS 2 a 1", NUMFIELDS),
        ("HSETEX h a 1 b 2", NUMFIELDS),
        ("HSETEX h EX -1 FIELDS 1 a 1", "-ERR invalid expire time in 'hsetex' command"),
        ("EXISTS h", ":0"),
        ("SET s text", "+OK"),
        ("HEXPIRE s 1 FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HTTL s FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HPERSIST s FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HSETEX s EX -1 FIELDS 1 a 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HGETEX s EX -1 FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HGETDEL s FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ];
    check(&wrong);
}

#[test]
fn values_are_written_with_their_time() {
    check(&[
        ("HSETEX h EX 100 FIELDS 2 a 1 b 2", ":1"),
        ("HTTL h FIELDS 2 a b", "[:100, :100]"),
        ("HSETEX h KEEPTTL FIELDS 2 a 3 c 4", ":1"),
        ("HTTL h FIELDS 3 a b c", "[:100, :100, :-1]"),
        ("HSETEX h FIELDS 1 a 5", ":1"),
        ("HTTL h FIELDS 1 a", "[:-1]"),
        ("HSETEX h FNX FIELDS 2 a 1 z 1", ":0"),
        ("HSETEX h FXX FIELDS 2 a 1 z 1", ":0"),
        ("HSETEX h FXX FIELDS 1 a 6", ":1"),
        ("HSETEX h NX FIELDS 1 a 7", ":0"),
        ("HSETEX none XX FIELDS 1 a 7", ":0"),
        ("HSETEX none NX FXX FIELDS 1 a 7", ":0"),
        ("EXISTS none", ":0"),
        ("HGET h a", r#""6""#),
        ("HSET h b 1", ":0"),
        ("HTTL h FIELDS 1 b", "[:-1]"),
        ("HEXPIRE h 50 FIELDS 1 b", "[:1]"),
        ("HINCRBY h b 1", ":2"),
        ("HINCRBYFLOAT h b 1.5", r#""3.5""#),
        ("HTTL h FIELDS 1 b", "[:50]"),
        ("HGETEX h FIELDS 2 b none", r#"["3.5", nil]"#),
        ("HGETEX h PX 5000 FIELDS 2 b a", r#"["3.5", "6"]"#),
        ("HPTTL h FIELDS 2 b a", "[:5000, :5000]"),
        ("HGETEX h PERSIST FIELDS 1 b", r#"["3.5"]"#),
        ("HTTL h FIELDS 1 b", "[:-1]"),
        ("HGETEX h EX 0 FIELDS 2 b b", r#"["3.5", nil]"#),
        ("HSETEX h PXAT 1 FIELDS 1 a 1", ":1"),
        ("HGETDEL h FIELDS 2 c c", r#"["4", nil]"#),
        ("EXISTS h", ":0"),
        ("HSETEX h PXAT 1 FIELDS 1 a 1", ":1"),
        ("EXISTS h", ":0"),
    ]);
}

#[test]
fn an_expired_field_is_not_seen() {
    for (line, wanted) in [
        ("HGET h a", "nil"),
        ("HMGET h a b", r#"[nil, "2"]"#),
        ("HEXISTS h a", ":0"),
        ("HSTRLEN h a", ":0"),
        ("HSCAN h 0 NOVALUES", r#"["0", ["b", "c"]]"#),
        ("HDEL h a", ":0"),
        ("HTTL h FIELDS 1 a", "[:-2]"),
        ("HPERSIST h FIELDS 1 a", "[:-2]"),
        ("HEXPIRE h 9 FIELDS 1 a", "[:-2]"),
        ("HGETEX h FIELDS 1 a", "[nil]"),
        ("HGETDEL h FIELDS 1 a", "[nil]"),
        ("HSETEX h FXX FIELDS 1 a 1", ":0"),
    ] {
        let mut server = with_expired_field();
        // It is counted as long as it stands there, as in the reference.
        check_with(&mut server, &[(line, wanted), ("HLEN h", ":3"), ("HGET h a", "nil")]);
    }
    for (line, wanted) in [("HGETALL h", 4), ("HKEYS h", 2), ("HVALS h", 2), ("HRANDFIELD h 9", 2)] {
        let mut server = with_expired_field();
        let client = server.connect();
        assert_eq!(server.call(client, line).split(',').count(), wanted, "{line}");
    }
}

#[test]
fn what_is_written_over_an_expired_field_is_new() {
    for (line, wanted) in [
        ("HSET h a 9", ":1"),
        ("HSETNX h a 9", ":1"),
        ("HINCRBY h a 9", ":9"),
        ("HINCRBYFLOAT h a 9", r#""9""#),
        ("HSETEX h KEEPTTL FIELDS 1 a 9", ":1"),
        ("HSETEX h FNX FIELDS 1 a 9", ":1"),
    ] {
        let mut server = with_expired_field();
        check_with(
            &mut server,
            &[(line, wanted), ("HGET h a", r#""9""#), ("HTTL h FIELDS 1 a", "[:-1]"), ("HLEN h", ":3")],
        );
    }
}

#[test]
fn overdue_fields_are_removed_and_the_key_with_the_last() {
    let mut server = with_field_that_expires();
    server.advance(Duration::from_millis(999));
    check_with(&mut server, &[("HLEN h", ":3")]);
    server.advance(Duration::from_millis(1));
    check_with(&mut server, &[("HLEN h", ":2"), ("HPEXPIRE h 5 FIELDS 2 b c", "[:1, :1]")]);
    server.advance(Duration::from_millis(5));
    check_with(&mut server, &[("EXISTS h", ":0"), ("DBSIZE", ":0")]);
    assert_eq!(server.engine.store.stats.expired_fields, 3);
    assert_eq!(server.engine.store.stats.expired, 0);
}

#[test]
fn a_large_hash_is_searched_by_slices() {
    let mut server = Harness::new();
    let client = server.connect();
    let line: String = (0..5000).map(|n| format!(" f{n} {n}")).collect();
    server.call(client, &format!("HSETEX h PX 10 FIELDS 5000{line}"));
    server.call(client, "HSETEX h EX 100 FIELDS 1 stays 1");
    server.clock.advance(Duration::from_millis(10));
    server.engine.refresh();
    let (mut slices, mut before) = (0, 5001);
    while server.engine.store.expirable_len(0) > 2 {
        let slice = server.engine.store.expire_slice(0, 500);
        let left = server.engine.store.expirable_len(0) - 1;
        assert!(slice.looked_at < 700 && left + slice.expired == before);
        before = left;
        slices += 1;
        assert!(slices < 100);
    }
    assert!(slices > 5, "{slices}");
    check_with(&mut server, &[("HGETALL h", r#"["stays", "1"]"#)]);
}

#[test]
fn a_pause_keeps_overdue_fields() {
    let mut server = with_field_that_expires();
    check_with(&mut server, &[("CLIENT PAUSE 5000 WRITE", "+OK")]);
    server.advance(Duration::from_millis(2000));
    check_with(&mut server, &[("HGET h a", "nil"), ("HLEN h", ":3")]);
    server.advance(Duration::from_millis(4000));
    check_with(&mut server, &[("HLEN h", ":2")]);
}

#[test]
fn keys_with_volatile_fields_are_counted_apart() {
    let mut server = Harness::new();
    let client = server.connect();
    for (line, wanted) in [
        ("HSET h a 1 b 2", "keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=0"),
        ("HEXPIRE h 100 FIELDS 2 a b", "keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=1"),
        ("EXPIRE h 100", "keys=1,expires=1,avg_ttl=100000,keys_with_volatile_items=1"),
        ("COPY h copy", "keys=2,expires=2,avg_ttl=100000,keys_with_volatile_items=2"),
        ("PERSIST copy", "keys=2,expires=1,avg_ttl=100000,keys_with_volatile_items=2"),
        ("RENAME copy h", "keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=1"),
        ("HPERSIST h FIELDS 1 a", "keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=1"),
        ("HDEL h b", "keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=0"),
        ("HSETEX h EX 100 FIELDS 1 a 1", "keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=1"),
        ("SET h text EX 100", "keys=1,expires=1,avg_ttl=100000,keys_with_volatile_items=0"),
    ] {
        server.call(client, line);
        let info = server.call(client, "INFO keyspace");
        assert!(info.contains(wanted), "{line}: {info}");
    }
    let store = &mut server.engine.store;
    store.flush(0);
    assert_eq!((store.volatile_len(0), store.volatile_items_len(0), store.expirable_len(0)), (0, 0, 0));
}

#[test]
fn events_have_their_names_and_order() {
    assert_eq!(
        events_of(&[
            "HSET h a 1 b 2 c 3",
            "HEXPIRE h 100 FIELDS 2 a b",
            "HEXPIRE h 100 NX FIELDS 1 a",
            "HPERSIST h FIELDS 2 a c",
            "HPERSIST h FIELDS 1 a",
            "HSETEX h EX 100 FIELDS 2 a 1 b 2",
            "HSETEX h FIELDS 1 a 1",
            "HGETEX h EX 100 FIELDS 1 a",
            "HGETEX h PERSIST FIELDS 2 a b",
            "HGETEX h FIELDS 1 a",
            "HSETEX h PXAT 1 FIELDS 1 a 1",
            "HEXPIRE h 0 FIELDS 1 b",
            "HGETDEL h FIELDS 2 c c",
            "HSETEX h PXAT 1 FIELDS 1 a 1",
        ]),
        [
            "0:h new",
            "0:h hset",
            "0:h hexpire",
            "0:h hpersist",
            "0:h hset",
            "0:h hexpire",
            "0:h hset",
            "0:h hexpire",
            "0:h hpersist",
            "0:h hset",
            "0:h hexpire",
            "0:h hexpired",
            "0:h hexpired",
            "0:h hdel",
            "0:h del",
            "0:h new",
            "0:h hset",
            "0:h hexpire",
            "0:h hexpired",
            "0:h del",
        ]
    );
}

#[test]
fn removed_fields_are_told() {
    let mut server = with_field_that_expires();
    let watcher = server.connect();
    check_with(&mut server, &[("CONFIG SET notify-keyspace-events KEA", "+OK")]);
    server.call(watcher, "PSUBSCRIBE __keyevent@0__:*");
    server.advance(Duration::from_secs(1));
    let told = r#"["pmessage", "__keyevent@0__:*", "__keyevent@0__:hexpired", "h"]"#;
    assert_eq!(server.receive(watcher), told);
    check_with(&mut server, &[("HPEXPIRE h 1 FIELDS 2 b c", "[:1, :1]")]);
    server.receive(watcher);
    server.advance(Duration::from_secs(1));
    let del = r#"["pmessage", "__keyevent@0__:*", "__keyevent@0__:del", "h"]"#;
    assert_eq!(server.receive(watcher), format!("{told}\n{del}"));
}
