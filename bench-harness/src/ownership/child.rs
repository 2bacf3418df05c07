//! One process of the lab: a strategy over so many arenas, asked about rows of addresses in one order.
//!
//! The job is the second argument, the answer goes to the descriptor of every child's answer. All
//! shares of misses and both metrics are taken in one process, on the same arenas.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::FromRawFd;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use reports::record::Metric;
use serde::{Deserialize, Serialize};

use super::terrain::{self, Pattern, Row, Terrain};
use super::{callgrind, loops, strategy};
use crate::bench::Measure;
use crate::child::job::ANSWER_FD;

/// First argument of a child; the job is the second.
pub(crate) const ARGUMENT: &str = "__ownership";

/// Fewest passes over a row that are timed.
const LEAST_PASSES: u32 = 3;
/// Most passes, and time after which no pass begins.
const MOST_PASSES: u32 = 64;
const PASSES_TIME: Duration = Duration::from_millis(2);
/// Foreign memory is this many times smaller where instructions are counted.
const COUNT_THINNED: usize = 16;

/// What a child is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) strategy: String,
    pub(super) arenas: u64,
    pub(super) pattern: Pattern,
    pub(super) miss_shares: Vec<f64>,
    /// Addresses of a row.
    pub(super) queries: usize,
    pub(super) seed: u64,
    pub(super) task: Task,
}

/// How the loops are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Task {
    /// By the clock.
    Time,
    /// Under callgrind, which writes the counts: the figures are empty.
    Count,
}

/// What a child found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// Every answer was right.
    Done(Vec<Figure>),
    /// One was not.
    Mismatch(String),
    /// No memory for arenas, tables or foreign addresses.
    Oom(String),
    /// The child itself could not go on.
    Failed(String),
}

/// One loop, as timed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Figure {
    pub(super) miss_share: f64,
    pub(super) metric: Metric,
    /// Fastest pass, per query.
    pub(super) ns_per_query: f64,
    /// Fastest pass of the empty loop, per query.
    pub(super) ns_per_query_floor: f64,
}

/// Why a strategy was not measured to the end.
#[derive(Debug)]
pub(super) enum Refusal {
    OutOfMemory,
    Foreign(io::Error),
    Wrong(String),
}

/// Runs the job given as JSON and writes the answer. Returns the exit code of the child.
pub(crate) fn main(job: &str) -> u8 {
    let answer = match serde_json::from_str::<Job>(job) {
        Ok(job) => answer(&job),
        Err(error) => Answer::Failed(format!("unreadable job: {error}")),
    };
    let failed = matches!(answer, Answer::Failed(_));
    let Ok(text) = serde_json::to_string(&answer) else { return 70 };
    // SAFETY: the parent has opened this descriptor for the answer, and nothing else here uses it.
    let mut out = unsafe { File::from_raw_fd(ANSWER_FD) };
    if out.write_all(text.as_bytes()).is_err() || failed { 70 } else { 0 }
}

fn answer(job: &Job) -> Answer {
    let strategy = match strategy::parse(&job.strategy) {
        Ok(strategy) => strategy,
        Err(error) => return Answer::Failed(error),
    };
    let mut figures = Vec::new();
    match (strategy.examine)(Examination { job, to: To::Figures(&mut figures) }) {
        Ok(()) => Answer::Done(figures),
        Err(Refusal::OutOfMemory) => {
            Answer::Oom(format!("no memory for {} arenas and their tables", job.arenas))
        }
        Err(Refusal::Foreign(error)) => Answer::Oom(format!("no foreign memory: {error}")),
        Err(Refusal::Wrong(what)) => Answer::Mismatch(what),
    }
}

/// Has a strategy examined in this process; `measure` is handed a pass over hits in random order.
///
/// # Errors
/// When there is no such strategy, memory is refused or an answer is wrong.
pub(crate) fn in_process(
    strategy: &str,
    arenas: u64,
    queries: usize,
    measure: &mut Measure<'_>,
) -> Result<(), String> {
    let job = Job {
        strategy: strategy.to_owned(),
        arenas,
        pattern: Pattern::Random,
        miss_shares: vec![0.0],
        queries,
        seed: 1,
        task: Task::Time,
    };
    let examination = Examination { job: &job, to: To::Bench(measure) };
    (strategy::parse(strategy)?.examine)(examination).map_err(|refusal| format!("{refusal:?}"))
}

/// Where an examination leads to.
enum To<'a, 'm> {
    Figures(&'a mut Vec<Figure>),
    Bench(&'a mut Measure<'m>),
}

/// What is asked of a test, and where that leads to.
pub(super) struct Examination<'a, 'm> {
    job: &'a Job,
    to: To<'a, 'm>,
}

impl Examination<'_, '_> {
    /// Number of arenas that the strategy is to have.
    pub(super) fn arenas(&self) -> u64 {
        self.job.arenas
    }

