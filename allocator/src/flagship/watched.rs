//! The flagship heap under a tool that watches (`watch.rs`).
//!
//! No thread has a heap of its own then: [`threads::heap`] attaches none, every fast path fails, and
//! every call comes here by way of the slow ones. All of them work on the late heap, under one lock.
//! Blocks are cut from its pools, spans and mappings as they are in any other process, with their
//! red zones and headers in what the class has to spare. A block is always moved when it is resized,
//! so that stale pointers to it are found.
//!
//! Under memcheck, ranges and mappings lie in memory of the C library's malloc
//! (`watch/client_heap.rs`): many small ranges instead of one large one, told by going through them
//! all. That is the ownership test's fallback, and the reason why the number of ranges is limited.

use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use super::calls::{Kind, kind_of};
use super::class::{self, GRAIN, MEDIUM_MAX, OFFSETS_END};
use super::fatal::{Misuse, die};
use super::foreign;
use super::heap::Heap;
use super::huge;
use super::large::{self, LARGE_MAX};
use super::lock::Lock;
use super::os::{self, OS_PAGE_BYTES};
use super::range::{self, ARENA_BYTES, OWNER_SHIFT, Range};
use super::settings;
use super::slice::{SLICE_BYTES, Span};
use super::threads;
use crate::valgrind::{self, Silence};
use crate::watch::tool::Tool;
use crate::watch::{Base, Found, Measures, Memory, PLAIN_ALIGN, Watch, client_heap};

/// Guards the process's watched heap.
pub(crate) static WATCH: Lock = Lock::new();

struct Guarded(UnsafeCell<Watch>);

// SAFETY: reached under `WATCH` alone.
unsafe impl Sync for Guarded {}

static STATE: Guarded = Guarded(UnsafeCell::new(Watch::NEW));

/// Bytes of a range under memcheck: small enough that memcheck finds nothing to say about it.
const RANGE_BYTES: usize = 128 << 20;
/// From this number on ranges have [`LARGE_RANGE_BYTES`], so that their number suffices.
const LARGE_RANGES_FROM: usize = 32;
const LARGE_RANGE_BYTES: usize = 4 << 30;

/// Runs `work` on the watched heap, under its lock.
fn with<T>(work: impl FnOnce(&mut Watch) -> T) -> T {
    let _held = WATCH.hold();
    // SAFETY: the lock is held, and no closure calls `with`.
    work(unsafe { &mut *STATE.0.get() })
}

/// What the process is told about frees that name no live block: by memcheck itself, which goes on,
/// or by our last words.
fn blame(tool: Tool, misuse: Misuse, block: *mut u8) {
    match tool {
        Tool::Memcheck => valgrind::free_like(block, 0),
        Tool::AddressSanitizer => die(misuse, block),
    }
}

fn misuse(dead: bool) -> Misuse {
    if dead { Misuse::Double } else { Misuse::Invalid }
}

/// A block of `size` bytes aligned to `align`, a power of two; null with ENOMEM when memory is out.
pub(crate) fn malloc(watch: (Tool, Measures), size: usize, align: usize) -> *mut u8 {
    static HOOKED: AtomicBool = AtomicBool::new(false);
    // Once, and not by a call that the setting of hooks makes itself.
    if !HOOKED.swap(true, Ordering::Relaxed) {
        threads::set_hooks();
    }
    os::or_enomem(with(|state| state.take(&mut Late, watch, size, align)))
}

/// Frees whatever `block` is; not null.
///
/// # Safety
/// `block` is dead afterwards.
pub(crate) unsafe fn free(watch: (Tool, Measures), block: *mut u8) {
    let found = with(|state| {
        let found = Watch::find(&Late, watch.0, block);
        if let Found::Live(memory, size) = found {
            if owner_of(block) != 0 {
                die(Misuse::Foreign, block);
            }
            // SAFETY: found live just now, under the lock; dead by the caller's promise.
            unsafe { state.bury(&mut Late, watch, block, memory, size) };
        }
        found
    });
    match found {
        Found::Live(..) => {}
        Found::Wrong { dead } => blame(watch.0, misuse(dead), block),
        // SAFETY: not ours.
        Found::Foreign if foreign::is_known() => unsafe { foreign::free(block) },
        Found::Foreign => blame(watch.0, Misuse::Foreign, block),
    }
}

/// Frees a block that is said to have been asked for with `size` bytes; dies where it was not.
///
/// # Safety
/// As for [`free`].
pub(crate) unsafe fn free_sized(watch: (Tool, Measures), block: *mut u8, size: usize) {
    if let Found::Live(_, asked) = with(|_| Watch::find(&Late, watch.0, block))
        && asked != size
    {
        die(Misuse::WrongSize, block);
    }
    // SAFETY: the caller's obligation.
    unsafe { free(watch, block) };
}

