//! Long workloads: memory stays what one window of the plan takes, time grows as the calls do, and a
//! disk too small for the plan is one clear error.
//!
//! Ten million calls always; with `ARENABENCH_CAMPAIGN=1` a hundred million, and what a thousand
//! million would take is told from the slope.

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::command::{ARENABENCH, command, folder};

/// Largest window of a plan, in bytes.
const WINDOW_BYTES: u64 = 64 << 20;
/// What else may differ between two runs of one command.
const SLACK_BYTES: u64 = 8 << 20;

/// What a replay took, the processes it waited for included.
#[derive(Clone, Copy, Debug)]
struct Cost {
    calls: u64,
    time: Duration,
    /// Peak of resident memory of the largest of its processes.
    peak_bytes: u64,
}

impl Cost {
    /// Whether `longer` took at most twice the time that its calls explain: another exponent than
    /// one, not noise.
    fn explains_time_of(&self, longer: &Self) -> bool {
        let factor = longer.calls as f64 / self.calls as f64;
        longer.time.as_secs_f64() <= 2.0 * factor * self.time.as_secs_f64()
    }

    /// Whether `longer` takes no more memory than this, but for `more` bytes.
    fn explains_memory_of(&self, longer: &Self, more: u64) -> bool {
        longer.peak_bytes <= self.peak_bytes + more
    }
}

#[allow(clippy::zombie_processes, reason = "wait4 waits for the process and tells what it took")]
fn replay(calls: u64) -> Cost {
    let begin = Instant::now();
    let child = command(&format!(
        "replay int-churn --operations {calls} --subject system --rounds 1 --timeout 900s -q"
    ))
    .stdout(Stdio::null())
    .spawn()
    .unwrap();
    let mut status = 0;
    // SAFETY: all bytes zero is a valid rusage, a plain C struct of numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointers are to live values; nobody else waits for this child.
    let waited = unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) };
    assert!(waited > 0, "{}", io::Error::last_os_error());
    assert_eq!(status, 0);
    let cost = Cost { calls, time: begin.elapsed(), peak_bytes: usage.ru_maxrss as u64 * 1024 };
    eprintln!("{cost:?}");
    cost
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_workload_and_time_does_as_calls_do() {
    let mut pairs = Vec::new();
    // What runs beside this test may come in between.
    while pairs.len() < 3 {
        let (short, long) = (replay(1_000_000), replay(10_000_000));
        assert!(short.explains_memory_of(&long, WINDOW_BYTES + SLACK_BYTES), "{short:?} {long:?}");
        pairs.push((short, long));
        if short.explains_time_of(&long) {
            break;
        }
    }
    let (short, long) = pairs[pairs.len() - 1];
    assert!(short.explains_time_of(&long), "{pairs:?}");
    if std::env::var_os("ARENABENCH_CAMPAIGN").is_none() {
        eprintln!("SKIPPED: set ARENABENCH_CAMPAIGN=1 to replay a hundred million calls");
        return;
    }
    let longer = replay(100_000_000);
    assert!(long.explains_memory_of(&longer, SLACK_BYTES), "{long:?} {longer:?}");
    assert!(long.explains_time_of(&longer), "{long:?} {longer:?}");
    let slope = (longer.time - long.time).as_secs_f64() / (longer.calls - long.calls) as f64;
    eprintln!("a thousand million calls would take {:.0} s", slope * 1e9);
}

/// Both checks must find what they are there for: a plan held in memory, and time that grows as the
/// square of the calls.
#[test]
fn a_plan_in_memory_and_a_quadratic_replay_are_found() {
    let cost = |calls: u64, seconds: u64, peak_bytes: u64| Cost {
        calls,
        time: Duration::from_secs(seconds),
        peak_bytes,
    };
    let short = cost(1_000_000, 1, 26 << 20);
    assert!(!short.explains_memory_of(&cost(100_000_000, 100, 800 << 20), WINDOW_BYTES));
    assert!(!short.explains_time_of(&cost(10_000_000, 100, 26 << 20)));
    assert!(short.explains_time_of(&cost(10_000_000, 11, 26 << 20)));
}

/// Runs a script in which `/mnt` is a file system of `size`; `None` where that needs more rights.
fn on_small_disk(size: &str, script: &str) -> Option<(i32, String)> {
    let mount = format!("mount -t tmpfs -o size={size} none /mnt");
    let run = |script: &str| {
        std::process::Command::new("unshare").args(["-rm", "sh", "-c", script]).output().ok()
    };
    if !run(&mount).is_some_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no file system can be mounted here");
        return None;
    }
    let output = run(&format!("{mount} && {script}"))?;
    Some((output.status.code()?, String::from_utf8(output.stderr).unwrap()))
}

#[test]
fn a_disk_too_small_for_the_plan_is_one_clear_error() {
    let script =
        format!("TMPDIR=/mnt {ARENABENCH} replay int-churn --operations 1000000 -s system -q");
    let Some((code, stderr)) = on_small_disk("1m", &script) else { return };
    assert_eq!(code, 74, "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("the replay plan, in /mnt: No space left"), "{stderr}");
}

#[test]
fn a_folder_for_plans_that_is_not_there_is_one_clear_error() {
    let missing = folder().path().join("missing");
    let output = command("replay int-churn --operations 1000 -s system -q")
        .env("TMPDIR", &missing)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(74), "{stderr}");
    assert!(stderr.contains(&missing.display().to_string()), "{stderr}");
}

#[test]
fn a_disk_that_fills_up_during_a_run_leaves_records_that_can_be_read_and_gone_on_with() {
    let run = format!(
        "{ARENABENCH} run -w int-churn:1k --operations 2000 -s system --rounds 40 --no-memcheck -q \
         -o /mnt/out"
    );
    let script = format!(
        "{run}; first=$?; {ARENABENCH} report /mnt/out/results.jsonl -o $REPORT -q && \
         mount -o remount,size=8m /mnt && {run} --resume && exit $first"
    );
    let folder = folder();
    let script = format!("REPORT={}; {script}", folder.path().join("page").display());
    let Some((code, stderr)) = on_small_disk("24k", &script) else { return };
    assert_eq!(code, 74, "{stderr}");
    assert!(stderr.contains("No space left"), "{stderr}");
    assert!(folder.path().join("page/index.html").exists());
}
