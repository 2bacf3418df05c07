//! The layer over a base that shows everything. No tool listens here: requests do nothing, so that
//! what is tested is where blocks lie and what is believed of them.

use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use super::tool::Tool;
use super::{Base, Found, GRAIN, HEADER_BYTES, Header, Measures, Memory, Watch};

const MEASURES: Measures = Measures { red_zone: 16, quarantine_bytes: 4096 };
const WATCH: (Tool, Measures) = (Tool::Memcheck, MEASURES);

/// Memory that is never used twice, so that every address can be explained.
#[derive(Default)]
struct Fields {
    words: Vec<Vec<u128>>,
    given: VecDeque<*mut u8>,
    /// Pieces that may still be taken.
    budget: Option<usize>,
}

impl Fields {
    fn memory(words: &[u128]) -> Memory {
        Memory { start: words.as_ptr().cast_mut().cast(), bytes: words.len() * GRAIN }
    }
}

impl Base for Fields {
    fn take(&mut self, bytes: usize, _align: usize) -> *mut u8 {
        let taken = self.words.len() - self.given.len();
        if self.budget.is_some_and(|budget| taken >= budget) {
            return core::ptr::null_mut();
        }
        self.words.push(vec![0; bytes.div_ceil(GRAIN)]);
        self.words.last().map_or(core::ptr::null_mut(), |words| Self::memory(words).start)
    }

    unsafe fn give(&mut self, memory: *mut u8) {
        assert!(!self.given.contains(&memory), "given back twice");
        self.given.push_back(memory);
    }

    fn around(&self, address: *const u8) -> Option<Memory> {
        self.words
            .iter()
            .map(|words| Self::memory(words))
            .find(|memory| address.addr().wrapping_sub(memory.start.addr()) < memory.bytes)
    }
}

fn live(base: &Fields, block: *mut u8) -> Option<(Memory, usize)> {
    match Watch::find(base, WATCH.0, block) {
        Found::Live(memory, size) => Some((memory, size)),
        _ => None,
    }
}

fn bury(watch: &mut Watch, base: &mut Fields, block: *mut u8) {
    let (memory, size) = live(base, block).expect("a live block");
    // SAFETY: live, and not used afterwards.
    unsafe { watch.bury(base, WATCH, block, memory, size) };
}

#[test]
fn every_block_is_aligned_and_has_its_red_zones_in_its_own_memory() {
    let (mut watch, mut base) = (Watch::NEW, Fields::default());
    for size in (0..300).chain([511, 512, 4095, 4096, 8191, 8192, 9000, 100_000]) {
        for align in [1, 16, 32, 64, 4096, 65536] {
            let block = watch.take(&mut base, WATCH, size, align);
            assert!(block.addr().is_multiple_of(align.max(GRAIN)), "{size} {align}");
            let (memory, asked) = live(&base, block).expect("live");
            assert_eq!(asked, size);
            let red_zone = MEASURES.red_zone_of(size);
            assert!((16..=4096).contains(&red_zone) && red_zone.is_multiple_of(GRAIN));
            assert!(red_zone * 2 >= size.min(8192), "half of the size, up to an OS page");
            let before = block.addr() - memory.start.addr();
            assert!(before >= HEADER_BYTES + red_zone, "{size} {align}");
            assert!(before + size + red_zone <= memory.bytes, "{size} {align}");
        }
    }
    assert!(watch.take(&mut base, WATCH, usize::MAX - 8, 16).is_null());
    assert!(watch.take(&mut base, WATCH, isize::MAX as usize, 4096).is_null());
}

#[test]
fn only_the_first_byte_of_a_live_block_is_one() {
    let (mut watch, mut base) = (Watch::NEW, Fields::default());
    let block = watch.take(&mut base, WATCH, 100, 16);
    let (memory, _) = live(&base, block).expect("live");
    for at in 0..memory.bytes {
        let address = memory.start.wrapping_add(at);
        assert_eq!(live(&base, address).is_some(), address == block, "{at}");
    }
    bury(&mut watch, &mut base, block);
    assert!(matches!(Watch::find(&base, WATCH.0, block), Found::Wrong { dead: true }));
    let elsewhere = core::ptr::from_ref(&watch).cast();
    assert!(matches!(Watch::find(&base, WATCH.0, elsewhere), Found::Foreign));
}

