//! What a trace says of itself, and the statistics of its measured region.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use workloads::event::Call;
use workloads::statistics::{Collector, Statistics};
use workloads::totals::CallCounts;
use workloads::trace::Reader;

use super::print;
use crate::cli::Format;
use crate::exit::{self, Failure, Outcome};

/// Exact sizes that are listed.
const TOP_SIZES: usize = 12;
/// Percentiles of lifetimes that are listed.
const PERCENTILES: [f64; 6] = [10.0, 25.0, 50.0, 75.0, 90.0, 99.0];

/// The whole trace.
#[derive(Serialize)]
struct Info {
    trace: String,
    producer: String,
    command: String,
    interpreter: String,
    losses: Vec<&'static str>,
    failed_calls: u64,
    frees_of_unknown: u64,
    lost_frees: u64,
    file_bytes: u64,
    bytes_per_call: f64,
    calls: u64,
    calls_by_kind: BTreeMap<&'static str, u64>,
    threads: u64,
    births: u64,
    live_at_end: u64,
    region: Region,
}

/// The measured region; the whole trace where none is marked.
#[derive(Serialize)]
struct Region {
    marked: bool,
    calls: u64,
    calls_by_kind: BTreeMap<&'static str, u64>,
    base_blocks: u64,
    base_bytes: u64,
    live_peak_bytes: u64,
    live_peak_blocks: u64,
    mean_request_bytes: f64,
    small_share: f64,
    small_bytes_share: f64,
    realloc_share: f64,
    realloc_grow_share: f64,
    realloc_shrink_share: f64,
    lifetime_calls: BTreeMap<String, u64>,
    newest_free_share: f64,
    class_lifo_share: f64,
    remote_free_share: f64,
    top_sizes: Vec<TopSize>,
}

#[derive(Serialize)]
struct TopSize {
    bytes: u64,
    share: f64,
}

/// Reads the trace to its end and prints.
pub(super) fn print(path: &Path, format: Format) -> Outcome {
    let info = read(path)?;
    if format == Format::Json {
        print::json(&info)?;
    } else {
        print::table(&print::table_of(&["what", "value"], 2, rows(&info)), format)?;
    }
    Ok(exit::GOOD)
}

fn read(path: &Path) -> Result<Info, Failure> {
    let mut reader = Reader::open(path)?;
    let mut collector = Collector::new();
    for event in reader.by_ref() {
        collector.take(&event?);
    }
    let file_bytes =
        std::fs::metadata(path).map_err(|error| Failure::io(path.display(), error))?.len();
    let (meta, totals) = (reader.meta(), reader.totals());
    Ok(Info {
        trace: path.display().to_string(),
        producer: meta.producer.clone(),
        command: meta.command.clone(),
        interpreter: meta.interpreter.clone(),
        losses: meta.losses.flags().collect(),
        failed_calls: meta.losses.failed_calls,
        frees_of_unknown: meta.losses.frees_of_unknown,
        lost_frees: meta.losses.lost_frees,
        file_bytes,
        bytes_per_call: file_bytes as f64 / totals.calls.total().max(1) as f64,
        calls: totals.calls.total(),
        calls_by_kind: by_kind(&totals.calls),
        threads: totals.threads,
        births: totals.births,
        live_at_end: totals.live_at_end,
        region: region(&collector.finish()),
    })
}

