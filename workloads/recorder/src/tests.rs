//! Recordings of whole processes.
//!
//! A test starts this program again with a scenario to play, and reads what the recorder left of
//! it. Nothing is preloaded: the child calls the recorder's functions by their Rust names, so that
//! its log holds the scenario's calls and no others. It makes them from the thread that the test
//! harness gives it, which ends before the process does.

mod block;
mod log;
mod scenario;

use crate::raw_log::{Record, op};
use log::Image;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// Plays the scenario this program was started for; nothing when it was started to test.
#[test]
fn a_child_plays_its_scenario() {
    if let Ok(name) = env::var(scenario::VARIABLE) {
        scenario::play(&name);
    }
}

/// A folder of the test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("recorder-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Plays a scenario in a child that records to `folder`.
fn play(scenario: &str, folder: Option<&Path>) -> Output {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "tests::a_child_plays_its_scenario", "--nocapture"]);
    child.env(scenario::VARIABLE, scenario).env_remove("ARENABENCH_RECORD_DIR");
    child.envs(folder.map(|folder| ("ARENABENCH_RECORD_DIR", folder)));
    child.output().unwrap()
}

/// Plays a scenario that ends well, and returns its images, checked.
fn record(scenario: &str) -> Vec<Image> {
    let folder = Folder::new();
    let output = play(scenario, Some(&folder.0));
    assert!(output.status.success(), "{output:?}");
    let images = log::images(&folder.0);
    images.iter().for_each(Image::check);
    images
}

/// [`record`] for a scenario of one image.
fn record_one(scenario: &str) -> Image {
    let mut images = record(scenario);
    assert_eq!(images.len(), 1);
    images.remove(0)
}

#[test]
fn every_function_is_recorded_with_its_arguments() {
    let image = record_one("family");
    let page = crate::kernel::page_bytes() as u64;
    let huge = usize::MAX as u64;
    let expected = [
        (op::THREAD_START, 0, 0),
        (op::MALLOC, 10, 0),
        (op::CALLOC, 7, 3),
        (op::REALLOC_ENTER, 5000, 0),
        (op::REALLOC_EXIT, 0, 3),
        (op::REALLOC_ENTER, 30, 0),
        (op::REALLOC_EXIT, 0, 5),
        (op::REALLOC_ENTER, 0, 0),
        (op::REALLOC_EXIT, 0, 7),
        (op::FREE, 0, 0),
        (op::ALIGNED, 40, 256),
        (op::FREE, 0, 0),
        (op::ALIGNED, 96, 64),
        (op::FREE, 0, 0),
        (op::ALIGNED, 100, 64),
        (op::FREE, 0, 0),
        (op::ALIGNED, 100, 4),
        (op::ALIGNED, 5, page),
        (op::FREE, 0, 0),
        (op::ALIGNED, page, page),
        (op::FREE, 0, 0),
        (op::REALLOC_ENTER, 100_000, 0),
        (op::REALLOC_EXIT, 0, 21),
        (op::REALLOC_ENTER, huge, 0),
        (op::REALLOC_EXIT, 0, 23),
        (op::MALLOC, huge, 0),
        (op::FREE, 0, 0),
        (op::FREE, 0, 0),
        (op::THREAD_END, 0, 0),
    ];
    let found: Vec<_> =
        image.records.iter().map(|(_, Record { op, size, aux, .. })| (*op, *size, *aux)).collect();
    assert_eq!(found, expected);
    assert_eq!(image.header.failed, 3);
    assert_eq!(image.header.calls(), 22);
    assert_eq!(image.header.ended, 1);
    assert_eq!(image.header.forked, 0);
    assert_eq!(image.header.parent, process::id());
}

#[test]
fn no_record_is_lost_between_the_buffer_and_the_log() {
    let image = record_one("many");
    assert_eq!(image.count(op::MALLOC), 100_000);
    assert_eq!(image.count(op::FREE), 100_000);
    assert!(image.appended > 100_000, "{} records in the log", image.appended);
}

