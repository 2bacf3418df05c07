//! The gate catches every planted regression, by the rule that is there for it, and passes the honest
//! library.
//!
//! Controls sit on glibc's malloc, so each is set against `plain`, which is glibc behind the same door.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command::{ARENABENCH, Ended, arenabench, command, control, ended, folder, have};

/// A control against `plain` on one short workload, without the parts that take the longest and are the
/// same for every rule; `settings` go to the control.
fn against_plain(name: &str, settings: &[(&str, &str)], options: &str) -> Ended {
    whole(name, settings, &format!("--no-bugs --no-contract {options}"))
}

/// The same with seeded bugs and the C contract.
fn whole(name: &str, settings: &[(&str, &str)], options: &str) -> Ended {
    let mut line = command(&format!(
        "check -s {name}={} --against {} -w int-churn:1k --operations 20k --format json -q {options}",
        control(name).display(),
        control("plain").display()
    ));
    ended(line.envs(settings.iter().copied()))
}

/// Rulings of one kind: the rule and its part.
fn ruled(ended: &Ended, ruling: &str) -> Vec<String> {
    let check: Value = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ended.stdout, ended.stderr));
    let rows = check["rulings"].as_array().unwrap().iter();
    let of = rows.filter(|row| row["ruling"] == ruling);
    of.map(|row| {
        format!("{} {}", row["rule"].as_str().unwrap(), row["part"].as_str().unwrap_or_default())
            .trim_end()
            .to_owned()
    })
    .collect()
}

#[test]
fn the_same_library_is_good_and_every_rule_has_spoken() {
    if !have("valgrind") {
        return;
    }
    let bugs = "--bug double-free --bug lost-block --bug clean-churn";
    let ended = whole("plain", &[], bugs);
    // Time may be undecided on a busy computer; nothing may be worse.
    assert!(matches!(ended.code, 0 | 4), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ruled(&ended, "regression").is_empty());
    let mut good = ruled(&ended, "good");
    good.extend(ruled(&ended, "undecided"));
    for rule in [
        "verification",
        "instructions",
        "peak-memory",
        "retained-memory",
        "growing-memory",
        "cache-misses",
        "system-calls",
        "page-faults",
        "valgrind-errors",
        "contract",
        "detection",
        "time",
    ] {
        assert!(good.iter().any(|one| one.starts_with(rule)), "{rule}: {good:?}");
    }
}

#[test]
fn two_per_cent_more_instructions_are_a_regression_of_instructions_alone() {
    if !have("valgrind") {
        return;
    }
    let ended = against_plain("wasteful", &[], "--no-time");
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    assert_eq!(ruled(&ended, "regression"), ["instructions"]);
    let check: Value = serde_json::from_str(&ended.stdout).unwrap();
    let rows = check["rulings"].as_array().unwrap();
    let row = rows.iter().find(|row| row["rule"] == "instructions").unwrap();
    let ratio = row["ratio"].as_f64().unwrap();
    assert!((1.015..1.025).contains(&ratio), "planted is 2 %: {row}");
}

#[test]
fn a_twentieth_more_memory_is_a_regression_of_memory() {
    if !have("valgrind") {
        return;
    }
    let ended = against_plain("fat", &[], "--no-time");
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    assert!(ruled(&ended, "regression").contains(&"peak-memory".to_owned()), "{}", ended.stdout);
    assert!(ruled(&ended, "failed").is_empty());
}

/// One block in twenty is much; one in 512 is a little that every pass adds to.
#[test]
fn memory_that_is_never_used_again_is_a_regression_of_what_is_retained_or_grows() {
    if !have("valgrind") {
        return;
    }
    for (every, worse, unmoved) in
        [("20", "retained-memory", None), ("512", "growing-memory", Some("peak-memory"))]
    {
        let settings = [("ARENABENCH_CONTROL_EVERY", every)];
        let ended = against_plain("leaking", &settings, "--no-time");
        assert_eq!(ended.code, 1, "{}\n{}", ended.stdout, ended.stderr);
        let regressions = ruled(&ended, "regression");
        assert!(regressions.contains(&worse.to_owned()), "{every}: {regressions:?}");
        let is_unmoved = |rule: &str| !regressions.contains(&rule.to_owned());
        assert!(unmoved.is_none_or(is_unmoved), "{every}: {regressions:?}");
    }
}

