//! CLIENT.

use staywire::testkit::Harness;
use std::time::Duration;

/// The fields of a line of CLIENT LIST.
fn fields(line: &str) -> Vec<(&str, &str)> {
    line.split(' ').map(|field| field.split_once('=').expect("a field has a value")).collect()
}

fn field<'a>(line: &'a str, name: &str) -> &'a str {
    fields(line).iter().find(|(field, _)| *field == name).expect("the field is there").1
}

/// The lines of a reply of CLIENT LIST or CLIENT INFO.
fn lines(reply: &str) -> Vec<&str> {
    reply.trim_matches('"').split("\\n").filter(|line| !line.is_empty()).collect()
}

#[test]
fn names_are_kept_checked_and_taken_away() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CLIENT GETNAME"), "nil");
    assert_eq!(server.call(a, "CLIENT SETNAME worker-1"), "+OK");
    assert_eq!(server.call(a, "CLIENT GETNAME"), r#""worker-1""#);
    let refusal = "-ERR Client names cannot contain spaces, newlines or special characters.";
    for name in ["a b", "a\n", "\u{7f}", "é"] {
        assert_eq!(server.call_args(a, &[b"client", b"setname", name.as_bytes()]), refusal);
        assert_eq!(server.call_args(a, &[b"hello", b"3", b"setname", name.as_bytes()]), refusal);
    }
    let long = vec![b'x'; 65_537];
    let refusal = "-ERR Client names cannot be longer than 65536 bytes.";
    assert_eq!(server.call_args(a, &[b"client", b"setname", &long]), refusal);
    assert_eq!(server.call(a, "CLIENT GETNAME"), r#""worker-1""#);
    assert_eq!(server.call(a, r#"CLIENT SETNAME """#), "+OK");
    assert_eq!(server.call(a, "CLIENT GETNAME"), "nil");
}

#[test]
fn libraries_tell_their_names() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CLIENT SETINFO lib-name redis-py"), "+OK");
    assert_eq!(server.call(a, "CLIENT SETINFO LIB-VER 7.4.1"), "+OK");
    let info = server.call(a, "CLIENT INFO");
    assert_eq!(
        (field(lines(&info)[0], "lib-name"), field(lines(&info)[0], "lib-ver")),
        ("redis-py", "7.4.1")
    );
    assert_eq!(server.call(a, "CLIENT SETINFO LIB-VER \"\""), "+OK");
    let info = server.call(a, "CLIENT INFO");
    assert_eq!(field(lines(&info)[0], "lib-ver"), "");
    assert_eq!(server.call(a, "CLIENT SETINFO foo bar"), "-ERR Unrecognized option 'foo'");
    assert_eq!(
        server.call(a, "CLIENT SETINFO lib-VER \"1 2\""),
        "-ERR lib-VER cannot contain spaces, newlines or special characters."
    );
    assert_eq!(
        server.call(a, "CLIENT SETINFO lib-name"),
        "-ERR wrong number of arguments for 'client|setinfo' command"
    );
}

#[test]
fn a_line_has_the_fields_of_valkey_in_their_order() {
    let mut server = Harness::new();
    let a = server.connect();
    let info = server.call(a, "CLIENT INFO");
    let names: Vec<&str> = fields(lines(&info)[0]).iter().map(|(name, _)| *name).collect();
    let expected = "id addr laddr fd name age idle flags capa db sub psub ssub multi watch qbuf qbuf-free argv-mem \
                    multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver tot-net-in \
                    tot-net-out tot-cmds";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    server.call(a, "HELLO 3");
    let info = server.call(a, "CLIENT INFO");
    assert!(info.starts_with("=txt:\"id=1 ") && info.ends_with("\\n\""), "{info}");
}

#[test]
fn a_line_tells_what_a_client_does() {
    let mut server = Harness::new();
    let (a, b, c, d) = (server.connect(), server.connect(), server.connect(), server.connect());
    server.call(a, "SELECT 3");
    server.call(b, "SUBSCRIBE x y");
    server.call(b, "PSUBSCRIBE z*");
    server.call(b, "SSUBSCRIBE s");
    server.send(c, "BLPOP nothing 0");
    server.call(d, "WATCH k");
    server.call(d, "MULTI");
    server.call(d, "LPUSH k 1");
    server.advance(Duration::from_secs(7));
    let list = server.call(a, "CLIENT LIST");
    let list = lines(&list);
    let shown = |i: usize, names: &str| {
        names.split(' ').map(|name| field(list[i], name)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list.len(), 4);
    assert_eq!(shown(0, "id db flags cmd age idle tot-cmds"), "1 3 N client|list 7 0 1");
    // Input is counted as it comes in: SELECT and CLIENT LIST.
    assert_eq!(field(list[0], "tot-net-in"), (23 + 26).to_string());
    server.call(a, "CONFIG SET maxmemory-clients 1gb");
    let before: u64 =
        field(lines(&server.call(a, "CLIENT LIST ID 1"))[0], "tot-net-in").parse().expect("a number");
    let after = server.call(a, "CLIENT LIST ID 1");
    assert_eq!(field(lines(&after)[0], "tot-net-in"), (before + 41).to_string());
    assert_eq!(shown(1, "id sub psub ssub flags cmd idle"), "2 2 1 1 P ssubscribe 7");
    assert_eq!(shown(2, "id flags cmd"), "3 b blpop");
    assert_eq!(shown(3, "id flags multi watch"), "4 x 1 1");
    assert_ne!(field(list[3], "multi-mem"), "0");
    server.call(a, "SELECT 0");
    server.call(a, "LPUSH k 0");
    // What cannot be executed watches nothing any more.
    let list = server.call(a, "CLIENT LIST ID 4");
    assert_eq!((field(lines(&list)[0], "flags"), field(lines(&list)[0], "watch")), ("xd", "0"));
    assert!(server.call(a, "INFO clients").contains("watching_clients:0\\r\\n"));
    server.call(d, "DISCARD");
    let list = server.call(a, "CLIENT LIST ID 1 4");
    assert_eq!(lines(&list).iter().map(|line| field(line, "multi")).collect::<Vec<_>>(), ["-1", "0"]);
}

#[test]
fn a_client_is_in_its_transaction_while_that_runs() {
    let mut server = Harness::new();
    let a = server.connect();
    for command in ["WATCH k", "MULTI", "CLIENT INFO", "GET abcdef", "CLIENT LIST"] {
        server.call(a, command);
    }
    let replies = server.call(a, "EXEC");
    let shown: Vec<_> = replies.split("id=").skip(1).collect();
    assert_eq!(shown.len(), 2, "{replies}");
    for text in shown {
        for field in [" flags=x ", " multi=3 ", " watch=0 ", " argv-mem=4 ", " cmd=exec "] {
            assert!(text.contains(field), "{field}: {text}");
        }
        assert!(!text.contains(" multi-mem=0 "));
    }
    let after = server.call(a, "CLIENT INFO");
    assert!(after.contains(" flags=N ") && after.contains(" multi=0 ") && after.contains(" multi-mem=0 "));
}

#[test]
fn lists_are_filtered() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    server.call(b, "SUBSCRIBE x");
    server.advance(Duration::from_secs(10));
    let c = server.connect();
    for (filter, ids) in [
        ("", "1 2 3"),
        ("TYPE normal", "1 3"),
        ("type PUBSUB", "2"),
        ("TYPE replica", ""),
        ("TYPE master", ""),
        ("ID 3 1 9", "1 3"),
        ("ID 3 TYPE pubsub", ""),
        ("SKIPME yes", "2 3"),
        ("SKIPME NO", "1 2 3"),
        ("MAXAGE 10", "1 2"),
        ("MAXAGE 11", ""),
        ("USER default", "1 2 3"),
        ("ADDR ?:0", "1 2 3"),
        ("LADDR 1.1.1.1:1", ""),
    ] {
        let reply = server.call(a, &format!("CLIENT LIST {filter}"));
        let found: Vec<&str> = lines(&reply).iter().map(|line| field(line, "id")).collect();
        assert_eq!(found.join(" "), ids, "{filter}");
    }
    for (filter, error) in [
        ("TYPE foo", "Unknown client type 'foo'"),
        ("TYPE", "syntax error"),
        ("ID x", "syntax error"),
        ("ID", "syntax error"),
        ("ID 0", "client-id should be greater than 0"),
        ("USER nobody", "No such user 'nobody'"),
        ("MAXAGE x", "maxage is not an integer or out of range"),
        ("MAXAGE 0", "maxage should be greater than 0"),
        ("SKIPME maybe", "syntax error"),
        ("foo bar", "syntax error"),
    ] {
        assert_eq!(server.call(a, &format!("CLIENT LIST {filter}")), format!("-ERR {error}"));
        assert_eq!(
            server.call(a, &format!("CLIENT KILL {filter} ID 99")),
            match filter {
                "TYPE" => "-ERR Unknown client type 'ID'".into(),
                "ID" => ":0".into(),
                _ => format!("-ERR {error}"),
            }
        );
    }
    assert!(server.is_open(c));
}

#[test]
fn kill_closes_who_is_meant() {
    let mut server = Harness::new();
    let (a, b, c, d) = (server.connect(), server.connect(), server.connect(), server.connect());
    server.call(c, "SUBSCRIBE x");
    assert_eq!(server.call(a, "CLIENT KILL ID 99 98"), ":0");
    assert_eq!(server.call(a, "CLIENT KILL TYPE normal ID"), ":0");
    assert_eq!(server.call(a, "CLIENT LIST ID"), "-ERR syntax error");
    assert_eq!(server.call(a, "CLIENT KILL ID 2"), ":1");
    assert!(!server.is_open(b));
    assert_eq!(server.call(a, "CLIENT KILL TYPE pubsub"), ":1");
    assert!(!server.is_open(c));
    // The caller is left out unless it says otherwise, and gets its reply first.
    assert_eq!(server.call(a, "CLIENT KILL ID 1"), ":0");
    assert_eq!(server.call(a, "CLIENT KILL 1.1.1.1:1"), "-ERR No such client");
    assert!(server.is_open(a) && server.is_open(d));
    assert_eq!(server.call(a, "CLIENT KILL TYPE normal SKIPME no"), ":2");
    assert!(!server.is_open(a) && !server.is_open(d));
}

#[test]
fn the_old_form_of_kill_takes_an_address() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CLIENT KILL ?:0"), "+OK");
    assert!(!server.is_open(a));
}

#[test]
fn who_was_killed_gets_no_element() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    server.send(b, "BLPOP k 0");
    server.send_bytes(a, b"CLIENT KILL ID 2\r\nLPUSH k 1\r\nLLEN k\r\n");
    assert_eq!(server.receive(a), ":1\n:1\n:1");
    assert!(!server.is_open(b));
}

