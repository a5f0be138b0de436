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
    /// without any are passed over, a bounded number a call. The cursor walks down, as merges move items: whatever is
    /// removed meanwhile, the walk meets all items that were there from its begin to its end. An item that a split
    /// moved up may be left for the next walk.
    pub fn scan_volatile(&self, cursor: u64, mut f: impl FnMut(&T)) -> u64 {
        if self.volatile_len == 0 {
            return 0;
        }
        // Buckets that are still to be visited.
        let mut left = match usize::try_from(cursor) {
            Ok(left) if left > 0 => left.min(self.buckets),
            _ => self.buckets,
        };
        for _ in 0..SKIPS {
            if left == 0 {
                break;
            }
            let chunk = (left - 1) / CHUNK;
            if self.chunks[chunk].volatile == 0 {
                left = chunk * CHUNK;
                continue;
            }
            left -= 1;
            let group = self.group(left);
            if group.volatile_len() > 0 {
                group.iter().filter(|word| word & VOLATILE != 0).for_each(|word| f(&borrow(word)));
                break;
            }
        }
        left as u64
    }
}
