//! Publish and subscribe.

use crate::lists::check;
use staywire::testkit::Harness;

const NOT_WHILE_SUBSCRIBED: &str =
    "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";

#[test]
fn messages_reach_their_subscribers() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    check(
        &mut server,
        a,
        &[("SUBSCRIBE one two", "[\"subscribe\", \"one\", :1]\n[\"subscribe\", \"two\", :2]")],
    );
    check(
        &mut server,
        b,
        &[("PSUBSCRIBE o* *", "[\"psubscribe\", \"o*\", :1]\n[\"psubscribe\", \"*\", :2]")],
    );
    check(&mut server, c, &[("PUBLISH one hi", ":3"), ("PUBLISH none x", ":1"), ("PUBLISH two \"\"", ":2")]);
    assert_eq!(server.receive(a), "[\"message\", \"one\", \"hi\"]\n[\"message\", \"two\", \"\"]");
    let received = server.receive(b);
    let mut lines: Vec<&str> = received.lines().collect();
    // Which pattern comes first for a message is open.
    lines[..2].sort_unstable();
    assert_eq!(
        lines,
        [
            r#"["pmessage", "*", "one", "hi"]"#,
            r#"["pmessage", "o*", "one", "hi"]"#,
            r#"["pmessage", "*", "none", "x"]"#,
            r#"["pmessage", "*", "two", ""]"#,
        ]
    );
    assert_eq!(server.receive(c), "");
}

#[test]
fn subscribing_twice_is_subscribing_once() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    check(
        &mut server,
        a,
        &[
            ("SUBSCRIBE c c", "[\"subscribe\", \"c\", :1]\n[\"subscribe\", \"c\", :1]"),
            ("PSUBSCRIBE p", "[\"psubscribe\", \"p\", :2]"),
            ("SSUBSCRIBE c", "[\"ssubscribe\", \"c\", :1]"),
        ],
    );
    check(&mut server, b, &[("PUBLISH c 1", ":1"), ("SPUBLISH c 2", ":1"), ("SPUBLISH p 2", ":0")]);
    assert_eq!(server.receive(a), "[\"message\", \"c\", \"1\"]\n[\"smessage\", \"c\", \"2\"]");
    check(
        &mut server,
        a,
        &[
            ("UNSUBSCRIBE c", "[\"unsubscribe\", \"c\", :1]"),
            ("SUNSUBSCRIBE none c", "[\"sunsubscribe\", \"none\", :1]\n[\"sunsubscribe\", \"c\", :0]"),
        ],
    );
    check(&mut server, b, &[("PUBLISH c 1", ":0"), ("SPUBLISH c 2", ":0"), ("PUBLISH p 3", ":1")]);
    assert_eq!(server.receive(a), "[\"pmessage\", \"p\", \"p\", \"3\"]");
    assert_eq!(server.call(a, "PUNSUBSCRIBE"), "[\"punsubscribe\", \"p\", :0]");
    check(&mut server, a, &[("PING", "+PONG"), ("LLEN k", ":0")]);
}

