//! Where nodes are: chunks of a bounded number of them, in a deque. All accounting of counts and memory is
//! here.

use std::collections::VecDeque;
use std::sync::Arc;

use super::node::{Node, Part, unshared};
use super::{End, Quicklist};
use crate::ds::listpack::Listpack;
use crate::ds::size::rounded;

/// Most nodes in a chunk: what one step may move.
const MAX_NODES: usize = 128;

/// An `Arc`'s two counters and the chunk.
const ARC_CHUNK_MEM: usize = rounded(2 * size_of::<usize>() + size_of::<Chunk>());

/// A node and, to seek without looking into it, its number of elements.
#[derive(Clone, Debug)]
struct Slot {
    node: Arc<Node>,
    count: u32,
    /// Compressing the node as it is did not pay.
    incompressible: bool,
}

/// Some neighbouring nodes.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    slots: VecDeque<Slot>,
}

impl Clone for Chunk {
    /// Same capacity: what accounts for the one accounts for the other.
    fn clone(&self) -> Chunk {
        let mut slots = VecDeque::with_capacity(self.slots.capacity());
        slots.extend(self.slots.iter().cloned());
        Chunk { slots }
    }
}

impl Chunk {
    fn mem_bytes(&self) -> usize {
        ARC_CHUNK_MEM + rounded(self.slots.capacity() * size_of::<Slot>())
    }
}

/// A chunk and the number of elements in its nodes.
#[derive(Clone, Debug)]
pub(super) struct ChunkSlot {
    chunk: Arc<Chunk>,
    count: usize,
}

/// The place of a node; good until nodes come or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    pub(super) chunk: usize,
    slot: usize,
}

impl At {
    /// The first node, if there is one.
    pub const START: At = At { chunk: 0, slot: 0 };
}

impl Clone for Quicklist {
    /// A snapshot: shares all nodes until one of the two lists changes them.
    fn clone(&self) -> Quicklist {
        let mut chunks = VecDeque::with_capacity(self.chunks.capacity());
        chunks.extend(self.chunks.iter().cloned());
        Quicklist { chunks, ..*self }
    }
}

impl Quicklist {
    /// Heap bytes of all that the list holds, shared or not, as the allocator rounds them.
    pub fn mem_bytes(&self) -> usize {
        self.mem + rounded(self.chunks.capacity() * size_of::<ChunkSlot>())
    }

    /// The first node.
    #[inline]
    pub fn first_node(&self) -> Option<At> {
        (!self.chunks.is_empty()).then_some(At::START)
    }

    /// The last node.
    #[inline]
    pub fn last_node(&self) -> Option<At> {
        let chunk = self.chunks.len().checked_sub(1)?;
        Some(At { chunk, slot: self.slots(chunk).len() - 1 })
    }

    /// The node behind the one at `at`.
    #[inline]
    pub fn next_node(&self, at: At) -> Option<At> {
        self.valid(self.step(at))
    }

    /// The node before the one at `at`, which may be the end.
    #[inline]
    pub fn prev_node(&self, at: At) -> Option<At> {
        match (at.slot.checked_sub(1), at.chunk.checked_sub(1)) {
            (Some(slot), _) => Some(At { slot, ..at }),
            (None, Some(chunk)) => Some(At { chunk, slot: self.slots(chunk).len() - 1 }),
            (None, None) => None,
        }
    }

