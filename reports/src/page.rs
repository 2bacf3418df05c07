//! The page: one self-contained HTML file.

use maud::{DOCTYPE, PreEscaped, html};

use crate::chart::Chart;
use crate::quantity;
use crate::results::Results;
use crate::summary::Summary;

const STYLE: &str = include_str!("page/style.css");

/// The whole document.
pub(crate) fn render(results: &Results, summary: &Summary, charts: &[Chart]) -> String {
    let host = &results.host;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Arenabench report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Arenabench report" }
                    p { (host.cpu_model) ", " (quantity::moment(host.started_unix_s)) }
                    @for (chart, setting) in charts.iter().zip(&summary.settings) {
                        figure {
                            (PreEscaped(chart.inline()))
                            div.scroll {
                                table {
                                    thead { tr { th { "Subject" } th.number { "ns per pair [95 % interval]" } th.number { "ratio" } th { "verdict" } } }
                                    tbody {
                                        @for row in summary.rows_of(setting) {
                                            tr {
                                                th scope="row" { (row.subject) }
                                                td.number { @if let Some(time) = &row.time { (quantity::estimate(time)) } }
                                                td.number { @if let Some(ratio) = &row.ratio { (quantity::estimate(ratio)) } }
                                                td { (row.word()) }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}
