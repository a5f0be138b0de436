//! What was delivered and not acknowledged: asking for it, acknowledging it, handing it to another consumer.

use super::{
    check_type, end_arg, event, find_to_read, group_gone, id_arg, id_args, reply_entry, reply_id, start_arg,
    stream, stream_mut,
};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
        ctx::int,
    },
    ds::table::Pos,
    resp::error::shown,
    value::{
        Stream,
        stream::{Consumer, Group as Consumers, Pending, StreamId},
    },
};

const KEY_GROUP: [Arg; 2] = [Arg::key("key", 0), Arg::new("group", ArgKind::String)];
const CONSUMER: Arg = Arg::new("consumer", ArgKind::String);
const MIN_IDLE: Arg = Arg::new("min-idle-time", ArgKind::String);
const JUST_ID: Arg = Arg::word("justid", "JUSTID").optional();

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("xack", -4, Group::Stream, xack)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc("5.0.0", "Acknowledges entries that a group was delivered; counts those that were pending.", "O(1) an ID")
        .args(&[KEY_GROUP[0], KEY_GROUP[1], Arg::new("id", ArgKind::String).multiple()]),
    CommandSpec::new("xpending", -3, Group::Stream, xpending)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 1, 1, 1)])
        .doc(
            "5.0.0",
            "Tells what is pending in a group: in short, or entry by entry.",
            "O(N) where N is the number of entries returned, or looked at with IDLE; in short O(N) where N is the \
             number of consumers",
        )
        .args(&[
            KEY_GROUP[0],
            KEY_GROUP[1],
            Arg::new(
                "filters",
                ArgKind::Block(&[
                    Arg::new("min-idle-time", ArgKind::Integer).token("IDLE").since("6.2.0").optional(),
                    Arg::new("start", ArgKind::String),
                    Arg::new("end", ArgKind::String),
                    Arg::new("count", ArgKind::Integer),
                    Arg::new("consumer", ArgKind::String).optional(),
                ]),
            )
            .optional(),
        ])
        .history(&[("6.2.0", "`IDLE`, and ranges without their ends.")])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("xclaim", -6, Group::Stream, xclaim)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::UPDATE), 1, 1, 1)])
        .doc(
            "5.0.0",
            "Hands pending entries to a consumer, as if they were delivered to it.",
            "O(log N) where N is the number of entries pending in the group",
        )
        .args(&[
            KEY_GROUP[0],
            KEY_GROUP[1],
            CONSUMER,
            MIN_IDLE,
            Arg::new("id", ArgKind::String).multiple(),
            Arg::new("ms", ArgKind::Integer).token("IDLE").optional(),
            Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("TIME").optional(),
            Arg::new("count", ArgKind::Integer).token("RETRYCOUNT").optional(),
            Arg::word("force", "FORCE").optional(),
            JUST_ID,
            Arg::new("lastid", ArgKind::String).token("LASTID").optional(),
        ])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("xautoclaim", -6, Group::Stream, xautoclaim)
        .flags(&[Flags::WRITE, Flags::FAST])
        .acl(&[Categories::STREAM])
        .keys(&[KeySpec::range(KeyFlags::RW.or(KeyFlags::DELETE), 1, 1, 1)])
        .doc(
            "6.2.0",
            "Hands the entries that are pending for long to a consumer, in steps.",
            "O(1) if COUNT is small.",
        )
        .args(&[
            KEY_GROUP[0],
            KEY_GROUP[1],
            CONSUMER,
            MIN_IDLE,
            Arg::new("start", ArgKind::String),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
            JUST_ID,
        ])
        .history(&[("7.0.0", "The reply ends with the entries that were deleted, and so are pending no more.")])
        .tips(&["nondeterministic_output"]),
];

/// Finds the stream at argument 1, if it has the group at argument 2.
fn find_group(ctx: &Ctx<'_>, found: Option<Pos>) -> Result<Pos, CmdError> {
    let (key, name) = (ctx.args.at(1), ctx.args.at(2));
    let gone = || group_gone(key, name, "");
    let pos = check_type(ctx.store, ctx.db(), found)?.ok_or_else(gone)?;
    match stream(&ctx.store.entry(ctx.db(), pos))?.groups.get(name) {
        Some(_) => Ok(pos),
        None => Err(gone()),
    }
}

