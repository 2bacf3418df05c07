//! Names of generated workloads: `int-churn`, `dict-resize@3.9`, `frame-push-pop@2.7:100k`.
//!
//! ```text
//! spec     = workload [ "@" era ] [ ":" size ]
//! workload = "int-churn" | "dict-resize" | "frame-push-pop"
//! era      = "2.3" | "2.7" | "3.6" ... "3.14"         default 3.11
//! size     = digits [ "k" | "m" ]                     default 10k, from 100 to 100m
//! ```
//! A name leaves out what is default, so that one workload has one name.

use std::fmt;
use std::str::FromStr;

use super::era::Era;

/// What a generated workload does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Workload {
    /// Integers replaced at random places of a live set.
    IntChurn,
    /// Dicts that grow from empty through the table of sizes.
    DictResize,
    /// Recursion to varying depth.
    FramePushPop,
}

impl Workload {
    /// Every workload, in the order a listing prints them.
    pub const ALL: [Workload; 3] =
        [Workload::IntChurn, Workload::DictResize, Workload::FramePushPop];

    /// Name in a spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Workload::IntChurn => "int-churn",
            Workload::DictResize => "dict-resize",
            Workload::FramePushPop => "frame-push-pop",
        }
    }
}

/// Default size of a workload's live set.
pub const DEFAULT_LIVE: u64 = 10_000;

/// Smallest size a spec may ask for.
pub const MIN_LIVE: u64 = 100;

/// Largest size a spec may ask for.
pub const MAX_LIVE: u64 = 100_000_000;

/// A generated workload: what, as which CPython, how large.
///
/// ```
/// use workloads::generate::Spec;
///
/// let spec: Spec = "dict-resize@3.9:100k".parse()?;
/// assert_eq!(spec.to_string(), "dict-resize@3.9:100k");
/// assert_eq!("int-churn@3.11:10000".parse::<Spec>()?.to_string(), "int-churn");
/// # Ok::<(), workloads::generate::SpecError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// What the workload does.
    pub workload: Workload,
    /// The CPython it imitates.
    pub era: Era,
    /// Live set in the workload's own unit: ints (`int-churn`), entries over all dicts
    /// (`dict-resize`), calls nested at the deepest point (`frame-push-pop`).
    pub live: u64,
}

/// The specs of [`super::all`].
pub(super) const DEFAULTS: [Spec; 3] = [
    Spec::of(Workload::IntChurn),
    Spec::of(Workload::DictResize),
    Spec::of(Workload::FramePushPop),
];

impl Spec {
    /// A workload at its default era and size.
    #[must_use]
    pub const fn of(workload: Workload) -> Self {
        Spec { workload, era: Era::DEFAULT, live: DEFAULT_LIVE }
    }

    /// One sentence for a listing: what is live and what is done to it.
    #[must_use]
    pub fn description(&self) -> String {
        let live = Size(self.live);
        let era = self.era;
        match self.workload {
            Workload::IntChurn => format!(
                "{live} live integers replaced at random by a counting loop, as CPython {era} does it"
            ),
            Workload::DictResize => format!(
                "dicts with {live} live entries in all, dropped and grown again from empty, \
                 as CPython {era} does it"
            ),
            Workload::FramePushPop => format!(
                "recursion to varying depth, at most {live} calls deep, as CPython {era} does it"
            ),
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.workload.name())?;
        if self.era != Era::DEFAULT {
            write!(f, "@{}", self.era)?;
        }
        if self.live != DEFAULT_LIVE {
            write!(f, ":{}", Size(self.live))?;
        }
        Ok(())
    }
}

/// A size as a spec writes it: `10k`, `1m`, `12345`.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n % 1_000_000 == 0 => write!(f, "{}m", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, "{}k", n / 1_000),
            n => write!(f, "{n}"),
        }
    }
}

/// Why a text is no [`Spec`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The part before `@` and `:` names no workload.
    #[error("unknown workload `{name}`; there are {}", listed(Workload::ALL.map(Workload::name)))]
    UnknownWorkload {
        /// What stood there.
        name: String,
    },
    /// The part after `@` names no era.
    #[error(
        "unknown era `{era}` in workload `{spec}`; there are {}",
        listed(Era::ALL.map(Era::name))
    )]
    UnknownEra {
        /// The whole text.
        spec: String,
        /// What stood there.
        era: String,
    },
    /// The part after `:` is no size.
    #[error(
        "bad size `{size}` in workload `{spec}`; a size is a number from {MIN_LIVE} to \
         {MAX_LIVE}, such as 12345, 10k or 1m"
    )]
    BadSize {
        /// The whole text.
        spec: String,
        /// What stood there.
        size: String,
    },
}

fn listed<const N: usize>(names: [&'static str; N]) -> String {
    names.join(", ")
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (rest, size) = match text.split_once(':') {
            Some((rest, size)) => (rest, Some(size)),
            None => (text, None),
        };
        let (name, era) = match rest.split_once('@') {
            Some((name, era)) => (name, Some(era)),
            None => (rest, None),
        };
        let workload = Workload::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
            .ok_or_else(|| SpecError::UnknownWorkload { name: name.to_owned() })?;
        let mut spec = Spec::of(workload);
        if let Some(era) = era {
            spec.era = Era::named(era).ok_or_else(|| SpecError::UnknownEra {
                spec: text.to_owned(),
                era: era.to_owned(),
            })?;
        }
        if let Some(size) = size {
            spec.live = parse_size(size).ok_or_else(|| SpecError::BadSize {
                spec: text.to_owned(),
                size: size.to_owned(),
            })?;
        }
        Ok(spec)
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' => (&text[..text.len() - 1], 1_000),
        b'm' => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    // `u64::from_str` takes a leading plus sign; a size has none.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (MIN_LIVE..=MAX_LIVE).contains(&size).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_the_spec_it_names() {
        for workload in Workload::ALL {
            for era in Era::ALL {
                for live in [100, 1_000, 10_000, 12_345, 100_000, 1_000_000, MAX_LIVE] {
                    let spec = Spec { workload, era, live };
                    assert_eq!(spec.to_string().parse(), Ok(spec));
                }
            }
        }
    }

    #[test]
    fn a_name_leaves_out_what_is_default() {
        let name = |text: &str| text.parse::<Spec>().map(|spec| spec.to_string());
        assert_eq!(name("int-churn@3.11:10k").as_deref(), Ok("int-churn"));
        assert_eq!(name("int-churn:10000").as_deref(), Ok("int-churn"));
        assert_eq!(name("dict-resize@3.9:1000k").as_deref(), Ok("dict-resize@3.9:1m"));
    }

    #[test]
    fn errors_name_the_bad_part_and_list_what_exists() {
        let message = |text: &str| text.parse::<Spec>().unwrap_err().to_string();
        let unknown = message("intchurn@3.9");
        assert!(unknown.contains("`intchurn`") && unknown.contains("frame-push-pop"), "{unknown}");
        let era = message("int-churn@3.5:1k");
        assert!(era.contains("`3.5`") && era.contains("2.3, 2.7, 3.6"), "{era}");
        for size in ["", "0", "99", "k", "+1k", "1g", "10 k", "100000001", "99999999999999999999k"]
        {
            let text = format!("int-churn:{size}");
            let bad = message(&text);
            assert!(bad.contains(&format!("`{size}`")) && bad.contains("10k"), "{bad}");
        }
        assert!(message("").contains("unknown workload ``"));
        assert!(message("int-churn@").contains("unknown era ``"));
    }
}
