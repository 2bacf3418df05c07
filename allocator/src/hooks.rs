//! Debug hooks: CPython's, era by era, around any allocator.
//!
//! The layer asks the allocator below it for more than it was asked for and writes around the data.
//! Offsets are from the data, `n` is its size; numbers are big-endian.
//!
//! ```text
//!            CPython 2.3            since 2.7
//! lead       ... -0x08              ... -0x10    wide blocks: distance to the inner block (H3)
//!                                                with a list: older, newer block (H4)
//! size       -0x08  4 bytes         -0x10  8 bytes
//! domain     none                   -0x08  1 byte: 'r', 'm', 'o'; upper case if wide
//! guard      -0x04  4 bytes         -0x07  7 bytes
//! data        0x00  n               0x00   n
//! guard       n     4 bytes         n      8 bytes
//! serial      n+4   4 bytes         n+8    8 bytes, optional since 3.8
//! ```
//!
//! * H1: guards hold the era's guard byte; the domain is the one that the block was asked from.
//! * H2: header, data and trailer fit into the inner block.
//! * H3: a block is marked wide iff its alignment is more than the header keeps; then the word in
//!   front of header and links holds the distance to the inner block. The mark is bit 0x20 of the
//!   domain, in 2.3 bit 0x01 of the first guard byte.
//! * H4: with `LIST`, the live blocks are linked oldest first, and no others are.
//!
//! [`DebugHooks::check`] is the validator of H1 to H3; every free and realloc runs it.
//! [`DebugHooks::validate`] is that of H4, and checks every live block. A block that fails ends the process with the report that `hooks/report.rs` draws. Layout and bytes follow
//! CPython's Objects/obmalloc.c; the wording, the list and wide alignment are ours.

mod block;
pub(crate) mod era;
pub(crate) mod live;
pub(crate) mod report;
pub(crate) mod serial;

use core::marker::PhantomData;
use core::ops::Range;
use core::ptr;

use crate::next::NextAllocator;
use crate::presets::{Pymalloc23, Pymalloc39, Pymalloc311};
use crate::sys;
use block::Block;
use era::{Era, Python23Hooks, Python27Hooks, Python38Hooks};
use report::{Damage, die};
use serial::arenite_serial_number;

/// Bytes at each end of the data that a realloc erases in the old place.
const ERASED: usize = 64;

/// A domain of CPython's memory calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// `PyMem_Raw*`.
    Raw,
    /// `PyMem_*`.
    Mem,
    /// `PyObject_*`.
    Object,
}

impl Domain {
    /// Its letter in a block's header.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Raw => 'r',
            Self::Mem => 'm',
            Self::Object => 'o',
        }
    }
}

impl Domain {
    /// The domain that a block's header names; any, where it names none.
    pub(crate) fn of_tag(tag: u8) -> Self {
        let all = [Self::Raw, Self::Mem, Self::Object];
        let named = all.into_iter().find(|domain| domain.letter() == char::from(tag | 0x20));
        named.unwrap_or(Self::Object)
    }
}

/// Sizes and offsets that follow from era and list.
struct Layout<E, const LIST: bool>(PhantomData<E>);

impl<E: Era, const LIST: bool> Layout<E, LIST> {
    /// Bytes of size, domain and guard.
    const HEADER: isize = 2 * E::FIELD as isize;
    /// Bytes before the data, of a block that is not wide.
    const LEAD: usize = 2 * E::FIELD + if LIST { 16 } else { 0 };
    /// Bytes behind the data.
    const TRAILER: usize = E::FIELD * if E::SERIAL { 2 } else { 1 };
    /// The mark of a wide block.
    const WIDE: u8 = if E::NAMES_DOMAIN { 0x20 } else { 0x01 };
    /// Largest size that the size field can hold.
    const MAX: usize = if E::FIELD == 4 { u32::MAX as usize } else { isize::MAX as usize };

    const fn tag(domain: Domain) -> u8 {
        if E::NAMES_DOMAIN { domain.letter() as u8 } else { E::GUARD }
    }

    /// Offsets of the guard before the data, without the byte that may be marked.
    const fn guard_before() -> Range<isize> {
        1 - E::FIELD as isize..0
    }
}

