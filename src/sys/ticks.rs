//! Monotonic time for durations, read once per command, and so as cheaply as can be.
//!
//! Where the processor has a time-stamp counter that runs evenly in all states, it is read instead of the system's
//! clock and scaled by what the system's clock says of it.

use std::time::Instant;

/// How long the counter is watched before it is believed.
const CALIBRATE_NS: u64 = 20_000_000;

/// A monotonic clock in nanoseconds.
#[derive(Clone, Debug)]
pub struct Ticks {
    start: Instant,
    start_count: u64,
    /// The last time that both were read.
    anchor_ns: u64,
    anchor_count: u64,
    /// Nanoseconds per count, times 2^32; 0: the counter is not used.
    scale: u64,
    even: bool,
}

impl Default for Ticks {
    fn default() -> Ticks {
        Ticks {
            start: Instant::now(),
            start_count: count(),
            anchor_ns: 0,
            anchor_count: 0,
            scale: 0,
            even: counter_is_even(),
        }
    }
}

impl Ticks {
    /// Nanoseconds since the clock was made.
    #[inline]
    pub fn now_ns(&self) -> u64 {
        if self.scale == 0 {
            return self.start.elapsed().as_nanos() as u64;
        }
        let counts = u128::from(count().wrapping_sub(self.anchor_count));
        self.anchor_ns + ((counts * u128::from(self.scale)) >> 32) as u64
    }

    /// Reads both clocks: to be called once in a while, so that they never drift apart.
    pub fn align(&mut self) {
        if !self.even {
            return;
        }
        let (ns, count) = (self.start.elapsed().as_nanos() as u64, count());
        let counts = count.wrapping_sub(self.start_count);
        if ns < CALIBRATE_NS || counts == 0 {
            return;
        }
        let scale = (u128::from(ns) << 32) / u128::from(counts);
        // A counter that stands still or jumps is none.
        match u64::try_from(scale) {
            Ok(scale) if scale > 0 && counts >> 62 == 0 => {
                (self.scale, self.anchor_ns, self.anchor_count) = (scale, ns, count);
            }
            _ => (self.scale, self.even) = (0, false),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn count() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and it changes nothing.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn count() -> u64 {
    0
}

/// Whether the counter runs at one speed in all states of the processor (AMD and Intel: CPUID 8000_0007h, EDX bit 8).
#[cfg(target_arch = "x86_64")]
fn counter_is_even() -> bool {
    use core::arch::x86_64::__cpuid;
    __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & (1 << 8) != 0
}

#[cfg(not(target_arch = "x86_64"))]
fn counter_is_even() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_agree() {
        let mut ticks = Ticks::default();
        while ticks.start.elapsed().as_nanos() < 2 * u128::from(CALIBRATE_NS) {
            std::hint::spin_loop();
        }
        ticks.align();
        let before = ticks.start.elapsed().as_nanos() as u64;
        let now = ticks.now_ns();
        let after = ticks.start.elapsed().as_nanos() as u64;
        // A tenth of what was measured is far more than rounding, and far less than a wrong scale.
        let slack = before / 10;
        assert!(now + slack >= before && now <= after + slack, "{before} {now} {after}");
    }
}