#[test]
fn threads_that_free_each_others_blocks_leave_one_order() {
    let image = record_one("threads");
    assert_eq!(image.count(op::THREAD_START), 25);
    assert_eq!(image.count(op::THREAD_END), 25);
    assert_eq!(image.count(op::MALLOC), 3 * 8 * 20_000);
    assert!(image.slots <= 9, "{} slots: those of ended threads were not used again", image.slots);
}

#[test]
fn calls_after_the_end_of_a_thread_go_to_a_thread_of_their_own() {
    let image = record_one("destructors");
    // Ten threads, the one they come from, and the one for late calls, which does not end.
    assert_eq!(image.count(op::THREAD_END), 11);
    assert_eq!(image.count(op::THREAD_START), 12);
    // Rounds 1 to 4 free what the thread and the rounds before them allocated.
    assert_eq!(image.count(op::MALLOC), 1 + 10 * 5);
    assert_eq!(image.count(op::FREE), 1 + 10 * 4);
    assert!(image.slots <= 3, "{} slots", image.slots);
}

#[test]
fn a_forked_child_records_to_files_of_its_own() {
    let images = record("forks");
    assert_eq!(images.len(), 41);
    let (parents, children): (Vec<_>, Vec<_>) =
        images.iter().partition(|image| image.header.forked == 0);
    assert_eq!(parents.len(), 1);
    for child in children {
        assert_eq!(child.header.calls(), 200);
        assert_eq!(child.header.ended, 1);
        assert_eq!(child.header.parent, parents[0].header.pid);
    }
}

#[test]
fn a_child_made_without_fork_handlers_leaves_the_parents_log_alone() {
    let images = record("bare clone");
    assert_eq!(images.len(), 11);
    for image in images {
        let calls = if image.header.forked == 1 { 200 } else { 10 * 10_000 };
        assert_eq!(image.header.calls(), calls);
    }
}

#[test]
fn exec_begins_another_image_of_the_same_process() {
    let images = record("exec");
    let headers: Vec<_> = images.iter().map(|image| image.header).collect();
    assert_eq!(headers.len(), 2);
    assert_eq!(headers[0].pid, headers[1].pid);
    assert_eq!([headers[0].image, headers[1].image], [0, 1]);
    assert_eq!([headers[0].ended, headers[1].ended], [0, 1]);
    assert_eq!([headers[0].calls(), headers[1].calls()], [20, 20]);
}

#[test]
fn a_killed_process_leaves_all_its_calls() {
    let folder = Folder::new();
    let output = play("killed", Some(&folder.0));
    assert_eq!(output.status.signal(), Some(libc::SIGKILL));
    let images = log::images(&folder.0);
    assert_eq!(images.len(), 1);
    images[0].check();
    assert_eq!(images[0].header.calls(), 100_000);
    assert_eq!(images[0].header.ended, 0);
}

#[test]
fn underscore_exit_is_seen() {
    assert_eq!(record_one("at once").header.ended, 1);
}

#[test]
fn a_program_that_closes_our_descriptors_is_recorded_on_and_not_written_to() {
    let image = record_one("closed");
    assert_eq!(image.header.calls(), 2 * (10 + 50_000));
    assert_eq!(image.header.stopped, 0);
}

#[test]
fn a_full_log_stops_the_recording_and_not_the_program() {
    let image = record_one("limited");
    assert_eq!(image.header.stopped, 1);
    assert_eq!(image.header.ended, 1);
    assert!(image.appended > 10_000 && image.records.len() < 100_000, "{}", image.records.len());
}

#[test]
fn errno_is_kept_through_every_call() {
    record_one("errno");
}

#[test]
fn without_a_folder_calls_are_passed_on_in_silence() {
    let output = play("family", None);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_folder_that_cannot_be_used_is_told_in_one_line() {
    for folder in ["/nonexistent".to_owned(), format!("/{}", "long".repeat(1100))] {
        let output = play("family", Some(Path::new(&folder)));
        assert!(output.status.success(), "{output:?}");
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(talk.starts_with("arenabench-recorder: nothing is recorded: "), "{talk}");
        assert_eq!(talk.lines().count(), 1);
    }
}
