//! Runs that are killed at random moments, and files that are cut off at any place: what was finished
//! is readable, `--resume` finishes the rest, nothing is lost and nothing is there twice.
//!
//! A dozen kills always; with `ARENABENCH_CAMPAIGN=1` a hundred. `ARENABENCH_KILL_SEED` chooses other
//! moments.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{arenabench, command, folder, have};

/// Named in the environment of a run, so that its children can be found when it is gone.
const MARK: &str = "ARENABENCH_KILL_MARK";
/// Most kills of one run before it is let through to its end.
const KILLS_PER_RUN: u32 = 4;

/// A run with every phase, in a few seconds.
const RUN: &str =
    "run -s system -s mimalloc -w int-churn:1k --operations 20000 --rounds 3 --tails -q";
/// Two programs' runs under two subjects.
const PROGRAM: &str = "program -s system -s pymalloc --suite python -p json_documents \
                       -p sort_records --amount 1 --rounds 3 -q";
/// Valgrind's errors of replays, and seeded bugs.
const MEMCHECK: &str = "memcheck -s system -s pymalloc-3.9 -w int-churn:1k -w frame-push-pop \
                        --operations 2000 --bug double-free --bug clean-churn --mode malloc \
                        --mode malloc+memcheck -q";

/// A small generator of moments; the same seed gives the same ones.
struct Moments(u64);

impl Moments {
    fn from_environment() -> Self {
        let seed = std::env::var("ARENABENCH_KILL_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or(0x5eed);
        eprintln!("ARENABENCH_KILL_SEED={seed}");
        Self(seed)
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

fn kills() -> u32 {
    if std::env::var_os("ARENABENCH_CAMPAIGN").is_some() { 100 } else { 12 }
}

fn start(arguments: &str, out: &Path, mark: &str) -> Child {
    let resume = if out.join("results.jsonl").exists() { "--resume" } else { "" };
    command(&format!("{arguments} -o {} {resume}", out.display()))
        .env(MARK, mark)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Processes that still run with the mark in their environment.
fn marked(mark: &str) -> Vec<u32> {
    let needle = format!("{MARK}={mark}");
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|one| one == needle.as_bytes())
    })
    .collect()
}

/// What a record is of: no two finished ones may agree in it.
fn key(record: &Value) -> Option<String> {
    let names = match record["kind"].as_str()? {
        "sample" => ["subject", "workload", "round", "again", "verified"].as_slice(),
        "tails" | "counters" => &["subject", "workload", "round"],
        "counts" | "memory" => &["subject", "workload"],
        "packing" => &["workload"],
        "memcheck" => &["subject", "workload", "symbols", "requests"],
        "program" => &["program", "subject", "round", "again", "verified"],
        "detection" => &["bug", "mode"],
        "host" => &[],
        "subject" => &["subject"],
        "workload" => &["workload"],
        _ => return None,
    };
    if record["status"] == "interrupted" {
        return None;
    }
    let parts: Vec<_> = names.iter().map(|name| record[name].to_string()).collect();
    Some(format!("{} {}", record["kind"], parts.join(" ")))
}

/// The finished records' keys; a key twice is an error.
fn keys(out: &Path) -> HashMap<String, usize> {
    let text = std::fs::read_to_string(out.join("results.jsonl")).unwrap_or_default();
    let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = HashMap::new();
    for (place, key) in whole.filter_map(|record| key(&record)).enumerate() {
        assert!(found.insert(key.clone(), place).is_none(), "twice: {key}");
    }
    found
}

/// The part of a results file that a killed run can have left for good: its whole lines.
fn whole_lines(out: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(out.join("results.jsonl")).unwrap_or_default();
    bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1));
    bytes
}

