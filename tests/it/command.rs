//! COMMAND, and the table that it shows.

use staywire::{
    command::{
        Arg, ArgKind, CommandSpec, KeyFlags,
        spec::ArgFlags,
        table::{Entry, Table},
    },
    testkit::Harness,
};
use std::collections::BTreeSet;

fn table() -> Table {
    Table::new(staywire::cmd::FAMILIES)
}

/// All arguments, those inside others included.
fn each_arg(args: &'static [Arg], f: &mut impl FnMut(&'static Arg)) {
    for arg in args {
        f(arg);
        if let ArgKind::OneOf(parts) | ArgKind::Block(parts) = arg.kind {
            each_arg(parts, f);
        }
    }
}

fn check_names(entry: &Entry, spec: &CommandSpec) {
    let name = &entry.full_name;
    assert!(spec.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_'), "{name}");
    assert!(spec.name.len() <= 24 && !spec.name.is_empty(), "{name}");
    assert!(spec.summary.ends_with('.') && spec.summary.len() > 10, "{name}: {}", spec.summary);
    let version: Vec<&str> = spec.since.split('.').collect();
    assert!(version.len() == 3 && version.iter().all(|n| n.parse::<u8>().is_ok()), "{name}: {}", spec.since);
    assert_ne!(spec.arity, 0, "{name}");
    assert!(entry.container.is_none() || spec.arity.unsigned_abs() >= 2, "{name}");
    assert!(spec.subcommands.is_empty() || entry.container.is_none(), "{name}");
}

fn check_args(name: &str, spec: &CommandSpec) {
    let mut named = BTreeSet::new();
    each_arg(spec.args, &mut |arg| {
        assert!(!arg.name.is_empty(), "{name}");
        assert!(arg.token.is_none_or(|token| token == token.to_uppercase()), "{name} {}", arg.name);
        assert!(arg.kind != ArgKind::PureToken || arg.token.is_some(), "{name} {}", arg.name);
        assert!(!arg.flags.has(ArgFlags::MULTIPLE_TOKEN) || arg.token.is_some(), "{name} {}", arg.name);
        if let ArgKind::Key(number) | ArgKind::KeyPattern(number) = arg.kind {
            assert!((number as usize) < spec.keys.len(), "{name} {}", arg.name);
            named.insert(number as usize);
        }
    });
    for (number, key) in spec.keys.iter().enumerate() {
        let is_key = !key.flags.has(KeyFlags::NOT_KEY);
        assert_eq!(named.contains(&number), is_key, "{name}: an argument names key spec {number}");
        let access = KeyFlags::RO.or(KeyFlags::RW).or(KeyFlags::OW).or(KeyFlags::RM);
        let ways = key.flags.names().filter(|name| access.names().any(|way| way == *name)).count();
        assert_eq!(ways, usize::from(is_key), "{name}: key spec {number} says how it is used");
    }
    // With fixed arguments alone the arity says how many there are.
    let plain =
        |arg: &Arg| arg.flags == ArgFlags::NONE && !matches!(arg.kind, ArgKind::OneOf(_) | ArgKind::Block(_));
    // PSYNC takes what its arguments do not tell of.
    if spec.args.iter().all(plain) && !spec.args.is_empty() && name != "psync" {
        let tokens = spec.args.iter().filter(|a| a.token.is_some() && a.kind != ArgKind::PureToken).count();
        let words = name.split('|').count();
        assert_eq!(spec.arity, (words + spec.args.len() + tokens) as i16, "{name}");
    }
}

#[test]
fn every_command_declares_itself_fully() {
    let table = table();
    let mut names = BTreeSet::new();
    for entry in table.entries() {
        assert!(names.insert(&entry.full_name), "{} stands twice", entry.full_name);
        check_names(entry, entry.spec);
        check_args(&entry.full_name, entry.spec);
        let found =
            table.find_full(entry.full_name.to_uppercase().as_bytes()).expect("it is found by its name");
        assert_eq!(found.full_name, entry.full_name);
    }
    for container in table.top_level().filter(|entry| !entry.spec.subcommands.is_empty()) {
        let has_help = container.spec.subcommands.iter().any(|sub| sub.name == "help");
        assert!(has_help || container.full_name == "function", "{} HELP", container.full_name);
    }
}

#[test]
fn info_describes_a_command_in_ten_elements() {
    let mut server = Harness::new();
    let a = server.connect();
    let keys = r#""begin_search", ["type", "index", "spec", ["index", :1]], "find_keys", ["type", "range", "spec", ["lastkey", :0, "keystep", :1, "limit", :0]]"#;
    assert_eq!(
        server.call(a, "COMMAND INFO LIndex"),
        format!(
            "[[\"lindex\", :3, [+readonly], :1, :1, :1, [+@read, +@list, +@slow], [], \
             [[\"flags\", [+RO, +access], {keys}]], []]]"
        )
    );
    assert_eq!(
        server.call(a, "COMMAND INFO nosuch ping"),
        "[nil, [\"ping\", :-1, [+fast], :0, :0, :0, [+@fast, +@connection], \
         [\"request_policy:all_shards\", \"response_policy:all_succeeded\"], [], []]]"
    );
    server.call(a, "HELLO 3");
    let keys = r#""begin_search": {"type": "index", "spec": {"index": :1}}, "find_keys": {"type": "keynum", "spec": {"keynumidx": :0, "firstkey": :1, "keystep": :1}}"#;
    assert_eq!(
        server.call(a, "COMMAND INFO lmpop"),
        format!(
            "[[\"lmpop\", :-4, ~[+write, +movablekeys], :0, :0, :0, ~[+@write, +@list, +@slow], ~[], \
             ~[{{\"flags\": ~[+RW, +access, +delete], {keys}}}], ~[]]]"
        )
    );
    // Two groups of keys, one behind the other, are one range.
    assert!(
        server
            .call(a, "COMMAND INFO lmove")
            .starts_with(r#"[["lmove", :5, ~[+write, +denyoom], :1, :2, :1, "#)
    );
    assert!(server.call(a, "COMMAND INFO client|kill").starts_with(r#"[["client|kill", :-3, ~[+admin, "#));
    assert!(server.call(a, "COMMAND INFO debug").starts_with(
        r#"[["debug", :-2, ~[+admin, +noscript, +loading, +stale], :0, :0, :0, ~[+@admin, +@slow, +@dangerous], "#
    ));
}

#[test]
fn all_are_listed() {
    let mut server = Harness::new();
    let a = server.connect();
    let n = table().top_level().count();
    assert_eq!(server.call(a, "COMMAND COUNT"), format!(":{n}"));
    let all = server.call(a, "COMMAND");
    assert_eq!(all, server.call(a, "COMMAND INFO"));
    for entry in table().entries() {
        assert!(
            all.contains(&format!("[\"{}\", :{}, ", entry.full_name, entry.spec.arity)),
            "{}",
            entry.full_name
        );
    }
    let docs = server.call(a, "COMMAND DOCS");
    for entry in table().entries() {
        assert!(docs.contains(&format!("\"{}\", [\"summary\", ", entry.full_name)), "{}", entry.full_name);
    }
}

#[test]
fn docs_describe_arguments() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "COMMAND DOCS nosuch"), "[]");
    server.call(a, "HELLO 3");
    assert_eq!(
        server.call(a, "COMMAND DOCS Select nosuch"),
        "{\"select\": {\"summary\": \"Chooses the database of the connection.\", \"since\": \"1.0.0\", \
         \"group\": \"connection\", \"complexity\": \"O(1)\", \"arguments\": [{\"name\": \"index\", \
         \"type\": \"integer\", \"display_text\": \"index\"}]}}"
    );
    let docs = server.call(a, "COMMAND DOCS quit debug");
    assert!(docs.contains(
        r#""doc_flags": ~[+deprecated], "deprecated_since": "7.2.0", "replaced_by": "just closing the connection""#
    ));
    assert!(docs.contains(r#""doc_flags": ~[+syscmd]"#), "{docs}");
    let docs = server.call(a, "COMMAND DOCS client|list");
    assert!(docs.contains(
        r#"{"name": "client-id", "type": "integer", "display_text": "client-id", "token": "ID", "since": "6.2.0", "flags": ~[+optional, +multiple]}"#
    ));
    let docs = server.call(a, "COMMAND DOCS lmove");
    assert!(docs.contains(
        r#"{"name": "destination", "type": "key", "display_text": "destination", "key_spec_index": :1}, {"name": "wherefrom", "type": "oneof", "arguments": [{"name": "left", "type": "pure-token", "display_text": "left", "token": "LEFT"}, "#
    ), "{docs}");
    let docs = server.call(a, "COMMAND DOCS config");
    assert!(docs.contains(r#""subcommands": {"config|get": {"summary": "#), "{docs}");
}

#[test]
fn keys_are_found() {
    let mut server = Harness::new();
    let a = server.connect();
    for (call, keys) in [
        ("lpush k v v2", r#"["k"]"#),
        ("BLPOP a b c 0", r#"["a", "b", "c"]"#),
        ("blmove a b left right 0", r#"["a", "b"]"#),
        ("lmpop 2 a b left", r#"["a", "b"]"#),
        ("blmpop 0 1 a left count 5", r#"["a"]"#),
        ("watch a b", r#"["a", "b"]"#),
        ("lpush k", "-ERR Invalid number of arguments specified for command"),
        ("xread count 1 a b", "-ERR Invalid arguments specified for command"),
        ("lmpop 5 a b left", "-ERR Invalid arguments specified for command"),
        ("lmpop 2x a b left", r#"["a", "b"]"#),
        ("lmpop x a b left", "-ERR Invalid arguments specified for command"),
        ("lmpop 0 a b left", "-ERR Invalid arguments specified for command"),
        ("lmpop 9223372036854775807 a b left", "-ERR Invalid arguments specified for command"),
        ("ping", "-ERR The command has no key arguments"),
        ("client list", "-ERR The command has no key arguments"),
        ("ssubscribe a", "-ERR The command has no key arguments"),
        ("nosuch a", "-ERR Invalid command specified"),
        ("client nosuch", "-ERR Invalid command specified"),
    ] {
        assert_eq!(server.call(a, &format!("COMMAND GETKEYS {call}")), keys, "{call}");
    }
    assert_eq!(
        server.call(a, "COMMAND GETKEYS"),
        "-ERR wrong number of arguments for 'command|getkeys' command"
    );
    assert_eq!(server.call(a, "COMMAND foo"), "-ERR unknown subcommand 'foo'. Try COMMAND HELP.");
    assert!(server.call(a, "COMMAND HELP").contains("+(no subcommand), "));
}

#[test]
fn what_happens_to_keys_is_told() {
    let mut server = Harness::new();
    let a = server.connect();
    for (call, keys) in [
        ("set k v", r#"[["k", [+OW, +update]]]"#),
        ("SET k v EX 5 Get", r#"[["k", [+RW, +access, +update]]]"#),
        ("lmove a b left right", r#"[["a", [+RW, +access, +delete]], ["b", [+RW, +insert]]]"#),
        ("object encoding k", r#"[["k", [+RO]]]"#),
        // Where the number of keys is not well formed nothing is known of them.
        ("sintercard 1 k", r#"[["k", [+RO, +access]]]"#),
        ("sintercard +1 k", r#"[["k", []]]"#),
        ("zunionstore d 1.0 k", r#"[["d", []], ["k", []]]"#),
        ("set k", "-ERR Invalid number of arguments specified for command"),
        ("ping", "-ERR The command has no key arguments"),
        ("nosuch a", "-ERR Invalid command specified"),
    ] {
        assert_eq!(server.call(a, &format!("COMMAND GETKEYSANDFLAGS {call}")), keys, "{call}");
    }
    server.call(a, "HELLO 3");
    assert_eq!(server.call(a, "COMMAND GETKEYSANDFLAGS get k"), r#"[["k", ~[+RO, +access]]]"#);
}

#[test]
fn names_are_listed_and_filtered() {
    let mut server = Harness::new();
    let a = server.connect();
    let listed = server.call(a, "COMMAND LIST");
    assert_eq!(listed.split(", ").count(), table().entries().len());
    assert!(listed.contains("\"client|list\""), "{listed}");
    for (filter, names) in [
        ("ACLCAT Transaction", r#"["multi", "exec", "discard", "watch", "unwatch"]"#),
        ("aclcat @transaction", "[]"),
        ("aclcat nosuch", "[]"),
        ("module nosuch", "[]"),
        ("Pattern CONFIG|g*", r#"["config|get"]"#),
        ("pattern ?push", r#"["lpush", "rpush"]"#),
        ("pattern", "-ERR syntax error"),
        ("nosuch x", "-ERR syntax error"),
        ("pattern a filterby pattern b", "-ERR syntax error"),
    ] {
        assert_eq!(server.call(a, &format!("COMMAND LIST FILTERBY {filter}")), names, "{filter}");
    }
    assert_eq!(server.call(a, "COMMAND LIST nosuch"), "-ERR syntax error");
}
