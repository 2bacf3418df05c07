//! This project's own allocators against the best peer, and where they lose.

use maud::{Markup, html};

use super::Context;
use super::parts::{estimate, figure, standing, table, workload};
use crate::findings::own_names;
use crate::quantity::{self, list};
use crate::record::{Call, Role, TailRow};
use crate::results::Results;
use crate::statistics::Floor;
use crate::summary::{Contest, Overall, Row, Scope, ScopeContest, Setting, Standing, Summary};
use crate::tails;

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let Context { results, summary, charts, .. } = context;
    if summary.contests.is_empty() {
        return None;
    }
    let name = own_names(summary);
    Some(html! {
        p {
            "The best peer of a workload is the fastest allocator there that is not this project's and is "
            "called in the same way; the best single peer is the one with the lowest geometric mean of "
            "times. The A/A floor is what " (summary.baseline) " shows against itself, and stands for that of "
            "any other two. " em { "Ahead" } " and " em { "behind" } " are said as " em { "faster" } " and "
            em { "slower" } " are. Choosing the best of several owes a part to luck, which counts against "
            (name) " here."
        }
        (overall(summary))
        @if inlined(summary) {
            p {
                "Of subjects called as Rust calls them, the code of this project's is inlined into the replay and "
                "that of crates around C is not: the ratio there is as much that of the two ways as of the two "
                "allocators."
            }
        }
        (figure(&charts.contests, &matrix(summary)))
        h3 { "Where " (name) " loses" }
        (losses(summary))
        (elsewhere(results, summary))
    })
}

/// `arenite-inline (Rust's call)`: the call kind only where it is not the usual one.
fn subject(name: &str, call: Call) -> String {
    match call {
        Call::C => name.to_owned(),
        Call::Inline => format!("{name} (Rust's call)"),
        Call::None => format!("{name} (not called)"),
    }
}

fn floor(floor: Option<Floor>) -> String {
    floor.map_or_else(
        || "not measured".to_owned(),
        |floor| quantity::percent(floor.half_width_percent()),
    )
}

fn overall(summary: &Summary) -> Markup {
    let passed_over = summary.contests.iter().any(|one| !one.passed_over.is_empty());
    table(
        "Geometric mean of time over the time of the best single peer, with its 95 % interval, and the \
         workload with the highest ratio to its own best peer.",
        &html! { tr {
            th scope="col" { "Subject" } th scope="col" { "Over" }
            th scope="col" { "Best single peer" } th.number scope="col" { "Ratio" }
            th scope="col" { "Standing" } th.number scope="col" { "A/A floor" }
            th scope="col" { "Worst workload" }
            @if passed_over { th scope="col" { "Passed over" } }
        } },
        &html! { @for one in &summary.contests { (overall_row(summary, one, passed_over)) } },
    )
}

fn overall_row(summary: &Summary, one: &ScopeContest, passed_over: bool) -> Markup {
    let peer = one.against.as_ref().map(|(peer, _)| peer.as_str());
    html! {
        tr {
            th scope="row" { (subject(&one.subject, one.call)) }
            td.wide { (one.settings) " " (one.scope.noun(one.settings, true)) }
            td { (peer.unwrap_or_default()) }
            (estimate(one.against.as_ref().map(|(_, ratio)| ratio)))
            td { (standing(one.word())) @if !one.missing.is_empty() { ": " (one.missing.join(", ")) } }
            td.number { (floor(one.floor)) }
            td.wide {
                @if let Some((setting, contest)) = &one.worst {
                    (summary.label(setting)) ": " (quantity::estimate(&contest.ratio)) " of "
                    (contest.peer) ", " (contest.standing.word())
                }
            }
            @if passed_over {
                td.wide { (one.passed_over.join(", ")) }
            }
        }
    }
}

/// The project's own allocators that have a row, in the order of the file, each with its call kind.
fn own(summary: &Summary) -> Vec<(&str, Call)> {
    let mut found: Vec<(&str, Call)> = Vec::new();
    for row in summary.rows.iter().filter(|row| row.role == Role::Own) {
        if !found.iter().any(|known| known.0 == row.subject) {
            found.push((&row.subject, row.call));
        }
    }
    found
}

fn matrix(summary: &Summary) -> Markup {
    let own = own(summary);
    let row_of = |setting: &Setting, name: &str| -> Option<&Row> {
        summary.rows.iter().find(|row| row.setting == *setting && row.subject == name)
    };
    table(
        "Time over the time of the best peer of the workload: median over rounds, 95 % interval, \
         standing, and that peer.",
        &html! { tr {
            th scope="col" { "Workload" }
            @for (name, call) in &own {
                th scope="col" { (subject(name, *call)) }
            }
            th.number scope="col" { "A/A floor" }
        } },
        &html! {
            @for setting in &summary.settings {
                tr {
                    th scope="row" { (workload(summary, setting)) }
                    @for (name, _) in &own { (cell(row_of(setting, name))) }
                    td.number { (floor(summary.floor_of(setting))) }
                }
            }
        },
    )
}

