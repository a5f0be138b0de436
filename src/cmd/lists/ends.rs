//! What happens at the ends of lists: pushing, popping, moving.

use super::{Found, changed, end_arg, find, list, list_mut, reply};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int, pops::Pops,
    },
    resp::output::Output,
    store::Store,
    value::{
        List, Value,
        list::{End, ListConfig},
    },
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("lpush", -3, Group::List, lpush)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("1.0.0", "Adds elements to the front of a list, creating it where there is none.", "O(1)")
        .history(&[("2.4.0", "Several elements.")])
        .args(&[Arg::key("key", 0), Arg::new("element", ArgKind::String).multiple()]),
    CommandSpec::new("rpush", -3, Group::List, rpush)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("1.0.0", "Adds elements to the end of a list, creating it where there is none.", "O(1)")
        .history(&[("2.4.0", "Several elements.")])
        .args(&[Arg::key("key", 0), Arg::new("element", ArgKind::String).multiple()]),
    CommandSpec::new("lpushx", -3, Group::List, lpushx)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("2.2.0", "Adds elements to the front of a list that exists.", "O(1)")
        .history(&[("4.0.0", "Several elements.")])
        .args(&[Arg::key("key", 0), Arg::new("element", ArgKind::String).multiple()]),
    CommandSpec::new("rpushx", -3, Group::List, rpushx)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("2.2.0", "Adds elements to the end of a list that exists.", "O(1)")
        .history(&[("4.0.0", "Several elements.")])
        .args(&[Arg::key("key", 0), Arg::new("element", ArgKind::String).multiple()]),
    CommandSpec::new("lpop", -2, Group::List, lpop)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("1.0.0", "Pops elements from the front of a list.", "O(N)")
        .history(&[("6.2.0", "`count`.")])
        .args(&[Arg::key("key", 0), Arg::new("count", ArgKind::Integer).since("6.2.0").optional()]),
    CommandSpec::new("rpop", -2, Group::List, rpop)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("1.0.0", "Pops elements from the end of a list.", "O(N)")
        .history(&[("6.2.0", "`count`.")])
        .args(&[Arg::key("key", 0), Arg::new("count", ArgKind::Integer).since("6.2.0").optional()]),
    CommandSpec::new("lmpop", -4, Group::List, lmpop)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::counted(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1)])
        .doc("7.0.0", "Pops elements from the first list that has any.", "O(N+M)")
        .args(&[
            Arg::new("numkeys", ArgKind::Integer),
            Arg::key("key", 0).multiple(),
            Arg::new("where", ArgKind::OneOf(&[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")])),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
        ]),
    CommandSpec::new("lmove", 5, Group::List, lmove)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::LIST])
        .keys(&[
            KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1),
            KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 2, 2, 1),
        ])
        .doc("6.2.0", "Moves an element from one end of a list to an end of another.", "O(1)")
        .args(&[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::new("wherefrom", ArgKind::OneOf(&[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")])),
            Arg::new("whereto", ArgKind::OneOf(&[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")])),
        ]),
    CommandSpec::new("rpoplpush", 3, Group::List, rpoplpush)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::LIST])
        .keys(&[
            KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE), 1, 1, 1),
            KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 2, 2, 1),
        ])
        .doc("1.2.0", "Moves the last element of a list to the front of another.", "O(1)")
        .args(&[Arg::key("source", 0), Arg::key("destination", 1)])
        .deprecated("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments"),
];

/// <https://valkey.io/commands/lpush/>
fn lpush(ctx: &mut Ctx<'_>) -> Outcome {
    push(ctx, End::Left, false)
}

/// <https://valkey.io/commands/rpush/>
fn rpush(ctx: &mut Ctx<'_>) -> Outcome {
    push(ctx, End::Right, false)
}

/// <https://valkey.io/commands/lpushx/>
fn lpushx(ctx: &mut Ctx<'_>) -> Outcome {
    push(ctx, End::Left, true)
}

/// <https://valkey.io/commands/rpushx/>
fn rpushx(ctx: &mut Ctx<'_>) -> Outcome {
    push(ctx, End::Right, true)
}

#[inline]
fn push(ctx: &mut Ctx<'_>, end: End, only_existing: bool) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let key = args.at(1);
    let cfg = ctx.state.config.list();
    let found = find(ctx.store, db, key)?;
    if found.is_none() && only_existing {
        return ctx.int(0);
    }
    let len = push_values(ctx.store, db, key, found, |list| {
        if args.len() == 3 {
            list.push(end, args.at(2), &cfg);
        } else {
            list.push_all(end, args.from(2), &cfg);
        }
    });
    changed(ctx.store, db, key, push_event(end), false);
    ctx.count(len)
}

/// Lets `f` push to the list that was found at a key, or to a new one. Returns its length.
#[inline]
fn push_values(
    store: &mut Store,
    db: usize,
    key: &[u8],
    found: Option<Found>,
    f: impl FnOnce(&mut List),
) -> usize {
    match found {
        Some(found) => {
            let mut edit = store.edit(db, found.pos);
            let list = list_mut(&mut edit);
            f(list);
            list.len()
        }
        None => {
            let mut list = List::new();
            f(&mut list);
            let len = list.len();
            store.insert(db, key, Value::List(list), None);
            len
        }
    }
}

/// <https://valkey.io/commands/lpop/>
fn lpop(ctx: &mut Ctx<'_>) -> Outcome {
    pop(ctx, End::Left, "lpop")
}

/// <https://valkey.io/commands/rpop/>
fn rpop(ctx: &mut Ctx<'_>) -> Outcome {
    pop(ctx, End::Right, "rpop")
}

