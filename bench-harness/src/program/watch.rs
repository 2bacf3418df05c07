//! Whether the last image of a program has the subject's library in its memory.
//!
//! The dynamic linker's notes ([`super::bindings`]) say who serves every image that writes them. An
//! image that comes after, statically linked or started with an empty environment by a wrapper
//! (`env -i`), writes none. So a verified run is also looked at from outside, many times over: what
//! counts is whether the library was mapped when the program was last seen.

use std::path::{Path, PathBuf};

/// Looks without the library, one after the other and up to the end, that mean it was not there. One
/// alone may fall between the kernel's mapping of a program and that of its dynamic linker.
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
        self.saw(&String::from_utf8_lossy(&maps));
    }

    /// Notes what is mapped, as the lines of `/proc/PID/maps` tell it.
    fn saw(&mut self, text: &str) {
        let library = self.library.to_string_lossy();
        if text.lines().any(|line| line.ends_with(&*library)) {
            self.without = 0;
            return;
        }
        // The dynamic linker maps what is preloaded before the C library. While it is at work the one
        // is not there yet, nor is the other; on a busy computer many looks fall into this time.
        let has = |file: &str| text.lines().any(|line| line.contains(file));
        let is_linking = has("/ld-") && !has("/libc.so") && !has("/libc-");
        self.without += u32::from(!is_linking);
    }

    /// Whether the program was without the library when it was last seen.
    pub(super) fn missed(&self) -> bool {
        self.without >= LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "55d0-55d4 r-xp 0 08:01 7 /usr/bin/sh\n";
    const LINKER: &str = "7f00-7f04 r-xp 0 08:01 8 /usr/lib/ld-linux-x86-64.so.2\n";
    const C_LIBRARY: &str = "7f10-7f14 r-xp 0 08:01 9 /usr/lib/libc.so.6\n";
    const PRELOADED: &str = "7f20-7f24 r-xp 0 08:01 10 /lib/mine.so\n";

    fn missed(looks: &[&[&str]]) -> bool {
        let mut watch =
            Watch { maps: PathBuf::new(), library: PathBuf::from("/lib/mine.so"), without: 0 };
        looks.iter().for_each(|mapped| watch.saw(&mapped.concat()));
        watch.missed()
    }

    #[test]
    fn a_program_that_is_still_being_linked_has_not_lost_its_library() {
        let linking = &[PROGRAM, LINKER][..];
        assert!(!missed(&[linking, linking, linking]));
        assert!(!missed(&[linking, &[PROGRAM, LINKER, PRELOADED], linking, linking]));
    }

    #[test]
    fn a_linked_program_without_the_library_has_and_so_has_one_that_is_never_linked() {
        let bare = &[PROGRAM, LINKER, C_LIBRARY][..];
        assert!(missed(&[bare, bare]) && !missed(&[bare]));
        let with = &[PROGRAM, LINKER, PRELOADED, C_LIBRARY][..];
        assert!(!missed(&[bare, bare, with]) && missed(&[with, bare, bare]));
        assert!(missed(&[&[PROGRAM], &[PROGRAM]]), "statically linked");
    }
}