#[test]
fn dead_memory_is_given_back_oldest_first_and_not_before_the_limit() {
    let (mut watch, mut base) = (Watch::NEW, Fields::default());
    let blocks: Vec<_> = (0..200).map(|_| watch.take(&mut base, WATCH, 32, 16)).collect();
    let starts: Vec<_> =
        blocks.iter().map(|&block| live(&base, block).expect("live").0.start).collect();
    let bytes = live(&base, blocks[0]).expect("live").0.bytes;
    let waiting = MEASURES.quarantine_bytes / bytes;
    for (at, &block) in blocks.iter().enumerate() {
        bury(&mut watch, &mut base, block);
        assert_eq!(base.given.len(), (at + 1).saturating_sub(waiting));
    }
    assert!(base.given.iter().eq(starts[..200 - waiting].iter()));
}

#[test]
fn large_blocks_do_not_push_small_ones_out() {
    let (mut watch, mut base) = (Watch::NEW, Fields::default());
    let small = watch.take(&mut base, WATCH, 32, 16);
    bury(&mut watch, &mut base, small);
    let start = base.around(small).expect("ours").start;
    for _ in 0..20 {
        let large = watch.take(&mut base, WATCH, 100_000, 16);
        bury(&mut watch, &mut base, large);
    }
    assert_eq!(base.given.len(), 20, "each is larger than the limit");
    assert!(!base.given.contains(&start));
}

#[test]
fn what_waits_is_given_back_when_memory_is_refused() {
    let (mut watch, mut base) = (Watch::NEW, Fields { budget: Some(1), ..Fields::default() });
    let first = watch.take(&mut base, WATCH, 32, 16);
    assert!(watch.take(&mut base, WATCH, 32, 16).is_null());
    bury(&mut watch, &mut base, first);
    assert_eq!(base.given.len(), 0);
    assert!(!watch.take(&mut base, WATCH, 32, 16).is_null());
    assert_eq!(base.given.len(), 1);
}

/// Breaks W2: the program wrote over a header, which a tool has reported.
#[test]
fn a_header_that_was_written_over_is_not_believed() {
    let (mut watch, mut base) = (Watch::NEW, Fields::default());
    let block = watch.take(&mut base, WATCH, 100, 16);
    let memory = base.around(block).expect("ours");
    for header in [
        Header { word: block.addr() + 16, bytes: 100 },
        Header { word: 0, bytes: 100 },
        Header { word: block.addr(), bytes: usize::MAX },
        Header { word: block.addr(), bytes: memory.bytes },
    ] {
        // SAFETY: memory of the base.
        unsafe { header.write(memory.start) };
        assert!(live(&base, block).is_none());
    }
    assert!(Watch::resident(WATCH.0, memory).is_none());
}

/// Breaks Q1.
#[test]
fn a_queue_whose_link_was_written_over_is_let_go() {
    for word in [0, 0x10] {
        let (mut watch, mut base) = (Watch::NEW, Fields::default());
        let blocks: Vec<_> = (0..3).map(|_| watch.take(&mut base, WATCH, 32, 16)).collect();
        for &block in &blocks {
            bury(&mut watch, &mut base, block);
        }
        let oldest = base.around(blocks[0]).expect("ours");
        // SAFETY: memory of the base.
        unsafe { Header { word, bytes: oldest.bytes }.write(oldest.start) };
        assert!(!watch.quarantine.release(&mut base, 0));
        assert_eq!(base.given.len(), 0);
        let next = watch.take(&mut base, WATCH, 32, 16);
        bury(&mut watch, &mut base, next);
        assert!(watch.quarantine.release(&mut base, 0), "the queue works again");
    }
}
