use super::*;
use crate::value::{
    ValueMut, ValueRef,
    list::{End, List, ListConfig},
};
use std::sync::{Arc, Mutex};

const DATABASES: usize = 4;
const SEEDS: u64 = 32;
const KEYS: u64 = 3000;
/// Elements of the huge list, which changes while it is in a snapshot.
const HUGE: usize = 50_000;

/// What a key held: database, key, value, expiry.
type Row = (usize, Vec<u8>, Value, Option<i64>);
/// The same with the value as bytes, so that rows can be compared.
type PlainRow = (usize, Vec<u8>, Vec<u8>, Option<i64>);

fn bytes_of(value: ValueRef<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    match value {
        ValueRef::Int(number) => bytes.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Str(text) => bytes.extend_from_slice(text),
        ValueRef::List(list) => list.for_range(0, list.len(), false, |elem| {
            elem.write_to(&mut bytes);
            bytes.push(b' ');
        }),
        _ => unreachable!("the worker makes strings and lists"),
    }
    bytes
}

/// All that is in the tables, those keys included that expired unnoticed.
fn keyspace(store: &Store) -> Vec<PlainRow> {
    let mut rows = Vec::new();
    for db in 0..store.databases() {
        for entry in store.table(db).iter() {
            rows.push((db, entry.key().to_vec(), bytes_of(entry.value()), entry.expire_at_ms()));
        }
    }
    rows.sort_unstable();
    rows
}

/// Takes copies of the entries as a saving snapshot does: those of lists share what they hold with the list.
fn sink_into(received: &Arc<Mutex<Vec<Row>>>, db: usize) -> Sink<Entry> {
    let received = Arc::clone(received);
    Box::new(move |entry| {
        let row = (db, entry.key().to_vec(), entry.clone_value(), entry.expire_at_ms());
        received.lock().expect("no sink panics").push(row);
    })
}

fn plain(received: &Mutex<Vec<Row>>) -> Vec<PlainRow> {
    let received = received.lock().expect("no sink panics");
    let rows = received.iter().map(|(db, key, value, at)| (*db, key.clone(), bytes_of(value.as_ref()), *at));
    let mut rows: Vec<PlainRow> = rows.collect();
    rows.sort_unstable();
    rows
}

/// A store with random work done to it.
struct Worker {
    store: Store,
    rng: Rng,
    cfg: ListConfig,
}

impl Worker {
    fn new(seed: u64) -> Worker {
        let mut rng = Rng::new(seed);
        let mut store = Store::new(DATABASES, [rng.next_u64(), rng.next_u64()]);
        store.set_now(1_000_000);
        let mut worker = Worker { store, rng, cfg: ListConfig::default() };
        // From a few keys to many, so that cuts meet tables of all sizes.
        let n = 1 << worker.rng.below(13);
        (0..n).for_each(|_| worker.set());
        let mut list = List::new();
        (0..HUGE).for_each(|i| list.push(End::Right, i.to_string().as_bytes(), &worker.cfg));
        let db = worker.db();
        worker.store.put(db, b"huge", Value::List(list), None);
        worker
    }

    fn db(&mut self) -> usize {
        self.rng.below(DATABASES as u64) as usize
    }

    fn key(&mut self) -> Vec<u8> {
        format!("key:{}", self.rng.below(KEYS)).into_bytes()
    }

    fn expiry(&mut self) -> Option<i64> {
        (self.rng.below(3) == 0).then(|| self.store.now_ms + 1 + self.rng.below(500) as i64)
    }

    fn set(&mut self) {
        let (db, key, expiry) = (self.db(), self.key(), self.expiry());
        let value = match self.rng.below(3) {
            0 => self.rng.next_u64().to_string().into_bytes(),
            1 => vec![b'v'; self.rng.below(100) as usize],
            _ => vec![b'w'; 1000 + self.rng.below(1000) as usize],
        };
        self.store.set_string(db, &key, &value, Expiry::Set(expiry));
    }

    /// Pushes to a list, or pops from it, or makes the key one.
    fn change_list(&mut self, key: &[u8]) {
        let (db, n) = (self.db(), self.rng.next_u64());
        let found = self.store.write(db, key);
        let Some(pos) = found.filter(|&pos| !self.store.entry(db, pos).is_string()) else {
            if key != b"huge" {
                let mut list = List::new();
                list.push(End::Left, b"first", &self.cfg);
                let expiry = self.expiry();
                self.store.put(db, key, Value::List(list), expiry);
            }
            return;
        };
        let mut edit = self.store.edit(db, pos);
        let ValueMut::List(list) = edit.value_mut() else { panic!("it is no string") };
        let (end, len) = (if n & 1 == 0 { End::Left } else { End::Right }, list.len() as u64);
        match n >> 1 & 3 {
            0 if len > 1 => {
                list.pop_n(end, 1 + (n >> 8) as usize % 100.min(len as usize - 1), &self.cfg, |_| {});
            }
            1 => {
                list.set(((n >> 8) % len) as i64, b"changed", &self.cfg);
            }
            2 if len > 1000 => list.delete_range(((n >> 8) % len) as usize, 10, &self.cfg),
            _ => list.push(end, n.to_string().as_bytes(), &self.cfg),
        }
    }

