//! Reads out of memcheck's XML what it says of the program, and apart from it what it says of the
//! allocator.
//!
//! An ownership test that looks at memory which is not its own is reported whatever the program does.
//! Such a report says nothing of the program, and to count it as a bug caught would flatter every
//! allocator that reads what it should not.
//!
//! * E1: an error is about the program iff a frame of its first stack lies in the program, and the
//!   innermost frame outside Valgrind's own and the C library's files does not lie in the preloaded
//!   library; complaints about frees and the like, which are made where the library tells memcheck of
//!   a block, are about the program whatever the innermost frame.
//! * E2: a lost block is the program's iff a frame lies in the program, unless it was the library
//!   that called the C library's malloc for it.

use quick_xml::Reader;
use quick_xml::events::Event;

/// What memcheck said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Errors {
    /// First sentence about the program.
    pub(super) first: Option<String>,
    /// Distinct errors that are the allocator's own.
    pub(super) own: u64,
    /// Blocks of the program that are lost, directly or through others.
    pub(super) lost: u64,
    /// First sentence about a loss.
    pub(super) loss: Option<String>,
    /// Whether the report came to its end.
    pub(super) complete: bool,
}

/// One distinct error.
#[derive(Default)]
struct Context {
    kind: String,
    words: String,
    lost: u64,
    /// Files of the frames of the first stack, innermost first.
    objects: Vec<String>,
    stacks: u32,
}

