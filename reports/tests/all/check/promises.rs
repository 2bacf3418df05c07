//! What is promised and found out, call by call and bug by bug: the rules `contract` and `detection`.

use super::*;

/// Both sides with rows of the C contract, by verdict before and after.
fn with_contract(rows: &[(&str, Verdict, Verdict)]) -> Check {
    let mut results = results(&NONE);
    for &(call, before, after) in rows {
        results.contracts.push(synthetic::contract("old", call, before));
        results.contracts.push(synthetic::contract("new", call, after));
    }
    of_sides(&results)
}

#[test]
fn a_promise_that_is_newly_broken_is_a_regression_and_one_that_always_was_is_not() {
    use Verdict::{Absent, Allowed, Crashed, Differs, Ok, Untried};
    let broken = Ruling::Regression;
    for (before, after, ruling) in [
        (Ok, Differs, Some(broken)),
        (Ok, Crashed, Some(broken)),
        (Ok, Absent, Some(broken)),
        (Allowed, Differs, Some(broken)),
        (Differs, Ok, Some(Ruling::Better)),
        (Ok, Allowed, Some(broken)),
        (Allowed, Ok, Some(Ruling::Better)),
        (Allowed, Allowed, None),
        (Differs, Crashed, None),
        (Absent, Absent, None),
        // Recorded on a computer that lets a process lock memory, say, and tried on one that does not.
        (Ok, Untried, Some(Ruling::Undecided)),
        (Untried, Ok, Some(Ruling::Undecided)),
        (Untried, Differs, Some(Ruling::Undecided)),
        (Untried, Untried, None),
    ] {
        let check = with_contract(&[("malloc(0)", Ok, Ok), ("realloc(p, 0)", before, after)]);
        let expected = match ruling {
            Some(ruling) => (Some("realloc(p, 0)"), ruling),
            None => (None, Ruling::Good),
        };
        assert_eq!(rulings_of(&check, Rule::Contract), [expected], "{before:?} {after:?}");
    }
}

/// One seeded bug, or program without one, under one side and memcheck.
fn detection(subject: &str, verdict: Option<Finding>, own_reports: u64) -> Detection {
    Detection {
        bug: "double-free".to_owned(),
        title: "A block is freed twice.".to_owned(),
        mode: format!("{subject}+memcheck"),
        subject: subject.to_owned(),
        strategy: None,
        tool: "memcheck".to_owned(),
        status: if verdict.is_some() { Status::Ok } else { Status::Exit },
        message: None,
        verdict,
        words: None,
        own_reports: Some(own_reports),
    }
}

fn with_detections(detections: impl IntoIterator<Item = Detection>) -> Check {
    let mut results = results(&NONE);
    results.detections.extend(detections);
    of_sides(&results)
}

#[test]
fn a_bug_that_is_found_out_no_more_and_an_accused_program_without_one_are_regressions() {
    use Finding::{Caught, Clean, Crashed, FalseAlarm, Missed};
    let worse = Ruling::Regression;
    for (before, after, own_reports, ruling) in [
        (Caught, Missed, [0, 0], Some(worse)),
        (Caught, Crashed, [0, 0], Some(worse)),
        (Clean, FalseAlarm, [0, 0], Some(worse)),
        (Clean, Crashed, [0, 0], Some(worse)),
        (Caught, Caught, [2, 3], Some(worse)),
        (Missed, Caught, [0, 0], Some(Ruling::Better)),
        (FalseAlarm, Clean, [0, 0], Some(Ruling::Better)),
        (Caught, Caught, [3, 2], None),
        (Missed, Crashed, [0, 0], None),
        (Crashed, Missed, [0, 0], None),
    ] {
        let [was, is] = own_reports;
        let check = with_detections([
            detection("old", Some(before), was),
            detection("new", Some(after), is),
        ]);
        let expected = match ruling {
            Some(ruling) => (Some("double-free, memcheck"), ruling),
            None => (None, Ruling::Good),
        };
        assert_eq!(
            rulings_of(&check, Rule::Detection),
            [expected],
            "{before:?} {after:?} {own_reports:?}"
        );
    }
}

#[test]
fn of_another_compiler_seeded_bugs_are_undecided() {
    let mut before = results(&NONE);
    before.detections.push(detection("old", Some(Finding::Caught), 0));
    let mut after = results(&NONE);
    after.detections.push(detection("old", Some(Finding::Missed), 0));
    for (cc, ruling) in [(before.host.cc.clone(), Ruling::Regression), (None, Ruling::Undecided)] {
        after.host.cc = cc;
        let mut check = Check::default();
        let side = |results| Side { results, subject: "old" };
        check.judge(side(&before), side(&after), Scope::Deterministic);
        assert_eq!(rulings_of(&check, Rule::Detection)[0].1, ruling);
    }
}

#[test]
fn one_seeded_bug_that_could_not_be_run_on_a_side_is_no_good_one() {
    let caught = |subject| detection(subject, Some(Finding::Caught), 0);
    let other = |one: Detection| Detection { bug: "lost-block".to_owned(), ..one };
    let not_run = |subject| other(detection(subject, None, 0));
    for (was, is) in [
        (not_run("old"), other(caught("new"))),
        (other(caught("old")), not_run("new")),
        (not_run("old"), not_run("new")),
    ] {
        let check = with_detections([caught("old"), was, caught("new"), is]);
        let expected = [(Some("lost-block, memcheck"), Ruling::Failed)];
        assert_eq!(rulings_of(&check, Rule::Detection), expected);
    }
}

#[test]
fn seeded_bugs_that_were_not_run_are_not_good() {
    let caught = |subject| detection(subject, Some(Finding::Caught), 0);
    for (detections, ruling) in [
        (vec![caught("old"), caught("new")], Ruling::Good),
        (vec![caught("old")], Ruling::Failed),
        (vec![caught("old"), detection("new", None, 0)], Ruling::Failed),
        (vec![caught("new")], Ruling::Undecided),
    ] {
        assert_eq!(rulings_of(&with_detections(detections), Rule::Detection), [(None, ruling)]);
    }
}

#[test]
fn a_contract_that_ends_the_child_is_a_regression_and_one_that_was_not_tried_is_not_good() {
    let ended = |status, message: &str| Contract {
        row: None,
        verdict: None,
        found: None,
        status,
        message: Some(message.to_owned()),
        ..synthetic::contract("new", "", Verdict::Ok)
    };
    let mut before = results(&NONE);
    before.contracts.push(synthetic::contract("old", "malloc(0)", Verdict::Ok));
    for (after, ruling) in [
        (Some(ended(Status::Signal, "killed by SIGSEGV")), Ruling::Regression),
        (Some(ended(Status::NotLoaded, "glibc serves")), Ruling::Failed),
        (Some(synthetic::contract("new", "calloc(2, 3)", Verdict::Ok)), Ruling::Undecided),
        (None, Ruling::Failed),
    ] {
        let mut results = before.clone();
        results.contracts.extend(after);
        let check = of_sides(&results);
        let found = rulings_of(&check, Rule::Contract);
        assert_eq!(found.iter().map(|one| one.1).collect::<Vec<_>>(), [ruling]);
    }
    // A baseline from before there was such a rule.
    let mut results = results(&NONE);
    results.contracts.push(synthetic::contract("new", "malloc(0)", Verdict::Ok));
    assert_eq!(rulings_of(&of_sides(&results), Rule::Contract), [(None, Ruling::Undecided)]);
}
