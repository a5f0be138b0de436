//! Requests: the parser that finds a command's arguments in a connection's input, however that was cut.

use memchr::memchr;

/// Arguments for which room is kept between commands.
const KEPT_SPANS: usize = 16 * 1024;
/// Longest inline command, count line or length line, in bytes.
const LINE_MAX_BYTES: usize = 64 * 1024;
/// What a client that is not logged in may send: arguments, and bytes in each.
const UNAUTHENTICATED_ARGS_MAX: i64 = 10;
const UNAUTHENTICATED_BULK_MAX_BYTES: i64 = 16 * 1024;

/// Where an argument stands, in bytes from the start of its buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub start: u32,
    pub len: u32,
}

/// A command's arguments, name first: spans of a buffer, without a copy.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buf: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Arguments at `spans` of `buf`. Each span must lie inside.
    pub fn new(buf: &'a [u8], spans: &'a [Span]) -> Args<'a> {
        Args { buf, spans }
    }

    /// How many, the name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `i`. Panics beyond the last: arity is checked before.
    #[inline]
    pub fn at(&self, i: usize) -> &'a [u8] {
        let span = self.spans[i];
        &self.buf[span.start as usize..][..span.len as usize]
    }

    /// Argument `i`, if there is one.
    pub fn get(&self, i: usize) -> Option<&'a [u8]> {
        (i < self.len()).then(|| self.at(i))
    }

    /// The arguments from `i` on.
    pub fn from(
        &self,
        i: usize,
    ) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator + Clone + use<'a> {
        let Args { buf, spans } = *self;
        spans[i.min(spans.len())..].iter().map(move |span| &buf[span.start as usize..][..span.len as usize])
    }

    /// The same arguments without the first `n`.
    pub fn skip(&self, n: usize) -> Args<'a> {
        Args { buf: self.buf, spans: &self.spans[n..] }
    }

    /// A copy that owns its bytes.
    pub fn to_owned(&self) -> OwnedArgs {
        let bytes = self.spans.iter().map(|s| s.len as usize).sum();
        let mut owned = OwnedArgs { buf: Vec::with_capacity(bytes), spans: Vec::with_capacity(self.len()) };
        for arg in self.from(0) {
            owned.push(arg);
        }
        owned
    }
}

/// Arguments that outlive the buffer they came in: queued in a transaction, or of a client that waits.
#[derive(Clone, Default, Debug)]
pub struct OwnedArgs {
    buf: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedArgs {
    /// Forgets all arguments, and keeps the room for others.
    pub fn clear(&mut self) {
        self.buf.clear();
        self.spans.clear();
    }

    /// Appends an argument.
    pub fn push(&mut self, arg: &[u8]) {
        self.spans.push(Span { start: self.buf.len() as u32, len: arg.len() as u32 });
        self.buf.extend_from_slice(arg);
    }

    /// The arguments.
    pub fn args(&self) -> Args<'_> {
        Args { buf: &self.buf, spans: &self.spans }
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.buf.capacity() + self.spans.capacity() * size_of::<Span>()
    }
}

/// Limits on what a client may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `proto-max-bulk-len`.
    pub bulk_max_bytes: i64,
    pub authenticated: bool,
}

/// A request that breaks the protocol: the text behind `-ERR Protocol error: `.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProtocolError(pub String);

fn broken<T>(text: &str) -> Result<T, ProtocolError> {
    Err(ProtocolError(text.to_string()))
}

/// What a call of [`Parser::parse`] found.
#[derive(PartialEq, Eq, Debug)]
pub enum Parsed {
    /// A command whose arguments are spans of the input; it ends before this offset.
    Command(usize),
    /// A command in one line, its arguments unquoted into the parser's line buffer; it ends before this offset.
    Inline(usize),
    /// Nothing to run before this offset: an empty line or an empty array.
    Nothing(usize),
    /// The input ends inside a command; call again with more.
    Incomplete,
}

/// The place that was reached inside a command, so that no byte is looked at twice.
#[derive(Clone, Copy, Default, Debug)]
struct Place {
    /// Offset of the first byte that is not understood yet.
    pos: usize,
    /// Arguments to come.
    missing: u32,
    /// Length of the argument whose bytes are awaited.
    bulk: Option<u32>,
    in_array: bool,
}

/// A parser between two commands, or inside one that is not complete.
#[derive(Default, Debug)]
pub struct Parser {
    place: Place,
    /// Arguments found so far.
    pub spans: Vec<Span>,
    /// The bytes of an inline command's arguments.
    pub line: Vec<u8>,
}

impl Parser {
    /// Whether part of a command was understood.
    pub fn is_inside(&self) -> bool {
        self.place.in_array
    }

