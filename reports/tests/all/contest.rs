//! This project's own allocators beside the best peer, and rankings that go over threads apart.

use crate::synthetic;
use reports::record::{Call, Role, Sample, Source, Status, Workload};
use reports::results::Results;
use reports::summary::{Scope, ScopeContest, Standing, Summary};
use reports::{markdown, write_report};

const ROUNDS: u32 = 6;

/// A run in which every round sees its own weather, and nothing else varies: subjects with their
/// times on each workload. The first subject is the baseline.
fn run(workloads: &[(&str, Source, u32)], subjects: &[(&str, Role, Call, &[f64])]) -> Results {
    let mut results = Results::new(synthetic::host());
    results.host.baseline = subjects[0].0.to_owned();
    for &(name, source, threads) in workloads {
        results.workloads.push(Workload { threads, ..synthetic::workload(name, source) });
    }
    for &(name, role, call, times) in subjects {
        results.subjects.push(synthetic::subject(name, role, call));
        for (&(load, _, threads), ns) in workloads.iter().zip(times) {
            for round in 0..ROUNDS {
                let weather = 1.0 + 0.3 * f64::from(round % 3);
                let mode = if threads > 1 { "parallel" } else { "serial" }.to_owned();
                let one = synthetic::sample(name, load, round, ns * weather);
                results.samples.push(Sample { mode, call, ..one });
            }
        }
    }
    results
}

const C: Call = Call::C;
const ONE: [(&str, Source, u32); 1] = [("w", Source::Generated, 1)];
const TWO: [(&str, Source, u32); 2] = [("w", Source::File, 1), ("v", Source::File, 1)];

/// Gives every workload an A/A twin that is `twin` times as slow in one half of the rounds and as
/// much faster in the other.
fn with_floor(mut results: Results, twin: f64) -> Results {
    let baseline = results.host.baseline.clone();
    let mut twins: Vec<Sample> = results.samples.clone();
    twins.retain(|sample| sample.subject == baseline);
    for sample in &mut twins {
        sample.again = true;
        let factor = if sample.round % 2 == 0 { twin } else { 1.0 / twin };
        sample.ns_per_pair = sample.ns_per_pair.map(|ns| ns * factor);
    }
    results.samples.extend(twins);
    results
}

#[track_caller]
fn contest(summary: &Summary, subject: &str, workload: &str) -> (String, f64, Standing) {
    let row = summary
        .rows
        .iter()
        .find(|row| row.subject == subject && row.setting.workload == workload)
        .expect("a row");
    let contest = row.contest.as_ref().expect("a contest");
    (contest.peer.clone(), (contest.ratio.value * 1000.0).round() / 1000.0, contest.standing)
}

#[track_caller]
fn over<'a>(summary: &'a Summary, subject: &str, scope: Scope) -> &'a ScopeContest {
    let found = summary.contests.iter().find(|one| one.subject == subject && one.scope == scope);
    found.expect("a contest over the scope")
}

#[test]
fn the_best_peer_is_the_fastest_allocator_of_others_that_is_called_alike() {
    let summary = Summary::of(&run(
        &ONE,
        &[
            ("system", Role::Peer, C, &[10.0]),
            ("fast", Role::Peer, C, &[8.0]),
            ("preset", Role::Preset, C, &[5.0]),
            ("ideal", Role::Reference, C, &[3.0]),
            ("fast-inline", Role::Peer, Call::Inline, &[4.0]),
            ("slow-inline", Role::Peer, Call::Inline, &[4.5]),
            ("own", Role::Own, C, &[6.0]),
            ("own-inline", Role::Own, Call::Inline, &[4.4]),
        ],
    ));
    assert_eq!(contest(&summary, "own", "w"), ("fast".to_owned(), 0.75, Standing::Ahead));
    let inline = contest(&summary, "own-inline", "w");
    assert_eq!(inline, ("fast-inline".to_owned(), 1.1, Standing::Behind));
    let with_contest = summary.rows.iter().filter(|row| row.contest.is_some()).count();
    assert_eq!(with_contest, 2, "only own allocators are set beside peers");
}

