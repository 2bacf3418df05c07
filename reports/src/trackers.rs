//! The figures of a run as JSON that benchmark trackers read, to be drawn over commits.
//!
//! Beside [`mod@crate::samples_csv`]. A tracker knows numbers only: a failed cell has none and is left
//! out here; [`mod@crate::junit`] has it. Absolute times of shared machines say little: where a tracker
//! raises alarms, let it watch the ratios, memory and errors.

use serde_json::{Map, Value, json};

use crate::programs::Programs;
use crate::quantity;
use crate::results::Results;
use crate::statistics::{Estimate, Interval};
use crate::summary::Summary;

/// One figure of one cell; smaller is better for each of them.
struct Point {
    /// `workload/subject`.
    name: String,
    /// Key, unit included.
    measure: &'static str,
    unit: &'static str,
    value: f64,
    interval: Option<Interval>,
    /// Rounds or samples that it stands on, where that is known.
    count: Option<usize>,
}

/// Bencher Metric Format: an object of benchmarks, each an object of measures with `value` and,
/// where there is an interval at 95 %, `lower_value` and `upper_value`.
///
/// Benchmarks are named `workload/subject`, measures as keys of records are.
#[must_use]
pub fn bencher_metric_format(results: &Results) -> Value {
    let mut benchmarks = Map::new();
    for point in points(results) {
        let mut figure = json!({ "value": point.value });
        if let Some(interval) = point.interval {
            figure["lower_value"] = json!(interval.low);
            figure["upper_value"] = json!(interval.high);
        }
        let measures = benchmarks.entry(point.name).or_insert_with(|| json!({}));
        measures[point.measure] = figure;
    }
    Value::Object(benchmarks)
}

/// The array that github-action-benchmark takes as `customSmallerIsBetter`: `name`, `unit`, `value`,
/// and where there is an interval at 95 % `range`, the farther end's distance, and `extra`.
#[must_use]
pub fn benchmark_action(results: &Results) -> Value {
    let entry = |point: Point| {
        let name = format!("{} {}", point.name, point.measure);
        let mut entry = json!({ "name": name, "unit": point.unit, "value": point.value });
        if let Some(interval) = point.interval {
            let far = (interval.high - point.value).max(point.value - interval.low);
            entry["range"] = json!(format!("± {}", quantity::figure(far)));
            let count = point.count.map(|count| format!(" of {count} rounds")).unwrap_or_default();
            entry["extra"] = json!(format!("95 %{count}: {}", quantity::interval(interval)));
        }
        entry
    };
    Value::Array(points(results).into_iter().map(entry).collect())
}

/// Every figure of every cell that did not fail, in the order of the file.
fn points(results: &Results) -> Vec<Point> {
    let mut points = Vec::new();
    let summary = Summary::of(results);
    for row in summary.rows.iter().filter(|row| row.failure.is_none()) {
        let name = format!("{}/{}", summary.label(&row.setting), row.subject);
        let mut put = |measure, unit, figure: Option<Estimate>| {
            points.extend(figure.map(|figure| Point::of(&name, measure, unit, figure)));
        };
        put("ns_per_pair", "ns/pair", row.time);
        put("ratio", "of baseline", row.ratio);
        put("rss_peak_bytes", "bytes", row.rss_peak_bytes.map(exact));
        put("page_faults", "faults", row.page_faults.map(exact));
    }
    for row in Programs::of(results).into_iter().flat_map(|programs| programs.rows) {
        if row.failure.is_none() {
            let name = format!("{}/{}", row.program, row.subject);
            let mut put = |measure, unit, figure: Option<Estimate>| {
                points.extend(figure.map(|figure| Point::of(&name, measure, unit, figure)));
            };
            put("wall_ns", "ns", row.wall_ns);
            put("wall_ratio", "of baseline", row.wall_ratio);
            put("rss_peak_bytes", "bytes", row.rss_peak_bytes);
            put("page_faults", "faults", row.page_faults);
        }
    }
    for memcheck in results.memchecks.iter().filter(|one| !one.status.is_failure()) {
        let name = format!("{}/{}", memcheck.workload, memcheck.subject);
        let errors = memcheck.errors.map(|errors| exact(errors as f64));
        points.extend(errors.map(|errors| Point::of(&name, "memcheck_errors", "errors", errors)));
    }
    points
}

/// A figure without an interval.
fn exact(value: f64) -> Estimate {
    Estimate { value, count: 0, interval: None }
}

impl Point {
    fn of(name: &str, measure: &'static str, unit: &'static str, figure: Estimate) -> Self {
        let count = (figure.count > 0).then_some(figure.count);
        let (value, interval) = (figure.value, figure.interval);
        Self { name: name.to_owned(), measure, unit, value, interval, count }
    }
}
