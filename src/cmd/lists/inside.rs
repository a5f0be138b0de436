//! What looks into lists and changes them inside.

use super::{changed, find, list, list_mut, reply};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    store::changes::{Class, Event},
    value::list::{Place, PositionQuery},
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("llen", 2, Group::List, llen)
        .flags(&[Flags::READONLY, Flags::FAST])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RO, 1, 1, 1)])
        .doc("1.0.0", "Counts the elements of a list.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    CommandSpec::new("lrange", 4, Group::List, lrange)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.0.0", "Reads a range of elements of a list.", "O(S+N)")
        .args(&[Arg::key("key", 0), Arg::new("start", ArgKind::Integer), Arg::new("stop", ArgKind::Integer)]),
    CommandSpec::new("lindex", 3, Group::List, lindex)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("1.0.0", "Reads an element of a list by its index.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("index", ArgKind::Integer)]),
    CommandSpec::new("lpos", -3, Group::List, lpos)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc("6.0.6", "Finds where elements stand in a list.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("element", ArgKind::String),
            Arg::new("rank", ArgKind::Integer).token("RANK").optional(),
            Arg::new("num-matches", ArgKind::Integer).token("COUNT").optional(),
            Arg::new("len", ArgKind::Integer).token("MAXLEN").optional(),
        ]),
    CommandSpec::new("lset", 4, Group::List, lset)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("1.0.0", "Replaces an element of a list by its index.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("index", ArgKind::Integer),
            Arg::new("element", ArgKind::String),
        ]),
    CommandSpec::new("linsert", 5, Group::List, linsert)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("2.2.0", "Inserts an element before or after another one.", "O(N)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("where", ArgKind::OneOf(&[Arg::word("before", "BEFORE"), Arg::word("after", "AFTER")])),
            Arg::new("pivot", ArgKind::String),
            Arg::new("element", ArgKind::String),
        ]),
    CommandSpec::new("lrem", 4, Group::List, lrem)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("1.0.0", "Removes elements equal to a value from a list.", "O(N+M)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("count", ArgKind::Integer),
            Arg::new("element", ArgKind::String),
        ]),
    CommandSpec::new("ltrim", 4, Group::List, ltrim)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::LIST])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("1.0.0", "Keeps a range of a list and removes the rest.", "O(N)")
        .args(&[Arg::key("key", 0), Arg::new("start", ArgKind::Integer), Arg::new("stop", ArgKind::Integer)]),
];

/// An integer for which the smallest one, that has no opposite, is refused.
fn int_with_opposite(text: &[u8]) -> Result<i64, CmdError> {
    match int(text)? {
        i64::MIN => Err(CmdError::new(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        )),
        n => Ok(n),
    }
}

/// First element and number of elements between two indexes of a list, both inclusive, negative ones from its end.
fn range(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let start = if start < 0 { (len + start).max(0) } else { start };
    let stop = if stop < 0 { len + stop } else { stop.min(len - 1) };
    if start > stop { (0, 0) } else { (start as usize, (stop - start + 1) as usize) }
}

/// <https://valkey.io/commands/llen/>
fn llen(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else { return ctx.int(0) };
    let len = list(&ctx.store.entry(db, pos))?.len();
    ctx.count(len)
}

