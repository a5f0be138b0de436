//! DEBUG.

use crate::support::check;
use staywire::{
    state::{config::Config, session::Address},
    testkit::Harness,
    value::Value,
};
use std::{cell::Cell, time::Duration};

#[test]
fn it_is_closed_unless_allowed() {
    let refusal = "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can \
                   run it from a local connection, otherwise you need to set this option in the configuration file, \
                   and then restart the server.";
    let mut server = Harness::with(Config::default(), 1);
    let a = server.connect();
    assert_eq!(server.call(a, "DEBUG SLEEP 0"), refusal);
    let config = Config { enable_debug_command: 2, protected_mode: false, ..Config::default() };
    let mut server = Harness::with(config, 1);
    let a = server.connect();
    assert_eq!(server.call(a, "DEBUG SLEEP 0"), "+OK");
    let far = Address::Tcp("10.1.1.1:5".parse().expect("an address"));
    let b = server.engine.open(far, Address::None).expect("it is admitted");
    assert_eq!(server.call(b, "DEBUG SLEEP 0"), refusal);
}

#[test]
fn what_is_unknown_is_an_error() {
    let mut server = Harness::new();
    let a = server.connect();
    for wrong in ["foo", "object", "object a b c", "sleep", "digest x", "htstats", "protocol"] {
        let word = wrong.split(' ').next().expect("a word");
        assert_eq!(
            server.call(a, &format!("DEBUG {wrong}")),
            format!("-ERR unknown subcommand or wrong number of arguments for '{word}'. Try DEBUG HELP.")
        );
    }
    assert_eq!(server.call(a, "DEBUG"), "-ERR wrong number of arguments for 'debug' command");
    let help = server.call(a, "DEBUG HELP");
    assert!(
        help.starts_with("[+DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:, +ASSERT, +    ")
    );
    assert!(help.contains(", +POPULATE <count> [<prefix>] [<size>], +    "), "{help}");
    assert!(help.ends_with(", +HELP, +    Print this help.]"), "{help}");
}

#[test]
fn replies_of_every_type() {
    let mut server = Harness::new();
    let a = server.connect();
    for (name, resp2, resp3) in [
        ("string", "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"),
        ("integer", ":12345\r\n", ":12345\r\n"),
        ("double", "$5\r\n3.141\r\n", ",3.141\r\n"),
        (
            "bignum",
            "$37\r\n1234567999999999999999999999999999999\r\n",
            "(1234567999999999999999999999999999999\r\n",
        ),
        ("null", "$-1\r\n", "_\r\n"),
        ("array", "*3\r\n:0\r\n:1\r\n:2\r\n", "*3\r\n:0\r\n:1\r\n:2\r\n"),
        ("set", "*3\r\n:0\r\n:1\r\n:2\r\n", "~3\r\n:0\r\n:1\r\n:2\r\n"),
        ("map", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n"),
        (
            "attrib",
            "$39\r\nSome real reply following the attribute\r\n",
            "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n\
             $39\r\nSome real reply following the attribute\r\n",
        ),
        (
            "push",
            "-ERR RESP2 is not supported by this command\r\n",
            "$40\r\nSome real reply following the push reply\r\n>2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n",
        ),
        ("verbatim", "$25\r\nThis is a verbatim\nstring\r\n", "=29\r\ntxt:This is a verbatim\nstring\r\n"),
        ("true", ":1\r\n", "#t\r\n"),
        ("FALSE", ":0\r\n", "#f\r\n"),
    ] {
        for (version, wire) in [("2", resp2), ("3", resp3)] {
            server.call(a, &format!("HELLO {version}"));
            server.send(a, &format!("DEBUG PROTOCOL {name}"));
            assert_eq!(String::from_utf8_lossy(&server.receive_bytes(a)), wire, "{name} in RESP{version}");
        }
    }
    let wrong = "-ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false";
    assert_eq!(server.call(a, "DEBUG PROTOCOL foo"), wrong);
}

#[test]
fn digests_are_those_of_valkey() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "DEBUG DIGEST"), format!("+{}", "0".repeat(40)));
    server.call(a, "RPUSH l a b 12 -5 99999999999 1.5");
    server.call(a, "RPUSH l2 x");
    // Taken from a Valkey 8.1 with the same keys; in `l2` there with an expiry.
    let far_ms = server.engine.now_ms() + 1_000_000;
    let pos = server.engine.store.find(0, b"l2").expect("it is there");
    server.engine.store.edit(0, pos).set_expire(Some(far_ms));
    assert_eq!(
        server.call(a, "DEBUG DIGEST-VALUE l nosuch l2"),
        "[+6ca372628ee743676676fb971b2de24a3681278a, +0000000000000000000000000000000000000000, \
         +513a82800d1204ddf6715dfcad32e7acbbbf92d4]"
    );
    assert_eq!(server.call(a, "DEBUG DIGEST"), "+73a968b53df6fee3876ee06358f115683f89e69a");
    // The database counts too.
    assert_eq!(server.call(a, "DEBUG DIGEST-VALUE"), "[]");
    server.engine.store.swap(0, 1);
    assert_ne!(server.call(a, "DEBUG DIGEST"), "+73a968b53df6fee3876ee06358f115683f89e69a");
}

