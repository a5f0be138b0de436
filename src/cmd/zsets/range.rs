//! Ranges of sorted sets: by rank, score and name, forwards and backwards, replied or stored.

use super::{Shape, config, lex_bounds, ranks, read, score_bounds, store_result};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    value::{
        ZSet,
        zset::{LexBound, Range, ScoreBound},
    },
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("zrange", -4, Group::SortedSet, zrange)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.2.0", "The members in a range of ranks, scores or names.", "O(log(N)+M) for M members")
        .history(&[("6.2.0", "`REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("start", ArgKind::String),
            Arg::new("stop", ArgKind::String),
            Arg::new(
                "sortby",
                ArgKind::OneOf(&[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")]),
            )
            .since("6.2.0")
            .optional(),
            Arg::word("rev", "REV").since("6.2.0").optional(),
            Arg::new(
                "limit",
                ArgKind::Block(&[Arg::new("offset", ArgKind::Integer), Arg::new("count", ArgKind::Integer)]),
            )
            .token("LIMIT")
            .since("6.2.0")
            .optional(),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    CommandSpec::new("zrangestore", -5, Group::SortedSet, zrangestore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::SORTEDSET])
        .keys(&[
            KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 1, 1),
            KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 2, 2, 1),
        ])
        .doc(
            "6.2.0",
            "Stores the members in a range as another sorted set.",
            "O(log(N)+M*log(M)) for M members",
        )
        .args(&[
            Arg::key("dst", 0),
            Arg::key("src", 1),
            Arg::new("min", ArgKind::String),
            Arg::new("max", ArgKind::String),
            Arg::new(
                "sortby",
                ArgKind::OneOf(&[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")]),
            )
            .optional(),
            Arg::word("rev", "REV").optional(),
            Arg::new(
                "limit",
                ArgKind::Block(&[Arg::new("offset", ArgKind::Integer), Arg::new("count", ArgKind::Integer)]),
            )
            .token("LIMIT")
            .optional(),
        ]),
    CommandSpec::new("zrevrange", -4, Group::SortedSet, zrevrange)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc(
            "1.2.0",
            "The members in a range of ranks, counted from the highest score.",
            "O(log(N)+M) for M members",
        )
        .args(&[
            Arg::key("key", 0),
            Arg::new("start", ArgKind::Integer),
            Arg::new("stop", ArgKind::Integer),
            Arg::word("withscores", "WITHSCORES").optional(),
        ])
        .deprecated("6.2.0", "`ZRANGE` with the `REV` argument"),
    CommandSpec::new("zrangebyscore", -4, Group::SortedSet, zrangebyscore)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.0.5", "The members with scores in a range.", "O(log(N)+M) for M members")
        .history(&[("2.0.0", "`WITHSCORES`.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("min", ArgKind::Double),
            Arg::new("max", ArgKind::Double),
            Arg::word("withscores", "WITHSCORES").since("2.0.0").optional(),
            Arg::new(
                "limit",
                ArgKind::Block(&[Arg::new("offset", ArgKind::Integer), Arg::new("count", ArgKind::Integer)]),
            )
            .token("LIMIT")
            .optional(),
        ])
        .deprecated("6.2.0", "`ZRANGE` with the `BYSCORE` argument"),
    CommandSpec::new("zrevrangebyscore", -4, Group::SortedSet, zrevrangebyscore)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.2.0", "The members with scores in a range, the highest first.", "O(log(N)+M) for M members")
        .history(&[("2.1.6", "`min` and `max` may be exclusive.")])
        .args(&[
            Arg::key("key", 0),
            Arg::new("max", ArgKind::Double),
            Arg::new("min", ArgKind::Double),
            Arg::word("withscores", "WITHSCORES").optional(),
            Arg::new(
                "limit",
                ArgKind::Block(&[Arg::new("offset", ArgKind::Integer), Arg::new("count", ArgKind::Integer)]),
            )
            .token("LIMIT")
            .optional(),
        ])
        .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments"),
    CommandSpec::new("zrangebylex", -4, Group::SortedSet, zrangebylex)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc(
            "2.8.9",
            "The members in a lexicographic range, where all scores are equal.",
            "O(log(N)+M) for M members",
        )
        .args(&[
            Arg::key("key", 0),
            Arg::new("min", ArgKind::String),
            Arg::new("max", ArgKind::String),
            Arg::new(
                "limit",
                ArgKind::Block(&[Arg::new("offset", ArgKind::Integer), Arg::new("count", ArgKind::Integer)]),
            )
            .token("LIMIT")
            .optional(),
        ])
        .deprecated("6.2.0", "`ZRANGE` with the `BYLEX` argument"),
    CommandSpec::new("zrevrangebylex", -4, Group::SortedSet, zrevrangebylex)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc(
            "2.8.9",
            "The members in a lexicographic range, where all scores are equal, the last first.",
            "O(log(N)+M) for M members",
        )
        .args(&[
            Arg::key("key", 0),
            Arg::new("max", ArgKind::String),
            Arg::new("min", ArgKind::String),
            Arg::new(
                "limit",
                ArgKind::Block(&[Arg::new("offset", ArgKind::Integer), Arg::new("count", ArgKind::Integer)]),
            )
            .token("LIMIT")
            .optional(),
        ])
        .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments"),
];

/// By what a range is bounded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// The ends of a range.
enum Bounds<'a> {
    Ranks(i64, i64),
    Scores(ScoreBound, ScoreBound),
    Lex(LexBound<'a>, LexBound<'a>),
}

/// What ZRANGE and its relatives are asked for.
struct Query<'a> {
    bounds: Bounds<'a>,
    rev: bool,
    shape: Shape,
    /// How many members to leave out, and how many to take then; negative: no members, and all.
    limit: (i64, i64),
}

impl<'a> Query<'a> {
    /// Reads the arguments behind the key, which is at `key`. `by` and `rev` are what the command's name says.
    fn parse(
        ctx: &Ctx<'a>,
        key: usize,
        by: Option<By>,
        rev: Option<bool>,
        stores: bool,
    ) -> Result<Query<'a>, CmdError> {
        let (mut found_by, mut found_rev) = (by, rev);
        let (mut with_scores, mut limit) = (false, (0, -1));
        let mut i = key + 3;
        while i < ctx.args.len() {
            if !stores && ctx.is_word(i, "withscores") {
                with_scores = true;
            } else if ctx.is_word(i, "limit") && i + 2 < ctx.args.len() {
                limit = (ctx.int_arg(i + 1)?, ctx.int_arg(i + 2)?);
                i += 2;
            } else if found_rev.is_none() && ctx.is_word(i, "rev") {
                found_rev = Some(true);
            } else if found_by.is_none() && ctx.is_word(i, "bylex") {
                found_by = Some(By::Lex);
            } else if found_by.is_none() && ctx.is_word(i, "byscore") {
                found_by = Some(By::Score);
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        let (by, rev) = (found_by.unwrap_or(By::Rank), found_rev.unwrap_or(false));
        if limit.1 != -1 && by == By::Rank {
            return Err(CmdError::new(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if with_scores && by == By::Lex {
            return Err(CmdError::new(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        let (min, max) = if rev { (key + 2, key + 1) } else { (key + 1, key + 2) };
        let bounds = match by {
            By::Rank => Bounds::Ranks(ctx.int_arg(key + 1)?, ctx.int_arg(key + 2)?),
            By::Score => score_bounds(ctx, min, max).map(|(min, max)| Bounds::Scores(min, max))?,
            By::Lex => lex_bounds(ctx, min, max).map(|(min, max)| Bounds::Lex(min, max))?,
        };
        Ok(Query { bounds, rev, shape: Shape::new(with_scores), limit })
    }

    /// The ranks that are asked for, from the lowest score on.
    fn range(&self, zset: &ZSet) -> Range {
        let range = match self.bounds {
            Bounds::Ranks(start, stop) => {
                let (start, len) = ranks(start, stop, zset.len());
                return Range { start: if self.rev { zset.len() - start - len } else { start }, len };
            }
            Bounds::Scores(min, max) => zset.range_by_score(min, max),
            Bounds::Lex(min, max) => zset.range_by_lex(min, max),
        };
        let (skip, n) = self.limit;
        // A negative offset counts from the other end, where the set is a large one, and otherwise finds nothing.
        let skip = match usize::try_from(skip) {
            Ok(skip) => Some(skip),
            Err(_) if zset.as_pack().is_some() => None,
            Err(_) => usize::try_from(skip.unsigned_abs()).ok().and_then(|back| range.len.checked_sub(back)),
        };
        let limited = |skip| range.limited(skip, usize::try_from(n).unwrap_or(usize::MAX), self.rev);
        skip.map_or(Range::default(), limited)
    }
}

/// <https://valkey.io/commands/zrange/>
fn zrange(ctx: &mut Ctx<'_>) -> Outcome {
    reply_range(ctx, None, None)
}

/// <https://valkey.io/commands/zrevrange/>
fn zrevrange(ctx: &mut Ctx<'_>) -> Outcome {
    reply_range(ctx, Some(By::Rank), Some(true))
}

/// <https://valkey.io/commands/zrangebyscore/>
fn zrangebyscore(ctx: &mut Ctx<'_>) -> Outcome {
    reply_range(ctx, Some(By::Score), Some(false))
}

/// <https://valkey.io/commands/zrevrangebyscore/>
fn zrevrangebyscore(ctx: &mut Ctx<'_>) -> Outcome {
    reply_range(ctx, Some(By::Score), Some(true))
}

/// <https://valkey.io/commands/zrangebylex/>
fn zrangebylex(ctx: &mut Ctx<'_>) -> Outcome {
    reply_range(ctx, Some(By::Lex), Some(false))
}

/// <https://valkey.io/commands/zrevrangebylex/>
fn zrevrangebylex(ctx: &mut Ctx<'_>) -> Outcome {
    reply_range(ctx, Some(By::Lex), Some(true))
}

fn reply_range(ctx: &mut Ctx<'_>, by: Option<By>, rev: Option<bool>) -> Outcome {
    let query = Query::parse(ctx, 1, by, rev, false)?;
    let out = &mut ctx.session.out;
    let found = read(ctx.store, ctx.session.db, ctx.args.at(1), |zset| {
        let Range { start, len } = query.range(zset);
        query.shape.head(out, len);
        zset.for_range(start, len, query.rev, |member, score| query.shape.member(out, member, score));
    })?;
    if found.is_none() {
        out.array(0);
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/zrangestore/>
fn zrangestore(ctx: &mut Ctx<'_>) -> Outcome {
    let cfg = config(ctx);
    let query = Query::parse(ctx, 2, None, None, true)?;
    let stored = read(ctx.store, ctx.session.db, ctx.args.at(2), |zset| {
        let Range { start, len } = query.range(zset);
        // Only of a range of ranks is the length known beforehand to the reference.
        let known = if matches!(query.bounds, Bounds::Ranks(..)) { len } else { 0 };
        let mut stored = ZSet::for_len(known, 0, &cfg);
        zset.for_range(start, len, query.rev, |member, score| {
            member.with_bytes(|bytes| stored.insert(bytes, score, &cfg));
        });
        stored
    })?;
    store_result(ctx, ctx.args.at(1), stored.unwrap_or_default(), "zrangestore")
}
