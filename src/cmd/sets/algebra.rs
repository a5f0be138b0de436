//! Several sets together: what they have in common, have at all, and what one has that others have not.

use super::{limits, reply, set};
use crate::{
    command::{
        Arg, ArgKind, Args, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec,
        Outcome, ctx::int,
    },
    ds::table::Ref,
    resp::output::Output,
    store::{
        Store,
        changes::{Class, Event},
    },
    value::{
        Entry, Set, Value,
        set::{Elem, SetConfig},
    },
};
use std::{cmp::Reverse, ops::Range, ptr};

const SOURCES: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const TARGET: KeyFlags = KeyFlags::OW.or(KeyFlags::UPDATE);

const READ_ARGS: &[Arg] = &[Arg::key("key", 0).multiple()];
const STORE_ARGS: &[Arg] = &[Arg::key("destination", 0), Arg::key("key", 1).multiple()];
const STORE_KEYS: &[KeySpec] = &[KeySpec::range(TARGET, 1, 1, 1), KeySpec::range(SOURCES, 2, -1, 1)];

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("sinter", -2, Group::Set, sinter)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(SOURCES, 1, -1, 1)])
        .doc("1.0.0", "Answers the members that several sets have in common.", "O(N*M)")
        .args(READ_ARGS)
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("sinterstore", -3, Group::Set, sinterstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::SET])
        .keys(STORE_KEYS)
        .doc("1.0.0", "Stores the members that several sets have in common.", "O(N*M)")
        .args(STORE_ARGS),
    CommandSpec::new("sintercard", -3, Group::Set, sintercard)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::counted(SOURCES, 1)])
        .doc("7.0.0", "Counts the members that several sets have in common.", "O(N*M)")
        .args(&[
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 0).multiple(),
            Arg::new("limit", ArgKind::Integer).token("LIMIT").optional(),
        ]),
    CommandSpec::new("sunion", -2, Group::Set, sunion)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(SOURCES, 1, -1, 1)])
        .doc("1.0.0", "Answers the members that any of several sets has.", "O(N)")
        .args(READ_ARGS)
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("sunionstore", -3, Group::Set, sunionstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::SET])
        .keys(STORE_KEYS)
        .doc("1.0.0", "Stores the members that any of several sets has.", "O(N)")
        .args(STORE_ARGS),
    CommandSpec::new("sdiff", -2, Group::Set, sdiff)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(SOURCES, 1, -1, 1)])
        .doc("1.0.0", "Answers the members of a set that no other one has.", "O(N)")
        .args(READ_ARGS)
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("sdiffstore", -3, Group::Set, sdiffstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::SET])
        .keys(STORE_KEYS)
        .doc("1.0.0", "Stores the members of a set that no other one has.", "O(N)")
        .args(STORE_ARGS),
];

/// The sets at several keys, to be read; `None` where there is none.
struct Sources<'s>(Vec<Option<Ref<'s, Entry>>>);

impl<'s> Sources<'s> {
    fn find(store: &'s mut Store, db: usize, args: Args<'_>, keys: Range<usize>) -> Result<Self, CmdError> {
        for key in keys.clone() {
            if let Some(pos) = store.read(db, args.at(key)) {
                set(&store.entry(db, pos))?;
            }
        }
        // What has expired is gone by now, so from here on the places hold.
        let table = store.table(db);
        let find = |key: &[u8]| table.find(table.hash(key), key).map(|pos| table.get(pos));
        Ok(Sources(keys.map(|key| find(args.at(key))).collect()))
    }

    fn sets(&self) -> impl Iterator<Item = Option<&Set>> {
        self.0.iter().map(|entry| entry.as_deref().and_then(|entry| set(entry).ok()))
    }

    /// The sets, the smallest first; `None` where one has no members.
    fn by_size(&self) -> Option<Vec<&Set>> {
        let mut sets = self.sets().collect::<Option<Vec<&Set>>>()?;
        sets.sort_by_key(|set| set.len());
        Some(sets)
    }
}

