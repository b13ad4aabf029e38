//! The texts to learn from: files, folders, standard input, joined in the order typed.
//!
//! A folder stands for the files in it and in its folders, sorted by path; what is hidden (a name
//! with a dot in front) is left out, and so are this run's own files. Nothing is put between texts.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rnn::{Corpus, CorpusBuilder};

use crate::console::Console;
use crate::exit::misuse;
use crate::file::Source;
use crate::outputs::{Identity, is_ours};
use crate::reading::Reading;

/// What was typed.
#[derive(Clone, Debug)]
pub(crate) struct Texts(Vec<Source>);

impl Texts {
    /// # Errors
    /// [`Misuse`](crate::exit::Misuse) if standard input is there twice.
    pub(crate) fn new(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let sources: Vec<Source> = paths.iter().map(|path| Source::new(path)).collect();
        let is_stdin = |source: &&Source| matches!(source, Source::Stdin);
        if sources.iter().filter(is_stdin).count() > 1 {
            return Err(misuse(
                "- stands for standard input and can be given only once",
            ));
        }
        Ok(Texts(sources))
    }

    /// The name of a model of these texts, in the current folder.
    ///
    /// # Errors
    /// [`Misuse`](crate::exit::Misuse) where no one name comes to mind.
    pub(crate) fn model_name(&self) -> anyhow::Result<PathBuf> {
        let path = match self.0.as_slice() {
            [Source::File(path)] => path,
            [Source::Stdin] => {
                return Err(misuse(
                    "cannot name the model after standard input; use -o MODEL",
                ));
            }
            _ => {
                return Err(misuse(
                    "cannot name the model after several texts; use -o MODEL",
                ));
            }
        };
        if !path.is_dir() {
            let name = path.file_name().unwrap_or("model".as_ref());
            return Ok(Path::new(name).with_extension("safetensors"));
        }
        let full = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let mut name = full.file_name().unwrap_or("model".as_ref()).to_owned();
        name.push(".safetensors");
        Ok(name.into())
    }

    /// What was typed, again.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|source| match source {
            Source::Stdin => Path::new("-"),
            Source::File(path) => path,
        })
    }

    /// Whether standard input is one of them.
    pub(crate) fn has_stdin(&self) -> bool {
        self.0.iter().any(|source| matches!(source, Source::Stdin))
    }

    /// The files that the texts are, each with what it is in words. Of a folder those that are among
    /// `own` and ours are left out.
    pub(crate) fn files(&self, own: &[PathBuf]) -> anyhow::Result<Vec<(Source, &'static str)>> {
        let own: Vec<Identity> = own.iter().map(|path| Identity::of(path)).collect();
        let mut pieces = Vec::new();
        for source in &self.0 {
            match source {
                Source::File(folder) if folder.is_dir() => {
                    let mut files = Vec::new();
                    collect(folder, &own, &mut files)?;
                    if files.is_empty() {
                        bail!("{} contains no files", folder.display());
                    }
                    files.sort();
                    let files = files.into_iter().map(Source::File);
                    pieces.extend(files.map(|file| (file, "one of the texts")));
                }
                source => pieces.push((source.clone(), "the text itself")),
            }
        }
        Ok(pieces)
    }

    /// All of them through `builder`; files of folders that are among `own` and ours are left out.
    pub(crate) fn read(
        &self,
        mut builder: CorpusBuilder,
        own: &[PathBuf],
        console: Console,
    ) -> anyhow::Result<Corpus> {
        let pieces = self.files(own)?;
        let pieces: Vec<Source> = pieces.into_iter().map(|(source, _)| source).collect();
        for piece in &pieces {
            piece.announce(&mut builder)?;
        }
        let mut reading = Reading::new(console, pieces.iter().map(Source::size).sum());
        for piece in &pieces {
            piece.push(&mut builder, &mut reading)?;
        }
        drop(reading);
        builder
            .finish()
            .with_context(|| format!("cannot use {self}"))
    }
}

/// The files below `folder`. Links to files are followed, links to folders are not, since they may
/// lead in circles; devices and pipes are no texts.
///
/// # Errors
/// A folder cannot be read; it is named, whichever it is of those below.
fn collect(folder: &Path, own: &[Identity], files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let failed = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type();
        if kind
            .with_context(|| format!("cannot read {}", path.display()))?
            .is_dir()
        {
            collect(&path, own, files)?;
        } else if path.is_file() && !(own.contains(&Identity::of(&path)) && is_ours(&path)) {
            files.push(path);
        }
    }
    Ok(())
}

impl fmt::Display for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [source] => source.fmt(f),
            sources => write!(f, "the {} texts", sources.len()),
        }
    }
}
