//! Removing entries: trimming, deleting.

use super::{event, find_to_write, id_arg, id_args, stream_mut};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    resp::error::shown,
    value::{
        Stream,
        stream::{Deleted, Keep, NewId, ParsedId, References, StreamId, Trim},
    },
};

use super::INVALID_ID;

/// How XADD and XTRIM are told what to trim.
pub(super) const TRIM: &[Arg] = &[
    Arg::new(
        "strategy",
        ArgKind::OneOf(&[Arg::word("maxlen", "MAXLEN"), Arg::word("minid", "MINID").since("6.2.0")]),
    ),
    Arg::new("operator", ArgKind::OneOf(&[Arg::word("equal", "="), Arg::word("approximately", "~")]))
        .optional(),
    Arg::new("threshold", ArgKind::String),
    Arg::new("count", ArgKind::Integer).token("LIMIT").since("6.2.0").optional(),
];

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("xtrim", -4, Group::Stream, xtrim)
        .flags(&[Flags::WRITE])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc(
            "5.0.0",
            "Removes the oldest entries of a stream.",
            "O(N) where N is the number of entries that go, most of them a node at a time",
        )
        .args(&[Arg::key("key", 0), Arg::new("trim", ArgKind::Block(TRIM))])
        .history(&[("6.2.0", "Trimming by `MINID`, and `LIMIT`.")])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("xdel", -3, Group::Stream, xdel)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("5.0.0", "Deletes entries of a stream.", "O(1) an entry, however long the stream")
        .args(&[Arg::key("key", 0), Arg::new("id", ArgKind::String).multiple()]),
    CommandSpec::new("xdelex", -5, Group::Stream, xdelex)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc(
            "8.2.0",
            "Deletes entries of a stream, and what groups keep of them, or only those that no group needs.",
            "O(1) an entry, however long the stream",
        )
        .args(&[Arg::key("key", 0), REFERENCES, IDS]),
    CommandSpec::new("xackdel", -6, Group::Stream, xackdel)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE).or(KeyFlags::DELETE), 1, 1, 1)])
        .doc("8.2.0", "Acknowledges entries that a group was delivered, and deletes them.", "O(1) an ID")
        .args(&[Arg::key("key", 0), Arg::new("group", ArgKind::String), REFERENCES, IDS]),
];

const REFERENCES: Arg = Arg::new(
    "condition",
    ArgKind::OneOf(&[
        Arg::word("keepref", "KEEPREF"),
        Arg::word("delref", "DELREF"),
        Arg::word("acked", "ACKED"),
    ]),
)
.optional();
const IDS: Arg = Arg::new(
    "ids",
    ArgKind::Block(&[Arg::new("numids", ArgKind::Integer), Arg::new("id", ArgKind::String).multiple()]),
)
.token("IDS");

/// The arguments of XADD before the fields, and those of XTRIM.
pub(super) struct TrimArgs {
    trim: Option<Trim>,
    references: References,
    /// NOMKSTREAM.
    pub only_existing: bool,
    pub id: NewId,
    /// Where the ID stands.
    pub end: usize,
}

