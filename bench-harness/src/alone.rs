//! Tests that need a process of their own: beside others, memory that one of them has freed serves another,
//! locks are held in whatever it forks, and times are those of both.

use std::env;
use std::process::Command;
use std::thread;

/// Says that this process has one test to run.
const VARIABLE: &str = "ARENABENCH_TEST_ALONE";

/// Whether no other test runs beside the calling one. If others do, runs this one in a process of its own.
///
/// # Panics
/// When it fails there.
#[allow(clippy::print_stderr, reason = "a test says what it leaves out")]
pub(crate) fn is_alone() -> bool {
    if env::var_os(VARIABLE).is_some() {
        return true;
    }
    let thread = thread::current();
    let name = thread.name().expect("the thread of a test has its name");
    let mut command = Command::new(env::current_exe().unwrap());
    let output =
        command.args([name, "--exact", "--nocapture"]).env(VARIABLE, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    // A name that is not found would be no failure.
    let is_run = output.status.success() && told.contains("test result: ok. 1 passed");
    assert!(is_run, "{}\n{told}{}", output.status, String::from_utf8_lossy(&output.stderr));
    if told.contains("SKIPPED") {
        eprint!("{told}");
    }
    false
}

#[test]
fn a_test_that_fails_alone_fails() {
    if !is_alone() {
        return;
    }
    if env::var_os("ARENABENCH_TEST_FAILS").is_some() {
        panic!("planted");
    }
    let thread = thread::current();
    let again = Command::new(env::current_exe().unwrap())
        .args([thread.name().unwrap(), "--exact"])
        .env_remove(VARIABLE)
        .env("ARENABENCH_TEST_FAILS", "1")
        .output()
        .unwrap();
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stdout).contains("planted"));
}
