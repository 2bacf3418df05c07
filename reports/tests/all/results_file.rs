//! Writing and reading results files: what is kept, what is tolerated, what is refused.

use crate::synthetic;
use std::fs;
use std::path::{Path, PathBuf};

use reports::record::{End, Record, SCHEMA, Unmeasured};
use reports::results::{ReadError, Results, ResultsFile};
use tempfile::TempDir;

fn dir() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Writes `text` as a results file and reads it.
fn read(text: impl AsRef<[u8]>) -> (PathBuf, Result<Results, ReadError>) {
    let dir = dir();
    let path = dir.path().join("results.jsonl");
    fs::write(&path, text).expect("a temporary file");
    let read = Results::read(&path);
    (path, read)
}

fn host_line() -> String {
    line(&Record::Host(synthetic::host()))
}

fn line(record: &Record) -> String {
    let mut value = serde_json::to_value(record).expect("records are JSON");
    value["schema"] = SCHEMA.into();
    format!("{value}\n")
}

/// The error of a file that must be refused as bad data, checked to be one line with path and line
/// number.
#[track_caller]
fn refused(text: impl AsRef<[u8]>, at_line: usize) -> String {
    let (path, read) = read(text);
    let error = read.expect_err("the file must be refused");
    assert_eq!(error.exit_code(), 65, "{error}");
    let message = error.to_string();
    assert!(message.starts_with(&format!("{}:{at_line}: ", path.display())), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn records_come_back_as_they_were_written_and_in_order() {
    let dir = dir();
    let path = dir.path().join("results.jsonl");
    let written = synthetic::run(12, 6, 5, 1);
    let mut file = ResultsFile::create(&path).unwrap();
    for record in written.records() {
        file.append(&record).unwrap();
    }
    // Not assert_eq: half a megabyte of difference helps nobody.
    assert!(Results::read(&path).unwrap() == written);
    assert!(written.is_complete());
}

#[test]
fn every_record_is_on_disk_as_one_line_before_the_next_is_written() {
    let dir = dir();
    let path = dir.path().join("results.jsonl");
    let mut file = ResultsFile::create(&path).unwrap();
    for (index, record) in synthetic::run(2, 1, 2, 1).records().iter().enumerate() {
        file.append(record).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), index + 1);
        assert!(text.ends_with('\n'));
    }
}

