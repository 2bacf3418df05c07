//! The tool that watches the process, and the words it is told in.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

use crate::valgrind::{self, Silence};

/// A tool that is told of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Valgrind's memcheck, by client requests.
    Memcheck,
    /// AddressSanitizer, by poisoning.
    AddressSanitizer,
}

const UNKNOWN: u8 = 0;
const NONE: u8 = 1;
const MEMCHECK: u8 = 2;
const ADDRESS_SANITIZER: u8 = 3;

/// Which tool watches, once it is known.
static WATCHER: AtomicU8 = AtomicU8::new(UNKNOWN);

/// The tool that watches this process, unless `is_wanted` says no; asked once.
#[inline]
pub(crate) fn watcher(is_wanted: impl FnOnce() -> bool) -> Option<Tool> {
    // Relaxed: every thread that asks gets the same answer.
    match WATCHER.load(Ordering::Relaxed) {
        NONE => None,
        MEMCHECK => Some(Tool::Memcheck),
        ADDRESS_SANITIZER => Some(Tool::AddressSanitizer),
        _ => look(is_wanted),
    }
}

#[cold]
fn look(is_wanted: impl FnOnce() -> bool) -> Option<Tool> {
    let tool = match is_wanted() {
        false => None,
        true if valgrind::is_memcheck() => Some(Tool::Memcheck),
        true if sanitizer::is_here() => Some(Tool::AddressSanitizer),
        true => None,
    };
    let word = match tool {
        None => NONE,
        Some(Tool::Memcheck) => MEMCHECK,
        Some(Tool::AddressSanitizer) => ADDRESS_SANITIZER,
    };
    WATCHER.store(word, Ordering::Relaxed);
    tool
}

impl Tool {
    /// While it lives, what this thread does to memory out of bounds is not reported.
    pub(crate) fn silence(self) -> Option<Silence> {
        // Our own code is not instrumented by AddressSanitizer.
        (self == Self::Memcheck).then(Silence::begin)
    }

    /// `[block, block + size)` was handed out.
    pub(super) fn born(self, block: *mut u8, size: usize, red_zone: usize) {
        match self {
            Self::Memcheck => valgrind::malloc_like(block, size, red_zone, false),
            Self::AddressSanitizer => sanitizer::unpoison(block, size),
        }
    }

    /// The block was freed.
    pub(crate) fn died(self, block: *mut u8, size: usize, red_zone: usize) {
        match self {
            Self::Memcheck => valgrind::free_like(block, red_zone),
            Self::AddressSanitizer => sanitizer::poison(block, size),
        }
    }

    /// `[start, start + bytes)` is out of bounds for the program.
    pub(crate) fn hide(self, start: *mut u8, bytes: usize) {
        match self {
            Self::Memcheck => valgrind::make_no_access(start, bytes),
            Self::AddressSanitizer => sanitizer::poison(start, bytes),
        }
    }

    /// `[start, start + bytes)` is ordinary memory again.
    pub(crate) fn show(self, start: *mut u8, bytes: usize) {
        match self {
            Self::Memcheck => valgrind::make_defined(start, bytes),
            Self::AddressSanitizer => sanitizer::unpoison(start, bytes),
        }
    }
}

/// AddressSanitizer's two functions, where the program has them: weak symbols, null where not.
mod sanitizer {
    use super::asm;

    type Call = unsafe extern "C" fn(*const u8, usize);

    macro_rules! function {
        ($symbol:literal) => {{
            let address: usize;
            // SAFETY: reads one word of the table of addresses that the loader fills.
            unsafe {
                asm!(
                    // In the same object as the reference, which is strong without it.
                    concat!(".weak ", $symbol),
                    concat!("mov {address}, qword ptr [rip + ", $symbol, "@GOTPCREL]"),
                    address = out(reg) address,
                    options(pure, readonly, nostack, preserves_flags),
                );
            }
            let place = core::ptr::with_exposed_provenance::<()>(address);
            // SAFETY: null, or the function of that name, which has this type.
            unsafe { core::mem::transmute::<*const (), Option<Call>>(place) }
        }};
    }

    /// Whether the program was built with AddressSanitizer.
    pub(super) fn is_here() -> bool {
        function!("__asan_poison_memory_region").is_some()
    }

    /// Puts `[start, start + bytes)` out of bounds.
    pub(super) fn poison(start: *mut u8, bytes: usize) {
        if let Some(call) = function!("__asan_poison_memory_region") {
            // SAFETY: the bytes are the heap's.
            unsafe { call(start, bytes) };
        }
    }

    /// Makes `[start, start + bytes)` ordinary memory.
    pub(super) fn unpoison(start: *mut u8, bytes: usize) {
        if let Some(call) = function!("__asan_unpoison_memory_region") {
            // SAFETY: the bytes are the heap's.
            unsafe { call(start, bytes) };
        }
    }
}
