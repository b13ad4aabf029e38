//! How well a model predicts texts: over all, by line, by character.

use std::io::Write;

use anyhow::Context;
use rnn::{Corpus, CorpusBuilder, Id, Model, Score, Scorer};
use serde_json::json;

use crate::args::ScoreArgs;
use crate::console;
use crate::file::{self, Source};

/// Characters scored between two looks at the rest.
const CHUNK: usize = 1 << 16;

/// Runs `score`.
pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<()> {
    let model = file::load(&args.model)?;
    let mut out = console::stdout();
    let mut total = Score::default();
    let is_list = args.per_line || args.per_char;
    if !is_list && !args.json {
        writeln!(out, "nats/char  bits/char  perplexity  characters  file")?;
    }
    for file in &args.files {
        let source = Source::new(file);
        let builder =
            CorpusBuilder::with_vocabulary(model.vocabulary().clone(), args.unknown.into());
        let corpus = source.read(builder)?;
        let score = if args.per_line {
            lines(&model, &corpus, args.json, &mut out)?
        } else if args.per_char {
            characters(&model, &corpus, args.json, &mut out)?
        } else {
            let score = each(&model, &corpus, |_, _| Ok(()))?;
            report(&score, &source.to_string(), args.json, &mut out)?;
            score
        };
        total.nats += score.nats;
        total.characters += score.characters;
    }
    if args.files.len() > 1 && !is_list {
        report(&total, "total", args.json, &mut out)?;
    }
    Ok(out.flush()?)
}

/// Scores a text, telling of each predicted character and its surprise in nats.
fn each(
    model: &Model,
    corpus: &Corpus,
    mut tell: impl FnMut(Id, f64) -> anyhow::Result<()>,
) -> anyhow::Result<Score> {
    let mut scorer = Scorer::new(model);
    let mut ids = vec![0; CHUNK.min(corpus.len())];
    let mut told = Ok(());
    for start in (0..corpus.len()).step_by(CHUNK) {
        let ids = &mut ids[..CHUNK.min(corpus.len() - start)];
        corpus.ids().copy_to(start..start + ids.len(), ids);
        scorer.push_with(ids, |id, nats, _| {
            if told.is_ok() {
                told = tell(id, nats);
            }
        });
        std::mem::replace(&mut told, Ok(()))?;
    }
    Ok(scorer.score())
}

fn report(score: &Score, name: &str, as_json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let (nats, bits, perplexity) = (
        score.nats_per_character(),
        score.bits_per_character(),
        score.perplexity(),
    );
    if as_json {
        let line = json!({
            "file": name, "characters": score.characters, "nats_per_character": nats,
            "bits_per_character": bits, "perplexity": perplexity,
        });
        return Ok(writeln!(out, "{line}")?);
    }
    Ok(writeln!(
        out,
        "{nats:9.4}  {bits:9.4}  {perplexity:10.4}  {:10}  {name}",
        score.characters
    )?)
}

/// Every line with its mean surprise, the strangest first; of equals the earlier.
fn lines(
    model: &Model,
    corpus: &Corpus,
    as_json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Score> {
    let newline = model.vocabulary().id('\n');
    let mut lines = vec![Line {
        number: 1,
        ..Line::default()
    }];
    let first = corpus.ids().get(0);
    lines[0].text.push(first);
    let mut is_ended = Some(first) == newline;
    let score = each(model, corpus, |id, nats| {
        if is_ended {
            lines.push(Line {
                number: lines.len() + 1,
                ..Line::default()
            });
        }
        is_ended = Some(id) == newline;
        if let Some(line) = lines.last_mut() {
            line.text.push(id);
            line.nats += nats;
            line.predicted += 1;
        }
        Ok(())
    })?;
    lines.sort_by(|a, b| b.mean().total_cmp(&a.mean()).then(a.number.cmp(&b.number)));
    for line in &lines {
        let text = model.vocabulary().decode(
            line.text
                .strip_suffix(newline.as_slice())
                .unwrap_or(&line.text),
        );
        if as_json {
            let line =
                json!({"line": line.number, "nats_per_character": line.mean(), "text": text});
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{:9.4}  {:>6}  {text}", line.mean(), line.number)?;
        }
    }
    Ok(score)
}

#[derive(Default)]
struct Line {
    number: usize,
    text: Vec<Id>,
    nats: f64,
    predicted: u64,
}

impl Line {
    /// Mean surprise in nats per character, the line's end included.
    fn mean(&self) -> f64 {
        self.nats / self.predicted.max(1) as f64
    }
}

/// Every character with its surprise.
fn characters(
    model: &Model,
    corpus: &Corpus,
    as_json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Score> {
    each(model, corpus, |id, nats| {
        let symbol = model.vocabulary().symbol(id);
        if as_json {
            writeln!(
                out,
                "{}",
                json!({"character": symbol.to_string(), "nats": nats})
            )
        } else {
            writeln!(out, "{nats:9.4}  {symbol:?}")
        }
        .context("standard output")
    })
}
