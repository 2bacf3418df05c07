//! The page: one self-contained HTML file with its style and charts inside. It needs no script and
//! no network, follows the reader's light or dark theme, and can be printed.
//!
//! The sections stand in the order in which a reader asks: what was compared on what machine; who wins
//! where, with the best peer, real programs and the worth of a replay behind it; what that costs in
//! memory, at the peak and over the life of a program; how slow single calls get; then the detail,
//! workload by workload, counts and counters; what Valgrind says, which bugs are caught, what an
//! ownership test costs, which promises of C are kept; what failed; what recording costs; how it was
//! measured and what may be unfair. A section without content is left out.
//!
//! * I1: every chart is followed by a table with the same figures.
//! * I2: every wide table scrolls inside a box of its own, never the page.

mod best_peer;
mod contract;
mod counters;
mod counts;
mod detection;
mod fidelity;
mod gaps;
mod life;
mod machine;
mod memcheck;
mod memory;
mod method;
mod ownership;
mod parts;
mod programs;
mod ranking;
mod recordings;
mod tails;
mod workloads;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart::Charts;
use crate::findings;
use crate::neighbour::Neighbour;
use crate::programs::Programs;
use crate::quantity;
use crate::results::Results;
use crate::summary::Summary;

const STYLE: &str = include_str!("page/style.css");

/// What every section draws from.
#[derive(Clone, Copy)]
struct Context<'a> {
    results: &'a Results,
    summary: &'a Summary,
    programs: Option<&'a Programs>,
    charts: &'a Charts,
    neighbours: &'a [Neighbour],
    /// Whether what only few readers open is left to the records, for the page's size.
    brief: bool,
}

/// Most bytes of a page that has everything: one beyond that is brief.
const MOST_BYTES: usize = 3 << 20;

/// A section: anchor, heading, content.
struct Section {
    anchor: &'static str,
    heading: &'static str,
    content: Markup,
}

/// The whole document.
pub(crate) fn render(
    results: &Results,
    summary: &Summary,
    programs: Option<&Programs>,
    charts: &Charts,
    neighbours: &[Neighbour],
) -> String {
    let context = Context { results, summary, programs, charts, neighbours, brief: false };
    let page = document(context);
    if page.len() <= MOST_BYTES { page } else { document(Context { brief: true, ..context }) }
}

fn document(context: Context<'_>) -> String {
    let results = context.results;
    let sections: Vec<Section> = [
        ("compared", "What was compared", Some(machine::section(context))),
        ("ranking", "Who wins where", ranking::section(context)),
        ("best-peer", "Against the best peer", best_peer::section(context)),
        ("programs", "Real programs", programs::section(context)),
        ("fidelity", "What a replay is worth", fidelity::section(context)),
        ("memory", "Memory beside time", memory::section(context)),
        ("life", "Memory over the life of a program", life::section(context)),
        ("tails", "Times of single calls", tails::section(context)),
        ("workloads", "The workloads one by one", workloads::section(context)),
        ("counts", "Instructions and cache misses", counts::section(context)),
        ("counters", "Hardware counters", counters::section(context)),
        ("valgrind", "Valgrind errors", memcheck::section(context)),
        ("detection", "Which bugs are caught", detection::section(context)),
        ("ownership", "The ownership test", ownership::section(context)),
        ("contract", "The C contract", contract::section(context)),
        ("gaps", "Failures and what was not measured", gaps::section(context)),
        ("recordings", "What recording costs", recordings::section(context)),
        ("method", "How it was measured, and what may be unfair", Some(method::section(context))),
    ]
    .into_iter()
    .filter_map(|(anchor, heading, content)| Some(Section { anchor, heading, content: content? }))
    .collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(results)) ", " (quantity::moment(results.host.started_unix_s)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (header(context))
                    nav id="contents" {
                        ul {
                            @for section in &sections {
                                li { a href={ "#" (section.anchor) } { (section.heading) } }
                            }
                        }
                    }
                    @for section in &sections {
                        section id=(section.anchor) {
                            h2 { (section.heading) }
                            (section.content)
                            p.up { a href="#contents" { "Back to the contents" } }
                        }
                    }
                }
            }
        }
    };
    short(&page.into_string())
}

/// What cells can be told in fewer bytes: a run of half an hour has some twenty thousand of them. Text holds
/// none of it, since its quotes are escaped.
const SHORTER: [(&str, &str); 3] = [
    (" class=\"number\"", " class=n"),
    (" scope=\"row\"", " scope=row"),
    (" scope=\"col\"", " scope=col"),
];

fn short(page: &str) -> String {
    SHORTER.iter().fold(page.to_owned(), |page, (long, short)| page.replace(long, short))
}

/// What a reader calls the page: what most of its records are of.
pub(crate) fn title(results: &Results) -> &'static str {
    if !results.ownerships.is_empty() && results.tails.is_empty() && results.memories.is_empty() {
        "Arenabench report: ownership tests"
    } else if !results.samples.is_empty() && results.programs.is_empty() {
        "Arenabench report"
    } else if results.programs.iter().any(|_| !results.samples.is_empty()) {
        "Arenabench report: programs and replays of them"
    } else if !results.programs.is_empty() {
        "Arenabench report: real programs"
    } else if !results.memchecks.is_empty() || !results.detections.is_empty() {
        "Arenabench report: allocators under Valgrind"
    } else {
        "Arenabench report"
    }
}

fn header(context: Context<'_>) -> Markup {
    let Context { results, summary, programs, neighbours, .. } = context;
    html! {
        header {
            h1 { (title(results)) }
            @if let Some(notice) = findings::notice(results) {
                p.notice { (notice) }
            }
            ul.findings {
                @for finding in findings::findings(results, summary, programs) { li { (finding) } }
            }
            @if !neighbours.is_empty() {
                p { "Beside this report:" }
                ul.beside {
                    @for Neighbour { folder, title, findings } in neighbours {
                        li {
                            a href={ (folder) "/index.html" } { (title) }
                            @for finding in findings { @if finding == &findings[0] { ": " } @else { " " } (finding) }
                        }
                    }
                }
            }
        }
    }
}
