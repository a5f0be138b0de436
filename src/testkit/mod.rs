//! Floor 8: the harness: a server in the test's own thread, without sockets, whose clock the test moves.
//!
//! ```
//! use staywire::testkit::Harness;
//!
//! let mut server = Harness::new();
//! let (a, b) = (server.connect(), server.connect());
//! server.send(a, "BLPOP queue 5");
//! assert_eq!(server.call(b, "RPUSH queue job"), ":1");
//! assert_eq!(server.receive(a), r#"["queue", "job"]"#);
//! ```

use crate::{
    base::clock::{Clock, VirtualClock},
    command::{Attendant, Front},
    engine::{Engine, busy},
    resp::{
        reply::Reply,
        request::{Span, split_quoted},
    },
    state::{
        config::Config,
        session::{Address, SessionKey},
    },
};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// A server without sockets, and what its clients sent and received.
pub struct Harness {
    pub engine: Engine,
    pub clock: VirtualClock,
    input: HashMap<SessionKey, Vec<u8>>,
    output: HashMap<SessionKey, Vec<u8>>,
    /// What comes while a script runs long.
    busy_input: VecDeque<(SessionKey, Vec<u8>)>,
}

/// Lets clients send while a script runs long, one command each time that it is interrupted.
struct Meanwhile<'h> {
    input: &'h mut VecDeque<(SessionKey, Vec<u8>)>,
    output: &'h mut HashMap<SessionKey, Vec<u8>>,
}

impl Attendant for Meanwhile<'_> {
    fn attend(&mut self, front: &mut Front<'_>) {
        let Some((client, bytes)) = self.input.pop_front() else { return };
        busy::feed(front, client, &bytes);
        for client in std::mem::take(&mut front.state.dirty) {
            let Some(Some(session)) = front.state.sessions.get_mut(client) else { continue };
            session.dirty = false;
            let bytes = session.out.joined().to_vec();
            self.output.entry(client).or_default().extend_from_slice(&bytes);
            front.state.wrote(front.store.now_ms, client, bytes.len());
        }
    }
}

impl Default for Harness {
    fn default() -> Harness {
        Harness::new()
    }
}

impl Harness {
    /// A server with the default parameters and DEBUG allowed.
    pub fn new() -> Harness {
        Harness::with(Config { enable_debug_command: 1, ..Config::default() }, 1)
    }

    /// A server with these parameters and this seed.
    pub fn with(config: Config, seed: u64) -> Harness {
        let clock = VirtualClock::default();
        let engine = Engine::new(config, Clock::Virtual(clock.clone()), seed);
        Harness { engine, clock, input: HashMap::new(), output: HashMap::new(), busy_input: VecDeque::new() }
    }

    /// A new client. Panics where the server refuses it.
    pub fn connect(&mut self) -> SessionKey {
        let key = self.engine.open(Address::None, Address::None).expect("the server admits a client");
        self.input.insert(key, Vec::new());
        self.output.insert(key, Vec::new());
        key
    }

    /// The client is gone.
    pub fn disconnect(&mut self, client: SessionKey) {
        self.engine.close(client);
        self.input.remove(&client);
        self.turn();
    }

    /// Sends a command, split into words and unquoted as a line of redis-cli is.
    pub fn send(&mut self, client: SessionKey, line: &str) {
        let (mut buf, mut spans) = (Vec::new(), Vec::new());
        split_quoted(line.as_bytes(), &mut buf, &mut spans).expect("quotes are balanced");
        let words: Vec<&[u8]> =
            spans.iter().map(|s: &Span| &buf[s.start as usize..][..s.len as usize]).collect();
        self.send_args(client, &words);
    }

    /// Sends a command.
    pub fn send_args(&mut self, client: SessionKey, args: &[&[u8]]) {
        self.send_bytes(client, &encode(args));
    }

    /// Has a command sent once a script runs long: one more each time that it is interrupted.
    pub fn send_while_busy(&mut self, client: SessionKey, line: &str) {
        let (mut buf, mut spans) = (Vec::new(), Vec::new());
        split_quoted(line.as_bytes(), &mut buf, &mut spans).expect("quotes are balanced");
        let words: Vec<&[u8]> =
            spans.iter().map(|s: &Span| &buf[s.start as usize..][..s.len as usize]).collect();
        self.busy_input.push_back((client, encode(&words)));
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, client: SessionKey, bytes: &[u8]) {
        self.input.entry(client).or_default().extend_from_slice(bytes);
        self.feed(client);
        self.turn();
    }

    /// Sends a command and takes everything that the client then has received, in the form of [`Reply`]'s `Display`.
    pub fn call(&mut self, client: SessionKey, line: &str) -> String {
        self.send(client, line);
        self.receive(client)
    }

    /// The same with the arguments apart.
    pub fn call_args(&mut self, client: SessionKey, args: &[&[u8]]) -> String {
        self.send_args(client, args);
        self.receive(client)
    }

    /// Everything that a client received and was not taken yet, in one line each; empty where that is nothing.
    pub fn receive(&mut self, client: SessionKey) -> String {
        let bytes = self.receive_bytes(client);
        let (mut lines, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let (reply, len) = Reply::decode(&bytes[at..]).expect("replies are whole");
            lines.push(reply.to_string());
            at += len;
        }
        lines.join("\n")
    }

    /// The same as bytes.
    pub fn receive_bytes(&mut self, client: SessionKey) -> Vec<u8> {
        std::mem::take(self.output.entry(client).or_default())
    }

    /// Moves the clock and does what is due, in order.
    pub fn advance(&mut self, by: Duration) {
        self.engine.advance(by);
        self.turn();
    }

    fn feed(&mut self, client: SessionKey) {
        self.engine.refresh();
        let Some(input) = self.input.get_mut(&client) else { return };
        loop {
            let mut meanwhile = Meanwhile { input: &mut self.busy_input, output: &mut self.output };
            let fed = self.engine.feed_attended(client, input, &mut meanwhile);
            input.drain(..fed.consumed);
            if !fed.more {
                break;
            }
        }
    }

    /// One turn of the loop: what is due, then what is to be written.
    pub fn turn(&mut self) {
        self.engine.refresh();
        self.engine.tick();
        let (mut resumed, mut dirty) = (Vec::new(), Vec::new());
        loop {
            self.engine.take_resumed(&mut resumed);
            if resumed.is_empty() {
                break;
            }
            for client in std::mem::take(&mut resumed) {
                self.feed(client);
            }
        }
        self.engine.take_dirty(&mut dirty);
        for client in dirty {
            while let Some(out) = self.engine.output(client) {
                let mut slices = [std::io::IoSlice::new(&[]); 64];
                let n = out.slices(&mut slices);
                let bytes: Vec<u8> = slices[..n].iter().flat_map(|s| s.to_vec()).collect();
                if bytes.is_empty() {
                    break;
                }
                self.output.entry(client).or_default().extend_from_slice(&bytes);
                self.engine.wrote(client, bytes.len());
            }
            if self.engine.is_done(client) {
                self.engine.close(client);
            }
        }
    }

    /// Whether the server still knows a client.
    pub fn is_open(&mut self, client: SessionKey) -> bool {
        self.engine.session(client).is_some()
    }
}

/// A command as clients send it.
fn encode(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
