//! `bit`: arithmetic on the bits of 32-bit integers, as LuaJIT's library of this name defines it.
//!
//! Source: <https://bitop.luajit.org/api.html>.

use super::stack::{Native, Raise, Results, Stack};

/// The functions of the library.
pub(super) const FUNCTIONS: [(&str, Native); 12] = [
    ("tobit", tobit),
    ("bnot", |stack| result(stack, !bits(stack, 1)?)),
    ("band", |stack| fold(stack, |a, b| a & b)),
    ("bor", |stack| fold(stack, |a, b| a | b)),
    ("bxor", |stack| fold(stack, |a, b| a ^ b)),
    ("lshift", |stack| shift(stack, |a, n| a << n)),
    ("rshift", |stack| shift(stack, |a, n| a >> n)),
    ("arshift", |stack| shift(stack, |a, n| (a as i32 >> n) as u32)),
    ("rol", |stack| shift(stack, u32::rotate_left)),
    ("ror", |stack| shift(stack, u32::rotate_right)),
    ("bswap", |stack| result(stack, bits(stack, 1)?.swap_bytes())),
    ("tohex", tohex),
];

/// An argument as 32 bits: rounded to the nearest integer, of which the lowest bits are taken.
fn bits(stack: &Stack, i: i32) -> Result<u32, Raise> {
    let x = stack.number_arg(i)?;
    // Adding 1.5 * 2^52 leaves the integer in the lowest bits of the fraction.
    Ok((x + 6_755_399_441_055_744.0).to_bits() as u32)
}

fn result(stack: &Stack, bits: u32) -> Results {
    stack.push_number(f64::from(bits as i32));
    Ok(1)
}

fn tobit(stack: &Stack) -> Results {
    result(stack, bits(stack, 1)?)
}

fn fold(stack: &Stack, f: fn(u32, u32) -> u32) -> Results {
    let mut all = bits(stack, 1)?;
    // Valkey complains of the last wrong one.
    for i in (2..=stack.top()).rev() {
        all = f(all, bits(stack, i)?);
    }
    result(stack, all)
}

fn shift(stack: &Stack, f: fn(u32, u32) -> u32) -> Results {
    let x = bits(stack, 1)?;
    result(stack, f(x, bits(stack, 2)? & 31))
}

/// `tohex(x, digits)`: the lowest digits; in upper case where their number is negative.
fn tohex(stack: &Stack) -> Results {
    let x = bits(stack, 1)?;
    let n = if stack.top() < 2 { 8 } else { bits(stack, 2)? as i32 };
    let digits = n.unsigned_abs().min(8) as usize;
    let text = if n < 0 { format!("{x:08X}") } else { format!("{x:08x}") };
    stack.push_bytes(&text.as_bytes()[8 - digits..]);
    Ok(1)
}