    /// How much of the input was understood of a command that is not complete, and how much of that its arguments are;
    /// in bytes.
    pub fn understood_bytes(&self) -> (usize, usize) {
        if !self.place.in_array {
            return (0, 0);
        }
        (self.place.pos, self.spans.iter().map(|span| span.len as usize).sum())
    }

    /// How much input there will be at the end of the argument that was begun, in bytes; 0 where none was.
    pub fn announced_bytes(&self) -> usize {
        match self.place.bulk {
            Some(len) if self.place.in_array => self.place.pos + len as usize + 2,
            _ => 0,
        }
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.spans.capacity() * size_of::<Span>() + self.line.capacity()
    }

    /// Reads the command that starts at `input[start]`, or goes on with it where the last call saw it end too early.
    /// `input` must start with the same bytes until the command is complete, and be at most 4 GiB long.
    #[inline]
    pub fn parse(&mut self, input: &[u8], start: usize, limits: &Limits) -> Result<Parsed, ProtocolError> {
        if !self.place.in_array {
            self.spans.clear();
        }
        self.parse_next(input, start, limits)
    }

    /// The same, but a command's arguments are added to those of the commands before.
    #[inline]
    pub fn parse_next(
        &mut self,
        input: &[u8],
        start: usize,
        limits: &Limits,
    ) -> Result<Parsed, ProtocolError> {
        if !self.place.in_array {
            if start >= input.len() {
                return Ok(Parsed::Incomplete);
            }
            if input[start] != b'*' {
                return self.parse_inline(input, start);
            }
            let Some((text, after)) = line(input, start + 1, "too big mbulk count string")? else {
                return Ok(Parsed::Incomplete);
            };
            check_line_end(input, after)?;
            let count = match number(text) {
                Some(n) if n <= i64::from(i32::MAX) => n,
                _ => return broken("invalid multibulk length"),
            };
            if count > UNAUTHENTICATED_ARGS_MAX && !limits.authenticated {
                return broken("unauthenticated multibulk length");
            }
            if count <= 0 {
                return Ok(Parsed::Nothing(after));
            }
            self.place = Place { pos: after, missing: count as u32, bulk: None, in_array: true };
        }
        self.parse_bulks(input, limits)
    }

    /// Forgets the command that was begun, and gives back what an uncommonly long one took.
    pub fn reset(&mut self) {
        self.place = Place::default();
        if self.spans.capacity() > KEPT_SPANS {
            self.spans = Vec::new();
        }
    }

    /// To be called with the offset by which the input moved.
    pub fn rebase(&mut self, moved: usize) {
        if self.place.in_array && moved > 0 {
            self.place.pos -= moved;
            for span in &mut self.spans {
                span.start -= moved as u32;
            }
        }
    }

    #[inline]
    fn parse_bulks(&mut self, input: &[u8], limits: &Limits) -> Result<Parsed, ProtocolError> {
        let Place { mut pos, mut missing, mut bulk, .. } = self.place;
        while missing > 0 {
            let len = match bulk {
                Some(len) => len,
                None => {
                    let Some((text, after)) = line(input, pos, "too big bulk count string")? else {
                        self.place = Place { pos, missing, bulk, in_array: true };
                        return Ok(Parsed::Incomplete);
                    };
                    let Some((b'$', digits)) = text.split_first() else {
                        let got = char::from(text.first().copied().unwrap_or(b'\r'));
                        return broken(&format!("expected '$', got '{got}'"));
                    };
                    check_line_end(input, after)?;
                    let len = match number(digits) {
                        Some(n) if n >= 0 && n <= limits.bulk_max_bytes && n <= i64::from(u32::MAX) => n,
                        _ => return broken("invalid bulk length"),
                    };
                    if len > UNAUTHENTICATED_BULK_MAX_BYTES && !limits.authenticated {
                        return broken("unauthenticated bulk length");
                    }
                    pos = after;
                    len as u32
                }
            };
            let end = pos + len as usize + 2;
            if end > input.len() {
                self.place = Place { pos, missing, bulk: Some(len), in_array: true };
                return Ok(Parsed::Incomplete);
            }
            check_line_end(input, end)?;
            self.spans.push(Span { start: pos as u32, len });
            pos = end;
            bulk = None;
            missing -= 1;
        }
        self.place.in_array = false;
        Ok(Parsed::Command(pos))
    }

    fn parse_inline(&mut self, input: &[u8], start: usize) -> Result<Parsed, ProtocolError> {
        let rest = &input[start..];
        let Some(end) = memchr(b'\n', rest) else {
            return if rest.len() > LINE_MAX_BYTES {
                broken("too big inline request")
            } else {
                Ok(Parsed::Incomplete)
            };
        };
        let text = &rest[..end];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.line.clear();
        if split_quoted(text, &mut self.line, &mut self.spans).is_none() {
            return broken("unbalanced quotes in request");
        }
        let after = start + end + 1;
        Ok(if self.spans.is_empty() { Parsed::Nothing(after) } else { Parsed::Inline(after) })
    }
}

