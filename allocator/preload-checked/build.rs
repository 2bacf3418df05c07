//! Puts `libarenite-checked.so` beside cargo's `libarenite_checked.so`, as a link to it: cargo allows
//! no hyphen in the name of a library.

use std::env;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    // target/<profile>/build/<package>/out
    let Some(profile) = out.ancestors().nth(3).map(Path::to_owned) else { return };
    let link = profile.join("libarenite-checked.so");
    if link.symlink_metadata().is_err()
        && let Err(error) = symlink("libarenite_checked.so", &link)
    {
        println!("cargo::warning=cannot make {}: {error}", link.display());
    }
}
