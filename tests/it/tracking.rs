//! Client-side caching: who is told of which keys, when, and how.

use crate::lists::check;
use staywire::testkit::Harness;
use std::time::Duration;

const INVALID_K: &str = r#">["invalidate", ["k"]]"#;

/// A client that speaks RESP3 and one that does not.
fn two(server: &mut Harness) -> (usize, usize) {
    let (a, b) = (server.connect(), server.connect());
    server.call(a, "HELLO 3");
    (a, b)
}

fn info(server: &mut Harness, client: usize, field: &str) -> String {
    let text = server.call(client, "INFO everything");
    let start = text.find(&format!("{field}:")).expect("the field is there") + field.len() + 1;
    text[start..].chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn a_reader_is_told_once_when_a_key_changes() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    check(&mut server, a, &[("CLIENT TRACKING on", "+OK"), ("MGET k l", "[nil, nil]")]);
    check(&mut server, b, &[("SET k 1", "+OK"), ("SET k 2", "+OK"), ("SET other 1", "+OK")]);
    assert_eq!(server.receive(a), INVALID_K);
    // One's own changes come behind the reply, and what a transaction or script reads after its changes is remembered.
    check(&mut server, a, &[("GET k", r#""2""#), ("SET k 3", &format!("+OK\n{INVALID_K}"))]);
    server.call(a, "GET k");
    server.call(a, "MULTI");
    server.call(a, "INCR k");
    server.call(a, "GET k");
    assert_eq!(server.call(a, "EXEC"), format!("[:4, \"4\"]\n{INVALID_K}"));
    server.call(b, "DEL k");
    assert_eq!(server.receive(a), INVALID_K);
    // Databases are all one here.
    server.call(a, "GET k");
    check(&mut server, b, &[("SELECT 3", "+OK"), ("SET k 1", "+OK")]);
    assert_eq!(server.receive(a), INVALID_K);
    check(&mut server, a, &[("CLIENT TRACKING off", "+OK"), ("GET k", "nil")]);
    server.call(b, "SET k 2");
    assert_eq!(server.receive(a), "");
}

#[cfg(feature = "scripting")]
#[test]
fn a_script_reads_for_its_client() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on");
    server.call(a, "EVAL_RO \"return redis.call('GET', 'k')\" 1 l");
    server.call(b, "MSET k 1 l 1");
    assert_eq!(server.receive(a), INVALID_K);
    server.call(a, "GET k");
    let script = "EVAL \"redis.call('SET', 'k', 1) return redis.call('GET', 'k')\" 0";
    assert_eq!(server.call(a, script), format!("\"1\"\n{INVALID_K}"));
    server.call(b, "SET k 2");
    assert_eq!(server.receive(a), INVALID_K);
}

#[test]
fn all_copies_end_with_a_flush() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on NOLOOP");
    for flush in ["FLUSHALL", "FLUSHDB", "FLUSHALL ASYNC", "DEBUG RELOAD"] {
        server.call(a, "GET k");
        server.call(b, flush);
        assert_eq!(server.receive(a), r#">["invalidate", nil]"#, "{flush}");
        server.call(b, "SET k 1");
        assert_eq!(server.receive(a), "", "{flush}");
    }
    check(&mut server, a, &[("FLUSHALL", "+OK\n>[\"invalidate\", nil]"), ("MULTI", "+OK")]);
    server.call(a, "FLUSHDB");
    server.call(a, "PING");
    assert_eq!(server.call(a, "EXEC"), "[+OK, +PONG]\n>[\"invalidate\", nil]");
    // Databases that change places are no reason, as in Valkey.
    server.call(a, "GET k");
    server.call(b, "SWAPDB 0 1");
    assert_eq!(server.receive(a), "");
}

#[test]
fn keys_that_expire_are_invalid() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on");
    check(&mut server, b, &[("SET k 1 PX 10", "+OK"), ("SET l 1 PX 1000", "+OK")]);
    server.call(a, "MGET k l");
    server.advance(Duration::from_millis(20));
    assert_eq!(server.receive(a), INVALID_K);
    // Who finds it expired is told behind the reply.
    server.call(b, "DEBUG SET-ACTIVE-EXPIRE 0");
    server.advance(Duration::from_secs(1));
    assert_eq!(server.call(a, "GET l"), "nil\n>[\"invalidate\", [\"l\"]]");
}

#[test]
fn messages_go_to_another_connection() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    let receiver = server.connect();
    let id = server.call(receiver, "CLIENT ID").trim_start_matches(':').to_string();
    server.call(receiver, "SUBSCRIBE __redis__:invalidate");
    check(
        &mut server,
        a,
        &[
            (&format!("CLIENT TRACKING on REDIRECT {id}"), "+OK"),
            ("CLIENT GETREDIR", &format!(":{id}")),
            ("GET k", "nil"),
        ],
    );
    server.call(b, "SET k 1");
    assert_eq!(server.receive(receiver), r#"["message", "__redis__:invalidate", ["k"]]"#);
    server.call(b, "FLUSHALL");
    assert_eq!(server.receive(receiver), r#"["message", "__redis__:invalidate", nil]"#);
    // Each version of the protocol has its own null.
    server.call(a, "HELLO 3");
    server.call(b, "FLUSHALL");
    let bytes = server.receive_bytes(receiver);
    assert!(bytes.ends_with(b"__redis__:invalidate\r\n$-1\r\n"), "{}", bytes.escape_ascii());
    // A receiver that does not subscribe and speaks RESP2 is told nothing.
    server.call(receiver, "UNSUBSCRIBE");
    server.call(a, "GET k");
    server.call(b, "SET k 1");
    assert_eq!(server.receive(receiver), "");
    server.call(receiver, "HELLO 3");
    server.call(a, "GET k");
    server.call(b, "SET k 1");
    assert_eq!(server.receive(receiver), INVALID_K);
    server.disconnect(receiver);
    server.call(a, "GET k");
    server.call(b, "SET k 2");
    assert_eq!(server.receive(a), format!(">[\"tracking-redir-broken\", :{id}]"));
    let flags = r#"~["on", "broken_redirect"]"#;
    assert!(server.call(a, "CLIENT TRACKINGINFO").contains(flags));
    assert!(server.call(b, "CLIENT LIST").contains("flags=tR capa= db=0 sub=0"));
    // Another client in the same place is not the one that was meant.
    let other = server.connect();
    assert_eq!(other, receiver);
    server.call(other, "HELLO 3");
    server.call(a, "GET k");
    server.call(b, "SET k 2");
    assert_eq!(
        (server.receive(a), server.receive(other)),
        (format!(">[\"tracking-redir-broken\", :{id}]"), "".into())
    );
}

#[test]
fn a_client_says_what_it_caches() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on OPTIN");
    server.call(a, "GET k");
    server.call(b, "SET k 1");
    assert_eq!(server.receive(a), "");
    // For the next command, those of CLIENT aside, or the whole of a transaction.
    check(&mut server, a, &[("CLIENT CACHING YES", "+OK"), ("CLIENT GETREDIR", ":0"), ("GET k", "\"1\"")]);
    server.call(a, "GET l");
    server.call(b, "MSET k 1 l 1");
    assert_eq!(server.receive(a), INVALID_K);
    server.call(a, "CLIENT CACHING YES");
    server.call(a, "MULTI");
    server.call(a, "GET k");
    server.call(a, "EXEC");
    server.call(a, "GET l");
    server.call(b, "MSET k 1 l 1");
    assert_eq!(server.receive(a), INVALID_K);
    server.call(a, "MULTI");
    server.call(a, "GET l");
    server.call(a, "CLIENT CACHING YES");
    server.call(a, "GET k");
    server.call(a, "EXEC");
    server.call(b, "MSET k 1 l 1");
    assert_eq!(server.receive(a), INVALID_K);
    // A command that is refused was the next one.
    server.call(a, "CLIENT CACHING YES");
    server.call(a, "NO SUCH COMMAND");
    server.call(a, "GET k");
    server.call(b, "SET k 1");
    assert_eq!(server.receive(a), "");
    server.call(a, "CLIENT TRACKING off");
    server.call(a, "CLIENT TRACKING on OPTOUT");
    server.call(a, "CLIENT CACHING NO");
    server.call(a, "GET k");
    server.call(a, "GET l");
    server.call(b, "MSET k 1 l 1");
    assert_eq!(server.receive(a), r#">["invalidate", ["l"]]"#);
}

#[test]
fn broadcasts_come_once_a_turn_for_each_prefix() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on BCAST PREFIX x PREFIX y");
    server.call(b, "MSET x2 1 y1 1 z1 1 x1 1");
    assert_eq!(server.receive(a), ">[\"invalidate\", [\"x1\", \"x2\"]]\n>[\"invalidate\", [\"y1\"]]");
    server.send_bytes(b, b"SET x1 1\r\nSET x2 1\r\nSET x1 2\r\n");
    assert_eq!(server.receive(a), r#">["invalidate", ["x1", "x2"]]"#);
    server.send_bytes(a, b"SET x1 1\r\nGET x1\r\nFLUSHALL\r\n");
    assert_eq!(server.receive(a), "+OK\n\"1\"\n+OK\n>[\"invalidate\", nil]\n>[\"invalidate\", [\"x1\"]]");
    assert!(server.call(b, "CLIENT LIST").contains("flags=tB "));
    assert_eq!(info(&mut server, b, "tracking_total_prefixes"), "2");
    server.call(a, "RESET");
    assert_eq!(info(&mut server, b, "tracking_total_prefixes"), "0");
    assert_eq!(info(&mut server, b, "tracking_clients"), "0");
}

#[test]
fn nobody_is_told_of_their_own_changes_who_does_not_want_it() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on NOLOOP");
    server.call(a, "MGET k l");
    assert_eq!(server.call(a, "SET k 1"), "+OK");
    server.call(b, "MSET k 1 l 1");
    assert_eq!(server.receive(a), r#">["invalidate", ["l"]]"#);
    server.call(a, "CLIENT TRACKING off");
    server.call(a, "CLIENT TRACKING on BCAST NOLOOP");
    server.send_bytes(a, b"SET k 1\r\nSET l 1 PX 5\r\n");
    assert_eq!(server.receive(a), "+OK\n+OK");
    server.call(b, "SET m 1");
    assert_eq!(server.receive(a), r#">["invalidate", ["m"]]"#);
    server.advance(Duration::from_millis(10));
    assert_eq!(server.receive(a), r#">["invalidate", ["l"]]"#);
}

#[test]
fn who_waits_is_told_before_what_it_waited_for() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on");
    server.send(a, "XREAD BLOCK 0 STREAMS s $");
    server.call(b, "XADD s 1-1 f v");
    assert_eq!(server.receive(a), ">[\"invalidate\", [\"s\"]]\n{\"s\": [[\"1-1\", [\"f\", \"v\"]]]}");
    server.call(b, "XADD s 1-2 f v");
    assert_eq!(server.receive(a), r#">["invalidate", ["s"]]"#);
    server.call(a, "LRANGE l 0 -1");
    server.send(a, "BLMOVE q l LEFT LEFT 0");
    server.call(b, "RPUSH q job");
    assert_eq!(server.receive(a), "\"job\"\n>[\"invalidate\", [\"l\"]]");
}

#[test]
fn messages_are_no_replies() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on");
    server.call(a, "GET k");
    server.call(a, "CLIENT REPLY OFF");
    server.call(b, "SET k 1");
    assert_eq!(server.receive(a), INVALID_K);
    server.send(a, "GET k");
    assert_eq!(server.call(a, "SET k 2"), INVALID_K);
    assert_eq!(server.call(a, "CLIENT REPLY ON"), "+OK");
}

#[test]
fn the_table_stays_within_its_limit() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    server.call(a, "CLIENT TRACKING on");
    let keys: Vec<String> = (0..3000).map(|i| format!("key:{i}")).collect();
    server.call(a, &format!("MGET {}", keys.join(" ")));
    assert_eq!(info(&mut server, b, "tracking_total_keys"), "3000");
    assert_eq!(info(&mut server, b, "tracking_total_items"), "3000");
    assert_eq!(server.receive(a), "");
    let full = server.engine.used_memory();
    // A slice a turn, until it is done.
    server.call(b, "CONFIG SET tracking-table-max-keys 100");
    let mut turns = 0;
    while server.engine.has_work() {
        server.turn();
        turns += 1;
    }
    assert!((2..10).contains(&turns), "{turns}");
    let told = server.receive(a);
    assert_eq!(told.lines().count(), 2900);
    assert_eq!(info(&mut server, b, "tracking_total_keys"), "100");
    assert!(server.engine.used_memory() + 2900 * 24 < full);
    // Reading more forgets as much, at random, behind the reply.
    let told = server.call(a, "MGET new1 new2 new3");
    assert_eq!(told.lines().count(), 4, "{told}");
    assert_eq!(info(&mut server, b, "tracking_total_keys"), "100");
    // Those that it was not told of it is still told of.
    server.call(b, &format!("DEL {}", keys.join(" ")));
    server.call(b, "FLUSHALL");
    assert_eq!(server.receive(a), r#">["invalidate", nil]"#);
    assert_eq!(info(&mut server, b, "tracking_total_keys"), "0");
}

#[test]
fn who_is_gone_is_forgotten_when_the_key_changes() {
    let mut server = Harness::new();
    let (a, b) = two(&mut server);
    let before = server.engine.used_memory();
    server.call(a, "CLIENT TRACKING on");
    server.call(a, "MGET k l");
    server.disconnect(a);
    assert_eq!(info(&mut server, b, "tracking_clients"), "0");
    assert_eq!(info(&mut server, b, "tracking_total_items"), "2");
    // Nor is who came in its place told.
    let c = server.connect();
    assert_eq!(c, a);
    server.call(c, "HELLO 3");
    server.call(c, "CLIENT TRACKING on");
    server.call(c, "GET l");
    server.call(b, "MSET k 1 l 1");
    assert_eq!(server.receive(c), r#">["invalidate", ["l"]]"#);
    server.disconnect(c);
    server.call(b, "FLUSHALL");
    server.turn();
    assert!(server.engine.used_memory() <= before);
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let mut server = Harness::new();
    let a = server.connect();
    let overlap = "Prefixes for a single client must not overlap.";
    check(
        &mut server,
        a,
        &[
            ("CLIENT TRACKING maybe", "-ERR syntax error"),
            ("CLIENT TRACKING on REDIRECT", "-ERR syntax error"),
            ("CLIENT TRACKING on REDIRECT x", "-ERR value is not an integer or out of range"),
            ("CLIENT TRACKING on REDIRECT 0", "-ERR The client ID you want redirect to does not exist"),
            (
                "CLIENT TRACKING on REDIRECT 1 REDIRECT 1",
                "-ERR A client can only redirect to a single other client",
            ),
            ("CLIENT TRACKING on PREFIX a", "-ERR PREFIX option requires BCAST mode to be enabled"),
            ("CLIENT TRACKING on BCAST OPTIN", "-ERR OPTIN and OPTOUT are not compatible with BCAST"),
            ("CLIENT TRACKING on OPTIN OPTOUT", "-ERR You can't specify both OPTIN mode and OPTOUT mode"),
            (
                "CLIENT TRACKING on BCAST PREFIX foobar PREFIX foo",
                &format!("-ERR Prefix 'foobar' overlaps with another provided prefix 'foo'. {overlap}"),
            ),
            (
                "CLIENT TRACKING on BCAST PREFIX x PREFIX foo PREFIX foobar",
                &format!("-ERR Prefix 'foo' overlaps with another provided prefix 'foobar'. {overlap}"),
            ),
            ("CLIENT TRACKINGINFO", r#"["flags", ["off"], "redirect", :-1, "prefixes", []]"#),
            ("CLIENT TRACKING on BCAST PREFIX foo PREFIX bar", "+OK"),
            (
                "CLIENT TRACKING on BCAST PREFIX foobar",
                &format!("-ERR Prefix 'foobar' overlaps with an existing prefix 'foo'. {overlap}"),
            ),
            (
                "CLIENT TRACKINGINFO",
                r#"["flags", ["on", "bcast"], "redirect", :0, "prefixes", ["bar", "foo"]]"#,
            ),
            (
                "CLIENT TRACKING on",
                "-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
                 re-enabling it with a different mode.",
            ),
            ("CLIENT TRACKING off", "+OK"),
            (
                "CLIENT CACHING yes",
                "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
                 enabled",
            ),
            ("CLIENT TRACKING on OPTIN", "+OK"),
            ("CLIENT CACHING maybe", "-ERR syntax error"),
            (
                "CLIENT CACHING no",
                "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ),
            (
                "CLIENT TRACKING on OPTOUT",
                "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
                 re-enabling it with a different mode.",
            ),
            ("CLIENT TRACKING on", "+OK"),
            (
                "CLIENT CACHING yes",
                "-ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ),
        ],
    );
    server.call(a, "CLIENT TRACKING off");
    let mut words = vec![b"prefix".as_slice(); 2 * (1 << 20) + 6];
    words[..4].copy_from_slice(&[b"CLIENT", b"TRACKING", b"on", b"BCAST"]);
    assert_eq!(server.call_args(a, &words), "-ERR too many prefixes");
}

#[test]
fn the_first_prefixes_that_overlap_are_named() {
    let mut server = Harness::new();
    let a = server.connect();
    let overlaps = |prefix: &str, what: &str, other: &str| {
        format!(
            "-ERR Prefix '{prefix}' overlaps with {what} prefix '{other}'. Prefixes for a single client must not overlap."
        )
    };
    for (prefixes, refusal) in [
        ("b ab c a ac", overlaps("ab", "another provided", "a")),
        ("b a c ac ab", overlaps("a", "another provided", "ac")),
        ("x b y y", overlaps("y", "another provided", "y")),
        ("x ab b ", overlaps("x", "another provided", "")),
    ] {
        let words: String = prefixes.split(' ').map(|prefix| format!(" PREFIX \"{prefix}\"")).collect();
        assert_eq!(server.call(a, &format!("CLIENT TRACKING on BCAST{words}")), refusal);
    }
    assert_eq!(server.call(a, "CLIENT TRACKING on BCAST PREFIX ma PREFIX mc PREFIX m0"), "+OK");
    assert_eq!(server.call(a, "CLIENT TRACKING on BCAST PREFIX mb"), "+OK");
    for (prefix, other) in [("m", "m0"), ("mcc", "mc"), ("ma", "ma"), ("mbb", "mb")] {
        let line = format!("CLIENT TRACKING on BCAST PREFIX k PREFIX {prefix}");
        assert_eq!(server.call(a, &line), overlaps(prefix, "an existing", other));
    }
}

#[test]
fn prefixes_count_in_the_memory_of_their_client() {
    let mut server = Harness::new();
    let (a, watcher) = (server.connect(), server.connect());
    server.call(watcher, "CLIENT NO-EVICT on");
    server.call(watcher, "CONFIG SET maxmemory-clients 200000");
    let mut sent = 0;
    while server.is_open(a) {
        assert!(sent < 20_000, "it is evicted before its prefixes take much more");
        server.call(a, &format!("CLIENT TRACKING on PREFIX a{sent:09} PREFIX b{sent:09} bcast"));
        server.engine.evict_clients();
        server.turn();
        sent += 1;
    }
    assert!(sent > 100);
}
