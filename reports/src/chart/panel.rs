//! The one layout of all charts: labelled rows over a horizontal axis.
//!
//! ```text
//! Title                                           bold
//! what is drawn, how many samples, which interval quiet, one or two lines
//!
//!        label |     . --o--.          |  note    a row: points, an interval, a marker
//!        label | ///////////////////// |  failed  a row that failed (I3 of the parent)
//!   heading of a group                            set apart, not compared with the others
//!        label |  --o--                |  note
//!              +-----+-----+-----+-----+
//!              0     5    10    15    20
//!                 unit of the axis
//!   o kind   # kind   ^ kind                      legend, where markers are not told by the label
//! ```
//!
//! * I1: the label column is as wide as the longest label, the note column as the longest note; what
//!   is left, at least 150 pixels, is the plot. No two texts share a place.

use super::axis::{Axis, Scale};
use super::canvas::{Anchor, Canvas, FINE, Tone, Type, elements};
use super::marker::Marker;
use super::name::without_first_words;
use super::{Basis, Chart, shorten};

/// Narrow enough to be read whole on a telephone, where a chart is drawn a quarter smaller.
pub(super) const WIDTH_PX: f64 = 460.0;
const MARGIN_PX: f64 = 8.0;
const ROW_PX: f64 = 21.0;
const NOTE_LETTERS: usize = 20;
const LABEL_LETTERS: usize = 18;
const LINE_PX: f64 = 17.0;
/// Room above and below the rows of a group, together.
const GROUP_PX: f64 = 6.0;

/// A chart before it is drawn.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) slug: String,
    pub(super) title: String,
    /// What is drawn, the number of samples and the name of the interval.
    pub(super) caption: String,
    /// The chart in words.
    pub(super) description: String,
    pub(super) basis: Basis,
    pub(super) axis: Axis,
    /// What the axis measures, with its unit.
    pub(super) axis_label: String,
    /// A range drawn behind the rows: the floor.
    pub(super) band: Option<(f64, f64)>,
    /// A value marked by a line through all rows.
    pub(super) line: Option<f64>,
    pub(super) groups: Vec<Group>,
    /// Meaning of markers that labels do not tell.
    pub(super) legend: Vec<(Marker, String)>,
}

/// Rows that are compared with each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Why the group stands apart; empty for the first.
    pub(super) heading: String,
    pub(super) rows: Vec<Row>,
}

/// One labelled row.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) label: String,
    /// A word more, under the label.
    pub(super) sublabel: String,
    /// Text at the right end.
    pub(super) note: String,
    /// Whether the row failed.
    pub(super) hatched: bool,
    /// A range drawn behind the row: its own floor.
    pub(super) band: Option<(f64, f64)>,
    /// Single values, drawn faintly.
    pub(super) dots: Vec<f64>,
    /// Interval around the marker.
    pub(super) interval: Option<(f64, f64)>,
    /// Values with a marker, drawn beside each other where there are several.
    pub(super) points: Vec<(f64, Marker)>,
    /// Whether the markers stand on one line, in which case later ones lie above earlier ones.
    pub(super) in_line: bool,
}

