//! Valgrind's client requests: what the heaps tell memcheck of their blocks.
//!
//! A request is a pointer to six words and five instructions that add up to nothing; Valgrind
//! recognises the sequence and acts on the words. Natively it costs a handful of instructions, so
//! callers stand behind [`is_memcheck`] or another flag of their own that is tested at run time, and
//! one build serves both. The numbers are those of Valgrind's public `valgrind.h` and `memcheck.h`,
//! written down by hand: no header and no generator is needed.
//!
//! What memcheck keeps of an address: whether it may be accessed, and whether its bytes are defined;
//! and of a block: where it begins, how long it is, who allocated and who freed it.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

#[cfg(not(target_arch = "x86_64"))]
compile_error!("client requests are known for x86-64 only");

/// A request by its number.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Request {
    RunningOnValgrind = 0x1001,
    MalloclikeBlock = 0x1301,
    FreelikeBlock = 0x1302,
    ResizeInplaceBlock = 0x130b,
    ChangeErrorDisablement = 0x1801,
    // Memcheck's own begin with its letters, "MC".
    MakeNoAccess = 0x4d43_0000,
    MakeDefined = 0x4d43_0002,
}

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// An answer that does not change while the process lives.
struct Answer(AtomicU8);

impl Answer {
    const fn unknown() -> Self {
        Self(AtomicU8::new(UNKNOWN))
    }

    #[inline]
    fn get(&self, ask: impl FnOnce() -> bool) -> bool {
        // Relaxed: every thread that asks gets the same answer.
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => {
                let answer = ask();
                self.0.store(if answer { YES } else { NO }, Ordering::Relaxed);
                answer
            }
            answer => answer == YES,
        }
    }
}

/// Whether the process runs under Valgrind, whatever the tool; asked once.
pub(crate) fn is_running() -> bool {
    static RUNNING: Answer = Answer::unknown();
    RUNNING.get(|| request(Request::RunningOnValgrind, [0; 4]) > 0)
}

/// Whether the process runs under memcheck; asked once. Only memcheck answers requests of its own.
pub(crate) fn is_memcheck() -> bool {
    static MEMCHECK: Answer = Answer::unknown();
    MEMCHECK.get(|| {
        let probe = 0_u8;
        let place = (&raw const probe).addr();
        is_running() && request(Request::MakeDefined, [place, 1, 0, 0]) != 0
    })
}

/// `[block, block + bytes)` was handed out: accessible, defined iff `zeroed`, with a red zone of
/// `red_zone` bytes on both sides that may not be accessed. It counts as a block for leaks.
pub(crate) fn malloc_like(block: *const u8, bytes: usize, red_zone: usize, zeroed: bool) {
    request(Request::MalloclikeBlock, [block.addr(), bytes, red_zone, usize::from(zeroed)]);
}

/// The block at `block` was freed: it and its red zones may not be accessed. Memcheck reports an
/// invalid free where no such block lives, and a mismatched one where it is not of this kind.
pub(crate) fn free_like(block: *const u8, red_zone: usize) {
    request(Request::FreelikeBlock, [block.addr(), red_zone, 0, 0]);
}

/// Memcheck's record of the block at `block` says `new_bytes` instead of `old_bytes`; what lies
/// beyond may not be accessed. Neither length is 0.
pub(crate) fn resize_in_place(
    block: *const u8,
    old_bytes: usize,
    new_bytes: usize,
    red_zone: usize,
) {
    request(Request::ResizeInplaceBlock, [block.addr(), old_bytes, new_bytes, red_zone]);
}

/// `[start, start + bytes)` may not be accessed.
pub(crate) fn make_no_access(start: *const u8, bytes: usize) {
    request(Request::MakeNoAccess, [start.addr(), bytes, 0, 0]);
}

/// `[start, start + bytes)` may be accessed and is initialised.
pub(crate) fn make_defined(start: *const u8, bytes: usize) {
    request(Request::MakeDefined, [start.addr(), bytes, 0, 0]);
}

/// While one lives, the calling thread's errors are not reported. What it writes to memory that may
/// not be accessed is written all the same, and stays inaccessible to everybody else.
pub(crate) struct Silence(());

impl Silence {
    /// Begins a silence of this thread. They nest.
    pub(crate) fn begin() -> Self {
        request(Request::ChangeErrorDisablement, [1, 0, 0, 0]);
        Self(())
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        request(Request::ChangeErrorDisablement, [usize::MAX, 0, 0, 0]);
    }
}

/// Makes a request of the heaps'; 0 where nobody understands it.
fn request(request: Request, arguments: [usize; 4]) -> usize {
    // SAFETY: every request of the list changes memcheck's own tables and nothing else.
    unsafe { client_request(request as usize, arguments) }
}

/// Makes the client request of that number, of any tool's: what Valgrind answers, 0 outside of it and
/// where the tool does not know the request. Natively a handful of instructions.
///
/// The numbers stand in Valgrind's `valgrind.h` and in the header of each tool.
///
/// # Safety
/// Whatever the request does is sound: most change the tool's tables only, some write to memory that
/// an argument points to, and some call a function.
pub unsafe fn client_request(number: usize, arguments: [usize; 4]) -> usize {
    let [first, second, third, fourth] = arguments;
    let words = [number, first, second, third, fourth, 0];
    let result: usize;
    // SAFETY: natively rotations by 128 bits in all and an exchange of a register with itself,
    // which leave every register as it was; under Valgrind a call that does what the caller vouches
    // for.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inout("rdx") 0_usize => result,
            options(nostack),
        );
    }
    result
}
