use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use super::*;
use crate::base::rng::Rng;

/// A key of 8 bytes, a value, and whether it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Body {
    key: [u8; 8],
    value: u64,
    volatile: bool,
}

#[derive(Debug)]
struct Thing(Box<Body>);

// SAFETY: a box is a thin pointer to one allocation, in user space.
unsafe impl Item for Thing {
    fn key(&self) -> &[u8] {
        &self.0.key
    }

    fn volatile(&self) -> bool {
        self.0.volatile
    }

    fn into_ptr(self) -> NonNull<u8> {
        NonNull::from(Box::leak(self.0)).cast()
    }

    unsafe fn from_ptr(ptr: NonNull<u8>) -> Thing {
        // SAFETY: the pointer comes from `into_ptr`.
        Thing(unsafe { Box::from_raw(ptr.cast().as_ptr()) })
    }
}

fn key(n: u64) -> [u8; 8] {
    n.to_be_bytes()
}

fn thing(n: u64, value: u64, volatile: bool) -> Thing {
    Thing(Box::new(Body { key: key(n), value, volatile }))
}

fn pos(table: &Table<Thing>, n: u64) -> Option<Pos> {
    table.find(table.hash(&key(n)), &key(n))
}

fn add(table: &mut Table<Thing>, n: u64, value: u64, volatile: bool) {
    let hash = table.hash(&key(n));
    let pos = table.insert(hash, thing(n, value, volatile));
    assert_eq!(table.get(pos).0.key, key(n));
}

fn filled(rng: &mut Rng, count: u64) -> Table<Thing> {
    let mut table = Table::new([rng.next_u64(), rng.next_u64()]);
    (0..count).for_each(|n| add(&mut table, n, n, false));
    table
}

/// Everything that must hold between operations.
fn check(table: &Table<Thing>) {
    let (mut len, mut bytes) = (0, 0);
    for (index, chunk) in table.chunks.iter().enumerate() {
        let mut volatile = 0;
        for (slot, group) in chunk.groups.iter().enumerate() {
            let words: Vec<u64> = group.iter().collect();
            for &word in &words {
                let item = borrow::<Thing>(word);
                assert_eq!(word & VOLATILE != 0, item.volatile());
                let hash = table.hash(item.key());
                assert!(group::agrees(word, hash));
                assert_eq!(table.bucket(hash), index * CHUNK + slot);
            }
            let flagged = words.iter().filter(|&word| word & VOLATILE != 0).count();
            assert_eq!(flagged, group.volatile_len());
            assert!(words.len() <= table.longest);
            (len, bytes, volatile) = (len + words.len(), bytes + group.bytes(), volatile + flagged);
        }
        assert_eq!(volatile, chunk.volatile);
    }
    assert_eq!((len, bytes), (table.len, table.group_bytes));
    assert_eq!(table.chunks.iter().map(|chunk| chunk.volatile).sum::<usize>(), table.volatile_len);
    if !table.chunks.is_empty() {
        assert_eq!(table.chunks.iter().map(|chunk| chunk.groups.len()).sum::<usize>(), table.buckets);
    }
    assert_eq!(table.mask, (table.buckets + 1).next_power_of_two() - 1);
}

/// One random change of the table and of its model.
fn change(
    rng: &mut Rng,
    table: &mut Table<Thing>,
    model: &mut HashMap<u64, (u64, bool)>,
    keys: u64,
    grow: bool,
) {
    let (n, value, volatile) = (rng.below(keys), rng.next_u64(), rng.below(3) == 0);
    table.moved = 0;
    match pos(table, n) {
        None => {
            assert!(!model.contains_key(&n));
            if grow || rng.below(8) == 0 {
                add(table, n, value, volatile);
                model.insert(n, (value, volatile));
            }
        }
        Some(pos) => {
            let old = model[&n];
            assert_eq!((table.get(pos).0.value, table.get(pos).0.volatile), old);
            match rng.below(if grow { 16 } else { 3 }) {
                0 => {
                    let item = table.remove(pos);
                    assert_eq!((item.0.key, item.0.value), (key(n), old.0));
                    model.remove(&n);
                }
                1 => {
                    let item = table.replace(pos, thing(n, value, volatile));
                    assert_eq!(item.0.value, old.0);
                    model.insert(n, (value, volatile));
                }
                2 => {
                    // Another allocation behind the same key.
                    let mut item = table.edit(pos);
                    *item = thing(n, value, volatile);
                    model.insert(n, (value, volatile));
                }
                _ => {
                    table.edit(pos).0.value = value;
                    model.insert(n, (value, old.1));
                }
            }
        }
    }
    assert!(table.moved <= MAX_MOVED, "{}", table.moved);
}

