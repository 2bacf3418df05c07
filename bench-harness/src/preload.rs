//! A library's path in a form that `LD_PRELOAD` takes.
//!
//! The loader splits the variable at spaces and colons and replaces `$ORIGIN` and its like, and
//! knows no way to quote. A path with such a character is reached through a link in a private
//! folder whose path has none.
//!
//! A process that is timed loads a copy of its own. Where the page cache has put a file stays the same
//! from one process to the next, and a place that is bad for the caches would slow down every sample
//! of a subject alike: a difference between two files that no number of rounds tells from one between
//! two libraries. With a new copy for every process a bad place is noise, which the rounds show. The
//! process deletes its copy once it is loaded, so that none stays behind however the run ends.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{CString, OsStr};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// A library that can be preloaded for as long as this lives.
#[derive(Debug)]
pub(crate) struct Preload {
    path: PathBuf,
    /// Whether the library is a copy.
    is_copy: bool,
    /// Holds the link or copy, where there is one.
    _folder: Option<TempDir>,
}

impl Preload {
    /// Makes `library`, an absolute path, ready to be preloaded.
    ///
    /// # Errors
    /// When a link is needed and no folder for it can be had, with the reason.
    pub(crate) fn of(library: &Path) -> io::Result<Self> {
        if is_plain(library.as_os_str()) {
            return Ok(Self { path: library.to_owned(), is_copy: false, _folder: None });
        }
        let parent = parent();
        let linked = || -> io::Result<Self> {
            let (folder, path) = place(library, &parent)?;
            symlink(library, &path)?;
            Ok(Self { path, is_copy: false, _folder: Some(folder) })
        };
        linked().map_err(|error| {
            let (library, parent) = (library.display(), parent.display());
            io::Error::other(format!(
                "{library}: LD_PRELOAD takes no such path, and no link to it can be made in {parent}: \
                 {error}"
            ))
        })
    }

    /// Makes a copy of `library`, an absolute path, ready to be preloaded. Where none can be made it is
    /// loaded where it is: see [`moves`](Self::moves). Costs the writing of the library.
    ///
    /// # Errors
    /// Those of [`of`](Self::of).
    pub(crate) fn copy_of(library: &Path) -> io::Result<Self> {
        if !Self::moves(library) {
            return Self::of(library);
        }
        let copied = || -> io::Result<Self> {
            let (folder, path) = place(library, &parent())?;
            fs::copy(library, &path)?;
            Ok(Self { path, is_copy: true, _folder: Some(folder) })
        };
        // A disk that is full for a moment costs this process its copy and not the run its end.
        copied().or_else(|_| Self::of(library))
    }

    /// Whether `library` can be loaded from a copy: it can be read, it looks for no other library beside
    /// itself, and programs may be run from temporary files. Reads the library the first time that it is
    /// asked about.
    pub(crate) fn moves(library: &Path) -> bool {
        static KNOWN: Mutex<BTreeMap<PathBuf, bool>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(library.to_owned()).or_insert_with(|| {
            may_execute(&parent()) && fs::read(library).is_ok_and(|contents| may_move(&contents))
        })
    }

    /// The path for `LD_PRELOAD`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The copy that takes the library's place, if there is one.
    pub(crate) fn copy(&self) -> Option<&Path> {
        self.is_copy.then_some(&self.path)
    }
}

/// Where private folders are made: a path as the kernel shows it, which the loader takes and a job can
/// name.
fn parent() -> PathBuf {
    let temporary = env::temp_dir().canonicalize().unwrap_or_default();
    let is_taken = temporary.to_str().is_some_and(|path| !path.is_empty());
    if is_taken && is_plain(temporary.as_os_str()) { temporary } else { PathBuf::from("/tmp") }
}

/// A private folder, and the path in it for a link to the library or a copy of it.
fn place(library: &Path, parent: &Path) -> io::Result<(TempDir, PathBuf)> {
    let folder = tempfile::Builder::new().prefix("arenabench-preload-").tempdir_in(parent)?;
    // The loader's messages, and tools that look at maps, show the library's own name.
    let name = library.file_name().filter(|name| is_plain(name));
    let path = folder.path().join(name.unwrap_or(OsStr::new("library.so")));
    Ok((folder, path))
}

/// Whether a library with these contents loads from any place: none that it needs is looked for beside
/// it.
fn may_move(contents: &[u8]) -> bool {
    let names = |word: &[u8]| contents.windows(word.len()).any(|window| window == word);
    !names(b"$ORIGIN") && !names(b"${ORIGIN}")
}

/// Whether files of a folder may be mapped to be executed.
fn may_execute(folder: &Path) -> bool {
    let Ok(path) = CString::new(folder.as_os_str().as_bytes()) else { return false };
    // SAFETY: plain data, for which zeros are a value.
    let mut about: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a string, and room for the answer.
    let refused = unsafe { libc::statvfs(path.as_ptr(), &raw mut about) };
    refused == 0 && about.f_flag & libc::ST_NOEXEC == 0
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

    #[test]
    fn every_copy_is_a_file_of_its_own_with_the_same_contents_and_name() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libx.so");
        fs::write(&library, "contents").unwrap();
        let copies = [0; 2].map(|_| Preload::copy_of(&library).unwrap());
        let mut files: Vec<u64> = [&library, &copies[0].path, &copies[1].path]
            .map(|path| fs::metadata(path).unwrap().ino())
            .into();
        files.sort_unstable();
        files.dedup();
        assert_eq!(files.len(), 3);
        for copy in copies {
            let path = copy.copy().unwrap().to_owned();
            assert_eq!(fs::read(&path).unwrap(), b"contents");
            assert_eq!(path.file_name(), library.file_name());
            drop(copy);
            assert!(!path.parent().unwrap().exists(), "the private folder is gone");
        }
    }

    #[test]
    fn a_library_that_looks_beside_itself_or_cannot_be_read_is_loaded_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let [beside, braced] = ["beside.so", "braced.so"].map(|name| folder.path().join(name));
        fs::write(&beside, "\x7fELF ... $ORIGIN/../lib ...").unwrap();
        fs::write(&braced, "\x7fELF ... ${ORIGIN} ...").unwrap();
        for library in [beside, braced, folder.path().join("missing.so")] {
            let preload = Preload::copy_of(&library).unwrap();
            assert_eq!((preload.path(), preload.copy()), (library.as_path(), None));
        }
        let plain = folder.path().join("plain.so");
        fs::write(&plain, "\x7fELF ... DF_ORIGIN and no such place ...").unwrap();
        assert!(Preload::copy_of(&plain).unwrap().copy().is_some());
    }
}
