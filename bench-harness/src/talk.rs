//! What is said on standard error: notes, and a progress bar that is drawn between samples only.

use std::io::{self, IsTerminal, Write};
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

/// Speaks on standard error, as far as the user wants it.
#[derive(Debug)]
pub(crate) struct Voice {
    quiet: bool,
    bar: ProgressBar,
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
        Self { quiet: talk.quiet, bar }
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
        let template = match steps {
            None => {
                self.say(name);
                "{pos} {wide_msg}"
            }
            Some(steps) => {
                self.say(format!("{name}: {steps} children"));
                "{bar:30} {pos}/{len} {wide_msg}"
            }
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.reset();
        self.bar.set_length(steps.unwrap_or(0));
    }

    /// One step of the phase is about to begin; drawn now, and not again until it is over.
    pub(crate) fn step(&self, message: String) {
        let length = self.bar.length().unwrap_or(0);
        let left = left(self.bar.elapsed(), self.bar.position(), length);
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
