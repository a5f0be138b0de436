//! Floor 3: the keyspace: databases of entries, expiry, what changed, and what is still to be freed.

pub mod changes;
pub mod evict;
mod expire;
mod garbage;
pub mod lru;

use crate::{
    base::{
        rng::Rng,
        slot::{self, SLOTS},
    },
    ds::table::{Guard, Pos, Ref, Sink, Table},
    value::{Entry, Value},
};
pub use expire::ExpireSlice;

use changes::{Changes, Class, Event};
use garbage::Garbage;
use lru::Lru;
use std::ops::{Deref, DerefMut};

/// One database.
struct Database {
    table: Table<Entry>,
    /// Where the search for expired keys goes on.
    expire_cursor: u64,
    volatile: VolatileFields,
}

/// How many keys hold fields that expire, and how many such fields there are.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct VolatileFields {
    keys: usize,
    /// Those of the keys that have no expiry of their own.
    keys_alone: usize,
    fields: usize,
}

impl VolatileFields {
    #[inline]
    fn of(entry: &Entry) -> VolatileFields {
        match entry.volatile_fields() {
            0 => VolatileFields::default(),
            fields => VolatileFields { keys: 1, keys_alone: entry.expire_at_ms().is_none().into(), fields },
        }
    }

    #[inline]
    fn add(&mut self, other: VolatileFields) {
        self.keys += other.keys;
        self.keys_alone += other.keys_alone;
        self.fields += other.fields;
    }

    #[inline]
    fn subtract(&mut self, other: VolatileFields) {
        self.keys -= other.keys;
        self.keys_alone -= other.keys_alone;
        self.fields -= other.fields;
    }
}

/// Counters of the keyspace, for INFO.
#[derive(Default, Debug)]
pub struct StoreStats {
    pub hits: u64,
    pub misses: u64,
    pub expired: u64,
    /// Fields of hashes.
    pub expired_fields: u64,
    /// Slices of the search for expired keys that ended at their bound.
    pub expire_slices_full: u64,
    pub lazy_freed: u64,
    /// Keys that went because memory was short.
    pub evicted: u64,
    /// What the search for expired keys took, in nanoseconds.
    pub expire_ns: u64,
    /// The share of keys that it found overdue, of late.
    pub stale_percent: f64,
}

/// Whether large values that go by themselves are freed later, bit by bit, or while everyone waits. What commands
/// delete always is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Laziness {
    /// Of keys whose time has come.
    pub expire: bool,
    /// Of keys that give way to others.
    pub eviction: bool,
}

impl Default for Laziness {
    fn default() -> Laziness {
        Laziness { expire: true, eviction: true }
    }
}

/// What a write does with the expiry that a key has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    Keep,
    /// From now on; `None`: never.
    Set(Option<i64>),
}

/// What becomes of a key whose time has come when somebody looks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overdue {
    #[default]
    Deleted,
    /// It is not found, but stays for now.
    Hidden,
    /// The same; and one whose time is set into the past stays too.
    Imported,
    /// It is found like any other.
    Live,
}

/// Whether a key is there, without a look at the clock by the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    Absent,
    /// Still there, though its time has come.
    Expired,
    Live,
}

/// A key with its hash.
#[derive(Clone, Copy)]
pub struct Hashed<'k> {
    pub key: &'k [u8],
    hash: u64,
}

/// How many keys [`Store::each_key`] has on their way to the cache at a time.
const BATCH: usize = 16;
/// Hidden keys that [`Store::random_key`] draws in a row before it takes one.
const HIDDEN_TRIES: usize = 100;
/// Tables with fewer keys stay in the cache by themselves.
const PREFETCH_FROM: usize = 1 << 13;

