//! Sorted sets: a listpack while small, an ordered tree and a hash table beyond that.

use crate::ds::listpack::Listpack;

/// A set of byte strings in the order of their scores.
#[derive(Clone, Debug, Default)]
pub struct ZSet {
    pack: Listpack,
}

impl ZSet {
    /// An empty one.
    pub fn new() -> ZSet {
        ZSet::default()
    }

    /// What OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        "listpack"
    }

    /// Heap bytes, as the allocator rounds them.
    pub fn mem_bytes(&self) -> usize {
        self.pack.mem_bytes()
    }

    /// In how many parts it would be freed: allocations, roughly.
    pub fn parts(&self) -> usize {
        1
    }

    /// Frees about `parts` of its parts; true when little is left.
    pub fn free_some(&mut self, _parts: usize) -> bool {
        true
    }
}

impl PartialEq for ZSet {
    fn eq(&self, other: &ZSet) -> bool {
        self.pack.entries().as_bytes() == other.pack.entries().as_bytes()
    }
}

impl Eq for ZSet {}