#[test]
fn a_difference_inside_the_floor_is_neither_ahead_nor_behind() {
    for (own, bare, floored) in [
        (9.8, Standing::Ahead, Standing::Undecided),
        (10.2, Standing::Behind, Standing::Undecided),
        (8.0, Standing::Ahead, Standing::Ahead),
        (12.0, Standing::Behind, Standing::Behind),
    ] {
        let results =
            run(&ONE, &[("system", Role::Peer, C, &[10.0]), ("own", Role::Own, C, &[own])]);
        assert_eq!(contest(&Summary::of(&results), "own", "w").2, bare, "{own}");
        let summary = Summary::of(&with_floor(results, 1.05));
        assert_eq!(contest(&summary, "own", "w").2, floored, "{own}");
        assert_eq!(over(&summary, "own", Scope::Generated).standing, Some(floored), "{own}");
    }
}

#[test]
fn the_best_single_peer_is_best_over_all_and_the_worst_workload_has_a_best_peer_of_its_own() {
    let summary = Summary::of(&run(
        &TWO,
        &[
            ("system", Role::Peer, C, &[20.0, 20.0]),
            ("even", Role::Peer, C, &[10.0, 10.0]),
            ("uneven", Role::Peer, C, &[8.0, 16.0]),
            ("own", Role::Own, C, &[9.0, 9.0]),
        ],
    ));
    let one = over(&summary, "own", Scope::Programs);
    let (peer, ratio) = one.against.as_ref().unwrap();
    assert_eq!((peer.as_str(), one.standing), ("even", Some(Standing::Ahead)));
    assert!((ratio.value - 0.9).abs() < 1e-9, "{ratio:?}");
    let (setting, worst) = one.worst.as_ref().unwrap();
    assert_eq!((setting.workload.as_str(), worst.peer.as_str()), ("w", "uneven"));
    assert!((worst.ratio.value - 1.125).abs() < 1e-9);
    let lost = summary.standing(Standing::Behind);
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].0.setting.workload, "w");
}

#[test]
fn a_peer_that_failed_somewhere_is_passed_over_by_name() {
    let mut results = run(
        &TWO,
        &[
            ("system", Role::Peer, C, &[20.0, 20.0]),
            ("brittle", Role::Peer, C, &[5.0, 5.0]),
            ("own", Role::Own, C, &[9.0, 9.0]),
        ],
    );
    let bad = synthetic::sample("brittle", "v", ROUNDS, 1.0);
    results.samples.push(synthetic::failed(bad, Status::Signal, "killed"));
    let summary = Summary::of(&results);
    assert_eq!(contest(&summary, "own", "w").0, "brittle");
    assert_eq!(contest(&summary, "own", "v").0, "system");
    let one = over(&summary, "own", Scope::Programs);
    assert_eq!(one.against.as_ref().unwrap().0, "system");
    assert_eq!(one.passed_over, ["brittle"]);
}

#[test]
fn an_own_allocator_that_failed_somewhere_has_no_standing_over_the_scope() {
    let mut results =
        run(&TWO, &[("system", Role::Peer, C, &[20.0, 20.0]), ("own", Role::Own, C, &[9.0, 9.0])]);
    let bad = synthetic::sample("own", "v", ROUNDS, 1.0);
    results.samples.push(synthetic::failed(bad, Status::Mismatch, "overlap"));
    let summary = Summary::of(&results);
    let one = over(&summary, "own", Scope::Programs);
    assert_eq!((one.standing, one.word(), one.settings), (None, "incomplete", 1));
    assert_eq!(one.missing, ["v"]);
    let failed = summary.rows.iter().find(|row| row.failure.is_some()).unwrap();
    assert!(failed.contest.is_none());
    let dir = tempfile::tempdir().unwrap();
    write_report(&results, dir.path()).unwrap();
    let page = std::fs::read_to_string(dir.path().join("index.html")).unwrap();
    assert!(page.contains("Not compared, because a process failed: own on v."));
}

#[test]
fn a_subject_that_does_not_support_threads_keeps_its_place_on_the_other_workloads() {
    let summary = Summary::of(&synthetic::crowd::crowd(3, 5));
    let find = |scope, name: &str| {
        summary.overall_of(scope).find(|one| one.subject == name).expect("figures of that scope")
    };
    for name in ["pymalloc-2.3", "pymalloc-3.15"] {
        let single = find(Scope::Main, name);
        assert!(single.place.is_some() && single.verdict.is_some(), "{name}");
        assert_eq!((single.settings, single.settings_in_scope), (15, 15), "{name}");
        let threads = find(Scope::Threads, name);
        assert_eq!((threads.place, threads.word()), (None, "unsupported"), "{name}");
        assert!(threads.missing.is_empty(), "{name}");
    }
    let arenite = find(Scope::Threads, "arenite");
    assert!(arenite.place.is_some() && arenite.settings == 2);
    let counts: Vec<usize> = summary.scopes.iter().map(|one| one.settings.len()).collect();
    assert_eq!(counts, [15, 5, 10, 2], "main, generated, programs, threads");
    // Memory and the lead of the run go over the workloads on one thread.
    assert_eq!(summary.scope_words(Scope::Main), "15 workloads on one thread");
}

