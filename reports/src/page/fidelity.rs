//! What a replay is worth: predicted and measured figures of the same programs.

use maud::{Markup, html};

use super::Context;
use super::parts::{estimate, figure, number, table};
use crate::fidelity::{Agreement, Fidelity, Point, Predicted};
use crate::quantity::{self, plural};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let fidelity = Fidelity::of(context.results)?;
    Some(html! {
        p {
            "These programs were also recorded, and the recordings replayed under the same subjects. A "
            "replay times calls of the allocator and nothing else: what it predicts of a program is its "
            "processor time under " (fidelity.baseline) ", plus the difference between two replays. "
            "Where predicted and measured figures agree, other replays of such programs can be believed. "
            "Where they do not, the allocator acts on the program in between its calls, by where blocks "
            "lie, and only the program itself tells."
        }
        (figure(context.charts.fidelity.as_ref(), &agreement_table(&fidelity)))
        (programs_table(&fidelity))
        details {
            summary { "By program and subject" }
            (points_table(&fidelity))
        }
    })
}

fn agreement_table(fidelity: &Fidelity) -> Markup {
    let without = match fidelity.without_replay {
        0 => String::new(),
        count => format!(" {} without a replay.", plural(count, "program", "programs")),
    };
    let caption = format!(
        "Error: mean distance between predicted and measured ratio. Blind error: that of predicting no \
         difference at all. Order: Spearman's rank correlation of subjects within a program, mean over \
         programs whose subjects differ by more than their A/A floor.{without}"
    );
    let row = |what: &str, agreement: Option<&Agreement>| {
        html! {
            @if let Some(one) = agreement {
                tr {
                    th scope="row" { (what) }
                    td.number { (quantity::percent(one.error * 100.0)) }
                    td.number { (quantity::percent(one.blind_error * 100.0)) }
                    td.number { (order(one)) }
                    td.number { (one.ranked) }
                    td.number { (one.points) }
                    td { (one.word()) }
                }
            }
        }
    };
    table(
        &caption,
        &html! { tr {
            th scope="col" { "Figure" } th.number scope="col" { "Error" }
            th.number scope="col" { "Blind error" } th.number scope="col" { "Order" }
            th.number scope="col" { "Programs ranked" } th.number scope="col" { "Points" }
            th scope="col" { "The replay" }
        } },
        &html! {
            (row("Processor time", fidelity.time.as_ref()))
            (row("Peak memory", fidelity.memory.as_ref()))
        },
    )
}

fn programs_table(fidelity: &Fidelity) -> Markup {
    let caption = format!(
        "Processor time, by program. Share: the replay's time over the program's, under {}.",
        fidelity.baseline
    );
    table(
        &caption,
        &html! { tr {
            th scope="col" { "Program" } th.number scope="col" { "Calls" }
            th.number scope="col" { "Share" } th.number scope="col" { "A/A floor" }
            th.number scope="col" { "Error" } th.number scope="col" { "Blind error" }
            th.number scope="col" { "Order" } th scope="col" { "The replay" }
        } },
        &html! { @for one in &fidelity.programs { (program_row(one)) } },
    )
}

fn program_row(one: &Predicted) -> Markup {
    let percent = |value: f64| quantity::percent(value * 100.0);
    html! {
        tr {
            th scope="row" { (one.program) }
            td.number { (quantity::count(one.operations)) }
            td.number { (percent(one.allocator_share)) }
            (number(one.floor.map(|floor| quantity::percent(floor.half_width_percent()))))
            (number(one.time.map(|time| percent(time.error))))
            (number(one.time.map(|time| percent(time.blind_error))))
            (number(one.time.as_ref().map(order)))
            td { (one.time.map_or("", |time| time.word())) }
        }
    }
}

fn points_table(fidelity: &Fidelity) -> Markup {
    let caption = format!("Ratios to {}, medians with 95 % intervals.", fidelity.baseline);
    let rows = fidelity.programs.iter().flat_map(|one| one.points.iter().map(move |p| (one, p)));
    table(
        &caption,
        &html! { tr {
            th scope="col" { "Program" } th scope="col" { "Subject" }
            th.number scope="col" { "Time predicted" } th.number scope="col" { "Time measured" }
            th.number scope="col" { "Memory predicted" } th.number scope="col" { "Memory measured" }
            th scope="col" { "Missing" }
        } },
        &html! { @for (one, point) in rows { (point_row(one, point)) } },
    )
}

fn point_row(program: &Predicted, point: &Point) -> Markup {
    html! {
        tr {
            td.wide { (program.program) }
            th scope="row" { (point.subject) }
            (estimate(point.predicted_time.as_ref()))
            (estimate(point.measured_time.as_ref()))
            (number(point.predicted_memory.map(quantity::figure)))
            (number(point.measured_memory.map(quantity::figure)))
            td { (point.missing.as_deref().unwrap_or_default()) }
        }
    }
}

/// The rank correlation, or that there is no order to predict.
fn order(one: &Agreement) -> String {
    one.rank_correlation.map_or_else(|| "none".to_owned(), |order| format!("{order:.2}"))
}