/// Shows the members that all sets have to `f`, until it returns false.
fn intersect<'a>(sets: &[&'a Set], mut f: impl FnMut(Elem<'a>) -> bool) {
    let Some((first, others)) = sets.split_first() else { return };
    for member in first.iter() {
        let in_all = others.iter().all(|other| ptr::eq(*other, *first) || other.contains_elem(member));
        if in_all && !f(member) {
            return;
        }
    }
}

/// Adds the members of all sets to `result`.
fn unite<'a>(sets: impl Iterator<Item = Option<&'a Set>>, result: &mut Set, cfg: &SetConfig) {
    for member in sets.flatten().flat_map(Set::iter) {
        result.insert_elem(member, cfg);
    }
}

/// How the members of one set that others have not are found.
enum Subtraction<'a> {
    /// There are none.
    Empty,
    /// By looking for each of its members in the others.
    Look(&'a Set, Vec<&'a Set>),
    /// By taking the others' members out of a copy.
    TakeOut(&'a Set, Vec<&'a Set>),
}

impl<'a> Subtraction<'a> {
    /// The cheaper way.
    fn plan(mut sets: impl Iterator<Item = Option<&'a Set>>) -> Subtraction<'a> {
        let Some(Some(first)) = sets.next() else { return Subtraction::Empty };
        let mut others: Vec<&Set> = sets.flatten().collect();
        if others.iter().any(|other| ptr::eq(*other, first)) {
            return Subtraction::Empty;
        }
        // Looking is stopped by what is found, and changes nothing: it may take twice the steps.
        let look_work = first.len().saturating_mul(others.len() + 1) / 2;
        let take_out_work = others.iter().fold(first.len(), |sum, set| sum.saturating_add(set.len()));
        if look_work <= take_out_work {
            // What is in a large set is found soonest.
            others.sort_by_key(|set| Reverse(set.len()));
            Subtraction::Look(first, others)
        } else {
            Subtraction::TakeOut(first, others)
        }
    }

    /// Adds the result to `result`.
    fn store(&self, result: &mut Set, cfg: &SetConfig) {
        match self {
            Subtraction::Empty => {}
            Subtraction::Look(first, others) => first
                .iter()
                .filter(|&member| !others.iter().any(|other| other.contains_elem(member)))
                .for_each(|member| {
                    result.insert_elem(member, cfg);
                }),
            Subtraction::TakeOut(first, others) => {
                first.iter().for_each(|member| {
                    result.insert_elem(member, cfg);
                });
                for other in others {
                    if result.is_empty() {
                        break;
                    }
                    other.iter().for_each(|member| {
                        result.remove_elem(member);
                    });
                }
            }
        }
    }
}

/// An empty set for a result that is replied: integers where all sets have nothing else, or a hash table.
fn scratch<'a>(mut sets: impl Iterator<Item = Option<&'a Set>>, cfg: &SetConfig) -> Set {
    let only_ints = sets.all(|set| set.is_none_or(|set| matches!(set, Set::Ints(_))));
    if only_ints { Set::new() } else { Set::table(cfg) }
}

/// Replies a result, and has its memory freed.
fn reply_set(ctx: &mut Ctx<'_>, result: Set) -> Outcome {
    let out = ctx.out();
    out.set(result.len());
    result.iter().for_each(|member| reply(out, member));
    ctx.store.discard(Value::Set(result));
    Ok(Flow::Done)
}

/// Stores a result at the key that is the first argument, or deletes the key where there is none.
fn store_set(ctx: &mut Ctx<'_>, result: Set, name: &'static str) -> Outcome {
    let (target, db, len) = (ctx.args.at(1), ctx.db(), result.len());
    if len > 0 {
        ctx.store.set_value(db, target, Value::Set(result));
        ctx.store.changed(db, target, Event(Class::Set, name));
    } else if ctx.store.clear(db, target) {
        ctx.store.changed(db, target, Event(Class::Generic, "del"));
    }
    ctx.count(len)
}