#[test]
fn a_subject_that_supports_a_part_of_a_scope_is_not_ranked_with_those_that_support_all() {
    let mut results = run(
        &TWO,
        &[("system", Role::Peer, C, &[20.0, 20.0]), ("partial", Role::Peer, C, &[9.0, 9.0])],
    );
    for sample in &mut results.samples {
        if (sample.subject.as_str(), sample.workload.as_str()) == ("partial", "v") {
            *sample = synthetic::failed(sample.clone(), Status::Unsupported, "cannot");
        }
    }
    let summary = Summary::of(&results);
    let partial = summary.overall_of(Scope::Main).find(|one| one.subject == "partial").unwrap();
    assert_eq!((partial.place, partial.word()), (None, "unsupported"));
    assert_eq!(partial.unsupported, ["v"]);
}

#[test]
fn a_run_of_threaded_workloads_alone_is_ranked_over_them() {
    let summary = Summary::of(&run(
        &[("larson", Source::Generated, 2)],
        &[("system", Role::Peer, C, &[20.0]), ("own", Role::Own, C, &[9.0])],
    ));
    assert_eq!(summary.overall_of(Scope::Main).filter(|one| one.place.is_some()).count(), 2);
    assert!(summary.scope(Scope::Threads).is_none(), "it would repeat the main scope");
    assert_eq!(over(&summary, "own", Scope::Threads).settings, 1);
}

#[test]
fn the_page_and_the_summary_say_where_it_loses_or_that_it_does_not() {
    let page_of = |results: &Results| {
        let dir = tempfile::tempdir().unwrap();
        write_report(results, dir.path()).unwrap();
        assert!(dir.path().join("charts/best-peer-arenite.svg").is_file());
        std::fs::read_to_string(dir.path().join("index.html")).unwrap()
    };
    let system = ("system", Role::Peer, C, &[10.0, 10.0][..]);
    let wins = run(&TWO, &[system, ("arenite", Role::Own, C, &[9.0, 8.0])]);
    let page = page_of(&wins);
    assert!(page.contains("<h3>Where Arenite loses</h3>"));
    assert!(
        page.contains("In time on no workload beyond doubt: in none of 2 comparisons"),
        "none is lost"
    );
    assert!(markdown(&wins, &Summary::of(&wins), None).contains("None is lost"));

    let loses = run(&TWO, &[system, ("arenite", Role::Own, C, &[9.0, 11.0])]);
    let page = page_of(&loses);
    assert!(
        page.contains("Behind the best peer: ratio above 1") && !page.contains("on no workload")
    );
    let text = markdown(&loses, &Summary::of(&loses), None);
    assert!(text.contains("1 is lost"), "{text}");
    assert!(text.contains("| v | arenite | system | 1.10 [1.10, 1.10] | behind |"), "{text}");
    assert!(text.contains("of 2 workloads: ahead on 1, behind on 1, undecided on 0."), "{text}");
}

/// Who wins on time and is silent on memory and rare calls would be chosen by readers who need those.
#[test]
fn where_it_loses_names_peers_that_take_less_memory_or_have_faster_rare_calls() {
    let page_of = |results: &Results| {
        let dir = tempfile::tempdir().unwrap();
        write_report(results, dir.path()).unwrap();
        let page = std::fs::read_to_string(dir.path().join("index.html")).unwrap();
        let part = page.split("<h3>Where Arenite loses</h3>").nth(1).unwrap();
        part.split("</section>").next().unwrap().to_owned()
    };
    let system = ("system", Role::Peer, C, &[10.0, 10.0][..]);
    let lean = ("lean", Role::Peer, C, &[12.0, 12.0][..]);
    let mut results = run(&TWO, &[system, ("arenite", Role::Own, C, &[9.0, 8.0]), lean]);
    let said = page_of(&results);
    assert!(!said.contains("these peers come before it"), "all alike: {said}");
    for one in results.samples.iter_mut().filter(|one| one.subject == "lean") {
        one.rss_peak_bytes = one.rss_peak_bytes.map(|bytes| bytes / 2);
    }
    for (load, _, _) in TWO {
        for (subject, p50) in [("system", 10.0), ("arenite", 30.0), ("lean", 40.0)] {
            results.tails.push(synthetic::tails(subject, load, 0, p50));
        }
    }
    let said = page_of(&results);
    let memory = said.split("Less peak memory over what is alive than arenite").nth(1).unwrap();
    let memory = memory.split("</li>").next().unwrap();
    assert!(memory.contains("lean (") && !memory.contains("system"), "{memory}");
    let tails =
        said.split("A shorter time that one call in a thousand exceeds than arenite").nth(1);
    let tails = tails.unwrap().split("</li>").next().unwrap();
    assert!(tails.contains("(600 ns): system (200 ns)") && !tails.contains("lean"), "{tails}");
}

