//! Unions, intersections and differences of sorted sets, and of sets, whose members all count as 1.

use super::{Shape, config, store_result};
use crate::{
    base::num::parse_f64,
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    ds::table::Ref,
    value::{Entry, Type, Value, ValueRef, ZSet, zset::ZSetConfig},
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("zunion", -3, Group::SortedSet, zunion)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::counted(KeyFlags::RO.or(KeyFlags::ACCESS), 1)])
        .doc(
            "6.2.0",
            "The union of sorted sets.",
            "O(N)+O(M*log(M)) for N members in all and M in the result",
        )
        .args(&[
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 0).multiple(),
            Arg::new("weight", ArgKind::Integer).token("WEIGHTS").optional().multiple(),
            Arg::new(
                "aggregate",
                ArgKind::OneOf(&[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")]),
            )
            .token("AGGREGATE")
            .optional(),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    CommandSpec::new("zunionstore", -4, Group::SortedSet, zunionstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::SORTEDSET])
        .keys(&[
            KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 1, 1),
            KeySpec::counted(KeyFlags::RO.or(KeyFlags::ACCESS), 2),
        ])
        .doc(
            "2.0.0",
            "Stores the union of sorted sets.",
            "O(N)+O(M*log(M)) for N members in all and M in the result",
        )
        .args(&[
            Arg::key("destination", 0),
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 1).multiple(),
            Arg::new("weight", ArgKind::Integer).token("WEIGHTS").optional().multiple(),
            Arg::new(
                "aggregate",
                ArgKind::OneOf(&[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")]),
            )
            .token("AGGREGATE")
            .optional(),
        ]),
    CommandSpec::new("zinter", -3, Group::SortedSet, zinter)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::counted(KeyFlags::RO.or(KeyFlags::ACCESS), 1)])
        .doc(
            "6.2.0",
            "The intersection of sorted sets.",
            "O(N*K)+O(M*log(M)) for N members of the smallest of K sets and M in the result",
        )
        .args(&[
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 0).multiple(),
            Arg::new("weight", ArgKind::Integer).token("WEIGHTS").optional().multiple(),
            Arg::new(
                "aggregate",
                ArgKind::OneOf(&[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")]),
            )
            .token("AGGREGATE")
            .optional(),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    CommandSpec::new("zinterstore", -4, Group::SortedSet, zinterstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::SORTEDSET])
        .keys(&[
            KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 1, 1),
            KeySpec::counted(KeyFlags::RO.or(KeyFlags::ACCESS), 2),
        ])
        .doc(
            "2.0.0",
            "Stores the intersection of sorted sets.",
            "O(N*K)+O(M*log(M)) for N members of the smallest of K sets and M in the result",
        )
        .args(&[
            Arg::key("destination", 0),
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 1).multiple(),
            Arg::new("weight", ArgKind::Integer).token("WEIGHTS").optional().multiple(),
            Arg::new(
                "aggregate",
                ArgKind::OneOf(&[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")]),
            )
            .token("AGGREGATE")
            .optional(),
        ]),
    CommandSpec::new("zintercard", -3, Group::SortedSet, zintercard)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::counted(KeyFlags::RO.or(KeyFlags::ACCESS), 1)])
        .doc(
            "7.0.0",
            "How many members the intersection of sorted sets has.",
            "O(N*K) for N members of the smallest of K sets",
        )
        .args(&[
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 0).multiple(),
            Arg::new("limit", ArgKind::Integer).token("LIMIT").optional(),
        ]),
    CommandSpec::new("zdiff", -3, Group::SortedSet, zdiff)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SORTEDSET])
        .keys(&[KeySpec::counted(KeyFlags::RO.or(KeyFlags::ACCESS), 1)])
        .doc(
            "6.2.0",
            "The members of the first sorted set that the others do not have.",
            "O(L+(N-K)*log(N)) for L members in all, N of the first set and K in the result",
        )
        .args(&[
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 0).multiple(),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    CommandSpec::new("zdiffstore", -4, Group::SortedSet, zdiffstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::SORTEDSET])
        .keys(&[
            KeySpec::range(KeyFlags::OW.or(KeyFlags::UPDATE), 1, 1, 1),
            KeySpec::counted(KeyFlags::RO.or(KeyFlags::ACCESS), 2),
        ])
        .doc(
            "6.2.0",
            "Stores the members of the first sorted set that the others do not have.",
            "O(L+(N-K)*log(N)) for L members in all, N of the first set and K in the result",
        )
        .args(&[
            Arg::key("destination", 0),
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 1).multiple(),
        ]),
];

/// What is done with the inputs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// What becomes of the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Reply,
    Store,
    Count,
}

