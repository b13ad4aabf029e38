//! Scores how well a model predicts texts: as a whole, by line, by character.

mod scores;

use std::io::{self, Write};

use anyhow::{Context, bail};
use rnn::{AdaptiveScorer, Corpus, Error, Id, Layout, Model, Score, Scorer, memory};
use serde_json::json;

use crate::args::ScoreArgs;
use crate::console::{self, Console};
use crate::file::{self, Source};
use crate::format::{quoted, visible};
use crate::progress;
use crate::threads;

use scores::Scores;

/// Bytes that a line takes beside its characters, at most.
const EACH_LINE: u128 = 2 * size_of::<Line>() as u128 + 64;

/// Characters scored between two looks at the bar.
const CHUNK: usize = 1 << 12;

/// Runs `score`.
pub(crate) fn run(args: &ScoreArgs, console: Console) -> anyhow::Result<()> {
    let model = file::load_for(&args.model, args.records)?;
    // A text read in one place reads each weight once, from afar.
    let at_a_time = match args.fast {
        true => usize::MAX,
        false => usize::try_from(2 * Layout::count(model.network().config())).unwrap_or(usize::MAX),
    };
    threads::run(args.threads, at_a_time, || score(args, &model, console))
}

fn score(args: &ScoreArgs, model: &Model, console: Console) -> anyhow::Result<()> {
    let mut out = console::stdout();
    let mut total = Scores::default();
    let is_list = args.per_line || args.per_char;
    for (at, file) in args.files.iter().enumerate() {
        let source = Source::new(file);
        let corpus = file::read_text(&source, model, args.unknown.into(), console)?;
        if model.line_end().is_none() && corpus.len() < 2 {
            bail!(
                "cannot score {source}: its only character is read, not predicted; use at least 2 characters"
            );
        }
        let text = Text {
            source: &source,
            model,
            corpus: &corpus,
            adapts: args.adapt,
            as_json: args.json,
            console,
        };
        if args.per_line {
            text.lines(&mut out)?;
        } else if args.per_char {
            text.characters(&mut out)?;
        } else {
            let scores = Scores {
                plain: match args.fast {
                    true => text.fast()?,
                    false => text.plain(|_, _| Ok(()))?,
                },
                adapted: match args.adapt {
                    true => Some(text.adapted(|_, _| Ok(()))?),
                    false => None,
                },
            };
            if at == 0 && !args.json {
                writeln!(out, "nats/char  bits/char  perplexity  characters  file")?;
            }
            scores.report(&source.to_string(), args.json, &mut out)?;
            total.add(&scores);
        }
    }
    if args.files.len() > 1 && !is_list {
        total.report("total", args.json, &mut out)?;
    }
    Ok(out.flush()?)
}

/// A text to be scored.
struct Text<'a> {
    source: &'a Source,
    model: &'a Model,
    corpus: &'a Corpus,
    /// Whether lists are of the surprise of a copy that learns on the way.
    adapts: bool,
    as_json: bool,
    console: Console,
}

