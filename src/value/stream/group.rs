//! Groups of consumers: each entry of a stream goes to one consumer of each group, and is pending until it is
//! acknowledged.

use super::{Log, StreamId};
use crate::ds::size::rounded;
use slab::Slab;
use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// What one of the full leaves of a map takes for each of the seven places that it fills, in bytes, with its share of
/// the branches above.
const fn in_map(item_bytes: usize) -> usize {
    let leaf = rounded(11 * item_bytes + 16);
    let branch = rounded(11 * item_bytes + 16 + 12 * 8);
    (leaf + branch / 7) / 7
}

/// An entry that is pending stands in its group and with its consumer.
const PENDING_BYTES: usize =
    in_map(size_of::<StreamId>() + size_of::<Pending>()) + in_map(size_of::<StreamId>());
const CONSUMER_BYTES: usize = 2 * size_of::<Consumer>() + in_map(size_of::<(Arc<[u8]>, ConsumerKey)>());
const GROUP_BYTES: usize = rounded(size_of::<Group>()) + in_map(size_of::<(Box<[u8]>, Box<Group>)>());

/// The place of a consumer in its group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsumerKey(u32);

impl ConsumerKey {
    /// For an entry that is being loaded, and whose consumer is not known yet.
    const NOBODY: ConsumerKey = ConsumerKey(u32::MAX);
}

/// How an entry was delivered that is not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    /// When it was delivered last, as a Unix time in milliseconds.
    pub delivered_ms: i64,
    /// How often.
    pub deliveries: u64,
    pub owner: ConsumerKey,
}

/// A consumer of a group.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Arc<[u8]>,
    /// When it last tried to read or claim, as a Unix time in milliseconds.
    pub seen_ms: i64,
    /// When it last got something; -1: never.
    pub active_ms: i64,
    pending: BTreeSet<StreamId>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// How many entries are pending.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The IDs of its pending entries from one on.
    pub fn pending_from(&self, start: StreamId) -> impl Iterator<Item = StreamId> {
        self.pending.range(start..).copied()
    }
}

/// A group of consumers.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Of the last entry that was delivered.
    pub last_id: StreamId,
    /// How many entries were read up to that one, where it is known.
    pub entries_read: Option<i64>,
    pending: BTreeMap<StreamId, Pending>,
    consumers: Slab<Consumer>,
    by_name: BTreeMap<Arc<[u8]>, ConsumerKey>,
    /// Bytes of the consumers' names.
    name_bytes: usize,
}

impl Group {
    /// A group that is delivered what comes behind an ID.
    pub fn new(last_id: StreamId, entries_read: Option<i64>) -> Group {
        Group { last_id, entries_read, ..Group::default() }
    }

    /// Heap bytes, about as the allocator rounds them.
    #[inline]
    fn mem_bytes(&self) -> usize {
        self.pending.len() * PENDING_BYTES + self.by_name.len() * CONSUMER_BYTES + self.name_bytes
    }

    /// How many entries are pending.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The pending entries from an ID on.
    pub fn pending_from(&self, start: StreamId) -> impl DoubleEndedIterator<Item = (StreamId, &Pending)> {
        self.pending.range(start..).map(|(&id, pending)| (id, pending))
    }

    /// How an entry is pending.
    #[inline]
    pub fn pending(&self, id: StreamId) -> Option<&Pending> {
        self.pending.get(&id)
    }

    /// How many consumers there are.
    pub fn consumer_len(&self) -> usize {
        self.by_name.len()
    }

