//! A node of a stream: a listpack with about a hundred entries, laid out as in the reference, so that files take it as
//! it is.
//!
//! First stand how many entries are there and how many are only marked as deleted, then the fields of the first entry
//! (their number, their names, a zero). Each entry is its flags, its ID less that of the node in two parts, its fields,
//! and how many elements these are, so that it can be read from behind. An entry with the fields of the first one has
//! its values alone.
//!
//! Source: the comments of Valkey's `t_stream.c`.

use super::StreamId;
use crate::ds::listpack::{Corrupt, Elem, Entries, Iter, Listpack};

/// The entry is deleted.
const DELETED: i64 = 1;
/// The entry has the fields of the node's first one.
const SAME_FIELDS: i64 = 2;

/// A node to be read.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    id: StreamId,
    entries: Entries<'a>,
    /// Entries that are not deleted.
    pub live: u64,
    /// How many fields the first entry had, and where they stand.
    field_count: usize,
    fields_at: usize,
    /// Where the first entry stands.
    first_at: usize,
}

/// An entry of a stream.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub id: StreamId,
    node: Entries<'a>,
    flags: i64,
    field_count: usize,
    /// Where the names of its fields stand; with its own values between them, or those of the first entry.
    names_at: usize,
    values_at: usize,
    /// Where it stands.
    at: usize,
}

/// The fields of an entry with their values.
#[derive(Clone)]
pub struct Fields<'a> {
    names: Iter<'a>,
    values: Iter<'a>,
    same: bool,
    left: usize,
}

/// The number that stands at an offset.
#[inline]
fn int(entries: &Entries<'_>, at: usize) -> i64 {
    match entries.elem(at) {
        Elem::Int(n) => n,
        // Nodes from elsewhere were checked.
        Elem::Bytes(_) => 0,
    }
}

#[inline]
fn skip(entries: &Entries<'_>, at: usize, n: usize) -> usize {
    (0..n).fold(at, |at, _| entries.next(at))
}

impl<'a> Node<'a> {
    /// The node with an ID in a pack that is known to be well formed.
    #[inline]
    pub fn new(id: StreamId, pack: &'a Listpack) -> Node<'a> {
        let entries = pack.entries();
        let deleted_at = entries.next(0);
        let count_at = entries.next(deleted_at);
        let field_count = int(&entries, count_at) as usize;
        let fields_at = entries.next(count_at);
        Node {
            id,
            entries,
            live: int(&entries, 0) as u64,
            field_count,
            fields_at,
            // Behind the fields stands a zero.
            first_at: skip(&entries, fields_at, field_count + 1),
        }
    }

    /// The entry at an offset, which must be that of one.
    #[inline]
    fn entry(&self, at: usize) -> Entry<'a> {
        let entries = self.entries;
        let flags = int(&entries, at);
        let ms_at = entries.next(at);
        let seq_at = entries.next(ms_at);
        let id = StreamId {
            ms: self.id.ms.wrapping_add(int(&entries, ms_at) as u64),
            seq: self.id.seq.wrapping_add(int(&entries, seq_at) as u64),
        };
        let body_at = entries.next(seq_at);
        let (field_count, names_at, values_at) = if flags & SAME_FIELDS != 0 {
            (self.field_count, self.fields_at, body_at)
        } else {
            let names_at = entries.next(body_at);
            (int(&entries, body_at) as usize, names_at, names_at)
        };
        Entry { id, node: entries, flags, field_count, names_at, values_at, at }
    }

    /// Where the entry before an offset stands, which is that of an entry or the end.
    #[inline]
    fn before(&self, at: usize) -> Option<usize> {
        if at <= self.first_at {
            return None;
        }
        let count_at = self.entries.prev(at)?;
        let count = int(&self.entries, count_at);
        (0..count).try_fold(count_at, |at, _| self.entries.prev(at)).filter(|&at| at >= self.first_at)
    }