/// The line of DEBUG OBJECT behind the address.
fn object(server: &mut Harness, client: usize, rest: &str) -> String {
    let line = server.call(client, &format!("DEBUG OBJECT {rest}"));
    let line = line.strip_prefix("+Value at:0x").expect("an address");
    line.split_once(' ').expect("more fields").1.to_string()
}

#[test]
fn objects_are_described() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "DEBUG OBJECT nosuch"), "-ERR no such key");
    server.call(a, "RPUSH l a b ccc");
    server.advance(Duration::from_secs(3));
    // The virtual clock's time in seconds, cut to 24 bits.
    let lru = 1_704_067_200 & 0xff_ffff;
    let times = format!("lru:{lru} lru_seconds_idle:3 lfu_freq:");
    let line = object(&mut server, a, "l");
    assert!(line.starts_with(&format!("refcount:1 encoding:listpack serializedlength:21 {times}")), "{line}");
    assert!(line.ends_with(&format!(" lfu_access_time_minutes:{}", lru >> 8)), "{line}");
    assert!(object(&mut server, a, "l FAST").starts_with(&format!("refcount:1 encoding:listpack {times}")));
    server.call(a, "CONFIG SET list-max-listpack-size 2");
    server.call(a, &format!("RPUSH q {} b c d e f g", "a".repeat(82)));
    let line = object(&mut server, a, "q");
    assert!(line.contains("encoding:quicklist serializedlength:67 "), "{line}");
    let nodes = "ql_nodes:4 ql_avg_node:1.75 ql_listpack_max:2 ql_compressed:0";
    assert!(line.ends_with(&format!("{nodes} ql_uncompressed_size:131")), "{line}");
    assert!(object(&mut server, a, "q fast").ends_with(nodes));
    for (value, saved) in [
        (Value::Int(127), 2),
        (Value::Int(-129), 3),
        (Value::Int(1 << 20), 5),
        (Value::Int(i64::MAX), 20),
        (Value::Str((*b"hello").into()), 6),
        (Value::Str(vec![b'x'; 10_000].into()), 125),
    ] {
        server.engine.store.put(0, b"s", value.clone(), None);
        let line = object(&mut server, a, "s");
        assert!(line.contains(&format!(" serializedlength:{saved} ")), "{saved}: {line}");
    }
}

#[test]
fn listpacks_are_logged() {
    let mut server = Harness::new();
    let a = server.connect();
    server.call(a, "RPUSH l a");
    assert_eq!(server.call(a, "DEBUG LISTPACK l"), "+Listpack structure printed on stdout");
    assert_eq!(server.call(a, "DEBUG LISTPACK nosuch"), "-ERR no such key");
    server.engine.store.insert(0, b"s", Value::Int(1), None);
    assert_eq!(server.call(a, "DEBUG LISTPACK s"), "-ERR Not a listpack encoded object.");
}

