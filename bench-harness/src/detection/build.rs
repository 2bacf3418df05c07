//! Compiles the programs, each once for every way in which it is run.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::bug::{Bug, HEADER};
use super::mode::{Build, LINKED};
use crate::child::spawn::{self, Ending, Limits};
use crate::host;
use crate::interrupt::Interrupt;

/// Optimised as far as programs are that people debug; calls of malloc are left where they stand.
const ARGUMENTS: [&str; 6] =
    ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-builtin", "-pthread", "-w"];

/// Sources in a folder of their own, and what they are compiled with.
pub(super) struct Workshop {
    folder: tempfile::TempDir,
    compiler: OsString,
}

impl Workshop {
    /// Lays the sources out.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn open(bugs: &[Bug]) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("arenabench-bugs-").tempdir()?;
        std::fs::write(folder.path().join("bug.h"), HEADER)?;
        for bug in bugs {
            std::fs::write(folder.path().join(format!("{}.c", bug.name)), bug.source.as_bytes())?;
        }
        Ok(Self { folder, compiler: host::c_compiler() })
    }

    /// A folder for reports.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Why nothing can be compiled, where the compiler is not there.
    pub(super) fn missing(&self) -> Option<String> {
        let version = Command::new(&self.compiler).arg("--version").output();
        version.err().map(|error| {
            format!(
                "no C compiler: {}: {error}; install one (package `gcc`) or name it in CC",
                self.compiler.to_string_lossy()
            )
        })
    }

    /// Compiles one program; the result is the executable, or the compiler's first complaint.
    ///
    /// # Errors
    /// When the compiler cannot be started.
    pub(super) fn compile(
        &self,
        bug: &Bug,
        build: Build,
        limits: Limits,
        interrupt: &Interrupt,
    ) -> io::Result<Result<PathBuf, String>> {
        let program = self.folder.path().join(format!("{}.{}", bug.name, build.word()));
        let mut command = Command::new(&self.compiler);
        command.args(ARGUMENTS).current_dir(self.folder.path()).arg("-I").arg(self.folder.path());
        if build != Build::Plain {
            command.arg("-fsanitize=address");
        }
        command.arg("-o").arg(&program).arg(format!("{}.c", bug.name));
        if build == Build::AddressArenite {
            command.arg("-DBUG_ARENITE").arg(LINKED.path()).arg("-ldl");
        }
        let finished = spawn::run(command, limits, interrupt)?;
        if finished.ending == Ending::Exit(0) {
            return Ok(Ok(program));
        }
        let said = String::from_utf8_lossy(&finished.stderr).into_owned();
        let complaint = said.lines().find(|line| line.contains("error")).or(said.lines().next());
        Ok(Err(format!("does not compile: {}", complaint.unwrap_or("no reason given"))))
    }
}