const _: () = {
    const fn overhead<E: Era>() -> usize {
        Layout::<E, false>::LEAD + Layout::<E, false>::TRAILER
    }
    assert!(overhead::<Python23Hooks>() == 16);
    assert!(overhead::<Python27Hooks>() == 32);
    assert!(overhead::<Python38Hooks>() == 24);
    assert!(overhead::<Python38Hooks<true>>() == 32);
    // Data is aligned as the inner block is: to 8 in 2.3, to 16 since.
    assert!(Layout::<Python23Hooks, true>::LEAD.is_multiple_of(8));
    assert!(Layout::<Python38Hooks, true>::LEAD.is_multiple_of(16));
};

/// Whether a pointer's value looks like one read from memory that was never set or was freed: it is
/// null, or every byte of it is the era's clean, dead or guard byte.
#[must_use]
pub fn looks_freed<E: Era>(ptr: *const u8) -> bool {
    let patterns = [0, E::CLEAN, E::DEAD, E::GUARD];
    patterns.iter().any(|&byte| ptr.addr() == usize::from_ne_bytes([byte; 8]))
}

/// Debug hooks of era `E` around the allocator `A`, with a list of the live blocks if `LIST`.
///
/// ```
/// use arenite::{DebugHooks, Domain, Pymalloc39, Python38Hooks, SystemMalloc};
///
/// let heap = Pymalloc39::preset(SystemMalloc);
/// let mut hooks: DebugHooks<_, Python38Hooks> = DebugHooks::new(heap);
/// let block = hooks.malloc(Domain::Object, 24);
/// // SAFETY: a live block of 24 bytes, freed once.
/// unsafe {
///     assert_eq!(block.read(), 0xcd, "fresh memory shows");
///     hooks.free(Domain::Object, block);
/// }
/// ```
pub struct DebugHooks<A, E, const LIST: bool = false> {
    inner: A,
    serial: u64,
    break_at: u64,
    oldest: *mut u8,
    newest: *mut u8,
    era: PhantomData<fn() -> E>,
}

// SAFETY: the list's blocks are the layer's alone, so it may change threads with its allocator.
unsafe impl<A: Send, E, const LIST: bool> Send for DebugHooks<A, E, LIST> {}

impl<A: NextAllocator, E: Era, const LIST: bool> DebugHooks<A, E, LIST> {
    /// Hooks around `inner`, which must be served from nowhere else.
    #[must_use]
    pub const fn new(inner: A) -> Self {
        let (oldest, newest) = (ptr::null_mut(), ptr::null_mut());
        Self { inner, serial: 0, break_at: 0, oldest, newest, era: PhantomData }
    }

    /// The allocator below.
    pub const fn inner(&self) -> &A {
        &self.inner
    }

    /// The allocator below. What is freed there behind the hooks' back must not be theirs.
    pub const fn inner_mut(&mut self) -> &mut A {
        &mut self.inner
    }

    /// Raises `SIGTRAP` when this serial number is given out; 0 for never.
    pub const fn break_at(&mut self, serial: u64) {
        self.break_at = serial;
    }

    /// A block of `size` clean bytes, or null when it is refused.
    pub fn malloc(&mut self, domain: Domain, size: usize) -> *mut u8 {
        let Some(total) = Self::total(Layout::<E, LIST>::LEAD, size) else {
            return ptr::null_mut();
        };
        let base = self.inner.malloc(total);
        let data = self.settle(base, Layout::<E, LIST>::LEAD, domain, size);
        Self::clean(data, 0, size);
        data
    }

    /// A zeroed block of `count * size` bytes, or null, also when the product overflows.
    pub fn calloc(&mut self, domain: Domain, count: usize, size: usize) -> *mut u8 {
        let Some(size) = count.checked_mul(size) else { return ptr::null_mut() };
        let Some(total) = Self::total(Layout::<E, LIST>::LEAD, size) else {
            return ptr::null_mut();
        };
        let base = self.inner.calloc(1, total);
        self.settle(base, Layout::<E, LIST>::LEAD, domain, size)
    }

    /// A block of `size` clean bytes aligned to `align`, a power of two, or null.
    pub fn aligned_alloc(&mut self, domain: Domain, align: usize, size: usize) -> *mut u8 {
        if align <= 2 * E::FIELD {
            return self.malloc(domain, size);
        }
        // Room for the distance word as well (H3).
        let lead = (Layout::<E, LIST>::LEAD + 8).checked_next_multiple_of(align);
        let Some((lead, total)) = lead.and_then(|lead| Some((lead, Self::total(lead, size)?)))
        else {
            return ptr::null_mut();
        };
        let base = self.inner.aligned_alloc(align, total);
        let data = self.settle(base, lead, domain, size);
        Self::clean(data, 0, size);
        data
    }