#[test]
fn tables_are_measured() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "DEBUG HTSTATS 0"), r#""[Dictionary HT]\n[Expires HT]\n""#);
    server.call(a, "RPUSH l a");
    assert!(server.call(a, "DEBUG HTSTATS 0 full").contains(r" number of entries: 1\n[Expires HT]\n"));
    assert_eq!(server.call(a, "DEBUG HTSTATS 16"), "-ERR Out of range database");
    assert_eq!(server.call(a, "DEBUG HTSTATS x"), "-ERR value is not an integer or out of range");
    server.call(a, "SET s x");
    for (key, error) in [
        ("nosuch", "-ERR no such key"),
        ("s", "-ERR The value stored at the specified key is not represented using an hash table"),
    ] {
        assert_eq!(server.call(a, &format!("DEBUG HTSTATS-KEY {key}")), error);
    }
    server.call(a, "HSET h field value");
    assert_eq!(server.call(a, "DEBUG LISTPACK h"), "+Listpack structure printed on stdout");
    server.call(a, &format!("HSET h field {}", "x".repeat(100)));
    assert!(server.call(a, "DEBUG HTSTATS-KEY h").contains(r" number of entries: 1\n"));
    assert_eq!(server.call(a, "DEBUG LISTPACK h"), "-ERR Not a listpack encoded object.");
}

#[test]
fn large_elements_are_nodes_from_a_threshold_on() {
    let mut server = Harness::new();
    let a = server.connect();
    server.call(a, "DEBUG QUICKLIST-PACKED-THRESHOLD 100b");
    assert_eq!(server.engine.state.config.quicklist_packed_threshold, 100);
    assert_eq!(server.call(a, "DEBUG QUICKLIST-PACKED-THRESHOLD 2mb"), "+OK");
    assert_eq!(server.engine.state.config.quicklist_packed_threshold, 2 << 20);
    let refusal = "-ERR argument must be a memory value bigger than 1 and smaller than 4gb";
    for wrong in ["5gb", "4gb", "x", "-1"] {
        assert_eq!(server.call(a, &format!("DEBUG QUICKLIST-PACKED-THRESHOLD {wrong}")), refusal);
    }
    assert_eq!(server.call(a, "DEBUG QUICKLIST-PACKED-THRESHOLD 0"), "+OK");
}

#[test]
fn active_expiry_and_sleep_are_handed_on() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "DEBUG SET-ACTIVE-EXPIRE 0"), "+OK");
    assert!(!server.engine.state.config.active_expire);
    assert_eq!(server.call(a, "DEBUG SET-ACTIVE-EXPIRE 1"), "+OK");
    assert!(server.engine.state.config.active_expire);
    thread_local!(static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) });
    server.engine.state.stand_still = |time| SLEPT.set(time);
    for (text, ms) in [("0.25", 250), ("x", 0), ("-1", 0), ("nan", 0), ("inf", 0), ("1e300", 0)] {
        assert_eq!(server.call(a, &format!("DEBUG SLEEP {text}")), "+OK");
        assert_eq!(SLEPT.get(), Duration::from_millis(ms));
    }
}

