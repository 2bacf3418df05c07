//! A file of the image, held by a descriptor that the recorded program may close or reuse.
//!
//! Programs close descriptors they never opened ("everything from 3 up") and then open files of
//! their own under the same numbers. So the number is out of the way of small ones, and nothing
//! is done through it before `fstat` has said that it is still our file; when it is not, the file
//! is opened again by its path. Both ways together also survive chroot and a change of user, which
//! break paths but not descriptors.

use crate::kernel::{self, Identity};
use core::ffi::{CStr, c_int};
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

/// Descriptors below this number are left to the program where its limits allow.
const FLOOR: c_int = 512;

/// One file. Lives in ordinary memory, not in the state that fork wipes: a forked child has to
/// close the descriptor it inherited.
pub(crate) struct File {
    /// The descriptor plus one; 0 when there is none.
    fd: AtomicI32,
    device: AtomicU64,
    inode: AtomicU64,
}

impl File {
    /// No file yet.
    pub(crate) const fn closed() -> Self {
        Self { fd: AtomicI32::new(0), device: AtomicU64::new(0), inode: AtomicU64::new(0) }
    }

    /// Creates the file at `path`, which must not exist.
    pub(crate) fn create(&self, path: &CStr, flags: c_int) -> Result<c_int, c_int> {
        let fd = kernel::open(path, flags | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW)?;
        let Some(Identity(device, inode)) = kernel::identity(fd) else { return Err(libc::EBADF) };
        self.device.store(device, Relaxed);
        self.inode.store(inode, Relaxed);
        Ok(self.keep(fd))
    }

    /// The descriptor, opened again from `path` if the program took it away.
    pub(crate) fn descriptor(&self, path: &CStr, flags: c_int) -> Result<c_int, c_int> {
        let fd = self.fd.load(Relaxed) - 1;
        if self.is(fd) {
            return Ok(fd);
        }
        let fd = kernel::open(path, flags | libc::O_NOFOLLOW)?;
        if !self.is(fd) {
            kernel::close(fd);
            return Err(libc::ESTALE);
        }
        Ok(self.keep(fd))
    }

    /// Closes the descriptor if it is still ours.
    pub(crate) fn close(&self) {
        let fd = self.fd.swap(0, Relaxed) - 1;
        if self.is(fd) {
            kernel::close(fd);
        }
    }

    /// Whether `fd` is this file.
    fn is(&self, fd: c_int) -> bool {
        let identity = Identity(self.device.load(Relaxed), self.inode.load(Relaxed));
        fd >= 0 && kernel::identity(fd) == Some(identity)
    }

    /// Moves a fresh descriptor out of the way, as far as the limit on descriptors allows, and
    /// never leaves it on standard input, output or error.
    fn keep(&self, fresh: c_int) -> c_int {
        let half = kernel::limit(libc::RLIMIT_NOFILE).min(1024) as c_int / 2;
        let copy =
            [FLOOR, half, 3].into_iter().find_map(|floor| kernel::duplicate(fresh, floor).ok());
        let fd = match copy {
            Some(copy) => {
                kernel::close(fresh);
                copy
            }
            None => fresh,
        };
        self.fd.store(fd + 1, Relaxed);
        fd
    }
}
