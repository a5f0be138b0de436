//! Time as a value: the engine reads the clock it was given, real or moved by its owner.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::sys::ticks::Ticks;

/// A clock with two faces: the wall's time for expiries and timeouts, and ticks for durations.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's time.
    System(Ticks),
    /// A time that its owner moves. Durations are 0, but for what DEBUG SLEEP takes.
    Virtual(VirtualClock),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock::System(Ticks::default())
    }

    /// Unix time in microseconds.
    pub fn now_us(&self) -> i64 {
        match self {
            Clock::System(_) => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
            }
            Clock::Virtual(clock) => clock.now_us(),
        }
    }

    /// Monotonic time in nanoseconds, for durations: it stands still on a virtual clock, whatever its owner does.
    #[inline]
    pub fn ticks_ns(&self) -> u64 {
        match self {
            Clock::System(ticks) => ticks.now_ns(),
            Clock::Virtual(clock) => clock.0.ticks_ns.load(Ordering::SeqCst),
        }
    }

    /// Keeps the two faces together: to be called once a turn.
    pub fn align(&mut self) {
        if let Clock::System(ticks) = self {
            ticks.align();
        }
    }

    /// Lets time go by during a command, where the clock is virtual.
    pub fn pass(&self, time: Duration) {
        if let Clock::Virtual(clock) = self {
            clock.advance(time);
            // Far from the end of what counts, so that adding to it is safe.
            let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX / 4);
            let add = |ticks_ns: u64| Some(ticks_ns.saturating_add(ns).min(u64::MAX / 4));
            // The closure always has a new time, so this cannot fail.
            let _ = clock.0.ticks_ns.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
        }
    }

    /// Whether its owner moves it.
    pub fn is_virtual(&self) -> bool {
        matches!(self, Clock::Virtual(_))
    }
}

/// A clock that stands still until it is moved. Clones show the same time.
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<Faces>);

#[derive(Debug)]
struct Faces {
    unix_us: AtomicI64,
    ticks_ns: AtomicU64,
}

impl VirtualClock {
    /// A clock that stands at a Unix time in milliseconds.
    pub fn at_ms(unix_ms: i64) -> VirtualClock {
        let unix_us = AtomicI64::new(unix_ms.saturating_mul(1000));
        VirtualClock(Arc::new(Faces { unix_us, ticks_ns: AtomicU64::new(0) }))
    }

    /// Moves it forward, at most to the end of time. A server that runs by it notices when it is next polled or woken.
    pub fn advance(&self, by: Duration) {
        let by_us = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        // The closure always has a new time, so this cannot fail.
        let add = |us: i64| Some(us.saturating_add(by_us));
        let _ = self.0.unix_us.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
    }

    /// Unix time in microseconds.
    pub fn now_us(&self) -> i64 {
        self.0.unix_us.load(Ordering::SeqCst)
    }
}

impl Default for VirtualClock {
    /// Midnight of 2024-01-01 UTC.
    fn default() -> VirtualClock {
        VirtualClock::at_ms(1_704_067_200_000)
    }
}