    /// Calls `f` with the entries from `start` on, those that are deleted too, until it returns false. True if it
    /// never did. `from_end`: the first of them is looked for from behind.
    #[inline]
    pub fn each(&self, start: StreamId, from_end: bool, mut f: impl FnMut(&Entry<'a>) -> bool) -> bool {
        let mut at = self.first_at;
        if from_end && start > self.id {
            at = self.entries.end();
            while let Some(before) = self.before(at).filter(|&before| self.entry(before).id >= start) {
                at = before;
            }
        }
        while at < self.entries.end() {
            let entry = self.entry(at);
            at = entry.end();
            if entry.id >= start && !f(&entry) {
                return false;
            }
        }
        true
    }

    /// The same with the entries up to `end`, backwards.
    #[inline]
    pub fn each_back(&self, end: StreamId, mut f: impl FnMut(&Entry<'a>) -> bool) -> bool {
        let mut at = self.entries.end();
        while let Some(before) = self.before(at) {
            let entry = self.entry(before);
            at = before;
            if entry.id <= end && !f(&entry) {
                return false;
            }
        }
        true
    }

    /// The ID of the last entry, be it deleted or not.
    pub fn last_id(&self) -> Option<StreamId> {
        self.before(self.entries.end()).map(|at| self.entry(at).id)
    }

    /// Whether the fields are those of the first entry.
    fn has_fields<'f>(&self, mut names: impl ExactSizeIterator<Item = &'f [u8]>) -> bool {
        names.len() == self.field_count
            && self.entries.iter_at(self.fields_at).zip(&mut names).all(|(elem, name)| match elem {
                Elem::Bytes(bytes) => bytes == name,
                Elem::Int(_) => elem.eq_bytes(name),
            })
    }
}

impl<'a> Entry<'a> {
    /// Whether it is only marked as deleted.
    #[inline]
    pub(super) fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }

    /// How many fields it has.
    #[inline]
    pub fn field_count(&self) -> usize {
        self.field_count
    }

    /// Its fields with their values.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        Fields {
            names: self.node.iter_at(self.names_at),
            values: self.node.iter_at(self.values_at),
            same: self.flags & SAME_FIELDS != 0,
            left: self.field_count,
        }
    }

    /// Where the next one stands.
    #[inline]
    fn end(&self) -> usize {
        let elems = if self.flags & SAME_FIELDS != 0 { self.field_count } else { 2 * self.field_count };
        skip(&self.node, self.values_at, elems + 1)
    }

    /// Where it stands in its node, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Elem<'a>, Elem<'a>);

    #[inline]
    fn next(&mut self) -> Option<(Elem<'a>, Elem<'a>)> {
        self.left = self.left.checked_sub(1)?;
        if self.same {
            Some((self.names.next()?, self.values.next()?))
        } else {
            Some((self.values.next()?, self.values.next()?))
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// The fields and values of an entry to be added, in turn: `field value field value`.
pub trait Pairs<'p>: ExactSizeIterator<Item = &'p [u8]> + Clone {}

impl<'p, T: ExactSizeIterator<Item = &'p [u8]> + Clone> Pairs<'p> for T {}

/// How many entries a node has, those that are marked as deleted included.
#[inline]
pub(super) fn all_entries(pack: &Listpack) -> u64 {
    let entries = pack.entries();
    int(&entries, 0).wrapping_add(int(&entries, entries.next(0))) as u64
}

/// A node of its own for a first entry.
pub(super) fn start<'p>(id: StreamId, pairs: impl Pairs<'p>) -> Listpack {
    let mut pack = Listpack::new();
    let head = [1, 0, pairs.len() as i64 / 2].into_iter().map(Elem::Int);
    let names = pairs.clone().step_by(2).map(Elem::from_bytes);
    pack.extend_back(head.chain(names).chain([Elem::Int(0)]));
    push_entry(&mut pack, id, id, true, pairs);
    pack
}

/// Adds an entry to a node.
#[inline]
pub(super) fn push<'p>(pack: &mut Listpack, node_id: StreamId, id: StreamId, pairs: impl Pairs<'p>) {
    let node = Node::new(node_id, pack);
    let (live, same) = (node.live, node.has_fields(pairs.clone().step_by(2)));
    pack.replace_elem_at(0, Elem::Int(live.wrapping_add(1) as i64));
    push_entry(pack, node_id, id, same, pairs);
}

