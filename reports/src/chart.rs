//! Charts, drawn by plotters as SVG.
//!
//! Every chart is a panel of labelled rows over one horizontal axis ([`panel`]), so that names are
//! read where they stand and never looked up by colour alone. The kinds of chart ([`time`] ...) fill
//! panels from a [`Summary`]; [`canvas`] is the only file that knows
//! plotters.
//!
//! * I1: the same figures give the same bytes: no clock, no hash map, no system font.
//! * I2: ink is `currentColor`, so that a chart inside a page follows the page's theme; a chart in a
//!   file of its own brings a style that follows the reader's.
//! * I3: a cell that failed has a row, hatched and with the reason in words. A cell that its subject
//!   does not support has none: the table below says so.
//! * I4: a chart without unit, number of samples and interval cannot be made: it has a [`Basis`].

mod axis;
mod basis;
mod canvas;
mod compact;
mod contest;
mod detection;
mod fidelity;
mod heap;
mod life;
mod marker;
mod memcheck;
mod memory;
mod name;
mod ownership;
mod panel;
mod programs;
mod ratio;
mod tails;
mod time;
mod tradeoff;

use std::collections::BTreeSet;

pub(crate) use basis::Basis;
use marker::Markers;
use name::{Slugs, shorten};

use crate::fidelity::Fidelity;
use crate::ownership::{Question, Strategies};
use crate::programs::Programs;
use crate::record::{Call, Memcheck, Role};
use crate::results::Results;
use crate::summary::{Row, Scope, Summary};

/// Workloads whose heaps are drawn.
const MAPPED: usize = 2;

/// A finished chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chart {
    /// File name without extension, and prefix of the identifiers inside; unique in a report.
    pub(crate) slug: String,
    /// What the chart shows.
    pub(crate) title: String,
    /// The chart in words, for readers who do not see it.
    pub(crate) description: String,
    /// What its figures stand on.
    pub(crate) basis: Basis,
    /// Width and height in the units of `elements`.
    size: (u32, u32),
    /// Width at which text has the size of a page's text, in CSS pixels.
    width_px: u32,
    /// SVG elements without the root.
    elements: String,
}

/// All charts of a report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Charts {
    /// Ratios over all settings of a scope: on one thread, then on several.
    pub(crate) overall: Vec<(Scope, Chart)>,
    /// The project's own allocators beside the best peer of each setting, one chart per allocator.
    pub(crate) contests: Vec<Chart>,
    /// Ratios by setting, in the order of the summary's settings.
    pub(crate) ratios: Vec<Option<Chart>>,
    /// Time and memory over all settings.
    pub(crate) tradeoff: Option<Chart>,
    /// Memory overhead by setting, in the same order.
    pub(crate) memory: Vec<Option<Chart>>,
    /// Valgrind errors by workload.
    pub(crate) memcheck: Vec<Chart>,
    /// Seeded bugs by mode.
    pub(crate) detection: Option<Chart>,
    /// Runs of real programs: time and memory.
    pub(crate) programs: Vec<Chart>,
    /// Predicted and measured times of programs.
    pub(crate) fidelity: Option<Chart>,
    /// Ownership tests over the number of arenas, by question.
    pub(crate) ownership: Vec<(Question<'static>, Chart)>,
    /// Times of single calls by workload, of those that have any.
    pub(crate) tails: Vec<Chart>,
    /// Memory over time by workload, of those whose memory was read.
    pub(crate) life: Vec<(String, Chart)>,
    /// Pictures of heaps.
    pub(crate) heaps: Vec<Chart>,
    /// Times by setting, in the same order.
    pub(crate) times: Vec<Option<Chart>>,
}

impl Charts {
    pub(crate) fn of(results: &Results, summary: &Summary, programs: Option<&Programs>) -> Self {
        let mut slugs = Slugs::default();
        let names = summary.subjects().into_iter();
        let run = programs.iter().flat_map(|one| one.subjects.iter().map(String::as_str));
        let markers = Markers::of(names.chain(run), &summary.baseline);
        let marker = |name: &str| markers.get(name);
        let settings = &summary.settings;
        let overall = [Scope::Main, Scope::Threads]
            .into_iter()
            .filter_map(|scope| Some((scope, ratio::overall(summary, scope, marker, &mut slugs)?)));
        let overall = overall.collect();
        let contests = contest::contests(summary, marker, &mut slugs);
        let ratios = settings.iter().map(|one| ratio::ratio(summary, one, marker, &mut slugs));
        let ratios = ratios.collect();
        let tradeoff = tradeoff::tradeoff(summary, marker, &mut slugs);
        let memory = settings.iter().map(|one| memory::memory(summary, one, marker, &mut slugs));
        let memory = memory.collect();
        let times = settings.iter().map(|one| time::time(summary, one, marker, &mut slugs));
        let times = times.collect();
        let kinds: BTreeSet<&str> = results
            .memchecks
            .iter()
            .flat_map(|record| record.errors_by_kind.keys().map(String::as_str))
            .collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let mut workloads: Vec<&str> = Vec::new();
        for record in results.memchecks_in_order() {
            if !workloads.contains(&record.workload.as_str()) {
                workloads.push(&record.workload);
            }
        }
        let of_workload = |workload: &str| -> Vec<&Memcheck> {
            let records = results.memchecks_in_order().into_iter();
            records.filter(|record| record.workload == workload).collect()
        };
        let memcheck = workloads
            .into_iter()
            .filter_map(|name| memcheck::memcheck(name, &of_workload(name), &kinds, &mut slugs))
            .collect();
        let detection = detection::detection(results, &mut slugs);
        let programs =
            programs.map(|one| programs::programs(one, &markers, &mut slugs)).unwrap_or_default();
        let fidelity =
            Fidelity::of(results).and_then(|one| fidelity::fidelity(&one, &markers, &mut slugs));
        let timed = crate::tails::tables(results);
        let tails = timed.iter().filter_map(|one| tails::tails(one, &mut slugs)).collect();
        let lives = crate::life::tables(results);
        let life = lives.iter().filter_map(|one| {
            Some((one.workload.to_owned(), life::life(one, &markers, &mut slugs)?))
        });
        let life = life.collect();
        let mapped = lives.iter().filter(|one| !one.maps.is_empty()).take(MAPPED);
        let mapped = mapped.flat_map(|one| &one.maps);
        let heaps = mapped.filter_map(|one| heap::heap(one, &mut slugs)).collect();
        let strategies = Strategies::of(results);
        let ownership =
            strategies.map(|one| ownership::charts(&one, &mut slugs)).unwrap_or_default();
        Self {
            overall,
            contests,
            ratios,
            tradeoff,
            memory,
            memcheck,
            detection,
            programs,
            fidelity,
            ownership,
            tails,
            life,
            heaps,
            times,
        }
    }

