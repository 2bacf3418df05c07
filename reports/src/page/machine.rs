//! What was compared, on what machine.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::Context;
use super::parts::table;
use crate::quantity::{self, plural};
use crate::record::{Call, Host, Role, Subject};
use crate::results::Results;

pub(super) fn section(context: Context<'_>) -> Markup {
    let results = context.results;
    let host = &results.host;
    let subjects = plural(results.subjects.len(), "subject", "subjects");
    html! {
        p {
            @if !results.samples.is_empty() {
                (plural(context.summary.subjects().len(), "subject", "subjects")) " on "
                (plural(results.workloads.len(), "workload", "workloads")) " in "
                (plural(context.summary.rounds(), "round", "rounds"))
                ", each sample in a process of its own: "
                (plural(results.samples.len(), "sample", "samples")) " of time or verified, "
            } @else if !results.programs.is_empty() {
                (subjects) " under "
                (plural(programs(results), "real program", "real programs")) ": "
                (plural(results.programs.len(), "run", "runs")) ", "
            } @else {
                (subjects) ", "
            }
            @if let Some(end) = results.end() {
                (quantity::duration(end.measuring_wall_ns as f64)) " of measuring in a run of "
                (quantity::duration(end.run_wall_ns as f64))
                @if results.ends.len() > 1 { ", gone on with " (times(results.ends.len() - 1)) }
                ", "
            }
            "profile " (host.profile) ", started "
            span.nowrap { (quantity::moment(host.started_unix_s)) } ". "
            "Ratios are taken against " strong { (host.baseline) } "."
        }
        dl.facts {
            @for (name, value) in facts(host) {
                div { dt { (name) } dd { (value) } }
            }
        }
        @if !results.subjects.is_empty() {
            (table(
                "Subjects. Alignment is what each promises for every block of at least that size.",
                &html! { tr {
                    th scope="col" { "Subject" } th scope="col" { "Kind" } th scope="col" { "Called" }
                    th scope="col" { "Version" } th scope="col" { "Library" }
                    th.number scope="col" { "Alignment" } th scope="col" { "Remark" }
                } },
                &html! { @for subject in &results.subjects { (row(subject)) } },
            ))
        }
    }
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { plural(count, "time", "times") }
}

/// How many programs were run.
fn programs(results: &Results) -> usize {
    results.programs.iter().map(|run| &run.program).collect::<BTreeSet<_>>().len()
}

fn row(subject: &Subject) -> Markup {
    html! {
        tr {
            th scope="row" { (subject.subject) }
            td { (role(subject.role)) }
            td { (call(subject.call)) }
            td { (subject.version) }
            td {
                (subject.library)
                @if let Some(sum) = &subject.sha256 {
                    " " span.interval title=(sum) { "sha256 " (sum.chars().take(12).collect::<String>()) }
                }
            }
            td.number { (subject.alignment_bytes) " B" }
            td.wide { (subject.remark.as_deref().unwrap_or_default()) }
        }
    }
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Peer => "allocator",
        Role::Own => "allocator of this project",
        Role::Preset => "pymalloc's algorithm, by this project",
        Role::Reference => "reference",
    }
}

pub(super) fn call(call: Call) -> &'static str {
    match call {
        Call::C => "C function",
        Call::Inline => "Rust's GlobalAlloc, size known at free",
        Call::None => "not called",
    }
}

fn facts(host: &Host) -> Vec<(&'static str, String)> {
    let unknown = || "not known".to_owned();
    let cache =
        |bytes: Option<u64>| bytes.map_or_else(unknown, |bytes| quantity::bytes(bytes as f64));
    vec![
        (
            "Processor",
            format!(
                "{}{}{}, {} in use",
                host.cpu_model,
                host.cpu_id.as_ref().map_or_else(String::new, |id| format!(" ({id})")),
                if host.virtual_machine == Some(true) { ", of a virtual machine" } else { "" },
                plural(host.cpus as usize, "logical processor", "logical processors")
            ),
        ),
        (
            "Pinned to",
            host.cpus_allowed.as_ref().map_or_else(unknown, |list| match list.parse::<u32>() {
                Ok(one) => format!("processor {one}"),
                Err(_) => format!("none: scheduled on processors {list}"),
            }),
        ),
        (
            "Second-level cache",
            format!("{}; last level {}", cache(host.l2_bytes), cache(host.llc_bytes)),
        ),
        ("Memory", quantity::bytes(host.memory_bytes as f64)),
        ("Kernel", host.kernel.clone()),
        ("C library", host.libc.clone()),
        ("Rust compiler", host.rustc.clone()),
        ("Arenabench", format!("{}, seed {}", host.arenabench, host.seed)),
        ("Frequency governor", host.governor.clone().unwrap_or_else(unknown)),
        ("Transparent huge pages", host.transparent_hugepages.clone().unwrap_or_else(unknown)),
        ("Address randomisation", if host.address_randomisation { "on" } else { "off" }.to_owned()),
        ("Load at the start", format!("{:.2} over one minute", host.load_1m)),
        ("Valgrind", host.valgrind.clone().unwrap_or_else(|| "not installed".to_owned())),
    ]
}
