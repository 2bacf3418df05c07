//! A comparison as records for machines: JSON objects of one form, and the ratios as CSV.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Comparison, Measure, OverAll, Row};
use crate::statistics::Estimate;

/// Name and major version of the form, on every object.
const SCHEMA: &str = "arenabench.comparison/1";

/// One ratio with flat keys: a cell's, or a geometric mean where `cells` is given.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Flat<'a> {
    workload: Option<&'a str>,
    mode: Option<&'a str>,
    touch: Option<&'a str>,
    subject: Option<&'a str>,
    measure: Measure,
    a: Option<f64>,
    b: Option<f64>,
    rounds_a: Option<usize>,
    rounds_b: Option<usize>,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    floor_percent: Option<f64>,
    cells: Option<usize>,
    verdict: &'static str,
}

impl Comparison {
    /// Everything as one array of objects, each with `schema` and `kind`: `note`, `ratio` (a cell),
    /// `mean` (a geometric mean; without `subject` over all of them), `failure`, `left-out`. What is
    /// not known is left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut records: Vec<Value> =
            self.notes.iter().map(|note| object("note", &json!({ "note": note }))).collect();
        records.extend(self.rows.iter().map(|row| object("ratio", &Flat::of(row))));
        records.extend(self.over_all.iter().map(|one| object("mean", &Flat::mean(one))));
        for one in &self.changes {
            let side = |failure: &Option<(crate::record::Status, String)>| {
                failure.as_ref().map(|(status, message)| format!("{}: {message}", status.word()))
            };
            records.push(object(
                "failure",
                &json!({
                    "workload": one.case.workload, "mode": one.case.mode, "touch": one.case.touch,
                    "subject": one.subject, "what": one.word(), "a": side(&one.a), "b": side(&one.b),
                }),
            ));
        }
        for one in &self.left_out {
            records.push(object(
                "left-out",
                &json!({
                    "workload": one.case.workload, "mode": one.case.mode, "touch": one.case.touch,
                    "subject": one.subject, "measure": one.measure, "reason": one.reason,
                }),
            ));
        }
        Value::Array(records)
    }

    /// Every cell's ratios and the geometric means as CSV with a heading, figures in full. What is
    /// not known is an empty field.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let means = self.over_all.iter().map(Flat::mean);
        for flat in self.rows.iter().map(Flat::of).chain(means) {
            writer.serialize(flat).expect("flat values always fit a CSV line in memory");
        }
        let bytes = writer.into_inner().expect("writing to memory cannot fail");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl<'a> Flat<'a> {
    fn of(row: &'a Row) -> Self {
        let (low, high) = ends(row.ratio);
        Self {
            workload: Some(&row.case.workload),
            mode: Some(&row.case.mode),
            touch: row.case.touch.as_deref(),
            subject: Some(&row.subject),
            measure: row.measure,
            a: Some(row.a.value),
            b: Some(row.b.value),
            rounds_a: Some(row.a.count),
            rounds_b: Some(row.b.count),
            ratio: row.ratio.map(|ratio| ratio.value),
            ratio_low: low,
            ratio_high: high,
            floor_percent: row.floor_percent,
            cells: None,
            verdict: row.word(),
        }
    }

    fn mean(one: &'a OverAll) -> Self {
        let (low, high) = ends(Some(one.ratio));
        Self {
            workload: None,
            mode: None,
            touch: None,
            subject: one.subject.as_deref(),
            measure: one.measure,
            a: None,
            b: None,
            rounds_a: None,
            rounds_b: None,
            ratio: Some(one.ratio.value),
            ratio_low: low,
            ratio_high: high,
            floor_percent: one.floor_percent,
            cells: Some(one.cells),
            verdict: one.word(),
        }
    }
}

fn ends(ratio: Option<Estimate>) -> (Option<f64>, Option<f64>) {
    let ends = ratio.and_then(|ratio| ratio.interval);
    (ends.map(|ends| ends.low), ends.map(|ends| ends.high))
}

fn object(kind: &str, keys: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(keys).unwrap_or_default();
    if let Some(keys) = value.as_object_mut() {
        keys.retain(|_, value| !value.is_null());
        keys.insert("schema".to_owned(), json!(SCHEMA));
        keys.insert("kind".to_owned(), json!(kind));
    }
    value
}