    /// All consumers, by their names.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.by_name.values().map(|&key| self.consumer(key))
    }

    /// The consumer at a place.
    #[inline]
    pub fn consumer(&self, key: ConsumerKey) -> &Consumer {
        &self.consumers[key.0 as usize]
    }

    /// The same, to set its times.
    #[inline]
    pub fn consumer_mut(&mut self, key: ConsumerKey) -> &mut Consumer {
        &mut self.consumers[key.0 as usize]
    }

    /// The place of the consumer with a name.
    #[inline]
    pub fn find_consumer(&self, name: &[u8]) -> Option<ConsumerKey> {
        self.by_name.get(name).copied()
    }

    /// Adds a consumer that is not there.
    pub fn add_consumer(&mut self, name: &[u8], seen_ms: i64, active_ms: i64) -> ConsumerKey {
        let name: Arc<[u8]> = name.into();
        self.name_bytes += rounded(16 + name.len());
        let consumer = Consumer { name: Arc::clone(&name), seen_ms, active_ms, pending: BTreeSet::new() };
        let key = ConsumerKey(self.consumers.insert(consumer) as u32);
        self.by_name.insert(name, key);
        key
    }

    /// The place of the consumer with a name, which is added if it is not there, and whether it was.
    pub fn find_or_add_consumer(&mut self, name: &[u8], now_ms: i64) -> (ConsumerKey, bool) {
        match self.find_consumer(name) {
            Some(key) => {
                self.consumer_mut(key).seen_ms = now_ms;
                (key, false)
            }
            None => (self.add_consumer(name, now_ms, -1), true),
        }
    }

    /// Removes a consumer with what is pending of it. Returns how many entries those were.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let key = self.by_name.remove(name)?;
        let consumer = self.consumers.remove(key.0 as usize);
        self.name_bytes -= rounded(16 + consumer.name.len());
        for id in &consumer.pending {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// Makes an entry pending, or changes how it is.
    #[inline]
    pub fn deliver(&mut self, id: StreamId, pending: Pending) {
        let old = self.pending.insert(id, pending);
        if let Some(old) = old.filter(|old| old.owner != pending.owner)
            && let Some(consumer) = self.consumers.get_mut(old.owner.0 as usize)
        {
            consumer.pending.remove(&id);
        }
        if old.is_none_or(|old| old.owner != pending.owner) {
            self.consumer_mut(pending.owner).pending.insert(id);
        }
    }

    /// An entry is pending no more. Returns whether it was.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        if let Some(consumer) = self.consumers.get_mut(pending.owner.0 as usize) {
            consumer.pending.remove(&id);
        }
        true
    }

    /// An entry was read: the group goes on behind it, if it was not there yet.
    #[inline]
    pub fn advance(&mut self, log: &Log, id: StreamId) {
        if id <= self.last_id {
            return;
        }
        match &mut self.entries_read {
            Some(n) if self.last_id >= log.first_id() && !log.has_deleted_from(self.last_id) => {
                *n = n.wrapping_add(1);
            }
            _ if log.entries_added > 0 => self.entries_read = log.entries_up_to(id),
            _ => {}
        }
        self.last_id = id;
    }

    /// How many entries are still to be delivered, where that can be told.
    pub fn lag(&self, log: &Log) -> Option<i64> {
        let read = match self.entries_read {
            _ if log.entries_added == 0 => return Some(0),
            Some(n) if !log.has_deleted_from(self.last_id) => Some(n),
            _ => log.entries_up_to(self.last_id),
        };
        read.map(|n| (log.entries_added as i64).wrapping_sub(n))
    }

    /// Adds a pending entry, as a file has it, whose consumer comes later. False if it is there already.
    pub fn load_pending(&mut self, id: StreamId, delivered_ms: i64, deliveries: u64) -> bool {
        let pending = Pending { delivered_ms, deliveries, owner: ConsumerKey::NOBODY };
        match self.pending.entry(id) {
            btree_map::Entry::Vacant(place) => {
                place.insert(pending);
                true
            }
            btree_map::Entry::Occupied(_) => false,
        }
    }

    /// Gives a pending entry that was loaded to its consumer. False if there is none, or it has one.
    pub fn load_owner(&mut self, id: StreamId, owner: ConsumerKey) -> bool {
        match self.pending.get(&id) {
            Some(pending) if pending.owner == ConsumerKey::NOBODY => {
                let pending = Pending { owner, ..*pending };
                self.deliver(id, pending);
                true
            }
            _ => false,
        }
    }

    /// Whether each pending entry has a consumer, as it must when a file was read.
    pub fn is_whole(&self) -> bool {
        let owned: usize = self.consumers().map(Consumer::pending_len).sum();
        owned == self.pending.len()
    }

    /// Drops up to `parts` pending entries; true when none is left.
    fn free_some(&mut self, parts: &mut usize) -> bool {
        while *parts > 0 && self.pending.pop_first().is_some() {
            *parts -= 1;
        }
        for (_, consumer) in &mut self.consumers {
            while *parts > 0 && consumer.pending.pop_first().is_some() {
                *parts -= 1;
            }
        }
        *parts > 0
    }
}

