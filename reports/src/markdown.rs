//! A summary in Markdown, for a pull request or the summary page of a CI job.

use crate::counts::HEAD;
use crate::detections::{self, Counts};
use crate::fidelity::{Agreement, Fidelity};
use crate::findings::{findings, notice};
use crate::neighbour::Neighbour;
use crate::ownership::{self, Strategies};
use crate::programs::Programs;
use crate::quantity;
use crate::record::{Role, TailRow};
use crate::results::Results;
use crate::summary::{Overall, Scope, Standing, Summary, Table, escape};

/// Largest summary: what a comment on a pull request may hold.
pub const MARKDOWN_LIMIT_BYTES: usize = 64 * 1024;

/// The findings, the ranking, ratios by workload, memory, Valgrind errors and failures. Whole
/// sections are left out from the end, and named, when the text would exceed
/// [`MARKDOWN_LIMIT_BYTES`].
#[must_use]
pub fn markdown(results: &Results, summary: &Summary, programs: Option<&Programs>) -> String {
    markdown_beside(results, summary, programs, &[])
}

/// The same, with the reports beside this one behind the findings.
pub(crate) fn markdown_beside(
    results: &Results,
    summary: &Summary,
    programs: Option<&Programs>,
    neighbours: &[Neighbour],
) -> String {
    let host = &results.host;
    let mut text = format!(
        "## Arenabench: {} profile against {}\n\n{}, {}, {}.\n\n",
        escape(&host.profile),
        escape(&host.baseline),
        escape(&host.cpu_model),
        escape(&host.kernel),
        quantity::moment(host.started_unix_s)
    );
    if let Some(notice) = notice(results) {
        text += &format!("> {}\n\n", escape(&notice));
    }
    for finding in findings(results, summary, programs) {
        text += &format!("* {}\n", escape(&finding));
    }
    if !neighbours.is_empty() {
        text += "\nBeside this report:\n\n";
    }
    for Neighbour { folder, title, findings } in neighbours {
        let found = escape(&findings.join(" "));
        text += &format!("* [{}]({folder}/report.md): {found}\n", escape(title));
    }
    let sections = [
        ("Ranking", ranking(summary, Scope::Main)),
        ("Ranking on several threads", ranking(summary, Scope::Threads)),
        ("Against the best peer", Some(best_single_peer(summary))),
        ("By workload against the best peer", Some(best_peer(summary))),
        ("Failures", failures(summary)),
        ("By workload", by_workload(summary).filter(|_| !summary.settings.is_empty())),
        ("Real programs", programs.map(real_programs)),
        ("What a replay is worth", fidelity(results)),
        ("Memory", memory(summary)),
        ("Memory over the life of a program", Some(life(results))),
        ("Times of single calls", Some(tails(results))),
        ("Instructions and cache misses", Some(counts(results))),
        ("Valgrind errors", errors(results)),
        ("Ownership tests", ownership(results)),
        ("Ownership tests in place", ownership_in_place(results)),
        ("Seeded bugs", detections(results)),
        ("Every cell", Some(cells(summary))),
    ];
    let mut left_out = Vec::new();
    for (heading, body) in sections {
        let Some((caption, table)) = body else { continue };
        if table.rows.is_empty() {
            continue;
        }
        let section = format!("\n### {heading}\n\n{caption}\n\n{}", table.to_markdown());
        // Room is kept for the line that names what was left out.
        if text.len() + section.len() + 256 > MARKDOWN_LIMIT_BYTES {
            left_out.push(heading);
        } else {
            text += &section;
        }
    }
    if !left_out.is_empty() {
        text += &format!("\nLeft out for length: {}.\n", left_out.join(", "));
    }
    text
}

type Body = Option<(String, Table)>;

