//! What the samples say, cell by cell and over all workloads: the numbers behind every table,
//! chart and page, computed once.
//!
//! Stands on [`crate::statistics`]; pages, charts, Markdown and the command line print from here, so
//! that the same question has the same answer everywhere.
//!
//! * I1: only samples with status ok that were not verified and are not the A/A twin enter times
//!   and memory of a cell.
//! * I2: a cell with a failed sample has no ratio and no verdict: a failure is not averaged away by
//!   the samples that went well. An interrupted sample is no failure of the subject.
//! * I3: only ranked rows carry a verdict. A row is ranked iff its subject is a peer or a preset and
//!   is called the way the baseline is.

mod cell;
mod lead;
mod overall;
mod row;
mod table;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::{Sample, Status};
use crate::results::Results;
use crate::statistics::Floor;

pub use lead::{Lead, SettingLead};
pub use overall::{Overall, Scope};
pub use row::{Failure, FlatRow, Row};
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
    /// Who is fastest over all settings, among those that finished each of them.
    pub overall_lead: Option<Lead>,
    /// Ratios over several workloads, by scope and then from fastest to slowest; incomplete and
    /// unranked subjects last.
    pub overall: Vec<Overall>,
    /// A/A floor of the geometric mean over all settings; `None` unless each has its own.
    pub overall_floor: Option<Floor>,
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
        let overall = overall::all(&grid, &rows);
        Self {
            baseline: results.host.baseline.clone(),
            overall_lead: overall::lead(&grid, &overall),
            overall,
            overall_floor: overall::floor(&grid, &overall::comparable(&grid)),
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

    /// Settings that ratios are taken in: those in which the baseline did not fail.
    #[must_use]
    pub fn comparable_settings(&self) -> usize {
        let in_scope = self.overall.iter().filter(|overall| overall.scope == Scope::All);
        in_scope.map(|overall| overall.settings_in_scope).max().unwrap_or(0)
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
    /// the run used more than one of them.
    #[must_use]
    pub fn label(&self, setting: &Setting) -> String {
        let more_than_one = |of: fn(&Setting) -> &String| {
            self.settings.iter().any(|other| of(other) != of(setting))
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

    /// Rounds in which subjects were measured next to each other: the most that any time other than
    /// the baseline's stands on. The baseline may have more, which only serve the A/A floor.
    #[must_use]
    pub fn rounds(&self) -> usize {
        let of = |row: &Row| row.time.map_or(0, |time| time.count);
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
