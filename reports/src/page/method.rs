//! How it was measured, and what may be unfair about it.

use maud::{Markup, html};

use super::Context;
use super::parts::{RECORDS, SAMPLES, sentence};
use crate::quantity;
use crate::record::{Call, Role, Sample, Source, Subject};
use crate::statistics::{MIN_BOOTSTRAP_ROUNDS, RESAMPLES};
use crate::weather::{CALM_SHARE, is_disturbed};

pub(super) fn section(context: Context<'_>) -> Markup {
    let results = context.results;
    html! {
        ul {
            @if !results.samples.is_empty() { (of_replays(context)) }
            @if !results.programs.is_empty() { (of_programs()) }
            @if !results.samples.is_empty() || !results.programs.is_empty() { (of_figures(context)) }
        }
        h3 { "What may be unfair" }
        ul { @for caution in cautions(context) { li { (caution) } } }
        h3 { "Raw records" }
        p {
            "Everything above is drawn from " a href=(RECORDS) { (RECORDS) }
            ", one JSON object per line, schema " code { (crate::record::SCHEMA) } ". "
            @if !results.samples.is_empty() { "The samples are also in " a href=(SAMPLES) { (SAMPLES) } ", a" }
            @else { "A" }
            " summary in " a href="report.md" { "report.md" } ", the charts in " code { "charts/" } "."
            @if results.ends.is_empty() { " The records have no end record." }
        }
    }
}

/// How real programs were run.
fn of_programs() -> Markup {
    html! {
        li {
            "A run is one process of the program under one subject, preloaded into it. Before the first run of "
            "each subject it is proven that the subject serves the process, and what the program writes is "
            "compared. Runs are interleaved, in random order within a round."
        }
    }
}

/// How replays were timed.
fn of_replays(context: Context<'_>) -> Markup {
    let results = context.results;
    html! {
        li {
            "A " em { "sample" } " is one process that replays a workload with one subject. Before the "
            "clock starts, the workload is compiled into operations in memory that no subject serves. "
            "Its time is that of one pass, the final freeing of everything left out."
        }
        @if let Some(words) = calm(context) { li { (words) } }
        li { "A time per pair is twice the wall time over the number of calls: the cost of one allocation and its free." }
        li {
            "Subjects are measured in rounds, in which the subjects of a workload follow one another in random "
            "order. A ratio is taken within a round, so that what disturbs all of them cancels. The ratio shown "
            "is the median over rounds."
        }
        @if results.subjects.iter().any(|one| one.role == Role::Reference) {
            li {
                "References are no allocators to choose: " code { "null" } " has every address assigned "
                "beforehand and is what the harness itself costs, which is part of every time and draws all "
                "ratios towards 1; " code { "bump" } " never reuses memory; "
                code { "ideal" } " keeps a list per size and is told the size at free."
            }
        }
        li { "Only samples that finished count. A cell with a failed process has no ratio." }
    }
}

/// What intervals, floors and means are.
fn of_figures(context: Context<'_>) -> Markup {
    let results = context.results;
    html! {
        li {
            "Intervals are at 95 %. With " (MIN_BOOTSTRAP_ROUNDS) " rounds or more they are a bootstrap of "
            "the median over rounds (" (RESAMPLES) " resamples, fixed seed, tails widened for small numbers); "
            "with fewer, Student's t on logarithms, because resampling so few values promises too much."
        }
        li {
            "The A/A floor is the largest difference that the interval of the baseline against itself "
            "still allows. It is measured in the same run"
            @if !results.samples.is_empty() { "; pairs may be added after the last round to narrow it" } "."
        }
        li { "A geometric mean goes over the ratios of the workloads shown, and speaks of no others." }
        @if results.workloads.iter().any(|one| one.threads > 1) {
            li {
                "Workloads on one thread and on several are ranked apart. That a subject does not support a "
                "workload is no failure, and costs it no place elsewhere."
            }
        }
        @if results.workloads.iter().any(|one| one.source == Source::Generated) {
            li {
                "The name of a generated workload says how many blocks are alive (" code { ":1k" }
                ") and the Python version whose habits it has (" code { "@3.9" }
                "); a name without them has those that " code { "arenabench list" } " says."
            }
        }
    }
}

/// How much of the measuring was free of what others did to the processors; `None` of records that do
/// not tell.
fn calm(context: Context<'_>) -> Option<String> {
    let samples = || context.results.samples.iter();
    let known = samples().filter(|sample| sample.calm_share.is_some());
    let (apart, alone): (Vec<&Sample>, Vec<&Sample>) =
        known.partition(|sample| sample.mode != "serial");
    let is_calm = |sample: &&&Sample| sample.calm_share.is_some_and(|share| share >= CALM_SHARE);
    let count = |samples: &[&Sample]| {
        let calm = samples.iter().filter(is_calm).count();
        format!(
            "{} of {} samples",
            quantity::count(calm as u64),
            quantity::count(samples.len() as u64)
        )
    };
    let retaken: usize = samples().map(|sample| sample.retaken_calm_shares.len()).sum();
    let mut text = String::new();
    if !alone.is_empty() {
        text += &format!(
            "On one thread a pass is timed in parts of some ten microseconds, and a gauge beside each \
             tells whether somebody else used the core. Of a part the median of its calm passes \
             counts; of one that was calm in no pass, the fastest. {} were calm in {:.0} % of their \
             parts or more, twice in each. ",
            count(&alone),
            100.0 * CALM_SHARE,
        );
    }
    if !apart.is_empty() {
        text += &format!(
            "On several threads passes count whose two processors were cores that share a cache, by the \
             round trip of a cache line; {} are made of such passes. Once the first pass and the fastest \
             quarter of the others are set aside, the fastest counts. ",
            count(&apart),
        );
    }
    let rest = if alone.iter().any(|sample| is_disturbed(sample)) {
        " On one thread times are of calm samples, and ratios of the rounds in which both sides were calm, \
         where there are two. Others have no interval and decide nothing."
    } else {
        ""
    };
    (!text.is_empty()).then(|| {
        text + &format!(
            "{} children were taken in place of others that were not calm or not near, as the gauge or the \
             round trip says; a child's own time is not looked at for that.{rest}",
            quantity::count(retaken as u64)
        )
    })
}

