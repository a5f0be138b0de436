//! Adding entries, and setting the counters of a stream.

use super::{
    event, find_to_write, id_arg,
    remove::{TRIM, TrimArgs},
    reply_id, stream_mut,
};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    value::{
        Stream, Value,
        stream::{NewId, NotAdded, StreamId},
    },
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("xadd", -5, Group::Stream, xadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)
            .notes("UPDATE instead of INSERT because of the optional trimming feature")])
        .doc(
            "5.0.0",
            "Adds an entry to a stream, creating it where there is none.",
            "O(1) without trimming, O(N) with it, where N is the number of entries that go",
        )
        .args(&[
            Arg::key("key", 0),
            Arg::word("nomkstream", "NOMKSTREAM").since("6.2.0").optional(),
            Arg::new("trim", ArgKind::Block(TRIM)).optional(),
            Arg::new(
                "id-selector",
                ArgKind::OneOf(&[Arg::word("auto-id", "*"), Arg::new("id", ArgKind::String)]),
            ),
            Arg::new(
                "data",
                ArgKind::Block(&[Arg::new("field", ArgKind::String), Arg::new("value", ArgKind::String)]),
            )
            .multiple(),
        ])
        .history(&[
            ("6.2.0", "`NOMKSTREAM`, trimming by `MINID`, and `LIMIT`."),
            ("7.0.0", "IDs of the form `<ms>-*`."),
        ])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("xsetid", -3, Group::Stream, xsetid)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("5.0.0", "Sets the last ID of a stream: for replication.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("last-id", ArgKind::String),
            Arg::new("entries-added", ArgKind::Integer).token("ENTRIESADDED").since("7.0.0").optional(),
            Arg::new("max-deleted-id", ArgKind::String).token("MAXDELETEDID").since("7.0.0").optional(),
        ])
        .history(&[("7.0.0", "`ENTRIESADDED` and `MAXDELETEDID`.")]),
];

/// <https://valkey.io/commands/xadd/>
fn xadd(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, key) = (ctx.args, ctx.db(), ctx.args.at(1));
    let cfg = ctx.state.config.stream();
    let parsed = TrimArgs::parse(ctx, true)?;
    let pairs = args.from(parsed.end + 1);
    if pairs.len() < 2 || pairs.len() % 2 == 1 {
        return Err(CmdError::wrong_arity("xadd"));
    }
    if parsed.id == NewId::Exact(StreamId::MIN) {
        return Err(CmdError::new("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let now_ms = ctx.now_ms();
    let add = |stream: &mut Stream| {
        let log = &mut stream.log;
        if log.last_id == StreamId::MAX {
            return Err(CmdError::new(
                "ERR The stream has exhausted the last possible ID, unable to add more items",
            ));
        }
        let added = match log.next_id(parsed.id, now_ms) {
            None => Err(NotAdded::Behind),
            Some(id) => log.append(id, pairs.clone(), &cfg).map(|()| id),
        };
        added.map_err(|why| match why {
            NotAdded::Behind => CmdError::new(
                "ERR The ID specified in XADD is equal or smaller than the target stream top item",
            ),
            NotAdded::TooLarge => CmdError::new("ERR Elements are too large to be stored"),
        })
    };
    let (id, trimmed) = match find_to_write(ctx.store, db, key)? {
        Some(pos) => {
            let mut edit = ctx.store.edit(db, pos);
            let stream = stream_mut(&mut edit);
            let id = add(stream)?;
            (id, parsed.trim(stream))
        }
        None if parsed.only_existing => {
            ctx.out().null();
            return Ok(Flow::Done);
        }
        None => {
            let mut stream = Box::new(Stream::new());
            let id = add(&mut stream)?;
            let trimmed = parsed.trim(&mut stream);
            ctx.store.insert(db, key, Value::Stream(stream), None);
            (id, trimmed)
        }
    };
    ctx.store.changed(db, key, event("xadd"));
    if trimmed > 0 {
        ctx.store.changes.happened(db, key, event("xtrim"));
    }
    ctx.store.changes.ready(db, key);
    reply_id(&mut ctx.session.out, id);
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/xsetid/>
fn xsetid(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, key) = (ctx.args, ctx.db(), ctx.args.at(1));
    let id = id_arg(ctx, 2)?;
    let (mut entries_added, mut max_deleted_id) = (None, StreamId::MIN);
    let mut i = 3;
    while i < args.len() {
        let more = i + 1 < args.len();
        if more && ctx.is_word(i, "entriesadded") {
            match ctx.int_arg(i + 1)? {
                n @ 0.. => entries_added = Some(n as u64),
                _ => return Err(CmdError::new("ERR entries_added must be positive")),
            }
        } else if more && ctx.is_word(i, "maxdeletedid") {
            max_deleted_id = id_arg(ctx, i + 1)?;
            if id < max_deleted_id {
                return Err(CmdError::new(
                    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                ));
            }
        } else {
            return Err(CmdError::SYNTAX);
        }
        i += 2;
    }
    let pos = find_to_write(ctx.store, db, key)?.ok_or(CmdError::NO_SUCH_KEY)?;
    let mut edit = ctx.store.edit(db, pos);
    let log = &mut stream_mut(&mut edit).log;
    if id < log.max_deleted_id {
        return Err(CmdError::new(
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
        ));
    }
    if log.last_entry_id().is_some_and(|last| id < last) {
        return Err(CmdError::new(
            "ERR The ID specified in XSETID is smaller than the target stream top item",
        ));
    }
    if entries_added.is_some_and(|n| n < log.len()) {
        return Err(CmdError::new(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    log.last_id = id;
    log.entries_added = entries_added.unwrap_or(log.entries_added);
    if max_deleted_id != StreamId::MIN {
        log.max_deleted_id = max_deleted_id;
    }
    drop(edit);
    ctx.store.changes.changed_quietly(db, key, Some(event("xsetid")));
    ctx.ok()
}
