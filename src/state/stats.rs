//! Counters for INFO.

use super::{acl::log::Reason, histogram::Histogram};
use std::collections::BTreeMap;

/// Most error codes that are counted one by one before those that scripts choose fall under one name.
const ERROR_CODES_MAX: usize = 128;
const ERROR_CODES_OVER: &[u8] = b"ERRORSTATS_OVERFLOW";

/// What one call cost.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
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
    pub turn_max_ns: u64,
    /// Most commands that one turn ran.
    pub turn_max_commands: u64,
    /// Commands when the turn began.
    commands_before: u64,
    /// What happens by time took, in nanoseconds.
    pub cron_ns: u64,
    /// What access control refused, by [`Reason`].
    pub refused: [u64; 4],
    pub peak_mem_bytes: usize,
    /// How long memory was above its limit because evicting took longer than its time, in nanoseconds.
    pub eviction_exceeded_ns: u64,
    /// Ticks since which that is so now.
    pub eviction_since_ns: Option<u64>,
    pub evicted_clients: u64,
    pub unblocked: u64,
    pub per_second: Rates,
}

impl Stats {
    /// Zeros, for a table of `commands` commands.
    pub fn new(commands: usize) -> Stats {
        Stats { by_command: vec![CommandStats::default(); commands], ..Stats::default() }
    }

    /// Sets back what CONFIG RESETSTAT does: all but the peak of memory and what access control counts.
    pub fn reset(&mut self) {
        *self = Stats {
            peak_mem_bytes: self.peak_mem_bytes,
            refused: self.refused,
            eviction_since_ns: self.eviction_since_ns,
            ..Stats::new(self.by_command.len())
        };
    }

    /// Counts a turn that is over.
    pub fn end_turn(&mut self, took_ns: u64) {
        self.turns += 1;
        self.turns_ns += took_ns;
        self.turn_max_ns = self.turn_max_ns.max(took_ns);
        let commands = self.commands.saturating_sub(self.commands_before);
        self.turn_max_commands = self.turn_max_commands.max(commands);
        self.commands_before = self.commands;
    }

    /// Takes a sample for the figures per second.
    pub fn sample(&mut self, now_ms: i64) {
        let counters =
            [self.commands, self.net_in_bytes, self.net_out_bytes, self.turns, self.turns_ns / 1000];
        self.per_second.sample(now_ms, counters);
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

    /// What access control refused for a reason.
    pub fn refused_for(&self, reason: Reason) -> u64 {
        self.refused[reason as usize]
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
    last: [u64; 5],
    samples: [[u64; 5]; 16],
    at: usize,
}

/// Least time between two samples.
const SAMPLE_MS: i64 = 100;

impl Rates {
    /// Takes a sample of the counters: commands, bytes in, bytes out, turns, and microseconds of turns.
    fn sample(&mut self, now_ms: i64, counters: [u64; 5]) {
        let elapsed_ms = now_ms - self.last_ms;
        if (0..SAMPLE_MS).contains(&elapsed_ms) {
            return;
        }
        if self.last_ms > 0 && elapsed_ms > 0 {
            let more: [u64; 5] = std::array::from_fn(|i| counters[i].saturating_sub(self.last[i]));
            let [commands, input, output, turns, turns_us] = more;
            let a_second = |n: u64| n.saturating_mul(1000) / elapsed_ms as u64;
            // The last is for each turn.
            self.samples[self.at] = [
                a_second(commands),
                a_second(input),
                a_second(output),
                a_second(turns),
                turns_us / turns.max(1),
            ];
            self.at = (self.at + 1) % self.samples.len();
        }
        (self.last_ms, self.last) = (now_ms, counters);
    }

    fn mean(&self, i: usize) -> u64 {
        self.samples.iter().map(|sample| sample[i]).sum::<u64>() / self.samples.len() as u64
    }

    /// Commands in a second.
    pub fn commands(&self) -> u64 {
        self.mean(0)
    }

    /// Bytes received in a second.
    pub fn input_bytes(&self) -> u64 {
        self.mean(1)
    }

    /// Bytes sent in a second.
    pub fn output_bytes(&self) -> u64 {
        self.mean(2)
    }

    /// Turns of the loop in a second.
    pub fn turns(&self) -> u64 {
        self.mean(3)
    }

    /// What a turn took, in microseconds.
    pub fn turn_us(&self) -> u64 {
        self.mean(4)
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
