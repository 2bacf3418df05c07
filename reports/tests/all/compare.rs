//! Two files side by side: planted differences are found, and nothing else is.

use crate::synthetic::{self, Noise};
use reports::compare::{Comparison, Measure, Move, Row};
use reports::record::{Call, Role, Source, Status};
use reports::results::Results;
use reports::statistics::{Rounds, unpaired_ratio};

const SUBJECTS: [(&str, f64); 3] = [("system", 20.0), ("mimalloc", 12.0), ("jemalloc", 15.0)];
const WORKLOADS: [&str; 2] = ["int-churn", "dict-resize"];

/// A run of three subjects on two workloads with an A/A twin; `deviation` is the noise of a sample,
/// and `weather` what the computer does to the whole run.
fn run(rounds: u32, deviation: f64, weather: f64, seed: u64) -> Results {
    let mut noise = Noise::new(seed);
    let mut results = Results::new(synthetic::host());
    for workload in WORKLOADS {
        results.workloads.push(synthetic::workload(workload, Source::Generated));
    }
    for (name, _) in SUBJECTS {
        results.subjects.push(synthetic::subject(name, Role::Peer, Call::C));
    }
    for round in 0..rounds {
        for workload in WORKLOADS {
            for (name, ns) in SUBJECTS {
                let mut factor = || weather * (deviation * noise.normal()).exp();
                results.samples.push(synthetic::sample(name, workload, round, ns * factor()));
                if name == "system" {
                    let mut twin = synthetic::sample(name, workload, round, ns * factor());
                    twin.again = true;
                    results.samples.push(twin);
                }
            }
        }
    }
    for (name, _) in SUBJECTS {
        results.memchecks.push(memcheck(name, 0));
    }
    results.ends = synthetic::run(1, 1, 1, 1).ends;
    results
}

fn memcheck(subject: &str, errors: u64) -> reports::record::Memcheck {
    let mut one = synthetic::run(2, 1, 1, 1).memchecks[0].clone();
    one.subject = subject.to_owned();
    one.errors = Some(errors);
    one
}

/// The run with something done to the samples of mimalloc on int-churn.
fn planted(mut results: Results, change: impl Fn(&mut reports::record::Sample)) -> Results {
    let samples = results.samples.iter_mut();
    samples.filter(|one| one.subject == "mimalloc" && one.workload == "int-churn").for_each(change);
    results
}

fn row<'a>(compared: &'a Comparison, workload: &str, subject: &str, measure: Measure) -> &'a Row {
    let mut rows = compared.rows.iter();
    rows.find(|row| {
        row.case.workload == workload && row.subject == subject && row.measure == measure
    })
    .unwrap_or_else(|| panic!("no {} of {subject} on {workload}", measure.key()))
}

fn moved(compared: &Comparison) -> Vec<(String, String, &'static str, &'static str)> {
    let rows = compared.rows.iter();
    rows.filter(|row| matches!(row.moved, Move::Less | Move::More))
        .map(|row| (row.case.workload.clone(), row.subject.clone(), row.measure.key(), row.word()))
        .collect()
}

#[test]
fn the_baseline_that_times_are_taken_over_is_the_mean_of_its_two_samples() {
    let one = run(8, 0.01, 1.0, 1);
    let mut other = one.clone();
    // Four times as slow under its other name: twice as slow in the mean.
    for twin in other.samples.iter_mut().filter(|sample| sample.again) {
        twin.ns_per_pair = twin.ns_per_pair.map(|ns| 4.0 * ns);
    }
    let compared = Comparison::of(&one, &other);
    let row = row(&compared, "int-churn", "mimalloc", Measure::NsPerPairOverBaseline);
    assert!((row.ratio.unwrap().value - 0.5).abs() < 0.001, "{row:?}");
}

#[test]
fn equal_files_have_equal_figures_and_no_verdict_at_all() {
    let one = run(8, 0.01, 1.0, 1);
    let compared = Comparison::of(&one, &one);
    assert!(compared.rows.len() > 20, "{}", compared.rows.len());
    assert!(compared.rows.iter().all(|row| row.moved == Move::Equal));
    assert!(compared.over_all.iter().all(|one| one.moved == Move::Equal));
    assert!(compared.notes.is_empty(), "{:?}", compared.notes);
    assert!(compared.changes.is_empty() && compared.left_out.is_empty());
}

