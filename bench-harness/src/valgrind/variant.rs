//! What a run under Valgrind is varied by, and the copies without symbols that one variant needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;
use reports::record::{FULL_SYMBOLS, REQUESTS_ON};
use tempfile::TempDir;

use crate::subject::own;

/// What Valgrind can know of functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Symbols {
    /// All there is
    #[default]
    Full,
    /// This project's executable and libraries without symbols
    Stripped,
    /// No information on inlined functions
    NoInline,
}

impl Symbols {
    /// Name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => FULL_SYMBOLS,
            Self::Stripped => "stripped",
            Self::NoInline => "no-inline",
        }
    }
}

/// Whether subjects may tell Valgrind of their blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Requests {
    /// As they do by themselves
    #[default]
    On,
    /// Children get ARENITE_VALGRIND=0
    Off,
}

impl Requests {
    /// Name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::On => REQUESTS_ON,
            Self::Off => "off",
        }
    }
}

/// One way of running a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Variant {
    pub(crate) symbols: Symbols,
    pub(crate) requests: Requests,
}

impl Variant {
    /// Every combination, each once, in the order named; the plain one when nothing is named.
    pub(crate) fn all(symbols: &[Symbols], requests: &[Requests]) -> Vec<Self> {
        let mut all = Vec::new();
        for &symbols in if symbols.is_empty() { &[Symbols::Full] } else { symbols } {
            for &requests in if requests.is_empty() { &[Requests::On] } else { requests } {
                let variant = Self { symbols, requests };
                if !all.contains(&variant) {
                    all.push(variant);
                }
            }
        }
        all
    }
}

/// Copies of this project's executable and libraries without symbols, in a folder of their own.
/// The executable finds the libraries beside itself there, as it does where it was built.
#[derive(Debug)]
pub(crate) struct Stripped {
    folder: TempDir,
}

impl Stripped {
    /// Makes the copies.
    ///
    /// # Errors
    /// Why there are none, with what helps.
    pub(crate) fn make() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("arenabench-stripped-").tempdir();
        let this = Self { folder: folder.map_err(|error| error.to_string())? };
        this.strip(&std::env::current_exe().map_err(|error| error.to_string())?)?;
        for library in
            own::ALL.iter().chain([&own::LAB]).map(own::Own::path).filter(|path| path.is_file())
        {
            this.strip(&library)?;
        }
        Ok(this)
    }

    fn strip(&self, file: &Path) -> Result<(), String> {
        let copy = self.folder.path().join(file.file_name().unwrap_or_default());
        let output =
            Command::new("strip").arg("-o").arg(copy).arg(file).output().map_err(|error| {
                format!("strip cannot be run ({error}); install the package `binutils`")
            })?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("strip: {}", String::from_utf8_lossy(&output.stderr).trim())),
        }
    }

    /// The copy of `file`, when it is one of this project's; else `file` itself.
    pub(crate) fn of(&self, file: &Path) -> PathBuf {
        let copy = self.folder.path().join(file.file_name().unwrap_or_default());
        let ours = std::env::current_exe().is_ok_and(|this| this == file)
            || own::ALL.iter().chain([&own::LAB]).any(|library| library.path() == file);
        if ours && copy.is_file() { copy } else { file.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_named_is_the_plain_variant_and_nothing_is_run_twice() {
        assert_eq!(Variant::all(&[], &[]), [Variant::default()]);
        let twice = [Symbols::Full, Symbols::Stripped, Symbols::Full];
        assert_eq!(Variant::all(&twice, &[Requests::On, Requests::Off]).len(), 4);
    }
}
