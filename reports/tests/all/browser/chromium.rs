//! Chromium without a window: given a page, says what a reader's eyes would stumble over.
//!
//! The browser is started once per colour scheme on a document that holds the page in one frame per
//! width and one for paper (`measure.html`), and its dump of that document is read. No driver and no port is needed.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Widths of a phone, a tablet and a desk, in CSS pixels.
pub(crate) const WIDTHS_PX: [u32; 3] = [360, 768, 1280];

/// Width of a sheet of A4 between margins of a centimetre, in CSS pixels.
const PAPER_PX: u32 = 718;

const MEASURE: &str = include_str!("measure.html");
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What the reader's system asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// Something that is wrong with a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// `overflow`, `paper`, `cut`, `overlap`, `glyph`, `contrast` or `console`.
    pub(crate) check: String,
    /// What and where.
    pub(crate) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.what)
    }
}

/// A browser found on the search path.
pub(crate) struct Chromium(PathBuf);

impl Chromium {
    /// The first browser of a known name, or `None`, which is said loudly.
    pub(crate) fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let found = NAMES
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|file| file.is_file());
        if found.is_none() {
            eprintln!("LEFT OUT: no browser, none of {NAMES:?} is on the search path");
        }
        found.map(Self)
    }

    /// Looks at `html` at every width in one scheme.
    pub(crate) fn look(&self, html: &str, scheme: Scheme) -> Vec<Finding> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("measure.html");
        let page = serde_json::to_string(html).expect("a string").replace('<', "\\u003c");
        let widths = format!("{WIDTHS_PX:?}");
        let document = MEASURE
            .replace("/*WIDTHS*/", &widths)
            .replace("/*PAPER*/", &PAPER_PX.to_string())
            .replace("/*PAGE*/", &page);
        fs::write(&file, document).expect("the document");
        let (dump, talk) = self.run(&file, dir.path(), scheme);
        let mut findings = read(&dump, scheme);
        let said = talk.lines().filter(|line| line.contains(":CONSOLE"));
        findings.extend(
            said.map(|line| Finding { check: "console".to_owned(), what: line.to_owned() }),
        );
        findings
    }

    /// Standard output and standard error of the browser.
    fn run(&self, file: &Path, profile: &Path, scheme: Scheme) -> (String, String) {
        let setting = match scheme {
            Scheme::Dark => "--blink-settings=preferredColorScheme=0",
            Scheme::Light => "--blink-settings=preferredColorScheme=1",
        };
        let output = Command::new(&self.0)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args([
                "--enable-logging=stderr",
                "--no-first-run",
                "--hide-scrollbars",
                "--window-size=1400,1000",
            ])
            .arg(format!("--user-data-dir={}", profile.join("profile").display()))
            .args([setting, "--dump-dom"])
            .arg(file)
            .output()
            .expect("the browser starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    }
}

/// The findings in a dump, which must say that every width was seen in the right scheme: a browser
/// that looked at nothing finds nothing.
fn read(dump: &str, scheme: Scheme) -> Vec<Finding> {
    let start = dump.split_once("<pre id=\"findings\">").map(|(_, rest)| rest);
    let lines = start.and_then(|rest| rest.split_once("</pre>")).map(|(lines, _)| lines);
    let lines = lines.unwrap_or_else(|| panic!("no answer of the browser in: {dump:.500}"));
    let lines = lines.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let mut seen = Vec::new();
    let mut findings = Vec::new();
    for line in lines.lines() {
        let mut fields = line.splitn(3, '\t');
        let mut field = || fields.next().unwrap_or_default();
        let (check, width, what) = (field(), field(), field());
        if check == "seen" {
            seen.push(what.split(' ').take(2).collect::<Vec<_>>().join(" "));
        } else {
            let what = format!("at {width} px, {scheme:?}: {what}");
            findings.push(Finding { check: check.to_owned(), what });
        }
    }
    let word = if scheme == Scheme::Dark { "dark" } else { "light" };
    let all = WIDTHS_PX.iter().chain([&PAPER_PX]);
    let expected: Vec<String> = all.map(|width| format!("{word} {width}")).collect();
    assert_eq!(seen, expected, "the browser did not see the page as asked");
    findings
}
