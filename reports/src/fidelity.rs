//! What a replay is worth: what recordings of programs predict, beside what the programs did.
//!
//! A run of programs may record each of them and replay the recording under the same subjects. A
//! replay times calls of the allocator and nothing else, so what it says of a program is a
//! **difference**, which is added to what the program took under the baseline:
//!
//! ```text
//! predicted time   = 1 + (wall_ns of the replay, subject - baseline) / cpu_ns of the program, baseline
//! predicted memory = 1 + (rss_peak_bytes of the replay, subject - baseline) / rss_peak_bytes, baseline
//! measured         = the program's own figure over that under the baseline, within rounds
//! ```
//!
//! `wall_ns` of a replay of the whole program is its pairs of calls times `ns_per_pair`, the figure
//! that replays are ranked by. What an allocator does to the program's caches between calls is not in
//! it; that is what the comparison is to show.
//!
//! * I1: a workload is the recording of a program iff it has the program's name.
//! * I2: only replays on one thread count: their time is processor time, and their memory exact.
//! * I3: neither verified runs nor failed cells enter; a cell without one of the two figures is shown
//!   and counts in no agreement.
//! * I4: a program whose subjects all lie within its own A/A floor has no order to predict, and no
//!   rank correlation.

use crate::programs::Programs;
use crate::record::{Program, Sample, Status};
use crate::results::Results;
use crate::statistics::{
    Estimate, Floor, Rounds, by_round, median, of_both, rank_correlation, ratios,
};
use crate::weather::{ENOUGH, Times};

/// Everything a results file says of what replays are worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Fidelity {
    /// Subject that ratios are taken against; it was both run and replayed.
    pub baseline: String,
    /// Programs with a replay, in the order of the file.
    pub programs: Vec<Predicted>,
    /// Over all points, of time.
    pub time: Option<Agreement>,
    /// Over all points, of peak memory.
    pub memory: Option<Agreement>,
    /// Programs of the run that were not replayed.
    pub without_replay: usize,
}

/// One program.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// Name.
    pub program: String,
    /// Calls of the allocator that the program made.
    pub operations: u64,
    /// Share of the program's processor time under the baseline that the replay took, from 0.
    pub allocator_share: f64,
    /// A/A floor of the program's processor time.
    pub floor: Option<Floor>,
    /// Every other subject that was run or replayed.
    pub points: Vec<Point>,
    /// Of this program's points, of time. Its rank correlation counts the baseline as a subject.
    pub time: Option<Agreement>,
}

/// One program under one subject. Ratios to the baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Subject.
    pub subject: String,
    /// Time that the replay predicts.
    pub predicted_time: Option<Estimate>,
    /// Processor time of the program.
    pub measured_time: Option<Estimate>,
    /// Peak memory that the replay predicts.
    pub predicted_memory: Option<f64>,
    /// Peak memory of the program.
    pub measured_memory: Option<f64>,
    /// Why one of the two is missing.
    pub missing: Option<String>,
}

/// How well predictions and measurements agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Points that have both.
    pub points: usize,
    /// Mean absolute difference between predicted and measured ratio: 0.01 is one per cent of the
    /// baseline's figure.
    pub error: f64,
    /// The same of a prediction that no subject differs from the baseline. A replay whose error is
    /// not below this one has told nothing.
    pub blind_error: f64,
    /// Spearman's rank correlation, subjects within a program; the mean over programs that have one.
    pub rank_correlation: Option<f64>,
    /// Programs that the rank correlation is of.
    pub ranked: usize,
    /// Whether any subject differs from the baseline by more than the A/A floor (I4).
    pub has_differences: bool,
}