fn cell(row: Option<&Row>) -> Markup {
    html! {
        td {
            @match row.map(|row| (row, row.contest.as_ref())) {
                None => { "not run" },
                Some((_, Some(contest))) => {
                    (quantity::figure(contest.ratio.value)) " " (standing(contest.standing.word()))
                    span.interval.below {
                        @if let Some(ends) = contest.ratio.interval { (quantity::interval(ends)) " " }
                        "of " (contest.peer)
                    }
                },
                Some((row, None)) if row.failure.is_some() || row.time.is_none() => { (row.word()) },
                Some(_) => { "no peer" },
            }
        }
    }
}

fn losses(summary: &Summary) -> Markup {
    let behind = summary.standing(Standing::Behind);
    let undecided = summary.standing(Standing::Undecided);
    let failed: Vec<&Row> =
        summary.rows.iter().filter(|row| row.role == Role::Own && row.failure.is_some()).collect();
    let compared = summary.rows.iter().filter(|row| row.contest.is_some()).count();
    html! {
        @if behind.is_empty() {
            p {
                "In time on no workload beyond doubt: in none of "
                (quantity::plural(compared, "comparison", "comparisons"))
                " is the ratio above 1 and beyond the floor. "
                @if !undecided.is_empty() { (undecided.len()) " are undecided." }
            }
        } @else {
            (contests(
                "Behind the best peer: ratio above 1, beyond the A/A floor, highest first.",
                summary,
                &behind,
            ))
        }
        @if !undecided.is_empty() {
            details {
                summary {
                    "Undecided: " (quantity::plural(undecided.len(), "comparison", "comparisons"))
                }
                (contests(
                    "Undecided: inside the A/A floor, or the interval holds 1.",
                    summary,
                    &undecided,
                ))
            }
        }
        @if !failed.is_empty() {
            p {
                "Not compared, because a process failed: "
                (list(&failed.iter().map(|row| {
                    format!("{} on {}", row.subject, summary.label(&row.setting))
                }).collect::<Vec<_>>())) "."
            }
        }
    }
}

/// Whether an own allocator is called as Rust calls it, beside a peer that is.
fn inlined(summary: &Summary) -> bool {
    summary.contests.iter().any(|one| one.call == Call::Inline && one.against.is_some())
}

/// What the ranked own allocators come to in what is not time: whom they take more memory than, and whose
/// rare calls are faster.
fn elsewhere(results: &Results, summary: &Summary) -> Markup {
    let ranked: Vec<&Overall> =
        summary.overall_of(Scope::Main).filter(|one| one.place.is_some()).collect();
    let role = |name: &str| ranked.iter().find(|one| one.subject == name).map(|one| one.role);
    let memory: Vec<(&str, f64)> = ranked
        .iter()
        .filter_map(|one| Some((one.subject.as_str(), one.rss_ratio?.value)))
        .collect();
    let tails: Vec<(&str, f64)> = tails::means(results)
        .iter()
        .filter(|one| role(one.subject).is_some())
        .map(|one| (one.subject, one.percentiles[TailRow::P99_9]))
        .collect();
    let sentences =
        |what: &str, figures: &[(&str, f64)], shown: fn(f64) -> String| -> Vec<String> {
            let own = figures.iter().filter(|(name, _)| role(name) == Some(Role::Own));
            own.filter_map(|(name, value)| {
                let less: Vec<String> = figures
                    .iter()
                    .filter(|(other, its)| its < value && role(other) == Some(Role::Peer))
                    .map(|(other, its)| format!("{other} ({})", shown(*its)))
                    .collect();
                let value = shown(*value);
                (!less.is_empty()).then(|| format!("{what} {name} ({value}): {}.", list(&less)))
            })
            .collect()
        };
    let of_memory =
        sentences("Less peak memory over what is alive than", &memory, quantity::figure);
    let of_tails = sentences(
        "A shorter time that one call in a thousand exceeds than",
        &tails,
        quantity::duration,
    );
    html! {
        @if !of_memory.is_empty() || !of_tails.is_empty() {
            p { "In the means of what is not time, these peers come before it:" }
            ul {
                @for one in of_memory.iter().chain(&of_tails) { li { (one) } }
            }
            p {
                "More on that in " a href="#memory" { "memory beside time" }
                @if !of_tails.is_empty() { " and " a href="#tails" { "times of single calls" } } "."
            }
        }
    }
}

fn contests(caption: &str, summary: &Summary, contests: &[(&Row, &Contest)]) -> Markup {
    table(
        caption,
        &html! { tr {
            th scope="col" { "Workload" } th scope="col" { "Subject" } th scope="col" { "Best peer" }
            th.number scope="col" { "Ratio" } th.number scope="col" { "ns per pair" }
            th.number scope="col" { "Of the peer" } th.number scope="col" { "A/A floor" }
        } },
        &html! {
            @for (row, contest) in contests {
                @let peer = summary.rows_of(&row.setting).find(|one| one.subject == contest.peer);
                tr {
                    th scope="row" { (workload(summary, &row.setting)) }
                    td { (row.subject) }
                    td { (contest.peer) }
                    (estimate(Some(&contest.ratio)))
                    (estimate(row.time.as_ref()))
                    (estimate(peer.and_then(|peer| peer.time.as_ref())))
                    td.number { (floor(summary.floor_of(&row.setting))) }
                }
            }
        },
    )
}
