//! Rules on what repeats exactly: verification, instructions, memory, Valgrind's errors.

use super::Side;
use super::endings;
use super::row::{Row, Ruling};
use super::rule::{
    CALLS, CALLS_SHARE, FAULTS, FAULTS_SHARE, GROWTH, GROWTH_BYTES, INSTRUCTIONS, MEMORY, MISSES,
    MISSES_SHARE, PAGE_BYTES, Rule,
};
use crate::record::{Counts, Footprint, Memcheck, Sample, Status};

/// Every verified cell of `after`, and every other replay of it that did not come to its end: wrong
/// contents and crashes are regressions whatever was before.
pub(super) fn verification(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let verified = |side: Side<'_>, workload: &str| {
        let mut samples = side.results.samples.iter().filter(|one| one.verified);
        samples.find(|one| one.subject == side.subject && one.workload == workload).cloned()
    };
    for workload in workloads(after) {
        let cell = (workload, after.subject);
        let row = match (verified(before, workload), verified(after, workload)) {
            (_, None) => Row::without_figures(
                Rule::Verification,
                cell,
                Ruling::Failed,
                "the cell was not verified",
            ),
            (was, Some(now)) => verified_row(was.as_ref(), &now),
        };
        let is_sound = row.ruling == Ruling::Good;
        rows.push(row);
        // What fails when everything is checked fails elsewhere too, and is said once.
        if is_sound {
            rows.extend(endings::broken(before, after, workload));
        }
    }
}

fn verified_row(was: Option<&Sample>, now: &Sample) -> Row {
    let ruling = match now.status {
        Status::Ok => Ruling::Good,
        // What was run is not what was to be judged, or nothing was.
        Status::NotLoaded | Status::Missing | Status::Unsupported | Status::Interrupted => {
            Ruling::Failed
        }
        Status::Mismatch | Status::Exit | Status::Signal | Status::Timeout | Status::Oom => {
            Ruling::Regression
        }
    };
    let said = now.message.as_deref().unwrap_or_default();
    let note = match now.status {
        Status::Ok => None,
        status => Some(format!("{}: {said}", status.word())),
    };
    let failed = |status: Status| f64::from(u8::from(status != Status::Ok));
    Row {
        rule: Rule::Verification,
        workload: now.workload.clone(),
        subject: now.subject.clone(),
        part: None,
        before: was.map(|was| failed(was.status)),
        after: Some(failed(now.status)),
        interval: None,
        threshold: "any".to_owned(),
        ruling,
        note,
    }
}

/// Instructions per pair of calls, the replay's own among them on both sides.
pub(super) fn instructions(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let of = |side: Side<'_>, workload: &str| -> Found<f64> {
        let all = side.results.counts.iter();
        let mut cells = all.filter(|one| one.subject == side.subject && one.workload == workload);
        cells.next().map(|one: &Counts| {
            one.per_pair(one.instructions).ok_or_else(|| why(one.status, one.message.as_deref()))
        })
    };
    let threads = |side: Side<'_>, workload: &str| {
        let mut all = side.results.counts.iter();
        let cell = all.find(|one| one.subject == side.subject && one.workload == workload);
        cell.map(|one| one.threads.unwrap_or(1))
    };
    for workload in workloads(after) {
        let cell = (workload, after.subject);
        let found = (of(before, workload), of(after, workload));
        let on = [threads(before, workload), threads(after, workload)];
        let row = on_others(Rule::Instructions, cell, &found, on);
        rows.push(row.unwrap_or_else(|| relative(Rule::Instructions, cell, found, INSTRUCTIONS)));
    }
}

/// A figure of a record on counts.
type Figure = fn(&Counts) -> Option<u64>;

/// What is counted beside instructions: the rule, its part, the figure.
const EVENTS: [(Rule, Option<&str>, Figure); 3] = [
    (Rule::SystemCalls, None, |one| one.system_calls),
    (Rule::CacheMisses, Some("first level"), |one| one.d1_misses),
    (Rule::CacheMisses, Some("last level"), |one| one.ll_misses),
];

