//! The gate on made-up records: each rule catches what is just beyond its threshold and passes what is
//! just within it.

mod promises;

use crate::synthetic::{self, Noise};
use reports::check::{Check, Key, Row, Rule, Ruling, Scope, Side};
use reports::record::{
    Call, Contract, Counts, Detection, Finding, Footprint, Sample, Status, Tails, Verdict,
};
use reports::results::Results;

const ROUNDS: u32 = 15;
const SCOPE: Scope<'_> = Scope::Timed { second_from: 4, untimed: &[] };

/// Both sides in one file: `old`, and `new` with these factors on its figures.
struct Planted {
    instructions: f64,
    memory: f64,
    time: f64,
    noise: f64,
    tails: f64,
    errors: u64,
    growth: u64,
    /// Page faults of all passes; 1,000 before.
    faults: u64,
    /// Misses of the last-level cache; 25,000 before.
    misses: u64,
    /// System calls; 100 before.
    calls: u64,
    status: Status,
}

const NONE: Planted = Planted {
    instructions: 1.0,
    memory: 1.0,
    time: 1.0,
    noise: 0.01,
    tails: 1.0,
    errors: 0,
    growth: 4096,
    faults: 1000,
    misses: 25_000,
    calls: 100,
    status: Status::Ok,
};

fn results(planted: &Planted) -> Results {
    let made = synthetic::run(7, 4, 1, 1);
    let mut results = Results::new(made.host.clone());
    let mut workload = made.workloads[0].clone();
    workload.workload = "int-churn".to_owned();
    workload.threads = 1;
    results.workloads.push(workload);
    let mut noise = Noise::new(3);
    for (subject, is_new) in [("old", false), ("new", true)] {
        results.subjects.push(synthetic::subject(subject, reports::record::Role::Own, Call::C));
        let times = |factor: f64| if is_new { factor } else { 1.0 };
        let base = Sample {
            subject: subject.to_owned(),
            workload: "int-churn".to_owned(),
            again: false,
            verified: true,
            status: if is_new { planted.status } else { Status::Ok },
            ns_per_pair: None,
            ..made.samples[0].clone()
        };
        results.samples.push(base.clone());
        for round in 0..ROUNDS {
            let ns = 20.0 * times(planted.time) * (planted.noise * noise.normal()).exp();
            let ns_per_pair = Some(ns);
            let status = Status::Ok;
            results.samples.push(Sample {
                verified: false,
                status,
                round,
                ns_per_pair,
                ..base.clone()
            });
        }
        let instructions = (20_000_000.0 * times(planted.instructions)) as u64;
        let counts = synthetic::counts(subject, Call::C, instructions);
        results.counts.push(Counts {
            ll_misses: Some(if is_new { planted.misses } else { 25_000 }),
            system_calls: Some(if is_new { planted.calls } else { 100 }),
            ..counts
        });
        results.footprints.push(Footprint {
            subject: subject.to_owned(),
            workload: "int-churn".to_owned(),
            call: Call::C,
            touch: "header".to_owned(),
            threads: None,
            status: Status::Ok,
            message: None,
            rss_peak_bytes: Some((8e6 * times(planted.memory)) as u64),
            rss_retained_bytes: Some((8e6 * times(planted.memory)) as u64),
            rss_growth_bytes: Some(if is_new { planted.growth } else { 0 }),
            page_faults: Some(if is_new { planted.faults } else { 1000 }),
        });
        let mut memcheck = made.memchecks[0].clone();
        memcheck.subject = subject.to_owned();
        memcheck.workload = "int-churn".to_owned();
        memcheck.status = Status::Ok;
        memcheck.errors = Some(if is_new { planted.errors } else { 0 });
        memcheck.errors_by_kind.clear();
        results.memchecks.push(memcheck);
        for round in 0..8 {
            let tails: Tails = synthetic::tails(subject, "int-churn", round, 10.0);
            let mut tails = tails;
            for row in &mut tails.rows {
                row.max_ns *= times(planted.tails);
            }
            results.tails.push(tails);
        }
    }
    results
}

fn judged(planted: &Planted) -> Check {
    timed(&results(planted))
}

fn timed(results: &Results) -> Check {
    let side = |subject| Side { results, subject };
    let mut check = Check::default();
    check.judge(side("old"), side("new"), SCOPE);
    check
}

