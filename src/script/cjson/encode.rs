//! Lua's values as JSON.

use super::{Config, Invalid, with_config};
use crate::script::{
    meter::Budget,
    number::write_g,
    sandbox,
    stack::{Kind, Raise, Results, Stack},
};

/// `cjson.encode(value)`
pub(super) fn encode(stack: &Stack) -> Results {
    let config = with_config(stack, |config| *config);
    if stack.top() != 1 {
        return Err(stack.bad_argument(1, "expected 1 argument"));
    }
    let mut encoder = Encoder { stack, config, out: Vec::new(), budget: Budget::new() };
    encoder.value(0)?;
    stack.push_bytes(&encoder.out);
    Ok(1)
}

struct Encoder<'s> {
    stack: &'s Stack,
    config: Config,
    out: Vec<u8>,
    budget: Budget,
}

impl Encoder<'_> {
    fn refuse(&self, kind: Kind, why: &str) -> Raise {
        self.stack.raise(format!("Cannot serialise {}: {why}", kind.name()).as_bytes())
    }

    /// The value on top of the stack.
    fn value(&mut self, depth: i32) -> Result<(), Raise> {
        let stack = self.stack;
        if !self.budget.spend(stack.bytes(-1).map_or(0, <[u8]>::len)) {
            return Err(stack.raise(b"not enough memory"));
        }
        match stack.kind(-1) {
            Kind::String => self.string(-1),
            Kind::Number => self.number(-1)?,
            Kind::Boolean => self.out.extend_from_slice(if stack.boolean(-1) { b"true" } else { b"false" }),
            Kind::Table => self.table(depth + 1)?,
            Kind::Nil => self.out.extend_from_slice(b"null"),
            Kind::LightUserdata if stack.pointer(-1).is_null() => self.out.extend_from_slice(b"null"),
            kind => return Err(self.refuse(kind, "type not supported")),
        }
        Ok(())
    }

    fn table(&mut self, depth: i32) -> Result<(), Raise> {
        let stack = self.stack;
        if depth > self.config.encode_max_depth || !stack.ensure(3) || stack.is_deep() {
            return Err(stack.raise(format!("Cannot serialise, excessive nesting ({depth})").as_bytes()));
        }
        sandbox::unfreeze(stack);
        match self.array_len()? {
            Some(n) if n > 0 => {
                self.out.push(b'[');
                for i in 1..=n {
                    if i > 1 {
                        self.out.push(b',');
                    }
                    stack.get_element(-1, i);
                    self.value(depth)?;
                    stack.pop(1);
                }
                self.out.push(b']');
            }
            _ => self.object(depth)?,
        }
        Ok(())
    }

    /// How many elements the table on top has as an array; `None` where it is none.
    fn array_len(&self) -> Result<Option<i32>, Raise> {
        let stack = self.stack;
        let (mut max, mut items) = (0, 0i64);
        stack.push_nil();
        while stack.next(-2) {
            stack.pop(1);
            let key = if stack.kind(-1) == Kind::Number { stack.number(-1) } else { 0.0 };
            if key < 1.0 || key.floor() != key {
                stack.pop(1);
                return Ok(None);
            }
            if key > f64::from(max) {
                // An index that is too large makes it an object.
                max = if key <= f64::from(i32::MAX) { key as i32 } else { i32::MIN };
            }
            items += 1;
        }
        let Config { sparse_ratio: ratio, sparse_safe: safe, .. } = self.config;
        if ratio > 0 && i64::from(max) > items * i64::from(ratio) && max > safe {
            if !self.config.sparse_as_object {
                return Err(self.refuse(Kind::Table, "excessively sparse array"));
            }
            return Ok(None);
        }
        Ok(Some(max))
    }

    fn object(&mut self, depth: i32) -> Result<(), Raise> {
        let stack = self.stack;
        self.out.push(b'{');
        let start = self.out.len();
        stack.push_nil();
        while stack.next(-2) {
            if self.out.len() > start {
                self.out.push(b',');
            }
            if !self.budget.spend(stack.bytes(-2).map_or(0, <[u8]>::len)) {
                return Err(stack.raise(b"not enough memory"));
            }
            match stack.kind(-2) {
                Kind::Number => {
                    self.out.push(b'"');
                    self.number(-2)?;
                    self.out.push(b'"');
                }
                Kind::String => self.string(-2),
                kind => return Err(self.refuse(kind, "table key must be a number or string")),
            }
            self.out.push(b':');
            self.value(depth)?;
            stack.pop(1);
        }
        self.out.push(b'}');
        Ok(())
    }

    fn number(&mut self, i: i32) -> Result<(), Raise> {
        let x = self.stack.number(i);
        if !x.is_finite() {
            match self.config.encode_invalid {
                Invalid::Refused => return Err(self.refuse(Kind::Number, "must not be NaN or Inf")),
                Invalid::Null => {
                    self.out.extend_from_slice(b"null");
                    return Ok(());
                }
                Invalid::Written if x.is_nan() => {
                    self.out.extend_from_slice(b"nan");
                    return Ok(());
                }
                Invalid::Written => {}
            }
        }
        write_g(&mut self.out, x, self.config.precision as usize);
        Ok(())
    }

    fn string(&mut self, i: i32) {
        let text = self.stack.bytes(i).unwrap_or_default();
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        for &b in text {
            match b {
                b'"' | b'\\' | b'/' => self.out.extend_from_slice(&[b'\\', b]),
                8 => self.out.extend_from_slice(b"\\b"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                12 => self.out.extend_from_slice(b"\\f"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                0..=31 | 127 => self.out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
                _ => self.out.push(b),
            }
        }
        self.out.push(b'"');
    }
}