#[test]
fn ending_subscriptions_that_are_not_there_is_confirmed() {
    let mut server = Harness::new();
    let a = server.connect();
    check(
        &mut server,
        a,
        &[
            ("UNSUBSCRIBE", r#"["unsubscribe", nil, :0]"#),
            ("PUNSUBSCRIBE", r#"["punsubscribe", nil, :0]"#),
            ("SUNSUBSCRIBE", r#"["sunsubscribe", nil, :0]"#),
            ("UNSUBSCRIBE a b", "[\"unsubscribe\", \"a\", :0]\n[\"unsubscribe\", \"b\", :0]"),
        ],
    );
    server.call(a, "HELLO 3");
    check(
        &mut server,
        a,
        &[
            ("UNSUBSCRIBE", r#">["unsubscribe", nil, :0]"#),
            ("PSUBSCRIBE p", r#">["psubscribe", "p", :1]"#),
            ("UNSUBSCRIBE", r#">["unsubscribe", nil, :1]"#),
        ],
    );
}

#[test]
fn ending_all_subscriptions() {
    let mut server = Harness::new();
    let a = server.connect();
    for i in 0..20 {
        assert_eq!(server.call(a, &format!("SUBSCRIBE {i}")), format!(r#"["subscribe", "{i}", :{}]"#, i + 1));
    }
    server.call(a, "PSUBSCRIBE *");
    let received = server.call(a, "UNSUBSCRIBE");
    let counts: Vec<&str> = received.lines().filter_map(|line| line.rsplit(':').next()).collect();
    let expected: Vec<String> = (1..=20).rev().map(|n| format!("{n}]")).collect();
    assert_eq!(counts, expected);
    check(&mut server, a, &[("PUNSUBSCRIBE", r#"["punsubscribe", "*", :0]"#), ("PUBSUB NUMPAT", ":0")]);
    assert_eq!(server.engine.state.pubsub.subscriptions, 0);
}

#[test]
fn resp2_clients_in_subscribed_mode_may_do_little() {
    let mut server = Harness::new();
    let a = server.connect();
    server.call(a, "SSUBSCRIBE c");
    for (line, name) in [
        ("GET a", "get"),
        ("MULTI", "multi"),
        ("PUBLISH c x", "publish"),
        ("PUBSUB NUMPAT", "pubsub|numpat"),
        ("HELLO 3", "hello"),
        ("SELECT 1", "select"),
        ("BLPOP a 0", "blpop"),
    ] {
        assert_eq!(server.call(a, line), format!("-ERR Can't execute '{name}': {NOT_WHILE_SUBSCRIBED}"));
    }
    check(
        &mut server,
        a,
        &[
            ("PING", r#"["pong", ""]"#),
            ("PING hello", r#"["pong", "hello"]"#),
            ("SUNSUBSCRIBE", r#"["sunsubscribe", "c", :0]"#),
            ("PING", "+PONG"),
            ("SUBSCRIBE c", r#"["subscribe", "c", :1]"#),
            ("RESET", "+RESET"),
            ("PING", "+PONG"),
            ("PUBSUB NUMSUB c", r#"["c", :0]"#),
            ("SUBSCRIBE c", r#"["subscribe", "c", :1]"#),
            ("QUIT", "+OK"),
        ],
    );
    assert!(!server.is_open(a));
    let b = server.connect();
    check(&mut server, b, &[("PUBLISH c x", ":0")]);
}

#[test]
fn resp3_clients_publish_to_themselves() {
    let mut server = Harness::new();
    let a = server.connect();
    server.call(a, "HELLO 3");
    check(
        &mut server,
        a,
        &[
            ("SUBSCRIBE c", r#">["subscribe", "c", :1]"#),
            ("PUBLISH c x", ":1\n>[\"message\", \"c\", \"x\"]"),
            ("PING", "+PONG"),
            ("MULTI", "+OK"),
            ("PUBLISH c 1", "+QUEUED"),
            ("RPUSH l 1", "+QUEUED"),
            ("PUBLISH c 2", "+QUEUED"),
            ("EXEC", "[:1, :1, :1]\n>[\"message\", \"c\", \"1\"]\n>[\"message\", \"c\", \"2\"]"),
            ("BLPOP none 0", ""),
        ],
    );
    let b = server.connect();
    check(&mut server, b, &[("PUBLISH c y", ":1"), ("RPUSH none 1", ":1")]);
    assert_eq!(server.receive(a), ">[\"message\", \"c\", \"y\"]\n[\"none\", \"1\"]");
}

#[test]
fn subscribing_inside_a_transaction() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    check(
        &mut server,
        a,
        &[
            ("MULTI", "+OK"),
            ("SUBSCRIBE c", "+QUEUED"),
            ("SSUBSCRIBE c", "+QUEUED"),
            ("PSUBSCRIBE d", "+QUEUED"),
            ("PING", "+QUEUED"),
            ("LLEN none", "+QUEUED"),
            (
                "EXEC",
                "[[\"subscribe\", \"c\", :1], -ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client, \
                 [\"psubscribe\", \"d\", :2], [\"pong\", \"\"], :0]",
            ),
        ],
    );
    check(&mut server, b, &[("PUBLISH c x", ":1"), ("SPUBLISH c x", ":0")]);
    assert_eq!(server.receive(a), r#"["message", "c", "x"]"#);
}

#[test]
fn messages_cross_databases_and_end_with_the_connection() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    check(&mut server, a, &[("SELECT 5", "+OK"), ("SUBSCRIBE c", r#"["subscribe", "c", :1]"#)]);
    check(&mut server, b, &[("PUBLISH c x", ":1")]);
    assert_eq!(server.receive(a), r#"["message", "c", "x"]"#);
    server.disconnect(a);
    check(&mut server, b, &[("PUBLISH c x", ":0"), ("PUBSUB CHANNELS", "[]")]);
}

#[test]
fn both_versions_and_long_messages() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    server.call(b, "HELLO 3");
    for client in [a, b] {
        server.call(client, "SUBSCRIBE c");
        server.call(client, "PSUBSCRIBE ?");
    }
    let long = "y".repeat(70_000);
    for message in ["x", &long, "z"] {
        assert_eq!(server.call(c, &format!("PUBLISH c {message}")), ":4");
    }
    let of = |mark: &str| {
        ["x", &long, "z"]
            .map(|m| {
                format!("{mark}[\"message\", \"c\", \"{m}\"]\n{mark}[\"pmessage\", \"?\", \"c\", \"{m}\"]")
            })
            .join("\n")
    };
    assert!(server.receive(a) == of(""));
    assert!(server.receive(b) == of(">"));
}

#[test]
fn looking_into_it() {
    let mut server = Harness::new();
    let [a, b, c] = [(); 3].map(|()| server.connect());
    server.call(a, "SUBSCRIBE news");
    server.call(a, "PSUBSCRIBE p* q*");
    server.call(a, "SSUBSCRIBE shard");
    server.call(b, "SUBSCRIBE news");
    server.call(b, "PSUBSCRIBE p*");
    check(
        &mut server,
        c,
        &[
            ("PUBSUB CHANNELS", r#"["news"]"#),
            ("PUBSUB CHANNELS n?ws", r#"["news"]"#),
            ("PUBSUB CHANNELS x*", "[]"),
            ("PUBSUB NUMSUB", "[]"),
            ("PUBSUB NUMSUB news none news shard", r#"["news", :2, "none", :0, "news", :2, "shard", :0]"#),
            ("PUBSUB NUMPAT", ":2"),
            ("PUBSUB SHARDCHANNELS", r#"["shard"]"#),
            ("PUBSUB shardchannels n*", "[]"),
            ("PUBSUB SHARDNUMSUB shard news", r#"["shard", :1, "news", :0]"#),
            (
                "PUBSUB CHANNELS a b",
                "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.",
            ),
            ("PUBSUB NUMPAT x", "-ERR wrong number of arguments for 'pubsub|numpat' command"),
            ("PUBSUB FOO", "-ERR unknown subcommand 'FOO'. Try PUBSUB HELP."),
            ("PUBSUB", "-ERR wrong number of arguments for 'pubsub' command"),
            ("SUBSCRIBE", "-ERR wrong number of arguments for 'subscribe' command"),
            ("PUBLISH a", "-ERR wrong number of arguments for 'publish' command"),
        ],
    );
    let help = server.call(c, "PUBSUB HELP");
    assert!(help.starts_with("[+PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:, +CHANNELS"));
    assert!(help.ends_with("+HELP, +    Print this help.]"));
}
