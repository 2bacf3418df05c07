//! This project's own allocators beside the peers: what decides whether they are worth choosing.
//!
//! A contest is held between subjects that are called alike. The **best peer** of a setting is the
//! peer with the lowest median time there; the **best single peer** of a scope is the peer with the
//! lowest geometric mean of median times over all of it. Picking the best of several after the fact
//! owes part of the pick to luck, which here works against the project's own allocator.
//!
//! * I1: a peer with a failed cell is the best of no setting it failed in, and the best single peer
//!   of no scope that has such a setting. Whoever is passed over for that is named.
//! * I2: a subject without a time in some setting of a scope has no standing over the scope.

use serde::Serialize;

use super::cell::{Cell, Grid};
use super::scope::settings_in;
use super::{Row, Scope, Setting, overall};
use crate::record::{Call, Role};
use crate::statistics::{Estimate, Floor, Rounds, Verdict, median};

/// How an own allocator stands to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Takes less time; the interval leaves 1 out and the difference exceeds the floor.
    Ahead,
    /// Takes more time; the interval leaves 1 out and the difference exceeds the floor.
    Behind,
    /// The run cannot tell.
    Undecided,
}

impl Standing {
    fn of(ratio: &Estimate, floor: Option<Floor>) -> Self {
        match Verdict::of(ratio, floor) {
            Verdict::Faster => Self::Ahead,
            Verdict::Slower => Self::Behind,
            Verdict::Undecided => Self::Undecided,
        }
    }

    /// The standing as one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Behind => "behind",
            Self::Undecided => "undecided",
        }
    }
}

/// An own allocator beside the best peer of one setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contest {
    /// The best peer.
    pub peer: String,
    /// Time over the peer's: median and interval over rounds that have both.
    pub ratio: Estimate,
    /// What may be said of it.
    pub standing: Standing,
}

/// An own allocator beside the best single peer of a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeContest {
    /// Which workloads; never [`Scope::Main`], whose parts answer different questions.
    pub scope: Scope,
    /// The own allocator.
    pub subject: String,
    /// How it and its peers were called.
    pub call: Call,
    /// The best single peer, and the geometric mean of the times over its times.
    pub against: Option<(String, Estimate)>,
    /// What may be said of it. `None` without a peer, and for a subject that lacks a time (I2).
    pub standing: Option<Standing>,
    /// A/A floor of the same geometric mean.
    pub floor: Option<Floor>,
    /// Settings the mean goes over.
    pub settings: usize,
    /// Workloads of the scope without a time of the own allocator.
    pub missing: Vec<String>,
    /// Peers that cannot be the best single one, since they lack a time somewhere (I1).
    pub passed_over: Vec<String>,
    /// The setting with the highest ratio to its own best peer.
    pub worst: Option<(Setting, Contest)>,
}

impl ScopeContest {
    /// One word on the contest: the standing, or why there is none.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.standing {
            Some(standing) => standing.word(),
            None if !self.missing.is_empty() => "incomplete",
            None => "no peer",
        }
    }
}

/// Middle of the times of a cell that may be compared.
fn time(cell: &Cell<'_>) -> Option<f64> {
    let times: Vec<f64> = cell.times.counting().values().copied().collect();
    median(&times).filter(|_| cell.is_sound())
}

/// Indices of the peers that are called as `contender` is.
fn peers(grid: &Grid<'_>, contender: usize) -> Vec<usize> {
    let call = grid.contenders[contender].call;
    let is_peer = |&index: &usize| {
        let facts = &grid.contenders[index];
        facts.role == Role::Peer && facts.call == call
    };
    (0..grid.contenders.len()).filter(is_peer).collect()
}