/// <https://valkey.io/commands/lrange/>
fn lrange(ctx: &mut Ctx<'_>) -> Outcome {
    let (start, stop) = (ctx.int_arg(2)?, ctx.int_arg(3)?);
    let db = ctx.db();
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else {
        ctx.out().array(0);
        return Ok(Flow::Done);
    };
    let entry = ctx.store.entry(db, pos);
    let list = list(&entry)?;
    let (start, n) = range(start, stop, list.len());
    let out = &mut ctx.session.out;
    out.array(n);
    list.for_range(start, n, false, |element| reply(out, element));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/lindex/>
fn lindex(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let Some(pos) = ctx.store.read(db, ctx.args.at(1)) else {
        ctx.out().null();
        return Ok(Flow::Done);
    };
    let entry = ctx.store.entry(db, pos);
    let list = list(&entry)?;
    let index = int(ctx.args.at(2))?;
    let out = &mut ctx.session.out;
    if list.get(index, |element| reply(out, element)).is_none() {
        out.null();
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/lpos/>
fn lpos(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let (mut query, mut count) = (PositionQuery { rank: 1, count: 1, max_len: 0 }, None);
    let mut i = 3;
    while i < args.len() {
        let Some(value) = args.get(i + 1) else { return Err(CmdError::SYNTAX) };
        let not_negative = |otherwise| match int(value) {
            Ok(n @ 0..) => Ok(n as usize),
            _ => Err(CmdError::new(otherwise)),
        };
        if ctx.is_word(i, "rank") {
            query.rank = int_with_opposite(value)?;
            if query.rank == 0 {
                return Err(CmdError::new(
                    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
                     negative to start from the end of the list",
                ));
            }
        } else if ctx.is_word(i, "count") {
            count = Some(not_negative("ERR COUNT can't be negative")?);
        } else if ctx.is_word(i, "maxlen") {
            query.max_len = not_negative("ERR MAXLEN can't be negative")?;
        } else {
            return Err(CmdError::SYNTAX);
        }
        i += 2;
    }
    query.count = count.unwrap_or(1);
    let mut found = Vec::new();
    if let Some(pos) = ctx.store.read(db, args.at(1)) {
        list(&ctx.store.entry(db, pos))?.positions(args.at(2), query, |index| found.push(index));
    }
    let out = &mut ctx.session.out;
    match (count, found.first()) {
        (Some(_), _) => {
            out.array(found.len());
            found.iter().for_each(|&index| out.count(index));
        }
        (None, Some(&index)) => out.count(index),
        (None, None) => out.null(),
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/lset/>
fn lset(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = ctx.state.config.list();
    let Some(found) = find(ctx.store, db, args.at(1))? else { return Err(CmdError::NO_SUCH_KEY) };
    // As in Valkey, of an index of more than 32 bits the low ones count.
    let index = i64::from(ctx.int_arg(2)? as i32);
    if !list_mut(&mut ctx.store.edit(db, found.pos)).set(index, args.at(3), &cfg) {
        return Err(CmdError::INDEX_OUT_OF_RANGE);
    }
    changed(ctx.store, db, args.at(1), "lset", false);
    ctx.ok()
}

/// <https://valkey.io/commands/linsert/>
fn linsert(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = ctx.state.config.list();
    let place = if ctx.is_word(2, "after") {
        Place::After
    } else if ctx.is_word(2, "before") {
        Place::Before
    } else {
        return Err(CmdError::SYNTAX);
    };
    let Some(found) = find(ctx.store, db, args.at(1))? else { return ctx.int(0) };
    let mut edit = ctx.store.edit(db, found.pos);
    let list = list_mut(&mut edit);
    if list.insert(place, args.at(3), args.at(4), &cfg).is_none() {
        drop(edit);
        return ctx.int(-1);
    }
    drop(edit);
    changed(ctx.store, db, args.at(1), "linsert", false);
    ctx.count(found.len + 1)
}

/// <https://valkey.io/commands/lrem/>
fn lrem(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = ctx.state.config.list();
    let count = int_with_opposite(args.at(2))?;
    let Some(found) = find(ctx.store, db, args.at(1))? else { return ctx.int(0) };
    let removed = list_mut(&mut ctx.store.edit(db, found.pos)).remove(count, args.at(3), &cfg);
    if removed > 0 {
        let emptied = removed == found.len;
        if emptied {
            ctx.store.remove_at(db, found.pos);
        }
        changed(ctx.store, db, args.at(1), "lrem", emptied);
    }
    ctx.count(removed)
}

/// <https://valkey.io/commands/ltrim/>
fn ltrim(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db) = (ctx.args, ctx.db());
    let cfg = ctx.state.config.list();
    let (start, stop) = (ctx.int_arg(2)?, ctx.int_arg(3)?);
    let Some(found) = find(ctx.store, db, args.at(1))? else { return ctx.ok() };
    let (start, n) = range(start, stop, found.len);
    if n == found.len {
        // Nothing changed, and yet Redis tells of it.
        ctx.store.changes.happened(db, args.at(1), Event(Class::List, "ltrim"));
        return ctx.ok();
    }
    let emptied = n == 0;
    if emptied {
        ctx.store.remove_at(db, found.pos);
    } else {
        list_mut(&mut ctx.store.edit(db, found.pos)).trim(start, n, &cfg);
    }
    changed(ctx.store, db, args.at(1), "ltrim", emptied);
    ctx.ok()
}
