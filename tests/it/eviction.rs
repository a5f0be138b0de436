//! `maxmemory` and `maxmemory-clients`.

use crate::support::info;
use staywire::testkit::Harness;
use std::time::Duration;

const MIB: usize = 1 << 20;
const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.";

fn fill(h: &mut Harness, client: usize, prefix: &str, keys: usize, bytes: usize, rest: &str) {
    let value = "x".repeat(bytes);
    for n in 0..keys {
        h.call(client, &format!("SET {prefix}:{n} {value} {rest}"));
    }
}

#[test]
fn memory_stays_near_its_limit_by_every_policy() {
    for policy in [
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
    ] {
        let mut h = Harness::new();
        let c = h.connect();
        h.call(c, &format!("CONFIG SET maxmemory 2mb maxmemory-policy {policy}"));
        for n in 0..10_000 {
            let value = "v".repeat(1000);
            assert_eq!(h.call(c, &format!("SET key:{n} {value} EX {}", 1000 + n)), "+OK", "{policy}");
            assert!(h.engine.used_memory() <= 2 * MIB + 2 * MIB / 20, "{policy}");
        }
        assert!(h.engine.store.len(0) > 1000, "{policy}");
        let evicted: usize = info(&mut h, c, "evicted_keys").parse().expect("a number");
        assert_eq!(evicted + h.engine.store.len(0), 10_000, "{policy}");
        assert_eq!(info(&mut h, c, "total_eviction_exceeded_time"), "0");
    }
}

#[test]
fn volatile_policies_never_touch_what_stays_for_ever() {
    for policy in ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"] {
        let mut h = Harness::new();
        let c = h.connect();
        h.call(c, &format!("CONFIG SET maxmemory-policy {policy}"));
        fill(&mut h, c, "stays", 500, 1000, "");
        h.call(c, "HSET hash f v");
        h.call(c, "HEXPIRE hash 1000 FIELDS 1 f");
        fill(&mut h, c, "goes", 500, 1000, "EX 1000");
        let max = h.engine.used_memory() + 1000;
        h.call(c, &format!("CONFIG SET maxmemory {max}"));
        // The last one finds nothing to put out any more.
        let value = "y".repeat(1000);
        let full =
            (0..1000).find(|n| h.call(c, &format!("SET more:{n} {value}")) == OOM).expect("it gets full");
        assert!((490..=510).contains(&full), "{policy}: {full}");
        assert_eq!(h.call(c, "EXISTS hash"), ":1");
        assert_eq!(h.engine.store.len(0), 501 + full, "{policy}");
    }
}

#[test]
fn without_eviction_writes_are_refused_and_all_else_goes_on() {
    let mut h = Harness::new();
    let c = h.connect();
    fill(&mut h, c, "k", 10, 100, "");
    h.call(c, "RPUSH list a b c");
    h.call(c, "CONFIG SET maxmemory 1");
    for (line, wanted) in [
        ("SET a b", OOM),
        ("LPUSH list x", OOM),
        ("GET nosuch", "nil"),
        ("LPOP list", "\"a\""),
        ("DEL k:0", ":1"),
        ("EXPIRE k:1 100", ":1"),
        ("MULTI", "+OK"),
        ("GET nosuch", "+QUEUED"),
        ("EXEC", "[nil]"),
        ("MULTI", "+OK"),
        ("GET nosuch", "+QUEUED"),
        ("SET a b", OOM),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("MULTI", "+OK"),
        ("DISCARD", "+OK"),
        ("EVAL \"#!lua\nreturn 1\" 0", OOM),
        ("EVAL \"#!lua flags=allow-oom\nreturn 1\" 0", ":1"),
        ("EVAL \"#!lua flags=no-writes\nreturn 1\" 0", ":1"),
        ("EVAL \"return 1\" 0", ":1"),
        ("MULTI", "+OK"),
        ("EVAL \"#!lua\nreturn 1\" 0", OOM),
        ("DISCARD", "+OK"),
        ("CONFIG SET maxmemory 0", "+OK"),
        ("MULTI", "+OK"),
        ("SET a b", "+QUEUED"),
        ("PING", "+QUEUED"),
    ] {
        assert_eq!(h.call(c, line), wanted, "{line}");
    }
    let other = h.connect();
    h.call(other, "CONFIG SET maxmemory 1");
    assert_eq!(
        h.call(c, "EXEC"),
        "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'."
    );
    h.call(other, "CONFIG SET maxmemory 0");
    assert_eq!(h.call(c, "SET a b"), "+OK");
}

#[test]
fn evictions_are_told() {
    let mut h = Harness::new();
    let (c, listener) = (h.connect(), h.connect());
    h.call(c, "CONFIG SET notify-keyspace-events Ee maxmemory-policy allkeys-random");
    h.call(listener, "SUBSCRIBE __keyevent@0__:evicted");
    h.call(c, "SET k v");
    h.call(c, "CONFIG SET maxmemory 1");
    // Memory is looked at before the command, which so finds nothing.
    assert_eq!(h.call(c, "GET k"), "nil");
    assert_eq!(h.receive(listener), r#"["message", "__keyevent@0__:evicted", "k"]"#);
    assert_eq!(info(&mut h, c, "evicted_keys"), "1");
}

#[test]
fn a_pause_keeps_what_would_be_evicted() {
    let mut h = Harness::new();
    let (c, other) = (h.connect(), h.connect());
    h.call(c, "SET k v");
    h.call(c, "CONFIG SET maxmemory-policy allkeys-lru");
    h.call(other, "CLIENT PAUSE 1000 WRITE");
    h.call(c, "CONFIG SET maxmemory 1");
    assert_eq!(h.call(c, "GET k"), "\"v\"");
    h.advance(Duration::from_millis(1001));
    assert_eq!(h.call(c, "GET k"), "nil");
}

#[test]
fn collections_make_room_too() {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "CONFIG SET maxmemory-policy allkeys-lru");
    for n in 0..20_000 {
        h.call(c, &format!("RPUSH list {n:0100}"));
    }
    let used = h.engine.used_memory();
    h.call(c, &format!("CONFIG SET maxmemory {}", used / 2));
    h.call(c, "PING");
    assert_eq!(h.call(c, "EXISTS list"), ":0");
    assert!(h.engine.used_memory() < used / 2);
}

