//! A long sequence: nodes of many small elements or one large one, in chunks of nodes, in a deque of chunks.
//!
//! Two levels bound what any step moves, and a seek counts by chunks, then by nodes, then by entries. Chunks
//! and nodes are shared on `clone`, which copies the deque of pointers alone: a snapshot. Later changes copy
//! what they touch.
//!
//! Nodes fill, split, merge and are compressed by the reference's rules for `list-max-listpack-size` and
//! `list-compress-depth`.

mod chunks;
mod node;

#[cfg(test)]
pub(crate) mod tests;

pub use chunks::At;
pub use node::Part;

use std::collections::VecDeque;

use self::chunks::ChunkSlot;
use self::node::Node;
use super::listpack::{Elem, Listpack, Needle};

/// Largest node, in bytes, when the limit is a number of elements.
const SIZE_SAFETY_LIMIT: usize = 8192;
/// What the reference assumes an element adds to a node beside its bytes.
const ENTRY_OVERHEAD: usize = 8;

/// The configuration that lists depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListConfig {
    /// `list-max-listpack-size`: -1 to -5 limit a node to 4, 8, 16, 32 or 64 KiB, others to that many
    /// elements.
    pub fill: i32,
    /// `list-compress-depth`: nodes at either end that stay uncompressed; 0 compresses none.
    pub compress_depth: u32,
    /// From this size in bytes on an element gets its own node; 0 derives it from `fill`.
    pub packed_threshold: usize,
}

impl Default for ListConfig {
    fn default() -> ListConfig {
        ListConfig { fill: -2, compress_depth: 0, packed_threshold: 0 }
    }
}

impl ListConfig {
    /// The limits of a node: bytes and elements, one of which is unlimited.
    #[inline]
    pub fn node_limit(&self) -> (usize, usize) {
        match self.fill {
            0.. => (usize::MAX, self.fill.max(1) as usize),
            _ => (4096 << (self.fill.saturating_neg().clamp(1, 5) - 1), usize::MAX),
        }
    }

    /// Whether a node of `len` bytes and `count` elements would be over its limit.
    #[inline]
    pub fn exceeds_limit(&self, len: usize, count: usize) -> bool {
        let (max_len, max_count) = self.node_limit();
        if self.fill < 0 { len > max_len } else { len > SIZE_SAFETY_LIMIT || count > max_count }
    }

    /// Whether an element of `len` bytes gets its own node.
    #[inline]
    pub fn is_large(&self, len: usize) -> bool {
        match self.packed_threshold {
            0 if self.fill >= 0 => len > SIZE_SAFETY_LIMIT,
            0 => len > self.node_limit().0,
            threshold => len >= threshold,
        }
    }
}

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The head.
    Left,
    /// The tail.
    Right,
}

/// Before or after an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nearer to the head.
    Before,
    /// Nearer to the tail.
    After,
}

/// A sequence of elements in nodes.
#[derive(Debug, Default)]
pub struct Quicklist {
    chunks: VecDeque<ChunkSlot>,
    /// Elements in all.
    count: usize,
    /// Nodes in all.
    nodes: usize,
    /// Heap bytes of chunks and nodes.
    mem: usize,
}

impl Quicklist {
    /// An empty list.
    pub fn new() -> Quicklist {
        Quicklist::default()
    }

    /// A list with one node.
    pub fn from_listpack(pack: Listpack) -> Quicklist {
        let mut list = Quicklist::new();
        list.append_listpack(pack);
        list
    }

    /// Adds a node at the tail, as read from a file. Nothing is merged or compressed.
    pub fn append_listpack(&mut self, pack: Listpack) {
        if !pack.is_empty() {
            self.insert_node(self.end(), Node::Pack(pack));
        }
    }

    /// Adds a node of one large element at the tail, as read from a file.
    pub fn append_plain(&mut self, value: &[u8]) {
        self.insert_node(self.end(), Node::plain(value));
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes
    }

