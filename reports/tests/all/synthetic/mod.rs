//! Records of runs that never took place: invented figures with seeded noise, for tests and for
//! looking at the layout of a report. Nothing here was measured.

#![allow(dead_code, reason = "each test uses its own part")]

pub(crate) mod crowd;
mod measures;

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use reports::record::{
    Call, End, FULL_SYMBOLS, Finding, Host, Leak, Memcheck, Place, Program, REQUESTS_ON, Recording,
    Role, Sample, Source, Status, Subject, Unmeasured, Verdict, Workload,
};
use reports::results::Results;

#[allow(unused_imports, reason = "each test uses its own part")]
pub(crate) use measures::*;

/// Noise by a fixed seed.
pub(crate) struct Noise(ChaCha8Rng);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Even between 0 and 1.
    pub(crate) fn even(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / f64::from(u32::MAX)
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.even().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.even()).cos()
    }

    /// Factor of a timing: lognormal, and one in twenty disturbed by 10 to 60 %.
    pub(crate) fn factor(&mut self, deviation: f64) -> f64 {
        let disturbed = if self.even() < 0.05 { 1.1 + 0.5 * self.even() } else { 1.0 };
        (deviation * self.normal()).exp() * disturbed
    }
}

/// Name, role, call, and time relative to the workload's own.
pub(crate) const SUBJECTS: [(&str, Role, Call, f64); 14] = [
    ("system", Role::Peer, Call::C, 1.0),
    ("mimalloc", Role::Peer, Call::C, 0.62),
    ("jemalloc", Role::Peer, Call::C, 0.75),
    ("snmalloc", Role::Peer, Call::C, 0.66),
    ("rpmalloc", Role::Peer, Call::C, 0.70),
    ("pymalloc-2.3", Role::Preset, Call::C, 0.98),
    ("pymalloc-3.9", Role::Preset, Call::C, 0.93),
    ("pymalloc-3.11", Role::Preset, Call::C, 0.83),
    ("null", Role::Reference, Call::None, 0.2),
    ("bump", Role::Reference, Call::C, 0.33),
    ("ideal", Role::Reference, Call::C, 0.38),
    ("mimalloc-inline", Role::Peer, Call::Inline, 0.55),
    ("tcmalloc", Role::Peer, Call::C, 0.64),
    ("slow-control", Role::Peer, Call::C, 2.4),
];

/// Name, source, nanoseconds per pair of the system malloc.
pub(crate) const WORKLOADS: [(&str, Source, f64); 8] = [
    ("int-churn", Source::Generated, 8.3),
    ("dict-resize", Source::Generated, 27.8),
    ("frame-push-pop", Source::Generated, 18.0),
    ("cpython-3.11-interpreter-day", Source::Recorded, 15.6),
    ("frame-push-pop@3.9:100k", Source::Generated, 22.0),
    ("perl-word-count", Source::File, 31.0),
    ("int-churn:1m", Source::Generated, 101.0),
    ("gcc-compile", Source::File, 44.0),
];

pub(crate) fn host() -> Host {
    Host {
        started_unix_s: 1_741_539_840,
        arenabench: "0.1.0".to_owned(),
        profile: "quick".to_owned(),
        seed: 1,
        baseline: "system".to_owned(),
        cpu_model: "Imaginary CPU 9000".to_owned(),
        cpus: 2,
        cpus_allowed: Some("0-1".to_owned()),
        l2_bytes: Some(1 << 20),
        llc_bytes: Some(32 << 20),
        cpu_id: Some("family 6, model 85, stepping 7".to_owned()),
        virtual_machine: Some(true),
        memory_bytes: 8 << 30,
        kernel: "Linux 6.1.0".to_owned(),
        libc: "glibc 2.36".to_owned(),
        rustc: "1.95.0".to_owned(),
        governor: Some("performance".to_owned()),
        transparent_hugepages: Some("madvise".to_owned()),
        address_randomisation: true,
        load_1m: 0.12,
        valgrind: Some("3.19.0".to_owned()),
        cc: Some("cc (Debian 12.2.0-14) 12.2.0".to_owned()),
    }
}