/// Misses of the simulated data caches, and calls of the kernel, in the region whose instructions are counted.
/// Where there are no instructions, or they are of other threads, the rule on them says so.
pub(super) fn events(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let of = |side: Side<'_>, workload: &str| {
        let mut all = side.results.counts.iter();
        let found = all.find(|one| one.subject == side.subject && one.workload == workload);
        found.filter(|one| one.instructions.is_some()).cloned()
    };
    for workload in workloads(after) {
        let (Some(was), Some(now)) = (of(before, workload), of(after, workload)) else { continue };
        if was.threads.unwrap_or(1) != now.threads.unwrap_or(1) {
            continue;
        }
        let cell = (workload, after.subject);
        for (rule, part, figure) in EVENTS {
            let (least, share, threshold) = match rule {
                Rule::CacheMisses => (MISSES, MISSES_SHARE, "512 and 3 %"),
                _ => (CALLS, CALLS_SHARE, "8 and 5 %"),
            };
            let undecided = |what: &str| {
                let note = format!("{what}; record the baseline anew");
                Row::without_figures(rule, cell, Ruling::Undecided, note)
            };
            let row = match (figure(&was), figure(&now)) {
                // Calls of the kernel are not counted where threads make the calls in turns.
                (None, None) => continue,
                _ if rule == Rule::CacheMisses && was.caches != now.caches => {
                    undecided("the caches had another shape")
                }
                (Some(less), Some(more)) => {
                    let (less, more) = (less as f64, more as f64);
                    let beyond = |more: f64, less: f64| more > less * (1.0 + share) + least;
                    let is_beyond = [beyond(more, less), beyond(less, more)];
                    grown((rule, threshold), cell, (less, more), is_beyond)
                }
                _ => undecided("counted on one side alone"),
            };
            rows.push(Row { part: part.map(str::to_owned), ..row });
        }
    }
}

/// Peak and retained memory.
pub(super) fn memory(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let of = |side: Side<'_>, workload: &str, figure: fn(&Footprint) -> Option<u64>| {
        let all = side.results.footprints.iter();
        let mut cells = all.filter(|one| one.subject == side.subject && one.workload == workload);
        cells.next().map(|one| {
            figure(one)
                .map(|bytes| bytes as f64)
                .ok_or_else(|| why(one.status, one.message.as_deref()))
        })
    };
    let threads = |side: Side<'_>, workload: &str| {
        let mut all = side.results.footprints.iter();
        let cell = all.find(|one| one.subject == side.subject && one.workload == workload);
        cell.map(|one| one.threads.unwrap_or(1))
    };
    let peak: fn(&Footprint) -> Option<u64> = |one| one.rss_peak_bytes;
    let retained: fn(&Footprint) -> Option<u64> = |one| one.rss_retained_bytes;
    for (rule, figure) in [(Rule::PeakMemory, peak), (Rule::RetainedMemory, retained)] {
        for workload in workloads(after) {
            let cell = (workload, after.subject);
            let found = (of(before, workload, figure), of(after, workload, figure));
            let on = [threads(before, workload), threads(after, workload)];
            let row = on_others(rule, cell, &found, on)
                .or_else(|| touched_otherwise(rule, before, after, workload));
            rows.push(row.unwrap_or_else(|| relative(rule, cell, found, MEMORY)));
        }
    }
}

/// The row of a cell whose blocks were touched otherwise before than after, as they are by another version
/// of the harness: its two figures are not compared.
fn touched_otherwise(rule: Rule, before: Side<'_>, after: Side<'_>, workload: &str) -> Option<Row> {
    let touch = |side: Side<'_>| {
        let mut all = side.results.footprints.iter();
        all.find(|one| one.subject == side.subject && one.workload == workload)
            .filter(|one| one.rss_peak_bytes.is_some())
            .map(|one| one.touch.clone())
    };
    let (was, now) = (touch(before)?, touch(after)?);
    let note = format!("blocks are touched by `{now}`, not `{was}`; record the baseline anew");
    let cell = (workload, after.subject);
    (was != now).then(|| Row::without_figures(rule, cell, Ruling::Undecided, note))
}

