//! System calls on processes that more than one part of the harness makes.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::os::processors;

/// Turns a system call's negative result into the error it stands for.
///
/// # Errors
/// What `errno` says, for a negative result.
pub(crate) fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Has this process killed when `parent` ends. Makes system calls only, so that it may be called
/// between fork and exec.
///
/// # Errors
/// When the kernel refuses, or the parent has ended already.
pub(crate) fn die_with(parent: libc::pid_t) -> io::Result<()> {
    // SAFETY: prctl with these arguments touches no memory.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    // The parent may have died before the call above took effect.
    // SAFETY: getppid has no preconditions.
    if unsafe { libc::getppid() } != parent {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    Ok(())
}

/// Turns off address randomisation and huge pages for what is executed next, so that counts and
/// memory repeat. Makes system calls only, so that it may be called between fork and exec.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn without_chance() -> io::Result<()> {
    // SAFETY: changes flags of this process alone.
    check(unsafe { libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) })?;
    // SAFETY: prctl with these arguments touches no memory.
    check(unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) })
}

/// Keeps this thread, and those that it starts, on the processor that it runs on: threads of which one
/// runs at a time hand over faster there, and an allocator that keeps blocks by processor sees one. Where
/// it is refused, nothing but that is lost.
pub(crate) fn stay_on_one_processor() {
    if let Some(here) = processors::current() {
        processors::stay_on(&[here]);
    }
}

/// A descriptor that becomes readable when the process ends.
///
/// # Errors
/// When there is no such process, or no descriptor to be had.
pub(crate) fn pidfd_open(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open touches no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and owned by nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    // SAFETY: plain system call on a descriptor this process owns.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
    Ok(fd)
}

/// Resident memory of a process, in bytes; 0 when it cannot be told.
pub(crate) fn resident_bytes(pid: libc::pid_t) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * crate::os::page_bytes() as u64
}
