//! Whether the last image of a program has the subject's library in its memory.
//!
//! The dynamic linker's notes ([`super::bindings`]) say who serves every image that writes them. An
//! image that comes after, statically linked or started with an empty environment by a wrapper
//! (`env -i`), writes none. So a verified run is also looked at from outside, many times over: what
//! counts is whether the library was mapped when the program was last seen.

use std::path::{Path, PathBuf};

/// Looks without the library, one after the other and up to the end, that mean it was not there.
/// One look alone may fall between exec and the dynamic linker's work.
const LOOKS: u32 = 2;

/// Looks at one process, and what they found.
#[derive(Debug)]
pub(super) struct Watch {
    maps: PathBuf,
    library: PathBuf,
    without: u32,
}

impl Watch {
    /// Watches process `pid` for `library`. `None` when there is no such file.
    pub(super) fn new(pid: i32, library: &Path) -> Option<Self> {
        let maps = PathBuf::from(format!("/proc/{pid}/maps"));
        Some(Self { maps, library: library.canonicalize().ok()?, without: 0 })
    }

    /// Looks once.
    pub(super) fn look(&mut self) {
        let maps = std::fs::read(&self.maps).unwrap_or_default();
        // A process that is ending has no memory any more, and says nothing.
        if maps.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&maps);
        let library = self.library.to_string_lossy();
        let is_mapped = text.lines().any(|line| line.ends_with(&*library));
        self.without = if is_mapped { 0 } else { self.without + 1 };
    }

    /// Whether the program was without the library when it was last seen.
    pub(super) fn missed(&self) -> bool {
        self.without >= LOOKS
    }
}
