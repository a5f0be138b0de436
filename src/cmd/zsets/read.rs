//! Reading sorted sets: scores, ranks, counts, random members, walks.

use super::{Shape, lex_bounds, read, reply_member, score_bounds};
use crate::{
    base::dtoa::general,
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        scan::{ScanOptions, Walked, cursor},
    },
    resp::output::Output,
    value::ZSet,
};
use std::collections::HashSet;

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("zcard", 2, Group::SortedSet, zcard)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("1.2.0", "How many members a sorted set has.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("zcount", 4, Group::SortedSet, zcount)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.0.0", "How many members have scores in a range.", "O(log(N))")
        .args(&[Arg::key("key", 0), Arg::new("min", ArgKind::Double), Arg::new("max", ArgKind::Double)]),
    CommandSpec::new("zlexcount", 4, Group::SortedSet, zlexcount)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc(
            "2.8.9",
            "How many members are in a lexicographic range, where all scores are equal.",
            "O(log(N))",
        )
        .args(&[Arg::key("key", 0), Arg::new("min", ArgKind::String), Arg::new("max", ArgKind::String)]),
    CommandSpec::new("zscore", 3, Group::SortedSet, zscore)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.2.0", "A member's score.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String)]),
    CommandSpec::new("zmscore", -3, Group::SortedSet, zmscore)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("6.2.0", "The scores of several members.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String).multiple()]),
    CommandSpec::new("zrank", -3, Group::SortedSet, zrank)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.0.0", "How many members come before one, in the order of their scores.", "O(log(N))")
        .history(&[("7.2.0", "`WITHSCORE`.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("member", ArgKind::String),
            Arg::word("withscore", "WITHSCORE").optional(),
        ]),
    CommandSpec::new("zrevrank", -3, Group::SortedSet, zrevrank)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.0.0", "How many members come behind one, in the order of their scores.", "O(log(N))")
        .history(&[("7.2.0", "`WITHSCORE`.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("member", ArgKind::String),
            Arg::word("withscore", "WITHSCORE").optional(),
        ]),
    CommandSpec::new("zrandmember", -2, Group::SortedSet, zrandmember)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("6.2.0", "Random members.", "O(N*log(M)) for N members of M")
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::new(
                "options",
                ArgKind::Block(&[
                    Arg::new("count", ArgKind::Integer),
                    Arg::word("withscores", "WITHSCORES").optional(),
                ]),
            )
            .optional(),
        ]),
    CommandSpec::new("zscan", -3, Group::SortedSet, zscan)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.8.0", "Walks through a sorted set by steps.", "O(1) a step, O(N) for all")
        .tips(&["nondeterministic_output"])
        .history(&[("8.0.0", "`NOSCORES`.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("cursor", ArgKind::Integer),
            Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
            Arg::word("noscores", "NOSCORES").optional(),
        ]),
];

/// <https://valkey.io/commands/zcard/>
fn zcard(ctx: &mut Ctx<'_>) -> Outcome {
    let n = read(ctx.store, ctx.session.db, ctx.args.at(1), ZSet::len)?;
    ctx.count(n.unwrap_or(0))
}

/// <https://valkey.io/commands/zcount/>
fn zcount(ctx: &mut Ctx<'_>) -> Outcome {
    let (min, max) = score_bounds(ctx, 2, 3)?;
    let n = read(ctx.store, ctx.session.db, ctx.args.at(1), |zset| zset.range_by_score(min, max).len)?;
    ctx.count(n.unwrap_or(0))
}

/// <https://valkey.io/commands/zlexcount/>
fn zlexcount(ctx: &mut Ctx<'_>) -> Outcome {
    let (min, max) = lex_bounds(ctx, 2, 3)?;
    let n = read(ctx.store, ctx.session.db, ctx.args.at(1), |zset| zset.range_by_lex(min, max).len)?;
    ctx.count(n.unwrap_or(0))
}

/// <https://valkey.io/commands/zscore/>
fn zscore(ctx: &mut Ctx<'_>) -> Outcome {
    let args = ctx.args;
    let score = read(ctx.store, ctx.session.db, args.at(1), |zset| zset.score(args.at(2)))?;
    reply_score(ctx.out(), score.flatten());
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/zmscore/>
fn zmscore(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, out) = (ctx.args, &mut ctx.session.out);
    let members = args.len() - 2;
    let found = read(ctx.store, ctx.session.db, args.at(1), |zset| {
        out.array(members);
        args.from(2).for_each(|member| reply_score(out, zset.score(member)));
    })?;
    if found.is_none() {
        out.array(members);
        (0..members).for_each(|_| out.null());
    }
    Ok(Flow::Done)
}

fn reply_score(out: &mut Output, score: Option<f64>) {
    match score {
        Some(score) => out.number(score),
        None => out.null(),
    }
}

/// <https://valkey.io/commands/zrank/>
fn zrank(ctx: &mut Ctx<'_>) -> Outcome {
    rank(ctx, "zrank", false)
}

/// <https://valkey.io/commands/zrevrank/>
fn zrevrank(ctx: &mut Ctx<'_>) -> Outcome {
    rank(ctx, "zrevrank", true)
}

fn rank(ctx: &mut Ctx<'_>, name: &str, rev: bool) -> Outcome {
    let args = ctx.args;
    if args.len() > 4 {
        return Err(CmdError::wrong_arity(name));
    }
    let with_score = args.len() == 4;
    if with_score && !ctx.is_word(3, "withscore") {
        return Err(CmdError::SYNTAX);
    }
    let found = read(ctx.store, ctx.session.db, args.at(1), |zset| {
        let (rank, score) = zset.rank(args.at(2))?;
        Some((if rev { zset.len() - 1 - rank } else { rank }, score))
    })?;
    let out = ctx.out();
    match found.flatten() {
        Some((rank, score)) if with_score => {
            out.array(2);
            out.count(rank);
            out.number(score);
        }
        Some((rank, _)) => out.count(rank),
        None if with_score => out.null_array(),
        None => out.null(),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/zrandmember/>
fn zrandmember(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    if args.len() == 2 {
        let (out, rng) = (&mut ctx.session.out, &mut ctx.state.rng);
        let found = read(ctx.store, db, args.at(1), |zset| {
            let rank = rng.below(zset.len() as u64) as usize;
            zset.for_range(rank, 1, false, |member, _| reply_member(out, member));
        })?;
        if found.is_none() {
            out.null();
        }
        return Ok(Flow::Done);
    }
    let count = ctx.int_in(
        2,
        -i64::MAX,
        i64::MAX,
        CmdError::new(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ),
    )?;
    if args.len() > 4 || args.len() == 4 && !ctx.is_word(3, "withscores") {
        return Err(CmdError::SYNTAX);
    }
    let shape = Shape::new(args.len() == 4);
    if shape == Shape::WithScores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(CmdError::OUT_OF_RANGE);
    }
    let (out, rng) = (&mut ctx.session.out, &mut ctx.state.rng);
    let found = read(ctx.store, db, args.at(1), |zset| {
        let len = zset.len();
        let n = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        if count < 0 {
            shape.head(out, n);
            let (mut left, began_bytes) = (n, out.pending_bytes());
            while left > 0 && out.goes_on(began_bytes) {
                left -= 1;
                let rank = rng.below(len as u64) as usize;
                zset.for_range(rank, 1, false, |member, score| shape.member(out, member, score));
            }
            return;
        }
        shape.head(out, n.min(len));
        if n >= len {
            return zset.for_range(0, len, true, |member, score| shape.member(out, member, score));
        }
        // Floyd's method: as many draws as members, whatever their share.
        let mut chosen = HashSet::with_capacity(n);
        for last in len - n..len {
            let rank = rng.below(last as u64 + 1) as usize;
            let rank = if chosen.insert(rank) { rank } else { last };
            chosen.insert(rank);
            zset.for_range(rank, 1, false, |member, score| shape.member(out, member, score));
        }
    })?;
    if found.is_none() {
        out.array(0);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/zscan/>. A step visits a group of some 32 members, or the whole of a small set.
fn zscan(ctx: &mut Ctx<'_>) -> Outcome {
    let mut cursor = cursor(ctx.args.at(2))?;
    let Some(pos) = ctx.store.read(ctx.session.db, ctx.args.at(1)) else {
        let out = ctx.out();
        out.array(2);
        out.bulk(b"0");
        out.array(0);
        return Ok(Flow::Done);
    };
    let entry = ctx.store.entry(ctx.session.db, pos);
    let zset = super::zset(&entry)?;
    let options = ScanOptions::parse(ctx, 3, Walked::SortedSet)?;
    let (mut found, mut n, mut met) = (Output::default(), 0, 0);
    for _ in 0..options.max_steps() {
        cursor = zset.scan(cursor, |member, score| {
            met += 1;
            if !member.with_bytes(|bytes| options.matches(bytes)) {
                return;
            }
            reply_member(&mut found, member);
            n += 1;
            if !options.names_only {
                // The reference prints what it has in a pack, and all else with 17 digits.
                match zset.as_pack() {
                    Some(_) => found.number(score),
                    None => found.bulk(general(score).as_bytes()),
                }
                n += 1;
            }
        });
        if cursor == 0 || met >= options.count {
            break;
        }
    }
    let out = &mut ctx.session.out;
    out.array(2);
    out.bulk(cursor.to_string().as_bytes());
    out.array(n);
    out.append(&mut found);
    Ok(Flow::Done)
}
