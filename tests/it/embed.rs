//! A server inside another program.

use crate::net::Client;
use staywire::{Error, Server, VirtualClock};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    time::Duration,
};

/// Threads and descriptors of this process.
fn resources() -> (usize, usize) {
    let count = |path: &str| fs::read_dir(path).map_or(0, Iterator::count);
    (count("/proc/self/task"), count("/proc/self/fd"))
}

#[test]
fn a_started_server_listens_and_a_dropped_one_does_not() {
    let server = Server::builder().port(0).start().expect("it starts");
    let addr = server.addr();
    assert_eq!(server.url(), format!("redis://{addr}"));
    let mut client = Client::connect(addr);
    assert_eq!(client.call("PING"), "+PONG");
    drop(server);
    assert_eq!(client.read_to_end(), b"", "the connection is closed");
    TcpListener::bind(addr).expect("the port is free again");
}

#[test]
fn nothing_is_left_of_two_hundred_servers() {
    // Other tests run beside this one, so the check is for growth by as many, not for equality.
    let before = resources();
    for _ in 0..200 {
        let server = Server::builder().start().expect("it starts");
        let mut client = Client::connect(server.addr());
        assert_eq!(client.call("PING"), "+PONG");
        server.shutdown().expect("it stops");
    }
    let after = resources();
    assert!(after.0 < before.0 + 100 && after.1 < before.1 + 150, "{before:?} {after:?}");
}

#[test]
fn twenty_servers_are_strangers_to_each_other() {
    let clocks: Vec<VirtualClock> = (0..20).map(|i| VirtualClock::at_ms(1_000_000 * (i + 1))).collect();
    let servers: Vec<_> = clocks
        .iter()
        .enumerate()
        .map(|(i, clock)| Server::builder().name(format!("n{i}")).clock(clock).seed(i as u64).start())
        .collect::<Result<_, _>>()
        .expect("all start");
    for (i, server) in servers.iter().enumerate() {
        let mut client = Client::connect(server.addr());
        assert_eq!(client.call(&format!("SET n {i}")), "+OK");
        assert_eq!(client.call("TIME"), format!("[\"{}\", \"0\"]", 1000 * (i + 1)));
    }
    for (i, server) in servers.iter().enumerate() {
        assert_eq!(Client::connect(server.addr()).call("GET n"), format!("\"{i}\""));
    }
}

#[test]
fn the_clock_of_the_caller_drives_expiries_waits_and_time() {
    let clock = VirtualClock::at_ms(0);
    let server = Server::builder().clock(&clock).start().expect("it starts");
    let (mut a, mut b) = (Client::connect(server.addr()), Client::connect(server.addr()));
    assert_eq!(a.call("SET k v EX 60"), "+OK");
    b.send("BLPOP queue 30");
    // Its wait has begun once the server has answered somebody who came later.
    assert_eq!(a.call("PING"), "+PONG");
    server.advance(Duration::from_secs(29)).expect("it runs");
    assert_eq!(a.call("TTL k"), ":31");
    server.advance(Duration::from_secs(1)).expect("it runs");
    assert_eq!(b.receive(), "nil-array");
    server.advance(Duration::from_secs(30)).expect("it runs");
    assert_eq!(a.call("EXISTS k"), ":0");
    assert_eq!(a.call("DBSIZE"), ":0");
    assert_eq!(a.call("TIME"), "[\"60\", \"0\"]");
}

#[test]
fn a_caller_may_own_the_thread() {
    let mut server = Server::builder().build().expect("it is built");
    let addr = server.addr().expect("it listens");
    let mut client = Client::connect(addr);
    client.send("PING");
    while client.try_receive().is_none() {
        assert!(server.poll_once(Some(Duration::from_millis(10))).expect("it polls"));
    }
    client.send("SHUTDOWN NOSAVE");
    while server.poll_once(Some(Duration::from_millis(10))).expect("it polls") {}
    // Whoever sees its connection end finds nobody to connect to.
    assert!(TcpStream::connect(addr).is_err());
    server.finish();
    assert_eq!(client.read_to_end(), b"");
}

#[test]
fn a_server_that_is_shut_down_while_a_script_runs_listens_no_more() {
    let server = Server::builder().config("busy-reply-threshold", "1").start().expect("it starts");
    let (mut a, mut b) = (Client::connect(server.addr()), Client::connect(server.addr()));
    a.send("EVAL 'while true do end' 0");
    while !b.call("GET k").starts_with("-BUSY") {}
    b.send("SHUTDOWN NOSAVE");
    assert_eq!(b.read_to_end(), b"");
    assert!(TcpStream::connect(server.addr()).is_err());
}

