//! A connection's output: replies are encoded into it, the shell writes it to the socket.

use super::{Proto, error::CmdError};
use crate::base::{
    dtoa::{self, f64_to_buf},
    num::{MAX_INT_LEN, i64_to_buf, write_i64},
};
use std::{collections::VecDeque, io::IoSlice, sync::Arc};

/// A buffer of this size is closed and queued, so that a long output never moves as it grows.
const CHUNK_BYTES: usize = 64 * 1024;
/// Most bytes of a reply that only the client's number makes so long.
const REPEATED_MAX_BYTES: usize = 1 << 30;

/// Bytes that wait to be written, oldest first.
enum Chunk {
    Own(Vec<u8>),
    /// A message that many connections receive, encoded once.
    Shared(Arc<[u8]>),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Own(bytes) => bytes,
            Chunk::Shared(bytes) => bytes,
        }
    }
}

/// What a bulk string of these bytes takes, in bytes.
pub fn bulk_bytes(bytes: &[u8]) -> usize {
    let digits = bytes.len().checked_ilog10().unwrap_or(0) as usize + 1;
    b"$\r\n\r\n".len() + digits + bytes.len()
}

/// How the memory of an [`Output`] is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// What the only buffer holds.
    pub buffered_bytes: usize,
    /// Buffers where there are several, and what they hold.
    pub chunks: usize,
    pub chunk_bytes: usize,
}

/// A place in an [`Output`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    chunks: usize,
    buffered_bytes: usize,
}

/// What waits to be written to one client, and the encoders that append to it.
#[derive(Default)]
pub struct Output {
    /// The newest bytes; everything in `queue` goes before them.
    buf: Vec<u8>,
    queue: VecDeque<Chunk>,
    /// Bytes in `queue`.
    queued_bytes: usize,
    /// How much of the oldest chunk (of `buf` where the queue is empty) was written already.
    sent: usize,
    /// With more queued than this what is appended is dropped, since the client will be cut off; 0: never.
    max_bytes: u64,
    /// Nobody will read it.
    muted: bool,
    /// The version in which replies are encoded.
    pub proto: Proto,
}

impl Output {
    /// An empty output, for replies in version `proto`.
    pub fn new(proto: Proto) -> Output {
        Output { proto, ..Output::default() }
    }

    /// An output that nobody will read: it need not keep much.
    pub fn muted(proto: Proto) -> Output {
        Output { max_bytes: 1, muted: true, ..Output::new(proto) }
    }

    /// Whether nobody will read it.
    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// Sets how much may be pending, in bytes; 0: any amount.
    #[inline]
    pub fn limit(&mut self, max_bytes: u64) {
        if !self.muted {
            self.max_bytes = max_bytes;
        }
    }

    /// Whether more is pending than may be.
    #[inline]
    pub fn is_over_limit(&self) -> bool {
        self.max_bytes > 0 && !self.muted && self.pending_bytes() as u64 > self.max_bytes
    }

    /// Whether a reply that the client may make as long as it likes, from values that are there once, is to go on; so
    /// much was pending when it began. Where it gets too long the client is cut off.
    #[inline]
    pub fn goes_on(&mut self, began_bytes: usize) -> bool {
        if self.pending_bytes().saturating_sub(began_bytes) > REPEATED_MAX_BYTES {
            self.limit(1);
        }
        !self.muted && !self.is_over_limit()
    }

    /// Bytes that were not written yet.
    #[inline]
    pub fn pending_bytes(&self) -> usize {
        self.buf.len() + self.queued_bytes - self.sent
    }

