//! HyperLogLogs.

use crate::support::{check, check_with, events_of, is_broken, watch};
use staywire::testkit::Harness;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_ONE: &str = "-WRONGTYPE Key is not a valid HyperLogLog string value.";
const CORRUPT: &str = "-INVALIDOBJ Corrupted HLL object detected";

#[test]
fn adding_and_counting() {
    check(&[
        ("PFADD a", ":1"),
        ("GET a", r#""HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff""#),
        ("PFADD a", ":0"),
        ("PFCOUNT a", ":0"),
        ("GET a", r#""HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff""#),
        ("PFADD a x y z", ":1"),
        ("PFADD a x y z", ":0"),
        ("PFCOUNT a", ":3"),
        ("PFCOUNT none", ":0"),
        ("PFADD b z w", ":1"),
        ("PFCOUNT a b none", ":4"),
        ("PFMERGE c a b", "+OK"),
        ("PFCOUNT c", ":4"),
        ("PFMERGE c", "+OK"),
        ("PFMERGE d", "+OK"),
        ("PFCOUNT d", ":0"),
        ("TYPE c", "+string"),
        ("OBJECT ENCODING c", r#""raw""#),
        ("PFSELFTEST", "+OK"),
    ]);
}

#[test]
fn what_valkey_keeps() {
    check(&[
        ("PFADD t \"\"", ":1"),
        ("PFDEBUG DECODE t", r#""Z:5938 v:2,1 Z:10445""#),
        ("DEL t", ":1"),
        ("PFADD t a", ":1"),
        ("PFDEBUG DECODE t", r#""Z:12711 v:2,1 Z:3672""#),
        ("DEL t", ":1"),
        ("PFADD t 12345678", ":1"),
        ("PFDEBUG DECODE t", r#""Z:10579 v:3,1 Z:5804""#),
        ("DEL t", ":1"),
        ("PFADD t \"hello world\"", ":1"),
        ("PFDEBUG DECODE t", r#""Z:9399 v:4,1 Z:6984""#),
    ]);
}

#[test]
fn sparse_ones_become_dense() {
    let mut server = Harness::new();
    let client = server.connect();
    check_with(&mut server, &[("CONFIG SET hll-sparse-max-bytes 60", "+OK")]);
    let mut added = 0;
    while server.call(client, "PFDEBUG ENCODING k") != "+dense" {
        server.call(client, &format!("PFADD k {added}"));
        added += 1;
        assert!(added < 60);
    }
    assert!(added > 10);
    assert_eq!(server.call(client, "PFCOUNT k"), format!(":{added}"));
    assert_eq!(server.call(client, "STRLEN k"), ":12304");
    check_with(
        &mut server,
        &[
            ("PFDEBUG DECODE k", "-ERR HLL encoding is not sparse"),
            ("PFDEBUG TODENSE k", ":0"),
            ("PFADD s a", ":1"),
            ("PFDEBUG ENCODING s", "+sparse"),
            ("PFDEBUG TODENSE s", ":1"),
            ("PFDEBUG encoding s", "+dense"),
            ("PFCOUNT s", ":1"),
            ("PFADD p b", ":1"),
            ("PFMERGE p s", "+OK"),
            ("PFDEBUG ENCODING p", "+dense"),
            ("PFCOUNT p", ":2"),
            ("PFDEBUG BOGUS s", "-ERR Unknown PFDEBUG subcommand 'BOGUS'"),
            ("PFDEBUG ENCODING none", "-ERR The specified key does not exist"),
            ("PFDEBUG ENCODING", "-ERR wrong number of arguments for 'pfdebug' command"),
            ("PFADD g a", ":1"),
        ],
    );
    let registers = server.call(client, "PFDEBUG GETREG g");
    assert_eq!(registers.matches(':').count(), 16384);
    assert_eq!(registers.matches(":2").count(), 1);
    assert_eq!(server.call(client, "PFDEBUG ENCODING g"), "+dense");
}

#[test]
fn others_are_refused() {
    check(&[
        ("SET n 12", "+OK"),
        ("PFADD n a", NOT_ONE),
        ("PFCOUNT n", NOT_ONE),
        ("SET s HYLL", "+OK"),
        ("PFCOUNT s", NOT_ONE),
        ("PFCOUNT none s", NOT_ONE),
        ("PFMERGE none s", NOT_ONE),
        ("EXISTS none", ":0"),
        ("PFDEBUG DECODE s", NOT_ONE),
        ("RPUSH l a", ":1"),
        ("PFADD l a", WRONG_TYPE),
        ("PFCOUNT l", WRONG_TYPE),
        ("PFCOUNT none l", WRONG_TYPE),
        ("PFMERGE l none", WRONG_TYPE),
        ("PFDEBUG GETREG l", WRONG_TYPE),
        // Another encoding, another length of a dense one, registers too many or too few.
        ("PFADD a x y", ":1"),
        (r#"SETRANGE a 4 "\x02""#, ":23"),
        ("PFCOUNT a", NOT_ONE),
        (r#"SETRANGE a 4 "\x00""#, ":23"),
        ("PFCOUNT a", NOT_ONE),
        (r#"SETRANGE a 4 "\x01""#, ":23"),
        ("PFADD a z", ":1"),
        ("APPEND a x", ":27"),
        ("PFCOUNT a", CORRUPT),
        ("PFCOUNT a none", CORRUPT),
        ("PFMERGE a", CORRUPT),
        ("PFDEBUG GETREG a", CORRUPT),
        ("PFDEBUG TODENSE a", CORRUPT),
        (r#"SET a "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80""#, "+OK"),
        ("PFCOUNT a", CORRUPT),
        ("PFADD a x", CORRUPT),
    ]);
}

#[test]
fn events() {
    let events = events_of(&["PFADD a x", "PFADD a x", "PFCOUNT a", "PFMERGE b a", "PFMERGE b"]);
    assert_eq!(
        events,
        ["a new", "a pfadd", "b keymiss", "b new", "b pfadd", "b pfadd"].map(|e| format!("0:{e}"))
    );
}

#[test]
fn an_estimate_that_is_kept_is_a_change() {
    let mut server = Harness::new();
    let (client, other) = (server.connect(), server.connect());
    server.call(client, "PFADD a x");
    watch(&mut server, other, 0, b"a");
    server.call(client, "PFCOUNT a");
    assert!(is_broken(&mut server, other));
    let third = server.connect();
    watch(&mut server, third, 0, b"a");
    server.call(client, "PFCOUNT a");
    assert!(!is_broken(&mut server, third));
}
