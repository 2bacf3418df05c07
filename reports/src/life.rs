//! Memory over the life of a program: which subjects are drawn, and figures as text for the page and
//! for the Markdown summary.

use crate::quantity;
use crate::record::{Call, Memory, Packing, Role, Status};
use crate::results::Results;

/// Subjects whose lines a chart has.
const DRAWN: usize = 6;

/// Headings of the figures of a row.
pub(crate) const HEAD: [&str; 12] = [
    "peak live",
    "peak used",
    "used / live, mean",
    "when most live",
    "when most used",
    "of the peaks",
    "left at once",
    "after 0.1 s",
    "after 1 s",
    "after 5 s",
    "waste in blocks",
    "repeats",
];

/// All subjects on one workload.
pub(crate) struct LifeTable<'a> {
    pub(crate) workload: &'a str,
    /// What no allocator could beat.
    pub(crate) packing: Option<&'a Packing>,
    /// Least used memory first, failed cells last.
    pub(crate) cells: Vec<&'a Memory>,
    /// Those whose lines are drawn.
    pub(crate) drawn: Vec<&'a Memory>,
    /// Heap maps that are drawn: of an allocator of the project's and of the baseline.
    pub(crate) maps: Vec<&'a Memory>,
}

/// All workloads in the order of the file.
pub(crate) fn tables(results: &Results) -> Vec<LifeTable<'_>> {
    let mut workloads: Vec<&str> = Vec::new();
    for record in &results.memories {
        if !workloads.contains(&record.workload.as_str()) {
            workloads.push(&record.workload);
        }
    }
    workloads.into_iter().map(|workload| table(results, workload)).collect()
}

fn table<'a>(results: &'a Results, workload: &'a str) -> LifeTable<'a> {
    let mut cells: Vec<&Memory> =
        results.memories.iter().filter(|record| record.workload == workload).collect();
    cells.sort_by_key(|record| record.used_peak_bytes.unwrap_or(u64::MAX));
    let role = |record: &Memory| {
        results.subjects.iter().find(|one| one.subject == record.subject).map(|one| one.role)
    };
    let good =
        || cells.iter().copied().filter(|one| one.status == Status::Ok && !one.series.is_empty());
    let own = good().find(|one| role(one) == Some(Role::Own) && one.call == Call::C);
    let baseline = good().find(|one| one.subject == results.host.baseline);
    let peers = good().filter(|one| role(one) == Some(Role::Peer) && one.call == Call::C);
    let mut drawn: Vec<&Memory> = Vec::new();
    for one in own.into_iter().chain(baseline).chain(peers) {
        if drawn.len() < DRAWN && !drawn.iter().any(|known| known.subject == one.subject) {
            drawn.push(one);
        }
    }
    let mut maps: Vec<&Memory> = own.into_iter().chain(baseline).collect();
    maps.retain(|one| one.map.is_some());
    maps.dedup_by_key(|one| &one.subject);
    let packing = results.packings.iter().find(|one| one.workload == workload);
    LifeTable { workload, packing, cells, drawn, maps }
}

/// The figures of a cell, in the order of [`HEAD`]; none of one that has none.
pub(crate) fn figures(record: &Memory) -> Option<[String; 12]> {
    let bytes = |bytes: u64| quantity::bytes(bytes as f64);
    let [mean, at_live, at_used, of_peaks] = record.fragmentation?.map(quantity::figure);
    let left = |ms: u64| {
        let found = record.drained.iter().find(|(at, _)| *at == ms);
        found.map(|(_, used)| bytes(*used)).unwrap_or_default()
    };
    Some([
        bytes(record.live_peak_bytes?),
        bytes(record.used_peak_bytes?),
        mean,
        at_live,
        at_used,
        of_peaks,
        left(0),
        left(100),
        left(1_000),
        left(5_000),
        waste(record).unwrap_or_default(),
        match record.repeats {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        }
        .to_owned(),
    ])
}

/// Usable bytes beyond the requested ones, over these, of all size bands.
fn waste(record: &Memory) -> Option<String> {
    let requested: u64 = record.waste.iter().map(|row| row.requested_bytes).sum();
    let usable: u64 = record.waste.iter().map(|row| row.usable_bytes).sum();
    let beyond = usable.checked_sub(requested)?;
    (requested > 0).then(|| quantity::percent(100.0 * beyond as f64 / requested as f64))
}

/// The packing in words.
pub(crate) fn packing_words(packing: &Packing) -> String {
    match (packing.bound_bytes, packing.packed_bytes, &packing.method) {
        (Some(bound), Some(packed), Some(method)) => format!(
            "With all lifetimes known beforehand no placement of whole blocks, rounded up to 16 bytes, needs \
             less than {}; the best packing found takes {} ({method}; {} lifetimes, base heap included). \
             Resident memory can be below that: finer sizes round less, and parts of a block that are never \
             touched take none.",
            quantity::bytes(bound as f64),
            quantity::bytes(packed as f64),
            quantity::count(packing.lifetimes.unwrap_or(0))
        ),
        _ => format!("Best packing: {}.", packing.message.as_deref().unwrap_or("not measured")),
    }
}
