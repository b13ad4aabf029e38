//! Describes a model's file, for people or as JSON.

use std::io::Write;

use rnn::{Model, Record, checkpoint};
use serde_json::json;

use crate::args::InspectArgs;
use crate::console;
use crate::file;
use crate::format::{architecture, bytes, loss, quoted, settings, thousands};

/// Size of the plot in characters.
const PLOT: (usize, usize) = (60, 10);

/// A model and what its file says beside it.
struct Found {
    model: Model,
    checksum: String,
    size: u64,
}

/// Runs `inspect`.
pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let found = file::read(&args.model, |content| {
        Ok(Found {
            model: Model::from_bytes(content)?,
            checksum: checkpoint::checksum_of(content)?,
            size: content.len() as u64,
        })
    })?;
    let mut out = console::stdout();
    if args.json {
        writeln!(out, "{}", describe(&found))?;
    } else {
        tell(&found, &mut out)?;
    }
    Ok(out.flush()?)
}

fn describe(found: &Found) -> serde_json::Value {
    let model = &found.model;
    let vocabulary = model.vocabulary();
    json!({
        "format": checkpoint::FORMAT,
        "checksum": found.checksum,
        "size": found.size,
        "network": model.network().config(),
        "parameters": model.network().parameters().len(),
        "bytes": vocabulary.is_bytes(),
        "vocabulary": vocabulary.symbols().iter().collect::<String>(),
        "training": model.training(),
    })
}

fn tell(found: &Found, out: &mut impl Write) -> anyhow::Result<()> {
    let Found {
        model,
        checksum,
        size,
    } = found;
    let (network, vocabulary) = (model.network().config(), model.vocabulary());
    let parameters = model.network().parameters().len();
    writeln!(out, "network     {}", architecture(network))?;
    writeln!(
        out,
        "parameters  {} in {}",
        thousands(parameters as u64),
        bytes(*size)
    )?;
    writeln!(
        out,
        "file        format {}, checksum {checksum}",
        checkpoint::FORMAT
    )?;
    if vocabulary.is_bytes() {
        writeln!(out, "vocabulary  the 256 bytes")?;
    } else {
        write!(out, "vocabulary  {} characters: ", vocabulary.len())?;
        for &symbol in vocabulary.symbols() {
            match symbol {
                // Nothing here is between quotation marks.
                '\'' | '"' => write!(out, "{symbol}")?,
                symbol => write!(out, "{}", quoted(symbol).trim_matches('\''))?,
            }
        }
        writeln!(out)?;
    }
    let Some(training) = model.training() else {
        return Ok(writeln!(out, "training    unknown")?);
    };
    writeln!(out, "training    {}", settings(&training.config))?;
    let best = training
        .best_step
        .and_then(|step| training.history.iter().find(|record| record.step == step));
    let steps = training.history.last().map_or(0, |record| record.step);
    match best.and_then(|record| Some((record.step, record.validation_loss?))) {
        Some((step, nats)) => {
            writeln!(
                out,
                "best        validation {} per character at step {step}; {steps} steps done",
                loss(nats)
            )?;
        }
        None if training.history.is_empty() => {
            writeln!(out, "best        unknown, since nothing was evaluated yet")?;
        }
        None => writeln!(
            out,
            "best        unknown, since no text was held out; {steps} steps done"
        )?,
    }
    for row in plot(&training.history) {
        writeln!(out, "{row}")?;
    }
    Ok(())
}

/// Losses over steps: `·` on the training text, `o` on held-out text.
fn plot(history: &[Record]) -> Vec<String> {
    let (width, height) = PLOT;
    let points: Vec<(u64, f64, char)> = history
        .iter()
        .flat_map(|record| {
            let at = |loss: Option<f64>, mark| loss.map(|loss| (record.step, loss, mark));
            [at(record.train_loss, '·'), at(record.validation_loss, 'o')]
                .into_iter()
                .flatten()
        })
        .filter(|(_, loss, _)| loss.is_finite())
        .collect();
    let (Some(low), Some(high)) = (
        points.iter().map(|point| point.1).min_by(f64::total_cmp),
        points.iter().map(|point| point.1).max_by(f64::total_cmp),
    ) else {
        return Vec::new();
    };
    let last = points.iter().map(|point| point.0).max().unwrap_or(1).max(1);
    let mut rows = vec![vec![' '; width]; height];
    for &(step, loss, mark) in &points {
        let column = (step as f64 / last as f64 * (width - 1) as f64).round() as usize;
        let share = if high > low {
            (high - loss) / (high - low)
        } else {
            0.0
        };
        rows[(share * (height - 1) as f64).round() as usize][column] = mark;
    }
    let label = |row: usize| match row {
        0 => format!("{high:9.3} "),
        row if row == height - 1 => format!("{low:9.3} "),
        _ => " ".repeat(10),
    };
    let mut lines = vec![
        String::new(),
        "loss in nats per character:  · training  o held out".to_owned(),
    ];
    lines.extend(
        rows.iter()
            .enumerate()
            .map(|(at, row)| format!("{}|{}", label(at), String::from_iter(row))),
    );
    lines.push(format!("{}+{}", " ".repeat(10), "-".repeat(width)));
    lines.push(format!(
        "{}0{:>width$}",
        " ".repeat(10),
        format!("{last} steps")
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64, train_loss: f64, validation_loss: f64) -> Record {
        Record {
            step,
            train_loss: Some(train_loss),
            validation_loss: Some(validation_loss),
            learning_rate: 0.1,
        }
    }

    #[test]
    fn the_plot_spans_the_losses_and_the_steps() {
        let rows = plot(&[record(1, 4.0, 3.5), record(100, 1.0, 2.0)]);
        assert!(
            rows[2].starts_with("    4.000 |") && rows[2].contains('·'),
            "{rows:#?}"
        );
        assert!(
            rows[11].starts_with("    1.000 |") && rows[11].ends_with('·'),
            "{rows:#?}"
        );
        assert!(rows[13].ends_with("100 steps"));
        assert_eq!(
            rows.iter()
                .map(|row| row.matches('o').count())
                .sum::<usize>(),
            2 + "loss on o".matches('o').count()
        );
    }

    #[test]
    fn an_empty_or_flat_history_is_no_trouble() {
        assert!(plot(&[]).is_empty());
        assert_eq!(plot(&[record(5, 2.0, 2.0)]).len(), 14);
    }
}
