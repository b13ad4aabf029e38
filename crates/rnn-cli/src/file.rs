//! Files that are named on the command line, `-` among them.

use std::fmt;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rnn::{Corpus, CorpusBuilder, Model, checkpoint};

use crate::console;
use crate::exit::misuse;

/// Where a text comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    pub(crate) fn new(path: &Path) -> Self {
        if path == "-" {
            Source::Stdin
        } else {
            Source::File(path.to_owned())
        }
    }

    /// All of it, through `builder`.
    pub(crate) fn read(&self, mut builder: CorpusBuilder) -> anyhow::Result<Corpus> {
        match self {
            // Its errors name the file.
            Source::File(path) => builder.push_path(path)?,
            Source::Stdin => builder
                .push_reader(io::stdin().lock())
                .context("cannot read standard input")?,
        }
        builder
            .finish()
            .with_context(|| format!("cannot use {self}"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Stdin => f.write_str("standard input"),
            Source::File(path) => path.display().fmt(f),
        }
    }
}

/// Where a model goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Stdout,
    File(PathBuf),
}

impl Target {
    /// What was asked for, or else the text's name with `.safetensors` in the current folder.
    pub(crate) fn new(output: Option<&Path>, source: &Source) -> anyhow::Result<Self> {
        match (output, source) {
            (Some(path), _) if path == "-" => Ok(Target::Stdout),
            (Some(path), _) => Ok(Target::File(path.to_owned())),
            (None, Source::Stdin) => Err(misuse(
                "a text from standard input has no name for the model, expected -o MODEL",
            )),
            (None, Source::File(path)) => {
                let name = path.file_name().unwrap_or("model".as_ref());
                Ok(Target::File(Path::new(name).with_extension("safetensors")))
            }
        }
    }

    /// Whether the model can be written there, asked before hours of training and not after.
    pub(crate) fn check(&self, source: &Source, force: bool) -> anyhow::Result<()> {
        let path = match self {
            Target::Stdout if io::stdout().is_terminal() => {
                bail!("standard output is a terminal, expected a file or a pipe for the model")
            }
            Target::Stdout => return Ok(()),
            Target::File(path) => path,
        };
        checkpoint::check_target(path)?;
        if let Source::File(text) = source
            && let (Ok(text), Ok(model)) = (fs::canonicalize(text), fs::canonicalize(path))
            && text == model
        {
            bail!(
                "{} is the text itself, expected another name for the model (-o)",
                path.display()
            );
        }
        if path.exists() && !force {
            bail!(
                "{} exists, expected a new name (-o) or --force to overwrite it",
                path.display()
            );
        }
        Ok(())
    }

    /// Puts a model there.
    pub(crate) fn write(&self, model: &Model) -> anyhow::Result<()> {
        match self {
            Target::File(path) => Ok(model.save(path)?),
            Target::Stdout => {
                let mut stdout = console::stdout();
                stdout.write_all(&model.to_bytes())?;
                Ok(stdout.flush()?)
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Stdout => f.write_str("standard output"),
            Target::File(path) => path.display().fmt(f),
        }
    }
}

/// The model in a file.
pub(crate) fn load(path: &Path) -> anyhow::Result<Model> {
    if path != "-" {
        return Ok(Model::load(path)?);
    }
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    Model::from_bytes(&bytes).context("standard input")
}
