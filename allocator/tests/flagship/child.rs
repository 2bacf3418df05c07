//! Tests in processes of their own.
//!
//! The test starts this same binary with its own name as the filter and [`ALONE`] set; there, the
//! body runs. A child that hangs is ended by its alarm.

use std::any;
use std::env;
use std::fmt;
use std::io::{Write, stdout};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::posix;

/// Name of the test whose body this process is to run, and the number of the case.
const ALONE: &str = "TEST_ALONE";
/// Seconds that a child may take, unless it asks for more.
const LIMIT_SECONDS: u32 = 120;
/// What a body that is to die prints before: the line that its last words must be.
const LAST_WORDS: &str = "last words: ";
const SIGABRT: i32 = 6;

/// Name of the test that `body` was written in.
fn test_of<T>(_body: &T) -> &'static str {
    let path = any::type_name::<T>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    path.split("::{{").next().unwrap_or(path)
}

/// The case that this process is to run, if it is a child of `test`.
fn case_of(test: &str) -> Option<usize> {
    let alone = env::var(ALONE).ok()?;
    let (name, case) = alone.split_once(' ')?;
    assert_eq!(name, test, "the child runs the test it was started for");
    posix::leave_no_core();
    posix::alarm(LIMIT_SECONDS);
    case.parse().ok()
}

fn command(test: &str, case: usize) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ALONE, format!("{test} {case}"))
        // The system malloc's arenas would take address space of which some tests have little.
        .env("MALLOC_ARENA_MAX", "1");
    command
}

/// Runs `body` in a process of its own; fails if it fails, or dies. What the child said; in the
/// child `None`.
pub(crate) fn alone(body: impl FnOnce()) -> Option<String> {
    let test = test_of(&body);
    if case_of(test).is_some() {
        body();
        return None;
    }
    let output = command(test, 0).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "child: {}", output.status);
    Some(text.into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// A way to die: its name, and what does it. Before the deed, the deed says by [`last_words`] what
/// the last words will be.
pub(crate) type Death = (&'static str, fn());

/// Runs every deed in a process of its own. Each must end in an abort, with the words that it
/// foretold, and no others, on standard error. `test` is any closure of the calling test.
pub(crate) fn each_dies(test: impl FnOnce(), deaths: &[Death]) {
    let test = test_of(&test);
    if let Some(case) = case_of(test) {
        deaths[case].1();
        println!("survived");
        return;
    }
    for (case, (name, _)) in deaths.iter().enumerate() {
        let mut command = command(test, case);
        // The heap would name the variables that only tests know.
        for (variable, _) in env::vars().filter(|(name, _)| name.starts_with("ARENITE_")) {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        let (said, err) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        let foretold = said.lines().find_map(|line| line.split_once(LAST_WORDS));
        let foretold = foretold.map(|(_, words)| format!("{words}\n"));
        assert_eq!(Some(&err), foretold.as_ref(), "{name}: {}\n{said}", output.status);
        assert_eq!(output.status.signal(), Some(SIGABRT), "{name}");
    }
}

/// Foretells `arenite: fatal: <misuse> 0x<address>`.
pub(crate) fn last_words(misuse: impl fmt::Display, block: *const u8) {
    // A line of its own, after whatever the harness has printed.
    println!("\n{LAST_WORDS}arenite: fatal: {misuse} {:#x}", block.addr());
    stdout().flush().unwrap();
}