/// Refuses what does not end with CR and LF before `end`.
#[inline]
fn check_line_end(input: &[u8], end: usize) -> Result<(), ProtocolError> {
    if input[end - 2..end] == *b"\r\n" { Ok(()) } else { broken("invalid CRLF in request") }
}

/// The line from `pos` to the next CR, and where the next one begins; `None` where it is not whole yet. Whether LF
/// follows is for the caller to check.
#[inline]
fn line<'a>(input: &'a [u8], pos: usize, too_long: &str) -> Result<Option<(&'a [u8], usize)>, ProtocolError> {
    let rest = &input[pos.min(input.len())..];
    // Counts and lengths are short: looking finds their end sooner than a call does.
    let near = match rest {
        [a, b'\r', _, ..] if *a != b'\r' => Some(1),
        [a, b, b'\r', _, ..] if *a != b'\r' && *b != b'\r' => Some(2),
        _ => rest.iter().take(16).position(|&b| b == b'\r'),
    };
    match near.or_else(|| memchr(b'\r', rest)) {
        Some(end) if end + 1 < rest.len() => Ok(Some((&rest[..end], pos + end + 2))),
        None if rest.len() > LINE_MAX_BYTES => broken(too_long),
        _ => Ok(None),
    }
}

#[inline]
fn number(text: &[u8]) -> Option<i64> {
    match text {
        [d @ b'0'..=b'9'] => Some(i64::from(d - b'0')),
        _ => crate::base::num::parse_i64(text),
    }
}

/// Splits a line into arguments as redis-cli and configuration files quote them: `"..."` with `\n \r \t \b \a \xHH`
/// and `\` before any other byte, `'...'` with `\'`. `None` where a quote is not closed, or is followed by no space.
///
/// Source: <https://valkey.io/topics/protocol/#inline-commands>.
pub fn split_quoted(text: &[u8], buf: &mut Vec<u8>, spans: &mut Vec<Span>) -> Option<()> {
    let space = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let mut i = 0;
    loop {
        while text.get(i).is_some_and(|&b| space(b)) {
            i += 1;
        }
        // As in C, a zero byte ends the line.
        if i >= text.len() || text[i] == 0 {
            return Some(());
        }
        let start = buf.len();
        loop {
            match text.get(i) {
                None | Some(0) => break,
                Some(&b) if space(b) => break,
                Some(b'"') => {
                    i = quoted(text, i + 1, buf)?;
                    closed(text, i, space)?;
                }
                Some(b'\'') => {
                    i += 1;
                    loop {
                        match text.get(i..)? {
                            [b'\\', b'\'', ..] => {
                                buf.push(b'\'');
                                i += 2;
                            }
                            [b'\'', ..] => break,
                            [b, ..] => {
                                buf.push(*b);
                                i += 1;
                            }
                            [] => return None,
                        }
                    }
                    i += 1;
                    closed(text, i, space)?;
                }
                Some(&b) => {
                    buf.push(b);
                    i += 1;
                }
            }
        }
        spans.push(Span { start: start as u32, len: (buf.len() - start) as u32 });
    }
}

/// Whether a closing quote before `text[i]` is followed by a space or the end.
fn closed(text: &[u8], i: usize, space: impl Fn(u8) -> bool) -> Option<()> {
    text.get(i).is_none_or(|&b| space(b) || b == 0).then_some(())
}

