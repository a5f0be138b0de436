//! The entries of a stream, in the order of their IDs, in nodes.

use super::{
    StreamId,
    node::{self, Entry, Node, Pairs},
};
use crate::ds::listpack::{Corrupt, Listpack};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map},
};

/// What a node takes beside its pack, in bytes: a map that grows at its end fills seven places of each leaf's eleven.
const NODE_BYTES: usize = 54;
/// The most bytes that a node, or one entry's fields and values, may have: what the reference calls safe.
const PACK_MAX_BYTES: usize = 1 << 30;

/// When a node is full: `stream-node-max-bytes` and `stream-node-max-entries`; 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub struct StreamConfig {
    pub node_max_bytes: u64,
    pub node_max_entries: u64,
}

impl Default for StreamConfig {
    fn default() -> StreamConfig {
        StreamConfig { node_max_bytes: 4096, node_max_entries: 100 }
    }
}

/// The ID that a new entry shall have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewId {
    /// As the time is, or the next one.
    Auto,
    /// The next sequence number of a millisecond.
    Ms(u64),
    Exact(StreamId),
}

/// Why an entry was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAdded {
    /// Its ID is not behind the last one.
    Behind,
    /// It has too many bytes.
    TooLarge,
}

/// What is to be left by a trim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// So many of the newest entries.
    Newest(u64),
    /// The entries from an ID on.
    From(StreamId),
}

/// How a stream is trimmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trim {
    pub keep: Keep,
    /// Only whole nodes go.
    pub approximate: bool,
    /// How many entries may go; 0: any number.
    pub limit: u64,
}

/// A range of IDs, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdRange {
    pub start: StreamId,
    pub end: StreamId,
}

impl IdRange {
    /// All IDs.
    pub const ALL: IdRange = IdRange { start: StreamId::MIN, end: StreamId::MAX };

    /// The IDs behind one.
    pub fn behind(id: StreamId) -> IdRange {
        match id.next() {
            Some(start) => IdRange { start, end: StreamId::MAX },
            None => IdRange { start: StreamId::MAX, end: StreamId::MIN },
        }
    }
}

/// The entries of a stream.
#[derive(Clone, Debug, Default)]
pub struct Log {
    nodes: BTreeMap<StreamId, Listpack>,
    /// Entries, those that are only marked as deleted not counted.
    len: u64,
    /// Of the last entry that was added, or what XSETID made of it.
    pub last_id: StreamId,
    /// Of the first entry there is; zero without any.
    first_id: StreamId,
    /// The largest that XDEL deleted.
    pub max_deleted_id: StreamId,
    /// How many entries were ever added.
    pub entries_added: u64,
    /// Bytes of all packs.
    pack_bytes: usize,
}

