//! One word of thread-local storage in the initial-exec model: two instructions, no call.
//!
//! `thread_local!` in a shared library goes through `__tls_get_addr`, which may allocate on first
//! use, and an allocator's door must not. The word is laid out here by hand: zero in a new thread,
//! then a pointer to the thread's [`Writer`], or to one of the two writers that never have room,
//! [`QUIET`] and [`LATE`]. Eight bytes stay far inside the reserve glibc keeps for such storage.
//!
//! Invariant T1: the word is null, `&QUIET`, `&LATE`, or a writer inside the state of this address
//! space, which stays mapped for good (and reads as zeroes in a forked child).

use crate::writer::Writer;
use core::arch::{asm, global_asm};

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".pushsection .tbss.arenabench_recorder_word,\"awT\",@nobits",
    ".balign 8",
    ".globl arenabench_recorder_word",
    ".hidden arenabench_recorder_word",
    ".type arenabench_recorder_word,@object",
    ".size arenabench_recorder_word,8",
    "arenabench_recorder_word: .zero 8",
    ".popsection",
);

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the recorder knows the thread-local storage of x86-64 only");

/// The word of a thread inside the recorder, or of one that is not recorded any more.
pub(crate) static QUIET: Writer = Writer::without_room();

/// The word of a thread whose end was recorded.
pub(crate) static LATE: Writer = Writer::without_room();

/// The calling thread's word.
#[inline(always)]
pub(crate) fn get() -> Option<&'static Writer> {
    let word: *const Writer;
    // SAFETY: reads the word laid out above, which every thread has.
    unsafe {
        asm!(
            "mov {word}, qword ptr [rip + arenabench_recorder_word@GOTTPOFF]",
            "mov {word}, qword ptr fs:[{word}]",
            word = out(reg) word,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    // SAFETY: T1; writers are read and written through atomics alone.
    unsafe { word.as_ref() }
}

/// Sets the calling thread's word.
pub(crate) fn set(writer: &'static Writer) {
    set_word(writer);
}

/// Makes the calling thread one that has not called yet.
pub(crate) fn clear() {
    set_word(core::ptr::null());
}

fn set_word(word: *const Writer) {
    // SAFETY: writes the word laid out above; both callers keep T1.
    unsafe {
        asm!(
            "mov {offset}, qword ptr [rip + arenabench_recorder_word@GOTTPOFF]",
            "mov qword ptr fs:[{offset}], {word}",
            offset = out(reg) _,
            word = in(reg) word,
            options(nostack, preserves_flags),
        );
    }
}