/// How the scores that a member has in several inputs become one.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Aggregate::Sum => number(a + b),
            Aggregate::Min if b < a => b,
            Aggregate::Max if b > a => b,
            Aggregate::Min | Aggregate::Max => a,
        }
    }
}

/// A score, 0 in the place of what is no number, as infinity times 0 and infinity less infinity.
fn number(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// The score that the members of a set have.
const SCORE_IN_SET: f64 = 1.0;

/// A set or sorted set, or none, and the factor for its scores.
struct Input<'a> {
    entry: Option<Ref<'a, Entry>>,
    weight: f64,
}

impl Input<'_> {
    fn value(&self) -> Option<ValueRef<'_>> {
        self.entry.as_ref().map(|entry| entry.value())
    }

    fn len(&self) -> usize {
        match self.value() {
            Some(ValueRef::ZSet(zset)) => zset.len(),
            Some(ValueRef::Set(set)) => set.len(),
            _ => 0,
        }
    }

    /// Shows members and scores to `f` until it returns `false`.
    fn each(&self, mut f: impl FnMut(&[u8], f64) -> bool) {
        match self.value() {
            Some(ValueRef::ZSet(zset)) => {
                zset.rev_from(zset.len()).all(|(member, score)| member.with_bytes(|bytes| f(bytes, score)));
            }
            Some(ValueRef::Set(set)) => {
                set.iter().all(|member| member.with_bytes(|bytes| f(bytes, SCORE_IN_SET)));
            }
            _ => {}
        }
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        match self.value()? {
            ValueRef::ZSet(zset) => zset.score(member),
            ValueRef::Set(set) => set.contains(member).then_some(SCORE_IN_SET),
            _ => None,
        }
    }
}

/// The options behind the keys.
struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    /// Most members to be counted; 0: all.
    limit: usize,
}

