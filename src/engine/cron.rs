//! What happens by time: waits that end, idle clients, expired keys, rates, memory to be freed.

use std::time::Duration;

use super::Engine;
use crate::{
    base::clock::Clock,
    state::{
        reply_room::Resized,
        session::{Closing, SessionKey},
    },
    store::Overdue,
};

/// Entries with an expiry that one slice looks at.
const EXPIRE_SLICE: usize = 2000;
/// Entries or nodes that one slice frees.
const FREE_SLICE: usize = 2000;
/// A share of overdue entries from which on the search goes on at once: one in so many.
const EXPIRE_DENSE: usize = 10;

/// The longest time from one run of the cron to the next, at `hz` 1.
const CRON_MAX_MS: i64 = 1000;

/// Sessions whose room for replies one run of the cron looks at, at least.
const ROOMS_MIN: usize = 64;

/// How often clients are looked at.
const CLIENT_CHECK_MS: i64 = 1000;

/// When things are due.
#[derive(Default)]
pub(super) struct Cron {
    next_ms: i64,
    /// Much was overdue: so many keys are to be looked at in the next turns.
    expire_left: usize,
    expire_db: usize,
    next_client_check_ms: i64,
    /// The session whose room for replies is looked at next.
    room_at: SessionKey,
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
        let stats = &mut self.state.stats;
        stats.per_second.sample(now_ms, [stats.commands, stats.net_in_bytes, stats.net_out_bytes]);
        self.store.lru.frequency = self.state.config.is_lfu();
        self.store.lru.log_factor = self.state.config.lfu_log_factor;
        self.store.lru.decay_minutes = self.state.config.lfu_decay_minutes;
        self.expire_slice();
        self.resize_reply_rooms(now_ms);
        let next_check_ms = self.cron.next_client_check_ms;
        if now_ms >= next_check_ms || next_check_ms - now_ms > CLIENT_CHECK_MS {
            self.cron.next_client_check_ms = now_ms + CLIENT_CHECK_MS;
            self.close_idle_clients(now_ms);
            let used = self.used_memory();
            self.state.stats.peak_mem_bytes = self.state.stats.peak_mem_bytes.max(used);
        }
    }

    /// Says what becomes of keys that expire now, and who wants to know.
    fn prepare_expiry(&mut self) {
        self.store.overdue = Overdue::Deleted;
        self.note_interest();
    }

    /// A slice of the search for expired keys. It goes on with the next turn while much is found.
    fn expire_slice(&mut self) {
        if !self.may_expire() {
            self.cron.expire_left = 0;
            return;
        }
        self.prepare_expiry();
        let databases = self.store.databases();
        let limit = EXPIRE_SLICE * self.state.config.active_expire_effort as usize;
        for _ in 0..databases {
            let db = self.cron.expire_db;
            let slice = self.store.expire_slice(db, limit);
            let keys = self.store.expirable_len(db);
            let dense = slice.expired > 0 && slice.expired * EXPIRE_DENSE >= slice.looked_at;
            // Deletions move keys behind the walk, so one more whole walk must find little before it slows down.
            let left = if dense { keys } else { self.cron.expire_left.saturating_sub(slice.looked_at) };
            self.cron.expire_left = left.min(keys);
            if self.cron.is_expiring() {
                self.store.stats.expire_slices_full += 1;
                return;
            }
            self.cron.expire_db = (db + 1) % databases;
            if slice.looked_at > 0 {
                return;
            }
        }
    }

    /// Looks at the room for the replies of some clients: at each once a second.
    fn resize_reply_rooms(&mut self, now_ms: i64) {
        let slots = self.state.sessions.capacity();
        let share = slots.div_ceil(self.state.config.hz.clamp(1, 500) as usize);
        for _ in 0..share.max(ROOMS_MIN).min(slots) {
            self.cron.room_at = if self.cron.room_at + 1 < slots { self.cron.room_at + 1 } else { 0 };
            let Some(Some(session)) = self.state.sessions.get_mut(self.cron.room_at) else { continue };
            match session.reply_room.resize(&self.state.room_rules, now_ms) {
                None => {}
                Some(Resized::Shrunk) => self.state.stats.reply_rooms_shrunk += 1,
                Some(Resized::Grown) => self.state.stats.reply_rooms_grown += 1,
            }
        }
    }

    /// `timeout`: closes clients that sent nothing for so long. Who waits or subscribed is not idle.
    fn close_idle_clients(&mut self, now_ms: i64) {
        let timeout_ms = self.state.config.timeout_s.saturating_mul(1000);
        let mut idle: Vec<SessionKey> = Vec::new();
        if timeout_ms > 0 {
            for (key, session) in &self.state.sessions {
                let Some(session) = session else { continue };
                let quiet = !session.is_waiting() && !session.is_subscriber();
                if quiet && now_ms - session.last_active_ms > timeout_ms {
                    idle.push(key);
                }
            }
        }
        for key in idle {
            if let Some(Some(session)) = self.state.sessions.get_mut(key) {
                self.state
                    .journal
                    .verbose(format_args!("Closing idle client id={} addr={}", session.id, session.addr));
                session.close(Closing::Now);
            }
            self.state.touch_output(key);
        }
    }

    /// Memory of keys, sessions and subscriptions, in bytes, as the server's own meter counts it.
    pub fn used_memory(&self) -> usize {
        self.state.mem_bytes() + self.store.mem_bytes()
    }
}
