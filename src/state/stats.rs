//! Counters for INFO.

use super::histogram::Histogram;
use std::collections::BTreeMap;

/// Most error codes that are counted one by one before those that scripts choose fall under one name.
const ERROR_CODES_MAX: usize = 128;
const ERROR_CODES_OVER: &[u8] = b"ERRORSTATS_OVERFLOW";

/// What one call cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    pub duration_ns: u64,
    pub request_bytes: u64,
    pub reply_bytes: u64,
}

/// The calls of one command.
#[derive(Clone, Default, Debug)]
pub struct CommandStats {
    pub calls: u64,
    pub duration_ns: u64,
    /// Calls refused before they ran.
    pub rejected: u64,
    /// Calls that answered an error.
    pub failed: u64,
    /// How long they took, once there was one to keep.
    pub histogram: Option<Box<Histogram>>,
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
    /// What commands inside of others took, which is counted with these, too.
    pub nested_ns: u64,
    pub output_limit_disconnections: u64,
    pub query_limit_disconnections: u64,
    pub reply_rooms_shrunk: u64,
    pub reply_rooms_grown: u64,
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

    /// Counts a call that is over.
    #[inline]
    pub fn count_call(&mut self, id: usize, duration_ns: u64, failed: bool, keep_duration: bool) {
        self.commands += 1;
        let of_command = &mut self.by_command[id];
        of_command.calls += 1;
        of_command.duration_ns += duration_ns;
        of_command.failed += u64::from(failed);
        if keep_duration {
            of_command.histogram.get_or_insert_default().record(duration_ns);
        }
    }

    /// What all commands took, in nanoseconds.
    pub fn commands_ns(&self) -> u64 {
        let all: u64 = self.by_command.iter().map(|stats| stats.duration_ns).sum();
        all.saturating_sub(self.nested_ns)
    }

    /// Counts an error reply of the server's own by its code, of which there are few.
    pub fn count_error(&mut self, code: &[u8]) {
        self.error_replies += 1;
        match self.errors.get_mut(code) {
            Some(n) => *n += 1,
            None => {
                self.errors.insert(code.to_vec(), 1);
            }
        }
    }

    /// Counts an error reply whose code a client chose: no more codes than there may be.
    pub fn count_foreign_error(&mut self, code: &[u8]) {
        let fits = self.errors.len() < ERROR_CODES_MAX || self.errors.contains_key(code);
        self.count_error(if fits { code } else { ERROR_CODES_OVER });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_clients_choose_are_capped() {
        let mut stats = Stats::default();
        (0..1100).for_each(|i| stats.count_foreign_error(i.to_string().as_bytes()));
        assert_eq!(stats.errors[ERROR_CODES_OVER], 1100 - ERROR_CODES_MAX as u64);
        stats.count_error(b"ERR");
        stats.count_foreign_error(b"1");
        stats.count_foreign_error(b"ERR");
        assert_eq!((stats.errors[b"ERR".as_slice()], stats.errors[b"1".as_slice()]), (2, 2));
        assert_eq!((stats.errors.len(), stats.error_replies), (ERROR_CODES_MAX + 2, 1103));
    }
}