/// The contest of one cell. `None` for subjects that are not the project's own, for cells without a
/// sound time, and without a peer to compare with.
pub(super) fn in_setting(
    grid: &Grid<'_>,
    setting: usize,
    contender: usize,
    floor: Option<Floor>,
) -> Option<Contest> {
    if grid.contenders[contender].role != Role::Own {
        return None;
    }
    let cell = grid.cell(setting, contender).filter(|cell| cell.is_sound())?;
    let timed = peers(grid, contender).into_iter().filter_map(|peer| {
        let cell = grid.cell(setting, peer)?;
        Some((peer, cell, time(cell)?))
    });
    let (peer, best, _) = timed.min_by(|a, b| a.2.total_cmp(&b.2))?;
    let paired: Vec<f64> = cell.times.over(&best.times).into_values().collect();
    let ratio = Estimate::of(&paired)?;
    let peer = grid.contenders[peer].name.clone();
    Some(Contest { peer, ratio, standing: Standing::of(&ratio, floor) })
}

/// The contests of every own allocator in every scope that has workloads of it; recorded programs
/// first.
pub(super) fn in_scopes(grid: &Grid<'_>, rows: &[Row]) -> Vec<ScopeContest> {
    let every: Vec<usize> = (0..grid.settings.len()).collect();
    let own = (0..grid.contenders.len())
        .filter(|&contender| grid.contenders[contender].role == Role::Own)
        .filter(|&contender| every.iter().any(|&one| grid.cell(one, contender).is_some()));
    own.flat_map(|contender| {
        [Scope::Programs, Scope::Generated, Scope::Threads].map(|scope| {
            let settings = settings_in(grid, scope, &every);
            (!settings.is_empty()).then(|| in_scope(grid, rows, scope, &settings, contender))
        })
    })
    .flatten()
    .collect()
}

fn in_scope(
    grid: &Grid<'_>,
    rows: &[Row],
    scope: Scope,
    settings: &[usize],
    contender: usize,
) -> ScopeContest {
    let facts = &grid.contenders[contender];
    let is_sound = |setting: usize, subject: usize| {
        grid.cell(setting, subject).filter(|cell| cell.is_sound()).is_some()
    };
    let (sound, missing): (Vec<usize>, Vec<usize>) =
        settings.iter().partition(|&&setting| is_sound(setting, contender));
    let (whole, passed_over): (Vec<usize>, Vec<usize>) = peers(grid, contender)
        .into_iter()
        .filter(|&peer| sound.iter().any(|&setting| grid.cell(setting, peer).is_some()))
        .partition(|&peer| sound.iter().all(|&setting| is_sound(setting, peer)));
    let mean_time = |peer: usize| -> Option<f64> {
        let times = sound.iter().map(|&setting| Some(time(grid.cell(setting, peer)?)?.ln()));
        Some(times.sum::<Option<f64>>()? / sound.len() as f64)
    };
    let best = whole
        .into_iter()
        .filter_map(|peer| Some((peer, mean_time(peer)?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let against = best.and_then(|(peer, _)| {
        let series: Option<Vec<Rounds>> = sound
            .iter()
            .map(|&setting| {
                let own = grid.cell(setting, contender)?;
                Some(own.times.over(&grid.cell(setting, peer)?.times))
            })
            .collect();
        let ratio = overall::mean_of_times(grid, &sound, &series?)?;
        Some((grid.contenders[peer].name.clone(), ratio))
    });
    let floor = overall::floor(grid, settings);
    let contests = rows.iter().filter(|row| {
        row.subject == facts.name && settings.iter().any(|&one| grid.settings[one] == row.setting)
    });
    let contests = contests.filter_map(|row| Some((row.setting.clone(), row.contest.clone()?)));
    ScopeContest {
        scope,
        subject: facts.name.clone(),
        call: facts.call,
        standing: against
            .as_ref()
            .filter(|_| missing.is_empty())
            .map(|(_, ratio)| Standing::of(ratio, floor)),
        against,
        floor,
        settings: sound.len(),
        missing: missing.iter().map(|&one| grid.settings[one].workload.clone()).collect(),
        passed_over: passed_over.iter().map(|&one| grid.contenders[one].name.clone()).collect(),
        worst: contests.max_by(|a, b| a.1.ratio.value.total_cmp(&b.1.ratio.value)),
    }
}
