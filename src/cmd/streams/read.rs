//! Reading what comes behind an ID, of several streams, and waiting for it.

use super::{INVALID_ID, find_to_read, reply_range, stream};
use crate::{
    command::{
        Arg, ArgKind, BeginSearch, Categories, CmdError, CommandSpec, Ctx, FindKeys, Flags, Flow, Group,
        KeyFlags, KeySpec, Outcome,
    },
    resp::{Proto, error::shown, output::Output, request::OwnedArgs},
    state::waiters::{BlockRequest, InVain},
    value::{
        Type,
        stream::{IdRange, StreamId},
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

const STREAMS: &[Arg] = &[Arg::key("key", 0).multiple(), Arg::new("ID", ArgKind::String).multiple()];

/// The commands of this file.
pub const COMMANDS: &[CommandSpec] = &[CommandSpec::new("xread", -4, Group::Stream, xread)
    .flags(&[Flags::BLOCKING, Flags::READONLY])
    .acl(&[Categories::STREAM])
    .keys(&[streams(1)])
    .doc("5.0.0", "Returns the entries of streams behind the given IDs, waiting until there are any.", "")
    .args(&[
        Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
        Arg::new("milliseconds", ArgKind::Integer).token("BLOCK").optional(),
        Arg::new("streams", ArgKind::Block(STREAMS)).token("STREAMS"),
    ])];

/// The most streams of one command that take no allocation.
const FEW: usize = 8;

/// What a reader asks for.
struct Reads {
    /// How many entries of each stream at most.
    max: u64,
    /// Whether to wait, and until when.
    block: Option<Option<i64>>,
    /// Where the first key stands, and how many there are. As many IDs follow.
    first: usize,
    streams: usize,
}

impl Reads {
    fn parse(ctx: &Ctx<'_>) -> Result<Reads, CmdError> {
        let args = ctx.args;
        let mut reads = Reads { max: u64::MAX, block: None, first: 0, streams: 0 };
        let mut i = 1;
        while i < args.len() {
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
                    return Err(CmdError::new(
                        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
                    ));
                }
                (reads.first, reads.streams) = (i + 1, more / 2);
                return Ok(reads);
            } else if more > 1 && ctx.is_word(i, "group") {
                return Err(CmdError::new(
                    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            } else if ctx.is_word(i, "noack") {
                return Err(CmdError::new(
                    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            } else {
                return Err(CmdError::SYNTAX);
            }
            i += 1;
        }
        Err(CmdError::SYNTAX)
    }

    /// Where the ID for a stream stands.
    fn id_at(&self, number: usize) -> usize {
        self.first + self.streams + number
    }
}

/// <https://valkey.io/commands/xread/>
fn xread(ctx: &mut Ctx<'_>) -> Outcome {
    let reads = Reads::parse(ctx)?;
    let (mut few, mut many) = ([StreamId::MIN; FEW], Vec::new());
    let behind = match few.get_mut(..reads.streams) {
        Some(few) => few,
        None => {
            many.resize(reads.streams, StreamId::MIN);
            &mut many
        }
    };
    for (number, id) in behind.iter_mut().enumerate() {
        *id = resolve(ctx, &reads, number)?;
    }
    let mut found = 0;
    for (number, id) in behind.iter().enumerate() {
        found += usize::from(has_more(ctx, &reads, number, *id)?);
    }
    if found > 0 {
        reply_streams(&mut ctx.session.out, found);
        for (number, id) in behind.iter().enumerate() {
            reply_stream(ctx, &reads, number, *id)?;
        }
        return Ok(Flow::Done);
    }
    match reads.block {
        Some(deadline_ms) => {
            let args = resolved_args(ctx, &reads, behind);
            let keys = reads.first..reads.first + reads.streams;
            ctx.wait_as(keys, InVain::NullArray, |keys| BlockRequest {
                keys,
                kind: Type::Stream,
                deadline_ms,
                in_vain: InVain::NullArray,
                args,
                ends_with_key: false,
            })
        }
        None => {
            ctx.out().null_array();
            Ok(Flow::Done)
        }
    }
}

/// The ID behind which to read a stream: `$` is its last one, `+` the one before that.
fn resolve(ctx: &mut Ctx<'_>, reads: &Reads, number: usize) -> Result<StreamId, CmdError> {
    let (args, db) = (ctx.args, ctx.db());
    let found = find_to_read(ctx.store, db, args.at(reads.first + number))?;
    let last_id = match found {
        Some(pos) => Some(stream(&ctx.store.entry(db, pos))?.log.last_id),
        None => None,
    };
    let text = args.at(reads.id_at(number));
    match (shown(text), last_id) {
        (b"$", last_id) => Ok(last_id.unwrap_or_default()),
        (b"+", None) => Ok(StreamId::MIN),
        (b"+", Some(last)) => last.prev().ok_or(CmdError::new("ERR the stream last element ID is 0-0")),
        (b">", _) => Err(CmdError::new(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        _ => StreamId::parse(text, 0).ok_or(INVALID_ID),
    }
}

/// Whether a stream has entries behind an ID.
fn has_more(ctx: &mut Ctx<'_>, reads: &Reads, number: usize, id: StreamId) -> Result<bool, CmdError> {
    let db = ctx.db();
    let Some(pos) = find_to_read(ctx.store, db, ctx.args.at(reads.first + number))? else { return Ok(false) };
    let entry = ctx.store.entry(db, pos);
    Ok(stream(&entry)?.log.last_entry_id().is_some_and(|last| last > id))
}

fn reply_stream(ctx: &mut Ctx<'_>, reads: &Reads, number: usize, id: StreamId) -> Result<(), CmdError> {
    let (key, db) = (ctx.args.at(reads.first + number), ctx.db());
    let Some(pos) = ctx.store.find(db, key) else { return Ok(()) };
    let entry = ctx.store.entry(db, pos);
    let stream = stream(&entry)?;
    if stream.log.last_entry_id().is_some_and(|last| last > id) {
        let out = &mut ctx.session.out;
        reply_name(out, key);
        reply_range(out, stream, IdRange::behind(id), false, reads.max);
    }
    Ok(())
}

/// The head of a reply with so many streams: a map in RESP3.
fn reply_streams(out: &mut Output, n: usize) {
    match out.proto {
        Proto::Resp2 => out.array(n),
        Proto::Resp3 => out.map(n),
    }
}

/// The name of a stream; its entries follow.
fn reply_name(out: &mut Output, key: &[u8]) {
    if out.proto == Proto::Resp2 {
        out.array(2);
    }
    out.bulk(key);
}

/// The command with each `$` replaced by the ID that it stands for now; `None` without any.
fn resolved_args(ctx: &Ctx<'_>, reads: &Reads, ids: &[StreamId]) -> Option<OwnedArgs> {
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
