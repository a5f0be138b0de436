//! Sorted sets: byte strings in the order of their scores.

mod add;
mod combine;
mod pop;
mod range;
mod read;
mod remove;

pub(super) use add::{Options, add};

use crate::{
    base::num::{parse_f64, parse_f64_loose},
    command::{CmdError, CommandSpec, Ctx, Outcome},
    ds::{listpack::Elem, table::Pos},
    resp::{Proto, output::Output},
    store::{
        Store,
        changes::{Class, Event},
    },
    value::{
        Entry, Value, ValueMut, ValueRef, ZSet,
        zset::{LexBound, ScoreBound, ZSetConfig},
    },
};

/// The commands of this family.
pub const COMMANDS: [&[CommandSpec]; 6] =
    [add::COMMANDS, combine::COMMANDS, pop::COMMANDS, range::COMMANDS, read::COMMANDS, remove::COMMANDS];

/// A sorted set that was found, to be changed before anything else is looked up.
#[derive(Clone, Copy)]
struct Found {
    pos: Pos,
    len: usize,
}

/// Finds the sorted set at a key, to be changed.
#[inline]
fn find(store: &mut Store, db: usize, key: &[u8]) -> Result<Option<Found>, CmdError> {
    let Some(pos) = store.write(db, key) else { return Ok(None) };
    let len = zset(&store.entry(db, pos))?.len();
    Ok(Some(Found { pos, len }))
}

/// Shows the sorted set at a key, to be read, to `f`.
#[inline]
pub(super) fn read<R>(
    store: &mut Store,
    db: usize,
    key: &[u8],
    f: impl FnOnce(&ZSet) -> R,
) -> Result<Option<R>, CmdError> {
    let Some(pos) = store.read(db, key) else { return Ok(None) };
    zset(&store.entry(db, pos)).map(|zset| Some(f(zset)))
}

/// The sorted set in an entry, to be read.
#[inline]
pub(super) fn zset(entry: &Entry) -> Result<&ZSet, CmdError> {
    match entry.value() {
        ValueRef::ZSet(zset) => Ok(zset),
        _ => Err(CmdError::WRONG_TYPE),
    }
}

/// The sorted set in an entry that is known to hold one, to be changed.
#[inline]
fn zset_mut(entry: &mut Entry) -> &mut ZSet {
    match entry.value_mut() {
        ValueMut::ZSet(zset) => zset,
        _ => unreachable!("the type was checked"),
    }
}

/// How sorted sets are kept.
#[inline]
pub(super) fn config(ctx: &Ctx<'_>) -> ZSetConfig {
    ctx.state.config.zset(ctx.store.seed)
}

/// Records a change of the sorted set at a key. One that it left empty was removed.
#[inline]
fn changed(store: &mut Store, db: usize, key: &[u8], name: &'static str, emptied: bool) {
    store.changed(db, key, Event(Class::SortedSet, name));
    if emptied {
        store.changes.happened(db, key, Event(Class::Generic, "del"));
    }
}

/// Makes a sorted set the value of a key, whatever it held, and replies how many members it has. An empty one removes
/// the key.
pub(super) fn store_result(ctx: &mut Ctx<'_>, key: &[u8], zset: ZSet, name: &'static str) -> Outcome {
    let (db, len) = (ctx.db(), zset.len());
    if len > 0 {
        ctx.store.set_value(db, key, Value::ZSet(zset));
        ctx.store.changed(db, key, Event(Class::SortedSet, name));
    } else if ctx.store.clear(db, key) {
        ctx.store.changed(db, key, Event(Class::Generic, "del"));
    }
    ctx.count(len)
}

/// Replies a member.
#[inline]
fn reply_member(out: &mut Output, member: Elem<'_>) {
    match member {
        Elem::Int(n) => out.bulk_int(n),
        Elem::Bytes(bytes) => out.bulk(bytes),
    }
}

/// How members are replied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Members,
    /// Scores behind the members: in RESP3 each pair is an array.
    WithScores,
}

impl Shape {
    fn new(with_scores: bool) -> Shape {
        if with_scores { Shape::WithScores } else { Shape::Members }
    }

    /// The head of an array of `n` members.
    fn head(self, out: &mut Output, n: usize) {
        let flat = self == Shape::WithScores && out.proto == Proto::Resp2;
        out.array(if flat { n.saturating_mul(2) } else { n });
    }

    /// A member.
    #[inline]
    fn member(self, out: &mut Output, member: Elem<'_>, score: f64) {
        if self == Shape::Members {
            return reply_member(out, member);
        }
        if out.proto == Proto::Resp3 {
            out.array(2);
        }
        reply_member(out, member);
        out.number(score);
    }
}

/// Ranks from `start` to `stop`, negative ones counted from the end, among `len`: the first one and how many.
fn ranks(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let from = if start < 0 { start.saturating_add(len).max(0) } else { start };
    let to = if stop < 0 { stop.saturating_add(len) } else { stop.min(len - 1) };
    if from > to || from >= len { (0, 0) } else { (from as usize, (to - from) as usize + 1) }
}

/// Argument `i` as a score.
#[inline]
fn score_arg(ctx: &Ctx<'_>, i: usize) -> Result<f64, CmdError> {
    parse_f64(ctx.args.at(i)).ok_or(CmdError::NOT_A_FLOAT)
}

/// Arguments `min` and `max` as the ends of a range of scores.
fn score_bounds(ctx: &Ctx<'_>, min: usize, max: usize) -> Result<(ScoreBound, ScoreBound), CmdError> {
    let bound = |i: usize| -> Result<_, CmdError> {
        let (exclusive, text) = match ctx.args.at(i) {
            [b'(', text @ ..] => (true, text),
            text => (false, text),
        };
        let score = parse_f64_loose(text).ok_or(CmdError::new("ERR min or max is not a float"))?;
        Ok(ScoreBound { score, exclusive })
    };
    Ok((bound(min)?, bound(max)?))
}

/// Arguments `min` and `max` as the ends of a range of members.
fn lex_bounds<'a>(ctx: &Ctx<'a>, min: usize, max: usize) -> Result<(LexBound<'a>, LexBound<'a>), CmdError> {
    let bound = |i: usize| match ctx.args.at(i) {
        b"-" | [b'-', 0, ..] => Ok(LexBound::Min),
        b"+" | [b'+', 0, ..] => Ok(LexBound::Max),
        [b'[', bytes @ ..] => Ok(LexBound::Inclusive(bytes)),
        [b'(', bytes @ ..] => Ok(LexBound::Exclusive(bytes)),
        _ => Err(CmdError::new("ERR min or max not valid string range item")),
    };
    Ok((bound(min)?, bound(max)?))
}
