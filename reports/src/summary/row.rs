//! One cell's figures.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Setting;
use super::cell::{Cell, Grid, rss_ratio};
use super::contest::{self, Contest, Standing};
use crate::record::{Call, Role, Sample, Status};
use crate::statistics::{Estimate, Floor, Verdict, median};
use crate::weather::is_disturbed;

/// One subject in one setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was replayed.
    pub setting: Setting,
    /// Who served it.
    pub subject: String,
    /// What the subject is.
    pub role: Role,
    /// How it was called.
    pub call: Call,
    /// Whether it is compared with the others; references and other call kinds are not.
    pub ranked: bool,
    /// Whether it is the baseline itself.
    pub baseline: bool,
    /// Nanoseconds per pair of operations of every sample that is no failure, in the order of measuring;
    /// of those that were not calm too, which `time` leaves out.
    pub times_ns_per_pair: Vec<f64>,
    /// How many of these samples were not calm.
    pub disturbed: usize,
    /// Nanoseconds per pair: median and interval over rounds.
    pub time: Option<Estimate>,
    /// Time over the baseline's: median and interval over rounds that have both. `None` for a
    /// failed cell, for the baseline itself, and where the baseline has no sound cell.
    pub ratio: Option<Estimate>,
    /// Word on the ratio. `None` without a ratio and for rows that are not ranked.
    pub verdict: Option<Verdict>,
    /// Beside the best peer that is called alike; only for the project's own allocators.
    pub contest: Option<Contest>,
    /// Peak resident set over peak live bytes: median and interval over samples.
    pub rss_ratio: Option<Estimate>,
    /// Peak resident set in bytes: median over samples.
    pub rss_peak_bytes: Option<f64>,
    /// Peak live bytes: median over samples (they only differ when something is wrong).
    pub live_peak_bytes: Option<f64>,
    /// Page faults of the first pass: median over samples.
    pub page_faults: Option<f64>,
    /// Children by how they ended, verified ones included.
    pub statuses: BTreeMap<Status, u64>,
    /// Children that verified every block, among them those that found a mismatch.
    pub verified: u64,
    /// How the cell failed, if it did.
    pub failure: Option<Failure>,
}

/// How a cell failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// How the first child that failed ended.
    pub status: Status,
    /// What went wrong, as a reader should see it.
    pub message: String,
    /// Children that failed.
    pub failed: u64,
    /// Children in all.
    pub children: u64,
}

impl Row {
    pub(super) fn of(
        grid: &Grid<'_>,
        setting: usize,
        contender: usize,
        cell: &Cell<'_>,
        floor: Option<Floor>,
    ) -> Self {
        let facts = &grid.contenders[contender];
        let baseline = grid.baseline == Some(contender);
        let ranked = grid.is_ranked(contender);
        let against = grid.against(setting).filter(|_| !baseline && cell.is_sound());
        let ratio = against.and_then(|base| {
            let paired: Vec<f64> = cell.times.over(&base).into_values().collect();
            Estimate::of(&paired)
        });
        let by_round: Vec<f64> = cell.times.counting().values().copied().collect();
        let figures = |of: fn(&Sample) -> Option<f64>| -> Vec<f64> {
            cell.measured().filter_map(of).filter(|value| *value > 0.0).collect()
        };
        Self {
            setting: grid.settings[setting].clone(),
            subject: facts.name.clone(),
            role: facts.role,
            call: facts.call,
            ranked,
            baseline,
            times_ns_per_pair: figures(|sample| sample.ns_per_pair),
            disturbed: cell.measured().filter(|sample| is_disturbed(sample)).count(),
            time: Estimate::of(&by_round),
            verdict: ratio.as_ref().filter(|_| ranked).map(|ratio| Verdict::of(ratio, floor)),
            ratio,
            contest: contest::in_setting(grid, setting, contender, floor),
            rss_ratio: Estimate::of(&figures(rss_ratio)),
            rss_peak_bytes: median(&figures(|sample| sample.rss_peak_bytes.map(|n| n as f64))),
            live_peak_bytes: median(&figures(|sample| sample.live_peak_bytes.map(|n| n as f64))),
            page_faults: median(&figures(|sample| sample.page_faults.map(|n| n as f64))),
            statuses: count_statuses(cell),
            verified: cell.samples.iter().filter(|sample| sample.verified).count() as u64,
            failure: cell.failure().map(|sample| Failure::of(sample, cell)),
        }
    }

    /// Whether the subject cannot serve the setting, which is no failure.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.statuses.keys().eq([&Status::Unsupported])
    }

    /// One word on the row: the verdict, or why there is none.
    #[must_use]
    pub fn word(&self) -> &'static str {
        if let Some(failure) = &self.failure {
            return failure.status.word();
        }
        match self.verdict {
            Some(verdict) => verdict.word(),
            None if self.baseline && self.time.is_some() => "baseline",
            None if self.time.is_none() => {
                self.statuses.keys().next_back().map_or("not measured", |status| match status {
                    Status::Ok => "verified only",
                    other => other.word(),
                })
            }
            None if self.role == Role::Reference => "reference",
            None if !self.ranked => "not ranked",
            None => "no ratio",
        }
    }
}

