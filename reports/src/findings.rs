//! What a run found, in a few plain sentences: the head of the page and of the Markdown summary.

use std::collections::BTreeSet;

use crate::fidelity::Fidelity;
use crate::ownership::{self, CHARTED, Question, Strategies};
use crate::programs::Programs;
use crate::quantity::{self, list, plural};
use crate::record::{Memcheck, TailRow};
use crate::results::Results;
use crate::summary::{Lead, Row, Scope, Standing, Summary};
use crate::tails::TailMean;

/// The findings, most important first. Empty for a run without any figure.
#[must_use]
pub fn findings(results: &Results, summary: &Summary, programs: Option<&Programs>) -> Vec<String> {
    // What a run was made for comes first: the programs and not the replays of them.
    let mut found: Vec<String> = programs.and_then(real_programs).into_iter().collect();
    found.extend(fidelity(results));
    found.extend(ownership(results));
    found.extend(ranking(summary, Scope::Main));
    found.extend(own(summary));
    found.extend(ranking(summary, Scope::Threads));
    found.extend(noise(summary));
    found.extend(memory(summary));
    found.extend(tails(results, summary));
    found.extend(errors(results));
    let failed = summary.rows.iter().filter(|row| row.failure.is_some()).count();
    if failed > 0 {
        found.push(format!(
            "{failed} of {} failed; they are shown and not averaged.",
            plural(summary.rows.len(), "cell", "cells")
        ));
    }
    for gap in &results.unmeasured {
        found.push(format!("Not measured: {} ({}).", gap.measure, gap.reason));
    }
    found
}

/// What a reader must know of the run as a whole before anything else: that it is not whole.
#[must_use]
pub fn notice(results: &Results) -> Option<String> {
    let mut text = match results.end() {
        Some(end) if end.outcome == "complete" => String::new(),
        Some(end) if end.outcome == "interrupted" => {
            "This run was interrupted. The figures cover what was finished before.".to_owned()
        }
        Some(end) => format!("This run ended as \"{}\".", end.outcome),
        None => "This run is not over, or was killed: its records have no end. The figures cover \
                 what was finished."
            .to_owned(),
    };
    if let Some(line) = results.torn_line {
        text += &format!(" Line {line} of the records was cut off and is left out.");
    }
    if results.unknown_kinds > 0 {
        let records = plural(results.unknown_kinds, "record", "records");
        text += &format!(" {records} of a newer version left out.");
    }
    (!text.is_empty()).then(|| text.trim_start().to_owned())
}

fn ranking(summary: &Summary, scope: Scope) -> Vec<String> {
    let all = || summary.overall_of(scope).filter(|one| one.ranked);
    let lead = summary.scope(scope).and_then(|one| one.lead.as_ref());
    let Some(lead) = lead.filter(|_| all().count() > 1) else {
        return Vec::new();
    };
    let mut found = vec![format!("Over {}, {}", summary.scope_words(scope), lead_words(lead))];
    if let Some(ratio) = all().find(|one| one.subject == lead.subject).and_then(|one| one.ratio) {
        found.push(format!(
            "{} takes {} times as long as {} (geometric mean, 95 % interval over {}).",
            lead.subject,
            quantity::estimate(&ratio),
            summary.baseline,
            plural(ratio.count, "round", "rounds")
        ));
    }
    let incomplete: Vec<&str> =
        all().filter(|one| !one.missing.is_empty()).map(|one| one.subject.as_str()).collect();
    if !incomplete.is_empty() {
        found.push(format!(
            "Not in the ranking, because a workload failed or is missing: {}.",
            list(&incomplete)
        ));
    }
    found
}

/// How small a difference the run can still tell, from the baseline against itself.
fn noise(summary: &Summary) -> Option<String> {
    let mut floors: Vec<f64> = summary
        .settings
        .iter()
        .filter_map(|setting| Some(summary.floor_of(setting)?.half_width_percent()))
        .collect();
    floors.sort_by(f64::total_cmp);
    let (least, most) = (floors.first()?, floors.last()?);
    let middle = floors[(floors.len() - 1) / 2];
    let of_mean = |scope| {
        summary.scope(scope).filter(|one| one.settings.len() > 1)?;
        let percent = quantity::percent(summary.overall_floor(scope)?.half_width_percent());
        Some(format!(", {percent} in the mean over {}", summary.scope_words(scope)))
    };
    let of_means: Vec<String> =
        [Scope::Main, Scope::Threads].into_iter().filter_map(of_mean).collect();
    (floors.len() > 1).then(|| {
        format!(
            "How sure: the A/A floor, the most by which {} may differ from itself (95 %), is up to {} on half \
             of the workloads, {} on the calmest and {} on the noisiest{}. A difference below the floor of its \
             own workload or mean is undecided.",
            summary.baseline,
            quantity::percent(middle),
            quantity::percent(*least),
            quantity::percent(*most),
            of_means.concat()
        )
    })
}

