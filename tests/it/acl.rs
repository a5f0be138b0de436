//! Users, and what they may do.

use super::support::{check, check_with};
use staywire::{
    state::{
        config::{Config, Reader},
        session::SessionKey,
    },
    testkit::Harness,
};
use std::{fs, path::PathBuf, time::Duration};

/// A new connection of a user who takes any password.
fn log_in(h: &mut Harness, user: &str) -> SessionKey {
    let client = h.connect();
    assert_eq!(h.call(client, &format!("AUTH {user} x")), "+OK");
    client
}

/// The field of the first entry of ACL LOG.
fn logged(h: &mut Harness, admin: SessionKey, field: &str) -> String {
    let reply = h.call(admin, "ACL LOG 1");
    let (_, rest) = reply.split_once(&format!("\"{field}\", ")).expect("the field is there");
    rest.split(", \"").next().expect("it has a value").trim_end_matches(']').to_string()
}

const NO_KEY: &str = "-NOPERM No permissions to access a key";
const NO_CHANNEL: &str = "-NOPERM No permissions to access a channel";

#[test]
fn users_are_made_shown_and_deleted() {
    check(&[
        ("ACL WHOAMI", r#""default""#),
        ("ACL LIST", r#"["user default on nopass sanitize-payload ~* &* +@all"]"#),
        ("ACL SETUSER ann", "+OK"),
        ("ACL SETUSER ann on >secret ~a:* %R~b:* &news +@read -get +config|get (+set ~c)", "+OK"),
        (
            "ACL GETUSER ann",
            r#"["flags", ["on", "sanitize-payload"], "passwords", ["2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"], "commands", "-@all +@read -get +config|get", "keys", "~a:* %R~b:*", "channels", "&news", "selectors", [["commands", "-@all +set", "keys", "~c", "channels", ""]]]"#,
        ),
        ("ACL GETUSER nobody", "nil"),
        ("ACL USERS", r#"["ann", "default"]"#),
        ("ACL SETUSER \"a b\"", "-ERR Usernames can't contain spaces or null characters"),
        (
            "ACL SETUSER ann +nosuch",
            "-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL",
        ),
        ("ACL SETUSER bob (+get", "-ERR Unmatched parenthesis in acl selector starting at '(+get'."),
        ("ACL DELUSER default", "-ERR The 'default' user cannot be removed"),
        ("ACL DELUSER ann bob", ":1"),
        ("ACL USERS", r#"["default"]"#),
    ]);
}

#[test]
fn a_rule_that_fails_leaves_the_user_as_it_was() {
    check(&[
        ("ACL SETUSER ann on +get", "+OK"),
        (
            "ACL SETUSER ann off +set ~a +nosuch",
            "-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL",
        ),
        (
            "ACL LIST",
            r#"["user ann on sanitize-payload resetchannels -@all +get", "user default on nopass sanitize-payload ~* &* +@all"]"#,
        ),
    ]);
}

#[test]
fn commands_keys_and_channels_are_gated() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "ACL SETUSER ann on nopass ~a* %R~r* %W~w* &n* +@all -flushall (+get ~s)");
    let ann = log_in(&mut h, "ann");
    for (line, wanted) in [
        ("FLUSHALL", "-NOPERM User ann has no permissions to run the 'flushall' command"),
        ("GET a1", "nil"),
        ("GET s", "nil"),
        ("SET s 1", NO_KEY),
        ("GET r", "nil"),
        ("SET r 1", NO_KEY),
        ("SET w 1", "+OK"),
        ("GET w", NO_KEY),
        ("SET w 2 GET", NO_KEY),
        ("COPY r w", ":0"),
        ("COPY w r", NO_KEY),
        ("MGET a b", NO_KEY),
        ("BITFIELD r GET u8 0", "[:0]"),
        ("BITFIELD r SET u8 0 1", NO_KEY),
        ("SORT r STORE w", ":0"),
        ("SORT r STORE r", NO_KEY),
        ("SORT r BY x*", "-ERR BY option of SORT denied due to insufficient ACL permissions."),
        ("SORT r BY x", "[]"),
        ("SORT r GET x", "-ERR GET option of SORT denied due to insufficient ACL permissions."),
        ("PUBLISH news 1", ":0"),
        ("PUBLISH olds 1", NO_CHANNEL),
        ("SPUBLISH olds 1", NO_CHANNEL),
        ("PSUBSCRIBE ne*", NO_CHANNEL),
        ("PSUBSCRIBE n*", r#"["psubscribe", "n*", :1]"#),
        ("PUNSUBSCRIBE other", r#"["punsubscribe", "other", :1]"#),
    ] {
        assert_eq!(h.call(ann, line), wanted, "{line}");
    }
}

#[test]
fn the_keys_that_are_used_are_the_keys_that_are_checked() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "XADD x 1-1 f v");
    h.call(admin, "XGROUP CREATE x STREAMS 0");
    h.call(admin, "ACL SETUSER ann on nopass ~STREAMS ~src ~mine +@all");
    let ann = log_in(&mut h, "ann");
    for line in [
        // The word may be the name of a group or consumer, too.
        "XREADGROUP COUNT 1 GROUP STREAMS STREAMS STREAMS x >",
        "XREADGROUP GROUP STREAMS STREAMS STREAMS x >",
        // The last destination is the one that counts.
        "GEORADIUS src 1 2 3 m STORE mine STORE other",
        "GEORADIUS src 1 2 3 m STOREDIST STORE STORE other",
        "GEORADIUSBYMEMBER src m 3 m STOREDIST mine STOREDIST other",
        "SORT src STORE mine STORE other",
        "MIGRATE h 1 \"\" 0 1 AUTH KEYS KEYS mine other",
        "ZUNIONSTORE mine 2 src other",
    ] {
        assert_eq!(h.call(ann, line), NO_KEY, "{line}");
    }
    assert_eq!(h.call(ann, "SORT src STORE other STORE mine"), ":0");
}

#[test]
fn new_rules_hold_at_once_in_transactions_too() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "ACL SETUSER ann on nopass allkeys allchannels +@all");
    let ann = log_in(&mut h, "ann");
    for line in ["MULTI", "SET a 1", "SET b 1", "PUBLISH c 1"] {
        h.call(ann, line);
    }
    h.call(admin, "ACL SETUSER ann -set");
    assert_eq!(h.call(ann, "SET a 1"), "-NOPERM User ann has no permissions to run the 'set' command");
    assert_eq!(logged(&mut h, admin, "context"), r#""multi""#);
    assert_eq!(h.call(ann, "EXEC"), "-EXECABORT Transaction discarded because of previous errors.");
    h.call(admin, "ACL SETUSER ann +set");
    for line in ["MULTI", "SET a 1", "SET b 1", "PUBLISH c 1"] {
        h.call(ann, line);
    }
    h.call(admin, "ACL SETUSER ann resetkeys ~b resetchannels");
    let changed = "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. \
                   This command is no longer allowed for the following reason: no permission to";
    let replies = [
        format!("{changed} touch the specified keys"),
        "+OK".into(),
        format!("{changed} access one of the channels used as arguments"),
    ];
    assert_eq!(h.call(ann, "EXEC"), format!("[{}]", replies.join(", ")));
    h.call(ann, "MULTI");
    h.call(admin, "ACL SETUSER ann -exec");
    let refused = "NOPERM User ann has no permissions to run the 'exec' command";
    assert_eq!(h.call(ann, "EXEC"), format!("-EXECABORT Transaction discarded because of: {refused}"));
}

#[test]
fn a_command_that_waited_is_checked_again() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "ACL SETUSER ann on nopass allkeys +@all");
    let ann = log_in(&mut h, "ann");
    h.send(ann, "BLPOP a 0");
    h.call(admin, "ACL SETUSER ann resetkeys");
    assert_eq!(h.call(admin, "RPUSH a 1"), ":1");
    assert_eq!(h.receive(ann), NO_KEY);
    assert_eq!(h.call(admin, "LLEN a"), ":1");
    assert_eq!(h.call(ann, "PING"), "+PONG");
    assert!(
        h.call(admin, "INFO commandstats")
            .contains("cmdstat_blpop:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0")
    );
}

