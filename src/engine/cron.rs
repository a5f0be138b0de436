//! What happens by time: waits that end, idle clients, expired keys, rates, memory to be freed.

use std::time::Duration;

use super::Engine;
use crate::{
    base::clock::Clock,
    state::{memory::Sample, reply_room::Resized, session::Closing},
    store::{ExpireSlice, Overdue},
};

/// Entries with an expiry that one slice looks at.
const EXPIRE_SLICE: usize = 2000;
/// Entries or nodes that one slice frees.
const FREE_SLICE: usize = 2000;
/// A share of overdue entries from which on the search goes on at once: one in so many.
const EXPIRE_DENSE: usize = 10;

/// The longest time from one run of the cron to the next, at `hz` 1.
const CRON_MAX_MS: i64 = 1000;

/// Least places of clients that one run looks at.
const CLIENTS_MIN: usize = 64;

/// When things are due.
#[derive(Default)]
pub(super) struct Cron {
    next_ms: i64,
    /// Much was overdue: so many keys are to be looked at in the next turns.
    expire_left: usize,
    expire_db: usize,
    /// The place of the client to be looked at next.
    next_client: usize,
}

impl Cron {
    pub(super) fn start(&mut self, now_ms: i64) {
        self.next_ms = now_ms;
    }

    pub(super) fn is_expiring(&self) -> bool {
        self.expire_left > 0
    }
}

impl Engine {
    /// When [`Engine::tick`] is due next, in milliseconds since 1970.
    pub fn next_deadline_ms(&self) -> i64 {
        self.next_event_ms().map_or(self.cron.next_ms, |at| at.min(self.cron.next_ms))
    }

    /// When a wait or a pause ends next.
    fn next_event_ms(&self) -> Option<i64> {
        let (wait, pause) = (self.state.waiters.next_deadline_ms(), self.state.pause.deadline_ms());
        wait.into_iter().chain(pause).min()
    }