impl Agreement {
    /// One word: `undecided` when no subject differs from the baseline by more than the floor, so that
    /// there is nothing to predict; `holds` when the order agrees, where there is one, and the error is
    /// at most half of the blind one; `misleads` when the order is rather reversed or the error is not
    /// below the blind one; else `rough`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        let order = self.rank_correlation;
        if !self.has_differences {
            "undecided"
        } else if self.error >= self.blind_error || order.is_some_and(|order| order < 0.0) {
            "misleads"
        } else if self.error <= self.blind_error / 2.0 && order.is_none_or(|order| order >= 0.7) {
            "holds"
        } else {
            "rough"
        }
    }

    /// Of predicted and measured ratios of one program.
    fn of(pairs: &[(f64, f64)], has_differences: bool) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| {
            pairs.iter().map(of).sum::<f64>() / pairs.len() as f64
        };
        let with_baseline: Vec<_> = pairs.iter().copied().chain([(1.0, 1.0)]).collect();
        let rank_correlation =
            if has_differences { rank_correlation(&with_baseline) } else { None };
        Some(Self {
            points: pairs.len(),
            error: mean(&|(predicted, measured)| (predicted - measured).abs()),
            blind_error: mean(&|(_, measured)| (1.0 - measured).abs()),
            rank_correlation,
            ranked: usize::from(rank_correlation.is_some()),
            has_differences,
        })
    }

    /// Of several programs: errors over all points, the mean of the rank correlations.
    fn over(all: &[Self]) -> Option<Self> {
        let points: usize = all.iter().map(|one| one.points).sum();
        if points == 0 {
            return None;
        }
        let mean = |of: fn(&Self) -> f64| {
            all.iter().map(|one| of(one) * one.points as f64).sum::<f64>() / points as f64
        };
        let orders: Vec<f64> = all.iter().filter_map(|one| one.rank_correlation).collect();
        let order = orders.iter().sum::<f64>() / orders.len() as f64;
        Some(Self {
            points,
            error: mean(|one| one.error),
            blind_error: mean(|one| one.blind_error),
            rank_correlation: (!orders.is_empty()).then_some(order),
            ranked: orders.len(),
            has_differences: all.iter().any(|one| one.has_differences),
        })
    }
}

impl Point {
    /// Predicted and measured time, where there are both.
    #[must_use]
    pub fn time(&self) -> Option<(f64, f64)> {
        Some((self.predicted_time?.value, self.measured_time?.value))
    }

    /// Predicted and measured peak memory, where there are both.
    #[must_use]
    pub fn memory(&self) -> Option<(f64, f64)> {
        Some((self.predicted_memory?, self.measured_memory?))
    }
}

impl Fidelity {
    /// Computes everything. `None` for a file without a program whose recording was replayed, or
    /// without a subject that was both run and replayed.
    #[must_use]
    pub fn of(results: &Results) -> Option<Self> {
        let measured = Programs::of(results)?;
        let baseline = baseline(results, &measured)?;
        let names = measured.names.iter();
        let predicted: Vec<(Predicted, Option<Agreement>)> = names
            .filter_map(|name| OfProgram { results, baseline: &baseline, name }.predicted())
            .collect();
        if predicted.is_empty() {
            return None;
        }
        let (programs, memory): (Vec<Predicted>, Vec<Option<Agreement>>) =
            predicted.into_iter().unzip();
        let time: Vec<Agreement> = programs.iter().filter_map(|one| one.time).collect();
        let memory: Vec<Agreement> = memory.into_iter().flatten().collect();
        Some(Self {
            without_replay: measured.names.len() - programs.len(),
            time: Agreement::over(&time),
            memory: Agreement::over(&memory),
            baseline,
            programs,
        })
    }

    /// Subjects that have a point, in the order of the file.
    #[must_use]
    pub fn subjects(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for point in self.programs.iter().flat_map(|one| &one.points) {
            if !found.contains(&point.subject.as_str()) {
                found.push(&point.subject);
            }
        }
        found
    }
}

/// The run's baseline if it was replayed, else the first subject that was both run and replayed.
fn baseline(results: &Results, measured: &Programs) -> Option<String> {
    let is_replayed = |subject: &&String| {
        results
            .samples
            .iter()
            .any(|sample| sample.subject == **subject && measured.names.contains(&sample.workload))
    };
    let first = std::iter::once(&measured.baseline).find(is_replayed);
    first.or_else(|| measured.subjects.iter().find(is_replayed)).cloned()
}

/// Where one program's figures are taken from.
struct OfProgram<'a> {
    results: &'a Results,
    baseline: &'a str,
    name: &'a str,
}

