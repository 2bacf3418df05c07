//! Which C++ compiler built snmalloc, read back from this program's own file.
//!
//! `scripts/cxx/identity.h` makes the compiler leave its name in a section that the linker copies
//! into the program. Whoever names a compiler of his own in `CXX` gets a program that does not say.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The section, a row of strings that end in a zero byte.
const SECTION: &[u8] = b".arenabench.cxx";

/// Bytes of a 64-bit ELF file's header, and of one entry of its section table.
const FILE_HEADER: usize = 64;
const SECTION_HEADER: usize = 64;

/// Name and version of the C++ compiler, such as `clang 14.0.6`; `None` where the program does not
/// say. Reads a few hundred bytes of the file.
pub(super) fn cxx() -> Option<String> {
    let file = File::open("/proc/self/exe").ok()?;
    first_text(&section(&file, SECTION).ok()??)
}

/// The first of the strings, without the space that some compilers end theirs with.
fn first_text(bytes: &[u8]) -> Option<String> {
    let first = bytes.split(|&byte| byte == 0).find(|text| !text.is_empty())?;
    Some(String::from_utf8_lossy(first).trim().to_owned())
}

/// Contents of a section of a 64-bit little-endian ELF file; `None` when it has none of that name.
fn section(file: &File, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let header = read::<FILE_HEADER>(file, 0)?;
    let (table, count, names) = (long(&header, 0x28), short(&header, 0x3c), short(&header, 0x3e));
    let entry = |index: u64| read::<SECTION_HEADER>(file, table + index * SECTION_HEADER as u64);
    let names = long(&entry(names)?, 0x18);
    for index in 0..count {
        let header = entry(index)?;
        let mut found = vec![0; name.len() + 1];
        let at = names + u64::from(word(&header, 0));
        // The last names of the table may be shorter than the one that is looked for.
        if file.read_exact_at(&mut found, at).is_ok() && found.strip_suffix(b"\0") == Some(name) {
            let (offset, len) = (long(&header, 0x18), long(&header, 0x20).min(64 << 10));
            let mut bytes = vec![0; len as usize];
            file.read_exact_at(&mut bytes, offset)?;
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

fn read<const LEN: usize>(file: &File, offset: u64) -> io::Result<[u8; LEN]> {
    let mut bytes = [0; LEN];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn bytes<const LEN: usize>(from: &[u8], at: usize) -> [u8; LEN] {
    let mut value = [0; LEN];
    value.copy_from_slice(&from[at..at + LEN]);
    value
}

fn short(from: &[u8], at: usize) -> u64 {
    u64::from(u16::from_le_bytes(bytes(from, at)))
}

fn word(from: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes(from, at))
}

fn long(from: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes(from, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_this_program_are_found_by_their_whole_name() {
        let file = File::open("/proc/self/exe").unwrap();
        let comment = section(&file, b".comment").unwrap().unwrap();
        assert!(String::from_utf8_lossy(&comment).contains("rustc"));
        for absent in [&b".commen"[..], b".comment2", b""] {
            let found = section(&file, absent).unwrap();
            assert!(found.is_none_or(|bytes| bytes.is_empty()), "{absent:?}");
        }
    }

    #[test]
    fn the_compiler_is_the_first_text_of_the_section() {
        assert_eq!(first_text(b"\0clang 14.0.6 \0gcc 12\0"), Some("clang 14.0.6".to_owned()));
        assert_eq!(first_text(b"\0\0"), None);
    }

    /// Holds for a build that takes its compiler from `.cargo/config.toml`, as every build in this
    /// tree does that names none itself.
    #[test]
    fn snmalloc_says_which_compiler_built_it() {
        if option_env!("CXX").is_some_and(|cxx| !cxx.ends_with("clang-or-gcc")) {
            return;
        }
        let compiler = cxx().expect("the identity header was compiled in");
        assert!(compiler.starts_with("clang ") || compiler.starts_with("gcc "), "{compiler}");
    }
}
