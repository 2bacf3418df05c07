//! Builds `libarenite.so` of another revision of the repository that this is run in.
//!
//! The revision is checked out as a worktree in a temporary folder, so that neither the branch nor
//! what is not committed is touched. Its library is kept under `target/check`, by the revision and by
//! what else decides the code: compiler and build settings.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::anyhow;
use sha2::{Digest, Sha256};

use crate::exit::{self, Failure};
use crate::host;
use crate::talk::Voice;

/// The library's file, under `target/check/KEY` as under `target/release`.
const FILE: &str = "libarenite.so";
/// Package that builds it.
const PACKAGE: &str = "arenite-preload";

/// Short name and library of a revision.
///
/// # Errors
/// Bad usage with git's message for what is no revision; a missing tool or a build that fails.
pub(super) fn library(revision: &str, voice: &Voice) -> Result<(String, PathBuf), Failure> {
    let commit = git(
        Path::new("."),
        ["rev-parse", "--verify", "--end-of-options"],
        &[format!("{revision}^{{commit}}").as_ref()],
    )
    .map_err(|Failure { code, error }| Failure {
        code,
        error: error.context(format!("--against {revision}")),
    })?;
    let top = PathBuf::from(git(Path::new("."), ["rev-parse", "--show-toplevel"], &[])?);
    let short: String = commit.chars().take(10).collect();
    let cache = top.join("target/check");
    let kept = cache.join(format!("{commit}-{}", build_key())).join(FILE);
    if !kept.is_file() {
        voice.say(format!("Building {FILE} of {short}"));
        build(&top, &commit, &cache, &kept)?;
    }
    Ok((short, kept))
}

/// What decides the code beside the source: compiler, profile settings, flags.
fn build_key() -> String {
    let mut settings: Vec<String> = std::env::vars()
        .filter(|(name, _)| name.starts_with("CARGO_PROFILE_") || name.contains("RUSTFLAGS"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    settings.sort();
    settings.push(host::first_line("rustc", &["-V"]).unwrap_or_default());
    let hash = Sha256::digest(settings.join("\n"));
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A worktree that is gone when the value is.
struct Worktree<'a> {
    repository: &'a Path,
    folder: tempfile::TempDir,
}

impl Worktree<'_> {
    fn path(&self) -> PathBuf {
        self.folder.path().join("tree")
    }
}

impl Drop for Worktree<'_> {
    fn drop(&mut self) {
        // What is left of it is a folder under the temporary ones, and `git worktree prune`s away.
        let path = self.path();
        let _ = git(self.repository, ["worktree", "remove", "--force"], &[path.as_os_str()]);
    }
}

fn build(top: &Path, commit: &str, cache: &Path, kept: &Path) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("arenabench-revision-").tempdir();
    let folder = folder.map_err(|error| Failure::io("cannot make a folder", error))?;
    let tree = Worktree { repository: top, folder };
    let path = tree.path();
    git(top, ["worktree", "add", "--detach", "--quiet"], &[path.as_os_str(), commit.as_ref()])?;
    let target = cache.join("build");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "-p", PACKAGE, "--target-dir"]);
    cargo.arg(&target).current_dir(&path);
    let output = output(&mut cargo, "cargo")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().find(|line| line.starts_with("error")).unwrap_or("no reason given");
        return Err(incomplete(format!("cannot build {PACKAGE} of {commit}: {line}")));
    }
    let into = kept.parent().unwrap_or(cache);
    let copied = std::fs::create_dir_all(into)
        // Under its name only when it is whole.
        .and_then(|()| std::fs::copy(target.join("release").join(FILE), into.join("partial")))
        .and_then(|_| std::fs::rename(into.join("partial"), kept));
    copied.map_err(|error| Failure::io(kept.display(), error))
}

/// What git prints, without the end of its line.
fn git<const N: usize>(
    folder: &Path,
    words: [&str; N],
    more: &[&OsStr],
) -> Result<String, Failure> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(words).args(more);
    let output = output(&mut command, "git")?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| !line.is_empty()).unwrap_or("fatal: no reason given");
    Err(Failure::usage(format!("git: {line}")))
}

fn output(command: &mut Command, name: &str) -> Result<Output, Failure> {
    command.output().map_err(|error| incomplete(format!("cannot run {name}: {error}")))
}

fn incomplete(message: String) -> Failure {
    Failure { code: exit::INCOMPLETE, error: anyhow!(message) }
}
