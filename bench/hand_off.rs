//! A crowd that waits in BLPOP and a producer that pushes: a load cheaper than the servers, as in `load`.

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::collections::VecDeque;
use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};

const ASK: &[u8] = b"*3\r\n$5\r\nBLPOP\r\n$5\r\nqueue\r\n$1\r\n0\r\n";
const ANSWER: &[u8] = b"*2\r\n$5\r\nqueue\r\n$4\r\nwork\r\n";
const PUSH: &[u8] = b"*3\r\n$5\r\nRPUSH\r\n$5\r\nqueue\r\n$4\r\nwork\r\n";
const INFO: &[u8] = b"*2\r\n$4\r\nINFO\r\n$7\r\nclients\r\n";
/// Pushes sent at once.
const BATCH: usize = 25;

/// Hands off `count` elements to `waiters` clients, each of which waits again once it is served. Says `ready` when all
/// wait and `done` at the end, and goes on after a line from standard input each time, so that the caller can look at
/// the server's time.
pub fn run(address: &str, waiters: usize, count: usize) -> Result<()> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    let mut crowd = Vec::with_capacity(waiters);
    for number in 0..waiters {
        let mut stream = connect(address, &poll, number)?;
        stream.write_all(ASK)?;
        crowd.push(stream);
    }
    let mut producer = std::net::TcpStream::connect(address)?;
    while !info(&mut producer)?.contains(&format!("blocked_clients:{waiters}\r\n")) {}
    producer.set_nodelay(true)?;
    producer.set_nonblocking(true)?;
    let mut producer = TcpStream::from_std(producer);
    poll.registry().register(&mut producer, Token(waiters), Interest::READABLE)?;
    hold("ready")?;

    // Nobody is handed a second element before it asks again: half of the crowd always waits.
    let batch = BATCH.min(waiters / 2);
    let block = PUSH.repeat(batch);
    let (mut sent, mut taken, mut asking) = (0, 0, VecDeque::new());
    let mut buffer = [0; 4096];
    while taken < count {
        while sent < count && sent - taken + batch <= waiters / 2 {
            producer.write_all(&block)?;
            sent += batch;
        }
        poll.poll(&mut events, None)?;
        for event in &events {
            let number = event.token().0;
            if number == waiters {
                drain(&mut producer, &mut buffer)?;
                continue;
            }
            let got = match crowd[number].read(&mut buffer) {
                Ok(size) => size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            if &buffer[..got] != ANSWER {
                return Err(Error::other("a BLPOP answered with something else than its element"));
            }
            asking.push_back(number);
        }
        for number in asking.drain(..) {
            crowd[number].write_all(ASK)?;
            taken += 1;
        }
    }
    hold("done")
}

fn connect(address: &str, poll: &Poll, number: usize) -> Result<TcpStream> {
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
    Ok(stream)
}

fn info(producer: &mut std::net::TcpStream) -> Result<String> {
    producer.write_all(INFO)?;
    let mut text = vec![0; 1 << 16];
    let size = producer.read(&mut text)?;
    Ok(String::from_utf8_lossy(&text[..size]).into_owned())
}

/// Reads the lengths that the pushes answered.
fn drain(producer: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    loop {
        match producer.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(size) if buffer[..size].contains(&b'-') => return Err(Error::other("a push failed")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn hold(word: &str) -> Result<()> {
    println!("{word}");
    std::io::stdin().lock().read_line(&mut String::new()).map(|_| ())
}