impl Failure {
    fn of(first: &Sample, cell: &Cell<'_>) -> Self {
        let failed =
            |sample: &&&Sample| sample.status.is_failure() && sample.status != Status::Interrupted;
        Self {
            status: first.status,
            message: first.message.clone().unwrap_or_else(|| ending(first)),
            failed: cell.samples.iter().filter(failed).count() as u64,
            children: cell.samples.len() as u64,
        }
    }
}

/// What is known of a child's end when it left no message.
fn ending(sample: &Sample) -> String {
    match (sample.status, sample.signal, sample.exit_code) {
        (Status::Signal, Some(signal), _) => format!("killed by signal {signal}"),
        (Status::Exit, _, Some(code)) => format!("exit code {code}"),
        (status, ..) => status.meaning().to_owned(),
    }
}

fn count_statuses(cell: &Cell<'_>) -> BTreeMap<Status, u64> {
    let mut counts = BTreeMap::new();
    for sample in &cell.samples {
        *counts.entry(sample.status).or_default() += 1;
    }
    counts
}

/// A row as flat keys, for JSON and CSV. What was not measured is left out of JSON and empty in CSV.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlatRow {
    /// Workload.
    pub workload: String,
    /// Replay mode.
    pub mode: String,
    /// Touch policy.
    pub touch: String,
    /// Subject.
    pub subject: String,
    /// What the subject is.
    pub role: Role,
    /// How it was called.
    pub call: Call,
    /// Whether it is compared with the others.
    pub ranked: bool,
    /// Samples that carry a time.
    pub samples: usize,
    /// Median nanoseconds per pair of operations.
    pub ns_per_pair: Option<f64>,
    /// Lower end of its interval at 95 %.
    pub ns_per_pair_low: Option<f64>,
    /// Upper end of its interval at 95 %.
    pub ns_per_pair_high: Option<f64>,
    /// Median ratio to the baseline's time in the same round.
    pub ratio: Option<f64>,
    /// Lower end of its interval at 95 %.
    pub ratio_low: Option<f64>,
    /// Upper end of its interval at 95 %.
    pub ratio_high: Option<f64>,
    /// Rounds the ratio stands on.
    pub ratio_rounds: Option<usize>,
    /// `faster`, `slower` or `undecided`, for ranked rows with a ratio.
    pub verdict: Option<Verdict>,
    /// Best peer that is called alike, for the project's own allocators.
    pub best_peer: Option<String>,
    /// Median ratio to that peer's time in the same round.
    pub best_peer_ratio: Option<f64>,
    /// Lower end of its interval at 95 %.
    pub best_peer_ratio_low: Option<f64>,
    /// Upper end of its interval at 95 %.
    pub best_peer_ratio_high: Option<f64>,
    /// `ahead`, `behind` or `undecided`.
    pub standing: Option<Standing>,
    /// Median peak resident set over peak live bytes.
    pub rss_ratio: Option<f64>,
    /// Median peak resident set, in bytes.
    pub rss_peak_bytes: Option<f64>,
    /// Peak live bytes.
    pub live_peak_bytes: Option<f64>,
    /// Median page faults of the first pass.
    pub page_faults: Option<f64>,
    /// Children by how they ended: `ok 5` or `ok 4, timeout 1`.
    pub statuses: String,
    /// What went wrong, for a failed cell.
    pub failure: Option<String>,
}

impl From<&Row> for FlatRow {
    fn from(row: &Row) -> Self {
        let low = |estimate: Option<Estimate>| estimate?.interval.map(|interval| interval.low);
        let high = |estimate: Option<Estimate>| estimate?.interval.map(|interval| interval.high);
        Self {
            workload: row.setting.workload.clone(),
            mode: row.setting.mode.clone(),
            touch: row.setting.touch.clone(),
            subject: row.subject.clone(),
            role: row.role,
            call: row.call,
            ranked: row.ranked,
            samples: row.times_ns_per_pair.len(),
            ns_per_pair: row.time.map(|time| time.value),
            ns_per_pair_low: low(row.time),
            ns_per_pair_high: high(row.time),
            ratio: row.ratio.map(|ratio| ratio.value),
            ratio_low: low(row.ratio),
            ratio_high: high(row.ratio),
            ratio_rounds: row.ratio.map(|ratio| ratio.count),
            verdict: row.verdict,
            best_peer: row.contest.as_ref().map(|one| one.peer.clone()),
            best_peer_ratio: row.contest.as_ref().map(|one| one.ratio.value),
            best_peer_ratio_low: low(row.contest.as_ref().map(|one| one.ratio)),
            best_peer_ratio_high: high(row.contest.as_ref().map(|one| one.ratio)),
            standing: row.contest.as_ref().map(|one| one.standing),
            rss_ratio: row.rss_ratio.map(|ratio| ratio.value),
            rss_peak_bytes: row.rss_peak_bytes,
            live_peak_bytes: row.live_peak_bytes,
            page_faults: row.page_faults,
            statuses: status_list(&row.statuses),
            failure: row.failure.as_ref().map(|failure| failure.message.clone()),
        }
    }
}

/// `ok 4, timeout 1`.
pub(crate) fn status_list(statuses: &BTreeMap<Status, u64>) -> String {
    let words: Vec<String> =
        statuses.iter().map(|(status, count)| format!("{} {count}", status.word())).collect();
    words.join(", ")
}