impl PartialEq for Group {
    fn eq(&self, other: &Group) -> bool {
        let pending = |group: &Group| -> Vec<_> {
            let owner = |p: &Pending| group.consumers.get(p.owner.0 as usize).map(|c| c.name.to_vec());
            group.pending.iter().map(|(&id, p)| (id, p.delivered_ms, p.deliveries, owner(p))).collect()
        };
        let consumers = |group: &Group| -> Vec<_> {
            group.consumers().map(|c| (c.name.to_vec(), c.seen_ms, c.active_ms)).collect()
        };
        (self.last_id, self.entries_read) == (other.last_id, other.entries_read)
            && pending(self) == pending(other)
            && consumers(self) == consumers(other)
    }
}

impl Eq for Group {}

/// All groups of a stream, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    by_name: BTreeMap<Box<[u8]>, Box<Group>>,
    bytes: usize,
}

/// A group that is being changed. Its memory is accounted for at the end.
pub struct GroupEdit<'a> {
    group: &'a mut Group,
    before_bytes: usize,
    bytes: &'a mut usize,
}

impl Deref for GroupEdit<'_> {
    type Target = Group;

    fn deref(&self) -> &Group {
        self.group
    }
}

impl DerefMut for GroupEdit<'_> {
    fn deref_mut(&mut self) -> &mut Group {
        self.group
    }
}

impl Drop for GroupEdit<'_> {
    fn drop(&mut self) {
        *self.bytes += self.group.mem_bytes();
        *self.bytes -= self.before_bytes;
    }
}

fn group_bytes(name: &[u8], group: &Group) -> usize {
    GROUP_BYTES + rounded(name.len()) + group.mem_bytes()
}

impl Groups {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Heap bytes, about as the allocator rounds them.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        self.bytes
    }

    /// The group with a name.
    #[inline]
    pub fn get(&self, name: &[u8]) -> Option<&Group> {
        self.by_name.get(name).map(|group| &**group)
    }

    /// All groups with their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.by_name.iter().map(|(name, group)| (&**name, &**group))
    }

    /// The group with a name, to be changed.
    #[inline]
    pub fn edit(&mut self, name: &[u8]) -> Option<GroupEdit<'_>> {
        let group = self.by_name.get_mut(name)?;
        Some(GroupEdit { before_bytes: group.mem_bytes(), group, bytes: &mut self.bytes })
    }

    /// Calls `f` with each group, to be changed.
    pub fn each_mut(&mut self, mut f: impl FnMut(&mut Group)) {
        for group in self.by_name.values_mut() {
            f(&mut GroupEdit { before_bytes: group.mem_bytes(), group, bytes: &mut self.bytes });
        }
    }

    /// Adds a group. False if there is one with that name.
    pub fn insert(&mut self, name: &[u8], group: Group) -> bool {
        if self.by_name.contains_key(name) {
            return false;
        }
        self.bytes += group_bytes(name, &group);
        self.by_name.insert(name.into(), Box::new(group));
        true
    }

    /// Whether a group did not yet read an entry, or did not acknowledge it.
    pub fn need(&self, id: StreamId) -> bool {
        self.by_name.values().any(|group| id > group.last_id || group.pending(id).is_some())
    }

    /// The entries from one to another are pending nowhere any more.
    pub fn forget(&mut self, from: StreamId, to: StreamId) {
        self.each_mut(|group| {
            let gone: Vec<StreamId> =
                group.pending_from(from).map(|(id, _)| id).take_while(|id| *id <= to).collect();
            for id in gone {
                group.acknowledge(id);
            }
        });
    }

    /// In how many parts they would be freed, roughly.
    pub(super) fn parts(&self) -> usize {
        self.bytes / GROUP_BYTES
    }

    /// Takes a group out.
    pub fn remove(&mut self, name: &[u8]) -> Option<Group> {
        let group = self.by_name.remove(name)?;
        self.bytes -= group_bytes(name, &group);
        Some(*group)
    }

    /// Drops about `parts` of what is pending, and the groups that have nothing left; true when none is left.
    pub(super) fn free_some(&mut self, parts: &mut usize) -> bool {
        while let Some(mut last) = self.by_name.last_entry() {
            let before_bytes = last.get().mem_bytes();
            let done = last.get_mut().free_some(parts);
            self.bytes -= before_bytes - last.get().mem_bytes();
            if !done {
                return false;
            }
            let (name, group) = last.remove_entry();
            self.bytes -= group_bytes(&name, &group);
        }
        true
    }
}
