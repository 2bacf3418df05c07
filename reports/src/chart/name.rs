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
    fn shortening_keeps_both_ends() {
        assert_eq!(shorten("abcdefghij", 10), "abcdefghij");
        assert_eq!(shorten("abcdefghijk", 10), "abcde\u{2026}hijk");
        assert_eq!(shorten("abcdefghijk", 10).chars().count(), 10);
    }
}
