//! A hash table of thin owned pointers that never moves more than a group or two of them at a time.
//!
//! It is a linear hash table (Litwin, "Linear hashing: a new tool for file and table addressing", 1980): `buckets`
//! is any number, not a power of two. A hash's low bits name its bucket, one bit more for those buckets that have
//! been split since the last doubling. An insert over the target splits one bucket and a removal under it merges
//! one, so the table grows and shrinks smoothly. A bucket is a `Group`, a block that is as large as it has
//! to be, with a byte of the hash for each entry: a lookup compares 64 of them at once.
//!
//! - `scan` walks the table with a cursor that lives with the caller;
//! - `sample` picks entries at random, all equally likely;
//! - `snapshot` hands out the entries as they stood at one moment, while the table goes on changing.

mod group;
mod iter;
mod sample;
mod scan;
mod snapshot;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use self::group::{Group, VOLATILE};
pub use self::iter::Iter;
pub use self::snapshot::Sink;
use self::snapshot::Snapshot;
use crate::ds::hash;
use crate::ds::prefetch::prefetch;
use crate::ds::size::rounded;

/// What a [`Table`] holds: the owner of one allocation that has its own key in it.
///
/// # Safety
/// `into_ptr` must return an address below 2^48, aligned to 8 bytes, that `from_ptr` turns back into the same value. As long as a value
/// is not changed through `&mut`, it may exist as several bitwise copies of which one is dropped.
pub unsafe trait Item: Sized {
    /// The bytes by which the item is found. They must not change while it is in a table.
    fn key(&self) -> &[u8];

    /// Whether the item has an expiry. The table counts such items and finds them by a flag of its own.
    fn volatile(&self) -> bool;

    /// Gives up the owner and keeps the allocation.
    fn into_ptr(self) -> NonNull<u8>;

    /// Makes an owner of the allocation again.
    ///
    /// # Safety
    /// `ptr` must come from `into_ptr`, and only one of the owners made of it may change or drop it.
    unsafe fn from_ptr(ptr: NonNull<u8>) -> Self;
}

/// Where an item is. It holds until the table's next insert, removal or drain; afterwards it leads to another item
/// or to a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos {
    bucket: u32,
    slot: u32,
}

/// An item that stays in its table, to be read.
pub struct Ref<'a, T> {
    item: ManuallyDrop<T>,
    table: PhantomData<&'a T>,
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.item
    }
}

impl<'a, T: Item> Ref<'a, T> {
    /// The item's key, for as long as the table is borrowed.
    #[inline]
    pub fn into_key(self) -> &'a [u8] {
        let key: *const [u8] = self.item.key();
        // SAFETY: an item's key is in its allocation, which the table owns and nobody changes during `'a`.
        unsafe { &*key }
    }
}

/// An item that stays in its table, to be changed. It may move to another allocation and gain or lose its expiry,
/// but must keep its key: the table takes note when the guard is dropped. It must not be forgotten.
pub struct Guard<'a, T: Item> {
    table: &'a mut Table<T>,
    pos: Pos,
    item: ManuallyDrop<T>,
}

impl<T: Item> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T: Item> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T: Item> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the field is not used again.
        let item = unsafe { ManuallyDrop::take(&mut self.item) };
        self.table.store(self.pos, item);
    }
}

/// How many groups share a chunk of the directory: 4 KiB of pointers.
const CHUNK: usize = 512;
/// Items a bucket, on average, above which an insert splits one.
const SPLIT_ABOVE: usize = 32;
/// Items a bucket, on average, below which a removal merges two. The gap keeps a key that comes and goes from
/// splitting and merging each time.
const MERGE_BELOW: usize = 28;

/// A part of the directory.
struct Chunk {
    groups: Vec<Group>,
    /// How many items of these groups are volatile.
    volatile: usize,
}

/// A hash table of `T`s; see the module.
///
/// Hashes are computed by the caller, once a key, with [`Table::hash`].
pub struct Table<T: Item> {
    seed: [u64; 2],
    /// The directory. Empty as long as nothing has been inserted; only the first chunk may be a small one.
    chunks: Vec<Chunk>,
    /// The number of buckets, at least 1.
    buckets: usize,
    /// The smallest `2^n - 1` that is not less than `buckets`.
    mask: usize,
    len: usize,
    volatile_len: usize,
    group_bytes: usize,
    /// No group is longer than this.
    longest: usize,
    epoch: u32,
    snapshot: Option<Box<Snapshot<T>>>,
    /// How many entries have been moved between groups.
    #[cfg(test)]
    moved: usize,
    items: PhantomData<T>,
}

