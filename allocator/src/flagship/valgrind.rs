//! Whether the process runs under Valgrind.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

const UNKNOWN: u8 = 0;
const NATIVE: u8 = 1;
const RUNNING: u8 = 2;

static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);

/// `RUNNING_ON_VALGRIND`.
const REQUEST: usize = 0x1001;

/// Whether the process runs under Valgrind; asked once.
pub(crate) fn is_running() -> bool {
    match ANSWER.load(Ordering::Relaxed) {
        UNKNOWN => {
            let running = ask();
            ANSWER.store(if running { RUNNING } else { NATIVE }, Ordering::Relaxed);
            running
        }
        answer => answer == RUNNING,
    }
}

/// Valgrind's client request: rotations that add up to nothing, which only Valgrind understands.
fn ask() -> bool {
    let arguments = [REQUEST, 0, 0, 0, 0, 0];
    let result: usize;
    // SAFETY: natively a no-op that leaves every register as it was.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") 0_usize => result,
            options(nostack),
        );
    }
    result > 0
}
