//! `cmsgpack`: Lua's values as MessagePack and back, as lua-cmsgpack 0.4 does it.
//!
//! Source: <https://github.com/msgpack/msgpack/blob/master/spec.md>, <https://github.com/antirez/lua-cmsgpack>.

use super::{
    meter::Budget,
    sandbox,
    stack::{Kind, Raise, Results, Stack, c_long},
};

/// Tables deeper than this are packed as nil, as one may hold itself.
const DEPTH_MAX: usize = 16;

/// Pushes the library.
pub(super) fn push_library(stack: &Stack) {
    stack.push_table(0, 8);
    sandbox::set_functions(
        stack,
        &[("pack", pack), ("unpack", unpack), ("unpack_one", unpack_one), ("unpack_limit", unpack_limit)],
    );
    sandbox::set_texts(
        stack,
        &[
            ("_NAME", "cmsgpack"),
            ("_VERSION", "lua-cmsgpack 0.4.0"),
            ("_COPYRIGHT", "Copyright (C) 2012, Redis Ltd."),
            ("_DESCRIPTION", "MessagePack C implementation for Lua"),
        ],
    );
}

/// `cmsgpack.pack(value, ...)`
fn pack(stack: &Stack) -> Results {
    let n = stack.top();
    if n == 0 {
        return Err(stack.bad_argument(0, "MessagePack pack needs input."));
    }
    let (mut out, mut budget) = (Vec::new(), Budget::new());
    for i in 1..=n {
        if !stack.ensure(1) {
            return Err(stack.raise(b"stack overflow (in function mp_check)"));
        }
        stack.push_copy(i);
        write(stack, (&mut out, &mut budget), 0)?;
    }
    stack.push_bytes(&out);
    Ok(1)
}

/// Writes the value on top of the stack and takes it.
fn write(stack: &Stack, (out, budget): (&mut Vec<u8>, &mut Budget), depth: usize) -> Result<(), Raise> {
    if !budget.spend(stack.bytes(-1).map_or(0, <[u8]>::len)) {
        return Err(stack.raise(b"not enough memory"));
    }
    match stack.kind(-1) {
        Kind::String => write_bytes(out, stack.bytes(-1).unwrap_or_default()),
        Kind::Boolean => out.push(if stack.boolean(-1) { 0xc3 } else { 0xc2 }),
        Kind::Number => {
            let x = stack.number(-1);
            let n = c_long(x);
            if n as f64 == x && x < 9_223_372_036_854_775_808.0 {
                write_int(out, n);
            } else if f64::from(x as f32) == x {
                out.push(0xca);
                out.extend_from_slice(&(x as f32).to_be_bytes());
            } else {
                out.push(0xcb);
                out.extend_from_slice(&x.to_be_bytes());
            }
        }
        Kind::Table if depth < DEPTH_MAX => write_table(stack, (out, budget), depth + 1)?,
        _ => out.push(0xc0),
    }
    stack.pop(1);
    Ok(())
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        n @ 0..32 => out.push(0xa0 | n as u8),
        n @ 32..=0xff => out.extend_from_slice(&[0xd9, n as u8]),
        n => write_count(out, n, [0xda, 0xdb]),
    }
    out.extend_from_slice(bytes);
}

