//! Groups of consumers: what they are delivered, what is pending, and when a wait ends with its key.

use crate::support::{check, check_with, events_of};
use staywire::{base::rng::Rng, testkit::Harness};
use std::{collections::BTreeSet, time::Duration};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const GONE: &str = "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";

/// A stream with three entries and a group that read none.
const THREE: &[(&str, &str)] = &[
    ("XADD s 1-0 a 1", r#""1-0""#),
    ("XADD s 2-0 a 2", r#""2-0""#),
    ("XADD s 3-0 a 3", r#""3-0""#),
    ("XGROUP CREATE s g 0", "+OK"),
];

fn with_three(lines: &[(&str, &str)]) {
    check(&[THREE, lines].concat());
}

#[test]
fn each_entry_goes_to_one_consumer() {
    with_three(&[
        ("XREADGROUP GROUP g alice COUNT 1 STREAMS s >", r#"[["s", [["1-0", ["a", "1"]]]]]"#),
        ("XREADGROUP GROUP g bob STREAMS s >", r#"[["s", [["2-0", ["a", "2"]], ["3-0", ["a", "3"]]]]]"#),
        ("XREADGROUP GROUP g bob STREAMS s >", "nil-array"),
        ("XREADGROUP GROUP g alice STREAMS s 0", r#"[["s", [["1-0", ["a", "1"]]]]]"#),
        ("XREADGROUP GROUP g bob STREAMS s 2-0", r#"[["s", [["3-0", ["a", "3"]]]]]"#),
        ("XPENDING s g", r#"[:3, "1-0", "3-0", [["alice", "1"], ["bob", "2"]]]"#),
        (
            "XPENDING s g - + 10",
            r#"[["1-0", "alice", :0, :2], ["2-0", "bob", :0, :1], ["3-0", "bob", :0, :2]]"#,
        ),
        ("XPENDING s g (1-0 + 1 bob", r#"[["2-0", "bob", :0, :1]]"#),
        ("XPENDING s g - + 10 nobody", "[]"),
        ("XACK s g 2-0 2-0 9-9", ":1"),
        ("XACK s none 2-0", ":0"),
        ("XDEL s 3-0", ":1"),
        ("XREADGROUP GROUP g bob STREAMS s 0", r#"[["s", [["3-0", nil-array]]]]"#),
        ("XGROUP DELCONSUMER s g bob", ":1"),
        ("XPENDING s g", r#"[:1, "1-0", "1-0", [["alice", "1"]]]"#),
        ("XGROUP SETID s g 0", "+OK"),
        ("XREADGROUP GROUP g carol STREAMS s >", r#"[["s", [["1-0", ["a", "1"]], ["2-0", ["a", "2"]]]]]"#),
        ("XPENDING s g", r#"[:2, "1-0", "2-0", [["carol", "2"]]]"#),
        (
            "XREADGROUP GROUP none c STREAMS s >",
            "-NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option",
        ),
        (
            "XREADGROUP GROUP g c STREAMS s $",
            "-ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
        ),
    ]);
}

#[test]
fn claims() {
    let mut server = Harness::new();
    check_with(&mut server, THREE);
    check_with(
        &mut server,
        &[(
            "XREADGROUP GROUP g alice STREAMS s >",
            r#"[["s", [["1-0", ["a", "1"]], ["2-0", ["a", "2"]], ["3-0", ["a", "3"]]]]]"#,
        )],
    );
    server.advance(Duration::from_millis(100));
    check_with(
        &mut server,
        &[
            ("XCLAIM s g bob 101 1-0", "[]"),
            ("XCLAIM s g bob 100 1-0 9-9", r#"[["1-0", ["a", "1"]]]"#),
            ("XCLAIM s g bob 0 2-0 JUSTID", r#"["2-0"]"#),
            ("XPENDING s g IDLE 100 - + 10", r#"[["3-0", "alice", :100, :1]]"#),
            ("XPENDING s g - + 10 bob", r#"[["1-0", "bob", :0, :2], ["2-0", "bob", :0, :1]]"#),
            ("XCLAIM s g bob 0 3-0 IDLE 50 RETRYCOUNT 7", r#"[["3-0", ["a", "3"]]]"#),
            ("XPENDING s g 3-0 3-0 1", r#"[["3-0", "bob", :50, :7]]"#),
            ("XACK s g 1-0", ":1"),
            ("XCLAIM s g carol 0 1-0", "[]"),
            ("XCLAIM s g carol 0 1-0 FORCE JUSTID LASTID 2-0", r#"["1-0"]"#),
            ("XDEL s 2-0", ":1"),
            ("XCLAIM s g carol 0 2-0", "[]"),
            ("XPENDING s g", r#"[:2, "1-0", "3-0", [["bob", "1"], ["carol", "1"]]]"#),
            ("XCLAIM s g carol 0 1-0 BOGUS", "-ERR Unrecognized XCLAIM option 'BOGUS'"),
            ("XCLAIM s g carol x 1-0", "-ERR Invalid min-idle-time argument for XCLAIM"),
            ("XCLAIM s none carol 0 1-0", "-NOGROUP No such key 's' or consumer group 'none'"),
            ("XAUTOCLAIM s g dave 0 - COUNT 1", r#"["3-0", [["1-0", ["a", "1"]]], []]"#),
            ("XDEL s 3-0", ":1"),
            ("XAUTOCLAIM s g dave 0 (1-0 JUSTID", r#"["0-0", [], ["3-0"]]"#),
            ("XAUTOCLAIM s g dave 0 0 COUNT 0", "-ERR COUNT must be > 0"),
        ],
    );
}

#[test]
fn what_is_known_of_a_stream() {
    with_three(&[
        ("XREADGROUP GROUP g alice COUNT 1 STREAMS s >", r#"[["s", [["1-0", ["a", "1"]]]]]"#),
        (
            "XINFO STREAM s",
            r#"["length", :3, "radix-tree-keys", :1, "radix-tree-nodes", :2, "last-generated-id", "3-0", "max-deleted-entry-id", "0-0", "entries-added", :3, "recorded-first-entry-id", "1-0", "groups", :1, "first-entry", ["1-0", ["a", "1"]], "last-entry", ["3-0", ["a", "3"]]]"#,
        ),
        (
            "XINFO GROUPS s",
            r#"[["name", "g", "consumers", :1, "pending", :1, "last-delivered-id", "1-0", "entries-read", :1, "lag", :2]]"#,
        ),
        ("XINFO CONSUMERS s g", r#"[["name", "alice", "pending", :1, "idle", :0, "inactive", :0]]"#),
        ("XDEL s 2-0", ":1"),
        (
            "XINFO GROUPS s",
            r#"[["name", "g", "consumers", :1, "pending", :1, "last-delivered-id", "1-0", "entries-read", :1, "lag", nil]]"#,
        ),
        ("XINFO STREAM none", "-ERR no such key"),
        ("XINFO CONSUMERS s none", "-NOGROUP No such consumer group 'none' for key name 's'"),
        (
            "XINFO STREAM s BOGUS",
            "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
        ),
        ("XGROUP CREATE s g 0", "-BUSYGROUP Consumer Group name already exists"),
        ("XGROUP CREATE none g $ MKSTREAM ENTRIESREAD 3", "+OK"),
        (
            "XINFO GROUPS none",
            r#"[["name", "g", "consumers", :0, "pending", :0, "last-delivered-id", "0-0", "entries-read", :3, "lag", :0]]"#,
        ),
        ("XGROUP CREATECONSUMER none g c", ":1"),
        ("XGROUP CREATECONSUMER none g c", ":0"),
        ("XGROUP DESTROY none g", ":1"),
        ("XGROUP DESTROY none g", ":0"),
        ("XSETID s 9-0 ENTRIESADDED 20 MAXDELETEDID 5-0", "+OK"),
        ("XSETID s 4-0", "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"),
        (
            "XSETID s 9-0 ENTRIESADDED 1",
            "-ERR The entries_added specified in XSETID is smaller than the target stream length",
        ),
    ]);
}

#[test]
fn a_copy_has_the_groups() {
    with_three(&[
        (
            "XREADGROUP GROUP g alice STREAMS s >",
            r#"[["s", [["1-0", ["a", "1"]], ["2-0", ["a", "2"]], ["3-0", ["a", "3"]]]]]"#,
        ),
        ("COPY s t", ":1"),
        ("XACK s g 1-0 2-0", ":2"),
        ("XDEL s 3-0", ":1"),
        ("XPENDING t g", r#"[:3, "1-0", "3-0", [["alice", "3"]]]"#),
        ("XREADGROUP GROUP g alice STREAMS t 2-0", r#"[["t", [["3-0", ["a", "3"]]]]]"#),
    ]);
}

#[test]
fn references() {
    with_three(&[
        ("XGROUP CREATE s h 0", "+OK"),
        (
            "XREADGROUP GROUP g a COUNT 2 STREAMS s >",
            r#"[["s", [["1-0", ["a", "1"]], ["2-0", ["a", "2"]]]]]"#,
        ),
        (
            "XREADGROUP GROUP h b COUNT 2 STREAMS s >",
            r#"[["s", [["1-0", ["a", "1"]], ["2-0", ["a", "2"]]]]]"#,
        ),
        ("XDELEX none IDS 2 1-0 2-0", "[:-1, :-1]"),
        ("XDELEX s ACKED IDS 2 1-0 3-0", "[:2, :2]"),
        ("XACKDEL s g ACKED IDS 3 1-0 1-0 9-9", "[:2, :-1, :-1]"),
        ("XACKDEL s h IDS 1 1-0 ACKED", "[:1]"),
        ("XLEN s", ":2"),
        ("XDELEX s KEEPREF IDS 1 2-0", "[:1]"),
        ("XPENDING s g", r#"[:1, "2-0", "2-0", [["a", "1"]]]"#),
        ("XDELEX s DELREF IDS 1 2-0", "[:-1]"),
        ("XPENDING s g", "[:0, nil, nil, nil-array]"),
        ("XPENDING s h", "[:0, nil, nil, nil-array]"),
        ("XDELEX s IDS 0 1-0", "-ERR Number of IDs must be a positive integer"),
        ("XDELEX s IDS 3 1-0", "-ERR The `numids` parameter must match the number of arguments"),
        ("XDELEX s IDS 1 1-0 2-0", "-ERR syntax error"),
        ("XDELEX s KEEPREF DELREF IDS 1 1-0", "-ERR syntax error"),
        ("XACKDEL s none IDS 1 3-0", "[:-1]"),
        ("XADD s MAXLEN = 1 ACKED 4-0 a 4", r#""4-0""#),
        ("XLEN s", ":2"),
        ("XGROUP DESTROY s h", ":1"),
        ("XREADGROUP GROUP g a COUNT 1 STREAMS s >", r#"[["s", [["3-0", ["a", "3"]]]]]"#),
        ("XTRIM s MAXLEN 1 ACKED", ":0"),
        ("XTRIM s MAXLEN 1 DELREF", ":1"),
        ("XPENDING s g", "[:0, nil, nil, nil-array]"),
    ]);
}

#[test]
fn a_wait_as_one_of_a_group_ends_with_its_key() {
    let ends: &[(&[&str], &str)] = &[
        (&["DEL s"], GONE),
        (&["SET s text"], WRONG_TYPE),
        (&["RPUSH l a", "RENAME l s"], WRONG_TYPE),
        (&["MULTI", "DEL s", "SET s a", "EXEC"], WRONG_TYPE),
        (&["FLUSHDB"], GONE),
        (&["FLUSHALL"], GONE),
        (&["SWAPDB 0 1"], GONE),
        (&["XADD t 1-0 a 1", "RENAME t s"], GONE),
        (&["XADD t 1-0 a 1", "XGROUP CREATE t g 0", "RENAME t s"], r#"[["s", [["1-0", ["a", "1"]]]]]"#),
        (&["XGROUP DESTROY s g"], GONE),
        (&["MOVE s 1"], GONE),
        (&["RENAME s t"], GONE),
        (&["PEXPIRE s 0"], GONE),
        (&["XGROUP DESTROY s other", "XGROUP CREATE s h 0", "XTRIM s MAXLEN 0"], ""),
    ];
    for (lines, wanted) in ends {
        let mut server = Harness::new();
        let [a, b, c] = [(); 3].map(|()| server.connect());
        check_with(&mut server, &[("XGROUP CREATE s g $ MKSTREAM", "+OK")]);
        server.send(a, "XREADGROUP GROUP g alice BLOCK 0 STREAMS s >");
        server.send(b, "XREAD BLOCK 0 STREAMS s 5-0");
        let info = server.call(c, "INFO clients");
        assert!(info.contains("total_blocking_keys:1") && info.contains("total_blocking_keys_on_nokey:1"));
        for line in *lines {
            server.call(c, line);
        }
        assert_eq!((server.receive(a), server.receive(b)), ((*wanted).into(), String::new()), "{lines:?}");
        let info = server.call(c, "INFO clients");
        assert!(info.contains(&format!("total_blocking_keys_on_nokey:{}", u8::from(wanted.is_empty()))));
    }
}

#[test]
fn a_wait_ends_with_an_expiry_and_others_are_not_disturbed() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    server.send(b, "BLPOP s 0");
    check_with(&mut server, &[("XGROUP CREATE s g $ MKSTREAM", "+OK"), ("PEXPIRE s 50", ":1")]);
    server.send(a, "XREADGROUP GROUP g alice BLOCK 0 STREAMS s >");
    server.advance(Duration::from_millis(49));
    assert_eq!(server.receive(a), "");
    server.advance(Duration::from_millis(1));
    assert_eq!((server.receive(a), server.receive(b)), (GONE.into(), String::new()));
    server.call(c, "RPUSH s x");
    assert_eq!(server.receive(b), r#"["s", "x"]"#);
    // Two readers of a group share what comes.
    check_with(&mut server, &[("XGROUP CREATE s g $ MKSTREAM", "+OK")]);
    server.send(a, "XREADGROUP GROUP g alice COUNT 1 BLOCK 0 STREAMS s >");
    server.send(b, "XREADGROUP GROUP g bob BLOCK 10 STREAMS s >");
    server.call(c, "XADD s 1-0 a 1");
    assert_eq!(
        (server.receive(a), server.receive(b)),
        (r#"[["s", [["1-0", ["a", "1"]]]]]"#.into(), String::new())
    );
    server.advance(Duration::from_millis(10));
    assert_eq!(server.receive(b), "nil-array");
    assert_eq!(server.engine.state.waiters.blocked, 0);
}

#[test]
fn events() {
    let lines = [
        "XGROUP CREATE s g $ MKSTREAM",
        "XADD s 1-0 a 1",
        "XREADGROUP GROUP g alice STREAMS s >",
        "XREADGROUP GROUP g alice STREAMS s >",
        "XCLAIM s g bob 0 1-0",
        "XACK s g 1-0",
        "XGROUP CREATECONSUMER s g carol",
        "XGROUP DELCONSUMER s g carol",
        "XGROUP SETID s g 0",
        "XSETID s 5-0",
        "XGROUP DESTROY s g",
    ];
    let wanted = [
        "0:s new",
        "0:s xgroup-create",
        "0:s xadd",
        "0:s xgroup-createconsumer",
        "0:s xgroup-createconsumer",
        "0:s xgroup-createconsumer",
        "0:s xgroup-delconsumer",
        "0:s xgroup-setid",
        "0:s xsetid",
        "0:s xgroup-destroy",
    ];
    assert_eq!(events_of(&lines), wanted);
}

/// Consumers of one group wait, give up and come back; every entry is delivered to exactly one of them.
#[test]
fn every_entry_is_delivered_once() {
    for seed in 0..256 {
        let mut rng = Rng::new(seed);
        let mut server = Harness::new();
        let mut consumers: Vec<usize> = (0..4).map(|_| server.connect()).collect();
        let producer = server.connect();
        for stream in ["s", "t"] {
            server.call(producer, &format!("XGROUP CREATE {stream} g 0 MKSTREAM"));
        }
        let (mut added, mut seen) = (0, BTreeSet::new());
        for _ in 0..150 {
            let i = rng.below(consumers.len() as u64) as usize;
            let stream = ["s", "t"][rng.below(2) as usize];
            match rng.below(12) {
                0..5 => {
                    let timeout_ms = [0, 1, 20, 500][rng.below(4) as usize];
                    let (count, other) = (1 + rng.below(3), ["s", "t"][rng.below(2) as usize]);
                    let line = format!(
                        "XREADGROUP GROUP g c{i} COUNT {count} BLOCK {timeout_ms} STREAMS {stream} {other} > >"
                    );
                    server.send(consumers[i], &line);
                }
                5..9 => {
                    added += 1;
                    server.call(producer, &format!("XADD {stream} {added}-0 e e{added}"));
                }
                9 => {
                    for line in ["MULTI", "EXEC"] {
                        server.call(producer, line);
                        added += 1;
                        server.call(producer, &format!("XADD {stream} {added}-0 e e{added}"));
                    }
                }
                10 => {
                    // What it waited for it does not get any more.
                    server.disconnect(consumers[i]);
                    consumers[i] = server.connect();
                }
                _ => server.advance(Duration::from_millis(rng.below(100))),
            }
            for &consumer in &consumers {
                for name in
                    server.receive(consumer).split('"').filter(|name| name.starts_with('e') && name.len() > 1)
                {
                    assert!(seen.insert(name.to_string()), "seed {seed}: {name} came twice");
                }
            }
        }
        let rest = server.call(producer, "XREADGROUP GROUP g last STREAMS s t > >");
        for name in rest.split('"').filter(|name| name.starts_with('e') && name.len() > 1) {
            assert!(seen.insert(name.to_string()), "seed {seed}: {name} came twice");
        }
        assert_eq!(seen.len(), added, "seed {seed}");
        let sessions = server.engine.state.sessions.iter();
        let waiting = sessions.filter(|(_, s)| s.as_ref().is_some_and(|s| s.blocked.is_some())).count();
        assert_eq!(server.engine.state.waiters.blocked, waiting, "seed {seed}");
    }
}