    /// If there is but one node and it is a pack, its serialized length in bytes.
    pub fn sole_pack_len(&self) -> Option<usize> {
        let node = self.first_node().filter(|_| self.nodes == 1).map(|at| self.node(at))?;
        (!node.is_plain()).then(|| node.raw_len())
    }

    /// Takes the pack out of a list of one node, see [`Quicklist::sole_pack_len`].
    pub fn into_sole_pack(mut self) -> Option<Listpack> {
        self.sole_pack_len()?;
        let at = self.first_node()?;
        self.edit(at, |node| match node {
            Node::Pack(pack) => Some(std::mem::take(pack)),
            _ => None,
        })
    }

    /// Adds an element at an end.
    #[inline]
    pub fn push(&mut self, end: End, value: &[u8], cfg: &ListConfig) {
        let pushed = self.edit_end_pack(end, |pack| {
            pack_allows_insert(pack.lp_bytes(), pack.len(), value.len(), cfg).then(|| match end {
                End::Left => pack.push_front(value),
                End::Right => pack.push_back(value),
            })
        });
        if pushed.is_none() {
            self.push_slow(end, value, cfg);
        }
    }

    /// As [`Quicklist::push`], when the end is no pack with room for the element.
    #[cold]
    fn push_slow(&mut self, end: End, value: &[u8], cfg: &ListConfig) {
        if let Some(at) = self.end_node(end)
            && self.allows_insert(at, value.len(), cfg)
        {
            // Compressed under another configuration.
            self.edit(at, |_| ());
            return self.push(end, value, cfg);
        }
        let at = match end {
            End::Left => At::START,
            End::Right => self.end(),
        };
        let at = self.insert_node(at, new_node(value, cfg));
        self.settle(at, cfg);
    }

    /// Shows the element at an end to `f`, then removes it.
    #[inline]
    pub fn pop<R>(&mut self, end: End, cfg: &ListConfig, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let mut emptied = false;
        let mut f = Some(f);
        let popped = self.edit_end_pack(end, |pack| {
            let f = f.take()?;
            let out = match end {
                End::Left => pack.pop_front(f),
                End::Right => pack.pop_back(f),
            };
            emptied = pack.is_empty();
            out
        });
        if let Some(f) = f {
            return self.pop_slow(end, cfg, f);
        }
        if emptied {
            self.drop_end(end, cfg);
        }
        popped
    }

    /// As [`Quicklist::pop`], when the end is a large element, or compressed under another configuration.
    #[cold]
    fn pop_slow<R>(&mut self, end: End, cfg: &ListConfig, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let at = self.end_node(end)?;
        if self.node(at).is_plain() {
            let out = self.node(at).read(|part| part.get(0).map(f));
            self.drop_end(end, cfg);
            return out;
        }
        self.edit(at, |_| ());
        self.pop(end, cfg, f)
    }

    #[cold]
    fn drop_end(&mut self, end: End, cfg: &ListConfig) {
        if let Some(at) = self.end_node(end) {
            self.remove_node(at);
            self.settle(at, cfg);
        }
    }

    fn end_node(&self, end: End) -> Option<At> {
        match end {
            End::Left => self.first_node(),
            End::Right => self.last_node(),
        }
    }

    /// Shows element `index` to `f`.
    pub fn get<R>(&self, index: usize, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let (at, offset) = self.locate(index)?;
        self.node(at).read(|part| part.get(offset).map(f))
    }

