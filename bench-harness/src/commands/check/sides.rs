//! Who is compared with whom.

use std::path::{Path, PathBuf};

use super::revision;
use super::unique;
use crate::cli::Check;
use crate::exit::Failure;
use crate::preload::Preload;
use crate::subject::Subject;
use crate::talk::Voice;

/// Subject that is judged when none is named, and the only one that a revision is built for.
const OWN: &str = "arenite-preload";

/// Subjects after the change and, where both sides run now, before it.
pub(super) struct Sides {
    after: Vec<Subject>,
    before: Vec<Subject>,
}

/// Subjects that are to be judged.
///
/// # Errors
/// Bad usage, found before anything is read or built.
pub(super) fn chosen(args: &Check) -> Result<Vec<Subject>, Failure> {
    let after = match args.subjects.as_slice() {
        [] => vec![Subject::parse(OWN).map_err(Failure::usage)?],
        named => named.to_vec(),
    };
    unique(after.iter().map(|subject| subject.name.as_str()), "subject")?;
    let Some(against) = &args.against else { return Ok(after) };
    if after.len() > 1 {
        return Err(Failure::usage("--against takes one subject"));
    }
    if library(against).is_none() && after[0].name != OWN {
        return Err(Failure::usage(format!(
            "a revision is built for the subject `{OWN}` only; for `{}` give the path of the library \
             that it is compared with",
            after[0].name
        )));
    }
    Ok(after)
}

/// The path, if that is what `against` is; anything else names a revision.
fn library(against: &str) -> Option<PathBuf> {
    let path = Path::new(against);
    let is_library = path.extension().is_some_and(|extension| extension == "so") || path.is_file();
    is_library.then(|| path.to_owned())
}

impl Sides {
    /// Both sides, a revision's library built.
    ///
    /// # Errors
    /// Git's own message for a revision that it does not know; a build that fails.
    pub(super) fn of(args: &Check, after: Vec<Subject>, voice: &Voice) -> Result<Self, Failure> {
        let Some(against) = &args.against else { return Ok(Self { after, before: Vec::new() }) };
        let (label, path) = match library(against) {
            Some(path) => ("before".to_owned(), path),
            None => revision::library(against, voice)?,
        };
        let before = format!("{}@{label}={}", after[0].name, path.display());
        let before = Subject::parse(&before).map_err(Failure::usage)?;
        Ok(Self { after, before: vec![before] })
    }

    /// Every subject to be measured.
    pub(super) fn all(&self) -> Vec<Subject> {
        self.before.iter().chain(&self.after).cloned().collect()
    }

    /// Names before and after; the same name where the other side is a file.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let before = if self.before.is_empty() { &self.after } else { &self.before };
        let names = before.iter().zip(&self.after);
        names.map(|(before, after)| (before.name.as_str(), after.name.as_str()))
    }

    /// What a reader should know of the two sides' times: that of one side alone every child loads a file
    /// of its own.
    pub(super) fn notes(&self) -> Vec<String> {
        let stays = |one: &Subject| one.preload().is_some_and(|library| !Preload::moves(library));
        let unlike = self.before.iter().zip(&self.after);
        let unlike = unlike.filter(|(before, after)| stays(before) != stays(after));
        unlike
            .map(|(before, after)| {
                let name = if stays(before) { &before.name } else { &after.name };
                format!(
                    "{name} cannot be copied, or looks for libraries beside itself: all its children load one file, \
                     while those of the other side load one each: a part of a difference in time may be \
                     where that file lies"
                )
            })
            .collect()
    }
}