/// Memory that passes behind the first add.
pub(super) fn growth(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    // What was added, and what is there in the end.
    let figures = |one: &Footprint| {
        let (added, retained) = (one.rss_growth_bytes?, one.rss_retained_bytes?);
        Some((added as f64, (retained + added) as f64))
    };
    let beyond = |(more, more_in_all): (f64, f64), (less, less_in_all): (f64, f64)| {
        more > less * (1.0 + GROWTH) + GROWTH_BYTES && more_in_all > less_in_all + GROWTH_BYTES
    };
    let rule = (Rule::GrowingMemory, "4 pages and 5 %");
    rows.extend(of_later_passes(rule, before, after, figures, beyond));
}

/// Page faults of passes behind the first.
pub(super) fn faults(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let figures = |one: &Footprint| one.page_faults.map(|faults| (faults as f64, 0.0));
    let beyond = |(more, _): (f64, f64), (less, _)| more > less * (1.0 + FAULTS_SHARE) + FAULTS;
    let rule = (Rule::PageFaults, "64 and 2 %");
    rows.extend(of_later_passes(rule, before, after, figures, beyond));
}

/// Rows on what is read over the passes behind the first: by the first of two figures, and whether one pair is
/// beyond another. Where threads make the calls in turns there is one pass alone, and no row.
fn of_later_passes<'a>(
    (rule, threshold): (Rule, &'a str),
    before: Side<'a>,
    after: Side<'a>,
    figures: impl Fn(&Footprint) -> Option<(f64, f64)> + 'a,
    beyond: impl Fn((f64, f64), (f64, f64)) -> bool + 'a,
) -> impl Iterator<Item = Row> + 'a {
    let of = move |side: Side<'_>, workload: &str| {
        let mut all = side.results.footprints.iter();
        figures(all.find(|one| one.subject == side.subject && one.workload == workload)?)
    };
    workloads(after).filter_map(move |workload| {
        // A cell that has no figures at all is told of by the other rules on memory.
        let now = of(after, workload)?;
        if let Some(row) = touched_otherwise(rule, before, after, workload) {
            return Some(row);
        }
        // Where a pass takes long enough, one side may have had the time for more of them and the other not.
        let was = of(before, workload)?;
        let cell = (workload, after.subject);
        Some(grown((rule, threshold), cell, (was.0, now.0), [beyond(now, was), beyond(was, now)]))
    })
}

/// A row on two figures, of which the later is beyond the earlier by more than is good, or the other way round.
fn grown(
    (rule, threshold): (Rule, &str),
    (workload, subject): (&str, &str),
    (was, now): (f64, f64),
    [is_worse, is_better]: [bool; 2],
) -> Row {
    Row {
        rule,
        workload: workload.to_owned(),
        subject: subject.to_owned(),
        part: None,
        before: Some(was),
        after: Some(now),
        interval: None,
        threshold: threshold.to_owned(),
        ruling: match () {
            () if is_worse => Ruling::Regression,
            () if is_better => Ruling::Better,
            () => Ruling::Good,
        },
        note: None,
    }
}

/// Errors of memcheck: any kind that grows counts, even where another has shrunk.
pub(super) fn memcheck(before: Side<'_>, after: Side<'_>, rows: &mut Vec<Row>) {
    let of = |side: Side<'_>, workload: &str| {
        let mut cells = side.results.memchecks.iter();
        cells.find(|one| one.subject == side.subject && one.workload == workload).cloned()
    };
    for workload in workloads(after) {
        let cell = (workload, after.subject);
        let failed =
            |note: String| Row::without_figures(Rule::ValgrindErrors, cell, Ruling::Failed, note);
        let row = match (of(before, workload), of(after, workload)) {
            (_, None) => failed("memcheck was not run".to_owned()),
            (None, _) => failed("memcheck was not run on the side before".to_owned()),
            (_, Some(now)) if now.errors.is_none() => {
                failed(why(now.status, now.message.as_deref()))
            }
            (Some(was), _) if was.errors.is_none() => {
                failed(format!("before: {}", why(was.status, was.message.as_deref())))
            }
            (Some(was), Some(now)) => errors_row(&was, &now),
        };
        rows.push(row);
    }
}

