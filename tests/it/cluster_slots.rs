//! Slots of a cluster of one that it owns or not.

use super::{
    cluster::{CROSS_SLOT, cluster},
    support::check_with,
};

const DOWN: &str = "-CLUSTERDOWN The cluster is down";
const NO_OWNER: &str = "-CLUSTERDOWN Hash slot not served";

#[test]
fn a_slot_without_owner_takes_the_cluster_down() {
    let mut h = cluster();
    let c = h.connect();
    assert_eq!(h.call(c, "MSET {foo}a 1 {foo}b 2"), "+OK");
    check_with(
        &mut h,
        &[
            ("CLUSTER DELSLOTS 12182 x", "-ERR Invalid or out of range slot"),
            ("CLUSTER DELSLOTS 12182 12182", "-ERR Slot 12182 specified multiple times"),
            ("CLUSTER DELSLOTSRANGE 2 1", "-ERR start slot number 2 is greater than end slot number 1"),
            ("GET {foo}a", "\"1\""),
            ("CLUSTER DELSLOTS 12182", "+OK"),
            ("CLUSTER DELSLOTSRANGE 12180 12182", "-ERR Slot 12182 is already unassigned"),
            ("GET {foo}a", NO_OWNER),
            ("MGET {foo}a x", NO_OWNER),
            ("MGET x {foo}a", CROSS_SLOT),
            ("GET x", DOWN),
            ("PING", "+PONG"),
            ("MULTI", "+OK"),
            ("GET x", DOWN),
            ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
            ("SPUBLISH x m", ":0"),
            ("CONFIG SET cluster-allow-pubsubshard-when-down no cluster-allow-reads-when-down yes", "+OK"),
            ("SPUBLISH x m", DOWN),
            ("GET x", "nil"),
            ("SET x 1", "-CLUSTERDOWN The cluster is down and only accepts read commands"),
            ("CONFIG SET cluster-require-full-coverage no", "+OK"),
            ("SET x 1", "+OK"),
            ("GET {foo}a", NO_OWNER),
            ("CLUSTER ADDSLOTSRANGE 12182 12182", "+OK"),
            ("MGET {foo}a {foo}b", "[\"1\", \"2\"]"),
        ],
    );
}

