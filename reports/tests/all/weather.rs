//! Samples in which the computer was shared are left out where calm ones remain, and only those.

use crate::synthetic;
use reports::compare::{Comparison, Measure, Row};
use reports::record::{Call, Role, Sample, Source, Status};
use reports::results::Results;
use reports::statistics::Verdict;
use reports::summary::Summary;
use reports::weather::is_calm;

/// Ten samples, so many of them calm.
fn round(calm: usize) -> Vec<Sample> {
    let sample = |at: usize| Sample {
        calm_share: Some(if at < calm { 1.0 } else { 0.3 }),
        ..synthetic::sample(if at == 0 { "system" } else { "fast" }, "w", 0, 10.0)
    };
    (0..10).map(sample).collect()
}

#[test]
fn a_round_is_calm_when_four_in_five_of_its_samples_are() {
    assert_eq!([10, 8, 7, 0].map(|calm| is_calm(&round(calm))), [true, true, false, false]);
}

#[test]
fn what_says_nothing_of_calm_does_not_speak_for_a_round() {
    let mut samples = round(0);
    samples.iter_mut().for_each(|one| one.calm_share = None);
    assert!(is_calm(&samples));
    // Nor do verified, failed and threaded samples.
    let mut samples = round(0);
    for (at, one) in samples.iter_mut().enumerate() {
        match at % 3 {
            0 => one.verified = true,
            1 => one.status = Status::Signal,
            _ => "parallel".clone_into(&mut one.mode),
        }
    }
    assert!(is_calm(&samples));
}

/// Seven rounds of two subjects; `disturbed` says in which a subject met somebody else.
fn run(disturbed: &[(&str, u32)]) -> Results {
    let mut results = Results::new(synthetic::host());
    results.workloads.push(synthetic::workload("w", Source::Generated));
    for (name, ns) in [("system", 10.0), ("fast", 5.0)] {
        results.subjects.push(synthetic::subject(name, Role::Peer, Call::C));
        for round in 0..7 {
            let is_met = disturbed.contains(&(name, round));
            results.samples.push(Sample {
                calm_share: Some(if is_met { 0.94 } else { 0.95 }),
                ..synthetic::sample(name, "w", round, if is_met { 1.4 * ns } else { ns })
            });
        }
    }
    results
}

/// Every round of `fast` from the fourth on.
const STORM: [(&str, u32); 4] = [("fast", 3), ("fast", 4), ("fast", 5), ("fast", 6)];

/// Time, ratio to `system`, and rounds of the ratio.
fn figures(results: &Results) -> (f64, f64, usize) {
    let summary = Summary::of(results);
    let row = summary.rows.iter().find(|row| row.subject == "fast").unwrap();
    let ratio = row.ratio.unwrap();
    (row.time.unwrap().value, ratio.value, ratio.count)
}

#[test]
fn times_and_ratios_are_made_of_calm_rounds() {
    assert_eq!(figures(&run(&[])), (5.0, 0.5, 7));
    assert_eq!(figures(&run(&STORM)), (5.0, 0.5, 3));
    // The baseline's weather counts as much: four rounds are calm on both sides.
    let both = [("fast", 0), ("fast", 1), ("system", 5), ("system", 6)];
    assert_eq!(figures(&run(&both)), (5.0, 0.5, 3));
}

/// Six of seven rounds 40 % too slow are no verdict.
#[test]
fn a_ratio_without_two_calm_rounds_is_one_figure_that_decides_nothing() {
    let one_is_calm: Vec<(&str, u32)> = (1..7).map(|round| ("fast", round)).collect();
    let (time, ratio, count) = figures(&run(&one_is_calm));
    assert_eq!((time, count), (7.0, 1));
    assert!((ratio - 0.7).abs() < 1e-12, "{ratio}");
    let summary = Summary::of(&run(&one_is_calm));
    let row = summary.rows.iter().find(|row| row.subject == "fast").unwrap();
    assert_eq!((row.ratio.unwrap().interval, row.verdict), (None, Some(Verdict::Undecided)));
    // Each side has calm rounds enough for its own time, but one alone that both have.
    let apart = [("fast", 0), ("fast", 1), ("fast", 2), ("fast", 3), ("system", 4), ("system", 5)];
    let (time, _, count) = figures(&run(&apart));
    assert_eq!((time, count), (5.0, 1));
}

