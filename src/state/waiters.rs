//! Clients that wait for a key, first come, first served.
//!
//! A handler that finds nothing to take returns `Flow::Blocked`; its session then waits here with a copy of its
//! command. When a key that someone waits for comes to be, the engine runs the command of its first waiter again,
//! then of the next, until the key is used up. Nobody scans all waiters: a hand-off costs the same however many wait.

use super::session::SessionKey;
use crate::{
    base::hash::Seed,
    resp::{output::Output, request::OwnedArgs},
    value::Type,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// The reply that ends a wait in vain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InVain {
    Null,
    NullArray,
    /// No replica confirmed: WAIT.
    Zero,
    /// Nor is it in a file: WAITAOF.
    TwoZeros,
}

impl InVain {
    /// Writes the reply.
    pub fn write(self, out: &mut Output) {
        match self {
            InVain::Null => out.null(),
            InVain::NullArray => out.null_array(),
            InVain::Zero => out.int(0),
            InVain::TwoZeros => {
                out.array(2);
                out.int(0);
                out.int(0);
            }
        }
    }
}

/// What a session waits for.
pub struct Blocked {
    /// The command, to be run again.
    pub args: OwnedArgs,
    pub db: usize,
    pub keys: Vec<Arc<[u8]>>,
    /// Its place in the queues of its keys.
    ticket: u64,
    /// Unix time in milliseconds at which it ends; `None`: never.
    pub deadline_ms: Option<i64>,
    pub in_vain: InVain,
    /// The type of value that it waits for: a key that comes to hold another one does not end the wait.
    pub kind: Type,
    /// What its runs took so far.
    pub duration_ns: u64,
    /// It has an end with its keys: see [`BlockRequest::ends_with_key`].
    pub ends_with_key: bool,
}

/// What a handler asks for when it returns `Flow::Blocked`.
#[derive(Debug)]
pub struct BlockRequest {
    pub keys: Vec<Arc<[u8]>>,
    pub kind: Type,
    pub deadline_ms: Option<i64>,
    pub in_vain: InVain,
    /// The command to be run again, where it is not the one that was sent.
    pub args: Option<OwnedArgs>,
    /// The command is run again, too, when one of the keys is deleted or comes to hold another type of value: it then
    /// answers with an error.
    pub ends_with_key: bool,
}

impl BlockRequest {
    /// To wait for something else than a key.
    pub fn without_keys(deadline_ms: Option<i64>, in_vain: InVain) -> BlockRequest {
        BlockRequest {
            keys: Vec::new(),
            kind: Type::String,
            deadline_ms,
            in_vain,
            args: None,
            ends_with_key: false,
        }
    }
}

/// Who waits for a key.
#[derive(Default)]
struct Queue {
    sessions: BTreeMap<u64, SessionKey>,
    /// How many of the waits end with the key.
    ending: usize,
}

/// All waiters of a server.
pub struct Waiters {
    queues: Vec<HashMap<Arc<[u8]>, Queue, Seed>>,
    deadlines: BTreeSet<(i64, SessionKey)>,
    next_ticket: u64,
    /// Sessions that wait.
    pub blocked: usize,
    /// Keys with whose end some wait ends.
    pub ending_keys: usize,
    /// Bytes of the keys.
    key_bytes: usize,
}

impl Blocked {
    /// Memory held, in bytes, without the keys.
    pub fn mem_bytes(&self) -> usize {
        size_of::<Blocked>() + self.args.mem_bytes() + self.keys.capacity() * size_of::<Arc<[u8]>>()
    }
}

impl Waiters {
    /// Nobody waits, in any of `databases`.
    pub fn new(seed: Seed, databases: usize) -> Waiters {
        let queues = (0..databases).map(|_| HashMap::with_hasher(seed)).collect();
        Waiters {
            queues,
            deadlines: BTreeSet::new(),
            next_ticket: 0,
            blocked: 0,
            ending_keys: 0,
            key_bytes: 0,
        }
    }

    /// Puts a session at the end of the queues of its keys.
    pub fn block(
        &mut self,
        session: SessionKey,
        db: usize,
        args: OwnedArgs,
        request: BlockRequest,
    ) -> Blocked {
        let BlockRequest { mut keys, kind, deadline_ms, in_vain, args: resolved, ends_with_key } = request;
        let args = resolved.unwrap_or(args);
        keys.sort_unstable();
        keys.dedup();
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        for key in &mut keys {
            let queues = &mut self.queues[db];
            if let Some((shared, _)) = queues.get_key_value(key) {
                *key = Arc::clone(shared);
            } else {
                self.key_bytes += key.len();
            }
            let queue = queues.entry(Arc::clone(key)).or_default();
            queue.sessions.insert(ticket, session);
            if ends_with_key {
                self.ending_keys += usize::from(queue.ending == 0);
                queue.ending += 1;
            }
        }
        if let Some(deadline) = deadline_ms {
            self.deadlines.insert((deadline, session));
        }
        self.blocked += 1;
        Blocked { args, db, keys, ticket, deadline_ms, in_vain, kind, ends_with_key, duration_ns: 0 }
    }

