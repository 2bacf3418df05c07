//! Real programs under subjects: what is measured, compared and proven, and how failures show.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{Ended, command, control, ended, folder, have, is_soon_gone};

/// Runs `arenabench program` with these options on a command.
fn program(options: &str, program: &[&str]) -> Ended {
    ended(command(&format!("program {options} -q --format json --")).args(program))
}

fn shell(options: &str, script: &str) -> Ended {
    program(options, &["/bin/sh", "-c", script])
}

fn library(control_name: &str) -> String {
    format!("-s {control_name}={}", control(control_name).display())
}

/// Records of the runs of one subject, in the order of measuring.
fn of<'a>(records: &'a [Value], subject: &str) -> Vec<&'a Value> {
    let runs = records.iter().filter(|record| record["kind"] == "program");
    runs.filter(|record| record["subject"] == subject).collect()
}

#[test]
fn every_run_is_paired_and_the_baseline_measured_against_itself() {
    let subject = library("leaking");
    let ended = shell(&format!("-s system {subject} --rounds 3"), "echo out; echo err >&2");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records[0]["kind"], "host");
    assert_eq!(records[0]["baseline"], "system");
    let timed = |record: &&Value| record["verified"].is_null();
    for (subject, per_round) in [("system", 2), ("leaking", 1)] {
        let runs = of(&records, subject);
        let (timed, verified): (Vec<_>, Vec<_>) = runs.into_iter().partition(timed);
        assert_eq!((timed.len(), verified.len()), (3 * per_round, per_round), "{subject}");
        for record in timed.iter().chain(&verified) {
            assert_eq!(record["status"], "ok", "{record}");
            assert_eq!(record["exit_code"], 0, "{record}");
            assert_eq!((&record["stdout_bytes"], &record["stderr_bytes"]), (&4.into(), &4.into()));
        }
        for record in &timed {
            for key in ["wall_ns", "user_ns", "system_ns", "page_faults"] {
                assert!(record[key].is_u64(), "{key}: {record}");
            }
        }
        for record in &verified {
            assert!(record["wall_ns"].is_null(), "a watched run carries no time: {record}");
            let library = record["library"].as_str().unwrap();
            let expected = if subject == "system" { "libc.so" } else { "libcontrol_leaking.so" };
            assert!(library.contains(expected), "{library}");
        }
    }
}

#[test]
fn output_that_differs_from_the_baselines_is_a_mismatch() {
    let subject = library("leaking");
    for (stream, script) in
        [("standard output", "echo $LD_PRELOAD"), ("standard error", "echo $LD_PRELOAD >&2")]
    {
        let ended = shell(&format!("-s system {subject} --rounds 2"), script);
        assert_eq!(ended.code, 1, "{}", ended.stderr);
        let records = ended.records();
        assert!(of(&records, "system").iter().all(|record| record["status"] == "ok"));
        let runs = of(&records, "leaking");
        assert_eq!(runs.len(), 1, "a cell that failed is not run again");
        assert_eq!(runs[0]["status"], "mismatch", "{}", runs[0]);
        let message = runs[0]["message"].as_str().unwrap();
        assert_eq!(message, format!("{stream} differs from that under system"));
        assert!(runs[0]["wall_ns"].is_null(), "a void run carries no time: {}", runs[0]);
    }
}

#[test]
fn less_of_the_output_can_be_compared() {
    let subject = library("leaking");
    let rounds = format!("-s system {subject} --rounds 1");
    let script = "echo $LD_PRELOAD >&2";
    assert_eq!(shell(&format!("{rounds} --compare stdout"), script).code, 0);
    assert_eq!(shell(&rounds, script).code, 1);
    let noisy = "echo $$";
    let ended = shell(&rounds, noisy);
    assert_eq!(ended.code, 1);
    let message = of(&ended.records(), "system")[1]["message"].clone();
    assert!(message.as_str().unwrap().contains("from run to run"), "{message}");
    assert_eq!(shell(&format!("{rounds} --compare none"), noisy).code, 0);
}

#[test]
fn exit_codes_and_signals_of_the_program_are_reported() {
    let ended = shell("-s system --rounds 2", "echo a last word >&2; exit 7");
    assert_eq!(ended.code, 3);
    let records = ended.records();
    let runs = of(&records, "system");
    assert_eq!((&runs[0]["status"], &runs[0]["exit_code"]), (&"exit".into(), &7.into()));
    assert_eq!(runs[0]["message"], "ended with exit code 7: a last word");
    let ended = shell("-s system --rounds 2", "kill -SEGV $$");
    assert_eq!(ended.code, 3);
    let records = ended.records();
    let runs = of(&records, "system");
    assert_eq!((&runs[0]["status"], &runs[0]["signal"]), (&"signal".into(), &11.into()));
    assert!(runs[0]["message"].as_str().unwrap().starts_with("killed by SIGSEGV"));
}

#[test]
fn a_program_beyond_its_time_limit_is_killed_with_all_that_it_started() {
    let folder = folder();
    let pids = folder.path().join("pids");
    let script =
        format!("trap '' TERM; sleep 60 & echo $! $$ > {}; wait; sleep 60", pids.display());
    let begin = Instant::now();
    let ended = shell("-s system --rounds 1 --timeout 3s", &script);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert_eq!(of(&ended.records(), "system")[0]["status"], "timeout");
    for pid in fs::read_to_string(&pids).unwrap().split_whitespace() {
        assert!(is_soon_gone(pid), "{pid} is left behind");
    }
}

