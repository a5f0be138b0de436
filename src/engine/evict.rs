//! Room for what is to come: `maxmemory` and `maxmemory-clients`.

use super::Engine;
use crate::{
    state::session::{Closing, SessionKey},
    store::evict::Policy,
};
use std::cmp::Reverse;

/// Entries or nodes that are freed at a time before a key goes.
const FREE_SLICE: usize = 1000;
/// Keys that go between two looks at the clock.
const LOOK_EVERY: usize = 16;
/// Most time for one call at the default tenacity, in nanoseconds.
const SLICE_NS: u64 = 500_000;
/// `maxmemory-eviction-tenacity` of which the slice is that, and from which on there is no limit.
const TENACITY: (i64, i64) = (10, 100);
/// Most keys for one call, whatever the time.
const SLICE_KEYS: usize = 1 << 20;

/// What became of the wish for room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Room {
    Enough,
    /// The time for it ran out; it goes on with the next turn.
    Making,
    /// Nothing more may go.
    Short,
}

impl Engine {
    /// Makes room for a command that is to come. What goes for it is to be settled before, so that who holds copies of
    /// keys that are gone knows before the reply.
    #[cold]
    pub(super) fn make_room_first(&mut self) {
        self.state.out_of_memory = self.make_room() == Room::Short;
        self.note_stale();
    }

    /// Evicts keys while the used memory is above `maxmemory`, for a bounded time.
    pub(super) fn make_room(&mut self) -> Room {
        let max_bytes = self.state.config.maxmemory_bytes as usize;
        if max_bytes == 0 || self.used_memory() <= max_bytes || self.state.pause.is_on() {
            self.end_eviction();
            return Room::Enough;
        }
        self.note_interest();
        let policy = Policy::named(self.state.config.policy_name());
        let samples = self.state.config.maxmemory_samples as usize;
        let began_ns = self.state.clock.ticks_ns();
        let slice_ns = slice_ns(self.state.config.eviction_tenacity);
        let mut evicted = 0;
        let room = loop {
            if self.used_memory() <= max_bytes {
                break Room::Enough;
            }
            if self.store.has_garbage() {
                self.store.free_some(FREE_SLICE);
            } else if !policy.is_some_and(|policy| self.store.evict_one(policy, samples, &mut self.state.rng))
            {
                break Room::Short;
            } else {
                evicted += 1;
                if evicted % LOOK_EVERY != 0 {
                    continue;
                }
            }
            let took_ns = self.state.clock.ticks_ns().saturating_sub(began_ns);
            if took_ns > slice_ns || evicted >= SLICE_KEYS {
                break Room::Making;
            }
        };
        let ended_ns = self.state.clock.ticks_ns();
        if room == Room::Making {
            self.state.stats.eviction_since_ns.get_or_insert(began_ns);
        } else {
            self.end_eviction();
        }
        let (ms, least_ms) =
            (ended_ns.saturating_sub(began_ns) / 1_000_000, self.state.config.latency_monitor_ms as u64);
        if least_ms > 0 && ms >= least_ms {
            self.state.latency.add("eviction-cycle", ms, self.store.now_ms.div_euclid(1000));
        }
        room
    }

    /// Whether room is still to be made, though nobody asks for it now.
    pub(super) fn is_making_room(&self) -> bool {
        self.state.stats.eviction_since_ns.is_some()
    }

    fn end_eviction(&mut self) {
        if let Some(since_ns) = self.state.stats.eviction_since_ns.take() {
            self.state.stats.eviction_exceeded_ns += self.state.clock.ticks_ns().saturating_sub(since_ns);
        }
    }

    /// Counts what a client sent before it is looked at, so that it may be too much.
    #[cold]
    pub(super) fn weigh(&mut self, key: SessionKey, input_bytes: usize) {
        if let Some(Some(session)) = self.state.sessions.get_mut(key) {
            session.count_input(input_bytes);
            session.input_bytes = input_bytes;
            self.state.totals.recount(session);
            self.evict_clients();
        }
    }

    /// Closes the clients that take most memory while all together take more than `maxmemory-clients`. To be called at
    /// the end of a turn; `true` if there is one to be closed.
    pub fn evict_clients(&mut self) -> bool {
        let max_bytes = self.state.config.clients_max_bytes();
        let mut bytes = self.state.totals.sum.claimed_bytes();
        if max_bytes == 0 || bytes < max_bytes {
            return false;
        }
        let mut largest = Vec::new();
        for (key, session) in self.state.sessions.iter() {
            let Some(session) = session.as_deref() else { continue };
            if session.closing == Closing::Now {
                bytes -= session.counted.claimed_bytes();
            } else if !session.no_evict {
                largest.push((session.counted.claimed_bytes(), key));
            }
        }
        // Of equal ones the oldest goes first.
        largest.sort_by_key(|&(held_bytes, _)| Reverse(held_bytes));
        let mut any = false;
        for (held_bytes, key) in largest {
            if bytes < max_bytes {
                break;
            }
            let Some(Some(session)) = self.state.sessions.get_mut(key) else { continue };
            bytes -= held_bytes;
            any = true;
            session.close(Closing::Now);
            // What it held counts no more, lest keys go for it.
            session.out.clear();
            session.input_bytes = 0;
            session.parser = None;
            self.state.totals.recount(session);
            self.state.stats.evicted_clients += 1;
            if let Some(blocked) = session.blocked.take() {
                self.state.waiters.unblock(key, &blocked);
            }
            self.state.touch_output(key);
            let Some(Some(session)) = self.state.sessions.get(key) else { continue };
            self.state.journal.notice(format_args!(
                "Evicting client: id={} addr={} tot-mem={held_bytes}",
                session.id, session.addr
            ));
        }
        any
    }
}

/// Time for one call, by `maxmemory-eviction-tenacity`. Source: <https://valkey.io/topics/lru-cache/>.
fn slice_ns(tenacity: i64) -> u64 {
    let (usual, unlimited) = TENACITY;
    if tenacity >= unlimited {
        u64::MAX
    } else if tenacity <= usual {
        SLICE_NS / usual as u64 * tenacity.max(0) as u64
    } else {
        (SLICE_NS as f64 * 1.15_f64.powi((tenacity - usual) as i32)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::slice_ns;

    #[test]
    fn tenacity_is_a_time() {
        assert_eq!([0, 1, 10, 100].map(slice_ns), [0, 50_000, 500_000, u64::MAX]);
        assert!((2_000_000_000..180_000_000_000).contains(&slice_ns(99)));
        assert!(slice_ns(11) > slice_ns(10));
    }
}