impl OfProgram<'_> {
    /// The program's points, and how well those of memory agree.
    fn predicted(&self) -> Option<(Predicted, Option<Agreement>)> {
        let workload = self.results.workloads.iter().find(|one| one.workload == self.name)?;
        let cpu = self.base_runs(Program::cpu_ns);
        let memory = self.base_runs(|run| run.rss_peak_bytes);
        let cpu_ns = median(&cpu.values().copied().collect::<Vec<_>>())?;
        let memory_bytes = median(&memory.values().copied().collect::<Vec<_>>());
        let replayed = self.base_replays(|sample| sample.wall_ns);
        let replayed_ns = median(&replayed.counting().values().copied().collect::<Vec<_>>())?;
        let [first, second] =
            [false, true].map(|again| self.runs(self.baseline, again, Program::cpu_ns));
        let floor = Floor::of(&ratios(&second, &first));
        let points: Vec<Point> = self
            .subjects()
            .into_iter()
            .map(|subject| self.point(subject, cpu_ns, memory_bytes))
            .collect();
        let times: Vec<(f64, f64)> = points.iter().filter_map(Point::time).collect();
        let memories: Vec<(f64, f64)> = points.iter().filter_map(Point::memory).collect();
        let differs =
            times.iter().any(|(_, measured)| !floor.is_some_and(|one| one.holds(*measured)));
        let predicted = Predicted {
            program: self.name.to_owned(),
            operations: workload.operations,
            allocator_share: replayed_ns / cpu_ns,
            floor,
            points,
            time: Agreement::of(&times, differs),
        };
        Some((predicted, Agreement::of(&memories, true)))
    }

    /// Every subject but the baseline that the program was run or replayed under.
    fn subjects(&self) -> Vec<&str> {
        let mut found = Vec::new();
        let runs = self.results.programs.iter().filter(|run| run.program == self.name);
        let replays = self.results.samples.iter().filter(|one| one.workload == self.name);
        let names = runs.map(|one| one.subject.as_str());
        for name in names.chain(replays.map(|one| one.subject.as_str())) {
            if name != self.baseline && !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }

    fn point(&self, subject: &str, cpu_ns: f64, memory_bytes: Option<f64>) -> Point {
        let wall = |sample: &Sample| sample.wall_ns;
        let rss = |sample: &Sample| sample.rss_peak_bytes;
        let added = |value: fn(&Sample) -> Option<u64>, base: f64, enough: usize| -> Vec<f64> {
            let own = self.replays(subject, false, value);
            let pairs = own.beside(&self.base_replays(value), enough).into_iter();
            // A prediction of nothing or less is none: the replay took longer than the program.
            pairs
                .map(|(own, base_ns)| 1.0 + (own - base_ns) / base)
                .filter(|one| *one > 0.0)
                .collect()
        };
        let measured = |value: fn(&Program) -> Option<u64>| -> Vec<f64> {
            ratios(&self.runs(subject, false, value), &self.base_runs(value))
                .into_values()
                .collect()
        };
        let failure = self.failure(subject);
        let sound = failure.is_none();
        let predicted_time = Estimate::of(&added(wall, cpu_ns, ENOUGH)).filter(|_| sound);
        let measured_time = Estimate::of(&measured(Program::cpu_ns)).filter(|_| sound);
        let missing = match (predicted_time, measured_time) {
            (Some(_), Some(_)) => None,
            (None, _) => failure.or(Some("not replayed".to_owned())),
            (_, None) => failure.or(Some("not run".to_owned())),
        };
        Point {
            subject: subject.to_owned(),
            predicted_time,
            measured_time,
            predicted_memory: memory_bytes
                .filter(|_| sound)
                .and_then(|bytes| median(&added(rss, bytes, usize::MAX))),
            measured_memory: median(&measured(|run| run.rss_peak_bytes)).filter(|_| sound),
            missing,
        }
    }

    /// How the first failed run or replay of the program under a subject ended (I3).
    fn failure(&self, subject: &str) -> Option<String> {
        let is_failed = |status: Status| status != Status::Ok && status != Status::Interrupted;
        let mut runs = self.results.programs.iter();
        let run = runs.find(|one| {
            one.program == self.name && one.subject == subject && is_failed(one.status)
        });
        let mut replays = self.results.samples.iter();
        let replay = replays.find(|one| {
            one.workload == self.name && one.subject == subject && is_failed(one.status)
        });
        let run = run.map(|one| format!("run: {}", one.status.word()));
        run.or_else(|| replay.map(|one| format!("replay: {}", one.status.word())))
    }

    fn runs(&self, subject: &str, again: bool, value: fn(&Program) -> Option<u64>) -> Rounds {
        let all = self.results.programs.iter().filter(|one| {
            one.program == self.name
                && one.subject == subject
                && one.again == again
                && !one.verified
                && one.status == Status::Ok
        });
        by_round(all.filter_map(|one| Some((one.round, value(one)? as f64))))
    }

    /// A figure of the baseline, of both of its runs of a round.
    fn base_runs(&self, value: fn(&Program) -> Option<u64>) -> Rounds {
        let [first, second] = [false, true].map(|again| self.runs(self.baseline, again, value));
        of_both(&first, &second)
    }

    /// The same of its replays.
    fn base_replays(&self, value: fn(&Sample) -> Option<u64>) -> Times {
        let [first, second] = [false, true].map(|again| self.replays(self.baseline, again, value));
        first.and(&second)
    }

    /// A figure of the program's replays on one thread (I2).
    fn replays(&self, subject: &str, again: bool, value: fn(&Sample) -> Option<u64>) -> Times {
        let all = self.results.samples.iter().filter(|one| {
            one.workload == self.name
                && one.subject == subject
                && one.mode == "serial"
                && one.again == again
                && !one.verified
                && one.status == Status::Ok
        });
        Times::of(all, |one| value(one).map(|value| value as f64))
    }
}
