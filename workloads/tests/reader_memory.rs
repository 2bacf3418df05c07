//! T3: what a reader keeps is bounded by 2 MiB and the live set, whatever a file holds or claims.
//!
//! Counts every byte that Rust allocates. What the decompressor allocates in C is not counted: one
//! context of some 150 KiB, fixed because blocks are unpacked in one piece.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

use workloads::event::{BlockId, Event, Op};
use workloads::trace::{Meta, Reader, Writer};

/// The system allocator, counting.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes every call on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Counters only: nothing is ordered by them.
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller's obligations are those of the system allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes allocated at a time while `act` runs, above what was there before.
fn peak_of(act: impl FnOnce()) -> usize {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    act();
    PEAK.load(Ordering::Relaxed) - before
}

/// A trace of `count` blocks of which `live` are alive at a time.
fn trace(count: u64, live: u64) -> Vec<u8> {
    let mut writer =
        Writer::new(Cursor::new(Vec::new()), &Meta::default()).expect("memory takes a header");
    let mut write = |op| writer.write(&Event::of_first_thread(op)).expect("a valid event");
    for block in 0..count {
        write(Op::Malloc { block: BlockId(block), size: 100 + block * 7919 % 100_000 });
        if block >= live {
            write(Op::Free { block: BlockId(block - live), size: None });
        }
    }
    writer.finish_into().expect("memory takes a trace").1.into_inner()
}

/// Bytes that never end, without a buffer of their own.
struct Endless<'a> {
    start: &'a [u8],
}

impl Read for Endless<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if !self.start.is_empty() {
            return self.start.read(to);
        }
        to.fill(0xff);
        Ok(to.len())
    }
}

/// One test, because tests of one binary run side by side and would count each other's bytes.
#[test]
fn a_reader_keeps_two_mebibytes_and_the_live_set() {
    const MIB: usize = 1 << 20;

    let long = trace(300_000, 50);
    let peak = peak_of(|| {
        assert_eq!(Reader::new(&long[..]).unwrap().map(Result::unwrap).count(), 599_950);
    });
    assert!(peak < 2 * MIB, "{peak} bytes for a long trace with 50 live blocks");

    let wide = trace(100_000, 90_000);
    let peak = peak_of(|| assert!(Reader::new(&wide[..]).unwrap().all(|event| event.is_ok())));
    // A table entry of 17 bytes at a load of 7/16 at least, and the old table while it grows.
    let live_set = 90_000 * 17 * 16 / 7 * 3 / 2;
    assert!(peak < 2 * MIB + live_set, "{peak} bytes for 90,000 live blocks");

    // Behind a good beginning, blocks that claim as much as a length can say.
    let meta_end = 24 + 13 + 0x7c;
    for kind in [b'E', b'F', b'a', b'M'] {
        let mut lying = long[..meta_end].to_vec();
        lying.extend([kind, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
        let mut inside = long[..meta_end].to_vec();
        inside.extend([kind, 0, 0, 0x10, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
        for start in [&lying, &inside] {
            let peak = peak_of(|| {
                let mut reader = Reader::new(Endless { start }).unwrap();
                assert!(reader.next().unwrap().is_err());
            });
            assert!(peak < 2 * MIB, "{peak} bytes for a lying block {}", char::from(kind));
        }
    }
}
