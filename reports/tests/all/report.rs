//! The report as a whole: same bytes every time, nothing from outside, every figure beside a table,
//! no text on top of another, nothing dropped.

use crate::synthetic;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use quick_xml::events::{BytesStart, Event};
use reports::record::{Call, Role, Source};
use reports::results::Results;
use reports::summary::Summary;
use reports::{MARKDOWN_LIMIT_BYTES, markdown, samples_csv, write_report};

/// Every file of a report by its name, after writing it to a new folder.
fn report(results: &Results) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let paths = write_report(results, dir.path()).expect("a report");
    let read = |path: &Path| {
        let name = path.strip_prefix(dir.path()).expect("inside the folder");
        let text = fs::read_to_string(path).expect("a file that was written");
        (name.display().to_string(), text)
    };
    let files: BTreeMap<String, String> = paths.iter().map(|path| read(path)).collect();
    assert_eq!(files.len(), paths.len(), "two files under one name");
    files
}

/// A run that is small enough to be drawn often.
fn small() -> Results {
    synthetic::run(9, 4, 5, 3)
}

fn svgs(files: &BTreeMap<String, String>) -> impl Iterator<Item = (&String, &String)> {
    files.iter().filter(|(name, _)| name.ends_with(".svg"))
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let results = small();
    assert!(report(&results) == report(&results));
}

#[test]
fn a_report_is_a_page_a_summary_a_table_and_charts_and_leaves_nothing_else_behind() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("new/folder");
    let paths = write_report(&small(), &target).unwrap();
    assert_eq!(paths[0], target.join("index.html"));
    let names = |dir: &Path| {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let files = ["charts", "index.html", "report.md", "results.csv", "valgrind.md"];
    assert_eq!(names(&target), files);
    let charts = names(&target.join("charts"));
    for expected in
        ["ratio-overall.svg", "tradeoff.svg", "time-int-churn.svg", "memcheck-int-churn.svg"]
    {
        assert!(charts.iter().any(|name| name == expected), "{expected} in {charts:?}");
    }
    assert!(charts.iter().all(|name| name.ends_with(".svg")), "{charts:?}");
}

#[test]
fn an_unwritable_folder_is_named_and_is_an_io_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let error = write_report(&small(), &file).unwrap_err();
    assert_eq!(error.exit_code(), 74);
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}

#[test]
fn a_failed_write_leaves_the_old_page_whole() {
    let dir = tempfile::tempdir().unwrap();
    let results = small();
    write_report(&results, dir.path()).unwrap();
    let page = dir.path().join("index.html");
    fs::remove_file(&page).unwrap();
    fs::create_dir(&page).unwrap();
    assert!(write_report(&results, dir.path()).is_err());
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|one| one.unwrap().path()).collect();
    assert!(left.iter().all(|path| path.extension().is_none_or(|end| end != "tmp")), "{left:?}");
}

#[test]
fn the_page_needs_no_network_and_no_script() {
    let page = &report(&small())["index.html"];
    for forbidden in ["<script", "<link", "<img", "@import", "url(", "javascript:", "<iframe"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!outside.contains("http://") && !outside.contains("https://"));
    let links = page.match_indices("href=\"").map(|(at, found)| &page[at + found.len()..]);
    let targets: Vec<&str> = links.map(|rest| rest.split('"').next().unwrap()).collect();
    for target in targets {
        let known = ["results.jsonl", "results.csv", "report.md"].contains(&target);
        let anchor =
            target.strip_prefix('#').is_some_and(|id| page.contains(&format!("id=\"{id}\"")));
        assert!(known || anchor, "{target}");
    }
}

