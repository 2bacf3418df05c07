//! What is said on standard error: notes, and a progress bar that is drawn between samples only.

use std::io::{self, IsTerminal, Write};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Talk;

/// Steps that are over before an estimate is made of the others.
const ESTIMATED_FROM: u64 = 3;

/// How long the steps of a phase that are not over will take if they are like those that are. A
/// phase may end early, at its time limit: hence "at most". `None` while too little is known.
fn left(elapsed: Duration, over: u64, length: u64) -> Option<String> {
    if over < ESTIMATED_FROM || over >= length {
        return None;
    }
    let seconds = elapsed.as_secs_f64() / over as f64 * (length - over) as f64;
    Some(match seconds {
        0.0..=1.5 => "a second left at most".to_owned(),
        0.0..=90.0 => format!("{seconds:.0} s left at most"),
        _ => format!("{:.0} min left at most", seconds / 60.0),
    })
}

/// A phase of rounds, none of which begins after a time.
#[derive(Clone, Copy, Debug)]
struct Rounds {
    /// Steps of each.
    steps: u64,
    /// How many there are at least.
    least: u64,
    time: Duration,
}

impl Rounds {
    /// Steps that the phase will have if further ones take as long as those that are over, `most` at most.
    fn expected(&self, elapsed: Duration, over: u64, most: u64) -> u64 {
        if over < ESTIMATED_FROM {
            return most;
        }
        let round = elapsed.as_secs_f64() / over as f64 * self.steps as f64;
        let begun = (self.time.as_secs_f64() / round).ceil() as u64;
        let rounds = begun.max(self.least).max(over.div_ceil(self.steps));
        most.min(rounds.saturating_mul(self.steps))
    }
}

/// Speaks on standard error, as far as the user wants it.
#[derive(Debug)]
pub(crate) struct Voice {
    quiet: bool,
    bar: ProgressBar,
    /// The phase's rounds, if it has some, and all their steps.
    rounds: Mutex<Option<(Rounds, u64)>>,
}

impl Voice {
    /// A voice as the command line asks for it.
    pub(crate) fn new(talk: Talk) -> Self {
        let bar = ProgressBar::hidden();
        if !talk.quiet && !talk.no_progress && io::stderr().is_terminal() {
            // At most ten frames a second, and none by itself: a ticking bar would take time from
            // the sample that is being measured.
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        Self { quiet: talk.quiet, bar, rounds: Mutex::new(None) }
    }

    /// Says one line. A closed standard error is no reason to stop.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        if !self.quiet {
            self.bar.suspend(|| {
                let _ = writeln!(io::stderr(), "{}", line.as_ref());
            });
        }
    }

    /// Says one line even when asked to be quiet.
    pub(crate) fn complain(&self, line: impl AsRef<str>) {
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "{}", line.as_ref());
        });
    }

    /// Begins a phase of `steps` steps; `None` where nobody knows how many there will be.
    pub(crate) fn phase(&self, name: &str, steps: impl Into<Option<u64>>) {
        let steps = steps.into();
        self.say(match steps {
            None => name.to_owned(),
            Some(steps) => format!("{name}: {steps} children"),
        });
        self.begin(steps, None);
    }

    /// Begins a phase of rounds of `steps` steps each, as many as begin in `time`.
    pub(crate) fn phase_of_rounds(
        &self,
        name: &str,
        steps: u64,
        rounds: RangeInclusive<u32>,
        time: Duration,
    ) {
        let (least, most) = (*rounds.start(), *rounds.end());
        self.say(match least == most {
            true => format!("{name}: {} children", steps * u64::from(most)),
            false => format!(
                "{name}: {least} to {most} rounds of {steps} children, as many as begin in {:.0} s",
                time.as_secs_f64()
            ),
        });
        let all = steps * u64::from(most);
        self.begin(Some(all), Some((Rounds { steps, least: u64::from(least), time }, all)));
    }

    fn begin(&self, steps: Option<u64>, rounds: Option<(Rounds, u64)>) {
        *self.rounds.lock().unwrap_or_else(PoisonError::into_inner) = rounds;
        let template = match steps {
            None => "{pos} {wide_msg}",
            Some(_) => "{bar:30} {pos}/{len} {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.reset();
        self.bar.set_length(steps.unwrap_or(0));
    }

    /// One step of the phase is about to begin; drawn now, and not again until it is over.
    pub(crate) fn step(&self, message: String) {
        let (elapsed, over) = (self.bar.elapsed(), self.bar.position());
        if let Some((rounds, all)) = *self.rounds.lock().unwrap_or_else(PoisonError::into_inner) {
            self.bar.set_length(rounds.expected(elapsed, over, all));
        }
        let length = self.bar.length().unwrap_or(0);
        let left = left(elapsed, over, length);
        self.bar.set_message(match left {
            Some(left) => format!("{message} ({left})"),
            None => message,
        });
        self.bar.inc(1);
    }

    /// The phase is over.
    pub(crate) fn end_phase(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_from_what_is_over() {
        let second = Duration::from_secs(1);
        assert_eq!(left(10 * second, 10, 40).as_deref(), Some("30 s left at most"));
        assert_eq!(left(60 * second, 4, 40).as_deref(), Some("9 min left at most"));
        assert_eq!(left(10 * second, 100, 101).as_deref(), Some("a second left at most"));
    }

    #[test]
    fn nothing_is_promised_from_nothing_and_nothing_is_left_at_the_end() {
        assert_eq!(left(Duration::from_secs(9), 2, 40), None);
        assert_eq!(left(Duration::from_secs(9), 40, 40), None);
        assert_eq!(left(Duration::from_secs(9), 5, 0), None);
    }

    #[test]
    fn rounds_that_will_not_begin_are_no_steps_of_the_phase() {
        let rounds = Rounds { steps: 10, least: 3, time: Duration::from_secs(95) };
        let second = Duration::from_secs(1);
        assert_eq!(rounds.expected(2 * second, 2, 250), 250, "too little is known");
        assert_eq!(rounds.expected(5 * second, 5, 250), 100, "the tenth begins at 90 s");
        assert_eq!(rounds.expected(5 * second, 5, 80), 80);
        assert_eq!(rounds.expected(50 * second, 5, 250), 30, "so many are taken in any case");
        assert_eq!(rounds.expected(99 * second, 41, 250), 50, "what is begun is ended");
        assert_eq!(rounds.expected(Duration::ZERO, 5, 250), 250, "steps that took no time");
    }

    /// A bar that ticks draws by itself, in the middle of a sample.
    #[test]
    fn the_bar_stands_still_between_steps() {
        let voice = Voice::new(Talk { quiet: false, no_progress: false });
        voice.phase("Measuring", 5);
        voice.step("a sample".to_owned());
        let before = voice.bar.position();
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(voice.bar.position(), before);
    }
}
