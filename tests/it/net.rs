//! The shell over real sockets: whatever a peer does, the others are served.

use staywire::{Handle, Server, resp::reply::Reply};
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    time::Duration,
};

trait Socket: Read + Write {
    fn set_wait(&self, wait: Option<Duration>);
}

impl Socket for TcpStream {
    fn set_wait(&self, wait: Option<Duration>) {
        self.set_read_timeout(wait).expect("sockets have timeouts");
    }
}

impl Socket for UnixStream {
    fn set_wait(&self, wait: Option<Duration>) {
        self.set_read_timeout(wait).expect("sockets have timeouts");
    }
}

/// A client that waits at most a minute for anything.
pub struct Client {
    socket: Box<dyn Socket>,
    received: Vec<u8>,
}

impl Client {
    pub fn connect(addr: SocketAddr) -> Client {
        Client::over(TcpStream::connect(addr).expect("the server listens"))
    }

    pub fn connect_unix(path: &str) -> Client {
        Client::over(UnixStream::connect(path).expect("the server listens"))
    }

    fn over(socket: impl Socket + 'static) -> Client {
        socket.set_wait(Some(Duration::from_secs(60)));
        Client { socket: Box::new(socket), received: Vec::new() }
    }

    /// Sends an inline command.
    pub fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\r\n").as_bytes());
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("the server reads");
    }

    /// The next reply.
    pub fn receive(&mut self) -> String {
        loop {
            if let Some((reply, len)) = Reply::decode(&self.received) {
                self.received.drain(..len);
                return reply.to_string();
            }
            let mut buf = [0; 65536];
            let n = self.socket.read(&mut buf).expect("a reply comes within a minute");
            assert!(n > 0, "closed, after {:?}", self.received.escape_ascii().to_string());
            self.received.extend_from_slice(&buf[..n]);
        }
    }

    /// The next reply if it is there.
    pub fn try_receive(&mut self) -> Option<String> {
        self.socket.set_wait(Some(Duration::from_millis(1)));
        let mut buf = [0; 65536];
        if let Ok(n) = self.socket.read(&mut buf) {
            self.received.extend_from_slice(&buf[..n]);
        }
        self.socket.set_wait(Some(Duration::from_secs(60)));
        let (reply, len) = Reply::decode(&self.received)?;
        self.received.drain(..len);
        Some(reply.to_string())
    }

    pub fn call(&mut self, line: &str) -> String {
        self.send(line);
        self.receive()
    }

    /// What comes until the server closes.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.received);
        // A reset is an end, too.
        let _ = self.socket.read_to_end(&mut all);
        all
    }
}

fn start(config: &[(&str, &str)]) -> Handle {
    let builder = config.iter().fold(Server::builder(), |builder, (name, value)| builder.config(name, value));
    builder.start().expect("it starts")
}

#[test]
fn a_pipeline_sent_whole_is_answered_in_order_beside_others() {
    let server = start(&[]);
    let (mut long, mut short) = (Client::connect(server.addr()), Client::connect(server.addr()));
    let n = 200_000;
    let mut all = Vec::new();
    for i in 0..n {
        all.extend_from_slice(format!("ECHO {i}\r\n").as_bytes());
    }
    long.send_bytes(&all);
    assert_eq!(short.call("PING"), "+PONG");
    for i in 0..n {
        assert_eq!(long.receive(), format!("\"{i}\""));
    }
}

#[test]
fn commands_before_the_end_of_input_are_served() {
    let server = start(&[]);
    let mut stream = TcpStream::connect(server.addr()).expect("it listens");
    let mut all = Vec::new();
    for _ in 0..50_000 {
        all.extend_from_slice(b"INCR n\r\n");
    }
    stream.write_all(&all).expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("half closed");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the server closes");
    assert!(rest.ends_with(b":50000\r\n"), "{}", rest.len());
}

#[test]
fn a_refused_client_is_told_why() {
    let server = start(&[("maxclients", "1")]);
    let mut first = Client::connect(server.addr());
    assert_eq!(first.call("PING"), "+PONG");
    let mut second = Client::connect(server.addr());
    assert_eq!(second.read_to_end(), b"-ERR max number of clients reached\r\n");
    assert_eq!(first.call("PING"), "+PONG");
}

#[test]
fn broken_protocol_is_answered_and_closed() {
    let server = start(&[]);
    for (sent, answer) in [
        ("*1\r\n$x\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        ("*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        ("*1\r\n:1\r\n", "-ERR Protocol error: expected '$', got ':'\r\n"),
        ("PING \"\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
        // As in Redis, what was replied before is lost.
        ("PING\r\nPOST / HTTP/1.1\r\nPING\r\n", ""),
        ("Host: x\r\n", ""),
        ("QUIT\r\nPING\r\n", "+OK\r\n"),
    ] {
        let mut client = Client::connect(server.addr());
        client.send_bytes(sent.as_bytes());
        assert_eq!(String::from_utf8_lossy(&client.read_to_end()), answer, "{sent:?}");
    }
}

#[test]
fn a_large_reply_crosses_a_full_socket() {
    let server = start(&[]);
    let mut client = Client::connect(server.addr());
    let value = "x".repeat(3_000_000);
    assert_eq!(client.call(&format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n{value}", value.len())), "+OK");
    for _ in 0..10 {
        client.send("GET k");
    }
    for _ in 0..10 {
        assert!(client.receive() == format!("\"{value}\""));
    }
}
