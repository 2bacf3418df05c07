//! Who is fastest in a setting, and who cannot be told from the fastest.

use serde::Serialize;

use super::cell::Grid;
use super::{Row, Setting};
use crate::record::Role;
use crate::statistics::{Estimate, Floor, Verdict};

/// The fastest ranked subject, and how far ahead it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lead {
    /// Ranked subject with the lowest time.
    pub subject: String,
    /// Ranked subjects whose time cannot be told from the leader's, fastest first.
    pub level_with: Vec<String>,
    /// Ranked subjects of which too little is known: too few rounds were calm for both.
    pub unknown: Vec<String>,
    /// The first ranked subject that is slower beyond doubt, and its time over the leader's; where the
    /// leader is this project's, the first one that is not.
    pub next: Option<(String, Estimate)>,
}

/// The lead in one setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingLead {
    /// What was replayed.
    pub setting: Setting,
    /// Who is fastest.
    pub lead: Lead,
}

impl Lead {
    /// `others` are the other ranked subjects from fastest to slowest, each with its role and its time
    /// over the leader's.
    pub(super) fn of(
        (subject, role): (&str, Role),
        others: impl Iterator<Item = (String, Role, Option<Estimate>)>,
        floor: Option<Floor>,
    ) -> Self {
        let mut lead = Self {
            subject: subject.to_owned(),
            level_with: Vec::new(),
            unknown: Vec::new(),
            next: None,
        };
        for (name, its, ratio) in others {
            match ratio {
                Some(ratio) if Verdict::of(&ratio, floor) == Verdict::Slower => {
                    if lead.next.is_none() && !(role == Role::Own && its == Role::Own) {
                        lead.next = Some((name, ratio));
                    }
                }
                Some(Estimate { interval: Some(_), .. }) => lead.level_with.push(name),
                _ => lead.unknown.push(name),
            }
        }
        lead
    }

    /// The lead in one setting, whose rows are `rows`. `None` when no ranked subject has a time.
    pub(super) fn in_setting(
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
        let times = |row: &Row| grid.times_of(setting, &row.subject);
        let fastest = times(first)?;
        let others = others.iter().map(|row| {
            let paired: Vec<f64> = times(row)
                .map(|times| times.over(&fastest).into_values().collect())
                .unwrap_or_default();
            (row.subject.clone(), row.role, Estimate::of(&paired))
        });
        Some(Self::of((&first.subject, first.role), others, floor))
    }
}
