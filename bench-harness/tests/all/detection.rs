//! Seeded bugs are caught where they must be, and programs without one are left in peace.

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
