//! Transactions.

use crate::lists::check;
use staywire::testkit::Harness;
use std::time::Duration;

const ABORTED: &str = "-EXECABORT Transaction discarded because of previous errors.";

#[test]
fn commands_run_together() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    check(
        &mut server,
        a,
        &[
            ("MULTI", "+OK"),
            ("RPUSH l 1 2", "+QUEUED"),
            ("LPOP l", "+QUEUED"),
            ("LPOP l x", "+QUEUED"),
            ("PING", "+QUEUED"),
        ],
    );
    check(&mut server, b, &[("LLEN l", ":0")]);
    check(
        &mut server,
        a,
        &[
            ("EXEC", r#"[:2, "1", -ERR value is out of range, must be positive, +PONG]"#),
            ("MULTI", "+OK"),
            ("EXEC", "[]"),
            ("EXEC", "-ERR EXEC without MULTI"),
            ("DISCARD", "-ERR DISCARD without MULTI"),
            ("MULTI", "+OK"),
            ("RPUSH l 3", "+QUEUED"),
            ("DISCARD", "+OK"),
            ("LRANGE l 0 -1", r#"["2"]"#),
            ("EXEC", "-ERR EXEC without MULTI"),
            ("MULTI 1", "-ERR wrong number of arguments for 'multi' command"),
        ],
    );
}

#[test]
fn errors_while_queueing_abort() {
    let mut server = Harness::new();
    let a = server.connect();
    for line in ["NOSUCH x", "LPUSH l", "PUBSUB NOSUCH", "MULTI", "WATCH l", "WATCH"] {
        assert_eq!(server.call(a, "MULTI"), "+OK");
        assert_eq!(server.call(a, "RPUSH l 1"), "+QUEUED");
        assert_eq!(&server.call(a, line)[..4], "-ERR", "{line}");
        assert_eq!(server.call(a, "RPUSH l 2"), "+QUEUED");
        assert_eq!(server.call(a, "EXEC"), ABORTED, "{line}");
        check(&mut server, a, &[("LLEN l", ":0"), ("EXEC", "-ERR EXEC without MULTI")]);
    }
    check(
        &mut server,
        a,
        &[
            ("MULTI", "+OK"),
            ("MULTI", "-ERR Command not allowed inside a transaction"),
            ("DISCARD", "+OK"),
            ("MULTI", "+OK"),
            (
                "EXEC now",
                "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
            ),
            ("PING", "+PONG"),
        ],
    );
}

#[test]
fn a_refused_exec_ends_the_transaction() {
    let mut server = Harness::new();
    let a = server.connect();
    check(&mut server, a, &[("SUBSCRIBE c", r#"["subscribe", "c", :1]"#)]);
    check(
        &mut server,
        a,
        &[(
            "EXEC",
            "-EXECABORT Transaction discarded because of: Can't execute 'exec': only (P|S)SUBSCRIBE / \
             (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
        )],
    );
}

#[test]
fn watched_keys_that_change_fail_the_transaction() {
    for change in ["LPUSH k x", "LPOP k", "DEL k", "SET k v", "EXPIRE k 100", "FLUSHALL", "RENAME k other"] {
        let mut server = Harness::new();
        let (a, b) = (server.connect(), server.connect());
        check(&mut server, a, &[("RPUSH k 1 2", ":2"), ("WATCH k", "+OK"), ("MULTI", "+OK")]);
        check(&mut server, a, &[("RPUSH k 3", "+QUEUED")]);
        server.call(b, change);
        check(&mut server, a, &[("EXEC", "nil-array")]);
        check(&mut server, a, &[("MULTI", "+OK"), ("PING", "+QUEUED"), ("EXEC", "[+PONG]")]);
    }
}

#[test]
fn what_does_not_change_watched_keys_does_not_matter() {
    for other in ["RPUSH other 1", "LRANGE k 0 -1", "LPUSHX none 1", "LREM k 0 none", "LPOP k 0", "SELECT 1"]
    {
        let mut server = Harness::new();
        let (a, b) = (server.connect(), server.connect());
        check(&mut server, a, &[("RPUSH k 1 2", ":2"), ("WATCH none k k", "+OK"), ("MULTI", "+OK")]);
        check(&mut server, a, &[("LLEN k", "+QUEUED")]);
        server.call(b, other);
        server.call(b, "SELECT 1");
        server.call(b, "RPUSH k 1");
        check(&mut server, a, &[("EXEC", "[:2]")]);
    }
}

#[test]
fn own_changes_count_and_unwatch_forgets() {
    let mut server = Harness::new();
    let a = server.connect();
    check(
        &mut server,
        a,
        &[
            ("WATCH k", "+OK"),
            ("RPUSH k 1", ":1"),
            ("WATCH k", "+OK"),
            ("MULTI", "+OK"),
            ("PING", "+QUEUED"),
            ("EXEC", "nil-array"),
            ("WATCH k", "+OK"),
            ("RPUSH k 1", ":2"),
            ("UNWATCH", "+OK"),
            ("MULTI", "+OK"),
            ("PING", "+QUEUED"),
            ("EXEC", "[+PONG]"),
            ("WATCH k", "+OK"),
            ("MULTI", "+OK"),
            ("DISCARD", "+OK"),
            ("RPUSH k 1", ":3"),
            ("MULTI", "+OK"),
            ("UNWATCH", "+QUEUED"),
            ("RPUSH k 1", "+QUEUED"),
            ("EXEC", "[+OK, :4]"),
            ("WATCH k", "+OK"),
            ("RPUSH k 1", ":5"),
            ("MULTI", "+OK"),
            ("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
            ("EXEC", ABORTED),
            ("WATCH k", "+OK"),
            ("RPUSH k 1", ":6"),
            ("RESET", "+RESET"),
            ("MULTI", "+OK"),
            ("EXEC", "[]"),
        ],
    );
}

#[test]
fn expiry_breaks_a_watch() {
    // Noticed by nobody, by a command, by the server.
    for noticed in [0, 1, 2] {
        let mut server = Harness::new();
        let (a, b) = (server.connect(), server.connect());
        check(&mut server, a, &[("RPUSH k 1", ":1"), ("PEXPIRE k 10", ":1"), ("WATCH k", "+OK")]);
        check(&mut server, a, &[("MULTI", "+OK"), ("PING", "+QUEUED")]);
        match noticed {
            2 => server.advance(Duration::from_millis(10)),
            _ => server.clock.advance(Duration::from_millis(10)),
        }
        if noticed == 1 {
            check(&mut server, b, &[("LLEN k", ":0")]);
        }
        check(&mut server, a, &[("EXEC", "nil-array")]);
    }
}

#[test]
fn a_key_that_had_expired_before_the_watch_may_go() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    check(&mut server, a, &[("RPUSH k 1", ":1"), ("PEXPIRE k 10", ":1")]);
    server.clock.advance(Duration::from_millis(10));
    check(&mut server, a, &[("WATCH k", "+OK"), ("MULTI", "+OK"), ("PING", "+QUEUED")]);
    check(&mut server, b, &[("LLEN k", ":0")]);
    check(&mut server, a, &[("EXEC", "[+PONG]")]);
}

#[test]
fn the_database_follows_select() {
    let mut server = Harness::new();
    let a = server.connect();
    check(
        &mut server,
        a,
        &[
            ("MULTI", "+OK"),
            ("SELECT 1", "+QUEUED"),
            ("RPUSH k 1", "+QUEUED"),
            ("SELECT 99", "+QUEUED"),
            ("EXEC", "[+OK, :1, -ERR DB index is out of range]"),
            ("LLEN k", ":1"),
            ("SELECT 0", "+OK"),
            ("LLEN k", ":0"),
        ],
    );
}

#[test]
fn reset_and_quit_run_at_once() {
    let mut server = Harness::new();
    let a = server.connect();
    check(&mut server, a, &[("MULTI", "+OK"), ("RESET", "+RESET"), ("PING", "+PONG")]);
    check(&mut server, a, &[("MULTI", "+OK"), ("QUIT", "+OK")]);
    assert!(!server.is_open(a));
}

#[test]
fn waiting_commands_do_not_wait() {
    let mut server = Harness::new();
    let a = server.connect();
    check(
        &mut server,
        a,
        &[
            ("MULTI", "+OK"),
            ("BLPOP k 0", "+QUEUED"),
            ("BLMPOP 0 1 k LEFT", "+QUEUED"),
            ("BLMOVE k l LEFT LEFT 0", "+QUEUED"),
            ("BRPOPLPUSH k l 0", "+QUEUED"),
            ("RPUSH k 1", "+QUEUED"),
            ("BRPOP k 0", "+QUEUED"),
            ("BLPOP k x", "+QUEUED"),
            (
                "EXEC",
                r#"[nil-array, nil-array, nil, nil, :1, ["k", "1"], -ERR timeout is not a float or out of range]"#,
            ),
        ],
    );
}

#[test]
fn the_queue_is_freed() {
    let mut server = Harness::new();
    let a = server.connect();
    let big = "x".repeat(100_000);
    for end in ["EXEC", "DISCARD", "NOSUCH"] {
        assert_eq!(server.call(a, "MULTI"), "+OK");
        for _ in 0..10 {
            assert_eq!(server.call(a, &format!("ECHO {big}")), "+QUEUED");
        }
        let held = server.engine.session(a).map(|s| s.mem_bytes());
        assert!(held > Some(1_000_000), "{held:?}");
        server.call(a, end);
        let held = server.engine.session(a).map(|s| s.mem_bytes());
        assert!(held < Some(300_000), "{end}: {held:?}");
        server.call(a, "RESET");
    }
}
