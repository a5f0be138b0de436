//! Sets: an intset or a listpack while small, a hash table beyond that.

use crate::ds::listpack::Listpack;

/// A set of byte strings.
#[derive(Clone, Debug, Default)]
pub struct Set {
    pack: Listpack,
}

impl Set {
    /// An empty one.
    pub fn new() -> Set {
        Set::default()
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

impl PartialEq for Set {
    fn eq(&self, other: &Set) -> bool {
        self.pack.entries().as_bytes() == other.pack.entries().as_bytes()
    }
}

impl Eq for Set {}
