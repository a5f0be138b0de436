//! What SCAN and its relatives for sets, hashes and sorted sets are asked for.

use super::{CmdError, Ctx, ctx::int};
use crate::{
    base::{glob, num::parse_i64},
    resp::error::shown,
    value::Type,
};

/// What is walked through: it decides which options there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Walked {
    Keys,
    Set,
    Hash,
    SortedSet,
}

/// The options of SCAN and its relatives.
#[derive(Clone, Copy, Debug)]
pub struct ScanOptions<'a> {
    pattern: Option<&'a [u8]>,
    /// Only keys with values of this type.
    pub kind: Option<Type>,
    /// How many elements are to be looked at, roughly.
    pub count: usize,
    /// NOVALUES or NOSCORES: fields or members alone.
    pub names_only: bool,
}

impl<'a> ScanOptions<'a> {
    /// Reads the options from argument `from` on.
    pub fn parse(ctx: &Ctx<'a>, from: usize, walked: Walked) -> Result<ScanOptions<'a>, CmdError> {
        let args = ctx.args;
        let mut options = ScanOptions { pattern: None, kind: None, count: 10, names_only: false };
        let mut i = from;
        while i < args.len() {
            match args.get(i + 1) {
                Some(value) if ctx.is_word(i, "count") => {
                    let count = usize::try_from(int(value)?).ok().filter(|&n| n > 0);
                    options.count = count.ok_or(CmdError::SYNTAX)?;
                    i += 2;
                }
                Some(value) if ctx.is_word(i, "match") => {
                    options.pattern = Some(value).filter(|&pattern| pattern != b"*");
                    i += 2;
                }
                Some(value) if walked == Walked::Keys && ctx.is_word(i, "type") => {
                    options.kind = Some(type_named(value)?);
                    i += 2;
                }
                _ if ctx.is_word(i, "novalues") => {
                    if walked != Walked::Hash {
                        return Err(CmdError::new("ERR NOVALUES option can only be used in HSCAN"));
                    }
                    options.names_only = true;
                    i += 1;
                }
                _ if ctx.is_word(i, "noscores") => {
                    if walked != Walked::SortedSet {
                        return Err(CmdError::new("ERR NOSCORES option can only be used in ZSCAN"));
                    }
                    options.names_only = true;
                    i += 1;
                }
                _ => return Err(CmdError::SYNTAX),
            }
        }
        Ok(options)
    }

    /// Whether a name is among those asked for.
    #[inline]
    pub fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }

    /// How many steps one call makes at most, though it met less than it was asked for.
    pub fn max_steps(&self) -> usize {
        self.count.saturating_mul(10)
    }
}

fn type_named(name: &[u8]) -> Result<Type, CmdError> {
    let known = Type::ALL.into_iter().find(|known| name.eq_ignore_ascii_case(known.name().as_bytes()));
    known.ok_or_else(|| CmdError::with([b"ERR unknown type name '", shown(name), b"'"].concat()))
}

/// A cursor as C's `strtoull` reads it, up to a zero byte, though one that is plainly negative is refused.
pub fn cursor(text: &[u8]) -> Result<u64, CmdError> {
    const INVALID: CmdError = CmdError::new("ERR invalid cursor");
    let text = shown(text);
    if parse_i64(text).is_some_and(|n| n < 0) {
        return Err(INVALID);
    }
    let digits = shown(text).trim_ascii_start();
    let (negative, digits) = match digits {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(INVALID);
    }
    let read = digits.iter().try_fold(0u64, |n, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        n.checked_mul(10)?.checked_add(digit.into())
    });
    let n = read.ok_or(INVALID)?;
    Ok(if negative { n.wrapping_neg() } else { n })
}
