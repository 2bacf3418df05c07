//! T1: one fault per file, and the kind of error it must give; then all prefixes and all flips.

use proptest::collection::vec;
use proptest::prelude::*;

use super::random_events::RandomEvents;
use super::{read, written};
use crate::checker::Violation;
use crate::totals::Totals;
use crate::trace::block::{self, EVENTS, FOOTER, META};
use crate::trace::error::TraceErrorKind as Kind;
use crate::trace::meta::encode_totals;
use crate::trace::{MAGIC, Meta, varint};

/// A header of any content with the right checksum.
fn header(major: u16, minor: u16, length: u32, flags: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(MAGIC);
    bytes.extend(major.to_le_bytes());
    bytes.extend(minor.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.resize((length as usize).clamp(24, 8192) - 4, 0xee);
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// A block of any content with the right checksum.
fn framed(kind: u8, count: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    block::write_block(&mut bytes, kind, count, payload).unwrap();
    bytes
}

/// A meta payload without pairs.
fn meta_payload(totals: &Totals) -> Vec<u8> {
    Meta::default().encode(totals).0
}

/// Totals of a trace of `count` times `free(NULL)`.
fn totals(count: u64) -> Totals {
    let calls = [(crate::event::Call::FreeNull, count)].into_iter().collect();
    Totals { events: count, threads: u64::from(count > 0), calls, ..Totals::default() }
}

/// A payload of plain streams.
fn streams(codes: &[u8], sizes: &[u8], blocks: &[u8], times: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    for stream in [codes, sizes, blocks, times] {
        varint::put(&mut unpacked, stream.len() as u64);
    }
    for stream in [codes, sizes, blocks, times] {
        unpacked.extend(stream);
    }
    plain(&unpacked)
}

fn plain(unpacked: &[u8]) -> Vec<u8> {
    packed(0, unpacked.len() as u32, unpacked)
}

fn packed(encoding: u8, length: u32, stored: &[u8]) -> Vec<u8> {
    let mut payload = vec![encoding];
    payload.extend(length.to_le_bytes());
    payload.extend(stored);
    payload
}

/// A trace made of parts behind a good header.
fn trace(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = header(1, 0, 24, 0);
    parts.iter().for_each(|part| bytes.extend(part));
    bytes
}

/// A trace whose only events block has this payload and count; its totals are not right.
fn with_events(count: u32, payload: &[u8]) -> Vec<u8> {
    let claimed = totals(u64::from(count));
    trace(&[
        framed(META, 0, &meta_payload(&claimed)),
        framed(EVENTS, count, payload),
        framed(FOOTER, 1, &encode_totals(&claimed)),
    ])
}

/// A good trace of three times `free(NULL)`, in parts: M, E, F.
fn good_parts() -> [Vec<u8>; 3] {
    [
        framed(META, 0, &meta_payload(&totals(3))),
        framed(EVENTS, 3, &streams(&[8, 8, 8], &[], &[], &[])),
        framed(FOOTER, 1, &encode_totals(&totals(3))),
    ]
}

/// A byte string with one byte changed.
fn changed(mut bytes: Vec<u8>, at: usize, to: u8) -> Vec<u8> {
    assert_ne!(bytes[at], to, "the fault must be one");
    bytes[at] = to;
    bytes
}

/// Checks the kind of error a file gives, by a pattern.
macro_rules! refuses {
    ($bytes:expr, $kind:pat $(if $guard:expr)?) => {{
        let bytes: Vec<u8> = $bytes;
        match read(&bytes) {
            Ok(events) => panic!("accepted, with {} events", events.len()),
            Err(error) => {
                assert!(matches!(&error.kind, $kind $(if $guard)?), "{error} ({:?})", error.kind);
            }
        }
    }};
}

#[test]
fn the_parts_the_faults_are_made_of_are_good() {
    assert_eq!(read(&trace(&good_parts())).unwrap().len(), 3);
    let empty =
        [framed(META, 0, &meta_payload(&totals(0))), framed(FOOTER, 0, &encode_totals(&totals(0)))];
    assert_eq!(read(&trace(&empty)).unwrap(), []);
}

#[test]
fn faults_of_the_header_are_named() {
    let [meta, events, footer] = good_parts();
    let rest = [meta, events, footer].concat();
    let behind = |header: Vec<u8>| [header, rest.clone()].concat();
    let good = || behind(header(1, 0, 24, 0));

    refuses!(vec![], Kind::NotATrace { found } if found.is_empty());
    refuses!(vec![0x89], Kind::Truncated { .. });
    refuses!(vec![b'#'], Kind::NotATrace { .. });
    refuses!(MAGIC.to_vec(), Kind::Truncated { .. });
    refuses!(b"#!/bin/sh\necho trace\n".to_vec(), Kind::NotATrace { .. });
    // CR LF became LF; LF became CR LF; the high bit was stripped.
    refuses!([&b"\x89ABT\n\x1a\n"[..], &good()[8..]].concat(), Kind::DamagedByTextTransfer);
    refuses!([&b"\x89ABT\r\r\n\x1a\r\n"[..], &good()[8..]].concat(), Kind::DamagedByTextTransfer);
    refuses!(changed(good(), 0, 0x09), Kind::DamagedByTextTransfer);
    refuses!(behind(header(0, 0, 24, 0)), Kind::Version { major: 0, .. });
    refuses!(behind(header(2, 5, 24, 0)), Kind::Version { major: 2, minor: 5 });
    refuses!(behind(header(9999, 0, 24, 0)), Kind::Version { major: 9999, .. });
    // Written on a machine of the other byte order.
    refuses!(behind(header(0x0100, 0, 24, 0)), Kind::Version { major: 256, .. });
    refuses!(behind(header(1, 0, 0, 0)), Kind::HeaderLength { found: 0 });
    refuses!(behind(header(1, 0, 23, 0)), Kind::HeaderLength { found: 23 });
    refuses!(behind(header(1, 0, 28, 0)), Kind::HeaderLength { found: 28 });
    refuses!(behind(header(1, 1, 4097, 0)), Kind::HeaderLength { .. });
    refuses!(behind(header(1, 0, u32::MAX, 0)), Kind::HeaderLength { .. });
    refuses!(behind(header(1, 0, 24, 2)), Kind::UnknownFlags { found: 2 });
    refuses!(changed(good(), 20, 0x55), Kind::Checksum { part: "header", .. });
    refuses!(header(1, 0, 24, 0)[..20].to_vec(), Kind::Truncated { expected: "a header" });
}

#[test]
fn faults_of_the_framing_are_named() {
    let [meta, events, footer] = good_parts();
    let good =
        |parts: &[&Vec<u8>]| trace(&parts.iter().map(|&part| part.clone()).collect::<Vec<_>>());
    let long_claim = changed(changed(events.clone(), 3, 0xff), 4, 0xff);

    refuses!(good(&[]), Kind::Truncated { expected: "the meta block" });
    refuses!(good(&[&events, &footer]), Kind::BlockOutOfPlace { kind: 'E', .. });
    refuses!(good(&[&footer]), Kind::BlockOutOfPlace { kind: 'F', .. });
    refuses!(good(&[&meta, &meta, &events, &footer]), Kind::BlockOutOfPlace { kind: 'M', .. });
    refuses!(good(&[&meta, &events]), Kind::Truncated { expected: "a block or the footer" });
    refuses!(good(&[&meta, &events, &footer, &footer]), Kind::AfterFooter);
    refuses!(good(&[&meta, &events, &footer, &events]), Kind::AfterFooter);
    refuses!(good(&[&meta, &events, &footer, &vec![0]]), Kind::AfterFooter);
    refuses!(good(&[&meta, &changed(events.clone(), 0, 0x07)]), Kind::BlockKind { kind: 7 });
    refuses!(
        good(&[&meta, &framed(b'X', 0, b"?"), &events, &footer]),
        Kind::UnknownBlock { kind: 'X' }
    );
    refuses!(good(&[&meta, &long_claim, &footer]), Kind::BlockLength { .. });
    for (kind, limit) in [(b'M', 262_144), (b'E', 524_293), (b'F', 4096), (b'a', 1 << 20)] {
        let claim = |length: u32| {
            let mut bytes = vec![kind];
            bytes.extend(length.to_le_bytes());
            bytes.extend([0; 8]);
            bytes
        };
        refuses!(good(&[&meta, &claim(limit + 1)]), Kind::BlockLength { .. });
        refuses!(good(&[&meta, &claim(limit)]), Kind::Truncated { .. });
    }
    refuses!(
        good(&[&meta, &events[..5].to_vec()]),
        Kind::Truncated { expected: "the head of a block" }
    );
    refuses!(
        good(&[&meta, &events[..20].to_vec()]),
        Kind::Truncated { expected: "the payload of a block" }
    );
    refuses!(
        good(&[&meta, &changed(events.clone(), 9, 0), &footer]),
        Kind::Checksum { part: "block", .. }
    );
    refuses!(
        good(&[&meta, &changed(events.clone(), 5, 4), &footer]),
        Kind::Checksum { part: "block", .. }
    );
    refuses!(
        good(&[&meta, &changed(events.clone(), 18, 9), &footer]),
        Kind::Checksum { part: "block", .. }
    );
}

#[test]
fn faults_of_the_meta_block_and_the_totals_are_named() {
    let [_, events, footer] = good_parts();
    let fixed = meta_payload(&totals(3));
    let with_meta = |count: u32, payload: &[u8]| {
        trace(&[framed(META, count, payload), events.clone(), footer.clone()])
    };
    let pairs = |bytes: &[u8]| [&fixed, bytes].concat();
    let with_footer = |count: u32, totals: &Totals| {
        trace(&[
            framed(META, 0, &fixed),
            events.clone(),
            framed(FOOTER, count, &encode_totals(totals)),
        ])
    };

    refuses!(with_meta(0, &fixed[..100]), Kind::StreamEnds { stream: "meta data" });
    refuses!(with_meta(1, &fixed), Kind::StreamEnds { .. });
    refuses!(with_meta(u32::MAX, &fixed), Kind::StreamEnds { .. });
    refuses!(with_meta(0, &pairs(&[1])), Kind::StreamLeftOver { bytes: 1, .. });
    refuses!(with_meta(1, &pairs(&[1, b'k', 0xff, 0xff, 0x7f])), Kind::StreamEnds { .. });
    refuses!(with_meta(1, &pairs(&[0xff; 12])), Kind::VarintTooLong { .. });
    refuses!(with_meta(1, &pairs(&[1, 0xfe, 0])), Kind::Text { .. });
    refuses!(with_meta(1, &pairs(&[1, b'k', 1, 0xfe])), Kind::Text { key } if key == "k");
    refuses!(with_meta(2, &pairs(&[1, b'k', 0, 1, b'k', 0])), Kind::DuplicateKey { .. });
    refuses!(
        with_meta(0, &meta_payload(&totals(4))),
        Kind::Totals { what: "events", expected: 4, found: 3 }
    );
    refuses!(with_footer(1, &totals(2)), Kind::Totals { expected: 2, found: 3, .. });
    refuses!(
        with_footer(1, &Totals { threads: 2, ..totals(3) }),
        Kind::Totals { what: "threads", .. }
    );
    refuses!(
        with_footer(1, &Totals { births: 1, ..totals(3) }),
        Kind::Totals { what: "blocks born", .. }
    );
    refuses!(with_footer(1, &Totals { live_at_end: 1, ..totals(3) }), Kind::Totals { .. });
    let kinds =
        Totals { calls: [(crate::event::Call::Free, 3)].into_iter().collect(), ..totals(3) };
    refuses!(with_footer(1, &kinds), Kind::Totals { what: "free", .. });
    refuses!(with_footer(2, &totals(3)), Kind::BlockCount { found: 2, .. });
    refuses!(
        trace(&[framed(META, 0, &fixed), events.clone(), framed(FOOTER, 1, &[0; 95])]),
        Kind::StreamEnds { stream: "totals" }
    );
}

#[test]
fn faults_of_an_events_block_are_named() {
    let good = streams(&[8, 8, 8], &[], &[], &[]);
    let lengths = |lengths: [u64; 4], rest: &[u8]| {
        let mut unpacked = Vec::new();
        lengths.into_iter().for_each(|length| varint::put(&mut unpacked, length));
        unpacked.extend(rest);
        plain(&unpacked)
    };
    let zeros = zstd::bulk::compress(&[0; 1000], 1).unwrap();

    refuses!(with_events(0, &good), Kind::BlockCount { found: 0, .. });
    refuses!(with_events(4, &good), Kind::StreamEnds { stream: "codes" });
    refuses!(with_events(u32::MAX, &good), Kind::StreamEnds { stream: "codes" });
    refuses!(with_events(2, &good), Kind::StreamLeftOver { stream: "codes", bytes: 1 });
    refuses!(with_events(1, &[0, 0, 0]), Kind::StreamEnds { stream: "events" });
    refuses!(with_events(3, &packed(2, 7, &good[5..])), Kind::Encoding { found: 2 });
    refuses!(with_events(3, &packed(0, 8, &good[5..])), Kind::Decompression { expected: 8 });
    refuses!(with_events(3, &packed(0, 6, &good[5..])), Kind::BlockLength { .. });
    refuses!(with_events(3, &packed(0, u32::MAX, &good[5..])), Kind::StreamsTooLong { .. });
    refuses!(with_events(3, &packed(1, 7, &good[5..])), Kind::Decompression { .. });
    refuses!(with_events(3, &packed(1, 999, &zeros)), Kind::Decompression { expected: 999 });
    refuses!(with_events(3, &packed(1, 1001, &zeros)), Kind::Decompression { expected: 1001 });
    refuses!(with_events(3, &packed(1, 400, &[])), Kind::Decompression { .. });
    refuses!(
        with_events(3, &lengths([3, 0, 0, 1], &[8, 8, 8])),
        Kind::StreamLengths { expected: 3, found: 4 }
    );
    refuses!(with_events(3, &lengths([2, 0, 0, 0], &[8, 8, 8])), Kind::StreamLengths { .. });
    refuses!(
        with_events(3, &lengths([u64::MAX, u64::MAX, 0, 0], &[8])),
        Kind::StreamLengths { .. }
    );
    refuses!(with_events(3, &plain(&[0x80; 4])), Kind::StreamEnds { stream: "lengths" });
    refuses!(
        with_events(1, &streams(&[8], &[0], &[], &[])),
        Kind::StreamLeftOver { stream: "sizes", .. }
    );
    refuses!(
        with_events(1, &streams(&[8], &[], &[0], &[])),
        Kind::StreamLeftOver { stream: "blocks", .. }
    );
    refuses!(
        with_events(1, &streams(&[8], &[], &[], &[0])),
        Kind::StreamLeftOver { stream: "times", .. }
    );
}

#[test]
fn faults_of_events_are_named() {
    let events = |count, codes: &[u8], sizes: &[u8], blocks: &[u8]| {
        with_events(count, &streams(codes, sizes, blocks, &[]))
    };
    /// `malloc(8)`.
    const NEW: u8 = 16 + 8;
    let huge = [0xff; 9];
    let beyond = [&huge[..], &[1]].concat();

    refuses!(events(1, &[14], &[], &[]), Kind::UnknownCode { code: 14 });
    refuses!(events(1, &[15], &[], &[]), Kind::UnknownCode { code: 15 });
    refuses!(events(1, &[13], &[0], &[]), Kind::StreamEnds { stream: "codes" });
    refuses!(events(1, &[13, 13, 8], &[0, 0], &[]), Kind::UnknownCode { code: 13 });
    refuses!(events(1, &[13, 8], &[1], &[]), Kind::Value { found: 1, .. });
    refuses!(events(1, &[13, 8], &beyond, &[]), Kind::Value { .. });
    refuses!(events(1, &[0], &[], &[]), Kind::StreamEnds { stream: "sizes" });
    refuses!(events(1, &[0], &[0x80], &[]), Kind::StreamEnds { stream: "sizes" });
    refuses!(events(1, &[0], &[0x81, 0x80, 0], &[]), Kind::VarintOverlong { stream: "sizes" });
    refuses!(events(1, &[0], &[0xff; 11], &[]), Kind::VarintTooLong { stream: "sizes" });
    refuses!(events(1, &[0], &[127], &[]), Kind::Value { found: 127, .. });
    refuses!(events(1, &[0], &beyond, &[]), Kind::Invalid(Violation::SizeTooLarge { .. }));
    refuses!(
        events(1, &[1], &[&beyond[..], &[2]].concat(), &[]),
        Kind::Invalid(Violation::SizeTooLarge { .. })
    );
    refuses!(events(1, &[2], &[31, 8], &[]), Kind::Invalid(Violation::BadAlignment { .. }));
    refuses!(events(1, &[2], &[64, 8], &[]), Kind::Value { found: 64, .. });
    refuses!(events(1, &[2], &[&beyond[..], &[8]].concat(), &[]), Kind::Value { .. });
    refuses!(events(1, &[144], &[], &[]), Kind::Value { found: 0, .. });
    refuses!(events(2, &[NEW, 145], &[], &[]), Kind::Value { found: 1, .. });
    refuses!(events(2, &[NEW, 200], &[], &[]), Kind::Value { .. });
    refuses!(events(2, &[NEW, 229], &[], &[]), Kind::Value { .. });
    refuses!(events(1, &[6], &[], &[0]), Kind::Value { .. });
    refuses!(events(2, &[NEW, 6], &[], &[]), Kind::StreamEnds { stream: "blocks" });
    refuses!(events(2, &[NEW, 6], &[], &[2]), Kind::Value { found: 1, .. });
    refuses!(events(2, &[NEW, 6], &[], &[5]), Kind::Value { .. });
    refuses!(events(2, &[NEW, 6], &[], &beyond), Kind::Value { .. });
    refuses!(events(3, &[NEW, 144, 144], &[], &[]), Kind::Invalid(Violation::Dead { block: 0 }));
    refuses!(events(3, &[NEW, 144, 4], &[9], &[0]), Kind::Invalid(Violation::Dead { block: 0 }));
    refuses!(events(1, &[12], &[], &[]), Kind::Invalid(Violation::MarkOutOfPlace { .. }));
    refuses!(events(2, &[11, 11], &[], &[]), Kind::Invalid(Violation::MarkOutOfPlace { .. }));
    refuses!(events(2, &[10, 8], &[], &[]), Kind::Invalid(Violation::ThreadEnded { thread: 0 }));
    refuses!(
        events(2, &[8, 9], &[], &[]),
        Kind::Invalid(Violation::ThreadStartedLate { thread: 0 })
    );
}

#[test]
fn errors_say_where_the_fault_is() {
    let [meta, events, footer] = good_parts();
    let faulty = framed(EVENTS, 2, &streams(&[8, 15], &[], &[], &[]));
    let offset = 24 + meta.len() + events.len();
    let error = read(&trace(&[meta, events, faulty, footer])).unwrap_err();
    assert_eq!((error.offset, error.block, error.event), (offset as u64, 2, 4));
    assert_eq!(
        error.to_string(),
        format!("expected the code of an event, found 0x0f (byte {offset}, block 2, event 4)")
    );
}

#[test]
fn what_a_later_minor_version_adds_is_passed_over() {
    let [meta, events, footer] = good_parts();
    let totals = [encode_totals(&totals(3)), b"more".to_vec()].concat();
    let mut bytes = header(1, 7, 64, 0x0003_0000);
    for part in [
        framed(b'a', 9, b"ancillary"),
        meta,
        framed(b'z', 0, b""),
        events,
        framed(b'q', 1, b"?"),
        framed(FOOTER, 1, &totals),
    ] {
        bytes.extend(part);
    }
    assert_eq!(read(&bytes).unwrap().len(), 3);
    drop(footer);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Streams of anything, in lengths that fit: read to a fault or to the totals, never a panic.
    #[test]
    fn streams_of_anything_never_panic(
        codes in vec(any::<u8>(), 1..60),
        sizes in vec(any::<u8>(), 0..60),
        blocks in vec(any::<u8>(), 0..60),
        count in 1..60_u32,
    ) {
        let _ = read(&with_events(count, &streams(&codes, &sizes, &blocks, &[])));
    }

    /// The same with codes that are often right, so that more of them are read.
    #[test]
    fn streams_of_likely_codes_never_panic(
        codes in vec(prop_oneof![0..16_u8, Just(24), 144..150_u8, 220..240_u8], 1..200),
        values in vec(0..6_u8, 0..200),
    ) {
        let payload = streams(&codes, &values, &values, &[]);
        let _ = read(&with_events(codes.len() as u32, &payload));
    }

    /// Files of anything behind a good beginning.
    #[test]
    fn files_of_anything_never_panic(rest in vec(any::<u8>(), 0..200), start in 0..5_usize) {
        let good = trace(&good_parts());
        let start = [0, 8, 24, 24 + 13 + 0x7c, good.len()][start];
        prop_assert!(read(&[&good[..start], &rest].concat()).is_err() || rest.is_empty());
    }
}

/// A trace of some 4 KiB with a little of everything.
fn sample() -> Vec<u8> {
    let events = RandomEvents::new(5, true).take(900);
    let meta = Meta { timed: true, producer: "test".into(), ..Meta::default() };
    let (_, bytes) = written(&meta, &events);
    assert!((3_000..8_000).contains(&bytes.len()), "{} bytes", bytes.len());
    bytes
}

#[test]
fn every_prefix_of_a_trace_is_an_error() {
    let bytes = sample();
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "accepted the first {length} bytes");
    }
}

