//! The drawing surface: plotters' SVG backend behind a handful of strokes.
//!
//! Lengths are CSS pixels at the chart's natural width. plotters draws on whole units, so the
//! canvas has [`FINE`] units to a pixel. plotters also knows no theme: ink is drawn in a colour that
//! nothing else uses, and replaced by `currentColor` at the end.
//!
//! * I1: drawing into a string cannot fail, so a failed stroke is a bug in this crate.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBAColor, RGBColor, ShapeStyle, TextStyle};

use super::compact::compact;
use super::marker::{Colour, Marker, Shape};

/// Units of the drawing per CSS pixel.
pub(super) const FINE: f64 = 4.0;

/// Stands for ink until the drawing is finished. Not a colour of the palette.
const INK: RGBColor = RGBColor(1, 2, 3);
const INK_TEXT: &str = "\"#010203\"";

/// Sans-serif letters are at most about this wide on average, relative to their size: names and
/// figures, and running text with its narrow spaces.
const LETTER_WIDTH: f64 = 0.58;
const PROSE_WIDTH: f64 = 0.52;

/// How strong a stroke or letter is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tone {
    pub(super) colour: Colour,
    /// From 0 (not there) to 1.
    pub(super) strength: f64,
}

impl Tone {
    /// Text and marks that matter.
    pub(super) const INK: Self = Self { colour: Colour::Ink, strength: 1.0 };
    /// Secondary text.
    pub(super) const QUIET: Self = Self { colour: Colour::Ink, strength: 0.72 };
    /// Grid lines.
    pub(super) const GRID: Self = Self { colour: Colour::Ink, strength: 0.16 };
    /// Bands behind marks.
    pub(super) const SHADE: Self = Self { colour: Colour::Ink, strength: 0.13 };

    fn paint(self) -> RGBAColor {
        match self.colour {
            Colour::Ink => INK.mix(self.strength),
            Colour::Rgb(red, green, blue) => RGBColor(red, green, blue).mix(self.strength),
        }
    }
}

/// Which end of a text its position names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Size and weight of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Type {
    pub(super) size_px: f64,
    pub(super) bold: bool,
}

impl Type {
    pub(super) const TITLE: Self = Self { size_px: 14.0, bold: true };
    pub(super) const LABEL: Self = Self { size_px: 13.0, bold: false };
    pub(super) const SMALL: Self = Self { size_px: 12.0, bold: false };

    /// Room that a line of running text takes in nearly every sans-serif font.
    pub(super) fn prose_px(self, text: &str) -> f64 {
        self.width_px(text) * PROSE_WIDTH / LETTER_WIDTH
    }

    /// Room that `text`, a name or a figure, takes in nearly every sans-serif font.
    pub(super) fn width_px(self, text: &str) -> f64 {
        let weight = if self.bold { 1.06 } else { 1.0 };
        text.chars().count() as f64 * self.size_px * LETTER_WIDTH * weight
    }
}

/// A drawing in the making.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl<'a> Canvas<'a> {
    /// An empty drawing that will be written to `target`.
    pub(super) fn new(target: &'a mut String, width_px: f64, height_px: f64) -> Self {
        let size = (units(width_px) as u32, units(height_px) as u32);
        Self { area: SVGBackend::with_string(target, size).into_drawing_area() }
    }

    fn draw<E>(&self, element: &E)
    where
        for<'b> &'b E: PointCollection<'b, (i32, i32)>,
        E: Drawable<SVGBackend<'a>>,
    {
        self.area.draw(element).expect("I1: drawing into a string cannot fail");
    }

    pub(super) fn line(&self, from: (f64, f64), to: (f64, f64), width_px: f64, tone: Tone) {
        self.curve(&[from, to], width_px, tone);
    }

    /// Straight lines from each point to the next.
    pub(super) fn curve(&self, points: &[(f64, f64)], width_px: f64, tone: Tone) {
        let style = tone.paint().stroke_width(units(width_px) as u32);
        let points: Vec<_> = points.iter().copied().map(point).collect();
        self.draw(&PathElement::new(points, style));
    }

    /// A filled rectangle between two corners.
    pub(super) fn fill(&self, from: (f64, f64), to: (f64, f64), tone: Tone) {
        self.draw(&Rectangle::new([point(from), point(to)], tone.paint().filled()));
    }

    /// A rectangle filled with slanting lines.
    pub(super) fn hatch(&self, (left, top): (f64, f64), (right, bottom): (f64, f64), tone: Tone) {
        const STEP_PX: f64 = 7.0;
        let height = bottom - top;
        let mut start = left - height;
        while start < right {
            // From (start, bottom) up to (start + height, top), cut at both sides.
            let from = start.max(left);
            let to = (start + height).min(right);
            if to > from {
                self.line((from, bottom - (from - start)), (to, bottom - (to - start)), 1.0, tone);
            }
            start += STEP_PX;
        }
    }

    pub(super) fn marker(&self, at: (f64, f64), radius_px: f64, marker: Marker) {
        let tone = Tone { colour: marker.colour, strength: 1.0 };
        self.outline(at, radius_px, marker.shape, tone.paint().filled());
        // An edge in ink keeps the light colours visible on light paper and the dark on dark.
        let edge = Tone { colour: Colour::Ink, strength: 0.55 };
        self.outline(at, radius_px, marker.shape, edge.paint().stroke_width(units(0.75) as u32));
    }

    pub(super) fn dot(&self, at: (f64, f64), radius_px: f64, tone: Tone) {
        self.outline(at, radius_px, Shape::Circle, tone.paint().filled());
    }

    fn outline(&self, (x, y): (f64, f64), radius_px: f64, shape: Shape, style: ShapeStyle) {
        let corners = shape.corners(radius_px);
        let Some(&first) = corners.first() else {
            self.draw(&Circle::new(point((x, y)), units(radius_px), style));
            return;
        };
        let mut path: Vec<(i32, i32)> =
            corners.iter().map(|(dx, dy)| point((x + dx, y + dy))).collect();
        if style.filled {
            self.draw(&Polygon::new(path, style));
        } else {
            path.push(point((x + first.0, y + first.1)));
            self.draw(&PathElement::new(path, style));
        }
    }

    /// One line of text, centred on `y`.
    pub(super) fn text(&self, at: (f64, f64), text: &str, font: Type, anchor: Anchor, tone: Tone) {
        let weight = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        // plotters divides sizes by 1.24 on the way into SVG.
        let wanted = font.size_px * FINE;
        let size = wanted * 1.24;
        let size = if size / 1.24 > wanted { size.next_down() } else { size };
        let paint = tone.paint();
        let style = TextStyle::from(("sans-serif", size).into_font().style(weight))
            .color(&paint)
            .pos(Pos::new(horizontal, VPos::Center));
        self.draw(&Text::new(text.to_owned(), point(at), style));
    }

    /// Ends the drawing.
    pub(super) fn finish(self) {
        self.area.present().expect("I1: drawing into a string cannot fail");
    }
}

/// Attributes of the root element that `compact` counts on.
pub(super) const ROOT_ATTRIBUTES: &str =
    "font-family=\"sans-serif\" font-size=\"48\" fill=\"currentColor\"";

/// The elements of a finished drawing: without the root element, ink as `currentColor`.
pub(super) fn elements(document: &str) -> String {
    let inner = document.split_once(">\n").map_or(document, |(_, rest)| rest);
    let inner = inner.trim_end().strip_suffix("</svg>").unwrap_or(inner);
    compact(&inner.replace(INK_TEXT, "\"currentColor\""))
}

fn units(px: f64) -> i32 {
    (px * FINE).round() as i32
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}
