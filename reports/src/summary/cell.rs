//! Samples sorted into a grid of cells: settings by subjects.

use std::collections::BTreeMap;

use super::Setting;
use crate::record::{Call, Role, Sample, Source, Status};
use crate::results::Results;
use crate::statistics::{Floor, Rounds, by_round};
use crate::weather::Times;

/// What the figures need to know of a subject.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) call: Call,
}

/// The samples of one subject in one setting.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell<'a> {
    /// Samples that stand for the subject itself, in the order of measuring.
    pub(super) samples: Vec<&'a Sample>,
    /// Time per pair, from the samples that count (I1).
    pub(super) times: Times,
}

impl<'a> Cell<'a> {
    /// The samples whose figures count (I1).
    pub(super) fn measured(&self) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().copied().filter(|sample| is_measured(sample))
    }

    /// Peak resident set over peak live bytes by round, from the samples that count (I1).
    pub(super) fn memory(&self) -> Rounds {
        let ratio = |sample: &Sample| Some((sample.round, rss_ratio(sample)?));
        by_round(self.measured().filter_map(ratio))
    }

    /// The first sample that failed, leaving aside those that the end of the run cut short (I2).
    pub(super) fn failure(&self) -> Option<&'a Sample> {
        let failed =
            |sample: &&Sample| sample.status.is_failure() && sample.status != Status::Interrupted;
        self.samples.iter().copied().find(failed)
    }

    /// Whether the subject cannot serve the setting at all, which is no failure.
    pub(super) fn is_unsupported(&self) -> bool {
        !self.samples.is_empty()
            && self.samples.iter().all(|sample| sample.status == Status::Unsupported)
    }

    /// Whether ratios may be taken: times, and no failure among the samples.
    pub(super) fn is_sound(&self) -> bool {
        !self.times.is_empty() && self.failure().is_none()
    }
}

fn is_measured(sample: &Sample) -> bool {
    sample.status == Status::Ok && !sample.verified
}

/// Peak resident set over peak live bytes of one sample.
pub(super) fn rss_ratio(sample: &Sample) -> Option<f64> {
    let live = sample.live_peak_bytes.filter(|bytes| *bytes > 0)?;
    Some(sample.rss_peak_bytes? as f64 / live as f64)
}

fn times(samples: &[&Sample]) -> Times {
    let measured = samples.iter().copied().filter(|sample| is_measured(sample));
    Times::of(measured, |sample| sample.ns_per_pair)
}

/// All cells of a file. Settings and subjects are known by their index.
#[derive(Debug)]
pub(super) struct Grid<'a> {
    pub(super) settings: Vec<Setting>,
    pub(super) contenders: Vec<Contender>,
    /// Where each setting's workload comes from; `None` without a workload record.
    pub(super) sources: Vec<Option<Source>>,
    /// Whether each setting is replayed on several threads.
    pub(super) threaded: Vec<bool>,
    /// Index of the baseline among the contenders; `None` when it has neither record nor sample.
    pub(super) baseline: Option<usize>,
    cells: BTreeMap<(usize, usize), Cell<'a>>,
    /// Times of the A/A twin of each setting.
    twins: Vec<Times>,
}

impl<'a> Grid<'a> {
    pub(super) fn of(results: &'a Results) -> Self {
        let settings = settings(results);
        let contenders = contenders(results);
        let mut cells: BTreeMap<(usize, usize), Cell<'a>> = BTreeMap::new();
        let mut twins: Vec<Vec<&Sample>> = vec![Vec::new(); settings.len()];
        for sample in &results.samples {
            let setting = Setting::of(sample);
            let column = settings.iter().position(|known| *known == setting);
            let row = contenders.iter().position(|known| known.name == sample.subject);
            let (Some(column), Some(row)) = (column, row) else { continue };
            if sample.again {
                twins[column].push(sample);
            } else {
                cells.entry((column, row)).or_default().samples.push(sample);
            }
        }
        for cell in cells.values_mut() {
            cell.times = times(&cell.samples);
        }
        let source = |setting: &Setting| {
            let record = results.workloads.iter().find(|load| load.workload == setting.workload);
            record.map(|load| load.source)
        };
        // A trace of several threads that is replayed in recorded order runs on one.
        let is_threaded = |setting: &Setting| {
            let record = results.workloads.iter().find(|load| load.workload == setting.workload);
            setting.mode != "serial" && record.is_none_or(|load| load.threads > 1)
        };
        Self {
            threaded: settings.iter().map(is_threaded).collect(),
            sources: settings.iter().map(source).collect(),
            baseline: contenders.iter().position(|known| known.name == results.host.baseline),
            twins: twins.iter().map(|samples| times(samples)).collect(),
            settings,
            contenders,
            cells,
        }
    }

