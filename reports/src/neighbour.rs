//! A report that stands beside another one: what it is called, and what it found first.

use crate::findings::findings;
use crate::page::title;
use crate::programs::Programs;
use crate::results::Results;
use crate::summary::Summary;

/// Findings of a neighbour that a page repeats at most.
const REPEATED: usize = 2;

/// What a page says of another report, to which it links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its folder, seen from that of the page; `/` between the parts.
    pub folder: String,
    /// What it calls itself.
    pub title: String,
    /// The most important of its findings.
    pub findings: Vec<String>,
}

impl Neighbour {
    /// Of the records of the other report. Costs as much as all of its figures.
    #[must_use]
    pub fn of(results: &Results, folder: impl Into<String>) -> Self {
        let mut findings = findings(results, &Summary::of(results), Programs::of(results).as_ref());
        findings.truncate(REPEATED);
        // What all reports are called says nothing of this one.
        let name = title(results).split_once(": ").map_or("replays", |(_, name)| name);
        Self { folder: folder.into(), title: name.to_owned(), findings }
    }
}