#[test]
fn noise_alone_moves_nothing() {
    for seed in 0..20 {
        let compared = Comparison::of(&run(8, 0.02, 1.0, seed), &run(8, 0.02, 1.0, 1000 + seed));
        // Each row's interval is at 95 %, and the floor stands before it.
        assert!(moved(&compared).len() <= 1, "seed {seed}: {:?}", moved(&compared));
    }
}

#[test]
fn slower_by_ten_percent_is_slower_and_the_other_way_round_faster() {
    for rounds in [4, 8] {
        let good = run(rounds, 0.01, 1.0, 2);
        let slow = planted(run(rounds, 0.01, 1.0, 3), |sample| {
            sample.ns_per_pair = sample.ns_per_pair.map(|ns| ns * 1.1);
        });
        for measure in [Measure::NsPerPair, Measure::NsPerPairOverBaseline] {
            let compared = Comparison::of(&good, &slow);
            let found = row(&compared, "int-churn", "mimalloc", measure);
            assert_eq!(found.word(), "slower", "{found:?}");
            let ratio = found.ratio.unwrap();
            assert!(ratio.interval.unwrap().holds(1.1), "{ratio:?}");
            let back = Comparison::of(&slow, &good);
            assert_eq!(row(&back, "int-churn", "mimalloc", measure).word(), "faster");
            assert_eq!(row(&compared, "dict-resize", "mimalloc", measure).word(), "undecided");
        }
        assert!(moved(&Comparison::of(&good, &slow)).iter().all(|one| one.1 == "mimalloc"));
    }
}

#[test]
fn fatter_by_five_percent_is_bigger() {
    let good = run(5, 0.01, 1.0, 4);
    let fat = planted(good.clone(), |sample| {
        sample.rss_peak_bytes = sample.rss_peak_bytes.map(|bytes| bytes + bytes / 20);
    });
    let compared = Comparison::of(&good, &fat);
    assert_eq!(
        moved(&compared),
        [("int-churn".to_owned(), "mimalloc".to_owned(), "rss_peak_bytes", "bigger")]
    );
    let of_mimalloc = compared.over_all.iter().find(|one| {
        one.subject.as_deref() == Some("mimalloc") && one.measure == Measure::RssPeakBytes
    });
    let mean = of_mimalloc.unwrap();
    assert!((mean.ratio.value - 1.05_f64.sqrt()).abs() < 1e-4, "{mean:?}");
    assert_eq!((mean.word(), mean.cells), ("bigger", 2));
}

#[test]
fn one_new_valgrind_error_is_more() {
    let good = run(3, 0.01, 1.0, 5);
    let mut wrong = good.clone();
    wrong.memchecks[1] = memcheck("mimalloc", 1);
    let compared = Comparison::of(&good, &wrong);
    let found = moved(&compared);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].2, found[0].3), ("errors", "more"));
    assert_eq!(moved(&Comparison::of(&wrong, &good))[0].3, "fewer");
}

#[test]
fn errors_of_unequal_work_are_not_compared() {
    let good = run(3, 0.01, 1.0, 5);
    let mut other = good.clone();
    other.memchecks[1] = memcheck("mimalloc", 9);
    other.memchecks[1].operations = Some(7);
    let compared = Comparison::of(&good, &other);
    assert!(moved(&compared).is_empty());
    assert_eq!(compared.left_out.len(), 1);
    assert_eq!(compared.left_out[0].reason, "another number of calls in B");
}

#[test]
fn a_new_failure_is_listed_and_not_averaged_away() {
    let good = run(5, 0.01, 1.0, 6);
    let mut bad = good.clone();
    let sample = bad.samples.iter_mut().find(|one| one.subject == "jemalloc").unwrap();
    *sample = synthetic::failed(sample.clone(), Status::Mismatch, "block overlaps a live block");
    let compared = Comparison::of(&good, &bad);
    assert!(compared.has_new_failures());
    assert_eq!(compared.changes.len(), 1);
    let change = &compared.changes[0];
    assert_eq!((change.word(), change.subject.as_str()), ("new failure", "jemalloc"));
    assert_eq!(change.b.as_ref().unwrap().1, "block overlaps a live block");
    let gone = |row: &&Row| row.subject == "jemalloc" && row.case.workload == "int-churn";
    assert!(compared.rows.iter().all(|row| !gone(&row) || row.measure == Measure::Errors));
    let back = Comparison::of(&bad, &good);
    assert_eq!(back.changes[0].word(), "fixed");
    assert!(!back.has_new_failures());
    assert_eq!(Comparison::of(&bad, &bad).changes[0].word(), "still fails");
}

