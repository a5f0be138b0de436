//! Eviction: which key goes when memory is short.
//!
//! Keys are drawn at random, and the best of all drawn so far goes; what was good but not the best is remembered for
//! the next time. Source: <https://valkey.io/topics/lru-cache/>.

use super::{Store, changes::Class, changes::Event};
use crate::{base::rng::Rng, ds::table::Pos, value::Entry};

/// How many good candidates are remembered.
const POOL_MAX: usize = 16;
/// Longer keys are not remembered: the memory is what is short.
const POOL_KEY_MAX_BYTES: usize = 1024;

/// By what keys are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// The one that is longest unused goes.
    Idle,
    /// The one that is seldom used.
    Rare,
    /// The one that expires first.
    Ttl,
    Random,
}

/// `maxmemory-policy`, where it is not `noeviction`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    pub measure: Measure,
    /// Only keys with an expiry may go.
    pub only_volatile: bool,
}

impl Policy {
    /// The policy of a name; `None` for the one that evicts nothing.
    pub fn named(name: &str) -> Option<Policy> {
        let (keys, measure) = name.split_once('-')?;
        let measure = match measure {
            "lru" => Measure::Idle,
            "lfu" => Measure::Rare,
            "ttl" => Measure::Ttl,
            _ => Measure::Random,
        };
        Some(Policy { measure, only_volatile: keys == "volatile" })
    }
}

/// A key that may go.
#[derive(Debug)]
struct Candidate {
    /// The higher, the sooner it goes.
    score: u64,
    db: usize,
    key: Vec<u8>,
}

/// Candidates, the best one last.
#[derive(Default, Debug)]
pub(super) struct Pool {
    candidates: Vec<Candidate>,
    /// For what the scores are; others mean nothing.
    policy: Option<Policy>,
    /// Where a random choice begins.
    next_db: usize,
}

impl Pool {
    fn offer(&mut self, score: u64, db: usize, key: &[u8]) {
        let full = self.candidates.len() == POOL_MAX;
        if key.len() > POOL_KEY_MAX_BYTES && !self.candidates.is_empty()
            || full && score <= self.candidates[0].score
            || self.candidates.iter().any(|known| known.db == db && known.key == key)
        {
            return;
        }
        // The buffer of the one that gives way is used again.
        let mut buffer = if full { self.candidates.remove(0).key } else { Vec::new() };
        buffer.clear();
        buffer.extend_from_slice(key);
        let at = self.candidates.partition_point(|known| known.score < score);
        self.candidates.insert(at, Candidate { score, db, key: buffer });
    }
}

impl Store {
    /// Deletes the key that the policy would have go, judged by `samples` keys of each database. `false` if there is
    /// none.
    pub fn evict_one(&mut self, policy: Policy, samples: usize, rng: &mut Rng) -> bool {
        let found = match policy.measure {
            Measure::Random => self.any_key(policy, rng),
            _ => self.best_key(policy, samples, rng),
        };
        let Some((db, pos)) = found else { return false };
        let entry = self.take_entry(db, pos);
        self.stats.evicted += 1;
        self.changes.changed(db, entry.key(), Event(Class::Evicted, "evicted"));
        self.free_entry(entry, self.laziness.eviction);
        true
    }

    /// How many keys of a database may go.
    fn evictable_len(&self, db: usize, policy: Policy) -> usize {
        if policy.only_volatile { self.volatile_len(db) } else { self.len(db) }
    }

    /// A key that may go, all of a database equally likely.
    fn draw(&self, db: usize, policy: Policy, rng: &mut Rng) -> Option<Pos> {
        let table = &self.dbs[db].table;
        if !policy.only_volatile {
            return table.random(rng);
        }
        // The table also counts hashes that have no expiry but whose fields do.
        let pos = table.random_volatile(rng)?;
        table.get(pos).expire_at_ms().map(|_| pos)
    }

    /// The databases take turns.
    fn any_key(&mut self, policy: Policy, rng: &mut Rng) -> Option<(usize, Pos)> {
        let databases = self.dbs.len();
        for _ in 0..databases {
            let db = self.pool.next_db;
            self.pool.next_db = (db + 1) % databases;
            if self.evictable_len(db, policy) > 0 {
                return Some((db, self.draw_surely(db, policy, rng)?));
            }
        }
        None
    }

    /// Draws until there is one that may go, of which there is at least one.
    fn draw_surely(&self, db: usize, policy: Policy, rng: &mut Rng) -> Option<Pos> {
        const TRIES: usize = 64;
        if let Some(pos) = (0..TRIES).find_map(|_| self.draw(db, policy, rng)) {
            return Some(pos);
        }
        // Practically never: few keys expire among many whose fields do.
        let table = &self.dbs[db].table;
        let entry = table.iter().find(|entry| entry.expire_at_ms().is_some())?;
        table.find(table.hash(entry.key()), entry.key())
    }

