//! Logs cut off, which are read as far as they go, and logs that no recorder writes.

use std::fs;
use std::path::Path;

use super::written_logs::{Image, aligned, calloc, chunk, enter, exit, malloc, plain};
use crate::event::Event;
use crate::import::raw_log::images::{log_path, tail_path};
use crate::import::raw_log::layout::{CHUNK_MAGIC, HEADER_BYTES, TAIL_BYTES, UNITS_PER_TAIL};
use crate::import::raw_log::{
    ImportError, ImportErrorKind as Kind, ImportSummary, Options, RawImages, import,
};

fn import_7(folder: &Path) -> Result<(Vec<Event>, ImportSummary), ImportError> {
    let mut events = Vec::new();
    let summary = import(folder, 7, 0, &Options::default(), &mut |event| events.push(event))?;
    Ok((events, summary))
}

/// An image of two chunks in the log and one in the tail, of 20 mallocs each.
fn image() -> Image {
    let some = |from: u64| (from..from + 20).map(|n| malloc(n, 0x1000 + 32 * n, n)).collect();
    let mut image = Image::of_threads(&[]);
    image.log = vec![(0, some(0)), (0, some(20))];
    image.tail = vec![(0, some(40))];
    image
}

#[test]
fn a_log_cut_off_anywhere_is_read_up_to_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    image().write(folder.path());
    let log = log_path(folder.path(), 7, 0);
    let bytes = fs::read(&log).unwrap();
    let whole = import_7(folder.path()).unwrap().0;
    assert_eq!(whole.len(), 60);
    let mut previous = 20;
    for length in 0..bytes.len() {
        fs::write(&log, &bytes[..length]).unwrap();
        let (events, summary) = import_7(folder.path()).unwrap();
        assert!((previous..=60).contains(&events.len()), "{length}: {} events", events.len());
        previous = events.len();
        let is_between_chunks = length == 0 || length == bytes.len() / 2;
        assert_eq!(summary.torn_bytes > 0, !is_between_chunks, "{length}");
        assert_eq!(summary.missing_records, 60 - events.len() as u64, "{length}");
        assert!(summary.losses().truncated);
    }
    fs::remove_file(&log).unwrap();
    assert_eq!(import_7(folder.path()).unwrap().0.len(), 20, "nothing was ever appended");
}

#[test]
fn a_cut_record_of_several_units_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut image = image();
    image.log[1].1.push(malloc(60, 0x7fff_0000_0008, 1 << 40));
    image.write(folder.path());
    let log = log_path(folder.path(), 7, 0);
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() - 4]).unwrap();
    let (events, summary) = import_7(folder.path()).unwrap();
    assert_eq!((events.len(), summary.missing_records), (60, 1));
}

/// Writes the image, lets `damage` at one of its files, and returns the error with the file.
fn error_after(is_tail: bool, damage: impl FnOnce(&mut Vec<u8>)) -> (ImportError, String) {
    let folder = tempfile::tempdir().unwrap();
    image().write(folder.path());
    let path = if is_tail { tail_path(folder.path(), 7, 0) } else { log_path(folder.path(), 7, 0) };
    let mut bytes = fs::read(&path).unwrap();
    damage(&mut bytes);
    fs::write(&path, bytes).unwrap();
    let error = import_7(folder.path()).expect_err("the damage is an error");
    assert_eq!(error.path, path);
    assert!(!error.is_io());
    let message = error.to_string();
    assert!(message.contains(if is_tail { "7.0.tail: expected" } else { "7.0.log: expected" }));
    assert!(message.ends_with(&format!("(byte {})", error.offset)), "{message}");
    (error, message)
}

#[test]
fn chunks_that_are_none_are_named_with_their_place() {
    let second = chunk(0, &image().log[0].1).len();
    let (error, _) = error_after(false, |bytes| bytes[second] ^= 1);
    assert!(matches!(error.kind, Kind::NotAChunk { found } if found == CHUNK_MAGIC ^ 1), "{error}");
    assert_eq!(error.offset, second as u64);

    let too_long = (UNITS_PER_TAIL as u64 + 1).to_ne_bytes();
    let (error, _) =
        error_after(false, |bytes| bytes[second + 8..second + 16].copy_from_slice(&too_long));
    assert!(matches!(error.kind, Kind::ChunkTooLong { .. }), "{error}");

    let (error, _) = error_after(true, |bytes| bytes[HEADER_BYTES] ^= 1);
    assert!(matches!(error.kind, Kind::NotAChunk { .. }), "{error}");
    assert_eq!(error.offset, HEADER_BYTES as u64);

    let (error, _) = error_after(true, |bytes| bytes[HEADER_BYTES + 8..][..8].fill(0xff));
    assert!(matches!(error.kind, Kind::ChunkTooLong { found: u64::MAX }), "{error}");
}

