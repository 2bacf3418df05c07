//! What the figures are made of, and what they are kept from.

use crate::synthetic;
use reports::record::{Call, Role, Source, Status};
use reports::results::Results;
use reports::statistics::Verdict;
use reports::summary::{Row, Scope, Summary};

/// A run of the given subjects on one workload: name, role, call, and times by round.
fn run(subjects: &[(&str, Role, Call, &[f64])]) -> Results {
    let mut results = Results::new(synthetic::host());
    results.workloads.push(synthetic::workload("w", Source::Generated));
    for &(name, role, call, times) in subjects {
        results.subjects.push(synthetic::subject(name, role, call));
        for (round, ns) in times.iter().enumerate() {
            let mut sample = synthetic::sample(name, "w", round as u32, *ns);
            sample.call = call;
            results.samples.push(sample);
        }
    }
    results
}

const SYSTEM: (&str, Role, Call, &[f64]) =
    ("system", Role::Peer, Call::C, &[10.0, 20.0, 10.1, 19.9, 10.0, 10.0]);
const HALF: (&str, Role, Call, &[f64]) =
    ("half", Role::Peer, Call::C, &[5.0, 10.0, 5.1, 9.9, 5.0, 5.0]);

#[track_caller]
fn row<'a>(summary: &'a Summary, subject: &str) -> &'a Row {
    summary.rows.iter().find(|row| row.subject == subject).expect("a row of that subject")
}

#[test]
fn ratios_are_taken_within_rounds() {
    // Two rounds of bad weather double every time; the ratio does not see them.
    let summary = Summary::of(&run(&[SYSTEM, HALF]));
    let half = row(&summary, "half");
    let ratio = half.ratio.unwrap();
    assert!((ratio.value - 0.5).abs() < 0.003, "{ratio:?}");
    assert!(ratio.interval.unwrap().high < 0.51, "{ratio:?}");
    assert_eq!((ratio.count, half.verdict), (6, Some(Verdict::Faster)));
    let system = row(&summary, "system");
    assert_eq!((system.ratio, system.verdict, system.word()), (None, None, "baseline"));
}

#[test]
fn verified_and_failed_samples_never_enter_a_figure_and_twins_no_time() {
    let mut results = run(&[SYSTEM, HALF]);
    let clean = Summary::of(&results);
    let mut verified = synthetic::sample("half", "w", 0, 1.0);
    verified.verified = true;
    let mut twin = synthetic::sample("system", "w", 0, 1.0);
    twin.again = true;
    let mut unsupported = synthetic::sample("half", "w", 0, 1.0);
    unsupported.status = Status::Unsupported;
    results.samples.extend([verified, unsupported]);
    let summary = Summary::of(&results);
    assert_eq!(row(&summary, "half").ratio, row(&clean, "half").ratio);
    results.samples.push(twin);
    let summary = Summary::of(&results);
    for name in ["system", "half"] {
        assert_eq!(row(&summary, name).time, row(&clean, name).time);
        assert_eq!(row(&summary, name).rss_ratio, row(&clean, name).rss_ratio);
    }
    assert_eq!(row(&summary, "half").verified, 1);
    assert_eq!(row(&summary, "half").statuses[&Status::Unsupported], 1);
}

#[test]
fn the_baseline_of_a_round_is_the_mean_of_its_two_samples() {
    let mut results = run(&[SYSTEM, HALF]);
    for (round, ns) in SYSTEM.3.iter().enumerate() {
        // Slower by 1.21 under its other name: by 1.1 in the mean.
        let mut twin = synthetic::sample("system", "w", round as u32, 1.21 * ns);
        twin.again = true;
        results.samples.push(twin);
    }
    let summary = Summary::of(&results);
    let ratio = row(&summary, "half").ratio.unwrap();
    assert!((ratio.value - 0.5 / 1.1).abs() < 0.002, "{ratio:?}");
    let (next, ratio) = summary.leads[0].lead.next.clone().unwrap();
    assert_eq!(next, "system");
    assert!((ratio.value - 2.2).abs() < 0.01, "as far behind as in the table: {ratio:?}");
}

#[test]
fn one_failed_sample_takes_the_verdict_from_a_cell_and_stays_visible() {
    for status in [Status::Timeout, Status::Signal, Status::Exit, Status::Oom, Status::NotLoaded] {
        let mut results = run(&[SYSTEM, HALF]);
        let bad = synthetic::sample("half", "w", 6, 1.0);
        results.samples.push(synthetic::failed(bad, status, "what happened"));
        let summary = Summary::of(&results);
        let half = row(&summary, "half");
        assert_eq!((half.ratio, half.verdict), (None, None));
        let failure = half.failure.as_ref().unwrap();
        assert_eq!((failure.status, failure.failed, failure.children), (status, 1, 7));
        assert_eq!(failure.message, "what happened");
        assert_eq!(half.word(), status.word());
        let overall = summary.overall.iter().find(|one| one.subject == "half").unwrap();
        assert_eq!((overall.place, overall.missing.len()), (None, 1));
    }
}

