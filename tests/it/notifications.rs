//! Keyspace notifications as subscribers receive them. Which events a command makes stands with its family.

use staywire::testkit::Harness;
use std::time::Duration;

/// A client, and a subscriber to all events of the classes that `letters` name.
fn with_listener(letters: &str) -> (Harness, usize, usize) {
    let mut server = Harness::new();
    let (client, listener) = (server.connect(), server.connect());
    assert_eq!(server.call(client, &format!("CONFIG SET notify-keyspace-events {letters}")), "+OK");
    server.call(listener, "PSUBSCRIBE __key*@*__:*");
    (server, client, listener)
}

/// What came since, each as `channel message`.
fn received(server: &mut Harness, listener: usize) -> Vec<String> {
    let messages = server.receive(listener);
    let words = |line: &str| line.split('"').map(str::to_string).collect::<Vec<_>>();
    messages.lines().map(words).map(|words| format!("{} {}", words[5], words[7])).collect()
}

#[test]
fn both_channels_tell_of_a_change() {
    let (mut server, client, listener) = with_listener("KEA");
    server.call(client, "SELECT 3");
    server.call(client, "SET k v");
    assert_eq!(received(&mut server, listener), ["__keyspace@3__:k set", "__keyevent@3__:set k"]);
}

#[test]
fn only_the_classes_that_are_chosen_are_told() {
    for (letters, told) in [
        ("A", &[][..]),
        ("K", &[]),
        ("E$", &["set k", "incrby k"]),
        ("Eg", &["expire k", "del k", "del l"]),
        ("El", &["rpush l", "rpop l"]),
        ("Egl", &["expire k", "del k", "rpush l", "rpop l", "del l"]),
        ("Em", &["keymiss none"]),
        ("En", &["new k", "new l"]),
    ] {
        let (mut server, client, listener) = with_listener(letters);
        for line in ["SET k 1 EX 9", "INCR k", "DEL k", "RPUSH l a", "RPOP l", "GET none"] {
            server.call(client, line);
        }
        let wanted: Vec<String> = told.iter().map(|event| format!("__keyevent@0__:{event}")).collect();
        assert_eq!(received(&mut server, listener), wanted, "{letters}");
    }
}

#[test]
fn keys_that_expire_are_told_when_it_is_noticed() {
    let (mut server, client, listener) = with_listener("Ex");
    server.call(client, "SET soon v PX 10");
    server.advance(Duration::from_secs(1));
    assert_eq!(received(&mut server, listener), ["__keyevent@0__:expired soon"], "though nobody asks for it");
    server.call(client, "DEBUG SET-ACTIVE-EXPIRE 0");
    server.call(client, "SET soon v PX 10");
    server.advance(Duration::from_secs(1));
    assert!(received(&mut server, listener).is_empty());
    assert_eq!(server.call(client, "STRLEN soon"), ":0");
    assert_eq!(received(&mut server, listener), ["__keyevent@0__:expired soon"]);
}

#[test]
fn a_destination_that_expired_is_met_only_where_something_is_moved() {
    let (mut server, client, listener) = with_listener("EAn");
    server.call(client, "DEBUG SET-ACTIVE-EXPIRE 0");
    // Enough keys for a deletion to move others.
    server.call(client, "DEBUG POPULATE 200");
    server.call(client, "RPUSH from a b");
    for (source, events) in [("none", &[][..]), ("from", &["expired to", "new to", "rpush to", "lpop from"])]
    {
        server.call(client, "DEL to");
        server.call(client, "RPUSH to x");
        server.call(client, "PEXPIRE to 10");
        server.advance(Duration::from_secs(1));
        received(&mut server, listener);
        server.call(client, &format!("LMOVE {source} to LEFT RIGHT"));
        let wanted: Vec<String> = events.iter().map(|event| format!("__keyevent@0__:{event}")).collect();
        assert_eq!(received(&mut server, listener), wanted, "{source}");
    }
    assert_eq!(server.call(client, "LRANGE to 0 -1"), r#"["a"]"#);
    assert_eq!(server.call(client, "LRANGE from 0 -1"), r#"["b"]"#);
}

#[test]
fn the_parameter_is_shown_in_one_order() {
    let mut server = Harness::new();
    let a = server.connect();
    for (given, shown) in [
        ("KEA", "AKE"),
        ("mnEK", "nKEm"),
        ("KEmnA", "AKEm"),
        ("xe$g", "g$xe"),
        ("g$lshzxetd", "A"),
        ("\"\"", ""),
    ] {
        assert_eq!(server.call(a, &format!("CONFIG SET notify-keyspace-events {given}")), "+OK", "{given}");
        let reply = server.call(a, "CONFIG GET notify-keyspace-events");
        assert_eq!(reply, format!("[\"notify-keyspace-events\", \"{shown}\"]"), "{given}");
    }
    assert!(
        server.call(a, "CONFIG SET notify-keyspace-events KEAq").contains("Invalid event class character")
    );
}
