//! Records of single measures beyond times and memcheck, a maker for each kind.

use reports::record::{
    Call, Cause, Contract, Counters, Counts, Detection, Finding, HeapMap, Memory, Metric,
    Ownership, Packing, Status, TailRow, Tails, Verdict, WasteRow, WorstCall, fragmentation,
};

/// One row of the C contract.
pub(crate) fn contract(subject: &str, row: &str, verdict: Verdict) -> Contract {
    Contract {
        subject: subject.to_owned(),
        status: Status::Ok,
        message: None,
        row: Some(row.to_owned()),
        function: row.split('(').next().map(str::to_owned),
        promise: Some("a block aligned to 16, 0 bytes usable".to_owned()),
        authority: Some("glibc".to_owned()),
        allowed: Some("null".to_owned()),
        verdict: Some(verdict),
        found: Some("null".to_owned()),
    }
}

/// Records of two strategies, one constant and one that grows with the arenas, in six rounds, and
/// of a number of arenas that the second does not support.
pub(crate) fn ownerships() -> Vec<Ownership> {
    let mut records = Vec::new();
    for round in 0..6 {
        for (strategy, growth) in [("page-map", 1.0), ("arena-index", 12.0)] {
            for (step, arenas) in [1, 100, 10_000].into_iter().enumerate() {
                for (miss_share, metric) in [
                    (0.0, Metric::Throughput),
                    (1.0, Metric::Throughput),
                    (0.0, Metric::Latency),
                    (1.0, Metric::Latency),
                ] {
                    let grown = 1.0 + (growth - 1.0) * step as f64 / 2.0;
                    records.push(Ownership {
                        miss_share: Some(miss_share),
                        metric: Some(metric),
                        ns_per_query: Some(1.5 * grown * (1.0 + f64::from(round) * 0.01)),
                        ns_per_query_floor: Some(0.25),
                        ..ownership(strategy, arenas, round)
                    });
                }
            }
        }
    }
    records.push(Ownership {
        made_up: true,
        status: Status::Unsupported,
        message: Some("it reads the memory asked about".to_owned()),
        queries: None,
        ..ownership("arena-index", 100_000, 0)
    });
    records
}

fn ownership(strategy: &str, arenas: u64, round: u32) -> Ownership {
    Ownership {
        strategy: strategy.to_owned(),
        arenas,
        pattern: "random".to_owned(),
        seq: 0,
        round,
        made_up: false,
        status: Status::Ok,
        message: None,
        miss_share: None,
        metric: None,
        queries: Some(65_536),
        ns_per_query: None,
        ns_per_query_floor: None,
        instructions_per_query: None,
        instructions_per_query_floor: None,
    }
}

/// A record of an ownership test with every key.
pub(crate) fn full_ownership() -> Ownership {
    Ownership {
        made_up: true,
        message: Some("message".to_owned()),
        miss_share: Some(0.35),
        metric: Some(Metric::Latency),
        ns_per_query: Some(3.5),
        ns_per_query_floor: Some(2.7),
        instructions_per_query: Some(12.0),
        instructions_per_query_floor: Some(4.0),
        ..ownership("page-map", 100_000, 1)
    }
}

/// One seeded bug in one mode, `subject+tool`.
pub(crate) fn detection(bug: &str, mode: &str, verdict: Finding) -> Detection {
    let (subject, tool) = mode.split_once('+').unwrap_or((mode, "none"));
    Detection {
        bug: bug.to_owned(),
        title: "A byte of a freed block is read".to_owned(),
        mode: mode.to_owned(),
        subject: subject.to_owned(),
        strategy: Some("reserved-range".to_owned()),
        tool: tool.to_owned(),
        status: Status::Ok,
        message: None,
        verdict: Some(verdict),
        words: (verdict == Finding::Caught).then(|| "Invalid read of size 1".to_owned()),
        own_reports: Some(0),
    }
}

