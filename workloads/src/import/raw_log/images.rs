//! Which process images left a log in a folder, and what their headers say.

use std::fs::{self, File};
use std::io::Read;
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{ImportError, ImportErrorKind};
use super::layout::{LogHeader, MAGIC};

/// One process image that left a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawImage {
    /// Process id.
    pub pid: u32,
    /// Which image of that process, from 0: exec begins the next.
    pub image: u32,
    /// Process id of the parent.
    pub parent: u32,
    /// Whether the image began by fork, on a heap the log does not know.
    pub forked: bool,
    /// Whether the process was seen to end by itself; not so after a crash, a signal or exec.
    pub ended: bool,
    /// Whether the recorder had to stop before the program ended.
    pub stopped: bool,
    /// Calls the recorder counted, failed ones and `free(NULL)` among them.
    pub calls: u64,
    /// Calls that returned null for a size above 0.
    pub failed: u64,
    /// Sequence numbers handed out.
    pub(super) sequence: u64,
}

/// The process images of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawImages {
    images: Vec<RawImage>,
}

impl RawImages {
    /// Reads the headers of all logs in a folder. Files of other names are passed over, and so
    /// are logs whose header was never finished, which hold nothing.
    ///
    /// # Errors
    /// When the folder or a header cannot be read, or a header is not one.
    pub fn scan(folder: &Path) -> Result<Self, ImportError> {
        let io_error = |error| ImportError::io(folder, 0, error);
        let mut images = Vec::new();
        for entry in fs::read_dir(folder).map_err(io_error)? {
            let name = entry.map_err(io_error)?.file_name();
            let Some((pid, image)) = name.to_str().and_then(parse_tail_name) else { continue };
            let path = tail_path(folder, pid, image);
            let mut file = File::open(&path).map_err(|error| ImportError::io(&path, 0, error))?;
            if let Some(image) = read_header(&mut file, &path, pid, image)? {
                images.push(image);
            }
        }
        images.sort_by_key(|image| (image.pid, image.image));
        Ok(RawImages { images })
    }

    /// The images, by process id and then in the order in which the process went through them.
    pub fn iter(&self) -> std::slice::Iter<'_, RawImage> {
        self.images.iter()
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether the folder holds no log.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }
}

impl<'a> IntoIterator for &'a RawImages {
    type Item = &'a RawImage;
    type IntoIter = std::slice::Iter<'a, RawImage>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Ends the log of a process that still runs: what it has recorded so far stays as it is in the
/// folder, the process finds out at its next visit to the log and records no more. The trace will
/// be marked as truncated. The process should stand still meanwhile, or records of this very moment
/// may be missing.
///
/// The process keeps the `.tail` file that it has mapped; a copy takes its place in the folder. What
/// it may still append to the `.log` stands in that copy as well.
///
/// # Errors
/// When the `.tail` file cannot be written or copied.
pub fn cut(folder: &Path, pid: u32, image: u32) -> Result<(), ImportError> {
    let path = tail_path(folder, pid, image);
    let stop_and_copy = || {
        let tail = File::options().write(true).open(&path)?;
        tail.write_all_at(&1_u32.to_ne_bytes(), offset_of!(LogHeader, stopped) as u64)?;
        let copy = path.with_extension("copy");
        fs::copy(&path, &copy)?;
        fs::rename(&copy, &path)
    };
    stop_and_copy().map_err(|error| ImportError::io(&path, 0, error))
}

/// `<pid>.<image>.tail`
fn parse_tail_name(name: &str) -> Option<(u32, u32)> {
    let (pid, image) = name.strip_suffix(".tail")?.split_once('.')?;
    Some((pid.parse().ok()?, image.parse().ok()?))
}

pub(super) fn tail_path(folder: &Path, pid: u32, image: u32) -> PathBuf {
    folder.join(format!("{pid}.{image}.tail"))
}

pub(super) fn log_path(folder: &Path, pid: u32, image: u32) -> PathBuf {
    folder.join(format!("{pid}.{image}.log"))
}

/// Reads the header at the start of a `.tail` file; `None` where none was written.
pub(super) fn read_header(
    file: &mut File,
    path: &Path,
    pid: u32,
    image: u32,
) -> Result<Option<RawImage>, ImportError> {
    let mut bytes = Vec::new();
    file.take(size_of::<LogHeader>() as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| ImportError::io(path, 0, error))?;
    // The magic is written last.
    if bytes.iter().take(MAGIC.len()).all(|&byte| byte == 0) {
        return Ok(None);
    }
    if bytes.len() < size_of::<LogHeader>() || bytes[..8] != MAGIC {
        return Err(ImportError::new(path, 0, ImportErrorKind::NotARawLog));
    }
    let header = decode(&bytes);
    let (expected, found) = ((pid, image), (header.pid, header.image));
    if expected != found {
        let kind = ImportErrorKind::WrongImage { expected, found };
        return Err(ImportError::new(path, 0, kind));
    }
    Ok(Some(RawImage {
        pid,
        image,
        parent: header.parent,
        forked: header.forked != 0,
        ended: header.ended != 0,
        stopped: header.stopped != 0,
        calls: header.calls(),
        failed: header.failed,
        sequence: header.sequence,
    }))
}

/// The struct from its bytes, in this machine's byte order as the recorder wrote it.
fn decode(bytes: &[u8]) -> LogHeader {
    let word = |at: usize| u32_of(&bytes[at..]);
    let long = |at: usize| u64_of(&bytes[at..]);
    LogHeader {
        magic: MAGIC,
        pid: word(8),
        image: word(12),
        parent: word(16),
        forked: word(20),
        ended: word(24),
        stopped: word(28),
        sequence: long(32),
        marks: long(40),
        failed: long(48),
    }
}

const _: () = assert!(std::mem::offset_of!(LogHeader, pid) == 8);
const _: () = assert!(std::mem::offset_of!(LogHeader, stopped) == 28);
const _: () = assert!(std::mem::offset_of!(LogHeader, marks) == 40);
const _: () = assert!(std::mem::offset_of!(LogHeader, failed) == 48);

/// The first four bytes as an integer.
pub(super) fn u32_of(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The first eight bytes as an integer.
pub(super) fn u64_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    u64::from_ne_bytes(word)
}
