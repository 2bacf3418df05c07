//! `cargo bench`: the groups `alloc/<workload>/<subject>` over all linked subjects, and
//! `ownership/<strategy>/<arenas>`, hits at random. One program, since linking it costs more than
//! running it once.

use std::time::Duration;

use bench_harness::bench::{Workload, ask, strategies, subjects};
use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};

const WORKLOADS: [&str; 3] = ["int-churn", "dict-resize", "frame-push-pop"];
const OPERATIONS: u64 = 200_000;
const SEED: u64 = 1;

const ARENAS: [u64; 3] = [1, 100, 10_000];
const QUERIES: usize = 1 << 16;

/// A group whose measurements go over `elements` per pass.
fn group(criterion: &mut Criterion, name: String, elements: u64) -> BenchmarkGroup<'_, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(elements));
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.warm_up_time(Duration::from_millis(500));
    group
}

fn alloc(criterion: &mut Criterion) {
    for name in WORKLOADS {
        let workload = Workload::prepare(name, OPERATIONS, SEED).expect("a built-in workload");
        let mut group = group(criterion, format!("alloc/{name}"), workload.calls());
        for subject in subjects() {
            let measured = workload.replay(&subject, &mut |pass| {
                group.bench_function(BenchmarkId::from_parameter(&subject), |bencher| {
                    bencher.iter_custom(|passes| (0..passes).map(|_| pass()).sum());
                });
            });
            measured.expect("a linked subject");
        }
        group.finish();
    }
}

fn ownership(criterion: &mut Criterion) {
    for strategy in strategies() {
        let mut group = group(criterion, format!("ownership/{strategy}"), QUERIES as u64);
        for arenas in ARENAS {
            let measured = ask(strategy, arenas, QUERIES, &mut |pass| {
                group.bench_function(BenchmarkId::from_parameter(arenas), |bencher| {
                    bencher.iter_custom(|passes| (0..passes).map(|_| pass()).sum());
                });
            });
            measured.expect("a strategy of the list");
        }
        group.finish();
    }
}

criterion_group!(benches, alloc, ownership);
criterion_main!(benches);
