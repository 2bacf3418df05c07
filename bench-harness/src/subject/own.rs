//! This project's own preload libraries, which stand beside the executable.

use std::path::{Path, PathBuf};

use crate::replay::allocator::FunctionTable;

/// A library that a package of this workspace builds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Own {
    /// Name of the subject that it serves, a replay or a whole program.
    pub(crate) name: &'static str,
    /// File beside the executable, one folder above it for test binaries, or among examples.
    pub(crate) file: &'static str,
    /// Package that builds it.
    pub(crate) package: &'static str,
    /// Whether it checks every free, at a price that is no allocator's.
    pub(crate) checked: bool,
    /// One line for `list`.
    pub(crate) description: &'static str,
}

/// What `program` calls [`PLAIN`] for short: only a library can serve a whole program, so that the
/// name of the linked functions is free there.
pub(crate) const PLAIN_FOR_PROGRAMS: &str = "arenite";

/// The library without checks.
pub(crate) static PLAIN: &Own = &ALL[0];

/// The plain library and the checked one.
pub(crate) static ALL: [Own; 2] = [
    Own {
        name: "arenite-preload",
        file: "libarenite.so",
        package: "arenite-preload",
        checked: false,
        description: "Arenite as libarenite.so, preloaded",
    },
    Own {
        name: "arenite-checked",
        file: "libarenite_checked.so",
        package: "arenite-preload-checked",
        checked: true,
        description: "Arenite with checks, preloaded",
    },
];

/// The library of heaps to choose from by `ARENITE_HEAP`; it serves whole programs only.
pub(crate) static LAB: Own = Own {
    name: "arenite-lab",
    file: "libarenite_lab.so",
    package: "arenite-preload-lab",
    checked: false,
    description: "any heap of the crate by name, preloaded",
};

impl Own {
    /// Where the library is, or would be.
    pub(crate) fn path(&self) -> PathBuf {
        let executable = std::env::current_exe().unwrap_or_default();
        let beside = executable.with_file_name(self.file);
        let folder = executable.parent();
        let above = folder.and_then(Path::parent).map(|up| up.join(self.file));
        // Where cargo puts libarenite.a, for a binary and for a test binary.
        let examples = [folder, folder.and_then(Path::parent)];
        let examples = examples.into_iter().flatten().map(|up| up.join("examples").join(self.file));
        let elsewhere = above.into_iter().chain(examples);
        let mut found = std::iter::once(beside.clone()).chain(elsewhere);
        found.find(|path| path.is_file()).unwrap_or(beside)
    }

    /// What is missing and how to get it, where it is.
    pub(crate) fn missing(&self, path: &Path) -> Option<String> {
        let Self { package, .. } = self;
        (!path.is_file()).then(|| {
            format!("{} is missing; `cargo build --release -p {package}` makes it", path.display())
        })
    }
}

/// The prefixed functions that are linked into the executable.
pub(super) fn linked_table() -> FunctionTable {
    FunctionTable {
        malloc: arenite_capi::arenite_malloc,
        calloc: arenite_capi::arenite_calloc,
        realloc: arenite_capi::arenite_realloc,
        aligned_alloc: arenite_capi::arenite_aligned_alloc,
        free: arenite_capi::arenite_free,
        usable_size: Some(arenite_capi::arenite_malloc_usable_size),
    }
}
