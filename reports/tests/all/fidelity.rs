//! What a replay is worth: right predictions are known as right, reversed ones as reversed, and
//! programs that tell nobody apart are not ranked.

use crate::synthetic;
use std::fs;

use reports::fidelity::Fidelity;
use reports::record::{Source, Status};
use reports::results::Results;
use reports::write_report;

const MS: i64 = 1_000_000;
/// Subjects, and what each takes beyond the baseline in a program of 200 ms, in milliseconds.
const TRUTH: [(&str, i64); 4] = [("system", 0), ("fast", -20), ("middling", -8), ("slow", 30)];

/// Two programs whose replays differ by `replayed` of what the programs differ by.
fn results(replayed: impl Fn(i64) -> i64) -> Results {
    let mut host = synthetic::host();
    host.baseline = "system".to_owned();
    let mut results = Results::new(host);
    for name in ["json", "sort"] {
        results.workloads.push(synthetic::workload(name, Source::Recorded));
        for round in 0..5 {
            // Processor time drifts from round to round by more than subjects differ.
            let weather = i64::from(round) * 3 * MS;
            for (subject, extra) in TRUTH {
                let cpu = 200 * MS + extra * MS + weather;
                let mut run = synthetic::program(name, subject, round, cpu as u64);
                (run.user_ns, run.system_ns) = (Some(cpu as u64), Some(0));
                run.rss_peak_bytes = Some((20_000_000 + extra * 100_000) as u64);
                results.programs.push(run);
                let mut sample = synthetic::sample(subject, name, round, 40.0);
                sample.wall_ns = Some((100 * MS + replayed(extra) * MS) as u64);
                sample.rss_peak_bytes = Some((10_000_000 + replayed(extra) * 100_000) as u64);
                results.samples.push(sample);
            }
            let mut again = synthetic::program(name, "system", round, 1);
            again.again = true;
            let twin = (200 * MS + weather) + i64::from(round % 2) * MS / 10;
            (again.user_ns, again.system_ns) = (Some(twin as u64), Some(0));
            again.rss_peak_bytes = Some(20_000_000);
            results.programs.push(again);
        }
    }
    results
}

#[test]
fn a_replay_that_is_right_has_no_error_and_the_same_order() {
    let fidelity = Fidelity::of(&results(|extra| extra)).unwrap();
    let time = fidelity.time.unwrap();
    assert!(time.error < 0.005, "{time:?}");
    assert!((time.blind_error - 0.094).abs() < 0.005, "{time:?}");
    assert_eq!((time.points, time.ranked, time.word()), (6, 2, "holds"));
    assert_eq!(time.rank_correlation, Some(1.0));
    let memory = fidelity.memory.unwrap();
    assert!(memory.error < 1e-9 && memory.word() == "holds", "{memory:?}");
    let share = fidelity.programs[0].allocator_share;
    assert!((share - 100.0 / 206.0).abs() < 1e-9, "{share}");
}

/// Would catch figures to the first of the baseline's two runs alone, measured or replayed.
#[test]
fn both_sides_are_to_the_mean_of_the_baselines_two_runs() {
    let mut results = results(|extra| extra);
    for run in results.programs.iter_mut().filter(|run| run.again) {
        run.user_ns = run.user_ns.map(|cpu| cpu * 121 / 100);
    }
    let measured = |results: &Results| {
        let fidelity = Fidelity::of(results).unwrap();
        fidelity.programs[0].points.iter().map(|one| one.time().unwrap()).collect::<Vec<_>>()
    };
    let before = measured(&results);
    // Of 206 ms, the median of the rounds: 198, 186 and 236 ms without the twin.
    for ((_, measured), cpu) in before.iter().zip([186.0, 198.0, 236.0]) {
        assert!((measured - cpu / 206.0 / 1.1).abs() < 0.005, "{before:?}");
    }
    let first = results.samples.iter().filter(|one| one.subject == "system").cloned();
    let twins: Vec<_> = first.collect();
    results.samples.extend(twins.into_iter().map(|mut one| {
        (one.again, one.wall_ns) = (true, one.wall_ns.map(|wall| wall * 144 / 100));
        one
    }));
    // Replays of 100 ms under the baseline count as 120 ms, of 227 ms.
    for ((after, _), (before, _)) in measured(&results).iter().zip(before) {
        assert!((before - after - 20.0 / 226.6).abs() < 0.005, "{before} {after}");
    }
}

#[test]
fn the_findings_and_the_summary_say_how_far_off_replays_are() {
    let said = |replayed: fn(i64) -> i64| {
        let results = results(replayed);
        reports::markdown(&results, &reports::summary::Summary::of(&results), None)
    };
    let right = said(|extra| extra);
    assert!(right.contains("to predict no difference would be off by 9.4 %: holds."), "{right}");
    assert!(right.contains("| all |  | 0.0 % | 9.4 % | 1.00 | holds |"), "{right}");
    let reversed = said(|extra| -extra);
    assert!(reversed.contains("to predict no difference would be off by 9.4 %: misleads."));
    assert!(reversed.contains("| -1.00 | misleads |"), "{reversed}");
}

