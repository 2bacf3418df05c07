//! Subjects: the allocators under test, by name.
//!
//! [`registry`] lists those that have names of their own: linked ones and the peers that Debian
//! packages. [`Subject::parse`] also takes `NAME=/path/lib.so`. A child
//! process turns a subject into an `Allocator` with [`Subject::serve`], after [`Subject::prove`] has
//! read back from the process which library will serve it.

mod compiler;
mod family;
mod identity;
pub(crate) mod installed;
mod linked;
pub(crate) mod own;
mod presets;
mod reference;
mod single_thread;
mod threads;

use std::ffi::c_void;
use std::io;
use std::path::{Path, PathBuf};

use reports::record::{Call, Role};

#[cfg(test)]
pub(crate) use family::Purge;
pub(crate) use family::{Family, Owns};

use crate::replay::allocator::{Allocator, CCalls, FunctionTable, InlineCalls};
use installed::Installed;
use own::Own;

/// Crate versions, for libraries that do not state their own.
const SNMALLOC_VERSION: &str = "of snmalloc-sys 0.7.6";
const RPMALLOC_VERSION: &str = "1.4 of rpmalloc-sys 0.2.3";

/// What a reader of figures by cookie should know.
const COOKIE_REMARK: &str =
    "may crash: it reads the start of the segment around a foreign block, which need not be mapped";

/// What serves a subject's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Backing {
    System,
    Mimalloc,
    Jemalloc,
    Snmalloc,
    Rpmalloc,
    Preset(presets::Preset),
    Null,
    Bump,
    Ideal,
    IdealInline,
    MimallocInline,
    Arenite,
    AreniteInline,
    JemallocInline,
    /// A library that takes the place of the system's malloc in the child.
    Preloaded(PathBuf),
    /// The same, of a package that may be missing.
    Installed(&'static Installed, PathBuf),
    /// The same, of this workspace.
    Own(&'static Own, PathBuf),
}

/// An allocator under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// Name, unique in a run.
    pub(crate) name: String,
    /// What it is.
    pub(crate) role: Role,
    /// How it is called.
    pub(crate) call: Call,
    /// Alignment promised for every block of at least that size, in bytes.
    pub(crate) alignment: usize,
    /// One line for `list`.
    pub(crate) description: String,
    /// What a reader should know of the build before comparing.
    pub(crate) remark: Option<String>,
    /// Why the subject cannot run under Valgrind, where it cannot.
    pub(crate) without_valgrind: Option<&'static str>,
    backing: Backing,
}

/// Who serves a child: read back from the process.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Identity {
    /// `linked`, or the path of the library that the subject's `malloc` belongs to.
    pub(crate) library: String,
    /// Version, as the library states it where it does.
    pub(crate) version: String,
}

/// Takes the allocator a subject turns into; a generic closure.
pub(crate) trait Visitor {
    type Output;
    fn visit<A: Allocator>(self, allocator: A) -> Self::Output;
}

fn built_in(
    name: &str,
    role: Role,
    call: Call,
    backing: Backing,
    alignment: usize,
    description: &str,
) -> Subject {
    Subject {
        name: name.to_owned(),
        role,
        call,
        alignment,
        description: description.to_owned(),
        remark: None,
        without_valgrind: None,
        backing,
    }
}

/// All built-in subjects, in the order in which they are listed.
pub(crate) fn registry() -> Vec<Subject> {
    let peer =
        |name, backing, description| built_in(name, Role::Peer, Call::C, backing, 16, description);
    let mut all = vec![
        peer("system", Backing::System, "the C library's malloc"),
        peer("mimalloc", Backing::Mimalloc, "mimalloc"),
        peer("jemalloc", Backing::Jemalloc, "jemalloc"),
        Subject {
            remark: Some("built without the assertions that its crate leaves in".to_owned()),
            without_valgrind: Some("it aborts under Valgrind"),
            ..peer("snmalloc", Backing::Snmalloc, "snmalloc")
        },
        Subject {
            remark: Some("an old release, the newest that is packaged as a crate".to_owned()),
            ..peer("rpmalloc", Backing::Rpmalloc, "rpmalloc")
        },
    ];
    all.extend(installed::ALL.iter().map(|library| {
        let backing = Backing::Installed(library, library.path());
        peer(library.name, backing, library.description)
    }));
    let own = |name, call, backing, description| {
        built_in(name, Role::Own, call, backing, 16, description)
    };
    all.push(own("arenite", Call::C, Backing::Arenite, "Arenite, by its C functions"));
    all.extend(own::ALL.iter().map(|library| {
        own(library.name, Call::C, Backing::Own(library, library.path()), library.description)
    }));
    all.extend(presets::Preset::ALL.map(|preset| {
        let description = preset.era();
        let backing = Backing::Preset(preset);
        let (name, alignment) = (preset.name(), preset.alignment());
        let may_fault = preset.ownership() == "cookie";
        Subject {
            remark: may_fault.then(|| COOKIE_REMARK.to_owned()),
            ..built_in(name, Role::Preset, Call::C, backing, alignment, description)
        }
    }));
    let reference =
        |name, call, backing, text| built_in(name, Role::Reference, call, backing, 16, text);
    all.extend([
        reference("null", Call::None, Backing::Null, "addresses assigned beforehand: the floor"),
        reference("bump", Call::C, Backing::Bump, "a pointer that only moves forward"),
        reference("ideal", Call::C, Backing::Ideal, "one list per size, size known at free"),
        reference("ideal-inline", Call::Inline, Backing::IdealInline, "`ideal`, inlined"),
    ]);
    let inline = |name, backing, description| {
        built_in(name, Role::Peer, Call::Inline, backing, 16, description)
    };
    all.extend([
        inline("mimalloc-inline", Backing::MimallocInline, "the mimalloc crate, as Rust calls it"),
        inline(
            "jemalloc-inline",
            Backing::JemallocInline,
            "the tikv-jemallocator crate, as Rust calls it",
        ),
        own(
            "arenite-inline",
            Call::Inline,
            Backing::AreniteInline,
            "Arenite as Rust calls it, inlined",
        ),
    ]);
    all
}

