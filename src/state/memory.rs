//! Where the memory goes, for INFO and MEMORY.

use super::State;
use crate::{store::Store, sys::allocator::Figures};

/// What system and allocator tell, which takes them too long to be asked at each look: the cron takes a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    rss_bytes: usize,
    figures: Option<Figures>,
}

impl Sample {
    /// Asks them.
    pub fn take(state: &State) -> Sample {
        Sample { rss_bytes: (state.probe.rss_bytes)(), figures: (state.allocator.figures)() }
    }
}

/// The server's memory as its own meter counts it, and as allocator and system do; in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    pub used: usize,
    pub peak: usize,
    /// What is not keys and values.
    pub overhead: usize,
    pub sessions: usize,
    pub allocated: usize,
    pub active: usize,
    pub resident: usize,
    pub rss: usize,
    /// Whether the allocator tells of itself: else it is taken for one that wastes nothing.
    pub is_told: bool,
}

impl Memory {
    /// The memory now.
    pub fn of(state: &State, store: &Store) -> Memory {
        let used = state.mem_bytes() + store.mem_bytes();
        let Sample { rss_bytes: rss, figures } = state.memory_sample.unwrap_or_else(|| Sample::take(state));
        Memory {
            used,
            peak: state.stats.peak_mem_bytes.max(used),
            overhead: state.mem_bytes() + store.tables_bytes(),
            sessions: state.totals.sum.bytes,
            allocated: figures.map_or(used, |figures| figures.allocated),
            active: figures.map_or(rss, |figures| figures.active),
            resident: figures.map_or(rss, |figures| figures.resident),
            rss,
            is_told: figures.is_some(),
        }
    }

    /// Keys and values.
    pub fn dataset(&self) -> usize {
        self.used - self.overhead
    }

    /// What the process holds beyond what the server uses: a ratio and bytes, as all of these.
    pub fn fragmentation(&self) -> (f64, i64) {
        compared(self.rss, self.used)
    }

    /// What the allocator's pages hold beyond what it was asked for.
    pub fn allocator_fragmentation(&self) -> (f64, i64) {
        if self.is_told { compared(self.active, self.allocated) } else { (1.0, 0) }
    }

    /// What it holds beyond the pages in use.
    pub fn allocator_rss(&self) -> (f64, i64) {
        compared(self.resident, self.active)
    }

    /// What the process holds beside its allocator's memory.
    pub fn rss_overhead(&self) -> (f64, i64) {
        compared(self.rss, self.resident)
    }
}

fn compared(a: usize, b: usize) -> (f64, i64) {
    (if b == 0 { 0.0 } else { a as f64 / b as f64 }, a as i64 - b as i64)
}