fn regressions(check: &Check) -> Vec<Rule> {
    let worse = check.rows.iter().filter(|row| row.ruling == Ruling::Regression);
    let mut rules: Vec<Rule> = worse.map(|row: &Row| row.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn nothing_planted_is_good() {
    let check = judged(&NONE);
    assert_eq!(check.outcome(), Ruling::Good, "{}", check.to_csv());
}

#[test]
fn each_rule_catches_what_is_beyond_its_threshold_and_passes_what_is_within() {
    for (planted, rules) in [
        (Planted { instructions: 1.006, ..NONE }, vec![Rule::Instructions]),
        (Planted { instructions: 1.004, ..NONE }, vec![]),
        (Planted { memory: 1.011, ..NONE }, vec![Rule::PeakMemory, Rule::RetainedMemory]),
        (Planted { memory: 1.009, ..NONE }, vec![]),
        (Planted { growth: 5 * 4096, ..NONE }, vec![Rule::GrowingMemory]),
        (Planted { growth: 4 * 4096, ..NONE }, vec![]),
        (Planted { faults: 1085, ..NONE }, vec![Rule::PageFaults]),
        (Planted { faults: 1084, ..NONE }, vec![]),
        (Planted { misses: 26_263, ..NONE }, vec![Rule::CacheMisses]),
        (Planted { misses: 26_262, ..NONE }, vec![]),
        (Planted { calls: 114, ..NONE }, vec![Rule::SystemCalls]),
        (Planted { calls: 113, ..NONE }, vec![]),
        (Planted { errors: 1, ..NONE }, vec![Rule::ValgrindErrors]),
        (Planted { time: 1.10, ..NONE }, vec![Rule::Time]),
        (Planted { time: 1.02, ..NONE }, vec![]),
        (Planted { status: Status::Mismatch, ..NONE }, vec![Rule::Verification]),
        (Planted { status: Status::Signal, ..NONE }, vec![Rule::Verification]),
    ] {
        let check = judged(&planted);
        assert_eq!(regressions(&check), rules, "{}", check.to_csv());
        let is_good = check.outcome() == Ruling::Good;
        assert_eq!(is_good, rules.is_empty(), "{}", check.to_csv());
    }
}

#[test]
fn noise_beyond_the_threshold_is_undecided_and_never_good() {
    let check = judged(&Planted { noise: 0.3, ..NONE });
    assert_eq!(check.outcome(), Ruling::Undecided, "{}", check.to_csv());
    assert_eq!(check.doubtful_workloads(), ["int-churn"]);
}

#[test]
fn one_long_stop_is_a_regression_of_tails() {
    let check = judged(&Planted { tails: 1e6, ..NONE });
    assert_eq!(regressions(&check), [Rule::Tails], "{}", check.to_csv());
}

#[test]
fn what_was_not_loaded_or_not_measured_cannot_pass() {
    let check = judged(&Planted { status: Status::NotLoaded, ..NONE });
    assert_eq!(check.outcome(), Ruling::Failed, "{}", check.to_csv());
    let mut results = results(&NONE);
    results.footprints.retain(|one| one.subject == "old");
    let side = |subject| Side { results: &results, subject };
    let mut check = Check::default();
    check.judge(side("old"), side("new"), SCOPE);
    assert_eq!(check.outcome(), Ruling::Failed, "{}", check.to_csv());
    assert_eq!(Check::default().outcome(), Ruling::Failed, "nothing judged is nothing good");
}

/// What is made of `results(&NONE)` once `spoil` has changed it.
fn judged_with(spoil: impl FnOnce(&mut Results)) -> Check {
    let mut results = results(&NONE);
    spoil(&mut results);
    let side = |subject| Side { results: &results, subject };
    let mut check = Check::default();
    check.judge(side("old"), side("new"), SCOPE);
    check
}

#[test]
fn a_crash_that_only_one_of_many_replays_meets_is_a_regression() {
    // All other rounds are there and have their figures.
    let timed = |results: &mut Results| {
        let mut samples = results.samples.iter_mut();
        let one = samples.find(|one| one.subject == "new" && one.round == 9).unwrap();
        (one.status, one.ns_per_pair) = (Status::Signal, None);
    };
    let single_calls = |results: &mut Results| {
        let mut tails = results.tails.iter_mut();
        let one = tails.find(|one| one.subject == "new" && one.round == 2).unwrap();
        one.status = Status::Mismatch;
        one.rows.clear();
    };
    let counted = |results: &mut Results| {
        let counts = results.counts.iter_mut().find(|one| one.subject == "new").unwrap();
        (counts.status, counts.instructions, counts.threads) = (Status::Signal, None, Some(2));
    };
    let memory = |results: &mut Results| {
        let footprint = results.footprints.iter_mut().find(|one| one.subject == "new").unwrap();
        (footprint.status, footprint.rss_peak_bytes) = (Status::Timeout, None);
    };
    for (doing, check) in [
        ("timed", judged_with(timed)),
        ("single calls", judged_with(single_calls)),
        ("counted", judged_with(counted)),
        ("memory", judged_with(memory)),
    ] {
        assert_eq!(regressions(&check), [Rule::Verification], "{}", check.to_csv());
        let is_named = |row: &&Row| row.part.as_deref() == Some(doing);
        assert_eq!(check.rows.iter().filter(is_named).count(), 1, "{}", check.to_csv());
    }
}

#[test]
fn a_replay_of_another_workload_that_takes_too_long_is_a_failure_and_its_worst_ending_is_told() {
    let now = results(&NONE);
    let mut before = now.clone();
    before.workloads[0].sha256 = "another".to_owned();
    let judge = |now: &Results| {
        let mut check = Check::default();
        let side = |results, subject| Side { results, subject };
        check.judge(side(&before, "old"), side(now, "new"), SCOPE);
        check
    };
    let mut slow = now.clone();
    let mut tails = slow.tails.iter_mut().filter(|one| one.subject == "new");
    tails.next().unwrap().status = Status::Timeout;
    assert_eq!(judge(&slow).outcome(), Ruling::Failed, "{}", judge(&slow).to_csv());
    let mut tails = slow.tails.iter_mut().filter(|one| one.subject == "new");
    tails.nth(1).unwrap().status = Status::Signal;
    assert_eq!(judge(&slow).outcome(), Ruling::Regression, "{}", judge(&slow).to_csv());
}

#[test]
fn a_time_limit_on_more_threads_than_before_is_a_failure() {
    let check = judged_with(|results| {
        let footprint = results.footprints.iter_mut().find(|one| one.subject == "new").unwrap();
        (footprint.rss_peak_bytes, footprint.rss_retained_bytes) = (None, None);
        (footprint.status, footprint.threads) = (Status::Timeout, Some(10));
    });
    assert_eq!(check.outcome(), Ruling::Failed, "{}", check.to_csv());
    let is_excused = |row: &Row| row.ruling == Ruling::Undecided;
    assert!(!check.rows.iter().any(is_excused), "{}", check.to_csv());
}

#[test]
fn a_crash_does_not_hide_what_was_not_measured() {
    let check = judged_with(|results| {
        let mut samples = results.samples.iter_mut();
        samples.find(|one| one.subject == "new" && one.round == 9).unwrap().status = Status::Signal;
        let counts = results.counts.iter_mut().find(|one| one.subject == "new").unwrap();
        (counts.status, counts.instructions) = (Status::Missing, None);
    });
    let is_told = |row: &Row| row.rule == Rule::Instructions && row.ruling == Ruling::Failed;
    assert!(check.rows.iter().any(is_told), "{}", check.to_csv());
    assert_eq!(check.outcome(), Ruling::Regression);
}

#[test]
fn a_tool_that_ends_early_on_both_sides_is_a_failure_and_no_regression() {
    let check = judged_with(|results| {
        for counts in &mut results.counts {
            (counts.status, counts.instructions) = (Status::Exit, None);
        }
    });
    assert_eq!(check.outcome(), Ruling::Failed, "{}", check.to_csv());
}

#[test]
fn calls_that_are_slow_once_in_ten_thousand_are_a_regression_of_tails() {
    let slow_refills = |results: &mut Results| {
        for tails in &mut results.tails {
            let is_new = tails.subject == "new";
            for row in &mut tails.rows {
                (row.calls, row.p9999_ns) = (250_000, if is_new { 5_000.0 } else { 2_000.0 });
            }
        }
    };
    let check = judged_with(slow_refills);
    assert_eq!(regressions(&check), [Rule::Tails], "{}", check.to_csv());
}

#[test]
fn another_workload_or_subject_or_key_is_undecided() {
    let now = results(&NONE);
    let mut before = now.clone();
    before.workloads[0].sha256 = "another".to_owned();
    let judge = |before: &Results, subject| {
        let mut check = Check::default();
        let after = Side { results: &now, subject: "new" };
        check.judge(Side { results: before, subject }, after, Scope::Deterministic);
        check.outcome()
    };
    assert_eq!(judge(&before, "old"), Ruling::Undecided);
    assert_eq!(judge(&now, "nobody"), Ruling::Undecided);
    // Ten times as much, or as little: on other threads it says nothing.
    let mut before = now.clone();
    let counts = before.counts.iter_mut().find(|one| one.subject == "old").unwrap();
    (counts.threads, counts.instructions) = (Some(2), Some(1));
    assert_eq!(judge(&before, "old"), Ruling::Undecided);
    let mut before = now.clone();
    let footprint = before.footprints.iter_mut().find(|one| one.subject == "old").unwrap();
    (footprint.threads, footprint.rss_peak_bytes) = (Some(2), Some(1));
    assert_eq!(judge(&before, "old"), Ruling::Undecided);
    let mut other = now.host.clone();
    "rustc 0.1".clone_into(&mut other.rustc);
    let differences = Key::of(&now.host).differences(&Key::of(&other));
    assert_eq!(differences.len(), 1);
    assert_eq!(Check::of_another_key(&["new"], &differences).outcome(), Ruling::Undecided);
}

#[test]
fn every_form_names_what_moved() {
    let check = judged(&Planted { memory: 1.05, ..NONE });
    for text in [check.to_markdown(), check.to_csv(), check.to_junit(), check.to_json().to_string()]
    {
        assert!(text.to_lowercase().contains("regression"), "{text}");
        assert!(text.contains("peak-memory"), "{text}");
    }
}

fn of_sides(results: &Results) -> Check {
    let side = |subject| Side { results, subject };
    let mut check = Check::default();
    check.judge(side("old"), side("new"), Scope::Deterministic);
    check
}

/// Part and ruling of the rows of one rule.
fn rulings_of(check: &Check, rule: Rule) -> Vec<(Option<&str>, Ruling)> {
    let rows = check.rows.iter().filter(|row| row.rule == rule);
    rows.map(|row| (row.part.as_deref(), row.ruling)).collect()
}

#[test]
fn events_that_one_side_lacks_or_that_other_caches_had_are_undecided() {
    let check = |change: fn(&mut Counts)| {
        let mut results = results(&NONE);
        results.counts.iter_mut().filter(|one| one.subject == "new").for_each(change);
        of_sides(&results)
    };
    let of =
        |check: &Check, rule| rulings_of(check, rule).iter().map(|one| one.1).collect::<Vec<_>>();
    let lacking = check(|one| one.system_calls = None);
    assert_eq!(of(&lacking, Rule::SystemCalls), [Ruling::Undecided]);
    let others = check(|one| one.caches = Some("D1 49152,12,64".to_owned()));
    assert_eq!(of(&others, Rule::CacheMisses), [Ruling::Undecided; 2]);
    // One thread, said or left out.
    let said = check(|one| one.threads = Some(1));
    assert_eq!(of(&said, Rule::SystemCalls), [Ruling::Good]);
}

#[test]
fn memory_that_was_touched_otherwise_is_not_compared() {
    let mut results = results(&Planted { memory: 2.0, growth: 1 << 20, ..NONE });
    for footprint in results.footprints.iter_mut().filter(|one| one.subject == "new") {
        "page".clone_into(&mut footprint.touch);
    }
    let check = of_sides(&results);
    assert!(regressions(&check).is_empty(), "{}", check.to_csv());
    assert_eq!(check.outcome(), Ruling::Undecided);
}

/// Passes that add more, and come to less in the end.
#[test]
fn growth_from_a_smaller_heap_to_one_that_is_smaller_still_is_good() {
    let mut results = results(&Planted { growth: 1 << 20, ..NONE });
    for footprint in results.footprints.iter_mut().filter(|one| one.subject == "new") {
        footprint.rss_retained_bytes = Some(6_000_000);
    }
    let check = of_sides(&results);
    assert!(regressions(&check).is_empty(), "{}", check.to_csv());
}

#[test]
fn an_untimed_workload_is_judged_by_everything_else() {
    let mut results = results(&Planted { time: 1.5, tails: 10.0, memory: 1.1, ..NONE });
    let judge = |results: &Results| {
        let side = |subject| Side { results, subject };
        let mut check = Check::default();
        let scope = Scope::Timed { second_from: 4, untimed: &["int-churn"] };
        check.judge(side("old"), side("new"), scope);
        check
    };
    assert_eq!(regressions(&judge(&results)), [Rule::PeakMemory, Rule::RetainedMemory]);
    // Nor does anybody miss its times.
    results.samples.retain(|one| one.verified);
    results.tails.clear();
    assert!(judge(&results).rows.iter().all(|row| row.ruling != Ruling::Failed));
}

/// Eight of fifteen rounds met somebody else on one side: the median of all would be a regression.
#[test]
fn samples_that_were_not_calm_are_not_judged_while_there_are_calm_ones_enough() {
    let stormy = |rounds: u32| {
        let mut results = results(&NONE);
        for sample in results.samples.iter_mut().filter(|one| !one.verified) {
            let is_met = sample.subject == "new" && sample.round < rounds;
            sample.calm_share = Some(if is_met { 0.0 } else { 1.0 });
            sample.ns_per_pair = sample.ns_per_pair.map(|ns| if is_met { 1.4 * ns } else { ns });
        }
        regressions(&timed(&results))
    };
    assert_eq!(stormy(8), []);
    // Two calm rounds have no such interval, so that all are judged.
    assert_eq!(stormy(13), [Rule::Time]);
}
