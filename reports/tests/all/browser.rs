//! The page in a real browser, at the widths of a phone, a tablet and a desk and on paper, in light and in
//! dark: nothing overflows, no label lies on another or is cut, every glyph exists, text can be read (WCAG
//! AA), the console stays silent. What needs no browser (size, no script, nothing from outside) is
//! held here as well. Every check is shown a bad page that it must catch.
//!
//! Where no browser is installed the tests that need one say so and are left out.

mod chromium;
use crate::synthetic;
use std::fs;
use std::path::Path;

use chromium::{Chromium, Finding, Scheme};
use reports::results::Results;

const PAGE_LIMIT_BYTES: usize = 3 << 20;
const SCHEMES: [Scheme; 2] = [Scheme::Light, Scheme::Dark];

fn page_of(results: &Results) -> String {
    let dir = tempfile::tempdir().unwrap();
    let paths = reports::write_report(results, dir.path()).unwrap();
    fs::read_to_string(&paths[0]).unwrap()
}

fn published(folder: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("published").join(folder);
    page_of(&Results::read(dir.join("results.jsonl")).unwrap())
}

/// What is wrong with a page whatever shows it.
fn without_browser(page: &str) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if page.len() > PAGE_LIMIT_BYTES {
        wrong.push("larger than 3 MiB");
    }
    let handler = |tag: &str| tag.contains(" onclick=") || tag.contains(" onload=");
    if page.contains("<script") || page.contains("javascript:") || page.split('<').any(handler) {
        wrong.push("a script");
    }
    let fetched = ["src=\"", "@import", "url(http", "<link"];
    if fetched.iter().any(|sign| page.contains(sign)) {
        wrong.push("something from outside");
    }
    wrong
}

fn assert_good(page: &str) {
    assert_eq!(without_browser(page), Vec::<&str>::new());
    let Some(browser) = Chromium::find() else { return };
    let findings: Vec<Finding> =
        SCHEMES.into_iter().flat_map(|scheme| browser.look(page, scheme)).collect();
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
}

/// The checks that find something in a page of `body`, in both schemes together.
fn caught(browser: &Chromium, body: &str) -> Vec<String> {
    let head = "<meta name=color-scheme content='light dark'><style>body{margin:0}</style>";
    let page = format!("<!DOCTYPE html><html lang=en>{head}<body>{body}</body></html>");
    let found = SCHEMES.into_iter().flat_map(|scheme| browser.look(&page, scheme));
    let mut checks: Vec<String> = found.map(|finding| finding.check).collect();
    checks.sort();
    checks.dedup();
    checks
}

#[test]
fn the_published_page_reads_well() {
    assert_good(&published(""));
}

#[test]
fn the_published_page_of_programs_reads_well() {
    assert_good(&published("programs"));
}

#[test]
fn a_page_with_many_subjects_reads_well() {
    assert_good(&page_of(&synthetic::run(14, 8, 6, 3)));
}

#[test]
fn a_page_with_every_section_and_kind_of_chart_reads_well() {
    assert_good(&page_of(&synthetic::everything()));
}

/// For pages that are not in the repository: `ARENABENCH_PAGE=FILE cargo test -p reports --test all browser`.
#[test]
fn the_page_that_the_environment_names_reads_well() {
    let Some(file) = std::env::var_os("ARENABENCH_PAGE") else { return };
    assert_good(&fs::read_to_string(file).unwrap());
}

#[test]
fn every_planted_fault_is_caught_by_its_check_and_a_good_page_by_none() {
    let Some(browser) = Chromium::find() else { return };
    let chart = |inside: &str| {
        format!("<svg viewBox='0 0 200 100' width=200 height=100 fill=currentColor>{inside}</svg>")
    };
    let text = |x: i32, y: i32| format!("<text x={x} y={y} font-size=14>a label</text>");
    let good = chart(&(text(5, 30) + &text(100, 30) + &text(5, 60)));
    assert_eq!(caught(&browser, &format!("<p>words · × ≤</p>{good}")), Vec::<String>::new());
    let faults = [
        ("overflow", "<div style='width:2000px'>wide</div>".to_owned()),
        (
            "paper",
            "<style>div{overflow-x:auto}@media print{div{overflow:visible}}</style>\
             <div><table><tr><td style='min-width:1500px'>wide</table></div>"
                .to_owned(),
        ),
        ("overlap", chart(&(text(5, 30) + &text(25, 32)))),
        ("cut", chart(&text(170, 50))),
        ("glyph", "<p>\u{10fffd}</p>".to_owned()),
        ("contrast", "<p style='color:#999;background:#fff'>grey</p>".to_owned()),
        ("contrast", "<p style='color:#666'>too dark where it is dark</p>".to_owned()),
        ("contrast", chart("<text x=5 y=30 opacity=0.3>faint</text>")),
        ("console", "<img src='nowhere:picture' alt=''><script>1</script>".to_owned()),
    ];
    for (check, body) in faults {
        assert_eq!(caught(&browser, &body), [check], "{body}");
    }
}

#[test]
fn a_heavy_page_a_script_and_something_from_outside_are_caught_without_a_browser() {
    assert_eq!(without_browser("<p>good</p>"), Vec::<&str>::new());
    assert_eq!(without_browser(&"x".repeat(PAGE_LIMIT_BYTES + 1)), ["larger than 3 MiB"]);
    for script in ["<script>1</script>", "<p onclick='go()'>", "<a href='javascript:go()'>"] {
        assert_eq!(without_browser(script), ["a script"], "{script}");
    }
    assert_eq!(without_browser("<img src=\"x.png\">"), ["something from outside"]);
}
