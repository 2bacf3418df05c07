//! Ctrl-C, a closed terminal and SIGKILL in the middle of a run: what was finished is on disk.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{command, folder, is_soon_gone};

fn start(out: &Path) -> Child {
    start_with(out, libc::SIG_DFL)
}

/// Starts a run to which hangups mean what `hangup` says.
fn start_with(out: &Path, hangup: libc::sighandler_t) -> Child {
    let mut run = command(&format!(
        "run -s system -s mimalloc -s jemalloc -w int-churn -w dict-resize --rounds 200 \
         --no-memcheck --no-verify -o {} -q",
        out.display()
    ));
    let heed = move || {
        // SAFETY: neither the default nor ignoring is a function.
        unsafe { libc::signal(libc::SIGHUP, hangup) };
        Ok(())
    };
    // SAFETY: the closure makes a system call and nothing else.
    unsafe { run.pre_exec(heed) };
    run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn records(out: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(out.join("results.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until the results hold a few samples.
fn wait_for_samples(out: &Path) {
    let begin = Instant::now();
    while std::fs::read_to_string(out.join("results.jsonl"))
        .is_ok_and(|text| text.matches("\"kind\":\"sample\"").count() < 4)
        || !out.join("results.jsonl").exists()
    {
        assert!(begin.elapsed() < Duration::from_secs(60), "no samples");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn kill(child: &Child, signal: &str) {
    let status = std::process::Command::new("kill")
        .args([format!("-{signal}"), child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

fn children_of(pid: u32) -> Vec<String> {
    let output = std::process::Command::new("ps")
        .args(["-o", "pid=", "--ppid", &pid.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn ctrl_c_ends_in_order_with_a_report_of_what_there_is() {
    let folder = folder();
    let out = folder.path().join("out");
    let mut child = start(&out);
    wait_for_samples(&out);
    kill(&child, "INT");
    let begin = Instant::now();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert_eq!(records(&out).last().unwrap()["outcome"], "interrupted");
    assert!(out.join("index.html").exists());
}

/// Sends a run the same signal twice, so far apart that they are not one, and so near that the run has
/// not ended in between; it ends in order.
fn ends_in_order_when_signalled_twice(signal: libc::c_int) {
    let folder = folder();
    let out = folder.path().join("out");
    let mut child = start(&out);
    wait_for_samples(&out);
    for _ in 0..2 {
        // SAFETY: the child is there and not waited for.
        assert_eq!(unsafe { libc::kill(child.id() as libc::pid_t, signal) }, 0);
        std::thread::sleep(Duration::from_micros(300));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(records(&out).last().unwrap()["outcome"], "interrupted");
}

/// Would catch a run that the second hangup ends where it stands: a shell sends the one, and the kernel
/// the other when the shell is gone.
#[test]
fn a_terminal_that_goes_away_hangs_up_twice_and_ends_a_run_in_order() {
    ends_in_order_when_signalled_twice(libc::SIGHUP);
}

/// Would catch a run that takes the second for a second Ctrl-C: `timeout` signals its child and then the
/// whole group.
#[test]
fn one_who_signals_a_run_and_its_group_ends_it_in_order() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        ends_in_order_when_signalled_twice(signal);
    }
}

#[test]
fn a_run_that_is_to_outlive_its_terminal_goes_on() {
    let folder = folder();
    let out = folder.path().join("out");
    let mut child = start_with(&out, libc::SIG_IGN);
    wait_for_samples(&out);
    kill(&child, "HUP");
    let (before, hung_up) = (records(&out).len(), Instant::now());
    while records(&out).len() == before {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        assert!(hung_up.elapsed() < Duration::from_secs(60), "it does nothing");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(child.try_wait().unwrap().is_none(), "it has ended");
    kill(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// Would catch copies that only the parent deletes: a killed one deletes nothing.
#[test]
fn no_copy_of_a_library_outlives_the_start_of_the_child_that_loads_it() {
    let (folder, temporary) = (folder(), crate::command::folder());
    let hanging = crate::command::control("hanging");
    let mut line = command(&format!(
        "run -s hanging={} -w int-churn:1k --no-memcheck --no-verify -o {} -q",
        hanging.display(),
        folder.path().join("out").display()
    ));
    let mut child = line.env("TMPDIR", temporary.path()).spawn().unwrap();
    // What lies in private folders for copies; none before there is such a folder.
    let copies = || -> Option<usize> {
        let folders = std::fs::read_dir(temporary.path()).unwrap().flatten();
        let mut private = folders
            .filter(|one| one.file_name().to_string_lossy().starts_with("arenabench-preload-"))
            .peekable();
        private.peek()?;
        Some(private.filter_map(|one| Some(std::fs::read_dir(one.path()).ok()?.count())).sum())
    };
    let begin = Instant::now();
    // For a while: for a moment the folder is there and the copy is not yet.
    let mut empty = 0;
    while empty < 20 {
        assert!(begin.elapsed() < Duration::from_secs(60), "the copy lies there: {:?}", copies());
        empty = if copies() == Some(0) { empty + 1 } else { 0 };
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(child.try_wait().unwrap().is_none(), "the child that hangs is still there");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(copies(), Some(0));
}

#[test]
fn killed_at_any_moment_the_records_still_parse_and_no_child_is_left() {
    for delay in [5, 37, 113, 190] {
        let folder = folder();
        let out = folder.path().join("out");
        let mut child = start(&out);
        wait_for_samples(&out);
        std::thread::sleep(Duration::from_millis(delay));
        let grandchildren = children_of(child.id());
        kill(&child, "KILL");
        child.wait().unwrap();
        for pid in grandchildren {
            assert!(is_soon_gone(&pid), "{pid} is left behind");
        }
        let text = std::fs::read_to_string(out.join("results.jsonl")).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for line in &lines[..lines.len() - 1] {
            let _: Value = serde_json::from_str(line).unwrap();
        }
    }
}
