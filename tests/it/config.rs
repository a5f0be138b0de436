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
fn what_is_not_built_is_kept_or_refused() {
    let mut server = Harness::new();
    let a = server.connect();
    // Nothing depends on it.
    assert_eq!(server.call(a, "CONFIG SET repl-timeout 5 auto-aof-rewrite-min-size 1mb"), "+OK");
    let get = "CONFIG GET repl-timeout auto-aof-rewrite-min-size";
    assert_eq!(server.call(a, get), r#"["repl-timeout", "5", "auto-aof-rewrite-min-size", "1048576"]"#);
    assert_eq!(server.call(a, "CONFIG GET appendonly"), r#"["appendonly", "no"]"#);
    for (name, value) in [("appendonly", "yes"), ("tls-port", "6380")] {
        let error = server.call(a, &format!("CONFIG SET timeout 9 {name} {value}"));
        let start =
            format!("-ERR CONFIG SET failed (possibly related to argument '{name}') - this feature is not");
        assert!(error.starts_with(&start), "{error}");
    }
    assert_eq!(server.call(a, "CONFIG GET timeout"), r#"["timeout", "0"]"#);
    assert_eq!(server.call(a, "CONFIG SET maxmemory 0 appendonly no"), "+OK");
}

#[test]
fn save_points_are_kept() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG GET save"), r#"["save", "3600 1 300 100 60 10000"]"#);
    let refused = "-ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters";
    for (set, reply, points) in [
        ("900 1", "+OK", "900 1"),
        ("900 1 300 0", "+OK", "900 1 300 0"),
        ("900", refused, "900 1 300 0"),
        ("0 1", refused, "900 1 300 0"),
        ("1 -1", refused, "900 1 300 0"),
        ("1 x", refused, "900 1 300 0"),
        ("5  1", refused, "900 1 300 0"),
        ("", "+OK", ""),
        ("+5 01", "+OK", "5 1"),
        ("99999999999999999999 1", "+OK", "9223372036854775807 1"),
    ] {
        assert_eq!(server.call(a, &format!("CONFIG SET save '{set}'")), reply, "{set}");
        assert_eq!(server.call(a, "CONFIG GET save"), format!(r#"["save", "{points}"]"#), "{set}");
    }
}

#[test]
fn hidden_parameters_are_found_by_name_alone() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG GET key-load-*"), "[]");
    assert_eq!(server.call(a, "CONFIG GET key-load-delay"), r#"["key-load-delay", "0"]"#);
}

#[test]
fn protected_parameters_need_leave() {
    use staywire::state::{config::Config, session::Address};
    let blamed = "-ERR CONFIG SET failed (possibly related to argument 'dbfilename') - ";
    for (enabled, from_elsewhere, wanted) in
        [(0, false, false), (1, true, true), (2, false, true), (2, true, false)]
    {
        let config = Config { enable_protected_configs: enabled, protected_mode: false, ..Config::default() };
        let mut server = Harness::with(config, 1);
        let a = server.connect();
        if from_elsewhere {
            let session = server.engine.session(a).expect("it is connected");
            session.addr = Address::Tcp(([10, 0, 0, 1], 1).into());
        }
        let error = format!("{blamed}can't set protected config");
        let reply = server.call(a, "CONFIG SET dbfilename x");
        assert_eq!(reply, if wanted { "+OK".to_string() } else { error });
    }
}

#[test]
fn commands_have_other_names() {
    use staywire::state::config::Config;
    let mut config = Config::default();
    for text in ["FLUSHALL ''", "config admin-only-config", "get fetch", "client ''"] {
        config.set_text("rename-command", text).expect("it is taken");
    }
    let mut server = Harness::with(config, 1);
    let a = server.connect();
    for gone in ["FLUSHALL", "CONFIG", "get", "client"] {
        let error = server.call(a, &format!("{gone} x"));
        assert!(error.starts_with(&format!("-ERR unknown command '{gone}'")), "{error}");
    }
    assert_eq!(server.call(a, "SET k v"), "+OK");
    assert_eq!(server.call(a, "Fetch k"), r#""v""#);
    assert_eq!(server.call(a, "fetch k"), r#""v""#);
    assert_eq!(server.call(a, "fetch"), "-ERR wrong number of arguments for 'get' command");
    assert_eq!(server.call(a, "Admin-Only-Config GET hz"), r#"["hz", "10"]"#);
    // COMMAND is asked by the new name and answers with the old one.
    for (asked, answer) in [("fetch", r#"[["get", :2"#), ("admin-only-config|get", r#"[["config|get", :-3"#)]
    {
        let reply = server.call(a, &format!("COMMAND INFO {asked}"));
        assert!(reply.starts_with(answer), "{reply}");
    }
    assert_eq!(server.call(a, "COMMAND INFO get flushall client|list"), "[nil, nil, nil]");
    let listed = server.call(a, "COMMAND LIST");
    assert!(listed.contains("\"get\"") && !listed.contains("flushall") && !listed.contains("client|"));

    for (texts, why) in [
        (&["nosuch x"][..], "No such command in rename-command"),
        (&["get set"], "Target command name already exists"),
        (&["get x", "set X"], "Target command name already exists"),
        (&["get ''", "get y"], "No such command in rename-command"),
    ] {
        let mut config = Config::default();
        texts.iter().for_each(|text| _ = config.set_text("rename-command", text));
        let error = staywire::engine::commands(&config).err().expect("it is refused");
        assert_eq!(error.why, why);
    }
}

#[test]
fn what_an_applier_refuses_is_taken_back() {
    use staywire::state::Refusal;
    use std::sync::{Arc, Mutex};
    let mut server = Harness::new();
    let a = server.connect();
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&log);
    server.engine.state.appliers.push(Box::new(move |old, new| {
        seen.lock().expect("no panic").push((old.timeout_s, new.timeout_s));
        Ok(())
    }));
    server.engine.state.appliers.push(Box::new(|old, new| match old.hz == new.hz {
        true => Ok(()),
        false => Err(Refusal { param: "hz", why: "no".into() }),
    }));
    assert_eq!(server.call(a, "CONFIG SET timeout 3"), "+OK");
    assert_eq!(
        server.call(a, "CONFIG SET timeout 4 hz 20"),
        "-ERR CONFIG SET failed (possibly related to argument 'hz') - no"
    );
    assert_eq!(*log.lock().expect("no panic"), [(0, 3), (3, 4), (4, 3)]);
    assert_eq!(server.call(a, "CONFIG GET timeout hz"), r#"["timeout", "3", "hz", "10"]"#);
}

#[test]
fn rewriting_needs_a_file_and_a_way_to_it() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG REWRITE"), "-ERR The server is running without a config file");
    server.engine.state.identity.config_file = "x.conf".into();
    assert_eq!(server.call(a, "CONFIG REWRITE"), "-ERR Rewriting config file: unsupported");
    server.engine.state.edit_file = |path, edit| {
        assert_eq!(path, "x.conf");
        assert!(edit(b"timeout 1\n").starts_with(b"timeout 9\n"));
        Ok(())
    };
    assert_eq!(server.call(a, "CONFIG SET timeout 9"), "+OK");
    assert_eq!(server.call(a, "CONFIG REWRITE"), "+OK");
    server.engine.state.edit_file = |_, edit| {
        let text = edit(b"");
        assert!(text.windows(13).any(|line| line == b"\nhz 10\nignore"), "defaults, too");
        Ok(())
    };
    assert_eq!(server.call(a, "DEBUG CONFIG-REWRITE-FORCE-ALL"), "+OK");
}

#[test]
fn several_are_set_or_none() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CONFIG SET timeout 3 HZ 20"), "+OK");
    assert_eq!(server.call(a, "CONFIG GET hz timeout"), r#"["hz", "20", "timeout", "3"]"#);
    // An alias is another name.
    assert_eq!(server.call(a, "CONFIG SET replica-priority 1 slave-priority 2"), "+OK");
    assert_eq!(server.call(a, "CONFIG GET replica-priority"), r#"["replica-priority", "2"]"#);
    let failed = |name: &str, why: &str| {
        format!("-ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
    };
    let unknown = "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'".to_string();
    for (set, error) in [
        ("foo bar", unknown.clone()),
        ("timeout x foo 1", unknown.clone()),
        ("timeout 5 HZ x", failed("hz", "argument couldn't be parsed into an integer")),
        ("timeout 5 timeout 6", failed("timeout", "duplicate parameter")),
        ("slave-priority x", failed("slave-priority", "argument couldn't be parsed into an integer")),
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
