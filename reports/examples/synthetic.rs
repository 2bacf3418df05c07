//! Draws reports from invented records, to look at their layout:
//! `cargo run -p reports --example synthetic -- DIR`. Nothing in them was measured.

#[path = "../tests/all/synthetic/mod.rs"]
mod synthetic;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = PathBuf::from(std::env::args_os().nth(1).ok_or("give a folder to write to")?);
    let full = synthetic::run(12, 6, 5, 7);
    let runs = [
        ("full", full.clone()),
        ("everything", synthetic::everything()),
        ("wide", synthetic::run(14, 8, 12, 8)),
        ("crowd", synthetic::crowd::crowd(7, 5)),
        ("interrupted", synthetic::interrupted(full.clone())),
        ("no-memcheck", synthetic::without_memcheck(full)),
        ("alone", synthetic::run(1, 2, 5, 9)),
    ];
    for (name, results) in runs {
        reports::write_report(&results, &dir.join(name))?;
    }
    Ok(())
}
