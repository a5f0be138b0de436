//! Reading ranges of entries.

use super::{end_arg, find_to_read, reply_range, start_arg, stream};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    value::stream::IdRange,
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("xlen", 2, Group::Stream, xlen)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("5.0.0", "Counts the entries of a stream.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("xrange", -4, Group::Stream, xrange)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("5.0.0", "Returns the entries of a stream in a range of IDs.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("start", ArgKind::String),
            Arg::new("end", ArgKind::String),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
        ])
        .history(&[("6.2.0", "Ranges without their ends.")]),
    CommandSpec::new("xrevrange", -4, Group::Stream, xrevrange)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("5.0.0", "Returns the entries of a stream in a range of IDs, the last one first.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("end", ArgKind::String),
            Arg::new("start", ArgKind::String),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
        ])
        .history(&[("6.2.0", "Ranges without their ends.")]),
];

/// <https://valkey.io/commands/xlen/>
fn xlen(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let Some(pos) = find_to_read(ctx.store, db, key)? else { return ctx.int(0) };
    let len = stream(&ctx.store.entry(db, pos))?.log.len();
    ctx.int(len as i64)
}

/// <https://valkey.io/commands/xrange/>
fn xrange(ctx: &mut Ctx<'_>) -> Outcome {
    range(ctx, false)
}

/// <https://valkey.io/commands/xrevrange/>
fn xrevrange(ctx: &mut Ctx<'_>) -> Outcome {
    range(ctx, true)
}

fn range(ctx: &mut Ctx<'_>, rev: bool) -> Outcome {
    let (start_at, end_at) = if rev { (3, 2) } else { (2, 3) };
    let (start, end) = (start_arg(ctx, start_at)?, end_arg(ctx, end_at)?);
    let mut max = u64::MAX;
    let mut i = 4;
    while i < ctx.args.len() {
        if !ctx.is_word(i, "count") || i + 1 == ctx.args.len() {
            return Err(CmdError::SYNTAX);
        }
        max = match ctx.int_arg(i + 1)? {
            n @ 0.. => n as u64,
            _ => 0,
        };
        i += 2;
    }
    let (key, db) = (ctx.args.at(1), ctx.db());
    let found = find_to_read(ctx.store, db, key)?;
    let out = &mut ctx.session.out;
    match found {
        None => out.array(0),
        Some(_) if max == 0 => out.null_array(),
        Some(pos) => reply_range(out, stream(&ctx.store.entry(db, pos))?, IdRange { start, end }, rev, max),
    }
    Ok(Flow::Done)
}
