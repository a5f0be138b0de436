//! Lists: at their ends and inside them.

use staywire::testkit::Harness;

/// Sends lines and compares what comes back.
#[track_caller]
pub fn check(server: &mut Harness, client: usize, steps: &[(&str, &str)]) {
    for (line, expected) in steps {
        assert_eq!(server.call(client, line), *expected, "{line}");
    }
}

#[track_caller]
fn script(steps: &[(&str, &str)]) {
    let mut server = Harness::new();
    let client = server.connect();
    check(&mut server, client, steps);
}

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
const MUST_BE_POSITIVE: &str = "-ERR value is out of range, must be positive";

#[test]
fn pushes_and_ranges() {
    script(&[
        ("RPUSH a 1 2 three", ":3"),
        ("LPUSH a 0 -1", ":5"),
        ("LRANGE a 0 -1", r#"["-1", "0", "1", "2", "three"]"#),
        ("LRANGE a 1 3", r#"["0", "1", "2"]"#),
        ("LRANGE a -2 -1", r#"["2", "three"]"#),
        ("LRANGE a -100 100", r#"["-1", "0", "1", "2", "three"]"#),
        ("LRANGE a 3 2", "[]"),
        ("LRANGE a 5 10", "[]"),
        ("LRANGE a 0 -6", "[]"),
        ("LRANGE a -9223372036854775808 9223372036854775807", r#"["-1", "0", "1", "2", "three"]"#),
        ("LRANGE none 0 -1", "[]"),
        ("LRANGE none x 0", NOT_AN_INTEGER),
        ("LRANGE a 0 1.5", NOT_AN_INTEGER),
        ("LLEN a", ":5"),
        ("LLEN none", ":0"),
        ("LPUSHX none a", ":0"),
        ("RPUSHX none a b", ":0"),
        ("LLEN none", ":0"),
        ("LPUSHX a l m", ":7"),
        ("RPUSHX a r s", ":9"),
        ("LRANGE a 0 -1", r#"["m", "l", "-1", "0", "1", "2", "three", "r", "s"]"#),
        (r#"RPUSH bin "" "\x00\xff" 01 " 1" -0 9223372036854775807 9223372036854775808"#, ":7"),
        (
            "LRANGE bin 0 -1",
            r#"["", "\x00\xff", "01", " 1", "-0", "9223372036854775807", "9223372036854775808"]"#,
        ),
        ("LPUSH a", "-ERR wrong number of arguments for 'lpush' command"),
    ]);
}

#[test]
fn pops() {
    script(&[
        ("RPUSH a 1 2 3 4 5 6 7", ":7"),
        ("LPOP a", r#""1""#),
        ("RPOP a", r#""7""#),
        ("LPOP a 2", r#"["2", "3"]"#),
        ("RPOP a 2", r#"["6", "5"]"#),
        ("LPOP a 0", "[]"),
        ("RPOP a 0", "[]"),
        ("LPOP a 9223372036854775807", r#"["4"]"#),
        ("LLEN a", ":0"),
        ("LPOP a", "nil"),
        ("LPOP a 1", "nil-array"),
        ("LPOP a 0", "nil-array"),
        ("LPOP a -1", MUST_BE_POSITIVE),
        ("LPOP a x", MUST_BE_POSITIVE),
        ("LPOP a 9223372036854775808", MUST_BE_POSITIVE),
        ("RPOP a 1 2", "-ERR wrong number of arguments for 'rpop' command"),
        ("RPUSH a x", ":1"),
        ("RPOP a", r#""x""#),
        ("RPUSH a x y", ":2"),
        ("RPOP a 2", r#"["y", "x"]"#),
        ("LLEN a", ":0"),
    ]);
}

#[test]
fn long_lists_pop_like_short_ones() {
    let mut server = Harness::new();
    let client = server.connect();
    let long = "x".repeat(3000);
    for i in 0..50 {
        assert_eq!(server.call(client, &format!("RPUSH a {i} {long}")), format!(":{}", 2 * i + 2));
    }
    let (left, right) = (format!(r#"["0", "{long}", "1"]"#), format!(r#"["{long}", "49", "{long}"]"#));
    check(
        &mut server,
        client,
        &[
            ("LPOP a 3", &left),
            ("RPOP a 3", &right),
            ("LLEN a", ":94"),
            ("LINDEX a 1", r#""2""#),
            ("LINDEX a -1", r#""48""#),
        ],
    );
    for n in (0..94).rev() {
        assert_ne!(server.call(client, if n % 2 == 0 { "LPOP a" } else { "RPOP a" }), "nil");
        assert_eq!(server.call(client, "LLEN a"), format!(":{n}"));
    }
    assert_eq!(server.engine.store.len(0), 0);
}

#[test]
fn indexes() {
    script(&[
        ("RPUSH a a b c", ":3"),
        ("LINDEX a 0", r#""a""#),
        ("LINDEX a -1", r#""c""#),
        ("LINDEX a 3", "nil"),
        ("LINDEX a -4", "nil"),
        ("LINDEX a -9223372036854775808", "nil"),
        ("LINDEX a x", NOT_AN_INTEGER),
        ("LINDEX none x", "nil"),
        ("LSET a 1 17", "+OK"),
        ("LSET a -1 z", "+OK"),
        ("LRANGE a 0 -1", r#"["a", "17", "z"]"#),
        ("LSET a 3 x", "-ERR index out of range"),
        ("LSET a -4 x", "-ERR index out of range"),
        ("LSET a x x", NOT_AN_INTEGER),
        ("LSET none x x", "-ERR no such key"),
        ("LINSERT a BEFORE 17 q", ":4"),
        ("LINSERT a after 17 r", ":5"),
        ("LRANGE a 0 -1", r#"["a", "q", "17", "r", "z"]"#),
        ("LINSERT a AFTER missing r", ":-1"),
        ("LINSERT none AFTER a r", ":0"),
        ("LINSERT none beside a r", "-ERR syntax error"),
        ("LINSERT a AFTER z end", ":6"),
        ("LINSERT a BEFORE a start", ":7"),
        ("LRANGE a 0 -1", r#"["start", "a", "q", "17", "r", "z", "end"]"#),
    ]);
}

#[test]
fn removals() {
    script(&[
        ("RPUSH a x 1 x 2 x 3 x", ":7"),
        ("LREM a 1 x", ":1"),
        ("LREM a -1 x", ":1"),
        ("LRANGE a 0 -1", r#"["1", "x", "2", "x", "3"]"#),
        ("LREM a 0 none", ":0"),
        ("LREM a -5 x", ":2"),
        ("LREM a 0 2", ":1"),
        ("LRANGE a 0 -1", r#"["1", "3"]"#),
        ("LREM a x 1", NOT_AN_INTEGER),
        (
            "LREM a -9223372036854775808 x",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ),
        ("LREM none 0 1", ":0"),
        ("LREM a 0 1", ":1"),
        ("LREM a 9223372036854775807 3", ":1"),
        ("LLEN a", ":0"),
        ("RPUSHX a 1", ":0"),
        ("RPUSH a 0 1 2 3 4 5", ":6"),
        ("LTRIM a 1 -2", "+OK"),
        ("LRANGE a 0 -1", r#"["1", "2", "3", "4"]"#),
        ("LTRIM a -100 100", "+OK"),
        ("LTRIM a -2 100", "+OK"),
        ("LRANGE a 0 -1", r#"["3", "4"]"#),
        ("LTRIM a 0 x", NOT_AN_INTEGER),
        ("LTRIM none x 0", NOT_AN_INTEGER),
        ("LTRIM none 0 0", "+OK"),
        ("LTRIM a 5 10", "+OK"),
        ("LPUSHX a 1", ":0"),
        ("RPUSH a 1", ":1"),
        ("LTRIM a 1 0", "+OK"),
        ("LLEN a", ":0"),
    ]);
}

#[test]
fn positions() {
    script(&[
        ("RPUSH a a b c 1 2 3 c c", ":8"),
        ("LPOS a c", ":2"),
        ("LPOS a 1", ":3"),
        ("LPOS a none", "nil"),
        ("LPOS a c RANK 2", ":6"),
        ("LPOS a c RANK -1", ":7"),
        ("LPOS a c RANK 4", "nil"),
        ("LPOS a c COUNT 0", "[:2, :6, :7]"),
        ("LPOS a c COUNT 1", "[:2]"),
        ("LPOS a c COUNT 2 RANK -1", "[:7, :6]"),
        ("LPOS a c RANK 2 COUNT 5", "[:6, :7]"),
        ("LPOS a c COUNT 0 MAXLEN 2", "[]"),
        ("LPOS a c COUNT 0 maxlen 3", "[:2]"),
        ("LPOS a c COUNT 0 MAXLEN 7 RANK -1", "[:7, :6, :2]"),
        ("LPOS a c RANK -9223372036854775807", "nil"),
        ("LPOS none c", "nil"),
        ("LPOS none c COUNT 1", "[]"),
        ("LPOS a c COUNT 2 COUNT 1", "[:2]"),
        (
            "LPOS a c RANK 0",
            "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative \
             to start from the end of the list",
        ),
        (
            "LPOS a c RANK -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ),
        ("LPOS a c RANK x", NOT_AN_INTEGER),
        ("LPOS a c COUNT -1", "-ERR COUNT can't be negative"),
        ("LPOS a c COUNT x", "-ERR COUNT can't be negative"),
        ("LPOS a c MAXLEN -1", "-ERR MAXLEN can't be negative"),
        ("LPOS a c RANK", "-ERR syntax error"),
        ("LPOS a c WHAT 1", "-ERR syntax error"),
    ]);
}

#[test]
fn moves() {
    script(&[
        ("RPUSH a 1 2 3 4", ":4"),
        ("LMOVE a b LEFT RIGHT", r#""1""#),
        ("LMOVE a b left left", r#""2""#),
        ("LMOVE a b RIGHT RIGHT", r#""4""#),
        ("LRANGE b 0 -1", r#"["2", "1", "4"]"#),
        ("RPOPLPUSH a b", r#""3""#),
        ("LLEN a", ":0"),
        ("LRANGE b 0 -1", r#"["3", "2", "1", "4"]"#),
        ("LMOVE a b LEFT RIGHT", "nil"),
        ("RPOPLPUSH a b", "nil"),
        ("LMOVE b b LEFT RIGHT", r#""3""#),
        ("RPOPLPUSH b b", r#""3""#),
        ("LMOVE b b LEFT LEFT", r#""3""#),
        ("LRANGE b 0 -1", r#"["3", "2", "1", "4"]"#),
        ("RPUSH one x", ":1"),
        ("RPOPLPUSH one one", r#""x""#),
        ("LRANGE one 0 -1", r#"["x"]"#),
        ("LMOVE one new LEFT LEFT", r#""x""#),
        ("LLEN one", ":0"),
        ("LRANGE new 0 -1", r#"["x"]"#),
        ("LMOVE a b UP RIGHT", "-ERR syntax error"),
        ("LMOVE a b LEFT DOWN", "-ERR syntax error"),
        ("SET s text", "+OK"),
        ("LMOVE b s LEFT LEFT", WRONG_TYPE),
        ("RPOPLPUSH s b", WRONG_TYPE),
        ("LLEN b", ":4"),
        ("RPOPLPUSH none s", "nil"),
    ]);
}

#[test]
fn a_move_out_of_many_keys_leaves_the_others_alone() {
    let mut server = Harness::new();
    let client = server.connect();
    for i in 0..500 {
        assert_eq!(server.call(client, &format!("RPUSH from:{i} {i}")), ":1");
    }
    for i in 0..500 {
        let to = if i % 2 == 0 { "even".to_string() } else { format!("to:{i}") };
        assert_eq!(server.call(client, &format!("RPOPLPUSH from:{i} {to}")), format!(r#""{i}""#));
    }
    assert_eq!(server.engine.store.len(0), 251);
    assert_eq!(server.call(client, "LLEN even"), ":250");
    assert_eq!(server.call(client, "LRANGE to:77 0 -1"), r#"["77"]"#);
}

#[test]
fn pops_from_the_first_of_many() {
    script(&[
        ("RPUSH b 1 2 3", ":3"),
        ("LMPOP 2 a b LEFT", r#"["b", ["1"]]"#),
        ("LMPOP 2 a b RIGHT COUNT 10", r#"["b", ["3", "2"]]"#),
        ("LMPOP 2 a b LEFT", "nil-array"),
        ("LLEN b", ":0"),
        ("SET s text", "+OK"),
        ("RPUSH b 1", ":1"),
        ("LMPOP 2 s b LEFT", WRONG_TYPE),
        ("LMPOP 2 b s LEFT COUNT 1", r#"["b", ["1"]]"#),
        ("LMPOP 0 a LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP -1 a LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP x a LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP 2 a LEFT", "-ERR syntax error"),
        ("LMPOP 9223372036854775807 a LEFT", "-ERR syntax error"),
        ("LMPOP 1 a UP", "-ERR syntax error"),
        ("LMPOP 1 a LEFT COUNT", "-ERR syntax error"),
        ("LMPOP 1 a LEFT COUNT 0", "-ERR count should be greater than 0"),
        ("LMPOP 1 a LEFT COUNT x", "-ERR count should be greater than 0"),
        ("LMPOP 1 a LEFT COUNT 1 COUNT 2", "-ERR syntax error"),
        ("LMPOP 1 a LEFT COUNT 0 COUNT 2", "-ERR count should be greater than 0"),
        ("LMPOP 1 a LEFT TAKE 2", "-ERR syntax error"),
    ]);
}

#[test]
fn other_types_are_refused() {
    let mut server = Harness::new();
    let client = server.connect();
    check(&mut server, client, &[("SET s text", "+OK")]);
    for line in [
        "LPUSH s 1",
        "RPUSH s 1",
        "LPUSHX s 1",
        "RPUSHX s 1",
        "LPOP s",
        "RPOP s 0",
        "LLEN s",
        "LRANGE s 0 1",
        "LINDEX s x",
        "LSET s x 1",
        "LINSERT s BEFORE a b",
        "LREM s 0 a",
        "LTRIM s 0 1",
        "LPOS s a",
        "BLPOP s 0",
        "BRPOP none s 0",
        "BLMPOP 0 1 s LEFT",
        "BLMOVE s a LEFT LEFT 0",
        "BRPOPLPUSH s a 0",
    ] {
        assert_eq!(server.call(client, line), WRONG_TYPE, "{line}");
    }
    check(&mut server, client, &[("GET s", r#""text""#)]);
}

#[test]
fn lists_end_with_their_expiry() {
    let mut server = Harness::new();
    let client = server.connect();
    check(
        &mut server,
        client,
        &[("RPUSH a 1 2", ":2"), ("PEXPIRE a 100", ":1"), ("RPUSH a 3", ":3"), ("PTTL a", ":100")],
    );
    // Only the clock moves, so that nothing but the commands themselves can notice.
    server.clock.advance(std::time::Duration::from_millis(100));
    check(
        &mut server,
        client,
        &[("LRANGE a 0 -1", "[]"), ("RPUSHX a 1", ":0"), ("RPUSH a 9", ":1"), ("PTTL a", ":-1")],
    );
    check(&mut server, client, &[("RPUSH b x", ":1"), ("PEXPIRE a 1", ":1")]);
    server.clock.advance(std::time::Duration::from_millis(1));
    check(&mut server, client, &[("LMOVE b a LEFT LEFT", r#""x""#), ("LRANGE a 0 -1", r#"["x"]"#)]);
}

#[test]
fn encodings_follow_the_size() {
    script(&[
        ("CONFIG SET list-max-listpack-size 4", "+OK"),
        ("RPUSH a 1 2 3 4", ":4"),
        ("OBJECT ENCODING a", r#""listpack""#),
        ("RPUSH a 5", ":5"),
        ("OBJECT ENCODING a", r#""quicklist""#),
        ("LTRIM a 0 2", "+OK"),
        ("OBJECT ENCODING a", r#""quicklist""#),
        ("LPOP a", r#""1""#),
        ("OBJECT ENCODING a", r#""listpack""#),
    ]);
}

#[test]
fn events_have_their_names_and_order() {
    let mut server = Harness::new();
    let (client, watcher) = (server.connect(), server.connect());
    check(&mut server, client, &[("CONFIG SET notify-keyspace-events KEA", "+OK")]);
    server.call(watcher, "PSUBSCRIBE __keyevent@0__:*");
    for (line, events) in [
        ("RPUSH a 1 2 3", "rpush:a"),
        ("LPUSH a 0", "lpush:a"),
        ("LPOP a", "lpop:a"),
        ("RPOP a", "rpop:a"),
        ("LSET a 0 x", "lset:a"),
        ("LINSERT a AFTER x y", "linsert:a"),
        ("LREM a 0 y", "lrem:a"),
        ("LTRIM a 0 0", "ltrim:a"),
        ("LMOVE a b LEFT RIGHT", "rpush:b lpop:a del:a"),
        ("RPOPLPUSH b b", "lpush:b rpop:b"),
        ("LREM b 0 x", "lrem:b del:b"),
        ("RPUSH b 1 2", "rpush:b"),
        ("LMPOP 2 a b RIGHT COUNT 2", "rpop:b del:b"),
        ("RPUSH b 1", "rpush:b"),
        ("LTRIM b 1 0", "ltrim:b del:b"),
        ("RPUSH b 1", "rpush:b"),
        ("BLPOP a b 0", "lpop:b del:b"),
        ("LPOP b", ""),
        ("LREM b 0 x", ""),
    ] {
        server.call(client, line);
        let seen: Vec<String> = server
            .receive(watcher)
            .lines()
            .map(|message| {
                let parts: Vec<&str> = message.split('"').collect();
                format!("{}:{}", parts[5].trim_start_matches("__keyevent@0__:"), parts[7])
            })
            .collect();
        assert_eq!(seen.join(" "), events, "{line}");
    }
}