/// <https://valkey.io/commands/sinter/>
fn sinter(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let sources = Sources::find(ctx.store, db, args, 1..args.len())?;
    let sets = sources.by_size().unwrap_or_default();
    let out = &mut ctx.session.out;
    let (mut members, mut n) = (Output::default(), 0);
    intersect(&sets, |member| {
        reply(&mut members, member);
        n += 1;
        true
    });
    out.set(n);
    out.append(&mut members);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/sinterstore/>
fn sinterstore(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = limits(&ctx.state.config, ctx.store);
    let sources = Sources::find(ctx.store, db, args, 2..args.len())?;
    let sets = sources.by_size().unwrap_or_default();
    // Appending to a listpack is cheap, and it becomes what it should be at the end.
    let mut result = match sets.first() {
        Some(Set::Ints(_)) => Set::new(),
        _ => Set::Pack(Default::default()),
    };
    intersect(&sets, |member| {
        result.insert_elem(member, &cfg);
        true
    });
    result.pack_ints(&cfg);
    drop(sources);
    store_set(ctx, result, "sinterstore")
}

/// <https://valkey.io/commands/sintercard/>
fn sintercard(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let keys = match int(args.at(1)) {
        Ok(n @ 1..) => usize::try_from(n).unwrap_or(usize::MAX),
        _ => return Err(CmdError::new("ERR numkeys should be greater than 0")),
    };
    if keys > args.len() - 2 {
        return Err(CmdError::new("ERR Number of keys can't be greater than number of args"));
    }
    let mut limit = 0;
    let mut at = 2 + keys;
    while at < args.len() {
        let Some(value) = args.get(at + 1).filter(|_| ctx.is_word(at, "limit")) else {
            return Err(CmdError::SYNTAX);
        };
        limit = match int(value) {
            Ok(n @ 0..) => n,
            _ => return Err(CmdError::new("ERR LIMIT can't be negative")),
        };
        at += 2;
    }
    let sources = Sources::find(ctx.store, db, args, 2..2 + keys)?;
    let sets = sources.by_size().unwrap_or_default();
    let mut n = 0;
    intersect(&sets, |_| {
        n += 1;
        n != limit
    });
    drop(sources);
    ctx.int(n)
}

/// <https://valkey.io/commands/sunion/>
fn sunion(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = limits(&ctx.state.config, ctx.store);
    let sources = Sources::find(ctx.store, db, args, 1..args.len())?;
    let mut result = scratch(sources.sets(), &cfg);
    unite(sources.sets(), &mut result, &cfg);
    drop(sources);
    reply_set(ctx, result)
}

/// <https://valkey.io/commands/sunionstore/>
fn sunionstore(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = limits(&ctx.state.config, ctx.store);
    let sources = Sources::find(ctx.store, db, args, 2..args.len())?;
    let mut result = Set::new();
    unite(sources.sets(), &mut result, &cfg);
    drop(sources);
    store_set(ctx, result, "sunionstore")
}

/// <https://valkey.io/commands/sdiff/>
fn sdiff(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = limits(&ctx.state.config, ctx.store);
    let sources = Sources::find(ctx.store, db, args, 1..args.len())?;
    let mut result = scratch(sources.sets(), &cfg);
    Subtraction::plan(sources.sets()).store(&mut result, &cfg);
    drop(sources);
    reply_set(ctx, result)
}

/// <https://valkey.io/commands/sdiffstore/>
fn sdiffstore(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = limits(&ctx.state.config, ctx.store);
    let sources = Sources::find(ctx.store, db, args, 2..args.len())?;
    let mut result = Set::new();
    Subtraction::plan(sources.sets()).store(&mut result, &cfg);
    drop(sources);
    store_set(ctx, result, "sdiffstore")
}
