//! Counts of a stream of events, as the trace's footer stores them.

use crate::event::Call;

/// Calls by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts([u64; Call::ALL.len()]);

impl CallCounts {
    /// Counts one more call of a kind.
    pub fn add(&mut self, call: Call) {
        self.0[call as usize] += 1;
    }

    /// Calls of one kind.
    #[must_use]
    pub fn of(&self, call: Call) -> u64 {
        self.0[call as usize]
    }

    /// Calls of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Kind and count, in the order of [`Call::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Call, u64)> + '_ {
        Call::ALL.iter().map(|&call| (call, self.of(call)))
    }
}

impl FromIterator<(Call, u64)> for CallCounts {
    /// Sums the counts of each kind.
    fn from_iter<I: IntoIterator<Item = (Call, u64)>>(counts: I) -> Self {
        let mut all = CallCounts::default();
        for (call, count) in counts {
            let sum = &mut all.0[call as usize];
            *sum = sum.saturating_add(count);
        }
        all
    }
}

/// Counts of a whole trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events, marks among them.
    pub events: u64,
    /// Calls by kind.
    pub calls: CallCounts,
    /// Threads that appear.
    pub threads: u64,
    /// Blocks born.
    pub births: u64,
    /// Blocks still alive after the last event.
    pub live_at_end: u64,
}
