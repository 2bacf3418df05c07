//! Rounds in which the computer was shared are left out whole, and only those.

use std::collections::BTreeSet;

use crate::synthetic;
use reports::compare::{Comparison, Measure, Row};
use reports::record::{Call, Role, Sample, Source, Status};
use reports::results::Results;
use reports::summary::Summary;
use reports::weather::left_out;

/// Rounds of ten samples, so many of them calm.
fn rounds(calm: &[usize]) -> Vec<Sample> {
    let round = |(round, &calm): (usize, &usize)| {
        (0..10).map(move |at| Sample {
            calm_share: Some(if at < calm { 1.0 } else { 0.3 }),
            ..synthetic::sample(if at == 0 { "system" } else { "fast" }, "w", round as u32, 10.0)
        })
    };
    calm.iter().enumerate().flat_map(round).collect()
}

#[test]
fn a_round_that_is_not_calm_is_left_out_while_three_calm_ones_remain() {
    assert_eq!(left_out(&rounds(&[10, 8, 7, 9])), BTreeSet::from([2]));
    assert_eq!(left_out(&rounds(&[0, 10, 9, 5, 8])), BTreeSet::from([0, 3]));
    assert_eq!(left_out(&rounds(&[10, 10, 7, 7])), BTreeSet::new(), "two calm rounds are too few");
    assert_eq!(left_out(&rounds(&[10, 10, 10, 10])), BTreeSet::new());
}

/// Pairs of samples that only narrow the floor are not rounds to be left with.
#[test]
fn rounds_of_the_baseline_alone_are_not_among_the_three() {
    let mut samples = rounds(&[10, 10, 5]);
    for round in 10_000..10_009 {
        for again in [false, true] {
            let share = if round == 10_004 && again { 0.2 } else { 1.0 };
            samples.push(Sample {
                again,
                calm_share: Some(share),
                ..synthetic::sample("system", "w", round, 10.0)
            });
        }
    }
    assert_eq!(left_out(&samples), BTreeSet::new());
    samples.extend(rounds(&[10, 10, 5, 10]).into_iter().filter(|one| one.round == 3));
    assert_eq!(left_out(&samples), BTreeSet::from([2, 10_004]));
}

#[test]
fn what_says_nothing_of_calm_is_not_left_out() {
    let mut samples = rounds(&[10, 10, 10, 0]);
    samples[30..].iter_mut().for_each(|one| one.calm_share = None);
    assert_eq!(left_out(&samples), BTreeSet::new());
    // Nor do verified, failed and threaded samples speak for a round.
    let mut samples = rounds(&[10, 10, 10, 0]);
    for (at, one) in samples[30..].iter_mut().enumerate() {
        match at % 3 {
            0 => one.verified = true,
            1 => one.status = Status::Signal,
            _ => "parallel".clone_into(&mut one.mode),
        }
    }
    assert_eq!(left_out(&samples), BTreeSet::new());
}

/// Seven rounds of two subjects; in the last four `fast` met somebody else, if it did.
fn run(is_stormy: bool) -> Results {
    let mut results = Results::new(synthetic::host());
    results.workloads.push(synthetic::workload("w", Source::Generated));
    for (name, ns) in [("system", 10.0), ("fast", 5.0)] {
        results.subjects.push(synthetic::subject(name, Role::Peer, Call::C));
        for round in 0..7 {
            let is_met = is_stormy && round >= 3 && name == "fast";
            results.samples.push(Sample {
                calm_share: Some(if is_met { 0.0 } else { 1.0 }),
                ..synthetic::sample(name, "w", round, if is_met { 1.4 * ns } else { ns })
            });
        }
    }
    results
}

#[test]
fn a_ratio_is_made_of_the_rounds_that_count() {
    let ratio = |results: &Results| {
        let summary = Summary::of(results);
        let row = summary.rows.iter().find(|row| row.subject == "fast").unwrap();
        let ratio = row.ratio.unwrap();
        (ratio.value, ratio.count)
    };
    assert_eq!(ratio(&run(false)), (0.5, 7));
    assert_eq!(ratio(&run(true)), (0.5, 3));
}

#[test]
fn two_runs_are_compared_by_the_rounds_that_count() {
    let compared = Comparison::of(&run(false), &run(true));
    let of_time = |row: &&Row| row.subject == "fast" && row.measure == Measure::NsPerPair;
    let row = compared.rows.iter().find(of_time).unwrap();
    assert_eq!([row.a.value, row.b.value], [5.0, 5.0]);
}

#[test]
fn times_on_several_threads_count_in_any_round() {
    let mut results = run(true);
    for one in results.samples.iter().filter(|one| one.round >= 3).cloned().collect::<Vec<_>>() {
        results.samples.push(Sample { mode: "parallel".to_owned(), ..one });
    }
    let summary = Summary::of(&results);
    let rows = summary.rows.iter().filter(|row| row.subject == "fast");
    let counts: Vec<usize> = rows.map(|row| row.ratio.unwrap().count).collect();
    assert_eq!(counts, [3, 4]);
}

#[test]
fn the_page_says_how_many_rounds_are_left_out() {
    let said = |results: &Results| {
        let folder = tempfile::tempdir().unwrap();
        reports::write_report(results, folder.path()).unwrap();
        std::fs::read_to_string(folder.path().join("index.html")).unwrap()
    };
    assert!(said(&run(true)).contains("4 rounds are left out whole"));
    assert!(!said(&run(false)).contains("left out whole"));
}