    /// Asks `owns` about rows of addresses in `pools` and in foreign memory.
    pub(super) fn of(
        mut self,
        pools: Vec<*mut u8>,
        owns: &impl Fn(*mut u8) -> bool,
    ) -> Result<(), Refusal> {
        let job = self.job;
        let mut random: ChaCha8Rng = terrain::random(job.seed);
        let thinned = if job.task == Task::Count { COUNT_THINNED } else { 1 };
        let terrain = Terrain::new(pools, job.arenas as usize, thinned, &mut random)
            .map_err(Refusal::Foreign)?;
        for &miss_share in &job.miss_shares {
            let row = terrain.row(job.pattern, miss_share, job.queries, &mut random);
            check(owns, &row)?;
            match (job.task, &mut self.to) {
                (_, To::Bench(measure)) => measure(&mut || {
                    let before = Instant::now();
                    std::hint::black_box(play(Metric::Throughput, owns, &row.addresses));
                    before.elapsed()
                }),
                (Task::Time, To::Figures(figures)) => {
                    figures.extend(timed(owns, &row, miss_share)?);
                }
                (Task::Count, _) => {
                    let addresses = &row.addresses;
                    for metric in Metric::ALL {
                        callgrind::counted(&callgrind::label(miss_share, metric, false), || {
                            play(metric, owns, addresses)
                        });
                        callgrind::counted(&callgrind::label(miss_share, metric, true), || {
                            play_empty(metric, addresses)
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

/// Checks every answer (O2).
fn check(owns: &impl Fn(*mut u8) -> bool, row: &Row) -> Result<(), Refusal> {
    for (&address, &is_ours) in row.addresses.iter().zip(&row.is_ours) {
        if owns(address) != is_ours {
            let (what, said) = if is_ours { ("of ours", "no") } else { ("foreign", "yes") };
            return Err(Refusal::Wrong(format!("{address:p} is {what}, the answer was {said}")));
        }
    }
    Ok(())
}

fn play(metric: Metric, owns: &impl Fn(*mut u8) -> bool, addresses: &[*mut u8]) -> usize {
    match metric {
        Metric::Throughput => loops::throughput(owns, addresses),
        Metric::Latency => loops::latency(owns, addresses),
    }
}

fn play_empty(metric: Metric, addresses: &[*mut u8]) -> usize {
    match metric {
        Metric::Throughput => loops::throughput(&loops::nothing, addresses),
        Metric::Latency => loops::latency(&loops::lowest_bit, addresses),
    }
}

/// Both metrics of one row. The empty loop takes turns with the test's.
fn timed(
    owns: &impl Fn(*mut u8) -> bool,
    row: &Row,
    miss_share: f64,
) -> Result<Vec<Figure>, Refusal> {
    let mut figures = Vec::new();
    for metric in Metric::ALL {
        let (mut fastest, mut floor) = (Duration::MAX, Duration::MAX);
        let begin = Instant::now();
        for pass in 0..MOST_PASSES {
            if pass >= LEAST_PASSES && begin.elapsed() >= PASSES_TIME {
                break;
            }
            let before = Instant::now();
            let ours = play(metric, owns, &row.addresses);
            fastest = fastest.min(before.elapsed());
            if ours != row.ours {
                let expected = row.ours;
                return Err(Refusal::Wrong(format!(
                    "{ours} addresses were called ours, {expected} are"
                )));
            }
            let before = Instant::now();
            std::hint::black_box(play_empty(metric, &row.addresses));
            floor = floor.min(before.elapsed());
        }
        let per_query = |time: Duration| time.as_nanos() as f64 / row.addresses.len() as f64;
        figures.push(Figure {
            miss_share,
            metric,
            ns_per_query: per_query(fastest),
            ns_per_query_floor: per_query(floor),
        });
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(strategy: &str, arenas: u64) -> Job {
        Job {
            strategy: strategy.to_owned(),
            arenas,
            pattern: Pattern::Random,
            miss_shares: vec![0.0, 0.35, 1.0],
            queries: 8192,
            seed: 1,
            task: Task::Time,
        }
    }

    #[test]
    fn every_strategy_answers_rightly_and_is_timed() {
        for strategy in strategy::ALL.iter().filter(|one| one.is_default) {
            for arenas in [1, 40] {
                match answer(&job(strategy.name, arenas)) {
                    Answer::Done(figures) => {
                        assert_eq!(figures.len(), 6, "{}", strategy.name);
                        assert!(figures.iter().all(|one| one.ns_per_query > 0.0));
                    }
                    other => panic!("{}: {other:?}", strategy.name),
                }
            }
        }
    }

    #[test]
    fn a_strategy_that_lies_once_in_thousands_is_a_mismatch() {
        let Answer::Mismatch(what) = answer(&job("lying", 10)) else { panic!("not caught") };
        assert!(what.contains("foreign") || what.contains("called ours"), "{what}");
    }

    #[test]
    fn made_up_arenas_are_told_apart_by_strategies_with_tables() {
        assert!(matches!(answer(&job("radix-tree", 20_000)), Answer::Done(_)));
    }
}
