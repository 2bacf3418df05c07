//! Who can serve a whole program: the C library, a preloaded library, or the interpreter itself.

use std::path::{Path, PathBuf};

use reports::record::{self, Call, Role};

use crate::session::sha256;
use crate::subject::{self, Subject, own};

/// The interpreter's own allocator.
pub(crate) const PYMALLOC: &str = "pymalloc";
/// Alignment that programs rely on, in bytes.
const PROGRAM_ALIGNMENT: usize = 16;
/// The C library's.
pub(crate) const SYSTEM: &str = "system";

/// A subject that serves whole programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// Name, unique in a run.
    pub(crate) name: String,
    /// Library to preload; without one the C library serves.
    pub(crate) preload: Option<PathBuf>,
    /// Whether a Python interpreter keeps its own allocator instead of asking `malloc` for
    /// everything.
    pub(crate) pymalloc: bool,
    /// Heap that the library of heaps to choose from is to serve with.
    pub(crate) heap: Option<String>,
    /// Why it cannot serve on this computer, with what helps.
    pub(crate) missing: Option<String>,
    role: Role,
    version: String,
}

impl Server {
    /// The C library.
    pub(crate) fn system() -> Self {
        Self::without_library(SYSTEM, false)
    }

    /// The interpreter's own allocator, on top of the C library.
    pub(crate) fn pymalloc() -> Self {
        let version = "of an interpreter that was not asked".to_owned();
        Self { version, ..Self::without_library(PYMALLOC, true) }
    }

    /// Notes which interpreter runs the programs: its own allocator is of that version.
    pub(crate) fn run_by(&mut self, interpreter: &str) {
        if self.pymalloc {
            interpreter.clone_into(&mut self.version);
        }
    }

    fn without_library(name: &str, pymalloc: bool) -> Self {
        Self {
            name: name.to_owned(),
            preload: None,
            pymalloc,
            heap: None,
            missing: None,
            role: Role::Peer,
            version: Subject::parse(SYSTEM)
                .map_or_else(|_| String::new(), |system| system.version()),
        }
    }

