//! Reading what comes behind an ID, of several streams, alone or as one of a group, and waiting for it.

use super::{
    INVALID_ID, event, find_to_read, group_gone, reply_entry, reply_id, reply_range, stream, stream_mut,
};
use crate::{
    command::{
        Arg, ArgKind, Args, BeginSearch, Categories, CmdError, CommandSpec, Ctx, FindKeys, Flags, Flow,
        Group, KeyFlags, KeySpec, Outcome,
        keys::{Keys, find_described},
    },
    resp::{Proto, error::shown, output::Output, request::OwnedArgs},
    state::waiters::{BlockRequest, InVain},
    value::{
        Stream, Type,
        stream::{ConsumerKey, GroupEdit, IdRange, Log, Pending, StreamId},
    },
};

/// The keys behind the word STREAMS: the first half of what follows.
const fn streams(from: i16) -> KeySpec {
    KeySpec {
        flags: KeyFlags::RO.or(KeyFlags::ACCESS),
        begin: BeginSearch::Keyword("STREAMS", from),
        find: FindKeys::Range { last: -1, step: 1, limit: 2 },
        notes: "",
    }
}

const STREAMS_FROM_1: &[KeySpec] = &[streams(1)];
const STREAMS_FROM_4: &[KeySpec] = &[streams(4)];

/// The keys behind the word STREAMS as the command understands it: a group or consumer may have that name, too. Where
/// the command does not understand its arguments, what the key specs tell.
fn stream_keys(specs: &[KeySpec], args: Args<'_>) -> Option<Keys> {
    let mut i = 1;
    while i + 1 < args.len() {
        let is = |word: &[u8]| args.at(i).eq_ignore_ascii_case(word);
        if is(b"block") || is(b"count") {
            i += 2;
        } else if is(b"group") {
            i += 3;
        } else if is(b"noack") {
            i += 1;
        } else if is(b"streams") && (args.len() - i - 1).is_multiple_of(2) {
            let streams = (args.len() - i - 1) / 2;
            return Some(Keys::default().and(i + 1, i + streams, specs[0].flags));
        } else {
            break;
        }
    }
    find_described(specs, args)
}

const STREAMS: &[Arg] = &[Arg::key("key", 0).multiple(), Arg::new("id", ArgKind::String).multiple()];

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new("xread", -4, Group::Stream, xread)
        .flags(&[Flags::BLOCKING, Flags::READONLY])
        .acl(&[Categories::STREAM])
        .keys(STREAMS_FROM_1)
        .find_keys(|args| stream_keys(STREAMS_FROM_1, args))
        .doc("5.0.0", "Returns the entries of streams behind the given IDs, waiting until there are any.", "")
        .args(&[
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
            Arg::new("milliseconds", ArgKind::Integer).token("BLOCK").optional(),
            Arg::new("streams", ArgKind::Block(STREAMS)).token("STREAMS"),
        ]),
    CommandSpec::new("xreadgroup", -7, Group::Stream, xreadgroup)
        .flags(&[Flags::BLOCKING, Flags::WRITE])
        .acl(&[Categories::STREAM])
        .keys(STREAMS_FROM_4)
        .find_keys(|args| stream_keys(STREAMS_FROM_4, args))
        .doc(
            "5.0.0",
            "Returns new entries of streams to a consumer of a group, waiting until there are any, or those that \
             it has not acknowledged.",
            "O(M) a stream, where M is the number of entries returned; an XADD that others wait for serves them all",
        )
        .args(&[
            Arg::new(
                "group-block",
                ArgKind::Block(&[Arg::new("group", ArgKind::String), Arg::new("consumer", ArgKind::String)]),
            )
            .token("GROUP"),
            Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
            Arg::new("milliseconds", ArgKind::Integer).token("BLOCK").optional(),
            Arg::word("noack", "NOACK").optional(),
            Arg::new("streams", ArgKind::Block(STREAMS)).token("STREAMS"),
        ]),
];