// SAFETY: a table owns its blocks and its items, and shares nothing.
unsafe impl<T: Item + Send> Send for Table<T> {}

/// The item of a word, without ownership.
#[inline(always)]
fn borrow<'a, T: Item>(word: u64) -> Ref<'a, T> {
    // SAFETY: words in a group are of items that the table owns; a `Ref` neither changes nor drops it, and callers
    // bind its lifetime to the table's.
    Ref { item: ManuallyDrop::new(unsafe { T::from_ptr(group::pointer(word)) }), table: PhantomData }
}

/// The item of a word that has left its group.
fn own<T: Item>(word: u64) -> T {
    // SAFETY: the word was in a group once, and is there no more.
    unsafe { T::from_ptr(group::pointer(word)) }
}

impl<T: Item> Table<T> {
    /// An empty table, which allocates nothing. `seed` should be random and secret.
    pub const fn new(seed: [u64; 2]) -> Table<T> {
        Table {
            seed,
            chunks: Vec::new(),
            buckets: 1,
            mask: 1,
            len: 0,
            volatile_len: 0,
            group_bytes: 0,
            longest: 0,
            epoch: 0,
            snapshot: None,
            #[cfg(test)]
            moved: 0,
            items: PhantomData,
        }
    }

    /// An empty table with the same seed: hashes of the one hold for the other.
    pub const fn new_like(&self) -> Table<T> {
        Table::new(self.seed)
    }

    /// The number of items.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no items.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of items that have an expiry.
    #[inline]
    pub fn volatile_len(&self) -> usize {
        self.volatile_len
    }

    /// What the table itself takes, in bytes of allocations: directory and groups, without the items.
    pub fn mem_bytes(&self) -> usize {
        let Some(first) = self.chunks.first() else { return 0 };
        self.group_bytes
            + rounded(self.chunks.capacity() * size_of::<Chunk>())
            + rounded(first.groups.capacity() * size_of::<Group>())
            + (self.chunks.len() - 1) * CHUNK * size_of::<Group>()
    }

    /// What its hashes depend on.
    pub fn seed(&self) -> [u64; 2] {
        self.seed
    }