/// Names that a sentence holds at most.
const FEW: usize = 6;

/// `mimalloc is fastest; snmalloc takes 6.0 % more time than mimalloc (1.06 [1.04, 1.08]).`
fn lead_words(lead: &Lead) -> String {
    let names = |names: &[String]| match names.len() {
        ..=FEW => list(names),
        many => format!("{many} others"),
    };
    let level = (!lead.level_with.is_empty())
        .then(|| format!("cannot be told from {}", names(&lead.level_with)));
    let unknown = (!lead.unknown.is_empty())
        .then(|| format!("was measured beside {} in too few calm rounds", names(&lead.unknown)));
    let doubts: Vec<String> = level.into_iter().chain(unknown).collect();
    let mut text = match doubts.as_slice() {
        [] => format!("{} is fastest", lead.subject),
        some => format!("{} has the lowest time, but {}", lead.subject, some.join(" and ")),
    };
    if let Some((name, ratio)) = &lead.next {
        let difference = quantity::difference(ratio.value);
        let leader = &lead.subject;
        text += &match ratio.value {
            value if value >= 2.0 => format!("; {name} takes {difference} the time of {leader}"),
            _ => format!("; {name} takes {difference} time than {leader}"),
        };
        text += &format!(" ({})", quantity::estimate(ratio));
    }
    text + "."
}