/// Times of single calls whose median is `p50_ns`.
pub(crate) fn tails(subject: &str, workload: &str, round: u32, p50_ns: f64) -> Tails {
    let row = |operation: &str, sizes: &str, calls: u64| TailRow {
        operation: operation.to_owned(),
        sizes: sizes.to_owned(),
        calls,
        p50_ns,
        p90_ns: p50_ns * 2.0,
        p99_ns: p50_ns * 5.0,
        p999_ns: p50_ns * 20.0,
        p9999_ns: p50_ns * 300.0,
        max_ns: p50_ns * 4_000.0,
        histogram: Vec::new(),
    };
    let fine = TailRow {
        histogram: vec![(p50_ns, 900_000), (p50_ns * 4_000.0, 100_000)],
        ..row("malloc", "up-to-64", 1_000_000)
    };
    let worst = WorstCall {
        index: 81_204,
        thread: 1,
        operation: "malloc".to_owned(),
        size_bytes: 48,
        ns: p50_ns * 4_000.0,
        again_ns: Some(p50_ns * 3_000.0),
        page_faults: Some(1),
        context_switches: Some(0),
        mapped_bytes: Some(65_536),
        cause: Some(Cause::MappingCall),
    };
    Tails {
        subject: subject.to_owned(),
        workload: workload.to_owned(),
        round,
        mode: "serial".to_owned(),
        call: Call::C,
        touch: "header".to_owned(),
        status: Status::Ok,
        message: None,
        operations: Some(2_000_000),
        timer_ns: Some(20.0),
        resolution_ns: Some(10.0),
        rows: vec![
            row("all", "all", 2_000_000),
            row("malloc", "all", 1_000_000),
            fine,
            row("free", "all", 1_000_000),
        ],
        worst: vec![worst],
    }
}

/// Counts of 200,000 calls of int-churn.
pub(crate) fn counts(subject: &str, call: Call, instructions: u64) -> Counts {
    Counts {
        subject: subject.to_owned(),
        workload: "int-churn".to_owned(),
        call,
        touch: "header".to_owned(),
        threads: None,
        status: Status::Ok,
        message: None,
        operations: Some(200_000),
        instructions: Some(instructions),
        data_reads: Some(instructions / 4),
        data_writes: Some(instructions / 8),
        i1_misses: Some(20),
        d1_misses: Some(30_000),
        ll_misses: Some(4_000),
        system_calls: Some(17),
        page_faults: Some(412),
        caches: Some("I1 32768,8,64".to_owned()),
        valgrind: Some("3.19.0".to_owned()),
    }
}

/// Memory over the life of int-churn: as much used as `overhead` says of what is alive.
pub(crate) fn memory(subject: &str, overhead: f64) -> Memory {
    let used = |live: u64| (live as f64 * overhead) as u64;
    let live = (0..=16).map(|part: u64| (part, 1_000_000 + 200_000 * part.min(24 - part)));
    let series: Vec<_> = live.map(|(part, live)| (part * 1_000, live, used(live))).collect();
    let waste = WasteRow {
        sizes: "up-to-64".to_owned(),
        requests: 10_000,
        requested_bytes: 400_000,
        usable_bytes: 480_000,
    };
    let map = HeapMap {
        page_bytes: 4096,
        cell_pages: 2,
        pages_by_fill: [40, 0, 0, 20, 0, 0, 0, 0, 140],
        regions: vec!["8".repeat(70), "0123.".repeat(6)],
    };
    Memory {
        subject: subject.to_owned(),
        workload: "int-churn".to_owned(),
        call: Call::C,
        touch: "header".to_owned(),
        status: Status::Ok,
        message: None,
        operations: Some(16_000),
        repeats: Some(true),
        live_peak_bytes: series.iter().map(|point| point.1).max(),
        used_peak_bytes: series.iter().map(|point| point.2).max(),
        fragmentation: fragmentation(&series),
        drained: vec![(0, used(900_000)), (100, used(900_000)), (1_000, 65_536), (5_000, 65_536)],
        series,
        waste: vec![waste],
        map: Some(map),
    }
}

/// The best packing found for int-churn.
pub(crate) fn packing() -> Packing {
    Packing {
        workload: "int-churn".to_owned(),
        message: None,
        lifetimes: Some(8_000),
        bound_bytes: Some(4_300_000),
        packed_bytes: Some(4_400_000),
        method: Some("best fit in order of birth".to_owned()),
    }
}

/// Events of 2,000,000 calls of int-churn.
pub(crate) fn counters(subject: &str, cycles: u64) -> Counters {
    Counters {
        subject: subject.to_owned(),
        workload: "int-churn".to_owned(),
        round: 0,
        call: Call::C,
        touch: "header".to_owned(),
        status: Status::Ok,
        message: None,
        operations: Some(2_000_000),
        instructions: Some(cycles * 2),
        cycles: Some(cycles),
        llc_misses: Some(1_000),
        dtlb_misses: Some(9_000),
        branch_misses: Some(20_000),
        page_faults: Some(3),
    }
}
