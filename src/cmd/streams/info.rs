//! XINFO: what a stream, its groups and their consumers are like.

use super::{find_to_read, no_such_group, reply_entry, reply_id, reply_range, stream};
use crate::{
    command::{
        Arg, ArgKind, Categories, CmdError, CommandSpec, Ctx, Flags, Flow, Group, KeyFlags, KeySpec, Outcome,
    },
    ds::table::Pos,
    resp::output::Output,
    value::{
        Stream,
        stream::{Consumer, Group as Consumers, IdRange, Log, StreamId},
    },
};

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::container("xinfo", Group::Stream, SUBCOMMANDS).doc(
    "5.0.0",
    "A container for the commands that look into streams.",
    "Depends on subcommand.",
)];

const READ: &[KeySpec] = &[KeySpec::range(KeyFlags::RO.or(KeyFlags::ACCESS), 2, 2, 1)];

const SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new("consumers", 4, Group::Stream, consumers)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STREAM])
        .keys(READ)
        .doc("5.0.0", "Lists the consumers of a group.", "O(1)")
        .args(&[Arg::key("key", 0), Arg::new("group", ArgKind::String)])
        .history(&[("7.2.0", "`inactive`; `idle` counts from the last attempt.")])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new("groups", 3, Group::Stream, groups)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STREAM])
        .keys(READ)
        .doc("5.0.0", "Lists the groups of a stream.", "O(1)")
        .args(&[Arg::key("key", 0)])
        .history(&[("7.0.0", "`entries-read` and `lag`.")]),
    CommandSpec::new("stream", -3, Group::Stream, info_stream)
        .flags(&[Flags::READONLY])
        .acl(&[Categories::STREAM])
        .keys(READ)
        .doc("5.0.0", "Tells what a stream is like.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new(
                "full-block",
                ArgKind::Block(&[
                    Arg::word("full", "FULL"),
                    Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
                ]),
            )
            .optional(),
        ])
        .history(&[
            ("6.0.0", "`FULL`."),
            (
                "7.0.0",
                "`max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`.",
            ),
            ("7.2.0", "`active-time`; `seen-time` is the last attempt."),
        ]),
    CommandSpec::new("help", 2, Group::Stream, help)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(&[Categories::STREAM])
        .doc("5.0.0", "Describes the subcommands.", "O(1)"),
];

/// How many entries and pending ones FULL shows by itself.
const FULL_COUNT: u64 = 10;

fn find(ctx: &mut Ctx<'_>) -> Result<Pos, CmdError> {
    let (db, key) = (ctx.db(), ctx.args.at(2));
    find_to_read(ctx.store, db, key)?.ok_or(CmdError::NO_SUCH_KEY)
}

/// <https://valkey.io/commands/xinfo-consumers/>
fn consumers(ctx: &mut Ctx<'_>) -> Outcome {
    let (db, now_ms) = (ctx.db(), ctx.now_ms());
    let pos = find(ctx)?;
    let (key, name) = (ctx.args.at(2), ctx.args.at(3));
    let entry = ctx.store.entry(db, pos);
    let group = stream(&entry)?.groups.get(name).ok_or_else(|| no_such_group(key, name))?;
    let out = &mut ctx.session.out;
    out.array(group.consumer_len());
    for consumer in group.consumers() {
        out.map(4);
        out.bulk(b"name");
        out.bulk(consumer.name());
        out.bulk(b"pending");
        out.count(consumer.pending_len());
        out.bulk(b"idle");
        out.int(now_ms.wrapping_sub(consumer.seen_ms).max(0));
        out.bulk(b"inactive");
        out.int(match consumer.active_ms {
            -1 => -1,
            active_ms => now_ms.wrapping_sub(active_ms),
        });
    }
    Ok(Flow::Done)
}

/// <https://valkey.io/commands/xinfo-groups/>
fn groups(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let pos = find(ctx)?;
    let entry = ctx.store.entry(db, pos);
    let Stream { log, groups } = stream(&entry)?;
    let out = &mut ctx.session.out;
    out.array(groups.len());
    for (name, group) in groups.iter() {
        out.map(6);
        out.bulk(b"name");
        out.bulk(name);
        out.bulk(b"consumers");
        out.count(group.consumer_len());
        out.bulk(b"pending");
        out.count(group.pending_len());
        reply_progress(out, log, group);
    }
    Ok(Flow::Done)
}

