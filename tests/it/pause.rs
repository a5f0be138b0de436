//! CLIENT PAUSE, by a clock that the test moves.

use crate::support::{check, info};
use staywire::testkit::Harness;
use std::time::Duration;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn writes_wait_and_reads_do_not() {
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    h.call(a, "SET k 1");
    assert_eq!(h.call(a, "CLIENT PAUSE 1000 WRITE"), "+OK");
    h.send_bytes(b, b"GET k\r\nSET k 2\r\nGET k\r\nPING\r\n");
    // What stands behind the command that waits, waits too.
    assert_eq!(h.receive(b), r#""1""#);
    assert_eq!(h.call(a, "GET k"), r#""1""#);
    assert_eq!(info(&mut h, a, "blocked_clients"), "1");
    assert!(h.call(a, "CLIENT LIST ID 2").contains(" flags=b "));
    assert!(h.call(a, "CLIENT LIST ID 2").contains(" cmd=set "));
    assert!(h.call(a, "CLIENT LIST ID 2").contains(" tot-cmds=1"));
    h.advance(ms(999));
    assert_eq!(h.receive(b), "");
    h.advance(ms(1));
    assert_eq!(h.receive(b), "+OK\n\"2\"\n+PONG");
    assert_eq!(info(&mut h, a, "blocked_clients"), "0");
    assert!(h.call(a, "CLIENT LIST ID 2").contains(" tot-cmds=4"));
}

#[test]
fn its_end_is_a_deadline_of_the_engine() {
    let mut h = Harness::new();
    let a = h.connect();
    let now_ms = h.engine.now_ms();
    h.call(a, "CLIENT PAUSE 7 WRITE");
    assert_eq!(h.engine.next_deadline_ms(), now_ms + 7);
    h.call(a, "CLIENT UNPAUSE");
    assert_ne!(h.engine.next_deadline_ms(), now_ms + 7);
}

#[test]
fn unpause_lets_all_go_in_their_order() {
    let mut h = Harness::new();
    let (a, b, c, d) = (h.connect(), h.connect(), h.connect(), h.connect());
    h.call(a, "CLIENT PAUSE 100000 WRITE");
    h.send(c, "RPUSH l c");
    h.send(b, "RPUSH l b");
    h.send(d, "RPUSH l d");
    h.disconnect(d);
    assert_eq!(info(&mut h, a, "blocked_clients"), "2");
    assert_eq!(h.call(a, "CLIENT UNPAUSE"), "+OK");
    assert_eq!((h.receive(b), h.receive(c)), (":2".into(), ":1".into()));
    assert_eq!(h.call(a, "LRANGE l 0 -1"), r#"["c", "b"]"#);
    // Without a pause it changes nothing.
    assert_eq!(h.call(a, "CLIENT UNPAUSE"), "+OK");
}

#[test]
fn a_pause_of_all_holds_everything() {
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    assert_eq!(h.call(a, "CLIENT PAUSE 50"), "+OK");
    h.send(b, "PING");
    h.send(a, "CLIENT UNPAUSE");
    assert_eq!((h.receive(a), h.receive(b)), (String::new(), String::new()));
    // What is no command at all is answered at once.
    let c = h.connect();
    assert_eq!(h.call(c, "GET"), "-ERR wrong number of arguments for 'get' command");
    assert!(h.call(c, "NOSUCH").starts_with("-ERR unknown command"));
    h.advance(ms(50));
    assert_eq!((h.receive(a), h.receive(b)), ("+OK".into(), "+PONG".into()));
}

#[test]
fn the_later_end_and_the_stronger_mode_hold() {
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    h.call(a, "CLIENT PAUSE 60000 WRITE");
    h.call(a, "CLIENT PAUSE 10 WRITE");
    h.send(b, "SET k v");
    h.advance(ms(100));
    assert_eq!(h.receive(b), "");
    assert_eq!(info(&mut h, a, "paused_reason"), "client_pause");
    assert_eq!(info(&mut h, a, "paused_actions"), "write");
    assert_eq!(info(&mut h, a, "paused_timeout_milliseconds"), "59900");
    // A moment that is over lengthens nothing, but all are held from now on.
    h.call(a, "CLIENT PAUSE 0 ALL");
    h.send(a, "CLIENT PAUSE 5 WRITE");
    h.advance(ms(59_899));
    assert_eq!((h.receive(a), h.receive(b)), (String::new(), String::new()));
    h.advance(ms(1));
    // Who came first goes on before the next pause begins.
    assert_eq!((h.receive(a), h.receive(b)), ("+OK".into(), "+OK".into()));
    h.send(b, "SET k v");
    assert_eq!((h.receive(b), info(&mut h, a, "paused_actions")), (String::new(), "write".into()));
    h.advance(ms(5));
    assert_eq!(h.receive(b), "+OK");
    assert_eq!(info(&mut h, a, "paused_reason"), "none");
    assert_eq!(info(&mut h, a, "paused_actions"), "none");
    assert_eq!(info(&mut h, a, "paused_timeout_milliseconds"), "0");
}

#[test]
fn what_could_reach_a_replica_counts_as_a_write() {
    let mut h = Harness::new();
    let (a, b, c) = (h.connect(), h.connect(), h.connect());
    h.call(a, "CLIENT PAUSE 1000 WRITE");
    h.send(b, "PUBLISH c m");
    h.send(c, "SPUBLISH c m");
    assert_eq!((h.receive(b), h.receive(c)), (String::new(), String::new()));
    h.call(a, "CLIENT UNPAUSE");
    assert_eq!((h.receive(b), h.receive(c)), (":0".into(), ":0".into()));
}

#[test]
fn a_transaction_waits_whole() {
    let mut h = Harness::new();
    let (a, b, c, d) = (h.connect(), h.connect(), h.connect(), h.connect());
    for client in [b, c] {
        h.call(client, "MULTI");
    }
    h.send_bytes(b, b"SET k 1\r\nGET k\r\n");
    h.send_bytes(c, b"GET k\r\nPING\r\n");
    h.receive(b);
    h.receive(c);
    h.call(a, "CLIENT PAUSE 1000 WRITE");
    h.send(b, "EXEC");
    assert_eq!(h.receive(b), "");
    assert_eq!(h.call(c, "EXEC"), "[nil, +PONG]");
    // A write is not even queued.
    h.call(d, "MULTI");
    h.send_bytes(d, b"SET k 2\r\nEXEC\r\n");
    assert_eq!(h.receive(d), "");
    h.advance(ms(1000));
    assert_eq!(h.receive(b), r#"[+OK, "1"]"#);
    assert_eq!(h.receive(d), "+QUEUED\n[+OK]");
}

#[test]
fn a_pause_begins_behind_its_transaction() {
    let mut h = Harness::new();
    let (a, b, c) = (h.connect(), h.connect(), h.connect());
    h.send(c, "BLPOP q 0");
    h.send_bytes(a, b"MULTI\r\nSET k 1\r\nCLIENT PAUSE 1000 WRITE\r\nSET k2 2\r\nRPUSH q e\r\nEXEC\r\n");
    assert_eq!(h.receive(a).lines().last(), Some("[+OK, +OK, +OK, :1]"));
    h.send(b, "SET k 3");
    assert_eq!(h.receive(b), "");
    // Who waits for a key that has come is not served before the end.
    assert_eq!((h.receive(c), h.call(a, "LLEN q")), (String::new(), ":1".into()));
    h.advance(ms(1000));
    assert_eq!((h.receive(b), h.receive(c)), ("+OK".into(), r#"["q", "e"]"#.into()));
}

#[test]
fn waits_end_by_time_and_none_is_ended_by_hand() {
    let mut h = Harness::new();
    let (a, b, c) = (h.connect(), h.connect(), h.connect());
    h.send(b, "BLPOP q 1");
    h.call(a, "CLIENT PAUSE 5000 WRITE");
    h.send(c, "SET k v");
    assert_eq!(h.call(a, "CLIENT UNBLOCK 3"), ":0");
    h.advance(ms(1000));
    assert_eq!((h.receive(b), h.receive(c)), ("nil-array".into(), String::new()));
    h.send(b, "BLPOP q 1");
    h.advance(ms(3999));
    assert_eq!((h.receive(b), h.receive(c)), (String::new(), String::new()));
    // Its own time begins when it runs.
    h.advance(ms(1));
    assert_eq!((h.receive(b), h.receive(c)), (String::new(), "+OK".into()));
    h.advance(ms(1000));
    assert_eq!(h.receive(b), "nil-array");
}

#[test]
fn nothing_expires() {
    let mut h = Harness::new();
    let a = h.connect();
    for line in ["SET k v PX 10", "SET k2 v PX 10", "CLIENT PAUSE 1000 WRITE"] {
        h.call(a, line);
    }
    h.advance(ms(500));
    for (line, reply) in [
        ("GET k", "nil"),
        ("EXISTS k k2", ":0"),
        ("TTL k", ":-2"),
        ("DBSIZE", ":2"),
        ("KEYS *", "[]"),
        ("SCAN 0", r#"["0", []]"#),
    ] {
        assert_eq!(h.call(a, line), reply, "{line}");
    }
    assert_ne!(h.call(a, "RANDOMKEY"), "nil");
    assert_eq!(info(&mut h, a, "expired_keys"), "0");
    h.advance(ms(500));
    assert_eq!((h.call(a, "DBSIZE"), info(&mut h, a, "expired_keys")), (":0".into(), "2".into()));
}

#[test]
fn a_hidden_key_is_written_over() {
    let mut h = Harness::new();
    let a = h.connect();
    h.call(a, "SET s old PX 10");
    h.call(a, "RPUSH l old");
    h.call(a, "PEXPIRE l 10");
    h.call(a, "SET from new");
    h.call(a, "SET to old PX 10");
    h.call(a, "MULTI");
    let lines = ["CLIENT PAUSE 1000 WRITE", "INCR s", "RPUSH l new", "RENAME from to", "DBSIZE", "DEL s"];
    for line in lines {
        assert_eq!(h.call(a, line), "+QUEUED");
    }
    // The clock is moved past all of Harness::advance, which would delete the keys.
    h.clock.advance(ms(100));
    assert_eq!(h.call(a, "EXEC"), "[+OK, :1, :1, +OK, :3, :1]");
    assert_eq!(h.call(a, "LRANGE l 0 -1"), r#"["new"]"#);
    assert_eq!(h.call(a, "GET to"), r#""new""#);
    assert_eq!(h.call(a, "DBSIZE"), ":2");
}

#[test]
fn replies_that_nobody_wants_stay_away() {
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    h.call(a, "CLIENT PAUSE 1000 WRITE");
    h.send_bytes(b, b"CLIENT REPLY SKIP\r\nSET k 1\r\nGET k\r\n");
    assert_eq!(h.receive(b), "");
    h.call(a, "CLIENT UNPAUSE");
    assert_eq!(h.receive(b), r#""1""#);
}

#[test]
fn commands_in_pieces_and_in_lines_wait_too() {
    let mut h = Harness::new();
    let (a, b, c) = (h.connect(), h.connect(), h.connect());
    h.call(a, "CLIENT PAUSE 1000 WRITE");
    h.send_bytes(b, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhe");
    h.send_bytes(b, b"llo\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    h.send_bytes(c, b"set  other 'a b'\r\n");
    assert_eq!((h.receive(b), h.receive(c)), (String::new(), String::new()));
    h.send_bytes(b, b"*1\r\n$4\r\nPING\r\n");
    h.advance(ms(1000));
    assert_eq!((h.receive(b), h.receive(c)), ("+OK\n\"hello\"\n+PONG".into(), "+OK".into()));
    assert_eq!(h.call(a, "GET other"), r#""a b""#);
}

#[test]
fn a_client_that_waits_can_be_closed() {
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    h.call(a, "CLIENT PAUSE 1000 WRITE");
    h.send(b, "SET k v");
    assert_eq!(h.call(a, "CLIENT KILL ID 2"), ":1");
    assert!(!h.is_open(b));
    h.advance(ms(1000));
    assert_eq!(h.call(a, "EXISTS k"), ":0");
}

#[test]
fn what_is_no_pause_is_refused() {
    check(&[
        ("CLIENT PAUSE", "-ERR wrong number of arguments for 'client|pause' command"),
        ("CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"),
        ("CLIENT PAUSE 1.5", "-ERR timeout is not an integer or out of range"),
        ("CLIENT PAUSE -1", "-ERR timeout is negative"),
        ("CLIENT PAUSE 9223372036854775807", "-ERR timeout is out of range"),
        ("CLIENT PAUSE 9223372036854775808", "-ERR timeout is not an integer or out of range"),
        ("CLIENT PAUSE x foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL"),
        ("CLIENT PAUSE 0", "+OK"),
        ("CLIENT UNPAUSE x", "-ERR wrong number of arguments for 'client|unpause' command"),
        ("SET k v", "+OK"),
    ]);
}

#[cfg(feature = "scripting")]
#[test]
fn scripts_that_say_that_they_only_read_go_on() {
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    let send = |h: &mut Harness, words: &[&str]| {
        let mut bytes = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| bytes += &format!("${}\r\n{word}\r\n", word.len()));
        h.send_bytes(b, bytes.as_bytes());
        h.receive(b)
    };
    h.call(a, "CLIENT PAUSE 1000 WRITE");
    let reads = "#!lua flags=no-writes\nreturn 7";
    assert_eq!(send(&mut h, &["EVAL", reads, "0"]), ":7");
    assert_eq!(send(&mut h, &["EVAL", reads, "0"]), ":7", "it is known now");
    assert_eq!(send(&mut h, &["EVAL_RO", "return 8", "0"]), ":8");
    assert_eq!(send(&mut h, &["MULTI"]), "+OK");
    assert_eq!(send(&mut h, &["EVAL", reads, "0"]), "+QUEUED");
    assert_eq!(send(&mut h, &["EXEC"]), "[:7]");
    // One that says nothing, or that it writes, waits.
    assert_eq!(send(&mut h, &["EVAL", "#!lua\nreturn 9", "0"]), "");
    h.advance(ms(1001));
    assert_eq!(h.receive(b), ":9");
}
