//! Reference subjects: yardsticks nobody would run.
//!
//! * `null` hands out addresses that were assigned before the replay began and is not called at all:
//!   what it costs is the harness, the floor under every figure.
//! * `bump` moves a pointer and never reuses memory until everything is free.
//! * `ideal` keeps one intrusive list for every multiple of 16 bytes and is told the size at free, so
//!   it needs no ownership test, no header and no class look-up. It is no floor: it has no locality.
//!
//! All three take memory from one reservation of [`RESERVED_BYTES`] and return null beyond it. They
//! serve one thread, but for `null`, which is not called.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::Arc;

use super::single_thread::SingleThread;
use crate::os::Mapping;
use crate::plan::op::{Extent, Place};
use crate::replay::allocator::{Allocator, FunctionTable};

/// Address space each reference reserves, in bytes.
const RESERVED_BYTES: usize = 16 << 30;
/// Spacing and alignment of blocks, in bytes.
const GRAIN: usize = 16;
/// Largest block with a list of its own size in `ideal`, in bytes; larger ones share powers of two.
const EXACT_BYTES: usize = 32 << 10;
const EXACT_LISTS: usize = EXACT_BYTES / GRAIN + 1;

/// `[next, end)` is memory nobody has been given yet.
struct Region {
    next: *mut u8,
    end: *mut u8,
    start: *mut u8,
}

impl Region {
    const EMPTY: Self =
        Self { next: ptr::null_mut(), end: ptr::null_mut(), start: ptr::null_mut() };

    fn reserve(&mut self) -> io::Result<()> {
        let mapping = std::mem::ManuallyDrop::new(Mapping::reserved(RESERVED_BYTES)?);
        self.start = mapping.start();
        self.next = self.start;
        self.end = self.start.wrapping_add(mapping.len());
        Ok(())
    }

    /// `bytes`, a multiple of `GRAIN`, aligned to `align`; null when the reservation is used up.
    #[inline(always)]
    fn take(&mut self, bytes: usize, align: usize) -> *mut u8 {
        let padding = self.next.addr().wrapping_neg() & (align - 1);
        let room = self.end.addr() - self.next.addr();
        if bytes.saturating_add(padding) > room {
            return ptr::null_mut();
        }
        let block = self.next.wrapping_add(padding);
        self.next = block.wrapping_add(bytes);
        block
    }
}

/// Memory of [`Bump`], with the number of live blocks.
struct Bump {
    region: Region,
    live: usize,
}

static BUMP: SingleThread<Bump> =
    SingleThread(UnsafeCell::new(Bump { region: Region::EMPTY, live: 0 }));

impl Bump {
    #[inline(always)]
    fn take(&mut self, size: usize, align: usize) -> *mut u8 {
        // One grain in front of the block holds its size, for realloc and the usable size.
        let bytes = match size.max(1).checked_next_multiple_of(GRAIN) {
            Some(bytes) => bytes,
            None => return ptr::null_mut(),
        };
        let start = self.region.take(bytes.saturating_add(align.max(GRAIN)), align.max(GRAIN));
        if start.is_null() {
            return start;
        }
        self.live += 1;
        let block = start.wrapping_add(align.max(GRAIN));
        // SAFETY: the grain before `block` was taken together with it.
        unsafe { block.wrapping_sub(8).cast::<usize>().write(bytes) };
        block
    }

    #[inline(always)]
    fn give(&mut self) {
        self.live -= 1;
        if self.live == 0 {
            self.region.next = self.region.start;
        }
    }
}

unsafe extern "C" fn bump_malloc(size: usize) -> *mut c_void {
    // SAFETY: references serve one thread and do not call themselves.
    unsafe { BUMP.get() }.take(size, GRAIN).cast()
}

unsafe extern "C" fn bump_aligned(align: usize, size: usize) -> *mut c_void {
    // SAFETY: as in `bump_malloc`.
    unsafe { BUMP.get() }.take(size, align).cast()
}

