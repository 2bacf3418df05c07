//! Remote frees: blocks that go back to a heap of another thread.
//!
//! A thread gathers the blocks it frees for others in *chains*, one for each owner and class in a
//! small table, and sends a chain when it is long enough or its place is wanted: one
//! compare-and-swap onto the owner's inbox. The owner takes the whole inbox when a front is empty
//! and keeps the chains by class; a chain then becomes a front.
//!
//! What the owner waits for are the lines that the other thread wrote last: were every block of a
//! chain linked to the next, one after the other. So most blocks of a chain are *passengers*: their
//! addresses stand in the words that a *carrier* has beyond its first two, and carriers alone are
//! read.
//!
//! ```text
//! chain   carrier ---> carrier ---> ... ---> null      first words: links, to the carrier before
//!         |second word         words from the third on: passengers; a null where fewer than fit
//!         v
//!         the chain sent before (inbox), or the next of the class (ClassPools::chains)
//! ```
//! Invariants:
//! * **M1** All blocks of a chain, carriers and passengers, have the same map entry: owner and class.
//! * **M2** A chain is in one outgoing place, one inbox, or one class's list of chains.
//! * **M3** Inboxes are pushed to by anyone and emptied as a whole by whoever works on the heap
//!   (H1), so that no address is ever compared with one that was taken in between.
//! * **M4** The first carrier of a chain may have empty seats, all others are full.

pub(crate) mod check;

use core::ptr;
use core::sync::atomic::Ordering;

use super::class::{GRAIN, OFFSETS_END};
use super::fatal::{Misuse, die};
use super::heap::Heap;
use super::range::{self, OWNER_SHIFT};
use super::slice;
use super::threads;

/// Places for chains that are being gathered: no fewer than there are classes, so that those of one
/// owner do not turn each other out.
pub(crate) const SLOTS: usize = 64;
/// Blocks of a chain that is sent.
const CHAIN_BLOCKS: u32 = 64;
/// Bytes of a chain that is sent, where that comes first.
const CHAIN_BYTES: u32 = 16 << 10;
/// Chains that a parked heap lets lie before somebody looks after it.
const UNSEEN_CHAINS: u32 = 16;

/// Passengers that a carrier takes at most.
const MAX_SEATS: u32 = 30;

/// A chain that is being gathered.
pub(crate) struct Outgoing {
    /// Map entry of its blocks; 0 when there are none.
    entry: u32,
    /// Blocks that may still join.
    room: u16,
    /// Passengers that a carrier takes.
    seats: u8,
    /// Passengers of the first carrier.
    taken: u8,
    first: *mut u8,
}

impl Outgoing {
    pub(crate) const NONE: Self =
        Self { entry: 0, room: 0, seats: 0, taken: 0, first: ptr::null_mut() };
}

/// Passengers that a carrier of `size` bytes takes.
fn seats(size: u32) -> u8 {
    (size / size_of::<*mut u8>() as u32 - 2).min(MAX_SEATS) as u8
}

fn block_size(entry: u32) -> u32 {
    super::class::at((entry & range::LARGE) as usize).size
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
    if outgoing.taken == outgoing.seats {
        // SAFETY: the block is dead.
        unsafe { slice::set_link(block, outgoing.first) };
        outgoing.first = block;
        outgoing.taken = 0;
    } else {
        // SAFETY: the carrier is dead and ours; `taken < seats`, which are those of its class.
        unsafe { slice::set_passenger(outgoing.first, outgoing.taken.into(), block) };
        outgoing.taken += 1;
    }
    outgoing.room -= 1;
    if outgoing.room == 0 {
        // SAFETY: M1: gathered by their entry.
        unsafe { send_gathered(outgoing) };
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
    if outgoing.entry != 0 {
        // SAFETY: M1: gathered by their entry.
        unsafe { send_gathered(outgoing) };
    }
    let size = block_size(entry);
    let room = (CHAIN_BYTES / size).clamp(1, CHAIN_BLOCKS) as u16;
    let seats = seats(size);
    // As behind a carrier that is full: the first block is one.
    *outgoing = Outgoing { entry, room, seats, taken: seats, first: ptr::null_mut() };
}

/// Sends what is gathered in a place, which is empty then.
///
/// # Safety
/// The place has blocks, and they keep M1.
#[inline(never)]
unsafe fn send_gathered(outgoing: &mut Outgoing) {
    let chain = core::mem::replace(outgoing, Outgoing::NONE);
    if chain.taken < chain.seats {
        // SAFETY: the carrier is dead and ours; `taken < seats`, which are those of its class.
        unsafe { slice::set_passenger(chain.first, chain.taken.into(), ptr::null_mut()) };
    }
    // SAFETY: M1, M2, M4: it was in this place alone, and where its passengers end is marked.
    unsafe { send(chain.first, chain.entry) };
}

/// Sends a single block to its owner.
///
/// # Safety
/// `block` is a dead pool block with this entry, and in no list.
pub(crate) unsafe fn send_one(block: *mut u8, entry: u32) {
    let seats = seats(block_size(entry));
    let mut chain = Outgoing { entry, room: 0, seats, taken: 0, first: block };
    // SAFETY: the block is dead.
    unsafe { slice::set_link(block, ptr::null_mut()) };
    // SAFETY: M1: a chain of one block.
    unsafe { send_gathered(&mut chain) };
}

/// Sends a chain to its owner.
///
/// # Safety
/// The chain keeps M1 and M4 for `entry`, and is nowhere else (M2).
unsafe fn send(chain: *mut u8, entry: u32) {
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

/// Makes a list of a chain, in which every block leads to the next by its first word. The stores to
/// passengers wait for nobody. Dies where the program wrote into a carrier, or freed one twice, so that the
/// chain leads elsewhere or into itself.
///
/// # Safety
/// The chain keeps M1 and M4 for `entry`, and is the caller's.
pub(crate) unsafe fn unroll(chain: *mut u8, entry: u32) -> *mut u8 {
    let seats = seats(block_size(entry)).into();
    let mut carrier = chain;
    let mut blocks = 0;
    while !carrier.is_null() {
        // SAFETY: M1: carriers are dead blocks of ours; the first by what `collect` found, others by the
        // look that follows.
        let next = unsafe { slice::link(carrier) };
        blocks += 1;
        if blocks > CHAIN_BLOCKS || !(next.is_null() || is_of(next, entry)) {
            die(Misuse::SmashedLink, carrier);
        }
        let mut last = carrier;
        for seat in 0..seats {
            // SAFETY: M1, M4: a carrier of the class.
            let block = unsafe { slice::passenger(carrier, seat) };
            if block.is_null() {
                break;
            }
            if !is_of(block, entry) {
                die(Misuse::SmashedLink, carrier);
            }
            // SAFETY: M1: the passenger is dead and ours, as is the carrier.
            unsafe { slice::set_link(last, block) };
            last = block;
        }
        // SAFETY: as above.
        unsafe { slice::set_link(last, next) };
        carrier = next;
    }
    chain
}

/// Whether an address may be that of a block with this map entry.
fn is_of(block: *mut u8, entry: u32) -> bool {
    block.addr().is_multiple_of(GRAIN)
        && range::locate(block).is_some_and(|(range, index)| range.entry(index) == entry)
}

/// Sends everything that is being gathered.
pub(crate) fn send_all(heap: Heap) {
    for slot in 0..SLOTS {
        let outgoing = &mut heap.fields().outgoing[slot];
        if outgoing.entry != 0 {
            // SAFETY: M1: gathered by their entry.
            unsafe { send_gathered(outgoing) };
        }
    }
}
