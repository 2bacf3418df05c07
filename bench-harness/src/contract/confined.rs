//! Calls of a process that may have little more address space than it has: what the kernel refuses is
//! refused in order, and what was there before is as it was.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::child::end;
use crate::os;

/// Address space that is left to a process that is confined.
const LEFT: i64 = 64 << 20;
/// A program that does nothing but start: it asks malloc for what its reader of commands needs.
const PROGRAM: [&str; 3] = ["sh", "-c", ":"];

/// Leaves this process, for good, little more address space than it has; says whether it could.
pub(super) fn confine() -> bool {
    os::mapped_bytes().is_ok_and(|bytes| limit((bytes + LEFT) as u64).is_ok())
}

/// Starts a program in an address space of so many bytes, served as this process is.
///
/// # Errors
/// How it ended otherwise than by itself and well. `None` when there is no such program here, or it does
/// not start in so little without anybody's malloc.
pub(super) fn starts(bytes: u64) -> Option<Result<(), String>> {
    let ended = |is_served: bool| {
        let [program, arguments @ ..] = PROGRAM;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if !is_served {
            command.env_remove("LD_PRELOAD");
        }
        // SAFETY: one call of the kernel, which allocates nothing.
        unsafe { command.pre_exec(move || limit(bytes)) };
        command.status()
    };
    if !ended(false).is_ok_and(|status| status.success()) {
        return None;
    }
    Some(match ended(true) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            use std::os::unix::process::ExitStatusExt;
            Err(end(status.into_raw()))
        }
        Err(error) => Err(error.to_string()),
    })
}

fn limit(bytes: u64) -> io::Result<()> {
    let done = |code: i32| if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live struct.
    done(unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) })?;
    limit.rlim_cur = bytes.min(limit.rlim_cur);
    // SAFETY: reads a live struct.
    done(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) })
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::io::Write;
    use std::ptr;

    use super::super::child::forked;
    use super::super::row::{Ask, Authority, Origin, Promise, Row};
    use super::super::trial::attempt;
    use super::*;
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
        let system = Family::of(&Subject::parse("system").unwrap()).unwrap().unwrap();
        let promise = Promise::Null { errno: libc::ENOMEM };
        let ask = Ask::Realloc { old: Origin::Malloc(1 << 25), size: 1 << 33 };
        let row = Row::new(ask, promise, Authority::Posix).confined();
        // In a process of its own, which takes its limit with it.
        let found = |family: &Family| {
            let wrong = || attempt(&row, family, |_| {}).unwrap().against(promise).join("; ");
            String::from_utf8(forked(|out| out.write_all(wrong().as_bytes())).unwrap().0).unwrap()
        };
        assert_eq!(found(&system), "");
        let lost = found(&Family { realloc: Some(realloc_that_gives_up), ..system });
        assert_eq!(lost, "the old block has changed");
    }

    #[test]
    fn a_program_starts_in_enough_address_space_and_nobody_is_blamed_for_too_little() {
        assert_eq!(starts(1 << 28), Some(Ok(())));
        assert_eq!(starts(1 << 12), None);
    }
}
