//! Elements in a row that share what they inherit, in a group that says it once.
//!
//! ```text
//! <text x="1" fill-opacity="0.7">a</text>        <g fill-opacity="0.7">
//! <text x="2" fill-opacity="0.7">b</text>   ->   <text x="1">a</text>
//!                                                <text x="2">b</text>
//!                                                </g>
//! ```
//! * I1: an element stands only in groups of which it had every attribute, with the same value, so that
//!   it inherits nothing that it did not say.

use std::fmt::Write as _;

/// What an element takes from the groups around it.
const INHERITED: [&str; 8] = [
    "fill",
    "fill-opacity",
    "font-size",
    "font-weight",
    "stroke",
    "stroke-opacity",
    "stroke-width",
    "text-anchor",
];

/// Bytes of a group with nothing in it and no attribute.
const GROUP_BYTES: usize = "<g>\n</g>\n".len();

/// An attribute: name and value.
type Attribute<'a> = (&'a str, &'a str);

/// An element without elements inside.
#[derive(Clone, Debug, PartialEq)]
struct Element<'a> {
    tag: &'a str,
    inherited: Vec<Attribute<'a>>,
    own: Vec<Attribute<'a>>,
    /// What is behind the attributes: `/>`, or text up to the end tag.
    rest: &'a str,
}

/// Elements, one to a line, in groups where that takes fewer bytes. The root element is taken to say
/// `fill="currentColor"`.
///
/// Takes time by the number of elements, and by its square where every few of them share something
/// else.
pub(super) fn grouped(lines: &str) -> String {
    let mut out = String::with_capacity(lines.len());
    let mut elements = Vec::new();
    for line in lines.lines() {
        if let Some(element) = Element::of(line) {
            elements.push(element);
            continue;
        }
        write_all(&std::mem::take(&mut elements), &mut out);
        out.push_str(line);
        out.push('\n');
    }
    write_all(&elements, &mut out);
    out
}

fn write_all(elements: &[Element<'_>], out: &mut String) {
    let mut at = 0;
    while at < elements.len() {
        let (count, shared) = best_group(&elements[at..]);
        if shared.is_empty() {
            elements[at].write(out);
        } else {
            out.push_str("<g");
            write_attributes(&shared, out);
            out.push_str(">\n");
            let inside: Vec<_> =
                elements[at..at + count].iter().map(|element| element.without(&shared)).collect();
            write_all(&inside, out);
            out.push_str("</g>\n");
        }
        at += count;
    }
}

/// How many elements from the first on make the group that saves most, and what they share; one
/// element and nothing where no group saves any.
fn best_group<'a>(elements: &[Element<'a>]) -> (usize, Vec<Attribute<'a>>) {
    let (mut best, mut best_saved) = ((1, Vec::new()), GROUP_BYTES);
    let Some(first) = elements.first() else { return best };
    let mut shared = first.inherited.clone();
    for (at, element) in elements.iter().enumerate().skip(1) {
        shared.retain(|attribute| element.inherited.contains(attribute));
        if shared.is_empty() {
            break;
        }
        // All of them leave it out, the group says it.
        let saved = at * bytes(&shared);
        if saved > best_saved {
            (best, best_saved) = ((at + 1, shared.clone()), saved);
        }
    }
    best
}