/// Unquotes from behind `"` on; returns where the text behind the closing one begins.
fn quoted(text: &[u8], mut i: usize, buf: &mut Vec<u8>) -> Option<usize> {
    loop {
        match text.get(i..)? {
            [b'\\', b'x', h, l, ..] if h.is_ascii_hexdigit() && l.is_ascii_hexdigit() => {
                let digit = |b: &u8| char::from(*b).to_digit(16).unwrap_or(0) as u8;
                buf.push(digit(h) * 16 + digit(l));
                i += 4;
            }
            [b'\\', b, ..] => {
                buf.push(match b {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                i += 2;
            }
            [b'"', ..] => return Some(i + 1),
            [b, ..] => {
                buf.push(*b);
                i += 1;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    const LIMITS: Limits = Limits { bulk_max_bytes: 512 << 20, authenticated: true };

    /// Parses `input`, handed over in pieces that end at `cuts`, as the engine does.
    fn parse_all(input: &[u8], cuts: &[usize], limits: &Limits) -> (Vec<Vec<Vec<u8>>>, Option<String>) {
        let mut parser = Parser::default();
        let (mut commands, mut buffer, mut fed) = (Vec::new(), Vec::new(), 0);
        for &cut in cuts.iter().chain(std::iter::once(&input.len())) {
            buffer.extend_from_slice(&input[fed..cut]);
            fed = cut;
            let mut start = 0;
            loop {
                let (end, args) = match parser.parse(&buffer, start, limits) {
                    Ok(Parsed::Command(end)) => (end, Args::new(&buffer, &parser.spans)),
                    Ok(Parsed::Inline(end)) => (end, Args::new(&parser.line, &parser.spans)),
                    Ok(Parsed::Nothing(end)) => {
                        start = end;
                        continue;
                    }
                    Ok(Parsed::Incomplete) => break,
                    Err(error) => return (commands, Some(error.0)),
                };
                commands.push(args.from(0).map(<[u8]>::to_vec).collect());
                start = end;
            }
            buffer.drain(..start);
            parser.rebase(start);
        }
        (commands, None)
    }

    #[test]
    fn any_split_parses_the_same() {
        let mut input = Vec::new();
        input.extend_from_slice(
            b"PING\r\nSET a \"x y\\x41\\n\"\r\n*0\r\n\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n*-1\r\n",
        );
        input.extend_from_slice(
            b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\na\r\n$1\r\n*1\r\n\r\r\n ping 'it\\'s'\n",
        );
        let (whole, error) = parse_all(&input, &[], &LIMITS);
        assert_eq!((whole.len(), error), (5, None));
        let bytes: Vec<usize> = (1..input.len()).collect();
        assert_eq!(parse_all(&input, &bytes, &LIMITS).0, whole);
        for cut in 1..input.len() {
            assert_eq!(parse_all(&input, &[cut], &LIMITS).0, whole, "cut at {cut}");
        }
        for seed in 0..256 {
            let mut rng = Rng::new(seed);
            let mut cuts: Vec<usize> = (0..5).map(|_| rng.below(input.len() as u64) as usize).collect();
            cuts.sort_unstable();
            assert_eq!(parse_all(&input, &cuts, &LIMITS).0, whole, "seed {seed}");
        }
    }

    #[test]
    fn noise_never_panics_and_splits_alike() {
        let alphabet = b"*$\r\n0123456789-+\"'\\x ab\0";
        for seed in 0..2000 {
            let mut rng = Rng::new(seed);
            let input: Vec<u8> =
                (0..rng.below(80)).map(|_| alphabet[rng.below(alphabet.len() as u64) as usize]).collect();
            let bytes: Vec<usize> = (1..input.len()).collect();
            assert_eq!(parse_all(&input, &[], &LIMITS), parse_all(&input, &bytes, &LIMITS), "seed {seed}");
        }
    }

    #[test]
    fn errors_have_the_texts_of_redis() {
        let error = |input: &[u8]| parse_all(input, &[], &LIMITS).1.unwrap_or_default();
        assert_eq!(error(b"*x\r\n"), "invalid multibulk length");
        assert_eq!(error(b"*3000000000\r\n"), "invalid multibulk length");
        assert_eq!(error(b"*1\r\nPING\r\n"), "expected '$', got 'P'");
        assert_eq!(error(b"*1\r\n$-1\r\n"), "invalid bulk length");
        assert_eq!(error(b"*1\r\n$536870913\r\n"), "invalid bulk length");
        for input in ["*1\rx", "*x\rx", "*1\r\n$4\rx", "*1\r\n$-1\rx", "*1\r\n$1\r\nx\rx", "*1\r\n$1\r\nxx\n"]
        {
            assert_eq!(error(input.as_bytes()), "invalid CRLF in request", "{input:?}");
        }
        assert_eq!(error(b"*1\r\nPING\rx"), "expected '$', got 'P'");
        assert_eq!(error(b"SET \"a\r\n"), "unbalanced quotes in request");
        assert_eq!(error(b"SET \"a\"b\r\n"), "unbalanced quotes in request");
        assert_eq!(error(&[b'a'; 65537]), "too big inline request");
        assert_eq!(error(&[b"*".as_slice(), &[b'1'; 65537]].concat()), "too big mbulk count string");
        assert_eq!(error(&[b"*1\r\n$".as_slice(), &[b'1'; 65537]].concat()), "too big bulk count string");
        let stranger = Limits { authenticated: false, ..LIMITS };
        let error = |input: &[u8]| parse_all(input, &[], &stranger).1.unwrap_or_default();
        assert_eq!(error(b"*11\r\n"), "unauthenticated multibulk length");
        assert_eq!(error(b"*1\r\n$16385\r\n"), "unauthenticated bulk length");
    }
}
