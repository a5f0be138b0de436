//! Pipelines over a keyspace so large that the server looks ahead: however the bytes are cut, the answers are the same.

use staywire::{base::rng::Rng, testkit::Harness};

/// A server with more keys than stay in a cache.
fn large() -> (Harness, usize) {
    let mut server = Harness::new();
    let client = server.connect();
    let mut all = Vec::new();
    for i in 0..9000 {
        all.extend_from_slice(format!("SET key:{i} {i}\r\n").as_bytes());
    }
    server.send_bytes(client, &all);
    server.receive_bytes(client);
    (server, client)
}

fn array(args: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n{arg}\r\n", arg.len()).as_bytes());
    }
    bytes
}

/// A random command, in one of the forms in which clients send them.
fn command(rng: &mut Rng) -> Vec<u8> {
    let key = format!("key:{}", rng.below(9100));
    let other = format!("key:{}", rng.below(9100));
    match rng.below(16) {
        0..4 => array(&["GET", &key]),
        4..6 => array(&["SET", &key, "x"]),
        6 => array(&["MGET", &key, &other]),
        7 => array(&["SELECT", if rng.below(3) == 0 { "1" } else { "0" }]),
        8 => array(&["DEL", &key]),
        9 => array(&["RENAME", &key, &other]),
        10 => format!("GET {key}\r\n").into_bytes(),
        11 => array(&["GET"]),
        12 => array(&["MULTI"]),
        13 => array(&["EXEC"]),
        14 => [b"\r\n*0\r\n".as_slice(), &array(&["nonsense", &key])].concat(),
        _ => array(&["INCR", &key]),
    }
}

#[test]
fn cuts_change_no_answer() {
    for seed in 0..24 {
        let mut rng = Rng::new(seed);
        let commands: Vec<Vec<u8>> = (0..60).map(|_| command(&mut rng)).collect();
        let (mut one_by_one, client) = large();
        commands.iter().for_each(|bytes| one_by_one.send_bytes(client, bytes));
        let expected = one_by_one.receive_bytes(client);
        let input = commands.concat();
        let (mut whole, client) = large();
        whole.send_bytes(client, &input);
        assert!(whole.receive_bytes(client) == expected, "seed {seed}");
        let (mut cut, client) = large();
        let mut rest = input.as_slice();
        while !rest.is_empty() {
            let n = (1 + rng.below(90) as usize).min(rest.len());
            cut.send_bytes(client, &rest[..n]);
            rest = &rest[n..];
        }
        assert!(cut.receive_bytes(client) == expected, "seed {seed}, in pieces");
    }
}

#[test]
fn what_waits_or_breaks_off_keeps_its_place() {
    let (mut server, client) = large();
    let other = server.connect();
    let input = [
        array(&["GET", "key:1"]),
        array(&["BLPOP", "queue", "0"]),
        array(&["GET", "key:2"]),
        array(&["CLIENT", "REPLY", "SKIP"]),
        array(&["GET", "key:3"]),
        array(&["GET", "key:4"]),
        b"*1\r\n:\r\n".to_vec(),
        array(&["GET", "key:5"]),
    ];
    server.send_bytes(client, &input.concat());
    assert_eq!(server.receive(client), "\"1\"");
    assert_eq!(server.call(other, "SET key:2 new"), "+OK");
    assert_eq!(server.call(other, "RPUSH queue job"), ":1");
    let error = "-ERR Protocol error: expected '$', got ':'";
    assert_eq!(server.receive(client), format!("[\"queue\", \"job\"]\n\"new\"\n\"4\"\n{error}"));
    assert!(!server.is_open(client));
}

#[test]
fn a_login_in_a_pipeline_holds_for_what_follows() {
    let (mut server, first) = large();
    assert_eq!(server.call(first, "CONFIG SET requirepass secret"), "+OK");
    let client = server.connect();
    let long = "x".repeat(20_000);
    let input = [
        array(&["GET", "key:1"]),
        array(&["AUTH", "secret"]),
        array(&["SET", "key:1", &long]),
        array(&["STRLEN", "key:1"]),
    ];
    server.send_bytes(client, &input.concat());
    assert_eq!(server.receive(client), "-NOAUTH Authentication required.\n+OK\n+OK\n:20000");
}

#[test]
fn a_short_pipeline_runs_in_one_go_however_long_that_takes() {
    let mut server = Harness::new();
    let client = server.connect();
    let short = format!("DEBUG SLEEP 10\r\n{}", "PING\r\n".repeat(31));
    let fed = server.engine.feed(client, short.as_bytes());
    assert_eq!((fed.consumed, fed.more), (short.len(), false));
    // Of a longer one the rest waits for its next turn.
    let long = format!("{short}PING\r\n");
    let fed = server.engine.feed(client, long.as_bytes());
    assert_eq!((fed.consumed, fed.more), (short.len(), true));
}
