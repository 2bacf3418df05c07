//! Traces on disk: where they appear, what is left after a failure, what can be recovered, and the
//! golden file.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::random_events::RandomEvents;
use crate::event::{Event, Op};
use crate::trace::block::{self, EVENTS, FOOTER, META};
use crate::trace::codec::Encoder;
use crate::trace::{Losses, Meta, Reader, TraceError, TraceErrorKind, Writer, meta};

fn free_null() -> Event {
    Event::of_first_thread(Op::FreeNull)
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Writes random events to `path` and returns them.
fn write_some(path: &Path, seed: u64, count: usize) -> Vec<Event> {
    let events = RandomEvents::new(seed, false).take(count);
    let mut writer = Writer::create(path, &Meta::default()).unwrap();
    events.iter().for_each(|event| writer.write(event).unwrap());
    writer.finish().unwrap();
    events
}

#[test]
fn a_trace_appears_under_its_name_when_it_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.trace");
    let mut writer = Writer::create(&path, &Meta::default()).unwrap();
    writer.write(&free_null()).unwrap();
    assert!(!path.exists());
    writer.finish().unwrap();
    assert_eq!(names_in(folder.path()), ["a.trace"]);
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), free_null());
    assert!(reader.next().is_none() && reader.next().is_none());
}

#[test]
fn a_dropped_writer_leaves_nothing_and_an_older_trace_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.trace");
    let events = write_some(&path, 1, 100);
    let mut writer = Writer::create(&path, &Meta::default()).unwrap();
    writer.write(&free_null()).unwrap();
    drop(writer);
    assert_eq!(names_in(folder.path()), ["a.trace"]);
    let read: Result<Vec<_>, _> = Reader::open(&path).unwrap().collect();
    assert_eq!(read.unwrap(), events);
}

#[test]
fn a_refused_event_is_left_out_and_the_writer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.trace");
    let mut writer = Writer::create(&path, &Meta::default()).unwrap();
    writer.write(&free_null()).unwrap();
    let error = writer.write(&Event::of_first_thread(Op::RegionEnd)).unwrap_err();
    assert!(matches!(error.kind, TraceErrorKind::Invalid(_)), "{error}");
    assert_eq!((error.event, error.path.as_deref()), (1, Some(&*path)));
    writer.write(&free_null()).unwrap();
    assert_eq!(writer.finish().unwrap().events, 2);
    assert_eq!(Reader::open(&path).unwrap().count(), 2);
}

#[test]
fn files_that_cannot_be_opened_or_created_are_io_errors_with_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such.trace");
    let errors = [
        Reader::open(&missing).err().unwrap(),
        Reader::recover(&missing).err().unwrap(),
        Writer::create(&missing, &Meta::default()).err().unwrap(),
        Writer::create(Path::new("/"), &Meta::default()).err().unwrap(),
        Writer::create(folder.path(), &Meta::default()).err().unwrap(),
    ];
    for error in &errors {
        assert!(matches!(error.kind, TraceErrorKind::Io(_)), "{error}");
    }
    assert_eq!(names_in(folder.path()), [""; 0]);
    let message = errors[0].to_string();
    assert!(message.contains("no/such.trace"), "{message}");
    // What the system said stands in the source alone, so that a chain of errors says it once.
    assert!(!message.contains("No such file"), "{message}");
    assert!(said(&errors[0]).contains("No such file"));
}

/// What the system said of an error.
fn said(error: &TraceError) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

/// Whether the system has the devices these tests write to; they must never become files.
fn has_device(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let is_device = fs::metadata(path).is_ok_and(|meta| meta.file_type().is_char_device());
    if !is_device {
        println!("skipped: {path} is no device here");
    }
    is_device
}

#[test]
fn a_disk_that_is_full_is_an_error_with_its_path() {
    if !has_device("/dev/full") {
        return;
    }
    let write = || {
        let mut writer = Writer::create(Path::new("/dev/full"), &Meta::default())?;
        writer.write(&free_null())?;
        writer.finish()
    };
    let error = write().unwrap_err();
    assert!(matches!(error.kind, TraceErrorKind::Io(_)), "{error}");
    assert!(error.to_string().starts_with("/dev/full: "), "{error}");
    assert!(said(&error).contains("No space left"));
    assert!(has_device("/dev/full"), "the device was replaced by a file");
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    if !has_device("/dev/null") {
        return;
    }
    let mut writer = Writer::create(Path::new("/dev/null"), &Meta::default()).unwrap();
    writer.write(&free_null()).unwrap();
    assert_eq!(writer.finish().unwrap().events, 1);
    assert!(has_device("/dev/null"), "the device was replaced by a file");
}

#[test]
fn errors_of_a_file_carry_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.trace");
    write_some(&path, 2, 1_000);
    let bytes = fs::read(&path).unwrap();
    for (length, what) in [(4, "a header"), (60, "payload"), (bytes.len() - 1, "payload")] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error =
            Reader::open(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("cut.trace: expected ") && message.contains(what), "{message}");
    }
}

#[test]
fn recovery_returns_the_whole_blocks_before_a_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.trace");
    let events = write_some(&path, 3, 300_000);
    let bytes = fs::read(&path).unwrap();
    let mut lengths = Vec::new();
    for tenth in (1..10).rev() {
        fs::write(&path, &bytes[..bytes.len() * tenth / 10]).unwrap();
        let mut reader = Reader::recover(&path).unwrap();
        assert!(reader.meta().losses.truncated);
        assert_eq!(reader.totals().events, 300_000, "what the whole trace held");
        let recovered: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        assert_eq!(recovered, events[..recovered.len()]);
        assert!(reader.next().is_none());
        lengths.push(recovered.len());
    }
    assert!(lengths.is_sorted_by(|longer, shorter| longer >= shorter), "{lengths:?}");
    assert!(lengths[0] > 100_000 && *lengths.last().unwrap() < 100_000, "{lengths:?}");
}

