//! Unsigned integers of 1 to 10 bytes, seven bits each, least significant first (LEB128).
//!
//! A value has one encoding: a last byte of zero behind others is refused, and so is an eleventh
//! byte or a tenth that overflows 64 bits.

use super::error::TraceErrorKind;

/// Appends `value`.
pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a value off the front of `bytes`; `stream` names them in errors.
pub(super) fn take(bytes: &mut &[u8], stream: &'static str) -> Result<u64, TraceErrorKind> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().enumerate() {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && byte > 1 {
            return Err(TraceErrorKind::VarintTooLong { stream });
        }
        value |= bits << (7 * at);
        if byte < 0x80 {
            if byte == 0 && at > 0 {
                return Err(TraceErrorKind::VarintOverlong { stream });
            }
            *bytes = &bytes[at + 1..];
            return Ok(value);
        }
    }
    Err(TraceErrorKind::StreamEnds { stream })
}

/// Signed to unsigned with small magnitudes first: 0, -1, 1, -2, 2 ...
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_reads_back_from_its_one_encoding() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                put(&mut bytes, value);
                assert!(bytes.len() <= 10);
                let mut rest = &bytes[..];
                assert_eq!(take(&mut rest, "test").unwrap(), value);
                assert!(rest.is_empty());
                assert_eq!(zigzag(unzigzag(value)), value);
            }
        }
        assert_eq!([0, -1, 1, i64::MIN].map(zigzag), [0, 1, 2, u64::MAX]);
    }

    #[test]
    fn bytes_that_are_no_value_are_refused() {
        let fault = |bytes: &[u8]| take(&mut &bytes[..], "test").unwrap_err();
        assert!(matches!(fault(&[]), TraceErrorKind::StreamEnds { .. }));
        assert!(matches!(fault(&[0x80]), TraceErrorKind::StreamEnds { .. }));
        assert!(matches!(fault(&[0x80, 0]), TraceErrorKind::VarintOverlong { .. }));
        assert!(matches!(fault(&[0xff; 11]), TraceErrorKind::VarintTooLong { .. }));
        let mut above = [0xff; 10];
        above[9] = 2;
        assert!(matches!(fault(&above), TraceErrorKind::VarintTooLong { .. }));
    }
}
