//! When and how often keys are used: the 24 bits that each entry keeps for it.
//!
//! Source: <https://valkey.io/topics/lru-cache/>: seconds of the last use, or (LFU) minutes of the last decrement and
//! a logarithmic counter of uses.

use crate::value::Entry;

/// The counter of a key that is new.
const LFU_START: u32 = 5;

/// What is counted, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LruRules {
    /// Frequency is counted rather than time.
    pub frequency: bool,
    pub log_factor: i64,
    pub decay_minutes: i64,
}

impl Default for LruRules {
    fn default() -> LruRules {
        LruRules { frequency: false, log_factor: 10, decay_minutes: 1 }
    }
}

/// How entries are marked as used.
#[derive(Clone, Copy, Default, Debug)]
pub struct Lru {
    clock: u32,
    minutes: u32,
    now_ms: i64,
    pub rules: LruRules,
    /// CLIENT NO-TOUCH holds for the command that runs.
    pub frozen: bool,
}

impl Lru {
    pub(super) fn set_now(&mut self, now_ms: i64) {
        if now_ms != self.now_ms {
            self.now_ms = now_ms;
            self.clock = ((now_ms / 1000) & 0xff_ffff) as u32;
            self.minutes = ((now_ms / 60_000) & 0xffff) as u32;
        }
    }

    /// Marks a new entry.
    #[inline]
    pub fn start(&self, entry: &Entry) {
        entry.set_lru(if self.rules.frequency { self.minutes << 8 | LFU_START } else { self.clock });
    }

    /// Marks an entry as used just now.
    #[inline]
    pub fn touch(&self, entry: &Entry) {
        if self.frozen {
            return;
        }
        if self.rules.frequency {
            self.count_use(entry);
        } else if entry.lru() != self.clock {
            entry.set_lru(self.clock);
        }
    }

    #[cold]
    fn count_use(&self, entry: &Entry) {
        let mut counter = self.decayed(entry.lru());
        if counter < 255 {
            // The chance of an increment falls with the counter. What the entry and the time happen to be is random
            // enough here.
            let base = counter.saturating_sub(LFU_START) as u64;
            let noise =
                (self.now_ms as u64 ^ entry.key().as_ptr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            if noise.is_multiple_of(base * self.rules.log_factor.max(0) as u64 + 1) {
                counter += 1;
            }
        }
        entry.set_lru(self.minutes << 8 | counter);
    }

    fn decayed(&self, bits: u32) -> u32 {
        let elapsed = self.minutes.wrapping_sub(bits >> 8) & 0xffff;
        let periods =
            if self.rules.decay_minutes > 0 { i64::from(elapsed) / self.rules.decay_minutes } else { 0 };
        (bits & 0xff).saturating_sub(periods as u32)
    }

    /// Marks an entry as unused for so many seconds, where time is what counts.
    pub fn set_idle_s(&self, entry: &Entry, idle_s: i64) {
        if !self.rules.frequency {
            // The clock has 24 bits: what is older than they tell is as old as they can tell.
            let idle_s = idle_s.clamp(0, 0xff_fffe) as u32;
            entry.set_lru(self.clock.wrapping_sub(idle_s) & 0xff_ffff);
        }
    }

    /// Marks an entry with a frequency from 0 to 255, where that is what counts.
    pub fn set_frequency(&self, entry: &Entry, frequency: u8) {
        if self.rules.frequency {
            entry.set_lru(self.minutes << 8 | u32::from(frequency));
        }
    }

    /// OBJECT FREQ.
    pub fn frequency_of(&self, entry: &Entry) -> u32 {
        self.decayed(entry.lru())
    }

    /// OBJECT IDLETIME, in seconds.
    pub fn idle_s(&self, entry: &Entry) -> u32 {
        self.clock.wrapping_sub(entry.lru()) & 0xff_ffff
    }
}
