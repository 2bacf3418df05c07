//! The samples as CSV: a view for spreadsheets, one line per child process, the keys of the records
//! as headings.

use serde_json::Value;

use crate::record::{Call, Sample, Status};
use crate::results::Results;

/// All samples, A/A twins and verified ones included, in the order of the file. Fields that a sample
/// does not have are empty; `pass_wall_ns` holds its numbers with a space between them.
#[must_use]
pub fn samples_csv(results: &Results) -> String {
    let columns = columns();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&columns).expect("writing to memory cannot fail");
    for sample in &results.samples {
        let value = serde_json::to_value(sample).unwrap_or_default();
        let fields = columns.iter().map(|column| field(&value, column));
        writer.write_record(fields).expect("writing to memory cannot fail");
    }
    let bytes = writer.into_inner().expect("writing to memory cannot fail");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn field(sample: &Value, key: &str) -> String {
    match (key, sample.get(key)) {
        // Left out of a record when false.
        ("again" | "verified", None) => "false".to_owned(),
        (_, None | Some(Value::Null)) => String::new(),
        (_, Some(Value::String(text))) => text.clone(),
        (_, Some(Value::Array(values))) => {
            values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        (_, Some(other)) => other.to_string(),
    }
}

/// The keys of a sample that has all of them, in the order of the record's declaration.
fn columns() -> Vec<String> {
    let full = Sample {
        subject: String::new(),
        workload: String::new(),
        seq: 0,
        round: 0,
        again: true,
        mode: String::new(),
        call: Call::C,
        touch: String::new(),
        verified: true,
        status: Status::Ok,
        message: Some(String::new()),
        exit_code: Some(0),
        signal: Some(0),
        operations: Some(0),
        wall_ns: Some(0),
        calm_share: Some(0.0),
        retaken_calm_shares: vec![0.0],
        distance_ns: Some(0),
        pass_wall_ns: vec![0],
        ns_per_pair: Some(0.0),
        live_peak_bytes: Some(0),
        rss_peak_bytes: Some(0),
        page_faults: Some(0),
    };
    // A JSON object of serde_json sorts its keys; the text of the record keeps the order.
    let text = serde_json::to_string(&full).unwrap_or_default();
    text.trim_matches(['{', '}'])
        .split(',')
        .filter_map(|pair| Some(pair.split_once(':')?.0.trim_matches('"').to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_the_keys_of_a_sample_in_order() {
        let columns = columns();
        assert_eq!(columns.len(), 23);
        assert_eq!(columns[..4], ["subject", "workload", "seq", "round"]);
        assert_eq!(columns[22], "page_faults");
    }
}
