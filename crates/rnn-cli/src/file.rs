//! Files that are named on the command line, `-` among them.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rnn::{Corpus, CorpusBuilder, Error, Model, Unknown, checkpoint};

use crate::console::Console;
use crate::exit::misuse;
use crate::format::thousands;
use crate::reading::Reading;

/// Where a text comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    pub(crate) fn new(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            Source::Stdin
        } else {
            Source::File(path.to_owned())
        }
    }

    /// Its size in bytes, where that is known before it is read.
    pub(crate) fn size(&self) -> Option<u64> {
        let Source::File(path) = self else {
            return None;
        };
        let about = path.metadata().ok()?;
        about.is_file().then_some(about.len())
    }

    /// Tells `builder` how much is to come, where that is known.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn announce(&self, builder: &mut CorpusBuilder) -> anyhow::Result<()> {
        let announced = builder.expect_bytes(self.size().unwrap_or(0));
        announced.with_context(|| format!("cannot read {self}"))
    }

    /// Appends all of it to what `builder` has.
    pub(crate) fn push(
        &self,
        builder: &mut CorpusBuilder,
        reading: &mut Reading,
    ) -> anyhow::Result<()> {
        match self {
            Source::File(path) => {
                let read = File::open(path)
                    .map_err(Error::from)
                    .and_then(|file| builder.push_reader(reading.of(file)));
                Ok(read.map_err(|source| Error::File {
                    path: path.clone(),
                    source: Box::new(source),
                })?)
            }
            Source::Stdin => builder
                .push_reader(reading.of(io::stdin().lock()))
                .context("cannot read standard input"),
        }
    }

    /// All of it, through `builder`.
    pub(crate) fn read(
        &self,
        mut builder: CorpusBuilder,
        console: Console,
    ) -> anyhow::Result<Corpus> {
        self.push(&mut builder, &mut Reading::new(console, self.size()))?;
        builder
            .finish()
            .with_context(|| format!("cannot use {self}"))
    }
}

/// The text of `source` as `model` reads it.
pub(crate) fn read_text(
    source: &Source,
    model: &Model,
    unknown: Unknown,
    console: Console,
) -> anyhow::Result<Corpus> {
    let mut builder = CorpusBuilder::with_vocabulary(model.vocabulary().clone(), unknown);
    builder = match model.line_end() {
        Some(_) => builder.records(),
        None => builder.unify_line_ends(),
    };
    source.announce(&mut builder)?;
    let corpus = source.read(builder, console)?;
    let (count, length) = (corpus.unknown(), corpus.len() as u64);
    let (how, all) = match unknown {
        Unknown::Skip => ("left out", length + count),
        _ => ("read as U+FFFD", length),
    };
    if count > 0 {
        console.note(&format!(
            "{how} {} of the {} characters of {source}, which the model does not know",
            thousands(count),
            thousands(all)
        ));
    }
    Ok(corpus)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Stdin => f.write_str("standard input"),
            Source::File(path) => path.display().fmt(f),
        }
    }
}

/// The model in a file.
pub(crate) fn load(path: &Path) -> anyhow::Result<Model> {
    read(path, Model::from_bytes)
}

/// The same, reading line by line if that was asked for or it was trained so.
pub(crate) fn load_for(path: &Path, by_line: bool) -> anyhow::Result<Model> {
    let model = load(path)?;
    if !by_line {
        return Ok(model);
    }
    model.by_line().map_err(|_| {
        misuse("--records needs a model that knows the newline character; train one with --records")
    })
}

/// What `parse` makes of the bytes of a model's file.
pub(crate) fn read<R>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> rnn::Result<R>,
) -> anyhow::Result<R> {
    read_as(path, parse, |error| error)
}

/// As [`read`], with what is wrong with the bytes put in other words.
pub(crate) fn read_as<R>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> rnn::Result<R>,
    reword: impl FnOnce(rnn::Error) -> rnn::Error,
) -> anyhow::Result<R> {
    if path.as_os_str() != "-" {
        return Ok(checkpoint::read(path, parse).map_err(|error| match error {
            rnn::Error::File { path, source } => rnn::Error::File {
                path,
                source: Box::new(reword(*source)),
            },
            error => error,
        })?);
    }
    let bytes = checkpoint::read_from(io::stdin().lock());
    bytes
        .and_then(|bytes| parse(&bytes))
        .map_err(|error| match error {
            rnn::Error::Io(error) => {
                anyhow::Error::from(error).context("cannot read standard input")
            }
            error => anyhow::Error::from(reword(error)).context("standard input"),
        })
}
