//! The suppression file silences what it is for, holds no entry in vain and hides no bug.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::command::{command, ended, folder, have};

/// Replays in which every entry is needed, in both spellings of frames.
const REPLAYS: &str = "-s pymalloc-2.3 -s pymalloc-2.7 -s pymalloc-3.9 -s classic-arena-index-2 -s classic-arena-index \
     -s classic-arena-index-debugger -s classic-cookie -w cpython-3.11-day -w dict-resize \
     --symbols full --symbols no-inline";

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/valgrind/arenite.supp")
}

/// Names of the entries in a suppression file: the line after every brace.
fn names(text: &str) -> BTreeSet<String> {
    let mut lines = text.lines().map(str::trim);
    let mut names = BTreeSet::new();
    while let Some(line) = lines.next() {
        if line == "{" {
            let name = lines.next().unwrap().to_owned();
            assert!(names.insert(name.clone()), "two entries are called `{name}`");
        }
    }
    names
}

/// Records of a command line that ends in a path.
fn records(arguments: &str, path: &Path) -> Vec<Value> {
    let mut command = command(&format!("memcheck --format json -q {arguments}"));
    let ended = ended(command.arg(path));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.records()
}

/// Entries of `suppressions` that silence nothing in the replays, and errors left over there.
fn unused(suppressions: &Path) -> (BTreeSet<String>, u64) {
    let records = records(&format!("{REPLAYS} --suppressions"), suppressions);
    let mut left = names(&fs::read_to_string(suppressions).unwrap());
    let mut errors = 0;
    for record in records {
        assert_eq!(record["status"], "ok", "{record}");
        errors += record["errors"].as_u64().unwrap();
        for name in record["suppressed_by_entry"].as_object().into_iter().flat_map(|map| map.keys())
        {
            left.remove(name);
        }
    }
    (left, errors)
}

/// Kinds of the seeded bugs that are reported with `suppressions` loaded.
fn seen(program: &Path, suppressions: &Path) -> Vec<String> {
    let arguments = format!("-s system --suppressions {} --", suppressions.display());
    let records = records(&arguments, program);
    let kinds = records[0]["errors_by_kind"].as_object();
    kinds.into_iter().flat_map(|map| map.keys().cloned()).collect()
}

/// A C program with a bug of each kind that the file has entries for.
fn seeded_bugs(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/seeded_reads.c");
    let program = folder.join("seeded_reads");
    let compiled =
        Command::new("cc").args(["-g", "-O0", "-o"]).arg(&program).arg(source).status().unwrap();
    assert!(compiled.success());
    program
}

const SEEDED: [&str; 3] = ["InvalidRead", "UninitCondition", "UninitValue"];

/// One entry more, which nothing needs, is all that is left over: so an entry that is not used is found.
#[test]
fn every_suppression_but_a_planted_one_is_used_and_nothing_of_the_arena_index_is_left() {
    if !have("valgrind") {
        return;
    }
    let folder = folder();
    let planted = folder.path().join("planted.supp");
    let entry = "{\n   in vain\n   Memcheck:Addr4\n   fun:no_such_function\n}\n";
    fs::write(&planted, fs::read_to_string(file()).unwrap() + entry).unwrap();
    let (unused, errors) = unused(&planted);
    assert_eq!((unused, errors), (BTreeSet::from(["in vain".to_owned()]), 0));
}

#[test]
fn seeded_bugs_are_reported_with_the_suppressions_and_hidden_by_one_that_is_too_broad() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let folder = folder();
    let program = seeded_bugs(folder.path());
    assert_eq!(seen(&program, &file()), SEEDED);
    let broad = folder.path().join("broad.supp");
    let entry = "{\n   too broad\n   Memcheck:Addr4\n   ...\n   fun:*free*\n}\n";
    fs::write(&broad, fs::read_to_string(file()).unwrap() + entry).unwrap();
    assert_eq!(seen(&program, &broad), SEEDED[1..]);
}
