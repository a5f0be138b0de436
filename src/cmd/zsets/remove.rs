//! Removing members from sorted sets.

use super::{changed, find, lex_bounds, ranks, score_bounds, zset, zset_mut};
use crate::{
    command::{Arg, ArgKind, Categories, CommandSpec, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome},
    value::{ZSet, zset::Range},
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("zrem", -3, Group::SortedSet, zrem)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("1.2.0", "Removes members.", "O(M*log(N)) for M members")
        .history(&[("2.4.0", "Several members.")])
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String).multiple()]),
    CommandSpec::new("zremrangebyrank", 4, Group::SortedSet, zremrangebyrank)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("2.0.0", "Removes the members with ranks in a range.", "O(M*log(N)) for M removed members")
        .args(&[Arg::key("key", 0), Arg::new("start", ArgKind::Integer), Arg::new("stop", ArgKind::Integer)]),
    CommandSpec::new("zremrangebyscore", 4, Group::SortedSet, zremrangebyscore)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("1.2.0", "Removes the members with scores in a range.", "O(M*log(N)) for M removed members")
        .args(&[Arg::key("key", 0), Arg::new("min", ArgKind::Double), Arg::new("max", ArgKind::Double)]),
    CommandSpec::new("zremrangebylex", 4, Group::SortedSet, zremrangebylex)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc(
            "2.8.9",
            "Removes the members in a lexicographic range, where all scores are equal.",
            "O(M*log(N)) for M removed members",
        )
        .args(&[Arg::key("key", 0), Arg::new("min", ArgKind::String), Arg::new("max", ArgKind::String)]),
];

/// <https://valkey.io/commands/zrem/>
fn zrem(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let key = args.at(1);
    let Some(found) = find(ctx.store, db, key)? else { return ctx.int(0) };
    let mut edit = ctx.store.edit(db, found.pos);
    let zset = zset_mut(&mut edit);
    let removed = args.from(2).filter(|member| zset.remove(member)).count();
    drop(edit);
    if removed > 0 {
        let emptied = removed == found.len;
        if emptied {
            ctx.store.remove_at(db, found.pos);
        }
        changed(ctx.store, db, key, "zrem", emptied);
    }
    ctx.count(removed)
}

/// <https://valkey.io/commands/zremrangebyrank/>
fn zremrangebyrank(ctx: &mut Ctx<'_>) -> Outcome {
    let (start, stop) = (ctx.int_arg(2)?, ctx.int_arg(3)?);
    remove_range(ctx, "zremrangebyrank", |zset| {
        let (start, len) = ranks(start, stop, zset.len());
        Range { start, len }
    })
}

/// <https://valkey.io/commands/zremrangebyscore/>
fn zremrangebyscore(ctx: &mut Ctx<'_>) -> Outcome {
    let (min, max) = score_bounds(ctx, 2, 3)?;
    remove_range(ctx, "zremrangebyscore", |zset| zset.range_by_score(min, max))
}

/// <https://valkey.io/commands/zremrangebylex/>
fn zremrangebylex(ctx: &mut Ctx<'_>) -> Outcome {
    let (min, max) = lex_bounds(ctx, 2, 3)?;
    remove_range(ctx, "zremrangebylex", |zset| zset.range_by_lex(min, max))
}

fn remove_range(ctx: &mut Ctx<'_>, event: &'static str, range: impl FnOnce(&ZSet) -> Range) -> Outcome {
    let (key, db) = (ctx.args.at(1), ctx.db());
    let Some(found) = find(ctx.store, db, key)? else { return ctx.int(0) };
    let range = range(zset(&ctx.store.entry(db, found.pos))?);
    if range.len > 0 {
        let emptied = range.len == found.len;
        if emptied {
            ctx.store.remove_at(db, found.pos);
        } else {
            zset_mut(&mut ctx.store.edit(db, found.pos)).remove_range(range.start, range.len);
        }
        changed(ctx.store, db, key, event, emptied);
    }
    ctx.count(range.len)
}
