//! The random numbers of the generators: ChaCha8 words and three ways to use them.
//!
//! The ways are written out here, because G1 (equal seeds give equal events for good) must not
//! hang on how a library turns words into ranges.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number in `[0, bound)`; 0 when `bound` is 0. The bias is below `bound / 2^64`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True `numerator` times in `denominator`.
    pub(super) fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// A size whose chance to be at least `x` is `least / x`, cut off at `most`.
    pub(super) fn heavy_tail(&mut self, least: u64, most: u64) -> u64 {
        // `1 - below/2^53` lies in (0, 1], so the quotient is at least `least`.
        const STEPS: u64 = 1 << 53;
        let share = u128::from(STEPS - self.below(STEPS));
        let size = u128::from(least) * u128::from(STEPS) / share;
        size.min(u128::from(most)) as u64
    }
}
