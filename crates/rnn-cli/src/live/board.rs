//! What the picture of training shows, and its layout.

mod curve;
#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, LineGauge, Paragraph, Wrap};
use rnn::{Record, Step};

use crate::format::thousands;
use curve::Curve;

/// Lines kept for the log.
const MOST_LINES: usize = 40;
/// Columns from which on the sample stands beside the curves.
const WIDE: u16 = 72;
/// Columns from which on no word need be saved.
const NARROW: u16 = 46;
/// Rows from which on the log is shown, its last line or its last five.
const HIGH: u16 = 20;
const HIGHER: u16 = 32;
/// Rows of the curves from which on the gradient norm has one of its own.
const TWO_CURVES: u16 = 11;
/// A blue and an orange that can be read on black and on white. The sixteen colours of a terminal have
/// none.
const BLUE: Color = Color::Indexed(33);
const ORANGE: Color = Color::Indexed(166);

/// A curve as it is drawn: its name, its colour, its points.
type Drawn<'a> = (&'a str, Color, &'a [(f64, f64)]);

/// Everything in the picture.
#[derive(Debug, Default)]
pub(crate) struct Board {
    title: String,
    step: u64,
    max_steps: Option<u64>,
    /// Characters per second and time left, in words.
    speed: String,
    learning_rate: f64,
    loss: Curve,
    norm: Curve,
    validation: Vec<(f64, f64)>,
    sample: Option<(u64, String)>,
    log: Vec<String>,
}

impl Board {
    /// A picture of the training of `title`.
    pub(crate) fn new(title: String) -> Self {
        Board {
            title,
            ..Board::default()
        }
    }

    /// A step was taken.
    pub(crate) fn step(&mut self, number: u64, step: &Step, max_steps: Option<u64>, speed: String) {
        (self.step, self.max_steps, self.speed) = (number, max_steps, speed);
        self.learning_rate = step.learning_rate;
        self.loss.push(number, step.loss);
        self.norm.push(number, step.gradient_norm);
    }

    /// The model was evaluated.
    pub(crate) fn evaluated(&mut self, record: &Record) {
        if let Some(nats) = record.validation_loss.filter(|nats| nats.is_finite()) {
            self.validation.push((record.step as f64, nats));
        }
    }

    /// What the model writes now.
    pub(crate) fn sample(&mut self, text: String) {
        self.sample = Some((self.step, text));
    }

    /// A line for the log.
    pub(crate) fn line(&mut self, line: &str) {
        self.log.extend(line.lines().map(str::to_owned));
        let surplus = self.log.len().saturating_sub(MOST_LINES);
        self.log.drain(..surplus);
    }

