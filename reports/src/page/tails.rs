//! Times of single calls: percentiles, by operation, and the slowest calls with what happened at them.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Context;
use super::parts::{RECORDS, figure, table};
use crate::quantity;
use crate::record::{Cause, TailRow, WorstCall};
use crate::tails::{TailTable, means, surely_ns, tables, time};

/// Slowest calls of a subject that the page names; the records have more.
const NAMED: usize = 3;

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let tables = tables(context.results);
    if tables.iter().all(|one| one.cells.iter().all(|cell| cell.overall.is_none())) {
        return None;
    }
    let mut charts = context.charts.tails.iter();
    Some(html! {
        p {
            "In processes of their own, in which every call was timed by itself: the clock is read "
            "before and behind each, with fences, and what reading it costs is subtracted. Calls do not "
            "overlap then, so that these times are longer than a call's share of a replay, and only "
            "comparable with each other. What the program does with a block afterwards, page faults at "
            "its first touch among it, is not part of a call. A slow call is looked at again in another "
            "process that replays the same; one that is fast then had been disturbed from outside."
            @if context.brief {
                " The tables by operation, and of the slowest calls of each workload, would make the page too "
                "large; they are in the records of kind " code { "tails" } " in " a href=(RECORDS) { (RECORDS) } "."
            }
        }
        @if tables.len() > 1 {
            (overall(context, tables.len()))
            (slowest(&tables))
        }
        @for one in &tables {
            h3 { (one.workload) }
            (figure(
                one.cells.iter().any(|cell| cell.overall.is_some()).then(|| charts.next()).flatten(),
                &percentiles(one),
            ))
            @if !context.brief {
                details {
                    summary { "By operation, and the slowest calls" }
                    (operations(one))
                    (worst(one))
                }
            }
        }
    })
}

/// All workloads in one table.
fn overall(context: Context<'_>, workloads: usize) -> Markup {
    let caption = format!(
        "Times that so many of all calls do not exceed: geometric means over {workloads} workloads, of the \
         subjects that have them on each. Percentiles are of all calls, those that were disturbed from \
         outside among them. \"Up to\": on some workload the time is too short for the clock and counts as \
         the shortest that it can tell."
    );
    table(
        &caption,
        &html! { tr {
            th scope="col" { "Subject" }
            @for name in TailRow::PERCENTILES { th.number scope="col" { (name) } }
        } },
        &html! { @for mean in means(context.results) {
            tr {
                th scope="row" { (mean.subject) }
                @for (at, ns) in mean.percentiles.iter().enumerate() {
                    td.number {
                        @if mean.at_most[at] { "up to " }
                        (quantity::duration(*ns))
                    }
                }
            }
        } },
    )
}