#[test]
fn what_cannot_be_is_refused_before_the_start() {
    for (name, value) in [("maxclients", "x"), ("nonsense", "1"), ("appendonly", "yes")] {
        let started = Server::builder().config(name, value).start();
        assert!(matches!(&started, Err(Error::Config(why)) if why.starts_with(name)), "{name}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("it has an address");
    assert!(matches!(Server::builder().addr(addr).start(), Err(Error::Listen(_))));
}

#[test]
fn a_list_is_given_as_in_a_line_of_the_file() {
    let server = Server::builder()
        .config("save", "")
        .config("client-output-buffer-limit", "pubsub 1mb 0 0")
        .config("SHUTDOWN-ON-SIGINT", "force now")
        .start()
        .expect("it starts");
    let mut client = Client::connect(server.addr());
    assert_eq!(client.call("CONFIG GET shutdown-on-sigint"), r#"["shutdown-on-sigint", "now force"]"#);
    assert!(client.call("CONFIG GET client-output-buffer-limit").ends_with("pubsub 1048576 0 0\"]"));
}

#[test]
fn port_and_bind_say_where_it_listens_and_can_be_changed() {
    let server = Server::builder().start().expect("it starts");
    let mut client = Client::connect(server.addr());
    let port = server.addr().port();
    assert_eq!(client.call("CONFIG GET bind port"), format!(r#"["bind", "127.0.0.1", "port", "{port}"]"#));
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let used = taken.local_addr().expect("it has an address").port();
    assert_eq!(
        client.call(&format!("CONFIG SET timeout 3 port {used}")),
        "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check \
         server logs."
    );
    assert_eq!(
        client.call("CONFIG SET bind 203.0.113.1"),
        "-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses."
    );
    assert_eq!(client.call("CONFIG GET timeout"), r#"["timeout", "0"]"#);
    assert_eq!(Client::connect(server.addr()).call("PING"), "+PONG");
    // All addresses overlap with the one that goes.
    assert_eq!(client.call("CONFIG SET bind '* -::*'"), "+OK");
    assert_eq!(Client::connect(server.addr()).call("PING"), "+PONG");
    drop(taken);
    assert_eq!(client.call(&format!("CONFIG SET port {used} bind 127.0.0.1")), "+OK");
    assert_eq!(Client::connect(([127, 0, 0, 1], used).into()).call("PING"), "+PONG");
    assert!(TcpStream::connect(server.addr()).is_err());
    assert_eq!(client.call("CONFIG SET port 0"), "+OK");
    assert!(TcpStream::connect(("127.0.0.1", used)).is_err());
    assert!(client.call("INFO server").contains("tcp_port:0"));
}

#[test]
fn the_working_directory_is_the_hosts() {
    let before = std::env::current_dir().expect("there is one");
    let server = Server::builder().config("dir", "/").start().expect("it starts");
    assert_eq!(Client::connect(server.addr()).call("CONFIG GET dir"), r#"["dir", "/"]"#);
    assert_eq!(std::env::current_dir().expect("there is one"), before);
    let refused = Server::builder().config("dir", "/nowhere").start();
    assert!(matches!(&refused, Err(Error::Config(why)) if why == "dir: No such file or directory"));
}

#[test]
fn a_server_may_live_on_a_unix_socket_alone() {
    let path = std::env::temp_dir().join(format!("staywire-{}.sock", std::process::id()));
    let path = path.to_string_lossy().into_owned();
    let server = Server::builder().no_tcp().unix_socket(&path).start().expect("it starts");
    assert_eq!(server.url(), format!("unix://{path}"));
    let mut client = Client::connect_unix(&path);
    assert_eq!(client.call("SET a b"), "+OK");
    assert_eq!(client.call("GET a"), "\"b\"");
    server.shutdown().expect("it stops");
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn a_panic_in_the_server_is_an_error_for_its_host() {
    for how in ["DEBUG PANIC", "DEBUG ASSERT"] {
        let server = Server::builder().config("enable-debug-command", "yes").start().expect("it starts");
        let mut client = Client::connect(server.addr());
        client.send(how);
        assert_eq!(client.read_to_end(), b"", "every connection is closed");
        let ended = server.shutdown();
        assert!(matches!(&ended, Err(Error::Panic(message)) if message.contains(how)), "{ended:?}");
    }
}
