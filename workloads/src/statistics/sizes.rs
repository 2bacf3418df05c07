//! Request sizes: exact, and in buckets.

use std::collections::HashMap;

use super::share;

/// Bytes up to which a request is small: what CPython's own allocator serves from its pools.
pub const SMALL_BYTES: u64 = 512;

/// Buckets of 16 bytes up to [`SMALL_BYTES`], size 0 in the first.
const FINE: usize = 32;

/// Buckets of powers of two above, up to 2^63.
const COARSE: usize = 54;

/// Exact sizes that are told apart; a stream with more distinct ones keeps the first.
const MOST_EXACT: usize = 1 << 16;

/// Counts of request sizes in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    requests: u64,
    bytes: u128,
    small_requests: u64,
    small_bytes: u128,
    buckets: [u64; FINE + COARSE],
    exact: HashMap<u64, u64>,
}

/// One bucket of the histogram: sizes in `(above, up_to]`, the first with 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Bytes below the smallest size of the bucket.
    pub above: u64,
    /// Largest size of the bucket, in bytes.
    pub up_to: u64,
    /// Requests.
    pub requests: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes {
            requests: 0,
            bytes: 0,
            small_requests: 0,
            small_bytes: 0,
            buckets: [0; FINE + COARSE],
            exact: HashMap::new(),
        }
    }
}

impl Sizes {
    pub(super) fn add(&mut self, size: u64) {
        self.requests += 1;
        self.bytes += u128::from(size);
        if size <= SMALL_BYTES {
            self.small_requests += 1;
            self.small_bytes += u128::from(size);
        }
        self.buckets[bucket_of(size)] += 1;
        if let Some(count) = self.exact.get_mut(&size) {
            *count += 1;
        } else if self.exact.len() < MOST_EXACT {
            self.exact.insert(size, 1);
        }
    }

    /// Requests counted.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Bytes requested in all.
    #[must_use]
    pub fn bytes(&self) -> u128 {
        self.bytes
    }

    /// Mean request in bytes; 0 without requests.
    #[must_use]
    pub fn mean_bytes(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { self.bytes as f64 / self.requests as f64 }
    }

    /// Requests of up to [`SMALL_BYTES`] among all.
    #[must_use]
    pub fn small_share(&self) -> f64 {
        share(self.small_requests, self.requests)
    }

    /// Bytes in requests of up to [`SMALL_BYTES`] among all bytes requested.
    #[must_use]
    pub fn small_bytes_share(&self) -> f64 {
        if self.bytes == 0 { 0.0 } else { self.small_bytes as f64 / self.bytes as f64 }
    }

    /// Requests of exactly that size among all.
    #[must_use]
    pub fn share_of(&self, size: u64) -> f64 {
        share(self.exact.get(&size).copied().unwrap_or(0), self.requests)
    }

    /// The `count` most frequent sizes with their requests, the most frequent first; of equally
    /// frequent ones the smaller first.
    #[must_use]
    pub fn most_frequent(&self, count: usize) -> Vec<(u64, u64)> {
        let mut all: Vec<_> =
            self.exact.iter().map(|(&size, &requests)| (size, requests)).collect();
        all.sort_unstable_by_key(|&(size, requests)| (std::cmp::Reverse(requests), size));
        all.truncate(count);
        all
    }

    /// The buckets that hold requests, by size.
    pub fn histogram(&self) -> impl Iterator<Item = Bucket> + '_ {
        self.buckets.iter().enumerate().filter(|&(_, &requests)| requests > 0).map(
            |(at, &requests)| {
                let (above, up_to) = bounds(at);
                Bucket { above, up_to, requests }
            },
        )
    }
}

fn bucket_of(size: u64) -> usize {
    if size <= SMALL_BYTES {
        return (size.max(1) as usize - 1) / 16;
    }
    // 513 to 1024 is the first of the coarse ones.
    FINE + (size - 1).ilog2() as usize - SMALL_BYTES.ilog2() as usize
}

fn bounds(bucket: usize) -> (u64, u64) {
    if bucket < FINE {
        return (16 * bucket as u64, 16 * (bucket as u64 + 1));
    }
    let above = SMALL_BYTES << (bucket - FINE);
    (above, above.saturating_mul(2))
}

const _: () = assert!(16 * FINE as u64 == SMALL_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_falls_into_the_bucket_whose_bounds_hold_it() {
        let edges =
            (0..2_000).chain((9..63).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]));
        for size in edges.chain([u64::MAX >> 1]) {
            let (above, up_to) = bounds(bucket_of(size));
            assert!((size > above || (size == 0 && above == 0)) && size <= up_to, "{size}");
        }
    }

    #[test]
    fn shares_and_frequent_sizes_are_exact() {
        let mut sizes = Sizes::default();
        for size in [32, 32, 32, 56, 56, 513, 0, 512] {
            sizes.add(size);
        }
        assert_eq!(sizes.most_frequent(3), [(32, 3), (56, 2), (0, 1)]);
        assert_eq!(sizes.share_of(32), 3.0 / 8.0);
        assert_eq!(sizes.small_share(), 7.0 / 8.0);
        assert_eq!(sizes.small_bytes_share(), 720.0 / 1233.0);
        let counts: Vec<_> = sizes.histogram().map(|b| (b.up_to, b.requests)).collect();
        assert_eq!(counts, [(16, 1), (32, 3), (64, 2), (512, 1), (1024, 1)]);
        assert_eq!(Sizes::default().mean_bytes(), 0.0);
    }

    #[test]
    fn distinct_sizes_beyond_the_table_are_counted_but_not_listed() {
        let mut sizes = Sizes::default();
        (0..100_000).for_each(|size| sizes.add(size));
        assert_eq!(sizes.requests(), 100_000);
        assert_eq!(sizes.exact.len(), MOST_EXACT);
        assert_eq!(sizes.share_of(99_999), 0.0);
    }
}
