//! Who is fastest in a setting, and who cannot be told from the fastest.

use serde::Serialize;

use super::cell::Grid;
use super::{Row, Setting};
use crate::statistics::{Estimate, Floor, Verdict, ratios};

/// The fastest ranked subject of one setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leader {
    /// What was replayed.
    pub setting: Setting,
    /// Ranked subject with the lowest median time.
    pub subject: String,
    /// Ranked subjects whose time cannot be told from the leader's, fastest first.
    pub level_with: Vec<String>,
    /// The first ranked subject that is slower beyond doubt, and its time over the leader's.
    pub next: Option<(String, Estimate)>,
}

impl Leader {
    /// `rows` are the rows of the setting, in the order of the contenders.
    pub(super) fn of(
        grid: &Grid<'_>,
        setting: usize,
        rows: &[Row],
        floor: Option<Floor>,
    ) -> Option<Self> {
        let time = |row: &Row| row.time.map_or(f64::INFINITY, |time| time.value);
        let mut ranked: Vec<&Row> = rows
            .iter()
            .filter(|row| row.ranked && row.time.is_some() && row.failure.is_none())
            .collect();
        ranked.sort_by(|a, b| time(a).total_cmp(&time(b)));
        let (first, others) = ranked.split_first()?;
        let cell = |row: &Row| {
            let contender = grid.contenders.iter().position(|known| known.name == row.subject)?;
            grid.cell(setting, contender)
        };
        let fastest = cell(first)?;
        let mut leader = Self {
            setting: grid.settings[setting].clone(),
            subject: first.subject.clone(),
            level_with: Vec::new(),
            next: None,
        };
        for row in others {
            let paired: Vec<f64> = cell(row)
                .map(|cell| ratios(&cell.times, &fastest.times).into_values().collect())
                .unwrap_or_default();
            match Estimate::of(&paired) {
                Some(ratio) if Verdict::of(&ratio, floor) == Verdict::Slower => {
                    if leader.next.is_none() {
                        leader.next = Some((row.subject.clone(), ratio));
                    }
                }
                _ => leader.level_with.push(row.subject.clone()),
            }
        }
        Some(leader)
    }
}