    /// The subject that `text` names; `arenite` is this project's library, as `arenite-preload` is,
    /// and a preset is the library of heaps to choose from.
    ///
    /// # Errors
    /// A message that says what exists, or why a linked subject cannot serve a program.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.split_once('=').is_some_and(|(name, _)| name == PYMALLOC) {
            return Err(format!("`{PYMALLOC}` is the name of a built-in subject; choose another"));
        }
        let known = match text {
            SYSTEM => return Ok(Self::system()),
            PYMALLOC => return Ok(Self::pymalloc()),
            own::PLAIN_FOR_PROGRAMS => Subject::parse(own::PLAIN.name)?,
            _ => Subject::parse(text)?,
        };
        if known.role == Role::Preset {
            return Self::of_lab(&known);
        }
        Self::preloaded(&known).ok_or_else(|| {
            format!(
                "`{text}` is linked into arenabench and cannot serve a program; name a library as \
                 NAME=/path/lib.so"
            )
        })
    }

    /// A classic heap, served by the library of heaps to choose from.
    fn of_lab(preset: &Subject) -> Result<Self, String> {
        let name = &preset.name;
        if preset.alignment < PROGRAM_ALIGNMENT {
            return Err(format!(
                "`{name}` aligns blocks to {} bytes, and programs rely on {PROGRAM_ALIGNMENT}",
                preset.alignment
            ));
        }
        let path = own::LAB.path();
        Ok(Self {
            name: name.clone(),
            missing: own::LAB.missing(&path),
            preload: Some(path),
            pymalloc: false,
            heap: Some(name.clone()),
            role: preset.role,
            version: preset.version(),
        })
    }

    fn preloaded(known: &Subject) -> Option<Self> {
        let path = known.preload()?;
        let absent = || (!path.is_file()).then(|| format!("{} does not exist", path.display()));
        let missing = known.missing().or_else(absent);
        Some(Self {
            name: known.name.clone(),
            preload: Some(path.to_owned()),
            pymalloc: false,
            heap: None,
            missing,
            role: known.role,
            version: known.version(),
        })
    }

    /// The subjects that are taken when none is named: the C library, this project's library, and
    /// the libraries found on this computer.
    pub(crate) fn defaults() -> Vec<Self> {
        let registry = subject::registry();
        let (own, others): (Vec<Self>, Vec<Self>) =
            registry.iter().filter_map(Self::preloaded).partition(|one| one.role == Role::Own);
        let plain = own.into_iter().filter(|server| server.name == own::PLAIN.name);
        let found = others.into_iter().filter(|server| server.missing.is_none());
        std::iter::once(Self::system()).chain(plain).chain(found).collect()
    }

    /// The subject that serves a replay as this one serves a program; `None` where there is no such.
    pub(crate) fn in_replays(&self) -> Option<Subject> {
        if self.pymalloc || self.heap.is_some() {
            return None;
        }
        let spelling = |path: &PathBuf| format!("{}={}", self.name, path.display());
        let named = Subject::parse(&self.name).ok().filter(|one| {
            // `arenite` names linked functions in a replay, and the library here.
            one.preload() == self.library()
        });
        named.or_else(|| Subject::parse(&spelling(self.preload.as_ref()?)).ok())
    }

    /// The library's file, which must serve every `malloc` of the program.
    pub(crate) fn library(&self) -> Option<&Path> {
        self.preload.as_deref()
    }

    /// The subject's record.
    pub(crate) fn record(&self) -> record::Subject {
        let file_name =
            |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        record::Subject {
            subject: self.name.clone(),
            role: self.role,
            call: Call::C,
            version: self.version.clone(),
            library: self.preload.as_ref().and_then(file_name).unwrap_or_else(|| {
                if self.pymalloc { "the interpreter's" } else { "linked" }.to_owned()
            }),
            sha256: self.preload.as_ref().and_then(|path| sha256(path).ok()),
            alignment_bytes: 16,
            remark: self
                .pymalloc
                .then(|| "the interpreter's own allocator, the C library behind it".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linked_subjects_cannot_serve_a_program() {
        let error = Server::parse("mimalloc").unwrap_err();
        assert!(error.contains("NAME=/path/lib.so"), "{error}");
        assert!(Server::parse("no-such-subject").is_err());
        assert!(Server::parse("pymalloc=/lib/x.so").is_err());
        assert!(Server::parse("arenite=/lib/x.so").is_err());
    }

    #[test]
    fn classic_heaps_are_served_by_the_library_of_heaps() {
        let server = Server::parse("classic-radix-tree").unwrap();
        assert!(server.library().is_some_and(|path| path.ends_with("libarenite_lab.so")));
        assert_eq!(server.heap.as_deref(), Some("classic-radix-tree"));
        let error = Server::parse("pymalloc-2.3").unwrap_err();
        assert!(error.contains("8 bytes"), "{error}");
    }

    #[test]
    fn arenite_is_the_library_in_a_program_and_the_linked_functions_in_a_replay() {
        let library = Server::parse("arenite").unwrap();
        assert_eq!(Ok(&library), Server::parse("arenite-preload").as_ref());
        assert!(library.library().is_some_and(|path| path.ends_with("libarenite.so")));
        assert!(Subject::parse("arenite").unwrap().preload().is_none());
        let checked = Server::parse("arenite-checked").unwrap();
        assert_eq!((library.record().role, checked.record().role), (Role::Own, Role::Own));
        let defaults: Vec<_> = Server::defaults().into_iter().map(|one| one.name).collect();
        assert_eq!(defaults[..2], ["system", "arenite-preload"]);
        assert!(!defaults.contains(&"arenite-checked".to_owned()));
    }

    #[test]
    fn libraries_go_by_name_and_path() {
        let mine = Server::parse("mine=/lib/libmine.so").unwrap();
        assert_eq!(mine.library(), Some(Path::new("/lib/libmine.so")));
        assert!(mine.missing.is_some_and(|reason| reason.contains("/lib/libmine.so")));
        assert_eq!(Server::parse("system"), Ok(Server::system()));
        let mut pymalloc = Server::parse("pymalloc").unwrap();
        assert!(pymalloc.pymalloc);
        pymalloc.run_by("Python 3.11.2");
        assert_eq!(pymalloc.record().version, "Python 3.11.2");
        let mut system = Server::system();
        system.run_by("Python 3.11.2");
        assert!(system.record().version.starts_with("glibc "), "{:?}", system.record());
    }

    #[test]
    fn who_serves_a_program_serves_its_replay_from_the_same_file() {
        for text in ["system", "arenite", "mine=/lib/libmine.so"] {
            let server = Server::parse(text).unwrap();
            let subject = server.in_replays().unwrap();
            assert_eq!((&subject.name, subject.preload()), (&server.name, server.library()));
        }
        for text in ["pymalloc", "classic-radix-tree"] {
            assert_eq!(Server::parse(text).unwrap().in_replays(), None, "{text}");
        }
    }

    #[test]
    fn names_of_the_default_subjects_are_unique() {
        let all = Server::defaults();
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other.name != one.name), "{}", one.name);
        }
    }
}
