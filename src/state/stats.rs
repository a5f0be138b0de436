//! Counters for INFO.

use std::collections::BTreeMap;

/// Most error codes that are counted one by one; the rest fall under one name, lest clients grow the table.
const ERROR_CODES_MAX: usize = 128;

/// The calls of one command.
#[derive(Clone, Copy, Default, Debug)]
pub struct CommandStats {
    pub calls: u64,
    pub duration_ns: u64,
    /// Calls refused before they ran.
    pub rejected: u64,
    /// Calls that answered an error.
    pub failed: u64,
}

/// What happened since the start, or since CONFIG RESETSTAT.
#[derive(Default, Debug)]
pub struct Stats {
    pub commands: u64,
    pub connections: u64,
    pub rejected_connections: u64,
    pub net_in_bytes: u64,
    pub net_out_bytes: u64,
    pub error_replies: u64,
    pub errors: BTreeMap<Vec<u8>, u64>,
    /// By index into the command table.
    pub by_command: Vec<CommandStats>,
    pub output_limit_disconnections: u64,
    pub query_limit_disconnections: u64,
    pub messages: u64,
    pub reads: u64,
    pub writes: u64,
    pub turns: u64,
    pub turns_ns: u64,
    pub peak_mem_bytes: usize,
    pub unblocked: u64,
    pub per_second: Rates,
}

impl Stats {
    /// Zeros, for a table of `commands` commands.
    pub fn new(commands: usize) -> Stats {
        Stats { by_command: vec![CommandStats::default(); commands], ..Stats::default() }
    }

    /// Counts an error reply by its code.
    pub fn count_error(&mut self, code: &[u8]) {
        self.error_replies += 1;
        if let Some(n) = self.errors.get_mut(code) {
            *n += 1;
        } else if self.errors.len() < ERROR_CODES_MAX {
            self.errors.insert(code.to_vec(), 1);
        }
    }
}

/// Figures per second, over the samples of the last moments.
#[derive(Default, Debug)]
pub struct Rates {
    last_ms: i64,
    last: [u64; 3],
    /// Commands, bytes in, bytes out.
    samples: [[u64; 3]; 16],
    at: usize,
}

impl Rates {
    /// Takes a sample of the three counters.
    pub fn sample(&mut self, now_ms: i64, counters: [u64; 3]) {
        let elapsed_ms = (now_ms - self.last_ms) as u64;
        if self.last_ms > 0 && elapsed_ms > 0 {
            self.samples[self.at] =
                std::array::from_fn(|i| counters[i].saturating_sub(self.last[i]) * 1000 / elapsed_ms);
            self.at = (self.at + 1) % self.samples.len();
        }
        (self.last_ms, self.last) = (now_ms, counters);
    }

    /// The mean of commands, bytes in and bytes out per second.
    pub fn per_second(&self) -> [u64; 3] {
        std::array::from_fn(|i| self.samples.iter().map(|s| s[i]).sum::<u64>() / self.samples.len() as u64)
    }
}