    fn best_key(&mut self, policy: Policy, samples: usize, rng: &mut Rng) -> Option<(usize, Pos)> {
        let mut pool = std::mem::take(&mut self.pool);
        if pool.policy != Some(policy) {
            pool.candidates.clear();
            pool.policy = Some(policy);
        }
        let mut found = None;
        while found.is_none() {
            let mut any = false;
            for db in 0..self.dbs.len() {
                let len = self.evictable_len(db, policy);
                any |= len > 0;
                if len > 0 {
                    self.dbs[db].table.neighbours(rng, samples, policy.only_volatile, |entry| {
                        if !policy.only_volatile || entry.expire_at_ms().is_some() {
                            pool.offer(self.score(policy.measure, entry), db, entry.key());
                        }
                    });
                }
                if len > 0 && pool.candidates.is_empty() {
                    found = self.draw_surely(db, policy, rng).map(|pos| (db, pos));
                }
            }
            if !any {
                pool.candidates.clear();
                break;
            }
            // Those that are gone by now, or may not go any more, are forgotten.
            while found.is_none()
                && let Some(best) = pool.candidates.pop()
            {
                let table = &self.dbs[best.db].table;
                found = table
                    .find(table.hash(&best.key), &best.key)
                    .filter(|&pos| !policy.only_volatile || table.get(pos).expire_at_ms().is_some())
                    .map(|pos| (best.db, pos));
            }
        }
        self.pool = pool;
        found
    }

    fn score(&self, measure: Measure, entry: &Entry) -> u64 {
        match measure {
            Measure::Idle => self.lru.idle_s(entry).into(),
            Measure::Rare => u64::from(u8::MAX) - u64::from(self.lru.frequency_of(entry)),
            Measure::Ttl => u64::MAX - entry.expire_at_ms().map_or(u64::MAX, |at_ms| at_ms.max(0) as u64),
            Measure::Random => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::Expiry, value::Value};

    fn policy(name: &str) -> Policy {
        Policy::named(name).expect("a policy that evicts")
    }

    fn store_of(keys: u32, expiry: impl Fn(u32) -> Option<i64>) -> Store {
        let mut store = Store::new(4, [1, 2]);
        store.set_now(1_000_000);
        for n in 0..keys {
            store.insert((n % 3) as usize, format!("key:{n}").as_bytes(), Value::Int(n.into()), expiry(n));
        }
        store
    }

    #[test]
    fn names() {
        assert_eq!(Policy::named("noeviction"), None);
        assert_eq!(policy("volatile-ttl"), Policy { measure: Measure::Ttl, only_volatile: true });
        assert_eq!(policy("allkeys-lfu"), Policy { measure: Measure::Rare, only_volatile: false });
    }

    #[test]
    fn keys_without_an_expiry_never_go_by_volatile_policies() {
        for name in ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"] {
            let mut store = store_of(900, |n| (n % 30 == 0).then_some(9_000_000 + i64::from(n)));
            let mut rng = Rng::new(7);
            let mut gone = 0;
            while store.evict_one(policy(name), 5, &mut rng) {
                gone += 1;
            }
            assert_eq!((gone, store.len(0) + store.len(1) + store.len(2)), (30, 870), "{name}");
        }
    }

    #[test]
    fn all_keys_may_go() {
        for name in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
            let mut store = store_of(500, |_| None);
            let mut rng = Rng::new(7);
            let gone = (0..).take_while(|_| store.evict_one(policy(name), 5, &mut rng)).count();
            assert!(gone == 500 && store.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_used_stays_and_what_expires_first_goes() {
        // Half of the keys are used later on; half of all go.
        let mut store = store_of(2000, |_| None);
        store.set_now(2_000_000);
        for n in (0..2000).step_by(2) {
            store.read(n % 3, format!("key:{n}").as_bytes());
        }
        let mut rng = Rng::new(3);
        for _ in 0..1000 {
            assert!(store.evict_one(policy("allkeys-lru"), 10, &mut rng));
        }
        let used =
            (0..2000).step_by(2).filter(|n| store.find(n % 3, format!("key:{n}").as_bytes()).is_some());
        assert!(used.count() >= 950);

        let mut store = store_of(2000, |n| Some(9_000_000 + i64::from(n)));
        for _ in 0..1000 {
            assert!(store.evict_one(policy("volatile-ttl"), 10, &mut rng));
        }
        let late = (1000..2000).filter(|n| store.find(n % 3, format!("key:{n}").as_bytes()).is_some());
        assert!(late.count() >= 950);
    }

    #[test]
    fn a_remembered_key_that_lost_its_expiry_stays() {
        let mut store = store_of(60, |n| Some(9_000_000 + i64::from(n)));
        let mut rng = Rng::new(1);
        assert!(store.evict_one(policy("volatile-ttl"), 64, &mut rng));
        for n in 0..60 {
            let (db, key) = ((n % 3) as usize, format!("key:{n}"));
            if store.find(db, key.as_bytes()).is_some() {
                store.set_string(db, key.as_bytes(), b"x", Expiry::Set(None));
            }
        }
        assert!(!store.evict_one(policy("volatile-ttl"), 64, &mut rng));
        assert_eq!((0..3).map(|db| store.len(db)).sum::<usize>(), 59);
    }
}