#[test]
fn recovery_stops_at_a_damaged_block_and_passes_a_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.trace");
    let events = write_some(&path, 4, 300_000);
    let mut reader = Reader::recover(&path).unwrap();
    assert!(!reader.meta().losses.truncated);
    assert!(reader.by_ref().map(Result::unwrap).eq(events.iter().copied()));

    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let mut reader = Reader::recover(&path).unwrap();
    assert!(reader.meta().losses.truncated);
    let recovered: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert!((1..300_000).contains(&recovered.len()));
    assert_eq!(recovered, events[..recovered.len()]);
    // Without recovery the same file is an error.
    assert!(Reader::open(&path).unwrap().any(|event| event.is_err()));
}

#[test]
fn recovery_needs_a_header_and_a_meta_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.trace");
    write_some(&path, 5, 10);
    let bytes = fs::read(&path).unwrap();
    for length in [0, 10, 24, 100] {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(Reader::recover(&path).is_err(), "{length} bytes");
    }
}

fn golden(extension: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden-v1").with_extension(extension)
}

/// Events as text, one per line, in a form that this test alone decides.
fn listing(events: &[Event]) -> String {
    let mut text = String::new();
    for Event { thread, op, time_ns } in events {
        let thread = thread.0;
        let op = match *op {
            Op::Malloc { block, size } => format!("malloc {size} -> {}", block.0),
            Op::Calloc { block, count, size } => format!("calloc {count} {size} -> {}", block.0),
            Op::AlignedAlloc { block, align, size } => {
                format!("aligned {align} {size} -> {}", block.0)
            }
            Op::ReallocNew { block, size } => format!("realloc null {size} -> {}", block.0),
            Op::Realloc { block, size } => format!("realloc {} {size}", block.0),
            Op::ReallocFree { block } => format!("realloc {} to nothing", block.0),
            Op::Free { block, size: None } => format!("free {}", block.0),
            Op::Free { block, size: Some(size) } => format!("free {} of {size}", block.0),
            Op::FreeNull => "free null".to_owned(),
            Op::ThreadStart => "thread start".to_owned(),
            Op::ThreadEnd => "thread end".to_owned(),
            Op::RegionStart => "region start".to_owned(),
            Op::RegionEnd => "region end".to_owned(),
        };
        let time = time_ns.map_or_else(|| "-".to_owned(), |time_ns| time_ns.to_string());
        writeln!(text, "{thread} {time} {op}").unwrap();
    }
    text
}

#[test]
fn the_golden_trace_of_version_1_0_reads_as_it_always_has() {
    let mut reader = Reader::open(&golden("trace")).unwrap();
    let events: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(listing(&events), fs::read_to_string(golden("txt")).unwrap());
    assert_eq!(*reader.meta(), golden_meta());
}

fn golden_meta() -> Meta {
    Meta {
        producer: "arenabench 0.1.0".into(),
        command: "golden".into(),
        interpreter: "CPython 3.11.7".into(),
        timed: true,
        losses: Losses {
            no_alignment: true,
            truncated: true,
            frees_of_unknown: 1,
            failed_calls: 2,
            lost_frees: 1 << 40,
            ..Losses::default()
        },
    }
}

/// Writes the golden file and its listing: two blocks of events, one plain and one packed, with an
/// ancillary block between them.
#[test]
#[ignore = "overwrites the golden file, which must never change; a pattern for the next version's"]
fn write_the_golden_trace() {
    let mut random = RandomEvents::new(20_24, true).take(360);
    random.insert(0, Event::of_first_thread(Op::RegionStart));
    random.push(Event { time_ns: Some(1), ..Event::of_first_thread(Op::RegionEnd) });
    let mut writer = Writer::new(std::io::Cursor::new(Vec::new()), &golden_meta()).unwrap();
    // Marks and ends that the random events had of their own are refused and left out.
    let events: Vec<_> = random.into_iter().filter(|event| writer.write(event).is_ok()).collect();
    let (totals, _) = writer.finish_into().unwrap();

    let mut file = Vec::new();
    block::write_header(&mut file, block::FLAG_TIMED).unwrap();
    let (payload, count) = golden_meta().encode(&totals);
    block::write_block(&mut file, META, count, &payload).unwrap();
    let mut encoder = Encoder::new(true);
    let (first, second) = events.split_at(events.len() / 2);
    for (half, encoding) in [(first, 0), (second, 1)] {
        half.iter().for_each(|event| encoder.push(event));
        let mut streams = Vec::new();
        encoder.take(&mut streams);
        let mut payload = vec![encoding];
        payload.extend((streams.len() as u32).to_le_bytes());
        payload.extend(if encoding == 0 {
            streams
        } else {
            zstd::bulk::compress(&streams, 19).unwrap()
        });
        block::write_block(&mut file, EVENTS, half.len() as u32, &payload).unwrap();
        block::write_block(&mut file, b'x', 7, b"for later versions").unwrap();
    }
    block::write_block(&mut file, FOOTER, 2, &meta::encode_totals(&totals)).unwrap();
    fs::write(golden("trace"), file).unwrap();
    fs::write(golden("txt"), listing(&events)).unwrap();
}