/// The project's own allocators by one name: the first words that all of them share, with a capital
/// letter, or all their names.
pub(crate) fn own_names(summary: &Summary) -> String {
    let mut names: Vec<&str> = Vec::new();
    for one in &summary.contests {
        if !names.contains(&one.subject.as_str()) {
            names.push(&one.subject);
        }
    }
    let words = |name: &str| name.split('-').map(str::to_owned).collect::<Vec<_>>();
    let first = names.first().map(|name| words(name)).unwrap_or_default();
    let shared = (1..=first.len())
        .rev()
        .find(|&count| names.iter().all(|name| words(name).get(..count) == first.get(..count)));
    let Some(shared) = shared else { return list(&names) };
    let name = first[..shared].join("-");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// For each own allocator, of those that are ranked where there are any: how it stands to the best
/// single peers, and on how many workloads it is behind.
fn own(summary: &Summary) -> Vec<String> {
    let is_ranked = |name: &str| summary.rows.iter().any(|row| row.subject == name && row.ranked);
    let has_ranked = summary.contests.iter().any(|one| is_ranked(&one.subject));
    let mut found: Vec<String> = Vec::new();
    for (index, first) in summary.contests.iter().enumerate() {
        let name = &first.subject;
        if has_ranked && !is_ranked(name) {
            continue;
        }
        if summary.contests[..index].iter().any(|one| one.subject == *name) {
            continue;
        }
        let parts: Vec<String> = summary
            .contests
            .iter()
            .filter(|one| one.subject == *name)
            .filter_map(|one| {
                let (peer, ratio) = one.against.as_ref()?;
                let over = one.scope.noun(one.settings, true);
                let (count, word) = (quantity::count(one.settings as u64), one.word());
                Some(format!(
                    "{} of {peer} over {count} {over} ({word})",
                    quantity::estimate(ratio)
                ))
            })
            .collect();
        if parts.is_empty() {
            continue;
        }
        let stands = |standing| {
            let all = summary.standing(standing);
            all.iter().filter(|(row, _)| row.subject == *name).count()
        };
        let (ahead, behind) = (stands(Standing::Ahead), stands(Standing::Behind));
        let undecided = stands(Standing::Undecided);
        let workloads = plural(ahead + behind + undecided, "workload", "workloads");
        found.push(format!(
            "{name} against the best peer of each of {workloads}: ahead on {ahead}, behind on {behind}, \
             undecided on {undecided}. Against the best single peer, by time: {}.",
            parts.join("; ")
        ));
    }
    found
}

/// `Wall time of 22 real programs over that under pymalloc: arenite 0.95 [0.93, 0.97] (faster ...`
fn real_programs(programs: &Programs) -> Option<String> {
    let said: Vec<String> = programs
        .overall
        .iter()
        .filter_map(|one| {
            let memory = one.rss_ratio.map_or_else(String::new, |ratio| {
                format!(", peak memory {}", quantity::figure(ratio.value))
            });
            let (name, word, time) = (&one.subject, one.word(), one.wall_ratio.as_ref()?);
            Some(format!("{name} {} ({word}{memory})", quantity::estimate(time)))
        })
        .collect();
    let baseline = &programs.baseline;
    let count = plural(programs.names.len(), "real program", "real programs");
    (!said.is_empty())
        .then(|| format!("Wall time of {count} over that under {baseline}: {}.", said.join("; ")))
}

/// How far off replays are in what they predict of the programs' processor time.
fn fidelity(results: &Results) -> Option<String> {
    let fidelity = Fidelity::of(results)?;
    let time = fidelity.time?;
    let [error, blind] =
        [time.error, time.blind_error].map(|error| quantity::percent(100.0 * error));
    Some(format!(
        "What replays of these programs predict of their processor time is off by {error} of that under {} \
         on average; to predict no difference would be off by {blind}: {}.",
        fidelity.baseline,
        time.word()
    ))
}

/// What strategies cost where the most of them were asked with the most arenas, and which cost the same
/// however many there are.
fn ownership(results: &Results) -> Option<String> {
    let strategies = Strategies::of(results)?;
    let question = CHARTED[0];
    let costs = |arenas: u64| -> Vec<(&str, f64)> {
        let names = strategies.names.iter();
        let cost = |name: &'_ str| Some(strategies.figures(name, arenas, question)?.raw_ns.value);
        names.filter_map(|name| Some((*name, cost(name)?))).collect()
    };
    let (arenas, costs) = strategies
        .arenas
        .iter()
        .map(|&arenas| (arenas, costs(arenas)))
        .max_by_key(|(arenas, costs)| (costs.len(), *arenas))?;
    let least = costs.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let most = costs.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "An ownership test with {} ({}), the loop included: from {} ({}) to {} ({}). {}",
        plural(arenas as usize, "arena", "arenas"),
        ownership::title(question),
        quantity::duration(least.1),
        least.0,
        quantity::duration(most.1),
        most.0,
        growth_words(&strategies, question)
    ))
}

/// `The cost is constant, whatever their number, for page-map; not for cookie.`
fn growth_words(strategies: &Strategies<'_>, question: Question<'_>) -> String {
    let of = |word: &str| -> Vec<&str> {
        let names = strategies.names.iter().copied();
        let grows = |name: &str| strategies.growth(name, question).map(|growth| growth.word());
        names.filter(|name| grows(name) == Some(word)).collect()
    };
    let parts =
        [("constant", "constant for"), ("grows", "not for"), ("undecided", "undecided for")];
    let told: Vec<String> = parts
        .into_iter()
        .map(|(word, said)| (of(word), said))
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, said)| format!("{said} {}", list(&names)))
        .collect();
    if told.is_empty() {
        return String::new();
    }
    format!("As the number of arenas grows, the cost is {}.", told.join("; "))
}

fn memory(summary: &Summary) -> Option<String> {
    let placed: Vec<(&str, f64)> = summary
        .overall_of(Scope::Main)
        .filter(|one| one.place.is_some())
        .filter_map(|one| Some((one.subject.as_str(), one.rss_ratio?.value)))
        .collect();
    if placed.len() < 2 {
        return None;
    }
    let least = placed.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let most = placed.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let over = summary.scope_words(Scope::Main);
    let live = live_words(summary);
    if quantity::figure(least.1) == quantity::figure(most.1) {
        return Some(format!(
            "Peak resident memory over the peak of what was asked for: {} for each; geometric mean over \
             {over}{live}.",
            quantity::figure(least.1)
        ));
    }
    // Placed subjects come fastest first. Whoever wins on time, the reader asks next what it costs.
    let (first, its) = placed.first()?;
    let first = match [least.0, most.0].contains(first) {
        true => String::new(),
        false => format!("; {first}, of the lowest time, {}", quantity::figure(*its)),
    };
    Some(format!(
        "Peak resident memory, huge pages included, over the peak of what was asked for: from {} ({}) to {} ({}){first}; \
         geometric mean over {over}{live}.",
        quantity::figure(least.1),
        least.0,
        quantity::figure(most.1),
        most.0,
    ))
}