pub(crate) fn subject(name: &str, role: Role, call: Call) -> Subject {
    Subject {
        subject: name.to_owned(),
        role,
        call,
        version: "1.2.3".to_owned(),
        library: if name == "tcmalloc" { "libtcmalloc_minimal.so.4" } else { "linked" }.to_owned(),
        sha256: (name == "tcmalloc").then(|| "ab".repeat(32)),
        alignment_bytes: 16,
        remark: (name == "snmalloc").then(|| "built by gcc; slower than a clang build".to_owned()),
    }
}

pub(crate) fn workload(name: &str, source: Source) -> Workload {
    let losses = match source {
        Source::Generated => vec![],
        _ => vec!["no-thread-ids".to_owned()],
    };
    Workload {
        workload: name.to_owned(),
        source,
        description: format!("Invented workload in the shape of {name}."),
        operations: 2_000_000,
        operations_by_kind: BTreeMap::from([
            ("malloc".to_owned(), 980_000),
            ("realloc".to_owned(), 40_000),
            ("free".to_owned(), 980_000),
        ]),
        threads: 1,
        live_peak_bytes: 1_300_000,
        base_blocks: 10_000,
        small_share: 0.973,
        losses,
        aged_by: None,
        sha256: "cd".repeat(32),
    }
}

pub(crate) fn sample(subject: &str, workload: &str, round: u32, ns_per_pair: f64) -> Sample {
    let operations = 2_000_000;
    let wall_ns = (ns_per_pair * operations as f64 / 2.0) as u64;
    Sample {
        subject: subject.to_owned(),
        workload: workload.to_owned(),
        seq: 0,
        round,
        again: false,
        mode: "serial".to_owned(),
        call: SUBJECTS.iter().find(|known| known.0 == subject).map_or(Call::C, |known| known.2),
        touch: "header".to_owned(),
        verified: false,
        status: Status::Ok,
        message: None,
        exit_code: None,
        signal: None,
        operations: Some(operations),
        wall_ns: Some(wall_ns),
        calm_share: Some(1.0),
        retaken_calm_shares: Vec::new(),
        distance_ns: None,
        pass_wall_ns: vec![wall_ns + wall_ns / 10, wall_ns],
        ns_per_pair: Some(ns_per_pair),
        live_peak_bytes: Some(1_300_000),
        rss_peak_bytes: Some(1_450_000),
        page_faults: Some(412),
    }
}

/// The same sample, failed.
pub(crate) fn failed(mut sample: Sample, status: Status, message: &str) -> Sample {
    sample.status = status;
    sample.message = Some(message.to_owned());
    sample.operations = None;
    sample.wall_ns = None;
    sample.pass_wall_ns = vec![];
    sample.ns_per_pair = None;
    sample.live_peak_bytes = None;
    sample.rss_peak_bytes = None;
    sample.page_faults = None;
    sample
}

/// A complete run: `subjects` x `workloads` x `rounds` with failures, an A/A twin, verification,
/// memcheck and a recording.
pub(crate) fn run(subjects: usize, workloads: usize, rounds: u32, seed: u64) -> Results {
    let mut noise = Noise::new(seed);
    let mut results = Results::new(host());
    for &(name, role, call, _) in &SUBJECTS[..subjects] {
        results.subjects.push(subject(name, role, call));
    }
    for &(name, source, _) in &WORKLOADS[..workloads] {
        results.workloads.push(workload(name, source));
    }
    for round in 0..rounds {
        for &(load, _, base) in &WORKLOADS[..workloads] {
            let weather = noise.factor(0.03);
            for (index, &(name, _, _, relative)) in SUBJECTS[..subjects].iter().enumerate() {
                let taste = 1.0 + 0.2 * ((index * 7 + load.len() * 3) % 5) as f64 / 5.0;
                let ns = base * relative * taste * weather * noise.factor(0.015);
                let mut one = sample(name, load, round, ns);
                one.rss_peak_bytes =
                    Some((1_300_000.0 * (1.0 + 0.25 * (index % 6) as f64) * taste) as u64);
                results.samples.push(fate(one));
            }
            let ns = base * weather * noise.factor(0.015) * 1.08;
            let mut twin = sample("system", load, round, ns);
            twin.ns_per_pair = Some(ns / 1.08 * system_taste(load));
            twin.again = true;
            results.samples.push(twin);
        }
    }
    for (index, sample) in results.samples.iter_mut().enumerate() {
        sample.seq = index as u64;
    }
    add_memcheck(&mut results, subjects, workloads);
    results.recordings.push(Recording {
        workload: "cpython-3.11-interpreter-day".to_owned(),
        program: "python3 go_board.py".to_owned(),
        calls: 4_120_345,
        trace_bytes: 7_912_004,
        bytes_per_operation: 1.92,
        recorded_wall_ns: vec![1_320_000_000, 1_290_000_000, 1_310_000_000],
        plain_wall_ns: vec![1_010_000_000, 1_000_000_000, 1_040_000_000],
    });
    results.ends.push(End {
        outcome: "complete".to_owned(),
        run_wall_ns: 262_000_000_000,
        measuring_wall_ns: 201_000_000_000,
    });
    results
}

