//! Streams: entries in the order of their IDs, and groups of consumers.

mod group;
mod id;
mod log;
mod node;
#[cfg(test)]
mod tests;

pub use group::{Consumer, ConsumerKey, Group, GroupEdit, Groups, Pending};
pub use id::{IdText, ParsedId, StreamId};
pub use log::{IdRange, Keep, Log, NewId, NotAdded, StreamConfig, Trim};
pub use node::{Entry, Fields, Pairs};

/// A log of entries, each a list of fields and values, and the groups that read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    pub log: Log,
    pub groups: Groups,
}

/// What becomes of an entry in the groups when it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum References {
    /// It stays pending where it is.
    #[default]
    Keep,
    /// It is pending nowhere any more.
    Delete,
    /// It only goes if each group has read and acknowledged it.
    Acknowledged,
}

/// What became of an entry that was to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deleted {
    /// It was not there.
    Absent,
    Gone,
    /// A group still needs it.
    Needed,
}

impl Stream {
    /// An empty one.
    pub fn new() -> Stream {
        Stream::default()
    }

    /// One with nothing but a group: to free it bit by bit.
    pub fn of_group(group: Group) -> Stream {
        let mut stream = Stream::default();
        stream.groups.insert(b"", group);
        stream
    }

    /// What OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        "stream"
    }

    /// Heap bytes, as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        self.log.mem_bytes() + self.groups.mem_bytes()
    }

    /// In how many parts it would be freed: allocations, roughly.
    pub fn parts(&self) -> usize {
        self.log.node_count() + self.groups.parts()
    }

    /// Frees about `parts` of its parts; true when little is left.
    pub fn free_some(&mut self, mut parts: usize) -> bool {
        self.log.free_some(&mut parts) && self.groups.free_some(&mut parts)
    }

    /// Deletes the oldest entries. Returns how many went.
    pub fn trim(&mut self, trim: &Trim, references: References) -> u64 {
        let Stream { log, groups } = self;
        match references {
            References::Acknowledged if !groups.is_empty() => log.trim(trim, Some(&|id| groups.need(id))),
            References::Delete => {
                let before = log.first_id();
                let removed = log.trim(trim, None);
                if removed > 0 {
                    let first = if log.is_empty() { log.last_id.next() } else { Some(log.first_id()) };
                    groups.forget(before, first.and_then(StreamId::prev).unwrap_or(StreamId::MAX));
                }
                removed
            }
            _ => log.trim(trim, None),
        }
    }

    /// Deletes an entry.
    pub fn delete(&mut self, id: StreamId, references: References) -> Deleted {
        match references {
            References::Delete => self.groups.forget(id, id),
            References::Acknowledged if self.log.contains(id) && self.groups.need(id) => {
                return Deleted::Needed;
            }
            _ => {}
        }
        if self.log.delete(id) { Deleted::Gone } else { Deleted::Absent }
    }
}
