//! All items of a table that does not change meanwhile.

use super::group;
use super::{Item, Ref, Table, borrow};
use crate::ds::prefetch::prefetch;

/// The items of a table, in no order.
pub struct Iter<'a, T: Item> {
    table: &'a Table<T>,
    bucket: usize,
    slot: usize,
}

impl<T: Item> Table<T> {
    /// All items, in no order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { table: self, bucket: 0, slot: 0 }
    }
}

impl<'a, T: Item> Iterator for Iter<'a, T> {
    type Item = Ref<'a, T>;

    #[inline]
    fn next(&mut self) -> Option<Ref<'a, T>> {
        while !self.table.is_empty() && self.bucket < self.table.buckets {
            let group = self.table.group(self.bucket);
            if self.slot == 0 {
                group.iter().for_each(|word| prefetch(group::pointer(word).as_ptr()));
            }
            if self.slot < group.len() {
                let word = group.word(self.slot);
                self.slot += 1;
                return Some(borrow(word));
            }
            (self.bucket, self.slot) = (self.bucket + 1, 0);
        }
        None
    }
}
