//! Active expiry: keys whose time has come are found and deleted though nobody asks for them, in bounded slices.
//!
//! The table flags the entries that have an expiry, so that a slice looks at those alone. A cursor walks over each
//! database; behind it nothing is overdue. While much of what it meets is overdue the engine goes on slice by slice,
//! else it lets the next tick come. Hashes with fields that expire are flagged like keys with an expiry; each of them
//! remembers how far the search went in it.

use super::{
    Store,
    changes::{Class, Event},
};
use crate::value::{ValueMut, ValueRef};

/// What a slice found.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct ExpireSlice {
    pub looked_at: usize,
    pub expired: usize,
}

impl ExpireSlice {
    /// The share of keys that were overdue.
    pub fn stale_percent(&self) -> f64 {
        self.expired as f64 * 100.0 / self.looked_at.max(1) as f64
    }
}

impl Store {
    /// Looks at about `limit` keys and fields with an expiry in one database and deletes those whose time has come.
    pub fn expire_slice(&mut self, db: usize, limit: usize) -> ExpireSlice {
        let mut slice = ExpireSlice::default();
        let mut steps = 0;
        let now_ms = self.now_ms;
        let (mut due, mut hashes): (Vec<Vec<u8>>, Vec<Vec<u8>>) = Default::default();
        while self.dbs[db].table.volatile_len() > 0 && slice.looked_at < limit && steps < limit {
            let database = &mut self.dbs[db];
            let next = database.table.scan_volatile(database.expire_cursor, |entry| {
                slice.looked_at += 1;
                if entry.expire_at_ms().is_some_and(|at| at <= now_ms) {
                    due.push(entry.key().to_vec());
                } else if entry.volatile_fields() > 0 {
                    hashes.push(entry.key().to_vec());
                }
            });
            database.expire_cursor = next;
            slice.expired += due.len();
            for key in due.drain(..) {
                // The lookup itself deletes what has expired.
                self.find(db, &key);
            }
            for key in hashes.drain(..) {
                let fields = self.expire_fields(db, &key, limit.saturating_sub(slice.looked_at).max(1));
                slice.looked_at += fields.looked_at;
                slice.expired += fields.expired;
            }
            steps += 1;
            if next == 0 {
                break;
            }
        }
        slice
    }

    /// Looks at about `limit` fields with an expiry of the hash at a key and deletes those whose time has come, and with
    /// the last field the key.
    fn expire_fields(&mut self, db: usize, key: &[u8], limit: usize) -> ExpireSlice {
        let mut slice = ExpireSlice::default();
        let Some(pos) = self.find(db, key) else { return slice };
        let due = match self.entry(db, pos).value() {
            ValueRef::Hash(hash) => hash.due_fields(self.now_ms, limit, &mut slice.looked_at),
            _ => Vec::new(),
        };
        if due.is_empty() {
            return slice;
        }
        let mut emptied = false;
        if let ValueMut::Hash(hash) = self.edit(db, pos).value_mut() {
            for field in &due {
                if let Some(spot) = hash.find(field) {
                    hash.remove(spot);
                    slice.expired += 1;
                }
            }
            emptied = hash.is_empty();
        }
        self.fields_expired(db, key, slice.expired);
        if emptied {
            self.remove_at(db, pos);
            self.changes.happened(db, key, Event(Class::Generic, "del"));
        }
        slice
    }

    /// Records that fields of the hash at a key were removed, or written over, as their time had come.
    pub fn fields_expired(&mut self, db: usize, key: &[u8], n: usize) {
        if n > 0 {
            self.stats.expired_fields += n as u64;
            self.changed(db, key, Event(Class::Hash, "hexpired"));
        }
    }
}
