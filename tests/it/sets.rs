//! Sets: their members, members at random, several sets together.

use crate::support::{check, check_with, events_of};
use staywire::{state::config::Config, testkit::Harness};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
const MUST_BE_POSITIVE: &str = "-ERR value is out of range, must be positive";

/// Numbers as words of a command.
fn numbers(range: std::ops::Range<i64>) -> String {
    range.map(|n| n.to_string()).collect::<Vec<_>>().join(" ")
}

/// The elements of a reply of an array or a set.
fn elements(reply: &str) -> Vec<String> {
    let inside = reply.trim_start_matches(['[', '~', '{']).trim_end_matches([']', '}']);
    let mut all: Vec<String> =
        inside.split(", ").filter(|e| !e.is_empty()).map(|e| e.trim_matches('"').into()).collect();
    all.sort();
    all
}

#[test]
fn members() {
    check(&[
        ("SADD s 3 1 2 1", ":3"),
        ("SADD s 3", ":0"),
        ("OBJECT ENCODING s", r#""intset""#),
        ("TYPE s", "+set"),
        ("SMEMBERS s", r#"["1", "2", "3"]"#),
        ("SCARD s", ":3"),
        ("SISMEMBER s 2", ":1"),
        ("SISMEMBER s 02", ":0"),
        ("SMISMEMBER s 1 x 3", "[:1, :0, :1]"),
        ("SADD s x", ":1"),
        ("OBJECT ENCODING s", r#""listpack""#),
        ("SMEMBERS s", r#"["1", "2", "3", "x"]"#),
        ("SREM s 2 nothing 3", ":2"),
        ("SMEMBERS s", r#"["1", "x"]"#),
        ("SREM s x 1 x", ":2"),
        ("EXISTS s", ":0"),
        ("SCARD s", ":0"),
        ("SISMEMBER s x", ":0"),
        ("SMISMEMBER s x y", "[:0, :0]"),
        ("SMEMBERS s", "[]"),
        ("SREM s x", ":0"),
        (r#"SADD bin "" "\x00\xff""#, ":2"),
        ("SMEMBERS bin", r#"["", "\x00\xff"]"#),
        ("SADD s", "-ERR wrong number of arguments for 'sadd' command"),
        ("SISMEMBER s", "-ERR wrong number of arguments for 'sismember' command"),
    ]);
}

#[test]
fn wrong_types() {
    let lines = [
        "SADD k a",
        "SREM k a",
        "SMEMBERS k",
        "SCARD k",
        "SISMEMBER k a",
        "SMISMEMBER k a b",
        "SPOP k",
        "SPOP k 1",
        "SRANDMEMBER k",
        "SRANDMEMBER k 1",
        "SSCAN k 0",
        "SMOVE k s a",
        "SMOVE s k a",
        "SINTER s k",
        "SINTER none k",
        "SUNION s k",
        "SDIFF none k",
        "SINTERSTORE d s k",
        "SUNIONSTORE d k",
        "SDIFFSTORE d s k",
        "SINTERCARD 1 k",
    ];
    let mut server = Harness::new();
    check_with(&mut server, &[("SET k string", "+OK"), ("SADD s a b", ":2")]);
    let client = server.connect();
    for line in lines {
        assert_eq!(server.call(client, line), WRONG_TYPE, "{line}");
    }
    for line in ["GET s", "LPUSH s a", "INCR s"] {
        assert_eq!(server.call(client, line), WRONG_TYPE, "{line}");
    }
    assert_eq!(server.call(client, "SMOVE none k a"), ":0");
    assert_eq!(server.call(client, "SCARD s"), ":2");
    assert_eq!(server.call(client, "EXISTS d"), ":0");
}

#[test]
fn encodings_follow_the_parameters() {
    let mut server = Harness::with(
        Config {
            set_max_intset_entries: 4,
            set_max_listpack_entries: 6,
            set_max_listpack_value: 5,
            ..Config::default()
        },
        1,
    );
    check_with(
        &mut server,
        &[
            ("SADD a 1 2 3 4", ":4"),
            ("OBJECT ENCODING a", r#""intset""#),
            ("SADD a 5", ":1"),
            ("OBJECT ENCODING a", r#""hashtable""#),
            ("SREM a 5 4 3 2", ":4"),
            ("OBJECT ENCODING a", r#""hashtable""#),
            ("SADD b 1 2 3 4 5", ":5"),
            ("OBJECT ENCODING b", r#""listpack""#),
            ("SADD b x", ":1"),
            ("OBJECT ENCODING b", r#""listpack""#),
            ("SADD b y", ":1"),
            ("OBJECT ENCODING b", r#""hashtable""#),
            ("SADD c 123456 x", ":2"),
            ("OBJECT ENCODING c", r#""hashtable""#),
            ("SADD d 1", ":1"),
            ("SADD d 1 1 1 1 1", ":0"),
            ("OBJECT ENCODING d", r#""hashtable""#),
            ("SADD e 1 2 3 4 5 6 7", ":7"),
            ("OBJECT ENCODING e", r#""hashtable""#),
            // Results are chosen anew.
            ("SINTERSTORE f a e", ":1"),
            ("OBJECT ENCODING f", r#""intset""#),
            ("SDIFFSTORE f e a", ":6"),
            ("OBJECT ENCODING f", r#""hashtable""#),
            ("SUNIONSTORE f a", ":1"),
            ("OBJECT ENCODING f", r#""intset""#),
            ("COPY e g", ":1"),
            ("OBJECT ENCODING g", r#""hashtable""#),
            ("SCARD g", ":7"),
        ],
    );
}

#[test]
fn moves() {
    check(&[
        ("SADD a 1 2", ":2"),
        ("SADD b x", ":1"),
        ("SMOVE a b 1", ":1"),
        ("SMOVE a b 7", ":0"),
        ("SMEMBERS b", r#"["x", "1"]"#),
        ("SMOVE a a 2", ":1"),
        ("SMOVE a a 7", ":0"),
        ("SMOVE none b 1", ":0"),
        ("SMOVE a new 2", ":1"),
        ("EXISTS a", ":0"),
        ("SMEMBERS new", r#"["2"]"#),
        ("SADD c 1", ":1"),
        ("SMOVE c b 1", ":1"),
        ("EXISTS c", ":0"),
        ("SCARD b", ":2"),
    ]);
}

#[test]
fn several_sets_together() {
    check(&[
        ("SADD a 1 2 3 4", ":4"),
        ("SADD b 2 4 6", ":3"),
        ("SADD c 4 x", ":2"),
        ("SINTER a b", r#"["2", "4"]"#),
        ("SINTER a b c", r#"["4"]"#),
        ("SINTER a", r#"["1", "2", "3", "4"]"#),
        ("SINTER a none", "[]"),
        ("SUNION a b", r#"["1", "2", "3", "4", "6"]"#),
        ("SUNION none", "[]"),
        ("SDIFF a b", r#"["1", "3"]"#),
        ("SDIFF a b a", "[]"),
        ("SDIFF none a", "[]"),
        ("SDIFF a none", r#"["1", "2", "3", "4"]"#),
        ("SINTERCARD 2 a b", ":2"),
        ("SINTERCARD 2 a b LIMIT 1", ":1"),
        ("SINTERCARD 2 a b LIMIT 0", ":2"),
        ("SINTERCARD 2 a none", ":0"),
        ("SINTERCARD 0 a", "-ERR numkeys should be greater than 0"),
        ("SINTERCARD x a", "-ERR numkeys should be greater than 0"),
        ("SINTERCARD 3 a b", "-ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 9223372036854775807 a b", "-ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative"),
        ("SINTERCARD 1 a LIMIT", "-ERR syntax error"),
        ("SINTERCARD 1 a b", "-ERR syntax error"),
        ("SINTERSTORE d a b", ":2"),
        ("SMEMBERS d", r#"["2", "4"]"#),
        ("SUNIONSTORE d d c", ":3"),
        ("SMEMBERS d", r#"["2", "4", "x"]"#),
        ("SDIFFSTORE a a b", ":2"),
        ("SMEMBERS a", r#"["1", "3"]"#),
        ("EXPIRE d 100", ":1"),
        ("SUNIONSTORE d a", ":2"),
        ("TTL d", ":-1"),
        ("SET d string", "+OK"),
        ("SINTERSTORE d a a", ":2"),
        ("SINTERSTORE d a none", ":0"),
        ("EXISTS d", ":0"),
    ]);
}

#[test]
fn both_ways_to_subtract_agree() {
    let mut server = Harness::new();
    let client = server.connect();
    // Many small sets make taking out the cheaper way, one large set looking.
    server.call(client, &format!("SADD first {} x y", numbers(0..300)));
    let mut keys = String::new();
    for n in 0..40 {
        server.call(client, &format!("SADD s{n} {} x{n}", numbers(n * 5..n * 5 + 5)));
        keys += &format!(" s{n}");
    }
    server.call(client, &format!("SADD large {}", numbers(0..2000)));
    let wanted: Vec<String> = elements(&format!(
        "[{}]",
        (200..300).map(|n| n.to_string()).chain(["x".into(), "y".into()]).collect::<Vec<_>>().join(", ")
    ));
    assert_eq!(elements(&server.call(client, &format!("SDIFF first{keys}"))), wanted);
    assert_eq!(server.call(client, &format!("SDIFFSTORE d first{keys}")), ":102");
    assert_eq!(elements(&server.call(client, "SDIFF first large")), ["x", "y"]);
    assert_eq!(server.call(client, &format!("SDIFF s1{keys} first")), "[]");
}

#[test]
fn members_at_random() {
    check(&[
        ("SPOP none", "nil"),
        ("SPOP none 3", "[]"),
        ("SRANDMEMBER none", "nil"),
        ("SRANDMEMBER none 3", "[]"),
        ("SRANDMEMBER none -3", "[]"),
        ("SADD one x", ":1"),
        ("SRANDMEMBER one", r#""x""#),
        ("SRANDMEMBER one 5", r#"["x"]"#),
        ("SRANDMEMBER one -3", r#"["x", "x", "x"]"#),
        ("SRANDMEMBER one 0", "[]"),
        ("SRANDMEMBER one a", NOT_AN_INTEGER),
        (
            "SRANDMEMBER one -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ),
        ("SRANDMEMBER one 9223372036854775807", r#"["x"]"#),
        ("SRANDMEMBER one 1 2", "-ERR syntax error"),
        ("SPOP one 0", "[]"),
        ("SPOP one -1", MUST_BE_POSITIVE),
        ("SPOP one a", MUST_BE_POSITIVE),
        ("SPOP one 1 2", "-ERR syntax error"),
        ("SPOP one", r#""x""#),
        ("EXISTS one", ":0"),
        ("SADD few 1 2 3", ":3"),
        ("SPOP few 9223372036854775807", r#"["1", "2", "3"]"#),
        ("EXISTS few", ":0"),
    ]);
}

#[test]
fn pops_take_what_they_answer() {
    let mut server = Harness::new();
    let client = server.connect();
    for more in ["", " x", " a-member-that-is-longer-than-sixty-four-bytes-and-so-needs-a-hash-table"] {
        for n in [1, 5, 60, 99] {
            let all =
                elements(&format!("[{}{}]", numbers(0..100).replace(' ', ", "), more.replace(' ', ", ")));
            server.call(client, &format!("SADD s {}{more}", numbers(0..100)));
            let mut popped = elements(&server.call(client, &format!("SPOP s {n}")));
            assert_eq!(popped.len(), n);
            popped.extend(elements(&server.call(client, "SMEMBERS s")));
            popped.sort();
            assert_eq!(popped, all);
            let len = all.len() - n;
            assert_eq!(elements(&server.call(client, "SRANDMEMBER s 1000")).len(), len);
            let mut sample = elements(&server.call(client, &format!("SRANDMEMBER s {}", len / 2)));
            sample.dedup();
            assert_eq!(sample.len(), len / 2);
            assert_eq!(server.call(client, "DEL s"), ":1");
        }
    }
}

#[test]
fn walks_meet_every_member() {
    let mut server = Harness::new();
    let client = server.connect();
    server.call(client, &format!("SADD small {}", numbers(0..100)));
    server.call(client, &format!("SADD large {} x", numbers(0..1000)));
    assert!(server.call(client, "SSCAN small 0 COUNT 1").starts_with(r#"["0", ["0", "1", "2""#));
    let (mut seen, mut cursor, mut calls) = (Vec::new(), "0".to_string(), 0);
    loop {
        let reply = server.call(client, &format!("SSCAN large {cursor} COUNT 20"));
        let (head, members) = reply[1..].split_once(", ").unwrap();
        seen.extend(elements(&members[..members.len() - 1]));
        cursor = head.trim_matches('"').into();
        calls += 1;
        if cursor == "0" {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, elements(&server.call(client, "SMEMBERS large")));
    assert!((10..=60).contains(&calls), "{calls}");
    check_with(
        &mut server,
        &[
            ("SSCAN none 0", r#"["0", []]"#),
            ("SSCAN none 17 BOGUS", r#"["0", []]"#),
            (
                "SSCAN small 0 MATCH 9?",
                r#"["0", ["90", "91", "92", "93", "94", "95", "96", "97", "98", "99"]]"#,
            ),
            ("SSCAN small 0 MATCH", "-ERR syntax error"),
            ("SSCAN small 0 COUNT 0", "-ERR syntax error"),
            ("SSCAN small 0 COUNT x", NOT_AN_INTEGER),
            ("SSCAN small 0 TYPE set", "-ERR syntax error"),
            ("SSCAN small 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"),
            ("SSCAN small 0 NOSCORES", "-ERR NOSCORES option can only be used in ZSCAN"),
            ("SSCAN small x", "-ERR invalid cursor"),
            ("SSCAN large x", "-ERR invalid cursor"),
        ],
    );
}

#[test]
fn resp3_has_sets() {
    let mut server = Harness::new();
    let client = server.connect();
    server.call(client, "HELLO 3");
    server.call(client, "SADD s 1 2");
    for (line, reply) in [
        ("SMEMBERS s", r#"~["1", "2"]"#),
        ("SMEMBERS none", "~[]"),
        ("SINTER s", r#"~["1", "2"]"#),
        ("SINTER s none", "~[]"),
        ("SUNION s none", r#"~["1", "2"]"#),
        ("SDIFF s s", "~[]"),
        ("SRANDMEMBER s 5", r#"["1", "2"]"#),
        ("SRANDMEMBER none 5", "[]"),
        ("SPOP none 5", "~[]"),
        ("SPOP s 0", "~[]"),
        ("SPOP s 5", r#"~["1", "2"]"#),
        ("SPOP s", "nil"),
    ] {
        assert_eq!(server.call(client, line), reply, "{line}");
    }
}

#[test]
fn events() {
    let events = events_of(&[
        "SADD a 1 2 3",
        "SADD a 1",
        "SREM a 9",
        "SREM a 1",
        "SMOVE a b 2",
        "SMOVE a a 3",
        "SMOVE a b 3",
        "SPOP b 1",
        "SPOP b",
        "SADD c 1 2",
        "SPOP c 0",
        "SPOP c 5",
        "SADD d 1 2",
        "SINTERSTORE e d",
        "SUNIONSTORE e d",
        "SDIFFSTORE e d",
        "SDIFFSTORE e d d",
        "SDIFFSTORE e d d",
        "SRANDMEMBER d",
        "SREM d 1 2",
    ]);
    let wanted = [
        "a new",
        "a sadd",
        "a srem",
        "a srem",
        "b new",
        "b sadd",
        "a srem",
        "a del",
        "b sadd",
        "b spop",
        "b spop",
        "b del",
        "c new",
        "c sadd",
        "c spop",
        "c del",
        "d new",
        "d sadd",
        "e new",
        "e sinterstore",
        "e sunionstore",
        "e sdiffstore",
        "e del",
        "d srem",
        "d del",
    ];
    assert_eq!(events, wanted.map(|event| format!("0:{event}")));
}

#[test]
fn a_huge_set_is_freed_bit_by_bit() {
    let mut server = Harness::new();
    let client = server.connect();
    let empty = server.engine.store.mem_bytes();
    for n in 0..20 {
        server.call(client, &format!("SADD s x {}", numbers(n * 1000..n * 1000 + 1000)));
    }
    let full = server.engine.store.mem_bytes();
    assert!(full > empty + 300_000);
    server.call(client, "SPOP s 19990");
    server.call(client, "DEL s");
    while server.engine.store.has_garbage() {
        server.engine.tick();
    }
    assert_eq!(server.engine.store.mem_bytes(), empty);
}
