//! Counts of times, in buckets that grow with the times.
//!
//! ```text
//! bucket   0 .. 63     one tick each
//! bucket  64 .. 95     64 ..127 ticks, two each
//! bucket  96 .. 127    128 .. 255 ticks, four each, and so on: 32 buckets per doubling
//! ```
//! * B1: a bucket is at most 1/32 of its lowest value wide.
//! * B2: [`index`] and [`highest`] agree: `index(highest(i)) == i`, and one tick more is in the next.

/// Bits of a bucket's place inside its doubling.
const FINE: u32 = 5;
/// Values below this have buckets of their own.
const EXACT: u64 = 2 << FINE;
/// Values are below two to this power: the time of a call in ticks, 18 minutes at 4 GHz. Larger ones
/// go into the last bucket.
const BITS: u32 = 42;
/// Buckets.
const BUCKETS: usize = EXACT as usize + ((BITS - FINE - 1) << FINE) as usize;

fn index(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let doubling = value.ilog2();
    let fine = (value >> (doubling - FINE)) & ((1 << FINE) - 1);
    let index = EXACT as usize + ((doubling - FINE - 1) << FINE) as usize + fine as usize;
    index.min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn highest(index: usize) -> u64 {
    let Some(past) = (index as u64).checked_sub(EXACT) else { return index as u64 };
    let shift = (past >> FINE) + 1;
    (((1 << FINE) + (past & ((1 << FINE) - 1)) + 1) << shift) - 1
}

/// Counts of values.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Box<[u64]>,
    /// Values counted.
    pub(super) total: u64,
    /// The largest, exact.
    pub(super) max: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; BUCKETS].into(), total: 0, max: 0 }
    }

    /// Counts one value.
    #[inline]
    pub(super) fn record(&mut self, value: u64) {
        self.counts[index(value)] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    /// Adds what another has counted.
    pub(super) fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// The upper end of the bucket of the smallest value that `share` of all do not exceed, never above
    /// the maximum; 0 of no values.
    pub(super) fn percentile(&self, share: f64) -> u64 {
        let rank = ((share * self.total as f64).ceil() as u64).clamp(1, self.total.max(1));
        let mut below = 0;
        for (index, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= rank {
                return highest(index).min(self.max);
            }
        }
        self.max
    }

    /// Upper ends and counts of the buckets that hold anything.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.counts.iter().enumerate();
        counts
            .filter(|(_, count)| **count > 0)
            .map(|(index, count)| (highest(index).min(self.max), *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_join_without_gaps_and_are_narrow() {
        for at in 0..BUCKETS - 1 {
            assert_eq!(index(highest(at)), at, "B2");
            assert_eq!(index(highest(at) + 1), at + 1, "B2");
            let lowest = if at == 0 { 0 } else { highest(at - 1) + 1 };
            assert!((highest(at) - lowest) * 32 <= lowest, "B1: {at}");
        }
        assert_eq!(index(u64::MAX), BUCKETS - 1);
        assert_eq!(highest(BUCKETS - 1), (1 << BITS) - 1);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let mut histogram = Histogram::new();
        for value in (1..=10_000).rev() {
            histogram.record(value);
        }
        for (share, exact) in [(0.5, 5_000), (0.99, 9_900), (0.9999, 9_999), (1.0, 10_000)] {
            let found = histogram.percentile(share);
            assert!((exact..=exact + exact / 32).contains(&found), "{share}: {found}");
        }
        assert_eq!(histogram.buckets().map(|(_, count)| count).sum::<u64>(), 10_000);
        assert_eq!(Histogram::new().percentile(0.5), 0);
    }

    #[test]
    fn one_rare_value_shows_only_beyond_its_rank() {
        let mut histogram = Histogram::new();
        for _ in 0..99_990 {
            histogram.record(40);
        }
        let mut rare = Histogram::new();
        (0..10).for_each(|_| rare.record(9_000));
        histogram.add(&rare);
        assert_eq!((histogram.percentile(0.999), histogram.percentile(0.9999)), (40, 40));
        assert_eq!((histogram.percentile(0.99995), histogram.max), (9_000, 9_000));
    }
}