/// A new block with the contents of the old one, which dies; null when memory is out, or when
/// `block`, not null, is no live block: the tool says so.
///
/// # Safety
/// `block` is dead after a result that is not null.
pub(crate) unsafe fn realloc(
    watch: (Tool, Measures),
    block: *mut u8,
    size: usize,
    align: usize,
) -> *mut u8 {
    let old = match with(|_| Watch::find(&Late, watch.0, block)) {
        Found::Live(_, old) => old,
        Found::Wrong { dead } => {
            blame(watch.0, misuse(dead), block);
            return ptr::null_mut();
        }
        // SAFETY: not ours.
        Found::Foreign if foreign::is_known() => return unsafe { foreign::realloc(block, size) },
        Found::Foreign => {
            blame(watch.0, Misuse::Foreign, block);
            return ptr::null_mut();
        }
    };
    let moved = malloc(watch, size, align);
    if !moved.is_null() {
        // SAFETY: both blocks hold the smaller size, and they are distinct.
        unsafe { ptr::copy_nonoverlapping(block, moved, old.min(size)) };
        // SAFETY: the caller's obligation.
        unsafe { free(watch, block) };
    }
    moved
}

/// Bytes that were asked for, the only ones that may be used; 0 for what is no live block.
pub(crate) fn usable_size(watch: (Tool, Measures), block: *mut u8) -> usize {
    match with(|_| Watch::find(&Late, watch.0, block)) {
        Found::Live(_, size) => size,
        // SAFETY: not ours.
        Found::Foreign if foreign::is_known() => unsafe { foreign::usable_size(block) },
        Found::Foreign => die(Misuse::Foreign, block),
        Found::Wrong { dead } => die(misuse(dead), block),
    }
}

/// Whether the address lies in memory that blocks are cut from.
pub(crate) fn owns(watch: (Tool, Measures), address: *const u8) -> bool {
    with(|_| {
        let _silence = watch.0.silence();
        Late.around(address).is_some()
    })
}

/// A block of a heap with a lifetime.
pub(crate) fn take_private(
    heap: Heap,
    watch: (Tool, Measures),
    size: usize,
    align: usize,
) -> *mut u8 {
    // Nothing of it waits in quarantine.
    let mut state = Watch::NEW;
    state.take(&mut Private(heap), watch, size, align)
}

/// Frees a block of a heap with a lifetime; dies where it is none.
///
/// # Safety
/// The block is dead afterwards.
pub(crate) unsafe fn free_private(heap: Heap, watch: (Tool, Measures), block: *mut u8) {
    let Found::Live(memory, size) = Watch::find(&Private(heap), watch.0, block) else {
        die(Misuse::Invalid, block)
    };
    if owner_of(block) != heap.tag() >> OWNER_SHIFT {
        die(Misuse::Foreign, block);
    }
    watch.0.died(block, size, watch.1.red_zone_of(size));
    let _silence = watch.0.silence();
    // SAFETY: the memory around a block that died just now.
    unsafe { Private(heap).give(memory.start) };
}

/// Lets everything that lives in a heap with a lifetime die, before its memory is given back.
pub(crate) fn bury_private(heap: Heap, watch: (Tool, Measures)) {
    let bury = |start: *mut u8, bytes: usize| {
        if let Some((block, size)) = Watch::resident(watch.0, Memory { start, bytes }) {
            watch.0.died(block, size, watch.1.red_zone_of(size));
        }
    };
    let _silence = watch.0.silence();
    for offset in (0..OFFSETS_END).step_by(GRAIN) {
        let size = class::at(offset).size as usize;
        let Ok(()) = heap.each_pool(offset, |pool| {
            for at in 0..usize::from(pool.carved()) {
                bury(pool.start().wrapping_add(at * size), size);
            }
            Ok::<(), Infallible>(())
        });
    }
    let mut span = heap.fields().large;
    while !span.is_null() {
        bury(span.start(), usize::from(span.slices()) * SLICE_BYTES);
        span = span.next();
    }
    huge::each(heap.tag() >> OWNER_SHIFT, bury);
}

/// Number of the private heap that the block belongs to, or 0 for the process's.
fn owner_of(block: *mut u8) -> u32 {
    let watch = settings::watch();
    let _silence = watch.and_then(|(tool, _)| tool.silence());
    match range::locate(block) {
        Some((range, index)) => {
            let owner = range.entry(index) >> OWNER_SHIFT;
            let is_private = owner != 0 && threads::heap_of(owner).is_private();
            if is_private { owner } else { 0 }
        }
        None => huge::around(block).map_or(0, |found| found.2),
    }
}

/// The late heap, from which the process's blocks are cut.
struct Late;

