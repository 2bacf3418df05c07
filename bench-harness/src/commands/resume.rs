//! Whether a run may go on in the results file of an earlier one.
//!
//! Samples of both end up in the same cells and ratios. So everything that a figure depends on must
//! be what it was: the settings, the subjects to the byte, the computer and this program.
//!
//! * R1: a run may have been killed at any moment. A file without a whole record is begun anew, and
//!   one whose head (host, subjects, workloads) was not written to its end gets the rest of it.

use std::io::{BufRead, BufReader};
use std::path::Path;

use reports::record::{self, Host, Record, Status, Subject};
use reports::results::Results;

use crate::exit::Failure;
use crate::program::Program;
use crate::replay::touch::Touch;
use crate::session::Sink;

/// Whether a results file was left before its first record was whole (R1).
///
/// # Errors
/// When the file cannot be read.
pub(super) fn is_blank(path: &Path) -> Result<bool, Failure> {
    let failed = |error| Failure::io(path.display(), error);
    let mut first = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    BufReader::new(file).read_until(b'\n', &mut first).map_err(failed)?;
    let torn = first.last() != Some(&b'\n')
        && serde_json::from_slice::<serde_json::Value>(&first).is_err();
    // Another file by this name is not a run's, torn or not.
    let begun_here = first.is_empty()
        || first.starts_with(b"{") && FIRST.starts_with(&first[..first.len().min(FIRST.len())]);
    Ok(torn && begun_here)
}

/// What every results file begins with.
const FIRST: &[u8] = b"{\"schema\":\"arenabench.results/";

/// Writes the head of a results file, as far as an earlier run has not (R1).
///
/// # Errors
/// When the file cannot be written.
pub(super) fn begin(
    sink: &mut Sink,
    host: Host,
    subjects: Vec<Subject>,
    earlier: Option<&Results>,
) -> Result<(), Failure> {
    if earlier.is_none() {
        sink.put(Record::Host(host))?;
    }
    let known = earlier.map_or(&[][..], |earlier| &earlier.subjects);
    for subject in subjects {
        if !known.contains(&subject) {
            sink.put(Record::Subject(subject))?;
        }
    }
    Ok(())
}

/// Refuses to go on with other programs than a run was begun with.
///
/// # Errors
/// Bad usage that names a program of the earlier run that is another now, or not there.
pub(super) fn same_programs(
    programs: &[Program],
    earlier: Option<&Results>,
) -> Result<(), Failure> {
    let runs = earlier.map_or(&[][..], |earlier| &earlier.programs);
    let is_known = |run: &&record::Program| {
        programs.iter().any(|one| one.name == run.program && one.shown == run.command)
    };
    match runs.iter().find(|run| !is_known(run)) {
        None => Ok(()),
        Some(run) => Err(Failure::usage(format!(
            "the run was begun with another program: `{}`, by `{}`",
            run.program, run.command
        ))),
    }
}

/// Whether nothing but a part of the head was written: no record of anything that was run.
pub(super) fn has_only_begun(earlier: &Results) -> bool {
    let Results { samples, memchecks, programs, recordings, detections, .. } = earlier;
    samples.is_empty()
        && memchecks.is_empty()
        && programs.is_empty()
        && recordings.is_empty()
        && detections.is_empty()
}

/// What a run is begun with, or would be.
pub(super) struct Begun<'a> {
    pub(super) host: &'a Host,
    pub(super) subjects: &'a [Subject],
    pub(super) touch: Touch,
}

impl Begun<'_> {
    /// Holds an earlier run's records against this one.
    ///
    /// # Errors
    /// Bad usage that names everything that differs: what it was, and what it is.
    pub(super) fn check(&self, path: &Path, earlier: &Results) -> Result<(), Failure> {
        let differences = self.differences(earlier);
        if differences.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "{} cannot be gone on with: {}",
            path.display(),
            differences.join("; ")
        )))
    }

    fn differences(&self, earlier: &Results) -> Vec<String> {
        let mut found = of_hosts(&earlier.host, self.host);
        let (was, is) = (&earlier.subjects, self.subjects);
        let names = |subjects: &[Subject]| {
            let names: Vec<_> = subjects.iter().map(|subject| subject.subject.as_str()).collect();
            names.join(", ")
        };
        let known = |name: &str| was.iter().find(|subject| subject.subject == name);
        let is_known = |subject: &Subject| is.iter().any(|now| now.subject == subject.subject);
        let is_whole = was.len() == is.len() || was.len() < is.len() && has_only_begun(earlier);
        if !is_whole || !was.iter().all(is_known) {
            found.push(differs("its subjects were", &names(was), &names(is)));
        }
        for now in is {
            let Some(then) = known(&now.subject) else { continue };
            if then != now {
                let one = |subject: &Subject| {
                    let digest = subject.sha256.as_deref().unwrap_or_default();
                    format!("{} {} {digest}", subject.version, subject.library).trim().to_owned()
                };
                found.push(differs(&format!("subject {} was", now.subject), &one(then), &one(now)));
            }
        }
        // Verified samples have a policy of their own.
        let mut plain = earlier
            .samples
            .iter()
            .filter(|sample| !sample.verified && sample.status != Status::Interrupted);
        let touch = self.touch.to_string();
        if let Some(sample) = plain.find(|sample| sample.touch != touch) {
            found.push(differs("--touch was", &sample.touch, &touch));
        }
        found
    }
}

/// What figures depend on of the computer and of the settings. Load, free memory and the time of
/// day change by themselves.
fn of_hosts(was: &Host, is: &Host) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let row = |what: &'static str, of: &dyn Fn(&Host) -> String| (what, of(was), of(is));
    [
        row("--profile was", &|host| host.profile.clone()),
        row("--seed was", &|host| host.seed.to_string()),
        row("--baseline was", &|host| host.baseline.clone()),
        row("arenabench was", &|host| host.arenabench.clone()),
        row("its compiler was", &|host| host.rustc.clone()),
        row("the processor was", &|host| host.cpu_model.clone()),
        row("processors were", &|host| host.cpus.to_string()),
        row("processors allowed were", &|host| text(&host.cpus_allowed)),
        row("the kernel was", &|host| host.kernel.clone()),
        row("the C library was", &|host| host.libc.clone()),
        row("the governor was", &|host| text(&host.governor)),
        row("transparent huge pages were", &|host| text(&host.transparent_hugepages)),
        row("address randomisation was", &|host| host.address_randomisation.to_string()),
    ]
    .into_iter()
    .filter(|(_, was, is)| was != is)
    .map(|(what, was, is)| differs(what, &was, &is))
    .collect()
}

fn differs(what: &str, was: &str, is: &str) -> String {
    format!("{what} {was}, now {is}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host { profile: "quick".to_owned(), seed: 1, load_1m: 0.5, ..Host::default() }
    }

    #[test]
    fn what_changes_by_itself_is_no_difference() {
        let later = Host { load_1m: 3.0, started_unix_s: 9, memory_bytes: 7, ..host() };
        assert_eq!(of_hosts(&host(), &later), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_named_with_both_values() {
        let other = Host { seed: 2, kernel: "Linux 7".to_owned(), ..host() };
        let found = of_hosts(&host(), &other);
        assert_eq!(found, ["--seed was 1, now 2", "the kernel was , now Linux 7"]);
    }
}
