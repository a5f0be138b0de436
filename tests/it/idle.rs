//! `timeout` closes who is idle, and never who waits: hours pass by the clock that the test moves.

use crate::net::Client;
use staywire::{Server, VirtualClock, state::config::Config, testkit::Harness};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn who_subscribed_or_waits_outlasts_the_timeout() {
    let mut h = Harness::with(Config { timeout_s: 60, ..Config::default() }, 1);
    let (idle, subscriber, waiter) = (h.connect(), h.connect(), h.connect());
    h.call(subscriber, "SUBSCRIBE news");
    h.send(waiter, "BLPOP queue 0");
    for _ in 0..48 {
        h.advance(HOUR);
    }
    assert!(!h.is_open(idle));
    let other = h.connect();
    assert_eq!(h.call(other, "PUBLISH news late"), ":1");
    assert_eq!(h.receive(subscriber), r#"["message", "news", "late"]"#);
    assert_eq!(h.call(other, "RPUSH queue job"), ":1");
    assert_eq!(h.receive(waiter), r#"["queue", "job"]"#);
    // From here on it is idle, but only from here on.
    h.advance(Duration::from_secs(59));
    assert_eq!(h.call(waiter, "PING"), "+PONG");
    h.advance(HOUR);
    assert!(!h.is_open(waiter) && h.is_open(subscriber));
}

#[test]
fn a_wait_that_ends_after_the_timeout_is_answered() {
    let mut h = Harness::with(Config { timeout_s: 60, ..Config::default() }, 1);
    let waiter = h.connect();
    h.send(waiter, "BLPOP queue 7200");
    h.advance(2 * HOUR);
    assert_eq!(h.receive(waiter), "nil-array");
    assert_eq!(h.call(waiter, "PING"), "+PONG");
}

#[test]
fn connections_stay_through_idle_hours() {
    let clock = VirtualClock::at_ms(0);
    let server = Server::builder().clock(&clock).config("timeout", "60").start().expect("it starts");
    let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(server.addr())).collect();
    let [idle, subscriber, waiter] = clients.as_mut_slice() else { unreachable!("three were made") };
    assert_eq!(subscriber.call("SUBSCRIBE news"), r#"["subscribe", "news", :1]"#);
    waiter.send("BLPOP queue 0");
    // The server serves them in the order in which they sent, and a reply shows that it has come so far.
    assert_eq!(idle.call("PING"), "+PONG");
    for _ in 0..48 {
        server.advance(HOUR).expect("it runs");
    }
    assert_eq!(idle.read_to_end(), b"");
    let mut other = Client::connect(server.addr());
    assert_eq!(other.call("PUBLISH news late"), ":1");
    assert_eq!(subscriber.receive(), r#"["message", "news", "late"]"#);
    assert_eq!(other.call("RPUSH queue job"), ":1");
    assert_eq!(waiter.receive(), r#"["queue", "job"]"#);
    server.advance(HOUR).expect("it runs");
    assert_eq!(waiter.read_to_end(), b"", "now it is idle itself");
}