impl TrimArgs {
    /// Reads the arguments from the second on.
    pub fn parse(ctx: &Ctx<'_>, is_xadd: bool) -> Result<TrimArgs, CmdError> {
        let args = ctx.args;
        let mut parsed = TrimArgs {
            trim: None,
            references: References::Keep,
            only_existing: false,
            id: NewId::Auto,
            end: 0,
        };
        let (mut keep, mut approximate, mut limit, mut references) = (None, false, None, None);
        let mut i = 2;
        while i < args.len() {
            let more = args.len() - 1 - i;
            let by_len = more > 0 && ctx.is_word(i, "maxlen");
            if is_xadd && shown(args.at(i)) == b"*" {
                break;
            } else if by_len || more > 0 && ctx.is_word(i, "minid") {
                if keep.is_some() {
                    return Err(CmdError::new(
                        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
                    ));
                }
                approximate = more > 1 && shown(args.at(i + 1)) == b"~";
                i += 1 + usize::from(approximate || more > 1 && shown(args.at(i + 1)) == b"=");
                keep = Some(if by_len {
                    match ctx.int_arg(i)? {
                        n @ 0.. => Keep::Newest(n as u64),
                        _ => return Err(CmdError::new("ERR The MAXLEN argument must be >= 0.")),
                    }
                } else {
                    Keep::From(id_arg(ctx, i)?)
                });
            } else if more > 0 && ctx.is_word(i, "limit") {
                i += 1;
                limit = match ctx.int_arg(i)? {
                    n @ 0.. => Some(n as u64),
                    _ => return Err(CmdError::new("ERR The LIMIT argument must be >= 0.")),
                };
            } else if let Some(given) = references_arg(ctx, i) {
                if references.replace(given).is_some() {
                    return Err(CmdError::SYNTAX);
                }
            } else if is_xadd && ctx.is_word(i, "nomkstream") {
                parsed.only_existing = true;
            } else if is_xadd {
                parsed.id = match StreamId::parse_any(args.at(i), 0).ok_or(INVALID_ID)? {
                    ParsedId::Whole(id) => NewId::Exact(id),
                    ParsedId::AnySeq(ms) => NewId::Ms(ms),
                };
                break;
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        parsed.end = i;
        if keep.is_none() && limit.is_some_and(|n| n > 0) {
            return Err(CmdError::new(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ));
        }
        if keep.is_none() && !is_xadd {
            return Err(CmdError::new("ERR syntax error, XTRIM must be called with a trimming strategy"));
        }
        let limit = match limit {
            Some(_) if !approximate => {
                return Err(CmdError::new(
                    "ERR syntax error, LIMIT cannot be used without the special ~ option",
                ));
            }
            Some(n) => n,
            None if approximate => default_limit(ctx.state.config.stream().node_max_entries),
            None => 0,
        };
        parsed.references = references.unwrap_or_default();
        parsed.trim = keep.map(|keep| Trim { keep, approximate, limit });
        Ok(parsed)
    }

    /// Trims a stream, if that was asked for. Returns how many entries went.
    pub fn trim(&self, stream: &mut Stream) -> u64 {
        self.trim.as_ref().map_or(0, |trim| stream.trim(trim, self.references))
    }
}

/// What becomes of entries in the groups, if argument `i` says it.
fn references_arg(ctx: &Ctx<'_>, i: usize) -> Option<References> {
    let words =
        [("keepref", References::Keep), ("delref", References::Delete), ("acked", References::Acknowledged)];
    words.into_iter().find(|(word, _)| ctx.is_word(i, word)).map(|(_, references)| references)
}

/// How many entries go at most where the client says nothing: as many as a hundred nodes have.
fn default_limit(node_max_entries: u64) -> u64 {
    match (node_max_entries as i64).wrapping_mul(100) {
        n @ 1.. => n.min(1_000_000) as u64,
        _ => 10_000,
    }
}

/// <https://valkey.io/commands/xtrim/>
fn xtrim(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, key) = (ctx.db(), ctx.args.at(1));
    let parsed = TrimArgs::parse(ctx, false)?;
    let Some(pos) = find_to_write(ctx.store, db, key)? else { return ctx.int(0) };
    let removed = parsed.trim(stream_mut(&mut ctx.store.edit(db, pos)));
    if removed > 0 {
        ctx.store.changed(db, key, event("xtrim"));
        ctx.store.changes.dirty += removed - 1;
    }
    ctx.int(removed as i64)
}

/// <https://valkey.io/commands/xdel/>
fn xdel(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, key) = (ctx.db(), ctx.args.at(1));
    let Some(pos) = find_to_write(ctx.store, db, key)? else { return ctx.int(0) };
    let ids = id_args(ctx, 2, ctx.args.len())?;
    let mut edit = ctx.store.edit(db, pos);
    let log = &mut stream_mut(&mut edit).log;
    let deleted = ids.into_iter().filter(|&id| log.delete(id)).count();
    drop(edit);
    if deleted > 0 {
        ctx.store.changed(db, key, event("xdel"));
        ctx.store.changes.dirty += deleted as u64 - 1;
    }
    ctx.count(deleted)
}

