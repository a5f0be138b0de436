//! Lists: a listpack while small, a quicklist beyond that.
//!
//! When a list changes its encoding is the reference's rule, since clients can see it: before elements are
//! added, if they would take the pack over `list-max-listpack-size`; and back after a removal, once one pack
//! is left that is at or below half of that limit.

pub use crate::ds::listpack::{Elem, Needle};
pub use crate::ds::quicklist::{End, ListConfig, Part, Place};

#[cfg(test)]
mod tests;

use crate::ds::listpack::Listpack;
use crate::ds::quicklist::{At, Quicklist};
use crate::ds::size::rounded;
use crate::ds::thin::Thin;

/// A list of byte strings. `clone` is a snapshot that costs little.
#[derive(Clone, Debug)]
pub enum List {
    /// All elements in one pack.
    Pack(Listpack),
    /// Nodes of packs and of large elements.
    Quick(Thin<Quicklist>),
}

impl Default for List {
    fn default() -> List {
        List::new()
    }
}

/// What LPOS looks for.
#[derive(Clone, Copy, Debug)]
pub struct PositionQuery {
    /// The first match that counts: 1 is the first, 2 the second, -1 the last, and so on. Not 0.
    pub rank: i64,
    /// How many matches to report at most; 0 for all.
    pub count: usize,
    /// How many elements to look at; 0 for all.
    pub max_len: usize,
}

/// The place of a node in a list that does not change, for saving it node by node.
#[derive(Clone, Copy, Debug)]
pub struct NodePos(Option<At>);

