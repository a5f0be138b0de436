//! Replies as Lua's values, and Lua's values as replies.
//!
//! Source: <https://valkey.io/topics/lua-api/#data-type-conversion>.

use super::{
    api,
    host::Failure,
    meter::Budget,
    stack::{Kind, Stack, c_long},
};
use crate::{
    base::num::parse_i64,
    resp::{Proto, error::CmdError, error::shown, output::Output},
};
use memchr::memchr;

/// Marks an error that was counted where the command ran.
const COUNTED: &[u8] = b"ignore_error_stats_update";

/// Pushes the reply that `bytes` starts with, and returns its length. The reply is one that this server encoded.
pub(super) fn push_reply(stack: &Stack, bytes: &[u8]) -> usize {
    let end = memchr(b'\r', bytes).expect("replies are whole");
    let (line, at) = (&bytes[1..end], end + 2);
    if !stack.ensure(6) {
        // More in each other than fits the stack, which no command replies.
        stack.push_nil();
        return bytes.len();
    }
    let number = || parse_i64(line).expect("numbers are written out");
    match bytes[0] {
        b':' => stack.push_number(number() as f64),
        b'$' if line == b"-1" => stack.push_boolean(false),
        b'$' => {
            let n = number() as usize;
            stack.push_bytes(&bytes[at..at + n]);
            return at + n + 2;
        }
        b'*' if line == b"-1" => stack.push_boolean(false),
        b'*' | b'>' => return push_array(stack, bytes, at, number() as usize),
        b'+' => push_tagged(stack, b"ok", line),
        b'-' => {
            api::push_error(stack, &[b"-", line].concat());
            mark_counted(stack);
        }
        b'%' => return push_map(stack, bytes, at, number() as usize),
        b'~' => return push_set(stack, bytes, at, number() as usize),
        b'_' => stack.push_nil(),
        b'#' => stack.push_boolean(line == b"t"),
        b',' => {
            let text = std::str::from_utf8(line).expect("numbers are written out");
            stack.push_table(0, 1);
            stack.push_number(text.parse().unwrap_or(f64::NAN));
            stack.set_field(-2, b"double");
        }
        b'(' => push_tagged(stack, b"big_number", line),
        b'=' => {
            let n = number() as usize;
            let (format, text) = bytes[at..at + n].split_at(3);
            stack.push_table(0, 1);
            stack.push_table(0, 2);
            stack.push_bytes(&text[1..]);
            stack.set_field(-2, b"string");
            stack.push_bytes(format);
            stack.set_field(-2, b"format");
            stack.set_field(-2, b"verbatim_string");
            return at + n + 2;
        }
        b'|' => {
            // Attributes are not shown to scripts.
            let mut at = at;
            for _ in 0..2 * number() {
                at += push_reply(stack, &bytes[at..]);
                stack.pop(1);
            }
            return at + push_reply(stack, &bytes[at..]);
        }
        _ => unreachable!("no such reply is encoded"),
    }
    at
}

fn push_array(stack: &Stack, bytes: &[u8], mut at: usize, n: usize) -> usize {
    stack.push_table(n, 0);
    for i in 1..=n {
        at += push_reply(stack, &bytes[at..]);
        stack.set_element(-2, i as i32);
    }
    at
}

fn push_map(stack: &Stack, bytes: &[u8], mut at: usize, n: usize) -> usize {
    stack.push_table(0, 1);
    stack.push_table(0, n);
    for _ in 0..n {
        at += push_reply(stack, &bytes[at..]);
        at += push_reply(stack, &bytes[at..]);
        set_or_drop(stack);
    }
    stack.set_field(-2, b"map");
    at
}

fn push_set(stack: &Stack, bytes: &[u8], mut at: usize, n: usize) -> usize {
    stack.push_table(0, 1);
    stack.push_table(0, n);
    for _ in 0..n {
        at += push_reply(stack, &bytes[at..]);
        stack.push_boolean(true);
        set_or_drop(stack);
    }
    stack.set_field(-2, b"set");
    at
}

/// Puts key and value into the table below them; no command has a null as a key.
fn set_or_drop(stack: &Stack) {
    if stack.set(-3).is_err() {
        stack.pop(3);
    }
}

fn push_tagged(stack: &Stack, tag: &[u8], text: &[u8]) {
    stack.push_table(0, 1);
    stack.push_bytes(text);
    stack.set_field(-2, tag);
}

/// Marks the error on top as counted.
pub(super) fn mark_counted(stack: &Stack) {
    stack.push_boolean(true);
    stack.set_field(-2, COUNTED);
}

/// What the error table on top says.
pub(super) fn failure(stack: &Stack) -> Failure {
    let field = |name: &[u8]| {
        stack.get_field(-1, name);
        let text = stack.text(-1).map(|text| shown(text).to_vec());
        stack.pop(1);
        text
    };
    let (text, source, line) = (field(b"err"), field(b"source"), field(b"line"));
    stack.get_field(-1, COUNTED);
    let is_counted = stack.kind(-1) == Kind::Boolean && stack.boolean(-1);
    stack.pop(1);
    let place = source.zip(line).map(|(source, line)| [source, line].join(&b':'));
    Failure { text, place, is_counted, is_raw: false }
}

