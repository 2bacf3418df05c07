//! Memory over the life of a program: used against live bytes, what is left after the end, waste
//! inside blocks, and pictures of heaps.

use maud::{Markup, html};

use super::Context;
use super::parts::{figure, table};
use crate::life::{HEAD, LifeTable, figures, packing_words, tables};
use crate::quantity;

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let tables = tables(context.results);
    if tables.iter().all(|one| one.drawn.is_empty()) {
        return None;
    }
    let charts = context.charts;
    let chart_of = |name: &str| charts.life.iter().find(|(workload, _)| workload == name);
    let mapped: Vec<&LifeTable<'_>> = tables.iter().filter(|one| !one.maps.is_empty()).collect();
    Some(html! {
        p {
            "One pass on a cold heap per subject, on one thread, without address randomisation and "
            "without huge pages, so that the figures repeat: each was taken twice, in two processes. "
            em { "Live" } " is what the program has asked for and not yet freed; " em { "used" } " is "
            "resident memory in whole OS pages. Used over live is given in the four ways of Johnstone and "
            "Wilson: the mean over all readings, when most was alive, when most was used, and the peaks "
            "over each other. Waste in blocks is what the subject itself says may be used beyond what was "
            "asked for, over the requested bytes. Lines are drawn of the project's subject that uses least, "
            "of the baseline, and of the other allocators that use least; the table has all."
        }
        @for one in &tables {
            h3 { (one.workload) }
            (figure(chart_of(one.workload).map(|(_, chart)| chart), &life(one)))
            @if let Some(packing) = one.packing { p { (packing_words(packing)) } }
            (waste(one))
        }
        @if !charts.heaps.is_empty() {
            h3 { "Heap maps" }
            (figure(&charts.heaps, &fills(&mapped)))
        }
    })
}

fn life(one: &LifeTable<'_>) -> Markup {
    table(
        "Least peak first. Left: used memory after everything was freed.",
        &html! { tr {
            th scope="col" { "Subject" }
            @for name in HEAD { th.number scope="col" { (name) } }
        } },
        &html! {
            @for record in &one.cells {
                tr {
                    th scope="row" { (record.subject) }
                    @match figures(record) {
                        Some(figures) => { @for figure in figures { td.number { (figure) } } },
                        None => { td colspan="12" { (record.status.word()) } },
                    }
                }
            }
        },
    )
}

fn waste(one: &LifeTable<'_>) -> Markup {
    html! {
        details {
            summary { "Waste in blocks by size of the request" }
            (table(
                "Over all births and resizes of the pass.",
                &html! { tr {
                    th scope="col" { "Subject" } th scope="col" { "Sizes" }
                    th.number scope="col" { "Requests" } th.number scope="col" { "Requested" }
                    th.number scope="col" { "Usable" }
                } },
                &html! {
                    @for record in &one.cells {
                        @for row in &record.waste {
                            tr {
                                th scope="row" { (record.subject) }
                                td { (row.sizes) }
                                td.number { (quantity::count(row.requests)) }
                                td.number { (quantity::bytes(row.requested_bytes as f64)) }
                                td.number { (quantity::bytes(row.usable_bytes as f64)) }
                            }
                        }
                    }
                },
            ))
        }
    }
}

/// Shares of pages by fill, of the heaps that are drawn.
fn fills(mapped: &[&LifeTable<'_>]) -> Markup {
    table(
        "Resident pages between live blocks, when most bytes were alive, and the share of them that is so \
         full.",
        &html! { tr {
            th scope="col" { "Workload" } th scope="col" { "Subject" }
            th.number scope="col" { "Pages" } th.number scope="col" { "Nothing alive" }
            th.number scope="col" { "To a half" } th.number scope="col" { "To 7 eighths" }
            th.number scope="col" { "Fuller" }
        } },
        &html! {
            @for one in mapped {
                @for record in &one.maps {
                    @if let Some(map) = &record.map {
                        @let total = map.pages_by_fill.iter().sum::<u64>();
                        @let parts = [0..1, 1..5, 5..8, 8..9].map(|range| {
                            map.pages_by_fill[range].iter().sum::<u64>() as f64 / total.max(1) as f64
                        });
                        tr {
                            td { (one.workload) }
                            th scope="row" { (record.subject) }
                            td.number { (quantity::count(total)) }
                            @for part in parts { td.number { (quantity::share(part)) } }
                        }
                    }
                }
            }
        },
    )
}