#[test]
fn replies_are_switched_off_and_on() {
    let mut server = Harness::new();
    let a = server.connect();
    assert_eq!(server.call(a, "CLIENT REPLY ON"), "+OK");
    assert_eq!(server.call(a, "CLIENT REPLY foo"), "-ERR syntax error");
    server.send_bytes(a, b"CLIENT REPLY SKIP\r\nPING\r\nPING 2\r\n");
    assert_eq!(server.receive(a), r#""2""#);
    // SKIP, skipped itself, holds for the next command all the same; ON answers.
    server.send_bytes(a, b"CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nPING 2\r\n");
    assert_eq!(server.receive(a), r#""2""#);
    server.send_bytes(a, b"CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nPING 3\r\n");
    assert_eq!(server.receive(a), "+OK\n\"3\"");
    server.send_bytes(a, b"CLIENT REPLY SKIP\r\nRESET\r\nPING 3\r\nCLIENT REPLY OFF\r\nRESET\r\n");
    assert_eq!(server.receive(a), "\"3\"\n+RESET");
    server.send_bytes(a, b"CLIENT REPLY SKIP\r\nSUBSCRIBE c\r\nPING 3\r\nUNSUBSCRIBE c\r\n");
    assert_eq!(server.receive(a).lines().nth(1), Some(r#"["pong", "3"]"#));
    server.send_bytes(a, b"CLIENT REPLY OFF\r\nPING\r\nnosuch\r\nCLIENT REPLY SKIP\r\nPING\r\nPING\r\n");
    assert_eq!(server.receive(a), "");
    server.send_bytes(a, b"CLIENT REPLY ON\r\nPING 4\r\n");
    assert_eq!(server.receive(a), "+OK\n\"4\"");
}

#[test]
fn waiting_clients_are_woken() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    server.send(b, "BLPOP k 0");
    assert_eq!(server.call(a, "CLIENT UNBLOCK 2"), ":1");
    assert_eq!(server.receive(b), "nil-array");
    assert_eq!(server.call(a, "CLIENT UNBLOCK 2"), ":0");
    server.send(b, "BLMOVE k l LEFT RIGHT 0");
    assert_eq!(server.call(a, "CLIENT UNBLOCK 2 TIMEOUT"), ":1");
    assert_eq!(server.receive(b), "nil-array");
    server.send(b, "BLPOP k 0");
    assert_eq!(server.call(a, "CLIENT UNBLOCK 2 error"), ":1");
    assert_eq!(server.receive(b), "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
    assert_eq!(server.call(a, "CLIENT UNBLOCK 1"), ":0");
    assert_eq!(server.call(a, "CLIENT UNBLOCK 99"), ":0");
    assert_eq!(server.call(a, "CLIENT UNBLOCK x"), "-ERR value is not an integer or out of range");
    assert_eq!(
        server.call(a, "CLIENT UNBLOCK 2 foo"),
        "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
    );
}

#[test]
fn ids_grow_and_what_is_unknown_is_an_error() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    assert_eq!((server.call(a, "CLIENT ID"), server.call(b, "CLIENT ID")), (":1".into(), ":2".into()));
    server.disconnect(a);
    let c = server.connect();
    assert_eq!(server.call(c, "CLIENT ID"), ":3");
    assert_eq!(
        server.call(b, "CLIENT MAINT_NOTIFICATIONS ON"),
        "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP."
    );
    assert_eq!(server.call(b, "CLIENT"), "-ERR wrong number of arguments for 'client' command");
    let help = server.call(b, "CLIENT HELP");
    assert!(
        help.starts_with("[+CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:, "),
        "{help}"
    );
}

#[test]
fn filters_look_at_all_that_a_client_is() {
    let mut server = Harness::new();
    let [a, b, c, d] = [(); 4].map(|()| server.connect());
    for line in ["CLIENT SETNAME aa", "CLIENT SETINFO lib-name la", "CLIENT SETINFO lib-ver va"] {
        server.call(a, line);
    }
    server.call(b, "SUBSCRIBE x");
    server.advance(Duration::from_secs(5));
    for line in ["CLIENT CAPA redirect foo", "SELECT 3", "CLIENT NO-TOUCH on"] {
        assert_eq!(server.call(c, line), "+OK");
    }
    for line in ["CLIENT NO-EVICT on", "CLIENT NO-TOUCH on"] {
        assert_eq!(server.call(d, line), "+OK");
    }
    server.send(d, "BLPOP k 0");
    for (filter, ids) in [
        ("FLAGS T", "3 4"),
        ("FLAGS Te", "4"),
        ("NOT-FLAGS Te", "1 2 3"),
        ("NOT-FLAGS T", "1 2"),
        (r#"FLAGS """#, "1 2 3 4"),
        (r#"NOT-FLAGS """#, ""),
        ("FLAGS b", "4"),
        ("FLAGS N", "1"),
        ("CAPA r", "3"),
        ("NOT-CAPA r", "1 2 4"),
        ("NAME aa", "1"),
        ("NAME AA", ""),
        (r#"NAME """#, ""),
        ("NOT-NAME aa", "2 3 4"),
        ("LIB-NAME la", "1"),
        ("NOT-LIB-NAME la", "2 3 4"),
        ("LIB-VER va", "1"),
        ("not-lib-ver va", "2 3 4"),
        ("DB 3", "3"),
        ("NOT-DB 3", "1 2 4"),
        ("DB 0 DB 3", "3"),
        ("NOT-DB 3 DB 0 FLAGS N", "1"),
        ("TYPE normal NOT-TYPE normal", ""),
        ("NOT-TYPE pubsub", "1 3 4"),
        ("NOT-TYPE primary", "1 2 3 4"),
        ("ID 1 2 NOT-ID 2 9", "1"),
        ("ID 1 ID 2", "1 2"),
        ("NOT-ID 1 NOT-ID 2", "3 4"),
        ("NOT-USER default", ""),
        ("NOT-ADDR ?:0", ""),
        ("NOT-LADDR 1.1.1.1:1", "1 2 3 4"),
        ("IP ?", "1 2 3 4"),
        ("NOT-IP 1.1.1.1", "1 2 3 4"),
        ("IDLE 5", "2"),
        ("IDLE 6", ""),
        ("MAXAGE 5 NOT-ID 1 SKIPME yes", "2 3 4"),
    ] {
        let reply = server.call(a, &format!("CLIENT LIST {filter}"));
        let found: Vec<&str> = lines(&reply).iter().map(|line| field(line, "id")).collect();
        assert_eq!(found.join(" "), ids, "{filter}");
    }
    for (filter, error) in [
        ("FLAGS Nz", "Unknown flags found in the provided filter: Nz"),
        ("NOT-FLAGS Q", "Unknown flags found in the NOT-FLAGS filter: Q"),
        ("CAPA z", "Unknown capa found in the provided filter: z"),
        ("NOT-CAPA z", "Unknown capa found in the NOT-CAPA filter: z"),
        ("DB x", "DB is not an integer or out of range"),
        ("NOT-DB 00", "NOT-DB is not an integer or out of range"),
        ("DB 16", "DB number should be between 0 and 15"),
        ("NOT-DB -1", "NOT-DB number should be between 0 and 15"),
        ("IDLE 0", "idle should be greater than 0"),
        ("IDLE x", "idle is not an integer or out of range"),
        ("NOT-ID 0", "client-id should be greater than 0"),
        ("NOT-TYPE foo", "Unknown client type 'foo'"),
        ("NOT-USER nobody", "No such user 'nobody'"),
        ("NOT-SKIPME yes", "syntax error"),
        ("NOT-MAXAGE 1", "syntax error"),
        ("NOT-IDLE 1", "syntax error"),
        ("NOT-NOT-ID 1", "syntax error"),
    ] {
        assert_eq!(server.call(a, &format!("CLIENT LIST {filter}")), format!("-ERR {error}"));
    }
    assert_eq!(server.call(a, "CLIENT KILL NOT-NAME aa FLAGS T"), ":2");
    assert!(!server.is_open(c) && !server.is_open(d) && server.is_open(b));
}

#[test]
fn a_client_says_what_it_is() {
    let mut server = Harness::new();
    let a = server.connect();
    for (line, reply) in [
        ("CLIENT CAPA", "-ERR wrong number of arguments for 'client|capa' command"),
        ("CLIENT CAPA zzz", "+OK"),
        ("CLIENT NO-EVICT maybe", "-ERR syntax error"),
        ("CLIENT NO-TOUCH maybe", "-ERR syntax error"),
        ("CLIENT GETREDIR", ":-1"),
        ("CLIENT TRACKINGINFO", r#"["flags", ["off"], "redirect", :-1, "prefixes", []]"#),
        ("CLIENT IMPORT-SOURCE on", "-ERR Server is not in import mode"),
        ("CLIENT IMPORT-SOURCE foo", "-ERR Server is not in import mode"),
        ("CLIENT IMPORT-SOURCE off", "+OK"),
        ("CONFIG SET import-mode yes", "+OK"),
        ("CLIENT IMPORT-SOURCE foo", "-ERR syntax error"),
        ("CLIENT IMPORT-SOURCE on", "+OK"),
        ("CLIENT NO-EVICT on", "+OK"),
        ("CLIENT NO-TOUCH on", "+OK"),
        ("CLIENT CAPA Redirect", "+OK"),
    ] {
        assert_eq!(server.call(a, line), reply, "{line}");
    }
    let info = server.call(a, "CLIENT INFO");
    assert_eq!((field(lines(&info)[0], "flags"), field(lines(&info)[0], "capa")), ("eTI", "r"));
    server.call(a, "RESET");
    let info = server.call(a, "CLIENT INFO");
    assert_eq!((field(lines(&info)[0], "flags"), field(lines(&info)[0], "capa")), ("I", "r"));
}

#[test]
fn an_import_source_sees_what_has_expired() {
    let mut server = Harness::new();
    let (source, other) = (server.connect(), server.connect());
    let keys = ["SET k v PX 1", "RPUSH l a", "PEXPIRE l 1", "SET p 5 PX 1", "CONFIG SET import-mode yes"];
    for line in keys {
        server.call(other, line);
    }
    server.advance(Duration::from_secs(10));
    for line in ["GET k", "TYPE l", "KEYS *", "SCAN 0", "DBSIZE", "TTL p"] {
        server.call(other, line);
    }
    assert_eq!(server.call(other, "GET k"), "nil");
    assert_eq!(server.call(other, "DBSIZE"), ":3");
    server.call(source, "CLIENT IMPORT-SOURCE on");
    for (line, reply) in [
        ("GET k", r#""v""#),
        ("PTTL k", ":0"),
        ("RPUSH l b", ":2"),
        ("INCR p", ":6"),
        ("EXPIRE k -1", ":1"),
        ("EXISTS k", ":1"),
        ("SET new v EXAT 1", "+OK"),
        ("GET new", r#""v""#),
        ("GETEX k PERSIST", r#""v""#),
        ("TTL k", ":-1"),
        ("GETEX k EXAT 1", r#""v""#),
        ("GET k", r#""v""#),
        ("DEL l", ":1"),
        ("DBSIZE", ":3"),
    ] {
        assert_eq!(server.call(source, line), reply, "{line}");
    }
    assert_eq!(server.call(other, "KEYS *"), "[]");
    assert_eq!(server.call(other, "EXPIRE p 100"), ":0");
    server.call(other, "CONFIG SET import-mode no");
    assert_eq!((server.call(source, "GET k"), server.call(other, "DBSIZE")), ("nil".into(), ":2".into()));
    server.advance(Duration::from_secs(1));
    assert_eq!(server.call(other, "DBSIZE"), ":0");
}

#[test]
fn the_room_for_replies_follows_what_is_sent() {
    let mut server = Harness::new();
    let (a, b) = (server.connect(), server.connect());
    let rooms = |server: &mut Harness| {
        let list = server.call(a, "CLIENT LIST ID 2");
        let line = lines(&list)[0].to_string();
        (field(&line, "rbs").to_string(), field(&line, "rbp").to_string())
    };
    server.call(b, "PING");
    assert_eq!(rooms(&mut server), ("1024".into(), "7".into()));
    let big = "x".repeat(32_768);
    server.call(a, &format!("SET big {big}"));
    for room in ["2048", "4096", "8192", "16384", "16384"] {
        server.call(b, "GET big");
        server.advance(Duration::from_secs(1));
        assert_eq!(rooms(&mut server).0, room);
    }
    assert_eq!(server.call(a, "DEBUG REPLYBUFFER RESIZING 0"), "+OK");
    server.advance(Duration::from_secs(20));
    assert_eq!(rooms(&mut server).0, "16384");
    server.call(b, "GET big");
    assert_eq!(server.call(a, "DEBUG REPLYBUFFER peak-reset-time NEVER"), "+OK");
    assert_eq!(server.call(a, "DEBUG REPLYBUFFER RESIZING 1"), "+OK");
    server.advance(Duration::from_secs(20));
    assert_eq!(rooms(&mut server), ("16384".into(), "16384".into()));
    assert_eq!(server.call(a, "DEBUG REPLYBUFFER PEAK-RESET-TIME 100"), "+OK");
    server.advance(Duration::from_secs(1));
    server.advance(Duration::from_secs(1));
    assert_eq!(rooms(&mut server), ("1024".into(), "0".into()));
    let stats = server.call(a, "INFO stats");
    assert!(
        stats.contains("reply_buffer_expands:4\\r") && stats.contains("reply_buffer_shrinks:1\\r"),
        "{stats}"
    );
    let unknown = "-ERR unknown subcommand or wrong number of arguments for 'REPLYBUFFER'. Try DEBUG HELP.";
    for (line, reply) in [
        ("DEBUG REPLYBUFFER PEAK-RESET-TIME reset", "+OK"),
        ("DEBUG REPLYBUFFER PEAK-RESET-TIME -1", "+OK"),
        ("DEBUG REPLYBUFFER PEAK-RESET-TIME x", "-ERR value is not an integer or out of range"),
        ("DEBUG REPLYBUFFER RESIZING x", "+OK"),
        ("DEBUG REPLYBUFFER RESIZING", unknown),
        ("DEBUG REPLYBUFFER foo 1", unknown),
        ("DEBUG REPLYBUFFER", unknown),
    ] {
        assert_eq!(server.call(a, line), reply, "{line}");
    }
}
