//! Writing and deleting fields.

use super::{change, changed, config, find, hash, hash_mut, reply};
use crate::{
    base::{
        ldouble::{self, IncrError, incr_by_float},
        num::{MAX_INT_LEN, i64_to_buf, parse_i64},
    },
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    ds::table::Pos,
    store::{
        Store,
        changes::{Class, Event},
    },
    value::hash::{Elem, Until, Written, text},
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("hset", -4, Group::Hash, hset)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.0.0", "Writes fields of a hash, creating it where there is none.", "O(N)")
        .history(&[("4.0.0", "Several fields.")])
        .args(PAIRS),
    CommandSpec::new("hmset", -4, Group::Hash, hmset)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.0.0", "Writes fields of a hash, creating it where there is none.", "O(N)")
        .args(PAIRS)
        .deprecated("4.0.0", "`HSET` with multiple field-value pairs"),
    CommandSpec::new("hsetnx", 4, Group::Hash, hsetnx)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::INSERT), 1, 1, 1)])
        .doc("2.0.0", "Writes a field of a hash unless it exists.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("field", ArgKind::String), Arg::new("value", ArgKind::String)]),
    CommandSpec::new("hincrby", 4, Group::Hash, hincrby)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.0.0", "Adds a number to an integer in a field of a hash.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("field", ArgKind::String),
            Arg::new("increment", ArgKind::Integer),
        ]),
    CommandSpec::new("hincrbyfloat", 4, Group::Hash, hincrbyfloat)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("2.6.0", "Adds a floating-point number to a number in a field of a hash.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("field", ArgKind::String),
            Arg::new("increment", ArgKind::Double),
        ]),
    CommandSpec::new("hdel", -3, Group::Hash, hdel)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::HASH])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("2.0.0", "Deletes fields of a hash, and with the last one its key.", "O(N)")
        .history(&[("2.4.0", "Several fields.")])
        .args(&[Arg::key("key", 0), Arg::new("field", ArgKind::String).multiple()]),
];

const PAIRS: &[Arg] = &[
    Arg::key("key", 0),
    Arg::new(
        "data",
        ArgKind::Block(&[Arg::new("field", ArgKind::String), Arg::new("value", ArgKind::String)]),
    )
    .multiple(),
];

/// <https://valkey.io/commands/hset/>
fn hset(ctx: &mut Ctx<'_>) -> Outcome {
    let created = set_pairs(ctx, "hset")?;
    ctx.count(created)
}

/// <https://valkey.io/commands/hmset/>
fn hmset(ctx: &mut Ctx<'_>) -> Outcome {
    set_pairs(ctx, "hmset")?;
    ctx.ok()
}

/// Writes the fields and values from argument 2 on. Returns how many fields are new.
#[inline]
fn set_pairs(ctx: &mut Ctx<'_>, command: &str) -> Result<usize, CmdError> {
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.store.fields_now_ms());
    if !args.len().is_multiple_of(2) {
        return Err(CmdError::wrong_arity(command));
    }
    let (key, cfg) = (args.at(1), config(ctx));
    let found = find(ctx.store, db, key)?;
    let (created, expired) = change(ctx.store, db, key, found, |hash| {
        let (mut created, mut expired) = (0, 0);
        hash.make_room(args.from(2), &cfg);
        for i in (2..args.len()).step_by(2) {
            let written = hash.set(args.at(i), args.at(i + 1), Until::Forever, now_ms, &cfg);
            created += usize::from(written != Written::Replaced);
            expired += usize::from(written == Written::OverExpired);
        }
        (created, expired)
    });
    ctx.store.fields_expired(db, key, expired);
    changed(ctx.store, db, key, "hset");
    ctx.store.changes.dirty += (args.len() / 2 - 2) as u64;
    Ok(created)
}

/// <https://valkey.io/commands/hsetnx/>
fn hsetnx(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.store.fields_now_ms());
    let (key, field) = (args.at(1), args.at(2));
    let found = find(ctx.store, db, key)?;
    if let Some(pos) = found
        && hash(&ctx.store.entry(db, pos))?.find_live(field, now_ms).is_some()
    {
        return ctx.int(0);
    }
    write(ctx, found, "hset", args.at(3), Until::Forever);
    ctx.int(1)
}