fn errors_row(was: &Memcheck, now: &Memcheck) -> Row {
    let grown = |(kind, count): (&String, &u64)| {
        let before = was.errors_by_kind.get(kind).copied().unwrap_or(0);
        (*count > before).then(|| format!("{kind} {before} to {count}"))
    };
    let grown: Vec<String> = now.errors_by_kind.iter().filter_map(grown).collect();
    let more = now.errors > was.errors;
    Row {
        rule: Rule::ValgrindErrors,
        workload: now.workload.clone(),
        subject: now.subject.clone(),
        part: None,
        before: was.errors.map(|errors| errors as f64),
        after: now.errors.map(|errors| errors as f64),
        interval: None,
        threshold: "any".to_owned(),
        ruling: match () {
            () if more || !grown.is_empty() => Ruling::Regression,
            () if now.errors < was.errors => Ruling::Better,
            () => Ruling::Good,
        },
        note: (!grown.is_empty()).then(|| grown.join(", ")),
    }
}

/// The row of a cell whose calls were made on other threads before than after: its two figures are
/// not compared.
fn on_others(
    rule: Rule,
    cell: (&str, &str),
    found: &(Found<f64>, Found<f64>),
    on: [Option<u32>; 2],
) -> Option<Row> {
    let ((Some(Ok(_)), Some(Ok(_))), [Some(before), Some(after)]) = (found, on) else {
        return None;
    };
    let note = format!("on {before} threads before, on {after} after");
    (before != after).then(|| Row::without_figures(rule, cell, Ruling::Undecided, note))
}

/// A figure, why there is none in the record, or no record.
type Found<T> = Option<Result<T, String>>;

/// Rules on a share of the figure before.
fn relative(
    rule: Rule,
    cell: (&str, &str),
    found: (Found<f64>, Found<f64>),
    threshold: f64,
) -> Row {
    let failed = |note: &str| Row::without_figures(rule, cell, Ruling::Failed, note);
    let (before, after) = match found {
        (_, None) => return failed("it was not measured"),
        (_, Some(Err(why))) => return failed(&why),
        (None, _) => return failed("there is no figure from before"),
        (Some(Err(why)), _) => return failed(&format!("before: {why}")),
        (Some(Ok(before)), Some(Ok(after))) => (before, after),
    };
    // A page more or less is the loader's as often as the allocator's.
    let is_memory = rule != Rule::Instructions;
    let slack = if is_memory { PAGE_BYTES } else { 0.0 };
    let beyond = |more: f64, less: f64| more > less * (1.0 + threshold) && more - less > slack;
    let percent = 100.0 * threshold;
    Row {
        rule,
        workload: cell.0.to_owned(),
        subject: cell.1.to_owned(),
        part: None,
        before: Some(before),
        after: Some(after),
        interval: None,
        threshold: match is_memory {
            true => format!("{percent} % and a page"),
            false => format!("{percent} %"),
        },
        ruling: match () {
            () if beyond(after, before) => Ruling::Regression,
            () if beyond(before, after) => Ruling::Better,
            () => Ruling::Good,
        },
        note: None,
    }
}

/// Workloads of a file in its order.
pub(super) fn workloads(side: Side<'_>) -> impl Iterator<Item = &str> {
    side.results.workloads.iter().map(|one| one.workload.as_str())
}

fn why(status: Status, message: Option<&str>) -> String {
    match message {
        Some(message) => format!("{}: {message}", status.word()),
        None => status.word().to_owned(),
    }
}