/// A count in 2 or 4 bytes behind its mark.
fn write_count(out: &mut Vec<u8>, n: usize, marks: [u8; 2]) {
    match u16::try_from(n) {
        Ok(n) => {
            out.push(marks[0]);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Err(_) => {
            out.push(marks[1]);
            out.extend_from_slice(&(n as u32).to_be_bytes());
        }
    }
}

fn write_int(out: &mut Vec<u8>, n: i64) {
    let bytes = n.to_be_bytes();
    let (mark, len) = match n {
        -32..=0x7f => return out.push(n as u8),
        0x80..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -0x80..=-33 => (0xd0, 1),
        -0x8000..=-0x81 => (0xd1, 2),
        -0x8000_0000..=-0x8001 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    out.push(mark);
    out.extend_from_slice(&bytes[8 - len..]);
}

fn write_table(stack: &Stack, (out, budget): (&mut Vec<u8>, &mut Budget), depth: usize) -> Result<(), Raise> {
    if !stack.ensure(3) {
        return Err(stack.raise(b"stack overflow (in function table_is_an_array)"));
    }
    sandbox::unfreeze(stack);
    let (mut n, mut is_array, mut max) = (0, true, 0);
    stack.push_nil();
    while stack.next(-2) {
        stack.pop(1);
        n += 1;
        let key = if stack.kind(-1) == Kind::Number { stack.number(-1) } else { 0.0 };
        is_array &= key >= 1.0 && key <= f64::from(i32::MAX) && key.trunc() == key;
        max = max.max(key as usize);
    }
    if is_array && max == n {
        match n {
            0..=15 => out.push(0x90 | n as u8),
            _ => write_count(out, n, [0xdc, 0xdd]),
        }
        for i in 1..=n {
            stack.get_element(-1, i as i32);
            write(stack, (out, budget), depth)?;
        }
        return Ok(());
    }
    match n {
        0..=15 => out.push(0x80 | n as u8),
        _ => write_count(out, n, [0xde, 0xdf]),
    }
    stack.push_nil();
    while stack.next(-2) {
        stack.push_copy(-2);
        write(stack, (out, budget), depth)?;
        write(stack, (out, budget), depth)?;
    }
    Ok(())
}

/// `cmsgpack.unpack(text)`: all values of it.
fn unpack(stack: &Stack) -> Results {
    unpack_some(stack, None, 0)
}

/// `cmsgpack.unpack_one(text, offset)`: where the next one starts, -1 at the end, and one value.
fn unpack_one(stack: &Stack) -> Results {
    let offset = long_arg_or(stack, 2, 0)?;
    stack.set_top(stack.top().min(1));
    unpack_some(stack, Some(1), offset)
}

/// `cmsgpack.unpack_limit(text, limit, offset)`
fn unpack_limit(stack: &Stack) -> Results {
    let limit = c_long(stack.number_arg(2)?);
    let offset = long_arg_or(stack, 3, 0)?;
    stack.set_top(stack.top().min(1));
    let all = limit == 0 && offset == 0;
    unpack_some(stack, (!all).then_some(limit), offset)
}

fn long_arg_or(stack: &Stack, i: i32, default: i64) -> Result<i64, Raise> {
    match stack.kind(i) {
        Kind::Absent | Kind::Nil => Ok(default),
        _ => Ok(c_long(stack.number_arg(i)?)),
    }
}

/// Why bytes cannot be unpacked.
enum Broken {
    Missing,
    Meaningless,
    Raised(Raise),
}

/// With a limit the offset behind the last value comes first.
fn unpack_some(stack: &Stack, limit: Option<i64>, offset: i64) -> Results {
    let text = stack.text_arg(1)?;
    if offset < 0 || limit.is_some_and(|limit| limit < 0) {
        let (offset, len) = (offset as i32, text.len() as i32);
        let why = format!("Invalid request to unpack with offset of {offset} and limit of {len}.");
        return Err(stack.raise(why.as_bytes()));
    }
    let Some(rest) = usize::try_from(offset).ok().and_then(|offset| text.get(offset..)) else {
        let why = format!("Start offset {} greater than input length {}.", offset as i32, text.len() as i32);
        return Err(stack.raise(why.as_bytes()));
    };
    let mut input = Input { stack, rest };
    let mut n = 0;
    while !input.rest.is_empty() && limit.is_none_or(|limit| i64::from(n) < limit) {
        input.value().map_err(|why| match why {
            Broken::Missing => stack.raise(b"Missing bytes in input."),
            Broken::Meaningless => stack.raise(b"Bad data format in input."),
            Broken::Raised(raised) => raised,
        })?;
        n += 1;
    }
    if limit.is_some() {
        if !stack.ensure(1) {
            return Err(stack.raise(b"stack overflow (in function mp_unpack_full)"));
        }
        let left = input.rest.len();
        stack.push_number(if left == 0 { -1.0 } else { (text.len() - left) as f64 });
        stack.insert(2);
        n += 1;
    }
    Ok(n)
}

struct Input<'s> {
    stack: &'s Stack,
    rest: &'s [u8],
}

impl<'s> Input<'s> {
    fn take(&mut self, n: usize) -> Result<&'s [u8], Broken> {
        let (part, rest) = self.rest.split_at_checked(n).ok_or(Broken::Missing)?;
        self.rest = rest;
        Ok(part)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        self.take(N)?.try_into().map_err(|_| Broken::Missing)
    }

    /// A number in `N` bytes, without a sign.
    fn count<const N: usize>(&mut self) -> Result<u64, Broken> {
        Ok(self.bytes::<N>()?.iter().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    /// Pushes the next value.
    fn value(&mut self) -> Result<(), Broken> {
        let stack = self.stack;
        if !stack.ensure(1) {
            let why =
                b"stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)";
            return Err(Broken::Raised(stack.raise(why)));
        }
        let [mark] = self.bytes()?;
        let int = |n: i64| stack.push_number(n as f64);
        match mark {
            0..=0x7f | 0xe0.. => int(i64::from(mark as i8)),
            0x80..=0x8f => return self.map((mark & 15).into()),
            0x90..=0x9f => return self.array((mark & 15).into()),
            0xa0..=0xbf => stack.push_bytes(self.take((mark & 31).into())?),
            0xc0 => stack.push_nil(),
            0xc2 => stack.push_boolean(false),
            0xc3 => stack.push_boolean(true),
            0xca => stack.push_number(f32::from_be_bytes(self.bytes()?).into()),
            0xcb => stack.push_number(f64::from_be_bytes(self.bytes()?)),
            0xcc => int(self.count::<1>()? as i64),
            0xcd => int(self.count::<2>()? as i64),
            0xce => int(self.count::<4>()? as i64),
            // What is too large for a signed number becomes negative.
            0xcf | 0xd3 => int(self.count::<8>()? as i64),
            0xd0 => int((self.count::<1>()? as i8).into()),
            0xd1 => int((self.count::<2>()? as i16).into()),
            0xd2 => int((self.count::<4>()? as i32).into()),
            0xd9 => self.string::<1>()?,
            0xda => self.string::<2>()?,
            0xdb => self.string::<4>()?,
            0xdc => {
                let n = self.count::<2>()?;
                return self.array(n);
            }
            0xdd => {
                let n = self.count::<4>()?;
                return self.array(n);
            }
            0xde => {
                let n = self.count::<2>()?;
                return self.map(n);
            }
            0xdf => {
                let n = self.count::<4>()?;
                return self.map(n);
            }
            0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return Err(Broken::Meaningless),
        }
        Ok(())
    }

    fn string<const N: usize>(&mut self) -> Result<(), Broken> {
        let n = self.count::<N>()? as usize;
        self.stack.push_bytes(self.take(n)?);
        Ok(())
    }

    fn array(&mut self, n: u64) -> Result<(), Broken> {
        self.begin_table()?;
        if !self.stack.ensure(1) || self.stack.is_deep() {
            let why = b"stack overflow (in function mp_decode_to_lua_array)";
            return Err(Broken::Raised(self.stack.raise(why)));
        }
        for i in 1..=n {
            // The key stands there meanwhile, so that values can be as deep in each other as in Valkey.
            self.stack.push_number(i as f64);
            self.value()?;
            self.stack.set(-3).map_err(Broken::Raised)?;
        }
        Ok(())
    }

    fn map(&mut self, n: u64) -> Result<(), Broken> {
        self.begin_table()?;
        if self.stack.is_deep() {
            return Err(Broken::Raised(
                self.stack.raise(b"stack overflow (in function mp_decode_to_lua_hash)"),
            ));
        }
        for _ in 0..n {
            self.value()?;
            self.value()?;
            self.stack.set(-3).map_err(Broken::Raised)?;
        }
        Ok(())
    }

    fn begin_table(&mut self) -> Result<(), Broken> {
        if self.stack.meter().is_full() {
            return Err(Broken::Raised(self.stack.raise(b"not enough memory")));
        }
        self.stack.push_table(0, 0);
        Ok(())
    }
}
