//! Notes on arena allocators under Valgrind, drawn from the records of `arenabench memcheck`: what is
//! reported, why it is harmless or not, what to suppress, what to switch on, what each costs.
//!
//! What never changes is said in words; every figure comes from the records, and a part that they
//! say nothing of is left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::detections::{self, Counts};
use crate::quantity::{self, list, plural};
use crate::record::{FULL_SYMBOLS, Memcheck, REQUESTS_ON, Status};
use crate::results::Results;
use crate::summary::{Table, escape};

/// The notes in Markdown; `None` where nothing ran under memcheck.
pub(crate) fn notes(results: &Results) -> Option<String> {
    if results.memchecks.is_empty() && results.detections.is_empty() {
        return None;
    }
    let valgrind = results.memchecks.iter().find_map(|one| one.valgrind.as_deref());
    let valgrind = valgrind.or(results.host.valgrind.as_deref()).unwrap_or("unknown");
    let mut text = format!(
        "# An arena allocator under Valgrind\n\n\
         Drawn from `results.jsonl` beside this file: {}; {}, {}, Valgrind {}, {}.\n",
        what_ran(results),
        escape(&results.host.cpu_model),
        escape(&results.host.libc),
        escape(valgrind),
        quantity::moment(results.host.started_unix_s)
    );
    let parts = [
        ("What is reported, and by which strategy", reported(results)),
        ("What that means", Some(MEANING.to_owned())),
        ("What can be suppressed", suppressed(results)),
        ("What the silence hides", hidden(results)),
        ("What to switch on", Some(SWITCHES.to_owned())),
        ("What each costs", costs(results)),
    ];
    for (heading, body) in parts {
        if let Some(body) = body {
            text += &format!("\n## {heading}\n\n{}\n", body.trim_end());
        }
    }
    Some(text)
}

/// `18 subjects on 11 workloads, 52 seeded bugs`.
fn what_ran(results: &Results) -> String {
    let count = |names: BTreeSet<&str>, one: &str, many: &str| plural(names.len(), one, many);
    let ran = &results.memchecks;
    let subjects = ran.iter().map(|one| one.subject.as_str()).collect();
    let workloads = ran.iter().map(|one| one.workload.as_str()).collect();
    let bugs: BTreeSet<&str> = results.detections.iter().map(|one| one.bug.as_str()).collect();
    let mut parts = Vec::new();
    if !ran.is_empty() {
        parts.push(format!(
            "{} on {}",
            count(subjects, "subject", "subjects"),
            count(workloads, "workload", "workloads")
        ));
    }
    if !bugs.is_empty() {
        parts.push(count(bugs, "program of the seeded bugs", "programs of the seeded bugs"));
    }
    parts.join(", ")
}

const MEANING: &str = "\
An allocator is handed an address and must tell whether it is its own. The `arena-index` strategies \
round the address down to its OS page and read four bytes there. In a page of theirs that is the \
number of an arena. In any other page it is whatever stands there: bytes that were freed (`InvalidRead`), \
or never written (`UninitCondition` when they are compared, `UninitValue` when they choose a table entry).

* **Harmless**, as long as a pool is no larger than an OS page: the page of an address that the program \
holds is mapped, and whatever the bytes say, no arena contains an address that lies in none.
* **Not harmless** with larger pools: the place where the header would be may lie in a page that is \
not mapped, and the read faults. Such a combination does not compile here.
* `cookie` reads the first word of the arena that would hold the address; between arenas it may fault.
* `radix-tree`, `page-map` and `reserved-range` read tables of their own. There is nothing to report.

The errors are the smaller matter. To memcheck an arena is one piece of memory that may be read and \
written, and always defined: what a program does wrong inside of it is not seen at all.";

const SWITCHES: &str = "\
| you want | do |
|---|---|
| a program's own bugs, with Arenite | `LD_PRELOAD=libarenite.so valgrind --soname-synonyms=somalloc=nouserintercepts --leak-check=full program` |
| blocks of Python objects as well | the same with `PYTHONMALLOC=malloc` |
| far overruns of small blocks | `ARENITE_RED_ZONE=4096` besides |
| uses long after the free | `ARENITE_QUARANTINE=256` besides |
| no client requests, as any other arena allocator | `ARENITE_VALGRIND=0` |
| silence about a header-reading strategy, and nothing more | `--suppressions=scripts/valgrind/arenite.supp`, with symbols |
| misuse without Valgrind | `LD_PRELOAD=libarenite-checked.so`, or `ARENITE_HEAP=... ARENITE_HOOKS=1` with `libarenite_lab.so` |
| AddressSanitizer | link `libarenite.a` into the program; blocks are poisoned by themselves |

Without `--soname-synonyms` memcheck puts its own malloc in the place of the library's, and says nothing.";

/// A plain run: everything known of functions.
fn is_plain(one: &&Memcheck) -> bool {
    one.symbols == FULL_SYMBOLS && one.status == Status::Ok
}

