//! The elements of a drawing, in fewer bytes than plotters takes for them.
//!
//! plotters writes every stroke as an element with all its attributes. A page holds a hundred charts,
//! so that they decide its size:
//! * what the root or SVG itself says already is left out;
//! * strokes of one style in a row become one path: `M10,10 20,20M30,30 40,40`;
//! * a marker and the edge around it, two elements with the same corners, become one;
//! * elements in a row say in a group what they share (`compact/group.rs`).
//!
//! * I1: the picture stays as it was, but where strokes of one translucent style cross each other.

mod group;

use group::grouped;

/// What plotters says of every element and the root, or SVG itself, says already: about a quarter of
/// a drawing.
const SAID_ALREADY: [(&str, &str); 8] = [
    (" font-family=\"sans-serif\"", ""),
    // Most text is of this size, and begins where it is put.
    (" font-size=\"48\"", ""),
    (" text-anchor=\"start\"", ""),
    (" fill=\"none\"", ""),
    (" stroke=\"none\" stroke-width=\"1\"", ""),
    (" opacity=\"1\"", ""),
    // Only text has contents.
    ("\">\n", "\">"),
    ("\n</text>", "</text>"),
];

/// The elements, one to a line. The root element is taken to say `fill="currentColor"`, the font and
/// its size; that a shape is not filled is left out here and said again by [`grouped`] where it matters.
pub(super) fn compact(elements: &str) -> String {
    let short = SAID_ALREADY
        .iter()
        .fold(elements.to_owned(), |elements, (long, short)| elements.replace(long, short));
    grouped(&joined(&edged(&short)))
}

/// Strokes of one style that follow one another as one path.
fn joined(elements: &str) -> String {
    let mut out = String::with_capacity(elements.len());
    let mut style = None;
    for line in elements.lines() {
        let stroke = split(line, "<polyline", " points=\"");
        if style.is_some() && stroke.map(|(style, _)| style) != style {
            out.push_str("\"/>\n");
        }
        match stroke {
            Some((of, points)) => {
                if style != Some(of) {
                    out.push_str(&format!("<path{of} d=\""));
                }
                out.push('M');
                out.push_str(points);
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
        style = stroke.map(|(style, _)| style);
    }
    if style.is_some() {
        out.push_str("\"/>\n");
    }
    out
}

/// A filled shape whose edge is drawn by the next element as one element with both.
fn edged(elements: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    for line in elements.lines() {
        match out.last().and_then(|last| with_edge(last, line)) {
            Some(both) => *out.last_mut().expect("there is a last one") = both,
            None => out.push(line.to_owned()),
        }
    }
    out.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// `shape` with the stroke of `edge`, when that has the same corners, or centre and radius.
fn with_edge(shape: &str, edge: &str) -> Option<String> {
    let as_edge = |style: &str| style.replacen(" opacity=", " stroke-opacity=", 1);
    let is_bare = |style: &str| style.contains(" fill=") && !style.contains("opacity");
    if let Some((fill, corners)) = split(shape, "<polygon", " points=\"") {
        let (stroke, path) = split(edge, "<polyline", " points=\"")?;
        // The edge comes back to where it began.
        let (first, closed) = (corners.split(' ').next()?, path.strip_prefix(corners)?);
        let is_same = closed.trim() == first && is_bare(fill);
        return is_same
            .then(|| format!("<polygon{fill}{} points=\"{corners}\"/>", as_edge(stroke)));
    }
    let (place, fill) = shape.strip_prefix("<circle")?.split_once(" fill=")?;
    let stroke = edge.strip_prefix("<circle")?.strip_prefix(place)?;
    let is_same =
        stroke.contains(" stroke=") && !stroke.contains(" fill=") && !place.contains("opacity");
    is_same.then(|| {
        let fill = fill.trim_end_matches("/>");
        format!("<circle{place} fill={fill}{}", as_edge(stroke))
    })
}

/// Attributes and points of an element of this kind whose last attribute are its points.
fn split<'a>(line: &'a str, kind: &str, points: &str) -> Option<(&'a str, &'a str)> {
    let (style, rest) = line.strip_prefix(kind)?.split_once(points)?;
    Some((style, rest.strip_suffix("\"/>")?.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(style: &str, points: &str) -> String {
        format!("<polyline fill=\"none\" opacity=\"1\" {style} points=\"{points} \"/>\n")
    }

    #[test]
    fn strokes_of_one_style_become_one_path_and_others_end_it() {
        let (thin, thick) =
            ("stroke=\"#010203\" stroke-width=\"1\"", "stroke=\"#040506\" stroke-width=\"4\"");
        let drawing =
            [line(thin, "1,2 3,4"), line(thin, "5,6 7,8"), line(thick, "9,9 8,8")].concat();
        let text = "<text x=\"1\" y=\"2\">\nwords\n</text>\n";
        assert_eq!(
            compact(&(drawing + text + &line(thick, "1,1 2,2"))),
            format!(
                "<path {thin} d=\"M1,2 3,4M5,6 7,8\"/>\n<path {thick} d=\"M9,9 8,8\"/>\n\
                 <text x=\"1\" y=\"2\">words</text>\n<path {thick} d=\"M1,1 2,2\"/>\n"
            )
        );
    }

    const EDGE: &str = "opacity=\"0.55\" stroke=\"#010203\" stroke-width=\"3\"";

    #[test]
    fn a_marker_and_its_edge_become_one_shape() {
        let corners = "0,0 4,0 4,4";
        let polygon = format!("<polygon opacity=\"1\" fill=\"#E69F00\" points=\"{corners} \"/>\n");
        let edge = format!("<polyline fill=\"none\" {EDGE} points=\"{corners} 0,0 \"/>\n");
        let stroke = EDGE.replace("opacity", "stroke-opacity");
        assert_eq!(
            compact(&(polygon.clone() + &edge)),
            format!("<polygon fill=\"#E69F00\" {stroke} points=\"{corners}\"/>\n")
        );
        let place = "cx=\"5\" cy=\"6\" r=\"7\"";
        let circle = format!("<circle {place}");
        let filled = format!(
            "{circle} opacity=\"1\" fill=\"#E69F00\" stroke=\"none\" stroke-width=\"1\"/>\n"
        );
        let ring = |circle: &str| {
            format!(
                "{circle} opacity=\"0.55\" fill=\"none\" stroke=\"#010203\" stroke-width=\"3\"/>\n"
            )
        };
        assert_eq!(
            compact(&(filled.clone() + &ring(&circle))),
            format!("<circle fill=\"#E69F00\" {stroke} {place}/>\n")
        );
        // An outline of something else stays what it was.
        let other = circle.replace('7', "8");
        assert_eq!(compact(&(filled + &ring(&other))).lines().count(), 2);
        let open = format!("<polyline fill=\"none\" {EDGE} points=\"{corners} 1,1 \"/>\n");
        assert_eq!(compact(&(polygon + &open)).lines().count(), 2);
    }
}
