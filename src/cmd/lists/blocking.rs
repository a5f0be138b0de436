//! Waiting for lists. Each command is its core without the wait, and where that finds nothing, the wait: when a key
//! comes to be the engine runs the command again.

use super::{
    end_arg,
    ends::{move_element, pop_first, pop_to},
    find,
};
use crate::{
    command::{
        Arg, ArgKind, Categories, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        pops::Pops,
    },
    state::waiters::InVain,
    value::{Type, list::End},
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("blpop", -3, Group::List, blpop)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, -2, 1)])
        .doc("2.0.0", "Pops the first element of the first list that has any, waiting until one has.", "O(N)")
        .history(&[("6.0.0", "`timeout` may have decimals.")])
        .args(&[Arg::key("key", 0).multiple(), Arg::new("timeout", ArgKind::Double)]),
    CommandSpec::new("brpop", -3, Group::List, brpop)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, -2, 1)])
        .doc("2.0.0", "Pops the last element of the first list that has any, waiting until one has.", "O(N)")
        .history(&[("6.0.0", "`timeout` may have decimals.")])
        .args(&[Arg::key("key", 0).multiple(), Arg::new("timeout", ArgKind::Double)]),
    CommandSpec::new("blmpop", -5, Group::List, blmpop)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::counted(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 2)])
        .doc("7.0.0", "Pops elements from the first list that has any, waiting until one has.", "O(N+M)")
        .args(&[
            Arg::new("timeout", ArgKind::Double),
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 0).multiple(),
            Arg::new("where", ArgKind::OneOf(&[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")])),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
        ]),
    CommandSpec::new("blmove", 6, Group::List, blmove)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::BLOCKING])
        .acl(&[Categories::LIST])
        .keys(&[
            KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1),
            KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 2, 2, 1),
        ])
        .doc("6.2.0", "Moves an element between lists, waiting until there is one.", "O(1)")
        .args(&[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::new("wherefrom", ArgKind::OneOf(&[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")])),
            Arg::new("whereto", ArgKind::OneOf(&[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")])),
            Arg::new("timeout", ArgKind::Double),
        ]),
    CommandSpec::new("brpoplpush", 4, Group::List, brpoplpush)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::BLOCKING])
        .acl(&[Categories::LIST])
        .keys(&[
            KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1),
            KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 2, 2, 1),
        ])
        .doc(
            "2.2.0",
            "Moves the last element of a list to the front of another, waiting until there is one.",
            "O(1)",
        )
        .history(&[("6.0.0", "`timeout` may have decimals.")])
        .args(&[Arg::key("source", 0), Arg::key("destination", 1), Arg::new("timeout", ArgKind::Double)])
        .deprecated("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments"),
];

/// <https://valkey.io/commands/blpop/>
fn blpop(ctx: &mut Ctx<'_>) -> Outcome {
    pop(ctx, End::Left)
}

/// <https://valkey.io/commands/brpop/>
fn brpop(ctx: &mut Ctx<'_>) -> Outcome {
    pop(ctx, End::Right)
}

fn pop(ctx: &mut Ctx<'_>, end: End) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let keys = 1..args.len() - 1;
    let deadline_ms = ctx.deadline_arg(keys.end)?;
    for key in keys.clone().map(|i| args.at(i)) {
        let Some(found) = find(ctx.store, db, key)? else { continue };
        let out = &mut ctx.session.out;
        out.array(2);
        out.bulk(key);
        pop_to(out, ctx.store, &ctx.state.config.list(), (db, key), found, end, 1);
        return Ok(Flow::Done);
    }
    ctx.wait_for(Type::List, keys, deadline_ms, InVain::NullArray)
}

/// <https://valkey.io/commands/blmpop/>
fn blmpop(ctx: &mut Ctx<'_>) -> Outcome {
    let pops = Pops::parse(ctx, 2, end_arg)?;
    let deadline_ms = ctx.deadline_arg(1)?;
    if pop_first(ctx, &pops)? {
        return Ok(Flow::Done);
    }
    ctx.wait_for(Type::List, pops.keys, deadline_ms, InVain::NullArray)
}

/// <https://valkey.io/commands/blmove/>
fn blmove(ctx: &mut Ctx<'_>) -> Outcome {
    let (from, to) = (end_arg(ctx, 3)?, end_arg(ctx, 4)?);
    move_or_wait(ctx, from, to, 5)
}

/// <https://valkey.io/commands/brpoplpush/>
fn brpoplpush(ctx: &mut Ctx<'_>) -> Outcome {
    move_or_wait(ctx, End::Right, End::Left, 3)
}

fn move_or_wait(ctx: &mut Ctx<'_>, from: End, to: End, timeout_at: usize) -> Outcome {
    let deadline_ms = ctx.deadline_arg(timeout_at)?;
    if move_element(ctx, from, to)? {
        return Ok(Flow::Done);
    }
    ctx.wait_for(Type::List, 1..2, deadline_ms, InVain::Null)
}
