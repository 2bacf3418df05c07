//! The record of a replay whose memory was read over its whole life.

use serde::{Deserialize, Serialize};

use super::{Call, Status};

/// One subject on one workload: the memory it takes from the first call to long after the last. One
/// pass on a cold heap, on one thread, without address randomisation and huge pages, so that the
/// figures repeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Subject that served the child.
    pub subject: String,
    /// Workload that was replayed.
    pub workload: String,
    /// How calls reached the subject.
    pub call: Call,
    /// Touch policy, see [`Sample::touch`](super::Sample::touch).
    pub touch: String,
    /// How it ended.
    pub status: Status,
    /// What went wrong, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Allocator calls of the measured region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<u64>,
    /// Whether a second replay in a process of its own found the same series, to the byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<bool>,
    /// Calls of the region made, live bytes and used bytes: evenly spaced over the region, and after
    /// the call with most live bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<(u64, u64, u64)>,
    /// Most live bytes of the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_peak_bytes: Option<u64>,
    /// Most used bytes of the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_peak_bytes: Option<u64>,
    /// Used over live bytes, four times: see [`fragmentation`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragmentation: Option<[f64; 4]>,
    /// Milliseconds since everything was freed, and used bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drained: Vec<(u64, u64)>,
    /// Usable beyond requested bytes, by size band of the request; empty where the subject cannot
    /// tell usable sizes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waste: Vec<WasteRow>,
    /// The heap when most bytes were alive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<HeapMap>,
}

/// Requests of one size band, over all births and resizes of the pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasteRow {
    /// The band: `up-to-64` ..., as in records of tails.
    pub sizes: String,
    /// Requests.
    pub requests: u64,
    /// Sum of the requests.
    pub requested_bytes: u64,
    /// Sum of what may be used of the blocks that were handed out.
    pub usable_bytes: u64,
}

/// Which OS pages hold how many live bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeapMap {
    /// Size of an OS page.
    pub page_bytes: u64,
    /// Pages that a cell of `regions` stands for.
    pub cell_pages: u64,
    /// Resident pages by fill: the first holds nothing alive, the n-th up to n eighths.
    pub pages_by_fill: [u64; 9],
    /// Stretches of addresses in rising order, a letter per cell: `.` for a cell that is not
    /// resident, else the mean fill of its resident pages in eighths, rounded up.
    pub regions: Vec<String>,
}

/// The four measures of fragmentation by Johnstone and Wilson over a series of live bytes L and used
/// bytes U: the mean of U / L over all readings; U / L when L is largest; U / L when U is largest; the
/// largest U over the largest L. `None` when nothing was ever alive.
#[must_use]
pub fn fragmentation(series: &[(u64, u64, u64)]) -> Option<[f64; 4]> {
    let alive = || series.iter().filter(|point| point.1 > 0);
    let ratio = |point: &(u64, u64, u64)| point.2 as f64 / point.1 as f64;
    // Of several equal peaks the first one, which is not what `max_by_key` takes.
    let first_peak = |of: fn(&(u64, u64, u64)) -> u64| {
        alive().reduce(|best, point| if of(point) > of(best) { point } else { best })
    };
    let live = first_peak(|point| point.1)?;
    let used = first_peak(|point| point.2)?;
    let mean = alive().map(ratio).sum::<f64>() / alive().count() as f64;
    Some([mean, ratio(live), ratio(used), used.2 as f64 / live.1 as f64])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_measures_are_taken_at_their_own_points() {
        // Live bytes peak in the middle, used bytes at the end.
        let series = [(0, 0, 4), (1, 100, 150), (2, 200, 240), (3, 50, 250)];
        let [mean, at_live, at_used, of_peaks] = fragmentation(&series).unwrap();
        assert!((mean - (1.5 + 1.2 + 5.0) / 3.0).abs() < 1e-12);
        assert!((at_live - 1.2).abs() < 1e-12);
        assert!((at_used - 5.0).abs() < 1e-12);
        assert!((of_peaks - 1.25).abs() < 1e-12);
    }

    #[test]
    fn a_heap_in_which_nothing_lives_has_no_fragmentation() {
        assert_eq!(fragmentation(&[(0, 0, 4096)]), None);
        assert_eq!(fragmentation(&[]), None);
    }
}
