//! What the samples say, cell by cell and over all workloads: the numbers behind every table,
//! chart and page, computed once.
//!
//! Stands on [`crate::statistics`]; pages, charts, Markdown and the command line print from here, so
//! that the same question has the same answer everywhere.
//!
//! * I1: only samples with status ok that were not verified and are not the A/A twin enter times
//!   and memory of a cell. Ratios are taken against the mean of the baseline and its twin.
//! * I2: a cell with a failed sample has no ratio and no verdict: a failure is not averaged away by
//!   the samples that went well. An interrupted sample is no failure of the subject.
//! * I3: only ranked rows carry a verdict. A row is ranked iff its subject is no reference and is
//!   called the way the baseline is.
//! * I4: what a subject cannot serve is no failure: workloads on several threads are ranked apart.

mod cell;
mod contest;
mod lead;
mod overall;
mod row;
mod scope;
mod table;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::quantity;
use crate::record::{Sample, Status};
use crate::results::Results;
use crate::statistics::Floor;

pub use contest::{Contest, ScopeContest, Standing};
pub use lead::{Lead, SettingLead};
pub use overall::{Overall, front};
pub use row::{Failure, FlatRow, Row};
pub use scope::{Scope, ScopeFigures};
pub use table::Table;
pub(crate) use table::escape;

use cell::Grid;

/// One workload, replayed one way: what is compared with each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Setting {
    /// Workload.
    pub workload: String,
    /// Replay mode.
    pub mode: String,
    /// Touch policy.
    pub touch: String,
}

/// The A/A floor of one setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingFloor {
    /// What was replayed.
    pub setting: Setting,
    /// What the baseline looks like next to itself.
    pub floor: Floor,
}

/// All figures of a results file. Order follows the file: settings by workload, rows by subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Subject that ratios are taken against.
    pub baseline: String,
    /// Settings that have samples.
    pub settings: Vec<Setting>,
    /// One row per cell, grouped by setting in the order of `settings`.
    pub rows: Vec<Row>,
    /// A/A floors, for the settings that have one.
    pub floors: Vec<SettingFloor>,
    /// Who is fastest, for the settings that have a ranked row without failure.
    pub leads: Vec<SettingLead>,
    /// Scopes that have figures of their own, [`Scope::Main`] first.
    pub scopes: Vec<ScopeFigures>,
    /// Ratios over several workloads, by scope and then from fastest to slowest; incomplete and
    /// unranked subjects last.
    pub overall: Vec<Overall>,
    /// The project's own allocators beside the best single peer, by subject and then by scope.
    pub contests: Vec<ScopeContest>,
}

impl Setting {
    fn of(sample: &Sample) -> Self {
        Self {
            workload: sample.workload.clone(),
            mode: sample.mode.clone(),
            touch: sample.touch.clone(),
        }
    }
}

impl Summary {
    /// Computes everything. Takes a bootstrap per cell and per pair of a cell with the fastest one:
    /// some ten milliseconds for a hundred cells in an optimised build.
    #[must_use]
    pub fn of(results: &Results) -> Self {
        let grid = Grid::of(results);
        let mut rows = Vec::new();
        let mut floors = Vec::new();
        let mut leads = Vec::new();
        for (index, setting) in grid.settings.iter().enumerate() {
            let floor = grid.floor(index);
            floors.extend(floor.map(|floor| SettingFloor { setting: setting.clone(), floor }));
            let first = rows.len();
            for contender in 0..grid.contenders.len() {
                if let Some(cell) = grid.cell(index, contender) {
                    rows.push(Row::of(&grid, index, contender, cell, floor));
                }
            }
            let lead = Lead::in_setting(&grid, index, &rows[first..], floor);
            leads.extend(lead.map(|lead| SettingLead { setting: setting.clone(), lead }));
        }
        let mut scopes = Vec::new();
        let mut overall = Vec::new();
        for (scope, settings) in scope::distinct(&grid, &overall::comparable(&grid)) {
            let figures = overall::all(&grid, scope, &settings);
            scopes.push(ScopeFigures {
                scope,
                floor: overall::floor(&grid, &settings),
                lead: overall::lead(&grid, &settings, &figures),
                settings: settings.iter().map(|&one| grid.settings[one].clone()).collect(),
            });
            overall.extend(figures);
        }
        Self {
            baseline: results.host.baseline.clone(),
            scopes,
            overall,
            contests: contest::in_scopes(&grid, &rows),
            settings: grid.settings,
            rows,
            floors,
            leads,
        }
    }

