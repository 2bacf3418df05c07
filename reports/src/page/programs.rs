//! Real programs under each subject.

use maud::{Markup, html};

use super::Context;
use super::parts::{estimate, figure, number, table};
use crate::programs::{Overall, Programs, Row};
use crate::quantity::{self, plural};

pub(super) fn section(context: Context<'_>) -> Option<Markup> {
    let programs = context.programs?;
    Some(html! {
        p {
            "The programs themselves were run, each under every subject; nothing was replayed. Times are "
            "from before the start of a program to its end, the peak is the kernel's figure for its "
            "process, shared libraries included. What a program writes must be the same under every "
            "subject. A verdict is on wall time, by the A/A floor: what the run shows when "
            (programs.baseline) " is measured against itself."
        }
        (figure(&context.charts.programs, &overall_table(programs)))
        @if programs.names.len() > 1 { (matrix(programs)) }
        (rows_table(programs))
    })
}

fn overall_table(programs: &Programs) -> Markup {
    let floor = programs.overall_floor.map_or_else(
        || " The A/A floor was not measured.".to_owned(),
        |floor| {
            let percent = quantity::percent(floor.half_width_percent());
            format!(" A/A floor of wall time: {percent} either way.")
        },
    );
    let caption = format!(
        "Over {}: geometric mean of the ratios to {}, with its 95 % interval over {}.{floor}",
        plural(programs.names.len(), "program", "programs"),
        programs.baseline,
        plural(programs.rounds(), "round", "rounds"),
    );
    table(
        &caption,
        &html! { tr {
            th scope="col" { "Subject" } th.number scope="col" { "Wall time" }
            th scope="col" { "Verdict" } th.number scope="col" { "Processor time" }
            th.number scope="col" { "Peak memory" } th.number scope="col" { "Programs" }
        } },
        &html! { @for one in &programs.overall { (overall_row(one)) } },
    )
}

fn overall_row(one: &Overall) -> Markup {
    html! {
        tr {
            th scope="row" { (one.subject) }
            (estimate(one.wall_ratio.as_ref()))
            td { (word(one.word(), false)) }
            (estimate(one.cpu_ratio.as_ref()))
            (estimate(one.rss_ratio.as_ref()))
            td.number { (one.programs) " of " (one.programs + one.missing.len()) }
        }
    }
}

/// Wall time ratios by program and subject.
fn matrix(programs: &Programs) -> Markup {
    let others: Vec<&String> =
        programs.subjects.iter().filter(|name| **name != programs.baseline).collect();
    let caption = format!("Wall time over that under {}, by program.", programs.baseline);
    table(
        &caption,
        &html! { tr {
            th scope="col" { "Program" }
            @for subject in &others { th.number scope="col" { (subject) } }
            th.number scope="col" { "A/A floor" }
        } },
        &html! { @for (name, floor) in programs.names.iter().zip(&programs.floors) {
            tr {
                th scope="row" { (name) }
                @for subject in &others {
                    @match programs.row(name, subject) {
                        Some(row) if row.wall_ratio.is_some() => { (estimate(row.wall_ratio.as_ref())) },
                        Some(row) => { td.number { (word(row.word(), row.failure.is_some())) } },
                        None => { td.number { "not run" } },
                    }
                }
                (number(floor.map(|floor| quantity::percent(floor.half_width_percent()))))
            }
        } },
    )
}

fn rows_table(programs: &Programs) -> Markup {
    table(
        "Medians over rounds. Times and page faults with those of processes that the program waited for.",
        &html! { tr {
            th scope="col" { "Program" } th scope="col" { "Subject" }
            th.number scope="col" { "Wall time" } th.number scope="col" { "Processor time" }
            th.number scope="col" { "Peak memory" } th.number scope="col" { "Page faults" }
            th.number scope="col" { "Runs" } th scope="col" { "Verdict" }
        } },
        &html! { @for row in &programs.rows { (program_row(row)) } },
    )
}

fn program_row(row: &Row) -> Markup {
    html! {
        tr {
            td.wide { (row.program) }
            th scope="row" { (row.subject) }
            (number(row.wall_ns.map(|one| quantity::duration(one.value))))
            (number(row.cpu_ns.map(|one| quantity::duration(one.value))))
            (number(row.rss_peak_bytes.map(|one| quantity::bytes(one.value))))
            (number(row.page_faults.map(|one| quantity::count(one.value as u64))))
            (number(row.wall_ns.map(|one| one.count.to_string())))
            td.wide {
                (word(row.word(), row.failure.is_some()))
                @if let Some((_, message)) = &row.failure { " " (message) }
            }
        }
    }
}

fn word(word: &str, failed: bool) -> Markup {
    let class = match word {
        _ if failed => "failed",
        "faster" => "faster",
        "slower" => "slower",
        _ => "plain",
    };
    html! { span class={ "word " (class) } { (word) } }
}
