//! The modes: which allocator serves a program, and who watches it.
//!
//! | mode | allocator | watched by |
//! |---|---|---|
//! | `malloc`, `arenite`, `arenite-checked` | as named | nobody but itself |
//! | `X+memcheck` | X | memcheck, and X tells it of its blocks |
//! | `X+memcheck-unaided` | X | memcheck, which sees large mappings only |
//! | `X+hooks` | X | CPython's debug hooks around X |
//! | `X+asan` | X, linked | AddressSanitizer, in the program |

use std::path::PathBuf;

use crate::subject::Subject;
use crate::subject::own::{ALL, LAB, Own};

/// How a program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Build {
    Plain,
    /// With AddressSanitizer, on its own malloc.
    Address,
    /// With AddressSanitizer, its calls going to a linked Arenite.
    AddressArenite,
}

impl Build {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Address => "asan",
            Self::AddressArenite => "asan-arenite",
        }
    }
}

/// Who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Nobody,
    DebugHooks,
    /// The allocator tells memcheck of its blocks, or is memcheck's own.
    Memcheck,
    MemcheckUnaided,
    AddressSanitizer,
}

impl Tool {
    /// The tool as records name it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::DebugHooks => "debug-hooks",
            Self::Memcheck => "memcheck",
            Self::MemcheckUnaided => "memcheck-unaided",
            Self::AddressSanitizer => "address-sanitizer",
        }
    }

    /// Whether programs run under Valgrind.
    pub(super) fn is_memcheck(self) -> bool {
        matches!(self, Self::Memcheck | Self::MemcheckUnaided)
    }
}

/// A library that serves a program.
#[derive(Clone, Debug)]
pub(super) enum Library {
    Own(&'static Own),
    /// One that a subject names.
    Of {
        path: PathBuf,
        missing: Option<String>,
    },
}

impl Library {
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Own(own) => own.path(),
            Self::Of { path, .. } => path.clone(),
        }
    }

    /// Why it cannot be had, where it cannot.
    fn missing(&self) -> Option<String> {
        match self {
            Self::Own(own) => own.missing(&own.path()),
            Self::Of { missing, .. } => missing.clone(),
        }
    }
}

/// One column of the matrix.
#[derive(Clone, Debug)]
pub(crate) struct Mode {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) strategy: Option<&'static str>,
    pub(crate) tool: Tool,
    pub(super) build: Build,
    /// The library that is preloaded, or linked by [`Build::AddressArenite`].
    pub(super) library: Option<Library>,
    pub(super) variables: Vec<(&'static str, String)>,
}

/// Arenite to be linked.
pub(super) static LINKED: Own = Own {
    name: "arenite-linked",
    file: "libarenite.a",
    package: "arenite-capi",
    checked: false,
    description: "Arenite, linked",
};

/// The ownership strategies that heaps of the lab are made with.
const STRATEGIES: [&str; 8] = [
    "arena-index-2",
    "arena-index",
    "arena-index-debugger",
    "arena-index-guarded",
    "radix-tree",
    "page-map",
    "reserved-range",
    "cookie",
];

impl Mode {
    fn new(subject: &str, suffix: &str, tool: Tool, library: Option<&'static Own>) -> Self {
        let library = library.map(Library::Own);
        Self {
            name: format!("{subject}{suffix}"),
            subject: subject.to_owned(),
            strategy: subject.starts_with("arenite").then_some("reserved-range"),
            tool,
            build: Build::Plain,
            library,
            variables: Vec::new(),
        }
    }

    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// A heap of the lab; without help from debug hooks or client requests unless it is set.
    fn of_lab(heap: &str, strategy: &'static str, suffix: &str, tool: Tool) -> Self {
        let mode = Self::new(heap, suffix, tool, Some(&LAB)).set("ARENITE_HEAP", heap);
        let mode = Self { strategy: Some(strategy), ..mode };
        match tool {
            Tool::DebugHooks => mode.set("ARENITE_HOOKS", "1"),
            Tool::MemcheckUnaided => mode.set("ARENITE_VALGRIND", "0"),
            _ => mode,
        }
    }

    /// Every mode, in the order of tables.
    pub(crate) fn all() -> Vec<Self> {
        let [plain, checked] = &ALL;
        let (plain, checked) = (Some(plain), Some(checked));
        let mut modes = vec![
            Self::new("malloc", "", Tool::Nobody, None),
            Self::new("malloc", "+memcheck", Tool::Memcheck, None),
            Self {
                build: Build::Address,
                ..Self::new("malloc", "+asan", Tool::AddressSanitizer, None)
            },
            Self::new("arenite", "", Tool::Nobody, plain),
            Self::new("arenite-checked", "", Tool::Nobody, checked),
            Self::of_lab("arenite", "reserved-range", "+hooks", Tool::DebugHooks),
            Self::new("arenite", "+memcheck-unaided", Tool::MemcheckUnaided, plain)
                .set("ARENITE_VALGRIND", "0"),
            Self::new("arenite", "+memcheck", Tool::Memcheck, plain),
            Self {
                build: Build::AddressArenite,
                ..Self::new("arenite", "+asan", Tool::AddressSanitizer, Some(&LINKED))
            },
        ];
        for (suffix, tool) in [
            ("+memcheck-unaided", Tool::MemcheckUnaided),
            ("+memcheck", Tool::Memcheck),
            ("+hooks", Tool::DebugHooks),
        ] {
            modes.extend(STRATEGIES.map(|strategy| {
                Self::of_lab(&format!("classic-{strategy}"), strategy, suffix, tool)
            }));
        }
        modes
    }

    /// Why the mode cannot be had, where it cannot.
    pub(super) fn missing(&self, valgrind: bool) -> Option<String> {
        if self.tool.is_memcheck() && !valgrind {
            return Some("valgrind is not installed; install the package `valgrind`".to_owned());
        }
        self.library.as_ref().and_then(Library::missing)
    }

    /// A subject by itself, and watched by memcheck, which it tells of its blocks if it can; none of a
    /// subject that is no library to be preloaded.
    pub(crate) fn of_subject(subject: &Subject) -> Vec<Self> {
        let Some(path) = subject.preload() else { return Vec::new() };
        // Valgrind's reports name the file behind a link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let library = Library::Of { path, missing: subject.missing() };
        let tools = [("", Tool::Nobody), ("+memcheck", Tool::Memcheck)];
        let mode = |(suffix, tool)| Self {
            strategy: subject.ownership(),
            library: Some(library.clone()),
            ..Self::new(&subject.name, suffix, tool, None)
        };
        tools.map(mode).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_names_of_their_own_that_say_what_they_do() {
        let modes = Mode::all();
        let names: std::collections::BTreeSet<_> = modes.iter().map(|mode| &mode.name).collect();
        assert_eq!(names.len(), modes.len());
        assert!(modes.len() >= 28, "{}", modes.len());
        for mode in &modes {
            assert_eq!(mode.tool.is_memcheck(), mode.name.contains("+memcheck"), "{}", mode.name);
            assert_eq!(
                mode.tool == Tool::DebugHooks,
                mode.name.ends_with("+hooks"),
                "{}",
                mode.name
            );
            assert_eq!(mode.build == Build::Plain, !mode.name.ends_with("+asan"), "{}", mode.name);
        }
    }
}
