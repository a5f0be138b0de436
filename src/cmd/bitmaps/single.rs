//! Single bits: setting, reading, counting, finding them.

use super::{CHANGED, make_room, offset};
use crate::{
    base::num::MAX_INT_LEN,
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    ds::bits,
};

const RANGE: &[Arg] = &[
    Arg::new("start", ArgKind::Integer),
    Arg::new(
        "end-unit-block",
        ArgKind::Block(&[
            Arg::new("end", ArgKind::Integer),
            Arg::new("unit", ArgKind::OneOf(&[Arg::word("byte", "BYTE"), Arg::word("bit", "BIT")]))
                .since("7.0.0")
                .optional(),
        ]),
    )
    .optional(),
];

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("setbit", 4, Group::Bitmap, setbit)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::BITMAP])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.2.0", "Sets or clears a bit of a string, which grows where it is too short.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("offset", ArgKind::Integer),
            Arg::new("value", ArgKind::Integer),
        ]),
    CommandSpec::new("getbit", 3, Group::Bitmap, getbit)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::BITMAP])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.2.0", "Answers a bit of a string.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("offset", ArgKind::Integer)]),
    CommandSpec::new("bitcount", -2, Group::Bitmap, bitcount)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::BITMAP])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.6.0", "Counts the bits of a string that are set.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("range", ArgKind::Block(RANGE)).optional()])
        .history(&[("7.0.0", "The unit, `BYTE` or `BIT`."), ("8.0.0", "`end` may be left out.")]),
    CommandSpec::new("bitpos", -3, Group::Bitmap, bitpos)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::BITMAP])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.8.7", "Finds the first bit of a string that is set, or clear.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("bit", ArgKind::Integer),
            Arg::new("range", ArgKind::Block(RANGE)).optional(),
        ])
        .history(&[("7.0.0", "The unit, `BYTE` or `BIT`.")]),
];

/// <https://valkey.io/commands/setbit/>
fn setbit(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let at = offset(ctx, ctx.args.at(2), 1)?;
    let bit = match int(ctx.args.at(3)) {
        Ok(0) => false,
        Ok(1) => true,
        _ => return Err(CmdError::new("ERR bit is not an integer or out of range")),
    };
    let (pos, grew) = make_room(ctx.store, db, key, at)?;
    let mut edit = ctx.store.edit(db, pos);
    let bytes = edit.edit_string();
    let old = bits::get(bytes, at);
    bits::set(bytes, at, bit);
    drop(edit);
    if grew || old != bit {
        ctx.store.changed(db, key, CHANGED);
    }
    ctx.int(old.into())
}

/// <https://valkey.io/commands/getbit/>
fn getbit(ctx: &mut Ctx<'_>) -> Outcome {
    let at = offset(ctx, ctx.args.at(2), 1)?;
    let bit = with_string(ctx, |bytes| bits::get(bytes, at))?;
    ctx.int(bit.unwrap_or(false).into())
}

/// Shows the string at a key to `f`; `None` where there is none.
fn with_string<R>(ctx: &mut Ctx<'_>, f: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, CmdError> {
    let db = ctx.db();
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else { return Ok(None) };
    let entry = ctx.store.entry(db, pos);
    let mut digits = [0; MAX_INT_LEN];
    let bytes = entry.value().text(&mut digits).ok_or(CmdError::WRONG_TYPE)?;
    Ok(Some(f(bytes)))
}

/// A part of a string as clients give it.
struct Part {
    start: i64,
    /// `None`: up to the end.
    end: Option<i64>,
    in_bits: bool,
}

impl Part {
    const WHOLE: Part = Part { start: 0, end: None, in_bits: false };

    /// Reads `start [end [BYTE | BIT]]` from argument `at` on.
    fn parse(ctx: &Ctx<'_>, at: usize) -> Result<Part, CmdError> {
        let n = ctx.args.len();
        if n == at {
            return Ok(Part::WHOLE);
        }
        if n > at + 3 {
            return Err(CmdError::SYNTAX);
        }
        let start = ctx.int_arg(at)?;
        let in_bits = n == at + 3 && ctx.is_word(at + 2, "bit");
        if n == at + 3 && !in_bits && !ctx.is_word(at + 2, "byte") {
            return Err(CmdError::SYNTAX);
        }
        let end = if n > at + 1 { Some(ctx.int_arg(at + 1)?) } else { None };
        Ok(Part { start, end, in_bits })
    }

    /// The first and the last bit of the part in a string of `len` bytes; `None` where it is empty.
    fn bits(&self, len: usize) -> Option<(usize, usize)> {
        let len = if self.in_bits { len as i64 * 8 } else { len as i64 };
        let from_left = |at: i64| if at < 0 { at.saturating_add(len).max(0) } else { at };
        let (start, end) = (from_left(self.start), from_left(self.end.unwrap_or(len - 1)).min(len - 1));
        if len == 0 || start > end {
            return None;
        }
        let (start, end) = (start as usize, end as usize);
        Some(if self.in_bits { (start, end) } else { (start * 8, end * 8 + 7) })
    }
}

/// <https://valkey.io/commands/bitcount/>
fn bitcount(ctx: &mut Ctx<'_>) -> Outcome {
    let part = Part::parse(ctx, 2)?;
    // Counted from the end and the wrong way round, which GETRANGE takes for nothing as well.
    let is_nothing = part.start < 0 && part.end.is_some_and(|end| end < 0 && part.start > end);
    let n = with_string(ctx, |bytes| match part.bits(bytes.len()) {
        Some((first, last)) if !is_nothing => bits::count_ones_between(bytes, first, last),
        _ => 0,
    })?;
    ctx.int(n.unwrap_or(0) as i64)
}

/// <https://valkey.io/commands/bitpos/>
fn bitpos(ctx: &mut Ctx<'_>) -> Outcome {
    let bit = match ctx.int_arg(2)? {
        0 => false,
        1 => true,
        _ => return Err(CmdError::new("ERR The bit argument must be 1 or 0.")),
    };
    let part = Part::parse(ctx, 3)?;
    let pos = with_string(ctx, |bytes| {
        let (first, last) = part.bits(bytes.len())?;
        let found = bits::find(bytes, bit, first, last);
        // Without an end the string goes on with zeros.
        found.or((!bit && part.end.is_none()).then_some(bytes.len() * 8))
    })?;
    ctx.int(match pos {
        Some(found) => found.map_or(-1, |at| at as i64),
        None if bit => -1,
        None => 0,
    })
}
