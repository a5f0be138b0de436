//! The fields of a large hash, or of one with fields that expire: a hash table of them.

use std::cell::Cell;

use super::field::Field;
use super::{Until, Written};
use crate::base::rng::Rng;
use crate::ds::size::rounded;
use crate::ds::table::{Pos, Ref, Table};

/// A table of fields with the sum of their sizes.
pub(super) struct Fields {
    table: Table<Field>,
    fields_bytes: usize,
    /// Where the search for expired fields goes on.
    expire_cursor: Cell<u64>,
}

/// A field's texts for as long as its table is borrowed.
#[inline(always)]
fn in_table<'a>(field: Ref<'a, Field>) -> (&'a [u8], &'a [u8]) {
    let (name, value): (*const [u8], *const [u8]) = (field.name(), field.value());
    // SAFETY: both texts are in the field's own block, which neither moves nor changes while the table is borrowed, as
    // it is for 'a.
    unsafe { (&*name, &*value) }
}

impl Fields {
    pub(super) fn new(seed: [u64; 2]) -> Fields {
        Fields { table: Table::new(seed), fields_bytes: 0, expire_cursor: Cell::new(0) }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// How many fields have an expiry.
    #[inline]
    pub(super) fn volatile_len(&self) -> usize {
        self.table.volatile_len()
    }

    #[inline]
    pub(super) fn mem_bytes(&self) -> usize {
        rounded(size_of::<Fields>()) + self.table.mem_bytes() + self.fields_bytes
    }

    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<Pos> {
        self.table.find(self.table.hash(name), name)
    }

    #[inline]
    pub(super) fn get(&self, pos: Pos) -> (&[u8], &[u8]) {
        in_table(self.table.get(pos))
    }

    #[inline]
    pub(super) fn expire_at_ms(&self, pos: Pos) -> Option<i64> {
        self.table.get(pos).expire_at_ms()
    }

    /// Writes a value, of a new field or over the old one.
    #[inline]
    pub(super) fn set(&mut self, name: &[u8], value: &[u8], until: Until, now_ms: i64) -> Written {
        let hash = self.table.hash(name);
        let Some(pos) = self.table.find(hash, name) else {
            let field = Field::new(name, value, until.expiry(None));
            self.fields_bytes += field.mem_bytes();
            self.table.insert(hash, field);
            return Written::Created;
        };
        let mut field = self.table.edit(pos);
        let expired = field.is_expired(now_ms);
        let current_ms = if expired { None } else { field.expire_at_ms() };
        let before_bytes = field.mem_bytes();
        field.set(value, until.expiry(current_ms));
        self.fields_bytes = self.fields_bytes - before_bytes + field.mem_bytes();
        if expired { Written::OverExpired } else { Written::Replaced }
    }

    pub(super) fn set_expire(&mut self, pos: Pos, expire_at_ms: Option<i64>) {
        let mut field = self.table.edit(pos);
        let before_bytes = field.mem_bytes();
        field.set_expire(expire_at_ms);
        self.fields_bytes = self.fields_bytes - before_bytes + field.mem_bytes();
    }

    pub(super) fn remove(&mut self, pos: Pos) {
        let field = self.table.remove(pos);
        self.fields_bytes -= field.mem_bytes();
    }

    /// All fields, expired ones included, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], Option<i64>)> {
        self.table.iter().map(|field| {
            let expire_at_ms = field.expire_at_ms();
            let (name, value) = in_table(field);
            (name, value, expire_at_ms)
        })
    }

    /// How many fields have expired.
    pub(super) fn expired_len(&self, now_ms: i64) -> usize {
        let (mut cursor, mut expired) = (0, 0);
        while self.table.volatile_len() > 0 {
            cursor =
                self.table.scan_volatile(cursor, |field| expired += usize::from(field.is_expired(now_ms)));
            if cursor == 0 {
                break;
            }
        }
        expired
    }

    /// Visits the fields of a step of a scan. Returns the next cursor, 0 at the end, and how many fields it met.
    pub(super) fn scan(&self, cursor: u64, now_ms: i64, mut f: impl FnMut(&[u8], &[u8])) -> (u64, usize) {
        let mut met = 0;
        let next = self.table.scan(cursor, |field| {
            met += 1;
            if !field.is_expired(now_ms) {
                f(field.name(), field.value());
            }
        });
        (next, met)
    }

    /// A field, all equally likely, expired ones included.
    pub(super) fn random(&self, rng: &mut Rng) -> Option<Pos> {
        self.table.random(rng)
    }

    /// Looks at about `limit` fields with an expiry, counts them, and returns those whose time has come.
    pub(super) fn due(&self, now_ms: i64, limit: usize, looked_at: &mut usize) -> Vec<Vec<u8>> {
        let mut due = Vec::new();
        let (mut cursor, mut looked) = (self.expire_cursor.get(), 0);
        // A step may meet none, so that their number is bounded, too.
        for _ in 0..limit {
            cursor = self.table.scan_volatile(cursor, |field| {
                looked += 1;
                if field.is_expired(now_ms) {
                    due.push(field.name().to_vec());
                }
            });
            if cursor == 0 || looked >= limit {
                break;
            }
        }
        self.expire_cursor.set(cursor);
        *looked_at += looked;
        due
    }

    /// That the sum of sizes is right.
    #[cfg(test)]
    pub(super) fn check_bytes(&self) {
        let bytes: usize = self.table.iter().map(|field| field.mem_bytes()).sum();
        assert_eq!(self.fields_bytes, bytes);
    }

    /// Frees up to `limit` fields; true when none is left.
    pub(super) fn free_some(&mut self, limit: usize) -> bool {
        let freed: usize = self.table.drain_some(limit).map(|field| field.mem_bytes()).sum();
        self.fields_bytes -= freed;
        self.table.is_empty()
    }
}

impl Clone for Fields {
    fn clone(&self) -> Fields {
        let mut copy = Fields {
            table: self.table.new_like(),
            fields_bytes: self.fields_bytes,
            expire_cursor: Cell::new(0),
        };
        for (name, value, expire_at_ms) in self.iter() {
            copy.table.insert(copy.table.hash(name), Field::new(name, value, expire_at_ms));
        }
        copy
    }
}
