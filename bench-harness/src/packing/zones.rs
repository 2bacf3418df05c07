//! Places blocks in order of birth, each in the smallest gap that takes it.
//!
//! With lifetimes known, a heap can be cut in two zones, one above the other: what lives long goes to
//! the lower one and leaves no holes behind it, what dies soon to the upper one, where holes close
//! again. Several borders between long and short are tried; a packing is as high as both zones
//! together. In O(n log n) for each border.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::Packed;
use super::lifetimes::{Lifetimes, Stay};

/// Borders between long and short, as parts of the whole time: those that live longer go below.
const PARTS: [u32; 6] = [2, 8, 32, 128, 512, 2048];

/// All blocks in one zone.
pub(super) fn one_zone(lifetimes: &Lifetimes) -> Packed {
    let bytes = height(lifetimes.stays().iter().copied());
    Packed { bytes, method: "best fit in order of birth".to_owned() }
}

/// Two zones, one packing for each border. The first keeps apart what never dies.
pub(super) fn by_lifetime(lifetimes: &Lifetimes) -> impl Iterator<Item = Packed> {
    let forever = (u32::MAX, "what never dies below, best fit above".to_owned());
    let borders = PARTS.map(|part| {
        let what = format!("what lives 1/{part} of the time or longer below");
        ((lifetimes.calls() / part).max(1), format!("{what}, best fit in both"))
    });
    std::iter::once(forever).chain(borders).map(|(border, method)| {
        let is_long = |stay: &Stay| match stay.death {
            u32::MAX => true,
            death => death - stay.birth >= border,
        };
        let zone = |long| {
            height(lifetimes.stays().iter().copied().filter(move |stay| is_long(stay) == long))
        };
        Packed { bytes: zone(true) + zone(false), method }
    })
}

fn height(stays: impl Iterator<Item = Stay>) -> u64 {
    let mut zone = Zone::default();
    stays.for_each(|stay| {
        zone.place(stay);
    });
    zone.height
}

/// A stretch of addresses from zero upwards. Gaps lie below `top`, and no two touch.
#[derive(Debug, Default)]
struct Zone {
    /// Gaps by offset, with their bytes.
    gaps: BTreeMap<u64, u64>,
    /// The same as bytes and offset.
    by_size: BTreeSet<(u64, u64)>,
    /// Blocks in place by the time they die.
    deaths: BinaryHeap<Reverse<(u32, u64, u64)>>,
    top: u64,
    height: u64,
}

impl Zone {
    /// Places the next block by order of birth; its offset.
    fn place(&mut self, stay: Stay) -> u64 {
        while let Some(&Reverse((death, offset, bytes))) = self.deaths.peek() {
            if death > stay.birth {
                break;
            }
            self.deaths.pop();
            self.free(offset, bytes);
        }
        let offset = match self.by_size.range((stay.bytes, 0)..).next() {
            Some(&(bytes, offset)) => {
                self.remove(offset, bytes);
                if bytes > stay.bytes {
                    self.insert(offset + stay.bytes, bytes - stay.bytes);
                }
                offset
            }
            None => {
                let offset = self.top;
                self.top += stay.bytes;
                self.height = self.height.max(self.top);
                offset
            }
        };
        self.deaths.push(Reverse((stay.death, offset, stay.bytes)));
        offset
    }

    fn free(&mut self, mut offset: u64, mut bytes: u64) {
        if let Some((&below, &size)) = self.gaps.range(..offset).next_back()
            && below + size == offset
        {
            self.remove(below, size);
            (offset, bytes) = (below, bytes + size);
        }
        if let Some(&size) = self.gaps.get(&(offset + bytes)) {
            self.remove(offset + bytes, size);
            bytes += size;
        }
        if offset + bytes == self.top {
            self.top = offset;
        } else {
            self.insert(offset, bytes);
        }
    }

    fn insert(&mut self, offset: u64, bytes: u64) {
        self.gaps.insert(offset, bytes);
        self.by_size.insert((bytes, offset));
    }