/// All databases of a server.
pub struct Store {
    dbs: Vec<Database>,
    /// The time of the command that runs, in milliseconds since 1970.
    pub now_ms: i64,
    pub lru: Lru,
    pub changes: Changes,
    /// How the command that runs sees keys whose time has come.
    pub overdue: Overdue,
    pub stats: StoreStats,
    pub laziness: Laziness,
    garbage: Garbage,
    pool: evict::Pool,
    /// Address, length and hash of the key that the next command will look up.
    expected: (usize, usize, u64),
    /// Bytes of all entries, those that wait to be freed included.
    entries_bytes: usize,
    /// In a cluster, how many keys each slot has.
    slot_lens: Option<Box<[usize]>>,
    /// For the hash tables inside values.
    pub seed: [u64; 2],
}

/// An entry that is being changed. Its memory is accounted for at the end.
pub struct Edit<'a> {
    guard: Guard<'a, Entry>,
    before_bytes: usize,
    entries_bytes: &'a mut usize,
    before_volatile: VolatileFields,
    volatile: &'a mut VolatileFields,
}

impl Deref for Edit<'_> {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.guard
    }
}

impl DerefMut for Edit<'_> {
    fn deref_mut(&mut self) -> &mut Entry {
        &mut self.guard
    }
}

impl Drop for Edit<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.entries_bytes += self.guard.mem_bytes();
        *self.entries_bytes -= self.before_bytes;
        self.volatile.add(VolatileFields::of(&self.guard));
        self.volatile.subtract(self.before_volatile);
    }
}

impl Store {
    /// Empty databases, whose hashes depend on `seed`.
    pub fn new(databases: usize, seed: [u64; 2]) -> Store {
        let dbs = (0..databases)
            .map(|_| Database {
                table: Table::new(seed),
                expire_cursor: 0,
                volatile: VolatileFields::default(),
            })
            .collect();
        Store {
            dbs,
            now_ms: 0,
            lru: Lru::default(),
            changes: Changes::default(),
            overdue: Overdue::default(),
            stats: StoreStats::default(),
            laziness: Laziness::default(),
            garbage: Garbage::default(),
            pool: evict::Pool::default(),
            expected: (0, 0, 0),
            entries_bytes: 0,
            slot_lens: None,
            seed,
        }
    }

    /// Counts the keys of each slot of a cluster from here on, where there is none yet; that has one database.
    pub fn count_slots(&mut self) {
        self.slot_lens = Some(vec![0; SLOTS.into()].into());
    }

    /// How many keys a slot has, those that expired unnoticed included, where they are counted.
    pub fn slot_len(&self, slot: u16) -> usize {
        self.slot_lens.as_ref().map_or(0, |lens| lens[usize::from(slot)])
    }

    /// How many databases there are.
    pub fn databases(&self) -> usize {
        self.dbs.len()
    }

    /// Keys in a database, those that expired unnoticed included.
    pub fn len(&self, db: usize) -> usize {
        self.dbs[db].table.len()
    }

    /// Whether no database has a key.
    pub fn is_empty(&self) -> bool {
        self.dbs.iter().all(|db| db.table.is_empty())
    }

    /// Keys with an expiry of their own in a database.
    pub fn volatile_len(&self, db: usize) -> usize {
        let Database { table, volatile, .. } = &self.dbs[db];
        table.volatile_len() - volatile.keys_alone
    }

    /// Keys in a database that hold fields with an expiry.
    pub fn volatile_items_len(&self, db: usize) -> usize {
        self.dbs[db].volatile.keys
    }

    /// What the search for expired keys and fields has to look at in a database.
    pub fn expirable_len(&self, db: usize) -> usize {
        let Database { table, volatile, .. } = &self.dbs[db];
        table.volatile_len() + volatile.fields
    }

