//! `struct`: values as the bytes of C's structures and back.
//!
//! Source: <https://www.inf.puc-rio.br/~roberto/struct/>.

use super::stack::{Kind, Native, Raise, Results, Stack, c_long};
use crate::resp::error::shown;
use memchr::memchr;

/// The functions of the library.
pub(super) const FUNCTIONS: [(&str, Native); 3] = [("pack", pack), ("unpack", unpack), ("size", size)];

/// Most bytes of an integer.
const INT_MAX_BYTES: usize = 32;
/// The alignment of `!` without a number.
const ALIGN_MAX: usize = 8;

/// A format as it is walked through.
struct Format<'s> {
    stack: &'s Stack,
    rest: &'s [u8],
    is_big: bool,
    align: usize,
}

/// An option of a format, with its size in bytes.
struct Part {
    option: u8,
    size: usize,
}

impl<'s> Format<'s> {
    fn new(stack: &'s Stack, text: &'s [u8]) -> Format<'s> {
        Format { stack, rest: shown(text), is_big: false, align: 1 }
    }

    fn next(&mut self) -> Result<Option<Part>, Raise> {
        let Some((&option, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let size = match option {
            b'B' | b'b' | b'x' => 1,
            b'H' | b'h' => 2,
            b'L' | b'l' | b'T' | b'd' => 8,
            b'f' => 4,
            b'c' => self.number(1)?,
            b'i' | b'I' => {
                let size = self.number(4)?;
                if size > INT_MAX_BYTES {
                    let why = format!("integral size {size} is larger than limit of {INT_MAX_BYTES}");
                    return Err(self.stack.raise(why.as_bytes()));
                }
                size
            }
            _ => 0,
        };
        Ok(Some(Part { option, size }))
    }

    /// The number that follows, if one does.
    fn number(&mut self, default: usize) -> Result<usize, Raise> {
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(default);
        }
        let (digits, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let n =
            digits.iter().try_fold(0i32, |n, &digit| n.checked_mul(10)?.checked_add(i32::from(digit - b'0')));
        n.map(|n| n as usize).ok_or_else(|| self.stack.raise(b"integral size overflow"))
    }

    /// Bytes to be left out so that a part starts where it should.
    fn padding(&self, at: usize, part: &Part) -> usize {
        if part.size == 0 || part.option == b'c' {
            return 0;
        }
        let size = part.size.min(self.align);
        size.wrapping_sub(at & (size - 1)) & (size - 1)
    }

    /// An option that says how others are to be taken.
    fn control(&mut self, option: u8) -> Result<(), Raise> {
        match option {
            b' ' => {}
            b'>' => self.is_big = true,
            b'<' => self.is_big = false,
            b'!' => {
                let align = self.number(ALIGN_MAX)?;
                if !align.is_power_of_two() {
                    let why = format!("alignment {align} is not a power of 2");
                    return Err(self.stack.raise(why.as_bytes()));
                }
                self.align = align;
            }
            _ => {
                let why = [b"invalid format option '", &[option][..], b"'"].concat();
                return Err(self.stack.bad_argument(1, why));
            }
        }
        Ok(())
    }

    /// Appends bytes that stand with the lowest first.
    fn append(&self, out: &mut Vec<u8>, lowest_first: &[u8]) {
        if self.is_big {
            out.extend(lowest_first.iter().rev());
        } else {
            out.extend_from_slice(lowest_first);
        }
    }
}

/// A double as C's conversion to an unsigned integer gives it on the usual machines.
fn c_ulong(x: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if x >= HALF { c_long(x - HALF) as u64 ^ 1 << 63 } else { c_long(x) as u64 }
}

/// `struct.pack(format, value, ...)`
fn pack(stack: &Stack) -> Results {
    let text = stack.text_arg(1)?;
    // The first value that is missing reads as nil.
    stack.push_nil();
    let mut format = Format::new(stack, text);
    let mut out = Vec::new();
    let mut arg = 2;
    while let Some(part) = format.next()? {
        out.resize(out.len() + format.padding(out.len(), &part), 0);
        match part.option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let x = stack.number_arg(arg)?;
                let value = if x < 0.0 { c_long(x) as u64 } else { c_ulong(x) };
                let mut bytes = [0; INT_MAX_BYTES];
                bytes[..8].copy_from_slice(&value.to_le_bytes());
                format.append(&mut out, &bytes[..part.size]);
            }
            b'x' => out.push(0),
            b'f' => format.append(&mut out, &(stack.number_arg(arg)? as f32).to_le_bytes()),
            b'd' => format.append(&mut out, &stack.number_arg(arg)?.to_le_bytes()),
            b'c' | b's' => {
                let bytes = stack.text_arg(arg)?;
                let n = if part.size == 0 { bytes.len() } else { part.size };
                let Some(bytes) = bytes.get(..n) else {
                    return Err(stack.bad_argument(arg + 1, "string too short"));
                };
                out.extend_from_slice(bytes);
                if part.option == b's' {
                    out.push(0);
                }
            }
            option => {
                format.control(option)?;
                continue;
            }
        }
        if part.option != b'x' {
            arg += 1;
        }
    }
    stack.push_bytes(&out);
    Ok(1)
}

