//! Seeds of random tests.

/// The seed in `WORKLOADS_SEED`, or else all of `default`. A failing test names its seed.
pub(crate) fn seeds(default: std::ops::Range<u64>) -> Vec<u64> {
    match std::env::var("WORKLOADS_SEED").ok().and_then(|text| text.parse().ok()) {
        Some(seed) => vec![seed],
        None => default.collect(),
    }
}