fn region(statistics: &Statistics) -> Region {
    let sizes = &statistics.sizes;
    let [grow, shrink, _] = statistics.realloc_shares();
    let requests = sizes.requests().max(1) as f64;
    Region {
        marked: statistics.has_region,
        calls: statistics.calls.total(),
        calls_by_kind: by_kind(&statistics.calls),
        base_blocks: statistics.base_blocks,
        base_bytes: statistics.base_bytes,
        live_peak_bytes: statistics.live_peak_bytes,
        live_peak_blocks: statistics.live_peak_blocks,
        mean_request_bytes: sizes.mean_bytes(),
        small_share: sizes.small_share(),
        small_bytes_share: sizes.small_bytes_share(),
        realloc_share: statistics.realloc_share(),
        realloc_grow_share: grow,
        realloc_shrink_share: shrink,
        lifetime_calls: PERCENTILES
            .iter()
            .map(|&percent| (format!("p{percent}"), statistics.lifetimes.percentile(percent)))
            .collect(),
        newest_free_share: statistics.newest_free_share(),
        class_lifo_share: statistics.class_lifo_share(),
        remote_free_share: statistics.remote_free_share(),
        top_sizes: sizes
            .most_frequent(TOP_SIZES)
            .into_iter()
            .map(|(bytes, count)| TopSize { bytes, share: count as f64 / requests })
            .collect(),
    }
}

/// Calls by kind, kinds that do not occur left out.
fn by_kind(counts: &CallCounts) -> BTreeMap<&'static str, u64> {
    let name = |call| match call {
        Call::Malloc => "malloc",
        Call::Calloc => "calloc",
        Call::AlignedAlloc => "aligned_alloc",
        Call::ReallocNew => "realloc of null",
        Call::Realloc => "realloc",
        Call::ReallocFree => "realloc to nothing",
        Call::Free => "free",
        Call::FreeNull => "free of null",
    };
    counts.iter().filter(|(_, count)| *count > 0).map(|(call, count)| (name(call), count)).collect()
}

fn rows(info: &Info) -> Vec<Vec<String>> {
    let region = &info.region;
    let kinds = |counts: &BTreeMap<&'static str, u64>| {
        let parts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        parts.join(", ")
    };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let sizes: Vec<_> = region
        .top_sizes
        .iter()
        .map(|size| format!("{} ({})", size.bytes, percent(size.share)))
        .collect();
    let lifetimes: Vec<_> =
        region.lifetime_calls.iter().map(|(name, calls)| format!("{name} {calls}")).collect();
    let losses = if info.losses.is_empty() { "none".to_owned() } else { info.losses.join(", ") };
    let mut rows = vec![
        ("trace", info.trace.clone()),
        ("made by", info.producer.clone()),
        ("of", info.command.clone()),
        ("interpreter", info.interpreter.clone()),
        ("losses", losses),
        (
            "left out or put in",
            format!(
                "{} failed calls, {} frees of unknown blocks, {} missing frees",
                info.failed_calls, info.frees_of_unknown, info.lost_frees
            ),
        ),
        ("file", format!("{} bytes, {:.2} a call", info.file_bytes, info.bytes_per_call)),
        ("calls", format!("{} ({})", info.calls, kinds(&info.calls_by_kind))),
        ("threads", info.threads.to_string()),
        ("alive at the end", format!("{} of {} blocks", info.live_at_end, info.births)),
        (
            "figures below are of",
            if region.marked { "the marked region" } else { "the whole trace" }.to_owned(),
        ),
        ("calls there", format!("{} ({})", region.calls, kinds(&region.calls_by_kind))),
        ("alive before", format!("{} blocks, {} bytes", region.base_blocks, region.base_bytes)),
        (
            "peak alive",
            format!("{} blocks, {} bytes", region.live_peak_blocks, region.live_peak_bytes),
        ),
        ("mean request", format!("{:.1} bytes", region.mean_request_bytes)),
        (
            "up to 512 bytes",
            format!(
                "{} of requests, {} of bytes",
                percent(region.small_share),
                percent(region.small_bytes_share)
            ),
        ),
        (
            "reallocs",
            format!(
                "{} of calls; {} grow, {} shrink",
                percent(region.realloc_share),
                percent(region.realloc_grow_share),
                percent(region.realloc_shrink_share)
            ),
        ),
        ("lifetimes in calls", lifetimes.join(", ")),
        (
            "frees",
            format!(
                "{} of the newest block, {} of the newest of its class, {} by another thread",
                percent(region.newest_free_share),
                percent(region.class_lifo_share),
                percent(region.remote_free_share)
            ),
        ),
        ("commonest sizes", sizes.join(", ")),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    rows.into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect()
}