#[inline]
fn push_entry<'p>(pack: &mut Listpack, node_id: StreamId, id: StreamId, same: bool, pairs: impl Pairs<'p>) {
    let count = pairs.len() as i64 / 2;
    let (ms, seq) = (id.ms.wrapping_sub(node_id.ms) as i64, id.seq.wrapping_sub(node_id.seq) as i64);
    if same {
        let head = [SAME_FIELDS, ms, seq].into_iter().map(Elem::Int);
        let values = pairs.skip(1).step_by(2).map(Elem::from_bytes);
        pack.extend_back(head.chain(values).chain([Elem::Int(count + 3)]));
    } else {
        let head = [0, ms, seq, count].into_iter().map(Elem::Int);
        let body = pairs.map(Elem::from_bytes);
        pack.extend_back(head.chain(body).chain([Elem::Int(2 * count + 4)]));
    }
}

/// Marks entries of a node as deleted, each given by its offset. The marks do not move other entries.
pub(super) fn mark_deleted(pack: &mut Listpack, offsets: &[usize]) {
    for &at in offsets {
        let flags = int(&pack.entries(), at);
        pack.replace_elem_at(at, Elem::Int(flags | DELETED));
    }
    let n = offsets.len() as i64;
    // From behind: the counts themselves may take more bytes or fewer.
    let deleted_at = pack.entries().next(0);
    let deleted = int(&pack.entries(), deleted_at);
    pack.replace_elem_at(deleted_at, Elem::Int(deleted.wrapping_add(n)));
    let live = int(&pack.entries(), 0);
    pack.replace_elem_at(0, Elem::Int(live.wrapping_sub(n)));
}

/// Checks that a pack is a node: that there are entries, that each is as long as it says, that the counts are true,
/// and that the IDs of those that are not deleted ascend from that of the node. Returns how many these are, and the
/// last ID among them.
pub(super) fn check(id: StreamId, pack: &Listpack) -> Result<(u64, Option<StreamId>), Corrupt> {
    let mut elems = Checked { entries: pack.entries(), at: 0 };
    let (live, deleted) = (elems.count()?, elems.count()?);
    let field_count = elems.count()?;
    elems.skip(field_count)?;
    if elems.int()? != 0 {
        return Err(Corrupt);
    }
    let (mut seen, mut seen_deleted, mut last) = (0, 0, None);
    while elems.at < elems.entries.end() {
        let flags = elems.int()?;
        let (ms, seq) = (elems.int()?, elems.int()?);
        if flags & DELETED == 0 {
            let ms = id.ms.wrapping_add(ms as u64);
            let entry_id = StreamId { ms, seq: id.seq.wrapping_add(seq as u64) };
            if last.is_some_and(|last| entry_id <= last) || entry_id < id {
                return Err(Corrupt);
            }
            last = Some(entry_id);
        }
        let wanted = if flags & SAME_FIELDS != 0 {
            elems.skip(field_count)?;
            field_count as i64 + 3
        } else {
            let own = elems.count()?;
            elems.skip(own.checked_mul(2).ok_or(Corrupt)?)?;
            2 * own as i64 + 4
        };
        if elems.int()? != wanted {
            return Err(Corrupt);
        }
        seen += 1;
        seen_deleted += u64::from(flags & DELETED != 0);
    }
    if seen == 0 || seen_deleted != deleted as u64 || seen - seen_deleted != live as u64 {
        return Err(Corrupt);
    }
    Ok((live as u64, last))
}

/// The elements of a pack of which nothing is known but that they are well formed.
struct Checked<'a> {
    entries: Entries<'a>,
    at: usize,
}

impl Checked<'_> {
    fn int(&mut self) -> Result<i64, Corrupt> {
        if self.at >= self.entries.end() {
            return Err(Corrupt);
        }
        let Elem::Int(n) = self.entries.elem(self.at) else { return Err(Corrupt) };
        self.at = self.entries.next(self.at);
        Ok(n)
    }

    /// A number of elements or entries, no more than there are.
    fn count(&mut self) -> Result<usize, Corrupt> {
        usize::try_from(self.int()?).ok().filter(|&n| n <= self.entries.len()).ok_or(Corrupt)
    }

    fn skip(&mut self, n: usize) -> Result<(), Corrupt> {
        for _ in 0..n {
            if self.at >= self.entries.end() {
                return Err(Corrupt);
            }
            self.at = self.entries.next(self.at);
        }
        Ok(())
    }
}