    /// Moves a virtual clock, and does what falls due on the way, in order.
    pub fn advance(&mut self, by: Duration) {
        let Clock::Virtual(clock) = self.state.clock.clone() else { return };
        let end_us = clock.now_us().saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX));
        loop {
            let now_us = clock.now_us();
            let next_us = self.next_event_ms().map_or(end_us, |ms| ms.saturating_mul(1000));
            let next_us = next_us.clamp(now_us, end_us);
            clock.advance(Duration::from_micros((next_us - now_us) as u64));
            self.refresh();
            self.tick();
            if next_us == end_us {
                break;
            }
        }
        self.expire_all();
    }

    /// Does what is due, and a slice of the work that needs no input. Cheap where nothing is.
    pub fn tick(&mut self) {
        let now_ms = self.store.now_ms;
        while let Some(key) = self.state.waiters.expired(now_ms) {
            self.end_wait(key, None);
        }
        if self.state.pause.deadline_ms().is_some_and(|end_ms| end_ms <= now_ms) {
            self.end_pause();
        }
        // The wall's clock may have been set back.
        let is_due = now_ms >= self.cron.next_ms || self.cron.next_ms - now_ms > CRON_MAX_MS;
        if self.state.cron_paused {
            self.cron.next_ms = now_ms.saturating_add(CRON_MAX_MS);
            self.cron.expire_left = 0;
        } else if is_due {
            let hz = self.state.config.hz.clamp(1, 500);
            self.cron.next_ms = now_ms.saturating_add(CRON_MAX_MS / hz);
            self.cron(now_ms);
        } else if self.cron.is_expiring() {
            self.expire_slice();
        }
        if self.store.has_garbage() {
            self.store.free_some(FREE_SLICE);
        }
        if self.is_making_room() {
            self.make_room();
        }
        if self.state.tracking.is_on {
            self.tend_tracking();
        }
        self.settle();
    }

    /// Deletes every key whose time has come. For a virtual clock that was moved, when nobody waits for the loop.
    pub fn expire_all(&mut self) {
        if !self.may_expire() || self.state.cron_paused {
            return;
        }
        self.prepare_expiry();
        for db in 0..self.store.databases() {
            loop {
                let slice = self.store.expire_slice(db, usize::MAX);
                if slice.expired == 0 {
                    break;
                }
            }
        }
        self.settle();
    }

    /// Whether keys may be deleted because their time has come, though nobody asks for them.
    fn may_expire(&self) -> bool {
        let config = &self.state.config;
        config.active_expire && !config.import_mode && !self.state.pause.is_on()
    }

    fn cron(&mut self, now_ms: i64) {
        let began_ns = self.state.clock.ticks_ns();
        self.state.stats.sample(now_ms);
        self.state.totals.set_now(now_ms);
        self.expire_slice();
        self.look_at_clients(now_ms);
        // Large clients go before keys do.
        self.evict_clients();
        self.make_room();
        self.state.memory_sample = Some(Sample::take(&self.state));
        let used = self.used_memory();
        self.state.stats.peak_mem_bytes = self.state.stats.peak_mem_bytes.max(used);
        self.state.stats.cron_ns += self.state.clock.ticks_ns().saturating_sub(began_ns);
    }

    /// Says what becomes of keys that expire now, and who wants to know.
    fn prepare_expiry(&mut self) {
        self.store.overdue = Overdue::Deleted;
        self.note_interest();
    }

    /// A slice of the search for expired keys, and what it took.
    fn expire_slice(&mut self) {
        let began_ns = self.state.clock.ticks_ns();
        let found = self.expire_some();
        let took_ns = self.state.clock.ticks_ns().saturating_sub(began_ns);
        let stats = &mut self.store.stats;
        stats.expire_ns += took_ns;
        stats.stale_percent = found.stale_percent() * 0.05 + stats.stale_percent * 0.95;
        let (ms, least_ms) = (took_ns / 1_000_000, self.state.config.latency_monitor_ms as u64);
        if least_ms > 0 && ms >= least_ms {
            self.state.latency.add("expire-cycle", ms, self.store.now_ms.div_euclid(1000));
        }
    }

    /// A slice of the search for expired keys. It goes on with the next turn while much is found.
    fn expire_some(&mut self) -> ExpireSlice {
        let mut found = ExpireSlice::default();
        if !self.may_expire() {
            self.cron.expire_left = 0;
            return found;
        }
        self.prepare_expiry();
        let databases = self.store.databases();
        let limit = EXPIRE_SLICE * self.state.config.active_expire_effort as usize;
        for _ in 0..databases {
            let db = self.cron.expire_db;
            let slice = self.store.expire_slice(db, limit);
            found.looked_at += slice.looked_at;
            found.expired += slice.expired;
            let keys = self.store.expirable_len(db);
            let dense = slice.expired > 0 && slice.expired * EXPIRE_DENSE >= slice.looked_at;
            // Deletions move keys behind the walk, so one more whole walk must find little before it slows down.
            let left = if dense { keys } else { self.cron.expire_left.saturating_sub(slice.looked_at) };
            self.cron.expire_left = left.min(keys);
            if self.cron.is_expiring() {
                self.store.stats.expire_slices_full += 1;
                break;
            }
            self.cron.expire_db = (db + 1) % databases;
            if slice.looked_at > 0 {
                break;
            }
        }
        found
    }

    /// Looks at some clients, so that each one's turn comes once a second: counts them, fits the room for their
    /// replies, and closes those that sent nothing for `timeout`. Who waits, subscribed or monitors is not idle.
    fn look_at_clients(&mut self, now_ms: i64) {
        let timeout_ms = self.state.config.timeout_s.saturating_mul(1000);
        let places = self.state.sessions.capacity();
        let some = places.div_ceil(self.state.config.hz.clamp(1, 500) as usize).max(CLIENTS_MIN);
        // Nobody waits for a loop whose clock was moved.
        let n = if self.state.clock.is_virtual() { places } else { some.min(places) };
        for _ in 0..n {
            let key = self.cron.next_client % places;
            self.cron.next_client = key + 1;
            let Some(Some(session)) = self.state.sessions.get_mut(key) else { continue };
            self.state.totals.recount(session);
            match session.reply_room.resize(&self.state.room_rules, now_ms) {
                None => {}
                Some(Resized::Shrunk) => self.state.stats.reply_rooms_shrunk += 1,
                Some(Resized::Grown) => self.state.stats.reply_rooms_grown += 1,
            }
            let quiet = !session.is_waiting() && !session.is_subscriber() && !session.monitor;
            if timeout_ms > 0 && quiet && now_ms - session.last_active_ms > timeout_ms {
                let journal = &self.state.journal;
                journal.verbose(format_args!("Closing idle client id={} addr={}", session.id, session.addr));
                session.close(Closing::Now);
                self.state.touch_output(key);
            } else if session.soft_limit_since_ms.is_some() {
                // Its time may be over, though nothing more is sent to it.
                self.state.touch_output(key);
            }
        }
    }

    /// Memory of keys, sessions and subscriptions, in bytes, as the server's own meter counts it.
    pub fn used_memory(&self) -> usize {
        self.state.mem_bytes() + self.store.mem_bytes()
    }
}
