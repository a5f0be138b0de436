//! Encodings that are only read: Redis wrote the ziplist up to version 6.2, and the zipmap up to 2.4.

use super::Broken;
use crate::ds::listpack::{Elem, Listpack};

/// A ziplist whose lengths were checked. Source: the comment that opens Redis's `ziplist.c`.
pub(super) struct Ziplist<'a> {
    entries: Vec<Elem<'a>>,
}

/// Total length, place of the last entry, number of entries.
const HEADER_BYTES: usize = 10;
const END: u8 = 255;

impl<'a> Ziplist<'a> {
    pub fn check(bytes: &'a [u8]) -> Result<Ziplist<'a>, Broken> {
        let [l0, l1, l2, l3, t0, t1, t2, t3, c0, c1, body @ .., END] = bytes else {
            return Err(Broken::Corrupt);
        };
        let (total, tail) =
            (u32::from_le_bytes([*l0, *l1, *l2, *l3]), u32::from_le_bytes([*t0, *t1, *t2, *t3]));
        let told = u16::from_le_bytes([*c0, *c1]);
        let (mut entries, mut at, mut before, mut last) = (Vec::new(), 0, 0, 0);
        while at < body.len() {
            let (elem, len, told_before) = entry(&body[at..]).ok_or(Broken::Corrupt)?;
            if told_before != before {
                return Err(Broken::Corrupt);
            }
            entries.push(elem);
            (last, before) = (at, len);
            at += len;
        }
        let fits = total as usize == bytes.len()
            && tail as usize == HEADER_BYTES + last
            && (told == u16::MAX || usize::from(told) == entries.len());
        if fits { Ok(Ziplist { entries }) } else { Err(Broken::Corrupt) }
    }

    /// The elements, in order.
    pub fn iter(&self) -> impl Iterator<Item = Elem<'a>> + '_ {
        self.entries.iter().copied()
    }

    pub fn to_listpack(&self) -> Listpack {
        let mut pack = Listpack::new();
        self.iter().for_each(|elem| pack.push_elem_back(elem));
        pack
    }
}

/// The entry at the start of `bytes`: its element, its length, and the length of the entry before it.
fn entry(bytes: &[u8]) -> Option<(Elem<'_>, usize, usize)> {
    let (before, at) = match bytes {
        [254, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 5),
        [255, ..] | [] => return None,
        [n, ..] => (usize::from(*n), 1),
    };
    let rest = &bytes[at..];
    let int = |len: usize| -> Option<(Elem<'_>, usize)> {
        let digits = rest.get(1..1 + len)?;
        let negative = digits.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..len].copy_from_slice(digits);
        Some((Elem::Int(i64::from_le_bytes(wide)), 1 + len))
    };
    let text = |head: usize, len: usize| -> Option<(Elem<'_>, usize)> {
        let bytes = rest.get(head..head.checked_add(len)?)?;
        Some((Elem::from_bytes(bytes), head + len))
    };
    let (elem, len) = match *rest.first()? {
        n @ 0..=0x3f => text(1, usize::from(n)),
        n @ 0x40..=0x7f => text(2, usize::from(n & 0x3f) << 8 | usize::from(*rest.get(1)?)),
        0x80 => text(5, u32::from_be_bytes(rest.get(1..5)?.try_into().ok()?) as usize),
        0xc0 => int(2),
        0xd0 => int(4),
        0xe0 => int(8),
        0xf0 => int(3),
        0xfe => int(1),
        n @ 0xf1..=0xfd => Some((Elem::Int(i64::from(n & 0x0f) - 1), 1)),
        _ => None,
    }?;
    Some((elem, at + len, before))
}
/// A field and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// The fields and values of a zipmap. Source: the comment that opens Redis's `zipmap.c`.
pub(super) fn zipmap(bytes: &[u8]) -> Result<Vec<Pair<'_>>, Broken> {
    let [_, body @ .., END] = bytes else { return Err(Broken::Corrupt) };
    let (mut pairs, mut at) = (Vec::new(), 0);
    let text = |at: &mut usize, has_gap: bool| -> Option<&[u8]> {
        let (len, head) = match body.get(*at..)? {
            [254, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 5),
            [255, ..] | [] => return None,
            [n, ..] => (usize::from(*n), 1),
        };
        let start = *at + head + usize::from(has_gap);
        // Behind a value there may be bytes out of use.
        let gap = if has_gap { usize::from(*body.get(start - 1)?) } else { 0 };
        let end = start.checked_add(len)?;
        let text = body.get(start..end)?;
        *at = end.checked_add(gap).filter(|&next| next <= body.len())?;
        Some(text)
    };
    while at < body.len() {
        let field = text(&mut at, false).ok_or(Broken::Corrupt)?;
        let value = text(&mut at, true).ok_or(Broken::Corrupt)?;
        pairs.push((field, value));
    }
    Ok(pairs)
}