/// How far a group is.
fn reply_progress(out: &mut Output, log: &Log, group: &Consumers) {
    out.bulk(b"last-delivered-id");
    reply_id(out, group.last_id);
    for (name, value) in [("entries-read", group.entries_read), ("lag", group.lag(log))] {
        out.bulk(name.as_bytes());
        match value {
            Some(n) => out.int(n),
            None => out.null(),
        }
    }
}

/// <https://valkey.io/commands/xinfo-stream/>
fn info_stream(ctx: &mut Ctx<'_>) -> Outcome {
    let db = ctx.db();
    let pos = find(ctx)?;
    let full = match ctx.args.len() {
        3 => None,
        4 | 6 if !ctx.is_word(3, "full") => return Err(ctx.wrong_subcommand()),
        4 => Some(FULL_COUNT),
        6 if ctx.is_word(4, "count") => Some(match ctx.int_arg(5)? {
            0 => u64::MAX,
            n => u64::try_from(n).unwrap_or(FULL_COUNT),
        }),
        _ => return Err(ctx.wrong_subcommand()),
    };
    let entry = ctx.store.entry(db, pos);
    let stream = stream(&entry)?;
    let Stream { log, groups } = stream;
    let out = &mut ctx.session.out;
    out.map(if full.is_some() { 9 } else { 10 });
    out.bulk(b"length");
    out.int(log.len() as i64);
    out.bulk(b"radix-tree-keys");
    out.count(log.node_count());
    out.bulk(b"radix-tree-nodes");
    out.count(log.radix_nodes());
    out.bulk(b"last-generated-id");
    reply_id(out, log.last_id);
    out.bulk(b"max-deleted-entry-id");
    reply_id(out, log.max_deleted_id);
    out.bulk(b"entries-added");
    out.int(log.entries_added as i64);
    out.bulk(b"recorded-first-entry-id");
    reply_id(out, log.first_id());
    match full {
        None => {
            out.bulk(b"groups");
            out.count(groups.len());
            for (name, rev) in [("first-entry", false), ("last-entry", true)] {
                out.bulk(name.as_bytes());
                if log.is_empty() {
                    out.null();
                }
                log.each(IdRange::ALL, rev, |entry| {
                    reply_entry(out, entry);
                    false
                });
            }
        }
        Some(max) => {
            out.bulk(b"entries");
            reply_range(out, stream, IdRange::ALL, false, max);
            out.bulk(b"groups");
            out.array(groups.len());
            groups.iter().for_each(|(name, group)| reply_group(out, log, name, group, max));
        }
    }
    Ok(Flow::Done)
}

/// A group with up to `max` of its pending entries, and as many of each of its consumers.
fn reply_group(out: &mut Output, log: &Log, name: &[u8], group: &Consumers, max: u64) {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    out.map(7);
    out.bulk(b"name");
    out.bulk(name);
    reply_progress(out, log, group);
    out.bulk(b"pel-count");
    out.count(group.pending_len());
    out.bulk(b"pending");
    out.array(group.pending_len().min(max));
    for (id, pending) in group.pending_from(StreamId::MIN).take(max) {
        out.array(4);
        reply_id(out, id);
        out.bulk(group.consumer(pending.owner).name());
        out.int(pending.delivered_ms);
        out.int(pending.deliveries as i64);
    }
    out.bulk(b"consumers");
    out.array(group.consumer_len());
    group.consumers().for_each(|consumer| reply_consumer(out, group, consumer, max));
}

fn reply_consumer(out: &mut Output, group: &Consumers, consumer: &Consumer, max: usize) {
    out.map(5);
    out.bulk(b"name");
    out.bulk(consumer.name());
    out.bulk(b"seen-time");
    out.int(consumer.seen_ms);
    out.bulk(b"active-time");
    out.int(consumer.active_ms);
    out.bulk(b"pel-count");
    out.count(consumer.pending_len());
    out.bulk(b"pending");
    out.array(consumer.pending_len().min(max));
    for id in consumer.pending_from(StreamId::MIN).take(max) {
        let (delivered_ms, deliveries) = group.pending(id).map_or((0, 0), |p| (p.delivered_ms, p.deliveries));
        out.array(3);
        reply_id(out, id);
        out.int(delivered_ms);
        out.int(deliveries as i64);
    }
}

/// <https://valkey.io/commands/xinfo-help/>
fn help(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.help(
        "XINFO",
        &[
            "CONSUMERS <key> <groupname>",
            "    Show consumers of <groupname>.",
            "GROUPS <key>",
            "    Show the stream consumer groups.",
            "STREAM <key> [FULL [COUNT <count>]",
            "    Show information about the stream.",
        ],
    )
}
