//! What several modules of tests use.

use staywire::{
    resp::request::OwnedArgs,
    state::{
        config::{Config, Notify},
        pubsub::Kind,
        session::SessionKey,
        waiters::{BlockRequest, InVain},
    },
    store::Presence,
    testkit::Harness,
    value::{
        Type, Value,
        list::{End, List, ListConfig},
    },
};
use std::sync::Arc;

/// Sends lines to a new server and compares the replies.
#[track_caller]
pub fn check(lines: &[(&str, &str)]) {
    check_with(&mut Harness::new(), lines);
}

/// The same in RESP3.
#[track_caller]
pub fn check3(lines: &[(&str, &str)]) {
    let mut h = Harness::new();
    let c = h.connect();
    h.call(c, "HELLO 3");
    for &(line, wanted) in lines {
        assert_eq!(h.call(c, line), wanted, "{line}");
    }
}

/// A field of INFO.
pub fn info(h: &mut Harness, client: SessionKey, field: &str) -> String {
    let text = h.call(client, "INFO everything");
    let start = text.find(&format!("\\n{field}:")).expect("the field is there") + field.len() + 3;
    text[start..].split("\\r").next().unwrap_or_default().into()
}

/// Sends lines over a new connection and compares the replies.
pub fn check_with(h: &mut Harness, lines: &[(&str, &str)]) {
    let c = h.connect();
    for &(line, wanted) in lines {
        assert_eq!(h.call(c, line), wanted, "{line}");
    }
}

/// Puts a list into a database, past all commands.
pub fn put_list(h: &mut Harness, db: usize, key: &[u8], elements: &[&str]) {
    let mut list = List::new();
    elements.iter().for_each(|e| list.push(End::Right, e.as_bytes(), &ListConfig::default()));
    h.engine.store.put(db, key, Value::List(list), None);
}

/// Makes a client watch a key in a database, as WATCH does.
pub fn watch(h: &mut Harness, client: SessionKey, db: usize, key: &[u8]) {
    let was_expired = h.engine.store.presence(db, key) == Presence::Expired;
    let mut session = h.engine.state.sessions[client].take().expect("it is connected");
    let selected = std::mem::replace(&mut session.db, db);
    h.engine.state.watch.watch(&mut session, key, was_expired);
    session.db = selected;
    h.engine.state.sessions[client] = Some(session);
}

/// Whether the client's transaction would fail.
pub fn is_broken(h: &mut Harness, client: SessionKey) -> bool {
    h.engine.session(client).expect("it is connected").watch_broken
}

/// Makes a client wait for a key that holds a list: it then runs `TYPE key` in that database.
pub fn wait_for(h: &mut Harness, client: SessionKey, db: usize, key: &[u8]) {
    let mut args = OwnedArgs::default();
    args.push(b"TYPE");
    args.push(key);
    let request = BlockRequest {
        keys: vec![Arc::from(key)],
        kind: Type::List,
        deadline_ms: None,
        in_vain: InVain::Null,
        args: None,
        ends_with_key: false,
    };
    let blocked = h.engine.state.waiters.block(client, db, args, request);
    h.engine.session(client).expect("it is connected").blocked = Some(Box::new(blocked));
}

/// What keyspace notifications say of these lines, each as `db:key event`.
pub fn events_of(lines: &[&str]) -> Vec<String> {
    let notify = Notify::parse("KAmn").expect("letters of classes");
    let mut h = Harness::with(Config { notify, ..Config::default() }, 1);
    let (c, listener) = (h.connect(), h.connect());
    let mut session = h.engine.state.sessions[listener].take().expect("it is connected");
    let subs = session.subscriptions.get_or_insert_default();
    h.engine.state.pubsub.subscribe(subs, listener, Kind::Pattern, b"*");
    h.engine.state.sessions[listener] = Some(session);
    let mut events = Vec::new();
    for line in lines {
        h.call(c, line);
        for message in h.receive(listener).lines() {
            // [pmessage, pattern, __keyspace@<db>__:<key>, <event>]
            let words: Vec<&str> = message.split('"').collect();
            let (db, key) = words[5]["__keyspace@".len()..].split_once("__:").expect("a keyspace channel");
            events.push(format!("{db}:{key} {}", words[7]));
        }
    }
    events
}
