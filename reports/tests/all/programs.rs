//! Runs of real programs: paired ratios, geometric means, failures that are not averaged away.

use crate::synthetic;
use std::fs;

use reports::programs::Programs;
use reports::record::Status;
use reports::results::Results;
use reports::statistics::Verdict;
use reports::summary::Summary;
use reports::{markdown, write_report};

const MS: u64 = 1_000_000;

/// Two programs under a baseline, a subject that takes nine tenths of its time in every round, and
/// one that fails on the second program. Rounds differ by much more than subjects do.
fn results() -> Results {
    let mut host = synthetic::host();
    host.baseline = "pymalloc".to_owned();
    let mut results = Results::new(host);
    for round in 0..6 {
        for (name, base) in [("json", 400 * MS), ("sort", 900 * MS)] {
            let weather = 10 + u64::from(round) * 7 % 9;
            let wall = base * weather / 10;
            for (subject, share) in [("pymalloc", 1000), ("arenite", 900), ("slow", 1300)] {
                let mut run = synthetic::program(name, subject, round, wall * share / 1000);
                run.rss_peak_bytes = Some(12_000_000 * (1000 + share) / 2000);
                if subject == "slow" && name == "sort" {
                    (run.status, run.message) = (Status::Mismatch, Some("differs".to_owned()));
                }
                results.programs.push(run);
            }
            let twin = wall * (1001 - 2 * u64::from(round % 2)) / 1000;
            let mut again = synthetic::program(name, "pymalloc", round, twin);
            again.again = true;
            again.rss_peak_bytes = Some(12_000_000);
            results.programs.push(again);
        }
    }
    results
}

#[test]
fn ratios_are_taken_within_a_round() {
    let programs = Programs::of(&results()).unwrap();
    for name in ["json", "sort"] {
        let row = programs.row(name, "arenite").unwrap();
        let ratio = row.wall_ratio.unwrap();
        assert!((ratio.value - 0.9).abs() < 1e-3, "{ratio:?}");
        assert!(ratio.interval.unwrap().half_width_percent() < 0.1, "rounds cancel: {ratio:?}");
        assert_eq!(row.verdict, Some(Verdict::Faster));
        assert!((row.rss_ratio.unwrap().value - 0.95).abs() < 1e-6);
        assert!(programs.row(name, "pymalloc").unwrap().wall_ratio.is_none());
    }
    assert!(programs.floors.iter().all(|floor| floor.unwrap().half_width_percent() < 0.2));
}

/// A page of programs that says how replays were timed is believed to be about replays.
#[test]
fn a_page_of_programs_says_how_programs_are_run_and_nothing_of_replays() {
    let folder = tempfile::tempdir().unwrap();
    write_report(&results(), folder.path()).unwrap();
    let page = fs::read_to_string(folder.path().join("index.html")).unwrap();
    assert!(page.contains("A run is one process of the program under one subject"));
    assert!(page.contains("<h1>Arenabench report: real programs</h1>"));
    for replays in ["replays a workload", "A replay has no program", "same table of C functions"] {
        assert!(!page.contains(replays), "{replays}");
    }
    let results = results();
    let text = markdown(&results, &Summary::of(&results), Programs::of(&results).as_ref());
    assert!(!text.contains("### By workload"), "{text}");
}

#[test]
fn a_failed_program_is_missing_from_the_mean_and_takes_the_verdict_away() {
    let programs = Programs::of(&results()).unwrap();
    let names: Vec<&str> = programs.overall.iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(names, ["pymalloc", "arenite", "slow"]);
    let arenite = &programs.overall[1];
    assert!((arenite.wall_ratio.unwrap().value - 0.9).abs() < 1e-3);
    assert_eq!((arenite.programs, arenite.word()), (2, "faster"));
    let slow = &programs.overall[2];
    assert_eq!((slow.programs, slow.missing.as_slice()), (1, &["sort".to_owned()][..]));
    assert_eq!((slow.verdict, slow.word()), (None, "incomplete"));
    let row = programs.row("sort", "slow").unwrap();
    assert_eq!((row.word(), row.wall_ratio), ("mismatch", None));
    assert!(row.wall_ns.is_none(), "a void run carries no time");
}

#[test]
fn verified_and_twin_runs_enter_no_figure() {
    let mut results = results();
    let before = Programs::of(&results).unwrap().rows;
    for (verified, again) in [(true, false), (false, true)] {
        let mut run = synthetic::program("json", "arenite", 0, 60_000 * MS);
        (run.verified, run.again) = (verified, again);
        results.programs.push(run);
    }
    assert_eq!(Programs::of(&results).unwrap().rows, before);
}

/// Would catch a ratio that knows the first of the baseline's two runs alone: its noise would be in all
/// ratios of the round.
#[test]
fn ratios_are_to_the_geometric_mean_of_the_baselines_two_runs() {
    let mut results = results();
    for run in results.programs.iter_mut().filter(|run| run.again) {
        run.wall_ns = run.wall_ns.map(|wall| wall * 121 / 100);
        run.rss_peak_bytes = run.rss_peak_bytes.map(|bytes| bytes * 144 / 100);
    }
    let row = Programs::of(&results).unwrap().row("json", "arenite").unwrap().clone();
    assert!((row.wall_ratio.unwrap().value - 0.9 / 1.1).abs() < 1e-3, "{row:?}");
    assert!((row.rss_ratio.unwrap().value - 0.95 / 1.2).abs() < 1e-3, "{row:?}");
}

#[test]
fn a_difference_inside_the_floor_is_undecided() {
    let mut results = results();
    for run in results.programs.iter_mut().filter(|run| run.again) {
        run.wall_ns = run.wall_ns.map(|wall| wall * 4 / 5);
    }
    let programs = Programs::of(&results).unwrap();
    assert_eq!(programs.row("json", "arenite").unwrap().verdict, Some(Verdict::Undecided));
    assert_eq!(programs.overall[1].verdict, Some(Verdict::Undecided));
}

#[test]
fn the_report_has_a_section_charts_and_a_sentence_on_programs() {
    let results = results();
    let folder = tempfile::tempdir().unwrap();
    write_report(&results, folder.path()).unwrap();
    let page = fs::read_to_string(folder.path().join("index.html")).unwrap();
    for part in ["Real programs", "program-time", "program-memory", "mismatch", "differs"] {
        assert!(page.contains(part), "{part}");
    }
    // Nothing was replayed: the page counts programs and runs, not workloads and samples.
    assert!(page.contains(" under 2 real programs: ") && !page.contains("0\u{a0}workloads"));
    assert!(!page.contains("0 workloads"));
    assert!(folder.path().join("charts/program-time.svg").exists());
    let programs = Programs::of(&results);
    let text = markdown(&results, &Summary::of(&results), programs.as_ref());
    assert!(
        text.contains("Wall time of 2 real programs over that under pymalloc: arenite 0.90"),
        "{text}"
    );
    assert!(text.contains("### Real programs"), "{text}");
}

#[test]
fn without_programs_nothing_is_said_of_them() {
    let results = synthetic::run(4, 2, 3, 1);
    assert_eq!(Programs::of(&results), None);
    let text = markdown(&results, &Summary::of(&results), None);
    assert!(!text.contains("eal programs"), "{text}");
}

#[test]
fn csv_has_one_line_per_row_and_every_line_every_column() {
    let programs = Programs::of(&results()).unwrap();
    let text = programs.to_csv();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + programs.rows.len());
    let columns = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() == columns), "{text}");
}