unsafe extern "C" fn bump_calloc(count: usize, size: usize) -> *mut c_void {
    let Some(bytes) = count.checked_mul(size) else { return ptr::null_mut() };
    // SAFETY: as in `bump_malloc`.
    let block = unsafe { BUMP.get() }.take(bytes, GRAIN);
    if !block.is_null() {
        // SAFETY: a fresh block of `bytes` bytes.
        unsafe { block.write_bytes(0, bytes) };
    }
    block.cast()
}

unsafe extern "C" fn bump_realloc(old: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: as in `bump_malloc`.
    let block = unsafe { bump_malloc(size) };
    if !old.is_null() && !block.is_null() {
        // SAFETY: `old` came from this allocator.
        let bytes = unsafe { bump_usable_size(old) }.min(size);
        // SAFETY: both blocks hold `bytes` bytes and are distinct.
        unsafe { ptr::copy_nonoverlapping(old.cast::<u8>(), block.cast::<u8>(), bytes) };
        // SAFETY: `old` came from this allocator.
        unsafe { bump_free(old) };
    }
    block
}

unsafe extern "C" fn bump_free(block: *mut c_void) {
    if !block.is_null() {
        // SAFETY: as in `bump_malloc`.
        unsafe { BUMP.get() }.give();
    }
}

unsafe extern "C" fn bump_usable_size(block: *mut c_void) -> usize {
    let size = block.cast::<u8>().wrapping_sub(8).cast::<usize>();
    // SAFETY: `take` wrote the size in front of every block.
    unsafe { size.read() }
}

/// Readies `bump` and gives its functions.
pub(super) fn bump() -> io::Result<FunctionTable> {
    // SAFETY: as in `bump_malloc`.
    unsafe { BUMP.get() }.region.reserve()?;
    Ok(FunctionTable {
        malloc: bump_malloc,
        calloc: bump_calloc,
        realloc: bump_realloc,
        aligned_alloc: bump_aligned,
        free: bump_free,
        usable_size: Some(bump_usable_size),
    })
}

/// Lists and memory of `ideal`.
struct Ideal {
    region: Region,
    exact: [*mut u8; EXACT_LISTS],
    powers: [*mut u8; usize::BITS as usize],
}

static IDEAL: SingleThread<Ideal> = SingleThread(UnsafeCell::new(Ideal {
    region: Region::EMPTY,
    exact: [ptr::null_mut(); EXACT_LISTS],
    powers: [ptr::null_mut(); usize::BITS as usize],
}));

impl Ideal {
    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        if size <= EXACT_BYTES {
            let grains = size.max(1).div_ceil(GRAIN);
            let list = &mut self.exact[grains];
            let head = *list;
            if head.is_null() {
                return self.region.take(grains * GRAIN, GRAIN);
            }
            // SAFETY: blocks on a list hold the pointer to the next one.
            *list = unsafe { head.cast::<*mut u8>().read() };
            return head;
        }
        self.take_large(size)
    }

    #[cold]
    #[inline(never)]
    fn take_large(&mut self, size: usize) -> *mut u8 {
        let Some(bytes) = size.checked_next_power_of_two() else { return ptr::null_mut() };
        let list = &mut self.powers[bytes.ilog2() as usize];
        let head = *list;
        if head.is_null() {
            return self.region.take(bytes, GRAIN);
        }
        // SAFETY: blocks on a list hold the pointer to the next one.
        *list = unsafe { head.cast::<*mut u8>().read() };
        head
    }

    /// A block at an aligned address; once freed it serves its size like any other.
    #[cold]
    fn take_aligned(&mut self, align: usize, size: usize) -> *mut u8 {
        let bytes = if size <= EXACT_BYTES {
            size.max(1).next_multiple_of(GRAIN)
        } else {
            match size.checked_next_power_of_two() {
                Some(bytes) => bytes,
                None => return ptr::null_mut(),
            }
        };
        self.region.take(bytes, align.max(GRAIN))
    }

    #[inline(always)]
    fn give(&mut self, block: *mut u8, size: usize) {
        let list = if size <= EXACT_BYTES {
            &mut self.exact[size.max(1).div_ceil(GRAIN)]
        } else {
            &mut self.powers[size.next_power_of_two().ilog2() as usize]
        };
        // SAFETY: a dead block of at least one grain is ours to write.
        unsafe { block.cast::<*mut u8>().write(*list) };
        *list = block;
    }

    /// Realloc of a block of `old` bytes.
    fn resize(&mut self, block: *mut u8, old: usize, size: usize) -> *mut u8 {
        let moved = self.take(size);
        if !moved.is_null() {
            // SAFETY: both blocks hold the smaller size and are distinct.
            unsafe { ptr::copy_nonoverlapping(block, moved, old.min(size)) };
            self.give(block, old);
        }
        moved
    }
}

