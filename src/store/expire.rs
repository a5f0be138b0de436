//! Active expiry: keys whose time has come are found and deleted though nobody asks for them, in bounded slices.
//!
//! The table flags the entries that have an expiry, so that a slice looks at those alone. A cursor walks over each
//! database; behind it nothing is overdue. While much of what it meets is overdue the engine goes on slice by slice,
//! else it lets the next tick come.

use super::Store;

/// What a slice found.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct ExpireSlice {
    pub looked_at: usize,
    pub expired: usize,
}

impl Store {
    /// Looks at about `limit` keys with an expiry in one database and deletes those whose time has come.
    pub fn expire_slice(&mut self, db: usize, limit: usize) -> ExpireSlice {
        let mut slice = ExpireSlice::default();
        let mut steps = 0;
        let now_ms = self.now_ms;
        let mut due: Vec<Vec<u8>> = Vec::new();
        while self.dbs[db].table.volatile_len() > 0 && slice.looked_at < limit && steps < limit {
            let database = &mut self.dbs[db];
            let next = database.table.scan_volatile(database.expire_cursor, |entry| {
                slice.looked_at += 1;
                if entry.expire_at_ms().is_some_and(|at| at <= now_ms) {
                    due.push(entry.key().to_vec());
                }
            });
            database.expire_cursor = next;
            slice.expired += due.len();
            for key in due.drain(..) {
                // The lookup itself deletes what has expired.
                self.find(db, &key);
            }
            steps += 1;
            if next == 0 {
                break;
            }
        }
        slice
    }
}