/// What goes back to the kernel and comes again costs no memory. That a control counts its calls costs
/// instructions.
#[test]
fn memory_that_goes_to_the_kernel_and_back_is_a_regression_of_page_faults_and_not_of_memory() {
    if !have("valgrind") {
        return;
    }
    let ended = against_plain("refaulting", &[], "--no-time");
    assert_eq!(ended.code, 1, "{}\n{}", ended.stdout, ended.stderr);
    let mut regressions = ruled(&ended, "regression");
    regressions.retain(|one| one != "instructions");
    assert_eq!(regressions, ["system-calls", "page-faults"], "{}", ended.stdout);
}

/// What a call waits for is in no instruction and in no byte of memory.
#[test]
fn misses_of_caches_and_calls_of_the_kernel_are_regressions_of_their_own() {
    if !have("valgrind") {
        return;
    }
    for (control, rule) in [("scattered", "cache-misses first level"), ("asking", "system-calls")] {
        let ended = against_plain(control, &[], "--no-time");
        assert_eq!(ended.code, 1, "{}\n{}", ended.stdout, ended.stderr);
        let mut regressions = ruled(&ended, "regression");
        regressions.retain(|one| one != "instructions");
        assert_eq!(regressions, [rule], "{}", ended.stdout);
    }
}

/// Each load is there for what `int-churn` hardly shows.
#[test]
fn memory_that_is_kept_is_a_regression_on_the_load_for_it() {
    if !have("valgrind") {
        return;
    }
    for (name, load) in [("clinging", "phase-churn"), ("orphaning", "thread-churn")] {
        let ended = arenabench(&format!(
            "check -s {name}={} --against {} -w int-churn:1k -w {load} --no-time --no-bugs --no-contract \
             --format json -q",
            control(name).display(),
            control("plain").display()
        ));
        assert_eq!(ended.code, 1, "{}\n{}", ended.stdout, ended.stderr);
        let check: Value = serde_json::from_str(&ended.stdout).unwrap();
        // More bytes at the peak, where they are a regression.
        let more = |workload: &str| {
            let mut rows = check["rulings"].as_array().unwrap().iter();
            let row = rows.find(|row| row["rule"] == "peak-memory" && row["workload"] == workload);
            let row = row.unwrap();
            let more = row["after"].as_f64().unwrap() - row["before"].as_f64().unwrap();
            if row["ruling"] == "regression" { more } else { 0.0 }
        };
        // To know who asked for a block takes half a mebibyte on any load.
        assert!(more(load) > 4.0 * more("int-churn:1k") && more(load) > 0.0, "{}", ended.stdout);
    }
}

/// Would catch a gate that looks at the verified replay alone: it plays one pass, and is sound.
#[test]
fn a_crash_that_the_verified_replay_does_not_reach_is_a_regression() {
    if !have("valgrind") {
        return;
    }
    // A pass has some 100,000 mallocs: the second one is not played to its end.
    let settings = [("ARENABENCH_CONTROL_AFTER", "150000")];
    let ended = against_plain("crashing", &settings, "--rounds 6");
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    assert!(ruled(&ended, "good").contains(&"verification".to_owned()), "{}", ended.stdout);
    let regressions = ruled(&ended, "regression");
    assert!(regressions.contains(&"verification timed".to_owned()), "{regressions:?}");
}

