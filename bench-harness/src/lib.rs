//! The harness behind the `arenabench` command: subjects, replay, measuring, Valgrind.
//!
//! This crate alone starts processes and reads clocks. Its way through a run: `workload` turns a name
//! into events and `plan` compiles them; `child` starts one process per sample, in which `subject`
//! provides an allocator and `replay` calls it; `measure` and `valgrind` make records of what came
//! back, and the `reports` crate turns records into pages. `commands` holds one file per command.

mod aging;
#[cfg(test)]
mod alone;
mod bundled;
mod child;
mod cli;
mod commands;
mod contract;
mod counters;
mod detection;
mod exit;
mod host;
mod interrupt;
mod measure;
mod os;
mod ownership;
mod packing;
mod plan;
mod preload;
mod program;
mod python;
mod recording;
mod replay;
mod session;
mod side_by_side;
mod subject;
mod talk;
mod valgrind;
mod workload;

pub mod bench;

use std::process::ExitCode;

mod own_memory;

#[global_allocator]
static OWN_MEMORY: own_memory::OwnMemory = own_memory::OwnMemory;

use clap::Parser;

use cli::{Cli, Command, Trace};
use exit::Failure;
use interrupt::Interrupt;
use talk::Voice;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    // A launcher of a real program: all that follows is that program's command line.
    if std::env::args_os().nth(1).is_some_and(|first| first == program::launch::ARGUMENT) {
        return ExitCode::from(program::launch::main(std::env::args_os().skip(2)));
    }
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == child::job::ARGUMENT) {
        // A sample: no command line and no signal handlers.
        let job = arguments.next().unwrap_or_default();
        return ExitCode::from(child::sample::main(&job.to_string_lossy()));
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == contract::child::ARGUMENT) {
        let subject = std::env::args_os().nth(2).unwrap_or_default();
        return ExitCode::from(contract::child::main(&subject.to_string_lossy()));
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == ownership::child::ARGUMENT) {
        let job = std::env::args_os().nth(2).unwrap_or_default();
        return ExitCode::from(ownership::child::main(&job.to_string_lossy()));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::GOOD });
        }
    };
    let voice = Voice::new(cli.talk);
    match dispatch(cli.command, &voice) {
        Ok(code) => ExitCode::from(code),
        Err(Failure { code, error }) => {
            voice.complain(format!("arenabench: error: {error:#}"));
            ExitCode::from(code)
        }
    }
}

fn dispatch(command: Command, voice: &Voice) -> exit::Outcome {
    let interrupt =
        || Interrupt::install().map_err(|error| Failure::io("cannot listen for interrupts", error));
    match command {
        Command::Run(args) => commands::run::run(&args, voice, &interrupt()?),
        Command::List(args) => commands::list::run(&args),
        Command::Doctor => commands::doctor::run(),
        Command::Record(args) => commands::record::run(&args, voice, &interrupt()?),
        Command::Trace(Trace::Info(args)) => commands::trace::info(&args),
        Command::Trace(Trace::Generate(args)) => commands::trace::generate(&args, voice),
        Command::Trace(Trace::Import(args)) => commands::trace::import(&args, voice),
        Command::Trace(Trace::Validate(args)) => commands::trace::validate(&args),
        Command::Trace(Trace::Reduce(args)) => {
            commands::trace_reduce::run(&args, voice, &interrupt()?)
        }
        Command::Replay(args) => commands::replay::run(&args, voice, &interrupt()?),
        Command::Program(args) => commands::program::run(&args, voice, &interrupt()?),
        Command::Memcheck(args) => commands::memcheck::run(&args, voice, &interrupt()?),
        Command::Ownership(args) => commands::ownership::run(&args, voice, &interrupt()?),
        Command::Contract(args) => commands::contract::run(&args, voice, &interrupt()?),
        Command::Compare(args) => commands::compare::run(&args, voice),
        Command::Check(args) => commands::check::run(&args, voice, &interrupt()?),
        Command::Report(args) => commands::report::run(&args, voice),
        Command::Completions(args) => commands::shell::completions(args.shell),
        Command::Man => commands::shell::man(),
    }
}
