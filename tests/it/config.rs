//! CONFIG.

use staywire::testkit::Harness;

#[test]
fn parameters_are_read_by_name_and_pattern() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG GET timeout"), r#"["timeout", "0"]"#);
    assert_eq!(server.call(a, "CONFIG GET TimeOut TIMEOUT hz"), r#"["TimeOut", "0", "hz", "10"]"#);
    assert_eq!(server.call(a, "CONFIG GET nosuch"), "[]");
    assert_eq!(
        server.call(a, "CONFIG GET list-max-* list-max-listpack-size"),
        r#"["list-max-listpack-size", "-2", "list-max-ziplist-size", "-2"]"#
    );
    server.call(a, "HELLO 3");
    assert_eq!(server.call(a, "CONFIG GET time?ut"), r#"{"timeout": "0"}"#);
    assert_eq!(server.call(a, "CONFIG GET"), "-ERR wrong number of arguments for 'config|get' command");
}

#[test]
fn what_is_not_built_is_not_claimed() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG GET acllog-max-len"), "[]");
    assert_eq!(server.call(a, "CONFIG GET save appendonly"), r#"["save", "", "appendonly", "no"]"#);
    // Its default holds anyway.
    assert_eq!(server.call(a, "CONFIG SET acllog-max-len 128 auto-aof-rewrite-min-size 64mb"), "+OK");
    for (name, value) in [("acllog-max-len", "5"), ("appendonly", "yes"), ("maxmemory", "100mb")] {
        assert_eq!(
            server.call(a, &format!("CONFIG SET timeout 9 {name} {value}")),
            format!(
                "-ERR CONFIG SET failed (possibly related to argument '{name}') - this feature is not built yet"
            )
        );
    }
    assert_eq!(server.call(a, "CONFIG GET timeout"), r#"["timeout", "0"]"#);
}

#[test]
fn several_are_set_or_none() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG SET timeout 3 HZ 20"), "+OK");
    assert_eq!(server.call(a, "CONFIG GET hz timeout"), r#"["hz", "20", "timeout", "3"]"#);
    assert_eq!(server.engine.take_config_changes(), ["timeout", "hz"]);
    let failed = |name: &str, why: &str| {
        format!("-ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
    };
    let unknown = "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'".to_string();
    for (set, error) in [
        ("foo bar", unknown.clone()),
        ("timeout x foo 1", unknown.clone()),
        ("timeout 5 HZ x", failed("hz", "argument couldn't be parsed into an integer")),
        ("timeout 5 timeout 6", failed("timeout", "duplicate parameter")),
        ("timeout 5 databases 3", failed("databases", "can't set immutable config")),
        ("timeout 5 protected-mode x", failed("protected-mode", "argument must be 'yes' or 'no'")),
        (
            "timeout 5 client-output-buffer-limit 'pubsub 1 2'",
            failed("client-output-buffer-limit", "Wrong number of arguments in buffer limit configuration."),
        ),
        ("timeout 5 hz", "-ERR syntax error".into()),
        ("timeout", "-ERR wrong number of arguments for 'config|set' command".into()),
    ] {
        assert_eq!(server.call(a, &format!("CONFIG SET {set}")), error, "{set}");
        assert_eq!(server.call(a, "CONFIG GET timeout"), r#"["timeout", "3"]"#);
    }
    assert!(server.engine.take_config_changes().is_empty());
}

#[test]
fn a_password_holds_for_new_connections() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG SET requirepass secret"), "+OK");
    let b = server.connect();
    assert_eq!(server.call(a, "PING"), "+PONG");
    assert_eq!(server.call(b, "PING"), "-NOAUTH Authentication required.");
    assert_eq!(server.call(b, "AUTH secret"), "+OK");
    assert_eq!(server.call(b, "CONFIG SET requirepass ''"), "+OK");
    let c = server.connect();
    assert_eq!(server.call(c, "PING"), "+PONG");
}

#[test]
fn maxclients_holds_at_once() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG SET maxclients 1"), "+OK");
    let none = staywire::state::session::Address::None;
    let refused = server.engine.open(none.clone(), none);
    assert_eq!(refused, Err(b"-ERR max number of clients reached\r\n".as_slice()));
}

#[test]
fn statistics_start_again() {
    let mut server = Harness::new();
    let a = server.connect();
    server.call(a, "nosuch");
    server.call(a, "LPUSH k 1");
    server.call(a, "LRANGE k 0 -1");
    let before = server.call(a, "INFO all");
    for field in
        ["total_error_replies:1", "keyspace_hits:1", "cmdstat_lpush:calls=1", "errorstat_ERR:count=1"]
    {
        assert!(before.contains(field), "{field} in {before}");
    }
    assert_eq!(server.call(a, "CONFIG RESETSTAT"), "+OK");
    let after = server.call(a, "INFO all");
    for field in ["total_error_replies:0", "keyspace_hits:0", "total_commands_processed:1"] {
        assert!(after.contains(field), "{field} in {after}");
    }
    assert!(!after.contains("cmdstat_lpush") && !after.contains("errorstat_"), "{after}");
    assert!(server.call(a, "CONFIG HELP").starts_with("[+CONFIG <subcommand>"));
    assert_eq!(server.call(a, "CONFIG foo"), "-ERR unknown subcommand 'foo'. Try CONFIG HELP.");
}