    /// The hash of a key in this table.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        hash::hash(self.seed, key)
    }

    /// Where the item with this key is. `hash` must be the key's.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<Pos> {
        if self.len == 0 {
            return None;
        }
        let bucket = self.bucket(hash);
        let group = self.group(bucket);
        let slot = group.find(group::tag(hash), |slot| {
            let word = group.word(slot);
            group::agrees(word, hash) && borrow::<T>(word).key() == key
        })?;
        Some(Pos { bucket: bucket as u32, slot: slot as u32 })
    }

    /// The item at `pos`.
    #[inline]
    pub fn get(&self, pos: Pos) -> Ref<'_, T> {
        borrow(self.group(pos.bucket as usize).word(pos.slot as usize))
    }

    /// The item at `pos`, to be changed.
    #[inline]
    pub fn edit(&mut self, pos: Pos) -> Guard<'_, T> {
        self.before_change(pos.bucket as usize);
        let word = self.group(pos.bucket as usize).word(pos.slot as usize);
        // SAFETY: the guard borrows the table exclusively, so this is the only owner in use until it is stored.
        let item = ManuallyDrop::new(unsafe { T::from_ptr(group::pointer(word)) });
        Guard { table: self, pos, item }
    }

    /// Adds an item whose key is not in the table. `hash` must be its key's.
    ///
    /// # Panics
    /// If 255 hashes share a bucket, which under a random seed does not happen.
    pub fn insert(&mut self, hash: u64, item: T) -> Pos {
        if self.chunks.is_empty() {
            self.chunks.reserve_exact(1);
            self.chunks.push(Chunk { groups: Vec::with_capacity(1), volatile: 0 });
            self.chunks[0].groups.push(Group::EMPTY);
        } else if self.len >= self.buckets * SPLIT_ABOVE {
            self.split();
        }
        let bucket = self.bucket(hash);
        self.before_change(bucket);
        let volatile = item.volatile();
        let word = group::word(hash, item.into_ptr(), volatile);
        let epoch = self.epoch;
        let slot = self.change(bucket, |group| group.push(group::tag(hash), word, epoch));
        self.len += 1;
        self.longest = self.longest.max(slot + 1);
        self.count_volatile(bucket, volatile as isize);
        Pos { bucket: bucket as u32, slot: slot as u32 }
    }

    /// Takes the item at `pos` out.
    pub fn remove(&mut self, pos: Pos) -> T {
        let bucket = pos.bucket as usize;
        self.before_change(bucket);
        let word = self.change(bucket, |group| group.swap_remove(pos.slot as usize));
        self.len -= 1;
        self.count_volatile(bucket, -((word & VOLATILE != 0) as isize));
        if self.len == 0 {
            self.release();
        } else if self.buckets > 1 && self.len < self.buckets * MERGE_BELOW {
            self.merge();
        }
        own(word)
    }

    /// Puts `item` in the place of the one at `pos`, which has the same key, and returns the old one.
    pub fn replace(&mut self, pos: Pos, item: T) -> T {
        self.before_change(pos.bucket as usize);
        own(self.store(pos, item))
    }

    /// Leaves an empty table and returns the full one, with its snapshot if it is under one: that one should then
    /// be stepped to its end before the table is dropped, since a drop gives the snapshot up.
    pub fn take(&mut self) -> Table<T> {
        mem::replace(self, self.new_like())
    }

    /// Takes up to `limit` items out, in no order, at a cost that does not depend on how many there are.
    pub fn drain_some(&mut self, limit: usize) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.pop()).take(limit)
    }

    /// Drops all items, and the snapshot if there is one. A huge table is better taken and drained by slices.
    pub fn clear(&mut self) {
        drop(self.take());
    }

    /// First hint that `hash` will be looked up: fetches the group.
    #[inline]
    pub fn prefetch_group(&self, hash: u64) {
        if self.len > 0 {
            let block = self.group(self.bucket(hash)).address();
            prefetch(block);
            prefetch(block.wrapping_add(64));
        }
    }

    /// Second hint, some time after the first: fetches the part of the group that points to the item.
    #[inline]
    pub fn prefetch_word(&self, hash: u64) {
        if self.len > 0 {
            let group = self.group(self.bucket(hash));
            if let Some(slot) = group.find(group::tag(hash), |_| true) {
                prefetch(group.word_address(slot));
            }
        }
    }

    /// Third hint, some time after the second: fetches the item.
    #[inline]
    pub fn prefetch_item(&self, hash: u64) {
        if self.len > 0 {
            let group = self.group(self.bucket(hash));
            if let Some(slot) = group.find(group::tag(hash), |slot| group::agrees(group.word(slot), hash)) {
                let item = group::pointer(group.word(slot)).as_ptr();
                prefetch(item);
                // A small item may lie across two lines.
                prefetch(item.wrapping_add(32));
            }
        }
    }

    /// The bucket of a hash.
    #[inline(always)]
    fn bucket(&self, hash: u64) -> usize {
        let bucket = hash as usize & self.mask;
        if bucket < self.buckets { bucket } else { bucket & (self.mask >> 1) }
    }

    #[inline(always)]
    fn group(&self, bucket: usize) -> &Group {
        &self.chunks[bucket / CHUNK].groups[bucket % CHUNK]
    }

    /// Changes a group and keeps account of its bytes.
    #[inline]
    fn change<R>(&mut self, bucket: usize, change: impl FnOnce(&mut Group) -> R) -> R {
        let group = &mut self.chunks[bucket / CHUNK].groups[bucket % CHUNK];
        let before = group.bytes();
        let result = change(group);
        self.group_bytes = self.group_bytes - before + group.bytes();
        result
    }

    /// Keeps account of a volatile item more or less.
    #[inline]
    fn count_volatile(&mut self, bucket: usize, by: isize) {
        if by != 0 {
            let chunk = &mut self.chunks[bucket / CHUNK];
            chunk.volatile = chunk.volatile.checked_add_signed(by).expect("a count of what is there");
            self.volatile_len = self.volatile_len.checked_add_signed(by).expect("a count of what is there");
        }
    }

    /// Makes `pos` point to `item` and returns the old word.
    #[inline]
    fn store(&mut self, pos: Pos, item: T) -> u64 {
        let (bucket, slot) = (pos.bucket as usize, pos.slot as usize);
        let group = &mut self.chunks[bucket / CHUNK].groups[bucket % CHUNK];
        let volatile = item.volatile();
        let old = group.word(slot);
        let new = group::rewrite(old, item.into_ptr(), volatile);
        if new == old {
            // The common edit in place leaves the group's memory clean.
            return old;
        }
        group.set_word(slot, new);
        self.count_volatile(bucket, volatile as isize - (old & VOLATILE != 0) as isize);
        old
    }

    /// Splits the next bucket in turn: one bit more of the hash tells who goes to the new last one.
    fn split(&mut self) {
        let level = self.mask.count_ones() - 1;
        let (from, to) = (self.buckets - (1 << level), self.buckets);
        let group = self.group(from);
        // Below and above the levels whose bit is kept, the keys are hashed again.
        let mut goes = [0u64; 4];
        let rehash = group.iter().next().is_some_and(|word| group::kept_bit(word, level).is_none());
        if rehash {
            group.iter().for_each(|word| prefetch(group::pointer(word).as_ptr()));
        }
        for (slot, word) in group.iter().enumerate() {
            let bit = group::kept_bit(word, level)
                .unwrap_or_else(|| self.hash(borrow::<T>(word).key()) >> level & 1 == 1);
            goes[slot / 64] |= u64::from(bit) << (slot % 64);
        }
        let new = self.change(from, |group| group.split(|slot| goes[slot / 64] >> (slot % 64) & 1 == 1));
        let volatile = new.volatile_len() as isize;
        self.note_moved(self.group(from).len() + new.len());
        self.count_volatile(from, -volatile);
        self.push_bucket(new);
        self.count_volatile(to, volatile);
    }

    /// Merges the last bucket back into the one it was split from.
    fn merge(&mut self) {
        let from = self.buckets - 1;
        let to = from - (1 << from.ilog2());
        self.before_merge(to, from);
        let volatile = self.group(from).volatile_len() as isize;
        self.count_volatile(from, -volatile);
        let last = self.pop_bucket();
        self.note_moved(last.len() + self.group(to).len());
        self.change(to, |group| group.append(last));
        self.longest = self.longest.max(self.group(to).len());
        self.count_volatile(to, volatile);
    }

    /// Adds a last bucket. No step allocates more than a chunk or moves more than a row of chunks.
    fn push_bucket(&mut self, group: Group) {
        self.group_bytes += group.bytes();
        if self.buckets.is_multiple_of(CHUNK) {
            self.chunks.push(Chunk { groups: Vec::with_capacity(CHUNK), volatile: 0 });
        }
        let groups = &mut self.chunks[self.buckets / CHUNK].groups;
        if groups.len() == groups.capacity() {
            groups.reserve_exact(groups.len());
        }
        groups.push(group);
        self.buckets += 1;
        if self.buckets > self.mask {
            self.mask = self.mask << 1 | 1;
        }
    }

    /// Takes the last bucket away, of several, with what it holds.
    fn pop_bucket(&mut self) -> Group {
        self.buckets -= 1;
        if self.buckets == self.mask >> 1 {
            self.mask >>= 1;
        }
        let groups = &mut self.chunks[self.buckets / CHUNK].groups;
        let group = groups.pop().expect("a group for each bucket");
        if groups.is_empty() {
            self.chunks.pop();
            if self.chunks.len() * 4 <= self.chunks.capacity() {
                self.chunks.shrink_to(self.chunks.len() * 2);
            }
        } else if self.buckets < CHUNK && self.buckets * 4 <= groups.capacity() {
            groups.shrink_to(self.buckets * 2);
        }
        self.group_bytes -= group.bytes();
        group
    }

    /// Takes any item out.
    fn pop(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        // The last bucket may go without a merge when it is empty.
        while self.group(self.buckets - 1).len() == 0 {
            self.pop_bucket();
        }
        let bucket = self.buckets - 1;
        self.before_change(bucket);
        let last = self.group(bucket).len() - 1;
        let word = self.change(bucket, |group| group.swap_remove(last));
        self.len -= 1;
        self.count_volatile(bucket, -((word & VOLATILE != 0) as isize));
        if self.len == 0 {
            self.release();
        }
        Some(own(word))
    }

    /// Frees the directory of an empty table.
    fn release(&mut self) {
        debug_assert!(self.len == 0 && self.group_bytes == 0);
        self.chunks = Vec::new();
        (self.buckets, self.mask, self.longest) = (1, 1, 0);
    }

    /// Counts what a step moves, for the tests.
    #[inline]
    fn note_moved(&mut self, _entries: usize) {
        #[cfg(test)]
        {
            self.moved += _entries;
        }
    }
}

impl<T: Item> Drop for Table<T> {
    fn drop(&mut self) {
        self.snapshot = None;
        while self.pop().is_some() {}
    }
}
