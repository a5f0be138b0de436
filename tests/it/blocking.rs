//! Waiting for lists.

use crate::lists::check;
use staywire::{base::rng::Rng, testkit::Harness};
use std::{collections::BTreeMap, time::Duration};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn nobody_waits_where_there_is_something() {
    let mut server = Harness::new();
    let a = server.connect();
    check(
        &mut server,
        a,
        &[
            ("RPUSH l 1 2 3 4 5 6", ":6"),
            ("BLPOP none l 0", r#"["l", "1"]"#),
            ("BRPOP l none 1", r#"["l", "6"]"#),
            ("BLMPOP 0 2 none l RIGHT COUNT 2", r#"["l", ["5", "4"]]"#),
            ("BLMOVE l m LEFT RIGHT 0", r#""2""#),
            ("BRPOPLPUSH l m 0", r#""3""#),
            ("LRANGE m 0 -1", r#"["3", "2"]"#),
            ("LLEN l", ":0"),
        ],
    );
}

#[test]
fn first_come_first_served() {
    let mut server = Harness::new();
    let waiters: Vec<usize> = (0..5).map(|_| server.connect()).collect();
    let producer = server.connect();
    for &waiter in &waiters {
        assert_eq!(server.call(waiter, "BLPOP l 0"), "");
    }
    check(&mut server, producer, &[("RPUSH l a b c", ":3")]);
    let received: Vec<String> = waiters.iter().map(|&w| server.receive(w)).collect();
    assert_eq!(received, [r#"["l", "a"]"#, r#"["l", "b"]"#, r#"["l", "c"]"#, "", ""]);
    // Who was served stands at the end again.
    assert_eq!(server.call(waiters[0], "BLPOP l 0"), "");
    check(&mut server, producer, &[("LPUSH l x y z", ":3")]);
    let received: Vec<String> = waiters.iter().map(|&w| server.receive(w)).collect();
    assert_eq!(received, [r#"["l", "x"]"#, "", "", r#"["l", "z"]"#, r#"["l", "y"]"#]);
    check(&mut server, producer, &[("LLEN l", ":0")]);
}

#[test]
fn ends_and_counts_are_those_of_the_waiter() {
    let mut server = Harness::new();
    let [a, b, c, d] = [(); 4].map(|()| server.connect());
    server.call(a, "BRPOP l 0");
    server.call(b, "BLMPOP 0 2 k l RIGHT COUNT 2");
    server.call(c, "BLPOP l 0");
    check(&mut server, d, &[("RPUSH l 1 2 3 4 5", ":5")]);
    assert_eq!(server.receive(a), r#"["l", "5"]"#);
    assert_eq!(server.receive(b), r#"["l", ["4", "3"]]"#);
    assert_eq!(server.receive(c), r#"["l", "1"]"#);
    check(&mut server, d, &[("LRANGE l 0 -1", r#"["2"]"#)]);
}

#[test]
fn chains_resolve_within_one_push() {
    let mut server = Harness::new();
    let [a, b, c, d] = [(); 4].map(|()| server.connect());
    server.send(a, "BLMOVE a b LEFT RIGHT 0");
    server.send(b, "BRPOPLPUSH b c 0");
    server.send(c, "BLPOP c 0");
    check(&mut server, d, &[("RPUSH a x", ":1")]);
    assert_eq!(server.receive(a), r#""x""#);
    assert_eq!(server.receive(b), r#""x""#);
    assert_eq!(server.receive(c), r#"["c", "x"]"#);
    assert!(server.engine.store.is_empty());
}

#[test]
fn a_ring_of_waiters_stands_still_after_one_round() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    server.send(a, "BLMOVE a b LEFT RIGHT 0");
    server.send(b, "BLMOVE b a LEFT RIGHT 0");
    check(&mut server, c, &[("RPUSH a x", ":1"), ("LRANGE a 0 -1", r#"["x"]"#), ("LLEN b", ":0")]);
    assert_eq!((server.receive(a), server.receive(b)), (r#""x""#.into(), r#""x""#.into()));
    server.send(a, "BLMOVE none none LEFT RIGHT 0");
    check(&mut server, c, &[("RPUSH none y", ":1"), ("LRANGE none 0 -1", r#"["y"]"#)]);
    assert_eq!(server.receive(a), r#""y""#);
}

#[test]
fn a_wrong_destination_ends_the_wait_and_keeps_the_element() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    check(&mut server, c, &[("SET s text", "+OK")]);
    server.send(a, "BLMOVE l s LEFT RIGHT 0");
    server.send(b, "BLPOP l 0");
    check(&mut server, c, &[("RPUSH l x", ":1")]);
    assert_eq!(server.receive(a), WRONG_TYPE);
    assert_eq!(server.receive(b), r#"["l", "x"]"#);
    server.send(a, "BLPOP l 0");
    check(&mut server, c, &[("SET l text", "+OK")]);
    assert_eq!(server.receive(a), "");
    check(&mut server, c, &[("DEL l", ":1"), ("RPUSH l y", ":1")]);
    assert_eq!(server.receive(a), r#"["l", "y"]"#);
}

#[test]
fn many_keys() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    server.send(a, "BLPOP k1 k2 k1 k3 0");
    check(&mut server, b, &[("RPUSH k2 x", ":1"), ("RPUSH k1 y", ":1"), ("LLEN k1", ":1")]);
    assert_eq!(server.receive(a), r#"["k2", "x"]"#);
    assert_eq!((server.engine.state.waiters.key_count(), server.engine.state.waiters.blocked), (0, 0));
    // Within one transaction both come to be, and the first key of the waiter decides.
    check(&mut server, b, &[("LPOP k1", r#""y""#)]);
    server.send(a, "BLPOP k1 k2 0");
    check(&mut server, b, &[("MULTI", "+OK"), ("RPUSH k2 x", "+QUEUED"), ("RPUSH k1 y", "+QUEUED")]);
    check(&mut server, b, &[("EXEC", "[:1, :1]"), ("LLEN k2", ":1")]);
    assert_eq!(server.receive(a), r#"["k1", "y"]"#);
}

#[test]
fn transactions_hand_over_at_their_end() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    server.send(a, "BLPOP l 0");
    check(
        &mut server,
        b,
        &[
            ("MULTI", "+OK"),
            ("RPUSH l gone", "+QUEUED"),
            ("LPOP l", "+QUEUED"),
            ("EXEC", r#"[:1, "gone"]"#),
            ("MULTI", "+OK"),
            ("RPUSH l 1 2", "+QUEUED"),
            ("LPUSH l 0", "+QUEUED"),
            ("EXEC", "[:2, :3]"),
            ("LRANGE l 0 -1", r#"["1", "2"]"#),
        ],
    );
    assert_eq!(server.receive(a), r#"["l", "0"]"#);
}

#[test]
fn other_ways_for_a_key_to_come() {
    for lines in [
        &["RPUSH other x", "RENAME other l"][..],
        &["RPUSH other x", "RENAMENX other l"],
        &["RPUSH other x", "COPY other l", "DEL other"],
        &["SELECT 1", "RPUSH l x", "MOVE l 0"],
        &["SELECT 1", "RPUSH l x", "SWAPDB 0 1"],
        &["RPUSH other x", "LMOVE other l LEFT LEFT"],
    ] {
        let mut server = Harness::new();
        let (a, b) = (server.connect(), server.connect());
        server.send(a, "BLPOP l 0");
        for line in lines {
            assert!(!server.call(b, line).starts_with('-'), "{line}");
        }
        assert_eq!(server.receive(a), r#"["l", "x"]"#, "{lines:?}");
        assert!(server.engine.store.is_empty(), "{lines:?}");
    }
}

#[test]
fn waits_are_for_one_database() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    check(&mut server, a, &[("SELECT 3", "+OK"), ("BLPOP l 0", "")]);
    check(&mut server, b, &[("RPUSH l x", ":1"), ("SELECT 3", "+OK"), ("RPUSH l y", ":1"), ("LLEN l", ":0")]);
    assert_eq!(server.receive(a), r#"["l", "y"]"#);
}

#[test]
fn timeouts_end_in_order() {
    let mut server = Harness::new();
    let [a, b, c, d] = [(); 4].map(|()| server.connect());
    server.send(a, "BLPOP l 0.25");
    server.send(b, "BLMOVE l m LEFT LEFT .1");
    server.send(c, "BLMPOP 1e-10 1 l LEFT");
    server.send(d, "BRPOPLPUSH l m 3");
    server.advance(Duration::from_millis(1));
    assert_eq!([a, b, c, d].map(|w| server.receive(w)), ["", "", "nil-array", ""]);
    server.advance(Duration::from_millis(98));
    assert_eq!(server.receive(b), "");
    server.advance(Duration::from_millis(1));
    assert_eq!([a, b].map(|w| server.receive(w)), ["", "nil-array"]);
    server.advance(Duration::from_millis(150));
    assert_eq!([a, d].map(|w| server.receive(w)), ["nil-array", ""]);
    server.advance(Duration::from_secs(3));
    assert_eq!(server.receive(d), "nil-array");
    assert_eq!(server.engine.state.waiters.key_count(), 0);
    server.send(a, "BLPOP l 0");
    server.advance(Duration::from_secs(100 * 24 * 3600));
    check(&mut server, b, &[("RPUSH l x", ":1")]);
    assert_eq!(server.receive(a), r#"["l", "x"]"#);
}

#[test]
fn a_deadline_is_not_moved_by_a_hand_over_to_another() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    server.send(a, "BLPOP l 1");
    server.send(b, "BLPOP l 1");
    server.advance(Duration::from_millis(900));
    check(&mut server, c, &[("RPUSH l x", ":1"), ("SET l text", "+OK"), ("DEL l", ":1")]);
    assert_eq!(server.receive(a), r#"["l", "x"]"#);
    server.advance(Duration::from_millis(100));
    assert_eq!(server.receive(b), "nil-array");
}

#[test]
fn timeouts_that_are_none() {
    let mut server = Harness::new();
    let a = server.connect();
    for (timeout, error) in [
        ("-1", "negative"),
        ("-0.1", "negative"),
        ("x", "not a float or out of range"),
        ("\"\"", "not a float or out of range"),
        ("nan", "not a float or out of range"),
        ("inf", "out of range"),
        ("1e30", "out of range"),
        ("9223372036854775", "out of range"),
        ("92233720368547758", "out of range"),
        ("0x10000000000000000", "out of range"),
        ("-1e30", "negative"),
    ] {
        for line in [
            format!("BLPOP l {timeout}"),
            format!("BLMPOP {timeout} 1 l LEFT"),
            format!("BLMOVE l m LEFT LEFT {timeout}"),
            format!("BRPOPLPUSH l m {timeout}"),
        ] {
            assert_eq!(server.call(a, &line), format!("-ERR timeout is {error}"), "{line}");
        }
    }
    check(
        &mut server,
        a,
        &[
            ("BLMOVE l m UP LEFT x", "-ERR syntax error"),
            ("BLMPOP x 0 l LEFT", "-ERR numkeys should be greater than 0"),
            ("BLMPOP x 1 l UP", "-ERR syntax error"),
            ("BLMPOP x 1 l LEFT COUNT 0", "-ERR count should be greater than 0"),
            ("BLPOP l", "-ERR wrong number of arguments for 'blpop' command"),
        ],
    );
}

#[test]
fn who_is_gone_gets_nothing() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    server.send(a, "BLPOP l 0");
    server.send(b, "BLPOP l 0");
    server.disconnect(a);
    check(&mut server, c, &[("RPUSH l x", ":1")]);
    assert_eq!(server.receive(b), r#"["l", "x"]"#);
    assert_eq!(server.engine.state.waiters.key_count(), 0);
}

#[test]
fn what_was_sent_behind_a_wait_runs_after_it() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    server.send_bytes(a, b"BLPOP l 0\r\nLLEN l\r\nBLPOP l 0\r\nPING\r\n");
    assert_eq!(server.receive(a), "");
    check(&mut server, b, &[("RPUSH l 1", ":1")]);
    assert_eq!(server.receive(a), "[\"l\", \"1\"]\n:0");
    check(&mut server, b, &[("RPUSH l 1 2 3", ":3"), ("LLEN l", ":2")]);
    assert_eq!(server.receive(a), "[\"l\", \"1\"]\n+PONG");
}

#[test]
fn who_wants_no_reply_still_takes_an_element() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    server.send(a, "CLIENT REPLY SKIP");
    server.send(a, "BLPOP l 0");
    check(&mut server, b, &[("RPUSH l 1 2", ":2"), ("LLEN l", ":1")]);
    check(&mut server, a, &[("LPOP l", r#""2""#), ("CLIENT REPLY OFF", ""), ("BLPOP l 0.1", "")]);
    server.advance(Duration::from_millis(100));
    check(&mut server, a, &[("CLIENT REPLY ON", "+OK"), ("PING", "+PONG")]);
}

#[test]
fn clients_are_unblocked_and_killed() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    let id = server.call(b, "CLIENT ID");
    let id = id.trim_start_matches(':');
    server.send(b, "BLPOP l 0");
    check(&mut server, c, &[(&format!("CLIENT UNBLOCK {id}"), ":1")]);
    assert_eq!(server.receive(b), "nil-array");
    server.send(b, "BLMOVE l m LEFT LEFT 0");
    check(
        &mut server,
        c,
        &[(&format!("CLIENT UNBLOCK {id} ERROR"), ":1"), ("RPUSH l x", ":1"), ("LPOP l", r#""x""#)],
    );
    assert_eq!(server.receive(b), "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
    server.send(b, "BLPOP l 0");
    server.send(a, "BLPOP l 0");
    // In one piece: the killed connection is not closed yet when the element comes.
    server.send_bytes(c, format!("CLIENT KILL ID {id}\r\nRPUSH l y\r\n").as_bytes());
    assert_eq!(server.receive(c), ":1\n:1");
    assert_eq!(server.receive(a), r#"["l", "y"]"#);
    assert!(!server.is_open(b));
}

#[test]
fn one_push_wakes_one_of_many() {
    let mut server = Harness::new();
    let waiters: Vec<usize> = (0..2000).map(|_| server.connect()).collect();
    let producer = server.connect();
    for &waiter in &waiters {
        server.send(waiter, "BLPOP l 0");
    }
    for (i, &waiter) in waiters.iter().enumerate() {
        let calls = server.engine.state.stats.unblocked;
        assert_eq!(server.call(producer, &format!("RPUSH l {i}")), ":1");
        assert_eq!(server.engine.state.stats.unblocked, calls + 1);
        assert_eq!(server.receive(waiter), format!(r#"["l", "{i}"]"#));
    }
}

/// Every element that was pushed is received once, or still there, or was removed on purpose.
#[test]
fn no_element_is_lost_or_doubled() {
    for seed in 0..256 {
        Simulation::new(seed).run();
    }
}

const LISTS: u64 = 4;

struct Simulation {
    seed: u64,
    rng: Rng,
    server: Harness,
    producer: usize,
    consumers: Vec<usize>,
    pushed: u64,
    /// Times each element was received by a client whose command removed it.
    received: BTreeMap<String, u32>,
    /// Elements that a transaction, DEL or an expiry may have removed unseen.
    removed: BTreeMap<String, u32>,
}

impl Simulation {
    fn new(seed: u64) -> Simulation {
        let mut server = Harness::with(Default::default(), seed);
        let producer = server.connect();
        let consumers = (0..8).map(|_| server.connect()).collect();
        let (received, removed) = (BTreeMap::new(), BTreeMap::new());
        Simulation { seed, rng: Rng::new(seed), server, producer, consumers, pushed: 0, received, removed }
    }

    fn list(&mut self) -> String {
        format!("l{}", self.rng.below(LISTS))
    }

    fn end(&mut self) -> &'static str {
        if self.rng.below(2) == 0 { "LEFT" } else { "RIGHT" }
    }

    fn elements(&mut self) -> String {
        let n = 1 + self.rng.below(4);
        let elements: Vec<String> = (self.pushed..self.pushed + n).map(|i| format!("e{i}")).collect();
        self.pushed += n;
        elements.join(" ")
    }

    fn contents(&mut self, list: &str) -> Vec<String> {
        let all = self.server.call(self.producer, &format!("LRANGE {list} 0 -1"));
        names(&all).map(String::from).collect()
    }

    /// Sends a consumer's command, one that waits or not.
    fn consume(&mut self) {
        let i = self.rng.below(self.consumers.len() as u64) as usize;
        let (a, b, end, to) = (self.list(), self.list(), self.end(), self.end());
        let timeout = ["0", "0.001", "0.02", "0.5", "2"][self.rng.below(5) as usize];
        let line = match self.rng.below(6) {
            0 => format!("BLPOP {a} {b} {timeout}"),
            1 => format!("BRPOP {a} {timeout}"),
            2 => format!("BLMPOP {timeout} 2 {a} {b} {end} COUNT 3"),
            3 => format!("BLMOVE {a} {b} {end} {to} {timeout}"),
            4 => format!("BRPOPLPUSH {a} {b} {timeout}"),
            _ => format!("LPOP {a} 2"),
        };
        self.server.send(self.consumers[i], &line);
    }

    /// Counts what consumers took; a move only shows what it moved.
    fn collect(&mut self) {
        for i in 0..self.consumers.len() {
            let replies = self.server.receive(self.consumers[i]);
            for reply in replies.lines().filter(|reply| reply.starts_with('[')) {
                for name in names(reply) {
                    *self.received.entry(name.into()).or_default() += 1;
                }
            }
        }
    }

    fn remove(&mut self, list: &str) {
        for name in self.contents(list) {
            *self.removed.entry(name).or_default() += 1;
        }
    }

    fn step(&mut self) {
        let list = self.list();
        match self.rng.below(20) {
            0..6 => {
                let (word, elements) = (["LPUSH", "RPUSH"][self.rng.below(2) as usize], self.elements());
                self.server.call(self.producer, &format!("{word} {list} {elements}"));
            }
            6..12 => self.consume(),
            12 => {
                let i = self.rng.below(self.consumers.len() as u64) as usize;
                self.collect();
                self.server.disconnect(self.consumers[i]);
                self.consumers[i] = self.server.connect();
            }
            13 => {
                self.remove(&list);
                self.server.call(self.producer, &format!("DEL {list}"));
            }
            14 => {
                let other = self.list();
                let (elements, more) = (self.elements(), self.elements());
                for line in ["MULTI", &format!("RPUSH {list} {elements}"), &format!("LPUSH {other} {more}")] {
                    self.server.call(self.producer, line);
                }
                self.server.call(self.producer, &format!("LMOVE {list} {other} LEFT RIGHT"));
                let end = if self.rng.below(4) == 0 { "DISCARD" } else { "EXEC" };
                if end == "DISCARD" {
                    for name in elements.split(' ').chain(more.split(' ')) {
                        *self.removed.entry(name.into()).or_default() += 1;
                    }
                }
                self.server.call(self.producer, end);
            }
            15 => {
                self.remove(&list);
                self.server.call(self.producer, &format!("PEXPIRE {list} 1"));
                self.server.advance(Duration::from_millis(1));
            }
            16 => {
                let kept = self.server.call(self.producer, &format!("LRANGE {list} 1 -1"));
                let kept: Vec<&str> = names(&kept).collect();
                for name in self.contents(&list).iter().filter(|name| !kept.contains(&name.as_str())) {
                    *self.removed.entry(name.clone()).or_default() += 1;
                }
                self.server.call(self.producer, &format!("LTRIM {list} 1 -1"));
            }
            _ => {
                let ms = self.rng.below(300);
                self.server.advance(Duration::from_millis(ms));
            }
        }
        self.collect();
    }

    fn run(mut self) {
        for _ in 0..300 {
            self.step();
        }
        let mut left: BTreeMap<String, u32> = BTreeMap::new();
        for i in 0..LISTS {
            for name in self.contents(&format!("l{i}")) {
                *left.entry(name).or_default() += 1;
            }
        }
        for i in 0..self.pushed {
            let name = format!("e{i}");
            let [received, left, removed] = [&self.received, &left, &self.removed]
                .map(|counts| counts.get(&name).copied().unwrap_or_default());
            assert_eq!(
                received + left + removed,
                1,
                "seed {}: {name} received {received} times, left {left} times, removed {removed} times",
                self.seed
            );
        }
        let sessions = self.server.engine.state.sessions.iter();
        let waiting = sessions.filter(|(_, s)| s.as_ref().is_some_and(|s| s.blocked.is_some())).count();
        assert_eq!(self.server.engine.state.waiters.blocked, waiting, "seed {}", self.seed);
    }
}

/// The elements in a reply in one line: `e` and digits.
fn names(reply: &str) -> impl Iterator<Item = &str> {
    reply.split('"').skip(1).step_by(2).filter(|name| name.starts_with('e'))
}