/// Readies the one `ideal` of this process.
fn reserve_ideal() -> io::Result<()> {
    // SAFETY: references serve one thread and do not call themselves.
    unsafe { IDEAL.get() }.region.reserve()
}

extern "C" fn ideal_malloc(size: usize) -> *mut u8 {
    // SAFETY: as in `reserve_ideal`.
    unsafe { IDEAL.get() }.take(size)
}

extern "C" fn ideal_aligned(align: usize, size: usize) -> *mut u8 {
    // SAFETY: as in `reserve_ideal`.
    unsafe { IDEAL.get() }.take_aligned(align, size)
}

extern "C" fn ideal_realloc(block: *mut u8, old: usize, size: usize) -> *mut u8 {
    // SAFETY: as in `reserve_ideal`.
    unsafe { IDEAL.get() }.resize(block, old, size)
}

extern "C" fn ideal_free(block: *mut u8, size: usize) {
    // SAFETY: as in `reserve_ideal`.
    unsafe { IDEAL.get() }.give(block, size);
}

/// `ideal` through C functions that are told the size at free.
pub(crate) struct IdealByCall {
    malloc: extern "C" fn(usize) -> *mut u8,
    aligned: extern "C" fn(usize, usize) -> *mut u8,
    realloc: extern "C" fn(*mut u8, usize, usize) -> *mut u8,
    free: extern "C" fn(*mut u8, usize),
}

impl IdealByCall {
    /// Readies the one `ideal` of this process.
    pub(crate) fn new() -> io::Result<Self> {
        reserve_ideal()?;
        // Opaque to the compiler, as the functions of a library are.
        Ok(std::hint::black_box(Self {
            malloc: ideal_malloc,
            aligned: ideal_aligned,
            realloc: ideal_realloc,
            free: ideal_free,
        }))
    }
}

/// Zeroes a block that was just handed out.
fn zeroed(block: *mut u8, size: usize) -> *mut u8 {
    if !block.is_null() {
        // SAFETY: a fresh block of `size` bytes.
        unsafe { block.write_bytes(0, size) };
    }
    block
}

// SAFETY: blocks come from the region or from a list of dead blocks, and are handed out once.
unsafe impl Allocator for IdealByCall {
    #[inline(always)]
    fn malloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        (self.malloc)(size)
    }

    fn calloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        zeroed((self.malloc)(size), size)
    }

    fn aligned(&mut self, _slot: Place, extent: Extent) -> *mut u8 {
        (self.aligned)(extent.align, extent.size)
    }

    #[inline(always)]
    unsafe fn realloc(&mut self, _slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8 {
        (self.realloc)(ptr, old.size, size)
    }

    #[inline(always)]
    unsafe fn free(&mut self, _slot: Place, ptr: *mut u8, old: Extent) {
        (self.free)(ptr, old.size);
    }
}

