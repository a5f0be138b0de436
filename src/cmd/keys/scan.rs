//! Finding keys without knowing them: SCAN, KEYS, RANDOMKEY.

use crate::{
    base::{glob, num::parse_i64},
    command::{CmdError, Ctx, Flow, Outcome, ctx::int},
    resp::{error::shown, output::Output},
    value::Type,
};

/// <https://valkey.io/commands/scan/>. A step visits a group of some 32 keys: COUNT bounds from below how many keys are
/// looked at, and from above, ten times, how many groups.
pub(super) fn scan(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let mut cursor = cursor(args.at(1))?;
    let (mut pattern, mut kind, mut count) = (None, None, 10);
    let mut i = 2;
    while i < args.len() {
        let value = args.get(i + 1);
        match value {
            Some(value) if ctx.is_word(i, "count") => {
                count = usize::try_from(int(value)?).ok().filter(|&n| n > 0).ok_or(CmdError::SYNTAX)?;
            }
            Some(value) if ctx.is_word(i, "match") => pattern = Some(value).filter(|&p| p != b"*"),
            Some(value) if ctx.is_word(i, "type") => {
                kind = Some(type_named(value)?);
            }
            _ if ctx.is_word(i, "novalues") => {
                return Err(CmdError::new("ERR NOVALUES option can only be used in HSCAN"));
            }
            _ if ctx.is_word(i, "noscores") => {
                return Err(CmdError::new("ERR NOSCORES option can only be used in ZSCAN"));
            }
            _ => return Err(CmdError::SYNTAX),
        }
        i += 2;
    }
    let (mut found, mut n, mut looked_at) = (Output::default(), 0, 0);
    for _ in 0..count.saturating_mul(10) {
        let (next, met) = ctx.store.scan(db, cursor, |entry| {
            let fits = kind.is_none_or(|kind| kind == entry.kind())
                && pattern.is_none_or(|pattern| glob::matches(pattern, entry.key()));
            if fits {
                found.bulk(entry.key());
                n += 1;
            }
        });
        cursor = next;
        looked_at += met;
        if cursor == 0 || looked_at >= count {
            break;
        }
    }
    let out = ctx.out();
    out.array(2);
    out.bulk(cursor.to_string().as_bytes());
    out.array(n);
    out.append(&mut found);
    Ok(Flow::Done)
}

fn type_named(name: &[u8]) -> Result<Type, CmdError> {
    let known = Type::ALL.into_iter().find(|known| name.eq_ignore_ascii_case(known.name().as_bytes()));
    known.ok_or_else(|| CmdError::with([b"ERR unknown type name '", shown(name), b"'"].concat()))
}

/// A cursor as C's `strtoull` reads it, though one that is plainly negative is refused.
fn cursor(text: &[u8]) -> Result<u64, CmdError> {
    const INVALID: CmdError = CmdError::new("ERR invalid cursor");
    if parse_i64(text).is_some_and(|n| n < 0) {
        return Err(INVALID);
    }
    let digits = text.trim_ascii_start();
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

/// <https://valkey.io/commands/keys/>
pub(super) fn keys(ctx: &mut Ctx<'_>) -> Outcome {
    let (pattern, db) = (ctx.args.at(1), ctx.db());
    let (mut found, mut n) = (Output::default(), 0);
    ctx.store.each_entry(db, |entry| {
        if pattern == b"*" || glob::matches(pattern, entry.key()) {
            found.bulk(entry.key());
            n += 1;
        }
    });
    let out = ctx.out();
    out.array(n);
    out.append(&mut found);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/randomkey/>
pub(super) fn randomkey(ctx: &mut Ctx<'_>) -> Outcome {
    match ctx.store.random_key(ctx.session.db, &mut ctx.state.rng) {
        Some(key) => ctx.out().bulk(&key),
        None => ctx.out().null(),
    }
    Ok(Flow::Done)
}