fn ranking(summary: &Summary, scope: Scope) -> Body {
    let all = || summary.overall_of(scope);
    let has_memory = all().any(|one| one.rss_ratio.is_some());
    let mut columns = vec![
        ("place", true),
        ("subject", false),
        ("time ratio [95 %]", true),
        ("verdict", false),
        ("workloads", true),
    ];
    if has_memory {
        columns.push(("memory overhead [95 %]", true));
    }
    let mut table = Table::new(&columns);
    let is_listed = |one: &&Overall| one.settings > 0 || !one.missing.is_empty();
    for one in all().filter(|one| one.role != Role::Reference).filter(is_listed) {
        let mut line = vec![
            one.places_text(),
            one.subject.clone(),
            one.ratio.as_ref().map(quantity::estimate).unwrap_or_default(),
            one.word().to_owned(),
            format!("{} of {}", one.settings, one.settings_in_scope),
        ];
        if has_memory {
            line.push(one.rss_ratio.as_ref().map(quantity::estimate).unwrap_or_default());
        }
        table.rows.push(line);
    }
    let rounds = all().filter_map(|one| Some(one.ratio?.count)).max().unwrap_or(0);
    let floor = summary.overall_floor(scope).map_or_else(
        || "not measured".to_owned(),
        |floor| quantity::percent(floor.half_width_percent()),
    );
    let caption = format!(
        "Geometric means over {}: time over the time of {} with its 95 % interval ({}; A/A \
         floor {floor}){}. A range of places means that the run cannot tell them apart.",
        summary.scope_words(scope),
        escape(&summary.baseline),
        quantity::plural(rounds, "round", "rounds"),
        if has_memory { ", and peak resident memory over peak live bytes" } else { "" },
    );
    Some((caption, table))
}

fn best_single_peer(summary: &Summary) -> (String, Table) {
    let mut table = Table::new(&[
        ("subject", false),
        ("over", false),
        ("best single peer", false),
        ("time ratio [95 %]", true),
        ("standing", false),
        ("worst workload", false),
    ]);
    for one in &summary.contests {
        let (peer, ratio) = one.against.clone().unzip();
        table.rows.push(vec![
            one.subject.clone(),
            format!("{} {}", one.settings, one.scope.noun(one.settings, true)),
            peer.unwrap_or_default(),
            ratio.as_ref().map(quantity::estimate).unwrap_or_default(),
            one.word().to_owned(),
            one.worst.as_ref().map_or_else(String::new, |(setting, contest)| {
                let ratio = quantity::estimate(&contest.ratio);
                let word = contest.standing.word();
                format!("{}: {ratio} of {}, {word}", summary.label(setting), contest.peer)
            }),
        ]);
    }
    let caption = "Geometric mean of time over the time of the peer, called alike, that is fastest over \
                   all of them; and the workload with the highest ratio to its own best peer.";
    (caption.to_owned(), table)
}

/// The contests that are lost, then the undecided ones, then those that are won.
fn best_peer(summary: &Summary) -> (String, Table) {
    let mut table = Table::new(&[
        ("workload", false),
        ("subject", false),
        ("best peer", false),
        ("time ratio [95 %]", true),
        ("standing", false),
    ]);
    let standings = [Standing::Behind, Standing::Undecided, Standing::Ahead];
    for (row, contest) in standings.into_iter().flat_map(|one| summary.standing(one)) {
        table.rows.push(vec![
            summary.label(&row.setting),
            row.subject.clone(),
            contest.peer.clone(),
            quantity::estimate(&contest.ratio),
            contest.standing.word().to_owned(),
        ]);
    }
    let lost = match summary.standing(Standing::Behind).len() {
        0 => "None is lost".to_owned(),
        lost => quantity::plural(lost, "is lost", "are lost"),
    };
    let caption = format!(
        "Time over the time of the fastest peer, called alike, of the workload. {lost}; a ratio inside \
         the A/A floor is undecided."
    );
    (caption, table)
}

fn by_workload(summary: &Summary) -> Body {
    let subjects: Vec<&str> = summary
        .subjects()
        .into_iter()
        .filter(|name| {
            summary.rows.iter().any(|row| row.subject == *name && row.role != Role::Reference)
        })
        .collect();
    let mut head = vec![("subject".to_owned(), false)];
    head.extend(summary.settings.iter().map(|setting| (summary.label(setting), true)));
    let columns: Vec<(&str, bool)> =
        head.iter().map(|(name, right)| (name.as_str(), *right)).collect();
    let mut table = Table::new(&columns);
    for name in subjects {
        let mut line = vec![name.to_owned()];
        for setting in &summary.settings {
            let row = summary.rows_of(setting).find(|row| row.subject == name);
            line.push(match row {
                None => "not run".to_owned(),
                Some(row) => match &row.ratio {
                    Some(ratio) => format!("{} {}", quantity::estimate(ratio), row.word()),
                    None => row.word().to_owned(),
                },
            });
        }
        table.rows.push(line);
    }
    let mut floors = vec!["A/A floor".to_owned()];
    floors.extend(summary.settings.iter().map(|setting| {
        summary.floor_of(setting).map_or_else(
            || "not measured".to_owned(),
            |floor| quantity::percent(floor.half_width_percent()),
        )
    }));
    table.rows.push(floors);
    let caption = format!(
        "Time over the time of {}: median over rounds, 95 % interval, verdict.",
        escape(&summary.baseline)
    );
    Some((caption, table))
}

