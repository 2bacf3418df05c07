//! Instructions, cache misses and system calls: what repeats.

use maud::{Markup, html};

use super::Context;
use super::parts::table;
use crate::counts::{HEAD, rows};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let records = &context.results.counts;
    let caches = records.iter().find_map(|record| record.caches.as_deref());
    if records.is_empty() {
        return None;
    }
    Some(html! {
        p {
            "One pass on a cold heap per subject and workload, on one thread, under Valgrind's "
            "callgrind, which counts the measured region alone. These figures repeat and are no times: "
            "a processor runs several instructions at once, and waits for some. "
            @if let Some(caches) = caches {
                "Misses are those of simulated caches (size, ways and line in bytes: " (caches) "), without "
                "prefetching. "
            }
            "Page faults are counted in a process without Valgrind."
        }
        (table(
            "Counts per allocation and free, and of the whole region; fewest instructions first. Above \
             null: without what the replay itself takes.",
            &html! { tr {
                th scope="col" { "Workload" } th scope="col" { "Subject" }
                @for name in HEAD { th.number scope="col" { (name) } }
            } },
            &html! {
                @for row in rows(records) {
                    tr {
                        td { (row.workload) }
                        th scope="row" { (row.subject) }
                        @match &row.figures {
                            Some(figures) => { @for figure in figures { td.number { (figure) } } },
                            None => { td colspan="7" { (row.status.word()) } },
                        }
                    }
                }
            },
        ))
    })
}
