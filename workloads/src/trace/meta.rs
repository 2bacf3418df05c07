//! What a trace says about itself: the M block and the F block.
//!
//! ```text
//! M  0x00 loss flags u32 | 0x04 frees of unknown blocks u64 | 0x0c failed calls u64
//!    0x14 lost frees u64 | 0x1c totals 96 B | 0x7c pairs: key length, key, text length, text
//! F  totals 96 B
//! totals  events, threads, births, live at the end, calls by kind (8), each u64
//! ```
//! The block's count is the number of pairs (M) or of E blocks (F). Lengths are varints.
//!
//! * M1: the part of fixed length comes first, so that a writer can put in what it only knows at
//!   the end.
//! * M2: keys are unique; unknown ones are ignored.

use super::block::u32_at;
use super::error::TraceErrorKind;
use super::varint;
use crate::event::Call;
use crate::totals::{CallCounts, Totals};

/// Most bytes of a text; the writer cuts longer ones off.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// Bytes of stored totals.
pub(super) const TOTALS_BYTES: usize = 8 * (4 + Call::ALL.len());

/// Bytes before the pairs (M1).
const FIXED_BYTES: usize = 4 + 3 * 8 + TOTALS_BYTES;

const _: () = assert!(TOTALS_BYTES == 96 && FIXED_BYTES == 0x7c);

/// What a trace lacks of what its program did.
///
/// A flag that is set rules claims out: replaying a trace without thread ids says nothing of
/// threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// All events stand on one thread whatever the program did.
    pub no_thread_ids: bool,
    /// Reallocations are recorded as a free and an allocation.
    pub no_realloc: bool,
    /// Aligned allocations are recorded as plain ones.
    pub no_alignment: bool,
    /// Sizes are not exactly those requested.
    pub rounded_sizes: bool,
    /// The end of the program is missing.
    pub truncated: bool,
    /// The log began on a heap that already held blocks (a fork, or attached to a running program).
    pub late_start: bool,
    /// Frees and reallocations of blocks the log did not know, left out.
    pub frees_of_unknown: u64,
    /// Calls that returned null, left out.
    pub failed_calls: u64,
    /// Frees the log missed, put in where the address was handed out again.
    pub lost_frees: u64,
}

impl Losses {
    /// Names of the flags that are set, as listings print them.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> + use<> {
        let set = self.bits();
        Self::NAMES
            .into_iter()
            .enumerate()
            .filter(move |(at, _)| set >> at & 1 == 1)
            .map(|(_, name)| name)
    }

    /// Flag names by bit.
    const NAMES: [&'static str; 6] =
        ["no-thread-ids", "no-realloc", "no-alignment", "rounded-sizes", "truncated", "late-start"];

    fn bits(&self) -> u32 {
        [
            self.no_thread_ids,
            self.no_realloc,
            self.no_alignment,
            self.rounded_sizes,
            self.truncated,
            self.late_start,
        ]
        .into_iter()
        .enumerate()
        .fold(0, |bits, (at, is_set)| bits | u32::from(is_set) << at)
    }

    fn from_bits(bits: u32) -> Self {
        let is_set = |at: u32| bits >> at & 1 == 1;
        Losses {
            no_thread_ids: is_set(0),
            no_realloc: is_set(1),
            no_alignment: is_set(2),
            rounded_sizes: is_set(3),
            truncated: is_set(4),
            late_start: is_set(5),
            ..Losses::default()
        }
    }
}

/// What a trace is: stored with it, never needed to read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Recorder, importer or generator, with its version.
    pub producer: String,
    /// Command line of the recorded program, or the name of the generated workload.
    pub command: String,
    /// Interpreter and version, where known.
    pub interpreter: String,
    /// Whether events carry times. Without it the writer drops them.
    pub timed: bool,
    /// What is missing.
    pub losses: Losses,
}