impl Subject {
    /// The subject that `text` names: a built-in name, or `NAME=/path/lib.so` for any library.
    ///
    /// # Errors
    /// A message that says what exists. The library's file is not looked at: a path that cannot be
    /// loaded is found out by the child, and is a result.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let registry = registry();
        if let Some((name, path)) = text.split_once('=') {
            if name.is_empty() || path.is_empty() {
                return Err(format!("`{text}`: expected NAME=/path/lib.so"));
            }
            if registry.iter().any(|subject| subject.name == name) {
                return Err(format!("`{name}` is the name of a built-in subject; choose another"));
            }
            let path = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
            let description = format!("preloaded from {}", path.display());
            let backing = Backing::Preloaded(path);
            return Ok(built_in(name, Role::Peer, Call::C, backing, 16, &description));
        }
        let names: Vec<_> = registry.iter().map(|subject| subject.name.clone()).collect();
        registry.into_iter().find(|subject| subject.name == text).ok_or_else(|| {
            format!(
                "no subject `{text}`; there are {}, and any library as NAME=/path/lib.so",
                names.join(", ")
            )
        })
    }

    /// Spelling that [`Subject::parse`] takes back.
    pub(crate) fn spelling(&self) -> String {
        match &self.backing {
            Backing::Preloaded(path) => format!("{}={}", self.name, path.display()),
            _ => self.name.clone(),
        }
    }

    /// What is not on this computer and how to get it, for a subject that cannot run without.
    pub(crate) fn missing(&self) -> Option<String> {
        match &self.backing {
            Backing::Installed(library, path) if !path.is_file() => {
                Some(format!("{} is not installed; {}", library.soname, library.remedy()))
            }
            Backing::Own(library, path) => library.missing(path),
            _ => None,
        }
    }

    /// Whether a run has the subject when none is named: `quick` ones leave out the rarer peers,
    /// none has the checked library, whose price is no allocator's, nor the strategies on one
    /// geometry, which `memcheck` takes.
    pub(crate) fn is_default(&self, quick: bool) -> bool {
        let wanted = match &self.backing {
            Backing::Installed(library, _) => library.quick || !quick,
            Backing::Own(library, _) => !library.checked,
            Backing::IdealInline => !quick,
            Backing::Preset(preset) => preset.is_era(),
            _ => true,
        };
        wanted && self.missing().is_none()
    }

    /// Library to preload into the child.
    pub(crate) fn preload(&self) -> Option<&Path> {
        match &self.backing {
            Backing::Preloaded(path) | Backing::Installed(_, path) | Backing::Own(_, path) => {
                Some(path)
            }
            _ => None,
        }
    }

    /// The subject with `copy`, if there is one, in the place of its library.
    pub(crate) fn served_by(mut self, copy: Option<PathBuf>) -> Self {
        if let (
            Backing::Preloaded(path) | Backing::Installed(_, path) | Backing::Own(_, path),
            Some(copy),
        ) = (&mut self.backing, copy)
        {
            *path = copy;
        }
        self
    }

    /// Ownership strategy of the project's own subjects.
    pub(crate) fn ownership(&self) -> Option<&'static str> {
        match self.backing {
            Backing::Preset(preset) => Some(preset.ownership()),
            Backing::Arenite | Backing::AreniteInline | Backing::Own(..) => Some("reserved-range"),
            _ => None,
        }
    }

    /// Version, as far as it can be told without the child.
    pub(crate) fn version(&self) -> String {
        match &self.backing {
            Backing::System => linked::glibc_version(),
            Backing::Mimalloc | Backing::MimallocInline => linked::mimalloc_version(),
            Backing::Jemalloc | Backing::JemallocInline => linked::jemalloc_version(),
            Backing::Snmalloc => match compiler::cxx() {
                Some(compiler) => format!("{SNMALLOC_VERSION}, built by {compiler}"),
                None => format!("{SNMALLOC_VERSION}, compiler not stated"),
            },
            Backing::Rpmalloc => RPMALLOC_VERSION.to_owned(),
            Backing::Preloaded(_) => "not stated".to_owned(),
            Backing::Installed(..) if self.missing().is_some() => "not installed".to_owned(),
            Backing::Installed(library, path) => library.version(path),
            _ => concat!("arenabench ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// The subject's C functions, made ready; `None` for subjects that are not called through C.
    fn table(&self) -> io::Result<Option<FunctionTable>> {
        Ok(Some(match &self.backing {
            Backing::System | Backing::Preloaded(_) | Backing::Installed(..) | Backing::Own(..) => {
                linked::system()
            }
            Backing::Arenite => own::linked_table(),
            Backing::Mimalloc => linked::mimalloc(),
            Backing::Jemalloc => linked::jemalloc(),
            Backing::Snmalloc => linked::snmalloc(),
            Backing::Rpmalloc => linked::rpmalloc(),
            Backing::Preset(preset) => preset.table(),
            Backing::Bump => reference::bump()?,
            _ => return Ok(None),
        }))
    }

    /// Reads back from this process which library the subject's `malloc` and `free` belong to.
    ///
    /// # Errors
    /// What serves instead, when it is not what the subject's name promises.
    pub(crate) fn prove(&self) -> Result<Identity, String> {
        let table = self.table().map_err(|error| error.to_string())?;
        let Some(table) = table else {
            return Ok(Identity { library: "linked".to_owned(), version: self.version() });
        };
        let functions = [table.malloc as *const c_void, table.free as *const c_void];
        let expected = match (&self.backing, self.preload()) {
            (Backing::System, _) => None,
            (_, Some(path)) => {
                Some(path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?)
            }
            _ => Some(std::env::current_exe().map_err(|error| error.to_string())?),
        };
        let mut library = "linked".to_owned();
        for function in functions {
            let found =
                identity::library_of(function).ok_or("the subject's malloc lies in no library")?;
            let as_expected = match &expected {
                Some(expected) => found == *expected,
                None => is_c_library(&found),
            };
            if !as_expected {
                return Err(format!("malloc and free are served by {}", found.display()));
            }
            if expected.is_none() || self.preload().is_some() {
                library = found.display().to_string();
            }
        }
        Ok(Identity { library, version: self.version() })
    }

    /// Makes the subject ready and hands it to `visitor`. `slot_sizes` is called by subjects that
    /// assign addresses beforehand.
    ///
    /// # Errors
    /// When the subject cannot be made ready.
    pub(crate) fn serve<V: Visitor>(
        &self,
        slot_sizes: impl FnOnce() -> io::Result<Vec<u64>>,
        visitor: V,
    ) -> io::Result<V::Output> {
        Ok(match self.backing {
            Backing::Null => visitor.visit(reference::Null::new(&slot_sizes()?)?),
            Backing::Ideal => visitor.visit(reference::IdealByCall::new()?),
            Backing::IdealInline => visitor.visit(reference::IdealInline::new()?),
            Backing::MimallocInline => visitor.visit(InlineCalls(mimalloc::MiMalloc)),
            Backing::JemallocInline => visitor.visit(InlineCalls(tikv_jemallocator::Jemalloc)),
            Backing::AreniteInline => visitor.visit(InlineCalls(arenite::Arenite::new())),
            _ => {
                let table = self.table()?.expect("every other subject has C functions");
                visitor.visit(CCalls(std::hint::black_box(&table)))
            }
        })
    }
}

/// Whether the path is the C library's own (`libc.so.6`, or `libc-2.31.so` before glibc 2.34).
pub(crate) fn is_c_library(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("libc.so") || name.starts_with("libc-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parse_back() {
        let all = registry();
        for (at, subject) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other.name != subject.name), "{}", subject.name);
            assert_eq!(Subject::parse(&subject.spelling()).as_ref(), Ok(subject));
        }
    }

    #[test]
    fn an_unknown_subject_is_told_what_exists() {
        let error = Subject::parse("nosuchmalloc").unwrap_err();
        assert!(error.contains("nosuchmalloc") && error.contains("jemalloc"), "{error}");
    }

    #[test]
    fn a_library_may_not_take_a_built_in_name() {
        assert!(Subject::parse("system=/lib/x.so").is_err());
        assert!(Subject::parse("=/lib/x.so").is_err());
        assert!(Subject::parse("mine=").is_err());
        let mine = Subject::parse("mine=/lib/x.so").unwrap();
        assert_eq!(mine.preload(), Some(Path::new("/lib/x.so")));
        assert_eq!(mine.spelling(), "mine=/lib/x.so");
    }

    #[test]
    fn linked_subjects_are_proven_to_lie_in_this_executable() {
        for subject in registry().into_iter().filter(|subject| subject.preload().is_none()) {
            let identity = subject.prove().unwrap();
            assert!(!identity.version.is_empty(), "{}", subject.name);
        }
    }

    #[test]
    fn a_library_that_was_not_preloaded_is_found_out() {
        let this = std::env::current_exe().unwrap();
        let subject = Subject::parse(&format!("mine={}", this.display())).unwrap();
        let error = subject.prove().unwrap_err();
        assert!(error.contains("libc"), "{error}");
    }
}