/// The options of XDELEX and XACKDEL from argument `from` on: what becomes of the entries in the groups, and their IDs.
fn ids_options(ctx: &Ctx<'_>, from: usize) -> Result<(References, Vec<StreamId>), CmdError> {
    let (mut references, mut ids) = (None, None);
    let mut i = from;
    while i < ctx.args.len() {
        if let Some(given) = references_arg(ctx, i)
            && references.is_none()
        {
            references = Some(given);
            i += 1;
        } else if ctx.is_word(i, "ids") && i + 1 < ctx.args.len() && ids.is_none() {
            let count = int(ctx.args.at(i + 1)).ok().and_then(|n| usize::try_from(n).ok());
            let count = count
                .filter(|&n| n > 0)
                .ok_or(CmdError::new("ERR Number of IDs must be a positive integer"))?;
            let end = (i + 2).checked_add(count).filter(|&end| end <= ctx.args.len());
            let end =
                end.ok_or(CmdError::new("ERR The `numids` parameter must match the number of arguments"))?;
            ids = Some(id_args(ctx, i + 2, end)?);
            i = end;
        } else {
            return Err(CmdError::SYNTAX);
        }
    }
    Ok((references.unwrap_or_default(), ids.ok_or(CmdError::SYNTAX)?))
}

/// <https://redis.io/docs/latest/commands/xdelex/>
fn xdelex(ctx: &mut Ctx<'_>) -> Outcome {
    let (references, ids) = ids_options(ctx, 2)?;
    delete_each(ctx, &ids, |stream, id| stream.delete(id, references))
}

/// <https://redis.io/docs/latest/commands/xackdel/>
fn xackdel(ctx: &mut Ctx<'_>) -> Outcome {
    let group = ctx.args.at(2);
    let (references, ids) = ids_options(ctx, 3)?;
    delete_each(ctx, &ids, |stream, id| {
        let acknowledged = stream.groups.edit(group).is_some_and(|mut group| group.acknowledge(id));
        match acknowledged.then(|| stream.delete(id, references)) {
            None => Deleted::Absent,
            // It was pending here, though it was deleted before.
            Some(Deleted::Absent) => Deleted::Gone,
            Some(deleted) => deleted,
        }
    })
}

/// Replies for each ID what `delete` makes of it: -1, 1, or 2 for an entry that is still needed.
fn delete_each(
    ctx: &mut Ctx<'_>,
    ids: &[StreamId],
    delete: impl Fn(&mut Stream, StreamId) -> Deleted,
) -> Outcome {
    let (db, key) = (ctx.db(), ctx.args.at(1));
    let found = find_to_write(ctx.store, db, key)?;
    let out = &mut ctx.session.out;
    out.array(ids.len());
    let Some(pos) = found else {
        ids.iter().for_each(|_| out.int(-1));
        return Ok(Flow::Done);
    };
    let mut edit = ctx.store.edit(db, pos);
    let stream = stream_mut(&mut edit);
    let before = stream.log.len();
    for &id in ids {
        out.int(match delete(stream, id) {
            Deleted::Absent => -1,
            Deleted::Gone => 1,
            Deleted::Needed => 2,
        });
    }
    let deleted = before - stream.log.len();
    drop(edit);
    if deleted > 0 {
        ctx.store.changed(db, key, event("xdel"));
        ctx.store.changes.dirty += deleted - 1;
    } else {
        // The groups may have changed.
        ctx.store.changes.changed_quietly(db, key, None);
    }
    Ok(Flow::Done)
}