impl List {
    /// An empty list.
    pub const fn new() -> List {
        List::Pack(Listpack::new())
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            List::Pack(pack) => pack.len(),
            List::Quick(quick) => quick.len(),
        }
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match self {
            List::Pack(_) => "listpack",
            List::Quick(_) => "quicklist",
        }
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        match self {
            List::Pack(pack) => pack.mem_bytes(),
            List::Quick(quick) => rounded(size_of::<Quicklist>()) + quick.mem_bytes(),
        }
    }

    /// Adds one element at an end.
    #[inline]
    pub fn push(&mut self, end: End, value: &[u8], cfg: &ListConfig) {
        self.make_room(value.len(), 1, cfg);
        self.push_as_is(end, value, cfg);
    }

    /// Adds elements at an end, one after the other, after one look at what all of them do to the encoding.
    pub fn push_all<'a, I>(&mut self, end: End, values: I, cfg: &ListConfig)
    where
        I: IntoIterator<Item = &'a [u8]> + Clone,
    {
        let (mut bytes, mut count) = (0, 0);
        for value in values.clone() {
            bytes += value.len();
            count += 1;
        }
        self.make_room(bytes, count, cfg);
        for value in values {
            self.push_as_is(end, value, cfg);
        }
    }

    #[inline]
    fn push_as_is(&mut self, end: End, value: &[u8], cfg: &ListConfig) {
        match (self, end) {
            (List::Pack(pack), End::Left) => pack.push_front(value),
            (List::Pack(pack), End::Right) => pack.push_back(value),
            (List::Quick(quick), _) => quick.push(end, value, cfg),
        }
    }

    /// Shows the element at an end to `f`, then removes it.
    #[inline]
    pub fn pop<R>(&mut self, end: End, cfg: &ListConfig, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let out = self.pop_as_is(end, cfg, f);
        self.shrink(cfg);
        out
    }

    #[inline]
    fn pop_as_is<R>(&mut self, end: End, cfg: &ListConfig, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        match (self, end) {
            (List::Pack(pack), End::Left) => pack.pop_front(f),
            (List::Pack(pack), End::Right) => pack.pop_back(f),
            (List::Quick(quick), _) => quick.pop(end, cfg, f),
        }
    }

    /// Moves the element at one end to another, or to the same, and returns it. The encoding is a matter of the length
    /// before and after, not of the one between.
    pub fn rotate(&mut self, from: End, to: End, cfg: &ListConfig) -> Option<Vec<u8>> {
        let element = self.pop_as_is(from, cfg, |element| element.to_vec())?;
        self.push(to, &element, cfg);
        self.shrink(cfg);
        Some(element)
    }

    /// Shows up to `n` elements from an end to `f`, the outermost first, then removes them. Returns how many.
    pub fn pop_n(&mut self, end: End, n: usize, cfg: &ListConfig, f: impl FnMut(Elem<'_>)) -> usize {
        let n = n.min(self.len());
        let start = if end == End::Left { 0 } else { self.len() - n };
        self.for_range(start, n, end == End::Right, f);
        self.delete_range(start, n, cfg);
        n
    }

    /// The element's index for one that counts from the tail when negative.
    #[inline]
    pub fn resolve_index(&self, index: i64) -> Option<usize> {
        let len = self.len();
        let index = if index < 0 {
            len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
        } else {
            usize::try_from(index).ok()?
        };
        (index < len).then_some(index)
    }

    /// Shows element `index` to `f`; negative ones count from the tail.
    pub fn get<R>(&self, index: i64, f: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let index = self.resolve_index(index)?;
        match self {
            List::Pack(pack) => pack.get(index).map(f),
            List::Quick(quick) => quick.get(index, f),
        }
    }

    /// Writes `value` over element `index`; `false` if there is none.
    pub fn set(&mut self, index: i64, value: &[u8], cfg: &ListConfig) -> bool {
        self.make_room(value.len(), 1, cfg);
        let Some(index) = self.resolve_index(index) else { return false };
        let done = match self {
            List::Pack(pack) => pack.replace(index, value),
            List::Quick(quick) => quick.set(index, value, cfg),
        };
        self.shrink(cfg);
        done
    }

    /// Puts `value` before or after the first element that is `pivot`; `None` if there is none.
    pub fn insert(&mut self, place: Place, pivot: &[u8], value: &[u8], cfg: &ListConfig) -> Option<()> {
        self.make_room(value.len(), 1, cfg);
        match self {
            List::Pack(pack) => {
                let entries = pack.entries();
                let (_, offset) = entries.find(pivot, 0)?;
                let offset = if place == Place::After { entries.next(offset) } else { offset };
                pack.insert_at(offset, value);
            }
            List::Quick(quick) => {
                let at = quick.find(pivot)?;
                quick.insert(at, place, value, cfg);
            }
        }
        Some(())
    }

    /// LREM: removes the first `count` elements that are `value`, the last if negative, all if 0. Returns how
    /// many.
    pub fn remove(&mut self, count: i64, value: &[u8], cfg: &ListConfig) -> usize {
        let from_tail = count < 0;
        let limit = match count {
            0 => usize::MAX,
            _ => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
        };
        match self {
            List::Pack(pack) => pack.delete_value(value, limit, from_tail),
            List::Quick(quick) => {
                let removed = quick.delete_value(value, limit, from_tail, cfg);
                if removed > 0 {
                    self.shrink(cfg);
                }
                removed
            }
        }
    }

    /// Keeps the elements `start..start + n` alone.
    pub fn trim(&mut self, start: usize, n: usize, cfg: &ListConfig) {
        let end = start.saturating_add(n).min(self.len());
        self.delete_as_is(end, usize::MAX, cfg);
        self.delete_as_is(0, start, cfg);
        self.shrink(cfg);
    }

    /// Removes the elements `start..start + n`, as far as they exist.
    pub fn delete_range(&mut self, start: usize, n: usize, cfg: &ListConfig) {
        self.delete_as_is(start, n, cfg);
        self.shrink(cfg);
    }

    fn delete_as_is(&mut self, start: usize, n: usize, cfg: &ListConfig) {
        match self {
            List::Pack(pack) => pack.delete_range(start, n),
            List::Quick(quick) => quick.delete_range(start, n, cfg),
        }
    }

    /// Calls `f` with the elements `start..start + n`, from the last to the first if `rev`.
    #[inline]
    pub fn for_range(&self, start: usize, n: usize, rev: bool, f: impl FnMut(Elem<'_>)) {
        match self {
            List::Pack(pack) => pack.entries().for_range(start, n, rev, f),
            List::Quick(quick) => quick.for_range(start, n, rev, f),
        }
    }

    /// Calls `f` with all elements until it returns `false`, from the last to the first if `rev`.
    pub fn try_each(&self, rev: bool, f: impl FnMut(Elem<'_>) -> bool) {
        match self {
            List::Pack(pack) => {
                Part::Pack(pack.entries()).try_each(rev, f);
            }
            List::Quick(quick) => quick.try_each(rev, f),
        }
    }

    /// LPOS: calls `f` with the indexes of the elements that are `value`, in the order of the search.
    pub fn positions(&self, value: &[u8], query: PositionQuery, mut f: impl FnMut(usize)) {
        let needle = Needle::new(value);
        let (rev, len) = (query.rank < 0, self.len());
        let mut skip = query.rank.unsigned_abs().saturating_sub(1);
        let max_len = if query.max_len == 0 { len } else { query.max_len.min(len) };
        let (mut seen, mut reported) = (0, 0);
        self.try_each(rev, |elem| {
            if seen == max_len {
                return false;
            }
            if needle.matches(elem) {
                if skip > 0 {
                    skip -= 1;
                } else {
                    f(if rev { len - 1 - seen } else { seen });
                    reported += 1;
                }
            }
            seen += 1;
            reported != query.count || query.count == 0
        });
    }

    /// Drops at most `max_nodes` nodes from the tail. `true` when nothing is left: a huge list is freed in
    /// slices.
    pub fn free_some(&mut self, max_nodes: usize) -> bool {
        match self {
            List::Pack(pack) => {
                *pack = Listpack::new();
                true
            }
            List::Quick(quick) => quick.free_some(max_nodes),
        }
    }

    /// Number of nodes; a pack is one.
    pub fn node_count(&self) -> usize {
        match self {
            List::Pack(_) => 1,
            List::Quick(quick) => quick.node_count(),
        }
    }

    /// The first node's place.
    pub fn first_node(&self) -> Option<NodePos> {
        match self {
            List::Pack(pack) => (!pack.is_empty()).then_some(NodePos(None)),
            List::Quick(quick) => quick.first_node().map(|at| NodePos(Some(at))),
        }
    }

    /// The place of the node behind the one at `pos`.
    pub fn next_node(&self, pos: NodePos) -> Option<NodePos> {
        match (self, pos.0) {
            (List::Quick(quick), Some(at)) => quick.next_node(at).map(|at| NodePos(Some(at))),
            _ => None,
        }
    }

    /// Shows the elements of the node at `pos` to `f`: a pack's entries or one large element, as files keep
    /// them.
    pub fn with_node<R>(&self, pos: NodePos, f: impl FnOnce(Part<'_>) -> R) -> R {
        match (self, pos.0) {
            (List::Pack(pack), _) => f(Part::Pack(pack.entries())),
            (List::Quick(quick), at) => quick.with_node(at.unwrap_or(At::START), f),
        }
    }

    /// Adds a pack at the tail as a node of its own, as read from a file; see [`List::finish_load`].
    pub fn append_pack_node(&mut self, pack: Listpack) {
        self.make_quicklist().append_listpack(pack);
    }

    /// Adds a large element at the tail as a node of its own, as read from a file; see [`List::finish_load`].
    pub fn append_plain_node(&mut self, value: &[u8]) {
        self.make_quicklist().append_plain(value);
    }

    /// Chooses the encoding of a list that was read from a file, and compresses what has to be.
    pub fn finish_load(&mut self, cfg: &ListConfig) {
        if let List::Quick(quick) = self {
            quick.compress_all(cfg);
        }
        self.convert_back(cfg, 1);
        self.make_room(0, 0, cfg);
    }

    /// Becomes a quicklist if the pack with the elements to come would be over the limit.
    #[inline]
    fn make_room(&mut self, bytes: usize, count: usize, cfg: &ListConfig) {
        if let List::Pack(pack) = self
            && cfg.exceeds_limit(pack.lp_bytes().saturating_add(bytes), pack.len() + count)
        {
            self.make_quicklist();
        }
    }

    fn make_quicklist(&mut self) -> &mut Quicklist {
        if let List::Pack(pack) = self {
            let pack = std::mem::take(pack);
            *self = List::Quick(Thin::new(Quicklist::from_listpack(pack)));
        }
        match self {
            List::Quick(quick) => quick,
            List::Pack(_) => unreachable!("converted above"),
        }
    }

    /// Becomes a pack again if the quicklist is well below the limit.
    #[inline]
    fn shrink(&mut self, cfg: &ListConfig) {
        self.convert_back(cfg, 2);
    }

    /// Becomes a pack if the only node is one that is at most `1 / part` of the limit.
    fn convert_back(&mut self, cfg: &ListConfig, part: usize) {
        let List::Quick(quick) = self else { return };
        if quick.node_count() > 1 {
            return;
        }
        let Some(len) = quick.sole_pack_len() else { return };
        let (max_len, max_count) = cfg.node_limit();
        if len <= max_len / part
            && quick.len() <= max_count / part
            && let Some(pack) = std::mem::take(&mut **quick).into_sole_pack()
        {
            *self = List::Pack(pack);
        }
    }
}
impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        let elements = |list: &List| {
            let mut all = Vec::with_capacity(list.len());
            list.for_range(0, list.len(), false, |elem| all.push(elem.to_vec()));
            all
        };
        self.len() == other.len() && elements(self) == elements(other)
    }
}

impl Eq for List {}
