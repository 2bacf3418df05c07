//! `cargo bench`: the groups `ownership/<strategy>/<arenas>`, hits at random.

use std::time::Duration;

use bench_harness::bench::{ask, strategies};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const ARENAS: [u64; 3] = [1, 100, 10_000];
const QUERIES: usize = 1 << 16;

fn ownership(criterion: &mut Criterion) {
    for strategy in strategies() {
        let mut group = criterion.benchmark_group(format!("ownership/{strategy}"));
        group.throughput(Throughput::Elements(QUERIES as u64));
        group.sample_size(20).measurement_time(Duration::from_secs(2));
        group.warm_up_time(Duration::from_millis(500));
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

criterion_group!(benches, ownership);
criterion_main!(benches);