/// Twice the mean of an unsplit group at its fullest, and some.
const MAX_MOVED: usize = 160;

#[test]
fn it_holds_what_a_map_holds() {
    for seed in 0..12 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let mut table = Table::new([rng.next_u64(), rng.next_u64()]);
        let mut model = HashMap::new();
        let keys = [3, 40, 300, 5_000, 40_000][seed as usize % 5];
        for phase in 0..6 {
            for _ in 0..(keys * 3).max(100) {
                change(&mut rng, &mut table, &mut model, keys, phase % 2 == 0);
                assert_eq!(table.len(), model.len());
            }
            check(&table);
        }
        let all: HashMap<u64, (u64, bool)> = table
            .iter()
            .map(|item| (u64::from_be_bytes(item.0.key), (item.0.value, item.0.volatile)))
            .collect();
        assert_eq!(all, model);
        assert_eq!(table.volatile_len(), model.values().filter(|(_, volatile)| *volatile).count());
        // Down to nothing, one by one.
        for &n in model.keys() {
            let pos = pos(&table, n).unwrap();
            table.moved = 0;
            table.remove(pos);
            assert!(table.moved <= MAX_MOVED, "{}", table.moved);
        }
        check(&table);
        assert_eq!((table.len(), table.mem_bytes()), (0, 0));
    }
}

#[test]
fn small_tables_are_small() {
    let mut rng = Rng::new(1);
    let mut table = filled(&mut rng, 0);
    assert_eq!(table.mem_bytes(), 0);
    assert!(size_of::<Table<Thing>>() <= 128);
    add(&mut table, 0, 0, false);
    assert_eq!(table.mem_bytes(), 32 + 32 + 8);
    for n in 1..1000 {
        add(&mut table, n, n, false);
        assert!(table.mem_bytes() <= 72 + 14 * n as usize, "{n}: {}", table.mem_bytes());
    }
}

#[test]
fn memory_is_smooth_in_size() {
    let mut rng = Rng::new(2);
    let mut table = filled(&mut rng, 10_000);
    let mut sum = 0.0;
    let mut samples = 0;
    for n in 10_000..200_000 {
        add(&mut table, n, n, false);
        if n % 1000 == 0 {
            let per_key = table.mem_bytes() as f64 / table.len() as f64;
            assert!(per_key <= 12.0, "{n}: {per_key}");
            (sum, samples) = (sum + per_key, samples + 1);
        }
    }
    let mean = sum / f64::from(samples);
    assert!(mean <= 10.5, "{mean}");
    // It stays small when keys come and go, and when they only go.
    for n in 0..400_000u64 {
        let old = pos(&table, n).unwrap();
        table.remove(old);
        add(&mut table, n + 200_000, n, false);
    }
    let per_key = table.mem_bytes() as f64 / table.len() as f64;
    assert!(per_key <= 12.0, "{per_key}");
    for n in 400_000..590_000 {
        let old = pos(&table, n).unwrap();
        table.remove(old);
    }
    let per_key = table.mem_bytes() as f64 / table.len() as f64;
    assert!(per_key <= 12.5, "{per_key}");
    check(&table);
}

#[test]
fn memory_of_millions() {
    let mut table = filled(&mut Rng::new(13), 0);
    let mut last = 0;
    for size in [100_000, 1_000_000, 1_200_000, 1_400_000, 1_800_000] {
        (last..size).for_each(|n| add(&mut table, n, n, false));
        last = size;
        let per_key = table.mem_bytes() as f64 / size as f64;
        assert!(per_key <= 10.8, "{size}: {per_key}");
    }
    while table.drain_some(1000).count() > 0 {}
}

#[test]
fn draining_takes_all_by_slices() {
    let mut rng = Rng::new(3);
    let mut table = filled(&mut rng, 10_000);
    let mut taken = table.take();
    assert_eq!((table.len(), taken.len()), (0, 10_000));
    add(&mut table, 1, 1, true);
    let mut seen = HashSet::new();
    while !taken.is_empty() {
        let slice: Vec<Thing> = taken.drain_some(700).collect();
        assert!(slice.len() == 700 || taken.is_empty());
        seen.extend(slice.iter().map(|item| item.0.key));
        check(&taken);
        let n = rng.below(10_000);
        assert_eq!(pos(&taken, n).is_none(), seen.contains(&key(n)));
    }
    assert_eq!((seen.len(), taken.mem_bytes()), (10_000, 0));
    table.clear();
    assert_eq!((table.len(), table.volatile_len(), table.mem_bytes()), (0, 0, 0));
}