impl Options {
    /// Reads the options from argument `i` on; there are `keys` keys.
    fn parse(
        ctx: &Ctx<'_>,
        mut i: usize,
        keys: usize,
        operation: Operation,
        purpose: Purpose,
    ) -> Result<Options, CmdError> {
        let args = ctx.args;
        let mut options =
            Options { weights: vec![1.0; keys], aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        let is_weighed = operation != Operation::Diff && purpose != Purpose::Count;
        while i < args.len() {
            let rest = args.len() - i;
            if is_weighed && rest > keys && ctx.is_word(i, "weights") {
                for (at, weight) in options.weights.iter_mut().enumerate() {
                    *weight = parse_f64(args.at(i + 1 + at))
                        .ok_or(CmdError::new("ERR weight value is not a float"))?;
                }
                i += 1 + keys;
            } else if is_weighed && rest > 1 && ctx.is_word(i, "aggregate") {
                options.aggregate = if ctx.is_word(i + 1, "sum") {
                    Aggregate::Sum
                } else if ctx.is_word(i + 1, "min") {
                    Aggregate::Min
                } else if ctx.is_word(i + 1, "max") {
                    Aggregate::Max
                } else {
                    return Err(CmdError::SYNTAX);
                };
                i += 2;
            } else if purpose == Purpose::Reply && ctx.is_word(i, "withscores") {
                options.with_scores = true;
                i += 1;
            } else if purpose == Purpose::Count && rest > 1 && ctx.is_word(i, "limit") {
                options.limit = match int(args.at(i + 1)) {
                    Ok(n @ 0..) => n as usize,
                    _ => return Err(CmdError::new("ERR LIMIT can't be negative")),
                };
                i += 2;
            } else {
                return Err(CmdError::SYNTAX);
            }
        }
        Ok(options)
    }
}

/// <https://valkey.io/commands/zunion/>
fn zunion(ctx: &mut Ctx<'_>) -> Outcome {
    combine(ctx, "zunion", Operation::Union, Purpose::Reply)
}

/// <https://valkey.io/commands/zunionstore/>
fn zunionstore(ctx: &mut Ctx<'_>) -> Outcome {
    combine(ctx, "zunionstore", Operation::Union, Purpose::Store)
}

/// <https://valkey.io/commands/zinter/>
fn zinter(ctx: &mut Ctx<'_>) -> Outcome {
    combine(ctx, "zinter", Operation::Inter, Purpose::Reply)
}

/// <https://valkey.io/commands/zinterstore/>
fn zinterstore(ctx: &mut Ctx<'_>) -> Outcome {
    combine(ctx, "zinterstore", Operation::Inter, Purpose::Store)
}

/// <https://valkey.io/commands/zintercard/>
fn zintercard(ctx: &mut Ctx<'_>) -> Outcome {
    combine(ctx, "zintercard", Operation::Inter, Purpose::Count)
}

/// <https://valkey.io/commands/zdiff/>
fn zdiff(ctx: &mut Ctx<'_>) -> Outcome {
    combine(ctx, "zdiff", Operation::Diff, Purpose::Reply)
}

/// <https://valkey.io/commands/zdiffstore/>
fn zdiffstore(ctx: &mut Ctx<'_>) -> Outcome {
    combine(ctx, "zdiffstore", Operation::Diff, Purpose::Store)
}

fn combine(ctx: &mut Ctx<'_>, name: &'static str, operation: Operation, purpose: Purpose) -> Outcome {
    let (args, db, cfg) = (ctx.args, ctx.db(), config(ctx));
    let count_at = if purpose == Purpose::Store { 2 } else { 1 };
    let keys = ctx.int_arg(count_at)?;
    if keys < 1 {
        return Err(CmdError::with(format!("ERR at least 1 input key is needed for '{name}' command")));
    }
    let first = count_at + 1;
    let keys = usize::try_from(keys).ok().filter(|&n| n <= args.len() - first).ok_or(CmdError::SYNTAX)?;
    // A lookup may delete what has expired, so that all have to be done before the first value is looked at.
    for key in args.from(first).take(keys) {
        let Some(pos) = ctx.store.read(db, key) else { continue };
        if !matches!(ctx.store.entry(db, pos).kind(), Type::ZSet | Type::Set) {
            return Err(CmdError::WRONG_TYPE);
        }
    }
    let options = Options::parse(ctx, first + keys, keys, operation, purpose)?;
    let table = ctx.store.table(db);
    let input = |(key, &weight): (&[u8], &f64)| {
        let entry = table.find(table.hash(key), key).map(|pos| table.get(pos));
        Input { entry, weight }
    };
    let mut inputs: Vec<Input<'_>> = args.from(first).zip(&options.weights).map(input).collect();
    if operation != Operation::Diff {
        // The smallest first: fewer lookups, and the order in which the reference adds scores.
        inputs.sort_by_key(Input::len);
    }
    if purpose == Purpose::Count {
        let n = count_inter(&inputs, options.limit);
        return ctx.count(n);
    }
    let mut result = match operation {
        Operation::Union => union(&inputs, options.aggregate, &cfg),
        Operation::Inter => inter(&inputs, options.aggregate, &cfg),
        Operation::Diff => diff(&inputs, &cfg),
    };
    drop(inputs);
    if purpose == Purpose::Store {
        result.make_pack_if_small(&cfg);
        return store_result(ctx, args.at(1), result, name);
    }
    let (out, shape) = (&mut ctx.session.out, Shape::new(options.with_scores));
    shape.head(out, result.len());
    result.for_range(0, result.len(), false, |member, score| shape.member(out, member, score));
    ctx.store.discard(Value::ZSet(result));
    Ok(Flow::Done)
}

fn union(inputs: &[Input<'_>], aggregate: Aggregate, cfg: &ZSetConfig) -> ZSet {
    let mut result = ZSet::new_indexed(cfg);
    for input in inputs {
        input.each(|member, score| {
            let score = number(input.weight * score);
            result.update(member, cfg, |old| Some(old.map_or(score, |old| aggregate.apply(old, score))));
            true
        });
    }
    result
}

fn inter(inputs: &[Input<'_>], aggregate: Aggregate, cfg: &ZSetConfig) -> ZSet {
    let mut result = ZSet::new_indexed(cfg);
    let [smallest, others @ ..] = inputs else { return result };
    smallest.each(|member, score| {
        let start = number(smallest.weight * score);
        let in_all = others.iter().try_fold(start, |sum, other| {
            other.score(member).map(|score| aggregate.apply(sum, other.weight * score))
        });
        if let Some(score) = in_all {
            result.insert(member, score, cfg);
        }
        true
    });
    result
}

fn count_inter(inputs: &[Input<'_>], limit: usize) -> usize {
    let mut n = 0;
    let [smallest, others @ ..] = inputs else { return n };
    smallest.each(|member, _| {
        n += usize::from(others.iter().all(|other| other.score(member).is_some()));
        limit == 0 || n < limit
    });
    n
}

fn diff(inputs: &[Input<'_>], cfg: &ZSetConfig) -> ZSet {
    let mut result = ZSet::new_indexed(cfg);
    let [first, others @ ..] = inputs else { return result };
    let lookups = first.len().saturating_mul(others.len());
    let removals: usize = others.iter().map(Input::len).sum();
    let look_up = lookups <= removals;
    first.each(|member, score| {
        if !(look_up && others.iter().any(|other| other.score(member).is_some())) {
            result.insert(member, score, cfg);
        }
        true
    });
    if !look_up {
        for other in others {
            other.each(|member, _| {
                result.remove(member);
                !result.is_empty()
            });
        }
    }
    result
}
