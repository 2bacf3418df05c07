//! The calling thread's heap: one word of thread-local storage in the initial-exec model.
//!
//! `thread_local!` in a shared library goes through `__tls_get_addr`, a call that may allocate. Here
//! the words are laid out by hand and read in two instructions. The first begins as the address of
//! [`EMPTY`], a heap without blocks that owns nothing, so that the fast paths need not ask whether
//! the thread has a heap: every list is empty and no map entry bears its tag.
//!
//! ```text
//! 0x0  heap    EMPTY, or the thread's heap
//! 0x8  flags   LATE: the thread's destructors have begun; FORKING: it is inside fork
//! ```
//! **T1** The first word is `&EMPTY` or a heap that this thread alone works on.

use core::arch::{asm, global_asm};

use super::heap::ThreadHeap;

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the flagship heap knows the thread-local storage of x86-64 only");

/// The heap of threads that have none.
pub(crate) static EMPTY: ThreadHeap = ThreadHeap::empty();

/// Places of the two words.
const HEAP_AT: usize = 0;
const FLAGS_AT: usize = 8;

const LATE: usize = 1;
const FORKING: usize = 2;

global_asm!(
    ".pushsection .tdata.arenite_thread_0_1,\"awT\",@progbits",
    ".balign 16",
    ".globl arenite_thread_0_1",
    ".hidden arenite_thread_0_1",
    ".type arenite_thread_0_1,@object",
    ".size arenite_thread_0_1,16",
    "arenite_thread_0_1: .quad {empty}",
    ".quad 0",
    ".popsection",
    empty = sym EMPTY,
);

/// The calling thread's heap, or [`EMPTY`].
#[inline(always)]
pub(crate) fn heap() -> *mut ThreadHeap {
    let heap;
    // SAFETY: reads the word laid out above, which every thread has.
    unsafe {
        asm!(
            "mov {heap}, qword ptr [rip + arenite_thread_0_1@GOTTPOFF]",
            "mov {heap}, qword ptr fs:[{heap}]",
            heap = out(reg) heap,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    heap
}

/// Whether `heap` is [`EMPTY`].
#[inline(always)]
pub(crate) fn is_empty(heap: *mut ThreadHeap) -> bool {
    core::ptr::eq(heap, &raw const EMPTY)
}

/// Writes the word at `OFFSET`.
fn write<const OFFSET: usize>(word: usize) {
    // SAFETY: writes one of the words laid out above; T1 is the caller's doing.
    unsafe {
        asm!(
            "mov {at}, qword ptr [rip + arenite_thread_0_1@GOTTPOFF]",
            "mov qword ptr fs:[{at} + {offset}], {word}",
            at = out(reg) _,
            word = in(reg) word,
            offset = const OFFSET,
            options(nostack, preserves_flags),
        );
    }
}

/// Gives the calling thread a heap, or [`EMPTY`].
pub(crate) fn set_heap(heap: *const ThreadHeap) {
    write::<HEAP_AT>(heap.expose_provenance());
}

fn flags() -> usize {
    let flags;
    // SAFETY: reads the word laid out above, which every thread has.
    unsafe {
        asm!(
            "mov {flags}, qword ptr [rip + arenite_thread_0_1@GOTTPOFF]",
            "mov {flags}, qword ptr fs:[{flags} + {offset}]",
            flags = out(reg) flags,
            offset = const FLAGS_AT,
            options(readonly, nostack, preserves_flags),
        );
    }
    flags
}

fn set_flags(flags: usize) {
    write::<FLAGS_AT>(flags);
}

/// Whether the thread is inside fork and holds every lock.
#[inline]
pub(crate) fn forking() -> bool {
    flags() & FORKING != 0
}

/// See [`forking`].
pub(crate) fn set_forking(forking: bool) {
    let others = flags() & !FORKING;
    set_flags(if forking { others | FORKING } else { others });
}

/// Whether the thread's heap was taken from it because the thread is about to end.
pub(crate) fn is_late() -> bool {
    flags() & LATE != 0
}

/// See [`is_late`]; for good.
pub(crate) fn set_late() {
    set_flags(flags() | LATE);
}
