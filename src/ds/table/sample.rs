//! Items picked at random.

use super::group::VOLATILE;
use super::{CHUNK, Item, Pos, Table};
use crate::base::rng::Rng;

/// How often a random slot is tried. A try finds an item with a chance of a quarter or better, so that all of
/// these fail once in 10^15.
const TRIES: usize = 128;
/// With fewer volatile items than one in this many, it is cheaper to count than to try.
const RARE: usize = 16;

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
