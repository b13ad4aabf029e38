//! What one neuron does as a text goes by, in a few lines.
//!
//! ```sh
//! cargo run --release -p rnn --example neuron -- shakespeare.safetensors scene.txt 5    # unit 5, top layer
//! ```

use std::error::Error;
use std::io::{self, Write};

use rnn::Model;
use rnn::insight::{Property, Signal, correlations};

/// The hidden state of a unit of the top layer after each character of a text.
pub(crate) fn trace(model: &Model, text: &str, unit: usize) -> rnn::Result<Vec<(char, f32)>> {
    let ids = model.vocabulary().encode(text)?;
    let traces = model.traces(&ids)?;
    let top = traces.config().num_layers - 1;
    Ok(text
        .chars()
        .zip(traces.unit(top, Signal::HIDDEN, unit))
        .collect())
}

/// The unit of the top layer that follows a property most closely, and its correlation.
pub(crate) fn follower(
    model: &Model,
    text: &str,
    of: Property,
) -> rnn::Result<Option<(usize, f64)>> {
    let ids = model.vocabulary().encode(text)?;
    let traces = model.traces(&ids)?;
    let characters: Vec<char> = text.chars().collect();
    let top = traces.config().num_layers - 1;
    let r = correlations(&of.values(&characters), &traces, top, Signal::HIDDEN);
    let known = r
        .into_iter()
        .enumerate()
        .filter_map(|(unit, r)| Some((unit, r?)));
    Ok(known.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())))
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, text, rest @ ..] = args.as_slice() else {
        return Err("expected MODEL TEXT [UNIT]".into());
    };
    let (model, text) = (Model::load(model)?, std::fs::read_to_string(text)?);
    let mut out = io::stdout().lock();
    for property in Property::ALL {
        if let Some((unit, r)) = follower(&model, &text, property)? {
            writeln!(out, "{:<16} unit {unit:>4}   r = {r:+.2}", property.name())?;
        }
    }
    let unit = rest.first().map_or(Ok(0), |unit| unit.parse())?;
    let units = model.network().config().hidden_size;
    if unit >= units {
        return Err(format!("unit {unit} of {units}, expected less").into());
    }
    for (character, activation) in trace(&model, &text, unit)? {
        writeln!(out, "{character:<5?} {activation:+.3}")?;
    }
    Ok(())
}
