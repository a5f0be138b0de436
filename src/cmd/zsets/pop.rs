//! Taking members out of sorted sets at their ends, and waiting for them.

use super::{changed, find, reply_member, zset, zset_mut};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int, pops::Pops,
    },
    resp::Proto,
    state::waiters::InVain,
    value::Type,
};
use std::ops::Range;

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("zpopmin", -2, Group::SortedSet, zpopmin)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("5.0.0", "Takes out the members with the lowest scores.", "O(M*log(N)) for M members")
        .args(&[Arg::key("key", 0), Arg::new("count", ArgKind::Integer).optional()]),
    CommandSpec::new("zpopmax", -2, Group::SortedSet, zpopmax)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("5.0.0", "Takes out the members with the highest scores.", "O(M*log(N)) for M members")
        .args(&[Arg::key("key", 0), Arg::new("count", ArgKind::Integer).optional()]),
    CommandSpec::new("zmpop", -4, Group::SortedSet, zmpop)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::counted(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1)])
        .doc("7.0.0", "Takes members out of the first sorted set that has any.", "O(K)+O(M*log(N)) for K keys and M members")
        .args(&[Arg::new("numkeys", ArgKind::Integer), Arg::key("key", 0).multiple(), Arg::new("where", ArgKind::OneOf(&[Arg::word("min", "MIN"), Arg::word("max", "MAX")])), Arg::new("count", ArgKind::Integer).token("COUNT").optional()]),
    CommandSpec::new("bzpopmin", -3, Group::SortedSet, bzpopmin)
        .flags(&[Flags::WRITE, Flags::FAST, Flags::BLOCKING])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, -2, 1)])
        .doc("5.0.0", "Takes out the member with the lowest score of the first sorted set that has any, waiting until one has.", "O(log(N))")
        .history(&[("6.0.0", "`timeout` has a fraction.")])
        .args(&[Arg::key("key", 0).multiple(), Arg::new("timeout", ArgKind::Double)]),
    CommandSpec::new("bzpopmax", -3, Group::SortedSet, bzpopmax)
        .flags(&[Flags::WRITE, Flags::FAST, Flags::BLOCKING])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, -2, 1)])
        .doc("5.0.0", "Takes out the member with the highest score of the first sorted set that has any, waiting until one has.", "O(log(N))")
        .history(&[("6.0.0", "`timeout` has a fraction.")])
        .args(&[Arg::key("key", 0).multiple(), Arg::new("timeout", ArgKind::Double)]),
    CommandSpec::new("bzmpop", -5, Group::SortedSet, bzmpop)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::counted(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 2)])
        .doc("7.0.0", "Takes members out of the first sorted set that has any, waiting until one has.", "O(K)+O(M*log(N)) for K keys and M members")
        .args(&[Arg::new("timeout", ArgKind::Double), Arg::new("numkeys", ArgKind::Integer), Arg::key("key", 0).multiple(), Arg::new("where", ArgKind::OneOf(&[Arg::word("min", "MIN"), Arg::word("max", "MAX")])), Arg::new("count", ArgKind::Integer).token("COUNT").optional()]),
];

/// Which members go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

/// How the reply looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Members and scores in turn.
    Flat,
    /// An array of pairs.
    Pairs,
    /// The key, the member and its score.
    KeyAndOne,
    /// The key and an array of pairs.
    KeyAndPairs,
}

/// <https://valkey.io/commands/zpopmin/>
fn zpopmin(ctx: &mut Ctx<'_>) -> Outcome {
    pop(ctx, End::Min)
}

/// <https://valkey.io/commands/zpopmax/>
fn zpopmax(ctx: &mut Ctx<'_>) -> Outcome {
    pop(ctx, End::Max)
}

fn pop(ctx: &mut Ctx<'_>, end: End) -> Outcome {
    let args = ctx.args;
    if args.len() > 3 {
        return Err(CmdError::SYNTAX);
    }
    let count = match args.get(2).map(int) {
        None => None,
        Some(Ok(n @ 0..)) => Some(n as usize),
        Some(_) => return Err(CmdError::MUST_BE_POSITIVE),
    };
    let nested = count.is_some() && ctx.session.out.proto == Proto::Resp3;
    let form = if nested { Form::Pairs } else { Form::Flat };
    if !pop_first(ctx, 1..2, end, count.unwrap_or(1), form)? {
        ctx.out().array(0);
    }
    Ok(Flow::Done)
}