fn reported(results: &Results) -> Option<String> {
    let mut by_subject: BTreeMap<(&str, &str), Vec<&Memcheck>> = BTreeMap::new();
    for one in results.memchecks.iter().filter(is_plain) {
        let strategy = one.ownership.as_deref().unwrap_or("");
        let label = one.subject.as_str();
        if one.requests == REQUESTS_ON {
            by_subject.entry((strategy, label)).or_default().push(one);
        }
    }
    let mut table = Table::new(&[
        ("strategy", false),
        ("subject", false),
        ("workloads", true),
        ("errors", true),
        ("places", true),
        ("by kind", false),
        ("in free", true),
        ("in realloc", true),
    ]);
    for ((strategy, subject), runs) in &by_subject {
        let sum = |of: &dyn Fn(&Memcheck) -> u64| runs.iter().map(|one| of(one)).sum::<u64>();
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for (kind, count) in runs.iter().flat_map(|one| &one.errors_by_kind) {
            *kinds.entry(kind).or_default() += count;
        }
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(kind, count)| format!("{kind} {}", quantity::count(*count)))
            .collect();
        let operation = |name: &str| {
            let of = |one: &Memcheck| one.errors_by_operation.get(name).copied().unwrap_or(0);
            quantity::count(sum(&of))
        };
        table.rows.push(vec![
            (*strategy).to_owned(),
            (*subject).to_owned(),
            runs.len().to_string(),
            quantity::count(sum(&|one| one.errors.unwrap_or(0))),
            quantity::count(sum(&|one| one.contexts.unwrap_or(0))),
            kinds.join(", "),
            operation("free"),
            operation("realloc"),
        ]);
    }
    let words = "Sums over the workloads, every occurrence counted, leaks left out.";
    (!table.rows.is_empty()).then(|| format!("{words}\n\n{}", table.to_markdown()))
}

fn suppressed(results: &Results) -> Option<String> {
    let mut text = String::from(
        "A suppression names frames. `scripts/valgrind/arenite.supp` has one entry for each cause in both \
         spellings: with information on inlined functions, where the test has a frame of its own, and \
         without, where it is part of `free` or `realloc`. A stripped build has no names, and nothing \
         can be told from anything else.\n",
    );
    let mut entries: BTreeMap<&str, u64> = BTreeMap::new();
    for (entry, count) in results.memchecks.iter().flat_map(|one| &one.suppressed_by_entry) {
        *entries.entry(entry).or_default() += count;
    }
    let variants = results.memchecks.iter().filter(|one| one.symbols != FULL_SYMBOLS);
    let variants: Vec<String> = variants
        .filter_map(|one| {
            let errors = quantity::count(one.errors?);
            Some(format!(
                "* {} on {}: {errors} errors",
                escape(&one.label()),
                escape(&one.workload)
            ))
        })
        .collect();
    if !entries.is_empty() {
        let mut table = Table::new(&[("entry", false), ("silenced", true)]);
        for (entry, count) in entries {
            table.rows.push(vec![entry.to_owned(), quantity::count(count)]);
        }
        text += &format!("\n{}", table.to_markdown());
    }
    if !variants.is_empty() {
        text += &format!("\n{}\n", variants.join("\n"));
    }
    Some(text)
}

fn hidden(results: &Results) -> Option<String> {
    let modes = detections::modes(results);
    if modes.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        ("allocator and watcher", false),
        ("caught", true),
        ("missed", true),
        ("crashed", true),
        ("false alarms", true),
    ]);
    for mode in modes {
        let one = Counts::of(results, mode);
        let counts = [one.caught, one.missed, one.crashed, one.false_alarms];
        let mut line = vec![mode.to_owned()];
        line.extend(counts.map(|count| count.to_string()));
        table.rows.push(line);
    }
    Some(format!(
        "Small programs that each do one thing wrong, run under every allocator and watcher. \
         `memcheck-unaided`: the allocator tells memcheck nothing. {}\n\n{}",
        detections::sentences(results).join(" "),
        table.to_markdown()
    ))
}

fn costs(results: &Results) -> Option<String> {
    let mut table = Table::new(&[
        ("subject", false),
        ("workload", false),
        ("processor time", true),
        ("memory", true),
    ]);
    let ratio = |ratio: Option<f64>| {
        ratio.map_or_else(String::new, |one| format!("{}×", quantity::figure(one)))
    };
    let mut plain: Vec<&Memcheck> = results.memchecks.iter().filter(is_plain).collect();
    plain.sort_by_key(|one| (one.workload.as_str(), one.label()));
    for one in plain {
        let is_told = one.subject.starts_with("arenite") || one.subject == "system";
        if is_told && (one.cpu_ratio.is_some() || one.rss_ratio.is_some()) {
            table.rows.push(vec![
                one.label(),
                one.workload.clone(),
                ratio(one.cpu_ratio),
                ratio(one.rss_ratio),
            ]);
        }
    }
    let subjects = ["`system` is memcheck's own malloc", "Arenite tells memcheck of its blocks"];
    (!table.rows.is_empty()).then(|| {
        format!(
            "Under memcheck, over the same run without Valgrind, starts included. {}. \
             Outside of Valgrind a watched build costs nothing on malloc and free: their fast paths hold no \
             test for it.\n\n{}",
            list(&subjects),
            table.to_markdown()
        )
    })
}
