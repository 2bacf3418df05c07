//! Calls of a process that may have little more address space than it has: what the kernel refuses is
//! refused in order, and what was there before is as it was.

use crate::os;

/// Address space that is left to a process that is confined.
const LEFT: i64 = 64 << 20;
/// Leaves this process, for good, little more address space than it has; says whether it could.
pub(super) fn confine() -> bool {
    os::mapped_bytes().is_ok_and(|bytes| os::limit(libc::RLIMIT_AS, (bytes + LEFT) as u64).is_ok())
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::ptr;

    use super::super::child::told_apart;
    use super::super::row::{Ask, Authority, Origin, Promise, Row};
    use super::super::trial::attempt;
    use crate::alone::is_alone;
    use crate::subject::{Family, Subject};

    /// Loses what it cannot make larger.
    unsafe extern "C" fn realloc_that_gives_up(block: *mut c_void, size: usize) -> *mut c_void {
        if size > 1 << 30 {
            // SAFETY: a live block; writing to it is what is planted.
            unsafe { ptr::write_bytes(block.cast::<u8>(), 0, 100) };
            set_no_memory();
            return ptr::null_mut();
        }
        // SAFETY: the caller's obligation.
        unsafe { libc::realloc(block, size) }
    }

    fn set_no_memory() {
        // SAFETY: has no obligations.
        let place = unsafe { libc::__errno_location() };
        // SAFETY: this thread's own errno.
        unsafe { *place = libc::ENOMEM };
    }

    #[test]
    fn a_refusal_that_costs_the_old_block_is_found() {
        if !is_alone() {
            return;
        }
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        let promise = Promise::Null { errno: libc::ENOMEM };
        let ask = Ask::Realloc { old: Origin::Malloc(1 << 25), size: 1 << 33 };
        let row = Row::new(ask, promise, Authority::Posix).confined();
        // In a process of its own, which takes its limit with it.
        let found = |family: &Family| {
            told_apart(|| attempt(&row, family, |_| {}).unwrap().against(promise).join("; "))
        };
        assert_eq!(found(&system), "");
        let lost = found(&Family { realloc: Some(realloc_that_gives_up), ..system });
        assert_eq!(lost, "the old block has changed");
    }
}
