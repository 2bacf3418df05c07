//! Seeded random numbers (SplitMix64), so that a failing run can be repeated.

/// A random sequence.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A sequence with the seed in `ARENITE_SEED`, or else the one given. Prints it.
    #[expect(clippy::print_stdout, reason = "a failing run is repeated by its seed")]
    pub(crate) fn seeded(test: &str, default: u64) -> Self {
        let seed = std::env::var("ARENITE_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or(default);
        println!("{test}: ARENITE_SEED={seed}");
        Self(seed)
    }

    /// The sequence with this seed, which is not printed.
    #[allow(dead_code, reason = "one of two test binaries needs it")]
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own, that depends on this one.
    #[allow(dead_code, reason = "one of two test binaries needs it")]
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