fn real_programs(programs: &Programs) -> (String, Table) {
    let caption = format!(
        "Geometric means over {}: wall time, processor time and peak resident memory over those under \
         {}, with 95 % intervals.",
        quantity::plural(programs.names.len(), "program", "programs"),
        escape(&programs.baseline)
    );
    (caption, programs.overall_table())
}

fn fidelity(results: &Results) -> Body {
    let mut table = Table::new(&[
        ("program", false),
        ("share of the replay", true),
        ("error", true),
        ("blind error", true),
        ("order", true),
        ("the replay", false),
    ]);
    let fidelity = Fidelity::of(results)?;
    let percent = |value: f64| quantity::percent(100.0 * value);
    let mut add = |name: &str, share: String, time: &Agreement| {
        let order =
            time.rank_correlation.map_or_else(|| "none".to_owned(), |one| format!("{one:.2}"));
        let errors = [time.error, time.blind_error].map(percent);
        let mut line = vec![name.to_owned(), share];
        line.extend(errors.into_iter().chain([order, time.word().to_owned()]));
        table.rows.push(line);
    };
    for one in &fidelity.programs {
        if let Some(time) = &one.time {
            add(&one.program, percent(one.allocator_share), time);
        }
    }
    if let Some(time) = &fidelity.time {
        add("all", String::new(), time);
    }
    let caption = format!(
        "Processor time over that under {}, predicted by replays and measured: mean distance of the two, the \
         distance of predicting no difference, and the rank correlation of subjects.",
        escape(&fidelity.baseline)
    );
    Some((caption, table))
}

fn memory(summary: &Summary) -> Body {
    let mut head = vec![("subject".to_owned(), false)];
    head.extend(summary.settings.iter().map(|setting| (summary.label(setting), true)));
    let columns: Vec<(&str, bool)> =
        head.iter().map(|(name, right)| (name.as_str(), *right)).collect();
    let mut table = Table::new(&columns);
    for name in summary.subjects() {
        let row_of = |setting| summary.rows_of(setting).find(|row| row.subject == name);
        let mut line = vec![name.to_owned()];
        line.extend(summary.settings.iter().map(|setting| match row_of(setting) {
            None => "not run".to_owned(),
            Some(row) if row.failure.is_some() => row.word().to_owned(),
            Some(row) => row.rss_ratio.map(|one| quantity::figure(one.value)).unwrap_or_default(),
        }));
        if line.iter().skip(1).any(|cell| cell.starts_with(|letter: char| letter.is_ascii_digit()))
        {
            table.rows.push(line);
        }
    }
    Some(("Peak resident memory over peak live bytes, median over samples.".to_owned(), table))
}

fn life(results: &Results) -> (String, Table) {
    let mut head = vec![("workload", false), ("subject", false)];
    head.extend(crate::life::HEAD.map(|name| (name, true)));
    let mut table = Table::new(&head);
    for one in crate::life::tables(results) {
        for record in one.cells {
            let Some(figures) = crate::life::figures(record) else { continue };
            let names = [one.workload, &record.subject].map(str::to_owned);
            table.rows.push(names.into_iter().chain(figures).collect());
        }
    }
    let caption = "Used is resident memory above the baseline; used over live in the four ways of Johnstone \
                   and Wilson; left is what is used after everything was freed.";
    (caption.to_owned(), table)
}

fn tails(results: &Results) -> (String, Table) {
    let mut head = vec![("workload", false), ("subject", false)];
    head.extend(TailRow::PERCENTILES.map(|name| (name, true)));
    let mut table = Table::new(&head);
    for one in crate::tails::tables(results) {
        for cell in one.cells {
            let Some(overall) = cell.overall else { continue };
            let mut line = vec![one.workload.to_owned(), cell.subject.to_owned()];
            line.extend(overall.map(|ns| crate::tails::time(ns, cell.resolution_ns)));
            table.rows.push(line);
        }
    }
    let caption = "Every call timed by itself: times that so many of all calls do not exceed, medians \
                   over rounds.";
    (caption.to_owned(), table)
}

