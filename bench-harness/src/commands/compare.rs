//! `arenabench compare`: two results files side by side.
//!
//! The figures and their words come from [`reports::compare`]; here they are read and printed. Notes
//! on what a reader must know go to standard error as well as into every form but CSV.

use reports::compare::Comparison;

use super::{print, report};
use crate::cli::{CompareFiles, Format};
use crate::exit::{self, Failure, Outcome};
use crate::talk::Voice;

/// Runs the command.
pub(crate) fn run(args: &CompareFiles, voice: &Voice) -> Outcome {
    let (_, a) = report::read(&args.a, voice)?;
    let (_, b) = report::read(&args.b, voice)?;
    let compared = Comparison::of(&a, &b);
    for note in &compared.notes {
        voice.say(note);
    }
    let text = match args.format {
        Format::Table => tables(&compared),
        Format::Md => compared.to_markdown(),
        Format::Csv => compared.to_csv(),
        Format::Json => {
            let text = serde_json::to_string_pretty(&compared.to_json())
                .map_err(|error| Failure::io("comparison", error.into()))?;
            format!("{text}\n")
        }
    };
    print::to(args.output.as_deref(), &text)?;
    voice.say(compared.sentence());
    Ok(exit::GOOD)
}

/// Every table under its title, the notes first.
fn tables(compared: &Comparison) -> String {
    let mut text = String::new();
    for note in &compared.notes {
        text += &format!("note: {note}\n");
    }
    for (title, table) in compared.sections() {
        let gap = if text.is_empty() { "" } else { "\n" };
        text += &format!("{gap}{title}\n\n{}", print::plain(&table));
    }
    text
}
