//! Starts `arenabench` and finds the libraries beside it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary under test.
pub(crate) const ARENABENCH: &str = env!("CARGO_BIN_EXE_arenabench");

/// A command line of `arenabench`, separated by spaces; no argument may hold one.
pub(crate) fn command(arguments: &str) -> Command {
    let mut command = Command::new(ARENABENCH);
    command.args(arguments.split_whitespace());
    command.env_remove("LD_PRELOAD");
    command
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `arenabench` with these arguments.
pub(crate) fn arenabench(arguments: &str) -> Ended {
    ended(&mut command(arguments))
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> Ended {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Ended {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

impl Ended {
    /// The records on standard output.
    pub(crate) fn records(&self) -> Vec<Value> {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }

    /// The only line on standard error that is an error.
    pub(crate) fn error(&self) -> &str {
        let errors: Vec<_> = self.stderr.lines().filter(|line| line.contains("error:")).collect();
        assert_eq!(errors.len(), 1, "one clear error: {}", self.stderr);
        errors[0]
    }
}

/// A control's library, built by `scripts/test`.
pub(crate) fn control(name: &str) -> PathBuf {
    let path =
        Path::new(ARENABENCH).with_file_name("examples").join(format!("libcontrol_{name}.so"));
    assert!(path.exists(), "{} is not built; run scripts/test", path.display());
    path
}

/// `--subject` argument for a control.
pub(crate) fn control_subject(name: &str) -> String {
    format!("-s {name}={}", control(name).display())
}

/// A folder for one test.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Whether a program can be run; says so when a test has to be skipped without it.
pub(crate) fn have(program: &str) -> bool {
    let found =
        Command::new(program).arg("--version").output().is_ok_and(|run| run.status.success());
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

/// Whether a process is dead, or is within ten seconds.
pub(crate) fn is_soon_gone(pid: &str) -> bool {
    let begin = Instant::now();
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") || stat.contains(") X ") {
            return true;
        }
        if begin.elapsed() > Duration::from_secs(10) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