    /// Resizes a block; growth is clean. Null asks for a new block. On null the old block is as it
    /// was. The place that a block moves from shows the dead byte for up to 64 bytes at each end; a
    /// wide block loses its alignment, as in C.
    ///
    /// # Safety
    /// `ptr` is null or a live block of this layer, dead after a result that is not null. Misuse
    /// that the checks see ends the process instead.
    pub unsafe fn realloc(&mut self, domain: Domain, ptr: *mut u8, size: usize) -> *mut u8 {
        if ptr.is_null() {
            return self.malloc(domain, size);
        }
        // SAFETY: forwarded to the caller.
        let block = unsafe { self.checked(domain, ptr) };
        let old = block.size();
        if Self::is_wide(block) {
            let moved = self.malloc(domain, size);
            if !moved.is_null() {
                // SAFETY: both are live and distinct, and at least this large.
                unsafe { ptr::copy_nonoverlapping(ptr, moved, old.min(size)) };
                // SAFETY: forwarded to the caller.
                unsafe { self.free(domain, ptr) };
            }
            return moved;
        }
        let Some(total) = Self::total(Layout::<E, LIST>::LEAD, size) else {
            return ptr::null_mut();
        };
        let serial = block.serial(old).unwrap_or(0);
        let (head, tail) = (old.min(ERASED), old.saturating_sub(ERASED).min(ERASED));
        let mut saved = [[0; ERASED]; 2];
        block.save(0, &mut saved[0][..head]);
        block.save(old - tail, &mut saved[1][..tail]);
        let header = Layout::<E, LIST>::HEADER;
        block.fill(-header, E::DEAD, header as usize + head);
        block.fill((old - tail) as isize, E::DEAD, tail + Layout::<E, LIST>::TRAILER);

        let base = ptr.wrapping_sub(Layout::<E, LIST>::LEAD);
        // SAFETY: the inner block of a block that is not wide.
        let moved = unsafe { self.inner.realloc(base, total) };
        let (block, kept) = if moved.is_null() {
            (block, old)
        } else {
            // SAFETY: the new inner block holds header, data and trailer.
            (unsafe { Block::new(moved.wrapping_add(Layout::<E, LIST>::LEAD)) }, old.min(size))
        };
        block.restore(0, &saved[0][..head.min(kept)]);
        let tail_kept = kept.saturating_sub(old - tail).min(tail);
        block.restore(old - tail, &saved[1][..tail_kept]);
        if moved.is_null() {
            block.dress(old, domain, false, serial);
            return ptr::null_mut();
        }
        // The links came along with the lead.
        self.unlink(block);
        let serial = self.bump();
        block.dress(size, domain, false, serial);
        self.link(block);
        Self::clean(block.data(), kept, size);
        block.data()
    }

    /// Checks a block, fills it with the dead byte and frees it; null is ignored.
    ///
    /// # Safety
    /// `ptr` is null or a live block of this layer, dead afterwards. Misuse that the checks see ends
    /// the process instead.
    pub unsafe fn free(&mut self, domain: Domain, ptr: *mut u8) {
        if ptr.is_null() {
            return;
        }
        // SAFETY: forwarded to the caller.
        let block = unsafe { self.checked(domain, ptr) };
        self.unlink(block);
        let lead = Self::lead(block);
        let total = lead + block.size() + Layout::<E, LIST>::TRAILER;
        block.fill(-(lead as isize), E::DEAD, total);
        // SAFETY: the inner block of a live block (H2, H3).
        unsafe { self.inner.free(ptr.wrapping_sub(lead)) };
    }

    /// Bytes that were asked for; there are no more that may be used.
    ///
    /// # Safety
    /// `ptr` is a live block of this layer.
    pub unsafe fn usable_size(&self, ptr: *mut u8) -> usize {
        // SAFETY: forwarded to the caller.
        unsafe { Block::<E, LIST>::new(ptr) }.size()
    }

    /// What is wrong with a block (H1 to H3), if anything, in the order in which it is looked for.
    ///
    /// # Safety
    /// `ptr` is a block of this layer, possibly overrun, or one that was freed and is still mapped.
    pub unsafe fn check(&self, domain: Domain, ptr: *mut u8) -> Option<Damage> {
        // SAFETY: forwarded to the caller.
        let block = unsafe { Block::<E, LIST>::new(ptr) };
        let (tag, whole) = (block.tag(), Layout::<E, LIST>::tag(domain));
        if tag == E::DEAD {
            return Some(Damage::DoubleFree);
        }
        if tag != whole && tag != whole ^ Layout::<E, LIST>::WIDE {
            return Some(if E::NAMES_DOMAIN { Damage::WrongDomain } else { Damage::GuardBefore });
        }
        if !Self::is_guarded_before(block) {
            return Some(Damage::GuardBefore);
        }
        if !self.fits(block) {
            return Some(Damage::Size);
        }
        let behind = block.size()..block.size() + E::FIELD;
        let whole = behind.into_iter().all(|offset| block.byte(offset as isize) == E::GUARD);
        (!whole).then_some(Damage::GuardBehind)
    }

