//! The scores of a text, and how they are printed.

use std::io::{self, Write};

use rnn::Score;
use serde_json::json;

use crate::format::visible;

/// What the model makes of a text, and a copy that learns from it if there is one.
#[derive(Default)]
pub(super) struct Scores {
    pub(super) plain: Score,
    pub(super) adapted: Option<Score>,
}

impl Scores {
    /// Adds the scores of another text.
    pub(super) fn add(&mut self, other: &Self) {
        let add = |sum: &mut Score, score: &Score| {
            sum.nats += score.nats;
            sum.characters += score.characters;
        };
        add(&mut self.plain, &other.plain);
        if let Some(adapted) = &other.adapted {
            add(self.adapted.get_or_insert_default(), adapted);
        }
    }

    /// Prints a row for each, or one object for both.
    pub(super) fn report(&self, name: &str, as_json: bool, out: &mut impl Write) -> io::Result<()> {
        // What learning on the way brings, in nats per character.
        let gain = |adapted: &Score| self.plain.nats_per_character() - adapted.nats_per_character();
        if as_json {
            let mut line = json!({
                "file": name, "characters": self.plain.characters,
                "nats_per_character": self.plain.nats_per_character(),
                "bits_per_character": self.plain.bits_per_character(),
                "perplexity": self.plain.perplexity(),
            });
            if let Some(adapted) = &self.adapted {
                line["adapted_nats_per_character"] = json!(adapted.nats_per_character());
                line["adapted_bits_per_character"] = json!(adapted.bits_per_character());
                line["adapted_perplexity"] = json!(adapted.perplexity());
                line["gain_nats_per_character"] = json!(gain(adapted));
            }
            return writeln!(out, "{line}");
        }
        let name = visible(name, "");
        row(&self.plain, &name, out)?;
        let Some(adapted) = &self.adapted else {
            return Ok(());
        };
        let gain = gain(adapted);
        let how = if gain < 0.0 { "more" } else { "less" };
        let name = format!("{name}, adapted: {:.4} nats/char {how}", gain.abs());
        row(adapted, &name, out)
    }
}

fn row(score: &Score, name: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:9.4}  {:9.4}  {:10.4}  {:10}  {name}",
        score.nats_per_character(),
        score.bits_per_character(),
        score.perplexity(),
        score.characters
    )
}
