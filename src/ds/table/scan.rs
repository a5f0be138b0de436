//! Walks through a table that changes between the steps, with a cursor that the caller keeps.

use super::{CHUNK, Item, Table, borrow};
use crate::ds::table::group::VOLATILE;

/// How many groups or chunks without volatile items one call of `scan_volatile` passes over at most.
const SKIPS: usize = 64;

impl<T: Item> Table<T> {
    /// Visits the items of one group and returns the next cursor. Begin with 0; when 0 comes back, every item that
    /// was in the table during the whole walk has been visited at least once. Any cursor is valid at any time.
    ///
    /// Why: read a hash's bits backwards, lowest first, as a number. The hashes of a bucket are then one interval,
    /// whatever the number of buckets; to split or merge buckets is to halve or join intervals. The cursor is such
    /// a number: all below it has been visited. A step visits the interval around the cursor and goes to its end.
    pub fn scan(&self, cursor: u64, mut f: impl FnMut(&T)) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let bucket = self.bucket(cursor);
        self.group(bucket).iter().for_each(|word| f(&borrow(word)));
        // The bits that name this bucket: one less, unless it is one of a pair that was split.
        let half = self.mask >> 1;
        let mask = if (bucket & half) + half + 1 < self.buckets { self.mask } else { half };
        let end = (cursor | !(mask as u64)).reverse_bits().wrapping_add(1);
        end.reverse_bits()
    }

    /// Visits the volatile items of at most one group and returns the next cursor. 0 begins and ends. Groups
    /// without any are passed over, a bounded number a call. The walk is complete if the table does not change;
    /// otherwise an item that a merge moved back may be left for the next walk.
    pub fn scan_volatile(&self, cursor: u64, mut f: impl FnMut(&T)) -> u64 {
        if self.volatile_len == 0 {
            return 0;
        }
        let mut bucket = usize::try_from(cursor).unwrap_or(usize::MAX);
        for _ in 0..SKIPS {
            if bucket >= self.buckets {
                return 0;
            }
            if self.chunks[bucket / CHUNK].volatile == 0 {
                bucket = (bucket / CHUNK + 1) * CHUNK;
                continue;
            }
            let group = self.group(bucket);
            bucket += 1;
            if group.volatile_len() > 0 {
                group.iter().filter(|word| word & VOLATILE != 0).for_each(|word| f(&borrow(word)));
                break;
            }
        }
        if bucket < self.buckets { bucket as u64 } else { 0 }
    }
}
