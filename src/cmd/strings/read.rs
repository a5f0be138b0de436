//! Reading strings.

use super::text;
use crate::{
    base::num::MAX_INT_LEN,
    command::{CmdError, Ctx, Flow, Outcome, ctx::int},
    ds::table::Pos,
    store::changes::{Class, Event},
    value::ValueRef,
};

/// Replies the string at a place that was just found.
#[inline]
pub(super) fn reply_string(ctx: &mut Ctx<'_>, pos: Pos) -> Result<(), CmdError> {
    match ctx.store.entry(ctx.session.db, pos).value() {
        ValueRef::Str(bytes) => ctx.session.out.bulk(bytes),
        ValueRef::Int(number) => ctx.session.out.bulk_int(number),
        _ => return Err(CmdError::WRONG_TYPE),
    }
    Ok(())
}

/// <https://valkey.io/commands/get/>
pub(super) fn get(ctx: &mut Ctx<'_>) -> Outcome {
    match ctx.store.read(ctx.session.db, ctx.args.at(1)) {
        Some(pos) => reply_string(ctx, pos)?,
        None => ctx.out().null(),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/getdel/>
pub(super) fn getdel(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    match ctx.store.read(db, key) {
        Some(pos) => {
            reply_string(ctx, pos)?;
            ctx.store.remove_at(db, pos);
            ctx.store.changed(db, key, Event(Class::Generic, "del"));
        }
        None => ctx.out().null(),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/mget/>
pub(super) fn mget(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let out = &mut ctx.session.out;
    out.array(args.len() - 1);
    ctx.store.each_key(db, args.from(1), |store, _, key| match store.read_hashed(db, key) {
        Some(pos) => match store.entry(db, pos).value() {
            ValueRef::Str(bytes) => out.bulk(bytes),
            ValueRef::Int(number) => out.bulk_int(number),
            _ => out.null(),
        },
        None => out.null(),
    });
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/strlen/>
pub(super) fn strlen(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else { return ctx.int(0) };
    let len = text(ctx.store.entry(db, pos).value(), &mut [0; MAX_INT_LEN])?.len();
    ctx.count(len)
}

/// <https://valkey.io/commands/getrange/>, and SUBSTR, its former name.
pub(super) fn getrange(ctx: &mut Ctx<'_>) -> Outcome {
    let (start, end, db) = (int(ctx.args.at(2))?, int(ctx.args.at(3))?, ctx.db());
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else {
        ctx.out().bulk(b"");
        return Ok(Flow::Done);
    };
    let entry = ctx.store.entry(db, pos);
    let mut digits = [0; MAX_INT_LEN];
    let part = part(text(entry.value(), &mut digits)?, start, end);
    ctx.session.out.bulk(part);
    Ok(Flow::Done)
}

/// The bytes from `start` to `end`, both counted from the end where negative, both included.
fn part(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return b"";
    }
    let len = bytes.len() as i64;
    let from_left = |at: i64| if at < 0 { (at + len).max(0) } else { at };
    let (start, end) = (from_left(start), from_left(end).min(len - 1));
    if start > end { b"" } else { &bytes[start as usize..=end as usize] }
}
