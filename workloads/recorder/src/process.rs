//! The process coming, forking and going: the constructor, the fork handler, the destructor and
//! the ways around it.

use crate::image::State;
use crate::kernel;
use crate::next;
use crate::thread;
use crate::tls;
use core::ffi::c_int;
use core::sync::atomic::Ordering::Relaxed;

// Names the C library itself: `at_quick_exit` stands in its static part, and the libc crate leaves
// the linking to std whenever another package of the build turns its `std` feature on.
#[link(name = "c")]
unsafe extern "C" {
    fn at_quick_exit(handler: extern "C" fn()) -> c_int;
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = begin;

#[used]
#[unsafe(link_section = ".fini_array")]
static DESTRUCTOR: extern "C" fn() = end;

extern "C" fn begin() {
    next::find_all();
    thread::begin_image();
    // SAFETY: the handler stays loaded. The first 32 handlers take no memory.
    unsafe { at_quick_exit(end) };
    // SAFETY: the handler stays loaded.
    unsafe { libc::pthread_atfork(None, None, Some(forget)) };
}

/// In a forked child: its one thread has not called yet. Its first call would find that out by
/// itself; but if another thread came first and took the writer this one's word still names, two
/// would write as one.
unsafe extern "C" fn forget() {
    tls::clear();
}

/// Notes in the log that the process ends of its own will. A vfork child that ends so is not the
/// process the log is of.
extern "C" fn end() {
    if let Some(header) = State::get().and_then(State::header)
        && header.pid.load(Relaxed) == kernel::process_id()
    {
        header.ended.store(1, Relaxed);
    }
}

/// Ends the process at once, as `_exit` does.
pub(crate) fn exit_at_once(status: c_int) -> ! {
    end();
    loop {
        // SAFETY: does not return.
        unsafe { libc::syscall(libc::SYS_exit_group, status) };
    }
}
