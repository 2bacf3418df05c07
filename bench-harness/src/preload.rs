//! A library's path in a form that `LD_PRELOAD` takes.
//!
//! The loader splits the variable at spaces and colons and replaces `$ORIGIN` and its like, and
//! knows no way to quote. A path with such a character is reached through a link in a private
//! folder whose path has none.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A library that can be preloaded for as long as this lives.
#[derive(Debug)]
pub(crate) struct Preload {
    path: PathBuf,
    /// Holds the link, where there is one.
    _folder: Option<TempDir>,
}

impl Preload {
    /// Makes `library`, an absolute path, ready to be preloaded.
    ///
    /// # Errors
    /// When a link is needed and no folder for it can be had, with the reason.
    pub(crate) fn of(library: &Path) -> io::Result<Self> {
        if is_plain(library.as_os_str()) {
            return Ok(Self { path: library.to_owned(), _folder: None });
        }
        let cannot = |why: String| {
            let library = library.display();
            io::Error::other(format!("{library}: LD_PRELOAD takes no such path, and {why}"))
        };
        let temporary = env::temp_dir();
        let parent = if is_plain(temporary.as_os_str()) { &temporary } else { Path::new("/tmp") };
        let linked = || -> io::Result<Self> {
            let folder =
                tempfile::Builder::new().prefix("arenabench-preload-").tempdir_in(parent)?;
            // The loader's messages, and tools that look at maps, show the library's own name.
            let name = library.file_name().filter(|name| is_plain(name));
            let path = folder.path().join(name.unwrap_or(OsStr::new("library.so")));
            symlink(library, &path)?;
            Ok(Self { path, _folder: Some(folder) })
        };
        linked().map_err(|error| {
            cannot(format!("no link to it can be made in {}: {error}", parent.display()))
        })
    }

    /// The path for `LD_PRELOAD`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether the loader takes the text as it is.
fn is_plain(text: &OsStr) -> bool {
    text.as_bytes().iter().all(|&byte| !byte.is_ascii_whitespace() && byte != b':' && byte != b'$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_path_stays_as_it_is() {
        let preload = Preload::of(Path::new("/usr/lib/libx.so.2")).unwrap();
        assert_eq!(preload.path(), Path::new("/usr/lib/libx.so.2"));
    }

    #[test]
    fn a_path_that_the_loader_would_split_is_reached_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["with space.so", "with:colon.so", "with$ORIGIN.so", "with\ttab.so"] {
            let library = folder.path().join(name);
            std::fs::write(&library, "").unwrap();
            let preload = Preload::of(&library).unwrap();
            let path = preload.path().to_owned();
            assert!(is_plain(path.as_os_str()), "{}", path.display());
            assert_eq!(path.canonicalize().unwrap(), library.canonicalize().unwrap());
            drop(preload);
            assert!(!path.parent().unwrap().exists(), "the private folder is gone");
        }
    }
}