#[test]
fn a_library_that_does_not_serve_is_not_loaded_and_never_a_figure() {
    // One that exports no malloc, and one that the program's wrapper takes away again.
    let unloaded = (library("unloaded"), "unloaded", "exec sleep 0.05");
    let cleared = (library("leaking"), "leaking", "exec env -i /bin/sleep 1");
    for (subject, name, script) in [unloaded, cleared] {
        let ended = shell(&format!("-s system {subject} --rounds 2"), script);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        let records = ended.records();
        let runs = of(&records, name);
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert_eq!(runs[0]["status"], "not-loaded", "{}", runs[0]);
        assert!(runs[0]["wall_ns"].is_null());
    }
}

#[test]
fn a_library_may_stand_under_a_path_that_the_linker_would_split() {
    let folder = folder();
    let path = folder.path().join("with space:and colon.so");
    fs::copy(control("leaking"), &path).unwrap();
    let mut command = command("program -s system --rounds 1 -q --format json");
    command.arg("-s").arg(format!("mine={}", path.display()));
    let ended = ended(command.args(["--", "/bin/sh", "-c", "exec sleep 0.05"]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    assert!(of(&records, "mine").iter().all(|record| record["status"] == "ok"));
}

#[test]
fn what_is_missing_is_one_clear_error_and_leaves_no_files() {
    let folder = folder();
    let out = folder.path().join("out");
    let ended = program(&format!("-s system -o {}", out.display()), &["no-such-program-anywhere"]);
    assert_eq!(ended.code, 74, "{}", ended.stderr);
    assert!(ended.error().contains("no-such-program-anywhere"), "{}", ended.stderr);
    assert!(!out.exists());
    let ended = program("-s mimalloc", &["true"]);
    assert_eq!(ended.code, 2, "a linked subject cannot serve a program");
    let ended = program("-s ghost=/nowhere/libghost.so --rounds 1", &["true"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let records = ended.records();
    let runs = of(&records, "ghost");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["status"], "missing", "{}", runs[0]);
    assert!(runs[0]["message"].as_str().unwrap().contains("/nowhere/libghost.so"));
}

#[test]
fn the_peak_of_resident_memory_is_the_programs_own() {
    if !have("python3") {
        return;
    }
    let peak = |code: &str| {
        let ended = program("-s system --rounds 1", &["python3", "-S", "-c", code]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let records = ended.records();
        let runs = of(&records, "system");
        runs.last().unwrap()["rss_peak_bytes"].as_u64().unwrap()
    };
    let mib = 1 << 20;
    let small = peak("pass");
    let large =
        peak(&format!("b = bytearray({})\nfor i in range(0, len(b), 4096): b[i] = 1", 64 * mib));
    assert!(large >= 64 * mib, "{large}");
    assert!((60 * mib..70 * mib).contains(&(large - small)), "{small} and {large}");
}

#[test]
fn the_peak_of_a_small_program_is_not_that_of_the_harness() {
    // A shell takes less than the launcher: left out, or its own, but never tens of mebibytes.
    let ended = shell("-s system --rounds 1", "true");
    for record in of(&ended.records(), "system") {
        let peak = record["rss_peak_bytes"].as_u64().unwrap_or(0);
        assert!(peak < 8 << 20, "{record}");
    }
}

#[test]
fn python_programs_are_compared_with_their_own_allocator() {
    if !have("python3") {
        return;
    }
    let code = "import os; print(os.environ.get('PYTHONHASHSEED'))";
    let ended = program("--python -s system --rounds 1", &["python3", "-S", "-c", code]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.records()[0]["baseline"], "pymalloc");
    let code = "import os; print(os.environ.get('PYTHONMALLOC'))";
    let ended = program("--python -s system --rounds 1", &["python3", "-S", "-c", code]);
    assert_eq!(ended.code, 1, "only the others run with PYTHONMALLOC=malloc");
    assert_eq!(of(&ended.records(), "system")[0]["status"], "mismatch");
}

#[test]
fn the_suite_runs_whole_and_leaves_records_and_a_report() {
    if !have("python3") {
        return;
    }
    let folder = folder();
    let out = folder.path().join("out");
    let options = format!(
        "program --suite python --amount 1 --rounds 1 -s pymalloc -s system -o {} --format csv -q",
        out.display()
    );
    let ended = ended(&mut command(&options));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let rows = ended.stdout.lines().count() - 1;
    assert!(rows >= 2 * 20, "{rows} rows");
    let text = fs::read_to_string(out.join("results.jsonl")).unwrap();
    let programs: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|record: &Value| record["kind"] == "program")
        .collect();
    // Twice verified and twice timed under the baseline, once each under the other.
    assert_eq!(programs.len(), 6 * rows / 2);
    assert!(programs.iter().all(|record| record["status"] == "ok"));
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    for part in ["Real programs", "json_documents", "geometric mean", "program-time"] {
        assert!(page.contains(part), "{part} is missing in the page");
    }
    let again = folder.path().join("again");
    let redrawn = ended_report(&out, &again);
    assert_eq!(redrawn.code, 0, "{}", redrawn.stderr);
    assert!(page == fs::read_to_string(again.join("index.html")).unwrap());
}

fn ended_report(from: &std::path::Path, to: &std::path::Path) -> Ended {
    ended(&mut command(&format!("report {} -o {} -q", from.display(), to.display())))
}

#[test]
fn a_program_of_the_suite_can_be_chosen_by_name() {
    let ended = ended(&mut command("program --suite python -p nothing"));
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.error().contains("json_documents"), "{}", ended.stderr);
}

#[test]
fn settings_of_allocators_are_kept_from_the_program() {
    let script = "test -z \"$MALLOC_ARENA_MAX$MIMALLOC_VERBOSE$LD_PRELOAD\"";
    let mut command = command("program -s system --rounds 1 -q --");
    command.env("MALLOC_ARENA_MAX", "1").env("MIMALLOC_VERBOSE", "1");
    let ended = ended(command.args(["/bin/sh", "-c", script]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}