/// Where the columns and the plot lie.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Panel {
    pub(super) fn draw(&self) -> Chart {
        let caption = wrap(&self.caption, WIDTH_PX - 2.0 * MARGIN_PX, Type::SMALL);
        let top = MARGIN_PX + 22.0 + caption.len() as f64 * LINE_PX + 8.0;
        let frame = Frame {
            left: MARGIN_PX + self.label_width() + 8.0,
            right: WIDTH_PX - MARGIN_PX - self.note_width(),
            top,
            bottom: top + self.rows_height(),
        };
        let legend = self.legend_places();
        let legend_lines = legend.last().map_or(0, |place| place.1 + 1);
        let height = frame.bottom + 46.0 + legend_lines as f64 * LINE_PX + MARGIN_PX;

        let mut document = String::new();
        let canvas = Canvas::new(&mut document, WIDTH_PX, height);
        let room = (WIDTH_PX - 2.0 * MARGIN_PX) / Type::TITLE.prose_px("m");
        let title = shorten(&self.title, room as usize);
        let mut y = MARGIN_PX + 9.0;
        canvas.text((MARGIN_PX, y), &title, Type::TITLE, Anchor::Start, Tone::INK);
        y += 4.0;
        for line in &caption {
            y += LINE_PX;
            canvas.text((MARGIN_PX, y), line, Type::SMALL, Anchor::Start, Tone::QUIET);
        }
        self.draw_axis(&canvas, &frame);
        self.draw_groups(&canvas, &frame);
        for ((marker, name), (x, line)) in self.legend.iter().zip(legend) {
            let y = frame.bottom + 46.0 + (line as f64 + 0.5) * LINE_PX;
            canvas.marker((x + 6.0, y), 4.0, *marker);
            canvas.text((x + 16.0, y), name, Type::SMALL, Anchor::Start, Tone::QUIET);
        }
        canvas.finish();
        Chart {
            slug: self.slug.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            basis: self.basis.clone(),
            size: ((WIDTH_PX * FINE) as u32, (height * FINE).round() as u32),
            width_px: WIDTH_PX as u32,
            elements: elements(&document),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.groups.iter().flat_map(|group| &group.rows)
    }

    /// A row's label, cut to its room: without its first words, since names in long families differ at
    /// their ends, or in the middle where two rows would come out alike.
    fn label(&self, row: &Row) -> String {
        let short = without_first_words(&row.label, LABEL_LETTERS);
        let alike = |other: &Row| {
            other.label != row.label && without_first_words(&other.label, LABEL_LETTERS) == short
        };
        match short.is_empty() || self.rows().any(alike) {
            true => shorten(&row.label, LABEL_LETTERS),
            false => short,
        }
    }

    fn label_width(&self) -> f64 {
        let width = |row: &Row| {
            let label = Type::LABEL.width_px(&self.label(row));
            label.max(Type::SMALL.width_px(&shorten(&row.sublabel, LABEL_LETTERS)))
        };
        self.rows().map(width).fold(40.0, f64::max)
    }

    fn note_width(&self) -> f64 {
        let width = |row: &Row| match row.note.as_str() {
            "" => 0.0,
            note => Type::SMALL.width_px(&shorten(note, NOTE_LETTERS)) + 10.0,
        };
        self.rows().map(width).fold(14.0, f64::max)
    }

    fn rows_height(&self) -> f64 {
        let height = |group: &Group| {
            let heading = if group.heading.is_empty() { 0.0 } else { ROW_PX };
            heading + group.rows.iter().map(Row::height).sum::<f64>() + GROUP_PX
        };
        self.groups.iter().map(height).sum()
    }

    fn draw_axis(&self, canvas: &Canvas<'_>, frame: &Frame) {
        // Strokes first, words behind: what is alike stands together and takes fewer bytes.
        for (_, at) in self.ticks(frame) {
            canvas.line((at, frame.bottom), (at, frame.bottom + 4.0), 1.0, Tone::QUIET);
        }
        canvas.line((frame.left, frame.bottom), (frame.right, frame.bottom), 1.0, Tone::QUIET);
        for (tick, at) in self.ticks(frame) {
            let place = (at, frame.bottom + 13.0);
            canvas.text(place, &Axis::label(tick), Type::SMALL, Anchor::Middle, Tone::QUIET);
        }
        let (text, middle) = self.axis_label_place(frame);
        canvas.text((middle, frame.bottom + 33.0), &text, Type::SMALL, Anchor::Middle, Tone::INK);
    }

    /// The axis label, cut where it is wider than the chart, and its middle: that of the plot, or as
    /// near to it as leaves the label inside the chart.
    fn axis_label_place(&self, frame: &Frame) -> (String, f64) {
        let room = WIDTH_PX - 2.0 * MARGIN_PX;
        let text = shorten(&self.axis_label, (room / Type::SMALL.prose_px("m")) as usize);
        // A label that just fits may come out wider than the room by a rounding.
        let half = (Type::SMALL.prose_px(&text) / 2.0).min(room / 2.0);
        let wanted = f64::midpoint(frame.left, frame.right);
        (text, wanted.min(WIDTH_PX - MARGIN_PX - half).max(MARGIN_PX + half))
    }

    /// Values that the axis labels, each with its place.
    fn ticks(&self, frame: &Frame) -> Vec<(f64, f64)> {
        let room = |tick: f64| Type::SMALL.width_px(&Axis::label(tick)).max(16.0) + 6.0;
        let ticks = self.axis.ticks(frame.right - frame.left, room);
        ticks.into_iter().map(|tick| (tick, self.x(frame, tick))).collect()
    }

    fn x(&self, frame: &Frame, value: f64) -> f64 {
        frame.left + (frame.right - frame.left) * self.axis.place(value)
    }

    /// Band, grid and line behind the rows of one group; headings stay clear of them.
    fn draw_backdrop(&self, canvas: &Canvas<'_>, frame: &Frame, (top, bottom): (f64, f64)) {
        if let Some((low, high)) = self.band {
            let clip = |value: f64| self.x(frame, value).clamp(frame.left, frame.right);
            canvas.fill((clip(low), top), (clip(high), bottom), Tone::SHADE);
        }
        for (_, at) in self.ticks(frame) {
            canvas.line((at, top), (at, bottom), 1.0, Tone::GRID);
        }
        if let Some(value) = self.line {
            let at = self.x(frame, value);
            canvas.line((at, top), (at, bottom), 1.0, Tone::QUIET);
        }
    }

    fn draw_groups(&self, canvas: &Canvas<'_>, frame: &Frame) {
        let mut y = frame.top;
        for (index, group) in self.groups.iter().enumerate() {
            if !group.heading.is_empty() {
                if index > 0 {
                    canvas.line((MARGIN_PX, y), (frame.right, y), 1.0, Tone::GRID);
                }
                let place = (MARGIN_PX, y + ROW_PX / 2.0 + 1.0);
                canvas.text(place, &group.heading, Type::SMALL, Anchor::Start, Tone::QUIET);
                y += ROW_PX;
            }
            let rows: f64 = group.rows.iter().map(Row::height).sum();
            let last = index + 1 == self.groups.len();
            let bottom = if last { frame.bottom } else { y + rows + GROUP_PX };
            self.draw_backdrop(canvas, frame, (y, bottom));
            y += GROUP_PX / 2.0;
            let middles = || {
                group.rows.iter().scan(y, |top, row| {
                    *top += row.height();
                    Some((row, *top - row.height() / 2.0))
                })
            };
            for (row, middle) in middles() {
                self.draw_label(canvas, frame, row, middle);
            }
            for (row, middle) in middles() {
                let note = shorten(&row.note, NOTE_LETTERS);
                let place = (frame.right + 10.0, middle);
                canvas.text(place, &note, Type::SMALL, Anchor::Start, Tone::INK);
            }
            for (row, middle) in middles() {
                self.draw_marks(canvas, frame, row, middle);
            }
            y += rows + GROUP_PX / 2.0;
        }
    }

    fn draw_label(&self, canvas: &Canvas<'_>, frame: &Frame, row: &Row, middle: f64) {
        let label = self.label(row);
        let edge = frame.left - 8.0;
        if row.sublabel.is_empty() {
            canvas.text((edge, middle), &label, Type::LABEL, Anchor::End, Tone::INK);
        } else {
            let below = shorten(&row.sublabel, LABEL_LETTERS);
            canvas.text((edge, middle - 7.0), &label, Type::LABEL, Anchor::End, Tone::INK);
            canvas.text((edge, middle + 7.0), &below, Type::SMALL, Anchor::End, Tone::QUIET);
        }
    }

    fn draw_marks(&self, canvas: &Canvas<'_>, frame: &Frame, row: &Row, middle: f64) {
        if row.hatched {
            let (top, bottom) = (middle - ROW_PX / 2.0 + 3.0, middle + ROW_PX / 2.0 - 3.0);
            let tone = Tone { strength: 0.4, ..Tone::INK };
            canvas.hatch((frame.left, top), (frame.right, bottom), tone);
        }
        let x = |value: f64| self.x(frame, value);
        if let Some((low, high)) = row.band {
            let clip = |value: f64| x(value).clamp(frame.left, frame.right);
            let (from, to) = (middle - row.height() / 2.0, middle + row.height() / 2.0);
            canvas.fill((clip(low), from), (clip(high), to), Tone::SHADE);
        }
        for &dot in row.dots.iter().filter(|dot| (0.0..=1.0).contains(&self.axis.place(**dot))) {
            canvas.dot((x(dot), middle), 2.0, Tone { strength: 0.35, ..Tone::INK });
        }
        if let Some((low, high)) = row.interval {
            self.draw_interval(canvas, frame, (x(low), x(high)), middle);
        }
        let spread = if row.in_line { 0.0 } else { 6.0 };
        let first = middle - spread * (row.points.len() as f64 - 1.0) / 2.0;
        for (index, &(value, marker)) in row.points.iter().enumerate() {
            let y = first + spread * index as f64;
            if self.axis.scale == Scale::Count && value >= 1.0 {
                canvas.line((frame.left, y), (x(value), y), 1.0, Tone::GRID);
            }
            canvas.marker((x(value).clamp(frame.left, frame.right), y), 4.5, marker);
        }
    }

    /// A bar with caps; an end outside the axis is an arrow head instead.
    fn draw_interval(&self, canvas: &Canvas<'_>, frame: &Frame, ends: (f64, f64), y: f64) {
        let (low, high) = (ends.0.max(frame.left), ends.1.min(frame.right));
        canvas.line((low, y), (high, y), 1.75, Tone::INK);
        for (end, edge, inwards) in [(ends.0, frame.left, 5.0), (ends.1, frame.right, -5.0)] {
            let outside =
                (end < frame.left && inwards > 0.0) || (end > frame.right && inwards < 0.0);
            if outside {
                canvas.line((edge, y), (edge + inwards, y - 4.0), 1.75, Tone::INK);
                canvas.line((edge, y), (edge + inwards, y + 4.0), 1.75, Tone::INK);
            } else {
                canvas.line((end, y - 4.0), (end, y + 4.0), 1.75, Tone::INK);
            }
        }
    }

    /// Left edge and line of every entry of the legend.
    fn legend_places(&self) -> Vec<(f64, usize)> {
        let mut places = Vec::new();
        let (mut x, mut line) = (MARGIN_PX, 0);
        for (_, name) in &self.legend {
            let width = 16.0 + Type::SMALL.width_px(name) + 14.0;
            if x > MARGIN_PX && x + width > WIDTH_PX - MARGIN_PX {
                x = MARGIN_PX;
                line += 1;
            }
            places.push((x, line));
            x += width;
        }
        places
    }
}

