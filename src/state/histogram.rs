//! How long calls took: a histogram of bounded size whose error is bounded relative to the value.
//!
//! Each power of two is parted into `PARTS` buckets of the same width, so that a value is known to about 3 %, from a
//! nanosecond to a second (compare G. Tene's HdrHistogram).

const PART_BITS: u32 = 5;
/// Buckets to a power of two.
const PARTS: u64 = 1 << PART_BITS;
/// What takes longer counts as this, in nanoseconds.
const MAX_NS: u64 = 1_000_000_000;
const BUCKETS: usize = bucket(MAX_NS) + 1;

/// The least limit of [`Histogram::by_powers_of_two`], in nanoseconds.
const FIRST_LIMIT_NS: u64 = 1024;

/// The bucket of a value.
#[inline]
const fn bucket(ns: u64) -> usize {
    let shift = (63 - (ns | PARTS).leading_zeros()) - PART_BITS;
    ((shift as u64 * PARTS) + (ns >> shift)) as usize
}

/// The largest value of a bucket.
const fn bucket_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * PARTS {
        return bucket;
    }
    let shift = bucket / PARTS - 1;
    ((bucket % PARTS + PARTS + 1) << shift) - 1
}

/// Counts of durations.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: [u64; BUCKETS],
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: [0; BUCKETS] }
    }
}

impl Histogram {
    /// Counts a duration. None is shorter than a nanosecond.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        self.counts[bucket(ns.clamp(1, MAX_NS))] += 1;
    }

    /// Durations counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The duration that `percent` of all do not exceed, in nanoseconds; 0 where there is none.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = ((percent / 100.0 * self.total() as f64 + 0.5) as u64).max(1);
        let mut seen = 0;
        let reached = self.counts.iter().position(|n| {
            seen += n;
            seen >= wanted
        });
        reached.map_or(0, bucket_end)
    }

    /// Limits, each twice the one before, and how many durations are below; limits that add nothing are left out.
    pub fn by_powers_of_two(&self) -> Vec<(u64, u64)> {
        let total = self.total();
        let (mut limits, mut limit_ns, mut seen, mut at) = (Vec::new(), FIRST_LIMIT_NS, 0, 0);
        while seen < total {
            let end = bucket(limit_ns).min(BUCKETS);
            let more: u64 = self.counts[at..end].iter().sum();
            if more > 0 {
                seen += more;
                limits.push((limit_ns, seen));
            }
            (at, limit_ns) = (end, limit_ns * 2);
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    #[test]
    fn a_bucket_is_narrow_and_holds_its_values() {
        let mut rng = Rng::new(7);
        let random = (0..10_000).map(|_| rng.next_u64() >> (34 + rng.below(29)));
        for ns in (0..5000).chain(random).chain([MAX_NS]) {
            let ns = ns.min(MAX_NS);
            let end = bucket_end(bucket(ns));
            assert!(end >= ns && end - ns <= ns / PARTS, "{ns} {end}");
            assert!(bucket(end + 1) == bucket(ns) + 1, "{ns} {end}");
        }
    }

    #[test]
    fn percentiles_and_limits_follow_a_sorted_list() {
        for seed in 0..64 {
            let mut rng = Rng::new(seed);
            let mut list: Vec<u64> =
                (0..1 + rng.below(500)).map(|_| rng.next_u64() >> (36 + rng.below(28))).collect();
            let mut histogram = Histogram::default();
            list.iter().for_each(|&ns| histogram.record(ns));
            list.iter_mut().for_each(|ns| *ns = (*ns).clamp(1, MAX_NS));
            list.sort_unstable();
            assert_eq!(histogram.total(), list.len() as u64);
            for percent in [0.0, 1.0, 50.0, 99.0, 100.0] {
                let rank = ((percent / 100.0 * list.len() as f64 + 0.5) as usize).clamp(1, list.len());
                assert_eq!(histogram.percentile(percent), bucket_end(bucket(list[rank - 1])), "seed {seed}");
            }
            let limits = histogram.by_powers_of_two();
            assert!(limits.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
            for (limit_ns, seen) in &limits {
                assert_eq!(*seen, list.iter().filter(|&ns| ns < limit_ns).count() as u64, "seed {seed}");
            }
            assert_eq!(limits.last().map(|last| last.1), Some(list.len() as u64));
        }
    }

    #[test]
    fn nothing_has_no_percentile() {
        let histogram = Histogram::default();
        assert_eq!((histogram.total(), histogram.percentile(50.0)), (0, 0));
        assert_eq!(histogram.by_powers_of_two(), []);
    }
}
