//! Peers that Debian packages, and libraries whose paths the loader would not take.

use std::fs;

use serde_json::Value;

use crate::command::{arenabench, command, control, ended, folder};

const PEERS: [&str; 4] = ["tcmalloc", "mimalloc-2", "jemalloc-debian", "tbbmalloc"];

/// Those of [`PEERS`] that are installed, by what `doctor` says.
fn present() -> Vec<&'static str> {
    let doctor = arenabench("doctor").stdout;
    let is_there = |name: &&str| {
        let mut lines = doctor.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.any(|words| words.first() == Some(name) && words.get(1) == Some(&"ok"))
    };
    let present: Vec<_> = PEERS.into_iter().filter(is_there).collect();
    if present.is_empty() {
        eprintln!("SKIPPED: none of {PEERS:?} is installed");
    }
    present
}

#[test]
fn installed_peers_are_proven_and_pass_verification() {
    for name in present() {
        for workload in ["int-churn:1k", "cpython-3.11-day"] {
            let ended = arenabench(&format!(
                "replay {workload} -s {name} --verify --operations 50k --format json -q"
            ));
            for record in ended.records() {
                assert_eq!(record["status"], "ok", "{record}");
            }
        }
    }
}

#[test]
fn a_run_states_version_file_and_digest_of_an_installed_peer() {
    let Some(name) = present().into_iter().next() else { return };
    let folder = folder();
    let out = folder.path().join("out");
    let ended = arenabench(&format!(
        "run -s {name} -s system -w int-churn:1k --operations 5k --rounds 1 --no-memcheck \
         -o {} -q",
        out.display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let text = fs::read_to_string(out.join("results.jsonl")).unwrap();
    let subject: Value = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|record| record["kind"] == "subject" && record["subject"] == name)
        .unwrap();
    assert!(subject["version"].as_str().unwrap().chars().any(|char| char.is_ascii_digit()));
    assert!(subject["library"].as_str().unwrap().contains(".so"), "{subject}");
    assert_eq!(subject["sha256"].as_str().unwrap().len(), 64, "{subject}");
}

#[test]
fn a_peer_that_is_not_installed_is_missing_and_named_with_its_package() {
    let mut replay = command("replay int-churn:1k -s tcmalloc --rounds 1 --format json -q");
    let ended = ended(replay.env("ARENABENCH_LIBRARY_DIRS", "/nowhere"));
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    for record in ended.records() {
        assert_eq!(record["status"], "missing", "{record}");
        assert!(record["message"].as_str().unwrap().contains("libtcmalloc-minimal4"), "{record}");
        assert!(record["wall_ns"].is_null(), "{record}");
    }
}

#[test]
fn doctor_says_how_to_get_a_peer_that_is_missing() {
    let ended = ended(command("doctor").env("ARENABENCH_LIBRARY_DIRS", "/nowhere"));
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    for package in ["libtcmalloc-minimal4", "libmimalloc2.0", "libjemalloc2", "libtbbmalloc2"] {
        assert!(ended.stdout.contains(&format!("apt-get install {package}")), "{}", ended.stdout);
    }
}

#[test]
fn peers_that_are_missing_are_no_part_of_a_run_that_names_none() {
    let folder = folder();
    let out = folder.path().join("out");
    let mut run = command("run -w int-churn:1k --operations 1k --rounds 1 --no-memcheck");
    run.args(["--no-verify", "-q", "-o"]).arg(&out);
    let ended = ended(run.env("ARENABENCH_LIBRARY_DIRS", "/nowhere"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let text = fs::read_to_string(out.join("results.jsonl")).unwrap();
    assert!(!text.contains("tcmalloc") && text.contains("rpmalloc"), "{text}");
}

#[test]
fn a_library_that_was_not_the_one_named_is_not_taken_for_it() {
    // A file by the peer's soname that is another library altogether.
    let folder = folder();
    let fake = folder.path().join("libtcmalloc_minimal.so.4");
    fs::write(&fake, "no library at all").unwrap();
    let mut replay = command("replay int-churn:1k -s tcmalloc --rounds 1 --format json -q");
    let ended = ended(replay.env("ARENABENCH_LIBRARY_DIRS", folder.path()));
    assert_eq!(ended.records()[0]["status"], "not-loaded", "{}", ended.stdout);
}

#[test]
fn a_library_whose_path_the_loader_would_split_is_preloaded_all_the_same() {
    let folder = folder();
    for name in ["with space", "with:colon"] {
        let inner = folder.path().join(name);
        fs::create_dir(&inner).unwrap();
        let library = inner.join("lib slow.so");
        fs::copy(control("slow"), &library).unwrap();
        let mut replay = command("replay int-churn:1k --rounds 1 --operations 1k --format json");
        let ended = ended(replay.arg("-s").arg(format!("mine={}", library.display())).arg("-q"));
        assert_eq!(ended.records()[0]["status"], "ok", "{}", ended.stdout);
    }
}

#[test]
fn snmalloc_says_which_compiler_built_it() {
    let list = arenabench("list").stdout;
    let line = list.lines().find(|line| line.contains("snmalloc-sys")).unwrap();
    assert!(line.contains("built by clang ") || line.contains("built by gcc "), "{line}");
}
