//! Items picked at random.

use super::group::{self, VOLATILE};
use super::{CHUNK, Item, Pos, Table, borrow};
use crate::base::rng::Rng;
use crate::ds::prefetch::prefetch;

/// How often a random slot is tried. A try finds an item with a chance of a quarter or better, so that all of
/// these fail once in 10^15.
const TRIES: usize = 128;
/// With fewer volatile items than one in this many, it is cheaper to count than to try.
const RARE: usize = 16;
/// Most items that are shown at once.
const NEIGHBOURS_MAX: usize = 64;
/// In how many groups they are looked for.
const NEIGHBOUR_GROUPS: usize = 16;

impl<T: Item> Table<T> {
    /// An item, all equally likely; `None` only if the table is empty.
    pub fn random(&self, rng: &mut Rng) -> Option<Pos> {
        if self.is_empty() {
            return None;
        }
        if let Some(pos) = self.try_slots(rng, |_| true) {
            return Some(pos);
        }
        // Practically never: the first group with items behind a random bucket.
        let start = rng.below(self.buckets as u64) as usize;
        let bucket = (start..self.buckets).chain(0..start).find(|&bucket| self.group(bucket).len() > 0)?;
        let slot = rng.below(self.group(bucket).len() as u64) as u32;
        Some(Pos { bucket: bucket as u32, slot })
    }

    /// An item with an expiry, all equally likely; `None` only if there are none.
    pub fn random_volatile(&self, rng: &mut Rng) -> Option<Pos> {
        if self.volatile_len == 0 {
            return None;
        }
        if self.volatile_len >= self.len / RARE
            && let Some(pos) = self.try_slots(rng, |word| word & VOLATILE != 0)
        {
            return Some(pos);
        }
        self.nth_volatile(rng.below(self.volatile_len as u64) as usize)
    }

    /// Shows up to `n` items (64 at most) from a random place on to `f`. They are neighbours, which are as good as any,
    /// since hashes place them, and cost far less. With `only_volatile` they are such; few of them may not be found.
    pub fn neighbours(&self, rng: &mut Rng, n: usize, only_volatile: bool, mut f: impl FnMut(&T)) {
        if self.is_empty() {
            return;
        }
        let (mut words, n, mut found) = ([0; NEIGHBOURS_MAX], n.min(NEIGHBOURS_MAX), 0);
        let start = rng.below(self.buckets as u64) as usize;
        'groups: for at in 0..self.buckets.min(NEIGHBOUR_GROUPS) {
            let group = self.group((start + at) % self.buckets);
            let len = if only_volatile && group.volatile_len() == 0 { 0 } else { group.len() };
            let first = rng.below(len.max(1) as u64) as usize;
            for slot in (first..len).chain(0..first) {
                let word = group.word(slot);
                if only_volatile && word & VOLATILE == 0 {
                    continue;
                }
                if found == n {
                    break 'groups;
                }
                prefetch(group::pointer(word).as_ptr());
                words[found] = word;
                found += 1;
            }
        }
        words[..found].iter().for_each(|&word| f(&borrow(word)));
    }

    /// A random slot that holds a word with `wanted`. All slots are equally likely, and those that are empty or
    /// not wanted are rejected: so no item is favoured for being alone in its bucket.
    fn try_slots(&self, rng: &mut Rng, wanted: impl Fn(u64) -> bool) -> Option<Pos> {
        for _ in 0..TRIES {
            let bucket = rng.below(self.buckets as u64) as usize;
            let group = self.group(bucket);
            let slot = rng.below(self.longest as u64) as usize;
            if slot < group.len() && wanted(group.word(slot)) {
                return Some(Pos { bucket: bucket as u32, slot: slot as u32 });
            }
        }
        None
    }

    /// The volatile item number `n` in the table's order. Chunks are passed over by their counts, so it looks into
    /// no more groups than a chunk has.
    fn nth_volatile(&self, mut n: usize) -> Option<Pos> {
        let index = self.chunks.iter().position(|chunk| skip(&mut n, chunk.volatile))?;
        let bucket = self.chunks[index].groups.iter().position(|group| skip(&mut n, group.volatile_len()))?;
        let bucket = index * CHUNK + bucket;
        let slot = self.group(bucket).iter().position(|word| skip(&mut n, (word & VOLATILE != 0).into()))?;
        Some(Pos { bucket: bucket as u32, slot: slot as u32 })
    }
}

/// Whether number `n` is among the next `count`; otherwise `n` counts from behind them.
fn skip(n: &mut usize, count: usize) -> bool {
    let here = *n < count;
    if !here {
        *n -= count;
    }
    here
}