#[test]
fn a_scan_meets_all_that_stay() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let stay = rng.below(3_000);
        let mut table = filled(&mut rng, stay);
        let mut guests: Vec<u64> = Vec::new();
        let mut next_guest = 1_000_000;
        let mut seen: HashMap<[u8; 8], u32> = HashMap::new();
        let mut cursor = 0;
        let mut calls = 0;
        loop {
            cursor = table.scan(cursor, |item| *seen.entry(item.0.key).or_default() += 1);
            if cursor == 0 {
                break;
            }
            calls += 1;
            assert!(calls < 100_000);
            // Tides: many come, then many go. The first seeds leave the table as it is.
            for _ in 0..if seed < 4 { 0 } else { rng.below(200) } {
                if calls / 16 % 2 == 0 && guests.len() < 20_000 {
                    add(&mut table, next_guest, 0, false);
                    guests.push(next_guest);
                    next_guest += 1;
                } else if let Some(guest) = guests.pop() {
                    let pos = pos(&table, guest).unwrap();
                    table.remove(pos);
                }
            }
        }
        for n in 0..stay {
            let times = seen.get(&key(n)).copied().unwrap_or(0);
            assert!(times >= 1, "{n} was not met");
            assert!(seed >= 4 || times == 1);
        }
        // Any cursor is served.
        for _ in 0..100 {
            table.scan(rng.next_u64(), |_| {});
            table.scan_volatile(rng.next_u64(), |_| {});
        }
    }
}

#[test]
fn a_scan_of_the_volatile_meets_just_these() {
    let mut rng = Rng::new(4);
    for every in [1, 7, 1000, 20_000] {
        let mut table = filled(&mut rng, 0);
        let want: HashSet<_> = (0..40_000).filter(|n| n % every == 0).map(key).collect();
        (0..40_000).for_each(|n| add(&mut table, n, n, n % every == 0));
        let mut seen = HashSet::new();
        let (mut cursor, mut calls) = (0, 0);
        loop {
            let before = seen.len();
            cursor = table.scan_volatile(cursor, |item| assert!(item.0.volatile && seen.insert(item.0.key)));
            assert!(seen.len() - before <= table.longest);
            calls += 1;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(seen, want);
        assert!(calls <= table.buckets.min(want.len()) + table.buckets / 64 + 1, "{calls}");
    }
}

/// That each of `counts` is near `mean`, as far as chance allows: six standard deviations for each, and the sum of
/// squares as it should be.
fn assert_uniform(counts: &[u64], mean: f64) {
    let square = |&count: &u64| (count as f64 - mean).powi(2) / mean;
    let worst = counts.iter().map(square).fold(0.0, f64::max);
    assert!(worst < 36.0, "{worst}");
    let degrees = counts.len() as f64 - 1.0;
    let sum: f64 = counts.iter().map(square).sum();
    assert!((sum - degrees).abs() < 6.0 * (2.0 * degrees).sqrt(), "{sum} of {degrees}");
}

#[test]
fn all_are_equally_likely_to_be_picked() {
    for (seed, count, every) in [(5, 10, 2), (6, 70, 3), (7, 700, 1), (8, 1100, 5), (9, 1500, 100)] {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let mut table = filled(&mut rng, 0);
        (0..count).for_each(|n| add(&mut table, n, n, n % every == 0));
        let (mut any, mut some) = (vec![0; count as usize], vec![0; count.div_ceil(every) as usize]);
        for _ in 0..count * 100 {
            let pos = table.random(&mut rng).unwrap();
            any[table.get(pos).0.value as usize] += 1;
            let pos = table.random_volatile(&mut rng).unwrap();
            some[(table.get(pos).0.value / every) as usize] += 1;
        }
        assert_uniform(&any, 100.0);
        assert_uniform(&some, (count * 100) as f64 / some.len() as f64);
    }
    let empty: Table<Thing> = Table::new([0, 0]);
    assert!(empty.random(&mut Rng::new(0)).is_none() && empty.random_volatile(&mut Rng::new(0)).is_none());
}

#[test]
fn neighbours_are_different_and_as_many_as_there_are() {
    let mut rng = Rng::new(5);
    for count in [0, 1, 3, 40, 5_000] {
        let mut table = Table::new([1, 2]);
        (0..count).for_each(|n| add(&mut table, n, n, n % 4 == 0));
        let mut ever = HashSet::new();
        for _ in 0..2_000 {
            let mut seen = HashSet::new();
            table.neighbours(&mut rng, 5, false, |thing| assert!(seen.insert(thing.0.value)));
            assert_eq!(seen.len(), 5.min(count as usize));
            ever.extend(seen);
            table.neighbours(&mut rng, 5, true, |thing| assert_eq!(thing.0.value % 4, 0));
        }
        assert!(ever.len() * 10 >= count as usize * 8, "{} of {count}", ever.len());
    }
}

type Seen = Arc<Mutex<Vec<(u64, u64)>>>;

fn sink(seen: &Seen) -> Sink<Thing> {
    let seen = Arc::clone(seen);
    Box::new(move |item| seen.lock().unwrap().push((u64::from_be_bytes(item.0.key), item.0.value)))
}

#[test]
fn a_snapshot_has_what_stood_at_the_cut_once() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let mut table = Table::new([rng.next_u64(), rng.next_u64()]);
        let mut model = HashMap::new();
        let keys = 1 + rng.below(6_000);
        for round in 0..4 {
            for _ in 0..keys {
                change(&mut rng, &mut table, &mut model, keys, seed % 2 == 0);
            }
            let mut cut: Vec<(u64, u64)> = model.iter().map(|(&n, &(value, _))| (n, value)).collect();
            let seen = Seen::default();
            table.snapshot_begin(sink(&seen));
            if round == 1 {
                // Given up half way: the next one must not miss anything for it.
                table.snapshot_step(3);
                table.snapshot_abort();
                assert_eq!(Arc::strong_count(&seen), 1);
                continue;
            }
            let grow = rng.below(2) == 0;
            let changes = rng.below(400);
            let mut done = false;
            while !done {
                for _ in 0..rng.below(changes + 1) {
                    change(&mut rng, &mut table, &mut model, keys * 2, grow);
                }
                done = table.snapshot_step(1 + rng.below(3) as usize);
                assert_eq!(done, !table.in_snapshot());
            }
            assert_eq!(Arc::strong_count(&seen), 1);
            check(&table);
            let mut seen = seen.lock().unwrap();
            seen.sort_unstable();
            cut.sort_unstable();
            assert!(*seen == cut, "{} of {}", seen.len(), cut.len());
        }
    }
}