/// That Arenite preloaded is slower than Arenite linked does not tell a reader whom it leaves behind.
#[test]
fn whom_an_own_allocator_leaves_behind_is_another_makers() {
    let of = |roles: [Role; 3]| {
        let [first, second, third] = roles;
        let subjects = [
            ("system", Role::Peer, C, &[20.0, 20.0][..]),
            ("one", first, C, &[10.0, 10.0]),
            ("two", second, C, &[11.0, 11.0]),
            ("three", third, C, &[12.0, 12.0]),
        ];
        let summary = Summary::of(&run(&TWO, &subjects));
        let next = |lead: &reports::summary::Lead| lead.next.clone().unwrap().0;
        let of_all = next(summary.scope(Scope::Main).unwrap().lead.as_ref().unwrap());
        [of_all, next(&summary.leads[0].lead)]
    };
    assert_eq!(of([Role::Own, Role::Own, Role::Peer]), ["three", "three"]);
    assert_eq!(of([Role::Own, Role::Peer, Role::Own]), ["two", "two"]);
    assert_eq!(of([Role::Peer, Role::Own, Role::Peer]), ["two", "two"]);
}

/// On one thread a figure without a second one was disturbed at the most. On several, where nobody knows
/// how far off it is, a mean that takes it for sure would be believed.
#[test]
fn a_workload_with_a_single_round_leaves_an_interval_on_one_thread_alone() {
    let interval = |threads: u32| {
        let loads = ["u", "v", "w"].map(|name| (name, Source::Generated, threads));
        let times = [10.0, 10.0, 10.0];
        let subjects =
            [("system", Role::Peer, C, &times[..]), ("peer", Role::Peer, C, &[9.0, 9.0, 9.0])];
        let mut results = run(&loads, &subjects);
        results.samples.retain(|one| one.workload != "w" || one.round == 0);
        let summary = Summary::of(&results);
        let all = summary.overall.iter().find(|one| one.subject == "peer");
        all.unwrap().ratio.unwrap().interval
    };
    assert!(interval(1).unwrap().half_width_percent() > 5.0);
    assert_eq!(interval(2), None);
}

#[test]
fn findings_speak_of_own_allocators_that_are_ranked() {
    let subjects = [
        ("system", Role::Peer, C, &[20.0, 20.0][..]),
        ("arenite", Role::Own, C, &[10.0, 10.0]),
        ("peer-inline", Role::Peer, Call::Inline, &[9.0, 9.0]),
        ("arenite-inline", Role::Own, Call::Inline, &[5.0, 5.0]),
    ];
    let results = run(&TWO, &subjects);
    let said = reports::findings::findings(&results, &Summary::of(&results), None).join("\n");
    assert!(said.contains("arenite against the best peer of each of 2 workloads"), "{said}");
    assert!(!said.contains("arenite-inline"), "{said}");
}

#[test]
fn a_run_without_own_allocators_says_nothing_of_them() {
    let results = synthetic::run(9, 4, 2, 3);
    let dir = tempfile::tempdir().unwrap();
    write_report(&results, dir.path()).unwrap();
    let page = std::fs::read_to_string(dir.path().join("index.html")).unwrap();
    assert!(!page.contains("id=\"best-peer\""));
    assert!(!markdown(&results, &Summary::of(&results), None).contains("best peer"));
}

#[test]
fn flat_rows_name_the_best_peer_of_own_allocators_alone() {
    let results = run(&ONE, &[("system", Role::Peer, C, &[10.0]), ("own", Role::Own, C, &[8.0])]);
    let json = Summary::of(&results).to_json();
    assert_eq!((&json[1]["best_peer"], &json[1]["standing"]), (&"system".into(), &"ahead".into()));
    assert!((json[1]["best_peer_ratio"].as_f64().unwrap() - 0.8).abs() < 1e-9);
    assert!(json[0].get("best_peer").is_none());
}
