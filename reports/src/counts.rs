//! Instructions, cache misses and system calls by workload and subject, as rows of text for the page
//! and for the Markdown summary.

use crate::quantity;
use crate::record::{Call, Counts, Status};

/// Headings of the figures of a row.
pub(crate) const HEAD: [&str; 7] = [
    "instructions per pair",
    "above null",
    "I1 misses per 1000 pairs",
    "D1 misses per 1000 pairs",
    "LL misses per 1000 pairs",
    "system calls",
    "page faults",
];

/// One subject on one workload.
pub(crate) struct CountRow<'a> {
    pub(crate) workload: &'a str,
    pub(crate) subject: &'a str,
    /// In the order of [`HEAD`]; empty where a count is missing. None when the cell has no counts.
    pub(crate) figures: Option<[String; 7]>,
    /// How the cell ended.
    pub(crate) status: Status,
}

/// All rows, workloads in the order of the file, fewest instructions first.
pub(crate) fn rows(records: &[Counts]) -> Vec<CountRow<'_>> {
    let mut workloads: Vec<&str> = Vec::new();
    for record in records {
        if !workloads.contains(&record.workload.as_str()) {
            workloads.push(&record.workload);
        }
    }
    let mut rows = Vec::new();
    for workload in workloads {
        let mut of_workload: Vec<&Counts> =
            records.iter().filter(|record| record.workload == workload).collect();
        of_workload.sort_by_key(|record| record.instructions.unwrap_or(u64::MAX));
        // What the replay itself takes: the subject that makes no calls.
        let null = of_workload
            .iter()
            .find(|record| record.call == Call::None && record.status == Status::Ok)
            .and_then(|record| record.per_pair(record.instructions));
        rows.extend(of_workload.into_iter().map(|record| row(record, null)));
    }
    rows
}

fn row<'a>(record: &'a Counts, null: Option<f64>) -> CountRow<'a> {
    let figures = || {
        let instructions = record.per_pair(record.instructions)?;
        let thousand = |count| {
            let misses = record.per_pair(count).map(|misses| quantity::figure(1000.0 * misses));
            misses.unwrap_or_default()
        };
        let whole = |count: Option<u64>| count.map(quantity::count).unwrap_or_default();
        Some([
            quantity::figure(instructions),
            null.map(|null| quantity::figure(instructions - null)).unwrap_or_default(),
            thousand(record.i1_misses),
            thousand(record.d1_misses),
            thousand(record.ll_misses),
            whole(record.system_calls),
            whole(record.page_faults),
        ])
    };
    CountRow {
        workload: &record.workload,
        subject: &record.subject,
        figures: if record.status == Status::Ok { figures() } else { None },
        status: record.status,
    }
}