#[test]
fn a_replay_that_ranks_the_other_way_round_misleads() {
    let fidelity = Fidelity::of(&results(|extra| -extra)).unwrap();
    for agreement in [fidelity.time, fidelity.memory].map(Option::unwrap) {
        assert_eq!(agreement.rank_correlation, Some(-1.0));
        assert_eq!(agreement.word(), "misleads");
        assert!(agreement.error > agreement.blind_error);
    }
}

#[test]
fn a_replay_in_the_right_order_that_says_too_much_misleads_by_its_error() {
    let fidelity = Fidelity::of(&results(|extra| extra * 17 / 10)).unwrap();
    assert_eq!(fidelity.time.unwrap().word(), "rough");
    let mut results = results(|extra| extra);
    for sample in &mut results.samples {
        let more = TRUTH.iter().find(|one| one.0 == sample.subject).unwrap().1 * 2 * MS;
        sample.wall_ns = Some((i64::try_from(sample.wall_ns.unwrap()).unwrap() + more) as u64);
    }
    let time = Fidelity::of(&results).unwrap().time.unwrap();
    assert_eq!((time.rank_correlation, time.word()), (Some(1.0), "misleads"));
}

#[test]
fn subjects_within_the_floor_have_no_order_to_predict() {
    let mut results = results(|extra| extra);
    for run in results.programs.iter_mut().filter(|run| run.again) {
        run.user_ns = run.user_ns.map(|cpu| cpu * 3 / 2);
    }
    let fidelity = Fidelity::of(&results).unwrap();
    assert!(fidelity.programs.iter().all(|one| one.time.unwrap().rank_correlation.is_none()));
    let time = fidelity.time.unwrap();
    assert_eq!((time.rank_correlation, time.ranked, time.word()), (None, 0, "undecided"));
}

#[test]
fn replays_of_other_workloads_on_threads_or_verified_enter_nothing() {
    let expected = Fidelity::of(&results(|extra| extra)).unwrap();
    let mut results = results(|extra| extra);
    let copies: Vec<_> = results.samples.clone();
    for (index, mut sample) in copies.into_iter().enumerate() {
        sample.wall_ns = Some(1);
        match index % 4 {
            0 => sample.workload = "int-churn".to_owned(),
            1 => sample.mode = "parallel".to_owned(),
            2 => sample.verified = true,
            _ => sample.again = true,
        }
        results.samples.push(sample);
    }
    assert_eq!(Fidelity::of(&results).unwrap(), expected);
}

#[test]
fn a_cell_that_failed_in_either_way_is_shown_and_counts_in_nothing() {
    let mut results = results(|extra| extra);
    let replay =
        results.samples.iter_mut().find(|one| one.subject == "fast" && one.workload == "json");
    replay.unwrap().status = Status::Signal;
    let run =
        results.programs.iter_mut().find(|one| one.subject == "slow" && one.program == "sort");
    run.unwrap().status = Status::Mismatch;
    let fidelity = Fidelity::of(&results).unwrap();
    let missing = |program: usize, subject: &str| {
        let points = &fidelity.programs[program].points;
        points.iter().find(|one| one.subject == subject).unwrap().missing.clone()
    };
    assert_eq!(missing(0, "fast").as_deref(), Some("replay: signal"));
    assert_eq!(missing(1, "slow").as_deref(), Some("run: mismatch"));
    assert_eq!(missing(1, "fast"), None);
    assert_eq!(fidelity.time.unwrap().points, 4);
}

#[test]
fn a_baseline_that_cannot_be_replayed_gives_way_to_a_subject_that_was() {
    let mut results = results(|extra| extra);
    results.host.baseline = "pymalloc".to_owned();
    let fidelity = Fidelity::of(&results).unwrap();
    assert_eq!(fidelity.baseline, "system");
    assert_eq!(fidelity.time.unwrap().word(), "holds");
}

#[test]
fn programs_alone_and_replays_alone_say_nothing() {
    let whole = results(|extra| extra);
    let mut without = whole.clone();
    without.samples.clear();
    assert_eq!(Fidelity::of(&without), None);
    let mut without = whole;
    without.programs.clear();
    assert_eq!(Fidelity::of(&without), None);
    assert_eq!(Fidelity::of(&synthetic::run(4, 2, 3, 1)), None);
}

#[test]
fn the_report_has_a_section_and_a_chart() {
    let folder = tempfile::tempdir().unwrap();
    write_report(&results(|extra| -extra), folder.path()).unwrap();
    let page = fs::read_to_string(folder.path().join("index.html")).unwrap();
    for part in ["What a replay is worth", "fidelity-title", "misleads", "-1.00"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(folder.path().join("charts/fidelity.svg").exists());
}
