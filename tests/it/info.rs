//! INFO, TIME, SHUTDOWN, FUNCTION FLUSH.

use staywire::{
    sys::process::{Cpu, Machine, Probe},
    testkit::Harness,
};
use std::time::Duration;

/// The heads of the sections of a reply.
fn heads(reply: &str) -> Vec<&str> {
    let text = reply.trim_matches('"');
    text.split("\\r\\n").filter_map(|line| line.strip_prefix("# ")).collect()
}

/// A field's value.
fn value<'a>(reply: &'a str, name: &str) -> &'a str {
    let mut lines = reply.trim_matches('"').split("\\r\\n");
    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.unwrap_or_else(|| panic!("{name} in {reply}"))
}

const DEFAULT: &[&str] = &[
    "Server",
    "Clients",
    "Memory",
    "Persistence",
    "Stats",
    "Replication",
    "CPU",
    "Modules",
    "Errorstats",
    "Cluster",
    "Keyspace",
];

#[test]
fn sections_are_chosen() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(heads(&server.call(a, "INFO")), DEFAULT);
    assert_eq!(heads(&server.call(a, "INFO default")), DEFAULT);
    assert_eq!(heads(&server.call(a, "INFO Keyspace SERVER keyspace")), ["Server", "Keyspace"]);
    assert_eq!(heads(&server.call(a, "INFO commandstats clients")), ["Clients", "Commandstats"]);
    assert_eq!(server.call(a, "INFO nosuch"), r#""""#);
    let all = server.call(a, "INFO all");
    assert!(heads(&all).contains(&"Commandstats") && heads(&all).contains(&"Modules"));
    let everything = server.call(a, "INFO everything");
    assert!(heads(&everything).contains(&"Commandstats") && heads(&everything).contains(&"Modules"));
    assert_eq!(
        server.call(a, "INFO cluster modules"),
        r##""# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n""##
    );
    server.call(a, "HELLO 3");
    assert_eq!(server.call(a, "INFO cluster"), r##"=txt:"# Cluster\r\ncluster_enabled:0\r\n""##);
}

#[test]
fn it_says_who_it_is() {
    let mut server = Harness::new();
    let a = server.connect();
    server.engine.state.identity.tcp_port = 7000;
    server.advance(Duration::from_secs(2 * 86_400 + 5));
    let info = server.call(a, "INFO server");
    assert_eq!(value(&info, "redis_version"), "7.2.4");
    assert_eq!(value(&info, "server_name"), "staywire");
    assert_eq!(value(&info, "staywire_version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&info, "server_mode"), "standalone");
    assert_eq!((value(&info, "uptime_in_seconds"), value(&info, "uptime_in_days")), ("172805", "2"));
    assert_eq!(value(&info, "tcp_port"), "7000");
    assert_eq!(value(&info, "listener0"), "name=tcp,bind=*,bind=-::*,port=7000");
    assert_eq!(value(&info, "process_id"), std::process::id().to_string());
    let run_id = value(&info, "run_id");
    assert!(run_id.len() == 40 && run_id.bytes().all(|b| b.is_ascii_hexdigit()), "{run_id}");
}

#[test]
fn clients_are_counted() {
    let mut server = Harness::new();
    let (a, b, c, d) = (server.connect(), server.connect(), server.connect(), server.connect());
    server.send(b, "BLPOP x y 5");
    server.call(c, "SUBSCRIBE c1 c2");
    server.call(d, "PSUBSCRIBE p*");
    server.call(a, "WATCH k1 k2");
    let info = server.call(a, "INFO");
    for (name, n) in [
        ("connected_clients", "4"),
        ("blocked_clients", "1"),
        ("pubsub_clients", "2"),
        ("watching_clients", "1"),
        ("clients_in_timeout_table", "1"),
        ("total_watched_keys", "2"),
        ("total_blocking_keys", "2"),
        ("pubsub_channels", "2"),
        ("pubsub_patterns", "1"),
        ("total_connections_received", "4"),
        ("maxclients", "10000"),
    ] {
        assert_eq!(value(&info, name), n, "{name}");
    }
}

#[test]
fn memory_follows_the_keys() {
    let mut server = Harness::new();
    let a = server.connect();
    let used = |server: &mut Harness| -> (usize, usize) {
        let info = server.call(a, "INFO memory");
        let number = |name| value(&info, name).parse().expect("a number");
        (number("used_memory"), number("used_memory_dataset"))
    };
    let before = used(&mut server);
    server.call_args(a, &[b"LPUSH", b"k", &vec![b'x'; 100_000]]);
    let after = used(&mut server);
    assert!((100_000..140_000).contains(&(after.1 - before.1)), "{before:?} {after:?}");
    assert!(after.0 >= before.0 + 100_000, "{before:?} {after:?}");
    let info = server.call(a, "INFO memory");
    assert!(value(&info, "used_memory_human").ends_with('K'), "{info}");
    assert_eq!(value(&info, "maxmemory_policy"), "noeviction");
}

#[test]
fn the_process_is_asked_through_the_probe() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(value(&server.call(a, "INFO memory"), "used_memory_rss"), "0");
    server.engine.state.probe = Probe {
        machine: || Machine { os: "Test 1 z80".into(), ..Machine::default() },
        rss_bytes: || 3 << 20,
        cpu: || Cpu { user_us: 1_500_000, ..Cpu::default() },
    };
    // What takes time is asked once in a while.
    server.advance(Duration::from_secs(1));
    let info = server.call(a, "INFO");
    assert_eq!(value(&info, "used_memory_rss_human"), "3.00M");
    assert_eq!(value(&info, "used_cpu_user"), "1.500000");
    assert_eq!(value(&info, "os"), "Test 1 z80");
}

#[test]
fn commands_and_errors_are_counted() {
    let mut server = Harness::new();
    let a = server.connect();
    server.call(a, "LPUSH k 1");
    server.call(a, "LPUSH k 1");
    server.call(a, "LPUSH");
    server.call(a, "LSET k x 1");
    server.call(a, "CLIENT ID");
    server.call(a, "EXEC");
    let info = server.call(a, "INFO commandstats errorstats stats");
    let counts = |name: &str| {
        let line = value(&info, name);
        let timeless: Vec<&str> = line.split(',').filter(|part| !part.starts_with("usec")).collect();
        timeless.join(",")
    };
    assert_eq!(counts("cmdstat_lpush"), "calls=2,rejected_calls=1,failed_calls=0");
    assert_eq!(counts("cmdstat_lset"), "calls=1,rejected_calls=0,failed_calls=1");
    assert_eq!(counts("cmdstat_client|id"), "calls=1,rejected_calls=0,failed_calls=0");
    assert!(value(&info, "cmdstat_lpush").contains(",usec=0,usec_per_call=0.00,"));
    assert_eq!(value(&info, "errorstat_ERR"), "count=3");
    assert_eq!(value(&info, "total_error_replies"), "3");
    assert_eq!(value(&info, "total_commands_processed"), "5");
    assert!(!info.contains("cmdstat_rpush"));
}

#[test]
fn databases_with_keys_are_listed() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "INFO keyspace"), r##""# Keyspace\r\n""##);
    server.call(a, "RPUSH k 1");
    server.call(a, "RPUSH l 1");
    server.call(a, "SELECT 9");
    server.call(a, "RPUSH k 1");
    let info = server.call(a, "INFO keyspace");
    assert_eq!(value(&info, "db0"), "keys=2,expires=0,avg_ttl=0,keys_with_volatile_items=0");
    assert_eq!(value(&info, "db9"), "keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=0");
    let (value, now_ms) = (staywire::value::Value::Int(1), server.engine.now_ms());
    server.engine.store.insert(9, b"t", value.clone(), Some(now_ms + 1000));
    server.engine.store.insert(9, b"u", value, Some(now_ms + 3000));
    assert!(server.call(a, "INFO keyspace").contains("db9:keys=3,expires=2,avg_ttl=2000"));
}

