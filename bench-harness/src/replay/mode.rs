//! How the threads of a trace are brought together in a replay.

use clap::ValueEnum;

/// Replay modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Recorded order on one thread, exact; memory is measured
    #[default]
    Serial,
    /// On the threads of the trace, as fast as it goes; the default where there are several
    Parallel,
    /// As parallel, with no call before its recorded time; needs a trace with times
    Paced,
}

impl Mode {
    /// Name on the command line and in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Parallel => "parallel",
            Self::Paced => "paced",
        }
    }
}
