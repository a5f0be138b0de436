//! A small sorted set: pairs of member and score in a listpack, in order.

use std::cmp::Ordering;

use crate::{
    base::{
        dtoa::{self, as_int, f64_to_buf},
        num::{MAX_INT_LEN, i64_to_buf},
    },
    ds::listpack::{Elem, Listpack},
};

/// A score as it stands in a pack; `None` for what is no number.
#[inline]
fn checked_score(elem: Elem<'_>) -> Option<f64> {
    match elem {
        Elem::Int(n) => Some(n as f64),
        Elem::Bytes(text) => {
            std::str::from_utf8(text).ok()?.parse().ok().filter(|score: &f64| !score.is_nan())
        }
    }
}

/// A score as it stands in a pack whose scores are numbers.
#[inline]
pub(super) fn score(elem: Elem<'_>) -> f64 {
    checked_score(elem).unwrap_or_default()
}

/// Shows a score as it stands in a pack to `f`.
fn with_score_elem<R>(score: f64, f: impl FnOnce(Elem<'_>) -> R) -> R {
    match as_int(score) {
        Some(n) => f(Elem::Int(n)),
        None => f(Elem::from_bytes(f64_to_buf(score, &mut [0; dtoa::MAX_LEN]).as_bytes())),
    }
}

/// Compares an element with the bytes of a member.
#[inline]
fn compare(elem: Elem<'_>, bytes: &[u8]) -> Ordering {
    match elem {
        Elem::Bytes(member) => member.cmp(bytes),
        Elem::Int(n) => i64_to_buf(n, &mut [0; MAX_INT_LEN]).cmp(bytes),
    }
}

/// Compares two elements as the bytes that clients know.
fn compare_elems(a: Elem<'_>, b: Elem<'_>) -> Ordering {
    match b {
        Elem::Bytes(bytes) => compare(a, bytes),
        Elem::Int(n) => compare(a, i64_to_buf(n, &mut [0; MAX_INT_LEN])),
    }
}

/// A member that was found.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub rank: usize,
    pub score: f64,
    offset: usize,
}

/// Finds a member.
#[inline]
pub(super) fn find(pack: &Listpack, member: &[u8]) -> Option<Found> {
    let entries = pack.entries();
    let (index, offset) = entries.find_every(member, 0, 2)?;
    Some(Found { rank: index / 2, score: score(entries.elem(entries.next(offset))), offset })
}

/// All pairs.
pub(super) fn iter(pack: &Listpack) -> impl Iterator<Item = (Elem<'_>, f64)> {
    let mut elems = pack.iter();
    std::iter::from_fn(move || Some((elems.next()?, score(elems.next()?))))
}

/// Adds a member that is not there.
pub(super) fn insert(pack: &mut Listpack, member: &[u8], new: f64) {
    let entries = pack.entries();
    let mut offset = 0;
    while offset < entries.end() {
        let score_at = entries.next(offset);
        let other = score(entries.elem(score_at));
        if other > new || other == new && compare(entries.elem(offset), member).is_gt() {
            break;
        }
        offset = entries.next(score_at);
    }
    with_score_elem(new, |elem| pack.insert_elem_at(offset, elem));
    pack.insert_at(offset, member);
}

/// Adds a member that comes behind all others.
pub(super) fn push_back(pack: &mut Listpack, member: &[u8], score: f64) {
    pack.push_back(member);
    with_score_elem(score, |elem| pack.push_elem_back(elem));
}

/// Removes a member that was found.
pub(super) fn remove(pack: &mut Listpack, found: Found) {
    pack.delete_at(found.offset);
    pack.delete_at(found.offset);
}

/// Whether a pack is of pairs whose second one is a number, in strict order, and no member is there twice.
pub(super) fn is_valid(pack: &Listpack) -> bool {
    let entries = pack.entries();
    if !entries.len().is_multiple_of(2) {
        return false;
    }
    let mut members = std::collections::HashSet::new();
    let mut elems = entries.iter();
    let mut last: Option<(Elem<'_>, f64)> = None;
    while let (Some(member), Some(elem)) = (elems.next(), elems.next()) {
        let Some(score) = checked_score(elem) else { return false };
        let rises = last.is_none_or(|(before, other)| {
            other < score || other == score && compare_elems(before, member).is_lt()
        });
        if !rises || !members.insert(member.to_vec()) {
            return false;
        }
        last = Some((member, score));
    }
    true
}
