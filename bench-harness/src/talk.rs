//! What is said on standard error: notes, and a progress bar that is drawn between samples only.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Talk;

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
        let template = "{bar:30} {pos}/{len} {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
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

    /// Begins a phase of `steps` steps.
    pub(crate) fn phase(&self, name: &str, steps: u64) {
        self.say(format!("{name}: {steps} children"));
        self.bar.reset();
        self.bar.set_length(steps);
    }

    /// One step of the phase is about to begin; drawn now, and not again until it is over.
    pub(crate) fn step(&self, message: String) {
        self.bar.set_message(message);
        self.bar.inc(1);
    }

    /// The phase is over.
    pub(crate) fn end_phase(&self) {
        self.bar.finish_and_clear();
    }
}
