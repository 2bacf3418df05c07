//! Whether a run may go on in the results file of an earlier one.
//!
//! Samples of both end up in the same cells and ratios. So everything that a figure depends on must
//! be what it was: the settings, the subjects to the byte, the computer and this program.

use std::path::Path;

use reports::record::{Host, Status, Subject};
use reports::results::Results;

use crate::exit::Failure;
use crate::replay::touch::Touch;

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
        if was.len() != is.len() || is.iter().any(|subject| known(&subject.subject).is_none()) {
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