    fn remove(&mut self, offset: u64, bytes: u64) {
        self.gaps.remove(&offset);
        self.by_size.remove(&(bytes, offset));
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use workloads::event::{BlockId, Event, Op};

    use super::super::best;
    use super::*;

    /// Random births and deaths, about half of the blocks alive to the end.
    fn random(seed: u64, calls: u64) -> Lifetimes {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut lifetimes = Lifetimes::default();
        let (mut alive, mut born) = (Vec::new(), 0);
        for _ in 0..calls {
            let op = if alive.is_empty() || random.random_range(0..100) < 55 {
                alive.push(BlockId(born));
                born += 1;
                Op::Malloc { block: BlockId(born - 1), size: random.random_range(0..900) }
            } else {
                let at = random.random_range(0..alive.len());
                let block = alive[at];
                match random.random_range(0..4) {
                    0 => Op::Realloc { block, size: random.random_range(1..2_000) },
                    _ => Op::Free { block: alive.swap_remove(at), size: None },
                }
            };
            lifetimes.event(&Event::of_first_thread(op));
        }
        lifetimes.finish().unwrap()
    }

    /// Whether blocks that are alive together share a byte (K2).
    fn overlap(placed: &[(Stay, u64)]) -> bool {
        placed.iter().enumerate().any(|(at, (one, low))| {
            placed[..at].iter().any(|(other, start)| {
                let together = one.birth < other.death && other.birth < one.death;
                together && *low < start + other.bytes && *start < low + one.bytes
            })
        })
    }

    fn placed(lifetimes: &Lifetimes) -> Vec<(Stay, u64)> {
        let mut zone = Zone::default();
        lifetimes.stays().iter().map(|stay| (*stay, zone.place(*stay))).collect()
    }

    #[test]
    fn blocks_alive_together_share_no_byte_and_no_packing_beats_the_bound() {
        for seed in 0..20 {
            let lifetimes = random(seed, 600);
            assert!(!overlap(&placed(&lifetimes)), "seed {seed}");
            let packed = best(&lifetimes);
            assert!(packed.bytes >= lifetimes.bound_bytes(), "seed {seed}: {packed:?}");
            assert!(packed.bytes <= one_zone(&lifetimes).bytes, "seed {seed}: {packed:?}");
        }
    }

    #[test]
    fn a_planted_overlap_is_seen() {
        let lifetimes = random(1, 600);
        let mut placed = placed(&lifetimes);
        // A block is moved 16 bytes down, into the neighbour that was born before it and still lives.
        let stands_on = |at: usize| {
            let (above, start) = placed[at];
            let below =
                |(stay, low): &(Stay, u64)| low + stay.bytes == start && stay.death > above.birth;
            placed[..at].iter().any(below)
        };
        let at = (0..placed.len()).find(|&at| stands_on(at)).unwrap();
        placed[at].1 -= 16;
        assert!(overlap(&placed));
    }

    #[test]
    fn holes_between_long_lives_are_avoided_when_lifetimes_are_known() {
        let mut lifetimes = Lifetimes::default();
        let mut event = |op| {
            lifetimes.event(&Event::of_first_thread(op));
        };
        // Short and long lives alternate; then something large is asked for, for a while.
        for block in 0..200 {
            event(Op::Malloc { block: BlockId(block), size: 64 });
        }
        for block in (0..200).step_by(2) {
            event(Op::Free { block: BlockId(block), size: None });
        }
        event(Op::Malloc { block: BlockId(200), size: 6_400 });
        event(Op::Free { block: BlockId(200), size: None });
        let lifetimes = lifetimes.finish().unwrap();
        assert_eq!(lifetimes.bound_bytes(), 12_800);
        assert_eq!(one_zone(&lifetimes).bytes, 19_200);
        assert_eq!(best(&lifetimes).bytes, 12_800);
    }
}
