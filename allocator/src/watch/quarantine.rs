//! Dead memory that waits before it is used again, so that a stale pointer finds nothing alive.
//!
//! Two queues, of small and of large memory, so that a few large blocks do not push out thousands of
//! small ones. They are linked through the headers of the dead (W2), and cost no memory of their own.
//!
//! **Q1** A queue holds memory that is dead and in no list of the heap below, oldest first; `bytes`
//! is its sum.

use core::ptr;

use super::{Base, Header, Memory};

/// Memory from here on counts as large, in bytes.
const LARGE: usize = 32 << 10;

struct Queue {
    oldest: *mut u8,
    newest: *mut u8,
    bytes: usize,
}

impl Queue {
    const EMPTY: Self = Self { oldest: ptr::null_mut(), newest: ptr::null_mut(), bytes: 0 };
}

/// Dead memory, oldest first.
pub(super) struct Quarantine([Queue; 2]);

impl Quarantine {
    pub(super) const EMPTY: Self = Self([Queue::EMPTY; 2]);

    /// Puts memory at the end of its queue.
    ///
    /// # Safety
    /// The memory is the heap's, and in no list (Q1).
    pub(super) unsafe fn add(&mut self, memory: Memory) {
        let queue = &mut self.0[usize::from(memory.bytes >= LARGE)];
        // SAFETY: the caller's obligation.
        unsafe { Header { word: 1, bytes: memory.bytes }.write(memory.start) };
        if queue.newest.is_null() {
            queue.oldest = memory.start;
        } else {
            // SAFETY: Q1: memory in the queue is ours and has a header.
            let last = unsafe { Header::read(queue.newest) };
            let linked = Header { word: memory.start.expose_provenance() | 1, ..last };
            // SAFETY: as above.
            unsafe { linked.write(queue.newest) };
        }
        queue.newest = memory.start;
        queue.bytes += memory.bytes;
    }

    /// Gives the oldest memory back until each queue holds at most `limit` bytes; whether any was.
    pub(super) fn release<B: Base>(&mut self, base: &mut B, limit: usize) -> bool {
        let mut released = false;
        for queue in &mut self.0 {
            while queue.bytes > limit {
                let memory = queue.oldest;
                // SAFETY: Q1: memory in the queue is ours and has a header.
                let header = unsafe { Header::read(memory) };
                let next = ptr::with_exposed_provenance_mut::<u8>(header.word & !1);
                if memory.is_null() || header.word & 1 == 0 || header.bytes > queue.bytes {
                    // The program wrote over the link, which the tool has reported: what hangs on
                    // it is lost.
                    *queue = Queue::EMPTY;
                    break;
                }
                queue.oldest = next;
                if next.is_null() {
                    queue.newest = next;
                }
                queue.bytes -= header.bytes;
                // SAFETY: Q1: dead, and in no list any more.
                unsafe { base.give(memory) };
                released = true;
            }
        }
        released
    }
}
