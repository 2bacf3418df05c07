//! `arenabench list`: subjects, workloads, measures.

use reports::record::{Call, Role};
use serde::Serialize;

use workloads::generate::{Era, Workload};

use super::print;
use crate::bundled;
use crate::cli::{Format, List};
use crate::exit::{self, Outcome};
use crate::subject;
use crate::workload::HERE;

#[derive(Serialize)]
struct Entry {
    what: &'static str,
    name: String,
    kind: &'static str,
    description: String,
}

/// What `run` and `memcheck` measure, by the key it has in records.
const MEASURES: [(&str, &str); 11] = [
    ("ns_per_pair", "wall time of an allocation and a free, where nobody shared the processor"),
    ("rss_peak_bytes", "peak resident memory, against the peak of live bytes"),
    ("page_faults", "page faults of the first pass"),
    ("tails", "times of single calls, by kind and size: p50 to p99.99, and what the slowest met"),
    ("memory", "used memory over the life of a workload and after it, fragmentation, waste"),
    ("packing", "how small a heap could have been that knew all lifetimes"),
    ("counts", "instructions, simulated cache misses, system calls, page faults of the region"),
    ("counters", "events that the processor counts, TLB misses among them, where it has them"),
    ("status", "contents, alignment, overlap and call count of every cell, checked block by block"),
    ("errors_by_kind", "errors that Valgrind's memcheck reports, by kind and by operation"),
    ("bytes_per_operation", "what a recording takes to store, and what it costs the program"),
];

/// Runs the command.
pub(crate) fn run(args: &List) -> Outcome {
    let mut entries = Vec::new();
    for subject in subject::registry() {
        let kind = match (subject.role, subject.call) {
            (Role::Reference, _) => "reference",
            (_, Call::Inline) => "inline",
            (Role::Own, _) => "own",
            (Role::Preset, _) => "preset",
            (Role::Peer, _) => "peer",
        };
        let version = match subject.role {
            Role::Peer => format!(" ({})", subject.version()),
            Role::Own | Role::Preset | Role::Reference => String::new(),
        };
        let description = format!("{}{version}", subject.description);
        entries.push(Entry { what: "subject", name: subject.name, kind, description });
    }
    entries.push(Entry {
        what: "subject",
        name: "NAME=/path/lib.so".to_owned(),
        kind: "preloaded",
        description: "any library that replaces malloc, in a child under LD_PRELOAD".to_owned(),
    });
    for spec in workloads::generate::all() {
        entries.push(Entry {
            what: "workload",
            name: spec.to_string(),
            kind: "generated",
            description: spec.description(),
        });
    }
    let eras: Vec<_> = Era::ALL.iter().map(|era| era.name()).collect();
    let one_size: Vec<_> = Workload::ALL
        .iter()
        .filter(|workload| !workload.has_eras() && !workload.is_threaded())
        .map(|workload| workload.name())
        .collect();
    entries.push(Entry {
        what: "workload",
        name: "NAME@ERA:SIZE".to_owned(),
        kind: "generated",
        description: format!(
            "any of the first three as another CPython does it ({}), or of another size (1k, 100k, 1m ...)",
            eras.join(", ")
        ),
    });
    entries.push(Entry {
        what: "workload",
        name: "NAME:SIZE".to_owned(),
        kind: "generated",
        description: format!("{} of another size", one_size.join(", ")),
    });
    entries.push(Entry {
        what: "workload",
        name: "NAME:THREADS:SIZE".to_owned(),
        kind: "generated",
        description: "larson, producer-consumer and thread-churn on other numbers of threads, or of another size"
            .to_owned(),
    });
    let recorded = [
        (HERE, "go_board, recorded on this computer's own Python when asked for"),
        ("FILE.trace", "any trace file, named by its stem"),
    ];
    entries.extend(bundled::ALL.iter().map(|bundled| Entry {
        what: "workload",
        name: bundled.name.to_owned(),
        kind: "recorded",
        description: "a CPython 3.11 program, recorded for the suite".to_owned(),
    }));
    entries.extend(recorded.map(|(name, description)| Entry {
        what: "workload",
        name: name.to_owned(),
        kind: "recorded",
        description: description.to_owned(),
    }));
    entries.extend(MEASURES.map(|(name, description)| Entry {
        what: "measure",
        name: name.to_owned(),
        kind: "",
        description: description.to_owned(),
    }));
    if args.format == Format::Json {
        print::json(&entries)?;
        return Ok(exit::GOOD);
    }
    let row =
        |entry: Entry| vec![entry.what.into(), entry.name, entry.kind.into(), entry.description];
    let rows = entries.into_iter().map(row).collect();
    print::table(&print::table_of(&["what", "name", "kind", "description"], 4, rows), args.format)?;
    Ok(exit::GOOD)
}
