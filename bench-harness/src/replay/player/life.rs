//! The pass in which memory is read over the whole life of a workload.

use std::time::{Duration, Instant};

use reports::record::{HeapMap, WasteRow};
use serde::{Deserialize, Serialize};

use super::{Player, Stop};
use crate::os::{self, residency::Resident};
use crate::replay::Tally;
use crate::replay::allocator::Allocator;
use crate::replay::survey::{Surveyed, map};

/// Parts of the region: memory is read after each.
const PARTS: u64 = 256;

/// When memory is read after everything was freed, in milliseconds.
const AFTER_MS: [u64; 4] = [0, 100, 1_000, 5_000];

/// What the pass found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Life {
    /// Calls of the region made, live bytes, and resident bytes above the baseline.
    pub(crate) series: Vec<(u64, u64, u64)>,
    /// Milliseconds since everything was freed, and resident bytes above the baseline.
    pub(crate) drained: Vec<(u64, u64)>,
    /// Usable beyond requested bytes.
    pub(crate) waste: Vec<WasteRow>,
    /// The heap when most bytes were alive.
    pub(crate) map: Option<HeapMap>,
}

impl<A: Allocator> Player<'_, Surveyed<A>> {
    /// The first pass: as [`Player::pass`], memory read on the way and, if `waits`, until long after
    /// the drain.
    ///
    /// # Errors
    /// As [`Player::pass`].
    pub(crate) fn life_pass<const TOUCH: u8>(&mut self, waits: bool) -> Result<Life, Stop> {
        let shape = self.shape;
        // Everything that the harness will need is made resident before the baseline is read.
        self.windows.from(0, shape.words.min(1))?;
        let mut series = vec![(1, 1, 1); PARTS as usize + 4];
        series.clear();
        let before = Resident::now().ok();
        let mut life = Life::default();
        warm_stack();
        let mut baseline = os::anonymous_resident_bytes()?;
        let mut tally = Tally::default();
        self.play::<TOUCH>(0, shape.region_start, &mut tally)?;
        let base = tally.calls;
        let mut at = shape.region_start;
        for stop in self.stops(PARTS) {
            if stop > at {
                at = self.play_until::<TOUCH>(at, stop, &mut tally)?.0;
            }
            let live = self.allocator.live_bytes();
            let used = os::anonymous_resident_bytes()?;
            series.push((tally.calls - base, live, used.saturating_sub(baseline)));
            if at == shape.live_peak_word && life.map.is_none() {
                life.map = before.as_ref().and_then(|before| self.heap_map(before));
                // What looking has left behind is the harness's.
                baseline += os::anonymous_resident_bytes()?.saturating_sub(used);
            }
        }
        let calls = tally.calls - base;
        self.play::<TOUCH>(shape.region_end, shape.words, &mut tally)?;
        let drained = Instant::now();
        for ms in AFTER_MS.into_iter().filter(|ms| waits || *ms == 0) {
            let rest = Duration::from_millis(ms).saturating_sub(drained.elapsed());
            std::thread::sleep(rest);
            let used = os::anonymous_resident_bytes()?;
            life.drained.push((ms, used.saturating_sub(baseline)));
        }
        self.conclude(&tally, calls)?;
        series.dedup();
        life.series = series;
        life.waste = self.allocator.waste();
        Ok(life)
    }

    /// The map of what is alive; `None` where the kernel keeps the page map closed.
    fn heap_map(&self, before: &Resident) -> Option<HeapMap> {
        let pointers = self.pointers.words();
        let sizes = self.allocator.sizes();
        let live = pointers.iter().zip(sizes).filter(|(_, size)| **size > 0);
        let blocks = live.map(|(pointer, size)| (*pointer as usize, *size as usize - 1));
        map::map(blocks, before).ok()
    }
}

/// Touches more of the stack than a replay takes, so that none of it is counted later.
#[inline(never)]
fn warm_stack() {
    let mut stack = [0_u8; 256 << 10];
    std::hint::black_box(&mut stack);
}
