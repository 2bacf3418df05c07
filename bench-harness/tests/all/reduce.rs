//! `trace reduce`: a long workload that a subject fails on becomes the few calls it fails on.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::command::{arenabench, command, control, control_subject, folder};

/// The calls that are left, from the CSV on standard output.
fn calls(stdout: &str) -> Vec<&str> {
    let lines = stdout.lines().skip(1);
    lines.map(|line| line.split(',').next().unwrap()).collect()
}

#[test]
fn a_recording_of_half_a_million_events_becomes_the_four_that_matter() {
    let folder = folder();
    let small = folder.path().join("small.trace");
    let subject = control_subject("picky");
    let ended = arenabench(&format!(
        "trace reduce cpython-3.11-string-build {subject} -o {} --format csv",
        small.display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let calls = calls(&ended.stdout);
    assert_eq!(calls.last(), Some(&"realloc"), "{calls:?}");
    let mut sorted = calls.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["free", "malloc", "malloc", "realloc"], "{calls:?}");
    assert!(ended.stderr.contains("has changed"), "{}", ended.stderr);

    let small = small.display();
    assert_eq!(arenabench(&format!("trace validate {small}")).code, 0);
    let again = arenabench(&format!("replay {small} {subject} --verify -q"));
    assert_eq!(again.code, 1, "what is left still fails: {}", again.stdout);
    let other = arenabench(&format!("replay {small} -s system --verify -q"));
    assert_eq!(other.code, 0, "and only on the subject at fault: {}", other.stdout);
    let info = arenabench(&format!("trace info {small} --format json"));
    let info: serde_json::Value = serde_json::from_str(&info.stdout).unwrap();
    let whole = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../workloads/traces/cpython-3.11-string-build.trace");
    let whole = arenabench(&format!("trace info {} --format json", whole.display()));
    let whole: serde_json::Value = serde_json::from_str(&whole.stdout).unwrap();
    let command = format!("{}, reduced to what picky fails on", whole["command"].as_str().unwrap());
    assert_eq!(info["command"], command, "what was recorded is still told");
    assert_eq!(info["interpreter"], whole["interpreter"]);
}

#[test]
fn what_cannot_be_reduced_is_said_with_the_right_code() {
    let folder = folder();
    let out = folder.path().join("out.trace");
    let reduce = |arguments: &str| {
        arenabench(&format!("trace reduce {arguments} -o {} -q --operations 2k", out.display()))
    };
    let sound = reduce("int-churn:100 -s system");
    assert_eq!(sound.code, 65, "{sound:?}");
    assert!(sound.error().contains("int-churn:100: system does not fail on it"), "{sound:?}");
    let unloaded = reduce(&format!("int-churn:100 {}", control_subject("unloaded")));
    assert_eq!(unloaded.code, 3, "{unloaded:?}");
    assert!(unloaded.error().contains("not-loaded"), "{unloaded:?}");
    assert!(!out.exists(), "nothing was found, so nothing is written");

    assert_eq!(arenabench(&format!("trace generate int-churn:100 -o {}", out.display())).code, 0);
    let before = std::fs::read(&out).unwrap();
    let over = reduce(&format!("{} {}", out.display(), control_subject("picky")));
    assert_eq!(over.code, 2, "{over:?}");
    assert!(over.error().contains("written over"), "{over:?}");
    assert_eq!(std::fs::read(&out).unwrap(), before, "the only copy is left alone");

    let nowhere = arenabench(&format!(
        "trace reduce int-churn:100 {} -o /no/such/folder/x.trace --operations 20k -q",
        control_subject("misaligned")
    ));
    assert_eq!(nowhere.code, 74, "{nowhere:?}");
    assert!(nowhere.error().contains("/no/such/folder"), "{nowhere:?}");
}

/// Starts a search that takes minutes, since the library fails after so many calls whatever they are;
/// returns when the whole workload is known to fail.
fn long_search(library: &Path, out: &Path) -> Child {
    let child = command(&format!(
        "trace reduce int-churn:1k -s misaligned={} -o {} --operations 100k -q",
        library.display(),
        out.display()
    ))
    .stdout(Stdio::null())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let begin = Instant::now();
    while !out.exists() {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is written");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// A library that is gone is no library that passes.
#[test]
fn a_library_that_vanishes_ends_the_search_as_a_failure() {
    let folder = folder();
    let (library, out) = (folder.path().join("mine.so"), folder.path().join("out.trace"));
    std::fs::copy(control("misaligned"), &library).unwrap();
    let child = long_search(&library, &out);
    std::fs::remove_file(&library).unwrap();
    let ended = child.wait_with_output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(3), "{message}");
    assert!(message.contains("misaligned") && message.contains("not-loaded"), "{message}");
    let again = arenabench(&format!(
        "replay {} {} --verify -q",
        out.display(),
        control_subject("misaligned")
    ));
    assert_eq!(again.code, 1, "what was found is there: {}", again.stdout);
}

#[test]
fn ctrl_c_keeps_the_least_that_was_found() {
    let folder = folder();
    let out = folder.path().join("out.trace");
    let subject = control_subject("misaligned");
    let mut child = long_search(&control("misaligned"), &out);
    let whole = std::fs::metadata(&out).unwrap().len();
    let begin = Instant::now();
    while std::fs::metadata(&out).unwrap().len() == whole {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing was left out");
        std::thread::sleep(Duration::from_millis(100));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let kept = std::fs::metadata(&out).unwrap().len();
    assert!(kept < whole, "the search got somewhere: {kept} of {whole} bytes");
    let again = arenabench(&format!("replay {} {subject} --verify -q", out.display()));
    assert_eq!(again.code, 1, "what is kept fails: {}", again.stdout);
}