    /// Subjects that have a row, in the order of the file.
    #[must_use]
    pub fn subjects(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for overall in self.rows.iter().map(|row| row.subject.as_str()) {
            if !names.contains(&overall) {
                names.push(overall);
            }
        }
        names
    }

    /// What is known of a scope; `None` when it has no figures of its own.
    #[must_use]
    pub fn scope(&self, scope: Scope) -> Option<&ScopeFigures> {
        self.scopes.iter().find(|one| one.scope == scope)
    }

    /// The subjects of a scope, in the order of the ranking.
    pub fn overall_of(&self, scope: Scope) -> impl Iterator<Item = &Overall> {
        self.overall.iter().filter(move |one| one.scope == scope)
    }

    /// A/A floor of the geometric mean over a scope; `None` unless each setting has its own.
    #[must_use]
    pub fn overall_floor(&self, scope: Scope) -> Option<Floor> {
        self.scope(scope)?.floor
    }

    /// `12 workloads on one thread`: the workloads of a scope that ratios are taken on.
    #[must_use]
    pub fn scope_words(&self, scope: Scope) -> String {
        let count = self.scope(scope).map_or(0, |one| one.settings.len());
        let split = self.scope(Scope::Threads).is_some();
        format!("{} {}", quantity::count(count as u64), scope.noun(count, split))
    }

    /// Rows of the project's own allocators that stand so to their best peer, the highest ratio
    /// first.
    #[must_use]
    pub fn standing(&self, standing: Standing) -> Vec<(&Row, &Contest)> {
        let contests = self.rows.iter().filter_map(|row| Some((row, row.contest.as_ref()?)));
        let mut found: Vec<_> = contests.filter(|(_, one)| one.standing == standing).collect();
        found.sort_by(|a, b| b.1.ratio.value.total_cmp(&a.1.ratio.value));
        found
    }

    /// Rows of one setting, in the order of the file.
    pub fn rows_of<'a>(&'a self, setting: &'a Setting) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.setting == *setting)
    }

    /// A/A floor of one setting.
    #[must_use]
    pub fn floor_of(&self, setting: &Setting) -> Option<Floor> {
        self.floors.iter().find(|floor| floor.setting == *setting).map(|floor| floor.floor)
    }

    /// Name of a setting for a reader: the workload alone, with mode and touch policy only where
    /// the run replayed the workload with more than one of them.
    #[must_use]
    pub fn label(&self, setting: &Setting) -> String {
        let more_than_one = |of: fn(&Setting) -> &String| {
            let alike = self.settings.iter().filter(|other| other.workload == setting.workload);
            alike.into_iter().any(|other| of(other) != of(setting))
        };
        let mut label = setting.workload.clone();
        if more_than_one(|setting| &setting.mode) {
            label = format!("{label}, {}", setting.mode);
        }
        if more_than_one(|setting| &setting.touch) {
            label = format!("{label}, touch {}", setting.touch);
        }
        label
    }

    /// Rounds in which subjects were measured next to each other: the most that any subject other than
    /// the baseline has a time of. The baseline may have more, which only serve the A/A floor.
    #[must_use]
    pub fn rounds(&self) -> usize {
        let of = |row: &Row| row.times_ns_per_pair.len();
        let others = self.rows.iter().filter(|row| !row.baseline).map(of).max();
        others.or_else(|| self.rows.iter().map(of).max()).unwrap_or(0)
    }

    /// Counts of children by how they ended, over all cells, the A/A twins left out.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<Status, u64> {
        let mut counts = BTreeMap::new();
        for row in &self.rows {
            for (status, count) in &row.statuses {
                *counts.entry(*status).or_default() += count;
            }
        }
        counts
    }
}