#[test]
fn many_keys_are_added_at_once() {
    let mut server = Harness::new();
    let a = server.connect();
    let refusal = "-ERR value is out of range, must be positive";
    for (call, reply) in [
        ("SET key:1 mine", "+OK"),
        ("DEBUG POPULATE 3", "+OK"),
        ("MGET key:0 key:1 key:2 key:3", r#"["value:0", "mine", "value:2", nil]"#),
        ("DEBUG POPULATE 2 p 10", "+OK"),
        ("MGET p:0 p:1", r#"["value:0\x00\x00\x00", "value:1\x00\x00\x00"]"#),
        ("DEBUG POPULATE 1 cut 3", "+OK"),
        ("GET cut:0", r#""val""#),
        ("DEBUG POPULATE 1 whole 0", "+OK"),
        ("GET whole:0", r#""value:0""#),
        ("DEBUG POPULATE 0", "+OK"),
        ("DBSIZE", ":7"),
        ("DEBUG POPULATE -1", refusal),
        ("DEBUG POPULATE x", refusal),
        ("DEBUG POPULATE 9223372036854775808", refusal),
        ("DEBUG POPULATE 9223372036854775807", "-ERR OOM in dictTryExpand"),
        ("DEBUG POPULATE 2 p -1", refusal),
        ("DEBUG POPULATE 2 p x", refusal),
        (
            "DEBUG POPULATE 2 p 9223372036854775807",
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
        ),
    ] {
        assert_eq!(server.call(a, call), reply, "{call}");
    }
}

#[test]
fn errors_are_answered_as_given() {
    let mut server = Harness::new();
    let a = server.connect();
    for (text, error) in [("MINE it is", "-MINE it is\r\n"), ("", "-\r\n"), ("a\r\nb", "-a  b\r\n")] {
        server.send_args(a, &[b"DEBUG", b"ERROR", text.as_bytes()]);
        assert_eq!(String::from_utf8_lossy(&server.receive_bytes(a)), error);
    }
    assert!(!server.call(a, "INFO errorstats").contains("MINE"));
}

#[test]
fn lists_of_several_nodes_are_logged() {
    let mut server = Harness::new();
    let a = server.connect();
    server.call(a, "CONFIG SET list-max-listpack-size 2");
    server.call(a, "RPUSH q a b c d e");
    server.call(a, "RPUSH short a");
    let logged = "+Quicklist structure printed on stdout";
    for (call, reply) in [
        ("q", logged),
        ("q 1", logged),
        ("short", "-ERR Not a quicklist encoded object."),
        ("nosuch", "-ERR no such key"),
    ] {
        assert_eq!(server.call(a, &format!("DEBUG QUICKLIST {call}")), reply, "{call}");
    }
}

#[test]
fn what_happens_by_time_can_be_held_back() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    assert_eq!(server.call(a, "DEBUG PAUSE-CRON 1"), "+OK");
    server.call(a, "SET k v PX 10");
    server.send(b, "BLPOP q 1");
    server.advance(Duration::from_secs(2));
    assert_eq!(server.receive(b), "nil-array", "who waits is woken in time");
    assert_eq!(server.call(a, "DBSIZE"), ":1");
    assert_eq!(server.call(a, "DEBUG PAUSE-CRON 0"), "+OK");
    server.advance(Duration::from_secs(2));
    assert_eq!(server.call(a, "DBSIZE"), ":0");
    server.call(a, "DEBUG SET-ACTIVE-EXPIRE 0");
    server.call(a, "SET k v PX 10");
    server.advance(Duration::from_secs(2));
    assert_eq!(server.call(a, "DBSIZE"), ":1");
    assert_eq!(server.call(a, "GET k"), "nil");
    assert_eq!(server.call(a, "DBSIZE"), ":0");
}

#[test]
fn the_data_can_become_other_data() {
    let mut server = Harness::new();
    let a = server.connect();
    let repl_id = |server: &mut Harness| {
        let info = server.call(a, "INFO replication");
        let at = info.find("master_replid:").expect("it is there") + "master_replid:".len();
        info[at..at + 40].to_string()
    };
    let before = repl_id(&mut server);
    assert!(before.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(server.call(a, "DEBUG CHANGE-REPL-ID"), "+OK");
    assert_ne!(repl_id(&mut server), before);
}

#[test]
fn what_has_no_effect_is_accepted() {
    let mut server = Harness::new();
    let a = server.connect();
    for call in ["DICT-RESIZING 0", "CLIENT-ENFORCE-REPLY-LIST 1", "LOG hello"] {
        assert_eq!(server.call(a, &format!("DEBUG {call}")), "+OK");
    }
}

#[test]
fn a_dumped_value_is_taken_whatever_its_checksum() {
    let mut server = Harness::new();
    let a = server.connect();
    // The string "v", in version 10.
    let restore: [&[u8]; 4] = [b"RESTORE", b"k", b"0", b"\x00\x01v\x0a\x00wrongsum"];
    let refusal = "-ERR DUMP payload version or checksum are wrong";
    assert_eq!(server.call_args(a, &restore), refusal);
    assert_eq!(server.call(a, "DEBUG SET-SKIP-CHECKSUM-VALIDATION 1"), "+OK");
    assert_eq!(server.call_args(a, &restore), "+OK");
    assert_eq!(server.call(a, "GET k"), "\"v\"");
    assert_eq!(server.call(a, "RESTORE l 0 short"), refusal);
    let later_version: [&[u8]; 4] = [b"RESTORE", b"l", b"0", b"\x00\x01v\xff\x00wrongsum"];
    assert_eq!(server.call_args(a, &later_version), refusal);
    assert_eq!(server.call(a, "DEBUG SET-SKIP-CHECKSUM-VALIDATION 0"), "+OK");
    server.call(a, "DEL k");
    assert_eq!(server.call_args(a, &restore), refusal);
}

#[test]
fn patterns_are_tried_and_client_memory_has_no_limit() {
    check(&[
        ("DEBUG STRINGMATCH-TEST", "+Apparently the server did not crash: test passed"),
        ("DEBUG CLIENT-EVICTION", "-ERR maxmemory-clients is disabled."),
    ]);
}
