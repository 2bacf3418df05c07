//! Who serves a program's `malloc`: read from what the dynamic linker writes down.
//!
//! With `LD_DEBUG=bindings`, glibc's dynamic linker notes every symbol it resolves in a file per
//! process, in every program image that the process turns into:
//!
//! ```text
//! 1234: binding file python3 [0] to /lib/libc.so.6 [0]: normal symbol `malloc' [GLIBC_2.2.5]
//! ```
//!
//! That is the answer itself and no guess: a library that is mapped but exports no `malloc`, one
//! that could not be loaded, a variable that a wrapper cleared all show. A program without such notes
//! is not linked dynamically, or runs with raised privileges, and no library can be preloaded into it.

use std::path::{Path, PathBuf};

use crate::subject::is_c_library;

/// Variables that make the dynamic linker write its notes to `FOLDER/notes.PID`.
pub(crate) fn variables(folder: &Path) -> [(&'static str, PathBuf); 2] {
    [("LD_DEBUG", "bindings".into()), ("LD_DEBUG_OUTPUT", folder.join("notes"))]
}

/// The notes on `malloc` that process `pid` left in `folder`; empty without any.
pub(crate) fn malloc_notes(folder: &Path, pid: u32) -> String {
    let bytes = std::fs::read(folder.join(format!("notes.{pid}"))).unwrap_or_default();
    // Names of files may be of any encoding.
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().filter(|line| malloc_binding(line).is_some()).collect();
    lines.join("\n")
}

/// File that serves every `malloc` in `notes`, when it is the one wanted: `library`, or the C
/// library for `None`.
///
/// # Errors
/// Who serves instead, in one line.
pub(crate) fn served_by(notes: &str, library: Option<&Path>) -> Result<String, String> {
    let wanted = match library {
        Some(path) => {
            Some(path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?)
        }
        None => None,
    };
    let mut server = None;
    for (user, target) in notes.lines().filter_map(malloc_binding) {
        let is_wanted = |file: &str| match &wanted {
            Some(wanted) => Path::new(file).canonicalize().is_ok_and(|file| file == *wanted),
            None => is_c_library(Path::new(file)),
        };
        if is_wanted(target) {
            server = Some(target.to_owned());
        } else if !is_wanted(user) {
            // What the library itself calls behind its own `malloc` is its own affair.
            return Err(format!("the malloc of {user} is served by {target}"));
        }
    }
    server.ok_or_else(|| {
        "the dynamic linker resolved no malloc: the program is statically linked, runs with raised \
         privileges or cleared its environment"
            .to_owned()
    })
}

/// The file that uses `malloc` and the one it is bound to, when the line is such a note.
fn malloc_binding(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once("\tbinding file ")?;
    let (files, symbol) = rest.split_once(": normal symbol `")?;
    if symbol.split('\'').next() != Some("malloc") {
        return None;
    }
    let (user, target) = files.split_once("] to ")?;
    // Each name is followed by the number of its namespace: ` [0]`.
    Some((user.rsplit_once(" [")?.0, target.rsplit_once(" [")?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBC: &str = "/lib/x86_64-linux-gnu/libc.so.6";

    fn note(user: &str, target: &str, symbol: &str) -> String {
        format!(
            "      77:\tbinding file {user} [0] to {target} [0]: normal symbol `{symbol}' [GLIBC_2.2.5]\n"
        )
    }

    #[test]
    fn the_c_library_serves_what_nothing_was_preloaded_into() {
        let notes = note("sh", LIBC, "malloc") + &note("sh", LIBC, "puts");
        assert_eq!(served_by(&notes, None).as_deref(), Ok(LIBC));
    }

    #[test]
    fn another_server_anywhere_is_told() {
        let this = std::env::current_exe().unwrap();
        let mine = this.to_str().unwrap();
        let notes = note("sh", mine, "malloc") + &note("libz.so", LIBC, "malloc");
        let error = served_by(&notes, Some(&this)).unwrap_err();
        assert!(error.contains("libz.so") && error.contains(LIBC), "{error}");
        let notes = note("sh", mine, "malloc") + &note(mine, LIBC, "malloc");
        assert_eq!(served_by(&notes, Some(&this)).as_deref(), Ok(mine));
    }

    #[test]
    fn no_note_is_no_proof() {
        for notes in ["", "garbage\n", &note("sh", LIBC, "mallocx"), "\tbinding file x\n"] {
            let error = served_by(notes, None).unwrap_err();
            assert!(error.contains("statically linked"), "{notes}: {error}");
        }
    }
}
