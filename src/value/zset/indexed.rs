//! A large sorted set: a table of the members, which owns them, and a tree of them in order.

use std::cmp::Ordering;

use super::member::{Member, Slot};
use crate::ds::{
    rank_tree::{self, RankTree},
    size::rounded,
    table::{Pos, Table},
};

/// Members by name and in order. Every slot in the tree is of a member in the table, and the other way round, with the
/// same score; what is taken out goes from the tree first.
pub struct Indexed {
    table: Table<Member>,
    tree: RankTree<Slot>,
    /// Bytes of the members.
    members_bytes: usize,
}

impl Indexed {
    pub(super) fn new(seed: [u64; 2]) -> Indexed {
        Indexed { table: Table::new(seed), tree: RankTree::new(), members_bytes: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.tree.len()
    }

    #[inline]
    pub(super) fn mem_bytes(&self) -> usize {
        rounded(size_of::<Indexed>()) + self.members_bytes + self.tree.mem_bytes() + self.table.mem_bytes()
    }

    /// The order of a slot of the tree to a score and member.
    #[inline]
    fn order(score: f64, member: &[u8]) -> impl Fn(&Slot) -> Ordering {
        // SAFETY: it is called for slots of the tree alone, whose members are in the table.
        move |slot| unsafe { slot.order(score, member) }
    }

    /// Finds a member; with its hash and score.
    #[inline]
    pub(super) fn find(&self, member: &[u8]) -> (u64, Option<(Pos, f64)>) {
        let hash = self.table.hash(member);
        let found = self.table.find(hash, member);
        (hash, found.map(|pos| (pos, self.table.get(pos).score())))
    }

    /// Adds a member that is not there; `hash` is what [`Indexed::find`] gave for it.
    pub(super) fn insert(&mut self, hash: u64, member: &[u8], score: f64) {
        let item = Member::new(member, score);
        let slot = item.slot();
        self.members_bytes += item.mem_bytes();
        self.table.insert(hash, item);
        self.tree.insert(slot, Indexed::order(score, member));
    }

    /// Gives the member that was found at `pos` with the score `old` another one.
    pub(super) fn set_score(&mut self, pos: Pos, member: &[u8], old: f64, score: f64) {
        let slot = {
            let mut item = self.table.edit(pos);
            item.set_score(score);
            item.slot()
        };
        let (was, is) = (Indexed::order(old, member), Indexed::order(score, member));
        if !self.tree.shift(slot, &was, &is) {
            self.tree.remove(was);
            self.tree.insert(slot, is);
        }
    }

    /// Removes the member that was found at `pos` with this score.
    pub(super) fn remove(&mut self, pos: Pos, member: &[u8], score: f64) {
        self.tree.remove(Indexed::order(score, member));
        let item = self.table.remove(pos);
        self.members_bytes -= item.mem_bytes();
    }

    /// Removes `n` members from a rank on.
    pub(super) fn remove_range(&mut self, start: usize, n: usize) {
        for _ in 0..n {
            let Some(slot) = self.tree.remove_at(start) else { break };
            // SAFETY: the member is in the table until it is removed there, below.
            let member = unsafe { slot.bytes() };
            let hash = self.table.hash(member);
            if let Some(pos) = self.table.find(hash, member) {
                let item = self.table.remove(pos);
                self.members_bytes -= item.mem_bytes();
            }
        }
    }

    /// How many members come before a place: those for which `before` says so.
    #[inline]
    pub(super) fn partition(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        // SAFETY: the slots are of the tree.
        self.tree.partition(|slot| before(slot.score, unsafe { slot.bytes() }))
    }

    /// How many members have a score for which `before` says so. No member is looked at.
    #[inline]
    pub(super) fn partition_by_score(&self, before: impl Fn(f64) -> bool) -> usize {
        self.tree.partition(|slot| before(slot.score))
    }

    /// Members and scores from a rank on.
    pub(super) fn iter_from(&self, rank: usize) -> Pairs<'_> {
        Pairs(self.tree.iter_from(rank))
    }

    /// Members and scores before a rank, the last one first.
    pub(super) fn rev_from(&self, rank: usize) -> RevPairs<'_> {
        RevPairs(self.tree.rev_from(rank))
    }

    /// Shows the members of one step of ZSCAN to `f`; returns the next cursor.
    pub(super) fn scan(&self, cursor: u64, mut f: impl FnMut(&[u8], f64)) -> u64 {
        self.table.scan(cursor, |item| f(item.bytes(), item.score()))
    }

    /// Frees about `n` members; `true` when none is left. From then on the set is good for nothing else.
    pub(super) fn free_some(&mut self, n: usize) -> bool {
        let mut popped = 0;
        while popped < n && !self.tree.is_empty() {
            popped += self.tree.pop_leaf();
        }
        let bytes: usize = self.table.drain_some(n).map(|item| item.mem_bytes()).sum();
        self.members_bytes -= bytes;
        self.table.is_empty() && self.tree.is_empty()
    }
}

#[cfg(test)]
impl Indexed {
    /// The memory, counted member by member.
    pub(super) fn recount_mem(&self) -> usize {
        let members: usize = self.table.iter().map(|item| item.mem_bytes()).sum();
        rounded(size_of::<Indexed>()) + members + self.tree.mem_bytes() + self.table.mem_bytes()
    }
}

impl Clone for Indexed {
    fn clone(&self) -> Indexed {
        let mut copy = Indexed::new(self.table.seed());
        for (member, score) in self.iter_from(0) {
            copy.insert(copy.table.hash(member), member, score);
        }
        copy
    }
}

/// Members and scores in order. They live as long as the set is borrowed, and with it not changed.
pub struct Pairs<'a>(rank_tree::Iter<'a, Slot>);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<(&'a [u8], f64)> {
        // SAFETY: a slot of the tree, whose member is in the table, which is borrowed with it.
        self.0.next().map(|slot| (unsafe { slot.bytes() }, slot.score))
    }
}

/// Members and scores from the last to the first.
pub struct RevPairs<'a>(rank_tree::RevIter<'a, Slot>);

impl<'a> Iterator for RevPairs<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<(&'a [u8], f64)> {
        // SAFETY: as above.
        self.0.next().map(|slot| (unsafe { slot.bytes() }, slot.score))
    }
}
