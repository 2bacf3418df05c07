//! What runs of real programs say: figures per program and subject, and over all programs.
//!
//! Beside [`crate::summary`], which does the same for replays, and on the same statistics. Ratios
//! are taken within a round, of wall time, of processor time and of peak resident memory.
//!
//! * I1: only runs with status ok that were not verified enter figures, those of the A/A twin only as the
//!   baseline's second run of a round, in ratios.
//! * I2: a cell with a failed run has no ratio and no verdict. An interrupted run is no failure.
//! * I3: verdicts are on wall time, by the A/A floor of the same program or set of programs.

mod cell;
mod overall;
mod table;

use crate::record::{Program, Status};
use crate::results::Results;
use crate::statistics::{Estimate, Floor, Rounds, Verdict, of_both, ratios};

use cell::Cell;
pub use overall::Overall;

/// All figures of the programs in a results file.
#[derive(Clone, Debug, PartialEq)]
pub struct Programs {
    /// Subject that ratios are taken against.
    pub baseline: String,
    /// Programs, in the order of the file.
    pub names: Vec<String>,
    /// Subjects, in the order of the file.
    pub subjects: Vec<String>,
    /// One row per program and subject, grouped by program.
    pub rows: Vec<Row>,
    /// One per subject: the baseline first, then from fastest to slowest, incomplete ones last.
    pub overall: Vec<Overall>,
    /// A/A floor of each program's wall time, in the order of `names`.
    pub floors: Vec<Option<Floor>>,
    /// A/A floor of the geometric mean over all programs; `None` unless each has its own.
    pub overall_floor: Option<Floor>,
}

/// One program under one subject. Figures are medians over runs, with intervals at 95 %.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Program.
    pub program: String,
    /// Subject.
    pub subject: String,
    /// Whether the subject is the baseline itself, whose ratio is 1 by definition.
    pub baseline: bool,
    /// Wall time, in nanoseconds.
    pub wall_ns: Option<Estimate>,
    /// Processor time, user and system, in nanoseconds.
    pub cpu_ns: Option<Estimate>,
    /// Peak resident memory, in bytes.
    pub rss_peak_bytes: Option<Estimate>,
    /// Page faults.
    pub page_faults: Option<Estimate>,
    /// Wall time over the baseline's. `None` for the baseline.
    pub wall_ratio: Option<Estimate>,
    /// Processor time over the baseline's.
    pub cpu_ratio: Option<Estimate>,
    /// Peak resident memory over the baseline's.
    pub rss_ratio: Option<Estimate>,
    /// Word on the ratio of wall times. `None` without one.
    pub verdict: Option<Verdict>,
    /// How the cell failed, if it did: the first failed run.
    pub failure: Option<(Status, String)>,
}

/// What is compared of two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    Wall,
    Cpu,
    Rss,
}

impl Programs {
    /// Computes everything. `None` for a file without runs of programs. Takes some bootstraps per
    /// cell: milliseconds for a hundred cells in an optimised build.
    #[must_use]
    pub fn of(results: &Results) -> Option<Self> {
        let records = &results.programs;
        if records.is_empty() {
            return None;
        }
        let baseline = results.host.baseline.clone();
        let names = in_order(records, |record| &record.program);
        let subjects = in_order(records, |record| &record.subject);
        let cell = |name: &str, subject: &str, again: bool| -> Cell {
            Cell::of(records.iter().filter(|record| {
                record.program == name
                    && record.subject == subject
                    && (record.again && record.status == Status::Ok) == again
            }))
        };
        let cells: Vec<Vec<Cell>> = names
            .iter()
            .map(|name| subjects.iter().map(|subject| cell(name, subject, false)).collect())
            .collect();
        let twins = names.iter().map(|name| cell(name, &baseline, true)).collect();
        let grid = Grid { baseline: &baseline, names: &names, subjects: &subjects, cells, twins };
        let to_itself: Vec<Rounds> = (0..names.len()).map(|one| grid.twin_ratios(one)).collect();
        let floors: Vec<Option<Floor>> = to_itself.iter().map(floor_of).collect();
        let overall_floor = overall::floor(&to_itself);
        let rows = grid.rows(&floors);
        let overall = overall::all(&grid, overall_floor);
        Some(Self { rows, overall, floors, overall_floor, baseline, names, subjects })
    }