#[test]
fn a_vanished_subject_is_listed_workload_by_workload() {
    let good = run(4, 0.01, 1.0, 7);
    let mut less = good.clone();
    less.subjects.retain(|one| one.subject != "jemalloc");
    less.samples.retain(|one| one.subject != "jemalloc");
    let compared = Comparison::of(&good, &less);
    let left: Vec<_> =
        compared.left_out.iter().map(|one| (&*one.case.workload, &*one.reason)).collect();
    assert_eq!(left, [("int-churn", "only in A"), ("dict-resize", "only in A")]);
    assert_eq!(Comparison::of(&less, &good).left_out[0].reason, "only in B");
}

#[test]
fn a_measure_that_only_one_file_has_is_listed() {
    let good = run(4, 0.01, 1.0, 8);
    let bare = planted(good.clone(), |sample| sample.rss_peak_bytes = None);
    let compared = Comparison::of(&good, &bare);
    assert_eq!(compared.left_out.len(), 1);
    assert_eq!(compared.left_out[0].measure, Some(Measure::RssPeakBytes));
}

#[test]
fn what_the_computer_did_to_the_baseline_is_not_blamed_on_others() {
    let compared = Comparison::of(&run(8, 0.005, 1.0, 9), &run(8, 0.005, 1.08, 10));
    assert_eq!(row(&compared, "int-churn", "system", Measure::NsPerPair).word(), "slower");
    for measure in [Measure::NsPerPair, Measure::NsPerPairOverBaseline] {
        for subject in ["mimalloc", "jemalloc"] {
            let found = row(&compared, "int-churn", subject, measure);
            let ratio = found.ratio.unwrap().value;
            let expected = if measure == Measure::NsPerPair { 1.08 } else { 1.0 };
            assert!((ratio - expected).abs() < 0.02, "{found:?}");
            assert!(found.moved == Move::Undecided || ratio > 1.08, "{found:?}");
        }
    }
}

#[test]
fn another_baseline_build_excuses_nobody() {
    let one = run(8, 0.005, 1.0, 9);
    let mut other = run(8, 0.005, 1.08, 10);
    other.subjects[0].version = "9.9.9".to_owned();
    let compared = Comparison::of(&one, &other);
    assert_eq!(row(&compared, "int-churn", "mimalloc", Measure::NsPerPair).word(), "slower");
    assert!(compared.notes[0].contains("version of system"), "{:?}", compared.notes);
}

#[test]
fn of_different_computers_only_times_over_the_baseline_are_compared() {
    let one = run(8, 0.01, 1.0, 11);
    let mut other = planted(run(8, 0.01, 3.0, 12), |sample| {
        sample.ns_per_pair = sample.ns_per_pair.map(|ns| ns * 1.1);
    });
    other.host.cpu_model = "Another CPU".to_owned();
    let compared = Comparison::of(&one, &other);
    assert!(compared.notes[0].starts_with("DIFFERENT COMPUTERS"), "{:?}", compared.notes);
    assert!(compared.rows.iter().all(|row| row.measure != Measure::NsPerPair));
    let found = row(&compared, "int-churn", "mimalloc", Measure::NsPerPairOverBaseline);
    assert_eq!(found.word(), "slower");
    other.host.baseline = "mimalloc".to_owned();
    let compared = Comparison::of(&one, &other);
    assert!(compared.notes.iter().any(|note| note.starts_with("NO TIME")));
    assert!(compared.rows.iter().all(|row| matches!(
        row.measure,
        Measure::RssPeakBytes | Measure::PageFaults | Measure::Errors
    )));
}

#[test]
fn other_touch_policies_events_and_calls_are_said_and_not_compared() {
    let one = run(4, 0.01, 1.0, 13);
    let mut touched = one.clone();
    touched.samples.iter_mut().for_each(|sample| sample.touch = "all".to_owned());
    let compared = Comparison::of(&one, &touched);
    assert!(compared.notes[0].starts_with("DIFFERENT TOUCH"), "{:?}", compared.notes);
    assert!(compared.rows.iter().all(|row| row.measure == Measure::Errors));
    assert_eq!(compared.left_out.len(), 12);

    let mut other = one.clone();
    other.workloads[0].sha256 = "00".repeat(32);
    let compared = Comparison::of(&one, &other);
    assert!(compared.notes[0].contains("int-churn"), "{:?}", compared.notes);
    assert!(compared.rows.iter().all(|row| row.case.workload != "int-churn"));
    assert!(compared.left_out.iter().all(|one| one.reason == "other events in B"));

    let inlined = planted(one.clone(), |sample| sample.call = Call::Inline);
    let compared = Comparison::of(&one, &inlined);
    assert_eq!(compared.left_out.len(), 1);
    assert_eq!(compared.left_out[0].reason, "called another way in B");
}

