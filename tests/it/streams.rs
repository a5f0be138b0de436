//! Streams: entries, ranges, trimming, and waiting for them.

use crate::support::{check, check_with, events_of};
use staywire::testkit::Harness;
use std::time::Duration;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const INVALID_ID: &str = "-ERR Invalid stream ID specified as stream command argument";

#[test]
fn entries_and_ranges() {
    check(&[
        ("XADD s 1-1 a 1 b two", r#""1-1""#),
        ("XADD s 1-* a 2 b three", r#""1-2""#),
        ("XADD s 5 c 007", r#""5-0""#),
        ("XLEN s", ":3"),
        (
            "XRANGE s - +",
            r#"[["1-1", ["a", "1", "b", "two"]], ["1-2", ["a", "2", "b", "three"]], ["5-0", ["c", "007"]]]"#,
        ),
        ("XRANGE s (1-1 5 COUNT 1", r#"[["1-2", ["a", "2", "b", "three"]]]"#),
        ("XREVRANGE s + (1-2", r#"[["5-0", ["c", "007"]]]"#),
        ("XRANGE s 1 1", r#"[["1-1", ["a", "1", "b", "two"]], ["1-2", ["a", "2", "b", "three"]]]"#),
        ("XRANGE s - + COUNT 0", "nil-array"),
        ("XRANGE none - + COUNT 0", "[]"),
        ("XRANGE s (18446744073709551615-18446744073709551615 +", "-ERR invalid start ID for the interval"),
        ("XRANGE s - (0-0", "-ERR invalid end ID for the interval"),
        ("XRANGE s x +", INVALID_ID),
        ("XDEL s 1-2 9-9", ":1"),
        ("XRANGE s - +", r#"[["1-1", ["a", "1", "b", "two"]], ["5-0", ["c", "007"]]]"#),
        ("TYPE s", "+stream"),
        ("OBJECT ENCODING s", r#""stream""#),
        ("XDEL s 1-1 5-0", ":2"),
        ("EXISTS s", ":1"),
        (
            "XADD s 5-0 a b",
            "-ERR The ID specified in XADD is equal or smaller than the target stream top item",
        ),
        ("XADD s 0-0 a b", "-ERR The ID specified in XADD must be greater than 0-0"),
        ("XADD none NOMKSTREAM * a b", "nil"),
        ("XADD s * a", "-ERR wrong number of arguments for 'xadd' command"),
        ("SET str x", "+OK"),
        ("XADD str 1-1 a b", WRONG_TYPE),
        ("XREAD STREAMS s str 0 0", WRONG_TYPE),
        (
            "XADD e 18446744073709551615-18446744073709551615 a b",
            r#""18446744073709551615-18446744073709551615""#,
        ),
        ("XADD e * a b", "-ERR The stream has exhausted the last possible ID, unable to add more items"),
    ]);
}

#[test]
fn ids_follow_the_clock_of_the_server() {
    let mut server = Harness::new();
    let c = server.connect();
    let now_ms = server.engine.now_ms();
    check_with(
        &mut server,
        &[
            ("XADD s * a 1", &format!("\"{now_ms}-0\"")),
            ("XADD s * a 2", &format!("\"{now_ms}-1\"")),
            ("XADD late 99999999999999-5 a 1", r#""99999999999999-5""#),
            ("XADD late * a 2", r#""99999999999999-6""#),
        ],
    );
    server.advance(Duration::from_millis(7));
    assert_eq!(server.call(c, "XADD s * a 3"), format!("\"{}-0\"", now_ms + 7));
}

#[test]
fn trimming() {
    check(&[
        ("CONFIG SET stream-node-max-entries 3", "+OK"),
        ("XADD s 1-0 a 1", r#""1-0""#),
        ("XADD s 2-0 a 2", r#""2-0""#),
        ("XADD s 3-0 a 3", r#""3-0""#),
        ("XADD s 4-0 a 4", r#""4-0""#),
        ("XADD s MAXLEN 3 5-0 a 5", r#""5-0""#),
        ("XLEN s", ":3"),
        ("XTRIM s MAXLEN ~ 2", ":1"),
        ("XTRIM s MAXLEN ~ 1", ":0"),
        ("XADD s 6-0 a 6", r#""6-0""#),
        ("XADD s 7-0 a 7", r#""7-0""#),
        ("XTRIM s MINID ~ 7 LIMIT 2", ":0"),
        ("XTRIM s MINID ~ 7 LIMIT 0", ":3"),
        ("XTRIM s MINID = 8", ":1"),
        ("XTRIM s MAXLEN -1", "-ERR The MAXLEN argument must be >= 0."),
        ("XTRIM s MAXLEN 1 LIMIT 3", "-ERR syntax error, LIMIT cannot be used without the special ~ option"),
        ("XTRIM s LIMIT 3", "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"),
        (
            "XTRIM s MAXLEN 1 MINID 3",
            "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
        ),
        ("XTRIM s BOGUS 3", "-ERR syntax error"),
    ]);
}

#[test]
fn one_entry_serves_all_who_read_the_stream() {
    let mut server = Harness::new();
    let [a, b, c, d] = [(); 4].map(|()| server.connect());
    check_with(&mut server, &[("XADD s 1-0 a 1", r#""1-0""#)]);
    assert_eq!(server.call(a, "XREAD BLOCK 0 STREAMS s t $ 0"), "");
    assert_eq!(server.call(b, "XREAD COUNT 1 BLOCK 0 STREAMS s 1-0"), "");
    assert_eq!(server.call(c, "XREAD BLOCK 0 STREAMS s 5-0"), "");
    server.call(d, "MULTI");
    for line in ["XADD s 2-0 a 2", "XADD s 3-0 a 3", "XADD t 1-1 b 1"] {
        server.call(d, line);
    }
    server.call(d, "EXEC");
    assert_eq!(
        server.receive(a),
        r#"[["s", [["2-0", ["a", "2"]], ["3-0", ["a", "3"]]]], ["t", [["1-1", ["b", "1"]]]]]"#
    );
    assert_eq!(server.receive(b), r#"[["s", [["2-0", ["a", "2"]]]]]"#);
    assert_eq!(server.receive(c), "");
    // The ID of `$` is that of the time when the wait began.
    assert_eq!(server.call(a, "XREAD BLOCK 100 STREAMS s $"), "");
    check_with(&mut server, &[("DEL s", ":1"), ("XADD s 2-0 a 1", r#""2-0""#)]);
    assert_eq!(server.receive(a), "");
    server.advance(Duration::from_millis(100));
    assert_eq!(server.receive(a), "nil-array");
    check_with(&mut server, &[("XADD s 6-0 a 1", r#""6-0""#)]);
    assert_eq!(server.receive(c), r#"[["s", [["6-0", ["a", "1"]]]]]"#);
}

#[test]
fn what_readers_are_answered() {
    check(&[
        (
            "HELLO 3",
            "{\"server\": \"redis\", \"version\": \"7.2.4\", \"proto\": :3, \"id\": :1, \"mode\": \"standalone\", \"role\": \"master\", \"modules\": []}",
        ),
        ("XADD s 1-0 a 1", r#""1-0""#),
        ("XADD s 2-0 a 2", r#""2-0""#),
        ("XREAD STREAMS s none 0 0", r#"{"s": [["1-0", ["a", "1"]], ["2-0", ["a", "2"]]]}"#),
        ("XREAD COUNT 1 STREAMS s 0", r#"{"s": [["1-0", ["a", "1"]]]}"#),
        ("XREAD STREAMS s +", r#"{"s": [["2-0", ["a", "2"]]]}"#),
        ("XREAD STREAMS s $", "nil"),
        ("XREAD STREAMS s", "-ERR wrong number of arguments for 'xread' command"),
        (
            "XREAD STREAMS s t 0",
            "-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
        ),
        ("XREAD BLOCK -1 STREAMS s 0", "-ERR timeout is negative"),
        ("XREAD BLOCK x STREAMS s 0", "-ERR timeout is not an integer or out of range"),
        ("XREAD BLOCK 9223372036854775807 STREAMS s 0", "-ERR timeout is out of range"),
        ("MULTI", "+OK"),
        ("XREAD BLOCK 0 STREAMS s $", "+QUEUED"),
        ("EXEC", "[nil]"),
    ]);
}

#[test]
fn events() {
    let lines = [
        "XADD s MAXLEN 1 1-0 a 1",
        "XADD s MAXLEN 1 2-0 a 1",
        "XDEL s 2-0",
        "XDEL s 2-0",
        "XTRIM s MAXLEN 0",
    ];
    assert_eq!(events_of(&lines), ["0:s new", "0:s xadd", "0:s xadd", "0:s xtrim", "0:s xdel"]);
}
