//! JSON as Lua's values.

use super::{Config, push_null, with_config};
use crate::script::{
    number::read_number,
    stack::{Raise, Results, Stack},
};

/// `cjson.decode(text)`
pub(super) fn decode(stack: &Stack) -> Results {
    if stack.top() != 1 {
        return Err(stack.bad_argument(1, "expected 1 argument"));
    }
    let config = with_config(stack, |config| *config);
    let text = stack.text_arg(1)?;
    if matches!(text, [0, _, ..] | [_, 0, ..]) {
        return Err(stack.raise(b"JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut decoder = Decoder { stack, config, text, at: 0, depth: 0 };
    let token = decoder.next();
    decoder.value(token)?;
    let token = decoder.next();
    if !matches!(token.kind, TokenKind::End) {
        return Err(decoder.unexpected("the end", &token));
    }
    Ok(1)
}

enum TokenKind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Error(&'static str),
}

impl TokenKind {
    /// The name in messages.
    fn name(&self) -> &'static str {
        match self {
            TokenKind::ObjectBegin => "T_OBJ_BEGIN",
            TokenKind::ObjectEnd => "T_OBJ_END",
            TokenKind::ArrayBegin => "T_ARR_BEGIN",
            TokenKind::ArrayEnd => "T_ARR_END",
            TokenKind::String(_) => "T_STRING",
            TokenKind::Number(_) => "T_NUMBER",
            TokenKind::Boolean(_) => "T_BOOLEAN",
            TokenKind::Null => "T_NULL",
            TokenKind::Colon => "T_COLON",
            TokenKind::Comma => "T_COMMA",
            TokenKind::End => "T_END",
            TokenKind::Error(why) => why,
        }
    }
}

struct Token {
    kind: TokenKind,
    at: usize,
}

struct Decoder<'s> {
    stack: &'s Stack,
    config: Config,
    text: &'s [u8],
    at: usize,
    depth: i32,
}

impl Decoder<'_> {
    /// A byte ahead; a zero byte ends the text.
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn next(&mut self) -> Token {
        while matches!(self.peek(0), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        let at = self.at;
        let single = match self.peek(0) {
            b'{' => Some(TokenKind::ObjectBegin),
            b'}' => Some(TokenKind::ObjectEnd),
            b'[' => Some(TokenKind::ArrayBegin),
            b']' => Some(TokenKind::ArrayEnd),
            b',' => Some(TokenKind::Comma),
            b':' => Some(TokenKind::Colon),
            _ => None,
        };
        if let Some(kind) = single {
            self.at += 1;
            return Token { kind, at };
        }
        let kind = match self.peek(0) {
            0 => TokenKind::End,
            b'"' => self.string(),
            b'-' | b'0'..=b'9' if !self.config.decode_invalid && self.is_invalid_number() => {
                TokenKind::Error("invalid number")
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'f' | b'i' | b'I' | b'n' | b'N' | b't' | b'+' => self.word(),
            _ => TokenKind::Error("invalid token"),
        };
        let at = if matches!(kind, TokenKind::Error(_)) { self.at } else { at };
        Token { kind, at }
    }

    fn word(&mut self) -> TokenKind {
        let rest = &self.text[self.at..];
        let words = [
            (&b"true"[..], TokenKind::Boolean(true)),
            (b"false", TokenKind::Boolean(false)),
            (b"null", TokenKind::Null),
        ];
        for (word, kind) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return kind;
            }
        }
        if self.config.decode_invalid && self.is_invalid_number() {
            return self.number();
        }
        TokenKind::Error("invalid token")
    }

    /// Whether what follows is a number to C, but none to JSON.
    fn is_invalid_number(&self) -> bool {
        let rest = &self.text[self.at..];
        let digits = rest.strip_prefix(b"-").unwrap_or(rest);
        let word = digits.get(..3).unwrap_or_default();
        match digits {
            [b'+', ..] => rest.len() == digits.len(),
            [b'0', next, ..] => next | 0x20 == b'x' || next.is_ascii_digit(),
            [b'0'..=b'9', ..] | [] => false,
            _ => word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan"),
        }
    }

    fn number(&mut self) -> TokenKind {
        match read_number(&self.text[self.at..]) {
            Some((x, len)) => {
                self.at += len;
                TokenKind::Number(x)
            }
            None => TokenKind::Error("invalid number"),
        }
    }

    fn string(&mut self) -> TokenKind {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.peek(0) {
                b'"' => break,
                0 => return TokenKind::Error("unexpected end of string"),
                b'\\' => {
                    let b = match self.peek(1) {
                        b @ (b'"' | b'\\' | b'/') => b,
                        b'b' => 8,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 12,
                        b'r' => b'\r',
                        b'u' => match self.unicode() {
                            Some((c, len)) => {
                                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                                self.at += len;
                                continue;
                            }
                            None => return TokenKind::Error("invalid unicode escape code"),
                        },
                        _ => return TokenKind::Error("invalid escape code"),
                    };
                    text.push(b);
                    self.at += 2;
                }
                b => {
                    text.push(b);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        TokenKind::String(text)
    }

    /// A character written as one UTF-16 code or two, and how many bytes that takes.
    fn unicode(&self) -> Option<(char, usize)> {
        let hex4 = |ahead: usize| {
            let digits = self.text.get(self.at + ahead..self.at + ahead + 4)?;
            digits.iter().try_fold(0, |n, &b| Some(n << 4 | char::from(b).to_digit(16)?))
        };
        let first = hex4(2)?;
        if first & 0xf800 != 0xd800 {
            return Some((char::from_u32(first)?, 6));
        }
        if first & 0x400 != 0 || self.peek(6) != b'\\' || self.peek(7) != b'u' {
            return None;
        }
        let second = hex4(8)?;
        if second & 0xfc00 != 0xdc00 {
            return None;
        }
        let code = ((first & 0x3ff) << 10 | second & 0x3ff) + 0x1_0000;
        Some((char::from_u32(code)?, 12))
    }

    fn unexpected(&self, wanted: &str, found: &Token) -> Raise {
        let text = format!("Expected {wanted} but found {} at character {}", found.kind.name(), found.at + 1);
        self.stack.raise(text.as_bytes())
    }

    fn descend(&mut self, room: usize) -> Result<(), Raise> {
        self.depth += 1;
        let stack = self.stack;
        if self.depth > self.config.decode_max_depth || !stack.ensure(room) || stack.is_deep() {
            let (depth, at) = (self.depth, self.at);
            let text = format!("Found too many nested data structures ({depth}) at character {at}");
            return Err(stack.raise(text.as_bytes()));
        }
        if stack.meter().is_full() {
            return Err(stack.raise(b"not enough memory"));
        }
        Ok(())
    }

    /// Pushes the value that starts with a token.
    fn value(&mut self, token: Token) -> Result<(), Raise> {
        let stack = self.stack;
        match token.kind {
            TokenKind::String(text) => stack.push_bytes(&text),
            TokenKind::Number(x) => stack.push_number(x),
            TokenKind::Boolean(value) => stack.push_boolean(value),
            TokenKind::ObjectBegin => return self.object(),
            TokenKind::ArrayBegin => return self.array(),
            TokenKind::Null => push_null(stack),
            _ => return Err(self.unexpected("value", &token)),
        }
        Ok(())
    }

    fn object(&mut self) -> Result<(), Raise> {
        self.descend(4)?;
        self.stack.push_table(0, 0);
        let mut token = self.next();
        if matches!(token.kind, TokenKind::ObjectEnd) {
            self.depth -= 1;
            return Ok(());
        }
        loop {
            let TokenKind::String(key) = &token.kind else {
                return Err(self.unexpected("object key string", &token));
            };
            self.stack.push_bytes(key);
            token = self.next();
            if !matches!(token.kind, TokenKind::Colon) {
                return Err(self.unexpected("colon", &token));
            }
            token = self.next();
            self.value(token)?;
            self.stack.set(-3)?;
            token = self.next();
            match token.kind {
                TokenKind::ObjectEnd => break,
                TokenKind::Comma => token = self.next(),
                _ => return Err(self.unexpected("comma or object end", &token)),
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), Raise> {
        self.descend(3)?;
        self.stack.push_table(0, 0);
        let mut token = self.next();
        if matches!(token.kind, TokenKind::ArrayEnd) {
            self.depth -= 1;
            return Ok(());
        }
        for i in 1.. {
            self.value(token)?;
            self.stack.set_element(-2, i);
            token = self.next();
            match token.kind {
                TokenKind::ArrayEnd => break,
                TokenKind::Comma => token = self.next(),
                _ => return Err(self.unexpected("comma or array end", &token)),
            }
        }
        self.depth -= 1;
        Ok(())
    }
}
