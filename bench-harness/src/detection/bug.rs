//! The seeded bugs: small C programs, those of this executable or those of a folder.
//!
//! ```text
//! /* A byte of a freed block is read.          first line of the first comment: the title
//!  * Expected: an invalid read of 1 byte.      what a checker should say; for readers
//!  * Lost: 2 */                                blocks that must be accounted lost, where any are
//! ```
//!
//! * B1: a program's name is its file's stem with `-` for `_`; it begins with `clean-` iff nothing is
//!   wrong with the program, so that every report on it is a false alarm.
//! * B2: losses are counted against a program only if its header has a `Lost:` line, since programs
//!   may lose blocks by what a checker makes of their bug. Programs without any bug are held to none.

use std::borrow::Cow;
use std::io;
use std::path::Path;

/// A program that does one thing wrong, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bug {
    /// Name, see B1.
    pub(crate) name: String,
    /// What is wrong, in one sentence.
    pub(crate) title: String,
    /// Blocks that a leak search must find lost; `None` where it is not looked at (B2).
    pub(crate) lost: Option<u64>,
    /// The C source.
    pub(crate) source: Cow<'static, str>,
}

/// The header that the programs share.
pub(super) const HEADER: &str = include_str!("../../bugs/bug.h");

macro_rules! embedded {
    ($($stem:literal),+ $(,)?) => {
        [$(($stem, include_str!(concat!("../../bugs/", $stem, ".c")))),+]
    };
}

/// Every program of `bugs/`, in the order of tables.
static EMBEDDED: [(&str, &str); 58] = embedded![
    "use_after_free_read",
    "use_after_free_write",
    "use_after_free_large",
    "race_freed",
    "use_after_reuse_next",
    "use_after_reuse_live",
    "use_after_reuse_late",
    "use_after_reuse_large",
    "stale_after_realloc",
    "stale_after_shrink",
    "stale_after_release",
    "double_free",
    "double_free_later",
    "double_free_reused",
    "double_free_large",
    "double_free_large_reused",
    "realloc_freed",
    "free_interior",
    "free_stack",
    "free_static",
    "free_foreign",
    "free_sized_wrong",
    "domain_mismatch",
    "overflow_1_live",
    "overflow_1_free",
    "overflow_8_live",
    "overflow_8_free",
    "overflow_4096_live",
    "overflow_4096_free",
    "overflow_slack",
    "overflow_line",
    "overflow_calloc",
    "overflow_realloc",
    "overflow_aligned",
    "overflow_aligned_page",
    "overflow_large",
    "underflow_1",
    "underflow_8",
    "table_small",
    "table_large",
    "table_far",
    "table_before",
    "table_stride",
    "uninitialised_print",
    "uninitialised_branch",
    "uninitialised_reuse",
    "uninitialised_large",
    "lost_block",
    "lost_chain",
    "lost_cycle",
    "lost_large",
    "clean_churn",
    "clean_long",
    "clean_realloc",
    "clean_table",
    "clean_threads",
    "clean_usable",
    "clean_wide",
];

impl Bug {
    /// The programs that this executable brings.
    pub(crate) fn embedded() -> Vec<Self> {
        EMBEDDED.iter().map(|(stem, source)| Self::of(stem, Cow::Borrowed(source))).collect()
    }

    /// The programs of a folder, every `*.c` file one, by name.
    ///
    /// # Errors
    /// When the folder or one of its files cannot be read, or it has no such file.
    pub(crate) fn of_folder(folder: &Path) -> io::Result<Vec<Self>> {
        let mut bugs = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "c") {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let source = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
                bugs.push(Self::of(&stem, Cow::Owned(source)));
            }
        }
        if bugs.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no file ends in .c"));
        }
        bugs.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(bugs)
    }

    fn of(stem: &str, source: Cow<'static, str>) -> Self {
        let name = stem.replace('_', "-");
        let comment = header_comment(&source);
        let title = comment.iter().find(|line| !line.is_empty());
        let title =
            title.map_or_else(|| name.clone(), |line| line.trim_end_matches('.').to_owned());
        let lost = comment.iter().find_map(|line| line.strip_prefix("Lost:"));
        let lost = lost.and_then(|count| count.trim().trim_end_matches('.').parse().ok());
        Self { name, title, lost, source }
    }

    /// Whether nothing is wrong with the program (B1).
    pub(crate) fn is_clean(&self) -> bool {
        self.name.starts_with("clean-")
    }
}

/// Lines of the comment that a source begins with, without their signs.
fn header_comment(source: &str) -> Vec<&str> {
    let source = source.trim_start();
    if source.starts_with("//") {
        let lines = source.lines().take_while(|line| line.trim_start().starts_with("//"));
        return lines.map(|line| line.trim_start().trim_start_matches('/').trim()).collect();
    }
    let Some(rest) = source.strip_prefix("/*") else { return Vec::new() };
    let comment = rest.split_once("*/").map_or(rest, |(comment, _)| comment);
    comment.lines().map(|line| line.trim().trim_start_matches('*').trim()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_of_the_folder_is_embedded_once_with_a_title() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bugs");
        let mut embedded = Bug::embedded();
        embedded.sort_by(|one, other| one.name.cmp(&other.name));
        assert_eq!(embedded, Bug::of_folder(&folder).unwrap());
        let bugs = embedded.iter().filter(|bug| !bug.is_clean()).count();
        assert!(bugs >= 28 && embedded.len() - bugs >= 3, "{bugs} of {}", embedded.len());
        for bug in &embedded {
            assert_ne!(bug.title, bug.name);
            assert_eq!(bug.lost.is_some(), bug.name.starts_with("lost-"), "{}", bug.name);
        }
    }

    #[test]
    fn titles_and_losses_are_read_from_either_kind_of_comment() {
        let of = |source: &'static str| Bug::of("my_bug", Cow::Borrowed(source));
        let one = of("// It is wrong.\n//   Lost: 3\nint main(void) { return 0; }\n");
        assert_eq!(
            (one.name.as_str(), one.title.as_str(), one.lost),
            ("my-bug", "It is wrong", Some(3))
        );
        let two = of("/*\n * All wrong\n * Lost: 2. */\nint x;");
        assert_eq!((two.title.as_str(), two.lost), ("All wrong", Some(2)));
        assert_eq!(of("int x;").title, "my-bug");
    }
}
