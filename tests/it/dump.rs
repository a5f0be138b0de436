use crate::support::{check, events_of};
use staywire::testkit::Harness;

/// DUMP's answer, as bytes.
fn dump(h: &mut Harness, c: usize, key: &str) -> Vec<u8> {
    h.send(c, &format!("DUMP {key}"));
    let reply = h.receive_bytes(c);
    let start = reply.windows(2).position(|pair| pair == b"\r\n").expect("a bulk string") + 2;
    reply[start..reply.len() - 2].to_vec()
}

#[test]
fn payloads_are_those_of_redis_7() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "SET n 10");
    assert_eq!(dump(&mut h, c, "n"), b"\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb");
    h.call(c, "SET s foo");
    assert!(dump(&mut h, c, "s").starts_with(b"\x00\x03foo\x0a\x00"));
    h.call(c, "RPUSH l a 1");
    assert!(
        dump(&mut h, c, "l")
            .starts_with(b"\x12\x01\x02\x0c\x0c\x00\x00\x00\x02\x00\x81a\x02\x01\x01\xff\x0a\x00")
    );
    assert_eq!(h.call(c, "DUMP none"), "nil");
}

#[test]
fn restore_takes_its_options() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "RPUSH l a b c");
    let payload = dump(&mut h, c, "l");
    let restore = |h: &mut Harness, words: &[&str]| {
        let mut args: Vec<&[u8]> = vec![b"RESTORE", words[0].as_bytes(), words[1].as_bytes(), &payload];
        args.extend(words[2..].iter().map(|word| word.as_bytes()));
        h.call_args(c, &args)
    };
    assert_eq!(restore(&mut h, &["m", "0"]), "+OK");
    assert_eq!(restore(&mut h, &["m", "0"]), "-BUSYKEY Target key name already exists.");
    assert_eq!(restore(&mut h, &["m", "-1", "REPLACE"]), "-ERR Invalid TTL value, must be >= 0");
    assert_eq!(restore(&mut h, &["m", "x", "REPLACE"]), "-ERR value is not an integer or out of range");
    assert_eq!(restore(&mut h, &["m", "0", "IDLETIME", "-1"]), "-ERR Invalid IDLETIME value, must be >= 0");
    assert_eq!(
        restore(&mut h, &["m", "0", "FREQ", "256"]),
        "-ERR Invalid FREQ value, must be >= 0 and <= 255"
    );
    assert_eq!(restore(&mut h, &["m", "0", "FREQ", "1", "IDLETIME", "1"]), "-ERR syntax error");
    assert_eq!(restore(&mut h, &["m", "0", "IDLETIME"]), "-ERR syntax error");
    assert_eq!(restore(&mut h, &["m", "5000", "REPLACE", "IDLETIME", "100"]), "+OK");
    assert_eq!(h.call(c, "PTTL m"), ":5000");
    assert_eq!(h.call(c, "OBJECT IDLETIME m"), ":100");
    // A policy holds at once.
    h.call(c, "CONFIG SET maxmemory-policy allkeys-lfu");
    h.call(c, "SET new 1");
    assert_eq!(h.call(c, "OBJECT FREQ new"), ":5");
    assert_eq!(restore(&mut h, &["freq", "0", "FREQ", "100"]), "+OK");
    assert_eq!(h.call(c, "OBJECT FREQ freq"), ":100");
    h.call(c, "CONFIG SET maxmemory-policy noeviction");
    assert_eq!(h.call(c, "LRANGE m 0 -1"), r#"["a", "b", "c"]"#);
    // In the past: the old value is gone, and nothing came.
    assert_eq!(restore(&mut h, &["m", "1", "ABSTTL", "REPLACE"]), "+OK");
    assert_eq!(h.call(c, "EXISTS m"), ":0");
    assert_eq!(restore(&mut h, &["m", "9223372036854775807", "REPLACE"]), "+OK");
    assert_eq!(h.call(c, "PEXPIRETIME m"), ":-2", "beyond the numbers is in the past, too");
    assert_eq!(restore(&mut h, &["m", "9223372036854775807", "ABSTTL"]), "+OK");
    assert_eq!(h.call(c, "PEXPIRETIME m"), ":9223372036854775807");
}

#[test]
fn a_broken_payload_is_refused() {
    check(&[
        ("RESTORE k 0 \"\"", "-ERR DUMP payload version or checksum are wrong"),
        (
            "RESTORE k 0 \"\\x00\\x03foo\\x0a\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01\"",
            "-ERR DUMP payload version or checksum are wrong",
        ),
        (
            "RESTORE k 0 \"\\x00\\x03foo\\x0a\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"",
            "-ERR DUMP payload version or checksum are wrong",
        ),
        ("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1", "+OK"),
        (
            "RESTORE k 0 \"\\x00\\x04foo\\x0a\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"",
            "-ERR Bad data format",
        ),
        (
            "RESTORE k 0 \"\\x12\\x00\\x0a\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"",
            "-ERR Bad data format",
        ),
        ("RESTORE k 0 \"\\x00\\x03foo\\x0a\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"", "+OK"),
        ("GET k", "\"foo\""),
    ]);
}

#[test]
fn events() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "SET s foo");
    let bytes: String = dump(&mut h, c, "s").iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let restore = format!("\"{bytes}\"");
    let lines = [
        format!("RESTORE k 0 {restore}"),
        format!("RESTORE k 0 {restore} REPLACE"),
        format!("RESTORE k 1 {restore} REPLACE ABSTTL"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(events_of(&lines), ["0:k new", "0:k restore", "0:k new", "0:k restore", "0:k del"]);
}

#[test]
fn reloading_keeps_values_expiries_and_digest() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "SET s text");
    h.call(c, "SET n 12 PX 5000");
    h.call(c, "RPUSH l a b 3");
    for line in [
        "SADD ints 3 1 2",
        "SADD words a b c",
        "HSET h f v g 5",
        "HSET hx f v g w",
        "HEXPIRE hx 100 FIELDS 1 f",
        "ZADD z 1 a 2.5 b inf c",
        "XADD x 1-1 f v",
        "XADD x 2-1 f v g w",
        "XGROUP CREATE x grp 0",
        "XREADGROUP GROUP grp me COUNT 1 STREAMS x >",
        "XDEL x 1-1",
        "PFADD p a b c",
    ] {
        assert!(!h.call(c, line).starts_with('-'), "{line}");
    }
    h.call(c, "SELECT 3");
    h.call(c, "SET other x");
    let digest = h.call(c, "DEBUG DIGEST");
    assert_eq!(h.call(c, "DEBUG RELOAD"), "+OK");
    assert_eq!(h.call(c, "DEBUG DIGEST"), digest);
    h.call(c, "SELECT 0");
    assert_eq!(h.call(c, "PTTL n"), ":5000");
    assert_eq!(h.call(c, "HTTL hx FIELDS 2 f g"), "[:100, :-1]");
    assert_eq!(h.call(c, "XPENDING x grp"), r#"[:1, "1-1", "1-1", [["me", "1"]]]"#);
    assert!(h.call(c, "DEBUG RELOAD NOSAVE").starts_with("-ERR "));
    assert!(h.call(c, "DEBUG RELOAD x").starts_with("-ERR "));
    assert_eq!(h.call(c, "WATCH s"), "+OK");
    h.call(c, "DEBUG RELOAD");
    h.call(c, "MULTI");
    h.call(c, "PING");
    assert_eq!(h.call(c, "EXEC"), "nil-array");
}
