//! The numbers behind the page.

use std::io::{self, Write};

use rnn::insight::{
    Class, Letters, Map, Memory, Property, Signal, Surprise, Traces, correlations, letters,
    surprises,
};
use rnn::{Id, Layout, Model, NetworkConfig, memory};
use serde_json::{Value, json};

/// Likeliest characters told in each place.
const LIKELIEST: usize = 5;
/// Losses that the memory is averaged over.
const MEMORY_SAMPLES: usize = 256;
/// Lags of a model that does not say how it was trained.
const MEMORY_LAGS: usize = 128;
/// Decimal places after the first digit that distinguish any two f32.
const DIGITS: usize = 8;

/// How closely the units of a layer follow a property with one of their signals.
pub(crate) struct Follow {
    pub(crate) property: Property,
    pub(crate) layer: usize,
    pub(crate) signal: Signal,
    /// For each unit.
    pub(crate) r: Vec<Option<f64>>,
}

/// What a model makes of a text.
pub(crate) struct Numbers<'m> {
    pub(crate) model: &'m Model,
    /// The names of the model's file and of the text's.
    names: [String; 2],
    pub(crate) ids: Vec<Id>,
    /// Characters of the text, of which `ids` are the first.
    total: usize,
    surprises: Vec<Surprise>,
    pub(crate) traces: Traces<f32>,
    pub(crate) follows: Vec<Follow>,
    memory: Memory,
    letters: Letters,
}

impl<'m> Numbers<'m> {
    /// Bytes that it takes at most to show what a model makes of so many characters: every signal of
    /// every unit, the surprises, and all of that as JSON in a page.
    pub(crate) fn bytes(network: &NetworkConfig, characters: usize) -> u128 {
        // Measured: 640 bytes with three likeliest characters, 830 with five.
        const EACH: u128 = 1200;
        // Measured: four numbers as JSON, and all of it once more as text.
        const EACH_SYMBOL: u128 = 450;
        let units = network.hidden_size as u128 * network.num_layers as u128;
        let signals = network.cell.signals().len() as u128;
        let weights = Layout::count(network) * 8 * size_of::<f32>() as u128;
        let symbols = network.vocab_size as u128 * EACH_SYMBOL;
        let each = EACH + units * (signals + 1) * size_of::<f32>() as u128;
        each * characters as u128 + weights + symbols
    }

    /// Reads `ids`, the first of a text of `total` characters.
    ///
    /// # Errors
    /// The model's states overflow over the text, or memory runs out.
    pub(crate) fn new(
        model: &'m Model,
        names: [String; 2],
        ids: Vec<Id>,
        total: usize,
    ) -> rnn::Result<Self> {
        let network = model.network();
        let mut text: Vec<char> = memory::room(ids.len())?;
        text.extend(ids.iter().map(|&id| model.vocabulary().symbol(id)));
        let traces = model.traces(&ids)?;
        let mut follows = Vec::new();
        for property in Property::ALL {
            let values = property.values(&text);
            for layer in 0..network.config().num_layers {
                for &signal in traces.signals() {
                    follows.push(Follow {
                        property,
                        layer,
                        signal,
                        r: correlations(&values, &traces, layer, signal.name),
                    });
                }
            }
        }
        // Twice the window shows what lies beyond it.
        let lags = model.training().map_or(MEMORY_LAGS, |training| {
            training.config.seq_length.saturating_mul(2).clamp(32, 512)
        });
        Ok(Numbers {
            model,
            names,
            total,
            surprises: surprises(model, &ids, LIKELIEST)?,
            follows,
            memory: Memory::measure(network, &ids, &traces, lags, MEMORY_SAMPLES)?,
            letters: letters(network)?,
            traces,
            ids,
        })
    }

    /// Everything but the activations.
    pub(crate) fn summary(&self) -> Value {
        let (network, vocabulary) = (self.model.network(), self.model.vocabulary());
        let likeliest = self.surprises.iter().map(|s| s.likeliest.as_slice());
        let config = self.model.training().map(|training| &training.config);
        let [model, text] = &self.names;
        json!({
            "model": model,
            "text": text,
            "network": network.config(),
            "parameters": network.parameters().len(),
            "bytes": vocabulary.is_bytes(),
            "line_end": self.model.line_end(),
            "vocabulary": vocabulary.symbols().iter().collect::<String>(),
            "classes": vocabulary.symbols().iter().map(|&c| Class::of(c).name()).collect::<Vec<_>>(),
            "signals": self.traces.signals().iter().map(|signal| signal.name).collect::<Vec<_>>(),
            "total": self.total,
            "ids": self.ids,
            "nats": self.surprises.iter().map(|s| rounded(s.nats)).collect::<Vec<_>>(),
            "likeliest": likeliest.map(|l| l.iter().map(|p| p.0).collect()).collect::<Vec<Vec<_>>>(),
            "probabilities": self.surprises.iter().map(|s| {
                s.likeliest.iter().map(|p| rounded(f64::from(p.1))).collect()
            }).collect::<Vec<Vec<_>>>(),
            "history": self.model.training().map_or(&[][..], |training| &training.history),
            "best_step": self.model.training().and_then(|training| training.best_step),
            "follows": self.follows.iter().map(|follow| json!({
                "property": follow.property.name(),
                "layer": follow.layer,
                "signal": follow.signal.name,
                "r": follow.r.iter().map(|r| r.map(rounded)).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "memory": {
                "samples": self.memory.samples,
                "window": config.map(|config| config.seq_length),
                "horizon": config.and_then(|config| config.horizon),
                "layers": self.memory.layers.iter().enumerate().map(|(k, layer)| json!({
                    "hidden": layer.hidden.iter().copied().map(rounded).collect::<Vec<_>>(),
                    "cell": layer.cell.iter().copied().map(rounded).collect::<Vec<_>>(),
                    "cut_off": config.map(|config| {
                        rounded(self.memory.cut_off(k, config.seq_length, config.horizon))
                    }),
                })).collect::<Vec<_>>(),
            },
            "letters": {
                "decoder": map(&self.letters.decoder),
                "input": map(&self.letters.input),
            },
        })
    }

    /// Writes the summary as one line, then each signal of each unit as another.
    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.summary())?;
        let config = self.traces.config();
        for layer in 0..config.num_layers {
            for &signal in self.traces.signals() {
                for unit in 0..config.hidden_size {
                    let values = self.traces.unit(layer, signal.name, unit);
                    let values: Vec<f64> = values.map(|value| rounded(f64::from(value))).collect();
                    let line = json!({
                        "layer": layer, "signal": signal.name, "unit": unit, "values": values,
                    });
                    writeln!(out, "{line}")?;
                }
            }
        }
        Ok(())
    }
}

fn map(map: &Map) -> Value {
    json!({
        "points": map.points.iter().map(|point| point.map(rounded)).collect::<Vec<_>>(),
        "explained": map.explained.map(rounded),
    })
}

/// The closest number of nine significant digits.
fn rounded(x: f64) -> f64 {
    format!("{x:.DIGITS$e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_nine_digits() {
        assert_eq!(rounded(0.123_456_789_4), 0.123_456_789);
        assert_eq!(rounded(f64::from(0.1_f32)), 0.100_000_001);
        assert!(rounded(f64::NAN).is_nan());
    }
}