impl Meta {
    /// The payload and the count of the M block.
    pub(super) fn encode(&self, totals: &Totals) -> (Vec<u8>, u32) {
        let losses = &self.losses;
        let mut out = Vec::new();
        out.extend(losses.bits().to_le_bytes());
        for counter in [losses.frees_of_unknown, losses.failed_calls, losses.lost_frees] {
            out.extend(counter.to_le_bytes());
        }
        out.extend(encode_totals(totals));
        let pairs = self.pairs();
        for (key, text) in &pairs {
            let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
            for part in [key.as_bytes(), text.as_bytes()] {
                varint::put(&mut out, part.len() as u64);
                out.extend(part);
            }
        }
        (out, pairs.len() as u32)
    }

    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("producer", &self.producer),
            ("command", &self.command),
            ("interpreter", &self.interpreter),
        ];
        all.into_iter()
            .map(|(key, text)| (key, text.as_str()))
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    /// The inverse of [`Meta::encode`]; whether events are timed stands in the header.
    pub(super) fn decode(
        payload: &[u8],
        count: u32,
        timed: bool,
    ) -> Result<(Meta, Totals), TraceErrorKind> {
        let Some((fixed, mut pairs)) = payload.split_at_checked(FIXED_BYTES) else {
            return Err(TraceErrorKind::StreamEnds { stream: "meta data" });
        };
        let losses = Losses {
            frees_of_unknown: u64_at(fixed, 4),
            failed_calls: u64_at(fixed, 12),
            lost_frees: u64_at(fixed, 20),
            ..Losses::from_bits(u32_at(fixed, 0))
        };
        let totals = decode_totals(&fixed[28..]);
        let mut meta = Meta { timed, losses, ..Meta::default() };
        let mut keys = Vec::new();
        for _ in 0..count {
            let key = take_text(&mut pairs, "key")?;
            if keys.contains(&key) {
                return Err(TraceErrorKind::DuplicateKey { key });
            }
            let text = take_text(&mut pairs, &key)?;
            match key.as_str() {
                "producer" => meta.producer = text,
                "command" => meta.command = text,
                "interpreter" => meta.interpreter = text,
                _ => {}
            }
            keys.push(key);
        }
        if !pairs.is_empty() {
            return Err(TraceErrorKind::StreamLeftOver { stream: "meta data", bytes: pairs.len() });
        }
        Ok((meta, totals))
    }
}

fn take_text(bytes: &mut &[u8], key: &str) -> Result<String, TraceErrorKind> {
    let length = varint::take(bytes, "meta data")?;
    let text = usize::try_from(length).ok().and_then(|length| bytes.split_at_checked(length));
    let Some((text, rest)) = text else {
        return Err(TraceErrorKind::StreamEnds { stream: "meta data" });
    };
    *bytes = rest;
    match std::str::from_utf8(text) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(TraceErrorKind::Text { key: key.to_owned() }),
    }
}

/// Totals as both blocks store them.
pub(super) fn encode_totals(totals: &Totals) -> Vec<u8> {
    let head = [totals.events, totals.threads, totals.births, totals.live_at_end];
    let calls = totals.calls.iter().map(|(_, count)| count);
    head.into_iter().chain(calls).flat_map(u64::to_le_bytes).collect()
}

/// The inverse of [`encode_totals`], for at least [`TOTALS_BYTES`] bytes.
pub(super) fn decode_totals(bytes: &[u8]) -> Totals {
    let calls: CallCounts = Call::ALL
        .into_iter()
        .enumerate()
        .map(|(at, call)| (call, u64_at(bytes, 32 + 8 * at)))
        .collect();
    Totals {
        events: u64_at(bytes, 0),
        threads: u64_at(bytes, 8),
        births: u64_at(bytes, 16),
        live_at_end: u64_at(bytes, 24),
        calls,
    }
}

/// The first difference between stored and counted totals.
pub(super) fn compare_totals(stored: &Totals, counted: &Totals) -> Result<(), TraceErrorKind> {
    let fields = |totals: &Totals| {
        let head = [
            ("events", totals.events),
            ("threads", totals.threads),
            ("blocks born", totals.births),
            ("blocks live at the end", totals.live_at_end),
        ];
        let calls = totals.calls.iter().map(|(call, count)| (call.name(), count));
        head.into_iter().chain(calls).collect::<Vec<_>>()
    };
    for ((what, expected), (_, found)) in fields(stored).into_iter().zip(fields(counted)) {
        if expected != found {
            return Err(TraceErrorKind::Totals { what, expected, found });
        }
    }
    Ok(())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
