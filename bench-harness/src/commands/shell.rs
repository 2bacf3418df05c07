//! `arenabench completions` and `arenabench man`: made from the definitions that the help comes from.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::print;
use crate::cli::Cli;
use crate::exit::{self, Failure, Outcome};

/// Prints a shell's completion script.
pub(crate) fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "arenabench", &mut script);
    print::out(&String::from_utf8_lossy(&script))?;
    Ok(exit::GOOD)
}

/// Prints one manual page: the program's, then those of its commands one after the other.
pub(crate) fn man() -> Outcome {
    let mut page = Vec::new();
    let mut program = Cli::command();
    // Makes the commands' full names and their options known.
    program.build();
    render(&program, &mut page).map_err(|error| Failure::io("manual page", error))?;
    print::out(&String::from_utf8_lossy(&page))?;
    Ok(exit::GOOD)
}

fn render(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    Man::new(command.clone()).render(page)?;
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    shown.filter(|one| one.get_name() != "help").try_for_each(|one| render(one, page))
}