    /// RENAME within a database, or MOVE to another.
    fn relocate(&mut self, from: &[u8], to: &[u8]) {
        let (from_db, to_db) = (self.db(), self.db());
        if let Some((value, expiry)) = self.store.take(from_db, from) {
            self.store.put(to_db, to, value, expiry);
        }
    }

    fn step(&mut self) {
        let (a, b) = (self.key(), self.key());
        match self.rng.below(1000) {
            0..=399 => self.set(),
            400..=599 => {
                let db = self.db();
                self.store.remove(db, &a);
            }
            600..=699 => self.change_list(&a),
            700..=799 => self.change_list(b"huge"),
            800..=899 => self.relocate(&a, &b),
            900..=919 => self.relocate(b"huge", b"huge"),
            920..=939 => {
                self.store.set_now(self.store.now_ms + self.rng.below(50) as i64);
                let db = self.db();
                self.store.expire_slice(db, 20);
            }
            940..=949 => {
                let (x, y) = (self.db(), self.db());
                self.store.swap(x, y);
            }
            950..=952 => {
                let db = self.db();
                self.store.flush(db);
            }
            953..=954 => {
                let db = self.db();
                self.store.remove(db, b"huge");
            }
            955..=979 => {
                let parts = 1 + self.rng.below(200) as usize;
                self.store.free_some(parts);
            }
            _ => {
                let db = self.db();
                if let Some(pos) = self.store.find(db, &a) {
                    let expiry = self.expiry();
                    self.store.edit(db, pos).set_expire(expiry);
                }
            }
        }
    }

    /// Frees everything, and checks that nothing is accounted for any more.
    fn finish(mut self) {
        (0..DATABASES).for_each(|db| {
            self.store.flush(db);
        });
        let mut slices = 0;
        while self.store.has_garbage() {
            self.store.free_some(100);
            slices += 1;
            assert!(slices < 100_000, "garbage is freed in the end");
        }
        assert_eq!((self.store.mem_bytes(), self.store.garbage_len()), (0, 0));
    }
}

/// Begins a snapshot: what it is to receive, and what it receives.
fn cut(store: &mut Store) -> (Vec<PlainRow>, Arc<Mutex<Vec<Row>>>) {
    let expected = keyspace(store);
    let received = Arc::new(Mutex::new(Vec::new()));
    store.snapshot_begin(|db| sink_into(&received, db));
    (expected, received)
}

#[test]
fn a_snapshot_receives_each_key_once_as_it_was_at_the_cut() {
    for seed in 0..SEEDS {
        let mut worker = Worker::new(seed);
        for round in 0..3 {
            (0..200).for_each(|_| worker.step());
            let (expected, received) = cut(&mut worker.store);
            let groups = 1 + worker.rng.below(3) as usize;
            let mut steps = 0;
            loop {
                (0..worker.rng.below(20)).for_each(|_| worker.step());
                if worker.store.snapshot_step(groups) {
                    break;
                }
                steps += 1;
                assert!(steps < 100_000, "seed {seed}: a snapshot ends");
            }
            // What changes from here on is none of its business, and its copies are its own.
            (0..200).for_each(|_| worker.step());
            assert!(plain(&received) == expected, "seed {seed}, round {round}");
        }
        worker.finish();
    }
}

#[test]
fn a_second_snapshot_takes_the_place_of_the_first() {
    for seed in 0..SEEDS {
        let mut worker = Worker::new(seed);
        let (_, abandoned) = cut(&mut worker.store);
        (0..300).for_each(|_| worker.step());
        worker.store.flush(0);
        worker.store.snapshot_step(3);
        let (expected, received) = cut(&mut worker.store);
        let before = plain(&abandoned).len();
        while !worker.store.snapshot_step(2) {
            worker.step();
        }
        assert!(plain(&received) == expected, "seed {seed}");
        assert_eq!(plain(&abandoned).len(), before, "seed {seed}: the first one gets nothing more");
        worker.finish();
    }
}

#[test]
fn what_was_flushed_is_freed_before_its_snapshot_was_stepped() {
    let mut worker = Worker::new(5);
    let (expected, received) = cut(&mut worker.store);
    (0..DATABASES).for_each(|db| {
        worker.store.flush(db);
    });
    worker.finish();
    assert!(plain(&received) == expected);
}

