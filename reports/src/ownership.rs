//! What ownership tests cost: figures by strategy, arenas, order of addresses and share of misses,
//! and whether a strategy's cost grows with the arenas.
//!
//! Between the records ([`crate::record::Ownership`]) and what people look at: the chart, the
//! section of the page, the Markdown and the command's table all draw from here.
//!
//! * **O1** A strategy is *constant* in a metric iff the whole 95 % interval of the ratio (most
//!   arenas over fewest, within rounds) lies below [`CONSTANT_FACTOR`]; it *grows* iff the whole
//!   interval lies above. Otherwise it is undecided.

use std::collections::BTreeMap;

use crate::quantity;
use crate::record::{Metric, Ownership, Sample, Status};
use crate::results::Results;
use crate::statistics::{Estimate, by_round, median, ratios};
use crate::summary::Table;

/// Largest ratio between most and fewest arenas of a cost that is called constant. Caches alone
/// make a test over thousands of arenas somewhat slower; a test whose reads miss them is slower by
/// far more than this.
pub const CONSTANT_FACTOR: f64 = 2.0;

/// Order of addresses that charts and sentences speak of.
pub const PATTERN: &str = "random";

/// A question that was asked: which addresses, and how queries follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question<'a> {
    /// Order of the addresses.
    pub pattern: &'a str,
    /// Share of foreign addresses.
    pub miss_share: f64,
    /// How queries follow each other.
    pub metric: Metric,
}

impl Question<'_> {
    fn is_of(&self, record: &Ownership) -> bool {
        record.pattern == self.pattern
            && record.miss_share == Some(self.miss_share)
            && record.metric == Some(self.metric)
    }
}

/// The questions of the charts: hits and misses, throughput and latency, addresses at random.
pub const CHARTED: [Question<'static>; 4] = [
    Question { pattern: PATTERN, miss_share: 0.0, metric: Metric::Throughput },
    Question { pattern: PATTERN, miss_share: 1.0, metric: Metric::Throughput },
    Question { pattern: PATTERN, miss_share: 0.0, metric: Metric::Latency },
    Question { pattern: PATTERN, miss_share: 1.0, metric: Metric::Latency },
];

/// Figures of one strategy, with so many arenas, for one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Time per query, the loop included.
    pub raw_ns: Estimate,
    /// Median time of the loop alone.
    pub floor_ns: f64,
    /// Median instructions per query, the loop included, where they were counted.
    pub instructions: Option<f64>,
}

impl Figures {
    /// Time per query, less that of the loop; never below zero.
    #[must_use]
    pub fn net_ns(&self) -> f64 {
        (self.raw_ns.value - self.floor_ns).max(0.0)
    }
}

/// How a cost changes from the fewest to the most arenas that were measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// Fewest arenas.
    pub fewest: u64,
    /// Most arenas.
    pub most: u64,
    /// Time per query with most over that with fewest.
    pub ratio: Estimate,
}

impl Growth {
    /// `constant`, `grows` or `undecided` (O1).
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.ratio.interval {
            Some(ends) if ends.high < CONSTANT_FACTOR => "constant",
            Some(ends) if ends.low > CONSTANT_FACTOR => "grows",
            _ => "undecided",
        }
    }
}

/// All ownership records of a run.
#[derive(Clone, Debug)]
pub struct Strategies<'a> {
    records: &'a [Ownership],
    /// Strategies in the order of the file.
    pub names: Vec<&'a str>,
    /// Numbers of arenas, rising.
    pub arenas: Vec<u64>,
}

impl<'a> Strategies<'a> {
    /// The records of `results`; `None` when there are none.
    #[must_use]
    pub fn of(results: &'a Results) -> Option<Self> {
        let records = results.ownerships.as_slice();
        let mut names: Vec<&str> = Vec::new();
        let mut arenas: Vec<u64> = records.iter().map(|record| record.arenas).collect();
        // The order of measuring is random: by name, so that the same strategies look alike.
        names.extend(records.iter().map(|record| record.strategy.as_str()));
        names.sort_unstable();
        names.dedup();
        arenas.sort_unstable();
        arenas.dedup();
        (!records.is_empty()).then_some(Self { records, names, arenas })
    }

