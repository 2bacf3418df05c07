//! What the detection matrix comes to: counts by mode, and where the project's allocator stands beside
//! plain malloc. Page, chart and Markdown draw from here.

use std::collections::BTreeSet;

use crate::quantity::list;
use crate::record::{Detection, Finding};
use crate::results::Results;

/// Mode that others are set beside: the system's malloc, watched by memcheck.
const PLAIN: &str = "malloc+memcheck";
/// The project's allocator as a program has it under memcheck.
const OWN: &str = "arenite+memcheck";

/// Verdicts of one mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) caught: usize,
    pub(crate) missed: usize,
    pub(crate) crashed: usize,
    pub(crate) false_alarms: usize,
    pub(crate) clean: usize,
    /// Cells without a verdict.
    pub(crate) without: usize,
    /// Largest number of the allocator's own reports in a cell.
    pub(crate) own_reports: Option<u64>,
}

impl Counts {
    pub(crate) fn of(results: &Results, mode: &str) -> Self {
        let mut counts = Self::default();
        for record in results.detections.iter().filter(|record| record.mode == mode) {
            *match record.verdict {
                Some(Finding::Caught) => &mut counts.caught,
                Some(Finding::Missed) => &mut counts.missed,
                Some(Finding::Crashed) => &mut counts.crashed,
                Some(Finding::FalseAlarm) => &mut counts.false_alarms,
                Some(Finding::Clean) => &mut counts.clean,
                None => &mut counts.without,
            } += 1;
            counts.own_reports = counts.own_reports.max(record.own_reports);
        }
        counts
    }

    /// Whether anything was found out in this mode.
    pub(crate) fn has_verdict(&self) -> bool {
        self.caught + self.missed + self.crashed + self.false_alarms + self.clean > 0
    }
}

/// Modes in which something was found out, those first that a reader looks for: plain malloc under
/// memcheck, then the project's allocator; then the others, AddressSanitizer last. Within a rank the
/// order of the file.
pub(crate) fn modes(results: &Results) -> Vec<&str> {
    let all = in_order(results.detections.iter().map(|record| record.mode.as_str()));
    let mut modes: Vec<&str> =
        all.into_iter().filter(|mode| Counts::of(results, mode).has_verdict()).collect();
    modes.sort_by_key(|mode| rank(mode));
    modes
}

/// Allocator and watcher of a mode; nobody watches where the mode names none.
pub(crate) fn parts(mode: &str) -> (&str, &str) {
    mode.split_once('+').unwrap_or((mode, "nobody"))
}

/// Place of a mode among the others: whether a reader looks for it, who watches, who is watched.
fn rank(mode: &str) -> (bool, usize, usize) {
    const ALLOCATORS: [&str; 3] = ["malloc", "arenite", "arenite-checked"];
    let (allocator, watcher) = parts(mode);
    let known = ALLOCATORS.iter().position(|known| *known == allocator);
    let other = known.is_none() || watcher == "asan";
    (other, watcher_place(watcher), known.unwrap_or(ALLOCATORS.len()))
}

/// Place of a watcher among the others: memcheck first, AddressSanitizer last.
pub(crate) fn watcher_place(watcher: &str) -> usize {
    const WATCHERS: [&str; 4] = ["memcheck", "memcheck-unaided", "hooks", "nobody"];
    let other = WATCHERS.len() + usize::from(watcher == "asan");
    WATCHERS.iter().position(|known| *known == watcher).unwrap_or(other)
}

/// Modes without any verdict, with the reason of the first cell.
pub(crate) fn unusable(results: &Results) -> Vec<(&str, String)> {
    let all = in_order(results.detections.iter().map(|record| record.mode.as_str()));
    let without = all.into_iter().filter(|mode| !Counts::of(results, mode).has_verdict());
    without
        .map(|mode| {
            let why = results.detections.iter().find(|record| record.mode == mode);
            let why = why.map(|one| one.message.clone().unwrap_or(one.status.meaning().to_owned()));
            (mode, why.unwrap_or_default())
        })
        .collect()
}

/// Programs, in the order of the file.
pub(crate) fn bugs(results: &Results) -> Vec<&str> {
    in_order(results.detections.iter().map(|record| record.bug.as_str()))
}

/// The cell of a program in a mode.
pub(crate) fn cell<'a>(results: &'a Results, bug: &str, mode: &str) -> Option<&'a Detection> {
    results.detections.iter().find(|record| record.bug == bug && record.mode == mode)
}

/// The matrix in sentences. Empty when one of the two modes they compare was not run.
pub(crate) fn sentences(results: &Results) -> Vec<String> {
    let (own, plain) = (Counts::of(results, OWN), Counts::of(results, PLAIN));
    if !own.has_verdict() || !plain.has_verdict() {
        return Vec::new();
    }
    let caught = |mode: &str| -> BTreeSet<&str> {
        let of_mode = results.detections.iter().filter(|record| record.mode == mode);
        let caught = of_mode.filter(|record| record.verdict == Some(Finding::Caught));
        caught.map(|record| record.bug.as_str()).collect()
    };
    let (by_own, by_plain) = (caught(OWN), caught(PLAIN));
    let lacking: Vec<&str> = by_plain.difference(&by_own).copied().collect();
    let beyond: Vec<&str> = by_own.difference(&by_plain).copied().collect();
    let seeded = own.caught + own.missed + own.crashed;
    let mut sentences = vec![format!(
        "With client requests, memcheck catches {} of {seeded} seeded bugs on Arenite; on plain malloc \
         it catches {} of {}. A bug that needs a function which an allocator lacks is left out there.",
        own.caught,
        plain.caught,
        plain.caught + plain.missed + plain.crashed
    )];
    sentences.push(if lacking.is_empty() {
        "Every bug that memcheck catches on plain malloc it catches on Arenite.".to_owned()
    } else {
        format!("Caught on plain malloc and not on Arenite: {}.", list(&lacking))
    });
    if !beyond.is_empty() {
        sentences.push(format!(
            "Caught on Arenite and not on plain malloc: {}. Red zones and the quarantine are larger by \
             default on Arenite; memcheck's options `--redzone-size` and `--freelist-vol` make those of plain \
             malloc larger.",
            list(&beyond)
        ));
    }
    let unwatched = ["malloc", "arenite"].map(|mode| Counts::of(results, mode));
    if let [plain, own] = &unwatched
        && plain.has_verdict()
        && own.has_verdict()
    {
        sentences.push(format!(
            "With nobody watching, plain malloc ends the program on {} of the bugs, and Arenite's release \
             build on {}.",
            plain.caught, own.caught
        ));
    }
    let alarms: Vec<&str> = modes(results)
        .into_iter()
        .filter(|mode| Counts::of(results, mode).false_alarms > 0)
        .collect();
    sentences.push(if alarms.is_empty() {
        "No mode reports a program without a bug.".to_owned()
    } else {
        format!("Programs without a bug are reported by {}.", list(&alarms))
    });
    sentences
}

/// Each name once, in the order of first appearance.
fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}
