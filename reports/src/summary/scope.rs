//! Which workloads a figure over several of them goes over.
//!
//! Workloads on several threads are a scope of their own: who serves one thread only does not
//! support them, and its ranking on the others must not suffer.

use serde::Serialize;

use super::cell::Grid;
use super::{Lead, Setting};
use crate::record::Source;
use crate::statistics::Floor;

/// A set of workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// What the ranking goes over: every workload that is replayed on one thread, or every workload
    /// of a run without such.
    Main,
    /// Those of [`Scope::Main`] that seeded generators make.
    Generated,
    /// Those of [`Scope::Main`] that are recorded programs and trace files.
    Programs,
    /// Workloads that are replayed on several threads.
    Threads,
}

/// What is known of a scope as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeFigures {
    /// Which workloads.
    pub scope: Scope,
    /// Settings that ratios are taken in: those in which the baseline did not fail.
    pub settings: Vec<Setting>,
    /// A/A floor of the geometric mean over them; `None` unless each has its own.
    pub floor: Option<Floor>,
    /// Who is fastest over all of them, among those that finished each.
    pub lead: Option<Lead>,
}

impl Scope {
    /// The workloads of the scope for a reader, after a number. `split` says whether the run has
    /// workloads on several threads besides others.
    #[must_use]
    pub fn noun(self, count: usize, split: bool) -> &'static str {
        match (self, split, count) {
            (Self::Main, false, 1) => "workload",
            (Self::Main, false, _) => "workloads",
            (Self::Main, true, 1) => "workload on one thread",
            (Self::Main, true, _) => "workloads on one thread",
            (Self::Generated, _, 1) => "generated workload",
            (Self::Generated, ..) => "generated workloads",
            (Self::Programs, _, 1) => "recorded program",
            (Self::Programs, ..) => "recorded programs",
            (Self::Threads, _, 1) => "workload on several threads",
            (Self::Threads, ..) => "workloads on several threads",
        }
    }
}

/// The settings among `every` that lie in `scope`.
pub(super) fn settings_in(grid: &Grid<'_>, scope: Scope, every: &[usize]) -> Vec<usize> {
    let any_single = every.iter().any(|&setting| !grid.threaded[setting]);
    let is_in = |setting: &usize| {
        let threaded = grid.threaded[*setting];
        let generated = grid.sources[*setting] == Some(Source::Generated);
        match scope {
            Scope::Main => threaded != any_single,
            Scope::Generated => !threaded && generated,
            Scope::Programs => !threaded && !generated,
            Scope::Threads => threaded,
        }
    };
    every.iter().copied().filter(is_in).collect()
}

/// Every scope that has figures of its own, [`Scope::Main`] first.
pub(super) fn distinct(grid: &Grid<'_>, every: &[usize]) -> Vec<(Scope, Vec<usize>)> {
    let of = |scope| (scope, settings_in(grid, scope, every));
    let main = of(Scope::Main);
    let others = [Scope::Generated, Scope::Programs, Scope::Threads].map(of);
    let is_distinct = |(_, settings): &(_, Vec<usize>)| !settings.is_empty() && *settings != main.1;
    let others: Vec<_> = others.into_iter().filter(is_distinct).collect();
    std::iter::once(main).chain(others).collect()
}
