//! Seeded bugs are caught where they must be, and programs without one are left in peace.

use std::collections::BTreeSet;

use crate::command::{arenabench, have};

#[test]
fn a_few_bugs_by_a_few_modes() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let ended = arenabench(
        "memcheck --bugs-only --format json -q --bug use-after-free-read --bug double-free \
         --bug overflow-slack --bug clean-churn --mode malloc --mode malloc+memcheck --mode malloc+asan",
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records.len(), 12);
    for record in records {
        assert_eq!(record["status"], "ok", "{record}");
        let expected = match (record["bug"].as_str(), record["mode"].as_str()) {
            (Some("clean-churn"), _) => "clean",
            (Some("double-free"), _) | (_, Some("malloc+memcheck" | "malloc+asan")) => "caught",
            _ => "missed",
        };
        assert_eq!(record["verdict"], expected, "{record}");
    }
}

#[test]
fn a_bug_that_is_never_triggered_is_missed_by_everybody() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = "/* Never triggered. */\n#include <stdlib.h>\nint main(int count, char **words) {\n\
                  char *p = malloc(8); free(p); if (count > 1) free(p); return words == 0; }\n";
    std::fs::write(folder.path().join("never.c"), source).unwrap();
    let ended = arenabench(&format!(
        "memcheck --bugs-only --format json -q --bugs {} --mode malloc --mode malloc+memcheck --mode malloc+asan",
        folder.path().display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for record in ended.records() {
        assert_eq!(record["verdict"], "missed", "{record}");
    }
}

#[test]
fn every_program_ends_under_the_system_malloc() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let ended = arenabench("memcheck --bugs-only --format json -q --mode malloc");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for record in ended.records() {
        assert_ne!(record["words"], "did not end", "{record}");
        assert!(record["status"] == "ok" || record["status"] == "unsupported", "{record}");
    }
}

/// Catches an Arenite that tells memcheck less than it knows: one freed block, one red zone or one
/// link that is not told of, and a bug found under plain malloc would be missed.
#[test]
fn memcheck_finds_on_arenite_what_it_finds_on_malloc_and_more_and_accuses_nobody() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let ended = arenabench(
        "memcheck --bugs-only --format json -q --mode malloc+memcheck --mode arenite+memcheck",
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = ended.records();
    let of = |mode: &str, verdict: &str| -> BTreeSet<String> {
        let told = records.iter().filter(|one| one["mode"] == mode && one["verdict"] == verdict);
        told.map(|one| one["bug"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let by_malloc = of("malloc+memcheck", "caught");
    let by_arenite = of("arenite+memcheck", "caught");
    assert!(by_malloc.len() >= 30, "{by_malloc:?}");
    let lacking: Vec<_> = by_malloc.difference(&by_arenite).collect();
    assert!(lacking.is_empty(), "found under malloc only: {lacking:?}");
    // Bugs that plain malloc served to the end; one that it could not serve proves nothing.
    let missed = of("malloc+memcheck", "missed");
    let beyond: Vec<_> = by_arenite.intersection(&missed).collect();
    assert!(beyond.len() >= 3, "{beyond:?}");
    for mode in ["malloc+memcheck", "arenite+memcheck"] {
        assert!(of(mode, "false-alarm").is_empty(), "{:?}", of(mode, "false-alarm"));
        assert_eq!(of(mode, "clean").len(), 7, "{mode}");
    }
}