#[test]
fn programs_are_compared_by_wall_time_and_memory() {
    let of = |factor: f64, seed| {
        let mut noise = Noise::new(seed);
        let mut results = Results::new(synthetic::host());
        for round in 0..7 {
            for (subject, slow) in [("system", 1.0), ("arenite", factor)] {
                let wall = 1e9 * slow * (0.01 * noise.normal()).exp();
                let run = synthetic::program("nbody", subject, round, wall as u64);
                results.programs.push(run);
            }
        }
        results
    };
    let compared = Comparison::of(&of(0.9, 1), &of(1.0, 2));
    assert_eq!(row(&compared, "nbody", "arenite", Measure::WallNs).word(), "slower");
    assert_eq!(row(&compared, "nbody", "arenite", Measure::WallOverBaseline).word(), "slower");
    assert_eq!(row(&compared, "nbody", "arenite", Measure::RssPeakBytes).word(), "equal");
    // Both files lack an end record.
    assert_eq!(compared.notes.len(), 2, "{:?}", compared.notes);
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_promise() {
    let mut noise = Noise::new(16);
    for (rounds_a, rounds_b) in [(3, 3), (3, 9), (6, 6), (10, 7)] {
        let mut draw = |rounds: u32| -> Rounds {
            (0..rounds).map(|round| (round, 20.0 * (0.03 * noise.normal()).exp())).collect()
        };
        let held = (0..400).filter(|_| {
            let (a, b) = (draw(rounds_a), draw(rounds_b));
            let ratio = unpaired_ratio(&[(&a, &b)], None).unwrap();
            ratio.interval.unwrap().holds(1.0)
        });
        let share = held.count() as f64 / 400.0;
        // Three standard errors of 400 draws.
        let least = 0.95 - 3.0 * (0.95_f64 * 0.05 / 400.0).sqrt();
        assert!(share >= least, "{rounds_a} and {rounds_b} rounds: {share}");
    }
}

#[test]
fn every_form_tells_the_same_story() {
    let good = run(6, 0.01, 1.0, 14);
    let mut bad = planted(run(6, 0.01, 1.0, 15), |sample| {
        sample.ns_per_pair = sample.ns_per_pair.map(|ns| ns * 1.2);
    });
    bad.subjects[1].version = "2.0".to_owned();
    bad.samples.retain(|one| one.subject != "jemalloc" || one.workload != "dict-resize");
    let sample = bad.samples.iter_mut().find(|one| one.subject == "jemalloc").unwrap();
    *sample = synthetic::failed(sample.clone(), Status::Signal, "killed by signal 11");
    let compared = Comparison::of(&good, &bad);

    let json = compared.to_json();
    let records = json.as_array().unwrap();
    let of = |kind: &str| records.iter().filter(|one| one["kind"] == kind).count();
    assert_eq!(of("ratio"), compared.rows.len());
    assert_eq!(of("mean"), compared.over_all.len());
    assert_eq!((of("note"), of("failure"), of("left-out")), (1, 1, 1));
    assert!(records.iter().all(|one| one["schema"] == "arenabench.comparison/1"));
    let slow = records.iter().find(|one| one["verdict"] == "slower").unwrap();
    assert_eq!((&slow["subject"], &slow["workload"]), (&"mimalloc".into(), &"int-churn".into()));
    assert!(slow["ratio_low"].as_f64().unwrap() > 1.1);

    let csv = compared.to_csv();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.records().count(), compared.rows.len() + compared.over_all.len());

    let markdown = compared.to_markdown();
    for text in ["version of mimalloc", "killed by signal 11", "slower", "only in A", "new failure"]
    {
        assert!(markdown.contains(text), "{text}: {markdown}");
    }
    assert_eq!(compared.sections().len(), 4);
    assert!(compared.sentence().contains("1 new failure"), "{}", compared.sentence());
}