    /// Writes `value` over element `index`; `false` if there is none.
    pub fn set(&mut self, index: usize, value: &[u8], cfg: &ListConfig) -> bool {
        let Some((at, offset)) = self.locate(index) else { return false };
        let plain = self.node(at).is_plain();
        let large = cfg.is_large(value.len());
        if !plain && !large {
            self.edit(at, |node| {
                if let Node::Pack(pack) = node {
                    pack.replace(offset, value);
                }
            });
            self.settle(at, cfg);
        } else if plain && large {
            self.edit(at, |node| *node = Node::plain(value));
            self.settle(at, cfg);
        } else if plain {
            self.insert(index, Place::After, value, cfg);
            if let Some((at, _)) = self.locate(index) {
                self.remove_node(at);
                self.settle(at, cfg);
            }
        } else {
            // A large element takes the place of a small one: its pack is split around it.
            let (at, _) = self.split(at, offset + 1);
            let emptied = self.edit(at, |node| {
                if let Node::Pack(pack) = node {
                    pack.delete_range(offset, 1);
                }
                node.len() == 0
            });
            if emptied {
                self.edit(at, |node| *node = Node::plain(value));
                self.settle(at, cfg);
            } else {
                let at = self.insert_node(self.step(at), Node::plain(value));
                self.merge_around(at, cfg);
            }
        }
        true
    }

    /// Puts `value` before or after element `index`, which must exist.
    pub fn insert(&mut self, index: usize, place: Place, value: &[u8], cfg: &ListConfig) {
        let Some((at, offset)) = self.locate(index) else { return };
        let after = place == Place::After;
        let len = self.node(at).len();
        let at_edge = if after { offset + 1 == len } else { offset == 0 };
        let slot = offset + usize::from(after);
        if self.allows_insert(at, value.len(), cfg) {
            self.edit(at, |node| {
                if let Node::Pack(pack) = node {
                    pack.insert(slot, value);
                }
            });
            self.settle(at, cfg);
            return;
        }
        if at_edge {
            let neighbour = if after { self.next_node(at) } else { self.prev_node(at) };
            if let Some(neighbour) = neighbour
                && self.allows_insert(neighbour, value.len(), cfg)
            {
                self.edit(neighbour, |node| {
                    if let Node::Pack(pack) = node {
                        if after { pack.push_front(value) } else { pack.push_back(value) }
                    }
                });
                self.settle(neighbour, cfg);
                return;
            }
            let at = if after { self.step(at) } else { at };
            let at = self.insert_node(at, new_node(value, cfg));
            self.settle(at, cfg);
            return;
        }
        // The middle of a full pack: the half that has the new element's neighbour takes it, or it stands
        // alone.
        let (at, tail) = self.split(at, slot);
        if cfg.is_large(value.len()) {
            let at = self.insert_node(tail, Node::plain(value));
            self.settle(at, cfg);
            return;
        }
        // The reference splits so that the half without the element keeps the node, and merges around that
        // one.
        let (grown, center) = if after { (tail, at) } else { (at, tail) };
        self.edit(grown, |node| {
            if let Node::Pack(pack) = node {
                if after { pack.push_front(value) } else { pack.push_back(value) }
            }
        });
        self.merge_around(center, cfg);
    }

    /// Removes the elements `start..start + n`, as far as they exist.
    pub fn delete_range(&mut self, start: usize, n: usize, cfg: &ListConfig) {
        let mut left = n.min(self.count.saturating_sub(start));
        let mut next = self.locate(start).filter(|_| left > 0);
        let mut last = None;
        while let Some((at, offset)) = next.filter(|_| left > 0) {
            let len = self.node(at).len();
            let gone = left.min(len - offset);
            let following = if gone == len {
                self.remove_node(at);
                at
            } else {
                self.edit(at, |node| {
                    if let Node::Pack(pack) = node {
                        pack.delete_range(offset, gone);
                    }
                });
                self.step(at)
            };
            left -= gone;
            next = self.valid(following).map(|at| (at, 0));
            last = Some(following);
        }
        if let Some(at) = last {
            self.merge_chunks_at(at.chunk);
            if let Some((at, _)) = self.locate(start.min(self.count.saturating_sub(1))) {
                self.settle(at, cfg);
            }
        }
    }

