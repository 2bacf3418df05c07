//! The runs of one program under one subject, sorted by round.

use super::Figure;
use crate::record::{Program, Status};
use crate::statistics::{Rounds, by_round};

/// Figures of one cell by round, and how it failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    runs: usize,
    wall_ns: Rounds,
    cpu_ns: Rounds,
    rss_peak_bytes: Rounds,
    pub(super) page_faults: Rounds,
    /// The first failed run: how it ended, and what went wrong.
    pub(super) failure: Option<(Status, String)>,
}

impl Cell {
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Program>) -> Self {
        let records: Vec<&Program> = records.collect();
        let rounds = |value: fn(&Program) -> Option<u64>| {
            let measured = records.iter().filter(|one| one.status == Status::Ok && !one.verified);
            by_round(measured.filter_map(|one| Some((one.round, value(one)? as f64))))
        };
        let failed = records
            .iter()
            .find(|one| one.status.is_failure() && one.status != Status::Interrupted)
            .map(|one| {
                let message = one.message.as_deref().unwrap_or(one.status.meaning());
                (one.status, message.to_owned())
            });
        Self {
            runs: records.len(),
            wall_ns: rounds(|one| one.wall_ns),
            cpu_ns: rounds(Program::cpu_ns),
            rss_peak_bytes: rounds(|one| one.rss_peak_bytes),
            page_faults: rounds(|one| one.page_faults),
            failure: failed,
        }
    }

    /// Whether the cell was never run.
    pub(super) fn is_empty(&self) -> bool {
        self.runs == 0
    }

    pub(super) fn rounds(&self, figure: Figure) -> &Rounds {
        match figure {
            Figure::Wall => &self.wall_ns,
            Figure::Cpu => &self.cpu_ns,
            Figure::Rss => &self.rss_peak_bytes,
        }
    }
}