    /// # Safety
    /// As for [`check`](Self::check).
    unsafe fn checked(&self, domain: Domain, ptr: *mut u8) -> Block<E, LIST> {
        // SAFETY: forwarded to the caller.
        let block = unsafe { Block::new(ptr) };
        // SAFETY: forwarded to the caller.
        if let Some(damage) = unsafe { self.check(domain, ptr) } {
            // Below a damaged header the inner block cannot be asked.
            let sound = match damage {
                Damage::GuardBehind => true,
                Damage::WrongDomain => {
                    Self::is_guarded_before(block)
                        && matches!(block.tag() | 0x20, b'r' | b'm' | b'o')
                }
                Damage::DoubleFree | Damage::GuardBefore | Damage::Size | Damage::Links => false,
            };
            die(damage, block, domain, sound && self.fits(block));
        }
        block
    }

    fn is_guarded_before(block: Block<E, LIST>) -> bool {
        Layout::<E, LIST>::guard_before().all(|offset| block.byte(offset) == E::GUARD)
    }

    fn is_wide(block: Block<E, LIST>) -> bool {
        let plain = if E::NAMES_DOMAIN { block.tag() | 0x20 } else { E::GUARD };
        block.tag() != plain
    }

    fn lead(block: Block<E, LIST>) -> usize {
        if Self::is_wide(block) { block.wide_lead() } else { Layout::<E, LIST>::LEAD }
    }

    /// H2; with a distance that is not that of the inner block (H3), it does not fit either.
    fn fits(&self, block: Block<E, LIST>) -> bool {
        let lead = Self::lead(block);
        let base = block.data().wrapping_sub(lead);
        // SAFETY: the header is sound, hence the lead is that of the inner block.
        let room = unsafe { self.inner.usable_size(base) };
        Self::total(lead, block.size()).is_some_and(|total| total <= room)
    }

    /// Bytes to ask for, if the size can be written down and the sum does not overflow.
    fn total(lead: usize, size: usize) -> Option<usize> {
        let around = lead.checked_add(Layout::<E, LIST>::TRAILER)?;
        size.checked_add(around).filter(|&total| total <= Layout::<E, LIST>::MAX)
    }

    /// Dresses a fresh inner block; null stays null.
    fn settle(&mut self, base: *mut u8, lead: usize, domain: Domain, size: usize) -> *mut u8 {
        if base.is_null() {
            return base;
        }
        // SAFETY: the inner block holds lead, data and trailer.
        let block = unsafe { Block::new(base.wrapping_add(lead)) };
        let wide = lead != Layout::<E, LIST>::LEAD;
        if wide {
            block.set_wide_lead(lead);
        }
        let serial = self.bump();
        block.dress(size, domain, wide, serial);
        self.link(block);
        block.data()
    }

    fn clean(data: *mut u8, from: usize, to: usize) {
        if !data.is_null() && from < to {
            // SAFETY: the data of a fresh block, or what a resized one has gained.
            unsafe { data.wrapping_add(from).write_bytes(E::CLEAN, to - from) };
        }
    }

    /// The next serial number; in eras without them, 0.
    fn bump(&mut self) -> u64 {
        if E::SERIAL {
            self.serial += 1;
            arenite_serial_number(self.serial);
            if self.serial == self.break_at {
                // SAFETY: raise has no preconditions.
                let _raised = unsafe { sys::raise(sys::SIGTRAP) };
            }
        }
        self.serial
    }
}

/// `pymalloc-2.3` under the debug hooks of its time.
pub type HookedPymalloc23<N> = DebugHooks<Pymalloc23<N>, Python23Hooks>;
/// `pymalloc-3.9` under the debug hooks of its time.
pub type HookedPymalloc39<N> = DebugHooks<Pymalloc39<N>, Python38Hooks>;
/// `pymalloc-3.11` under the debug hooks of its time.
pub type HookedPymalloc311<N> = DebugHooks<Pymalloc311<N>, Python38Hooks>;
