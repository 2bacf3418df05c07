//! Names of charts as files, and names from outside cut to the room they have.

use std::collections::BTreeSet;

/// Gives each chart a file name of its own.
#[derive(Debug, Default)]
pub(super) struct Slugs {
    taken: BTreeSet<String>,
}

impl Slugs {
    /// A name of letters, digits and `-` made from `kind` and `name`, told apart by a number where
    /// two names come out alike.
    pub(super) fn next(&mut self, kind: &str, name: &str) -> String {
        let mut slug = kind.to_owned();
        for part in name.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.') {
            let part = part.trim_matches('.');
            if !part.is_empty() {
                slug.push('-');
                slug.push_str(&part.to_ascii_lowercase());
            }
        }
        // File systems stop at 255 bytes; long names end early and are told apart by their number.
        slug.truncate(100);
        let mut unique = slug.clone();
        let mut number = 2;
        while !self.taken.insert(unique.clone()) {
            unique = format!("{slug}-{number}");
            number += 1;
        }
        unique
    }
}

/// At most `limit` characters of `name`, the middle replaced by an ellipsis: beginnings and ends
/// tell workloads apart.
pub(super) fn shorten(name: &str, limit: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= limit {
        return name.to_owned();
    }
    let tail = (limit - 1) / 2;
    let head = limit - 1 - tail;
    let mut short: String = letters[..head].iter().collect();
    short.push('\u{2026}');
    short.extend(&letters[letters.len() - tail..]);
    short
}

/// `name` without as many of its first words as leave at most `limit` characters, an ellipsis in their
/// place; words end at `-`. Empty when the last word alone is too long.
pub(super) fn without_first_words(name: &str, limit: usize) -> String {
    if name.chars().count() <= limit {
        return name.to_owned();
    }
    let tails = name.match_indices('-').map(|(at, _)| &name[at + 1..]);
    let mut fitting = tails.filter(|tail| !tail.is_empty() && tail.chars().count() < limit);
    fitting.next().map_or_else(String::new, |tail| format!("\u{2026}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_file_names_and_never_alike() {
        let mut slugs = Slugs::default();
        assert_eq!(slugs.next("time", "frame-push-pop@3.9:100k"), "time-frame-push-pop-3.9-100k");
        assert_eq!(slugs.next("time", "a/../b"), "time-a-b");
        assert_eq!(slugs.next("time", "a b"), "time-a-b-2");
        assert!(slugs.next("time", &"x".repeat(400)).len() < 120);
    }

    #[test]
    fn first_words_go_until_the_rest_fits() {
        assert_eq!(without_first_words("dict-resize", 18), "dict-resize");
        assert_eq!(without_first_words("cpython-3.11-dict-index", 18), "\u{2026}3.11-dict-index");
        assert_eq!(
            without_first_words("cpython-3.11-json-documents", 18),
            "\u{2026}json-documents"
        );
        assert_eq!(without_first_words("onewordthatistoolong", 18), "");
        assert_eq!(without_first_words("ends-with-a-dash-that-is-long-", 5), "");
    }

    #[test]
    fn shortening_keeps_both_ends() {
        assert_eq!(shorten("abcdefghij", 10), "abcdefghij");
        assert_eq!(shorten("abcdefghijk", 10), "abcde\u{2026}hijk");
        assert_eq!(shorten("abcdefghijk", 10).chars().count(), 10);
    }
}
