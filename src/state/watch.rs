//! WATCH: which sessions' transactions depend on which keys.
//!
//! Source: <https://valkey.io/topics/transactions/#optimistic-locking-using-check-and-set>.

use super::session::{Session, SessionKey, Sessions};
use crate::{base::hash::Seed, store::changes::Seen};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// A key that a session watches.
pub struct Watched {
    pub db: usize,
    pub key: Arc<[u8]>,
}

/// Who watches a key, and whether they found it expired already, though it was not deleted yet: then its deletion is no
/// change.
type Watchers = BTreeMap<SessionKey, bool>;

/// Most keys that one session may watch.
pub const WATCHED_MAX: usize = 1 << 20;

/// All watched keys, by database.
pub struct Watch {
    dbs: Vec<HashMap<Arc<[u8]>, Watchers, Seed>>,
    /// Keys watched, counted once for each session.
    pub watched: usize,
    /// Bytes of the keys.
    key_bytes: usize,
}

impl Watch {
    /// Nothing is watched.
    pub fn new(seed: Seed, databases: usize) -> Watch {
        let dbs = (0..databases).map(|_| HashMap::with_hasher(seed)).collect();
        Watch { dbs, watched: 0, key_bytes: 0 }
    }

    /// Makes a session watch a key.
    pub fn watch(&mut self, session: &mut Session, key: &[u8], was_expired: bool) {
        let db = session.db;
        let keys = &mut self.dbs[db];
        let key = match keys.get_key_value(key) {
            Some((_, watchers)) if watchers.contains_key(&session.key) => return,
            Some((key, _)) => Arc::clone(key),
            None => {
                self.key_bytes += key.len();
                Arc::from(key)
            }
        };
        keys.entry(Arc::clone(&key)).or_default().insert(session.key, was_expired);
        session.watched.push(Watched { db, key });
        self.watched += 1;
    }

    /// Forgets all that a session watches, and that any of it changed.
    pub fn unwatch(&mut self, session: &mut Session) {
        self.forget(session);
        session.watch_broken = false;
    }

    fn forget(&mut self, session: &mut Session) {
        for Watched { db, key } in std::mem::take(&mut session.watched) {
            self.watched -= 1;
            let keys = &mut self.dbs[db];
            if let Some(sessions) = keys.get_mut(&key) {
                sessions.remove(&session.key);
                if sessions.is_empty() {
                    self.key_bytes -= key.len();
                    keys.remove(&key);
                }
            }
        }
    }

    /// Whether a session found a key expired when it began to watch it, and it has not been deleted since.
    pub fn found_expired(&self, session: SessionKey, watched: &Watched) -> bool {
        self.dbs[watched.db].get(&watched.key).and_then(|watchers| watchers.get(&session)) == Some(&true)
    }

    /// A key changed: who watches it can no longer execute, and so need not watch any more. Returns these sessions.
    pub fn changed(&mut self, sessions: &mut Sessions, db: usize, key: &[u8], seen: Seen) -> Vec<SessionKey> {
        let mut broken = Vec::new();
        let Some(watchers) = self.dbs[db].get_mut(key) else { return broken };
        for (&watcher, was_expired) in watchers {
            let found_expired = std::mem::replace(was_expired, matches!(seen, Seen::Expired { .. }));
            let same = match seen {
                Seen::Changed => false,
                Seen::Gone => found_expired,
                Seen::Expired { appeared } => found_expired || appeared,
            };
            if !same {
                broken.push(watcher);
            }
        }
        for &watcher in &broken {
            if let Some(Some(session)) = sessions.get_mut(watcher) {
                self.forget(session);
                session.watch_broken = true;
            }
        }
        broken
    }

    /// The watched keys of a database.
    pub fn keys(&self, db: usize) -> impl Iterator<Item = &Arc<[u8]>> {
        self.dbs[db].keys()
    }

    /// How many keys are watched.
    pub fn key_count(&self) -> usize {
        self.dbs.iter().map(HashMap::len).sum()
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let slots: usize = self.dbs.iter().map(HashMap::capacity).sum();
        slots * (size_of::<(Arc<[u8]>, Watchers)>() + 1) + self.key_bytes
    }
}
