//! What a lone primary answers: replication, clusters, files and modules.

use crate::support::{check, check_with};
use staywire::{state::config::Config, testkit::Harness};
use std::time::Duration;

#[test]
fn it_is_a_primary_without_replicas() {
    check(&[
        ("ROLE", r#"["master", :0, []]"#),
        ("REPLICAOF no One", "+OK"),
        ("SLAVEOF NO ONE", "+OK"),
        ("REPLICAOF a x", "-ERR Invalid master port"),
        ("REPLICAOF a 65536", "-ERR Invalid master port"),
        ("REPLICAOF a -1", "-ERR Invalid master port"),
        (
            "SLAVEOF 127.0.0.1 6379",
            "-ERR replication is not built yet: this server is a primary without replicas",
        ),
        ("ROLE", r#"["master", :0, []]"#),
        ("FAILOVER", "-ERR FAILOVER requires connected replicas."),
        ("FAILOVER TO h 1 FORCE TIMEOUT 5", "-ERR FAILOVER requires connected replicas."),
        ("FAILOVER abort", "-ERR No failover in progress."),
        ("FAILOVER ABORT x", "-ERR syntax error"),
        ("FAILOVER TO h", "-ERR syntax error"),
        ("FAILOVER TO h x", "-ERR value is not an integer or out of range"),
        ("FAILOVER TIMEOUT 0", "-ERR FAILOVER timeout must be greater than 0"),
        ("FAILOVER TIMEOUT x", "-ERR value is not an integer or out of range"),
        ("FAILOVER FORCE FORCE", "-ERR syntax error"),
    ]);
    let mut h = Harness::new();
    let a = h.connect();
    for line in ["SYNC", "PSYNC ? -1", "REPLCONF listening-port 1", "REPLCONF ACK 1"] {
        let reply = h.call(a, line);
        assert_eq!(reply, "-ERR replication is not built yet: this server is a primary without replicas");
    }
}

#[test]
fn writes_may_want_replicas() {
    const REFUSED: &str = "-NOREPLICAS Not enough good replicas to write.";
    check(&[
        ("SET k x", "+OK"),
        ("CONFIG SET min-slaves-to-write 1 min-replicas-max-lag 0", "+OK"),
        ("SET k x", "+OK"),
        ("MULTI", "+OK"),
        ("GET k", "+QUEUED"),
        ("CONFIG SET min-replicas-max-lag 10", "+QUEUED"),
        ("EXEC", r#"["x", +OK]"#),
        ("CONFIG GET min-replicas-to-write", r#"["min-replicas-to-write", "1"]"#),
        ("SET k y", REFUSED),
        ("SET k", "-ERR wrong number of arguments for 'set' command"),
        ("DEL none", REFUSED),
        ("GET k", r#""x""#),
        ("PUBLISH c m", ":0"),
        ("EVAL 'return redis.call(\"get\", \"k\")' 0", r#""x""#),
        ("EVAL 'return redis.pcall(\"set\", \"k\", 1)' 0", REFUSED),
        ("EVAL '#!lua\nreturn 1' 0", REFUSED),
        ("EVAL '#!lua flags=no-writes\nreturn 1' 0", ":1"),
        ("MULTI", "+OK"),
        ("GET k", "+QUEUED"),
        ("INCR k", REFUSED),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("CONFIG SET min-replicas-to-write 0", "+OK"),
        ("MULTI", "+OK"),
        ("CONFIG SET min-replicas-to-write 2", "+QUEUED"),
        ("SET k z", "+QUEUED"),
        ("EXEC", "[+OK, +OK]"),
        ("GET k", r#""z""#),
    ]);
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    assert!(!h.call(a, "INFO replication").contains("min_slaves_good_slaves"));
    h.call(a, "MULTI");
    h.call(a, "SET k 1");
    h.call(b, "CONFIG SET min-replicas-to-write 1");
    let aborted =
        "-EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write.";
    assert_eq!(h.call(a, "EXEC"), aborted);
    assert!(h.call(a, "INFO replication").contains("connected_slaves:0\\r\\nmin_slaves_good_slaves:0"));
}

#[test]
fn no_replica_ever_confirms() {
    let mut h = Harness::new();
    let (a, b) = (h.connect(), h.connect());
    check_with(
        &mut h,
        &[
            ("WAIT 0 0", ":0"),
            ("WAIT -1 0", ":0"),
            ("WAIT 0 -1", "-ERR timeout is negative"),
            ("WAIT x 0", "-ERR value is not an integer or out of range"),
            ("WAIT 0 x", "-ERR timeout is not an integer or out of range"),
            ("WAIT 2 9223372036854775807", "-ERR timeout is out of range"),
            ("WAITAOF 0 0 0", "[:0, :0]"),
            ("WAITAOF 1 0 0", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."),
            ("WAITAOF 2 0 0", "-ERR value is out of range, value must between 0 and 1"),
            ("WAITAOF x 0 0", "-ERR value is not an integer or out of range"),
            ("WAITAOF 0 -1 0", "-ERR value is out of range, must be positive"),
            ("WAITAOF 0 x 0", "-ERR value is out of range, must be positive"),
            ("WAITAOF 0 0 -1", "-ERR timeout is negative"),
            ("MULTI", "+OK"),
            ("WAIT 1 0", "+QUEUED"),
            ("WAITAOF 0 1 0", "+QUEUED"),
            ("EXEC", "[:0, [:0, :0]]"),
        ],
    );
    h.send_bytes(b, b"WAIT 1 50\r\nPING\r\n");
    assert_eq!(h.receive(b), "");
    h.advance(Duration::from_millis(49));
    assert_eq!(h.receive(b), "");
    h.advance(Duration::from_millis(1));
    assert_eq!(h.receive(b), ":0\n+PONG");
    h.send(b, "WAITAOF 0 1 50");
    h.advance(Duration::from_millis(50));
    assert_eq!(h.receive(b), "[:0, :0]");
    h.send(b, "WAIT 1 0");
    assert!(h.call(a, "CLIENT LIST ID 2").contains(" flags=b "));
    assert_eq!(h.call(a, "CLIENT UNBLOCK 2"), ":1");
    assert_eq!(h.receive(b), ":0");
    h.send(b, "WAITAOF 0 1 0");
    assert_eq!(h.call(a, "CLIENT UNBLOCK 2 ERROR"), ":1");
    assert_eq!(h.receive(b), "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
}

#[test]
fn there_is_no_cluster() {
    const DISABLED: &str = "-ERR This instance has cluster support disabled";
    check(&[
        ("CLUSTER INFO", DISABLED),
        ("CLUSTER HELP", DISABLED),
        ("CLUSTER SLOT-STATS SLOTSRANGE 0 1", DISABLED),
        ("ASKING", DISABLED),
        ("CLUSTER NODES x", "-ERR wrong number of arguments for 'cluster|nodes' command"),
        ("CLUSTER FOO", "-ERR unknown subcommand 'FOO'. Try CLUSTER HELP."),
        ("CLUSTER", "-ERR wrong number of arguments for 'cluster' command"),
        ("READONLY", "+OK"),
        ("READWRITE", "+OK"),
        ("READONLY", "+OK"),
    ]);
    let mut h = Harness::new();
    let a = h.connect();
    h.call(a, "READONLY");
    assert!(h.call(a, "CLIENT INFO").contains(" flags=r "));
    h.call(a, "RESET");
    assert!(h.call(a, "CLIENT INFO").contains(" flags=N "));
}

#[test]
fn there_are_no_files() {
    const UNBUILT: &str = "-ERR persistence is not built yet: the data is in memory alone";
    let mut h = Harness::new();
    let a = h.connect();
    let started_s = h.engine.now_ms() / 1000;
    assert_eq!(h.call(a, "LASTSAVE"), format!(":{started_s}"));
    check_with(
        &mut h,
        &[
            ("SAVE", UNBUILT),
            ("BGSAVE", UNBUILT),
            ("BGSAVE SCHEDULE", UNBUILT),
            ("BGSAVE CANCEL", "-ERR Background saving is currently not in progress or scheduled"),
            ("BGSAVE foo", "-ERR syntax error"),
            ("BGREWRITEAOF", UNBUILT),
            ("SHUTDOWN SAVE", "-ERR persistence is not built yet, so SHUTDOWN SAVE would lose the data"),
            ("SHUTDOWN NOW SAVE", "-ERR persistence is not built yet, so SHUTDOWN SAVE would lose the data"),
            ("SHUTDOWN SAVE NOSAVE", "-ERR syntax error"),
            ("SHUTDOWN ABORT NOW", "-ERR syntax error"),
            ("SHUTDOWN foo", "-ERR syntax error"),
            ("SHUTDOWN ABORT", "-ERR No shutdown in progress."),
        ],
    );
    assert!(!h.engine.state.stopping);
    h.call(a, "SHUTDOWN SAVE FORCE");
    assert!(h.engine.state.stopping);
}

#[test]
fn there_are_no_modules() {
    check(&[("MODULE LIST", "[]"), ("MODULE FOO", "-ERR unknown subcommand 'FOO'. Try MODULE HELP.")]);
    let mut h = Harness::new();
    let a = h.connect();
    let refusal = "-ERR MODULE command not allowed. If the enable-module-command option is set to \"local\"";
    for line in ["MODULE LOAD /x", "MODULE LOADEX /x", "MODULE UNLOAD x"] {
        assert!(h.call(a, line).starts_with(refusal), "{line}");
    }
    let config = Config { enable_module_command: 1, ..Config::default() };
    check_with(
        &mut Harness::with(config, 1),
        &[
            ("MODULE LOAD /x", "-ERR Error loading the extension. This server runs no modules."),
            ("MODULE UNLOAD x", "-ERR Error unloading module: no such module with that name"),
        ],
    );
}

#[test]
fn keys_are_moved_nowhere() {
    check(&[
        ("MIGRATE h 1 k 0 10", "+NOKEY"),
        (r#"MIGRATE h 1 "" 0 10 COPY REPLACE AUTH p KEYS k k2"#, "+NOKEY"),
        (r#"MIGRATE h 1 "" 0 10 KEYS"#, "+NOKEY"),
        ("SET k v", "+OK"),
        ("MIGRATE h 1 k 0 10", "-ERR MIGRATE is not built yet: no key was moved"),
        (r#"MIGRATE h 1 "" 0 10 KEYS x k"#, "-ERR MIGRATE is not built yet: no key was moved"),
        ("GET k", r#""v""#),
        ("MIGRATE h 1 k x 10", "-ERR value is not an integer or out of range"),
        ("MIGRATE h 1 k 0 x", "-ERR value is not an integer or out of range"),
        ("MIGRATE h 1 k 0 10 FOO", "-ERR syntax error"),
        (r#"MIGRATE h 1 "" 0 10 AUTH"#, "-ERR syntax error"),
        (r#"MIGRATE h 1 "" 0 10 AUTH2 a"#, "-ERR syntax error"),
        (
            "MIGRATE h 1 k 0 10 KEYS a",
            "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
        ),
    ]);
}