/// <https://valkey.io/commands/xack/>
fn xack(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, key) = (ctx.args, ctx.db(), ctx.args.at(1));
    let Some(pos) = find_to_read(ctx.store, db, key)? else { return ctx.int(0) };
    if stream(&ctx.store.entry(db, pos))?.groups.get(args.at(2)).is_none() {
        return ctx.int(0);
    }
    let ids = id_args(ctx, 3, args.len())?;
    let mut edit = ctx.store.edit(db, pos);
    let group = stream_mut(&mut edit).groups.edit(args.at(2));
    let n = group.map_or(0, |mut group| ids.into_iter().filter(|&id| group.acknowledge(id)).count());
    drop(edit);
    ctx.store.changes.dirty += n as u64;
    ctx.count(n)
}

/// <https://valkey.io/commands/xpending/>
fn xpending(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, now_ms) = (ctx.args, ctx.db(), ctx.now_ms());
    let in_short = args.len() == 3;
    if !(in_short || (6..=9).contains(&args.len())) {
        return Err(CmdError::SYNTAX);
    }
    let (mut at, mut min_idle_ms) = (3, 0);
    let (mut start, mut end, mut max) = (StreamId::MIN, StreamId::MAX, 0);
    if !in_short {
        if ctx.is_word(3, "idle") {
            min_idle_ms = ctx.int_arg(4)?;
            if args.len() < 8 {
                return Err(CmdError::SYNTAX);
            }
            at = 5;
        }
        max = usize::try_from(ctx.int_arg(at + 2)?).unwrap_or(0);
        (start, end) = (start_arg(ctx, at)?, end_arg(ctx, at + 1)?);
    }
    let found = ctx.store.read(db, args.at(1));
    let pos = find_group(ctx, found)?;
    let entry = ctx.store.entry(db, pos);
    let Some(group) = stream(&entry)?.groups.get(args.at(2)) else { unreachable!("it was found") };
    let out = &mut ctx.session.out;
    if in_short {
        out.array(4);
        out.count(group.pending_len());
        let mut all = group.pending_from(StreamId::MIN);
        let Some((first, _)) = all.next() else {
            out.null();
            out.null();
            out.null_array();
            return Ok(Flow::Done);
        };
        reply_id(out, first);
        reply_id(out, all.next_back().map_or(first, |(last, _)| last));
        let busy = || group.consumers().filter(|consumer| consumer.pending_len() > 0);
        out.array(busy().count());
        for consumer in busy() {
            out.array(2);
            out.bulk(consumer.name());
            out.bulk_int(consumer.pending_len() as i64);
        }
        return Ok(Flow::Done);
    }
    let consumer = match args.get(at + 3) {
        None => None,
        Some(name) => match group.find_consumer(name) {
            Some(key) => Some(group.consumer(key)),
            None => {
                out.array(0);
                return Ok(Flow::Done);
            }
        },
    };
    let idle_for = |pending: &Pending| now_ms.wrapping_sub(pending.delivered_ms);
    let fits = |pending: &Pending| min_idle_ms == 0 || idle_for(pending) >= min_idle_ms;
    let chosen = pending_of(group, consumer, start, end);
    let chosen: Vec<_> = chosen.filter(|(_, pending)| fits(pending)).take(max).collect();
    out.array(chosen.len());
    for (id, pending) in chosen {
        out.array(4);
        reply_id(out, id);
        out.bulk(group.consumer(pending.owner).name());
        out.int(idle_for(&pending).max(0));
        out.int(pending.deliveries as i64);
    }
    Ok(Flow::Done)
}