fn counts(results: &Results) -> (String, Table) {
    let mut head = vec![("workload", false), ("subject", false)];
    head.extend(HEAD.map(|name| (name, true)));
    let mut table = Table::new(&head);
    for row in crate::counts::rows(&results.counts) {
        let Some(figures) = row.figures else { continue };
        let names = [row.workload, row.subject].map(str::to_owned);
        table.rows.push(names.into_iter().chain(figures).collect());
    }
    let caption = "Counted under callgrind in the measured region alone, caches simulated; above null is \
                   without what the replay itself takes.";
    (caption.to_owned(), table)
}

fn errors(results: &Results) -> Body {
    let mut table = Table::new(&[
        ("workload", false),
        ("subject", false),
        ("strategy", false),
        ("errors", true),
        ("suppressed", true),
        ("places", true),
        ("status", false),
    ]);
    let count = |value: Option<u64>| value.map(quantity::count).unwrap_or_default();
    for one in results.memchecks_in_order() {
        table.rows.push(vec![
            one.workload.clone(),
            one.label(),
            one.ownership.clone().unwrap_or_default(),
            count(one.errors),
            count(one.errors_suppressed),
            count(one.contexts),
            one.status.word().to_owned(),
        ]);
    }
    Some((
        "Errors that memcheck reports, every occurrence counted, one run each.".to_owned(),
        table,
    ))
}

fn ownership(results: &Results) -> Body {
    let strategies = Strategies::of(results)?;
    let told = ownership::CHARTED.into_iter().filter_map(|question| {
        let sentence = strategies.sentence(question);
        let title = ownership::title(question);
        (!sentence.is_empty()).then(|| format!("* {title}: {}", escape(&sentence)))
    });
    let told: Vec<String> = told.collect();
    let caption = format!(
        "Nanoseconds per query at random, the loop included. Constant: the interval of most over fewest \
         arenas lies below {}.\n\n{}",
        quantity::figure(ownership::CONSTANT_FACTOR),
        told.join("\n")
    );
    Some((caption, strategies.table()))
}

fn ownership_in_place(results: &Results) -> Body {
    // Without the lab's records the samples are those of an ordinary run.
    Strategies::of(results)?;
    let caption = "The same strategies in a heap, against the fastest heap of the workload.";
    Some((caption.to_owned(), ownership::in_place(&results.samples)?))
}

fn detections(results: &Results) -> Body {
    let mut table = Table::new(&[
        ("mode", false),
        ("caught", true),
        ("missed", true),
        ("crashed", true),
        ("false alarms", true),
        ("own reports", true),
    ]);
    for mode in detections::modes(results) {
        let one = Counts::of(results, mode);
        let mut line = vec![mode.to_owned()];
        let counts = [one.caught, one.missed, one.crashed, one.false_alarms];
        line.extend(counts.map(|count| count.to_string()));
        line.push(one.own_reports.map(quantity::count).unwrap_or_default());
        table.rows.push(line);
    }
    let caption =
        "Small programs that do one thing wrong, by allocator and who watches it.".to_owned();
    let sentences = detections::sentences(results).join(" ");
    Some((format!("{caption} {sentences}").trim_end().to_owned(), table))
}

fn failures(summary: &Summary) -> Body {
    let mut table = Table::new(&[
        ("workload", false),
        ("subject", false),
        ("status", false),
        ("processes", true),
        ("what happened", false),
    ]);
    for row in &summary.rows {
        let Some(failure) = &row.failure else { continue };
        table.rows.push(vec![
            summary.label(&row.setting),
            row.subject.clone(),
            failure.status.word().to_owned(),
            format!("{} of {}", failure.failed, failure.children),
            failure.message.clone(),
        ]);
    }
    Some(("A cell with one failed process has no ratio.".to_owned(), table))
}

fn cells(summary: &Summary) -> (String, Table) {
    let caption = "Medians and 95 % intervals; nanoseconds per allocation and free.".to_owned();
    (caption, summary.table())
}
