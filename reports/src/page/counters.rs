//! What the processor itself counted.

use maud::{Markup, html};

use super::Context;
use super::parts::{number, table};
use crate::counters::{HEAD, rows};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let records = &context.results.counters;
    if records.is_empty() {
        return None;
    }
    Some(html! {
        p {
            "Counted by this computer's processor and kernel, in user mode, over the measured region on a "
            "warm heap and one thread. Each event has a pass of its own. An empty field was not counted "
            "here; page faults of a warm heap are memory that the subject had given back."
        }
        (table(
            "Medians over rounds, per allocation and free; fewest cycles first.",
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
                            Ok(figures) => { @for figure in figures { (number(figure.clone())) } },
                            Err(status) => { td colspan=(HEAD.len()) { (status.word()) } },
                        }
                    }
                }
            },
        ))
    })
}