#[test]
fn one_new_valgrind_error_is_a_regression_and_nothing_else_is() {
    if !have("valgrind") {
        return;
    }
    let ended = against_plain("undefined", &[], "--no-time");
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    assert!(
        ruled(&ended, "regression").contains(&"valgrind-errors".to_owned()),
        "{}",
        ended.stdout
    );
    let check: Value = serde_json::from_str(&ended.stdout).unwrap();
    let rows = check["rulings"].as_array().unwrap();
    let row = rows.iter().find(|row| row["rule"] == "valgrind-errors").unwrap();
    assert_eq!((row["before"].as_f64(), row["after"].as_f64()), (Some(0.0), Some(1.0)), "{row}");
}

/// No workload asks for more than there is.
#[test]
fn a_promise_that_only_a_refused_call_shows_is_a_regression_of_the_contract() {
    if !have("valgrind") {
        return;
    }
    let ended = whole("mute", &[], "--no-time --no-bugs");
    assert_eq!(ended.code, 1, "{}\n{}", ended.stdout, ended.stderr);
    let regressions = ruled(&ended, "regression");
    let mut contract = regressions.iter().filter(|one| one.starts_with("contract "));
    assert!(contract.any(|one| one.contains("malloc(SIZE_MAX)")), "{regressions:?}");
    assert!(!regressions.contains(&"verification".to_owned()), "{regressions:?}");
    assert!(ended.stdout.contains("errno"), "{}", ended.stdout);
}

