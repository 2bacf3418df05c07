// Thread heaps, as far as the protocols see them. Included once for every copy of the code.

use super::remote::{self, Outgoing};
use crate::atomic::{AtomicBool, AtomicPtr, AtomicU32, Turn};
use crate::blocks;
use crate::blocks::range::{Extent, OWNER_SHIFT};
use crate::blocks::slice;

pub(crate) struct ThreadHeap {
    tag: u32,
    pub(crate) range: Extent,
    pub(crate) is_private: bool,
    pub(crate) outgoing: [Outgoing; remote::SLOTS],
    pub(crate) next_parked: *mut ThreadHeap,
    pub(crate) inbox: Inbox,
    /// H1: one thread at a time.
    work: Turn,
}

pub(crate) struct Inbox {
    pub(crate) newest: AtomicPtr<u8>,
    pub(crate) unseen: AtomicU32,
    pub(crate) parked: AtomicBool,
}

// SAFETY: what is shared is shared through the model checker's atomics and cells.
unsafe impl Sync for ThreadHeap {}

impl ThreadHeap {
    pub(crate) const fn empty() -> Self {
        let inbox = Inbox {
            newest: AtomicPtr::new(std::ptr::null_mut()),
            unseen: AtomicU32::new(0),
            parked: AtomicBool::new(false),
        };
        Self::with(u32::MAX, inbox)
    }

    const fn with(tag: u32, inbox: Inbox) -> Self {
        Self {
            tag,
            range: Extent::NONE,
            is_private: false,
            outgoing: [const { Outgoing::NONE }; remote::SLOTS],
            next_parked: std::ptr::null_mut(),
            inbox,
            work: Turn::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heap(pub(crate) *mut ThreadHeap);

// SAFETY: what is shared is shared through the model checker's atomics and cells.
unsafe impl Send for Heap {}

impl Heap {
    pub(crate) unsafe fn create(memory: *mut ThreadHeap, number: u32) -> Self {
        let inbox = Inbox {
            newest: AtomicPtr::of_this_run(std::ptr::null_mut()),
            unseen: AtomicU32::of_this_run(0),
            parked: AtomicBool::of_this_run(false),
        };
        // SAFETY: the caller's obligation.
        unsafe { memory.write(ThreadHeap::with(number << OWNER_SHIFT, inbox)) };
        Self(memory)
    }

    pub(crate) fn tag(self) -> u32 {
        // SAFETY: heaps stay for the rest of the process.
        unsafe { (*self.0).tag }
    }

    pub(crate) fn fields<'a>(self) -> &'a mut ThreadHeap {
        // SAFETY: as above.
        unsafe { (*self.0).work.touch() };
        // SAFETY: H1, which was just checked.
        unsafe { &mut *self.0 }
    }

    pub(crate) fn inbox<'a>(self) -> &'a Inbox {
        // SAFETY: heaps stay for the rest of the process.
        unsafe { &(*self.0).inbox }
    }

    pub(crate) unsafe fn keep_chain(self, offset: usize, chain: *mut u8) {
        self.fields();
        // A chain that is made a list twice leads into itself.
        assert!(!blocks::is_home(chain), "a block came home twice");
        // SAFETY: the caller's obligation.
        let mut block = unsafe { remote::unroll(chain, self.tag() | offset as u32) };
        while !block.is_null() {
            blocks::came_home(block);
            // SAFETY: a block of the chain.
            block = unsafe { slice::link(block) };
        }
    }

    pub(crate) fn is_private(self) -> bool {
        false
    }

    pub(crate) fn settle(self) {
        remote::send_all(self);
        remote::collect(self);
    }
}