#[test]
fn the_largest_clients_go_first() {
    let mut h = Harness::new();
    let (c, small, large, spared) = (h.connect(), h.connect(), h.connect(), h.connect());
    h.call(spared, "CLIENT NO-EVICT on");
    for (client, kib) in [(small, 100), (large, 400), (spared, 800)] {
        let part = format!("*2\r\n$3\r\nGET\r\n${}\r\n{}", kib << 10, "x".repeat(kib << 10));
        h.send_bytes(client, part.as_bytes());
    }
    assert!(!h.engine.evict_clients());
    assert_eq!(h.call(c, "DEBUG CLIENT-EVICTION"), "-ERR maxmemory-clients is disabled.");
    h.call(c, "CONFIG SET maxmemory-clients 1mb");
    assert!(h.engine.evict_clients());
    assert!(h.engine.is_done(large) && !h.engine.is_done(small) && !h.engine.is_done(spared));
    assert_eq!(info(&mut h, c, "evicted_clients"), "1");
    assert!(h.call(c, "DEBUG CLIENT-EVICTION").contains("clients: 1"));
    h.disconnect(large);
    assert!(!h.engine.evict_clients());
    // A share of `maxmemory`.
    h.call(c, "CONFIG SET maxmemory 100mb maxmemory-clients 50%");
    assert!(!h.engine.evict_clients());
    h.call(c, "CONFIG SET maxmemory-clients 1%");
    assert!(!h.engine.evict_clients());
    h.call(c, "CONFIG SET maxmemory 50mb");
    assert!(h.engine.evict_clients());
    assert!(h.engine.is_done(small) && !h.engine.is_done(spared));
}

#[test]
fn what_is_not_written_yet_counts_when_the_next_client_is_served() {
    let mut h = Harness::new();
    let (c, greedy) = (h.connect(), h.connect());
    h.call(c, &format!("SET k {}", "x".repeat(500_000)));
    h.call(c, "CONFIG SET maxmemory-clients 1mb");
    for _ in 0..3 {
        h.engine.feed(greedy, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    }
    assert_eq!(h.call(c, "PING"), "+PONG");
    assert!(!h.is_open(greedy));
}

#[test]
fn an_argument_counts_as_soon_as_its_length_is_known() {
    let mut h = Harness::new();
    let (c, client) = (h.connect(), h.connect());
    h.call(c, "CONFIG SET maxmemory-clients 1mb");
    let used = h.engine.used_memory();
    h.send_bytes(client, b"*2\r\n$3\r\nGET\r\n$900000\r\n");
    assert!(h.engine.used_memory() < used + 10_000, "keys do not go for it");
    assert!(!h.engine.evict_clients());
    let list = h.call(c, "CLIENT LIST ID 2");
    let memory = list.split(' ').find_map(|field| field.strip_prefix("tot-mem=")).expect("it is there");
    assert!((900_000..910_000).contains(&memory.parse().expect("a number")));
    h.send_bytes(client, &[vec![b'k'; 900_000], b"\r\n".to_vec()].concat());
    assert_eq!(h.receive(client), "nil");
    h.send_bytes(client, b"*2\r\n$3\r\nGET\r\n$1100000\r\nk");
    assert!(h.engine.evict_clients() && h.engine.is_done(client));
    assert!(!h.engine.evict_clients());
}

#[test]
fn monitors_go_like_others_and_of_equal_clients_the_oldest() {
    let mut h = Harness::new();
    let (c, monitor) = (h.connect(), h.connect());
    h.call(c, "CONFIG SET maxmemory-clients 1mb");
    h.call(monitor, "MONITOR");
    h.send_bytes(monitor, b"*2\r\n$3\r\nGET\r\n$1100000\r\n");
    assert!(h.engine.evict_clients());
    assert!(h.engine.is_done(monitor) && !h.engine.is_done(c));
    assert_eq!(info(&mut h, c, "evicted_clients"), "1");
    let waiting: Vec<_> = (0..4).map(|_| h.connect()).collect();
    h.disconnect(monitor);
    for &client in &waiting {
        h.send_bytes(client, b"*2\r\n$3\r\nGET\r\n$300000\r\n");
    }
    h.engine.evict_clients();
    let done: Vec<_> = waiting.iter().map(|&client| h.engine.is_done(client)).collect();
    assert_eq!(done, [true, false, false, false]);
}

#[test]
fn who_watches_or_caches_a_key_that_goes_is_told() {
    let mut h = Harness::new();
    let (c, watcher, cacher) = (h.connect(), h.connect(), h.connect());
    h.call(c, "SET k v");
    h.call(watcher, "WATCH k");
    h.call(cacher, "HELLO 3");
    h.call(cacher, "CLIENT TRACKING on");
    h.call(cacher, "GET k");
    h.call(c, "CONFIG SET maxmemory-policy allkeys-lru maxmemory 1");
    assert_eq!(h.call(c, "EXISTS k"), ":0");
    assert_eq!(h.receive(cacher), r#">["invalidate", ["k"]]"#);
    h.call(c, "CONFIG SET maxmemory 0");
    h.call(watcher, "MULTI");
    h.call(watcher, "PING");
    assert_eq!(h.call(watcher, "EXEC"), "nil-array");
}