#[test]
fn a_mismatch_found_by_verification_fails_the_cell_whatever_its_times() {
    let mut results = run(&[SYSTEM, HALF]);
    let mut wrong =
        synthetic::failed(synthetic::sample("half", "w", 0, 1.0), Status::Mismatch, "overlap");
    wrong.verified = true;
    results.samples.push(wrong);
    let summary = Summary::of(&results);
    assert_eq!(row(&summary, "half").word(), "mismatch");
    assert_eq!(row(&summary, "half").verdict, None);
}

#[test]
fn an_interruption_is_no_failure_of_the_subject() {
    let mut results = run(&[SYSTEM, HALF]);
    let last = synthetic::sample("half", "w", 6, 1.0);
    results.samples.push(synthetic::failed(last, Status::Interrupted, "interrupted"));
    let summary = Summary::of(&results);
    assert_eq!(row(&summary, "half").verdict, Some(Verdict::Faster));
}

#[test]
fn references_and_other_call_kinds_have_ratios_but_no_verdict_and_no_place() {
    let summary = Summary::of(&run(&[
        SYSTEM,
        HALF,
        ("ideal", Role::Reference, Call::C, HALF.3),
        ("null", Role::Reference, Call::None, HALF.3),
        ("inlined", Role::Peer, Call::Inline, HALF.3),
    ]));
    for name in ["ideal", "null", "inlined"] {
        let row = row(&summary, name);
        assert!(row.ratio.is_some() && row.verdict.is_none() && !row.ranked, "{name}");
        let overall = summary.overall.iter().find(|one| one.subject == name).unwrap();
        assert_eq!((overall.place, overall.verdict), (None, None), "{name}");
    }
    assert_eq!(summary.leads[0].lead.subject, "half");
    assert!(summary.leads[0].lead.level_with.is_empty());
}

#[test]
fn a_difference_inside_the_floor_is_undecided() {
    let near = [9.9, 19.8, 10.0, 19.7, 9.9, 9.9];
    let subjects = [SYSTEM, ("near", Role::Peer, Call::C, &near[..])];
    let mut results = run(&subjects);
    assert_eq!(row(&Summary::of(&results), "near").verdict, Some(Verdict::Faster));
    for (round, ns) in [10.3, 19.5, 10.3, 19.5, 10.3, 10.2].into_iter().enumerate() {
        let mut twin = synthetic::sample("system", "w", round as u32, ns);
        twin.again = true;
        results.samples.push(twin);
    }
    let summary = Summary::of(&results);
    let floor = summary.floors[0].floor;
    assert!(floor.half_width_percent() > 2.0, "{floor:?}");
    assert_eq!(row(&summary, "near").verdict, Some(Verdict::Undecided));
    assert_eq!(summary.overall_floor(Scope::Main).unwrap().count, 6);
}

#[test]
fn without_a_sound_baseline_there_are_times_and_no_ratios() {
    let mut results = run(&[SYSTEM, HALF]);
    results.samples.retain(|sample| sample.subject != "system");
    let summary = Summary::of(&results);
    assert!(row(&summary, "half").time.is_some() && row(&summary, "half").ratio.is_none());
    assert_eq!(row(&summary, "half").word(), "no ratio");
    assert!(summary.overall.is_empty() && summary.scopes[0].lead.is_none());
}

#[test]
fn subjects_without_a_record_are_taken_from_their_samples() {
    let mut results = run(&[SYSTEM, HALF]);
    results.subjects.clear();
    results.workloads.clear();
    let summary = Summary::of(&results);
    assert_eq!(row(&summary, "half").verdict, Some(Verdict::Faster));
}

#[test]
fn different_replay_modes_are_different_settings_with_labels_that_say_so() {
    let mut results = run(&[SYSTEM, HALF]);
    let mut other = synthetic::sample("system", "w", 0, 10.0);
    other.mode = "parallel".to_owned();
    results.samples.push(other);
    let summary = Summary::of(&results);
    let labels: Vec<String> =
        summary.settings.iter().map(|setting| summary.label(setting)).collect();
    assert_eq!(labels, ["w, serial", "w, parallel"]);
    assert_eq!(Summary::of(&run(&[SYSTEM])).label(&summary.settings[0]), "w");
}

