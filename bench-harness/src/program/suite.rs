//! The built-in set of programs: Python, part of this executable, written to a folder to be run.

use std::ffi::{OsStr, OsString};
use std::io;

use super::Program;
use crate::exit::{self, Failure};

/// A program of the suite.
struct Script {
    name: &'static str,
    source: &'static str,
    /// Argument with which it takes about half a second.
    amount: u32,
}

macro_rules! script {
    ($file:literal, $amount:literal) => {
        Script {
            name: $file,
            source: include_str!(concat!("../../../workloads/programs/", $file, ".py")),
            amount: $amount,
        }
    };
}

/// All programs whose one argument is an amount of work and whose output is a checksum.
const SCRIPTS: &[Script] = &[
    script!("bigint_digits", 240),
    script!("binary_packets", 40),
    script!("collection_queues", 130),
    script!("compile_modules", 24),
    script!("copy_pickle", 20),
    script!("csv_report", 36),
    script!("decimal_fractions", 120),
    script!("dict_index", 8),
    script!("event_simulation", 54),
    script!("expression_parser", 50),
    script!("float_orbits", 60),
    script!("generator_pipeline", 66),
    script!("go_board", 54),
    script!("interpreter_day", 54),
    script!("json_documents", 54),
    script!("object_graph", 70),
    script!("regex_scan", 80),
    script!("sort_records", 22),
    script!("sqlite_ledger", 74),
    script!("string_build", 68),
    script!("test_runner", 16),
    script!("xml_catalog", 38),
];

/// Refuses names that no program of the suite has.
///
/// # Errors
/// Bad usage, with the names that exist.
pub(crate) fn check_names(names: &[String]) -> Result<(), Failure> {
    crate::commands::run::unique(names.iter().map(String::as_str), "program")?;
    match names.iter().find(|name| SCRIPTS.iter().all(|script| script.name != name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let all: Vec<_> = SCRIPTS.iter().map(|script| script.name).collect();
            Err(Failure::usage(format!("no program `{name}`; there are {}", all.join(", "))))
        }
    }
}

/// The interpreter itself: the command may be a script that starts it.
///
/// # Errors
/// When it is no Python that can do without its own allocator.
pub(crate) fn interpreter(command: &OsStr) -> Result<OsString, Failure> {
    let name = command.to_string_lossy();
    let needed = |what: &str| Failure {
        code: exit::INCOMPLETE,
        error: anyhow::anyhow!("{name}: {what}; the suite needs CPython 3.6 or later"),
    };
    let print = ["-c", "import sys; print(sys.executable, sys.version_info >= (3, 6), sep='\\n')"];
    let output = std::process::Command::new(command)
        .args(print)
        .output()
        .map_err(|error| Failure::io(&name, error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some(path), Some("True")) if !path.is_empty() => Ok(path.into()),
        _ => Err(needed("no Python, or too old")),
    }
}

/// The programs' files, in a folder that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Scripts(tempfile::TempDir);

impl Scripts {
    /// Writes every program of the suite.
    ///
    /// # Errors
    /// When there is no place for temporary files.
    pub(crate) fn write() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("arenabench-suite-").tempdir()?;
        for script in SCRIPTS {
            std::fs::write(folder.path().join(format!("{}.py", script.name)), script.source)?;
        }
        Ok(Self(folder))
    }

    /// The programs called `names`, or all, with their own amount of work or another.
    pub(crate) fn programs(
        &self,
        interpreter: &OsStr,
        names: &[String],
        amount: Option<u32>,
    ) -> Vec<Program> {
        let wanted =
            |script: &&Script| names.is_empty() || names.iter().any(|name| name == script.name);
        SCRIPTS
            .iter()
            .filter(wanted)
            .map(|script| {
                let amount = amount.unwrap_or(script.amount).to_string();
                let file = self.0.path().join(format!("{}.py", script.name));
                Program {
                    name: script.name.to_owned(),
                    shown: format!("python3 {}.py {amount}", script.name),
                    command: vec![interpreter.to_owned(), file.into(), amount.into()],
                }
            })
            .collect()
    }
}
