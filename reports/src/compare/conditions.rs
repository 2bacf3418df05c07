//! What differs between the two runs besides the figures, in sentences.

use crate::quantity;
use crate::record::{Host, Subject, Workload};
use crate::results::Results;

/// What may be compared at all, and what a reader must know.
#[derive(Debug)]
pub(super) struct Conditions {
    /// Whether both files come from one computer (C3).
    pub(super) same_computer: bool,
    /// Whether ratios within the files go to the same baseline.
    pub(super) same_baseline: bool,
    /// Whether that baseline is the same build, so that what it moved between the files is the
    /// computer's doing (C4).
    pub(super) baseline_unchanged: bool,
    /// Workloads that have the same name and other events.
    pub(super) other_events: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Conditions {
    pub(super) fn of(a: &Results, b: &Results) -> Self {
        let same_computer = is_same_computer(&a.host, &b.host);
        let same_baseline = a.host.baseline == b.host.baseline;
        let other_events = other_events(&a.workloads, &b.workloads);
        let mut notes = Vec::new();
        if !same_computer {
            notes.push(format!(
                "DIFFERENT COMPUTERS: {} in A, {} in B. Absolute times are not compared, only times \
                 over the baseline's in the same file.",
                computer(&a.host),
                computer(&b.host)
            ));
        }
        if !same_baseline {
            notes.push(format!(
                "DIFFERENT BASELINES: {} in A, {} in B. Times over the baseline's are not compared.",
                a.host.baseline, b.host.baseline
            ));
        }
        if !same_computer && !same_baseline {
            notes.push("NO TIME CAN BE COMPARED of these two files.".to_owned());
        }
        notes.extend(settings(&a.host, &b.host));
        notes.extend(touch_policies(a, b));
        notes.extend(
            other_events.iter().map(|name| {
                format!("DIFFERENT EVENTS in workload {name}: same name, not compared.")
            }),
        );
        for one in &a.subjects {
            let other = b.subjects.iter().find(|other| other.subject == one.subject);
            notes.extend(other.and_then(|other| versions(one, other)));
        }
        notes.extend(unfinished("A", a).into_iter().chain(unfinished("B", b)));
        Self {
            same_computer,
            same_baseline,
            baseline_unchanged: same_baseline && baseline_build(a) == baseline_build(b),
            other_events,
            notes,
        }
    }
}

/// One percent of main memory comes and goes with the kernel.
fn is_same_computer(a: &Host, b: &Host) -> bool {
    let memory = (a.memory_bytes as f64, b.memory_bytes as f64);
    a.cpu_model == b.cpu_model
        && a.cpus == b.cpus
        && (memory.0 - memory.1).abs() <= 0.01 * memory.0.max(memory.1)
}

fn computer(host: &Host) -> String {
    let memory = quantity::bytes(host.memory_bytes as f64);
    format!("{} with {} processors and {memory}", host.cpu_model, host.cpus)
}

/// Settings of the computer and of the run that can move figures.
fn settings(a: &Host, b: &Host) -> Vec<String> {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "not known".to_owned());
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    let of = |host: &Host| {
        [
            ("kernel", host.kernel.clone()),
            ("C library", host.libc.clone()),
            ("arenabench", host.arenabench.clone()),
            ("Rust compiler", host.rustc.clone()),
            ("processors allowed", known(&host.cpus_allowed)),
            ("frequency governor", known(&host.governor)),
            ("transparent huge pages", known(&host.transparent_hugepages)),
            ("address randomisation", on(host.address_randomisation)),
            ("Valgrind", known(&host.valgrind)),
            ("C compiler", known(&host.cc)),
            ("profile", host.profile.clone()),
        ]
    };
    let pairs = of(a).into_iter().zip(of(b));
    pairs
        .filter(|(one, other)| one != other)
        .map(|(one, other)| format!("Different {}: {} in A, {} in B.", one.0, one.1, other.1))
        .collect()
}

fn touch_policies(a: &Results, b: &Results) -> Option<String> {
    let of = |results: &Results| {
        let mut found: Vec<String> =
            results.samples.iter().map(|sample| sample.touch.clone()).collect();
        found.sort();
        found.dedup();
        found
    };
    let (a, b) = (of(a), of(b));
    (a != b && !a.is_empty() && !b.is_empty()).then(|| {
        format!(
            "DIFFERENT TOUCH POLICIES: {} in A, {} in B. Only what was touched alike is compared.",
            quantity::list(&a),
            quantity::list(&b)
        )
    })
}

/// What makes two builds of a subject the same one.
fn build(subject: &Subject) -> (&str, &str, Option<&str>) {
    (&subject.version, &subject.library, subject.sha256.as_deref())
}

fn baseline_build(results: &Results) -> Option<(&str, &str, Option<&str>)> {
    let mut records = results.subjects.iter();
    records.find(|one| one.subject == results.host.baseline).map(build)
}

fn versions(a: &Subject, b: &Subject) -> Option<String> {
    (build(a) != build(b)).then(|| match a.version == b.version {
        true => format!("Different library of {}, both of version {}.", a.subject, a.version),
        false => {
            format!("Different version of {}: {} in A, {} in B.", a.subject, a.version, b.version)
        }
    })
}

fn other_events(a: &[Workload], b: &[Workload]) -> Vec<String> {
    let differs = |one: &&Workload| {
        b.iter().any(|other| other.workload == one.workload && other.sha256 != one.sha256)
    };
    a.iter().filter(differs).map(|one| one.workload.clone()).collect()
}

fn unfinished(name: &str, results: &Results) -> Option<String> {
    (!results.is_complete()).then(|| format!("{name} is the file of a run that did not finish."))
}