#[test]
fn what_the_node_owns_is_told_by_ranges() {
    let mut h = cluster();
    let c = h.connect();
    assert_eq!(h.call(c, "CLUSTER DELSLOTSRANGE 1 9 11 16380"), "+OK");
    let id = h.call(c, "CLUSTER MYID");
    assert!(h.call(c, "CLUSTER NODES").ends_with(r#" connected 0 10 16381-16383\n""#));
    let node = format!(r#"["", :0, {id}, []]"#);
    assert_eq!(
        h.call(c, "CLUSTER SLOTS"),
        format!("[[:0, :0, {node}], [:10, :10, {node}], [:16381, :16383, {node}]]")
    );
    assert!(
        h.call(c, "CLUSTER SHARDS").starts_with(r#"[["slots", [:0, :0, :10, :10, :16381, :16383], "nodes""#)
    );
    assert!(
        h.call(c, "CLUSTER INFO")
            .starts_with(r#""cluster_state:fail\r\ncluster_slots_assigned:5\r\ncluster_slots_ok:5\r\n"#)
    );
    assert_eq!(h.call(c, "CLUSTER SLOT-STATS SLOTSRANGE 8 11"), r#"[[:10, ["key-count", :0]]]"#);
    assert_eq!(h.call(c, "CLUSTER FLUSHSLOTS"), "+OK");
    assert_eq!(h.call(c, "CLUSTER SLOTS"), "[]");
    assert_eq!(h.call(c, "CLUSTER SLOT-STATS ORDERBY key-count"), "[]");
}

#[test]
fn a_reset_and_its_epoch() {
    let mut h = cluster();
    let c = h.connect();
    let id = h.call(c, "CLUSTER MYID");
    check_with(
        &mut h,
        &[
            ("CLUSTER SET-CONFIG-EPOCH -1", "-ERR Invalid config epoch specified: -1"),
            ("CLUSTER BUMPEPOCH", "+BUMPED 1"),
            ("CLUSTER BUMPEPOCH", "+STILL 1"),
            ("CLUSTER SET-CONFIG-EPOCH 9", "-ERR Node config epoch is already non-zero"),
            ("SET a 1", "+OK"),
            ("CLUSTER FLUSHSLOTS", "-ERR DB must be empty to perform CLUSTER FLUSHSLOTS."),
            ("CLUSTER RESET", "-ERR CLUSTER RESET can't be called with master nodes containing keys"),
            ("CLUSTER RESET firm", "-ERR syntax error"),
            ("FLUSHALL", "+OK"),
            ("CLUSTER RESET SOFT", "+OK"),
            ("CLUSTER BUMPEPOCH", "+STILL 1"),
        ],
    );
    assert_eq!(h.call(c, "CLUSTER MYID"), id);
    assert_eq!(h.call(c, "CLUSTER RESET HARD"), "+OK");
    assert_ne!(h.call(c, "CLUSTER MYID"), id);
    assert_eq!(h.call(c, "CLUSTER SET-CONFIG-EPOCH 9"), "+OK");
    assert!(h.call(c, "CLUSTER NODES").ends_with(r#" 0 0 9 connected\n""#));
}

#[test]
fn who_waits_for_a_slot_or_hears_it_is_told_that_it_is_lost() {
    let mut h = cluster();
    let (admin, waits, stays, hears) = (h.connect(), h.connect(), h.connect(), h.connect());
    assert_eq!(h.call(admin, "CONFIG SET cluster-require-full-coverage no"), "+OK");
    h.send(waits, "BLPOP foo 0");
    h.send(stays, "BLPOP x 0");
    h.call(hears, "SSUBSCRIBE foo {foo}b");
    h.call(hears, "SSUBSCRIBE x");
    h.call(hears, "SUBSCRIBE foo");
    assert_eq!(h.call(admin, "CLUSTER DELSLOTS 12182"), "+OK");
    assert_eq!(h.receive(waits), NO_OWNER);
    let mut lost: Vec<String> = h.receive(hears).lines().map(String::from).collect();
    lost.sort();
    assert!(lost[0].starts_with(r#"["sunsubscribe", "foo", :"#), "{lost:?}");
    assert!(lost[1].starts_with(r#"["sunsubscribe", "{foo}b", :"#), "{lost:?}");
    assert_eq!(lost.len(), 2);
    assert_eq!(h.call(admin, "PUBSUB SHARDCHANNELS"), r#"["x"]"#);
    assert_eq!(h.call(admin, "PUBSUB CHANNELS"), r#"["foo"]"#);
    assert_eq!(h.call(admin, "RPUSH x 1"), ":1");
    assert_eq!(h.receive(stays), r#"["x", "1"]"#);
}

#[test]
fn programs_are_told_what_is_not_served() {
    let mut h = cluster();
    let c = h.connect();
    let mut run = |line: &str| h.call(c, line);
    assert_eq!(run("CLUSTER DELSLOTS 12182"), "+OK");
    assert!(
        run("EVAL \"return redis.call('get', 'foo')\" 0").contains("attempted to access a slot not served")
    );
    assert!(run("EVAL \"return redis.call('get', 'x')\" 0").contains("a command while the cluster is down"));
    assert_eq!(run("EVAL \"return 1\" 1 foo"), NO_OWNER);
    assert_eq!(run("CONFIG SET cluster-allow-reads-when-down yes"), "+OK");
    assert_eq!(run("EVAL \"return redis.call('get', 'x')\" 0"), "nil");
    assert!(
        run("EVAL \"return redis.call('set', 'x', 1)\" 0").contains("while the cluster is down and readonly")
    );
}