/// `ideal` inlined into the replay loop.
pub(crate) struct IdealInline(());

impl IdealInline {
    /// Readies the one `ideal` of this process.
    pub(crate) fn new() -> io::Result<Self> {
        reserve_ideal()?;
        Ok(Self(()))
    }
}

// SAFETY: as for `IdealByCall`.
unsafe impl Allocator for IdealInline {
    #[inline(always)]
    fn malloc(&mut self, _slot: Place, size: usize) -> *mut u8 {
        // SAFETY: as in `reserve_ideal`.
        unsafe { IDEAL.get() }.take(size)
    }

    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        zeroed(self.malloc(slot, size), size)
    }

    fn aligned(&mut self, _slot: Place, extent: Extent) -> *mut u8 {
        ideal_aligned(extent.align, extent.size)
    }

    #[inline(always)]
    unsafe fn realloc(&mut self, _slot: Place, ptr: *mut u8, old: Extent, size: usize) -> *mut u8 {
        // SAFETY: as in `reserve_ideal`.
        unsafe { IDEAL.get() }.resize(ptr, old.size, size)
    }

    #[inline(always)]
    unsafe fn free(&mut self, _slot: Place, ptr: *mut u8, old: Extent) {
        // SAFETY: as in `reserve_ideal`.
        unsafe { IDEAL.get() }.give(ptr, old.size);
    }
}

/// The subject `null`: gives every slot the address that was assigned to it.
pub(crate) struct Null(Arc<Assigned>);

/// The address of every slot.
struct Assigned {
    addresses: Vec<*mut u8>,
    _memory: Mapping,
}

// SAFETY: the addresses are never used here, only told.
unsafe impl Send for Assigned {}
// SAFETY: as above, and nothing in it changes.
unsafe impl Sync for Assigned {}

impl Null {
    /// Assigns to every slot room for the largest block it will hold, `sizes[slot]` bytes.
    pub(crate) fn new(sizes: &[u64]) -> io::Result<Self> {
        let rounded = sizes.iter().map(|size| size.next_multiple_of(GRAIN as u64));
        let total = rounded.fold(0, u64::saturating_add);
        let memory = Mapping::reserved(total as usize)?;
        let mut next = memory.start();
        let addresses = sizes
            .iter()
            .map(|size| {
                let here = next;
                next = next.wrapping_add(size.next_multiple_of(GRAIN as u64) as usize);
                here
            })
            .collect();
        Ok(Self(Arc::new(Assigned { addresses, _memory: memory })))
    }
}

// SAFETY: slots have disjoint memory, large enough for every block they will hold.
unsafe impl Allocator for Null {
    const ASSIGNED: bool = true;

    fn another(&self) -> Option<Self> {
        Some(Self(Arc::clone(&self.0)))
    }

    unsafe fn assign(&mut self, pointers: *mut *mut u8) {
        for (slot, &address) in self.0.addresses.iter().enumerate() {
            // SAFETY: the caller's obligation: there is room for every slot.
            unsafe { pointers.wrapping_add(slot).write(address) };
        }
    }

    fn malloc(&mut self, slot: Place, _size: usize) -> *mut u8 {
        self.0.addresses[slot.index()]
    }

    fn calloc(&mut self, slot: Place, size: usize) -> *mut u8 {
        let block = self.malloc(slot, size);
        // SAFETY: the slot has room for its largest block.
        unsafe { block.write_bytes(0, size) };
        block
    }

    fn aligned(&mut self, slot: Place, extent: Extent) -> *mut u8 {
        self.malloc(slot, extent.size)
    }

    #[inline(always)]
    unsafe fn realloc(
        &mut self,
        _slot: Place,
        ptr: *mut u8,
        _old: Extent,
        _size: usize,
    ) -> *mut u8 {
        ptr
    }

    #[inline(always)]
    unsafe fn free(&mut self, _slot: Place, _ptr: *mut u8, _old: Extent) {}
}