    /// Shows the elements of the node at `at` to `f`.
    pub fn with_node<R>(&self, at: At, f: impl FnOnce(Part<'_>) -> R) -> R {
        self.node(at).read(f)
    }

    /// Drops at most `max_nodes` nodes from the tail. `true` when none is left.
    pub fn free_some(&mut self, max_nodes: usize) -> bool {
        for _ in 0..max_nodes {
            let Some(at) = self.last_node() else { break };
            self.remove_node(at);
        }
        self.chunks.is_empty()
    }

    /// What [`Quicklist::mem_bytes`] must answer, from scratch.
    #[cfg(test)]
    pub(crate) fn recount_mem(&self) -> usize {
        let chunks = self.chunks.iter().map(|home| {
            let nodes: usize = home.chunk.slots.iter().map(|slot| slot.node.mem_bytes()).sum();
            assert_eq!(home.count, home.chunk.slots.iter().map(|slot| slot.count as usize).sum());
            assert!(!home.chunk.slots.is_empty() && home.chunk.slots.len() <= MAX_NODES);
            home.chunk.mem_bytes() + nodes
        });
        chunks.sum::<usize>() + rounded(self.chunks.capacity() * size_of::<ChunkSlot>())
    }

    fn slots(&self, chunk: usize) -> &VecDeque<Slot> {
        &self.chunks[chunk].chunk.slots
    }

    #[inline]
    pub(super) fn node(&self, at: At) -> &Node {
        &self.slots(at.chunk)[at.slot].node
    }

    pub(super) fn node_arc(&self, at: At) -> Arc<Node> {
        Arc::clone(&self.slots(at.chunk)[at.slot].node)
    }

    /// The place behind the last node.
    pub(super) fn end(&self) -> At {
        At { chunk: self.chunks.len(), slot: 0 }
    }

    /// The place behind the node at `at`, be there a node or not.
    #[inline]
    pub(super) fn step(&self, at: At) -> At {
        if at.slot + 1 < self.slots(at.chunk).len() {
            At { slot: at.slot + 1, ..at }
        } else {
            At { chunk: at.chunk + 1, slot: 0 }
        }
    }

    /// `at`, if a node is there, else the start of the next chunk, if there is one.
    pub(super) fn valid(&self, at: At) -> Option<At> {
        let len = self.chunks.get(at.chunk)?.chunk.slots.len();
        if at.slot < len {
            return Some(at);
        }
        (at.chunk + 1 < self.chunks.len()).then_some(At { chunk: at.chunk + 1, slot: 0 })
    }

    /// The node of element `index`, and the element's index in it. Counts from the nearer end.
    pub(super) fn locate(&self, index: usize) -> Option<(At, usize)> {
        if index >= self.count {
            return None;
        }
        let (chunk, offset) = seek(&self.chunks, self.count, index, |slot| slot.count);
        let (slot, offset) =
            seek(self.slots(chunk), self.chunks[chunk].count, offset, |slot| slot.count as usize);
        Some((At { chunk, slot }, offset))
    }

    /// Whether at least `depth` nodes are on either side of the one at `at`.
    pub(super) fn is_interior(&self, at: At, depth: usize) -> bool {
        let mut before = at.slot;
        for chunk in (0..at.chunk).rev() {
            if before >= depth {
                break;
            }
            before += self.slots(chunk).len();
        }
        let mut behind = self.slots(at.chunk).len() - at.slot - 1;
        for chunk in at.chunk + 1..self.chunks.len() {
            if behind >= depth {
                break;
            }
            behind += self.slots(chunk).len();
        }
        before >= depth && behind >= depth
    }

    /// Changes a node, decompressed, and books what that does to counts and memory. An emptied node stays.
    #[inline]
    pub(super) fn edit<R>(&mut self, at: At, f: impl FnOnce(&mut Node) -> R) -> R {
        let home = &mut self.chunks[at.chunk];
        let slot = &mut unshared(&mut home.chunk).slots[at.slot];
        let node = unshared(&mut slot.node);
        self.mem -= node.mem_bytes();
        node.decompress();
        let out = f(node);
        self.mem += node.mem_bytes();
        let (old, new) = (slot.count as usize, node.len());
        slot.count = new as u32;
        slot.incompressible = false;
        home.count = home.count - old + new;
        self.count = self.count - old + new;
        out
    }

    /// Changes the pack at an end, if the node there is one: what pushes and pops do all the time, without a
    /// search.
    #[inline]
    pub(super) fn edit_end_pack<R>(
        &mut self,
        end: End,
        f: impl FnOnce(&mut Listpack) -> Option<R>,
    ) -> Option<R> {
        let home = match end {
            End::Left => self.chunks.front_mut(),
            End::Right => self.chunks.back_mut(),
        }?;
        let slots = &mut unshared(&mut home.chunk).slots;
        let slot = match end {
            End::Left => slots.front_mut(),
            End::Right => slots.back_mut(),
        }?;
        let Node::Pack(_) = *slot.node else { return None };
        let Node::Pack(pack) = unshared(&mut slot.node) else { return None };
        let mem = pack.mem_bytes();
        let out = f(pack);
        self.mem = self.mem - mem + pack.mem_bytes();
        let (old, new) = (slot.count as usize, pack.len());
        slot.count = new as u32;
        slot.incompressible = false;
        home.count = home.count - old + new;
        self.count = self.count - old + new;
        out
    }

    /// Compresses a node, if that pays, or decompresses it.
    pub(super) fn set_compressed(&mut self, at: At, compressed: bool) {
        let slot = &self.slots(at.chunk)[at.slot];
        if slot.node.is_compressed() == compressed || (compressed && slot.incompressible) {
            return;
        }
        if !compressed {
            return self.edit(at, |_| ());
        }
        let packed = slot.node.compressed();
        let slot = &mut unshared(&mut self.chunks[at.chunk].chunk).slots[at.slot];
        match packed {
            Some(packed) => {
                self.mem = self.mem - slot.node.mem_bytes() + packed.mem_bytes();
                slot.node = Arc::new(packed);
            }
            None => slot.incompressible = true,
        }
    }

    /// Puts a node before the one at `at`, which may be the end. Returns its place.
    pub(super) fn insert_node(&mut self, at: At, node: Node) -> At {
        let at = self.place_for(at);
        let count = node.len();
        self.mem += node.mem_bytes();
        self.count += count;
        self.nodes += 1;
        self.chunks[at.chunk].count += count;
        self.edit_chunk(at.chunk, |chunk| {
            chunk
                .slots
                .insert(at.slot, Slot { node: Arc::new(node), count: count as u32, incompressible: false });
        });
        at
    }

    /// A place for one more node before `at`, in a chunk that has room for it.
    fn place_for(&mut self, at: At) -> At {
        // A chunk's start is as well the end of the chunk before.
        if at.slot == 0 && at.chunk > 0 {
            let before = At { chunk: at.chunk - 1, slot: self.slots(at.chunk - 1).len() };
            if before.slot < MAX_NODES {
                return before;
            }
        }
        let len = self.chunks.get(at.chunk).map(|home| home.chunk.slots.len());
        match len {
            Some(len) if len < MAX_NODES => at,
            // At the list's own ends chunks fill one after the other, in the middle they split.
            Some(_) if at == At::START => self.add_chunk(0),
            Some(len) => {
                let middle = len / 2;
                let split = self.edit_chunk(at.chunk, |chunk| chunk.slots.split_off(middle));
                let count = split.iter().map(|slot| slot.count as usize).sum();
                self.chunks[at.chunk].count -= count;
                let chunk = Chunk { slots: split };
                self.mem += chunk.mem_bytes();
                self.chunks.insert(at.chunk + 1, ChunkSlot { chunk: Arc::new(chunk), count });
                if at.slot > middle { At { chunk: at.chunk + 1, slot: at.slot - middle } } else { at }
            }
            None => self.add_chunk(at.chunk),
        }
    }

    fn add_chunk(&mut self, index: usize) -> At {
        let chunk = Chunk::default();
        self.mem += chunk.mem_bytes();
        self.chunks.insert(index, ChunkSlot { chunk: Arc::new(chunk), count: 0 });
        At { chunk: index, slot: 0 }
    }

    /// Changes a chunk's slots and books what that does to memory.
    fn edit_chunk<R>(&mut self, index: usize, f: impl FnOnce(&mut Chunk) -> R) -> R {
        let chunk = unshared(&mut self.chunks[index].chunk);
        self.mem -= chunk.mem_bytes();
        let out = f(chunk);
        self.mem += chunk.mem_bytes();
        out
    }

    /// Removes a node. What followed it, in its chunk, is at `at` then; an emptied chunk goes too.
    pub(super) fn remove_node(&mut self, at: At) {
        let slot = self.edit_chunk(at.chunk, |chunk| {
            let slot = chunk.slots.remove(at.slot);
            let len = chunk.slots.len();
            if len * 4 < chunk.slots.capacity() {
                chunk.slots.shrink_to(len * 2);
            }
            slot
        });
        let Some(slot) = slot else { return };
        self.mem -= slot.node.mem_bytes();
        self.nodes -= 1;
        self.count -= slot.count as usize;
        let home = &mut self.chunks[at.chunk];
        home.count -= slot.count as usize;
        if home.chunk.slots.is_empty() {
            self.mem -= home.chunk.mem_bytes();
            self.chunks.remove(at.chunk);
            if self.chunks.len() * 4 < self.chunks.capacity() {
                self.chunks.shrink_to(self.chunks.len() * 2);
            }
        }
    }

    /// Joins neighbouring chunks that have become small, all along the list.
    pub(super) fn merge_chunks(&mut self) {
        let mut index = 0;
        while index + 1 < self.chunks.len() {
            index += usize::from(!self.merge_chunk_with_next(index));
        }
    }

    /// Joins a chunk that has become small with its neighbours.
    pub(super) fn merge_chunks_at(&mut self, index: usize) {
        self.merge_chunk_with_next(index);
        if let Some(before) = index.checked_sub(1) {
            self.merge_chunk_with_next(before);
        }
    }

    fn merge_chunk_with_next(&mut self, index: usize) -> bool {
        if index + 1 >= self.chunks.len()
            || self.slots(index).len() + self.slots(index + 1).len() > MAX_NODES / 2
        {
            return false;
        }
        let Some(right) = self.chunks.remove(index + 1) else { return false };
        self.mem -= right.chunk.mem_bytes();
        self.chunks[index].count += right.count;
        self.edit_chunk(index, |chunk| chunk.slots.extend(right.chunk.slots.iter().cloned()));
        true
    }
}

/// The item that holds element `index` of `total`, and the element's index in it. Counts from the nearer end.
fn seek<T>(items: &VecDeque<T>, total: usize, index: usize, count: impl Fn(&T) -> usize) -> (usize, usize) {
    if index <= total / 2 {
        let mut rest = index;
        for (i, item) in items.iter().enumerate() {
            let n = count(item);
            if rest < n {
                return (i, rest);
            }
            rest -= n;
        }
    } else {
        let mut end = total;
        for (i, item) in items.iter().enumerate().rev() {
            let start = end - count(item);
            if index >= start {
                return (i, index - start);
            }
            end = start;
        }
    }
    unreachable!("the counts add up to the total")
}