    fn matching<'s>(
        &'s self,
        strategy: &'s str,
        arenas: u64,
        question: Question<'s>,
    ) -> impl Iterator<Item = &'a Ownership> + 's {
        self.records.iter().filter(move |record| {
            record.strategy == strategy && record.arenas == arenas && question.is_of(record)
        })
    }

    /// The figures of one cell; `None` when it was not measured.
    #[must_use]
    pub fn figures(&self, strategy: &str, arenas: u64, question: Question<'_>) -> Option<Figures> {
        let values = |of: fn(&Ownership) -> Option<f64>| -> Vec<f64> {
            self.matching(strategy, arenas, question).filter_map(of).collect()
        };
        Some(Figures {
            raw_ns: Estimate::of(&values(|record| record.ns_per_query))?,
            floor_ns: median(&values(|record| record.ns_per_query_floor))?,
            instructions: median(&values(|record| record.instructions_per_query)),
        })
    }

    /// How many samples each cell of a question stands on.
    #[must_use]
    pub fn rounds(&self, question: Question<'_>) -> Vec<usize> {
        let cells =
            self.names.iter().flat_map(|name| self.arenas.iter().map(move |one| (name, *one)));
        let figures = cells.filter_map(|(name, arenas)| self.figures(name, arenas, question));
        figures.map(|one| one.raw_ns.count).collect()
    }

    /// How a strategy with so many arenas ended, where that was not well.
    #[must_use]
    pub fn failure(&self, strategy: &str, arenas: u64) -> Option<&'a Ownership> {
        self.records.iter().find(|record| {
            record.strategy == strategy && record.arenas == arenas && record.status != Status::Ok
        })
    }

    /// How the cost changes with the arenas; `None` with fewer than two numbers of them.
    #[must_use]
    pub fn growth(&self, strategy: &str, question: Question<'_>) -> Option<Growth> {
        let rounds = |arenas: u64| {
            by_round(
                self.matching(strategy, arenas, question)
                    .filter_map(|record| Some((record.round, record.ns_per_query?))),
            )
        };
        let mut measured = self.arenas.iter().filter(|&&arenas| !rounds(arenas).is_empty());
        let fewest = *measured.next()?;
        let most = *measured.next_back()?;
        let ratios: Vec<f64> = ratios(&rounds(most), &rounds(fewest)).into_values().collect();
        let ratio = Estimate::of(&ratios)?;
        Some(Growth { fewest, most, ratio })
    }

    /// Which strategies are constant in a question and which are not, in a sentence.
    #[must_use]
    pub fn sentence(&self, question: Question<'_>) -> String {
        let mut by_word: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for name in &self.names {
            if let Some(growth) = self.growth(name, question) {
                let ratio = quantity::figure(growth.ratio.value);
                by_word.entry(growth.word()).or_default().push(format!(
                    "{name} ({ratio} times from {} to {} arenas)",
                    quantity::count(growth.fewest),
                    quantity::count(growth.most)
                ));
            }
        }
        let told: Vec<String> = [("constant", "Constant"), ("grows", "Not constant")]
            .into_iter()
            .chain([("undecided", "Undecided")])
            .filter_map(|(word, said)| {
                Some(format!("{said}: {}.", quantity::list(by_word.get(word)?)))
            })
            .collect();
        told.join(" ")
    }

    /// One row per strategy and number of arenas: hits and misses at random, throughput and
    /// latency, and instructions where they were counted.
    #[must_use]
    pub fn table(&self) -> Table {
        let head = ["strategy", "arenas", "hit ns [95 %]", "miss ns [95 %]"];
        let head = head.into_iter().chain(["hit latency ns [95 %]", "miss latency ns [95 %]"]);
        let head = head.chain(["floor ns", "latency floor ns", "hit instructions"]);
        let head: Vec<String> =
            head.chain(["miss instructions", "status"]).map(str::to_owned).collect();
        let mut rows = Vec::new();
        for name in &self.names {
            for &arenas in &self.arenas {
                let figures = CHARTED.map(|question| self.figures(name, arenas, question));
                let failure = self.failure(name, arenas);
                if figures.iter().all(Option::is_none) && failure.is_none() {
                    continue;
                }
                let mut row = vec![(*name).to_owned(), quantity::count(arenas)];
                row.extend(figures.iter().map(|one| {
                    one.as_ref().map(|one| quantity::estimate(&one.raw_ns)).unwrap_or_default()
                }));
                let figure = |value: Option<f64>| value.map(quantity::figure).unwrap_or_default();
                row.push(figure(figures[0].as_ref().map(|one| one.floor_ns)));
                row.push(figure(figures[2].as_ref().map(|one| one.floor_ns)));
                row.extend(
                    figures[..2]
                        .iter()
                        .map(|one| figure(one.as_ref().and_then(|one| one.instructions))),
                );
                let status = failure.map_or(Status::Ok, |record| record.status);
                row.push(status.word().to_owned());
                rows.push(row);
            }
        }
        let right = (0..head.len()).map(|column| (1..head.len() - 1).contains(&column)).collect();
        Table { head, right, rows }
    }

    /// One row per cell: medians of everything that was measured.
    #[must_use]
    pub fn every_cell(&self) -> Table {
        let head = ["strategy", "arenas", "addresses", "miss share", "metric", "rounds"];
        let head = head.into_iter().chain(["ns per query", "low", "high", "floor ns", "net ns"]);
        let head: Vec<String> = head.chain(["instructions per query"]).map(str::to_owned).collect();
        let mut rows = Vec::new();
        for name in &self.names {
            for &arenas in &self.arenas {
                for (pattern, miss_share) in self.asked() {
                    for metric in Metric::ALL {
                        let question = Question { pattern, miss_share, metric };
                        let Some(one) = self.figures(name, arenas, question) else { continue };
                        let ends = one.raw_ns.interval;
                        let end = |end: Option<f64>| end.map(|end| end.to_string());
                        rows.push(vec![
                            (*name).to_owned(),
                            arenas.to_string(),
                            pattern.to_owned(),
                            miss_share.to_string(),
                            metric.word().to_owned(),
                            one.raw_ns.count.to_string(),
                            one.raw_ns.value.to_string(),
                            end(ends.map(|ends| ends.low)).unwrap_or_default(),
                            end(ends.map(|ends| ends.high)).unwrap_or_default(),
                            one.floor_ns.to_string(),
                            one.net_ns().to_string(),
                            end(one.instructions).unwrap_or_default(),
                        ]);
                    }
                }
            }
        }
        let right = (0..head.len()).map(|column| ![0, 2, 4].contains(&column)).collect();
        Table { head, right, rows }
    }

    /// Orders of addresses with the shares of misses that were asked about, sorted.
    fn asked(&self) -> Vec<(&'a str, f64)> {
        let mut asked: Vec<(&str, f64)> = Vec::new();
        for record in self.records {
            let Some(share) = record.miss_share else { continue };
            if !asked.contains(&(record.pattern.as_str(), share)) {
                asked.push((&record.pattern, share));
            }
        }
        asked.sort_by(|one, other| one.0.cmp(other.0).then(one.1.total_cmp(&other.1)));
        asked
    }

    /// Figures of every order of addresses and share of misses, for one number of arenas.
    #[must_use]
    pub fn mixed(&self, arenas: u64) -> Table {
        let mut head = vec!["addresses".to_owned(), "misses".to_owned(), "metric".to_owned()];
        head.extend(self.names.iter().map(|name| format!("{name} ns")));
        let mut rows = Vec::new();
        for metric in Metric::ALL {
            for (pattern, miss_share) in self.asked() {
                let mut row = vec![pattern.to_owned(), quantity::share(miss_share)];
                row.push(metric.word().to_owned());
                let question = Question { pattern, miss_share, metric };
                row.extend(self.names.iter().map(|name| {
                    let figures = self.figures(name, arenas, question);
                    figures.map(|one| quantity::figure(one.raw_ns.value)).unwrap_or_default()
                }));
                rows.push(row);
            }
        }
        let right = (0..head.len()).map(|column| column != 0 && column != 2).collect();
        Table { head, right, rows }
    }
}