impl Base for Late {
    fn take(&mut self, bytes: usize, align: usize) -> *mut u8 {
        threads::with_late(|heap| take(heap, bytes, align)).unwrap_or(ptr::null_mut())
    }

    unsafe fn give(&mut self, memory: *mut u8) {
        // SAFETY: the caller's obligation.
        threads::with_late(|heap| unsafe { give(heap, memory) });
    }

    fn around(&self, address: *const u8) -> Option<Memory> {
        around(address)
    }
}

/// A heap with a lifetime, worked on by its holder (H1).
struct Private(Heap);

impl Base for Private {
    fn take(&mut self, bytes: usize, align: usize) -> *mut u8 {
        take(self.0, bytes, align)
    }

    unsafe fn give(&mut self, memory: *mut u8) {
        // SAFETY: the caller's obligation.
        unsafe { give(self.0, memory) };
    }

    fn around(&self, address: *const u8) -> Option<Memory> {
        around(address)
    }
}

fn take(heap: Heap, bytes: usize, align: usize) -> *mut u8 {
    // A block aligned to more than an OS page may begin behind the first slice of a span, where the
    // map says nothing.
    if align > PLAIN_ALIGN || bytes > LARGE_MAX {
        return huge::take(heap, bytes, GRAIN).0;
    }
    if bytes <= MEDIUM_MAX {
        return heap.take(class::offset_of(bytes));
    }
    large::take(heap, bytes, SLICE_BYTES).0
}

/// # Safety
/// `memory` came from [`take`] for this heap and is not used any more.
unsafe fn give(heap: Heap, memory: *mut u8) {
    let Some((range, index)) = range::locate(memory) else {
        huge::free(memory, if heap.is_private() { heap.tag() >> OWNER_SHIFT } else { 0 });
        return;
    };
    let entry = range.entry(index);
    match kind_of(entry) {
        Kind::Nothing => {}
        Kind::Large => large::free(range.record(index), entry),
        Kind::Pool(offset) => {
            let owner = threads::heap_of(entry >> OWNER_SHIFT);
            // SAFETY: memory of a pool, which the caller lets go of.
            unsafe { super::calls::free_for(heap, owner, range, index, memory, offset) };
        }
    }
}

/// The block of a class, span or mapping that the address lies in.
fn around(address: *const u8) -> Option<Memory> {
    let Some((range, index)) = range::locate(address) else {
        let (start, bytes, _) = huge::around(address)?;
        return Some(Memory { start, bytes });
    };
    match kind_of(range.entry(index)) {
        Kind::Nothing => None,
        Kind::Large => whole(range.record(index)),
        Kind::Pool(offset) => in_pool(range, index, address, offset),
    }
}

fn whole(span: Span) -> Option<Memory> {
    Some(Memory { start: span.start(), bytes: usize::from(span.slices()) * SLICE_BYTES })
}

/// The block of the pool, if it was ever carved.
fn in_pool(range: &Range, index: usize, address: *const u8, offset: usize) -> Option<Memory> {
    let pool = range.record(index).head();
    let bytes = class::at(offset).size as usize;
    let number = (address.addr() - pool.start().addr()) / bytes;
    let start = pool.start().wrapping_add(number * bytes);
    (number < usize::from(pool.carved())).then_some(Memory { start, bytes })
}

/// Address space for the range number `count`, or null, and its length.
pub(crate) fn reserve(count: usize) -> (*mut u8, usize) {
    let mut bytes = if count < LARGE_RANGES_FROM { RANGE_BYTES } else { LARGE_RANGE_BYTES };
    loop {
        let memory = client_heap::take(bytes, ARENA_BYTES);
        if !memory.is_null() || bytes <= 4 * ARENA_BYTES {
            return (memory, bytes);
        }
        bytes /= 2;
    }
}

/// Memory for a huge block, or null: out of bounds, and no root of the leak search.
pub(crate) fn map(tool: Tool, bytes: usize) -> *mut u8 {
    match tool {
        Tool::Memcheck => client_heap::take(bytes, OS_PAGE_BYTES),
        Tool::AddressSanitizer => {
            let memory = os::map(bytes);
            if !memory.is_null() {
                tool.hide(memory, bytes);
            }
            memory
        }
    }
}

/// Gives a huge block's memory back.
pub(crate) fn unmap(tool: Tool, memory: *mut u8, bytes: usize) {
    match tool {
        // SAFETY: `map` gave it, and the table that knew of it has let go.
        Tool::Memcheck => unsafe { client_heap::give(memory) },
        Tool::AddressSanitizer => {
            tool.show(memory, bytes);
            os::unmap(memory, bytes);
        }
    }
}

/// For calls that look at the heap from outside: nothing of it is reported.
pub(crate) fn silence() -> Option<Silence> {
    settings::watch().and_then(|(tool, _)| tool.silence())
}