/// Reads a report as far as it goes; a program that is killed leaves half of one.
pub(super) fn read(xml: &str, program: &str, library: Option<&str>) -> Errors {
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    let mut context = Context::default();
    let mut errors = Errors::default();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                match (path.len(), name.as_str()) {
                    (1, "error") => context = Context::default(),
                    (2, "stack") => context.stacks += 1,
                    _ => {}
                }
                path.push(name);
            }
            Event::End(_) => match (path.len(), path.pop().as_deref()) {
                (2, Some("error")) => errors.add(&context, program, library),
                (1, Some("valgrindoutput")) => errors.complete = true,
                _ => {}
            },
            Event::Text(bytes) => {
                let value = <_ as AsRef<str>>::as_ref(&bytes).trim();
                let at: Vec<_> = path.iter().skip(1).map(String::as_str).collect();
                match at.as_slice() {
                    ["error", "kind"] => value.clone_into(&mut context.kind),
                    ["error", "what"] | ["error", "xwhat", "text"] => {
                        value.clone_into(&mut context.words);
                    }
                    ["error", "xwhat", "leakedblocks"] => context.lost = value.parse().unwrap_or(0),
                    ["error", "stack", "frame", "obj"] if context.stacks == 1 => {
                        context.objects.push(value.to_owned());
                    }
                    _ => {}
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    errors
}

impl Errors {
    fn add(&mut self, context: &Context, program: &str, library: Option<&str>) {
        let in_library = |object: &str| library.is_some_and(|library| same_file(object, library));
        let of_program = context.objects.iter().any(|object| same_file(object, program));
        let telling = context.objects.iter().find(|object| !is_bystander(object));
        let from_library = telling.is_some_and(|object| in_library(object));
        if let Some(how) = context.kind.strip_prefix("Leak_") {
            let whole = matches!(how, "DefinitelyLost" | "IndirectlyLost");
            let innermost = context.objects.first().map_or("", String::as_str);
            if whole && of_program && (!from_library || in_library(innermost)) {
                self.lost += context.lost;
                self.loss.get_or_insert_with(|| without_record(&context.words));
            }
            return;
        }
        // Kinds of complaints that a request of the library gives rise to.
        let about_block =
            ["InvalidFree", "MismatchedFree", "InvalidMemPool"].contains(&context.kind.as_str());
        if of_program && (about_block || !from_library) {
            self.first.get_or_insert_with(|| context.words.clone());
        } else if from_library {
            self.own += 1;
        }
    }
}

/// Files that are neither the program's nor the allocator's, but may run on behalf of both.
fn is_bystander(object: &str) -> bool {
    let name = object.rsplit('/').next().unwrap_or(object);
    name.starts_with("vgpreload_") || name.starts_with("libc.so") || name.starts_with("libc-")
}

/// Whether two paths name one file; a library may have been preloaded through a link.
fn same_file(one: &str, other: &str) -> bool {
    let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
    one == other || name(one) == name(other)
}

/// `64 bytes in 1 blocks are definitely lost`, without the number of the record.
fn without_record(words: &str) -> String {
    words.split(" in loss record").next().unwrap_or(words).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: Option<&str> = Some("/lib/libarenite.so");

    fn error(kind: &str, objects: &[&str]) -> String {
        let frames: String =
            objects.iter().map(|object| format!("<frame><obj>{object}</obj></frame>")).collect();
        let what = if kind.starts_with("Leak_") {
            "<xwhat><text>64 bytes in 1 blocks are lost in loss record 1 of 2</text>\
             <leakedblocks>1</leakedblocks></xwhat>"
                .to_owned()
        } else {
            format!("<what>{kind}!</what>")
        };
        format!(
            "<error><kind>{kind}</kind>{what}<stack>{frames}</stack>\
             <stack><frame><obj>/tmp/bug.plain</obj></frame></stack></error>"
        )
    }

    fn of(errors: &[String]) -> Errors {
        let xml = format!(
            "<?xml version=\"1.0\"?>\n<valgrindoutput>{}</valgrindoutput>",
            errors.concat()
        );
        read(&xml, "/tmp/bug.plain", LIBRARY)
    }

    #[test]
    fn an_error_in_the_program_is_told_from_one_of_the_ownership_test() {
        let own = error("UninitCondition", &["/lib/libarenite.so", "/tmp/bug.plain"]);
        let copied = error(
            "InvalidRead",
            &["/x/vgpreload_memcheck.so", "/lib/libarenite.so", "/tmp/bug.plain"],
        );
        let found = of(&[own.clone(), copied]);
        assert_eq!((found.first, found.own), (None, 2));
        let found = of(&[own, error("InvalidRead", &["/tmp/bug.plain"])]);
        assert_eq!((found.first.as_deref(), found.own), (Some("InvalidRead!"), 1));
    }

    #[test]
    fn a_complaint_about_a_free_counts_though_the_library_makes_it() {
        let found = of(&[error("InvalidFree", &["/lib/libarenite.so", "/tmp/bug.plain"])]);
        assert_eq!((found.first.as_deref(), found.own), (Some("InvalidFree!"), 0));
    }

    #[test]
    fn errors_without_a_frame_in_the_program_are_nobodys_catch() {
        let found =
            of(&[error("InvalidFree", &["/lib/ld.so"]), error("InvalidRead", &["/lib/other.so"])]);
        assert_eq!((found.first, found.own, found.complete), (None, 0, true));
    }

    #[test]
    fn lost_blocks_are_counted_and_lost_arenas_are_not() {
        let chain = [
            error("Leak_DefinitelyLost", &["/lib/libarenite.so", "/tmp/bug.plain"]),
            error("Leak_IndirectlyLost", &["/x/vgpreload_memcheck.so", "/tmp/bug.plain"]),
            error("Leak_PossiblyLost", &["/lib/libarenite.so", "/tmp/bug.plain"]),
            error(
                "Leak_DefinitelyLost",
                &["/x/vgpreload_memcheck.so", "/lib/libarenite.so", "/tmp/bug.plain"],
            ),
        ];
        let found = of(&chain);
        assert_eq!(found.lost, 2);
        assert_eq!(found.loss.as_deref(), Some("64 bytes in 1 blocks are lost"));
    }

    #[test]
    fn half_a_report_is_read_as_far_as_it_goes() {
        let whole = error("InvalidRead", &["/tmp/bug.plain"]);
        let found = read(&format!("<valgrindoutput>{whole}<err"), "/tmp/bug.plain", None);
        assert_eq!((found.first.as_deref(), found.complete), (Some("InvalidRead!"), false));
    }
}
