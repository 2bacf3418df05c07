//! Figures as text: three significant digits, binary sizes, plain words for time.
//!
//! Charts, pages and Markdown all print through here, so that a figure looks the same everywhere.

use crate::statistics::{Estimate, Interval};

const MINUTE_S: f64 = 60.0;

/// Three significant digits, thousands in groups: `0.0123`, `4.56`, `78.9`, `123`, `27,100`.
#[must_use]
pub fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    let size = value.abs();
    if size >= 999.5 {
        return grouped(value.round() as i64);
    }
    let decimals = if size >= 99.95 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.9995 || size == 0.0 {
        2
    } else {
        // 0.123 takes three decimals, 0.0123 four; below a millionth the zeros say enough.
        (2 - size.log10().floor() as i32).clamp(3, 8) as usize
    };
    format!("{value:.decimals$}")
}

/// A count with its thousands in groups: `1,234,567`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn grouped(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", count(value.unsigned_abs()))
}

/// A size in bytes with a binary unit: `512 B`, `1.50 KiB`, `23.4 MiB`.
#[must_use]
pub fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if value < 1024.0 {
        return format!("{} B", value.round());
    }
    let mut scaled = value / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        // 1023.5 would print as 1,024 of the smaller unit.
        if scaled < 1023.5 {
            break;
        }
        scaled /= 1024.0;
        unit = next;
    }
    format!("{} {unit}", figure(scaled))
}

/// A duration: `870 ns`, `12.3 ms`, `4.56 s`, `3 min 20 s`.
#[must_use]
pub fn duration(ns: f64) -> String {
    let seconds = ns / 1e9;
    if seconds >= MINUTE_S {
        let whole = seconds.round();
        let (minutes, rest) = ((whole / MINUTE_S).floor(), whole % MINUTE_S);
        return match rest as u64 {
            0 => format!("{minutes} min"),
            rest => format!("{minutes} min {rest} s"),
        };
    }
    match ns {
        ns if ns < 999.5 => format!("{} ns", figure(ns)),
        ns if ns < 999.5e3 => format!("{} µs", figure(ns / 1e3)),
        ns if ns < 999.5e6 => format!("{} ms", figure(ns / 1e6)),
        ns => format!("{} s", figure(ns / 1e9)),
    }
}

/// A share from 0 to 1 as percent: `98.2 %`.
#[must_use]
pub fn share(value: f64) -> String {
    percent(100.0 * value)
}

/// A figure in percent with at most three significant digits and one decimal: `0.4 %`, `12.3 %`.
#[must_use]
pub fn percent(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{} %", figure(value)),
        _ => format!("{value:.1} %"),
    }
}

/// An interval: `[0.61, 0.65]`.
#[must_use]
pub fn interval(interval: Interval) -> String {
    format!("[{}, {}]", figure(interval.low), figure(interval.high))
}

/// A value with its interval: `0.63 [0.61, 0.65]`; without one, the value alone.
#[must_use]
pub fn estimate(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(ends) => format!("{} {}", figure(estimate.value), interval(ends)),
        None => figure(estimate.value),
    }
}

/// A difference in words: a ratio of 0.8 is `20.0 % less`, of 1.25 `25.0 % more`, of 3 `3.00 times`.
#[must_use]
pub fn difference(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 2.0 => format!("{} times", figure(ratio)),
        ratio if ratio >= 1.0 => format!("{} more", percent(100.0 * (ratio - 1.0))),
        ratio => format!("{} less", percent(100.0 * (1.0 - ratio))),
    }
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// `1 workload`, `3 workloads`.
#[must_use]
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", self::count(count as u64), if count == 1 { one } else { many })
}

/// A moment in universal time: `2025-03-09 17:04 UTC`.
#[must_use]
pub fn moment(unix_s: u64) -> String {
    const DAY_S: u64 = 86_400;
    let (days, second) = (unix_s / DAY_S, unix_s % DAY_S);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", second / 3600, second / 60 % 60)
}

/// Year, month and day of a day counted from 1 January 1970, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    // Whole cycles of 400 years first, so that the loop is short for any input.
    const CYCLE_DAYS: u64 = 146_097;
    let mut year = 1970 + 400 * (days / CYCLE_DAYS);
    let mut rest = days % CYCLE_DAYS;
    while rest >= 365 + u64::from(leap(year)) {
        rest -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    (year, month, rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_significant_digits() {
        let cases = [
            (0.0, "0.00"),
            (0.001_234, "0.00123"),
            (0.123_4, "0.123"),
            (0.999_6, "1.00"),
            (1.0, "1.00"),
            (9.994, "9.99"),
            (9.996, "10.0"),
            (99.96, "100"),
            (999.6, "1,000"),
            (1_234_567.0, "1,234,567"),
            (-1234.0, "-1,234"),
            (f64::NAN, "unknown"),
        ];
        for (value, expected) in cases {
            assert_eq!(figure(value), expected, "{value}");
        }
    }

    #[test]
    fn sizes_are_binary_and_change_unit_before_four_digits() {
        let cases = [
            (0.0, "0 B"),
            (1023.0, "1023 B"),
            (1024.0, "1.00 KiB"),
            (1536.0, "1.50 KiB"),
            (1023.9 * 1024.0, "1.00 MiB"),
            (8.0 * 1024.0 * 1024.0 * 1024.0, "8.00 GiB"),
        ];
        for (value, expected) in cases {
            assert_eq!(bytes(value), expected, "{value}");
        }
    }

    #[test]
    fn durations_take_the_unit_that_fits() {
        let cases = [
            (870.0, "870 ns"),
            (12_300.0, "12.3 µs"),
            (12_300_000.0, "12.3 ms"),
            (4.56e9, "4.56 s"),
            (200e9, "3 min 20 s"),
            (119.7e9, "2 min"),
        ];
        for (value, expected) in cases {
            assert_eq!(duration(value), expected, "{value}");
        }
    }

    #[test]
    fn moments_know_leap_years_and_centuries() {
        let cases = [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_741_539_840, "2025-03-09 17:04 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ];
        for (value, expected) in cases {
            assert_eq!(moment(value), expected, "{value}");
        }
    }

    #[test]
    fn differences_are_words() {
        assert_eq!(difference(0.8), "20.0 % less");
        assert_eq!(difference(1.25), "25.0 % more");
        assert_eq!(difference(3.0), "3.00 times");
    }
}
