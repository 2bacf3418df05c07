//! Where to record to: the folder named by `ARENABENCH_RECORD_DIR`, and the paths in it.
//!
//! Read once per process, before the first image, and kept through fork: the program may change
//! its environment, its folder or its root later. A relative name is completed at once, from the
//! current folder of the process; it finds the same folder again only while nobody changes his.

use crate::kernel;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::fmt::{self, Write};
use core::sync::atomic::AtomicU8;
use core::sync::atomic::Ordering::{Acquire, Release};

/// Name of the variable, with the sign that follows it in the environment.
const VARIABLE: &[u8] = b"ARENABENCH_RECORD_DIR=";

/// Longest path used, in bytes, its closing zero included (`PATH_MAX`).
const MAX_PATH: usize = 4096;

/// The recording folder.
///
/// No lock guards it, since fork could leave that locked in the child: it is written once, before
/// there is a second thread, and only read after that.
pub(crate) struct Folder {
    stage: AtomicU8,
    path: UnsafeCell<Path>,
}

/// Stages of a [`Folder`].
const UNKNOWN: u8 = 0;
const UNNAMED: u8 = 1;
const USELESS: u8 = 2;
const NAMED: u8 = 3;

// SAFETY: `path` changes in stage UNKNOWN alone, in which the caller of `Folder::path` is the only
// one, as it holds the image's lock.
unsafe impl Sync for Folder {}

impl Folder {
    /// A folder not read from the environment yet.
    pub(crate) const fn unknown() -> Self {
        Self { stage: AtomicU8::new(UNKNOWN), path: UnsafeCell::new(Path::empty()) }
    }

    /// The folder, if the environment named one. The caller holds the image's lock.
    ///
    /// # Errors
    /// A reason, for people, why the name is of no use.
    pub(crate) fn path(&self) -> Result<Option<&Path>, &'static str> {
        if self.stage.load(Acquire) == UNKNOWN {
            // SAFETY: the only user, see `Sync`.
            let path = unsafe { &mut *self.path.get() };
            let stage = match variable() {
                None | Some(b"") => UNNAMED,
                Some(name) => path.set_folder(name).map_or(USELESS, |()| NAMED),
            };
            self.stage.store(stage, Release);
        }
        match self.stage.load(Acquire) {
            // SAFETY: does not change from this stage on.
            NAMED => Ok(Some(unsafe { &*self.path.get() })),
            USELESS => Err("the path is too long"),
            _ => Ok(None),
        }
    }
}

/// A path that is being put together, closed by a zero byte at all times.
pub(crate) struct Path {
    bytes: [u8; MAX_PATH],
    len: usize,
}

impl Path {
    /// The empty path.
    pub(crate) const fn empty() -> Self {
        Self { bytes: [0; MAX_PATH], len: 0 }
    }

    /// `folder/<process>.<image>.<ending>`, or nothing when that is too long.
    pub(crate) fn name(
        &mut self,
        folder: &Path,
        process: u32,
        image: u32,
        ending: &str,
    ) -> Option<&CStr> {
        self.len = 0;
        self.push(folder.text())?;
        write!(self, "/{process}.{image}.{ending}").ok()?;
        self.as_c_str()
    }

    /// Takes over `name`, made absolute.
    fn set_folder(&mut self, name: &[u8]) -> Option<()> {
        self.len = 0;
        if !name.starts_with(b"/") {
            self.push_current_folder()?;
        }
        self.push(name)
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn as_c_str(&self) -> Option<&CStr> {
        CStr::from_bytes_with_nul(&self.bytes[..=self.len]).ok()
    }

    fn push(&mut self, text: &[u8]) -> Option<()> {
        let end = self.len + text.len();
        // One byte stays for the closing zero.
        self.bytes[..MAX_PATH - 1].get_mut(self.len..end)?.copy_from_slice(text);
        self.bytes[end] = 0;
        self.len = end;
        Some(())
    }

    fn push_current_folder(&mut self) -> Option<()> {
        // SAFETY: `bytes` has the length given.
        let end = unsafe { libc::getcwd(self.bytes.as_mut_ptr().cast::<c_char>(), MAX_PATH - 1) };
        if end.is_null() {
            return None;
        }
        self.len = self.bytes.iter().position(|&byte| byte == 0)?;
        self.push(b"/")
    }
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes()).ok_or(fmt::Error)
    }
}

/// Value of the variable, straight from the environment block.
fn variable() -> Option<&'static [u8]> {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: glibc's own variable; nobody else runs yet.
    let mut entry = unsafe { environ };
    if entry.is_null() {
        return None;
    }
    loop {
        // SAFETY: the block ends with a null pointer, at which the loop ends.
        let line = unsafe { *entry };
        if line.is_null() {
            return None;
        }
        // SAFETY: entries are strings, and stay where they are until the program changes them.
        let line = unsafe { CStr::from_ptr(line) };
        if let Some(value) = line.to_bytes().strip_prefix(VARIABLE) {
            return Some(value);
        }
        // SAFETY: not yet at the end.
        entry = unsafe { entry.add(1) };
    }
}

/// Says on standard error, in one line, why nothing is recorded.
pub(crate) fn complain(reason: &str, error: i32) {
    struct Line {
        bytes: [u8; 200],
        len: usize,
    }
    impl Write for Line {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for (place, byte) in self.bytes[self.len..].iter_mut().zip(text.bytes()) {
                *place = byte;
                self.len += 1;
            }
            Ok(())
        }
    }
    let mut line = Line { bytes: [0; 200], len: 0 };
    let _ =
        write!(line, "arenabench-recorder: nothing is recorded: ARENABENCH_RECORD_DIR: {reason}");
    if error != 0 {
        let _ = write!(line, " (errno {error})");
    }
    let _ = line.write_str("\n");
    // SAFETY: the line has `len` bytes.
    let _ = unsafe { kernel::write(libc::STDERR_FILENO, line.bytes.as_ptr(), line.len) };
}