#[test]
fn connections_of_a_deleted_user_are_closed() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "ACL SETUSER ann on nopass +@all allkeys");
    let (a, b, c) = (log_in(&mut h, "ann"), log_in(&mut h, "ann"), log_in(&mut h, "ann"));
    h.send(b, "BLPOP k 0");
    // Who asks is answered before.
    assert_eq!(h.call(c, "ACL DELUSER ann"), ":1");
    assert!([a, b, c].iter().all(|&client| h.engine.is_done(client)));
    assert!(!h.engine.is_done(admin));
    // The next user does not take over what is left of them.
    h.call(admin, "ACL SETUSER bob on nopass +@all");
    assert!(h.engine.session(a).is_none_or(|session| session.user == staywire::state::acl::DEFAULT_USER));
}

#[test]
fn subscribers_that_lose_a_channel_are_closed() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "ACL SETUSER ann on nopass +@all &a &b* &c");
    for (subscribe, closed) in [
        ("SUBSCRIBE b1", false),
        ("PSUBSCRIBE b*", false),
        ("SSUBSCRIBE a", false),
        ("SUBSCRIBE b1 c", true),
        ("PING", false),
    ] {
        let ann = log_in(&mut h, "ann");
        h.call(ann, subscribe);
        h.call(admin, "ACL SETUSER ann &d");
        assert!(!h.engine.is_done(ann), "{subscribe}");
        h.call(admin, "ACL SETUSER ann resetchannels &a &b*");
        assert_eq!(h.engine.is_done(ann), closed, "{subscribe}");
        h.call(admin, "ACL SETUSER ann &c");
        h.disconnect(ann);
    }
}

