//! Streams: entries in the order of their IDs, and groups of consumers.

use crate::ds::listpack::Listpack;

/// A log of entries, each a list of fields and values.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    pack: Listpack,
}

impl Stream {
    /// An empty one.
    pub fn new() -> Stream {
        Stream::default()
    }

    /// What OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        "stream"
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

impl PartialEq for Stream {
    fn eq(&self, other: &Stream) -> bool {
        self.pack.entries().as_bytes() == other.pack.entries().as_bytes()
    }
}

impl Eq for Stream {}
