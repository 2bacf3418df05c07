//! What a program is given and has to show before a tool is put in front of it: the same environment
//! as in a plain run, and the file that serves its `malloc` there (R2).

use std::io;
use std::process::Command;

use reports::record;

use super::Program;
use super::run::{self, Request};
use super::subject::Server;
use crate::child::spawn::Limits;
use crate::interrupt::Interrupt;

/// Every program is taken for a Python program: the variables mean nothing to others.
fn request<'a>(program: &'a Program, server: &'a Server, verified: bool) -> Request<'a> {
    Request { program, server, python: true, round: 0, again: false, verified }
}

/// Runs the program without any tool, the dynamic linker asked who serves.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn prove(
    program: &Program,
    server: &Server,
    limits: Limits,
    interrupt: &Interrupt,
) -> io::Result<record::Program> {
    run::run(&request(program, server, true), 0, limits, interrupt)
}

/// Gives a launcher the environment that the program is to have.
pub(crate) fn environment(command: &mut Command, program: &Program, server: &Server) {
    run::environment(command, &request(program, server, false));
}
