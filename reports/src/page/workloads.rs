//! The workloads one by one: what each does, its shape, and every figure of every subject.

use maud::{Markup, html};

use super::Context;
use super::parts::{estimate, figure, number, sentence, table, word, workload_anchor};
use crate::quantity::{self, list, plural};
use crate::record::{Source, Workload};
use crate::summary::{Setting, Summary};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let Context { results, summary, charts, .. } = context;
    let of = |workload: &Workload| -> Vec<usize> {
        let settings = summary.settings.iter().enumerate();
        settings
            .filter(|(_, one)| one.workload == workload.workload)
            .map(|(index, _)| index)
            .collect()
    };
    let unnamed: Vec<usize> = (0..summary.settings.len())
        .filter(|&index| {
            let name = &summary.settings[index].workload;
            results.workloads.iter().all(|workload| workload.workload != *name)
        })
        .collect();
    if results.workloads.is_empty() && unnamed.is_empty() {
        return None;
    }
    let detail = |index: usize| {
        let drawn = [&charts.times, &charts.ratios, &charts.memory];
        let drawn = drawn.into_iter().filter_map(|charts| charts[index].as_ref());
        figure(drawn, &rows(summary, &summary.settings[index]))
    };
    let anchor = |workload: &Workload| {
        (!of(workload).is_empty()).then(|| workload_anchor(summary, &workload.workload))
    };
    Some(html! {
        @for workload in &results.workloads {
            h3 id=[anchor(workload)] { (workload.workload) }
            p { (sentence(&workload.description)) " " (source(workload.source)) }
            (shape(workload))
            @for index in of(workload) { (detail(index)) }
        }
        @for index in unnamed {
            @let name = &summary.settings[index].workload;
            h3 id=(workload_anchor(summary, name)) { (name) }
            (detail(index))
        }
    })
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Generated => "Generated from a seed.",
        Source::Recorded => "Recorded from a program on this computer during this run.",
        Source::File => "Read from a trace file.",
    }
}

fn shape(workload: &Workload) -> Markup {
    let kinds: Vec<String> = workload
        .operations_by_kind
        .iter()
        .map(|(kind, count)| format!("{kind} {}", quantity::count(*count)))
        .collect();
    html! {
        dl.facts {
            div { dt { "Calls measured" } dd { (quantity::count(workload.operations)) " (" (kinds.join(", ")) ")" } }
            div { dt { "Threads in all" } dd { (workload.threads) } }
            div { dt { "Peak of live bytes" } dd { (quantity::bytes(workload.live_peak_bytes as f64)) } }
            div { dt { "Blocks alive at the start" } dd { (quantity::count(workload.base_blocks)) } }
            div { dt { "Requests of 512 B or less" } dd { (quantity::share(workload.small_share)) " by count" } }
            @if !workload.losses.is_empty() {
                div {
                    dt { "The trace does not know" }
                    dd { (list(&losses(workload))) ". No claim here rests on it." }
                }
            }
        }
    }
}

/// Loss flags in words; a flag of a later version as it stands.
fn losses(workload: &Workload) -> Vec<&str> {
    let words = |flag: &'static str| match flag {
        "no-thread-ids" => "which thread made a call",
        "no-realloc" => "which allocations were reallocations",
        "no-alignment" => "requested alignments",
        "rounded-sizes" => "exact sizes (they are rounded)",
        "truncated" => "how the program went on (the recording was cut off)",
        other => other,
    };
    let known = ["no-thread-ids", "no-realloc", "no-alignment", "rounded-sizes", "truncated"];
    workload
        .losses
        .iter()
        .map(|flag| known.iter().find(|one| *one == flag).map_or(flag.as_str(), |one| words(one)))
        .collect()
}

fn rows(summary: &Summary, setting: &Setting) -> Markup {
    let rounds =
        summary.rows_of(setting).filter_map(|row| Some(row.ratio?.count)).max().unwrap_or(0);
    let caption = format!(
        "Medians, 95 % intervals. Ratio: to {} within {} at most. Replay mode {}, touch policy {}.",
        summary.baseline,
        plural(rounds, "round", "rounds"),
        setting.mode,
        setting.touch
    );
    table(
        &caption,
        &html! { tr {
            th scope="col" { "Subject" } th.number scope="col" { "Samples" }
            th.number scope="col" { "ns per pair" } th.number scope="col" { "Ratio" }
            th scope="col" { "Verdict" } th.number scope="col" { "Peak resident set" }
            th.number scope="col" { "Over live" } th.number scope="col" { "Page faults" }
        } },
        &html! {
            @for row in summary.rows_of(setting) {
                tr {
                    th scope="row" { (row.subject) }
                    td.number {
                        (row.times_ns_per_pair.len())
                        @if row.disturbed > 0 { ", " (row.disturbed) " not calm" }
                        @if row.verified > 0 { " + " (row.verified) " verified" }
                    }
                    (estimate(row.time.as_ref()))
                    (estimate(row.ratio.as_ref()))
                    td { (word(row)) }
                    (number(row.rss_peak_bytes.map(quantity::bytes)))
                    (estimate(row.rss_ratio.as_ref()))
                    (number(row.page_faults.map(|faults| quantity::count(faults.round() as u64))))
                }
            }
        },
    )
}
