//! Lifetimes in calls: a histogram fine enough for percentiles.

use super::share;

/// Lifetimes below this are counted one by one.
const EXACT: u64 = 64;

/// Buckets per power of two above: at most 1/32 of relative error.
const STEPS: u64 = 32;

/// Buckets in all, for lifetimes up to 2^64.
const BUCKETS: usize = (EXACT + (64 - EXACT.ilog2() as u64) * STEPS) as usize;

/// Distribution of lifetimes in calls, from birth to death.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifetimes {
    count: u64,
    buckets: Vec<u64>,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Lifetimes { count: 0, buckets: vec![0; BUCKETS] }
    }
}

impl Lifetimes {
    pub(super) fn add(&mut self, calls: u64) {
        self.count += 1;
        self.buckets[bucket_of(calls)] += 1;
    }

    /// Blocks counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The lifetime that `percent` of the blocks do not exceed, in calls: exact below 64, at most
    /// 1/32 too low above. 0 without blocks.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> u64 {
        let rank = (self.count as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut sum = 0;
        for (at, &count) in self.buckets.iter().enumerate() {
            sum += count;
            if sum >= rank {
                return least_of(at);
            }
        }
        0
    }

    /// Blocks that lived at most that many calls, among all; exact up to 63 and at powers of two.
    #[must_use]
    pub fn share_up_to(&self, calls: u64) -> f64 {
        let last = bucket_of(calls);
        share(self.buckets[..=last].iter().sum(), self.count)
    }
}

fn bucket_of(calls: u64) -> usize {
    if calls < EXACT {
        return calls as usize;
    }
    let power = calls.ilog2();
    let step = (calls >> (power - STEPS.ilog2())) - STEPS;
    (EXACT + u64::from(power - EXACT.ilog2()) * STEPS + step) as usize
}

/// Least lifetime of a bucket.
fn least_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let (power, step) = ((bucket - EXACT) / STEPS, (bucket - EXACT) % STEPS);
    (STEPS + step) << (power + u64::from(EXACT.ilog2() - STEPS.ilog2()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_at_most_one_thirty_second_below_its_lifetimes() {
        let mut previous = 0;
        for calls in (0..100_000).chain((17..64).map(|bit| (1 << bit) + 12_345)) {
            let bucket = bucket_of(calls);
            assert!(bucket >= previous && bucket < BUCKETS);
            previous = bucket;
            let least = least_of(bucket);
            assert!(least <= calls && calls - least <= calls / 32, "{calls} in {least}");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_ranks() {
        let mut lifetimes = Lifetimes::default();
        (1..=50).for_each(|calls| lifetimes.add(calls));
        assert_eq!([10.0, 50.0, 99.0, 100.0].map(|p| lifetimes.percentile(p)), [5, 25, 50, 50]);
        assert_eq!(lifetimes.share_up_to(16), 16.0 / 50.0);
        assert_eq!(Lifetimes::default().percentile(50.0), 0);
    }
}