    /// Takes a session out of all queues.
    pub fn unblock(&mut self, session: SessionKey, blocked: &Blocked) {
        let queues = &mut self.queues[blocked.db];
        for key in &blocked.keys {
            let Some(queue) = queues.get_mut(key) else { continue };
            queue.sessions.remove(&blocked.ticket);
            if blocked.ends_with_key {
                queue.ending -= 1;
                self.ending_keys -= usize::from(queue.ending == 0);
            }
            if queue.sessions.is_empty() {
                self.key_bytes -= key.len();
                queues.remove(key);
            }
        }
        if let Some(deadline) = blocked.deadline_ms {
            self.deadlines.remove(&(deadline, session));
        }
        self.blocked -= 1;
    }

    /// The first session that waits for a key behind place `after`, and its place.
    pub fn next(&self, db: usize, key: &[u8], after: Option<u64>) -> Option<(u64, SessionKey)> {
        let queue = self.queues[db].get(key)?;
        let from = after.map_or(0, |ticket| ticket + 1);
        queue.sessions.range(from..).next().map(|(&ticket, &session)| (ticket, session))
    }

    /// The next place to be given out: who waits at it or behind came later than now.
    pub fn horizon(&self) -> u64 {
        self.next_ticket
    }

    /// Whether anyone waits for a key.
    pub fn has(&self, db: usize, key: &[u8]) -> bool {
        self.blocked > 0 && self.queues[db].contains_key(key)
    }

    /// Whether some wait ends with a key.
    pub fn ends_with(&self, db: usize, key: &[u8]) -> bool {
        self.ending_keys > 0 && self.queues[db].get(key).is_some_and(|queue| queue.ending > 0)
    }

    /// The keys of a database that someone waits for.
    pub fn keys(&self, db: usize) -> impl Iterator<Item = &Arc<[u8]>> {
        self.queues[db].keys()
    }

    /// How many keys someone waits for.
    pub fn key_count(&self) -> usize {
        self.queues.iter().map(HashMap::len).sum()
    }

    /// How many sessions wait with an end to it.
    pub fn deadline_count(&self) -> usize {
        self.deadlines.len()
    }

    /// Memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let slots: usize = self.queues.iter().map(HashMap::capacity).sum();
        slots * (size_of::<(Arc<[u8]>, Queue)>() + 1) + self.key_bytes
    }

    /// A session whose wait ended by `now_ms`.
    pub fn expired(&self, now_ms: i64) -> Option<SessionKey> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now_ms).map(|&(_, session)| session)
    }

    /// When the next wait ends, as a Unix time in milliseconds.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(keys: &[&str], deadline_ms: Option<i64>) -> BlockRequest {
        let keys = keys.iter().map(|key| Arc::from(key.as_bytes())).collect();
        BlockRequest {
            keys,
            kind: Type::List,
            deadline_ms,
            in_vain: InVain::NullArray,
            args: None,
            ends_with_key: false,
        }
    }

    #[test]
    fn first_come_first_served_and_nothing_is_left() {
        let mut waiters = Waiters::new(Seed([1, 2]), 2);
        let first = waiters.block(7, 0, OwnedArgs::default(), request(&["a", "b", "a"], Some(50)));
        let second = waiters.block(3, 0, OwnedArgs::default(), request(&["a"], Some(40)));
        let (ticket, session) = waiters.next(0, b"a", None).expect("two wait");
        assert_eq!(session, 7);
        assert_eq!(waiters.next(0, b"a", Some(ticket)).map(|(_, s)| s), Some(3));
        assert_eq!(waiters.next(1, b"a", None), None);
        assert_eq!((waiters.expired(39), waiters.expired(40)), (None, Some(3)));
        waiters.unblock(7, &first);
        assert!(!waiters.has(0, b"b") && waiters.has(0, b"a"));
        waiters.unblock(3, &second);
        assert_eq!((waiters.key_count(), waiters.blocked, waiters.next_deadline_ms()), (0, 0, None));
    }
}