fn assert_readable(out: &Path) {
    if whole_lines(out).is_empty() {
        return;
    }
    let page = out.with_extension("page");
    let results = out.join("results.jsonl");
    let ended = arenabench(&format!("report {} -o {} -q", results.display(), page.display()));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

fn signal(child: &Child, name: &str) {
    let arguments = [format!("-{name}"), child.id().to_string()];
    // A run that has ended by itself meanwhile cannot be killed.
    let _ = std::process::Command::new("kill").args(arguments).stderr(Stdio::null()).status();
}

/// Kills runs of `arguments` until `kills` is used up, each run a few times before it may finish,
/// and checks what is left after every kill and at the end.
fn campaign(arguments: &str, mut kills: u32) {
    let mut moments = Moments::from_environment();
    let folder = folder();
    let whole = folder.path().join("whole");
    let begin = Instant::now();
    let status = start(arguments, &whole, "none").wait().unwrap();
    assert_eq!(status.code(), Some(0), "{arguments}");
    let length_ms = begin.elapsed().as_millis() as u64;
    let expected = keys(&whole);
    let mut run = 0;
    while kills > 0 {
        let out = folder.path().join(format!("killed-{run}"));
        run += 1;
        for turn in 0..KILLS_PER_RUN.min(kills) {
            // Other campaigns of this process run beside this one.
            let mark = format!("{}-{run}-{turn}", folder.path().display());
            let before = whole_lines(&out);
            let mut child = start(arguments, &out, &mark);
            std::thread::sleep(Duration::from_millis(moments.below(length_ms)));
            let name = ["KILL", "KILL", "TERM", "INT"][moments.below(4) as usize];
            signal(&child, name);
            let ended = Instant::now();
            child.wait().unwrap();
            assert!(ended.elapsed() < Duration::from_secs(20), "{name}: {:?}", ended.elapsed());
            let ended = Instant::now();
            while !marked(&mark).is_empty() {
                assert!(ended.elapsed() < Duration::from_secs(5), "alive: {:?}", marked(&mark));
                std::thread::sleep(Duration::from_millis(10));
            }
            let after = whole_lines(&out);
            assert!(after.starts_with(&before), "{name}: a finished record is lost");
            keys(&out);
            assert_readable(&out);
            kills -= 1;
        }
        let status = start(arguments, &out, "none").wait().unwrap();
        assert_eq!(status.code(), Some(0), "run {run} of {arguments}");
        let mut found: Vec<_> = keys(&out).into_keys().collect();
        let mut wanted: Vec<_> = expected.keys().cloned().collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "run {run} of {arguments}");
        assert_readable(&out);
    }
}

#[test]
fn a_run_killed_at_random_moments_loses_and_repeats_nothing() {
    campaign(RUN, kills());
}

#[test]
fn runs_of_programs_killed_at_random_moments_go_on() {
    if have("python3") {
        campaign(PROGRAM, kills() / 3);
    }
}

#[test]
fn a_memcheck_with_seeded_bugs_killed_at_random_moments_goes_on() {
    if have("valgrind") && have("cc") {
        campaign(MEMCHECK, kills() / 3);
    }
}

#[test]
fn a_results_file_cut_off_at_any_place_of_its_head_is_gone_on_with() {
    let folder = folder();
    let arguments = "run -s system -s mimalloc -w int-churn:1k -w int-churn:2k --operations 2000 \
                     --rounds 1 --no-memcheck -q";
    let whole = folder.path().join("whole");
    assert_eq!(start(arguments, &whole, "none").wait().unwrap().code(), Some(0));
    let (bytes, expected) = (whole_lines(&whole), keys(&whole));
    let ends: Vec<usize> =
        (0..bytes.len()).filter(|&at| bytes[at] == b'\n').map(|at| at + 1).take(7).collect();
    let torn = ends.iter().flat_map(|&end| [end - 1, end, end + 20]);
    for cut in [0, 1, 40].into_iter().chain(torn) {
        let out = folder.path().join(format!("cut-{cut}"));
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("results.jsonl"), &bytes[..cut]).unwrap();
        let ended = arenabench(&format!("{arguments} -o {} --resume", out.display()));
        assert_eq!(ended.code, 0, "cut at {cut}: {}", ended.stderr);
        assert_eq!(keys(&out).len(), expected.len(), "cut at {cut}");
    }
}

#[test]
fn what_is_no_results_file_is_not_begun_anew() {
    let folder = folder();
    for text in ["not a record", "{\"schema\":\"another/1\"", "{\"schema\":1}"] {
        let path = folder.path().join("results.jsonl");
        std::fs::write(&path, text).unwrap();
        let ended = arenabench(&format!("{RUN} -o {} --resume", folder.path().display()));
        assert_eq!(ended.code, 65, "{text}: {}", ended.stderr);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

/// The check of keys must find a record that is there twice.
#[test]
#[should_panic(expected = "twice")]
fn a_doubled_sample_is_found() {
    let folder = folder();
    let line = "{\"kind\":\"sample\",\"subject\":\"a\",\"workload\":\"w\",\"round\":0}\n";
    std::fs::write(folder.path().join("results.jsonl"), line.repeat(2)).unwrap();
    keys(folder.path());
}

/// The search for children must find one.
#[test]
fn a_child_that_is_left_is_found() {
    let mark = format!("left-{}", std::process::id());
    let mut child = std::process::Command::new("sleep").arg("20").env(MARK, &mark).spawn().unwrap();
    let begin = Instant::now();
    while marked(&mark).is_empty() && begin.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let found = marked(&mark);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(found, [child.id()]);
}
