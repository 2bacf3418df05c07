//! Where addresses come from: pools of the strategy's arenas, and foreign memory.
//!
//! Foreign memory is mapped, populated and as large as a fair-sized heap: a strategy that reads it
//! must not fault. What stands where a pool header would have its arena index is drawn: zeroes, small
//! numbers (which name arenas) and noise, since a test that reads foreign memory is as fast as the
//! branch on what it finds.
//!
//! * **T1** Every address asked about lies in `[pool, pool + POOL_BYTES)` of a cut pool, behind the
//!   header, or in foreign memory; both are multiples of 16, as blocks are.
//! * **T2** A row has exactly the share of misses asked for, at places drawn at random.

use std::fmt;
use std::io;
use std::str::FromStr;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::os::Mapping;

/// Bytes of a pool of every strategy in the lab, and of the pieces of foreign memory.
pub(super) const POOL_BYTES: usize = 4 << 10;
/// No block begins before this offset in a pool.
const HEADER_BYTES: usize = 48;
/// Blocks are aligned to this.
const GRAIN: usize = 16;
/// Where a pool header has its arena index.
const INDEX_OFFSET: usize = 32;
/// Foreign memory, in bytes.
const FOREIGN_BYTES: usize = 16 << 20;
/// Queries that stay in one pool when addresses are clustered.
const CLUSTER: usize = 32;

/// Order of the addresses of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pattern {
    /// Rising.
    Sequential,
    /// Every pool as likely as any other.
    Random,
    /// Runs of addresses in one pool, then in another.
    Clustered,
}

impl Pattern {
    pub(crate) const ALL: [Self; 3] = [Self::Sequential, Self::Random, Self::Clustered];

    /// Name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Random => "random",
            Self::Clustered => "clustered",
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.name() == text);
        found.ok_or_else(|| format!("`{text}`: expected sequential, random or clustered"))
    }
}

/// Addresses to ask about, with what is known of each.
pub(super) struct Row {
    pub(super) addresses: Vec<*mut u8>,
    /// Whether the address of the same place is ours.
    pub(super) is_ours: Vec<bool>,
    /// How many are.
    pub(super) ours: usize,
}

/// Our pools and foreign memory.
pub(super) struct Terrain {
    /// Starts of cut pools, rising.
    pools: Vec<*mut u8>,
    /// Starts of pieces of foreign memory, rising.
    foreign: Vec<*mut u8>,
    _memory: Mapping,
}

impl Terrain {
    /// Our pools, and foreign memory of which one piece in `thinned` is used. With `arenas` as what
    /// small numbers in foreign memory may name.
    ///
    /// # Errors
    /// When there is no memory for foreign addresses.
    pub(super) fn new(
        mut pools: Vec<*mut u8>,
        arenas: usize,
        thinned: usize,
        random: &mut ChaCha8Rng,
    ) -> io::Result<Self> {
        pools.sort_unstable();
        let memory = Mapping::populated(FOREIGN_BYTES / thinned)?;
        let start = memory.start();
        let pieces = FOREIGN_BYTES / thinned / POOL_BYTES;
        let foreign: Vec<*mut u8> =
            (0..pieces).map(|piece| start.wrapping_add(piece * POOL_BYTES)).collect();
        for piece in &foreign {
            let found = match random.random_range(0..4) {
                0 => 0,
                1 => random.random_range(0..=arenas as u32),
                _ => random.next_u32(),
            };
            // SAFETY: in the mapping (M1), aligned, and used by nobody else.
            unsafe { piece.wrapping_add(INDEX_OFFSET).cast::<u32>().write(found) };
        }
        Ok(Self { pools, foreign, _memory: memory })
    }

    /// A row of `len` addresses (T1, T2).
    pub(super) fn row(
        &self,
        pattern: Pattern,
        miss_share: f64,
        len: usize,
        random: &mut ChaCha8Rng,
    ) -> Row {
        let misses = ((len as f64 * miss_share).round() as usize).min(len);
        let mut is_ours: Vec<bool> = (0..len).map(|place| place >= misses).collect();
        is_ours.shuffle(random);
        let ours = len - misses;
        let mut own = Walk::new(&self.pools, pattern, ours);
        let mut foreign = Walk::new(&self.foreign, pattern, misses);
        let addresses = is_ours
            .iter()
            .map(|&is_ours| if is_ours { own.step(random) } else { foreign.step(random) })
            .collect();
        Row { addresses, is_ours, ours }
    }
}

/// A walk over pools in some order.
struct Walk<'a> {
    pools: &'a [*mut u8],
    pattern: Pattern,
    /// Addresses in all, and how many were given.
    len: usize,
    given: usize,
    /// The pool of a cluster.
    pool: usize,
}

impl<'a> Walk<'a> {
    fn new(pools: &'a [*mut u8], pattern: Pattern, len: usize) -> Self {
        Self { pools, pattern, len, given: 0, pool: 0 }
    }

    fn step(&mut self, random: &mut ChaCha8Rng) -> *mut u8 {
        let grains = (POOL_BYTES - HEADER_BYTES) / GRAIN;
        let (pool, grain) = match self.pattern {
            Pattern::Sequential => {
                let place = self.given * self.pools.len() * grains / self.len;
                (place / grains, place % grains)
            }
            Pattern::Random => {
                (random.random_range(0..self.pools.len()), random.random_range(0..grains))
            }
            Pattern::Clustered => {
                if self.given.is_multiple_of(CLUSTER) {
                    self.pool = random.random_range(0..self.pools.len());
                }
                (self.pool, random.random_range(0..grains))
            }
        };
        self.given += 1;
        self.pools[pool].wrapping_add(HEADER_BYTES + grain * GRAIN)
    }
}

/// Numbers for one child.
pub(super) fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_share_of_misses_and_every_address_where_it_belongs() {
        let pools: Vec<*mut u8> =
            (1..50).map(|pool| std::ptr::without_provenance_mut(pool * POOL_BYTES)).collect();
        let mut random = random(7);
        let terrain = Terrain::new(pools, 3, 16, &mut random).unwrap();
        for pattern in Pattern::ALL {
            for (share, misses) in [(0.0, 0), (0.01, 10), (0.35, 350), (1.0, 1000)] {
                let row = terrain.row(pattern, share, 1000, &mut random);
                assert_eq!(row.ours, 1000 - misses, "{pattern} {share}");
                for (address, is_ours) in row.addresses.iter().zip(&row.is_ours) {
                    assert_eq!(address.addr() < 50 * POOL_BYTES, *is_ours);
                    assert!(address.addr() % GRAIN == 0);
                    assert!(address.addr() % POOL_BYTES >= HEADER_BYTES);
                }
            }
            let row = terrain.row(Pattern::Sequential, 0.0, 500, &mut random);
            assert!(row.addresses.is_sorted(), "sequential addresses rise");
        }
    }
}