#[test]
fn units_that_begin_no_record_are_named_with_their_chunk() {
    let second = chunk(0, &image().log[0].1).len();
    // A full record of kind 13, in the place of two small ones.
    let bad = (13_u32 << 2).to_ne_bytes();
    let (error, message) =
        error_after(false, |bytes| bytes[second + 32 + 4..second + 32 + 8].copy_from_slice(&bad));
    assert!(matches!(error.kind, Kind::BadUnit { found: 0x34 }), "{error}");
    assert!(message.contains("0x00000034"), "{message}");
    assert_eq!(error.offset, second as u64);
    let at = HEADER_BYTES + 32;
    let (error, _) = error_after(true, |bytes| bytes[at..at + 4].copy_from_slice(&bad));
    assert!(matches!(error.kind, Kind::BadUnit { .. }), "{error}");
}

#[test]
fn headers_that_are_none_or_another_images_are_named() {
    for length in [1, 8, 55] {
        let (error, _) = error_after(true, |bytes| bytes.truncate(length));
        assert!(matches!(error.kind, Kind::NotARawLog), "{error}");
    }
    let (error, _) = error_after(true, |bytes| bytes[..56].fill(0));
    assert!(matches!(error.kind, Kind::NotARawLog), "{error}");
    let (error, _) = error_after(true, |bytes| bytes[0] = b'X');
    assert!(matches!(error.kind, Kind::NotARawLog), "{error}");
    let (error, _) = error_after(true, |bytes| bytes[8] = 9);
    assert!(matches!(error.kind, Kind::WrongImage { expected: (7, 0), found: (9, 0) }), "{error}");

    let folder = tempfile::tempdir().unwrap();
    assert!(import_7(folder.path()).unwrap_err().is_io());
    fs::write(folder.path().join("7.0.tail"), "something else entirely").unwrap();
    let error = RawImages::scan(folder.path()).unwrap_err();
    assert!(matches!(error.kind, Kind::NotARawLog), "{error}");
}

#[test]
fn records_that_no_call_leaves_are_named() {
    let fault = |records: &[_]| {
        let folder = tempfile::tempdir().unwrap();
        Image::of_one_thread(records).write(folder.path());
        import_7(folder.path()).expect_err("a record is faulty")
    };
    let of_record = |error: &ImportError, number: u64| {
        assert!(matches!(error.kind, Kind::Record { seq, .. } if seq == number), "{error}");
    };
    of_record(&fault(&[malloc(0, 0x10, 1), malloc(1, 0x20, u64::MAX)]), 1);
    of_record(&fault(&[malloc(0, 0x10, 1), calloc(1, 0x20, 1 << 40, 1 << 40)]), 1);
    of_record(&fault(&[malloc(0, 0x10, 1), aligned(1, 0x20, 24, 8)]), 1);
    of_record(&fault(&[malloc(0, 0x10, 1), aligned(1, 0x20, 1 << 31, 8)]), 1);
    of_record(&fault(&[malloc(0, 0x10, 1), exit(1, 0x20, 0)]), 1);
    of_record(&fault(&[malloc(0, 0x10, 1), enter(1, 0x10, u64::MAX), exit(2, 0x20, 1)]), 2);
    let twice = fault(&[malloc(0, 0x10, 1), malloc(1, 0x20, 1), malloc(1, 0x30, 1)]);
    assert!(matches!(twice.kind, Kind::DuplicateSequence { seq: 1 }), "{twice}");

    // A realloc that returns on another thread than it was called on.
    let folder = tempfile::tempdir().unwrap();
    let threads: [(u32, &[_]); 2] =
        [(0, &[malloc(0, 0x10, 1), enter(1, 0x10, 5)]), (1, &[plain(2, 7), exit(3, 0x10, 1)])];
    Image::of_threads(&threads).write(folder.path());
    of_record(&import_7(folder.path()).expect_err("a record is faulty"), 3);
}

#[test]
fn a_tail_file_cut_off_is_read_up_to_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    image().write(folder.path());
    let tail = tail_path(folder.path(), 7, 0);
    let bytes = fs::read(&tail).unwrap();
    assert_eq!(bytes.len(), HEADER_BYTES + 2 * TAIL_BYTES);
    for (length, expected) in
        [(HEADER_BYTES, 40), (HEADER_BYTES + 16, 40), (HEADER_BYTES + 32 + 8, 42)]
    {
        fs::write(&tail, &bytes[..length]).unwrap();
        let (events, summary) = import_7(folder.path()).unwrap();
        assert_eq!((events.len(), summary.missing_records), (expected, 60 - expected as u64));
    }
}