impl Row {
    /// Room for the label, a second line of it, and markers beside each other.
    fn height(&self) -> f64 {
        let lines = if self.sublabel.is_empty() { ROW_PX } else { ROW_PX + 13.0 };
        let stacked = if self.in_line { 1 } else { self.points.len() };
        lines.max(6.0 * stacked as f64 + 8.0)
    }
}

/// Breaks `text` at spaces, but for those that do not break, into lines that fit `width_px`.
fn wrap(text: &str, width_px: f64, font: Type) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if font.prose_px(line) + font.prose_px(word) + 4.0 < width_px => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(axis_label: String, label: &str, note: &str) -> Panel {
        let row = Row { label: label.to_owned(), note: note.to_owned(), ..Row::default() };
        Panel {
            slug: String::new(),
            title: String::new(),
            caption: String::new(),
            description: String::new(),
            basis: Basis::of_samples("", String::new(), ""),
            axis: Axis::linear(1.0),
            axis_label,
            band: None,
            line: None,
            groups: vec![Group { heading: String::new(), rows: vec![row] }],
            legend: Vec::new(),
        }
    }

    #[test]
    fn an_axis_label_of_any_length_is_drawn_inside_the_chart() {
        for letters in 0..200 {
            for (label, note) in
                [("", ""), ("a rather long label", ""), ("a", "a rather long note")]
            {
                let panel = panel("m".repeat(letters), label, note);
                let frame = Frame { left: 60.0, right: 400.0, top: 0.0, bottom: 10.0 };
                let (text, middle) = panel.axis_label_place(&frame);
                let half = Type::SMALL.prose_px(&text) / 2.0;
                assert!(middle - half >= 0.0 && middle + half <= WIDTH_PX, "{letters} letters");
                assert!(!panel.draw().elements.is_empty());
            }
        }
    }
}