fn system_taste(load: &str) -> f64 {
    1.0 + 0.2 * ((load.len() * 3) % 5) as f64 / 5.0
}

/// Some invented mishaps.
fn fate(sample: Sample) -> Sample {
    let mishap = match (sample.subject.as_str(), sample.workload.as_str(), sample.round) {
        ("rpmalloc", "perl-word-count", 2) => (Status::Timeout, "ran past 30 s"),
        ("snmalloc", "cpython-3.11-interpreter-day", _) => {
            (Status::Mismatch, "operation 81,204: block overlaps a live block")
        }
        ("pymalloc-2.3", "dict-resize", _) => (Status::Signal, "killed by signal 11"),
        ("tcmalloc", _, _) if sample.workload.starts_with("int") => {
            (Status::NotLoaded, "libtcmalloc_minimal.so.4 did not serve the process")
        }
        _ => return sample,
    };
    let signal = (mishap.0 == Status::Signal).then_some(11);
    let mut failed = failed(sample, mishap.0, mishap.1);
    failed.signal = signal;
    failed
}

fn add_memcheck(results: &mut Results, subjects: usize, workloads: usize) {
    for &(load, _, _) in &WORKLOADS[..workloads.min(4)] {
        for &(name, role, _, _) in &SUBJECTS[..subjects] {
            let ownership = match name {
                "pymalloc-2.3" | "pymalloc-3.9" => Some("arena-index"),
                "pymalloc-3.11" => Some("radix-tree"),
                _ => None,
            };
            if role == Role::Reference {
                continue;
            }
            let noisy = ownership == Some("arena-index");
            let unsupported = name == "snmalloc";
            let errors = if noisy { 27_100 } else { 0 };
            results.memchecks.push(Memcheck {
                subject: name.to_owned(),
                workload: load.to_owned(),
                symbols: FULL_SYMBOLS.to_owned(),
                requests: REQUESTS_ON.to_owned(),
                status: if unsupported { Status::Unsupported } else { Status::Ok },
                message: unsupported.then(|| "aborts under Valgrind".to_owned()),
                ownership: ownership.map(str::to_owned),
                touch: "header".to_owned(),
                program: false,
                exit_code: None,
                library: None,
                operations: (!unsupported).then_some(2_000_000),
                errors: (!unsupported).then_some(errors),
                errors_suppressed: (!unsupported).then_some(if noisy { 40 } else { 0 }),
                contexts: (!unsupported).then_some(if noisy { 6 } else { 0 }),
                errors_by_kind: match noisy {
                    true => BTreeMap::from([
                        ("UninitCondition".to_owned(), 20_000),
                        ("UninitValue".to_owned(), 7_000),
                        ("InvalidRead".to_owned(), 100),
                    ]),
                    false => BTreeMap::new(),
                },
                errors_by_operation: match noisy {
                    true => {
                        BTreeMap::from([("free".to_owned(), 26_000), ("realloc".to_owned(), 1_100)])
                    }
                    false => BTreeMap::new(),
                },
                suppressed_by_entry: match noisy {
                    true => BTreeMap::from([("an entry".to_owned(), 40)]),
                    false => BTreeMap::new(),
                },
                leaks: noisy.then(|| {
                    let lost = Leak { bytes: 4_096, blocks: 3 };
                    BTreeMap::from([("Leak_DefinitelyLost".to_owned(), lost)])
                }),
                places: match noisy {
                    true => vec![Place {
                        kind: "UninitCondition".to_owned(),
                        count: 20_000,
                        operation: "free".to_owned(),
                        frames: vec!["owns".to_owned(), "free".to_owned(), "main".to_owned()],
                    }],
                    false => Vec::new(),
                },
                cpu_ratio: (!unsupported).then_some(31.5),
                rss_ratio: (!unsupported).then_some(2.4),
                valgrind: Some("3.19.0".to_owned()),
            });
        }
    }
}