    /// Draws everything.
    pub(crate) fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let log_height = match area.height {
            HIGHER.. => 7,
            HIGH.. => 3,
            _ => 0,
        };
        let rows = [
            Constraint::Length(2),
            Constraint::Min(4),
            Constraint::Length(log_height),
            Constraint::Length(1),
        ];
        let [head, body, log, foot] = Layout::vertical(rows).areas(area);
        let (curves, sample) = if area.width >= WIDE {
            let columns = [Constraint::Percentage(58), Constraint::Percentage(42)];
            let [curves, sample] = Layout::horizontal(columns).areas(body);
            (curves, sample)
        } else {
            let rows = [Constraint::Percentage(65), Constraint::Percentage(35)];
            let [curves, sample] = Layout::vertical(rows).areas(body);
            (curves, sample)
        };
        let has_norm = curves.height >= TWO_CURVES;
        let share = if has_norm { 66 } else { 100 };
        let rows = [
            Constraint::Percentage(share),
            Constraint::Percentage(100 - share),
        ];
        let [losses, norm] = Layout::vertical(rows).areas(curves);
        self.head(frame, head, has_norm);
        let training = ("training", BLUE, self.loss.points.as_slice());
        let held_out = ("held out", ORANGE, self.validation.as_slice());
        let title = match losses.width {
            NARROW.. => "loss in nats",
            _ => "loss",
        };
        self.chart(frame, losses, title, &[training, held_out]);
        if has_norm {
            let norms = ("", Color::Reset, self.norm.points.as_slice());
            self.chart(frame, norm, "gradient norm", &[norms]);
        }
        self.sample_box(frame, sample);
        self.log_box(frame, log);
        let hint = match area.width {
            WIDE.. => " Ctrl-C saves, stops and prints how to resume; twice ends at once",
            NARROW.. => " Ctrl-C saves, stops and prints how to resume",
            _ => " Ctrl-C saves and stops",
        };
        frame.render_widget(Paragraph::new(hint.dim()), foot);
    }

    /// The state of training, with as many of its parts as the line has room for, the important ones
    /// first.
    fn head(&self, frame: &mut Frame<'_>, area: Rect, has_norm: bool) {
        let [words, gauge] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(area);
        let of = self
            .max_steps
            .map_or_else(String::new, |steps| format!("/{}", thousands(steps)));
        let step = format!("step {}{of}", thousands(self.step));
        let norm = match self.norm.points.last() {
            Some(&(_, norm)) if !has_norm => format!("gradient norm {}", number(norm)),
            _ => String::new(),
        };
        let rate = format!("learning rate {:.2e}", self.learning_rate);
        let mut line = format!(" {step}");
        let parts = self
            .speed
            .split("  ")
            .chain([norm.as_str(), &self.title, &rate]);
        for part in parts.filter(|part| !part.is_empty()) {
            if Line::from(line.as_str()).width() + 3 + Line::from(part).width()
                <= usize::from(area.width)
            {
                line = format!("{line}   {part}");
            }
        }
        frame.render_widget(Paragraph::new(line.bold()), words);
        if let Some(steps) = self.max_steps.filter(|&steps| steps > 0) {
            let ratio = (self.step as f64 / steps as f64).clamp(0.0, 1.0);
            frame.render_widget(LineGauge::default().ratio(ratio).filled_style(BLUE), gauge);
        }
    }

    fn chart(&self, frame: &mut Frame<'_>, area: Rect, title: &str, curves: &[Drawn<'_>]) {
        let all = || curves.iter().flat_map(|curve| curve.2);
        let bounds = |of: fn(&(f64, f64)) -> f64| {
            let low = all().map(of).fold(f64::INFINITY, f64::min);
            let high = all().map(of).fold(f64::NEG_INFINITY, f64::max);
            // Bounds that are apart, also of one point or none.
            if low < high {
                [low, high]
            } else if low == high {
                [low - 0.5, low + 0.5]
            } else {
                [0.0, 1.0]
            }
        };
        let ([x0, x1], [y0, y1]) = (bounds(|point| point.0), bounds(|point| point.1));
        let drawn = curves.iter().filter(|curve| !curve.2.is_empty());
        let datasets = drawn.clone().map(|&(_, colour, points)| {
            let graph = match points.len() {
                1 => GraphType::Scatter,
                _ => GraphType::Line,
            };
            let dataset = Dataset::default().data(points).marker(Marker::Braille);
            dataset.graph_type(graph).style(Style::new().fg(colour))
        });
        // The last number of each curve, in its colour.
        let mut heading = vec![Span::from(format!(" {title}"))];
        for (at, (name, colour, points)) in drawn.clone().enumerate() {
            let (_, last) = points[points.len() - 1];
            let space = if name.is_empty() { "" } else { " " };
            let before = if at == 0 { ": " } else { ", " };
            heading.push(before.into());
            let words = format!("{name}{space}{}", number(last));
            heading.push(Span::styled(words, Style::new().fg(*colour)));
        }
        heading.push(" ".into());
        let heights = match area.height {
            // Labels that share a row would be drawn over each other.
            0..=4 => Vec::new(),
            5..=6 => vec![number(y0), number(y1)],
            _ => vec![number(y0), number((y0 + y1) / 2.0), number(y1)],
        };
        let chart = Chart::new(datasets.collect())
            .block(
                Block::bordered()
                    .title(Line::from(heading))
                    .border_style(Style::new().dim()),
            )
            .x_axis(Axis::default().bounds([x0, x1]).labels([
                format!("step {}", thousands(x0.max(0.0) as u64)),
                thousands(x1 as u64),
            ]))
            .y_axis(Axis::default().bounds([y0, y1]).labels(heights));
        frame.render_widget(chart, area);
    }

    fn sample_box(&self, frame: &mut Frame<'_>, area: Rect) {
        let (title, text) = match &self.sample {
            Some((step, text)) => (
                format!(" sample at step {} ", thousands(*step)),
                text.as_str(),
            ),
            None => (" sample ".to_owned(), ""),
        };
        let block = Block::bordered()
            .title(title)
            .border_style(Style::new().dim());
        let text = text.replace('\t', "    ");
        frame.render_widget(
            Paragraph::new(text).wrap(Wrap { trim: false }).block(block),
            area,
        );
    }

    fn log_box(&self, frame: &mut Frame<'_>, area: Rect) {
        let block = Block::bordered()
            .title(" log ")
            .border_style(Style::new().dim());
        let room = usize::from(area.height.saturating_sub(2));
        let last = &self.log[self.log.len().saturating_sub(room)..];
        let width = usize::from(area.width.saturating_sub(2));
        let lines: Vec<Line<'_>> = last.iter().map(|line| cut(line, width)).collect();
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }
}

/// A number in few characters.
fn number(y: f64) -> String {
    if y.abs() < 1e5 {
        format!("{y:.2}")
    } else {
        format!("{y:.1e}")
    }
}

/// A line that says where it is cut.
fn cut(line: &str, width: usize) -> Line<'_> {
    let whole = Line::from(line);
    if whole.width() <= width {
        return whole;
    }
    let ends = line.char_indices().map(|(at, _)| &line[..at]);
    let fits = ends.rev().find(|start| Line::from(*start).width() < width);
    Line::from(format!("{}…", fits.unwrap_or_default()))
}