/// The most streams of one command that take no allocation.
const FEW: usize = 8;
/// In the place of an ID: what was not yet delivered to the group.
const NEW: StreamId = StreamId::MAX;

/// A consumer of a group that reads.
#[derive(Clone, Copy)]
struct Reader<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    /// Nothing is to be acknowledged.
    no_ack: bool,
}

/// What a reader asks for.
struct Reads<'a> {
    reader: Option<Reader<'a>>,
    /// How many entries of each stream at most.
    max: u64,
    /// Whether to wait, and until when.
    block: Option<Option<i64>>,
    /// Where the first key stands, and how many there are. As many IDs follow.
    first: usize,
    streams: usize,
}

impl<'a> Reads<'a> {
    fn parse(ctx: &Ctx<'a>, in_group: bool) -> Result<Reads<'a>, CmdError> {
        let args = ctx.args;
        let mut reads = Reads { reader: None, max: u64::MAX, block: None, first: 0, streams: 0 };
        let (mut group, mut no_ack) = (None, false);
        let mut i = 1;
        while i < args.len() && reads.first == 0 {
            let more = args.len() - 1 - i;
            if more > 0 && ctx.is_word(i, "block") {
                i += 1;
                reads.block = Some(ctx.deadline_ms_arg(i)?);
            } else if more > 0 && ctx.is_word(i, "count") {
                i += 1;
                reads.max = match ctx.int_arg(i)? {
                    n @ 1.. => n as u64,
                    _ => u64::MAX,
                };
            } else if more > 0 && ctx.is_word(i, "streams") {
                if !more.is_multiple_of(2) {
                    return Err(unbalanced(in_group));
                }
                (reads.first, reads.streams) = (i + 1, more / 2);
            } else if more > 1 && ctx.is_word(i, "group") {
                in_group.then_some(()).ok_or(CmdError::new(
                    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                ))?;
                group = Some((args.at(i + 1), args.at(i + 2)));
                i += 2;
            } else if ctx.is_word(i, "noack") {
                in_group.then_some(()).ok_or(CmdError::new(
                    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                ))?;
                no_ack = true;
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        if reads.first == 0 {
            return Err(CmdError::SYNTAX);
        }
        reads.reader = group.map(|(group, consumer)| Reader { group, consumer, no_ack });
        if in_group && reads.reader.is_none() {
            return Err(CmdError::new("ERR Missing GROUP option for XREADGROUP"));
        }
        Ok(reads)
    }

    /// Where the ID for a stream stands.
    fn id_at(&self, number: usize) -> usize {
        self.first + self.streams + number
    }
}

fn unbalanced(in_group: bool) -> CmdError {
    let (name, sign) = if in_group { ("xreadgroup", '>') } else { ("xread", '$') };
    CmdError::with(format!(
        "ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{sign}' must be specified."
    ))
}

/// <https://valkey.io/commands/xread/>
fn xread(ctx: &mut Ctx<'_>) -> Outcome {
    let reads = Reads::parse(ctx, false)?;
    read(ctx, &reads)
}

/// <https://valkey.io/commands/xreadgroup/>
fn xreadgroup(ctx: &mut Ctx<'_>) -> Outcome {
    let reads = Reads::parse(ctx, true)?;
    read(ctx, &reads)
}

fn read(ctx: &mut Ctx<'_>, reads: &Reads<'_>) -> Outcome {
    let (mut few, mut many) = ([StreamId::MIN; FEW], Vec::new());
    let ids = match few.get_mut(..reads.streams) {
        Some(few) => few,
        None => {
            many.resize(reads.streams, StreamId::MIN);
            &mut many
        }
    };
    for (number, id) in ids.iter_mut().enumerate() {
        *id = resolve(ctx, reads, number)?;
    }
    let served = if let [id] = *ids { serve(ctx, reads, 0, id)? } else { serve_many(ctx, reads, ids)? };
    match reads.block {
        _ if served => Ok(Flow::Done),
        Some(deadline_ms) => {
            let args = resolved_args(ctx, reads, ids);
            let keys = reads.first..reads.first + reads.streams;
            ctx.wait_as(keys, InVain::NullArray, |keys| BlockRequest {
                keys,
                kind: Type::Stream,
                deadline_ms,
                in_vain: InVain::NullArray,
                args,
                // A group goes with its stream.
                ends_with_key: reads.reader.is_some(),
            })
        }
        None => {
            ctx.out().null_array();
            Ok(Flow::Done)
        }
    }
}

/// The ID behind which to read a stream: `$` is its last one, `+` the one before that, `>` what is new to the group.
fn resolve(ctx: &mut Ctx<'_>, reads: &Reads<'_>, number: usize) -> Result<StreamId, CmdError> {
    let (db, key) = (ctx.db(), ctx.args.at(reads.first + number));
    let found = find_to_read(ctx.store, db, key)?;
    let text = ctx.args.at(reads.id_at(number));
    let sign = shown(text);
    let mut last_id = None;
    let mut has_group = false;
    if let Some(pos) = found {
        let entry = ctx.store.entry(db, pos);
        let stream = stream(&entry)?;
        last_id = Some(stream.log.last_id);
        has_group = reads.reader.is_some_and(|reader| stream.groups.get(reader.group).is_some());
    }
    match (sign, reads.reader) {
        (_, Some(reader)) if !has_group => {
            return Err(group_gone(key, reader.group, " in XREADGROUP with GROUP option"));
        }
        (b"$" | b"+", Some(_)) => {
            return Err(CmdError::with(format!(
                "ERR The {} ID is meaningless in the context of XREADGROUP: you want to read the history of this \
                 consumer by specifying a proper ID, or use the > ID to get new messages. The {0} ID would just \
                 return an empty result set.",
                sign[0] as char
            )));
        }
        (b">", Some(_)) => return Ok(NEW),
        (b">", None) => {
            return Err(CmdError::new(
                "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> \
                 option.",
            ));
        }
        _ => {}
    }
    match (sign, last_id) {
        (b"$", last_id) => Ok(last_id.unwrap_or_default()),
        (b"+", None) => Ok(StreamId::MIN),
        (b"+", Some(last)) => last.prev().ok_or(CmdError::new("ERR the stream last element ID is 0-0")),
        _ => StreamId::parse(text, 0).ok_or(INVALID_ID),
    }
}

/// Serves several streams. How many have something shows at the end, so that the reply is put together apart.
#[cold]
fn serve_many(ctx: &mut Ctx<'_>, reads: &Reads<'_>, ids: &[StreamId]) -> Result<bool, CmdError> {
    let apart = Output::new(ctx.session.out.proto);
    let out = std::mem::replace(&mut ctx.session.out, apart);
    let served =
        (0..ids.len()).try_fold(0, |n, i| serve(ctx, reads, i, ids[i]).map(|served| n + usize::from(served)));
    let mut body = std::mem::replace(&mut ctx.session.out, out);
    let served = served?;
    if served > 0 {
        reply_streams(&mut ctx.session.out, served);
        ctx.session.out.append(&mut body);
    }
    Ok(served > 0)
}

/// Replies what a stream has behind an ID; false if that is nothing.
fn serve(ctx: &mut Ctx<'_>, reads: &Reads<'_>, number: usize, id: StreamId) -> Result<bool, CmdError> {
    let (key, db, now_ms) = (ctx.args.at(reads.first + number), ctx.db(), ctx.now_ms());
    let Some(pos) = find_to_read(ctx.store, db, key)? else { return Ok(false) };
    let out = &mut ctx.session.out;
    let name = |out: &mut Output| {
        if reads.streams == 1 {
            reply_streams(out, 1);
        }
        if out.proto == Proto::Resp2 {
            out.array(2);
        }
        out.bulk(key);
    };
    let Some(reader) = reads.reader else {
        let entry = ctx.store.entry(db, pos);
        let stream = stream(&entry)?;
        let has_more = stream.log.last_entry_id().is_some_and(|last| last > id);
        if has_more {
            name(out);
            reply_range(out, stream, IdRange::behind(id), false, reads.max);
        }
        return Ok(has_more);
    };
    let mut edit = ctx.store.edit(db, pos);
    let Stream { log, groups } = stream_mut(&mut edit);
    let Some(mut group) = groups.edit(reader.group) else {
        return Err(group_gone(key, reader.group, " in XREADGROUP with GROUP option"));
    };
    let (consumer, added) = group.find_or_add_consumer(reader.consumer, now_ms);
    let is_history = id != NEW;
    let served = is_history || log.last_entry_id().is_some_and(|last| last > group.last_id);
    if served {
        name(out);
        if is_history {
            reply_history(out, log, &mut group, consumer, (id, reads.max), now_ms);
        } else {
            let owner = (!reader.no_ack).then_some(consumer);
            reply_new(out, log, &mut group, owner, reads.max, now_ms);
        }
    }
    drop(group);
    drop(edit);
    if added {
        ctx.store.changes.changed_quietly(db, key, Some(event("xgroup-createconsumer")));
    }
    if served {
        ctx.store.changes.changed_quietly(db, key, None);
    }
    Ok(served)
}

/// Replies what was not yet delivered to a group, and delivers it to a consumer, if it is to be acknowledged.
fn reply_new(
    out: &mut Output,
    log: &Log,
    group: &mut GroupEdit<'_>,
    owner: Option<ConsumerKey>,
    max: u64,
    now_ms: i64,
) {
    let range = IdRange::behind(group.last_id);
    let mut left = log.count(range, max);
    out.array(left as usize);
    log.each(range, false, |entry| {
        group.advance(log, entry.id);
        reply_entry(out, entry);
        if let Some(owner) = owner {
            group.deliver(entry.id, Pending { delivered_ms: now_ms, deliveries: 1, owner });
            group.consumer_mut(owner).active_ms = now_ms;
        }
        left -= 1;
        left > 0
    });
}

/// Replies what is pending of a consumer behind an ID, and delivers it once more.
fn reply_history(
    out: &mut Output,
    log: &Log,
    group: &mut GroupEdit<'_>,
    consumer: ConsumerKey,
    (behind, max): (StreamId, u64),
    now_ms: i64,
) {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let start = behind.next().unwrap_or_default();
    let ids: Vec<StreamId> = group.consumer(consumer).pending_from(start).take(max).collect();
    out.array(ids.len());
    for id in ids {
        if log.get(id, |entry| reply_entry(out, entry)).is_none() {
            // It was deleted, and the consumer has to know.
            out.array(2);
            reply_id(out, id);
            out.null_array();
        } else if let Some(&pending) = group.pending(id) {
            let deliveries = pending.deliveries.wrapping_add(1);
            group.deliver(id, Pending { delivered_ms: now_ms, deliveries, ..pending });
        }
    }
}

/// The head of a reply with so many streams: a map in RESP3.
fn reply_streams(out: &mut Output, n: usize) {
    match out.proto {
        Proto::Resp2 => out.array(n),
        Proto::Resp3 => out.map(n),
    }
}

/// The command with each `$` replaced by the ID that it stands for now; `None` without any.
fn resolved_args(ctx: &Ctx<'_>, reads: &Reads<'_>, ids: &[StreamId]) -> Option<OwnedArgs> {
    let is_last = |number: usize| shown(ctx.args.at(reads.id_at(number))) == b"$";
    if !(0..reads.streams).any(is_last) {
        return None;
    }
    let mut resolved = OwnedArgs::default();
    for (i, arg) in ctx.args.from(0).enumerate() {
        match i.checked_sub(reads.id_at(0)).filter(|&number| is_last(number)) {
            Some(number) => resolved.push(ids[number].text().as_bytes()),
            None => resolved.push(arg),
        }
    }
    Some(resolved)
}
