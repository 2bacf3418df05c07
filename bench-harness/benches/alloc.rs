//! `cargo bench`: the groups `alloc/<workload>/<subject>` over all linked subjects.

use std::time::Duration;

use bench_harness::bench::{Workload, subjects};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const WORKLOADS: [&str; 3] = ["int-churn", "dict-resize", "frame-push-pop"];
const OPERATIONS: u64 = 200_000;
const SEED: u64 = 1;

fn alloc(criterion: &mut Criterion) {
    for name in WORKLOADS {
        let workload = Workload::prepare(name, OPERATIONS, SEED).expect("a built-in workload");
        let mut group = criterion.benchmark_group(format!("alloc/{name}"));
        group.throughput(Throughput::Elements(workload.calls()));
        group.sample_size(20).measurement_time(Duration::from_secs(2));
        group.warm_up_time(Duration::from_millis(500));
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

criterion_group!(benches, alloc);
criterion_main!(benches);