/// `, with 1.50 to 11.0 MiB alive at the peak`: how large the heaps are that a ratio of memory is of, and that
/// a few huge pages are much of them where that is so.
fn live_words(summary: &Summary) -> String {
    let of_scope = |row: &&Row| {
        let settings = summary.scope(Scope::Main).map(|one| one.settings.as_slice());
        settings.is_some_and(|settings| settings.contains(&row.setting))
    };
    let live = summary.rows.iter().filter(of_scope).filter_map(|row| row.live_peak_bytes);
    let mut live: Vec<f64> = live.collect();
    live.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (live.first(), live.last()) else { return String::new() };
    let small = match *least < FEW_HUGE_PAGES {
        true => ": one huge page of 2 MiB is much of such a heap",
        false => "",
    };
    format!(
        ", with {} to {} alive at the peak{small}",
        quantity::bytes(*least),
        quantity::bytes(*most)
    )
}

/// Bytes of a heap that a single huge page may double.
const FEW_HUGE_PAGES: f64 = (4 << 20) as f64;

/// `One call in a hundred takes longer than 36.0 ns (snmalloc) to 140 ns (system), one in a thousand
/// longer than ...`: ranked subjects that were timed call by call everywhere.
fn tails(results: &Results, summary: &Summary) -> Option<String> {
    let placed: Vec<&str> = summary
        .overall_of(Scope::Main)
        .filter(|one| one.place.is_some())
        .map(|one| one.subject.as_str())
        .collect();
    let means: Vec<_> = crate::tails::means(results)
        .into_iter()
        .filter(|one| placed.contains(&one.subject))
        .collect();
    let workloads = crate::tails::tables(results).len();
    let part = |at: usize| {
        let by =
            |a: &&TailMean<'_>, b: &&TailMean<'_>| a.percentiles[at].total_cmp(&b.percentiles[at]);
        let (least, most) = (means.iter().min_by(by)?, means.iter().max_by(by)?);
        let first = means.iter().find(|one| placed.first() == Some(&one.subject));
        let first = first.filter(|one| ![least.subject, most.subject].contains(&one.subject));
        let time = |one: &TailMean<'_>| quantity::duration(one.percentiles[at]);
        let first =
            first.map_or_else(String::new, |one| format!("; {} {}", one.subject, time(one)));
        Some(format!(
            "longer than {} ({}) to {} ({}){first}",
            time(least),
            least.subject,
            time(most),
            most.subject
        ))
    };
    if means.len() < 2 {
        return None;
    }
    Some(format!(
        "One call in a hundred takes {}. One in a thousand {}. Geometric means over {}, each call timed by \
         itself.",
        part(TailRow::P99)?,
        part(TailRow::P99_9)?,
        plural(workloads, "workload", "workloads")
    ))
}

fn errors(results: &Results) -> Option<String> {
    let counted: Vec<&Memcheck> =
        results.memchecks_in_order().into_iter().filter(|one| one.errors.is_some()).collect();
    let names = |records: &[&Memcheck]| -> Vec<String> {
        let mut seen = BTreeSet::new();
        records
            .iter()
            .filter(|record| seen.insert(record.subject.as_str()))
            .map(|record| match &record.ownership {
                Some(strategy) => format!("{} ({strategy})", record.subject),
                None => record.subject.clone(),
            })
            .collect()
    };
    let all = names(&counted);
    let noisy: Vec<&Memcheck> =
        counted.iter().copied().filter(|record| record.errors > Some(0)).collect();
    let noisy = names(&noisy);
    match (all.len(), noisy.as_slice()) {
        (0, _) => None,
        (all, []) => {
            let all = plural(all, "subject", "subjects");
            Some(format!("Valgrind reports no error of the allocators themselves in {all}."))
        }
        (all, some) => Some(format!(
            "Valgrind reports errors of the allocators themselves in {} of {}: {}.",
            some.len(),
            plural(all, "subject", "subjects"),
            list(some)
        )),
    }
}
