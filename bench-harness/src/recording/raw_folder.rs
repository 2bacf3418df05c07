//! The folder of raw logs: what was asked of the recording, and what becomes of it.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use workloads::import::raw_log::{self, ImportErrorKind, RawImage, RawImages};
use workloads::trace::{Meta, Writer};

use super::{Recorded, survivors};
use crate::exit::{self, Failure};

/// The file that says what the recording was of.
const NOTE: &str = "recording.json";

/// What the logs do not say themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// Name of the program for readers.
    pub(super) program: String,
    /// Interpreter and version, where the program is a script.
    pub(super) interpreter: Option<String>,
    /// Request size that marks the measured region.
    pub(super) mark_size: Option<u64>,
    /// The program's own process; none before it was started.
    pub(super) pid: Option<u32>,
}

impl Note {
    /// Writes the note into `folder`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(NOTE), serde_json::to_vec(self)?)
    }

    /// The note in `folder`, if there is one.
    ///
    /// # Errors
    /// When it cannot be read or is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(NOTE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                Failure::data(anyhow::Error::from(error).context(path.display().to_string()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::io(path.display(), error)),
        }
    }
}

/// Turns the raw logs in `folder` into traces. The last image of the program's own process goes to
/// `output`, every other image, if `others` are wanted, to that name with its process and image
/// number. Also tells how many processes still ran and were cut off.
///
/// # Errors
/// When nothing was logged, a log cannot be read, or a trace cannot be written.
pub(super) fn convert(
    folder: &Path,
    note: &Note,
    output: &Path,
    others: bool,
) -> Result<(Vec<Recorded>, u64), Failure> {
    let cut = survivors::cut(folder).map_err(import_failure)?;
    let images = RawImages::scan(folder).map_err(import_failure)?;
    let pid = note.pid.or_else(|| eldest(&images));
    let own = images.iter().filter(|image| Some(image.pid) == pid);
    let Some(own) = own.max_by_key(|image| image.image) else {
        return Err(Failure {
            code: exit::INCOMPLETE,
            error: anyhow::anyhow!(
                "{} left no log: it is statically linked, runs with raised privileges, \
                 or cleared its environment",
                note.program
            ),
        });
    };
    let mut traces = vec![convert_image(folder, note, own, output)?];
    if others {
        for image in images.iter().filter(|image| *image != own) {
            let mut path = output.as_os_str().to_owned();
            path.push(format!(".{}.{}", image.pid, image.image));
            traces.push(convert_image(folder, note, image, Path::new(&path))?);
        }
    }
    Ok((traces, cut))
}

/// The process that no other process of the folder has started.
fn eldest(images: &RawImages) -> Option<u32> {
    let is_child = |image: &RawImage| images.iter().any(|other| other.pid == image.parent);
    images.iter().find(|image| !is_child(image)).map(|image| image.pid)
}

fn convert_image(
    folder: &Path,
    note: &Note,
    image: &RawImage,
    path: &Path,
) -> Result<Recorded, Failure> {
    let meta = Meta {
        command: note.program.clone(),
        producer: concat!("arenabench record ", env!("CARGO_PKG_VERSION")).to_owned(),
        interpreter: note.interpreter.clone().unwrap_or_default(),
        ..Meta::default()
    };
    let mut writer = Writer::create(path, &meta)?;
    let options = raw_log::Options { mark_size: note.mark_size };
    let mut failed = None;
    let summary = raw_log::import(folder, image.pid, image.image, &options, &mut |event| {
        if failed.is_none() {
            failed = writer.write(&event).err();
        }
    })
    .map_err(import_failure)?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    *writer.losses_mut() = summary.losses();
    let totals = writer.finish()?;
    let trace_bytes = fs::metadata(path).map_err(|error| Failure::io(path.display(), error))?.len();
    Ok(Recorded { path: path.to_owned(), pid: image.pid, totals, summary, trace_bytes })
}

fn import_failure(error: raw_log::ImportError) -> Failure {
    let code = match error.kind {
        ImportErrorKind::Io(_) => exit::IO,
        _ => exit::DATA,
    };
    Failure { code, error: error.into() }
}

/// Adds to a failure where the raw logs are, and the command that takes them up again.
pub(super) fn kept(failure: Failure, folder: &Path, output: &Path) -> Failure {
    let Failure { code, error } = failure;
    let (folder, output) = (shell_word(folder), shell_word(output));
    let error = error.context(format!(
        "the raw log is kept in {folder}; to convert it: arenabench trace import {folder} -o {output}"
    ));
    Failure { code, error }
}

/// A path as a shell takes it.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+,@%=:".contains(char);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_a_shell_where_they_must_be() {
        assert_eq!(shell_word(Path::new("/a/b.trace")), "/a/b.trace");
        assert_eq!(shell_word(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Note::read(folder.path()).unwrap(), None);
        let note = Note { program: "x y".to_owned(), pid: Some(7), ..Note::default() };
        note.write(folder.path()).unwrap();
        assert_eq!(Note::read(folder.path()).unwrap(), Some(note));
        fs::write(folder.path().join(NOTE), "{").unwrap();
        assert_eq!(Note::read(folder.path()).unwrap_err().code, exit::DATA);
    }
}
