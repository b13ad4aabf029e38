//! Learns a list of names, one a line, and makes up new ones.
//!
//! ```sh
//! cargo run --release -p rnn --example names -- names.txt
//! ```

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write};

use rnn::{CorpusBuilder, Model, SampleOptions, Trainer, recommended};

/// A model of the lines of a text, each for itself.
pub(crate) fn learn(names: &str, hidden_size: usize, steps: u64) -> rnn::Result<Model> {
    let mut builder = CorpusBuilder::new().records();
    builder.push_text(names)?;
    let corpus = builder.finish()?;
    let facts = corpus.facts(true);
    let mut advice = recommended(&facts);
    advice.train.records = true;
    (advice.network.hidden_size, advice.network.num_layers) = (hidden_size, 1);
    advice.train.max_steps = Some(steps);
    let advice = advice.regularised(&facts);
    Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train)?.train(2)
}

/// So many names that are not among those known, none twice.
pub(crate) fn invent(
    model: &Model,
    known: &BTreeSet<&str>,
    count: usize,
) -> rnn::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for seed in 0..100 * count as u64 {
        let options = SampleOptions {
            temperature: 0.8,
            seed,
            ..SampleOptions::default()
        };
        let name: String = model
            .sample("", &options)?
            .take_while(|character| !matches!(character, Ok('\n')))
            .take(30)
            .collect::<rnn::Result<_>>()?;
        if !name.is_empty() && !known.contains(&name[..]) {
            names.insert(name);
        }
        if names.len() == count {
            break;
        }
    }
    Ok(names)
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("expected a file of names")?;
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let model = learn(&text, 128, 600)?;
    let mut out = io::stdout().lock();
    for name in invent(&model, &text.lines().collect(), 20)? {
        writeln!(out, "{name}")?;
    }
    Ok(())
}
