//! Strings.

use crate::support::{check, check_with, events_of, put_list};
use staywire::{state::config::Config, testkit::Harness};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
const TOO_LONG: &str = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";

#[test]
fn set_and_get() {
    check(&[
        ("GET k", "nil"),
        ("SET k v", "+OK"),
        ("GET k", r#""v""#),
        ("SET k \"\"", "+OK"),
        ("GET k", r#""""#),
        (r#"SET "\x00\xff" "\r\n\x00""#, "+OK"),
        (r#"GET "\x00\xff""#, r#""\r\n\x00""#),
        ("SET n 9223372036854775807", "+OK"),
        ("GET n", r#""9223372036854775807""#),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("SET k", "-ERR wrong number of arguments for 'set' command"),
    ]);
}

#[test]
fn long_values_come_back_whole() {
    let mut h = Harness::new();
    let c = h.connect();
    for len in [1, 44, 45, 1023, 1024, 1025, 70_000, 200_000] {
        let value: Vec<u8> = (0..len).map(|i| b'a' + (i % 23) as u8).collect();
        assert_eq!(h.call_args(c, &[b"SET", b"k", &value]), "+OK");
        let text = String::from_utf8(value).expect("letters");
        assert_eq!(h.call(c, "GET k"), format!("\"{text}\""));
        assert_eq!(h.call(c, "STRLEN k"), format!(":{len}"));
    }
}

#[test]
fn set_under_conditions() {
    check(&[
        ("SET k 1 XX", "nil"),
        ("EXISTS k", ":0"),
        ("SET k 1 NX", "+OK"),
        ("SET k 2 NX", "nil"),
        ("GET k", r#""1""#),
        ("SET k 2 XX", "+OK"),
        ("SET k 3 nx get", r#""2""#),
        ("GET k", r#""2""#),
        ("SET k 3 XX GET", r#""2""#),
        ("SET new 1 XX GET", "nil"),
        ("EXISTS new", ":0"),
        ("SET new 1 NX GET", "nil"),
        ("GET new", r#""1""#),
        ("SET k 4 GET", r#""3""#),
        ("SET k 4 NX NX", "nil"),
        ("SET k 4 NX XX", "-ERR syntax error"),
        ("SET k 4 XX NX", "-ERR syntax error"),
        ("SET k 4 PERSIST", "-ERR syntax error"),
        ("SET k 4 FOO", "-ERR syntax error"),
    ]);
}

#[test]
fn set_if_equal() {
    let mut h = Harness::new();
    put_list(&mut h, 0, b"l", &["a"]);
    check_with(
        &mut h,
        &[
            ("SET k v", "+OK"),
            ("SET k w IFEQ v", "+OK"),
            ("SET k x IFEQ v", "nil"),
            ("SET k x IFEQ v GET", r#""w""#),
            ("GET k", r#""w""#),
            ("SET k 10 ifeq w GET", r#""w""#),
            ("SET k 11 IFEQ 10", "+OK"),
            ("SET k 12 IFEQ 011", "nil"),
            ("SET none 1 IFEQ 1", "nil"),
            ("SET none 1 IFEQ 1 GET", "nil"),
            ("EXISTS none", ":0"),
            ("SET l 1 IFEQ a", WRONG_TYPE),
            ("SET l 1 IFEQ a GET", WRONG_TYPE),
            ("SET k 1 IFEQ", "-ERR syntax error"),
            ("SET k 1 IFEQ a IFEQ b", "-ERR syntax error"),
            ("SET k 1 IFEQ a NX", "-ERR syntax error"),
            ("SET k 1 XX IFEQ a", "-ERR syntax error"),
            ("SET k 12 IFEQ 11 EX 100", "+OK"),
            ("TTL k", ":100"),
        ],
    );
}

#[test]
fn set_with_an_expiry() {
    check(&[
        ("SET k v EX 10", "+OK"),
        ("TTL k", ":10"),
        ("SET k v", "+OK"),
        ("TTL k", ":-1"),
        ("SET k v px 1500", "+OK"),
        ("PTTL k", ":1500"),
        ("SET k w KEEPTTL", "+OK"),
        ("PTTL k", ":1500"),
        ("GET k", r#""w""#),
        ("SET k v EXAT 4102444800", "+OK"),
        ("EXPIRETIME k", ":4102444800"),
        ("SET k v PXAT 4102444800001", "+OK"),
        ("PEXPIRETIME k", ":4102444800001"),
        ("SET k v EX 10 EX 20", "+OK"),
        ("TTL k", ":20"),
        ("SET new v KEEPTTL", "+OK"),
        ("TTL new", ":-1"),
        ("SET k v EXAT 9223372036854775", "+OK"),
        ("SETEX k 10 x", "+OK"),
        ("TTL k", ":10"),
        ("PSETEX k 10 x", "+OK"),
        ("PTTL k", ":10"),
        ("GET k", r#""x""#),
    ]);
}

#[test]
fn times_that_are_none() {
    let invalid = "-ERR invalid expire time in 'set' command";
    check(&[
        ("SET k v EX 0", invalid),
        ("SET k v EX -1", invalid),
        ("SET k v PX 0", invalid),
        ("SET k v EXAT 0", invalid),
        ("SET k v PXAT -9223372036854775808", invalid),
        ("SET k v EX 9223372036854775807", invalid),
        ("SET k v EX 9223372036854775", invalid),
        ("SET k v PX 9223372036854775807", invalid),
        ("SET k v EXAT 9223372036854776", invalid),
        ("SET k v EX 1.5", NOT_AN_INTEGER),
        ("SET k v EX", "-ERR syntax error"),
        ("SET k v EX 1 PX 1", "-ERR syntax error"),
        ("SET k v EX 1 EXAT 1", "-ERR syntax error"),
        ("SET k v KEEPTTL EX 1", "-ERR syntax error"),
        ("SET k v PXAT 1 KEEPTTL", "-ERR syntax error"),
        ("EXISTS k", ":0"),
        ("SETEX k 0 v", "-ERR invalid expire time in 'setex' command"),
        ("SETEX k 9223372036854775807 v", "-ERR invalid expire time in 'setex' command"),
        ("PSETEX k -1 v", "-ERR invalid expire time in 'psetex' command"),
        ("SETEX k x v", NOT_AN_INTEGER),
    ]);
}

#[test]
fn a_string_that_is_to_expire_in_the_past_is_gone_at_once() {
    check(&[
        ("SET k v EXAT 1", "+OK"),
        ("DBSIZE", ":0"),
        ("SET k v", "+OK"),
        ("SET k w PXAT 1 GET", r#""v""#),
        ("DBSIZE", ":0"),
        ("SET k v", "+OK"),
        ("GETEX k EXAT 1", r#""v""#),
        ("DBSIZE", ":0"),
    ]);
}

#[test]
fn other_types_are_overwritten_by_set_alone() {
    let mut h = Harness::new();
    for key in ["l", "m"] {
        put_list(&mut h, 0, key.as_bytes(), &["a"]);
    }
    let refused = [
        "GET l",
        "SET l v GET",
        "GETSET l v",
        "GETDEL l",
        "GETEX l",
        "GETEX l EX 0",
        "APPEND l x",
        "SETRANGE l 0 x",
        "SETRANGE l 0 \"\"",
        "GETRANGE l 0 -1",
        "SUBSTR l 0 -1",
        "STRLEN l",
        "INCR l",
        "DECR l",
        "INCRBY l 1",
        "INCRBYFLOAT l 1",
    ];
    let c = h.connect();
    for line in refused {
        assert_eq!(h.call(c, line), WRONG_TYPE, "{line}");
    }
    check_with(
        &mut h,
        &[
            ("TYPE l", "+list"),
            ("MGET l m", "[nil, nil]"),
            ("SETNX l v", ":0"),
            ("SET l v", "+OK"),
            ("MSET m w", "+OK"),
            ("MGET l m", r#"["v", "w"]"#),
        ],
    );
}

#[test]
fn get_and_change_at_once() {
    check(&[
        ("GETSET k 1", "nil"),
        ("GETSET k 2", r#""1""#),
        ("EXPIRE k 100", ":1"),
        ("GETSET k 3", r#""2""#),
        ("TTL k", ":-1"),
        ("GETDEL k", r#""3""#),
        ("GETDEL k", "nil"),
        ("GETEX k", "nil"),
        ("GETEX k EX 0", "nil"),
        ("SET k v", "+OK"),
        ("GETEX k", r#""v""#),
        ("TTL k", ":-1"),
        ("GETEX k EX 10", r#""v""#),
        ("TTL k", ":10"),
        ("GETEX k px 1500", r#""v""#),
        ("PTTL k", ":1500"),
        ("GETEX k EXAT 4102444800", r#""v""#),
        ("EXPIRETIME k", ":4102444800"),
        ("GETEX k PXAT 4102444800001", r#""v""#),
        ("PEXPIRETIME k", ":4102444800001"),
        ("GETEX k persist", r#""v""#),
        ("TTL k", ":-1"),
        ("GETEX k EX 0", "-ERR invalid expire time in 'getex' command"),
        ("GETEX k EX a", NOT_AN_INTEGER),
        ("GETEX k EX", "-ERR syntax error"),
        ("GETEX k PERSIST EX 1", "-ERR syntax error"),
        ("GETEX k EX 1 PERSIST", "-ERR syntax error"),
        ("GETEX k KEEPTTL", "-ERR syntax error"),
        ("GETEX k NX", "-ERR syntax error"),
    ]);
}

#[test]
fn several_at_once() {
    check(&[
        ("MSET a 1 b 2 a 3", "+OK"),
        ("MGET a none b a", r#"["3", nil, "2", "3"]"#),
        ("MSETNX c 1 b 9", ":0"),
        ("EXISTS c", ":0"),
        ("MSETNX c 1 c 2 d 4", ":1"),
        ("MGET c d", r#"["2", "4"]"#),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("MSETNX a 1 b", "-ERR wrong number of arguments for 'msetnx' command"),
        ("MSET a", "-ERR wrong number of arguments for 'mset' command"),
        ("SETNX a x", ":0"),
        ("SETNX new x", ":1"),
        ("GET new", r#""x""#),
    ]);
}

/// As many keys as are prefetched at a time, one less and one more, in a keyspace large enough for it.
#[test]
fn many_at_once_among_many() {
    let mut h = Harness::new();
    let c = h.connect();
    let keys: Vec<String> = (0..20_000).map(|i| format!("key:{i}")).collect();
    for keys in keys.chunks(1000) {
        let mut args = vec![b"MSET".as_slice()];
        keys.iter().for_each(|key| args.extend([key.as_bytes(), &key.as_bytes()[4..]]));
        assert_eq!(h.call_args(c, &args), "+OK");
    }
    assert_eq!(h.call(c, "DBSIZE"), ":20000");
    for n in [15, 16, 17, 31, 32, 33, 500] {
        let wanted: Vec<usize> = (0..n).map(|i| i * 39 % 20_000).collect();
        let mut line = vec!["MGET"];
        line.extend(wanted.iter().map(|&i| keys[i].as_str()));
        let values: Vec<String> = wanted.iter().map(|i| format!("\"{i}\"")).collect();
        assert_eq!(h.call(c, &line.join(" ")), format!("[{}]", values.join(", ")));
        line[0] = "EXISTS";
        assert_eq!(h.call(c, &line.join(" ")), format!(":{n}"));
    }
    let all: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert_eq!(h.call(c, &format!("DEL {}", all[..10_017].join(" "))), ":10017");
    assert_eq!(h.call(c, &format!("UNLINK {}", all.join(" "))), ":9983");
    assert_eq!(h.call(c, "DBSIZE"), ":0");
}

#[test]
fn append_and_setrange() {
    check(&[
        ("APPEND k ab", ":2"),
        ("APPEND k cd", ":4"),
        ("APPEND k \"\"", ":4"),
        ("GET k", r#""abcd""#),
        ("APPEND empty \"\"", ":0"),
        ("EXISTS empty", ":1"),
        ("SET n 12", "+OK"),
        ("APPEND n 3", ":3"),
        ("INCR n", ":124"),
        ("SETRANGE k 1 XY", ":4"),
        ("GET k", r#""aXYd""#),
        ("SETRANGE k 6 z", ":7"),
        ("GET k", r#""aXYd\x00\x00z""#),
        ("SETRANGE new 2 ab", ":4"),
        ("GET new", r#""\x00\x00ab""#),
        ("SETRANGE none 100 \"\"", ":0"),
        ("EXISTS none", ":0"),
        ("SETRANGE k 100 \"\"", ":7"),
        ("SETRANGE n 0 9", ":3"),
        ("GET n", r#""924""#),
        ("SETRANGE k -1 x", "-ERR offset is out of range"),
        ("SETRANGE k x x", NOT_AN_INTEGER),
        ("SETRANGE k 9223372036854775808 x", NOT_AN_INTEGER),
        ("SETRANGE k 9223372036854775807 x", TOO_LONG),
        ("SETRANGE k 536870912 x", TOO_LONG),
        ("SETRANGE none 536870912 x", TOO_LONG),
        ("EXISTS none", ":0"),
        ("EXPIRE k 100", ":1"),
        ("APPEND k more", ":11"),
        ("SETRANGE k 0 s", ":11"),
        ("TTL k", ":100"),
    ]);
}

#[test]
fn strings_grow_to_proto_max_bulk_len() {
    let mut h = Harness::with(Config { bulk_max_bytes: 1 << 20, ..Config::default() }, 1);
    let c = h.connect();
    let half = vec![b'x'; 1 << 19];
    assert_eq!(h.call_args(c, &[b"APPEND", b"k", &half]), ":524288");
    assert_eq!(h.call_args(c, &[b"APPEND", b"k", &half]), ":1048576");
    assert_eq!(h.call(c, "APPEND k x"), TOO_LONG);
    assert_eq!(h.call(c, "SETRANGE k 1048575 y"), ":1048576");
    assert_eq!(h.call(c, "SETRANGE k 1048576 y"), TOO_LONG);
    assert_eq!(h.call(c, "GETRANGE k -2 -1"), r#""xy""#);
}

#[test]
fn getrange() {
    check(&[
        ("SET k \"Hello World\"", "+OK"),
        ("GETRANGE k 0 4", r#""Hello""#),
        ("GETRANGE k 0 -1", r#""Hello World""#),
        ("GETRANGE k -4 -1", r#""orld""#),
        ("GETRANGE k 5 4", r#""""#),
        ("GETRANGE k -1 -5", r#""""#),
        ("GETRANGE k -100 -100", r#""H""#),
        ("GETRANGE k 11 11", r#""""#),
        ("GETRANGE k 10 5000", r#""d""#),
        ("GETRANGE k 5000 10000", r#""""#),
        ("GETRANGE k -9223372036854775808 9223372036854775807", r#""Hello World""#),
        ("GETRANGE k 9223372036854775807 -9223372036854775808", r#""""#),
        ("GETRANGE k 9223372036854775807 9223372036854775807", r#""""#),
        ("GETRANGE k -9223372036854775808 -9223372036854775808", r#""H""#),
        ("SUBSTR k 1 2", r#""el""#),
        ("GETRANGE none 0 -1", r#""""#),
        ("SET e \"\"", "+OK"),
        ("GETRANGE e 0 -1", r#""""#),
        ("SET n -123", "+OK"),
        ("GETRANGE n 0 1", r#""-1""#),
        ("STRLEN n", ":4"),
        ("STRLEN none", ":0"),
        ("GETRANGE k a 1", NOT_AN_INTEGER),
        ("GETRANGE none 1 a", NOT_AN_INTEGER),
    ]);
}

#[test]
fn counters() {
    let overflow = "-ERR increment or decrement would overflow";
    check(&[
        ("INCR n", ":1"),
        ("DECR n", ":0"),
        ("DECRBY n 5", ":-5"),
        ("INCRBY n -5", ":-10"),
        ("INCRBY n 9223372036854775807", ":9223372036854775797"),
        ("INCRBY n 11", overflow),
        ("INCRBY n 10", ":9223372036854775807"),
        ("INCR n", overflow),
        ("SET n -9223372036854775808", "+OK"),
        ("DECR n", overflow),
        ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
        ("INCRBY n 9223372036854775807", ":-1"),
        ("INCRBY n 9223372036854775808", NOT_AN_INTEGER),
        ("INCRBY n 1.5", NOT_AN_INTEGER),
        ("INCRBY n \"\"", NOT_AN_INTEGER),
        ("SET s \" 1\"", "+OK"),
        ("INCR s", NOT_AN_INTEGER),
        ("SET s 01", "+OK"),
        ("INCR s", NOT_AN_INTEGER),
        ("SET s \"\"", "+OK"),
        ("INCR s", NOT_AN_INTEGER),
        ("SET s 9223372036854775808", "+OK"),
        ("INCR s", NOT_AN_INTEGER),
        ("SET t 5 EX 100", "+OK"),
        ("INCR t", ":6"),
        ("TTL t", ":100"),
    ]);
}

#[test]
fn counters_with_fractions() {
    let not_a_float = "-ERR value is not a valid float";
    check(&[
        ("INCRBYFLOAT n 0.1", r#""0.1""#),
        ("INCRBYFLOAT n 0.2", r#""0.3""#),
        ("SET n 1", "+OK"),
        ("INCRBYFLOAT n 1", r#""2""#),
        ("OBJECT ENCODING n", r#""embstr""#),
        ("INCR n", ":3"),
        ("OBJECT ENCODING n", r#""int""#),
        ("INCRBYFLOAT n -1.5e1", r#""-12""#),
        ("SET n 3.0e3", "+OK"),
        ("INCRBYFLOAT n 200", r#""3200""#),
        ("EXPIRE n 100", ":1"),
        ("INCRBYFLOAT n 0.5", r#""3200.5""#),
        ("TTL n", ":100"),
        ("INCRBYFLOAT n x", not_a_float),
        ("INCRBYFLOAT n \" 1\"", not_a_float),
        ("INCRBYFLOAT n nan", not_a_float),
        ("INCRBYFLOAT n inf", "-ERR increment would produce NaN or Infinity"),
        ("GET n", r#""3200.5""#),
        ("SET s abc", "+OK"),
        ("INCRBYFLOAT s 1", not_a_float),
    ]);
}

#[test]
fn encodings() {
    let (short, long) = ("x".repeat(40), "x".repeat(41));
    check(&[
        ("SET k 123", "+OK"),
        ("OBJECT ENCODING k", r#""int""#),
        ("APPEND k 4", ":4"),
        ("OBJECT ENCODING k", r#""raw""#),
        ("INCR k", ":1235"),
        ("OBJECT ENCODING k", r#""int""#),
        ("SETRANGE k 0 9", ":4"),
        ("OBJECT ENCODING k", r#""raw""#),
        ("COPY k copy", ":1"),
        ("OBJECT ENCODING copy", r#""raw""#),
        ("RENAME k moved", "+OK"),
        ("OBJECT ENCODING moved", r#""raw""#),
        ("GETSET moved 01", r#""9235""#),
        ("OBJECT ENCODING moved", r#""embstr""#),
        (&format!("SET k {short}"), "+OK"),
        ("OBJECT ENCODING k", r#""embstr""#),
        (&format!("SET k {long}"), "+OK"),
        ("OBJECT ENCODING k", r#""raw""#),
        ("MSET k 5", "+OK"),
        ("OBJECT ENCODING k", r#""int""#),
        ("SET k 9223372036854775808", "+OK"),
        ("OBJECT ENCODING k", r#""embstr""#),
        ("APPEND new 5", ":1"),
        ("OBJECT ENCODING new", r#""int""#),
        ("SETRANGE range 0 5", ":1"),
        ("OBJECT ENCODING range", r#""raw""#),
    ]);
}

#[test]
fn lcs() {
    let strings = "-ERR The specified keys must contain string values";
    let mut h = Harness::new();
    put_list(&mut h, 0, b"l", &["a"]);
    check_with(
        &mut h,
        &[
            ("MSET a ohmytext b mynewtext n 12345 m 345", "+OK"),
            ("LCS a b", r#""mytext""#),
            ("LCS a b LEN", ":6"),
            ("LCS a b IDX", r#"["matches", [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], "len", :6]"#),
            ("LCS a b IDX MINMATCHLEN 3", r#"["matches", [[[:4, :7], [:5, :8]]], "len", :6]"#),
            (
                "LCS a b idx withmatchlen minmatchlen -1",
                r#"["matches", [[[:4, :7], [:5, :8], :4], [[:2, :3], [:0, :1], :2]], "len", :6]"#,
            ),
            ("LCS a b IDX MINMATCHLEN 5", r#"["matches", [], "len", :6]"#),
            ("LCS n m", r#""345""#),
            ("LCS a none", r#""""#),
            ("LCS none none LEN", ":0"),
            ("LCS a none IDX", r#"["matches", [], "len", :0]"#),
            ("LCS a a IDX", r#"["matches", [[[:0, :7], [:0, :7]]], "len", :8]"#),
            ("LCS a b IDX LEN", "-ERR If you want both the length and indexes, please just use IDX."),
            ("LCS a b MINMATCHLEN", "-ERR syntax error"),
            ("LCS a b MINMATCHLEN x", NOT_AN_INTEGER),
            ("LCS a b FOO", "-ERR syntax error"),
            ("LCS a l", strings),
            ("LCS l none FOO", strings),
        ],
    );
}

#[test]
fn lcs_is_bounded_by_proto_max_bulk_len() {
    let mut h = Harness::with(Config { bulk_max_bytes: 1 << 20, ..Config::default() }, 1);
    let c = h.connect();
    // 512 * 512 * 4 bytes are a MiB.
    for (len, wanted) in [
        (511, ":511"),
        (512, "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),
    ] {
        h.call_args(c, &[b"SET", b"a", &vec![b'x'; len]]);
        h.call_args(c, &[b"SET", b"b", &vec![b'x'; 511]]);
        assert_eq!(h.call(c, "LCS a b LEN"), wanted);
    }
}

#[test]
fn integers_and_bulks_look_the_same_in_resp3() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "HELLO 3");
    assert_eq!(h.call(c, "SET n 7"), "+OK");
    assert_eq!(h.call(c, "MGET n none"), r#"["7", nil]"#);
    assert_eq!(h.receive_bytes(c), b"");
    h.send(c, "GET none");
    assert_eq!(h.receive_bytes(c), b"_\r\n");
    assert_eq!(h.call(c, "LCS n n IDX"), r#"{"matches": [[[:0, :0], [:0, :0]]], "len": :1}"#);
}

#[test]
fn msetex_writes_all_or_nothing() {
    check(&[
        ("MSETEX 2 a 1 b 2 NX EX 100", ":1"),
        ("TTL b", ":100"),
        ("MSETEX 2 b 3 c 4 NX", ":0"),
        ("MSETEX 2 b 3 c 4 XX", ":0"),
        ("MGET a b c", r#"["1", "2", nil]"#),
        ("MSETEX 2 b 3 a 4 XX KEEPTTL", ":1"),
        ("TTL b", ":100"),
        ("MSETEX 2 a 1 a 2", ":1"),
        ("GET a", "\"2\""),
        ("TTL a", ":-1"),
        ("MSETEX 1 a 1 PXAT 1", ":1"),
        ("EXISTS a", ":0"),
        ("RPUSH l x", ":1"),
        ("MSETEX 1 l 1", ":1"),
        ("GET l", "\"1\""),
        ("MSETEX 0 a 1", "-ERR invalid numkeys value or out of range"),
        ("MSETEX x a 1", "-ERR invalid numkeys value or out of range"),
        ("MSETEX 2147483648 a 1", "-ERR invalid numkeys value or out of range"),
        ("MSETEX 2147483647 a 1", "-ERR syntax error"),
        ("MSETEX 2 a 1", "-ERR syntax error"),
        ("MSETEX 1 a 1 b", "-ERR syntax error"),
        ("MSETEX 1 a 1 NX XX", "-ERR syntax error"),
        ("MSETEX 1 a 1 GET", "-ERR syntax error"),
        ("MSETEX 1 a 1 IFEQ 1", "-ERR syntax error"),
        ("MSETEX 1 a 1 EX", "-ERR syntax error"),
        ("MSETEX 1 a 1 EX x", "-ERR value is not an integer or out of range"),
        ("MSETEX 1 a 1 EX 0", "-ERR invalid expire time in 'msetex' command"),
    ]);
}

#[test]
fn delifeq_deletes_what_it_expects() {
    check(&[
        ("SET a 10", "+OK"),
        ("DELIFEQ a 1", ":0"),
        ("DELIFEQ a 10", ":1"),
        ("DELIFEQ a 10", ":0"),
        ("RPUSH l x", ":1"),
        ("DELIFEQ l x", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("DELIFEQ a", "-ERR wrong number of arguments for 'delifeq' command"),
    ]);
    let events = events_of(&["MSETEX 2 a 1 b 2 EX 10", "DELIFEQ a 1"]);
    let wanted = ["0:a new", "0:a set", "0:a expire", "0:b new", "0:b set", "0:b expire", "0:a del"];
    assert_eq!(events, wanted);
}
