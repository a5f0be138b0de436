//! Members picked at random.

use super::{changed, find, limits, remove_empty, reply, set, set_mut};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    value::Value,
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("spop", -2, Group::Set, spop)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("1.0.0", "Takes random members out of a set.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("count", ArgKind::Integer).since("3.2.0").optional()])
        .history(&[("3.2.0", "The `count` argument.")])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("srandmember", -2, Group::Set, srandmember)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.0.0", "Answers random members of a set.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("count", ArgKind::Integer).since("2.6.0").optional()])
        .history(&[("2.6.0", "The `count` argument.")])
        .tips(&["nondeterministic_output"]),
];

/// <https://valkey.io/commands/spop/>
fn spop(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let key = args.at(1);
    match args.len() {
        2 => {}
        3 => return spop_many(ctx),
        _ => return Err(CmdError::SYNTAX),
    }
    let Some(pos) = find(ctx.store, db, key)? else {
        ctx.out().null();
        return Ok(Flow::Done);
    };
    let out = &mut ctx.session.out;
    let mut edit = ctx.store.edit(db, pos);
    let set = set_mut(&mut edit);
    set.pop(&mut ctx.state.rng, |member| reply(out, member));
    let emptied = set.is_empty();
    drop(edit);
    changed(ctx.store, db, key, "spop");
    if emptied {
        remove_empty(ctx.store, db, key, pos);
    }
    Ok(Flow::Done)
}

fn spop_many(ctx: &mut Ctx<'_>) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let n = match int(ctx.args.at(2)) {
        Ok(n @ 0..) => usize::try_from(n).unwrap_or(usize::MAX),
        _ => return Err(CmdError::MUST_BE_POSITIVE),
    };
    let cfg = limits(&ctx.state.config, ctx.store);
    let found = find(ctx.store, db, key)?;
    let out = &mut ctx.session.out;
    let Some(pos) = found.filter(|_| n > 0) else {
        out.set(0);
        return Ok(Flow::Done);
    };
    let entry = ctx.store.entry(db, pos);
    let len = set(&entry)?.len();
    if n >= len {
        out.set(len);
        set(&entry)?.iter().for_each(|member| reply(out, member));
        changed(ctx.store, db, key, "spop");
        remove_empty(ctx.store, db, key, pos);
        return Ok(Flow::Done);
    }
    out.set(n);
    let mut edit = ctx.store.edit(db, pos);
    let set = set_mut(&mut edit);
    let rest = set.pop_many(n, &mut ctx.state.rng, &cfg, |member| reply(out, member));
    drop(edit);
    if let Some(rest) = rest {
        ctx.store.discard(Value::Set(rest));
    }
    changed(ctx.store, db, key, "spop");
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/srandmember/>
fn srandmember(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    match args.len() {
        2 => {}
        3 => return srandmember_many(ctx),
        _ => return Err(CmdError::SYNTAX),
    }
    let found = ctx.store.read(db, args.at(1));
    let out = &mut ctx.session.out;
    match found {
        Some(pos) => {
            let entry = ctx.store.entry(db, pos);
            if let Some(member) = set(&entry)?.random(&mut ctx.state.rng) {
                reply(out, member);
            }
        }
        None => out.null(),
    }
    Ok(Flow::Done)
}

fn srandmember_many(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let count = int(ctx.args.at(2))?;
    if count < -i64::MAX {
        return Err(CmdError::new(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ));
    }
    let found = ctx.store.read(db, ctx.args.at(1));
    let entry = found.map(|pos| ctx.store.entry(db, pos));
    let set = entry.as_deref().map(set).transpose()?;
    let (out, rng) = (&mut ctx.session.out, &mut ctx.state.rng);
    let n = count.unsigned_abs();
    match set {
        Some(set) if count > 0 => {
            let n = usize::try_from(n).unwrap_or(usize::MAX).min(set.len());
            out.array(n);
            set.sample_distinct(n, rng, |member| reply(out, member));
        }
        Some(set) if count < 0 => {
            out.array(n as usize);
            let (mut left, began_bytes) = (n, out.pending_bytes());
            set.sample(rng, |member| {
                reply(out, member);
                left -= 1;
                left > 0 && out.goes_on(began_bytes)
            });
        }
        _ => out.array(0),
    }
    Ok(Flow::Done)
}