#[test]
fn every_change_of_one_byte_is_an_error() {
    let mut bytes = sample();
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff, 0x5a] {
            bytes[at] ^= flip;
            assert!(read(&bytes).is_err(), "accepted byte {at} changed by {flip:#x}");
            bytes[at] ^= flip;
        }
    }
}

#[test]
fn changed_streams_under_a_right_checksum_are_refused_or_valid() {
    let events = RandomEvents::new(6, false).take(150);
    let mut encoder = crate::trace::codec::Encoder::new(false);
    events.iter().for_each(|event| encoder.push(event));
    let mut unpacked = Vec::new();
    encoder.take(&mut unpacked);
    let (mut refused, mut valid) = (0, 0);
    for at in 0..unpacked.len() {
        for flip in [1, 2, 4, 8, 16, 32, 64, 128, 0x7f, 0x33, 0x0f, 0xff] {
            unpacked[at] ^= flip;
            // The totals are wrong anyway; what counts is that the reader never panics.
            let kind = read(&with_events(150, &plain(&unpacked))).unwrap_err().kind;
            if matches!(kind, Kind::Totals { .. }) {
                valid += 1;
            } else {
                refused += 1;
            }
            unpacked[at] ^= flip;
        }
    }
    assert!(refused > 500 && valid > 200, "{refused} refused, {valid} valid");
}