#[inline]
fn pop(ctx: &mut Ctx<'_>, end: End, name: &str) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    if args.len() > 3 {
        return Err(CmdError::wrong_arity(name));
    }
    let count = match args.get(2) {
        None => None,
        Some(text) => match int(text) {
            Ok(n @ 0..) => Some(n as usize),
            _ => return Err(CmdError::MUST_BE_POSITIVE),
        },
    };
    let key = args.at(1);
    let found = find(ctx.store, db, key)?;
    let out = &mut ctx.session.out;
    let Some(found) = found else {
        match count {
            None => out.null(),
            Some(_) => out.null_array(),
        }
        return Ok(Flow::Done);
    };
    let n = count.unwrap_or(1).min(found.len);
    if count.is_some() {
        out.array(n);
    }
    if n > 0 {
        pop_to(out, ctx.store, &ctx.state.config.list(), (db, key), found, end, n);
    }
    Ok(Flow::Done)
}

/// Pops `n` elements, at least 1 and at most all, of the list that was found at a key and replies each. The key goes
/// with the last of them.
#[inline]
pub(super) fn pop_to(
    out: &mut Output,
    store: &mut Store,
    cfg: &ListConfig,
    (db, key): (usize, &[u8]),
    found: Found,
    end: End,
    n: usize,
) {
    let emptied = n == found.len;
    if emptied {
        if let Ok(list) = list(&store.entry(db, found.pos)) {
            list.for_range(0, n, end == End::Right, |element| reply(out, element));
        }
        store.remove_at(db, found.pos);
    } else {
        let mut edit = store.edit(db, found.pos);
        let list = list_mut(&mut edit);
        if n == 1 {
            list.pop(end, cfg, |element| reply(out, element));
        } else {
            list.pop_n(end, n, cfg, |element| reply(out, element));
        }
    }
    changed(store, db, key, pop_event(end), emptied);
}

/// <https://valkey.io/commands/lmpop/>
fn lmpop(ctx: &mut Ctx<'_>) -> Outcome {
    let pops = Pops::parse(ctx, 1, end_arg)?;
    if !pop_first(ctx, &pops)? {
        ctx.out().null_array();
    }
    Ok(Flow::Done)
}

/// Pops from the first list there is and replies its key and elements; false if there is none.
pub(super) fn pop_first(ctx: &mut Ctx<'_>, pops: &Pops<End>) -> Result<bool, CmdError> {
    let (args, db) = (ctx.args, ctx.db());
    for key in pops.keys.clone().map(|i| args.at(i)) {
        let Some(found) = find(ctx.store, db, key)? else { continue };
        let n = pops.count.min(found.len);
        let out = &mut ctx.session.out;
        out.array(2);
        out.bulk(key);
        out.array(n);
        pop_to(out, ctx.store, &ctx.state.config.list(), (db, key), found, pops.end, n);
        return Ok(true);
    }
    Ok(false)
}

/// <https://valkey.io/commands/lmove/>
fn lmove(ctx: &mut Ctx<'_>) -> Outcome {
    let (from, to) = (end_arg(ctx, 3)?, end_arg(ctx, 4)?);
    move_or_null(ctx, from, to)
}

/// <https://valkey.io/commands/rpoplpush/>
fn rpoplpush(ctx: &mut Ctx<'_>) -> Outcome {
    move_or_null(ctx, End::Right, End::Left)
}

fn move_or_null(ctx: &mut Ctx<'_>, from: End, to: End) -> Outcome {
    if !move_element(ctx, from, to)? {
        ctx.out().null();
    }
    Ok(Flow::Done)
}

/// Moves an element of the list at argument 1 to the one at argument 2, which may be the same, and replies it. False
/// if there is no list at the first.
pub(super) fn move_element(ctx: &mut Ctx<'_>, from: End, to: End) -> Result<bool, CmdError> {
    let (db, cfg) = (ctx.db(), ctx.state.config.list());
    let (source, destination) = (ctx.args.at(1), ctx.args.at(2));
    let store = &mut *ctx.store;
    let Some(mut found) = find(store, db, source)? else { return Ok(false) };
    let keys = store.len(db);
    let target = store.write(db, destination);
    if store.len(db) < keys {
        // The destination had expired and is gone, which may have moved the source.
        let Some(again) = find(store, db, source)? else { unreachable!("it was there") };
        found = again;
    }
    if let Some(pos) = target {
        list(&store.entry(db, pos))?;
    }
    let same = source == destination;
    let emptied = found.len == 1 && !same;
    let mut edit = store.edit(db, found.pos);
    let list = list_mut(&mut edit);
    let popped =
        if same { list.rotate(from, to, &cfg) } else { list.pop(from, &cfg, |element| element.to_vec()) };
    drop(edit);
    let Some(element) = popped else { unreachable!("no list is empty") };
    match target {
        _ if same => {}
        Some(pos) => {
            list_mut(&mut store.edit(db, pos)).push(to, &element, &cfg);
            if emptied {
                store.remove_at(db, found.pos);
            }
        }
        None => {
            if emptied {
                store.remove_at(db, found.pos);
            }
            push_values(store, db, destination, None, |list| list.push(to, &element, &cfg));
        }
    }
    changed(store, db, destination, push_event(to), false);
    changed(store, db, source, pop_event(from), emptied);
    // Two keys, but one change.
    store.changes.dirty -= 1;
    ctx.session.out.bulk(&element);
    Ok(true)
}

fn push_event(end: End) -> &'static str {
    match end {
        End::Left => "lpush",
        End::Right => "rpush",
    }
}

fn pop_event(end: End) -> &'static str {
    match end {
        End::Left => "lpop",
        End::Right => "rpop",
    }
}