    /// Row of one program and subject.
    #[must_use]
    pub fn row(&self, program: &str, subject: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.program == program && row.subject == subject)
    }

    /// Why a subject has no figure at all: how it failed first, or that it was not run.
    #[must_use]
    pub fn failure_word(&self, subject: &str) -> &'static str {
        let mut rows = self.rows.iter().filter(|row| row.subject == subject);
        rows.find_map(|row| Some(row.failure.as_ref()?.0.word())).unwrap_or("no ratio")
    }

    /// Rounds that the figures of subjects other than the baseline stand on, at most.
    #[must_use]
    pub fn rounds(&self) -> usize {
        let counts = self.rows.iter().filter_map(|row| Some(row.wall_ns?.count));
        counts.max().unwrap_or(0)
    }
}

impl Row {
    /// One word on the row: the verdict, or why there is none.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (&self.failure, self.verdict) {
            (Some((status, _)), _) => status.word(),
            (None, Some(verdict)) => verdict.word(),
            (None, None) if self.baseline => "baseline",
            (None, None) => "no ratio",
        }
    }
}

/// Every cell, by program and subject.
struct Grid<'a> {
    baseline: &'a str,
    names: &'a [String],
    subjects: &'a [String],
    /// By program, then subject.
    cells: Vec<Vec<Cell>>,
    /// The baseline's second runs, by program.
    twins: Vec<Cell>,
}

impl Grid<'_> {
    fn rows(&self, floors: &[Option<Floor>]) -> Vec<Row> {
        let mut rows = Vec::new();
        for (program, name) in self.names.iter().enumerate() {
            for (subject, subject_name) in self.subjects.iter().enumerate() {
                let cell = &self.cells[program][subject];
                if cell.is_empty() {
                    continue;
                }
                let median =
                    |values: &Rounds| Estimate::of(&values.values().copied().collect::<Vec<_>>());
                let ratio = |figure| median(&self.ratios(program, subject, figure));
                let wall_ratio = ratio(Figure::Wall);
                rows.push(Row {
                    program: name.clone(),
                    subject: subject_name.clone(),
                    baseline: subject_name == self.baseline,
                    wall_ns: median(cell.rounds(Figure::Wall)),
                    cpu_ns: median(cell.rounds(Figure::Cpu)),
                    rss_peak_bytes: median(cell.rounds(Figure::Rss)),
                    page_faults: median(&cell.page_faults),
                    verdict: wall_ratio.as_ref().map(|ratio| Verdict::of(ratio, floors[program])),
                    wall_ratio,
                    cpu_ratio: ratio(Figure::Cpu),
                    rss_ratio: ratio(Figure::Rss),
                    failure: cell.failure.clone(),
                });
            }
        }
        rows
    }

    /// The baseline's cell of a program.
    fn base(&self, program: usize) -> Option<&Cell> {
        let base = self.subjects.iter().position(|name| name == self.baseline)?;
        Some(&self.cells[program][base])
    }

    /// Ratios of a cell to the baseline's two runs, by round; empty for the baseline itself and where either
    /// failed (I2).
    fn ratios(&self, program: usize, subject: usize, figure: Figure) -> Rounds {
        let Some(base) = self.base(program) else { return Rounds::new() };
        let cell = &self.cells[program][subject];
        let is_baseline = self.subjects[subject] == self.baseline;
        if is_baseline || cell.failure.is_some() || base.failure.is_some() {
            return Rounds::new();
        }
        let base = of_both(base.rounds(figure), self.twins[program].rounds(figure));
        ratios(cell.rounds(figure), &base)
    }

    /// Ratios of the baseline's second wall times to its first.
    fn twin_ratios(&self, program: usize) -> Rounds {
        let base = self.base(program);
        base.map_or_else(Rounds::new, |base| {
            ratios(self.twins[program].rounds(Figure::Wall), base.rounds(Figure::Wall))
        })
    }
}

fn floor_of(twin_ratios: &Rounds) -> Option<Floor> {
    let values: Vec<f64> = twin_ratios.values().copied().collect();
    Floor::from_estimate(Estimate::of(&values)?)
}

/// Each name once, in the order of first appearance.
fn in_order(records: &[Program], name: impl Fn(&Program) -> &String) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in records.iter().map(name) {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}