    /// Removes at most `limit` elements that are `value`, the last ones if `from_tail`. Returns how many
    /// went.
    pub fn delete_value(&mut self, value: &[u8], limit: usize, from_tail: bool, cfg: &ListConfig) -> usize {
        let needle = Needle::new(value);
        let mut removed = 0;
        let mut next = if from_tail { self.last_node() } else { self.first_node() };
        while let Some(at) = next.filter(|_| removed < limit) {
            let mut following = if from_tail { self.prev_node(at) } else { self.next_node(at) };
            // Looking does not copy a node that a snapshot shares.
            if self.node(at).read(|part| part.contains(needle)) {
                removed += self.edit(at, |node| match node {
                    Node::Pack(pack) => pack.delete_value(value, limit - removed, from_tail),
                    node => {
                        *node = Node::Pack(Listpack::new());
                        1
                    }
                });
                if self.node(at).len() == 0 {
                    self.remove_node(at);
                    if !from_tail {
                        following = self.valid(at);
                    }
                } else if cfg.compress_depth > 0 {
                    self.settle(at, cfg);
                }
            }
            next = following;
        }
        if removed > 0 {
            self.merge_chunks();
            self.settle(At::START, cfg);
        }
        removed
    }

    /// Calls `f` with the elements `start..start + n`, from the last to the first if `rev`.
    pub fn for_range(&self, start: usize, n: usize, rev: bool, mut f: impl FnMut(Elem<'_>)) {
        let mut left = n.min(self.count.saturating_sub(start));
        if left == 0 {
            return;
        }
        if rev {
            let mut at = self.locate(start + left - 1).map(|(at, offset)| (at, offset + 1));
            while let Some((here, end)) = at.filter(|_| left > 0) {
                let take = left.min(end);
                self.node(here).read(|part| part.for_range(end - take, take, true, &mut f));
                left -= take;
                at = self.prev_node(here).map(|at| (at, self.node(at).len()));
            }
        } else {
            let mut at = self.locate(start);
            while let Some((here, offset)) = at.filter(|_| left > 0) {
                let node = self.node(here);
                let take = left.min(node.len() - offset);
                node.read(|part| part.for_range(offset, take, false, &mut f));
                left -= take;
                at = self.next_node(here).map(|at| (at, 0));
            }
        }
    }

    /// Calls `f` with all elements until it returns `false`, from the last to the first if `rev`.
    pub fn try_each(&self, rev: bool, mut f: impl FnMut(Elem<'_>) -> bool) {
        let mut next = if rev { self.last_node() } else { self.first_node() };
        while let Some(at) = next {
            if !self.node(at).read(|part| part.try_each(rev, &mut f)) {
                return;
            }
            next = if rev { self.prev_node(at) } else { self.next_node(at) };
        }
    }

    /// The first element that is `value`: its index.
    pub fn find(&self, value: &[u8]) -> Option<usize> {
        let needle = Needle::new(value);
        let (mut index, mut found) = (0, None);
        self.try_each(false, |elem| {
            if needle.matches(elem) {
                found = Some(index);
            }
            index += 1;
            found.is_none()
        });
        found
    }

    /// Whether an element of `len` more bytes may go to the node at `at`.
    fn allows_insert(&self, at: At, len: usize, cfg: &ListConfig) -> bool {
        let node = self.node(at);
        !node.is_plain() && pack_allows_insert(node.raw_len(), node.len(), len, cfg)
    }

    /// Splits the pack at `at` before its element `offset`. Returns the places of the node and of the one
    /// behind it, which is new and has what follows, unless nothing does.
    fn split(&mut self, at: At, offset: usize) -> (At, At) {
        let tail = self.edit(at, |node| match node {
            Node::Pack(pack) => pack.split_off(offset),
            _ => Listpack::new(),
        });
        let next = self.step(at);
        if tail.is_empty() {
            return (at, next);
        }
        // The chunk may have been split to take the new node.
        let tail = self.insert_node(next, Node::Pack(tail));
        (self.prev_node(tail).unwrap_or(at), tail)
    }

    /// Merges the node at `at` and its two neighbours on either side where the limit allows it.
    fn merge_around(&mut self, at: At, cfg: &ListConfig) {
        let mut at = at;
        if let Some(prev) = self.prev_node(at)
            && let Some(before) = self.prev_node(prev)
            && self.merge(before, prev, cfg)
        {
            at = self.next_node(before).unwrap_or(before);
        }
        if let Some(next) = self.next_node(at)
            && let Some(after) = self.next_node(next)
        {
            self.merge(next, after, cfg);
        }
        if let Some(prev) = self.prev_node(at)
            && self.merge(prev, at, cfg)
        {
            at = prev;
        }
        if let Some(next) = self.next_node(at) {
            self.merge(at, next, cfg);
        }
        self.settle(at, cfg);
        self.merge_chunks_at(at.chunk);
    }

    /// Merges two neighbours into the first, if both are packs and the limit allows it.
    fn merge(&mut self, a: At, b: At, cfg: &ListConfig) -> bool {
        let (left, right) = (self.node(a), self.node(b));
        if left.is_plain()
            || right.is_plain()
            || cfg.exceeds_limit(left.raw_len() + right.raw_len() - 7, left.len() + right.len())
        {
            return false;
        }
        let right = self.node_arc(b);
        self.edit(a, |node| {
            right.read(|part| {
                if let (Node::Pack(pack), Part::Pack(entries)) = (node, part) {
                    pack.append(entries);
                }
            });
        });
        self.remove_node(b);
        true
    }

    /// Compresses what has to be after a change at `at`: nodes within the depth from either end are not, the
    /// touched node, its neighbours and those just beyond the depth are.
    fn settle(&mut self, at: At, cfg: &ListConfig) {
        let depth = cfg.compress_depth as usize;
        let Some(at) = self.valid(at).or(self.last_node()).filter(|_| depth > 0) else { return };
        let around = [self.prev_node(at).and_then(|at| self.prev_node(at)), self.prev_node(at), Some(at)];
        let next = self.next_node(at);
        let after = next.and_then(|at| self.next_node(at));
        for at in around.into_iter().chain([next, after]).flatten() {
            self.set_compressed(at, self.is_interior(at, depth));
        }
        let (mut head, mut tail) = (self.first_node(), self.last_node());
        // One change adds two nodes at most, so that two may have left the depth on either side.
        for done in 0..(depth + 2).min(self.nodes) {
            let (Some(left), Some(right)) = (head, tail) else { return };
            self.set_compressed(left, done >= depth && self.is_interior(left, depth));
            self.set_compressed(right, done >= depth && self.is_interior(right, depth));
            (head, tail) = (self.next_node(left), self.prev_node(right));
        }
    }

    /// Compresses what has to be in the whole list, as after loading.
    pub fn compress_all(&mut self, cfg: &ListConfig) {
        let depth = cfg.compress_depth as usize;
        let mut next = self.first_node().filter(|_| depth > 0);
        while let Some(at) = next {
            self.set_compressed(at, self.is_interior(at, depth));
            next = self.next_node(at);
        }
    }
}

/// Whether an element of `len` bytes may go to a pack of `lp_bytes` and `count` elements.
#[inline]
fn pack_allows_insert(lp_bytes: usize, count: usize, len: usize, cfg: &ListConfig) -> bool {
    !cfg.is_large(len)
        && !cfg.exceeds_limit(lp_bytes.saturating_add(len).saturating_add(ENTRY_OVERHEAD), count + 1)
}

fn new_node(value: &[u8], cfg: &ListConfig) -> Node {
    if cfg.is_large(value.len()) { Node::plain(value) } else { Node::pack_of(value) }
}
