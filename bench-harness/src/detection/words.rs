//! What is said on standard error about a bug, by whom, and in which words.
//!
//! A line counts only if it is known to name a bug. Addresses and process numbers are left out, so
//! that the words of two runs are the same.

/// The first line of a text that names a bug.
pub(super) fn diagnosis(stderr: &str) -> Option<String> {
    let hooks = stderr.lines().find_map(of_hooks);
    hooks.or_else(|| stderr.lines().find_map(of_line)).map(|words| without_addresses(&words))
}

/// Blocks that AddressSanitizer's leak search reports, where that is all it reports.
pub(super) fn lost_blocks(stderr: &str) -> Option<u64> {
    stderr.lines().find(|line| line.contains("ERROR: LeakSanitizer: detected"))?;
    let summary = stderr.lines().find_map(|line| line.split_once("byte(s) leaked in "))?.1;
    summary.split(' ').next()?.parse().ok()
}

/// A tool that says it cannot work here.
pub(super) fn cannot(stderr: &str) -> Option<&str> {
    stderr.lines().find(|line| {
        line.contains("LeakSanitizer has encountered a fatal error")
            || line.contains("ASan runtime does not come first")
    })
}

/// The loader's complaint about a library that it did not preload.
pub(super) fn not_loaded(stderr: &str) -> Option<&str> {
    stderr.lines().find(|line| line.contains("cannot be preloaded"))
}

/// The lab's complaint about a heap that it was not built with.
pub(super) fn no_heap(stderr: &str) -> Option<&str> {
    let line = stderr.lines().find(|line| line.starts_with("arenite: fatal: no heap "))?;
    Some(line.split(';').next().unwrap_or(line))
}

/// Debug hooks say what is wrong after a dump of the block: that line names the bug, not the first.
fn of_hooks(line: &str) -> Option<String> {
    let line = line.trim();
    for sign in ["Fatal Python error: ", "arenite: fatal: ", "bad ID: "] {
        let Some(at) = line.find(sign) else { continue };
        let telling = ["pad byte", "bad ID", "allocated using", "Allocated using", "freed"];
        if telling.iter().any(|word| line[at..].contains(word)) {
            return Some(line[at..].to_owned());
        }
    }
    None
}

fn of_line(line: &str) -> Option<String> {
    const GLIBC: [&str; 9] = [
        "double free or corruption",
        "free(): ",
        "munmap_chunk(): ",
        "realloc(): ",
        "malloc(): ",
        "malloc_consolidate(): ",
        "corrupted size vs. prev_size",
        "corrupted double-linked list",
        "*** stack smashing detected ***",
    ];
    let line = line.trim();
    if line.starts_with("arenite: fatal: ") || line.starts_with("Fatal Python error: ") {
        return Some(line.to_owned());
    }
    if let Some((_, told)) = line.split_once("ERROR: AddressSanitizer: ") {
        let told = told.split(" on ").next().unwrap_or(told);
        let told = told.split(": 0x").next().unwrap_or(told);
        return Some(format!("AddressSanitizer: {}", told.trim_end()));
    }
    let glibc = GLIBC.iter().find(|sign| line.starts_with(**sign));
    glibc.map(|_| line.to_owned())
}

/// The text with `0x...` for every address.
pub(super) fn without_addresses(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("0x") {
        kept += before;
        rest = after.trim_start_matches(|letter: char| letter.is_ascii_hexdigit());
        kept += if rest.len() == after.len() { "0x" } else { "0x..." };
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(stderr: &str, words: &str) {
        assert_eq!(diagnosis(stderr).as_deref(), Some(words));
    }

    #[test]
    fn the_words_of_each_checker_are_known() {
        says(
            "free(): double free detected in tcache 2\nAborted\n",
            "free(): double free detected in tcache 2",
        );
        says("double free or corruption (out)\n", "double free or corruption (out)");
        says("arenite: fatal: double free of 0x7f3a00\n", "arenite: fatal: double free of 0x...");
        says(
            "=================\n==81==ERROR: AddressSanitizer: heap-use-after-free on address 0x60 at pc 0x5\n",
            "AddressSanitizer: heap-use-after-free",
        );
        says(
            "==81==ERROR: AddressSanitizer: attempting double-free on 0x60 in thread T0:\n",
            "AddressSanitizer: attempting double-free",
        );
        says(
            "==1==ERROR: AddressSanitizer: use-after-poison on address 0x1\n",
            "AddressSanitizer: use-after-poison",
        );
    }

    #[test]
    fn of_a_report_by_debug_hooks_the_line_that_names_the_bug_is_taken() {
        says(
            "Debug memory block at address p=0x7f00: API 'm'\n    64 bytes originally requested\n\
             Fatal Python error: _PyMem_DebugRawFree: bad trailing pad byte\n",
            "Fatal Python error: _PyMem_DebugRawFree: bad trailing pad byte",
        );
        says(
            "Fatal Python error: bad ID: Allocated using API 'm', verified using API 'o'\n",
            "Fatal Python error: bad ID: Allocated using API 'm', verified using API 'o'",
        );
    }

    #[test]
    fn other_lines_name_no_bug() {
        for line in ["", "hello", "malloc is a function", "warning: 0x5", "==1== HEAP SUMMARY:"] {
            assert_eq!(diagnosis(line), None, "{line}");
        }
    }

    #[test]
    fn blocks_that_the_leak_sanitizer_lists_are_counted_and_its_failure_is_known() {
        let text = "==7==ERROR: LeakSanitizer: detected memory leaks\n\
                    SUMMARY: AddressSanitizer: 136 byte(s) leaked in 2 allocation(s).\n";
        assert_eq!(lost_blocks(text), Some(2));
        assert_eq!(lost_blocks("SUMMARY: 1 byte(s) leaked in 2 allocation(s)."), None);
        assert!(cannot("==7==LeakSanitizer has encountered a fatal error.").is_some());
    }

    #[test]
    fn addresses_are_left_out_of_words() {
        assert_eq!(
            without_addresses("at 0x7fff1, not 0xq or 0xAb."),
            "at 0x..., not 0xq or 0x...."
        );
    }
}
