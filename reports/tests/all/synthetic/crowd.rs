//! A run as large as the largest that is made: every kind of subject, many workloads, threads.

use reports::record::{Call, End, Role, Sample, Source, Status, Workload};
use reports::results::Results;

use super::{Noise, failed, host, sample, subject, system_taste, workload};

/// Subjects of a full run: name, role, call, and time relative to the workload's own.
pub(crate) const CROWD: [(&str, Role, Call, f64); 23] = [
    ("system", Role::Peer, Call::C, 1.0),
    ("mimalloc", Role::Peer, Call::C, 0.62),
    ("jemalloc", Role::Peer, Call::C, 0.75),
    ("snmalloc", Role::Peer, Call::C, 0.60),
    ("rpmalloc", Role::Peer, Call::C, 0.70),
    ("tcmalloc", Role::Peer, Call::C, 0.64),
    ("mimalloc-2", Role::Peer, Call::C, 0.66),
    ("jemalloc-debian", Role::Peer, Call::C, 0.80),
    ("arenite", Role::Own, Call::C, 0.57),
    ("arenite-preload", Role::Own, Call::C, 0.59),
    ("pymalloc-2.3", Role::Preset, Call::C, 0.98),
    ("pymalloc-2.7", Role::Preset, Call::C, 0.95),
    ("pymalloc-3.9", Role::Preset, Call::C, 0.93),
    ("pymalloc-3.11", Role::Preset, Call::C, 0.83),
    ("pymalloc-3.15", Role::Preset, Call::C, 0.80),
    ("null", Role::Reference, Call::None, 0.2),
    ("bump", Role::Reference, Call::C, 0.33),
    ("ideal", Role::Reference, Call::C, 0.38),
    ("ideal-inline", Role::Reference, Call::Inline, 0.30),
    ("mimalloc-inline", Role::Peer, Call::Inline, 0.55),
    ("jemalloc-inline", Role::Peer, Call::Inline, 0.70),
    ("arenite-inline", Role::Own, Call::Inline, 0.45),
    ("mine", Role::Peer, Call::C, 1.3),
];

/// Workloads of a full run: name, source, threads, nanoseconds per pair of the system malloc.
pub(crate) const LOADS: [(&str, Source, u32, f64); 17] = [
    ("int-churn", Source::Generated, 1, 8.3),
    ("int-churn:1k", Source::Generated, 1, 7.9),
    ("int-churn:100k", Source::Generated, 1, 17.0),
    ("dict-resize", Source::Generated, 1, 27.8),
    ("frame-push-pop", Source::Generated, 1, 18.0),
    ("interpreter-day-here", Source::Recorded, 1, 15.6),
    ("json-documents", Source::File, 1, 21.0),
    ("regular-expressions", Source::File, 1, 14.0),
    ("sqlite-inventory", Source::File, 1, 33.0),
    ("abstract-syntax-trees", Source::File, 1, 19.0),
    ("unicode-normalisation", Source::File, 1, 12.0),
    ("decimal-pi", Source::File, 1, 11.0),
    ("asyncio-echo", Source::File, 1, 23.0),
    ("pickle-graph", Source::File, 1, 16.0),
    ("template-rendering", Source::File, 1, 18.5),
    ("larson:2", Source::Generated, 2, 41.0),
    ("producer-consumer:2", Source::Generated, 2, 77.0),
];

/// A full run: every subject of [`CROWD`] on every workload of [`LOADS`], an A/A twin, and workloads on
/// two threads that presets and some references do not support.
pub(crate) fn crowd(rounds: u32, seed: u64) -> Results {
    let mut noise = Noise::new(seed);
    let mut results = Results::new(host());
    results.subjects.extend(CROWD.map(|(name, role, call, _)| subject(name, role, call)));
    results.workloads.extend(
        LOADS.map(|(name, source, threads, _)| Workload { threads, ..workload(name, source) }),
    );
    for round in 0..rounds {
        for (load, _, threads, base) in LOADS {
            let weather = noise.factor(0.03);
            let mode = if threads > 1 { "parallel" } else { "serial" };
            for (index, (name, role, call, relative)) in CROWD.into_iter().enumerate() {
                let taste = 1.0 + 0.2 * ((index * 7 + load.len() * 3) % 5) as f64 / 5.0;
                let ns = base * relative * taste * weather * noise.factor(0.015);
                let mut one =
                    Sample { mode: mode.to_owned(), call, ..sample(name, load, round, ns) };
                let single = role == Role::Preset || (role == Role::Reference && name != "null");
                if threads > 1 && single {
                    one = failed(one, Status::Unsupported, "it serves one thread");
                }
                one.rss_peak_bytes = one
                    .rss_peak_bytes
                    .filter(|_| threads == 1)
                    .map(|_| (1_300_000.0 * (1.0 + 0.25 * (index % 6) as f64) * taste) as u64);
                results.samples.push(one);
            }
            let ns = base * system_taste(load) * weather * noise.factor(0.015);
            results.samples.push(Sample {
                again: true,
                mode: mode.to_owned(),
                ..sample("system", load, round, ns)
            });
        }
    }
    for (index, sample) in results.samples.iter_mut().enumerate() {
        sample.seq = index as u64;
    }
    results.ends.push(End {
        outcome: "complete".to_owned(),
        run_wall_ns: 262_000_000_000,
        measuring_wall_ns: 201_000_000_000,
    });
    results
}