/// The slowest call of each subject over all workloads, of those that were slow twice.
fn slowest(tables: &[TailTable<'_>]) -> Markup {
    let mut of_subject: BTreeMap<&str, (&str, &WorstCall)> = BTreeMap::new();
    for table in tables {
        for cell in &table.cells {
            let again = |call: &&&WorstCall| {
                call.again_ns.is_some() && call.cause != Some(Cause::NotRepeated)
            };
            // The slowest come first.
            let Some(call) = cell.worst.iter().find(again) else { continue };
            let known = of_subject.entry(cell.subject).or_insert((table.workload, call));
            if surely_ns(call) > surely_ns(known.1) {
                *known = (table.workload, call);
            }
        }
    }
    let mut found: Vec<_> = of_subject.into_iter().collect();
    found.sort_by(|(_, (_, one)), (_, (_, other))| surely_ns(one).total_cmp(&surely_ns(other)));
    if found.is_empty() {
        return html! {};
    }
    table(
        "The slowest call of each subject over all workloads that was slow again when it was made again, by \
         the shorter of its two times, and what was found at it then. Workloads on several threads are left \
         out: their calls cannot be found again.",
        &html! { tr {
            th scope="col" { "Subject" } th scope="col" { "Workload" } th scope="col" { "Operation" }
            th.number scope="col" { "Size" } th.number scope="col" { "Time" }
            th.number scope="col" { "Again" } th scope="col" { "What happened" }
        } },
        &html! {
            @for (subject, (workload, call)) in found {
                tr {
                    th scope="row" { (subject) }
                    td { (workload) }
                    td { (call.operation) }
                    td.number { (quantity::bytes(call.size_bytes as f64)) }
                    td.number { (quantity::duration(call.ns)) }
                    td.number { (call.again_ns.map(quantity::duration).unwrap_or_default()) }
                    td.wide { (happened(call)) }
                }
            }
        },
    )
}

fn head(names: &[&str]) -> Markup {
    html! {
        tr {
            @for name in names { th scope="col" { (name) } }
            th.number scope="col" { "Calls" }
            @for name in TailRow::PERCENTILES { th.number scope="col" { (name) } }
        }
    }
}

fn cells(percentiles: &[f64; 6], resolution_ns: f64) -> Markup {
    html! { @for ns in percentiles { td.number { (time(*ns, resolution_ns)) } } }
}

fn percentiles(one: &TailTable<'_>) -> Markup {
    table(
        "Times that so many of all calls do not exceed: medians over rounds.",
        &head(&["Subject"]),
        &html! {
            @for cell in &one.cells {
                tr {
                    th scope="row" { (cell.subject) }
                    @match &cell.overall {
                        Some(overall) => {
                            td.number { (quantity::count(cell.calls)) }
                            (cells(overall, cell.resolution_ns))
                        },
                        None => { td colspan="7" { (cell.status.word()) } },
                    }
                }
            }
        },
    )
}

fn operations(one: &TailTable<'_>) -> Markup {
    table(
        "The same by operation. A realloc that is not moved is one in place; a remote free is one by \
         another thread than the one that made the block.",
        &html! { tr {
            th scope="col" { "Subject" } th scope="col" { "Operation" }
            @for name in TailRow::PERCENTILES { th.number scope="col" { (name) } }
        } },
        &html! {
            @for cell in &one.cells {
                @for (operation, percentiles) in &cell.operations {
                    tr {
                        th scope="row" { (cell.subject) }
                        td { (operation) }
                        (cells(percentiles, cell.resolution_ns))
                    }
                }
            }
        },
    )
}

fn worst(one: &TailTable<'_>) -> Markup {
    table(
        "The slowest calls, by the shorter of their two times, and what was found at them when they were \
         made again. Calls are counted from the start of the measured region. Calls on several threads \
         cannot be found again.",
        &html! { tr {
            th scope="col" { "Subject" } th.number scope="col" { "Call" } th scope="col" { "Operation" }
            th.number scope="col" { "Size" } th.number scope="col" { "Time" }
            th.number scope="col" { "Again" } th scope="col" { "What happened" }
        } },
        &html! {
            @for cell in &one.cells {
                @for call in cell.worst.iter().take(NAMED) {
                    tr {
                        th scope="row" { (cell.subject) }
                        td.number {
                            (quantity::count(call.index))
                            @if call.thread > 0 { " of thread " (call.thread) }
                        }
                        td { (call.operation) }
                        td.number { (quantity::bytes(call.size_bytes as f64)) }
                        td.number { (quantity::duration(call.ns)) }
                        td.number { (call.again_ns.map(quantity::duration).unwrap_or_default()) }
                        td.wide { (happened(call)) }
                    }
                }
            }
        },
    )
}

/// What happened at a call, in words.
fn happened(call: &WorstCall) -> String {
    let Some(cause) = call.cause else { return "not looked at again".to_owned() };
    let faults = call.page_faults.unwrap_or(0);
    match cause {
        Cause::MappingCall => {
            let bytes = call.mapped_bytes.unwrap_or(0);
            let verb = if bytes < 0 { "unmapped" } else { "mapped" };
            let bytes = quantity::bytes(bytes.unsigned_abs() as f64);
            match faults {
                0 => format!("{bytes} {verb}"),
                _ => format!(
                    "{bytes} {verb}, {}",
                    quantity::plural(faults as usize, "page fault", "page faults")
                ),
            }
        }
        Cause::PageFault => quantity::plural(faults as usize, "page fault", "page faults"),
        Cause::ContextSwitch => "the thread lost the processor, both times".to_owned(),
        Cause::OwnWork => "the allocator's own work".to_owned(),
        Cause::NotRepeated => "not slow again: disturbed from outside".to_owned(),
    }
}
