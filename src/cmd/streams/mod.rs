//! Streams: logs of entries, read by clients and by groups of consumers.

mod add;
mod groups;
mod info;
mod pending;
mod range;
mod read;
mod remove;

use crate::{
    command::{CmdError, CommandSpec, Ctx},
    ds::{listpack::Elem, table::Pos},
    resp::{error::shown, output::Output},
    store::{
        Store,
        changes::{Class, Event},
    },
    value::{
        Entry as Value, Stream, ValueMut, ValueRef,
        stream::{Entry, IdRange, StreamId},
    },
};

/// The commands of this family.
pub const COMMANDS: [&[CommandSpec]; 7] = [
    add::COMMANDS,
    groups::COMMANDS,
    info::COMMANDS,
    pending::COMMANDS,
    range::COMMANDS,
    read::COMMANDS,
    remove::COMMANDS,
];

const INVALID_ID: CmdError = CmdError::new("ERR Invalid stream ID specified as stream command argument");

/// The stream in an entry of the keyspace, to be read.
#[inline]
fn stream(entry: &Value) -> Result<&Stream, CmdError> {
    match entry.value() {
        ValueRef::Stream(stream) => Ok(stream),
        _ => Err(CmdError::WRONG_TYPE),
    }
}

/// The stream in an entry of the keyspace that is known to hold one, to be changed.
#[inline]
fn stream_mut(entry: &mut Value) -> &mut Stream {
    match entry.value_mut() {
        ValueMut::Stream(stream) => stream,
        _ => unreachable!("the type was checked"),
    }
}

/// Finds the stream at a key, to be read: counts a hit or a miss.
#[inline]
fn find_to_read(store: &mut Store, db: usize, key: &[u8]) -> Result<Option<Pos>, CmdError> {
    let found = store.read(db, key);
    check_type(store, db, found)
}

/// Finds the stream at a key, to be changed.
#[inline]
fn find_to_write(store: &mut Store, db: usize, key: &[u8]) -> Result<Option<Pos>, CmdError> {
    let found = store.write(db, key);
    check_type(store, db, found)
}

#[inline]
fn check_type(store: &Store, db: usize, found: Option<Pos>) -> Result<Option<Pos>, CmdError> {
    if let Some(pos) = found {
        stream(&store.entry(db, pos))?;
    }
    Ok(found)
}

/// A stream or its group is not there.
#[cold]
fn group_gone(key: &[u8], group: &[u8], tail: &str) -> CmdError {
    let parts =
        [b"NOGROUP No such key '", shown(key), b"' or consumer group '", shown(group), b"'", tail.as_bytes()];
    CmdError::with(parts.concat())
}

/// A stream has no such group.
#[cold]
fn no_such_group(key: &[u8], group: &[u8]) -> CmdError {
    let parts = [b"NOGROUP No such consumer group '", shown(group), b"' for key name '", shown(key), b"'"];
    CmdError::with(parts.concat())
}

/// An event of a stream.
const fn event(name: &'static str) -> Event {
    Event(Class::Stream, name)
}

/// Argument `i` as an ID; without a sequence number it is 0.
#[inline]
fn id_arg(ctx: &Ctx<'_>, i: usize) -> Result<StreamId, CmdError> {
    StreamId::parse(ctx.args.at(i), 0).ok_or(INVALID_ID)
}

/// The arguments from `from` to before `to` as IDs.
fn id_args(ctx: &Ctx<'_>, from: usize, to: usize) -> Result<Vec<StreamId>, CmdError> {
    (from..to).map(|i| id_arg(ctx, i)).collect()
}

/// Argument `i` as an ID, or `-` and `+` for the smallest and the largest.
fn any_id_arg(ctx: &Ctx<'_>, i: usize, missing_seq: u64) -> Result<StreamId, CmdError> {
    match shown(ctx.args.at(i)) {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => StreamId::parse(ctx.args.at(i), missing_seq).ok_or(INVALID_ID),
    }
}

/// Argument `i` as the start of an interval; `(` before it excludes it.
fn start_arg(ctx: &Ctx<'_>, i: usize) -> Result<StreamId, CmdError> {
    match ctx.args.at(i) {
        [b'(', text @ ..] if !text.is_empty() => {
            let id = StreamId::parse(text, 0).ok_or(INVALID_ID)?;
            id.next().ok_or(CmdError::new("ERR invalid start ID for the interval"))
        }
        _ => any_id_arg(ctx, i, 0),
    }
}

/// Argument `i` as the end of an interval.
fn end_arg(ctx: &Ctx<'_>, i: usize) -> Result<StreamId, CmdError> {
    match ctx.args.at(i) {
        [b'(', text @ ..] if !text.is_empty() => {
            let id = StreamId::parse(text, u64::MAX).ok_or(INVALID_ID)?;
            id.prev().ok_or(CmdError::new("ERR invalid end ID for the interval"))
        }
        _ => any_id_arg(ctx, i, u64::MAX),
    }
}

/// Replies an ID.
#[inline]
fn reply_id(out: &mut Output, id: StreamId) {
    out.bulk(id.text().as_bytes());
}

/// Replies an entry: its ID, and its fields with their values.
#[inline]
fn reply_entry(out: &mut Output, entry: &Entry<'_>) {
    out.array(2);
    reply_id(out, entry.id);
    out.array(2 * entry.field_count());
    for (field, value) in entry.fields() {
        reply_elem(out, field);
        reply_elem(out, value);
    }
}

#[inline]
fn reply_elem(out: &mut Output, elem: Elem<'_>) {
    match elem {
        Elem::Int(n) => out.bulk_int(n),
        Elem::Bytes(bytes) => out.bulk(bytes),
    }
}

/// Replies up to `max` entries of a range.
fn reply_range(out: &mut Output, stream: &Stream, range: IdRange, rev: bool, max: u64) {
    let mut left = stream.log.count(range, max);
    out.array(left as usize);
    if left > 0 {
        stream.log.each(range, rev, |entry| {
            reply_entry(out, entry);
            left -= 1;
            left > 0
        });
    }
}