#[test]
fn every_figure_has_a_chart_a_table_and_words_for_those_who_do_not_see_it() {
    let page = &report(&small())["index.html"];
    let figures: Vec<&str> = page.split("<figure>").skip(1).collect();
    assert!(figures.len() >= 7, "{}", figures.len());
    for figure in figures {
        let figure = figure.split("</figure>").next().unwrap();
        let chart = figure.find("<svg").expect("a chart");
        assert!(figure.rfind("<table").is_some_and(|table| table > chart), "a table below");
        for svg in figure.split("<svg").skip(1) {
            assert!(
                svg.contains("role=\"img\"") && svg.contains("<title") && svg.contains("<desc")
            );
        }
    }
    // Identifiers are unique, so that every chart is labelled by its own words.
    let mut ids: Vec<&str> = page
        .match_indices(" id=\"")
        .map(|(at, found)| page[at + found.len()..].split('"').next().unwrap())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

/// What the figures of a page lack, a line each: a title, a table below, and under every chart its unit,
/// number of samples, interval and the way to the records.
fn lacking(page: &str) -> Vec<String> {
    let between = |text: &str, from: &str, to: &str| -> String {
        let rest = text.split_once(from).map_or("", |(_, rest)| rest);
        rest.split_once(to).map_or("", |(found, _)| found).replace('\u{a0}', " ")
    };
    let mut lacking = Vec::new();
    let mut inside = 0;
    for figure in page.split("<figure>").skip(1) {
        let figure = figure.split("</figure>").next().unwrap();
        for drawing in figure.split("<div class=\"drawing\">").skip(1) {
            let title = between(&between(drawing, "<title", "/title>"), ">", "<");
            let foot = between(drawing, "<p class=\"foot\">", "</p>");
            let part =
                |class: &str| between(&foot, &format!("<span class=\"{class}\">"), "</span>");
            let (samples, spread) = (part("samples"), part("spread"));
            let counted = samples.contains(|one: char| one.is_ascii_digit())
                && ["sample", "round", "run"].iter().any(|word| samples.contains(word));
            let reason = spread.strip_prefix("none, ").is_some_and(|why| why.contains(' '));
            let faults = [
                (title.trim().len() < 8, "title"),
                (part("unit").len() < 3, "unit"),
                (!counted, "samples"),
                (!spread.starts_with("95 % of ") && !reason, "interval"),
                (!foot.contains("<a href=\"results.jsonl\">"), "records"),
                (!figure.rsplit("</svg>").next().unwrap().contains("<table"), "table"),
            ];
            let faults = faults.into_iter().filter(|(is_lacking, _)| *is_lacking);
            lacking.extend(faults.map(|(_, what)| format!("{title}: {what}")));
            inside += drawing.matches("<svg").count();
        }
    }
    if inside != page.matches("<svg").count() {
        lacking.push("a chart outside of figures".to_owned());
    }
    lacking
}

#[test]
fn every_chart_names_unit_samples_interval_and_records_and_a_planted_bad_one_is_caught() {
    let files = report(&synthetic::everything());
    let page = &files["index.html"];
    assert_eq!(lacking(page), Vec::<String>::new());
    assert_eq!(page.matches("<p class=\"foot\">").count(), svgs(&files).count());
    // One sample of each has no interval, and says so.
    let once = &report(&synthetic::run(9, 4, 1, 3))["index.html"];
    assert_eq!(lacking(once), Vec::<String>::new());
    assert!(once.contains("none, a single value has no spread"));

    let unit = "nanoseconds per allocation and free</span>";
    let faults = [
        ("unit", unit, "</span>"),
        ("samples", "5\u{a0}samples per subject</span>", "some samples</span>"),
        ("interval", "95\u{a0}% of the median</span>", "none</span>"),
        ("records", "<a href=\"results.jsonl\">", "<a>"),
        ("table", "<table", "<p"),
        ("a chart outside of figures", "<figure>", "<figure><svg></svg>"),
    ];
    for (fault, good, bad) in faults {
        let planted = page.replacen("Time per operation pair: int-churn", "Planted, int-churn", 1);
        let at = planted.find("Planted, int-churn").unwrap();
        let start = planted[..at].rfind("<figure>").unwrap();
        let planted = planted[..start].to_owned() + &planted[start..].replacen(good, bad, 1);
        let found = lacking(&planted);
        assert!(
            !found.is_empty() && found.iter().all(|one| one.ends_with(fault)),
            "{fault}: {found:?}"
        );
    }
}

#[test]
fn tags_are_balanced_in_every_page_and_chart() {
    let files = report(&small());
    for (name, text) in files.iter().filter(|(name, _)| !name.ends_with(".md")) {
        if name.ends_with(".csv") {
            continue;
        }
        let mut open: Vec<&str> = Vec::new();
        for tag in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let element = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(element), "{name}");
            } else if !tag.ends_with('/') && !["!DOCTYPE", "meta"].contains(&element) {
                open.push(element);
            }
        }
        assert_eq!(open, Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn charts_in_a_page_take_its_ink_and_charts_in_files_bring_their_own_style() {
    let files = report(&small());
    let page = &files["index.html"];
    assert!(!page.contains("#010203") && !page.split("</head>").nth(1).unwrap().contains("<style"));
    for (name, svg) in svgs(&files) {
        assert!(
            svg.contains("currentColor") && svg.contains("prefers-color-scheme:dark"),
            "{name}"
        );
        assert!(!svg.contains("#010203"), "{name}");
    }
}

/// Every text of a chart with the box that it takes at least.
fn text_boxes(svg: &str) -> Vec<([f64; 4], String)> {
    let mut reader = quick_xml::Reader::from_str(svg);
    // What the elements around say; the innermost is last.
    let mut around: Vec<BTreeMap<String, String>> = Vec::new();
    let mut boxes = Vec::new();
    let mut content = String::new();
    loop {
        match reader.read_event().expect("a chart is XML") {
            Event::Start(tag) => {
                around.push(attributes(&tag));
                content.clear();
            }
            Event::Text(text) => content += &text,
            Event::GeneralRef(_) => content.push('&'),
            Event::End(tag) => {
                if tag.name().as_ref() == "text" {
                    boxes.push((text_box(&around, content.trim()), content.trim().to_owned()));
                }
                around.pop();
            }
            Event::Eof => return boxes,
            _ => {}
        }
    }
}

/// Left, right, top and bottom of a text, which is the innermost of the elements.
fn text_box(elements: &[BTreeMap<String, String>], content: &str) -> [f64; 4] {
    let said = |name: &str| elements.iter().rev().find_map(|one| one.get(name));
    let number = |name| said(name).expect(name).parse::<f64>().expect("a number");
    let (x, y, size) = (number("x"), number("y"), number("font-size"));
    // A sans-serif letter is half as wide as it is high, on average.
    let wide = content.chars().count() as f64 * size * 0.5;
    let left = match said("text-anchor").map(String::as_str) {
        None => x,
        Some("middle") => x - wide / 2.0,
        Some(_) => x - wide,
    };
    [left, left + wide, y - size * 0.4, y + size * 0.4]
}

fn attributes(tag: &BytesStart<'_>) -> BTreeMap<String, String> {
    tag.attributes()
        .map(|attribute| attribute.expect("an attribute has a name and a value"))
        .map(|attribute| (attribute.key.as_ref().to_owned(), attribute.value.into_owned()))
        .collect()
}

#[test]
fn no_text_of_any_chart_covers_another_or_leaves_the_chart() {
    let mut crowded = synthetic::run(14, 8, 3, 8);
    crowded.subjects[1].subject = "a-subject-with-a-rather-long-name-2.10.1".to_owned();
    for sample in &mut crowded.samples {
        if sample.subject == "mimalloc" {
            sample.subject = crowded.subjects[1].subject.clone();
        }
        if sample.workload == "gcc-compile" {
            sample.workload =
                "a trace file whose stem goes on and on and on and on and on and on".to_owned();
        }
    }
    crowded.host.baseline = crowded.subjects[1].subject.clone();
    let mut boxes_seen = 0;
    let (crowded, full) = (report(&crowded), report(&synthetic::crowd::crowd(2, 5)));
    for (name, svg) in svgs(&crowded).chain(svgs(&full)) {
        let view = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split('"').next().unwrap();
        let (width, height) = view.split_once(' ').unwrap();
        let (width, height): (f64, f64) = (width.parse().unwrap(), height.parse().unwrap());
        let boxes = text_boxes(svg);
        for (index, (first, a)) in boxes.iter().enumerate() {
            boxes_seen += 1;
            let inside =
                first[0] >= 0.0 && first[1] <= width && first[2] >= 0.0 && first[3] <= height;
            assert!(inside, "{name}: {a:?} leaves the chart: {first:?} of {width} x {height}");
            for (second, b) in &boxes[..index] {
                let apart = first[0] >= second[1]
                    || second[0] >= first[1]
                    || first[2] >= second[3]
                    || second[2] >= first[3];
                assert!(apart, "{name}: {a:?} covers {b:?}");
            }
        }
    }
    assert!(boxes_seen > 500, "{boxes_seen}");
}

#[test]
fn failed_cells_are_in_the_charts_the_page_and_the_summary() {
    let files = report(&synthetic::run(12, 4, 5, 7));
    for (chart, note) in [
        ("charts/time-dict-resize.svg", "signal, 5 of 5"),
        ("charts/ratio-dict-resize.svg", "signal, 5 of 5"),
        ("charts/memory-dict-resize.svg", "signal, 5 of 5"),
        ("charts/time-cpython-3.11-interpreter-day.svg", "mismatch, 5 of 5"),
        ("charts/memcheck-int-churn.svg", "unsupported"),
    ] {
        assert!(files[chart].contains(note), "{note} in {chart}");
    }
    for file in ["index.html", "report.md"] {
        assert!(files[file].contains("block overlaps a live block"), "{file}");
        assert!(files[file].contains("killed by signal 11"), "{file}");
    }
}

#[test]
fn a_subject_that_does_not_support_a_workload_takes_no_row_of_its_chart_and_one_of_the_gaps() {
    let files = report(&synthetic::crowd::crowd(3, 5));
    for chart in
        ["charts/time-larson-2.svg", "charts/ratio-larson-2.svg", "charts/ratio-threads.svg"]
    {
        assert!(
            !files[chart].contains("pymalloc-2.3") && files[chart].contains("arenite"),
            "{chart}"
        );
    }
    assert!(files["charts/time-int-churn.svg"].contains("pymalloc-2.3"));
    let page = &files["index.html"];
    assert!(page.contains("Not supported by pymalloc-2.3, "), "the table of the ranking says so");
    let gaps =
        page.split("<section id=\"gaps\">").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(gaps.matches("larson:2, producer-consumer:2").count(), 8, "a line per subject");
    assert!(!page.contains("Not in the ranking, because a workload failed"));
}

#[test]
fn measures_of_some_workloads_alone_are_named() {
    let page = |results: &Results| report(results)["index.html"].clone();
    let results = synthetic::everything();
    let said = "Measured on some of the workloads only: memory over the life on 1 of 4";
    assert!(page(&results).contains(said));
    assert!(!page(&small()).contains("Measured on some of the workloads"));
}

/// The C library's malloc is neither linked into the harness nor preloaded.
#[test]
fn linked_and_preloaded_subjects_are_said_to_be_ranked_together_where_there_are_both() {
    let said = |names: &[&str]| {
        let mut results = synthetic::run(1, 2, 3, 1);
        let preloaded = |one: &str| (one != "linked").then(|| "ab".repeat(32));
        for name in names {
            let one = synthetic::subject(name, Role::Peer, Call::C);
            let (version, sha256) = ("1.0".to_owned(), preloaded(name));
            results.subjects.push(reports::record::Subject { version, sha256, ..one });
        }
        results.subjects[0].version = "glibc 2.36".to_owned();
        results.subjects[0].sha256 = None;
        report(&results)["index.html"].contains("linked into the harness and others preloaded")
    };
    assert!(said(&["linked", "preloaded"]));
    assert!(!said(&["preloaded"]) && !said(&["linked"]));
}

#[test]
fn sections_without_content_are_left_out_or_say_why() {
    let anchors =
        ["compared", "ranking", "memory", "workloads", "valgrind", "gaps", "recordings", "method"];
    let has = |page: &str, anchor: &str| page.contains(&format!("<section id=\"{anchor}\">"));
    let full = &report(&synthetic::run(12, 4, 5, 7))["index.html"];
    assert!(anchors.iter().all(|anchor| has(full, anchor)));
    let whole = report(&synthetic::everything());
    let sections = whole["index.html"].split("<section id=\"").skip(1);
    let order: Vec<&str> = sections.map(|rest| rest.split('"').next().unwrap()).collect();
    let expected = "compared ranking best-peer programs fidelity memory life tails workloads counts counters \
                    valgrind detection ownership contract gaps recordings method";
    assert_eq!(order, expected.split_whitespace().collect::<Vec<_>>());

    let bare = synthetic::without_memcheck(small());
    let page = &report(&bare)["index.html"];
    assert!(page.contains("Not measured: Valgrind is not installed."), "the reason");
    assert!(page.contains("apt-get install valgrind"), "the remedy");

    let mut silent = synthetic::run(1, 1, 5, 9);
    silent.memchecks.clear();
    silent.recordings.clear();
    let page = &report(&silent)["index.html"];
    for anchor in ["ranking", "valgrind", "recordings", "gaps"] {
        assert!(!has(page, anchor), "{anchor}");
    }
}

#[test]
fn an_interrupted_run_an_empty_one_and_a_run_of_one_subject_have_reports() {
    let interrupted = report(&synthetic::interrupted(small()));
    assert!(interrupted["index.html"].contains("This run is not over, or was killed"));
    assert!(interrupted["report.md"].contains("This run is not over, or was killed"));
    let alone = report(&synthetic::run(1, 2, 5, 9));
    assert!(alone.contains_key("charts/time-int-churn.svg"));
    let empty = report(&Results::new(synthetic::host()));
    assert_eq!(empty.len(), 3);
}

#[test]
fn names_from_outside_cannot_become_markup() {
    let mut results = Results::new(synthetic::host());
    let hostile = "<script>alert('x')</script>\"&|](http://example.invalid)";
    results.host.baseline = hostile.to_owned();
    results.subjects.push(synthetic::subject(hostile, Role::Peer, Call::C));
    results.workloads.push(synthetic::workload(hostile, Source::File));
    for round in 0..3 {
        results.samples.push(synthetic::sample(hostile, hostile, round, 5.0));
    }
    let files = report(&results);
    for (name, text) in &files {
        if !name.ends_with(".csv") {
            assert!(!text.replace("\\<", "").contains("<script"), "{name}");
        }
        assert!(!name.contains(['<', '"', '|']), "{name}");
    }
    assert!(!files["report.md"].replace("\\]", "").contains("](http"));
}

#[test]
fn the_markdown_summary_stays_under_its_limit_and_names_what_it_left_out() {
    let results = synthetic::run(12, 4, 2, 7);
    let short = markdown(&results, &Summary::of(&results), None);
    assert!(short.len() < 20_000 && !short.contains("Left out"), "{}", short.len());
    assert!(short.contains("### Every cell"));

    let mut long = Results::new(synthetic::host());
    for workload in 0..40 {
        for subject in 0..14 {
            let name = |kind: &str, number: u32| format!("{kind}-with-a-long-name-{number}");
            let sample = synthetic::sample(
                if subject == 0 { "system" } else { "x" },
                &name("workload", workload),
                0,
                5.0,
            );
            let mut sample = sample;
            if subject > 0 {
                sample.subject = name("subject", subject);
            }
            long.samples.push(sample);
        }
    }
    let text = markdown(&long, &Summary::of(&long), None);
    assert!(text.len() <= MARKDOWN_LIMIT_BYTES, "{}", text.len());
    assert!(text.contains("Left out for length: "), "it must say so");
    assert!(text.contains("### Ranking"));
}

#[test]
fn the_csv_has_a_line_for_every_sample_with_every_field() {
    let results = small();
    let text = samples_csv(&results);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let place = |name: &str| head.iter().position(|one| one == name).unwrap();
    let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), results.samples.len());
    for (line, sample) in lines.iter().zip(&results.samples) {
        assert_eq!(&line[place("subject")], sample.subject);
        assert_eq!(&line[place("status")], sample.status.word());
        assert_eq!(&line[place("again")], sample.again.to_string());
        let ns = &line[place("ns_per_pair")];
        assert_eq!(ns.parse().ok(), sample.ns_per_pair, "{ns}");
    }
}

