//! The document and the code describe one schema, and files of its first version stay readable.

use crate::synthetic;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use reports::record::{
    Call, Cause, Contract, Counters, Counts, Detection, Finding, Footprint, Memcheck, Memory,
    Metric, Packing, Program, Record, Role, Sample, Status, Tails, Unmeasured, Verdict, Workload,
};
use reports::results::Results;

const DOCUMENT: &str = include_str!("../../SCHEMA.md");
const FIXTURE: &[u8] = include_bytes!("../fixtures/results-v1.jsonl");

/// Keys that SCHEMA.md lists, by the kind in the heading above them.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut kind = None;
    for line in DOCUMENT.lines() {
        if let Some(heading) = line.strip_prefix("## `") {
            kind = heading.split('`').next().map(str::to_owned);
        } else if let (Some(kind), Some(row)) = (&kind, line.strip_prefix("| `")) {
            let key = row.split('`').next().unwrap_or_default().to_owned();
            assert!(kinds.entry(kind.clone()).or_default().insert(key), "twice: {line}");
        }
    }
    kinds
}

/// One record of every kind with every key present.
fn full_records() -> Vec<Record> {
    let mut subject =
        synthetic::subject("tcmalloc", synthetic::SUBJECTS[12].1, synthetic::SUBJECTS[12].2);
    subject.remark = Some("remark".to_owned());
    let results = synthetic::run(7, 4, 1, 1);
    let sample = Sample {
        again: true,
        verified: true,
        status: Status::Exit,
        message: Some("message".to_owned()),
        exit_code: Some(1),
        signal: Some(11),
        retaken_calm_shares: vec![0.5],
        distance_ns: Some(70),
        ..results.samples[0].clone()
    };
    let noisy = results.memchecks.iter().find(|one| one.errors > Some(0)).expect("a noisy one");
    let program = Program {
        again: true,
        verified: true,
        status: Status::Signal,
        message: Some("message".to_owned()),
        signal: Some(11),
        library: Some("/lib/libc.so.6".to_owned()),
        ..synthetic::program("json", "system", 0, 1_000_000)
    };
    let memcheck = Memcheck {
        message: Some("message".to_owned()),
        symbols: "stripped".to_owned(),
        requests: "off".to_owned(),
        program: true,
        exit_code: Some(0),
        library: Some("/lib/libc.so.6".to_owned()),
        ..noisy.clone()
    };
    vec![
        Record::Host(results.host.clone()),
        Record::Subject(subject),
        Record::Workload(Workload {
            aged_by: Some("json".to_owned()),
            ..results.workloads[3].clone()
        }),
        Record::Recording(results.recordings[0].clone()),
        Record::Sample(sample),
        Record::Memcheck(memcheck),
        Record::Program(program),
        Record::Contract(Contract {
            message: Some("message".to_owned()),
            ..synthetic::contract("system", "malloc(0)", Verdict::Allowed)
        }),
        Record::Ownership(synthetic::full_ownership()),
        Record::Detection(Detection {
            message: Some("message".to_owned()),
            ..synthetic::detection("double-free", "arenite+memcheck", Finding::Caught)
        }),
        Record::Tails(Tails {
            status: Status::Exit,
            message: Some("message".to_owned()),
            ..synthetic::tails("system", "int-churn", 0, 10.0)
        }),
        Record::Counts(Counts {
            threads: Some(2),
            message: Some("message".to_owned()),
            ..synthetic::counts("system", Call::C, 40_000_000)
        }),
        Record::Counters(Counters {
            message: Some("message".to_owned()),
            ..synthetic::counters("system", 9_000_000)
        }),
        Record::Footprint(Footprint {
            subject: "system".to_owned(),
            workload: "int-churn".to_owned(),
            call: Call::C,
            touch: "header".to_owned(),
            threads: Some(2),
            status: Status::Exit,
            message: Some("message".to_owned()),
            rss_peak_bytes: Some(4096),
            rss_retained_bytes: Some(4096),
            rss_growth_bytes: Some(4096),
            page_faults: Some(500),
        }),
        Record::Memory(Memory {
            message: Some("message".to_owned()),
            ..synthetic::memory("system", 1.2)
        }),
        Record::Packing(Packing { message: Some("message".to_owned()), ..synthetic::packing() }),
        Record::Unmeasured(Unmeasured {
            measure: "memcheck".to_owned(),
            reason: "reason".to_owned(),
            remedy: Some("remedy".to_owned()),
        }),
        Record::End(results.ends[0].clone()),
    ]
}

#[test]
fn every_key_is_documented_and_every_documented_key_exists() {
    let mut documented = documented();
    for record in full_records() {
        let value = serde_json::to_value(&record).unwrap();
        let keys: BTreeSet<String> =
            value.as_object().unwrap().keys().filter(|key| *key != "kind").cloned().collect();
        let kind = record.kind();
        assert_eq!(value["kind"], kind);
        let described = documented.remove(kind).unwrap_or_default();
        assert_eq!(keys, described, "keys of `{kind}` in the code and in SCHEMA.md");
    }
    assert!(documented.is_empty(), "documented kinds that the code lacks: {documented:?}");
}

