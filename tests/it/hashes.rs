//! Hashes.

use crate::support::{check, check_with, events_of};
use staywire::testkit::Harness;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";

#[test]
fn writing_and_reading() {
    check(&[
        ("HSET h a 1 b two", ":2"),
        ("HSET h a 5 c 3 c 4", ":1"),
        ("HGET h a", r#""5""#),
        ("HGET h none", "nil"),
        ("HGET none a", "nil"),
        ("HMGET h a none c a", r#"["5", nil, "4", "5"]"#),
        ("HMGET none a b", "[nil, nil]"),
        ("HMSET h d x", "+OK"),
        ("HLEN h", ":4"),
        ("HLEN none", ":0"),
        ("HKEYS h", r#"["a", "b", "c", "d"]"#),
        ("HVALS h", r#"["5", "two", "4", "x"]"#),
        ("HGETALL h", r#"["a", "5", "b", "two", "c", "4", "d", "x"]"#),
        ("HGETALL none", "[]"),
        ("HKEYS none", "[]"),
        ("HEXISTS h a", ":1"),
        ("HEXISTS h none", ":0"),
        ("HEXISTS none a", ":0"),
        ("HSTRLEN h b", ":3"),
        ("HSET h n -12345", ":1"),
        ("HSTRLEN h n", ":6"),
        ("HSTRLEN h none", ":0"),
        ("HSTRLEN none a", ":0"),
        ("HSETNX h a 9", ":0"),
        ("HSETNX h e 9", ":1"),
        ("HSETNX new a 1", ":1"),
        ("HDEL h none", ":0"),
        ("HDEL h a b a", ":2"),
        ("HDEL none a", ":0"),
        ("HDEL h c d e n x", ":4"),
        ("EXISTS h", ":0"),
        ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
        ("HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command"),
        ("EXISTS h", ":0"),
        (r#"HSET h "" "" "\x00\xff" "\r\n""#, ":2"),
        ("HGETALL h", r#"["", "", "\x00\xff", "\r\n"]"#),
    ]);
}

#[test]
fn maps_in_resp3() {
    let mut server = Harness::new();
    let client = server.connect();
    server.call(client, "HELLO 3");
    for (line, wanted) in [
        ("HSET h a 1 b 2", ":2"),
        ("HGETALL h", r#"{"a": "1", "b": "2"}"#),
        ("HGETALL none", "{}"),
        ("HKEYS h", r#"["a", "b"]"#),
        ("HMGET h a c", r#"["1", nil]"#),
        ("HRANDFIELD h 2 WITHVALUES", r#"[["a", "1"], ["b", "2"]]"#),
        ("HRANDFIELD h 0 WITHVALUES", "[]"),
        ("HSCAN h 0", r#"["0", ["a", "1", "b", "2"]]"#),
        ("HRANDFIELD none", "nil"),
    ] {
        assert_eq!(server.call(client, line), wanted, "{line}");
    }
}

#[test]
fn numbers() {
    check(&[
        ("HINCRBY h n 5", ":5"),
        ("HINCRBY h n -7", ":-2"),
        ("HINCRBY h n 9223372036854775807", ":9223372036854775805"),
        ("HINCRBY h n 3", "-ERR increment or decrement would overflow"),
        ("HINCRBY h n 1.5", NOT_AN_INTEGER),
        ("HSET h s text f 1.5 space ' 1'", ":3"),
        ("HINCRBY h s 1", "-ERR hash value is not an integer"),
        ("HINCRBY h f 1", "-ERR hash value is not an integer"),
        ("HINCRBY h space 1", "-ERR hash value is not an integer"),
        ("HINCRBYFLOAT h f 0.1", r#""1.6""#),
        ("HINCRBYFLOAT h n 0.5", r#""9223372036854775805.5""#),
        ("HINCRBYFLOAT h new 3.0e3", r#""3000""#),
        ("HINCRBYFLOAT h s 1", "-ERR hash value is not a float"),
        ("HINCRBYFLOAT h space 1", "-ERR hash value is not a float"),
        ("HINCRBYFLOAT h f abc", "-ERR value is not a valid float"),
        ("HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity"),
        ("HSET h i inf", ":1"),
        ("HINCRBYFLOAT h i 1", "-ERR increment would produce NaN or Infinity"),
        ("HINCRBYFLOAT none f x", "-ERR value is not a valid float"),
        ("EXISTS none", ":0"),
        ("HGET h n", r#""9223372036854775805.5""#),
    ]);
}

#[test]
fn random_fields() {
    check(&[
        ("HSET h a 1", ":1"),
        ("HRANDFIELD h", r#""a""#),
        ("HRANDFIELD h 3", r#"["a"]"#),
        ("HRANDFIELD h -3", r#"["a", "a", "a"]"#),
        ("HRANDFIELD h -2 withvalues", r#"["a", "1", "a", "1"]"#),
        ("HRANDFIELD h 0", "[]"),
        ("HRANDFIELD h 9223372036854775807", r#"["a"]"#),
        ("HRANDFIELD h 9223372036854775807 WITHVALUES", "-ERR value is out of range"),
        ("HRANDFIELD h -4611686018427387904 WITHVALUES", "-ERR value is out of range"),
        (
            "HRANDFIELD h -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ),
        ("HRANDFIELD h x", NOT_AN_INTEGER),
        ("HRANDFIELD h 1 BOGUS", "-ERR syntax error"),
        ("HRANDFIELD h 1 WITHVALUES 1", "-ERR syntax error"),
        ("HRANDFIELD none", "nil"),
        ("HRANDFIELD none 1", "[]"),
        ("HRANDFIELD none -1 WITHVALUES", "[]"),
    ]);
}

#[test]
fn scans() {
    check(&[
        ("HSET h a 1 b 2 cc 3 12 4", ":4"),
        ("HSCAN h 0", r#"["0", ["a", "1", "b", "2", "cc", "3", "12", "4"]]"#),
        ("HSCAN h 77 COUNT 1", r#"["0", ["a", "1", "b", "2", "cc", "3", "12", "4"]]"#),
        ("HSCAN h 0 MATCH ?", r#"["0", ["a", "1", "b", "2"]]"#),
        ("HSCAN h 0 MATCH 1*", r#"["0", ["12", "4"]]"#),
        ("HSCAN h 0 NOVALUES", r#"["0", ["a", "b", "cc", "12"]]"#),
        ("HSCAN h 0 novalues match c*", r#"["0", ["cc"]]"#),
        ("HSCAN none 0", r#"["0", []]"#),
        ("HSCAN none 0 BOGUS", r#"["0", []]"#),
        ("HSCAN none x", "-ERR invalid cursor"),
        (r#"HSCAN none "1\x00x""#, r#"["0", []]"#),
        (r#"HSCAN none "-1\x00""#, "-ERR invalid cursor"),
        (r#"HSCAN none "\x00""#, "-ERR invalid cursor"),
        ("HSCAN h 0 COUNT 0", "-ERR syntax error"),
        ("HSCAN h 0 COUNT x", NOT_AN_INTEGER),
        ("HSCAN h 0 TYPE hash", "-ERR syntax error"),
        ("HSCAN h 0 NOSCORES", "-ERR NOSCORES option can only be used in ZSCAN"),
    ]);
}

#[test]
fn a_walk_through_a_table_meets_every_field() {
    let mut server = Harness::new();
    let client = server.connect();
    let line: String = (0..2000).map(|n| format!(" f{n} {n}")).collect();
    assert_eq!(server.call(client, &format!("HSET h{line}")), ":2000");
    let (mut cursor, mut steps, mut seen) = ("0".to_string(), 0, Vec::new());
    loop {
        let reply = server.call(client, &format!("HSCAN h {cursor} COUNT 50 NOVALUES"));
        let words: Vec<&str> = reply.split('"').skip(1).step_by(2).collect();
        assert!(words.len() <= 50 + 64, "{}", words.len());
        cursor = words[0].to_string();
        seen.extend(words[1..].iter().map(|word| word.to_string()));
        steps += 1;
        if cursor == "0" {
            break;
        }
    }
    assert!((10..=40).contains(&steps), "{steps}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2000);
}

#[test]
fn encodings_follow_the_limits() {
    let long = "x".repeat(65);
    check(&[
        ("CONFIG SET hash-max-listpack-entries 3", "+OK"),
        ("HSET h a 1 b 2 c 3", ":3"),
        ("OBJECT ENCODING h", r#""listpack""#),
        ("HSET h a 2 b 3", ":0"),
        ("OBJECT ENCODING h", r#""listpack""#),
        ("HSET h d 1", ":1"),
        ("OBJECT ENCODING h", r#""hashtable""#),
        ("HDEL h b c d", ":3"),
        ("OBJECT ENCODING h", r#""hashtable""#),
        ("HGETALL h", r#"["a", "2"]"#),
        // Four arguments count as four fields, though they are one.
        ("HSET many a 1 a 2 a 3 a 4", ":1"),
        ("OBJECT ENCODING many", r#""hashtable""#),
        (&format!("HSET long a {long}"), ":1"),
        ("OBJECT ENCODING long", r#""hashtable""#),
        (&format!("HSETNX name {long} 1"), ":1"),
        ("OBJECT ENCODING name", r#""hashtable""#),
        ("HSET h2 a 1", ":1"),
        (&format!("HINCRBY h2 {long} 1"), ":1"),
        ("OBJECT ENCODING h2", r#""hashtable""#),
        ("COPY h copy", ":1"),
        ("OBJECT ENCODING copy", r#""hashtable""#),
        ("HSET copy a other", ":0"),
        ("HGET h a", r#""2""#),
    ]);
}

#[test]
fn other_types_are_refused() {
    let mut server = Harness::new();
    let client = server.connect();
    check_with(&mut server, &[("SET s text", "+OK"), ("HSET h a 1", ":1")]);
    for line in [
        "HSET s a 1",
        "HMSET s a 1",
        "HSETNX s a 1",
        "HGET s a",
        "HMGET s a",
        "HDEL s a",
        "HEXISTS s a",
        "HLEN s",
        "HSTRLEN s a",
        "HKEYS s",
        "HVALS s",
        "HGETALL s",
        "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1",
        "HRANDFIELD s",
        "HRANDFIELD s 1",
        "HSCAN s 0 BOGUS",
        "GET h",
        "LPUSH h 1",
        "INCR h",
        "APPEND h x",
    ] {
        assert_eq!(server.call(client, line), WRONG_TYPE, "{line}");
    }
    check_with(&mut server, &[("GET s", r#""text""#), ("HGETALL h", r#"["a", "1"]"#), ("SET h x", "+OK")]);
}

#[test]
fn events_have_their_names_and_order() {
    assert_eq!(
        events_of(&[
            "HSET h a 1 b 2",
            "HSET h a 1",
            "HMSET h c 1",
            "HSETNX h a 1",
            "HSETNX h d 1",
            "HINCRBY h a 1",
            "HINCRBYFLOAT h a 1.5",
            "HINCRBY h a x",
            "HDEL h a none",
            "HDEL h none",
            "HDEL h b c d",
            "HGET h a",
        ]),
        [
            "0:h new",
            "0:h hset",
            "0:h hset",
            "0:h hset",
            "0:h hset",
            "0:h hincrby",
            "0:h hincrbyfloat",
            "0:h hdel",
            "0:h hdel",
            "0:h del",
            "0:h keymiss",
        ]
    );
}

#[test]
fn a_hash_is_freed_bit_by_bit() {
    let mut server = Harness::new();
    let client = server.connect();
    let before = server.engine.store.mem_bytes();
    let line: String = (0..5000).map(|n| format!(" f{n} {n}")).collect();
    assert_eq!(server.call(client, &format!("HSET h{line}")), ":5000");
    assert!(server.engine.store.mem_bytes() > before + 5000 * 20);
    server.engine.store.remove(0, b"h");
    let mut slices = 0;
    while server.engine.store.has_garbage() {
        server.engine.store.free_some(1000);
        slices += 1;
    }
    assert_eq!((slices, server.engine.store.mem_bytes()), (5, before));
}