#[test]
fn a_record_that_could_not_be_read_back_is_refused_and_leaves_no_trace() {
    let dir = dir();
    let path = dir.path().join("results.jsonl");
    let mut file = ResultsFile::create(&path).unwrap();
    let mut host = synthetic::host();
    host.load_1m = f64::NAN;
    assert!(file.append(&Record::Host(host)).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn an_unwritable_place_is_named_in_the_error() {
    let path = Path::new("/no-such-folder/results.jsonl");
    let error = ResultsFile::create(path).unwrap_err();
    assert!(error.to_string().contains("/no-such-folder/results.jsonl"), "{error}");
}

#[test]
fn a_missing_file_is_an_io_error_that_names_it() {
    let error = Results::read("/no-such-folder/results.jsonl").unwrap_err();
    assert_eq!(error.exit_code(), 74);
    assert!(error.to_string().contains("/no-such-folder/results.jsonl"), "{error}");
}

#[test]
fn a_torn_last_line_is_left_out_and_reported() {
    let whole = host_line() + &line(&Record::Sample(synthetic::sample("a", "w", 0, 5.0)));
    let torn = line(&Record::Sample(synthetic::sample("a", "w", 1, 5.0)));
    // Every possible cut but the last, which leaves a whole record without its newline.
    for cut in 1..torn.len() - 1 {
        let (_, results) = read(whole.clone() + &torn[..cut]);
        let results = results.unwrap();
        assert_eq!(results.torn_line, Some(3), "cut after {cut} bytes");
        assert_eq!(results.samples.len(), 1);
    }
    let (_, results) = read(whole + torn.trim_end());
    assert_eq!(results.unwrap().samples.len(), 2);
}

#[test]
fn what_a_resumed_run_lacks_again_is_listed_once() {
    let missing = |measure: &str| {
        line(&Record::Unmeasured(Unmeasured {
            measure: measure.to_owned(),
            reason: "valgrind is not installed".to_owned(),
            remedy: None,
        }))
    };
    let twice = host_line() + &missing("counts") + &missing("memcheck") + &missing("counts");
    let measures: Vec<_> =
        read(twice).1.unwrap().unmeasured.into_iter().map(|one| one.measure).collect();
    assert_eq!(measures, ["counts", "memcheck"]);
}

/// A page that says the last part alone would claim that a run of minutes took seconds.
#[test]
fn a_run_that_was_gone_on_with_took_as_long_as_its_parts_and_ended_as_the_last_of_them() {
    let end = |outcome: &str, run_wall_ns, measuring_wall_ns| {
        line(&Record::End(End { outcome: outcome.to_owned(), run_wall_ns, measuring_wall_ns }))
    };
    let (_, results) = read(host_line() + &end("interrupted", 500, 300) + &end("complete", 26, 1));
    let results = results.unwrap();
    let whole = results.end().unwrap();
    assert_eq!(
        (whole.outcome.as_str(), whole.run_wall_ns, whole.measuring_wall_ns),
        ("complete", 526, 301)
    );
    assert!(results.is_complete());
    let (_, results) = read(host_line() + &end("complete", 26, 1) + &end("interrupted", 5, 3));
    assert!(!results.unwrap().is_complete());
    assert_eq!(read(host_line()).1.unwrap().end(), None);
}

#[test]
fn a_broken_line_in_the_middle_is_refused() {
    let text = host_line() + "{\"schema\":\"arenabench.resu\n" + &host_line();
    assert!(refused(text, 2).contains("not a JSON record"));
}

#[test]
fn a_broken_last_line_with_its_newline_is_refused() {
    refused(host_line() + "garbage\n", 2);
}

#[test]
fn what_is_no_results_file_is_refused_at_its_first_line() {
    assert!(refused("", 1).contains("empty"));
    assert!(refused("\n \n", 1).contains("empty"));
    refused("garbage", 1);
    refused([0xFF, 0xFE, 0x00, 0x0A], 1);
    refused("[1, 2]\n", 1);
    refused("17\n", 1);
    refused("{}\n", 1);
    refused("{\"schema\":\"something else\",\"kind\":\"host\"}\n", 1);
}

#[test]
fn a_file_must_begin_with_a_host_record_and_have_only_one() {
    let sample = line(&Record::Sample(synthetic::sample("a", "w", 0, 5.0)));
    assert!(refused(sample + &host_line(), 1).contains("host"));
    assert!(refused(host_line() + &host_line(), 2).contains("second host"));
    let unknown = format!("{{\"schema\":\"{SCHEMA}\",\"kind\":\"novelty\"}}\n");
    assert!(refused(unknown, 1).contains("host"));
}

#[test]
fn another_major_schema_is_refused_and_named() {
    for schema in ["arenabench.results/2", "arenabench.results/10", "arenabench.results/0"] {
        let text = host_line().replace(SCHEMA, schema);
        assert!(refused(text, 1).contains(schema));
    }
}

#[test]
fn unknown_keys_kinds_and_minor_versions_of_the_same_major_are_skipped() {
    let text = host_line().replace("\"cpus\":2", "\"cpus\":2,\"moon_phase\":\"waxing\"")
        + &format!("{{\"schema\":\"{SCHEMA}.4\",\"kind\":\"novelty\",\"value\":1}}\n");
    let (_, results) = read(text);
    let results = results.unwrap();
    assert_eq!(results.host, synthetic::host());
    assert_eq!(results.unknown_kinds, 1);
}

#[test]
fn a_missing_or_mistyped_key_is_named() {
    let message = refused(host_line().replace("\"cpu_model\"", "\"cpu_name\""), 1);
    assert!(message.contains("cpu_model") && message.contains("host"), "{message}");
    let message = refused(host_line().replace("\"cpus\":2", "\"cpus\":-2"), 1);
    assert!(message.contains("-2"), "{message}");
    let sample = line(&Record::Sample(synthetic::sample("a", "w", 0, 5.0)));
    let message =
        refused(host_line() + &sample.replace("\"status\":\"ok\"", "\"status\":\"fine\""), 2);
    assert!(message.contains("fine"), "{message}");
}

#[test]
fn one_name_described_in_two_ways_is_refused_and_repeated_the_same_way_is_not() {
    let mut subject =
        synthetic::subject("a", reports::record::Role::Peer, reports::record::Call::C);
    let first = line(&Record::Subject(subject.clone()));
    let (_, results) = read(host_line() + &first + &first);
    assert_eq!(results.unwrap().subjects.len(), 1);
    subject.version = "9.9.9".to_owned();
    let second = line(&Record::Subject(subject));
    assert!(refused(host_line() + &first + &second, 3).contains("`a`"));
}

#[test]
fn a_resumed_file_loses_its_torn_line_and_nothing_else() {
    let dir = dir();
    let path = dir.path().join("results.jsonl");
    let sample = Record::Sample(synthetic::sample("a", "w", 0, 5.0));
    let gap = Record::Unmeasured(Unmeasured {
        measure: "memcheck".to_owned(),
        reason: "not installed".to_owned(),
        remedy: None,
    });
    let whole = line(&sample);
    let endings = [("", 1), ("{\"schema\":\"aren", 1), (whole.trim_end(), 2), ("\n\n", 1)];
    for (ending, samples) in endings {
        fs::write(&path, host_line() + &line(&sample) + ending).unwrap();
        let mut file = ResultsFile::resume(&path).unwrap();
        file.append(&gap).unwrap();
        let results = Results::read(&path).unwrap();
        assert_eq!(results.samples.len(), samples, "{ending:?}");
        assert_eq!((results.unmeasured.len(), results.torn_line), (1, None), "{ending:?}");
    }
    assert!(ResultsFile::resume(dir.path().join("none")).is_err());
}

#[test]
fn no_garbage_makes_the_reader_panic() {
    let seed = 20;
    println!("seed {seed}");
    let mut noise = synthetic::Noise::new(seed);
    let whole = host_line() + &line(&Record::Sample(synthetic::sample("a", "w", 0, 5.0)));
    for _ in 0..500 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..1 + (noise.even() * 4.0) as usize {
            let at = (noise.even() * bytes.len() as f64) as usize;
            match noise.even() {
                chance if chance < 0.4 => bytes[at] = (noise.even() * 256.0) as u8,
                chance if chance < 0.7 => bytes.truncate(at),
                _ => bytes.insert(at, b'\n'),
            }
            if bytes.is_empty() {
                break;
            }
        }
        if let Err(error) = Results::parse(&bytes, Path::new("results.jsonl")) {
            assert_eq!(error.exit_code(), 65);
        }
    }
}
