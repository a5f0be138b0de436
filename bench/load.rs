//! A load generator that is cheaper than the servers it loads, so that a server is measured while it is busy.
//!
//! `load ADDRESS CLIENTS PIPELINE REQUESTS KEYS LINES WORD...` sends REQUESTS commands made of the WORDs over CLIENTS
//! connections, PIPELINE at a time. `__key__` in a word becomes one of KEYS keys, `key:` and twelve digits, and the word
//! `__number__` one of KEYS numbers. Each command must answer in LINES lines; another number of them, or an error, ends
//! the run with exit 1.
//!
//! `load ADDRESS hand-off WAITERS COUNT`: see `hand_off`.

mod hand_off;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{Error, ErrorKind, Read, Result, Write};

/// Batches made ahead of the run, from which the connections take turns: enough that the keys look random.
const BATCHES: usize = 4096;

struct Client {
    stream: TcpStream,
    /// Lines of the batch under way that have not come yet.
    missing: usize,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [address, "hand-off", waiters, count] = args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let [waiters, count] = [waiters, count].map(|text| text.parse().expect("a count"));
        return hand_off::run(address, waiters, count);
    }
    let [address, clients, pipeline, requests, keys, lines, words @ ..] = args.as_slice() else {
        return Err(Error::other("usage: load ADDRESS CLIENTS PIPELINE REQUESTS KEYS LINES WORD..."));
    };
    let [clients, pipeline, requests, keys, lines] =
        [clients, pipeline, requests, keys, lines].map(|text| text.parse::<usize>().expect("a count"));
    let batches = make_batches(pipeline, requests.div_ceil(pipeline).min(BATCHES), keys, words);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(clients));
    let mut crowd = Vec::with_capacity(clients);
    for number in 0..clients {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        crowd.push(Client { stream, missing: 0 });
    }
    let total = requests.div_ceil(pipeline);
    let (mut sent, mut done) = (0, 0);
    for client in crowd.iter_mut().take(total) {
        client.send(&batches[sent % batches.len()], pipeline * lines)?;
        sent += 1;
    }
    let mut buffer = vec![0; 1 << 18];
    while done < total {
        poll.poll(&mut events, None)?;
        for event in &events {
            let client = &mut crowd[event.token().0];
            if client.receive(&mut buffer)? {
                done += 1;
                if sent < total {
                    client.send(&batches[sent % batches.len()], pipeline * lines)?;
                    sent += 1;
                }
            }
        }
    }
    Ok(())
}

impl Client {
    fn send(&mut self, batch: &[u8], lines: usize) -> Result<()> {
        self.missing = lines;
        // A batch is far smaller than a socket's buffer, and the answers to the one before it have all come.
        self.stream.write_all(batch)
    }

    /// Reads what has come; true once the batch is answered.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<bool> {
        let waited = self.missing > 0;
        loop {
            let size = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(size) => size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            let data = &buffer[..size];
            if data[0] == b'-' || memchr::memmem::find(data, b"\n-").is_some() {
                return Err(Error::other(String::from_utf8_lossy(&data[..size.min(200)])));
            }
            let lines = memchr::memchr_iter(b'\n', data).count();
            self.missing = self
                .missing
                .checked_sub(lines)
                .ok_or_else(|| Error::other("more lines than were asked for"))?;
            if self.missing == 0 {
                return Ok(waited);
            }
            if size < buffer.len() {
                return Ok(false);
            }
        }
    }
}

fn make_batches(pipeline: usize, count: usize, keys: usize, words: &[String]) -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % keys
    };
    let mut batch = || {
        let mut bytes = Vec::new();
        for _ in 0..pipeline {
            bytes.extend(format!("*{}\r\n", words.len()).into_bytes());
            for word in words {
                let word = if word.contains("__key__") {
                    word.replace("__key__", &format!("key:{:012}", random()))
                } else if word == "__number__" {
                    random().to_string()
                } else {
                    word.clone()
                };
                bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
            }
        }
        bytes
    };
    (0..count).map(|_| batch()).collect()
}