#[test]
fn the_ranking_leaves_incomplete_subjects_unplaced_and_splits_programs_from_generators() {
    let summary = Summary::of(&synthetic::run(12, 6, 5, 7));
    let all: Vec<_> = summary.overall.iter().filter(|one| one.scope == Scope::Main).collect();
    let places: Vec<usize> = all.iter().filter_map(|one| one.place).collect();
    assert_eq!(places, [1, 2, 3, 4, 5]);
    for one in &all {
        assert_eq!(one.settings + one.missing.len(), one.settings_in_scope, "{}", one.subject);
        assert_eq!(one.place.is_some(), one.ranked && one.missing.is_empty(), "{}", one.subject);
    }
    let snmalloc = all.iter().find(|one| one.subject == "snmalloc").unwrap();
    assert_eq!(snmalloc.missing, ["cpython-3.11-interpreter-day"]);
    let scoped = |scope| summary.overall.iter().filter(|one| one.scope == scope).count();
    assert_eq!((scoped(Scope::Generated), scoped(Scope::Programs)), (12, 12));
}

#[test]
fn the_geometric_mean_is_that_of_the_ratios_in_the_table() {
    let summary = Summary::of(&synthetic::run(12, 6, 5, 7));
    let logs: Vec<f64> = summary
        .rows
        .iter()
        .filter(|row| row.subject == "mimalloc")
        .map(|row| row.ratio.unwrap().value.ln())
        .collect();
    let expected = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    let found = summary.overall.iter().find(|one| one.subject == "mimalloc").unwrap();
    assert!((found.ratio.unwrap().value - expected).abs() < 1e-9);
}

#[test]
fn flat_rows_leave_out_what_was_not_measured() {
    let mut results = run(&[SYSTEM, HALF]);
    for sample in &mut results.samples {
        sample.rss_peak_bytes = None;
    }
    let summary = Summary::of(&results);
    let json = summary.to_json();
    assert_eq!(json[1]["subject"], "half");
    assert_eq!(json[1]["verdict"], "faster");
    assert_eq!(json[1]["statuses"], "ok 6");
    assert!(json[1].get("rss_ratio").is_none() && json[0].get("ratio").is_none());
    let csv = summary.to_csv();
    let head = csv.lines().next().unwrap();
    assert!(head.starts_with("workload,mode,touch,subject,role,call,ranked,samples,ns_per_pair,"));
    let fields = |line: &str| line.matches(',').count();
    assert!(csv.lines().all(|line| fields(line) == fields(head)), "{csv}");
    let table = summary.table();
    assert!(table.rows.iter().all(|row| row.len() == table.head.len()));
}

#[test]
fn rounds_that_only_serve_the_floor_are_not_rounds_of_the_comparison() {
    let mut results = run(&[SYSTEM, HALF]);
    for round in 10_000..10_020 {
        for again in [false, true] {
            let mut sample = synthetic::sample("system", "w", round, 10.0);
            sample.again = again;
            results.samples.push(sample);
        }
    }
    let summary = Summary::of(&results);
    assert_eq!(summary.rounds(), 6);
    assert_eq!(row(&summary, "half").ratio.unwrap().count, 6);
    assert_eq!(summary.floors[0].floor.count, 20);
}

#[test]
fn a_run_of_one_subject_or_of_nothing_has_a_summary() {
    let alone = Summary::of(&synthetic::run(1, 2, 5, 9));
    assert_eq!(alone.rows.len(), 2);
    assert_eq!(alone.leads.len(), 2);
    let nothing = Summary::of(&Results::new(synthetic::host()));
    assert!(nothing.rows.is_empty() && nothing.overall.is_empty());
}

#[test]
fn places_that_cannot_be_told_apart_are_a_range_and_others_are_not() {
    // By values alone they would be placed 1 to 5, without a word of doubt.
    fn peer<'a>(name: &'a str, times: &'a [f64]) -> (&'a str, Role, Call, &'a [f64]) {
        (name, Role::Peer, Call::C, times)
    }
    let summary = Summary::of(&run(&[
        SYSTEM,
        HALF,
        peer("half-too", &[5.2, 9.8, 4.9, 10.2, 5.1, 4.9]),
        peer("half-again", &[4.9, 10.3, 5.0, 9.8, 5.3, 5.1]),
        peer("twice", &[20.0, 40.0, 20.1, 39.9, 20.0, 20.0]),
    ]));
    let places = |name: &str| {
        let overall = summary.overall_of(Scope::Main).find(|one| one.subject == name).unwrap();
        (overall.places.unwrap(), overall.places_text())
    };
    for name in ["half", "half-too", "half-again"] {
        assert_eq!(places(name), ((1, 3), "1-3".to_owned()), "{name}");
    }
    assert_eq!(places("system"), ((4, 4), "4".to_owned()));
    assert_eq!(places("twice"), ((5, 5), "5".to_owned()));
}
