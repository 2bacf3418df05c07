//! Two quick runs of the same commit: every verdict that both reach is the same, neither takes longer
//! than five minutes, and where nobody else used the processors much, geometric means are within 2 %.
//! They take minutes: with `ARENABENCH_CAMPAIGN=1` only.

use std::path::Path;
use std::time::Duration;

use reports::results::Results;
use reports::statistics::Verdict;
use reports::summary::{Scope, Summary};

use crate::command::{arenabench, folder};

/// Largest difference between two geometric means of the same ratios.
const GEOMEAN: f64 = 0.02;

/// In a quiet run at most one in so many samples on one thread was taken again.
const QUIET: usize = 5;

/// How often two quiet runs are tried for.
const PAIRS: usize = 3;

/// The longest that a quick run may take.
const QUICK: Duration = Duration::from_secs(300);

/// A named verdict or mean.
type Named<T> = Vec<(String, T)>;

/// Names whose verdicts contradict each other.
fn contradictions(one: &Named<Verdict>, other: &Named<Verdict>) -> Vec<String> {
    let of = |name: &String| other.iter().find(|known| known.0 == *name).map(|known| known.1);
    let is_decided = |verdict: Verdict| verdict != Verdict::Undecided;
    let all = one.iter().filter_map(|(name, verdict)| {
        let other = of(name)?;
        let differs = is_decided(*verdict) && is_decided(other) && *verdict != other;
        differs.then(|| format!("{name}: {verdict:?} and {other:?}"))
    });
    all.collect()
}

/// Names whose means lie further apart than they may, or that one side lacks.
fn drifts(one: &Named<f64>, other: &Named<f64>) -> Vec<String> {
    let of = |name: &String| other.iter().find(|known| known.0 == *name).map(|known| known.1);
    let is_far = |a: f64, b: f64| (a / b).ln().abs() > GEOMEAN.ln_1p();
    let all = one.iter().filter(|(name, mean)| of(name).is_none_or(|other| is_far(*mean, other)));
    all.map(|(name, mean)| format!("{name}: {mean} and {:?}", of(name))).collect()
}

/// What a quick run found.
struct Found {
    verdicts: Named<Verdict>,
    means: Named<f64>,
    is_quiet: bool,
}

fn run(folder: &Path) -> Found {
    let ended = arenabench(&format!("run -q -o {}", folder.display()));
    assert!([0, 3].contains(&ended.code), "{}", ended.stderr);
    let results = Results::read(folder.join("results.jsonl")).unwrap();
    let took = Duration::from_nanos(results.end().expect("the run is over").run_wall_ns);
    assert!(took <= QUICK, "a quick run took {took:?}");
    let summary = Summary::of(&results);
    let rows = summary.rows.iter().filter_map(|row| {
        Some((format!("{} on {}", row.subject, row.setting.workload), row.verdict?))
    });
    let means = summary.overall_of(Scope::Main);
    let means = means.filter_map(|one| Some((one.subject.clone(), one.ratio?.value)));
    let timed = results.samples.iter().filter(|one| one.mode == "serial" && !one.verified);
    let again: usize = timed.clone().map(|one| one.retaken_calm_shares.len()).sum();
    let is_quiet = again * QUIET <= timed.count();
    Found { verdicts: rows.collect(), means: means.collect(), is_quiet }
}

#[test]
fn two_quick_runs_agree_on_every_verdict_and_within_two_per_cent() {
    if std::env::var_os("ARENABENCH_CAMPAIGN").is_none() {
        eprintln!("SKIPPED: set ARENABENCH_CAMPAIGN=1 to compare two quick runs");
        return;
    }
    let folder = folder();
    for pair in 0..PAIRS {
        let [one, other] = [0, 1].map(|side| run(&folder.path().join(format!("{pair}-{side}"))));
        assert!(!one.verdicts.is_empty() && !one.means.is_empty());
        assert_eq!(contradictions(&one.verdicts, &other.verdicts), Vec::<String>::new());
        if one.is_quiet && other.is_quiet {
            assert_eq!(drifts(&one.means, &other.means), Vec::<String>::new());
            return;
        }
    }
    eprintln!(
        "SKIPPED: others used the processors in each of {PAIRS} pairs: means were not compared"
    );
}

#[test]
fn a_contradiction_and_a_drift_are_found_and_an_undecided_verdict_contradicts_nobody() {
    let verdicts = |verdict| vec![("a".to_owned(), Verdict::Faster), ("b".to_owned(), verdict)];
    let (faster, slower) = (verdicts(Verdict::Faster), verdicts(Verdict::Slower));
    assert_eq!(contradictions(&faster, &slower), ["b: Faster and Slower"]);
    assert!(contradictions(&faster, &verdicts(Verdict::Undecided)).is_empty());
    let means = |mean: f64| vec![("a".to_owned(), 1.0), ("b".to_owned(), mean)];
    assert!(drifts(&means(0.80), &means(0.81)).is_empty());
    assert_eq!(drifts(&means(0.80), &means(0.82)).len(), 1);
    assert_eq!(drifts(&means(0.80), &Vec::new()).len(), 2);
}