/// The errors in what a script returns.
#[derive(Default, Debug)]
pub struct Errors {
    /// There is one.
    pub any: bool,
    /// The texts of those that are still to be counted.
    pub uncounted: Vec<Vec<u8>>,
}

/// Encodes the value on top of the stack and takes it.
pub(super) fn reply(stack: &Stack, out: &mut Output, proto: Proto) -> Errors {
    let (top, mark) = (stack.top(), out.mark());
    let mut encoder = Encoder { stack, proto, errors: Errors::default(), budget: Budget::new() };
    if encoder.value(out).is_err() {
        stack.set_top(top - 1);
        out.rewind(mark);
        let error = CmdError::new("ERR the script's result is too large");
        out.error(&error);
        return Errors { any: true, uncounted: vec![error.text().to_vec()] };
    }
    encoder.errors
}

/// There is too much of it.
struct TooMuch;

struct Encoder<'s> {
    stack: &'s Stack,
    proto: Proto,
    errors: Errors,
    budget: Budget,
}

impl Encoder<'_> {
    /// Encodes the value on top of the stack and takes it.
    fn value(&mut self, out: &mut Output) -> Result<(), TooMuch> {
        let stack = self.stack;
        self.spend(0)?;
        if !stack.ensure(4) || stack.is_deep() {
            self.error(&CmdError::new("ERR reached lua stack limit"), false, out);
            stack.pop(1);
            return Ok(());
        }
        match stack.kind(-1) {
            Kind::String => out.bulk(self.text()?),
            Kind::Number => out.int(c_long(stack.number(-1))),
            Kind::Boolean => match (stack.boolean(-1), self.proto) {
                (value, Proto::Resp3) => out.boolean(value),
                (true, Proto::Resp2) => out.int(1),
                (false, Proto::Resp2) => out.null(),
            },
            Kind::Table => self.table(out)?,
            _ => out.null(),
        }
        stack.pop(1);
        Ok(())
    }

    fn spend(&mut self, text_bytes: usize) -> Result<(), TooMuch> {
        if self.budget.spend(text_bytes) { Ok(()) } else { Err(TooMuch) }
    }

    /// The text on top.
    fn text(&mut self) -> Result<&[u8], TooMuch> {
        let text = self.stack.bytes(-1).unwrap_or_default();
        self.spend(text.len())?;
        Ok(text)
    }

    fn error(&mut self, error: &CmdError, is_counted: bool, out: &mut Output) {
        out.error(error);
        self.errors.any = true;
        if !is_counted {
            self.errors.uncounted.push(error.text().to_vec());
        }
    }

    /// Pushes a field of the table on top if it is of this kind.
    fn field(&self, name: &[u8], kind: Kind) -> bool {
        self.stack.get_field(-1, name);
        let found = self.stack.kind(-1) == kind;
        if !found {
            self.stack.pop(1);
        }
        found
    }

    /// A table: what it stands for is told by its fields, in this order.
    fn table(&mut self, out: &mut Output) -> Result<(), TooMuch> {
        let stack = self.stack;
        if self.field(b"err", Kind::String) {
            self.text()?;
            stack.pop(1);
            let Failure { text, is_counted, .. } = failure(stack);
            self.error(&CmdError::with(text.unwrap_or_default()), is_counted, out);
            return Ok(());
        }
        if self.field(b"ok", Kind::String) {
            out.simple_bytes(shown(self.text()?));
        } else if self.field(b"double", Kind::Number) {
            out.number(stack.number(-1));
        } else if self.field(b"big_number", Kind::String) {
            out.big_number_bytes(self.text()?);
        } else if self.field(b"verbatim_string", Kind::Table) {
            stack.get_field(-1, b"format");
            stack.get_field(-2, b"string");
            let texts = stack.bytes(-2).zip(stack.bytes(-1));
            if let Some((format, text)) = texts {
                self.spend(format.len() + text.len())?;
                out.verbatim_bytes(shown(format), text);
            }
            stack.pop(2);
            if texts.is_none() {
                stack.pop(1);
                return self.collection(out);
            }
        } else {
            return self.collection(out);
        }
        stack.pop(1);
        Ok(())
    }

    fn collection(&mut self, out: &mut Output) -> Result<(), TooMuch> {
        let stack = self.stack;
        if self.field(b"map", Kind::Table) {
            let mut items = Output::new(out.proto);
            let mut n = 0;
            stack.push_nil();
            while stack.next(-2) {
                stack.push_copy(-2);
                self.value(&mut items)?;
                self.value(&mut items)?;
                n += 1;
            }
            out.map(n);
            out.append(&mut items);
            stack.pop(1);
        } else if self.field(b"set", Kind::Table) {
            let mut items = Output::new(out.proto);
            let mut n = 0;
            stack.push_nil();
            while stack.next(-2) {
                stack.pop(1);
                stack.push_copy(-1);
                self.value(&mut items)?;
                n += 1;
            }
            out.set(n);
            out.append(&mut items);
            stack.pop(1);
        } else {
            let n = (1..i32::MAX).find(|&n| {
                stack.get_element(-1, n);
                let is_end = stack.kind(-1) == Kind::Nil;
                stack.pop(1);
                is_end
            });
            let n = n.map_or(0, |end| end - 1);
            out.array(n as usize);
            for i in 1..=n {
                stack.get_element(-1, i);
                self.value(out)?;
            }
        }
        Ok(())
    }
}
