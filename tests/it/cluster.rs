//! A cluster of one.

use super::support::check_with;
use staywire::{state::config::Config, testkit::Harness};

/// A server that is one.
pub fn cluster() -> Harness {
    Harness::with(Config { cluster_enabled: true, enable_debug_command: 1, ..Config::default() }, 1)
}

pub const CROSS_SLOT: &str = "-CROSSSLOT Keys in request don't hash to the same slot";

#[test]
fn it_is_off_by_default() {
    let mut h = Harness::new();
    let disabled = "-ERR This instance has cluster support disabled";
    check_with(
        &mut h,
        &[
            ("CLUSTER INFO", disabled),
            ("CLUSTER KEYSLOT a", disabled),
            ("ASKING", disabled),
            ("READONLY", "+OK"),
            ("READWRITE", "+OK"),
            ("MSET a 1 b 2", "+OK"),
            ("SELECT 1", "+OK"),
        ],
    );
}

#[test]
fn the_node_owns_all_slots() {
    let mut h = cluster();
    let c = h.connect();
    let id = h.call(c, "CLUSTER MYID");
    let name = id.trim_matches('"').to_string();
    assert_eq!(name.len(), 40);
    assert_ne!(h.call(c, "CLUSTER MYSHARDID"), id);
    assert!(
        h.call(c, "CLUSTER INFO").starts_with(
            r#""cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\n"#
        )
    );
    assert!(h.call(c, "CLUSTER NODES").ends_with(r#" myself,master - 0 0 0 connected 0-16383\n""#));
    assert_eq!(h.call(c, "CLUSTER SLOTS"), format!("[[:0, :16383, [\"\", :0, {id}, []]]]"));
    assert!(h.call(c, "CLUSTER SHARDS").starts_with(r#"[["slots", [:0, :16383], "nodes", [["id", "#));
    assert_eq!(h.call(c, "CLUSTER LINKS"), "[]");
    assert_eq!(h.call(c, &format!("CLUSTER REPLICAS {name}")), "[]");
    assert_eq!(h.call(c, "CLUSTER REPLICAS x"), "-ERR Unknown node x");
    assert_eq!(h.call(c, "CLUSTER ADDSLOTS 5"), "-ERR Slot 5 is already busy");
    assert_eq!(h.call(c, "CLUSTER FAILOVER"), "-ERR You should send CLUSTER FAILOVER to a replica");
    assert_eq!(h.call(c, "CLUSTER FAILOVER x"), "-ERR syntax error");
    assert_eq!(h.call(c, "REPLICAOF 127.0.0.1 1"), "-ERR REPLICAOF not allowed in cluster mode.");
    assert!(h.call(c, "CLUSTER MEET 127.0.0.1 7000").starts_with("-ERR This node is a cluster of one"));
    assert!(h.call(c, "HELLO").contains(r#""mode", "cluster""#));
    assert!(h.call(c, "INFO cluster").contains("cluster_enabled:1"));
}

#[test]
fn clients_are_told_where_to_connect() {
    let config = Config {
        cluster_enabled: true,
        cluster_announce_ip: "10.0.0.1".into(),
        cluster_announce_hostname: "host.example".into(),
        cluster_announce_port: 7000,
        ..Config::default()
    };
    let mut h = Harness::with(config, 1);
    let c = h.connect();
    let id = h.call(c, "CLUSTER MYID");
    assert_eq!(
        h.call(c, "CLUSTER SLOTS"),
        format!(r#"[[:0, :16383, ["10.0.0.1", :7000, {id}, ["hostname", "host.example"]]]]"#)
    );
    assert!(h.call(c, "CLUSTER NODES").contains(" 10.0.0.1:7000@10000,host.example "));
    h.call(c, "CONFIG SET cluster-preferred-endpoint-type hostname");
    assert!(h.call(c, "CLUSTER SLOTS").contains(r#"["host.example", :7000"#));
    h.call(c, "CONFIG SET cluster-preferred-endpoint-type unknown-endpoint");
    assert!(h.call(c, "CLUSTER SLOTS").contains("[nil, :7000"));
}

#[test]
fn keys_of_a_call_belong_to_one_slot() {
    let mut h = cluster();
    check_with(
        &mut h,
        &[
            ("MSET a 1 b 2", CROSS_SLOT),
            ("MSET {t}a 1 {t}b 2", "+OK"),
            ("MGET {t}a {t}b x", CROSS_SLOT),
            ("RENAME {t}a b", CROSS_SLOT),
            ("BLPOP a b 0", CROSS_SLOT),
            ("XREAD STREAMS a b 0 0", CROSS_SLOT),
            ("SORT {t}l STORE x", CROSS_SLOT),
            ("SSUBSCRIBE a b", CROSS_SLOT),
            ("SPUBLISH a m", ":0"),
            ("PUBLISH a m", ":0"),
            ("SUBSCRIBE a b", "[\"subscribe\", \"a\", :1]\n[\"subscribe\", \"b\", :2]"),
            ("RESET", "+RESET"),
            (
                "SORT l BY w*",
                "-ERR BY option of SORT denied in Cluster mode when keys formed by the pattern may be in different slots.",
            ),
            (
                "SORT l GET l*",
                "-ERR GET option of SORT denied in Cluster mode when keys formed by the pattern may be in different slots.",
            ),
            ("SORT {l} BY w{l}* GET # GET x{l}*", "[]"),
            ("SELECT 0", "+OK"),
            ("SELECT 1", "-ERR SELECT is not allowed in cluster mode"),
            ("SWAPDB 0 1", "-ERR SWAPDB is not allowed in cluster mode"),
            ("MOVE a 1", "-ERR MOVE is not allowed in cluster mode"),
            ("COPY {t}a {t}b DB 1", "-ERR DB index is out of range"),
            ("CONFIG GET databases", r#"["databases", "1"]"#),
        ],
    );
}

#[test]
fn keys_of_a_transaction_belong_to_one_slot() {
    let mut h = cluster();
    check_with(
        &mut h,
        &[
            ("MULTI", "+OK"),
            ("SET a 1", "+QUEUED"),
            ("SET b 1", "+QUEUED"),
            ("EXEC", CROSS_SLOT),
            ("EXEC", "-ERR EXEC without MULTI"),
            ("MULTI", "+OK"),
            ("MSET a 1 b 1", CROSS_SLOT),
            ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
            ("MULTI", "+OK"),
            ("SET {t}a 1", "+QUEUED"),
            ("PING", "+QUEUED"),
            ("GET {t}a", "+QUEUED"),
            ("EXEC", r#"[+OK, +PONG, "1"]"#),
        ],
    );
}

#[test]
fn slots_have_keys() {
    let mut h = cluster();
    check_with(
        &mut h,
        &[
            ("CLUSTER KEYSLOT foo", ":12182"),
            ("CLUSTER KEYSLOT x{foo}y", ":12182"),
            ("MSET {foo}1 a {foo}2 b", "+OK"),
            ("SET bar 1", "+OK"),
            ("CLUSTER COUNTKEYSINSLOT 12182", ":2"),
            ("CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot"),
            ("CLUSTER COUNTKEYSINSLOT x", "-ERR value is not an integer or out of range"),
            ("CLUSTER GETKEYSINSLOT 5061 10", r#"["bar"]"#),
            ("CLUSTER GETKEYSINSLOT 12182 0", "[]"),
            ("CLUSTER GETKEYSINSLOT 12182 -1", "-ERR Invalid slot or number of keys"),
            (
                "CLUSTER SLOT-STATS SLOTSRANGE 12181 12182",
                r#"[[:12181, ["key-count", :0]], [:12182, ["key-count", :2]]]"#,
            ),
            (
                "CLUSTER SLOT-STATS SLOTSRANGE 2 1",
                "-ERR Start slot number 2 is greater than end slot number 1",
            ),
            ("CLUSTER SLOT-STATS SLOTSRANGE 0 16384", "-ERR Invalid or out of range slot"),
            (
                "CLUSTER SLOT-STATS ORDERBY key-count LIMIT 2",
                r#"[[:12182, ["key-count", :2]], [:5061, ["key-count", :1]]]"#,
            ),
            ("CLUSTER SLOT-STATS ORDERBY key-count ASC LIMIT 1", r#"[[:0, ["key-count", :0]]]"#),
            (
                "CLUSTER SLOT-STATS ORDERBY key-count ASC DESC",
                "-ERR Multiple filters of the same type are disallowed.",
            ),
            (
                "CLUSTER SLOT-STATS ORDERBY key-count LIMIT 0",
                "-ERR Limit has to lie in between 1 and 16384 (maximum number of slots).",
            ),
            ("CLUSTER SLOT-STATS ORDERBY cpu-usec", "-ERR Unrecognized sort metric for ORDERBY."),
            (
                "CLUSTER SLOT-STATS foo bar",
                "-ERR unknown subcommand or wrong number of arguments for 'SLOT-STATS'. Try CLUSTER HELP.",
            ),
        ],
    );
}

#[cfg(feature = "scripting")]
#[test]
fn scripts_keep_to_one_slot() {
    let mut h = cluster();
    let c = h.connect();
    let mut starts = |script: &str, keys: &str, wanted: &str| {
        let args: Vec<&[u8]> =
            ["EVAL", script].into_iter().chain(keys.split(' ')).map(str::as_bytes).collect();
        let reply = h.call_args(c, &args);
        assert!(reply.starts_with(wanted), "{script}: {reply}");
    };
    starts("return 1", "2 a b", CROSS_SLOT);
    starts("return redis.call('get', 'a')", "1 b", "nil");
    let command = "-ERR Command 'mget' in script attempted to access keys that don't hash to the same slot";
    starts("return redis.call('mget', 'a', 'b')", "0", command);
    let elsewhere = "-ERR Script attempted to access keys that do not hash to the same slot";
    starts("#!lua\nreturn redis.call('get', 'a')", "1 b", elsewhere);
    let not_here = "-ERR Can not run script on cluster, 'no-cluster' flag is set.";
    starts("#!lua flags=no-cluster\nreturn 1", "0", not_here);
    starts("#!lua\nredis.call('get', 'a') return redis.call('get', 'b')", "0", elsewhere);
    starts(
        "#!lua flags=allow-cross-slot-keys\nredis.call('get', 'a') return redis.call('get', 'b')",
        "0",
        "nil",
    );
}

#[test]
fn scripts_may_refuse_to_run_in_a_cluster() {
    let refused = "-ERR Can not run script on cluster, 'no-cluster' flag is set.";
    let mut h = cluster();
    let c = h.connect();
    let library = "#!lua name=l\nserver.register_function{function_name='f', callback=function() return 1 end, flags={'no-cluster'}}";
    assert_eq!(h.call_args(c, &[b"FUNCTION", b"LOAD", library.as_bytes()]), r#""l""#);
    check_with(
        &mut h,
        &[
            ("FCALL f 0", refused),
            ("EVAL '#!lua flags=no-cluster\nreturn 1' 0", refused),
            ("EVAL '#!lua\nreturn 1' 0", ":1"),
            ("EVAL 'return 1' 0", ":1"),
        ],
    );
}

/// A cluster that tells what its slots cost.
fn with_slot_stats() -> Harness {
    let mut h = cluster();
    let c = h.connect();
    assert_eq!(h.call(c, "CONFIG SET cluster-slot-stats-enabled yes"), "+OK");
    h
}

/// Compares what the slots of `a` and `foo` cost: keys, bytes received and sent.
#[track_caller]
fn check_costs(h: &mut Harness, of_a: [u32; 3], of_foo: [u32; 3]) {
    let c = h.connect();
    for (slot, [keys, received, sent]) in [(15495, of_a), (12182, of_foo)] {
        let wanted = format!(
            r#"[[:{slot}, ["key-count", :{keys}, "cpu-usec", :0, "network-bytes-in", :{received}, "network-bytes-out", :{sent}]]]"#
        );
        assert_eq!(h.call(c, &format!("CLUSTER SLOT-STATS SLOTSRANGE {slot} {slot}")), wanted);
    }
    assert_eq!(h.call(c, "CONFIG RESETSTAT"), "+OK");
    let rest = h.call(c, "CLUSTER SLOT-STATS ORDERBY network-bytes-in LIMIT 1");
    assert!(rest.starts_with("[[:0, "), "{rest}");
}

#[test]
fn a_slot_bears_what_its_commands_take_of_the_wire() {
    let mut h = with_slot_stats();
    let c = h.connect();
    // Whole commands as they came, and their replies.
    h.call_args(c, &[b"SET", b"a", b"1"]);
    h.call_args(c, &[b"GET", b"foo"]);
    check_costs(&mut h, [1, 27, 5], [0, 22, 5]);
    h.send_bytes(c, b"SET  'a'   1\r\n");
    check_costs(&mut h, [1, 9, 5], [0, 0, 0]);
    // What fails, too, unless that was known before its slot; and of what a gate behind that refuses, the request.
    h.call_args(c, &[b"LPUSH", b"a", b"1"]);
    h.call_args(c, &[b"GET", b"a", b"foo"]);
    h.call_args(c, &[b"MGET", b"a", b"foo"]);
    h.call(c, "CONFIG SET min-replicas-to-write 1");
    h.call_args(c, &[b"SET", b"foo", b"1"]);
    h.call(c, "CONFIG SET min-replicas-to-write 0");
    check_costs(&mut h, [1, 29, 68], [0, 29, 0]);
    // Nobody's.
    h.call_args(c, &[b"PING"]);
    h.call_args(c, &[b"INFO"]);
    h.call_args(c, &[b"PUBLISH", b"a", b"m"]);
    check_costs(&mut h, [1, 0, 0], [0, 0, 0]);
    h.call_args(c, &[b"CLIENT", b"REPLY", b"SKIP"]);
    h.send_args(c, &[b"GET", b"a"]);
    check_costs(&mut h, [1, 20, 0], [0, 0, 0]);
}

#[test]
fn a_slot_bears_transactions_and_waits_and_messages() {
    let mut h = with_slot_stats();
    let (c, other) = (h.connect(), h.connect());
    for line in [&[b"MULTI".as_slice()] as &[&[u8]], &[b"SET", b"a", b"1"], &[b"GET", b"a"], &[b"EXEC"]] {
        h.call_args(c, line);
    }
    // After each command all that was replied so far counts.
    check_costs(&mut h, [1, 15 + 27 + 20 + 14, 9 + 16 + 16], [0, 0, 0]);
    h.send_args(c, &[b"BLPOP", b"foo", b"0"]);
    check_costs(&mut h, [1, 0, 0], [0, 0, 0]);
    h.call_args(other, &[b"LPUSH", b"foo", b"value"]);
    check_costs(&mut h, [1, 0, 0], [0, 31 + 35, 24 + 4]);
    h.receive(c);
    // A wait in vain takes nothing but time.
    h.send_args(c, &[b"BLPOP", b"foo", b"1"]);
    h.advance(std::time::Duration::from_secs(2));
    assert_eq!(h.receive(c), "nil-array");
    check_costs(&mut h, [1, 0, 0], [0, 0, 0]);
    h.call_args(c, &[b"SSUBSCRIBE", b"foo"]);
    check_costs(&mut h, [1, 0, 0], [0, 30, 34]);
    h.call_args(other, &[b"SPUBLISH", b"foo", b"hello"]);
    check_costs(&mut h, [1, 0, 0], [0, 38, 4 + 38]);
}

#[cfg(feature = "scripting")]
#[test]
fn a_slot_bears_scripts_that_keep_to_it() {
    let mut h = with_slot_stats();
    let c = h.connect();
    // What the script was replied counts, and what it replied.
    h.call_args(c, &[b"EVAL", b"#!lua\nreturn redis.call('set','a',1)", b"0"]);
    check_costs(&mut h, [1, 64, 5 + 5], [0, 0, 0]);
    // One that may cross slots belongs to none once it called something.
    h.call_args(c, &[b"EVAL", b"return redis.call('set','a',1)", b"1", b"a"]);
    h.call_args(c, &[b"EVAL", b"return 1", b"1", b"foo"]);
    check_costs(&mut h, [1, 0, 5], [0, 44, 4]);
}

#[test]
fn a_slot_bears_the_time_of_its_commands() {
    let mut h = with_slot_stats();
    check_with(
        &mut h,
        &[
            ("MULTI", "+OK"),
            ("GET a", "+QUEUED"),
            ("DEBUG SLEEP 0.25", "+QUEUED"),
            ("EXEC", "[nil, +OK]"),
            (
                "CLUSTER SLOT-STATS ORDERBY cpu-usec LIMIT 1",
                r#"[[:15495, ["key-count", :0, "cpu-usec", :250000, "network-bytes-in", :49, "network-bytes-out", :37]]]"#,
            ),
        ],
    );
}

#[test]
fn what_slots_cost_is_forgotten_with_them_and_when_nobody_asks() {
    let mut h = with_slot_stats();
    let c = h.connect();
    h.call(c, "CONFIG SET cluster-require-full-coverage no");
    h.call(c, "GET a");
    h.call(c, "GET foo");
    h.call(c, "CLUSTER DELSLOTS 12182");
    h.call(c, "CLUSTER ADDSLOTS 12182");
    check_costs(&mut h, [0, 20, 5], [0, 0, 0]);
    h.call(c, "GET a");
    h.call(c, "CONFIG SET cluster-slot-stats-enabled no");
    assert!(h.engine.state.slot_stats.is_none());
    assert_eq!(
        h.call(c, "CLUSTER SLOT-STATS ORDERBY network-bytes-in"),
        "-ERR Unrecognized sort metric for ORDERBY."
    );
    h.call(c, "CONFIG SET cluster-slot-stats-enabled yes");
    check_costs(&mut h, [0, 0, 0], [0, 0, 0]);
    let mut alone = Harness::new();
    let c = alone.connect();
    assert_eq!(alone.call(c, "CONFIG SET cluster-slot-stats-enabled yes"), "+OK");
    assert!(alone.engine.state.slot_stats.is_none());
}
