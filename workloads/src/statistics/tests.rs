//! Every figure on a stream small enough to count by hand.

use super::*;
use crate::event::{BlockId, ThreadIndex};
use crate::generate::Spec;

fn events(ops: &[(u32, Op)]) -> Vec<Event> {
    let on = |&(thread, op)| Event { thread: ThreadIndex(thread), op, time_ns: None };
    ops.iter().map(on).collect()
}

fn malloc(block: u64, size: u64) -> Op {
    Op::Malloc { block: BlockId(block), size }
}

fn free(block: u64) -> Op {
    Op::Free { block: BlockId(block), size: None }
}

fn collected(ops: &[(u32, Op)]) -> Statistics {
    let all = events(ops).into_iter().map(Ok::<_, ()>);
    Statistics::collect(all).unwrap()
}

#[test]
fn figures_are_those_of_the_region_on_its_base() {
    let statistics = collected(&[
        (0, malloc(0, 1000)),
        (0, malloc(1, 24)),
        (0, free(0)),
        (0, malloc(2, 40)),
        (0, Op::RegionStart),
        (0, malloc(3, 32)),                                         // clock 4
        (1, Op::Calloc { block: BlockId(4), count: 2, size: 300 }), // 5
        (0, Op::Realloc { block: BlockId(3), size: 64 }),           // 6
        (1, free(3)),                                               // 7: lived 3, remote
        (0, free(1)),                                               // 8: of the base
        (1, free(4)),                                               // 9: lived 4, the newest
        (0, Op::FreeNull),
        (0, Op::RegionEnd),
        (0, malloc(5, 1 << 40)),
    ]);
    assert!(statistics.has_region);
    assert_eq!((statistics.base_blocks, statistics.base_bytes), (2, 64));
    assert_eq!((statistics.live_peak_bytes, statistics.live_peak_blocks), (64 + 64 + 600, 4));
    assert_eq!(statistics.calls.total(), 7);
    assert_eq!(statistics.threads, 2);
    assert_eq!(statistics.sizes.most_frequent(9), [(32, 1), (600, 1)]);
    assert_eq!(statistics.reallocs, [1, 0, 0]);
    assert_eq!(statistics.realloc_share(), 1.0 / 7.0);
    assert_eq!((statistics.deaths, statistics.remote_frees), (3, 1));
    assert_eq!((statistics.newest_frees, statistics.class_lifo_frees), (1, 3));
    assert_eq!(statistics.lifetimes.count(), 2);
    assert_eq!([50.0, 100.0].map(|p| statistics.lifetimes.percentile(p)), [3, 4]);
    assert_eq!(statistics.live_end_blocks, 1);
}

#[test]
fn without_a_region_figures_are_those_of_the_whole_stream() {
    let statistics = collected(&[(0, malloc(0, 8)), (0, malloc(1, 8)), (0, free(0)), (0, free(1))]);
    assert!(!statistics.has_region);
    assert_eq!(statistics.calls.total(), 4);
    assert_eq!(statistics.base_blocks, 0);
    assert_eq!((statistics.newest_frees, statistics.deaths), (1, 2));
    assert_eq!(statistics.lifetimes.percentile(100.0), 2);
}

#[test]
fn an_empty_stream_has_no_figures() {
    let statistics = collected(&[]);
    assert_eq!(statistics, Statistics::default());
    assert_eq!(statistics.realloc_shares(), [0.0; 3]);
}

#[test]
fn int_churn_is_half_short_lived_as_integer_code_is() {
    let spec: Spec = "int-churn:1k".parse().unwrap();
    let mut collector = Collector::new();
    spec.generate(200_000, 1, &mut |event| collector.take(&event));
    let statistics = collector.finish();
    assert!((statistics.sizes.share_of(32) - 0.75).abs() < 0.01);
    assert!((statistics.sizes.share_of(36) - 0.25).abs() < 0.01);
    assert_eq!(statistics.realloc_share(), 0.0);
    assert!(
        statistics.lifetimes.percentile(50.0) <= 77,
        "{:?}",
        statistics.lifetimes.percentile(50.0)
    );
    assert!(statistics.lifetimes.percentile(90.0) > 1_000);
    assert!(statistics.newest_free_share() < 0.01);
}
