//! The contract table: what the C library keeps of it, and that broken promises are found.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::command::{arenabench, command, control_subject, ended};

fn contract(arguments: &str) -> Vec<Value> {
    let ended = arenabench(&format!("contract {arguments} --format json -q"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.records()
}

/// The contract of a control that misbehaves in one of `every` calls after so many; one that does not
/// let its child come up has one record.
fn contract_of_control(control: &str, after: u32, every: u32) -> Vec<Value> {
    let subject = control_subject(control);
    let ended = ended(
        command(&format!("contract {subject} --format json -q"))
            .env("ARENABENCH_CONTROL_AFTER", after.to_string())
            .env("ARENABENCH_CONTROL_EVERY", every.to_string()),
    );
    ended.records()
}

/// What was found by row, of the rows with this verdict.
fn with_verdict<'a>(records: &'a [Value], verdict: &str) -> BTreeMap<&'a str, &'a str> {
    records
        .iter()
        .filter(|record| record["verdict"] == verdict)
        .map(|record| (record["row"].as_str().unwrap(), record["found"].as_str().unwrap()))
        .collect()
}

/// Version of the C library in this process, as major and minor number.
fn glibc() -> (u32, u32) {
    // SAFETY: has no preconditions.
    let text = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: it returns a static C string.
    let text = unsafe { std::ffi::CStr::from_ptr(text) }.to_str().unwrap();
    let (major, minor) = text.split_once('.').unwrap();
    (major.parse().unwrap(), minor.parse().unwrap())
}

#[test]
fn the_c_library_keeps_every_promise_but_those_of_its_later_versions() {
    let records = contract("-s system");
    assert!(records.len() >= 120, "{}", records.len());
    assert_eq!(with_verdict(&records, "crashed"), BTreeMap::new());
    assert_eq!(with_verdict(&records, "allowed"), BTreeMap::new());
    let later: BTreeMap<&str, &str> = if glibc() < (2, 38) {
        ["aligned_alloc(0, 96)", "aligned_alloc(3, 96)", "aligned_alloc(24, 96)"]
            .into_iter()
            .chain(["aligned_alloc(48, 96)"])
            .map(|row| (row, "a block"))
            .collect()
    } else {
        BTreeMap::new()
    };
    assert_eq!(with_verdict(&records, "differs"), later);
    let absent: BTreeSet<&str> = records
        .iter()
        .filter(|record| record["verdict"] == "absent")
        .map(|record| record["function"].as_str().unwrap())
        .collect();
    let mut lacking = BTreeSet::from(["arenite_owns", "arenite_purge", "arenite_malloc_good_size"]);
    if glibc() < (2, 43) {
        lacking.extend(["free_sized", "free_aligned_sized"]);
    }
    assert_eq!(absent, lacking);
}

#[test]
fn what_harms_a_program_at_its_start_breaks_rows_of_programs_that_start() {
    let program = |of: &str| format!("malloc(any size) of {of}");
    for (control, broken) in [
        ("touchy", vec![program("programs with odd environment variables")]),
        (
            "greedy",
            vec![
                program("a program in 512 MiB of address space"),
                program("a program in 512 MiB of data"),
                program("a program, its files, variables, memory and messages looked at"),
            ],
        ),
    ] {
        let records = contract_of_control(control, 0, 1);
        let differs = with_verdict(&records, "differs");
        // The C library behind the control may take alignments that it should refuse.
        let of_programs = differs
            .keys()
            .filter(|row| row.contains(" of a program") || row.contains(" of programs"));
        assert_eq!(of_programs.copied().collect::<Vec<_>>(), broken, "{control}: {differs:?}");
    }
}

#[test]
fn blocks_off_by_eight_bytes_break_rows_of_alignment_and_no_others() {
    let records = contract_of_control("misaligned", 0, 1);
    let differs = with_verdict(&records, "differs");
    assert!(differs.contains_key("malloc(24)"), "{differs:?}");
    // The C library behind the control may take alignments that it should refuse.
    let known = |found: &&str| {
        *found == "aligned to 8"
            || *found == "a block"
            || found.starts_with("a block that is not aligned as asked")
    };
    assert!(differs.values().all(known), "{differs:?}");
}

#[test]
fn a_calloc_that_leaves_dirt_and_a_realloc_that_loses_contents_are_found() {
    let dirty = contract_of_control("dirty", 0, 1);
    let dirty = with_verdict(&dirty, "differs");
    assert_eq!(dirty["calloc(16, 1)"], "byte 15 is not zero", "{dirty:?}");
    let forgetful = contract_of_control("forgetful", 0, 1);
    let forgetful = with_verdict(&forgetful, "differs");
    let found = forgetful["realloc(malloc(100), 100000)"];
    assert!(found.contains("of the old contents is lost"), "{forgetful:?}");
}

#[test]
fn a_row_that_crashes_takes_no_other_with_it() {
    // The child makes some calls of its own before the first row: the control must let it come up,
    // and crash in the first call after that.
    let records = (10..200)
        .map(|after| contract_of_control("crashing", after, 1))
        .find(|records| records.len() > 1)
        .expect("the child comes up");
    assert!(records.len() >= 120, "{}", records.len());
    let crashed = with_verdict(&records, "crashed");
    assert_eq!(crashed["malloc(24)"], "SIGSEGV in the call");
    assert_eq!(crashed["free(malloc(24))"], "SIGSEGV before the call");
    let absent = with_verdict(&records, "absent");
    assert_eq!(crashed.len() + absent.len(), records.len(), "{records:?}");
}

/// A lock that nobody looks after at a fork is held in some child of a hundred.
#[test]
fn a_child_of_a_fork_that_waits_for_ever_is_found() {
    let records = contract_of_control("inheriting", 0, 1);
    let differs = with_verdict(&records, "differs");
    let forks = differs.iter().filter(|(row, _)| row.contains("fork"));
    let hung = forks.filter(|(_, found)| found.starts_with("hung for 5 s in the child of fork"));
    assert!(hung.count() > 0, "{differs:?}");
    let others = differs.iter().filter(|(row, _)| !row.contains("fork"));
    assert!(others.clone().all(|(_, found)| *found == "a block"), "{differs:?}");
}

#[test]
fn a_block_that_two_threads_have_is_found_beside_forks() {
    let records = contract_of_control("racing", 0, 2);
    let differs = with_verdict(&records, "differs");
    let found = differs.get("malloc(48) in a child of fork, others in malloc");
    let is_found = found.is_some_and(|found| found.starts_with("a block with others' contents"));
    assert!(is_found, "{differs:?}");
}

#[test]
fn a_library_that_exports_no_malloc_is_not_loaded_and_has_no_rows() {
    let subject = control_subject("unloaded");
    let ended = arenabench(&format!("contract {subject} --format json -q"));
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let records = ended.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["status"], "not-loaded");
    assert!(records[0]["row"].is_null());
}

#[test]
fn records_and_a_section_of_the_page_are_written() {
    let folder = crate::command::folder();
    let out = folder.path();
    let ended = arenabench(&format!("contract -s system -o {} --format md -q", out.display()));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("| system |"), "{}", ended.stdout);
    let results = reports::results::Results::read(out.join("results.jsonl")).unwrap();
    assert!(results.is_complete() && results.contracts.len() >= 120);
    let page = std::fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("The C contract"));
}

#[test]
fn arenite_keeps_every_promise_linked_and_in_both_libraries() {
    for name in ["arenite", "arenite-preload", "arenite-checked"] {
        let records = contract(&format!("-s {name}"));
        assert!(records.len() >= 120, "{name}: {}", records.len());
        for record in records {
            // What is linked into the harness serves no program.
            let row = record["row"].as_str().unwrap();
            let of_programs = [") of a program", ") of programs"];
            let is_linked = name == "arenite" && of_programs.iter().any(|of| row.contains(of));
            // What this computer lets nobody try is no promise broken.
            let is_untried = record["verdict"] == "untried";
            let expected = if is_linked { "absent" } else { "ok" };
            assert!(is_untried || record["verdict"] == expected, "{record}");
        }
    }
}