/// Writes a value to the field at argument 2 of the hash that was found, or of a new one.
fn write(ctx: &mut Ctx<'_>, found: Option<Pos>, event: &'static str, value: &[u8], until: Until) {
    let (key, field, db, now_ms, cfg) =
        (ctx.args.at(1), ctx.args.at(2), ctx.db(), ctx.store.fields_now_ms(), config(ctx));
    let written = change(ctx.store, db, key, found, |hash| hash.set(field, value, until, now_ms, &cfg));
    ctx.store.fields_expired(db, key, (written == Written::OverExpired).into());
    changed(ctx.store, db, key, event);
}

/// <https://valkey.io/commands/hincrby/>
fn hincrby(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.store.fields_now_ms());
    let increment = int(args.at(3))?;
    let found = find(ctx.store, db, args.at(1))?;
    let current = match found {
        Some(pos) => match hash(&ctx.store.entry(db, pos))?.get(args.at(2), now_ms) {
            Some(Elem::Int(number)) => number,
            Some(Elem::Bytes(bytes)) => {
                parse_i64(bytes).ok_or(CmdError::new("ERR hash value is not an integer"))?
            }
            None => 0,
        },
        None => 0,
    };
    let sum = current.checked_add(increment);
    let sum = sum.ok_or(CmdError::new("ERR increment or decrement would overflow"))?;
    write(ctx, found, "hincrby", i64_to_buf(sum, &mut [0; MAX_INT_LEN]), Until::Keep);
    ctx.int(sum)
}

/// <https://valkey.io/commands/hincrbyfloat/>
fn hincrbyfloat(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.store.fields_now_ms());
    let increment = args.at(3);
    ldouble::check(increment).map_err(|error| match error {
        IncrError::NotAFloat => CmdError::NOT_A_FLOAT,
        IncrError::NaNOrInfinity => CmdError::new("ERR value is NaN or Infinity"),
    })?;
    let found = find(ctx.store, db, args.at(1))?;
    let sum = match found {
        Some(pos) => {
            let entry = ctx.store.entry(db, pos);
            let current = hash(&entry)?.get(args.at(2), now_ms).unwrap_or(Elem::Int(0));
            incr_by_float(text(current, &mut [0; MAX_INT_LEN]), increment)
        }
        None => incr_by_float(b"0", increment),
    };
    let sum = sum.map_err(|error| match error {
        IncrError::NotAFloat => CmdError::new("ERR hash value is not a float"),
        IncrError::NaNOrInfinity => CmdError::new("ERR increment would produce NaN or Infinity"),
    })?;
    write(ctx, found, "hincrbyfloat", &sum, Until::Keep);
    reply(ctx.out(), Elem::Bytes(&sum));
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/hdel/>
fn hdel(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.store.fields_now_ms());
    let key = args.at(1);
    let Some(pos) = find(ctx.store, db, key)? else { return ctx.int(0) };
    let mut edit = ctx.store.edit(db, pos);
    let hash = hash_mut(&mut edit);
    let mut deleted = 0;
    for field in args.from(2) {
        if let Some(spot) = hash.find_live(field, now_ms) {
            hash.remove(spot);
            deleted += 1;
        }
    }
    let emptied = hash.is_empty();
    drop(edit);
    deleted_fields(ctx.store, (db, key), pos, deleted, emptied);
    ctx.count(deleted)
}

/// Records that fields were deleted from the hash that was found at a key. The key goes with the last of them.
pub(super) fn deleted_fields(
    store: &mut Store,
    (db, key): (usize, &[u8]),
    pos: Pos,
    n: usize,
    emptied: bool,
) {
    if n == 0 {
        return;
    }
    if emptied {
        store.remove_at(db, pos);
    }
    changed(store, db, key, "hdel");
    store.changes.dirty += n as u64 - 1;
    if emptied {
        store.changes.happened(db, key, Event(Class::Generic, "del"));
    }
}