#[test]
fn refusals_are_logged_and_counted() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "CONFIG SET acllog-max-len 2");
    h.call(admin, "ACL SETUSER ann on >p ~a +get +publish");
    let ann = h.connect();
    assert_eq!(
        h.call(ann, "AUTH ann wrong"),
        "-WRONGPASS invalid username-password pair or user is disabled."
    );
    let fields = ["count", "reason", "context", "object", "username"];
    let wanted = [":1", r#""auth""#, r#""toplevel""#, r#""AUTH""#, r#""ann""#];
    assert_eq!(fields.map(|field| logged(&mut h, admin, field)), wanted);
    h.call(ann, "AUTH ann p");
    for (line, reason, object) in
        [("CLIENT KILL x", "command", "client|kill"), ("GET b", "key", "b"), ("PUBLISH c m", "channel", "c")]
    {
        h.call(ann, line);
        let found = ["reason", "object"].map(|field| logged(&mut h, admin, field));
        assert_eq!(found, [format!("\"{reason}\""), format!("\"{object}\"")]);
    }
    assert!(logged(&mut h, admin, "client-info").contains(" cmd=publish user=ann "));
    h.advance(Duration::from_millis(1500));
    assert_eq!(logged(&mut h, admin, "age-seconds"), r#""1.5""#);
    h.call(ann, "PUBLISH c m");
    assert_eq!(["count", "entry-id"].map(|field| logged(&mut h, admin, field)), [":2", ":3"]);
    assert_eq!(h.call(admin, "ACL LOG 10").matches("entry-id").count(), 2);
    let info = h.call(admin, "INFO stats");
    for field in ["auth:1", "cmd:1", "key:1", "channel:2"] {
        assert!(info.contains(&format!("acl_access_denied_{field}\\r\\n")), "{field} in {info}");
    }
    assert_eq!(h.call(admin, "ACL LOG RESET"), "+OK");
    assert_eq!(h.call(admin, "ACL LOG"), "[]");
}

#[test]
fn requirepass_is_the_password_of_the_default_user() {
    let mut h = Harness::with(Config { requirepass: b"p".to_vec(), ..Config::default() }, 1);
    let a = h.connect();
    assert_eq!(h.call(a, "PING"), "-NOAUTH Authentication required.");
    assert_eq!(h.call(a, "AUTH p"), "+OK");
    // Hashed, and changed by either name.
    assert!(
        h.call(a, "ACL LIST").contains("#148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940")
    );
    assert_eq!(h.call(a, "CONFIG SET requirepass q"), "+OK");
    let b = h.connect();
    assert_eq!(h.call(b, "AUTH p"), "-WRONGPASS invalid username-password pair or user is disabled.");
    assert_eq!(h.call(b, "AUTH default q"), "+OK");
    assert_eq!(h.call(a, "ACL SETUSER default >r"), "+OK");
    assert_eq!(h.call(b, "AUTH r"), "+OK");
    // Without a password whoever is connected is logged in.
    let c = h.connect();
    assert_eq!(h.call(c, "PING"), "-NOAUTH Authentication required.");
    assert_eq!(h.call(a, "CONFIG SET requirepass \"\""), "+OK");
    assert_eq!(h.call(c, "PING"), "+PONG");
    assert!(h.call(c, "AUTH x").starts_with("-ERR AUTH <password> called without any password"));
    // Nobody is a user who is off, unless they were before.
    assert_eq!(h.call(a, "ACL SETUSER default off"), "+OK");
    assert_eq!(h.call(a, "PING"), "+PONG");
    let d = h.connect();
    assert_eq!(h.call(d, "PING"), "-NOAUTH Authentication required.");
    assert_eq!(h.call(d, "AUTH default x"), "-WRONGPASS invalid username-password pair or user is disabled.");
}

#[test]
fn hello_logs_in_and_reset_logs_out() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "ACL SETUSER ann on >p +@all");
    let a = h.connect();
    let refused = "-WRONGPASS invalid username-password pair or user is disabled.";
    assert_eq!(h.call(a, "HELLO 3 AUTH ann q SETNAME n"), refused);
    assert_eq!(h.call(a, "CLIENT GETNAME"), "nil");
    assert!(h.call(a, "HELLO 2 AUTH ann p").contains("server"));
    assert_eq!(h.call(a, "ACL WHOAMI"), r#""ann""#);
    assert!(h.call(admin, "CLIENT LIST USER ann").contains(" user=ann "));
    assert_eq!(h.call(admin, "CLIENT LIST USER bob"), "-ERR No such user 'bob'");
    assert_eq!(h.call(a, "RESET"), "+RESET");
    assert_eq!(h.call(a, "ACL WHOAMI"), r#""default""#);
    h.call(a, "AUTH ann p");
    assert_eq!(h.call(admin, "CLIENT KILL USER ann"), ":1");
    assert!(h.engine.is_done(a) && !h.engine.is_done(admin));
}

#[test]
fn secrets_are_shown_nowhere() {
    let mut h = Harness::new();
    let (admin, monitor) = (h.connect(), h.connect());
    h.call(admin, "CONFIG SET slowlog-log-slower-than 0");
    h.call(monitor, "MONITOR");
    for line in [
        "ACL SETUSER ann on >geheim",
        "AUTH ann geheim",
        "AUTH geheim",
        "HELLO 3 AUTH ann geheim",
        "CONFIG SET requirepass geheim",
        "ACL GETUSER geheim",
        "ACL DELUSER geheim",
        "MIGRATE h 1 k 0 1 AUTH geheim",
        "MIGRATE h 1 k 0 1 AUTH2 geheim geheim AUTH geheim",
    ] {
        h.call(admin, "AUTH default x");
        h.call(admin, line);
    }
    let shown = h.call(admin, "SLOWLOG GET 100") + &h.receive(monitor) + &h.call(admin, "ACL LOG");
    assert!(shown.contains("(redacted)") && !shown.contains("geheim"), "{shown}");
}

#[test]
fn a_dry_run_tells_more() {
    check(&[
        ("ACL SETUSER ann ~a &c +get +publish +select|0", "+OK"),
        ("ACL DRYRUN ann GET a", "+OK"),
        ("ACL DRYRUN ann GET b", r#""User ann has no permissions to access the \'b\' key""#),
        ("ACL DRYRUN ann PUBLISH d m", r#""User ann has no permissions to access the \'d\' channel""#),
        ("ACL DRYRUN ann CONFIG GET x", r#""User ann has no permissions to run the \'config|get\' command""#),
        ("ACL DRYRUN ann SELECT 0", "+OK"),
        ("ACL DRYRUN ann SELECT 1", r#""User ann has no permissions to run the \'select\' command""#),
        ("ACL DRYRUN ann AUTH x", "+OK"),
        ("ACL DRYRUN bob GET a", "-ERR User 'bob' not found"),
        ("ACL DRYRUN ann nosuch", "-ERR Command 'nosuch' not found"),
        ("ACL DRYRUN ann CONFIG nosuch", "-ERR Command 'CONFIG' not found"),
        ("ACL DRYRUN ann GET", "-ERR wrong number of arguments for 'get' command"),
    ]);
}

#[test]
fn passwords_are_made_up() {
    let mut h = Harness::new();
    let c = h.connect();
    assert_eq!(h.call(c, "ACL GENPASS").len(), 64 + 2);
    assert_eq!(h.call(c, "ACL GENPASS 5").len(), 2 + 2);
    assert_ne!(h.call(c, "ACL GENPASS 4096"), h.call(c, "ACL GENPASS 4096"));
    for wrong in ["0", "-1", "4097"] {
        assert!(h.call(c, &format!("ACL GENPASS {wrong}")).starts_with("-ERR ACL GENPASS argument must be"));
    }
}

/// A folder for one test, with a file of users.
fn folder(name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("staywire-acl-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("users.acl"), text).expect("a file");
    folder
}

/// A server with a file of users.
fn with_file(folder: &std::path::Path) -> Result<Harness, String> {
    let dir = folder.to_string_lossy().into_owned();
    let mut h = Harness::with(Config { dir, aclfile: "users.acl".into(), ..Config::default() }, 1);
    h.engine.state.read_file = |path| fs::read(path);
    h.engine.state.edit_file = staywire::sys::file::edit;
    h.engine.load_users().map(|()| h)
}

#[test]
fn users_are_loaded_from_a_file_all_or_none() {
    let text = "user ann on nopass allkeys +@all\n\n  user bob on >p ~b*  (+get  ~c) &a +get\nuser default on nopass ~* &* +@all\n";
    let folder = folder("load", text);
    let mut h = with_file(&folder).expect("it is well-formed");
    let admin = h.connect();
    check_with(&mut h, &[("ACL USERS", r#"["ann", "bob", "default"]"#)]);
    let (ann, bob) = (log_in(&mut h, "ann"), h.connect());
    h.call(bob, "AUTH bob p");
    let before = h.call(admin, "ACL LIST");
    let broken = "user ann on\nuser ann off\nann on\nuser x +nosuch >a xyz abc\nuser y ~a (+get\nuser z\tz\n";
    fs::write(folder.join("users.acl"), broken).expect("a file");
    assert_eq!(
        h.call(admin, "ACL LOAD"),
        "-ERR WARNING: Duplicate user 'ann' found on line 2. users.acl:3 should start with user keyword followed by the \
         username. users.acl:4: Error in applying operation '+nosuch': Unknown command or category name in ACL. \
         users.acl:4: Syntax error. users.acl:5: Unmatched parenthesis in selector definition.'users.acl:6: username \
         'z\tz' contains invalid characters. WARNING: ACL errors detected, no change to the previously active ACL rules \
         was performed"
    );
    assert_eq!(h.call(admin, "ACL LIST"), before);
    fs::write(folder.join("users.acl"), "user ann on >new allkeys -@all +acl\n").expect("a file");
    assert_eq!(h.call(admin, "ACL LOAD"), "+OK");
    // Who still is a user stays, by the new rules.
    assert!(h.engine.is_done(bob) && !h.engine.is_done(ann));
    assert_eq!(h.call(ann, "GET a"), "-NOPERM User ann has no permissions to run the 'get' command");
    fs::remove_dir_all(&folder).expect("it goes");
}

#[test]
fn users_are_saved_and_read_back() {
    let folder = folder("save", "");
    let mut h = with_file(&folder).expect("it is well-formed");
    let c = h.connect();
    h.call(c, "ACL SETUSER ann on >p ~a %R~b &c +@read +select|0 (~d +get)");
    assert_eq!(h.call(c, "ACL SAVE"), "+OK");
    let before = h.call(c, "ACL LIST");
    assert_eq!(h.call(c, "ACL DELUSER ann"), ":1");
    assert_eq!(h.call(c, "ACL LOAD"), "+OK");
    assert_eq!(h.call(c, "ACL LIST"), before);
    fs::remove_dir_all(&folder).expect("it goes");
    assert_eq!(
        h.call(c, "ACL LOAD"),
        "-ERR Error loading ACLs, opening file 'users.acl': No such file or directory"
    );
    assert!(h.call(c, "ACL SAVE").starts_with("-ERR There was an error trying to save the ACLs."));
}

#[test]
fn a_server_does_not_start_with_a_broken_file() {
    let folder = folder("broken", "user default on +nosuch\n");
    let why = with_file(&folder).map(|_| ()).expect_err("it is broken");
    assert!(
        why.starts_with("Aborting startup because of ACL errors: users.acl:1: Error in applying"),
        "{why}"
    );
    fs::remove_dir_all(&folder).expect("it goes");
}

#[test]
fn users_stand_in_the_configuration() {
    let read = |text: &str| {
        let mut reader = Reader::default();
        reader.text(text.as_bytes(), "a.conf").map(|()| reader.finish().0)
    };
    let text = "requirepass old\nuser ann on >p ( ~a +get )\nuser default on nopass +@all\nacl-pubsub-default allchannels\n";
    let mut h = Harness::with(read(text).expect("it is well-formed"), 1);
    let c = h.connect();
    assert!(
        h.call(c, "ACL LIST").ends_with(
            r#"&* -@all (~a &* -@all +get)", "user default on nopass sanitize-payload &* +@all"]"#
        )
    );
    for (text, why) in [
        ("user a on\nuser a off", "Error in user declaration 'a': Duplicate user found"),
        ("user a xyz", "Error in user declaration 'xyz': Syntax error"),
        ("user a (+get", "Error in user declaration '(+get': Unmatched parenthesis"),
        ("user \"a b\" on", "Error in user declaration 'a b': Spaces not allowed"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.why.starts_with(why), "{error}");
    }
    let table = staywire::engine::commands(&Config::default()).expect("no command is renamed");
    for (text, why) in [
        ("user a +nosuch", "Error loading ACL rule '+nosuch' for the user named 'a'"),
        ("user a on\naclfile x", "Users are defined here and, by aclfile, in a file"),
    ] {
        let config = read(text).expect(text);
        let error = staywire::engine::users(&config, &table).map(|_| ()).expect_err(text);
        assert!(error.why.starts_with(why) && error.line == 1, "{error}");
    }
}

#[cfg(feature = "scripting")]
#[test]
fn scripts_may_what_their_callers_may() {
    let mut h = Harness::new();
    let admin = h.connect();
    h.call(admin, "ACL SETUSER ann on nopass ~a* +get +eval");
    let ann = log_in(&mut h, "ann");
    assert_eq!(h.call(ann, "EVAL \"return redis.call('get', 'a')\" 0"), "nil");
    for (script, why) in [
        ("return redis.pcall('set', 'a', 1)", "User ann has no permissions to run the 'set' command"),
        ("return redis.pcall('get', 'b')", "No permissions to access a key"),
    ] {
        let refused = format!("-ERR ACL failure in script: {why}");
        assert_eq!(h.call(ann, &format!("EVAL \"{script}\" 0")), refused);
    }
    let wanted = [r#""key""#, r#""lua""#, r#""b""#];
    assert_eq!(["reason", "context", "object"].map(|field| logged(&mut h, admin, field)), wanted);
    assert!(logged(&mut h, admin, "client-info").contains(" cmd=eval "));
    for (call, may) in [("'get', 'a'", ":1"), ("'get', 'b'", "nil"), ("'set', 'a', '1'", "nil")] {
        assert_eq!(h.call(ann, &format!("EVAL \"return redis.acl_check_cmd({call})\" 0")), may, "{call}");
    }
    let unknown = h.call(ann, "EVAL \"return redis.acl_check_cmd('nosuch')\" 0");
    assert!(unknown.starts_with("-ERR Invalid command passed to server.acl_check_cmd()"), "{unknown}");
}

#[test]
fn users_and_refusals_are_memory() {
    let mut h = Harness::new();
    let admin = h.connect();
    let before = h.engine.used_memory();
    for i in 0..100 {
        h.call(admin, &format!("ACL SETUSER user{i} on >p{i} +@all -get ~a* &b* (+get ~c)"));
    }
    let with_users = h.engine.used_memory();
    assert!(with_users > before + 100 * 200);
    for i in 0..100 {
        h.call(admin, &format!("ACL SETUSER user{i} reset"));
    }
    assert!(h.engine.used_memory() < with_users);
    h.call(admin, "CONFIG SET acllog-max-len 10");
    let name = "x".repeat(10_000);
    for i in 0..50 {
        h.call(admin, &format!("AUTH {name}{i} p"));
    }
    let with_log = h.engine.used_memory();
    h.call(admin, "ACL LOG RESET");
    let log_bytes = with_log - h.engine.used_memory();
    assert!((100_000..110_000).contains(&log_bytes), "{log_bytes}");
    let names: Vec<String> = (0..100).map(|i| format!("user{i}")).collect();
    h.call(admin, &format!("ACL DELUSER {}", names.join(" ")));
    assert_eq!(h.engine.used_memory(), before);
}
