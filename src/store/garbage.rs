//! What was deleted and is freed later, a bounded slice at a time, so that no deletion holds the loop.

use super::Store;
use crate::{
    ds::table::Table,
    value::{Entry, Value},
};
use std::collections::VecDeque;

/// Parts (entries, nodes) above which a value is not freed on the spot.
const FREE_AT_ONCE_PARTS: usize = 64;

/// Tables and values that nothing refers to any more.
#[derive(Default)]
pub(super) struct Garbage {
    tables: VecDeque<Table<Entry>>,
    values: VecDeque<Value>,
}

impl Garbage {
    pub(super) fn add_table(&mut self, table: Table<Entry>) {
        self.tables.push_back(table);
    }

    pub(super) fn in_snapshot(&self) -> bool {
        self.tables.iter().any(Table::in_snapshot)
    }

    pub(super) fn snapshot_abort(&mut self) {
        self.tables.iter_mut().for_each(Table::snapshot_abort);
    }

    /// Memory of the tables without their entries, in bytes.
    pub(super) fn tables_bytes(&self) -> usize {
        self.tables.iter().map(Table::mem_bytes).sum()
    }

    pub(super) fn snapshot_step(&mut self, groups: usize) {
        if let Some(table) = self.tables.iter_mut().find(|table| table.in_snapshot()) {
            table.snapshot_step(groups);
        }
    }
}

impl Store {
    /// Frees an entry that was taken out: now if it is small.
    #[inline]
    pub(super) fn discard_entry(&mut self, entry: Entry) {
        self.discard_entry_as(entry, FREE_AT_ONCE_PARTS);
    }

    /// Frees an entry that was taken out: large ones later only if `lazily`.
    pub(super) fn free_entry(&mut self, entry: Entry, lazily: bool) {
        self.discard_entry_as(entry, if lazily { FREE_AT_ONCE_PARTS } else { usize::MAX });
    }

    #[inline]
    fn discard_entry_as(&mut self, mut entry: Entry, at_once_parts: usize) {
        if entry.value().parts() > at_once_parts {
            let bytes = entry.mem_bytes();
            let value = entry.take_value();
            // What the value owns stays accounted for until it is freed.
            self.entries_bytes -= bytes - value.mem_bytes();
            self.garbage.values.push_back(value);
        } else {
            self.entries_bytes -= entry.mem_bytes();
        }
    }

    /// Frees a value that was taken out of an entry and is not accounted for any more.
    pub fn discard(&mut self, value: Value) {
        if value.as_ref().parts() > FREE_AT_ONCE_PARTS {
            self.entries_bytes += value.mem_bytes();
            self.garbage.values.push_back(value);
        }
    }

    /// Whether something waits to be freed.
    pub fn has_garbage(&self) -> bool {
        !self.garbage.tables.is_empty() || !self.garbage.values.is_empty()
    }

    /// Objects that wait to be freed: INFO `lazyfree_pending_objects`.
    pub fn garbage_len(&self) -> usize {
        self.garbage.values.len() + self.garbage.tables.iter().map(Table::len).sum::<usize>()
    }

    /// Frees about `parts` entries or nodes of what waits.
    pub fn free_some(&mut self, parts: usize) {
        if let Some(value) = self.garbage.values.front_mut() {
            let before = value.mem_bytes();
            let done = value.free_some(parts);
            self.entries_bytes -= before - value.mem_bytes();
            if done {
                if let Some(value) = self.garbage.values.pop_front() {
                    self.entries_bytes -= value.mem_bytes();
                }
                self.stats.lazy_freed += 1;
            }
        } else if let Some(mut table) = self.garbage.tables.pop_front() {
            let entries: Vec<Entry> = table.drain_some(parts).collect();
            self.stats.lazy_freed += entries.len() as u64;
            for entry in entries {
                self.discard_entry(entry);
            }
            // What is drained was handed to the snapshot before, so an empty table has nothing left for it.
            if !table.is_empty() {
                self.garbage.tables.push_front(table);
            }
        }
    }
}
