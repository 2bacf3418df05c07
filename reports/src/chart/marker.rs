//! Markers: a colour and a shape per subject, so that nothing hangs on colour alone.

/// The palette of Okabe and Ito, told apart by readers with any form of colour vision. Ink stands
/// in for its black, which would vanish on dark paper.
const COLOURS: [Colour; 8] = [
    Colour::Ink,
    Colour::Rgb(0x00, 0x72, 0xB2),
    Colour::Rgb(0xE6, 0x9F, 0x00),
    Colour::Rgb(0x00, 0x9E, 0x73),
    Colour::Rgb(0xD5, 0x5E, 0x00),
    Colour::Rgb(0x56, 0xB4, 0xE9),
    Colour::Rgb(0xCC, 0x79, 0xA7),
    Colour::Rgb(0xF0, 0xE4, 0x42),
];

const SHAPES: [Shape; 7] = [
    Shape::Circle,
    Shape::Square,
    Shape::Triangle,
    Shape::Diamond,
    Shape::TriangleDown,
    Shape::Hexagon,
    Shape::Star,
];

/// A colour on either theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// The colour of text.
    Ink,
    /// The same on light and on dark paper.
    Rgb(u8, u8, u8),
}

/// An outline around a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Circle.
    Circle,
    /// Square on its side.
    Square,
    /// Triangle pointing up.
    Triangle,
    /// Square on its corner.
    Diamond,
    /// Triangle pointing down.
    TriangleDown,
    /// Hexagon.
    Hexagon,
    /// Star of five points.
    Star,
}

/// How one subject, or one kind of error, is marked in every chart of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) colour: Colour,
    pub(super) shape: Shape,
}

/// One marker per subject of a report.
#[derive(Clone, Debug)]
pub(super) struct Markers(Vec<String>);

impl Markers {
    /// For these subjects; the baseline is marked in ink, the others follow in their order.
    pub(super) fn of<'a>(subjects: impl Iterator<Item = &'a str>, baseline: &str) -> Self {
        let mut names = vec![baseline.to_owned()];
        for name in subjects {
            if names.iter().all(|known| known != name) {
                names.push(name.to_owned());
            }
        }
        Self(names)
    }

    /// The marker of a subject.
    pub(super) fn get(&self, name: &str) -> Marker {
        Marker::nth(self.0.iter().position(|known| known == name).unwrap_or(self.0.len()))
    }

    /// Markers for a few lines, in their order: the subject's own, but no colour twice as long as there are
    /// colours, since between markers a line has nothing else.
    pub(super) fn lines(&self, names: &[&str]) -> Vec<Marker> {
        let mut found: Vec<Marker> = Vec::new();
        for name in names {
            let own = self.get(name);
            let is_free = |colour: &Colour| found.iter().all(|one| one.colour != *colour);
            let colour = std::iter::once(own.colour).chain(COLOURS).find(is_free);
            found.push(Marker { colour: colour.unwrap_or(own.colour), ..own });
        }
        found
    }
}

impl Marker {
    /// Marker of the `index`th of several things. The first 56 differ in colour or shape.
    pub(super) fn nth(index: usize) -> Self {
        Self { colour: COLOURS[index % COLOURS.len()], shape: SHAPES[index % SHAPES.len()] }
    }
}

impl Shape {
    /// Corners around the origin for an outline about `2 * radius` wide, of even visual weight;
    /// none for a circle.
    pub(super) fn corners(self, radius: f64) -> Vec<(f64, f64)> {
        let around = |count: usize, turn: f64, inner: f64| {
            (0..count)
                .map(|index| {
                    let angle = std::f64::consts::TAU * (index as f64 / count as f64 + turn);
                    let length = if index % 2 == 1 { radius * inner } else { radius };
                    (length * angle.cos(), length * angle.sin())
                })
                .collect::<Vec<_>>()
        };
        let scaled = |factor: f64, corners: Vec<(f64, f64)>| {
            corners.into_iter().map(|(x, y)| (x * factor, y * factor)).collect()
        };
        match self {
            Self::Circle => Vec::new(),
            Self::Square => scaled(1.25, around(4, 0.125, 1.0)),
            Self::Diamond => scaled(1.3, around(4, 0.0, 1.0)),
            Self::Triangle => scaled(1.35, around(3, -0.25, 1.0)),
            Self::TriangleDown => scaled(1.35, around(3, 0.25, 1.0)),
            Self::Hexagon => scaled(1.15, around(6, 0.25, 1.0)),
            Self::Star => scaled(1.55, around(10, -0.25, 0.45)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_subjects_marker_and_no_two_lines_have_one_colour() {
        let names: Vec<String> = (0..20).map(|index| index.to_string()).collect();
        let markers = Markers::of(names.iter().map(String::as_str), "5");
        assert_eq!(markers.get("5"), Marker::nth(0), "the baseline");
        assert_eq!(markers.get("0"), Marker::nth(1));
        assert_eq!(markers.lines(&["5", "0", "1"]), ["5", "0", "1"].map(|one| markers.get(one)));
        let [first, alike] = [markers.get("0"), markers.get("9")];
        assert_eq!(first.colour, alike.colour, "of two lines of one colour");
        let lines = markers.lines(&["0", "9"]);
        assert!(
            lines[0] == first && lines[1].shape == alike.shape && lines[1].colour != first.colour
        );
    }

    #[test]
    fn the_first_fifty_six_markers_differ() {
        for first in 0..56 {
            for second in 0..first {
                assert_ne!(Marker::nth(first), Marker::nth(second), "{first} {second}");
            }
        }
    }
}