#[test]
fn every_kind_and_status_is_named_in_the_document() {
    let kinds: Vec<&str> = full_records().iter().map(Record::kind).collect();
    assert_eq!(kinds, Record::KINDS);
    let statuses = [
        Status::Ok,
        Status::Exit,
        Status::Signal,
        Status::Timeout,
        Status::Oom,
        Status::Mismatch,
        Status::NotLoaded,
        Status::Unsupported,
        Status::Missing,
        Status::Interrupted,
    ];
    for status in statuses {
        assert_eq!(serde_json::to_value(status).unwrap(), status.word());
        assert!(DOCUMENT.contains(&format!("`{}`", status.word())), "{}", status.word());
    }
}

#[test]
fn every_role_and_call_kind_is_named_in_the_document() {
    // The match makes the compiler ask for a role that is added.
    let roles = [Role::Peer, Role::Own, Role::Preset, Role::Reference];
    for role in roles {
        let name = match role {
            Role::Peer => "peer",
            Role::Own => "own",
            Role::Preset => "preset",
            Role::Reference => "reference",
        };
        assert_eq!(serde_json::to_value(role).unwrap(), name);
        assert!(DOCUMENT.contains(&format!("`{name}` (")), "{name}");
    }
    for call in [Call::C, Call::Inline, Call::None] {
        let name = serde_json::to_value(call).unwrap();
        assert!(DOCUMENT.contains(&format!("`{}` (", name.as_str().unwrap())), "{name}");
    }
}

#[test]
fn every_key_and_cause_inside_a_record_of_tails_is_named_in_the_document() {
    let value = serde_json::to_value(synthetic::tails("system", "int-churn", 0, 10.0)).unwrap();
    for part in ["rows", "worst"] {
        let parts = value[part].as_array().unwrap().iter();
        let keys: BTreeSet<_> =
            parts.flat_map(|part| part.as_object().unwrap().keys().cloned()).collect();
        for key in keys {
            assert!(DOCUMENT.contains(&format!("`{key}`")), "{part}: {key}");
        }
    }
    for cause in Cause::ALL {
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.word());
        assert!(DOCUMENT.contains(&format!("`{}`", cause.word())), "{}", cause.word());
    }
}

#[test]
fn every_verdict_on_a_row_of_the_contract_is_named_in_the_document() {
    for verdict in Verdict::ALL {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
        assert!(DOCUMENT.contains(&format!("`{}` (", verdict.word())), "{}", verdict.word());
    }
}

#[test]
fn every_metric_of_an_ownership_test_is_named_in_the_document() {
    for metric in Metric::ALL {
        assert_eq!(serde_json::to_value(metric).unwrap(), metric.word());
        assert!(DOCUMENT.contains(&format!("`{}` (", metric.word())), "{}", metric.word());
    }
}

#[test]
fn every_finding_on_a_seeded_bug_is_named_in_the_document() {
    for finding in Finding::ALL {
        assert_eq!(serde_json::to_value(finding).unwrap(), finding.word());
        assert!(DOCUMENT.contains(&format!("`{}` (", finding.word())), "{}", finding.word());
    }
}

#[test]
fn keys_documented_as_left_out_are_left_out_when_there_is_nothing_to_say() {
    let bare = Results::parse(FIXTURE, Path::new("results-v1.jsonl")).unwrap();
    let keys = |record: &Record| -> BTreeSet<String> {
        serde_json::to_value(record).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let failed = bare.samples.iter().find(|one| one.status == Status::NotLoaded).unwrap();
    let failed = keys(&Record::Sample(failed.clone()));
    for key in ["again", "verified", "exit_code", "wall_ns", "pass_wall_ns", "rss_peak_bytes"] {
        assert!(!failed.contains(key), "{key}");
    }
    let timeout = keys(&Record::Memcheck(bare.memchecks[1].clone()));
    for key in ["errors", "errors_by_kind", "ownership", "operations", "leaks", "cpu_ratio"] {
        assert!(!timeout.contains(key), "{key}");
    }
}

#[test]
fn a_file_of_the_first_version_is_read_whole() {
    let results = Results::parse(FIXTURE, Path::new("results-v1.jsonl")).unwrap();
    assert_eq!(results.host.l2_bytes, Some(1 << 20));
    assert_eq!((results.subjects.len(), results.workloads.len()), (4, 2));
    assert_eq!((results.samples.len(), results.memchecks.len()), (7, 2));
    assert_eq!((results.recordings.len(), results.unmeasured.len()), (1, 1));
    assert!(results.samples[1].again && results.samples[3].verified);
    assert_eq!(results.samples[0].ns_per_pair, Some(8.3));
    assert_eq!(results.samples[5].signal, Some(11));
    assert_eq!(results.samples[6].exit_code, Some(3));
    assert_eq!(results.memchecks[0].errors_by_kind["UninitCondition"], 20_000);
    let (symbols, requests) = (&results.memchecks[0].symbols, &results.memchecks[0].requests);
    assert_eq!((symbols.as_str(), requests.as_str()), ("full", "on"));
    assert!(results.is_complete());
    assert_eq!((results.torn_line, results.unknown_kinds), (None, 0));
}

#[test]
fn the_fixture_survives_a_round_trip_word_by_word() {
    let results = Results::parse(FIXTURE, Path::new("results-v1.jsonl")).unwrap();
    let mut written: Vec<serde_json::Value> =
        results.records().iter().map(|record| serde_json::to_value(record).unwrap()).collect();
    let text = std::str::from_utf8(FIXTURE).unwrap();
    let mut read: Vec<serde_json::Value> = text
        .lines()
        .map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            value.as_object_mut().unwrap().remove("schema");
            value
        })
        .collect();
    written.sort_by_key(ToString::to_string);
    read.sort_by_key(ToString::to_string);
    assert_eq!(written, read);
}
