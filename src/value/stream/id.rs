//! The IDs of a stream's entries: a time in milliseconds and a sequence number.

use crate::base::num::{MAX_INT_LEN, parse_i64, u64_to_buf};
use std::fmt;

/// The longest text of an ID, in bytes.
const TEXT_MAX: usize = 2 * MAX_INT_LEN + 1;
/// A longer text is never read as one.
const PARSED_TEXT_MAX: usize = 127;

/// The ID of an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId {
    /// Usually the Unix time in milliseconds.
    pub ms: u64,
    pub seq: u64,
}

/// An ID as text, without an allocation.
pub struct IdText {
    buf: [u8; TEXT_MAX],
    len: usize,
}

impl IdText {
    /// The text.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.buf[..self.len]
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.buf[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// What a text in the place of an ID asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParsedId {
    Whole(StreamId),
    /// `<ms>-*`: the next free sequence number of that millisecond.
    AnySeq(u64),
}

impl StreamId {
    /// The smallest, which no entry has.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The largest.
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    /// An ID of these two parts.
    pub const fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// The ID behind this one; `None` behind the largest.
    pub fn next(self) -> Option<StreamId> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The ID before this one; `None` before the smallest.
    pub fn prev(self) -> Option<StreamId> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// `<ms>-<seq>`.
    #[inline]
    pub fn text(self) -> IdText {
        let mut text = IdText { buf: [0; TEXT_MAX], len: 0 };
        let mut digits = [0; MAX_INT_LEN];
        text.push(u64_to_buf(self.ms, &mut digits));
        text.push(b"-");
        text.push(u64_to_buf(self.seq, &mut digits));
        text
    }

    /// Reads `<ms>` or `<ms>-<seq>`; without a sequence number it is `missing_seq`.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        match StreamId::parse_any(text, missing_seq)? {
            ParsedId::Whole(id) => Some(id),
            ParsedId::AnySeq(_) => None,
        }
    }

    /// Reads an ID, or `<ms>-*`.
    pub fn parse_any(text: &[u8], missing_seq: u64) -> Option<ParsedId> {
        if text.len() > PARSED_TEXT_MAX {
            return None;
        }
        let text = until_zero(text);
        let Some(at) = text.iter().position(|&b| b == b'-') else {
            return Some(ParsedId::Whole(StreamId::new(parse_part(text)?, missing_seq)));
        };
        let (ms, seq) = (parse_part(&text[..at])?, &text[at + 1..]);
        Some(if seq == b"*" {
            ParsedId::AnySeq(ms)
        } else {
            ParsedId::Whole(StreamId::new(ms, parse_part(seq)?))
        })
    }

    /// The order of IDs is that of these bytes.
    pub fn to_be_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    /// The ID of sixteen bytes.
    pub fn from_be_bytes(bytes: [u8; 16]) -> StreamId {
        let both = u128::from_be_bytes(bytes);
        StreamId { ms: (both >> 64) as u64, seq: both as u64 }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a C string would end.
fn until_zero(text: &[u8]) -> &[u8] {
    text.split(|&b| b == 0).next().unwrap_or_default()
}

/// One of the two numbers. What is no plain number is read as C's `strtoull` does, since clients may rely on it: with
/// space, a sign or zeros before the digits, and what is below zero counted from the end of the range.
fn parse_part(text: &[u8]) -> Option<u64> {
    if let Some(number) = parse_i64(text) {
        return u64::try_from(number).ok();
    }
    let is_space = |b: &&u8| matches!(b, b' ' | b'\t'..=b'\r');
    let text = &text[text.iter().take_while(is_space).count()..];
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number: u64 = 0;
    for digit in digits {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    Some(if negative { number.wrapping_neg() } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let parse = |text: &[u8]| StreamId::parse(text, 7).map(|id| id.to_string());
        let some: &[(&[u8], &str)] = &[
            (b"5", "5-7"),
            (b"5-3", "5-3"),
            (b"18446744073709551615-18446744073709551615", "18446744073709551615-18446744073709551615"),
            (b"+5-007", "5-7"),
            (b" \x0b5- 3", "5-3"),
            (b"5--03", "5-18446744073709551613"),
            (b"5\x00-9", "5-7"),
        ];
        for (text, wanted) in some {
            assert_eq!(parse(text).as_deref(), Some(*wanted), "{}", text.escape_ascii());
        }
        let none: &[&[u8]] = &[
            b"",
            b"-",
            b"5-",
            b"-5",
            b"5--3",
            b"18446744073709551616",
            b"5-*",
            b"x",
            b"5-3-1",
            b"5 ",
            &[b'0'; 128],
        ];
        for text in none {
            assert_eq!(parse(text), None, "{}", text.escape_ascii());
        }
        assert_eq!(StreamId::parse_any(b"5-*", 0), Some(ParsedId::AnySeq(5)));
        for id in [StreamId::MIN, StreamId::MAX, StreamId::new(1, 20)] {
            assert_eq!(id.text().as_bytes(), id.to_string().as_bytes());
            assert_eq!(StreamId::from_be_bytes(id.to_be_bytes()), id);
            assert_eq!(id.next().and_then(StreamId::prev).unwrap_or(StreamId::MAX), id);
        }
    }
}