impl Text<'_> {
    /// Scores the text for a list; calls `tell` with each predicted character and its surprise in nats.
    fn score(&self, tell: impl FnMut(Id, f64) -> io::Result<()>) -> anyhow::Result<Score> {
        if self.adapts {
            self.adapted(tell)
        } else {
            self.plain(tell)
        }
    }

    /// Scores the text with a copy of the model that learns from it on the way.
    fn adapted(&self, mut tell: impl FnMut(Id, f64) -> io::Result<()>) -> anyhow::Result<Score> {
        let ids = self.corpus.ids().as_slice();
        let bar = progress::characters(self.console, ids.len() as u64);
        let mut scorer = AdaptiveScorer::new(self.model)?;
        let read = scorer.read(ids.iter(), |id, nats| {
            bar.inc(1);
            anyhow::Ok(tell(id, nats)?)
        });
        read.map_err(|error| match error.is::<Error>() {
            true => error.context(format!("cannot score {}", self.source)),
            false => error,
        })?;
        bar.finish_and_clear();
        Ok(scorer.score())
    }

    /// Scores the text in many places at once.
    fn fast(&self) -> anyhow::Result<Score> {
        let score = self.model.score_corpus(self.corpus);
        score.with_context(|| format!("cannot score {}", self.source))
    }

    /// Scores the text with the model as it is.
    fn plain(&self, mut tell: impl FnMut(Id, f64) -> io::Result<()>) -> anyhow::Result<Score> {
        let length = self.corpus.len();
        let bar = progress::characters(self.console, length as u64);
        let mut scorer = Scorer::new(self.model)?;
        let mut ids = vec![0; CHUNK.min(length)];
        for start in (0..length).step_by(CHUNK) {
            let ids = &mut ids[..CHUNK.min(length - start)];
            self.corpus.ids().copy_to(start..start + ids.len(), ids);
            let mut told = Ok(());
            let read = scorer.push_with(&*ids, |id, nats, _| {
                if told.is_ok() {
                    told = tell(id, nats);
                }
            });
            read.with_context(|| format!("cannot score {}", self.source))?;
            told?;
            bar.inc(ids.len() as u64);
        }
        bar.finish_and_clear();
        Ok(scorer.score())
    }

    /// Prints every line with its mean surprise, the most surprising first; of equals the earlier.
    fn lines(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let vocabulary = self.model.vocabulary();
        let newline = vocabulary.id('\n');
        let ids = self.corpus.ids().as_slice();
        let count = 1 + ids.iter().filter(|&id| Some(id) == newline).count() as u128;
        // The text of a line grows by doubling.
        let texts = (2 * size_of::<Id>() * ids.len()) as u128;
        memory::check(texts + count * EACH_LINE)?;
        let mut lines = Vec::new();
        let mut is_ended = true;
        if self.model.line_end().is_none() {
            // The first character of the text is read, not predicted.
            let first = self.corpus.ids().get(0);
            lines.push(Line {
                number: 1,
                text: vec![first],
                ..Line::default()
            });
            is_ended = Some(first) == newline;
        }
        self.score(|id, nats| {
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
        // The first character of a text may be a line of its own, which has no surprise.
        lines.retain(|line| line.predicted > 0);
        lines.sort_by(|a, b| b.mean().total_cmp(&a.mean()).then(a.number.cmp(&b.number)));
        for line in &lines {
            let (number, nats) = (line.number, line.mean());
            let text = vocabulary.decode(&line.text);
            let text = text.strip_suffix('\n').unwrap_or(&text);
            if self.as_json {
                let key = self.key("nats_per_character");
                let line = json!({"line": number, key: nats, "text": text});
                writeln!(out, "{line}")?;
            } else {
                // A tab within a line is part of it.
                writeln!(out, "{nats:9.4}  {number:>6}  {}", visible(text, "\t"))?;
            }
        }
        Ok(())
    }

    /// The name of a number in a list.
    fn key(&self, plain: &str) -> String {
        let kind = if self.adapts { "adapted_" } else { "" };
        format!("{kind}{plain}")
    }

    /// Prints every character with its surprise.
    fn characters(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let key = self.key("nats");
        self.score(|id, nats| {
            let symbol = self.model.vocabulary().symbol(id);
            if self.as_json {
                writeln!(
                    out,
                    "{}",
                    json!({"character": symbol.to_string(), key.as_str(): nats})
                )
            } else {
                writeln!(out, "{nats:9.4}  {}", quoted(symbol))
            }
        })?;
        Ok(())
    }
}

#[derive(Default)]
struct Line {
    number: usize,
    text: Vec<Id>,
    nats: f64,
    predicted: u64,
}

impl Line {
    /// Mean surprise in nats per character, including the newline.
    fn mean(&self) -> f64 {
        self.nats / self.predicted as f64
    }
}