/// What is pending of a consumer, or of all, in a range of IDs.
fn pending_of<'g>(
    group: &'g Consumers,
    consumer: Option<&'g Consumer>,
    start: StreamId,
    end: StreamId,
) -> Box<dyn Iterator<Item = (StreamId, Pending)> + 'g> {
    let inside = move |id: &StreamId| *id <= end;
    match consumer {
        None => {
            Box::new(group.pending_from(start).take_while(move |(id, _)| inside(id)).map(|(id, p)| (id, *p)))
        }
        Some(consumer) => {
            let ids = consumer.pending_from(start).take_while(inside);
            Box::new(ids.filter_map(|id| Some((id, *group.pending(id)?))))
        }
    }
}

/// What XCLAIM is asked for beside the IDs.
struct Claim {
    ids: Vec<StreamId>,
    delivered_ms: i64,
    deliveries: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl Claim {
    fn parse(ctx: &Ctx<'_>) -> Result<Claim, CmdError> {
        let (args, now_ms) = (ctx.args, ctx.now_ms());
        let number = |i: usize, option: &str| {
            let wrong = || CmdError::with(format!("ERR Invalid {option} option argument for XCLAIM"));
            int(args.at(i)).map_err(|_| wrong())
        };
        // What is no ID is an option.
        let ids: Vec<StreamId> = args.from(5).map_while(|text| StreamId::parse(text, 0)).collect();
        let mut claim = Claim {
            delivered_ms: -1,
            deliveries: None,
            force: false,
            just_id: false,
            last_id: StreamId::MIN,
            ids,
        };
        let mut i = 5 + claim.ids.len();
        while i < args.len() {
            let more = i + 1 < args.len();
            let options = ["idle", "time", "retrycount", "lastid"];
            match options.iter().position(|option| more && ctx.is_word(i, option)) {
                _ if ctx.is_word(i, "force") => claim.force = true,
                _ if ctx.is_word(i, "justid") => claim.just_id = true,
                Some(0) => claim.delivered_ms = now_ms.wrapping_sub(number(i + 1, "IDLE")?),
                Some(1) => claim.delivered_ms = number(i + 1, "TIME")?,
                Some(2) => claim.deliveries = u64::try_from(number(i + 1, "RETRYCOUNT")?).ok(),
                Some(_) => claim.last_id = id_arg(ctx, i + 1)?,
                None => {
                    let text = [b"ERR Unrecognized XCLAIM option '", shown(args.at(i)), b"'"].concat();
                    return Err(CmdError::with(text));
                }
            }
            i += if ctx.is_word(i, "force") || ctx.is_word(i, "justid") { 1 } else { 2 };
        }
        // A time that makes no sense is now, as the client's clock may differ.
        if !(0..=now_ms).contains(&claim.delivered_ms) {
            claim.delivered_ms = now_ms;
        }
        Ok(claim)
    }
}

/// <https://valkey.io/commands/xclaim/>
fn xclaim(ctx: &mut Ctx<'_>) -> Outcome {
    let (args, db, key, now_ms) = (ctx.args, ctx.db(), ctx.args.at(1), ctx.now_ms());
    let found = ctx.store.read(db, key);
    let pos = find_group(ctx, found)?;
    let min_idle_ms =
        int(args.at(4)).map_err(|_| CmdError::new("ERR Invalid min-idle-time argument for XCLAIM"))?.max(0);
    let claim = Claim::parse(ctx)?;
    let mut edit = ctx.store.edit(db, pos);
    let Stream { log, groups } = stream_mut(&mut edit);
    let Some(mut group) = groups.edit(args.at(2)) else { unreachable!("it was found") };
    let mut changes = 0;
    if claim.last_id > group.last_id {
        group.last_id = claim.last_id;
        changes = 1;
    }
    let (owner, added) = group.find_or_add_consumer(args.at(3), now_ms);
    let mut claimed = Vec::new();
    for &id in &claim.ids {
        let old = group.pending(id).copied();
        if !log.contains(id) {
            changes += u64::from(group.acknowledge(id));
            continue;
        }
        let idle_ms = old.map(|old| now_ms.wrapping_sub(old.delivered_ms));
        if old.is_none() && !claim.force || min_idle_ms > 0 && idle_ms.is_some_and(|ms| ms < min_idle_ms) {
            continue;
        }
        let before = old.map_or(1, |old| old.deliveries);
        let deliveries = claim.deliveries.unwrap_or(before.wrapping_add(u64::from(!claim.just_id)));
        group.deliver(id, Pending { delivered_ms: claim.delivered_ms, deliveries, owner });
        group.consumer_mut(owner).active_ms = now_ms;
        claimed.push(id);
    }
    changes += claimed.len() as u64;
    let out = &mut ctx.session.out;
    out.array(claimed.len());
    for id in claimed {
        if claim.just_id {
            reply_id(out, id);
        } else {
            log.get(id, |entry| reply_entry(out, entry));
        }
    }
    drop(group);
    drop(edit);
    finish(ctx, key, added, changes)
}

/// Records what a claim changed.
fn finish(ctx: &mut Ctx<'_>, key: &[u8], added: bool, changes: u64) -> Outcome {
    if added {
        let db = ctx.db();
        ctx.store.changes.changed_quietly(db, key, Some(event("xgroup-createconsumer")));
    }
    ctx.store.changes.dirty += changes;
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/xautoclaim/>
fn xautoclaim(ctx: &mut Ctx<'_>) -> Outcome {
    /// How many entries are looked at for each that is claimed.
    const ATTEMPTS: u64 = 10;
    const COUNT_MAX: i64 = i64::MAX / 16;
    let (args, db, key, now_ms) = (ctx.args, ctx.db(), ctx.args.at(1), ctx.now_ms());
    let found = ctx.store.read(db, key);
    let min_idle_ms = int(args.at(4))
        .map_err(|_| CmdError::new("ERR Invalid min-idle-time argument for XAUTOCLAIM"))?
        .max(0);
    let mut cursor = Some(start_arg(ctx, 5)?);
    let (mut count, mut just_id) = (100, false);
    let mut i = 6;
    while i < args.len() {
        if i + 1 < args.len() && ctx.is_word(i, "count") {
            i += 1;
            count = match int(args.at(i)) {
                Ok(n @ 1..=COUNT_MAX) => n as u64,
                _ => return Err(CmdError::new("ERR COUNT must be > 0")),
            };
        } else if ctx.is_word(i, "justid") {
            just_id = true;
        } else {
            return Err(CmdError::SYNTAX);
        }
        i += 1;
    }
    let pos = find_group(ctx, found)?;
    let mut edit = ctx.store.edit(db, pos);
    let Stream { log, groups } = stream_mut(&mut edit);
    let Some(mut group) = groups.edit(args.at(2)) else { unreachable!("it was found") };
    let (owner, added) = group.find_or_add_consumer(args.at(3), now_ms);
    let (mut claimed, mut deleted) = (Vec::new(), Vec::new());
    let mut attempts = count.saturating_mul(ATTEMPTS);
    let next = |group: &Consumers, cursor: Option<StreamId>| {
        group.pending_from(cursor?).next().map(|(id, &pending)| (id, pending))
    };
    while attempts > 0 && count > 0 {
        let Some((id, old)) = next(&group, cursor) else { break };
        attempts -= 1;
        cursor = id.next();
        if !log.contains(id) {
            group.acknowledge(id);
            deleted.push(id);
            count -= 1;
            continue;
        }
        if min_idle_ms > 0 && now_ms.wrapping_sub(old.delivered_ms) < min_idle_ms {
            continue;
        }
        let deliveries = old.deliveries.wrapping_add(u64::from(!just_id));
        group.deliver(id, Pending { delivered_ms: now_ms, deliveries, owner });
        group.consumer_mut(owner).active_ms = now_ms;
        claimed.push(id);
        count -= 1;
    }
    let out = &mut ctx.session.out;
    out.array(3);
    reply_id(out, next(&group, cursor).map_or(StreamId::MIN, |(id, _)| id));
    out.array(claimed.len());
    for &id in &claimed {
        if just_id {
            reply_id(out, id);
        } else {
            log.get(id, |entry| reply_entry(out, entry));
        }
    }
    out.array(deleted.len());
    deleted.iter().for_each(|&id| reply_id(out, id));
    drop(group);
    drop(edit);
    finish(ctx, key, added, (claimed.len() + deleted.len()) as u64)
}