/// The table shrinks while keys expire, and moves entries: none may slip behind the walk.
#[test]
fn one_walk_finds_all_that_expired() {
    let mut store = Store::new(1, [3, 4]);
    store.set_now(1000);
    for i in 0..60_000u32 {
        let at_ms = if i % 3 == 0 { 5000 } else { 2000 };
        store.set_string(0, &i.to_be_bytes(), b"x", Expiry::Set(Some(at_ms)));
    }
    store.set_now(2000);
    let (mut expired, mut slices) = (0, 0);
    loop {
        let slice = store.expire_slice(0, 2000);
        assert!(slice.looked_at < 2000 + 255, "{slice:?}");
        expired += slice.expired;
        slices += 1;
        if store.dbs[0].expire_cursor == 0 {
            break;
        }
    }
    assert_eq!((expired, store.len(0), store.volatile_len(0)), (40_000, 20_000, 20_000));
    assert!((30..60).contains(&slices), "{slices}");
}

#[test]
fn keys_far_apart_are_prefetched_and_served_in_order() {
    let mut store = Store::new(1, [1, 2]);
    for i in 0..PREFETCH_FROM as u64 + 100 {
        store.set_string(0, &i.to_be_bytes(), i.to_string().as_bytes(), Expiry::Keep);
    }
    // Fewer, exactly as many, and more than are prefetched at a time; some of them missing.
    for n in [0, 1, BATCH, BATCH + 1, 3 * BATCH, 100] {
        let wanted: Vec<[u8; 8]> = (0..n as u64).map(|i| (i * 100).to_be_bytes()).collect();
        let mut served = Vec::new();
        store.each_key(0, wanted.iter().map(|key| key.as_slice()), |store, number, key| {
            assert_eq!(key.key, wanted[number]);
            served.push((number, store.read_hashed(0, key).is_some()));
        });
        let exists = |i: usize| i * 100 < PREFETCH_FROM + 100;
        assert_eq!(served, (0..n).map(|i| (i, exists(i))).collect::<Vec<_>>());
    }
}

#[test]
fn strings_keep_or_lose_their_expiry() {
    let mut store = Store::new(1, [1, 2]);
    store.set_now(1000);
    assert!(store.set_string(0, b"k", b"1", Expiry::Set(Some(2000))));
    assert!(!store.set_string(0, b"k", b"longer than before", Expiry::Keep));
    let pos = store.find(0, b"k").expect("it lives");
    assert_eq!(store.entry(0, pos).expire_at_ms(), Some(2000));
    assert_eq!((store.presence(0, b"k"), store.presence(0, b"x")), (Presence::Live, Presence::Absent));
    store.set_now(2000);
    assert_eq!(store.presence(0, b"k"), Presence::Expired);
    assert!(store.find(0, b"k").is_none());
    assert_eq!((store.presence(0, b"k"), store.stats.expired), (Presence::Absent, 1));
    store.set_string(0, b"k", b"1", Expiry::Set(Some(3000)));
    store.set_string(0, b"k", b"2", Expiry::Set(None));
    assert_eq!(store.volatile_len(0), 0);
}

#[test]
fn slots_are_counted_as_keys_come_and_go() {
    let mut rng = Rng::new(7);
    let mut store = Store::new(1, [1, 2]);
    store.count_slots();
    store.set_now(1000);
    for step in 0..20_000 {
        store.set_now(store.now_ms + 1);
        store.overdue = [Overdue::Deleted, Overdue::Hidden][usize::from(rng.below(100) == 0)];
        let (key, other) = (format!("k{}", rng.below(200)), format!("k{}", rng.below(200)));
        let (key, other) = (key.as_bytes(), other.as_bytes());
        let expiry = (rng.below(2) == 0).then(|| store.now_ms + rng.below(300) as i64);
        match rng.below(8) {
            0 => _ = store.remove(0, key),
            1 => _ = store.clear(0, key),
            2 => {
                if let Some((value, at_ms)) = store.take(0, key) {
                    store.put(0, other, value, at_ms);
                }
            }
            3 => _ = store.expire_slice(0, 50),
            4 if rng.below(500) == 0 => _ = store.flush(0),
            _ => _ = store.set_string(0, key, b"v", Expiry::Set(expiry)),
        }
        if step % 100 == 0 {
            let mut counts = vec![0; SLOTS.into()];
            store.table(0).iter().for_each(|entry| counts[usize::from(slot::of_key(entry.key()))] += 1);
            assert_eq!((0..SLOTS).map(|slot| store.slot_len(slot)).collect::<Vec<_>>(), counts, "{step}");
        }
    }
    assert!(store.len(0) > 50);
}
