//! System calls, as thin as they come.
//!
//! They go through `syscall` where glibc's own wrapper is a cancellation point: a thread cancelled
//! inside the recorder would take the lock with it. None allocates. All may change `errno`, which
//! [`Errno`] puts back.

use core::ffi::{CStr, c_int, c_long, c_void};
use core::mem::MaybeUninit;
use core::ptr::null_mut;

/// Keeps the caller's `errno` and restores it when dropped.
pub(crate) struct Errno(c_int);

impl Errno {
    /// The `errno` of the moment.
    pub(crate) fn keep() -> Self {
        Self(errno())
    }
}

impl Drop for Errno {
    fn drop(&mut self) {
        set_errno(self.0);
    }
}

/// The thread's `errno`.
pub(crate) fn errno() -> c_int {
    // SAFETY: has no obligations.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: points to the thread's own `errno`.
    unsafe { *place }
}

/// Sets the thread's `errno`.
pub(crate) fn set_errno(value: c_int) {
    // SAFETY: has no obligations.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: points to the thread's own `errno`.
    unsafe { *place = value };
}

/// A number that identifies a file as long as it exists: device and inode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity(pub(crate) u64, pub(crate) u64);

/// What a call returned, or its `errno`.
fn checked(value: c_long) -> Result<c_long, c_int> {
    if value < 0 { Err(errno()) } else { Ok(value) }
}

/// Opens `path`; `flags` gains `O_CLOEXEC`.
pub(crate) fn open(path: &CStr, flags: c_int) -> Result<c_int, c_int> {
    let flags = flags | libc::O_CLOEXEC;
    // SAFETY: `path` ends with a zero byte.
    let fd =
        unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0o644) };
    checked(fd).map(|fd| fd as c_int)
}

/// Closes `fd`.
pub(crate) fn close(fd: c_int) {
    // SAFETY: the caller owns `fd`.
    unsafe { libc::syscall(libc::SYS_close, fd) };
}

/// Removes the file at `path`.
pub(crate) fn unlink(path: &CStr) {
    // SAFETY: `path` ends with a zero byte.
    unsafe { libc::unlink(path.as_ptr()) };
}

/// Copies `fd` to a number of at least `floor` that exec closes.
pub(crate) fn duplicate(fd: c_int, floor: c_int) -> Result<c_int, c_int> {
    // SAFETY: numbers in, number out.
    let copy = unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, floor) };
    checked(copy).map(|copy| copy as c_int)
}

/// Which file `fd` is, if it is open.
pub(crate) fn identity(fd: c_int) -> Option<Identity> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `stat` has room for the answer.
    let answer = unsafe { libc::fstat(fd, stat.as_mut_ptr()) };
    if answer != 0 {
        return None;
    }
    // SAFETY: filled in by a call that succeeded.
    let stat = unsafe { stat.assume_init() };
    Some(Identity(stat.st_dev, stat.st_ino))
}

/// Writes to `fd` once; may write less than `len` bytes.
///
/// # Safety
/// `[bytes, bytes + len)` is readable.
pub(crate) unsafe fn write(fd: c_int, bytes: *const u8, len: usize) -> Result<usize, c_int> {
    // SAFETY: the caller's promise.
    let written = unsafe { libc::syscall(libc::SYS_write, fd, bytes, len) };
    checked(written).map(|written| written as usize)
}

/// Cuts the file at `len` bytes.
pub(crate) fn truncate(fd: c_int, len: u64) {
    // SAFETY: numbers in, number out.
    unsafe { libc::ftruncate(fd, len as libc::off_t) };
}

/// Gives `[start, start + len)` of the file real blocks, so that a store to a mapping of it cannot
/// meet a full disk (which would be a SIGBUS).
pub(crate) fn allocate(fd: c_int, start: usize, len: usize) -> Result<(), c_int> {
    // SAFETY: numbers in, number out.
    let answer = unsafe { libc::syscall(libc::SYS_fallocate, fd, 0, start, len) };
    match checked(answer) {
        Err(libc::EOPNOTSUPP) => write_zeroes(fd, start, len),
        answer => answer.map(drop),
    }
}

/// What [`allocate`] does on file systems that cannot.
fn write_zeroes(fd: c_int, start: usize, len: usize) -> Result<(), c_int> {
    let zeroes = [0_u8; 1024];
    for at in (start..start + len).step_by(zeroes.len()) {
        let size = zeroes.len().min(start + len - at);
        // SAFETY: `zeroes` has at least `size` bytes.
        let written = unsafe { libc::syscall(libc::SYS_pwrite64, fd, zeroes.as_ptr(), size, at) };
        if checked(written)? as usize != size {
            return Err(libc::ENOSPC);
        }
    }
    Ok(())
}

/// Maps `len` bytes of the file at `offset`, shared with it and absent from forked children.
pub(crate) fn map_file(fd: c_int, offset: usize, len: usize) -> Result<*mut c_void, c_int> {
    map(len, libc::MAP_SHARED, fd, offset, libc::MADV_DONTFORK)
}

/// Maps `len` zero bytes that read as zeroes again in a forked child.
pub(crate) fn map_wiped(len: usize) -> Result<*mut c_void, c_int> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    map(len, flags, -1, 0, libc::MADV_WIPEONFORK)
}

fn map(
    len: usize,
    flags: c_int,
    fd: c_int,
    offset: usize,
    advice: c_int,
) -> Result<*mut c_void, c_int> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping where the kernel likes.
    let start = unsafe { libc::mmap(null_mut(), len, access, flags, fd, offset as libc::off_t) };
    if start == libc::MAP_FAILED {
        return Err(errno());
    }
    // SAFETY: the mapping just made.
    let answer = unsafe { libc::madvise(start, len, advice) };
    if answer != 0 {
        let error = errno();
        // SAFETY: the mapping just made, which nobody has seen.
        unsafe { unmap(start, len) };
        return Err(error);
    }
    Ok(start)
}

/// Unmaps `[start, start + len)`.
///
/// # Safety
/// A mapping nobody uses any more.
pub(crate) unsafe fn unmap(start: *mut c_void, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(start, len) };
}

/// The soft limit of `resource`; no limit is `u64::MAX`.
pub(crate) fn limit(resource: libc::__rlimit_resource_t) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: `limit` has room for the answer.
    unsafe { libc::getrlimit(resource, &raw mut limit) };
    limit.rlim_cur
}

/// Process id of the caller, asked from the kernel: a vfork child gets its own.
pub(crate) fn process_id() -> u32 {
    // SAFETY: has no obligations.
    unsafe { libc::getpid() as u32 }
}

/// Process id of the parent.
pub(crate) fn parent_id() -> u32 {
    // SAFETY: has no obligations.
    unsafe { libc::getppid() as u32 }
}

/// Bytes of an OS page.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: has no obligations.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}