/// What a question asks, as the title of a chart.
#[must_use]
pub fn title(question: Question<'_>) -> String {
    let what = match question.miss_share {
        0.0 => "hits".to_owned(),
        1.0 => "misses".to_owned(),
        share => format!("{} misses", quantity::share(share)),
    };
    format!("{} of {what}, {} addresses", question.metric.word(), question.pattern)
}

/// Whether a subject is one of the heaps that differ in their ownership test and in nothing else.
#[must_use]
pub fn is_alike(subject: &str) -> bool {
    subject.starts_with("classic-")
}

/// What each strategy costs in a heap: time per pair on real workloads, and relative to the fastest
/// of these heaps. `None` without a sample.
#[must_use]
pub fn in_place(samples: &[Sample]) -> Option<Table> {
    let mut times: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for sample in samples.iter().filter(|one| !one.again) {
        if let Some(ns) = sample.ns_per_pair {
            times.entry((&sample.workload, &sample.subject)).or_default().push(ns);
        }
    }
    let cells: Vec<_> = times
        .into_iter()
        .filter_map(|((workload, subject), ns)| Some((workload, subject, Estimate::of(&ns)?)))
        .collect();
    let fastest = |workload: &str| {
        let of = cells.iter().filter(|cell| cell.0 == workload).map(|cell| cell.2.value);
        of.fold(f64::INFINITY, f64::min)
    };
    let rows: Vec<Vec<String>> = cells
        .iter()
        .map(|(workload, subject, ns)| {
            vec![
                (*workload).to_owned(),
                (*subject).to_owned(),
                quantity::estimate(ns),
                quantity::figure(ns.value / fastest(workload)),
            ]
        })
        .collect();
    let head = ["workload", "heap", "ns per pair [95 %]", "over the fastest"];
    let table = Table {
        head: head.map(str::to_owned).to_vec(),
        right: vec![false, false, true, true],
        rows,
    };
    (!table.rows.is_empty()).then_some(table)
}