#[test]
fn time_is_the_clocks() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "TIME"), r#"["1704067200", "0"]"#);
    server.clock.advance(Duration::from_micros(3_000_042));
    assert_eq!(server.call(a, "TIME"), r#"["1704067203", "42"]"#);
    assert_eq!(server.call(a, "TIME x"), "-ERR wrong number of arguments for 'time' command");
}

#[test]
fn shutdown_stops_without_a_reply() {
    for form in ["SHUTDOWN", "SHUTDOWN NOSAVE", "SHUTDOWN NOW", "shutdown now force nosave"] {
        let mut server = Harness::new();
        let a = server.connect();
        assert_eq!(server.call(a, form), "");
        assert!(server.engine.state.stopping && !server.is_open(a), "{form}");
    }
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "SHUTDOWN ABORT"), "-ERR No shutdown in progress.");
    server.engine.state.shutdown_asked = true;
    assert_eq!(server.call(a, "SHUTDOWN ABORT"), "+OK");
    assert_eq!(server.call(a, "SHUTDOWN ABORT"), "-ERR No shutdown in progress.");
    for wrong in ["foo", "ABORT NOW", "SAVE NOSAVE"] {
        assert_eq!(server.call(a, &format!("SHUTDOWN {wrong}")), "-ERR syntax error");
    }
    server.call(a, "MULTI");
    assert_eq!(server.call(a, "SHUTDOWN"), "-ERR Command not allowed inside a transaction");
    assert!(!server.engine.state.stopping);
}