    /// The chart of ratios over all settings of a scope.
    pub(crate) fn overall_of(&self, scope: Scope) -> Option<&Chart> {
        self.overall.iter().find(|(of, _)| *of == scope).map(|(_, chart)| chart)
    }

    /// Every chart: those over several settings in the order of the page, then those of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chart> {
        let first = self.overall.iter().map(|(_, chart)| chart).chain(&self.contests);
        let by_setting = self.times.iter().chain(&self.ratios).chain(&self.memory).flatten();
        let first = first
            .chain(&self.programs)
            .chain(&self.fidelity)
            .chain(&self.tradeoff)
            .chain(&self.tails);
        let first = first.chain(self.life.iter().map(|(_, chart)| chart)).chain(&self.heaps);
        let first = first.chain(&self.memcheck);
        let first = first.chain(self.ownership.iter().map(|(_, chart)| chart));
        let first = first.chain(&self.detection);
        first.chain(by_setting)
    }
}

/// Style of a chart that stands alone: dark ink on white paper, or the other way round.
const STANDALONE_STYLE: &str = "<style>\
svg{color:#1a1a1a;background:#fff}\
@media screen and (prefers-color-scheme:dark){svg{color:#e8e8e8;background:#16181c}}\
</style>";

impl Chart {
    /// The chart as part of an HTML page. Ink follows the page's text colour.
    pub(crate) fn inline(&self) -> String {
        self.document("")
    }

    /// The chart as a file of its own.
    pub(crate) fn standalone(&self) -> String {
        self.document(STANDALONE_STYLE)
    }

    fn document(&self, style: &str) -> String {
        let Self { slug, size: (width, height), width_px, elements, .. } = self;
        let height_px = u64::from(*height) * u64::from(*width_px) / u64::from(*width).max(1);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
             aria-labelledby=\"{slug}-title {slug}-desc\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width_px}\" height=\"{height_px}\" {}>\n\
             <title id=\"{slug}-title\">{}</title>\n<desc id=\"{slug}-desc\">{}</desc>\n\
             {style}{elements}</svg>\n",
            canvas::ROOT_ATTRIBUTES,
            escape(&self.title),
            escape(&self.description),
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `5 samples`, `3 to 5 samples`: how many things of a kind each figure stands on.
fn counts(counts: impl Iterator<Item = usize>, thing: &str) -> String {
    let found: BTreeSet<usize> = counts.filter(|count| *count > 0).collect();
    match (found.first(), found.last()) {
        (Some(1), Some(1)) => format!("1\u{a0}{thing}"),
        (Some(least), Some(most)) if least == most => format!("{most}\u{a0}{thing}s"),
        (Some(least), Some(most)) => format!("{least} to {most}\u{a0}{thing}s"),
        _ => format!("no {thing}s"),
    }
}

/// `signal, 1 of 5`: how a row without figures ended.
fn failure_note(row: &Row) -> String {
    match &row.failure {
        Some(failure) => {
            format!("{}, {} of {}", failure.status.word(), failure.failed, failure.children)
        }
        None => row.word().to_owned(),
    }
}

/// Groups of rows that are compared with each other, in the order of a chart.
const HEADINGS: [&str; 4] = [
    "",
    "called inline, not ranked with the above",
    "called through C, not ranked with the above",
    "references, not ranked",
];

/// The group that a subject belongs to.
fn heading(role: Role, call: Call, ranked: bool) -> &'static str {
    match (role, call) {
        (Role::Reference, _) => HEADINGS[3],
        _ if ranked => HEADINGS[0],
        (_, Call::Inline) => HEADINGS[1],
        _ => HEADINGS[2],
    }
}

/// Rows sorted into the groups that are compared with each other: the ranked subjects first, then
/// other ways of being called, then references. Within a group by `value`, lowest first; rows without
/// figures last.
fn groups(
    rows: &[&Row],
    value: impl Fn(&Row) -> Option<f64>,
    draw: impl Fn(&Row) -> panel::Row,
) -> Vec<panel::Group> {
    let key = |row: &Row| match row.failure {
        Some(_) => f64::INFINITY,
        None => value(row).unwrap_or(f64::INFINITY),
    };
    let group = |name: &str| {
        let mut members: Vec<&Row> = rows
            .iter()
            .copied()
            .filter(|row| heading(row.role, row.call, row.ranked) == name)
            .collect();
        members.sort_by(|a, b| key(a).total_cmp(&key(b)));
        panel::Group { heading: name.to_owned(), rows: members.into_iter().map(&draw).collect() }
    };
    HEADINGS.into_iter().map(group).filter(|group| !group.rows.is_empty()).collect()
}
