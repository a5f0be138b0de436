//! Replies, decoded: for tests, tools and whoever embeds a server without a socket.

use memchr::memchr;
use std::fmt;

/// Most replies that may stand in each other.
const DEPTH_MAX: usize = 64;

/// A reply of RESP2 or RESP3.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    Simple(String),
    Error(String),
    Int(i64),
    Bulk(Vec<u8>),
    Null,
    NullArray,
    Array(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
    Set(Vec<Reply>),
    Push(Vec<Reply>),
    Double(String),
    BigNumber(String),
    Bool(bool),
    Verbatim(String, Vec<u8>),
}

impl Reply {
    /// Decodes the first reply of `bytes`: it and its length in bytes; `None` where it is not complete or no reply, or
    /// more than 64 replies stand in each other. Attributes are left out.
    pub fn decode(bytes: &[u8]) -> Option<(Reply, usize)> {
        Reply::decode_at(bytes, 0)
    }

    fn decode_at(bytes: &[u8], depth: usize) -> Option<(Reply, usize)> {
        if depth > DEPTH_MAX {
            return None;
        }
        let end = memchr(b'\r', bytes)?;
        let text = String::from_utf8_lossy(bytes.get(1..end)?).into_owned();
        let at = end + 2;
        if bytes.len() < at {
            return None;
        }
        let number = || text.parse::<i64>().ok();
        let many = |n: usize| -> Option<(Vec<Reply>, usize)> {
            let (mut items, mut at) = (Vec::new(), at);
            for _ in 0..n {
                let (item, len) = Reply::decode_at(bytes.get(at..)?, depth + 1)?;
                items.push(item);
                at += len;
            }
            Some((items, at))
        };
        let count = || number().and_then(|n| usize::try_from(n).ok());
        Some(match bytes[0] {
            b'+' => (Reply::Simple(text), at),
            b'-' => (Reply::Error(text), at),
            b':' => (Reply::Int(number()?), at),
            b',' => (Reply::Double(text), at),
            b'(' => (Reply::BigNumber(text), at),
            b'#' => (Reply::Bool(text == "t"), at),
            b'_' => (Reply::Null, at),
            b'$' | b'=' if text == "-1" => (Reply::Null, at),
            kind @ (b'$' | b'=') => {
                let n = count()?;
                let after = at.checked_add(n)?.checked_add(2)?;
                let body = bytes.get(at..after)?[..n].to_vec();
                let reply = match kind {
                    b'$' => Reply::Bulk(body),
                    _ => {
                        let kind = String::from_utf8_lossy(body.get(..3)?).into_owned();
                        Reply::Verbatim(kind, body.get(4..)?.to_vec())
                    }
                };
                (reply, after)
            }
            b'*' if text == "-1" => (Reply::NullArray, at),
            b'*' => many(count()?).map(|(items, at)| (Reply::Array(items), at))?,
            b'~' => many(count()?).map(|(items, at)| (Reply::Set(items), at))?,
            b'>' => many(count()?).map(|(items, at)| (Reply::Push(items), at))?,
            b'%' => {
                let (items, at) = many(count()?.checked_mul(2)?)?;
                let mut items = items.into_iter();
                let mut pairs = Vec::new();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    pairs.push((key, value));
                }
                (Reply::Map(pairs), at)
            }
            b'|' => {
                let (_, at) = many(count()?.checked_mul(2)?)?;
                let (reply, len) = Reply::decode_at(bytes.get(at..)?, depth + 1)?;
                (reply, at + len)
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Reply {
    /// In one line: `+OK`, `-ERR text`, `:1`, `"bulk"`, `nil`, `[a, b]`, `{k: v}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, open: &str, items: &[Reply], close: &str| {
            f.write_str(open)?;
            for (i, item) in items.iter().enumerate() {
                write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
            }
            f.write_str(close)
        };
        match self {
            Reply::Simple(text) => write!(f, "+{text}"),
            Reply::Error(text) => write!(f, "-{text}"),
            Reply::Int(n) => write!(f, ":{n}"),
            Reply::Bulk(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Reply::Null => f.write_str("nil"),
            Reply::NullArray => f.write_str("nil-array"),
            Reply::Array(items) => list(f, "[", items, "]"),
            Reply::Set(items) => list(f, "~[", items, "]"),
            Reply::Push(items) => list(f, ">[", items, "]"),
            Reply::Map(pairs) => {
                f.write_str("{")?;
                for (i, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
            Reply::Double(text) => write!(f, ",{text}"),
            Reply::BigNumber(text) => write!(f, "({text}"),
            Reply::Bool(value) => write!(f, "#{value}"),
            Reply::Verbatim(kind, bytes) => write!(f, "={kind}:\"{}\"", bytes.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_reply_is_none() {
        let nested = b"*1\r\n".repeat(100_000);
        let wrong: [&[u8]; 6] = [
            &nested,
            b"$18446744073709551615\r\n",
            b"%9223372036854775807\r\n",
            b"=2\r\nab\r\n",
            b"$3\r\nab",
            b"",
        ];
        for bytes in wrong {
            assert_eq!(Reply::decode(bytes), None);
        }
        let attributes = b"|1\r\n+ttl\r\n:5\r\n(123\r\n";
        assert_eq!(Reply::decode(attributes), Some((Reply::BigNumber("123".into()), attributes.len())));
    }
}
