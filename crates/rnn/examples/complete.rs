//! Completes what is typed, line by line: what the model would write next, and how sure it is.
//!
//! ```sh
//! cargo run --release -p rnn --example complete -- shakespeare.safetensors
//! ```

use std::error::Error;
use std::io::{self, BufRead, Write};

use rnn::{Model, State};

/// What was read so far, as the model remembers it, and what it expects now.
pub(crate) struct Completer<'m> {
    model: &'m Model,
    state: State<f32>,
    next: Vec<f32>,
}

impl<'m> Completer<'m> {
    pub(crate) fn new(model: &'m Model) -> Self {
        Completer {
            state: model.initial_state(),
            next: Vec::new(),
            model,
        }
    }

    /// Reads a character; one that the model does not know is passed over.
    pub(crate) fn read(&mut self, character: char) {
        if let Ok(next) = self.model.step(character, &mut self.state) {
            self.next = next;
        }
    }

    /// The likeliest character to come and its probability.
    fn likeliest(&self) -> Option<(char, f32)> {
        let symbols = self.model.vocabulary().symbols().iter().copied();
        let pairs = symbols.zip(self.next.iter().copied());
        pairs.max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The likeliest end of the line, and the probability of its first character. What was read is
    /// left as it was.
    pub(crate) fn complete(&self, most: usize) -> (String, f32) {
        let mut ahead = Completer {
            model: self.model,
            state: self.state.clone(),
            next: self.next.clone(),
        };
        let sure = ahead.likeliest().map_or(0.0, |(_, p)| p);
        let mut text = String::new();
        while let Some((character, _)) = ahead.likeliest().filter(|(c, _)| *c != '\n') {
            if text.chars().count() == most {
                break;
            }
            text.push(character);
            ahead.read(character);
        }
        (text, sure)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("expected a model")?;
    let model = Model::load(file)?;
    let mut completer = Completer::new(&model);
    completer.read('\n');
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        line.chars().for_each(|character| completer.read(character));
        let (rest, sure) = completer.complete(80);
        writeln!(out, "{line}[{rest}]  {:.0} %", 100.0 * sure)?;
        completer.read('\n');
    }
    Ok(())
}