/// Pops up to `count` members of the first sorted set that there is, and replies them; `false` if there is none, or
/// nothing is asked for.
fn pop_first(
    ctx: &mut Ctx<'_>,
    keys: Range<usize>,
    end: End,
    count: usize,
    form: Form,
) -> Result<bool, CmdError> {
    let (args, db) = (ctx.args, ctx.db());
    for key in keys.map(|i| args.at(i)) {
        let Some(found) = find(ctx.store, db, key)? else { continue };
        let n = count.min(found.len);
        if n == 0 {
            return Ok(false);
        }
        let out = &mut ctx.session.out;
        match form {
            Form::Flat => out.array(2 * n),
            Form::Pairs => out.array(n),
            Form::KeyAndOne => {
                out.array(3);
                out.bulk(key);
            }
            Form::KeyAndPairs => {
                out.array(2);
                out.bulk(key);
                out.array(n);
            }
        }
        let start = if end == End::Min { 0 } else { found.len - n };
        zset(&ctx.store.entry(db, found.pos))?.for_range(start, n, end == End::Max, |member, score| {
            if matches!(form, Form::Pairs | Form::KeyAndPairs) {
                out.array(2);
            }
            reply_member(out, member);
            out.number(score);
        });
        let emptied = n == found.len;
        if emptied {
            ctx.store.remove_at(db, found.pos);
        } else {
            zset_mut(&mut ctx.store.edit(db, found.pos)).remove_range(start, n);
        }
        let event = if end == End::Min { "zpopmin" } else { "zpopmax" };
        changed(ctx.store, db, key, event, emptied);
        return Ok(true);
    }
    Ok(false)
}

/// At which end, for ZMPOP and BZMPOP.
fn end_arg(ctx: &Ctx<'_>, i: usize) -> Result<End, CmdError> {
    if ctx.is_word(i, "min") {
        Ok(End::Min)
    } else if ctx.is_word(i, "max") {
        Ok(End::Max)
    } else {
        Err(CmdError::SYNTAX)
    }
}

/// Pops as ZMPOP and BZMPOP are asked to; false if there is nothing.
fn serve(ctx: &mut Ctx<'_>, pops: &Pops<End>) -> Result<bool, CmdError> {
    pop_first(ctx, pops.keys.clone(), pops.end, pops.count, Form::KeyAndPairs)
}

/// <https://valkey.io/commands/zmpop/>
fn zmpop(ctx: &mut Ctx<'_>) -> Outcome {
    let pops = Pops::parse(ctx, 1, end_arg)?;
    if !serve(ctx, &pops)? {
        ctx.out().null_array();
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/bzpopmin/>
fn bzpopmin(ctx: &mut Ctx<'_>) -> Outcome {
    pop_or_wait(ctx, End::Min)
}

/// <https://valkey.io/commands/bzpopmax/>
fn bzpopmax(ctx: &mut Ctx<'_>) -> Outcome {
    pop_or_wait(ctx, End::Max)
}

fn pop_or_wait(ctx: &mut Ctx<'_>, end: End) -> Outcome {
    let keys = 1..ctx.args.len() - 1;
    let deadline_ms = ctx.deadline_arg(keys.end)?;
    if pop_first(ctx, keys.clone(), end, 1, Form::KeyAndOne)? {
        return Ok(Flow::Done);
    }
    ctx.wait_for(Type::ZSet, keys, deadline_ms, InVain::NullArray)
}

/// <https://valkey.io/commands/bzmpop/>
fn bzmpop(ctx: &mut Ctx<'_>) -> Outcome {
    let pops = Pops::parse(ctx, 2, end_arg)?;
    let deadline_ms = ctx.deadline_arg(1)?;
    if serve(ctx, &pops)? {
        return Ok(Flow::Done);
    }
    ctx.wait_for(Type::ZSet, pops.keys, deadline_ms, InVain::NullArray)
}
