//! Remote frees: blocks that go back to a heap of another thread.
//!
//! A thread gathers the blocks it frees for others in *chains*, one for each owner and class in a
//! small table, and sends a chain when it is long enough or its place is wanted: one
//! compare-and-swap onto the owner's inbox. The owner takes the whole inbox when a front is empty
//! and keeps the chains by class; a chain then becomes a front as it is, so that no block is looked
//! at between the remote free and the next malloc.
//!
//! ```text
//! chain   block 0 ---> block 1 ---> ... ---> null      first words: links
//!         |second word
//!         v
//!         the chain sent before (inbox), or the next of the class (ClassPools::chains)
//! ```
//! Invariants:
//! * **M1** All blocks of a chain have the same map entry: owner and class.
//! * **M2** A chain is in one outgoing place, one inbox, or one class's list of chains.
//! * **M3** Inboxes are pushed to by anyone and emptied as a whole by whoever works on the heap
//!   (H1), so that no address is ever compared with one that was taken in between.

mod check;

use core::ptr;
use core::sync::atomic::Ordering;

use super::class::OFFSETS_END;
use super::fatal::{Misuse, die};
use super::heap::Heap;
use super::range::{self, OWNER_SHIFT};
use super::slice;
use super::threads;

/// Places for chains that are being gathered: as many as there are classes, so that those of one
/// owner do not turn each other out.
pub(crate) const SLOTS: usize = 64;
/// Blocks of a chain that is sent.
const CHAIN_BLOCKS: u32 = 64;
/// Bytes of a chain that is sent, where that comes first.
const CHAIN_BYTES: u32 = 16 << 10;
/// Chains that a parked heap lets lie before somebody looks after it.
const UNSEEN_CHAINS: u32 = 16;

/// A chain that is being gathered.
pub(crate) struct Outgoing {
    /// Map entry of its blocks; 0 when there are none.
    entry: u32,
    /// Blocks that may still join.
    room: u32,
    first: *mut u8,
}

impl Outgoing {
    pub(crate) const NONE: Self = Self { entry: 0, room: 0, first: ptr::null_mut() };
}

/// Frees a block of another heap.
///
/// # Safety
/// `block` is a live block with the map entry `entry`, dead from here on; the entry's owner is not
/// `heap`, which the caller works on.
pub(crate) unsafe fn free(heap: Heap, block: *mut u8, entry: u32) {
    let slot = (entry >> 4 ^ entry >> OWNER_SHIFT) as usize % SLOTS;
    let outgoing = &mut heap.fields().outgoing[slot];
    if outgoing.entry != entry {
        begin(outgoing, entry, block);
    }
    // SAFETY: the block is dead.
    unsafe { slice::set_link(block, outgoing.first) };
    outgoing.first = block;
    outgoing.room -= 1;
    if outgoing.room == 0 {
        let full = core::mem::replace(outgoing, Outgoing::NONE);
        // SAFETY: M1, M2: it was in this place alone.
        unsafe { send(full.first, full.entry) };
    }
}

/// Sends what is gathered in a place and begins a chain of blocks with another entry.
#[cold]
#[inline(never)]
fn begin(outgoing: &mut Outgoing, entry: u32, block: *mut u8) {
    if threads::heap_of(entry >> OWNER_SHIFT).is_private() {
        // It may be dropped, with all it holds, before the chain arrives.
        die(Misuse::Foreign, block);
    }
    let size = super::class::at((entry & range::LARGE) as usize).size;
    let room = (CHAIN_BYTES / size).clamp(1, CHAIN_BLOCKS);
    let old = core::mem::replace(outgoing, Outgoing { entry, room, first: ptr::null_mut() });
    if old.entry != 0 {
        // SAFETY: M1, M2: it was in this place alone.
        unsafe { send(old.first, old.entry) };
    }
}

/// Sends a chain to its owner.
///
/// # Safety
/// The chain keeps M1 for `entry`, and is nowhere else (M2).
pub(crate) unsafe fn send(chain: *mut u8, entry: u32) {
    let owner = threads::heap_of(entry >> OWNER_SHIFT);
    let inbox = owner.inbox();
    let mut newest = inbox.newest.load(Ordering::Relaxed);
    loop {
        // SAFETY: the chain is ours until it is in the inbox.
        unsafe { slice::set_second(chain, newest) };
        // Release: pairs with the acquire in `collect`; links and contents come before.
        let sent =
            inbox.newest.compare_exchange_weak(newest, chain, Ordering::Release, Ordering::Relaxed);
        match sent {
            Ok(_) => break,
            Err(other) => newest = other,
        }
    }
    if inbox.parked.load(Ordering::Relaxed)
        && inbox.unseen.fetch_add(1, Ordering::Relaxed) >= UNSEEN_CHAINS
    {
        threads::look_after(owner);
    }
}

/// Takes what others sent and keeps it by class. The caller works on the heap (H1).
pub(crate) fn collect(heap: Heap) {
    let inbox = heap.inbox();
    if inbox.newest.load(Ordering::Relaxed).is_null() {
        return;
    }
    // Acquire: pairs with the release in `send`.
    let mut chain = inbox.newest.swap(ptr::null_mut(), Ordering::Acquire);
    let mut previous = chain;
    while !chain.is_null() {
        // By M1 a block of this heap, unless the program wrote into the block before.
        let Some((range, index)) = range::locate(chain) else { die(Misuse::SmashedLink, previous) };
        // SAFETY: M2: the chain was in the inbox and is ours.
        let next = unsafe { slice::second(chain) };
        let offset = (range.entry(index) & range::LARGE) as usize;
        debug_assert!(offset < OFFSETS_END);
        // SAFETY: M1, M2.
        unsafe { heap.keep_chain(offset, chain) };
        (chain, previous) = (next, chain);
    }
}

/// Sends everything that is being gathered.
pub(crate) fn send_all(heap: Heap) {
    for slot in 0..SLOTS {
        let outgoing = core::mem::replace(&mut heap.fields().outgoing[slot], Outgoing::NONE);
        if outgoing.entry != 0 {
            // SAFETY: M1, M2: it was in this place alone.
            unsafe { send(outgoing.first, outgoing.entry) };
        }
    }
}