    /// Memory of keys, values and tables, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let lens_bytes = self.slot_lens.as_deref().map_or(0, size_of_val);
        self.entries_bytes + self.tables_bytes() + self.garbage.tables_bytes() + lens_bytes
    }

    /// Memory of the tables alone, in bytes.
    pub fn tables_bytes(&self) -> usize {
        self.dbs.iter().map(|db| db.table.mem_bytes()).sum()
    }

    /// Sets the time of the command to come.
    #[inline]
    pub fn set_now(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        self.lru.set_now(now_ms);
    }

    /// The table of a database, to be read.
    pub fn table(&self, db: usize) -> &Table<Entry> {
        &self.dbs[db].table
    }

    /// A key with its hash, which is the same in all databases.
    #[inline]
    fn hashed<'k>(&self, db: usize, key: &'k [u8]) -> Hashed<'k> {
        let (address, len, hash) = self.expected;
        if address == key.as_ptr().addr() && len == key.len() && len > 0 {
            return Hashed { key, hash };
        }
        Hashed { key, hash: self.dbs[db].table.hash(key) }
    }

    /// Says the hash of a key that is about to be looked up; it is known by its address. To be called with another key,
    /// or none, before the bytes there change.
    #[inline]
    pub fn expect(&mut self, key: &[u8], hash: u64) {
        self.expected = (key.as_ptr().addr(), key.len(), hash);
    }

    /// Calls `f` for each key in turn, with its number, while the next ones are on their way to the cache.
    #[inline]
    pub fn each_key<'k>(
        &mut self,
        db: usize,
        keys: impl Iterator<Item = &'k [u8]>,
        mut f: impl FnMut(&mut Store, usize, Hashed<'k>),
    ) {
        let mut keys = keys.enumerate();
        let mut batch = [(0, Hashed { key: &[], hash: 0 }); BATCH];
        loop {
            let mut n = 0;
            for (slot, (number, key)) in batch.iter_mut().zip(keys.by_ref()) {
                *slot = (number, self.hashed(db, key));
                n += 1;
            }
            self.prefetch(db, &batch[..n]);
            batch[..n].iter().for_each(|&(number, key)| f(self, number, key));
            if n < BATCH {
                return;
            }
        }
    }

    /// Whether a database is so small that its lookups hardly ever wait for memory.
    #[inline]
    pub fn fits_cache(&self, db: usize) -> bool {
        self.dbs[db].table.len() < PREFETCH_FROM
    }

    /// Fetches groups, then words, then entries: each step needs what the one before fetched.
    fn prefetch(&self, db: usize, batch: &[(usize, Hashed<'_>)]) {
        let table = &self.dbs[db].table;
        if batch.len() > 1 && !self.fits_cache(db) {
            batch.iter().for_each(|(_, key)| table.prefetch_group(key.hash));
            batch.iter().for_each(|(_, key)| table.prefetch_word(key.hash));
            batch.iter().for_each(|(_, key)| table.prefetch_item(key.hash));
        }
    }

    /// Finds a key. One that has expired is deleted and not found, unless [`Store::overdue`] says otherwise.
    #[inline]
    pub fn find(&mut self, db: usize, key: &[u8]) -> Option<Pos> {
        self.find_hashed(db, self.hashed(db, key))
    }

    /// Finds a key whose hash is known.
    #[inline]
    pub fn find_hashed(&mut self, db: usize, Hashed { key, hash }: Hashed<'_>) -> Option<Pos> {
        let table = &self.dbs[db].table;
        let pos = table.find(hash, key)?;
        if table.get(pos).expire_at_ms().is_some_and(|at| at <= self.now_ms) {
            return self.find_overdue(db, pos);
        }
        Some(pos)
    }

    #[cold]
    fn find_overdue(&mut self, db: usize, pos: Pos) -> Option<Pos> {
        match self.overdue {
            Overdue::Deleted => {
                self.expire_overdue(db, pos);
                None
            }
            Overdue::Hidden | Overdue::Imported => None,
            Overdue::Live => Some(pos),
        }
    }

    /// Whether a key with this expiry is deleted at once.
    pub fn is_past(&self, expire_at_ms: i64) -> bool {
        expire_at_ms <= self.now_ms && matches!(self.overdue, Overdue::Deleted | Overdue::Hidden)
    }

    /// The time at which the command that runs sees fields of hashes: those that expire until then are hidden from it.
    #[inline]
    pub fn fields_now_ms(&self) -> i64 {
        if self.overdue == Overdue::Live { i64::MIN } else { self.now_ms }
    }

    /// Whether an entry is not to be found because its time has come.
    fn is_over(&self, entry: &Entry) -> bool {
        self.overdue != Overdue::Live && entry.expire_at_ms().is_some_and(|at| at <= self.now_ms)
    }

    /// Finds a key to be read: counts a hit or a miss and marks the key as used.
    #[inline]
    pub fn read(&mut self, db: usize, key: &[u8]) -> Option<Pos> {
        self.read_hashed(db, self.hashed(db, key))
    }

    /// Finds a key whose hash is known to be read.
    #[inline]
    pub fn read_hashed(&mut self, db: usize, key: Hashed<'_>) -> Option<Pos> {
        let found = self.peek_hashed(db, key);
        if let Some(pos) = found {
            self.lru.touch(&self.dbs[db].table.get(pos));
        }
        found
    }

    /// Finds a key whose value is of no interest: counts a hit or a miss, and does not mark the key as used.
    #[inline]
    pub fn peek(&mut self, db: usize, key: &[u8]) -> Option<Pos> {
        self.peek_hashed(db, self.hashed(db, key))
    }

    /// The same for a key whose hash is known.
    #[inline]
    pub fn peek_hashed(&mut self, db: usize, key: Hashed<'_>) -> Option<Pos> {
        let found = self.find_hashed(db, key);
        if found.is_some() {
            self.stats.hits += 1;
        } else {
            self.stats.misses += 1;
            self.changes.happened(db, key.key, Event(Class::KeyMiss, "keymiss"));
        }
        found
    }

    /// Finds a key to be changed: marks it as used.
    #[inline]
    pub fn write(&mut self, db: usize, key: &[u8]) -> Option<Pos> {
        let found = self.find(db, key);
        if let Some(pos) = found {
            self.lru.touch(&self.dbs[db].table.get(pos));
        }
        found
    }

    /// Whether a key is there. One that has expired is left alone.
    pub fn presence(&self, db: usize, key: &[u8]) -> Presence {
        let table = &self.dbs[db].table;
        match table.find(table.hash(key), key).map(|pos| table.get(pos).expire_at_ms()) {
            None => Presence::Absent,
            Some(Some(at)) if at <= self.now_ms => Presence::Expired,
            Some(_) => Presence::Live,
        }
    }

    /// Whether a key is there but has expired.
    pub fn is_expired_unnoticed(&self, db: usize, key: &[u8]) -> bool {
        self.presence(db, key) == Presence::Expired
    }

    /// The entry at a place that was just found.
    #[inline]
    pub fn entry(&self, db: usize, pos: Pos) -> Ref<'_, Entry> {
        self.dbs[db].table.get(pos)
    }

    /// The entry at a place that was just found, to be changed. The caller says what changed with [`Store::changed`].
    #[inline]
    pub fn edit(&mut self, db: usize, pos: Pos) -> Edit<'_> {
        let Database { table, volatile, .. } = &mut self.dbs[db];
        let guard = table.edit(pos);
        Edit {
            before_bytes: guard.mem_bytes(),
            entries_bytes: &mut self.entries_bytes,
            before_volatile: VolatileFields::of(&guard),
            volatile,
            guard,
        }
    }

    /// Records that a key changed.
    #[inline]
    pub fn changed(&mut self, db: usize, key: &[u8], event: Event) {
        self.changes.changed(db, key, event);
    }

    /// Adds a key that is not there.
    pub fn insert(&mut self, db: usize, key: &[u8], value: Value, expire_at_ms: Option<i64>) {
        let hash = self.dbs[db].table.hash(key);
        self.insert_entry(db, hash, Entry::new(key, value, expire_at_ms));
    }

    fn insert_entry(&mut self, db: usize, hash: u64, entry: Entry) {
        if self.overdue != Overdue::Deleted
            && let Some(hidden) = self.dbs[db].table.find(hash, entry.key())
        {
            self.remove_at(db, hidden);
        }
        self.lru.start(&entry);
        self.entries_bytes += entry.mem_bytes();
        self.changes.appeared(db, &entry);
        let database = &mut self.dbs[db];
        database.volatile.add(VolatileFields::of(&entry));
        if let Some(lens) = &mut self.slot_lens {
            *slot_len(lens, entry.key()) += 1;
        }
        database.table.insert(hash, entry);
    }

    /// Writes a string to a key, whatever it held. Returns whether the key is new.
    #[inline]
    pub fn set_string(&mut self, db: usize, key: &[u8], bytes: &[u8], expiry: Expiry) -> bool {
        self.set_string_hashed(db, self.hashed(db, key), bytes, expiry)
    }

    /// Writes a string to a key whose hash is known.
    #[inline]
    pub fn set_string_hashed(&mut self, db: usize, key: Hashed<'_>, bytes: &[u8], expiry: Expiry) -> bool {
        let Some(pos) = self.find_hashed(db, key) else {
            let Hashed { key, hash } = key;
            let expire = match expiry {
                Expiry::Keep => None,
                Expiry::Set(expire) => expire,
            };
            self.insert_entry(db, hash, Entry::string(key, bytes, expire));
            return true;
        };
        let lru = self.lru;
        let mut edit = self.edit(db, pos);
        let expire = match expiry {
            Expiry::Keep => edit.expire_at_ms(),
            Expiry::Set(expire) => expire,
        };
        if edit.is_string() {
            edit.overwrite_string(bytes, expire);
            lru.touch(&edit);
        } else {
            let old = edit.take_value();
            edit.overwrite_string(bytes, expire);
            lru.start(&edit);
            drop(edit);
            self.changes.ends(db, key.key, old.as_ref().kind());
            self.discard(old);
        }
        false
    }

    /// Puts a value in the place of whatever a key holds, or adds the key.
    pub fn put(&mut self, db: usize, key: &[u8], value: Value, expire_at_ms: Option<i64>) {
        self.remove(db, key);
        self.insert(db, key, value, expire_at_ms);
    }

    /// Makes a value that of a key, whatever it held, without an expiry. Who waits for a key that held something else
    /// is not woken, as in the reference.
    pub fn set_value(&mut self, db: usize, key: &[u8], value: Value) {
        let Some(pos) = self.find(db, key) else { return self.insert(db, key, value, None) };
        let lru = self.lru;
        let mut edit = self.edit(db, pos);
        let old = edit.take_value();
        edit.set_value(value);
        edit.set_expire(None);
        lru.start(&edit);
        drop(edit);
        self.changes.ends(db, key, old.as_ref().kind());
        self.discard(old);
    }

    /// Deletes a key. Returns whether it was there. Large values are freed later, bit by bit.
    pub fn remove(&mut self, db: usize, key: &[u8]) -> bool {
        let Some(pos) = self.find(db, key) else { return false };
        self.remove_at(db, pos);
        true
    }

    /// Deletes a key, be it that its time has come: what a command does that would store nothing there. Returns whether
    /// it was there.
    pub fn clear(&mut self, db: usize, key: &[u8]) -> bool {
        let table = &self.dbs[db].table;
        let Some(pos) = table.find(table.hash(key), key) else { return false };
        self.remove_at(db, pos);
        true
    }

    /// Deletes the key at a place that was just found.
    pub fn remove_at(&mut self, db: usize, pos: Pos) {
        let entry = self.take_entry(db, pos);
        self.discard_entry(entry);
    }

    fn take_entry(&mut self, db: usize, pos: Pos) -> Entry {
        let database = &mut self.dbs[db];
        let entry = database.table.remove(pos);
        database.volatile.subtract(VolatileFields::of(&entry));
        if let Some(lens) = &mut self.slot_lens {
            *slot_len(lens, entry.key()) -= 1;
        }
        self.changes.ends(db, entry.key(), entry.kind());
        entry
    }

    /// Takes a key out with its value and expiry.
    pub fn take(&mut self, db: usize, key: &[u8]) -> Option<(Value, Option<i64>)> {
        let pos = self.find(db, key)?;
        let entry = self.take_entry(db, pos);
        self.entries_bytes -= entry.mem_bytes();
        let expire = entry.expire_at_ms();
        Some((entry.into_value(), expire))
    }

    /// Empties a database. Returns how many keys it had. The memory is freed later, bit by bit.
    pub fn flush(&mut self, db: usize) -> usize {
        let database = &mut self.dbs[db];
        let table = database.table.take();
        database.expire_cursor = 0;
        database.volatile = VolatileFields::default();
        if let Some(lens) = &mut self.slot_lens {
            lens.fill(0);
        }
        let n = table.len();
        if n > 0 {
            self.garbage.add_table(table);
        }
        n
    }

    /// Exchanges the keys of two databases. Clients stay in the database that has the number they selected.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.dbs.swap(a, b);
    }

    /// A key that has not expired, all equally likely. Where those that have are hidden it may be one of them.
    pub fn random_key(&mut self, db: usize, rng: &mut Rng) -> Option<Vec<u8>> {
        let mut tries = 0;
        while let Some(pos) = self.dbs[db].table.random(rng) {
            let entry = self.dbs[db].table.get(pos);
            if !self.is_over(&entry) || tries == HIDDEN_TRIES {
                return Some(entry.key().to_vec());
            }
            if self.overdue == Overdue::Deleted {
                self.expire_overdue(db, pos);
            } else {
                tries += 1;
            }
        }
        None
    }

    /// Visits the entries of a step of SCAN, and says of each whether it has expired. Returns the next cursor, 0 at the
    /// end.
    pub fn scan(&self, db: usize, cursor: u64, mut f: impl FnMut(&Entry, bool)) -> u64 {
        self.dbs[db].table.scan(cursor, |entry| f(entry, self.is_over(entry)))
    }

    /// Visits all entries of a database that have not expired, in no order.
    pub fn each_entry(&self, db: usize, mut f: impl FnMut(&Entry)) {
        let live = |entry: &Ref<'_, Entry>| !self.is_over(entry);
        self.dbs[db].table.iter().filter(live).for_each(|entry| f(&entry));
    }

    /// Makes a cut in all databases: `sink(db)` gives for each one what takes its entries as they are now. It goes on
    /// with [`Store::snapshot_step`]; what changes meanwhile is handed over before. A snapshot that is under way is
    /// given up.
    pub fn snapshot_begin(&mut self, mut sink: impl FnMut(usize) -> Sink<Entry>) {
        self.garbage.snapshot_abort();
        for (number, db) in self.dbs.iter_mut().enumerate() {
            db.table.snapshot_begin(sink(number));
        }
    }

    /// Goes on with the snapshot by at most `groups` groups of entries; returns true at its end.
    pub fn snapshot_step(&mut self, groups: usize) -> bool {
        if self.garbage.in_snapshot() {
            self.garbage.snapshot_step(groups);
            return false;
        }
        match self.dbs.iter_mut().find(|db| db.table.in_snapshot()) {
            Some(db) => {
                db.table.snapshot_step(groups);
                false
            }
            None => true,
        }
    }

    /// Deletes the key at a place that was just found because a command gave it a time that is over.
    pub fn expire(&mut self, db: usize, pos: Pos) {
        let key = self.remove_expired(db, pos);
        self.changes.changed(db, &key, Event(Class::Expired, "expired"));
    }

    /// Deletes the key at a place that was just found because its time has come.
    fn expire_overdue(&mut self, db: usize, pos: Pos) {
        let key = self.remove_expired(db, pos);
        self.changes.expired(db, &key);
    }

    fn remove_expired(&mut self, db: usize, pos: Pos) -> Vec<u8> {
        let entry = self.take_entry(db, pos);
        let key = entry.key().to_vec();
        self.free_entry(entry, self.laziness.expire);
        self.stats.expired += 1;
        key
    }
}

/// The count that a key belongs to.
#[cold]
fn slot_len<'a>(lens: &'a mut [usize], key: &[u8]) -> &'a mut usize {
    &mut lens[usize::from(slot::of_key(key))]
}

#[cfg(test)]
mod tests;