    pub(super) fn cell(&self, setting: usize, contender: usize) -> Option<&Cell<'a>> {
        self.cells.get(&(setting, contender))
    }

    /// The cell of a subject known by name.
    pub(super) fn named_cell(&self, setting: usize, subject: &str) -> Option<&Cell<'a>> {
        self.cell(setting, self.contenders.iter().position(|known| known.name == subject)?)
    }

    /// The baseline's cell, if ratios may be taken against it.
    pub(super) fn baseline_cell(&self, setting: usize) -> Option<&Cell<'a>> {
        self.cell(setting, self.baseline?).filter(|cell| cell.is_sound())
    }

    /// The baseline's times that ratios are taken against, the A/A twin's among them.
    pub(super) fn against(&self, setting: usize) -> Option<Times> {
        Some(self.baseline_cell(setting)?.times.and(&self.twins[setting]))
    }

    /// A subject's times for a ratio to another one's: as [`against`](Self::against) of the baseline.
    pub(super) fn times_of(&self, setting: usize, subject: &str) -> Option<Times> {
        let own = &self.named_cell(setting, subject)?.times;
        let is_baseline = self.baseline.is_some_and(|index| self.contenders[index].name == subject);
        Some(if is_baseline { own.and(&self.twins[setting]) } else { own.clone() })
    }

    /// Ratios of the baseline under another name to the baseline.
    pub(super) fn twin_ratios(&self, setting: usize) -> Option<Rounds> {
        let baseline = self.baseline_cell(setting)?;
        let found = self.twins[setting].over(&baseline.times);
        (!found.is_empty()).then_some(found)
    }

    pub(super) fn floor(&self, setting: usize) -> Option<Floor> {
        Floor::of(&self.twin_ratios(setting)?)
    }

    /// Whether a contender is ranked (I3 of the parent module).
    pub(super) fn is_ranked(&self, contender: usize) -> bool {
        let call = self.baseline.map_or(Call::C, |index| self.contenders[index].call);
        let contender = &self.contenders[contender];
        contender.role != Role::Reference && contender.call == call
    }
}

/// Settings that have samples: by workload in the order of the workload records, then by first
/// sample.
fn settings(results: &Results) -> Vec<Setting> {
    let mut found: Vec<Setting> = Vec::new();
    for sample in &results.samples {
        let setting = Setting::of(sample);
        if !found.contains(&setting) {
            found.push(setting);
        }
    }
    let place = |setting: &Setting| {
        let records = &results.workloads;
        records.iter().position(|load| load.workload == setting.workload).unwrap_or(records.len())
    };
    found.sort_by_key(place);
    found
}

/// Subjects with a record, in the order of the records; then those that only samples name, which
/// are taken for peers.
fn contenders(results: &Results) -> Vec<Contender> {
    let mut found: Vec<Contender> = results
        .subjects
        .iter()
        .map(|subject| Contender {
            name: subject.subject.clone(),
            role: subject.role,
            call: subject.call,
        })
        .collect();
    for sample in &results.samples {
        if found.iter().all(|known| known.name != sample.subject) {
            found.push(Contender {
                name: sample.subject.clone(),
                role: Role::Peer,
                call: sample.call,
            });
        }
    }
    found
}