/// One good run of a program.
pub(crate) fn program(name: &str, subject: &str, round: u32, wall_ns: u64) -> Program {
    Program {
        program: name.to_owned(),
        subject: subject.to_owned(),
        command: format!("python3 {name}.py"),
        seq: 0,
        round,
        again: false,
        verified: false,
        status: Status::Ok,
        message: None,
        exit_code: Some(0),
        signal: None,
        library: None,
        wall_ns: Some(wall_ns),
        user_ns: Some(wall_ns - wall_ns / 10),
        system_ns: Some(wall_ns / 20),
        rss_peak_bytes: Some(12_000_000),
        page_faults: Some(2_300),
        stdout_bytes: Some(20),
        stdout_sha256: Some("ef".repeat(32)),
        stderr_bytes: Some(0),
        stderr_sha256: Some("01".repeat(32)),
    }
}

/// A run with records of every kind, so that its page has every section and every kind of chart.
pub(crate) fn everything() -> Results {
    let mut results = run(9, 4, 5, 3);
    let own = "arenite";
    results.subjects.push(subject(own, Role::Own, Call::C));
    for round in 0..5 {
        for &(load, _, base) in &WORKLOADS[..4] {
            results.samples.push(sample(own, load, round, base * (0.6 + 0.01 * f64::from(round))));
        }
        for (name, wall_ns) in
            [("system", 900_000_000), ("mimalloc", 850_000_000), (own, 820_000_000)]
        {
            let load = WORKLOADS[3].0;
            results.programs.push(program(
                load,
                name,
                round,
                wall_ns + u64::from(round) * 7_000_000,
            ));
        }
    }
    for (index, name) in ["system", "mimalloc", own].into_iter().enumerate() {
        let index = index as u64;
        results.memories.push(memory(name, 1.5 - 0.15 * index as f64));
        results.counts.push(counts(name, Call::C, 9_000_000 - 1_000_000 * index));
        results.counters.push(counters(name, 40_000_000 - 5_000_000 * index));
        let tails = (0..3).map(|round| tails(name, "int-churn", round, 14.0 - 2.0 * index as f64));
        results.tails.extend(tails);
        results.contracts.push(contract(name, "malloc(0)", Verdict::Ok));
    }
    results.packings.push(packing());
    results.ownerships = ownerships();
    let bugs = [("double-free", Finding::Caught), ("read-after-free", Finding::Missed)];
    for mode in ["malloc+asan", "arenite+hooks", "malloc+memcheck", "arenite+memcheck"] {
        results.detections.extend(bugs.map(|(bug, verdict)| detection(bug, mode, verdict)));
    }
    let last = results.detections.last_mut().expect("just made");
    (last.verdict, last.status) = (None, Status::Unsupported);
    results
}

/// The same run, killed in the middle: no end record, the last child interrupted.
pub(crate) fn interrupted(mut results: Results) -> Results {
    let half = results.samples.len() / 2;
    results.samples.truncate(half);
    if let Some(last) = results.samples.pop() {
        results.samples.push(failed(last, Status::Interrupted, "the run was interrupted"));
    }
    results.memchecks.clear();
    results.ends.clear();
    results
}

/// The same run on a computer without Valgrind.
pub(crate) fn without_memcheck(mut results: Results) -> Results {
    results.memchecks.clear();
    results.host.valgrind = None;
    results.unmeasured.push(Unmeasured {
        measure: "memcheck".to_owned(),
        reason: "Valgrind is not installed".to_owned(),
        remedy: Some("apt-get install valgrind".to_owned()),
    });
    results
}
