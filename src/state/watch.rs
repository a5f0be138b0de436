//! WATCH: which sessions' transactions depend on which keys.
//!
//! Source: <https://valkey.io/topics/transactions/#optimistic-locking-using-check-and-set>.

use super::session::{Session, SessionKey, Sessions};
use crate::{base::hash::Seed, store::changes::Seen};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// A key that a session watches.
pub struct Watched {
    pub db: usize,
    pub key: Arc<[u8]>,
    /// It had expired already, though it was not deleted yet: its deletion is no change.
    pub was_expired: bool,
}

/// All watched keys, by database.
pub struct Watch {
    dbs: Vec<HashMap<Arc<[u8]>, BTreeSet<SessionKey>, Seed>>,
    /// Keys watched, counted once for each session.
    pub watched: usize,
}

impl Watch {
    /// Nothing is watched.
    pub fn new(seed: Seed, databases: usize) -> Watch {
        Watch { dbs: (0..databases).map(|_| HashMap::with_hasher(seed)).collect(), watched: 0 }
    }

    /// Makes a session watch a key.
    pub fn watch(&mut self, session: &mut Session, key: &[u8], was_expired: bool) {
        let db = session.db;
        if session.watched.iter().any(|w| w.db == db && &w.key[..] == key) {
            return;
        }
        let keys = &mut self.dbs[db];
        let key = keys.get_key_value(key).map_or_else(|| Arc::from(key), |(key, _)| Arc::clone(key));
        keys.entry(Arc::clone(&key)).or_default().insert(session.key);
        session.watched.push(Watched { db, key, was_expired });
        self.watched += 1;
    }

    /// Forgets all that a session watches, and that any of it changed.
    pub fn unwatch(&mut self, session: &mut Session) {
        for Watched { db, key, .. } in std::mem::take(&mut session.watched) {
            self.watched -= 1;
            let keys = &mut self.dbs[db];
            if let Some(sessions) = keys.get_mut(&key) {
                sessions.remove(&session.key);
                if sessions.is_empty() {
                    keys.remove(&key);
                }
            }
        }
        session.watch_broken = false;
    }

    /// A key changed: who watches it can no longer execute.
    pub fn changed(&self, sessions: &mut Sessions, db: usize, key: &[u8], seen: Seen) {
        let Some(watchers) = self.dbs[db].get(key) else { return };
        for &watcher in watchers {
            let Some(Some(session)) = sessions.get_mut(watcher) else { continue };
            let Some(watched) = session.watched.iter_mut().find(|w| w.db == db && &w.key[..] == key) else {
                continue;
            };
            let found_expired = watched.was_expired;
            watched.was_expired = matches!(seen, Seen::Expired { .. });
            let same = match seen {
                Seen::Changed => false,
                Seen::Gone => found_expired,
                Seen::Expired { appeared } => found_expired || appeared,
            };
            if !same {
                session.watch_broken = true;
            }
        }
    }

    /// The watched keys of a database.
    pub fn keys(&self, db: usize) -> impl Iterator<Item = &Arc<[u8]>> {
        self.dbs[db].keys()
    }

    /// How many keys are watched.
    pub fn key_count(&self) -> usize {
        self.dbs.iter().map(HashMap::len).sum()
    }

    /// Sessions that watch something.
    pub fn sessions(sessions: &Sessions) -> usize {
        sessions.iter().filter(|(_, s)| s.as_ref().is_some_and(|s| !s.watched.is_empty())).count()
    }
}