    /// Whether everything was written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.pending_bytes() == 0
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.buf.capacity() + self.queued_bytes + self.queue.capacity() * size_of::<Chunk>()
    }

    /// How the memory is used, as CLIENT LIST reports it.
    pub fn usage(&self) -> Usage {
        let newest = self.buf.len();
        if self.queue.is_empty() {
            return Usage { buffered_bytes: newest, chunks: 0, chunk_bytes: 0 };
        }
        let chunks = self.queue.len() + usize::from(newest > 0);
        Usage { buffered_bytes: 0, chunks, chunk_bytes: self.queued_bytes + newest }
    }

    /// Lends a buffer to an output that has none; a new one has room for so much.
    #[inline]
    pub fn lend(&mut self, pool: &mut Vec<Vec<u8>>, room_bytes: usize) {
        if self.buf.capacity() == 0 {
            self.buf = pool.pop().unwrap_or_else(|| Vec::with_capacity(room_bytes));
        }
    }

    /// Takes the buffer of an output that was written whole back.
    #[inline]
    pub fn reclaim(&mut self, pool: &mut Vec<Vec<u8>>) {
        debug_assert!(self.is_empty());
        let mut buf = std::mem::take(&mut self.buf);
        buf.clear();
        self.sent = 0;
        if pool.len() < 64 && (1..=CHUNK_BYTES).contains(&buf.capacity()) {
            pool.push(buf);
        }
        if self.queue.capacity() > 0 {
            self.queue = VecDeque::new();
        }
    }

    /// Fills `slices` with what is to be written next; returns how many it filled.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let parts = self.queue.iter().map(Chunk::bytes).chain(std::iter::once(self.buf.as_slice()));
        let mut n = 0;
        let mut skip = self.sent;
        for part in parts {
            if n == slices.len() {
                break;
            }
            if part.len() > skip {
                slices[n] = IoSlice::new(&part[skip..]);
                n += 1;
            }
            skip = 0;
        }
        n
    }

    /// The one slice that is to be written where there is only one.
    #[inline]
    pub fn single_slice(&self) -> Option<&[u8]> {
        self.queue.is_empty().then(|| &self.buf[self.sent..])
    }

    /// Drops the oldest `n` bytes: they were written.
    pub fn advance(&mut self, n: usize) {
        assert!(n <= self.pending_bytes(), "more written than there was");
        self.sent += n;
        while let Some(first) = self.queue.front() {
            let len = first.bytes().len();
            if self.sent < len {
                return;
            }
            self.sent -= len;
            self.queued_bytes -= len;
            self.queue.pop_front();
        }
        if self.sent == self.buf.len() {
            self.buf.clear();
            self.sent = 0;
        }
    }

    /// Where the next byte goes; to be handed to [`Output::rewind`].
    pub fn mark(&self) -> Mark {
        Mark { chunks: self.queue.len(), buffered_bytes: self.buf.len() }
    }

    /// Drops everything that was appended since, none of which was written yet.
    pub fn rewind(&mut self, mark: Mark) {
        let mut later = self.queue.drain(mark.chunks..);
        if let Some(first) = later.next() {
            // What was the buffer then is the first chunk since.
            self.queued_bytes -= first.bytes().len() + later.map(|chunk| chunk.bytes().len()).sum::<usize>();
            self.buf = match first {
                Chunk::Own(bytes) => bytes,
                Chunk::Shared(_) => Vec::new(),
            };
        }
        self.buf.truncate(mark.buffered_bytes);
    }

    /// Drops everything that was not written.
    pub fn clear(&mut self) {
        *self = Output { max_bytes: self.max_bytes, muted: self.muted, ..Output::new(self.proto) };
    }

    /// Appends everything that `other` holds, without a copy of its queued chunks.
    pub fn append(&mut self, other: &mut Output) {
        debug_assert_eq!(other.sent, 0);
        if other.queue.is_empty() {
            self.raw(&other.buf);
        } else {
            self.roll();
            self.queued_bytes += other.queued_bytes;
            self.queue.append(&mut other.queue);
            self.buf = std::mem::take(&mut other.buf);
        }
        other.clear();
    }

    /// Everything that waits, as one piece that stays.
    #[inline]
    pub fn joined(&mut self) -> &[u8] {
        if !self.queue.is_empty() {
            let all = std::mem::take(self);
            let (max_bytes, muted, proto) = (all.max_bytes, all.muted, all.proto);
            *self = Output { buf: all.into_bytes(), max_bytes, muted, proto, ..Output::default() };
        }
        &self.buf[self.sent..]
    }

    /// Everything that waits, as one piece.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.queue.is_empty() && self.sent == 0 {
            return self.buf;
        }
        let all: Vec<&[u8]> = self.queue.iter().map(Chunk::bytes).chain([self.buf.as_slice()]).collect();
        all.concat().split_off(self.sent)
    }

    /// Queues the current buffer and starts another.
    #[cold]
    fn roll(&mut self) {
        if self.max_bytes > 0 && self.queued_bytes as u64 > self.max_bytes {
            self.buf.clear();
        }
        if !self.buf.is_empty() {
            let buf = std::mem::take(&mut self.buf);
            self.queued_bytes += buf.len();
            self.queue.push_back(Chunk::Own(buf));
        }
    }

    #[inline]
    fn room(&mut self) {
        if self.buf.len() >= CHUNK_BYTES {
            self.roll();
        }
    }

    /// Bytes that are encoded already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.room();
        self.buf.extend_from_slice(bytes);
    }

    /// Bytes that are encoded already and go to many connections.
    pub fn shared(&mut self, bytes: &Arc<[u8]>) {
        self.roll();
        self.queued_bytes += bytes.len();
        self.queue.push_back(Chunk::Shared(Arc::clone(bytes)));
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// A simple string.
    pub fn simple(&mut self, text: &str) {
        self.room();
        self.buf.push(b'+');
        self.buf.extend_from_slice(text.as_bytes());
        self.buf.extend_from_slice(b"\r\n");
    }

    /// A simple string of any bytes: line breaks inside are sent as spaces.
    pub fn simple_bytes(&mut self, text: &[u8]) {
        self.room();
        self.buf.push(b'+');
        self.line(text);
    }

    /// Text in one line, and the end of that.
    fn line(&mut self, text: &[u8]) {
        self.buf.extend(text.iter().map(|&b| if b == b'\r' || b == b'\n' { b' ' } else { b }));
        self.buf.extend_from_slice(b"\r\n");
    }

    /// An error reply.
    pub fn error(&mut self, error: &CmdError) {
        self.room();
        self.buf.push(b'-');
        let text = error.text();
        let end = text.iter().rposition(|b| !b"\r\n".contains(b)).map_or(0, |last| last + 1);
        self.line(&text[..end]);
    }

    #[inline]
    fn header(&mut self, kind: u8, n: i64) {
        self.room();
        self.buf.push(kind);
        match n {
            // Most lengths and many counters have one digit.
            0..=9 => self.buf.push(b'0' + n as u8),
            _ => write_i64(&mut self.buf, n),
        }
        self.buf.extend_from_slice(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, n: i64) {
        self.header(b':', n);
    }

    /// A count as an integer.
    #[inline]
    pub fn count(&mut self, n: usize) {
        self.header(b':', n as i64);
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        if bytes.len() > CHUNK_BYTES && (self.muted || self.is_over_limit()) {
            // To copy many of these would take long.
            return;
        }
        self.room();
        self.buf.reserve(bytes.len() + 24);
        self.header(b'$', bytes.len() as i64);
        self.buf.extend_from_slice(bytes);
        self.buf.extend_from_slice(b"\r\n");
    }

    /// An integer as a bulk string.
    #[inline]
    pub fn bulk_int(&mut self, n: i64) {
        self.bulk(i64_to_buf(n, &mut [0; MAX_INT_LEN]));
    }

    /// No value.
    #[inline]
    pub fn null(&mut self) {
        self.raw(match self.proto {
            Proto::Resp2 => b"$-1\r\n".as_slice(),
            Proto::Resp3 => b"_\r\n".as_slice(),
        });
    }

    /// No array.
    pub fn null_array(&mut self) {
        self.raw(match self.proto {
            Proto::Resp2 => b"*-1\r\n".as_slice(),
            Proto::Resp3 => b"_\r\n".as_slice(),
        });
    }

    /// The head of an array of `n` elements.
    #[inline]
    pub fn array(&mut self, n: usize) {
        self.header(b'*', n as i64);
    }

    /// The head of a map of `n` pairs: in RESP2 an array of twice as many.
    pub fn map(&mut self, n: usize) {
        match self.proto {
            Proto::Resp2 => self.header(b'*', 2 * n as i64),
            Proto::Resp3 => self.header(b'%', n as i64),
        }
    }

    /// The head of a set of `n` elements: in RESP2 an array.
    pub fn set(&mut self, n: usize) {
        self.header(if self.proto == Proto::Resp3 { b'~' } else { b'*' }, n as i64);
    }

    /// The head of a push of `n` elements: in RESP2 an array.
    pub fn push(&mut self, n: usize) {
        self.header(if self.proto == Proto::Resp3 { b'>' } else { b'*' }, n as i64);
    }

    /// A floating-point number as its text: in RESP2 a bulk string.
    pub fn double(&mut self, text: &str) {
        self.scalar(b',', text.as_bytes());
    }

    /// A floating-point number with the digits of the reference: in RESP2 a bulk string.
    #[inline]
    pub fn number(&mut self, x: f64) {
        self.double(f64_to_buf(x, &mut [0; dtoa::MAX_LEN]));
    }

    /// An integer of any size as its text: in RESP2 a bulk string.
    pub fn big_number(&mut self, text: &str) {
        self.scalar(b'(', text.as_bytes());
    }

    /// What a script says is such an integer: line breaks inside are sent as spaces.
    pub fn big_number_bytes(&mut self, text: &[u8]) {
        let one_line: Vec<u8> =
            text.iter().map(|&b| if b == b'\r' || b == b'\n' { b' ' } else { b }).collect();
        self.scalar(b'(', &one_line);
    }

    fn scalar(&mut self, kind: u8, text: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(text),
            Proto::Resp3 => {
                self.room();
                self.buf.push(kind);
                self.buf.extend_from_slice(text);
                self.buf.extend_from_slice(b"\r\n");
            }
        }
    }

    /// The head of `n` attributes of the reply that follows. RESP3 alone has them.
    pub fn attributes(&mut self, n: usize) {
        debug_assert!(self.proto == Proto::Resp3);
        self.header(b'|', n as i64);
    }

    /// A boolean: in RESP2 the integer 1 or 0.
    pub fn boolean(&mut self, value: bool) {
        match self.proto {
            Proto::Resp2 => self.int(i64::from(value)),
            Proto::Resp3 => self.raw(if value { b"#t\r\n" } else { b"#f\r\n" }),
        }
    }

    /// Text for people, of which `format` says the kind (`txt` or `mkd`): in RESP2 a bulk string.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        self.verbatim_bytes(format.as_bytes(), text);
    }

    /// The same; the format has three bytes: fewer are filled up with spaces.
    pub fn verbatim_bytes(&mut self, format: &[u8], text: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(text),
            Proto::Resp3 => {
                self.header(b'=', text.len() as i64 + 4);
                self.buf.extend(format.iter().chain(b"   ").take(3));
                self.buf.push(b':');
                self.buf.extend_from_slice(text);
                self.buf.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Lines of help, as a container's HELP answers them.
    pub fn lines<'a>(&mut self, lines: impl ExactSizeIterator<Item = &'a str>) {
        self.array(lines.len());
        for line in lines {
            self.simple(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(out: &Output) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let n = out.slices(&mut slices);
        slices[..n].iter().flat_map(|s| s.to_vec()).collect()
    }

    #[test]
    fn chunks_keep_their_order_whatever_the_writes_take() {
        for step in [1, 7, 4096, 70_000] {
            let mut out = Output::default();
            let mut expected = Vec::new();
            let shared: Arc<[u8]> = Arc::from(vec![b's'; 3000]);
            for i in 0..200 {
                let text = vec![b'a' + (i % 26) as u8; i * 10];
                out.bulk(&text);
                expected.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
                expected.extend_from_slice(&text);
                expected.extend_from_slice(b"\r\n");
                if i % 10 == 0 {
                    out.shared(&shared);
                    expected.extend_from_slice(&shared);
                }
            }
            let mut seen = Vec::new();
            while !out.is_empty() {
                let next = written(&out);
                let n = next.len().min(step * 13);
                seen.extend_from_slice(&next[..n]);
                out.advance(n);
            }
            assert!(seen == expected, "step {step}");
        }
    }

    #[test]
    fn versions_differ_where_they_should() {
        let mut out = Output::default();
        out.map(2);
        out.null();
        out.null_array();
        out.boolean(true);
        out.verbatim("txt", b"hi");
        assert_eq!(written(&out), b"*4\r\n$-1\r\n*-1\r\n:1\r\n$2\r\nhi\r\n");
        let mut out = Output::new(Proto::Resp3);
        out.map(2);
        out.null();
        out.null_array();
        out.boolean(true);
        out.verbatim("txt", b"hi");
        assert_eq!(written(&out), b"%2\r\n_\r\n_\r\n#t\r\n=6\r\ntxt:hi\r\n");
    }

    #[test]
    fn what_was_appended_since_a_mark_can_be_dropped() {
        for before in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 5 * CHUNK_BYTES] {
            for after in [0, 1, 100, CHUNK_BYTES, 7 * CHUNK_BYTES] {
                let mut out = Output::default();
                (0..before / 100).for_each(|_| out.raw(&[b'a'; 100]));
                out.raw(&vec![b'b'; before % 100]);
                let (kept, mark) = (written(&out), out.mark());
                (0..after / 100).for_each(|_| out.raw(&[b'c'; 100]));
                let mut inner = Output::default();
                (0..after).for_each(|_| inner.raw(b"d"));
                out.array(2);
                out.append(&mut inner);
                out.shared(&Arc::from(&b"e"[..]));
                out.rewind(mark);
                assert_eq!(written(&out), kept, "{before} and {after}");
                assert_eq!(out.pending_bytes(), kept.len());
                out.ok();
                assert_eq!(written(&out), [&kept, &b"+OK\r\n"[..]].concat());
            }
        }
    }

    #[test]
    fn what_is_over_the_limit_is_not_kept() {
        let mut out = Output::default();
        out.limit(1 << 20);
        let mut muted = Output::muted(Proto::Resp2);
        muted.limit(0);
        for _ in 0..1000 {
            out.bulk(&[b'x'; 100_000]);
            muted.bulk(&[b'x'; 100_000]);
        }
        assert!(out.is_over_limit() && out.mem_bytes() < 2 << 20);
        assert!(!muted.is_over_limit() && muted.mem_bytes() < 1 << 20);
    }

    #[test]
    fn an_error_cannot_forge_a_reply() {
        let mut out = Output::default();
        out.error(&CmdError::with("ERR a\r\n+OK\r\n"));
        assert_eq!(written(&out), b"-ERR a  +OK\r\n");
    }
}
