//! The latency monitor: what took longer than `latency-monitor-threshold`, second by second.
//!
//! Events that have a meaning here: `command` and `fast-command` (calls), `expire-cycle` (a slice of the search for
//! expired keys), `eviction-cycle` (a slice of the work for `maxmemory`). Values are freed bit by bit, so that no deletion
//! is an event of its own; with `lazyfree-lazy-expire no` or `lazyfree-lazy-eviction no` it is a part of these.
//!
//! Source: <https://valkey.io/topics/latency-monitor/>.

use std::collections::{BTreeMap, VecDeque};

/// Seconds that are kept of an event.
const SAMPLES_MAX: usize = 160;

/// The worst of one second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    pub at_s: i64,
    pub ms: u64,
}

/// The samples of one event, oldest first.
#[derive(Default, Debug)]
pub struct Series {
    pub samples: VecDeque<Sample>,
    /// The worst ever.
    pub max_ms: u64,
    /// The sum of all times, and how many there were.
    pub sum_ms: u64,
    pub count: u64,
}

/// What a series looks like as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    pub samples: u64,
    pub mean_ms: u64,
    /// The mean distance from the mean.
    pub deviation_ms: u64,
    /// From the oldest sample on.
    pub period_s: u64,
}

/// All events.
#[derive(Default, Debug)]
pub struct Latency {
    pub events: BTreeMap<&'static str, Series>,
}

impl Latency {
    /// Adds what an event took.
    pub fn add(&mut self, event: &'static str, ms: u64, at_s: i64) {
        let series = self.events.entry(event).or_default();
        series.max_ms = series.max_ms.max(ms);
        series.sum_ms += ms;
        series.count += 1;
        if let Some(last) = series.samples.back_mut().filter(|last| last.at_s == at_s) {
            last.ms = last.ms.max(ms);
            return;
        }
        if series.samples.len() == SAMPLES_MAX {
            series.samples.pop_front();
        }
        series.samples.push_back(Sample { at_s, ms });
    }

    /// Forgets an event, whatever the case of its letters. Returns whether there was one.
    pub fn forget(&mut self, event: &[u8]) -> bool {
        let before = self.events.len();
        self.events.retain(|name, _| !name.as_bytes().eq_ignore_ascii_case(event));
        self.events.len() < before
    }
}

impl Series {
    /// Least and largest of the samples that are kept.
    pub fn range(&self) -> (u64, u64) {
        let all = || self.samples.iter().map(|sample| sample.ms);
        (all().min().unwrap_or(0), all().max().unwrap_or(0))
    }

    /// Mean and deviation.
    pub fn summary(&self, now_s: i64) -> Summary {
        let samples = (self.samples.len() as u64).max(1);
        let mean_ms = self.samples.iter().map(|sample| sample.ms).sum::<u64>() / samples;
        let deviation_ms =
            self.samples.iter().map(|sample| sample.ms.abs_diff(mean_ms)).sum::<u64>() / samples;
        let oldest_s = self.samples.front().map_or(now_s, |sample| sample.at_s);
        Summary { samples, mean_ms, deviation_ms, period_s: (now_s - oldest_s).max(1) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_keeps_its_worst_and_old_ones_go() {
        let mut latency = Latency::default();
        latency.add("command", 5, 100);
        latency.add("command", 3, 100);
        latency.add("command", 9, 101);
        let series = &latency.events["command"];
        assert_eq!(series.samples, [Sample { at_s: 100, ms: 5 }, Sample { at_s: 101, ms: 9 }]);
        assert_eq!((series.range(), series.max_ms), ((5, 9), 9));
        assert_eq!((series.sum_ms, series.count), (17, 3));
        let summary = Summary { samples: 2, mean_ms: 7, deviation_ms: 2, period_s: 10 };
        assert_eq!(series.summary(110), summary);
        (0..200).for_each(|i| latency.add("command", 1, 200 + i));
        let series = &latency.events["command"];
        assert_eq!((series.samples.len(), series.samples[0].at_s, series.max_ms), (SAMPLES_MAX, 240, 9));
        assert!(latency.forget(b"COMMAND") && !latency.forget(b"command"));
    }
}