fn bytes(attributes: &[Attribute<'_>]) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value.len() + 4).sum()
}

fn write_attributes(attributes: &[Attribute<'_>], out: &mut String) {
    for (name, value) in attributes {
        write!(out, " {name}=\"{value}\"").expect("a string takes everything");
    }
}

impl<'a> Element<'a> {
    /// The element that a line is, if it is one and whole.
    fn of(line: &'a str) -> Option<Self> {
        let (tag, mut rest) = line.strip_prefix('<')?.split_once(' ')?;
        let (mut inherited, mut own) = (Vec::new(), Vec::new());
        while !rest.starts_with(['/', '>']) {
            let (name, behind) = rest.trim_start().split_once("=\"")?;
            let (value, behind) = behind.split_once('"')?;
            let is_inherited = INHERITED.contains(&name);
            if is_inherited { &mut inherited } else { &mut own }.push((name, value));
            rest = behind;
        }
        let is_whole = rest == "/>" || rest.ends_with("</text>");
        let mut element = Self { tag, inherited, own, rest };
        element.inherit_opacity();
        element.take_root_fill();
        is_whole.then_some(element)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let all = self.inherited.iter().chain(&self.own);
        all.into_iter().find(|(of, _)| *of == name).map(|(_, value)| *value)
    }

    /// Opacity is that of the fill or of the stroke where there is only one, and those are inherited.
    fn inherit_opacity(&mut self) {
        let name = match (self.value("fill"), self.value("stroke")) {
            (Some(_), None) => "fill-opacity",
            (None, Some(_)) => "stroke-opacity",
            _ => return,
        };
        if let Some(at) = self.own.iter().position(|(of, _)| *of == "opacity") {
            let (_, value) = self.own.remove(at);
            self.inherited.push((name, value));
        }
    }

    /// The root says ink, where plotters says nothing for no fill; straight strokes have nothing to
    /// fill.
    fn take_root_fill(&mut self) {
        match self.value("fill") {
            Some("currentColor") => self.inherited.retain(|(name, _)| *name != "fill"),
            None if self.tag != "text" && !self.is_straight() => {
                self.inherited.push(("fill", "none"));
            }
            _ => {}
        }
    }

    /// Whether it is a path of strokes from one point to another.
    fn is_straight(&self) -> bool {
        self.value("d").is_some_and(|strokes| {
            strokes.split('M').all(|stroke| stroke.split_whitespace().count() <= 2)
        })
    }

    fn without(&self, shared: &[Attribute<'a>]) -> Self {
        let mut element = self.clone();
        element.inherited.retain(|attribute| !shared.contains(attribute));
        element
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.tag);
        write_attributes(&self.inherited, out);
        write_attributes(&self.own, out);
        out.push_str(self.rest);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every element with what it says and what the groups around it say.
    fn flat(lines: &str) -> Vec<(String, Vec<(String, String)>)> {
        let mut around: Vec<Vec<(String, String)>> = Vec::new();
        let mut flat = Vec::new();
        let pairs = |attributes: &[Attribute<'_>]| -> Vec<(String, String)> {
            attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
        };
        for line in lines.lines() {
            if line == "</g>" {
                around.pop().expect("a group that was begun");
            } else if let Some(group) = line.strip_prefix("<g ") {
                let parts: Vec<_> = group.trim_end_matches('>').split('"').collect();
                let attributes = parts.chunks_exact(2).map(|pair| {
                    (pair[0].trim().trim_end_matches('=').to_owned(), pair[1].to_owned())
                });
                around.push(attributes.collect());
            } else {
                let element = Element::of(line).expect("an element");
                // What the root says is not read again here.
                let mut said = pairs(&element.own);
                let own = element
                    .inherited
                    .iter()
                    .filter(|pair| line.contains(&format!(" {}=\"{}\"", pair.0, pair.1)));
                said.extend(own.map(|(name, value)| ((*name).into(), (*value).into())));
                said.extend(around.iter().flatten().cloned());
                said.sort();
                flat.push((format!("{}{}", element.tag, element.rest), said));
            }
        }
        assert!(around.is_empty(), "every group ends");
        flat
    }

    fn texts(strengths: &[&str]) -> String {
        let text = |(at, strength): (usize, &&str)| {
            format!("<text x=\"{at}\" fill=\"currentColor\" opacity=\"{strength}\">{at}</text>\n")
        };
        strengths.iter().enumerate().map(text).collect()
    }

    #[test]
    fn what_elements_in_a_row_share_is_said_once() {
        assert_eq!(
            grouped(&texts(&["0.7", "0.7", "0.5"])),
            "<g fill-opacity=\"0.7\">\n<text x=\"0\">0</text>\n<text x=\"1\">1</text>\n</g>\n\
             <text fill-opacity=\"0.5\" x=\"2\">2</text>\n"
        );
        assert!(!grouped(&texts(&["0.7", "0.5", "0.7"])).contains("<g"), "no group of one");
    }

    #[test]
    fn no_element_inherits_what_it_did_not_say() {
        let row = |at: usize| {
            let edge = "stroke=\"currentColor\" stroke-opacity=\"0.55\" stroke-width=\"3\"";
            format!(
                "<text x=\"{at}\" fill=\"currentColor\" text-anchor=\"end\">{at}</text>\n\
                 <text x=\"{at}\" fill=\"currentColor\" font-size=\"52\">{at}</text>\n\
                 <path stroke=\"currentColor\" stroke-width=\"7\" d=\"M{at},1 2,2M3,3 4,4\"/>\n\
                 <circle cx=\"{at}\" cy=\"1\" r=\"8\" opacity=\"0.35\" fill=\"currentColor\"/>\n\
                 <circle cx=\"{at}\" cy=\"2\" r=\"8\" opacity=\"0.35\" fill=\"currentColor\"/>\n\
                 <polygon fill=\"#E69F00\" {edge} points=\"{at},1 2,2 3,1\"/>\n\
                 <polygon fill=\"#009E73\" {edge} points=\"{at},1 2,2 3,1\"/>\n\
                 <path stroke=\"#009E73\" stroke-width=\"3\" d=\"M{at},1 2,2 3,1\"/>\n"
            )
        };
        let rows: String = (0..5).map(row).collect();
        let alone: String = rows.lines().map(|line| grouped(&format!("{line}\n"))).collect();
        let grouped = grouped(&rows);
        assert_eq!(flat(&grouped), flat(&alone));
        assert!(grouped.matches("<g ").count() >= 5, "{grouped}");
        assert!(grouped.len() < alone.len(), "{grouped}");
    }

    #[test]
    fn strokes_that_enclose_something_are_not_filled_with_the_roots_ink() {
        let bent = "<path stroke=\"#009E73\" d=\"M1,1 2,2 3,1\"/>\n";
        assert!(grouped(bent).contains("fill=\"none\""));
        let straight = "<path stroke=\"#009E73\" d=\"M1,1 2,2M3,3 4,4\"/>\n";
        assert!(!grouped(straight).contains("fill"));
        let ring = "<circle cx=\"1\" cy=\"1\" r=\"2\" stroke=\"#009E73\"/>\n";
        assert!(grouped(ring).contains("fill=\"none\""));
    }

    /// The opacity of a filled shape with an edge is that of both together.
    #[test]
    fn opacity_stays_where_there_is_a_fill_and_a_stroke() {
        let both = "<circle cx=\"1\" opacity=\"0.5\" fill=\"#009E73\" stroke=\"#009E73\"/>\n";
        assert!(grouped(both).contains(" opacity=\"0.5\""));
    }
}
