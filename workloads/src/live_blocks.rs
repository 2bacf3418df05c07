//! A map from live block to what its keeper knows of it.
//!
//! Ids are dense (I1), so a multiplicative hash spreads them well; a table of the live set is what
//! bounds the memory of everything that reads a trace, so nothing is kept of a dead block.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Live blocks by id (or by address, in the importer).
pub(crate) type LiveBlocks<T> = HashMap<u64, T, BuildHasherDefault<Spread>>;

/// Fibonacci hashing of one 64-bit key.
#[derive(Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        // The table takes its slot from the low bits and its tag from the high ones: mix both.
        let product = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
