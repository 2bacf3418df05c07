//! Events counted by the processor, by workload and subject, as rows of text.

use crate::quantity;
use crate::record::{Counters, Status};
use crate::statistics::median;

/// Headings of the figures of a row.
pub(crate) const HEAD: [&str; 7] = [
    "cycles per pair",
    "instructions per pair",
    "instructions per cycle",
    "LLC misses per 1000 pairs",
    "dTLB misses per 1000 pairs",
    "branch misses per 1000 pairs",
    "page faults per 1000 pairs",
];

/// One subject on one workload.
pub(crate) struct CountersRow<'a> {
    pub(crate) workload: &'a str,
    pub(crate) subject: &'a str,
    /// In the order of [`HEAD`], `None` where nothing was counted; or how the cell failed.
    pub(crate) figures: Result<[Option<String>; 7], Status>,
    cycles: Option<f64>,
}

/// All rows, workloads in the order of the file, fewest cycles first, uncounted and failed ones last.
pub(crate) fn rows(records: &[Counters]) -> Vec<CountersRow<'_>> {
    let mut cells: Vec<(&str, &str)> = Vec::new();
    let mut workloads: Vec<&str> = Vec::new();
    for record in records {
        let cell = (record.workload.as_str(), record.subject.as_str());
        if !cells.contains(&cell) {
            cells.push(cell);
        }
        if !workloads.contains(&cell.0) {
            workloads.push(cell.0);
        }
    }
    let mut rows = Vec::new();
    for workload in workloads {
        let of_workload = cells.iter().filter(|cell| cell.0 == workload);
        let mut found: Vec<_> = of_workload.map(|cell| row(records, *cell)).collect();
        let key = |row: &CountersRow<'_>| row.cycles.unwrap_or(f64::INFINITY);
        found.sort_by(|one, other| key(one).total_cmp(&key(other)));
        rows.extend(found);
    }
    rows
}

fn row<'a>(records: &'a [Counters], (workload, subject): (&'a str, &'a str)) -> CountersRow<'a> {
    let of_cell =
        || records.iter().filter(move |one| one.workload == workload && one.subject == subject);
    let failed =
        of_cell().find(|one| one.status != Status::Ok && one.status != Status::Interrupted);
    if let Some(failed) = failed {
        return CountersRow { workload, subject, figures: Err(failed.status), cycles: None };
    }
    let per_pair = |count: fn(&Counters) -> Option<u64>| {
        let values: Vec<f64> = of_cell().filter_map(|one| one.per_pair(count(one))).collect();
        median(&values)
    };
    let cycles = per_pair(|one| one.cycles);
    let instructions = per_pair(|one| one.instructions);
    let rate = cycles.filter(|cycles| *cycles > 0.0);
    let rate = rate.and_then(|cycles| Some(instructions? / cycles));
    let thousand = |count| per_pair(count).map(|misses| quantity::figure(1000.0 * misses));
    CountersRow {
        workload,
        subject,
        figures: Ok([
            cycles.map(quantity::figure),
            instructions.map(quantity::figure),
            rate.map(quantity::figure),
            thousand(|one| one.llc_misses),
            thousand(|one| one.dtlb_misses),
            thousand(|one| one.branch_misses),
            thousand(|one| one.page_faults),
        ]),
        cycles,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Call;

    fn record(subject: &str, round: u32, cycles: Option<u64>) -> Counters {
        Counters {
            subject: subject.to_owned(),
            workload: "int-churn".to_owned(),
            round,
            call: Call::C,
            touch: "header".to_owned(),
            status: Status::Ok,
            message: None,
            operations: Some(2000),
            instructions: cycles.map(|cycles| cycles * 2),
            cycles,
            llc_misses: None,
            dtlb_misses: None,
            branch_misses: None,
            page_faults: Some(3),
        }
    }

    #[test]
    fn fewest_cycles_come_first_and_the_median_of_rounds_counts() {
        let records = [
            record("slow", 0, Some(90_000)),
            record("fast", 0, Some(50_000)),
            record("fast", 1, Some(900_000)),
            record("fast", 2, Some(51_000)),
        ];
        let rows = rows(&records);
        assert_eq!(rows.iter().map(|row| row.subject).collect::<Vec<_>>(), ["fast", "slow"]);
        let figures = rows[0].figures.as_ref().unwrap();
        assert_eq!(figures[0].as_deref(), Some("51.0"));
        assert_eq!(figures[2].as_deref(), Some("2.00"));
    }

    #[test]
    fn what_was_not_counted_is_empty_and_not_zero() {
        let records = [record("system", 0, None)];
        let rows = rows(&records);
        let figures = rows[0].figures.as_ref().unwrap();
        assert!(figures[..6].iter().all(Option::is_none), "{figures:?}");
        assert_eq!(figures[6].as_deref(), Some("3.00"));
    }

    #[test]
    fn a_failed_cell_has_a_word_instead_of_figures() {
        let mut failed = record("system", 1, None);
        failed.status = Status::Signal;
        let records = [record("system", 0, Some(5)), failed];
        assert_eq!(rows(&records)[0].figures, Err(Status::Signal));
    }
}