/// "Cannot be told from it" of a subject that was never measured in calm beside the fastest would say that
/// the two are alike.
#[test]
fn what_was_measured_in_too_few_calm_rounds_is_not_called_level() {
    let one_is_calm: Vec<(&str, u32)> = (1..7).map(|round| ("system", round)).collect();
    for (disturbed, level, unknown) in
        [(one_is_calm, vec![], vec!["system"]), (STORM.to_vec(), vec!["system"], vec![])]
    {
        let mut results = run(&disturbed);
        // Alike, but for what is unknown.
        for one in results.samples.iter_mut().filter(|one| one.subject == "fast") {
            one.ns_per_pair = Some([9.8, 9.9, 10.1][one.round as usize % 3]);
        }
        let summary = Summary::of(&results);
        let lead = &summary.leads[0].lead;
        assert_eq!((&lead.level_with, &lead.unknown), (&names(&level), &names(&unknown)));
        let text = reports::markdown(&results, &summary, None);
        let words = "was measured beside system in too few calm rounds";
        assert_eq!(text.contains(words), !unknown.is_empty(), "{text}");
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A round of the baseline is calm when one of its two samples is, and has the time of that one.
#[test]
fn the_calm_one_of_two_baselines_stands_for_both() {
    let mut results = run(&[("system", 0), ("system", 1), ("system", 2)]);
    let of_system: Vec<Sample> =
        results.samples.iter().filter(|one| one.subject == "system").cloned().collect();
    for one in of_system {
        let share = if one.round < 2 { 1.0 } else { 0.0 };
        let ns_per_pair = Some(if one.round < 2 { 10.0 } else { 14.0 });
        results.samples.push(Sample { again: true, calm_share: Some(share), ns_per_pair, ..one });
    }
    let (_, ratio, count) = figures(&results);
    assert_eq!((ratio, count), (0.5, 6));
}

#[test]
fn two_runs_are_compared_by_the_samples_that_count() {
    let compared = Comparison::of(&run(&[]), &run(&STORM));
    for (measure, value) in [(Measure::NsPerPair, 5.0), (Measure::NsPerPairOverBaseline, 0.5)] {
        let is_it = |row: &&Row| row.subject == "fast" && row.measure == measure;
        let row = compared.rows.iter().find(is_it).unwrap();
        assert_eq!([row.a.value, row.b.value], [value, value]);
    }
}

#[test]
fn times_on_several_threads_count_in_any_weather() {
    let mut results = run(&STORM);
    for one in results.samples.iter().filter(|one| one.round >= 3).cloned().collect::<Vec<_>>() {
        results.samples.push(Sample { mode: "parallel".to_owned(), ..one });
    }
    let summary = Summary::of(&results);
    let rows = summary.rows.iter().filter(|row| row.subject == "fast");
    let counts: Vec<usize> = rows.map(|row| row.ratio.unwrap().count).collect();
    assert_eq!(counts, [3, 4]);
}

#[test]
fn the_page_says_what_was_not_calm_in_its_method_its_tables_and_its_charts() {
    let said = |results: &Results| {
        let folder = tempfile::tempdir().unwrap();
        reports::write_report(results, folder.path()).unwrap();
        let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
        let chart = read("charts/time-w.svg").replace('\u{a0}', " ");
        let page = read("index.html");
        [
            page.contains("rounds in which both sides were calm"),
            page.contains("7, 4 not calm"),
            chart.contains("4 samples were not calm"),
        ]
    };
    assert_eq!(said(&run(&STORM)), [true; 3]);
    assert_eq!(said(&run(&[])), [false; 3]);
}