/// `struct.unpack(format, data, position)`: the values, and where they end.
fn unpack(stack: &Stack) -> Results {
    const SHORT: &str = "data string too short";
    let text = stack.text_arg(1)?;
    let data = stack.text_arg(2)?;
    let at = match stack.kind(3) {
        Kind::Absent | Kind::Nil => 1,
        _ => c_long(stack.number_arg(3)?),
    };
    if at == 0 {
        return Err(stack.bad_argument(3, "offset must be 1 or greater"));
    }
    let mut at = (at as usize).wrapping_sub(1);
    let mut format = Format::new(stack, text);
    let mut n = 0;
    while let Some(part) = format.next()? {
        at = at.wrapping_add(format.padding(at, &part));
        let Some(bytes) = data.get(at..).and_then(|rest| rest.get(..part.size)) else {
            return Err(stack.bad_argument(2, SHORT));
        };
        if !stack.ensure(2) {
            return Err(stack.raise(b"stack overflow (too many results)"));
        }
        at += part.size;
        let in_order = |bytes: &[u8]| -> [u8; 8] {
            let mut ordered = [0; 8];
            let take = bytes.len().min(8);
            if format.is_big {
                bytes.iter().rev().take(take).zip(&mut ordered).for_each(|(&from, to)| *to = from);
            } else {
                ordered[..take].copy_from_slice(&bytes[..take]);
            }
            ordered
        };
        match part.option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let value = u64::from_le_bytes(in_order(bytes));
                if part.option.is_ascii_lowercase() {
                    let mask = u64::MAX.wrapping_shl((part.size as u32).wrapping_mul(8).wrapping_sub(1));
                    let value = if value & mask != 0 { value | mask } else { value };
                    stack.push_number(value as i64 as f64);
                } else {
                    stack.push_number(value as f64);
                }
            }
            b'x' => continue,
            b'f' => {
                let [a, b, c, d, ..] = in_order(bytes);
                stack.push_number(f32::from_le_bytes([a, b, c, d]).into());
            }
            b'd' => stack.push_number(f64::from_le_bytes(in_order(bytes))),
            b'c' if part.size > 0 => stack.push_bytes(bytes),
            b'c' => {
                if n == 0 || !stack.is_numeric(-1) {
                    return Err(stack.raise(b"format 'c0' needs a previous size"));
                }
                let len = c_ulong(stack.number(-1));
                stack.pop(1);
                n -= 1;
                let bytes = usize::try_from(len).ok().and_then(|len| data[at..].get(..len));
                let Some(bytes) = bytes else { return Err(stack.bad_argument(2, SHORT)) };
                stack.push_bytes(bytes);
                at += bytes.len();
            }
            b's' => {
                let Some(len) = memchr(0, &data[at..]) else {
                    return Err(stack.raise(b"unfinished string in data"));
                };
                stack.push_bytes(&data[at..at + len]);
                at += len + 1;
            }
            option => {
                format.control(option)?;
                continue;
            }
        }
        n += 1;
    }
    stack.push_number(at as f64 + 1.0);
    Ok(n + 1)
}

/// `struct.size(format)`
fn size(stack: &Stack) -> Results {
    let mut format = Format::new(stack, stack.text_arg(1)?);
    let mut at = 0usize;
    while let Some(part) = format.next()? {
        at = at.wrapping_add(format.padding(at, &part));
        match part {
            Part { option: b's', .. } => {
                return Err(stack.bad_argument(1, "option 's' has no fixed size"));
            }
            Part { option: b'c', size: 0 } => {
                return Err(stack.bad_argument(1, "option 'c0' has no fixed size"));
            }
            Part { option, .. } if !option.is_ascii_alphanumeric() => format.control(option)?,
            Part { size, .. } => at = at.wrapping_add(size),
        }
    }
    stack.push_number(at as f64);
    Ok(1)
}
