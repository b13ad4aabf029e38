//! `--plot`: the losses over the steps as a picture in SVG, which any browser shows.
//!
//! Two lines need no drawing library. The usual one also turns on a feature that makes a dependency take
//! its logarithms from the platform, which differ in their bits.

use std::fmt::Write;
use std::path::PathBuf;

use rnn::{Record, checkpoint};

/// The picture's size.
const SIZE: (f64, f64) = (800.0, 450.0);
/// Left, top, right and bottom of the part with the lines in it.
const FRAME: (f64, f64, f64, f64) = (70.0, 40.0, 770.0, 395.0);
/// How a picture of ours begins.
const MARK: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" data-source=\"rnn-cli\"";
/// Whether a file begins as a picture of ours, as far as it goes.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    super::begins(bytes, MARK)
}

/// What a line shows.
type Loss = fn(&Record) -> Option<f64>;
/// The two lines, in colours that colour-blind people can tell apart.
const SERIES: [(&str, &str, Loss); 2] = [
    ("training", "#0072b2", |record| record.train_loss),
    ("validation", "#d55e00", |record| record.validation_loss),
];

/// A picture that follows a run.
#[derive(Debug)]
pub(crate) struct Plot(pub(super) PathBuf);

impl Plot {
    /// Draws the losses so far.
    pub(crate) fn draw(&self, history: &[Record]) -> anyhow::Result<()> {
        Ok(checkpoint::save(&self.0, svg(history).as_bytes())?)
    }
}

/// The picture.
fn svg(history: &[Record]) -> String {
    let points = |loss: Loss| -> Vec<(f64, f64)> {
        let point = |record: &Record| Some((record.step as f64, loss(record)?));
        let all = history.iter().filter_map(point);
        all.filter(|(_, loss)| loss.is_finite()).collect()
    };
    let all: Vec<f64> = SERIES
        .iter()
        .flat_map(|series| points(series.2))
        .map(|p| p.1)
        .collect();
    let (low, high) = (
        all.iter().copied().min_by(f64::total_cmp).unwrap_or(0.0),
        all.iter().copied().max_by(f64::total_cmp).unwrap_or(1.0),
    );
    let last = history.last().map_or(1.0, |record| record.step as f64);
    let (x_ticks, y_ticks) = (ticks(0.0, last), ticks(low, high));
    let (low, high) = (low.min(y_ticks[0]), high.max(y_ticks[y_ticks.len() - 1]));
    let (left, top, right, bottom) = FRAME;
    let x = |step: f64| left + (right - left) * step / last.max(1.0);
    let y = |loss: f64| bottom - (bottom - top) * (loss - low) / (high - low).max(1e-12);

    let (width, height) = SIZE;
    let mut out = format!(
        "{MARK} width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    // Writing to a string cannot fail.
    for tick in y_ticks {
        let at = y(tick);
        let _ = writeln!(
            out,
            "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#dddddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            at + 4.0,
            short(tick)
        );
    }
    for tick in x_ticks.into_iter().filter(|&tick| tick <= last) {
        let at = x(tick);
        let _ = writeln!(
            out,
            "<path d=\"M{at:.1} {bottom}v5\" stroke=\"black\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 20.0,
            short(tick)
        );
    }
    let _ = writeln!(
        out,
        "<path d=\"M{left} {top}V{bottom}H{right}\" fill=\"none\" stroke=\"black\"/>\n\
         <text x=\"{left}\" y=\"22\">loss in nats per character</text>\
         <text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">steps</text>",
        bottom + 40.0
    );
    for (at, (name, colour, loss)) in SERIES.into_iter().enumerate() {
        let points = points(loss);
        if points.is_empty() {
            continue;
        }
        let line: Vec<String> = points
            .iter()
            .map(|&(step, loss)| format!("{:.1},{:.1}", x(step), y(loss)))
            .collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            line.join(" ")
        );
        // A single point makes no line.
        for point in points.iter().take(if points.len() == 1 { 1 } else { 0 }) {
            let (x, y) = (x(point.0), y(point.1));
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
            );
        }
        let from = right - 220.0 + 110.0 * at as f64;
        let _ = writeln!(
            out,
            "<path d=\"M{from} 18h20\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"22\">{name}</text>",
            from + 26.0
        );
    }
    out + "</svg>\n"
}

/// Round numbers, four to eight of them, that span from `low` to `high`.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = (high - low).max(1e-6);
    let rough = span / 6.0;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|&factor| factor * power >= rough);
    let step = factor.unwrap_or(10.0) * power;
    let first = (low / step).floor();
    let count = ((high / step).ceil() - first).clamp(1.0, 20.0) as u32;
    (0..=count)
        .map(|at| (first + f64::from(at)) * step)
        .collect()
}

/// A number as short as possible, without rounding errors.
fn short(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64, train_loss: Option<f64>, validation_loss: Option<f64>) -> Record {
        Record {
            step,
            train_loss,
            validation_loss,
            learning_rate: 0.1,
        }
    }

    #[test]
    fn ticks_are_round_and_span_what_they_label() {
        assert_eq!(
            ticks(0.0, 6000.0),
            [0.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0, 6000.0]
        );
        let labels: Vec<String> = ticks(1.37, 3.3).into_iter().map(short).collect();
        assert_eq!(labels, ["1", "1.5", "2", "2.5", "3", "3.5"]);
        for (low, high) in [
            (0.0, 1.0),
            (2.0, 2.0),
            (1e-9, 1e9),
            (-3.0, 0.1),
            (5.0, 5.001),
        ] {
            let ticks = ticks(low, high);
            assert!(
                ticks[0] <= low && ticks[ticks.len() - 1] >= high,
                "{low} {high} {ticks:?}"
            );
            assert!(ticks.len() < 12, "{ticks:?}");
        }
    }

    #[test]
    fn both_lines_run_from_the_worst_loss_at_the_top_to_the_last_step_at_the_right() {
        let picture = svg(&[
            record(10, Some(3.0), Some(2.5)),
            record(20, Some(1.0), Some(2.0)),
        ]);
        assert!(picture.starts_with(MARK) && picture.ends_with("</svg>\n"));
        assert!(
            picture.contains("points=\"420.0,40.0 770.0,395.0\""),
            "{picture}"
        );
        assert!(
            picture.contains("points=\"420.0,128.8 770.0,217.5\""),
            "{picture}"
        );
        assert_eq!(
            picture.matches("<text").count(),
            picture.matches("</text>").count()
        );
    }

    #[test]
    fn nothing_and_what_is_not_finite_is_not_drawn() {
        assert!(!svg(&[]).contains("polyline"));
        let picture = svg(&[
            record(10, Some(f64::NAN), None),
            record(20, Some(2.0), None),
        ]);
        assert_eq!(picture.matches("<polyline").count(), 1);
        assert!(
            picture.contains("<circle") && !picture.contains("NaN"),
            "{picture}"
        );
    }
}
