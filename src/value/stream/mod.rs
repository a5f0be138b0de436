//! Streams: entries in the order of their IDs, and groups of consumers.

mod id;
mod log;
mod node;
#[cfg(test)]
mod tests;

pub use id::{IdText, ParsedId, StreamId};
pub use log::{IdRange, Keep, Log, NewId, NotAdded, StreamConfig, Trim};
pub use node::{Entry, Fields, Pairs};

/// A log of entries, each a list of fields and values.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    pub log: Log,
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
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        self.log.mem_bytes()
    }

    /// In how many parts it would be freed: allocations, roughly.
    pub fn parts(&self) -> usize {
        self.log.node_count()
    }

    /// Frees about `parts` of its parts; true when little is left.
    pub fn free_some(&mut self, mut parts: usize) -> bool {
        self.log.free_some(&mut parts)
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Stream) -> bool {
        self.log == other.log
    }
}

impl Eq for Stream {}