/// Processor time of this thread so far, in seconds. Other threads and processes do not lengthen it.
fn processor_s() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/stat").expect("Linux says it");
    let fields = stat.rsplit_once(')').expect("a name in brackets").1.split_whitespace();
    // User and system time, the 14th and 15th field, in hundredths.
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>()
        / 100.0
}

/// Hypothesis: what is drawn grows with cells and not with samples, so that the largest run anyone
/// makes still has a page that opens at once, drawn in seconds. Processor time is held to the limit, since a
/// busy computer must not fail it.
#[test]
#[cfg_attr(debug_assertions, ignore = "the limit is for the release profile")]
fn a_report_of_a_hundred_thousand_records_is_drawn_in_ten_seconds_and_is_under_three_mebibytes() {
    let results = synthetic::crowd::crowd(246, 5);
    assert!(results.samples.len() >= 100_000, "{}", results.samples.len());
    let before = processor_s();
    let files = report(&results);
    let taken = processor_s() - before;
    let bytes = files["index.html"].len();
    eprintln!("{} samples: {taken:.2} s, page of {bytes} bytes", results.samples.len());
    assert!(taken < 10.0, "{taken:.2} s of processor time");
    assert!(bytes < 3 << 20, "{bytes} bytes");
}

#[test]
fn unit_sample_count_and_interval_are_named_in_every_chart_of_times() {
    let files = report(&small());
    for (name, svg) in svgs(&files) {
        let lines: Vec<String> = text_boxes(svg).into_iter().map(|(_, text)| text).collect();
        let plain = lines.join(" ").replace('\u{a0}', " ");
        if name.contains("/time-") {
            assert!(plain.contains("nanoseconds per allocation and free"), "{name}");
            assert!(plain.contains("5 samples per subject"), "{name}");
        }
        if name.contains("/time-") || name.contains("/ratio-") || name.contains("/memory-") {
            assert!(plain.contains("95 % interval"), "{name}");
        }
        if name.contains("/ratio-") {
            assert!(plain.contains("A/A floor") && plain.contains("5 rounds"), "{name}");
        }
        if name.contains("/memcheck-") {
            assert!(plain.contains("errors reported") && plain.contains("One run"), "{name}");
        }
    }
}