fn cautions(context: Context<'_>) -> Vec<String> {
    let results = context.results;
    let host = &results.host;
    let mut cautions = Vec::new();
    if !results.samples.is_empty() {
        cautions.extend([
            "A replay has no program around it: the caches are not shared with the program's own data, and \
             the time between calls is gone."
                .to_owned(),
            "Every ranked subject is called through the same table of C functions. What an allocator would \
             gain by being inlined into a program is not in these figures."
                .to_owned(),
        ]);
        // The C library's own is neither.
        let is_linked = |one: &Subject| {
            one.call == Call::C && one.sha256.is_none() && !one.version.starts_with("glibc")
        };
        let allocators = || results.subjects.iter().filter(|one| one.role != Role::Reference);
        if allocators().any(is_linked) && allocators().any(|one| one.sha256.is_some()) {
            cautions.push(
                "Some subjects are linked into the harness and others preloaded, as the list of subjects \
                 says, and ranked together. Where one version of an allocator is measured both ways, the difference shows."
                    .to_owned(),
            );
        }
    }
    if !results.programs.is_empty() {
        cautions.push(
            "Most of a program's time is not spent in its allocator, so that whole programs are nearer to \
             each other than replays of them."
                .to_owned(),
        );
        if results.subjects.iter().any(|one| one.sha256.is_some()) {
            cautions.push(
                "Memory is that of the whole process: a subject that is a library of its own is charged with \
                 loading it, in time as well, and an allocator that the program has anyway is not."
                    .to_owned(),
            );
        }
    }
    if results.subjects.iter().any(|one| one.role == Role::Own) {
        cautions.push(
            "This project's allocators were tuned by replays of workloads like these, recorded programs among \
             them; the others were tuned by their authors on what they had, and are measured as they come."
                .to_owned(),
        );
    }
    cautions.push(
        "When many subjects are compared, the fastest owes part of its lead to luck. The floor and the \
         intervals limit this, they do not remove it."
            .to_owned(),
    );
    if results.workloads.iter().any(|workload| workload.threads > 1) {
        let is_parallel = results.samples.iter().any(|sample| sample.mode != "serial");
        cautions.push(match is_parallel {
            true => "Of workloads with several threads the time and the tails are those of real threads; \
                     memory, counts and Valgrind errors are those of one thread in recorded order."
                .to_owned(),
            false => "Workloads with several threads were replayed on one thread in recorded order: \
                      nothing is said about contention."
                .to_owned(),
        });
    }
    if !results.memories.is_empty() && !results.samples.is_empty() {
        cautions.push(
            "Memory beside the time is with the huge pages that the computer gives, memory over the life \
             without any: an allocator that asks for huge pages takes more in the first, and is faster \
             for it."
                .to_owned(),
        );
    }
    if !results.samples.is_empty() && results.subjects.iter().any(|one| one.sha256.is_some()) {
        cautions.push(
            "Memory that was resident before a subject's first call is left out. A preloaded library has \
             served its process before, so that some tens of KiB of its own are not counted, which are \
             counted for the same allocator linked."
                .to_owned(),
        );
    }
    if results.samples.iter().any(|sample| sample.touch == "header") {
        cautions.push(
            "Only the first bytes of a block are written and read. A program that uses its blocks whole \
             pays more for memory that is spread out."
                .to_owned(),
        );
    }
    if results.subjects.iter().any(|one| one.call == Call::Inline && one.role != Role::Reference) {
        cautions.push(
            "Subjects called as Rust calls them know the size of a block at free. They are shown apart and \
             never ranked with the others. The code of this project's is inlined into the replay; that of \
             crates around C is not."
                .to_owned(),
        );
    }
    if host.load_1m > f64::from(host.cpus) / 2.0 {
        cautions.push(format!(
            "The computer was busy at the start: a load of {:.2} on {} processors.",
            host.load_1m, host.cpus
        ));
    }
    if host.governor.as_deref().is_some_and(|governor| governor != "performance") {
        cautions.push(format!(
            "The frequency governor was \"{}\", so the clock rate may have changed during the run.",
            host.governor.as_deref().unwrap_or_default()
        ));
    }
    cautions.extend(results.subjects.iter().filter_map(|subject| {
        subject.remark.as_ref().map(|remark| format!("{}: {}", subject.subject, sentence(remark)))
    }));
    cautions
}