/// A workload has no bugs for an allocator to find out.
#[test]
fn a_bug_that_is_passed_over_in_silence_is_a_regression_of_detection() {
    if !have("valgrind") || !have("cc") {
        return;
    }
    let bugs = "--bug double-free --bug double-free-later --bug lost-block --bug overflow-1-free";
    let ended = whole("forgiving", &[], &format!("--no-time --no-contract {bugs}"));
    assert_eq!(ended.code, 1, "{}\n{}", ended.stdout, ended.stderr);
    let regressions = ruled(&ended, "regression");
    assert!(
        regressions.contains(&"detection double-free, by itself".to_owned()),
        "{regressions:?}"
    );
    // It costs instructions, and blocks that a library has from the C library's malloc count as its own.
    let of_control = |one: &&String| !one.starts_with("detection lost-") && *one != "instructions";
    let mut others = regressions.iter().filter(of_control);
    assert!(others.all(|one| one.starts_with("detection double-free")), "{regressions:?}");
    assert!(
        ended.stdout.contains("missed, before: caught (free(): double free"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_lying_allocator_is_a_failed_verification() {
    if !have("valgrind") {
        return;
    }
    for name in ["overlapping", "misaligned"] {
        let ended = against_plain(name, &[], "--no-time");
        assert_eq!(ended.code, 1, "{name}: {}", ended.stdout);
        assert_eq!(ruled(&ended, "regression"), ["verification"], "{name}");
    }
}

#[test]
fn an_allocator_that_was_never_loaded_cannot_pass() {
    if !have("valgrind") {
        return;
    }
    let ended = against_plain("unloaded", &[], "--no-time");
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    assert_eq!(ruled(&ended, "failed"), ["verification"]);
    assert!(ended.stdout.contains("not-loaded"), "{}", ended.stdout);
}

/// Other tests run beside this one: a noisy moment may leave time undecided, but never good. With
/// `ARENABENCH_CAMPAIGN=1`, on a computer with nothing else to do, it is a tenth more time and one try.
#[test]
fn more_time_is_a_regression_of_time() {
    if !have("valgrind") {
        return;
    }
    let campaign = std::env::var_os("ARENABENCH_CAMPAIGN").is_some();
    let (spin, tries) = if campaign { ("16", 1) } else { ("64", 4) };
    let is_caught = || {
        let ended = against_plain("slow", &[("ARENABENCH_CONTROL_SPIN", spin)], "");
        let of_time =
            |ruling: &str| ruled(&ended, ruling).iter().any(|one| one.starts_with("time"));
        assert!(!of_time("good") && !of_time("better"), "{}", ended.stdout);
        of_time("regression")
    };
    assert!((0..tries).any(|_| is_caught()), "time was undecided {tries} times");
}

#[test]
fn a_rare_slow_operation_is_a_regression_of_tails() {
    if !have("valgrind") {
        return;
    }
    let ended = against_plain("stalling", &[], "--rounds 6");
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    let worse = ruled(&ended, "regression");
    assert!(worse.iter().any(|one| one.starts_with("tails malloc, calls over")), "{worse:?}");
}

/// Once in twenty thousand calls: a region of a few ten thousand would hold one or two.
#[test]
fn a_call_that_is_slow_once_in_twenty_thousand_is_a_regression_of_tails() {
    if !have("valgrind") {
        return;
    }
    let is_caught = || {
        let mut line = command(&format!(
            "check -s stalling={} --against {} -w int-churn:1k --operations 50k --format json -q \
             --rounds 6 --no-bugs --no-contract",
            control("stalling").display(),
            control("plain").display()
        ));
        line.env("ARENABENCH_CONTROL_EVERY", "20000").env("ARENABENCH_CONTROL_SPIN", "200000");
        let ended = ended(&mut line);
        let worse = ruled(&ended, "regression");
        assert_eq!(ended.code, i32::from(!worse.is_empty()), "{}", ended.stdout);
        worse.iter().any(|one| one.starts_with("tails malloc, calls over"))
    };
    // What runs beside this test may interrupt as many calls of the one before.
    assert!((0..3).any(|_| is_caught()), "a dozen slow calls were overlooked three times");
}

/// On one thread there is no free by another: what is slow there alone would pass.
#[test]
fn frees_by_other_threads_are_counted_and_counts_and_memory_of_threads_repeat() {
    if !have("valgrind") {
        return;
    }
    let folder = folder();
    let path = folder.path().join("baseline.jsonl");
    let gate = |spin: &str, options: &str| {
        let mut line = command(&format!(
            "check -s estranged={} --baseline {} -w larson:3:500 -w int-churn:1k --operations 20k \
             --no-bugs --no-contract --format json -q {options}",
            control("estranged").display(),
            path.display()
        ));
        ended(line.env("ARENABENCH_CONTROL_SPIN", spin))
    };
    let recorded = gate("0", "--record");
    assert_eq!(recorded.code, 0, "{}", recorded.stderr);
    let same = gate("0", "");
    assert_eq!(same.code, 0, "{}", same.stdout);
    let check: Value = serde_json::from_str(&same.stdout).unwrap();
    for row in check["rulings"].as_array().unwrap() {
        let (before, after) = (row["before"].as_f64().unwrap(), row["after"].as_f64().unwrap());
        // Threads that reach a fresh page at the same moment have a fault each, and what lies on their stacks
        // moves a few misses.
        let least = match row["rule"].as_str().unwrap() {
            "instructions" => 1e-4 * before,
            "page-faults" | "cache-misses" => 0.01 * before,
            _ => 0.0,
        };
        assert!((after - before).abs() <= least, "{row}");
    }
    let slower = gate("64", "");
    assert_eq!(slower.code, 1, "{}", slower.stdout);
    let check: Value = serde_json::from_str(&slower.stdout).unwrap();
    let rows = check["rulings"].as_array().unwrap().iter();
    let worse: Vec<_> = rows.filter(|row| row["ruling"] == "regression").collect();
    assert_eq!(worse.len(), 1, "{}", slower.stdout);
    assert_eq!(worse[0]["rule"], "instructions");
    assert_eq!(worse[0]["workload"], "larson:3:500");
}

/// `check` against a baseline file, on one short workload of the plain control.
fn baseline(path: &Path, library: &str, options: &str) -> Ended {
    arenabench(&format!(
        "check -s mine={} --baseline {} -w int-churn:1k --operations 20k --format json --no-bugs \
         --no-contract {options}",
        control(library).display(),
        path.display()
    ))
}

#[test]
fn a_recorded_baseline_passes_the_same_library_and_fails_a_worse_one() {
    if !have("valgrind") {
        return;
    }
    let folder = folder();
    let path = folder.path().join("baseline.jsonl");
    assert_eq!(baseline(&path, "plain", "").code, 74, "a baseline that is missing");
    let recorded = baseline(&path, "plain", "--record");
    assert_eq!(recorded.code, 0, "{}", recorded.stderr);
    // Bugs and calls that are left out on purpose are not missed.
    let seeded = r#"{"schema":"arenabench.results/1","kind":"detection","bug":"double-free","title":"t","mode":"mine","subject":"mine","tool":"none","status":"ok","verdict":"caught"}"#;
    let recorded = fs::read_to_string(&path).unwrap();
    let (before, end) = recorded.trim_end().rsplit_once('\n').unwrap();
    let promised = r#"{"schema":"arenabench.results/1","kind":"contract","subject":"mine","status":"ok","row":"malloc(24)","function":"malloc","promise":"a block","authority":"C","verdict":"ok","found":"a block"}"#;
    fs::write(&path, format!("{before}\n{seeded}\n{promised}\n{end}\n")).unwrap();
    let same = baseline(&path, "plain", "");
    assert_eq!(same.code, 0, "{}\n{}", same.stdout, same.stderr);
    let worse = baseline(&path, "fat", "");
    assert_eq!(worse.code, 1, "{}", worse.stdout);

    let text = fs::read_to_string(&path).unwrap();
    let rustc = text.find("\"rustc\":\"rustc ").unwrap();
    let other = format!("{}\"rustc\":\"rustc 0.{}", &text[..rustc], &text[rustc + 15..]);
    fs::write(&path, other).unwrap();
    let undecided = baseline(&path, "plain", "");
    assert_eq!(undecided.code, 4, "{}", undecided.stdout);
    let says = "arenabench check --record -s mine=";
    assert!(undecided.stderr.contains(says), "the command that records: {}", undecided.stderr);

    let whole: Vec<&str> = text.lines().collect();
    fs::write(&path, whole[..whole.len() - 1].join("\n") + "\n").unwrap();
    assert_eq!(baseline(&path, "plain", "").code, 65, "a baseline without its end");
    fs::write(&path, "garbage\n").unwrap();
    assert_eq!(baseline(&path, "plain", "").code, 65, "a baseline that is none");
}

#[test]
fn outputs_for_a_ci_server_say_what_moved() {
    if !have("valgrind") {
        return;
    }
    let folder = folder();
    let out = folder.path().join("out");
    let ended = against_plain("fat", &[], &format!("--no-time -o {}", out.display()));
    assert_eq!(ended.code, 1);
    let summary = fs::read_to_string(out.join("summary.md")).unwrap();
    assert!(summary.starts_with("**REGRESSION**"), "{summary}");
    let junit = fs::read_to_string(out.join("junit.xml")).unwrap();
    assert!(junit.contains("<failure type=\"REGRESSION\""), "{junit}");
    assert!(fs::read_to_string(out.join("results.jsonl")).unwrap().contains("\"footprint\""));
}

#[test]
fn bad_usage_is_found_before_anything_is_read_or_built() {
    for line in [
        "check --against a --record",
        "check --against a --baseline b",
        "check -s system --against HEAD",
        "check -s system -s arenite --against HEAD",
        "check --no-time",
        "check --rounds 5",
        "check --bug double-free --no-bugs",
        "check --bug double-free --record",
        "check --bug no-such-bug",
    ] {
        assert_eq!(arenabench(line).code, 2, "{line}");
    }
}

#[test]
fn what_is_no_revision_is_bad_usage_in_gits_words() {
    if !have("valgrind") || !have("git") {
        return;
    }
    let folder = folder();
    let run = |words: &[&str]| {
        let mut git = Command::new("git");
        assert!(git.arg("-C").arg(folder.path()).args(words).status().unwrap().success());
    };
    run(&["init", "-q"]);
    let mut line = Command::new(ARENABENCH);
    line.args(["check", "--against", "nosuch"]).current_dir(folder.path());
    // The library may be missing beside this binary; the revision is looked at before.
    let ended = ended(&mut line);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.error().contains("git: fatal:"), "{}", ended.stderr);
}
