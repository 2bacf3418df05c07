//! Completion scripts and the manual page know every command that the help knows.

use crate::command::arenabench;

/// The names that `arenabench --help` lists as commands.
fn commands() -> Vec<String> {
    let help = arenabench("--help").stdout;
    let list = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let lines = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<String> =
        lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(names.len() > 12 && names.contains(&"compare".to_owned()), "{help}");
    names
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = arenabench(&format!("completions {shell}"));
        assert_eq!(script.code, 0, "{}", script.stderr);
        for name in commands() {
            assert!(script.stdout.contains(&name), "{shell}: {name}");
        }
    }
    assert_eq!(arenabench("completions nosuch").code, 2);
}

#[test]
fn the_manual_page_describes_every_command() {
    let page = arenabench("man");
    assert_eq!(page.code, 0, "{}", page.stderr);
    assert!(page.stdout.contains(".TH arenabench"), "{}", page.stdout);
    for name in commands().iter().filter(|name| *name != "help") {
        assert!(page.stdout.contains(&format!(".TH arenabench-{name} ")), "{name}");
    }
}
