//! The members of one set: adding, removing, looking for them, walking through them.

use super::{changed, find, limits, remove_empty, reply, set, set_mut};
use crate::{
    command::{
        Arg, ArgKind, Categories, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        scan::{self, ScanOptions, Walked},
    },
    resp::output::Output,
    value::{
        Set, Value,
        set::{SetConfig, with_bytes},
    },
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("sadd", -3, Group::Set, sadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("1.0.0", "Adds members to a set, creating it where there is none.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String).multiple()])
        .history(&[("2.4.0", "Accepts several `member` arguments.")]),
    CommandSpec::new("srem", -3, Group::Set, srem)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("1.0.0", "Removes members from a set, and the set with the last of them.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String).multiple()])
        .history(&[("2.4.0", "Accepts several `member` arguments.")]),
    CommandSpec::new("smove", 4, Group::Set, smove)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::SET])
        .keys(&[
            KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1),
            KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 2, 2, 1),
        ])
        .doc("1.0.0", "Moves a member from one set to another.", "O(1)")
        .args(&[Arg::key("source", 0), Arg::key("destination", 1), Arg::new("member", ArgKind::String)]),
    CommandSpec::new("sismember", 3, Group::Set, sismember)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("1.0.0", "Tells whether a set has a member.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String)]),
    CommandSpec::new("smismember", -3, Group::Set, smismember)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("6.2.0", "Tells of several members whether a set has them.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("member", ArgKind::String).multiple()]),
    CommandSpec::new("scard", 2, Group::Set, scard)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("1.0.0", "Answers how many members a set has.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("smembers", 2, Group::Set, smembers)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.0.0", "Answers all members of a set.", "O(N)")
        .args(&[Arg::key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new("sscan", -3, Group::Set, sscan)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::SET])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("2.8.0", "Walks through the members of a set.", "O(1) a call, O(N) a whole walk")
        .args(&[
            Arg::key("key", 0),
            Arg::new("cursor", ArgKind::Integer),
            Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
        ])
        .tips(&["nondeterministic_output"]),
];

/// <https://valkey.io/commands/sadd/>
fn sadd(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let (key, coming) = (args.at(1), args.len() - 2);
    let cfg = limits(&ctx.state.config, ctx.store);
    let insert_all = |set: &mut Set, cfg: &SetConfig| args.from(2).filter(|m| set.insert(m, cfg)).count();
    let added = match find(ctx.store, db, key)? {
        Some(pos) => {
            let mut edit = ctx.store.edit(db, pos);
            let set = set_mut(&mut edit);
            set.expect(coming, &cfg);
            insert_all(set, &cfg)
        }
        None => {
            let mut set = Set::for_member(args.at(2), coming, &cfg);
            let added = insert_all(&mut set, &cfg);
            ctx.store.insert(db, key, Value::Set(set), None);
            added
        }
    };
    if added > 0 {
        changed(ctx.store, db, key, "sadd");
    }
    ctx.count(added)
}

/// <https://valkey.io/commands/srem/>
fn srem(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let key = args.at(1);
    let Some(pos) = find(ctx.store, db, key)? else { return ctx.int(0) };
    let mut edit = ctx.store.edit(db, pos);
    let set = set_mut(&mut edit);
    let removed = args.from(2).filter(|member| set.remove(member)).count();
    let emptied = set.is_empty();
    drop(edit);
    if removed > 0 {
        changed(ctx.store, db, key, "srem");
    }
    if emptied {
        remove_empty(ctx.store, db, key, pos);
    }
    ctx.count(removed)
}

/// <https://valkey.io/commands/smove/>
fn smove(ctx: &mut Ctx<'_>) -> Outcome {
    let (from, to, member, db) = (ctx.args.at(1), ctx.args.at(2), ctx.args.at(3), ctx.db());
    let cfg = limits(&ctx.state.config, ctx.store);
    // Both lookups may delete what has expired, so the places hold from the second ones on.
    if ctx.store.write(db, from).is_none() {
        ctx.store.write(db, to);
        return ctx.int(0);
    }
    let target = ctx.store.write(db, to);
    let Some(source) = ctx.store.find(db, from) else { unreachable!("it was found just now") };
    set(&ctx.store.entry(db, source))?;
    if let Some(target) = target {
        set(&ctx.store.entry(db, target))?;
    }
    if from == to {
        let is_member = set(&ctx.store.entry(db, source))?.contains(member);
        return ctx.int(is_member.into());
    }
    let mut edit = ctx.store.edit(db, source);
    let set = set_mut(&mut edit);
    let (moved, emptied) = (set.remove(member), set.is_empty());
    drop(edit);
    if !moved {
        return ctx.int(0);
    }
    changed(ctx.store, db, from, "srem");
    if emptied {
        remove_empty(ctx.store, db, from, source);
    }
    let is_new = match ctx.store.find(db, to) {
        Some(target) => set_mut(&mut ctx.store.edit(db, target)).insert(member, &cfg),
        None => {
            let mut set = Set::for_member(member, 1, &cfg);
            set.insert(member, &cfg);
            ctx.store.insert(db, to, Value::Set(set), None);
            true
        }
    };
    if is_new {
        changed(ctx.store, db, to, "sadd");
    }
    ctx.int(1)
}

/// <https://valkey.io/commands/sismember/>
fn sismember(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let is_member = match ctx.store.read(db, ctx.args.at(1)) {
        Some(pos) => set(&ctx.store.entry(db, pos))?.contains(ctx.args.at(2)),
        None => false,
    };
    ctx.int(is_member.into())
}

/// <https://valkey.io/commands/smismember/>
fn smismember(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let entry = ctx.store.read(db, args.at(1)).map(|pos| ctx.store.entry(db, pos));
    let set = entry.as_deref().map(set).transpose()?;
    let out = &mut ctx.session.out;
    out.array(args.len() - 2);
    for member in args.from(2) {
        out.int(set.is_some_and(|set| set.contains(member)).into());
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/scard/>
fn scard(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let len = match ctx.store.read(db, ctx.args.at(1)) {
        Some(pos) => set(&ctx.store.entry(db, pos))?.len(),
        None => 0,
    };
    ctx.count(len)
}

/// <https://valkey.io/commands/smembers/>
fn smembers(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else {
        ctx.out().set(0);
        return Ok(Flow::Done);
    };
    let entry = ctx.store.entry(db, pos);
    let set = set(&entry)?;
    let out = &mut ctx.session.out;
    out.set(set.len());
    set.iter().for_each(|member| reply(out, member));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/sscan/>. A step visits a group of some 32 members; see SCAN.
fn sscan(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let mut cursor = scan::cursor(ctx.args.at(2))?;
    let (mut found, mut n) = (Output::default(), 0);
    if let Some(pos) = ctx.store.read(db, ctx.args.at(1)) {
        let entry = ctx.store.entry(db, pos);
        let set = set(&entry)?;
        let options = ScanOptions::parse(ctx, 3, Walked::Set)?;
        let mut looked_at = 0;
        for _ in 0..options.max_steps() {
            cursor = set.scan(cursor, |member| {
                looked_at += 1;
                if with_bytes(member, |bytes| options.matches(bytes)) {
                    reply(&mut found, member);
                    n += 1;
                }
            });
            if cursor == 0 || looked_at >= options.count {
                break;
            }
        }
    } else {
        cursor = 0;
    }
    let out = ctx.out();
    out.array(2);
    out.bulk(cursor.to_string().as_bytes());
    out.array(n);
    out.append(&mut found);
    Ok(Flow::Done)
}
