//! What is said of ownership tests: constant or not, and where the figures are shown.

// Other test binaries use more of it.
use crate::synthetic;
use reports::ownership::{CHARTED, Strategies};
use reports::results::Results;
use reports::summary::Summary;

fn results() -> Results {
    let mut results = Results::new(synthetic::run(7, 2, 1, 1).host);
    results.ownerships = synthetic::ownerships();
    results
}

#[test]
fn a_cost_that_stays_is_constant_and_one_that_grows_twelvefold_is_not() {
    let results = results();
    let strategies = Strategies::of(&results).unwrap();
    for question in CHARTED {
        assert_eq!(strategies.growth("page-map", question).unwrap().word(), "constant");
        let growth = strategies.growth("arena-index", question).unwrap();
        assert_eq!((growth.word(), growth.fewest, growth.most), ("grows", 1, 10_000));
        let sentence = strategies.sentence(question);
        assert!(sentence.starts_with("Constant: page-map (1.00 times"), "{sentence}");
        assert!(sentence.contains("Not constant: arena-index (12.0 times"), "{sentence}");
    }
}

#[test]
fn a_single_round_decides_nothing() {
    let mut results = results();
    results.ownerships.retain(|record| record.round == 0);
    let strategies = Strategies::of(&results).unwrap();
    assert_eq!(strategies.growth("arena-index", CHARTED[0]).unwrap().word(), "undecided");
}

#[test]
fn the_report_has_the_charts_their_tables_and_what_is_unsupported() {
    let results = results();
    let folder = tempfile::tempdir().unwrap();
    let written = reports::write_report(&results, folder.path()).unwrap();
    let is_chart = |path: &&std::path::PathBuf| path.extension().is_some_and(|one| one == "svg");
    assert_eq!(written.iter().filter(is_chart).count(), 4);
    let page = std::fs::read_to_string(folder.path().join("index.html")).unwrap();
    assert!(
        page.contains("The ownership test") && page.contains("it reads the memory asked about")
    );
    let summary = Summary::of(&results);
    let text = reports::markdown(&results, &summary, None);
    let first = text.lines().find(|line| line.starts_with("* ")).unwrap();
    let dearest = "* An ownership test with 10,000 arenas (throughput of hits, random addresses)";
    assert!(first.starts_with(dearest) && first.contains("(page-map) to "), "{first}");
    let cost =
        "(arena-index). As the number of arenas grows, the cost is constant for page-map; not for";
    assert!(first.contains(cost), "{first}");
    assert!(text.contains("### Ownership tests") && text.contains("| arena-index | 100,000 |"));
    // With the environment variable set the report stays, to be looked at.
    if let Some(kept) = std::env::var_os("ARENABENCH_KEEP_REPORT") {
        reports::write_report(&results, std::path::Path::new(&kept)).unwrap();
    }
}
