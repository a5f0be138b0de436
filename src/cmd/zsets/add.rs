//! Adding members to sorted sets.

use super::{changed, config, find, score_arg, zset_mut};
use crate::{
    base::num::parse_f64,
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    value::{Value, ZSet},
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("zadd", -4, Group::SortedSet, zadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc(
            "1.2.0",
            "Adds members to a sorted set, or gives those that it has another score.",
            "O(log(N)) for each member",
        )
        .history(&[
            ("2.4.0", "Several members."),
            ("3.0.2", "`XX`, `NX`, `CH` and `INCR`."),
            ("6.2.0", "`GT` and `LT`."),
        ])
        .args(&[
            Arg::key("key", 0),
            Arg::new("condition", ArgKind::OneOf(&[Arg::word("nx", "NX"), Arg::word("xx", "XX")]))
                .since("3.0.2")
                .optional(),
            Arg::new("comparison", ArgKind::OneOf(&[Arg::word("gt", "GT"), Arg::word("lt", "LT")]))
                .since("6.2.0")
                .optional(),
            Arg::word("change", "CH").since("3.0.2").optional(),
            Arg::word("increment", "INCR").since("3.0.2").optional(),
            Arg::new(
                "data",
                ArgKind::Block(&[Arg::new("score", ArgKind::Double), Arg::new("member", ArgKind::String)]),
            )
            .multiple(),
        ]),
    CommandSpec::new("zincrby", 4, Group::SortedSet, zincrby)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.2.0", "Adds to a member's score.", "O(log(N))")
        .args(&[
            Arg::key("key", 0),
            Arg::new("increment", ArgKind::Integer),
            Arg::new("member", ArgKind::String),
        ]),
];

/// The options of ZADD.
#[derive(Clone, Copy, Default)]
pub(in crate::cmd) struct Options {
    /// NX: members that are there stay as they are.
    pub only_new: bool,
    /// XX: no members come in.
    pub only_existing: bool,
    /// GT and LT: a score that is there must rise, or fall.
    only_rise: bool,
    only_fall: bool,
    /// CH: changed members count, too.
    pub count_changed: bool,
    /// INCR: the score is added to the one that is there.
    increment: bool,
}

impl Options {
    /// Whether a member that may have the score `old` is to have `new`.
    #[inline]
    fn allow(&self, old: Option<f64>, new: f64) -> bool {
        match old {
            None => !self.only_existing,
            Some(old) => !(self.only_new || self.only_fall && new >= old || self.only_rise && new <= old),
        }
    }
}

/// <https://valkey.io/commands/zadd/>
fn zadd(ctx: &mut Ctx<'_>) -> Outcome {
    let mut options = Options::default();
    let mut first = 2;
    loop {
        if ctx.is_word(first, "nx") {
            options.only_new = true;
        } else if ctx.is_word(first, "xx") {
            options.only_existing = true;
        } else if ctx.is_word(first, "ch") {
            options.count_changed = true;
        } else if ctx.is_word(first, "incr") {
            options.increment = true;
        } else if ctx.is_word(first, "gt") {
            options.only_rise = true;
        } else if ctx.is_word(first, "lt") {
            options.only_fall = true;
        } else {
            break;
        }
        first += 1;
    }
    let rest = ctx.args.len() - first;
    if rest == 0 || !rest.is_multiple_of(2) {
        return Err(CmdError::SYNTAX);
    }
    if options.only_new && options.only_existing {
        return Err(CmdError::new("ERR XX and NX options at the same time are not compatible"));
    }
    let of_three = [options.only_rise, options.only_fall, options.only_new];
    if of_three.into_iter().filter(|&given| given).count() > 1 {
        return Err(CmdError::new("ERR GT, LT, and/or NX options at the same time are not compatible"));
    }
    if options.increment && rest > 2 {
        return Err(CmdError::new("ERR INCR option supports a single increment-element pair"));
    }
    add_args(ctx, first, options)
}

/// <https://valkey.io/commands/zincrby/>
fn zincrby(ctx: &mut Ctx<'_>) -> Outcome {
    add_args(ctx, 2, Options { increment: true, ..Options::default() })
}

/// Adds the pairs of score and member from argument `first` on.
#[inline]
fn add_args(ctx: &mut Ctx<'_>, first: usize, options: Options) -> Outcome {
    let args = ctx.args;
    // All scores are looked at before anything changes; a single one, which is the rule, is kept.
    let first_score = score_arg(ctx, first)?;
    for i in (first + 2..args.len()).step_by(2) {
        score_arg(ctx, i)?;
    }
    add(ctx, options, (args.len() - first) / 2, |i| {
        let at = first + 2 * i;
        let score = if i == 0 { Some(first_score) } else { parse_f64(args.at(at)) };
        (score.unwrap_or_default(), args.at(at + 1))
    })
}

/// Adds `n` pairs of score and member, which `pair` gives by their number, to the sorted set at the first key.
#[inline]
pub(in crate::cmd) fn add<'a>(
    ctx: &mut Ctx<'_>,
    options: Options,
    n: usize,
    pair: impl Fn(usize) -> (f64, &'a [u8]),
) -> Outcome {
    let (db, cfg) = (ctx.db(), config(ctx));
    let key = ctx.args.at(1);
    let found = find(ctx.store, db, key)?;
    if found.is_none() && options.only_existing {
        return reply(ctx, options, 0, 0, None);
    }
    let longest = (0..n).map(|i| pair(i).1.len()).max().unwrap_or(0);
    let (mut added, mut updated, mut result) = (0, 0, None);
    let mut apply = |zset: &mut ZSet| {
        for i in 0..n {
            let (given, member) = pair(i);
            let (mut is_nan, mut wanted) = (false, None);
            let (old, _) = zset.update(member, &cfg, |old| {
                let new = if options.increment { old.map_or(given, |old| old + given) } else { given };
                // NX comes first: it forbids even a sum that is no number.
                is_nan = new.is_nan() && !options.only_new;
                wanted = (!is_nan && options.allow(old, new)).then_some(new);
                // Where the two are equal, 0 and -0 among them, the score stays as it is.
                wanted.filter(|&new| old != Some(new))
            });
            if is_nan {
                return None;
            }
            if let Some(new) = wanted {
                result = wanted;
                added += usize::from(old.is_none());
                updated += usize::from(old.is_some_and(|old| old != new));
            }
        }
        Some(())
    };
    let done = match found {
        Some(found) => {
            let mut edit = ctx.store.edit(db, found.pos);
            let zset = zset_mut(&mut edit);
            zset.make_room(n, longest, &cfg);
            apply(zset)
        }
        None => {
            let mut zset = ZSet::for_len(n, longest, &cfg);
            let done = apply(&mut zset);
            ctx.store.insert(db, key, Value::ZSet(zset), None);
            done
        }
    };
    if added + updated > 0 {
        changed(ctx.store, db, key, if options.increment { "zincr" } else { "zadd" }, false);
    }
    done.ok_or(CmdError::new("ERR resulting score is not a number (NaN)"))?;
    reply(ctx, options, added, updated, result)
}

#[inline]
fn reply(ctx: &mut Ctx<'_>, options: Options, added: usize, updated: usize, result: Option<f64>) -> Outcome {
    if !options.increment {
        return ctx.count(if options.count_changed { added + updated } else { added });
    }
    match result {
        Some(score) => ctx.out().number(score),
        None => ctx.out().null(),
    }
    Ok(Flow::Done)
}
