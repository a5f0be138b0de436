//! A connection: its socket and the input that is not used up.

use super::{KEPT_INPUT_BYTES, stream::Stream};
use crate::resp::output::Output;
use std::io::{self, IoSlice};

/// Pieces of output written at once.
const SLICES: usize = 64;

/// What the shell knows of a connection; the rest is the engine's session of the same key.
pub(super) struct Conn {
    pub stream: Stream,
    /// Input from `start` on is half a command, or what a client sent while it waits or is behind. Holds memory only
    /// while there is any.
    input: Vec<u8>,
    start: usize,
    /// The socket may have more to read, and no edge will tell.
    pub unread: bool,
    /// The peer closed its side: read on to the end.
    pub peer_closed: bool,
    /// Kept input has commands that the last turn's budget left.
    pub behind: bool,
    /// It stands in the run queue.
    pub queued: bool,
    /// Output is stuck: interest in writing is registered.
    pub wants_write: bool,
}

impl Conn {
    pub fn new(stream: Stream) -> Conn {
        Conn {
            stream,
            input: Vec::new(),
            start: 0,
            unread: false,
            peer_closed: false,
            behind: false,
            queued: false,
            wants_write: false,
        }
    }

    /// Input that was not used up.
    pub fn kept(&self) -> &[u8] {
        &self.input[self.start..]
    }

    /// Adds input.
    pub fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            // Each byte is moved at most once for each byte that was used up.
            if self.start > self.input.len() / 2 {
                self.input.drain(..self.start);
                self.start = 0;
            }
            self.input.extend_from_slice(bytes);
        }
    }

    /// Drops the oldest `n` bytes of input.
    pub fn use_up(&mut self, n: usize) {
        self.start += n;
        if self.start == self.input.len() {
            self.start = 0;
            self.input.clear();
            if self.input.capacity() > KEPT_INPUT_BYTES || !self.unread {
                self.input = Vec::new();
            }
        }
    }

    /// Writes the oldest output; returns how many bytes.
    pub fn write(&mut self, out: &Output) -> io::Result<usize> {
        if let Some(bytes) = out.single_slice() {
            return self.stream.write(bytes);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let n = out.slices(&mut slices);
        self.stream.write_vectored(&slices[..n])
    }
}