impl Log {
    /// Number of entries.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ID of the first entry; zero without any.
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        self.pack_bytes + self.nodes.len() * NODE_BYTES
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes with their IDs, as files have them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &Listpack)> {
        self.nodes.iter().map(|(&id, pack)| (id, pack))
    }

    /// The nodes that a radix tree over the IDs of these nodes would have, byte by byte: XINFO shows it.
    pub fn radix_nodes(&self) -> usize {
        const ID_LEN: usize = 16;
        let mut count = 1;
        // Where the path to the last ID branches, the topmost first.
        let mut branches: Vec<usize> = Vec::new();
        let mut last: Option<[u8; ID_LEN]> = None;
        // A chain of bytes with one child each is one node, and so is each end.
        let chain = |from: usize, to: usize| usize::from(from < to);
        for id in self.nodes.keys().map(|id| id.to_be_bytes()) {
            let Some(before) = last.replace(id) else {
                count = chain(0, ID_LEN) + 1;
                continue;
            };
            let same = before.iter().zip(&id).take_while(|(a, b)| a == b).count();
            let mut below = ID_LEN;
            while let Some(branch) = branches.pop_if(|branch| *branch > same) {
                below = branch;
            }
            if branches.last() != Some(&same) {
                // The chain around this byte is split into two, with a branch between them.
                let above = branches.last().map_or(0, |branch| branch + 1);
                count = count - chain(above, below) + chain(above, same) + 1 + chain(same + 1, below);
                branches.push(same);
            }
            count += chain(same + 1, ID_LEN) + 1;
        }
        count
    }

    /// The ID that the next entry has; `None` where that would not be behind the last one.
    pub fn next_id(&self, wanted: NewId, now_ms: i64) -> Option<StreamId> {
        let id = match wanted {
            NewId::Exact(id) => id,
            NewId::Ms(ms) if ms == self.last_id.ms => StreamId { ms, seq: self.last_id.seq.checked_add(1)? },
            NewId::Ms(ms) => StreamId { ms, seq: 0 },
            NewId::Auto => match u64::try_from(now_ms) {
                Ok(ms) if ms > self.last_id.ms => StreamId { ms, seq: 0 },
                _ => self.last_id.next()?,
            },
        };
        (id > self.last_id).then_some(id)
    }

    /// Adds an entry with these fields and values.
    #[inline]
    pub fn append<'p>(
        &mut self,
        id: StreamId,
        pairs: impl Pairs<'p>,
        cfg: &StreamConfig,
    ) -> Result<(), NotAdded> {
        if id <= self.last_id {
            return Err(NotAdded::Behind);
        }
        let bytes = pairs.clone().map(<[u8]>::len).fold(0, usize::saturating_add);
        if bytes > PACK_MAX_BYTES {
            return Err(NotAdded::TooLarge);
        }
        match self.nodes.last_entry() {
            Some(mut last) if *last.key() <= id && has_room(last.get(), bytes, cfg) => {
                let node_id = *last.key();
                let pack = last.get_mut();
                self.pack_bytes -= pack.mem_bytes();
                node::push(pack, node_id, id, pairs);
                self.pack_bytes += pack.mem_bytes();
            }
            last => {
                if let Some(mut full) = last {
                    self.pack_bytes -= full.get().mem_bytes();
                    full.get_mut().shrink_to_fit();
                    self.pack_bytes += full.get().mem_bytes();
                }
                let pack = node::start(id, pairs);
                self.pack_bytes += pack.mem_bytes();
                if let Some(old) = self.nodes.insert(id, pack) {
                    // It had nothing but marks of what was deleted.
                    self.pack_bytes -= old.mem_bytes();
                }
            }
        }
        self.len += 1;
        self.entries_added = self.entries_added.wrapping_add(1);
        self.last_id = id;
        if self.len == 1 {
            self.first_id = id;
        }
        Ok(())
    }

    /// The nodes from the one on in which an ID would be.
    fn nodes_from(&self, id: StreamId) -> btree_map::Range<'_, StreamId, Listpack> {
        let first = self.nodes.range(..=id).next_back().map_or(StreamId::MIN, |(&id, _)| id);
        self.nodes.range(first..)
    }

    /// Calls `f` with the entries in a range, backwards if `rev`, until it returns false.
    #[inline]
    pub fn each(&self, range: IdRange, rev: bool, mut f: impl FnMut(&Entry<'_>) -> bool) {
        let IdRange { start, end } = range;
        if start > end {
            return;
        }
        if rev {
            for (&id, pack) in self.nodes.range(..=end).rev() {
                let go_on = Node::new(id, pack)
                    .each_back(end, |entry| entry.is_deleted() || entry.id >= start && f(entry));
                if !go_on || id < start {
                    return;
                }
            }
        } else {
            let last = self.nodes.last_key_value().map(|(&id, _)| id);
            for (&id, pack) in self.nodes_from(start).take_while(|&(&id, _)| id <= end) {
                // Those who follow a stream read at its very end.
                let go_on = Node::new(id, pack)
                    .each(start, Some(id) == last, |entry| entry.is_deleted() || entry.id <= end && f(entry));
                if !go_on {
                    return;
                }
            }
        }
    }

    /// How many entries are in a range, at most `max`.
    pub fn count(&self, range: IdRange, max: u64) -> u64 {
        let IdRange { start, end } = range;
        if start > end || max == 0 {
            return 0;
        }
        let mut n = 0;
        let mut nodes = self.nodes_from(start).peekable();
        while let Some((&id, pack)) = nodes.next() {
            if id > end || n >= max {
                break;
            }
            let next = nodes.peek().map(|(id, _)| **id);
            let ends_inside = match next {
                Some(next) => next <= end,
                None => end >= self.last_id,
            };
            let node = Node::new(id, pack);
            if id >= start && ends_inside {
                n += node.live;
                continue;
            }
            node.each(start, next.is_none(), |entry| {
                if entry.is_deleted() {
                    return true;
                }
                n += u64::from(entry.id <= end);
                entry.id <= end && n < max
            });
        }
        n.min(max)
    }

    /// Calls `f` with the entry that has an ID.
    pub fn get<R>(&self, id: StreamId, f: impl FnOnce(&Entry<'_>) -> R) -> Option<R> {
        let (mut f, mut found) = (Some(f), None);
        self.each(IdRange { start: id, end: id }, false, |entry| {
            found = f.take().map(|f| f(entry));
            false
        });
        found
    }

    /// Whether there is an entry with an ID.
    pub fn contains(&self, id: StreamId) -> bool {
        self.get(id, |_| ()).is_some()
    }

    /// The ID of the last entry that is not deleted.
    pub fn last_entry_id(&self) -> Option<StreamId> {
        let mut last = None;
        self.each(IdRange::ALL, true, |entry| {
            last = Some(entry.id);
            false
        });
        last
    }

    /// The ID of the first entry that is not deleted.
    fn find_first_id(&self) -> StreamId {
        let mut first = StreamId::MIN;
        self.each(IdRange::ALL, false, |entry| {
            first = entry.id;
            false
        });
        first
    }

    /// Deletes an entry. Returns whether it was there.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some((&node_id, _)) = self.nodes.range(..=id).next_back() else { return false };
        let Some(at) = self.get(id, |entry| entry.at()) else { return false };
        self.delete_in(node_id, &[at], true);
        self.max_deleted_id = self.max_deleted_id.max(id);
        if id == self.first_id || self.is_empty() {
            self.first_id = self.find_first_id();
        }
        true
    }

    /// Marks entries of a node as deleted. With the last of them it goes, if it `may_go`.
    fn delete_in(&mut self, node_id: StreamId, offsets: &[usize], may_go: bool) {
        if offsets.is_empty() {
            return;
        }
        let btree_map::Entry::Occupied(mut place) = self.nodes.entry(node_id) else { return };
        let pack = place.get_mut();
        self.pack_bytes -= pack.mem_bytes();
        if may_go && Node::new(node_id, pack).live <= offsets.len() as u64 {
            place.remove();
        } else {
            node::mark_deleted(pack, offsets);
            self.pack_bytes += pack.mem_bytes();
        }
        self.len -= offsets.len() as u64;
    }

    /// Deletes the oldest entries, those that `stays` names excepted. Returns how many went.
    pub fn trim(&mut self, trim: &Trim, stays: Option<&dyn Fn(StreamId) -> bool>) -> u64 {
        let before = self.len;
        let (mut seen, mut from) = (0, StreamId::MIN);
        while let Some((&id, pack)) = self.nodes.range(from..).next() {
            if matches!(trim.keep, Keep::Newest(n) if self.len <= n) {
                break;
            }
            let node = Node::new(id, pack);
            seen += node.live;
            if trim.limit > 0 && seen > trim.limit {
                break;
            }
            let whole = match trim.keep {
                Keep::Newest(n) => self.len - node.live >= n,
                Keep::From(first) => node.last_id().is_none_or(|last| last < first),
            };
            if trim.approximate && !whole {
                break;
            }
            if whole && stays.is_none() {
                self.len -= node.live;
                self.pack_bytes -= pack.mem_bytes();
                self.nodes.remove(&id);
                continue;
            }
            let (mut offsets, len) = (Vec::new(), self.len);
            let go_on = node.each(StreamId::MIN, false, |entry| {
                let enough = match trim.keep {
                    Keep::Newest(n) => len - offsets.len() as u64 <= n,
                    Keep::From(first) => entry.id >= first,
                };
                if !enough && !entry.is_deleted() && stays.is_none_or(|stays| !stays(entry.id)) {
                    offsets.push(entry.at());
                }
                !enough
            });
            // A node of which nothing but marks is left stays here, as in the reference, if XDEL deleted its last entries.
            self.delete_in(id, &offsets, stays.is_some());
            if !go_on {
                break;
            }
            let Some(next) = id.next() else { break };
            from = next;
        }
        let removed = before - self.len;
        if removed > 0 {
            self.first_id = self.find_first_id();
        }
        removed
    }

    /// Drops up to `parts` nodes; true when none is left.
    pub(super) fn free_some(&mut self, parts: &mut usize) -> bool {
        while *parts > 0
            && let Some((_, pack)) = self.nodes.pop_first()
        {
            self.pack_bytes -= pack.mem_bytes();
            *parts -= 1;
        }
        self.nodes.is_empty()
    }

    /// Whether XDEL deleted anything from an ID on, as far as that can be told.
    pub fn has_deleted_from(&self, id: StreamId) -> bool {
        !self.is_empty() && self.max_deleted_id != StreamId::MIN && id <= self.max_deleted_id
    }

    /// Whether XDEL deleted anything behind the first entry, as far as that can be told.
    fn has_gaps(&self) -> bool {
        self.max_deleted_id != StreamId::MIN && self.max_deleted_id >= self.first_id
    }

    /// How many entries were ever added up to an ID, where that can be told.
    pub fn entries_up_to(&self, id: StreamId) -> Option<i64> {
        let added = self.entries_added as i64;
        let before_first = added.wrapping_sub(self.len as i64);
        match id.cmp(&self.last_id) {
            _ if added == 0 => Some(0),
            Ordering::Less | Ordering::Equal if self.is_empty() => Some(added),
            // Before something that XDEL deleted.
            _ if id != StreamId::MIN && id < self.max_deleted_id => None,
            Ordering::Equal => Some(added),
            Ordering::Greater => None,
            Ordering::Less if self.has_gaps() || id > self.first_id => None,
            Ordering::Less => Some(before_first.wrapping_add(i64::from(id == self.first_id))),
        }
    }

    /// Sets what a file says beside the nodes. The last ID cannot be before that of an entry.
    pub fn load_counters(
        &mut self,
        last_id: StreamId,
        max_deleted_id: StreamId,
        entries_added: u64,
    ) -> Result<(), Corrupt> {
        if self.last_entry_id().is_some_and(|last| last_id < last) {
            return Err(Corrupt);
        }
        (self.last_id, self.max_deleted_id, self.entries_added) = (last_id, max_deleted_id, entries_added);
        Ok(())
    }

    /// Adds a node, as a file has it, behind the others. It is checked to the last element.
    pub fn append_node(&mut self, id: StreamId, pack: Listpack) -> Result<(), Corrupt> {
        if self.nodes.last_key_value().is_some_and(|(&last, _)| id <= last) {
            return Err(Corrupt);
        }
        let (live, last) = node::check(id, &pack)?;
        let before = self.last_entry_id();
        if live > 0 && before.is_some_and(|before| id <= before) || self.len.checked_add(live).is_none() {
            return Err(Corrupt);
        }
        self.len += live;
        self.last_id = last.unwrap_or(self.last_id);
        self.pack_bytes += pack.mem_bytes();
        self.nodes.insert(id, pack);
        self.first_id = self.find_first_id();
        Ok(())
    }
}

/// Whether a node takes an entry of so many bytes.
#[inline]
fn has_room(pack: &Listpack, bytes: usize, cfg: &StreamConfig) -> bool {
    let max_bytes = match cfg.node_max_bytes {
        0 => PACK_MAX_BYTES,
        n => PACK_MAX_BYTES.min(usize::try_from(n).unwrap_or(PACK_MAX_BYTES)),
    };
    pack.lp_bytes() + bytes < max_bytes
        && (cfg.node_max_entries == 0 || node::all_entries(pack) < cfg.node_max_entries)
}

impl PartialEq for Log {
    fn eq(&self, other: &Log) -> bool {
        let counters = |log: &Log| (log.len, log.last_id, log.max_deleted_id, log.entries_added);
        let bytes = |pack: &Listpack| pack.entries().as_bytes().to_vec();
        counters(self) == counters(other)
            && self.nodes.len() == other.nodes.len()
            && self.nodes().zip(other.nodes()).all(|(a, b)| a.0 == b.0 && bytes(a.1) == bytes(b.1))
    }
}

impl Eq for Log {}