#[test]
fn a_merge_into_an_emptied_bucket_behind_the_cursor_loses_nothing() {
    let mut rng = Rng::new(12);
    let mut table = filled(&mut rng, 2_000);
    let seen = Seen::default();
    table.snapshot_begin(sink(&seen));
    let from = table.buckets - 1;
    let to = from - (1 << from.ilog2());
    table.snapshot_step(to + 1);
    for n in 0..2_000 {
        if table.bucket(table.hash(&key(n))) == to {
            let pos = pos(&table, n).unwrap();
            table.remove(pos);
        }
    }
    assert!(table.buckets == from + 1 && table.group(to).len() == 0);
    for n in 0..2_000 {
        if table.buckets > from
            && let Some(pos) = pos(&table, n)
            && (pos.bucket as usize) < to
        {
            table.remove(pos);
        }
    }
    assert!(table.buckets == from && table.group(to).len() > 0);
    while !table.snapshot_step(10) {}
    let mut seen: Vec<u64> = seen.lock().unwrap().iter().map(|&(n, _)| n).collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..2_000));
}

#[test]
fn a_taken_table_goes_on_with_its_snapshot() {
    let mut rng = Rng::new(10);
    for drain in [false, true] {
        let mut table = filled(&mut rng, 5_000);
        let seen = Seen::default();
        table.snapshot_begin(sink(&seen));
        table.snapshot_step(10);
        let mut taken = table.take();
        assert!(taken.in_snapshot() && !table.in_snapshot());
        add(&mut table, 7, 0, false);
        if drain {
            while taken.drain_some(100).count() > 0 {}
            assert!(taken.snapshot_step(1));
        } else {
            while !taken.snapshot_step(10) {}
        }
        let mut seen: Vec<u64> = seen.lock().unwrap().iter().map(|&(n, _)| n).collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..5_000));
    }
}

#[test]
fn hints_change_nothing() {
    let mut rng = Rng::new(11);
    let mut table = filled(&mut rng, 0);
    for n in 0..2_000 {
        for m in [n, n + 1] {
            let hash = table.hash(&key(m));
            table.prefetch_group(hash);
            table.prefetch_word(hash);
            table.prefetch_item(hash);
        }
        add(&mut table, n, n, false);
    }
    check(&table);
}
