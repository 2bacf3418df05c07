//! `arenabench compare`: two results files side by side.
//!
//! The figures and their words come from [`reports::compare`]; here they are read and printed. What a
//! reader must know beforehand goes to standard error where he would not see it: CSV has no place
//! for it, and a file is not read at once.

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
    if args.format == Format::Csv || args.output.is_some() {
        compared.notes.iter().for_each(|note| voice.say(note));
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
