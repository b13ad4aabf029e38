//! Where a model goes: to a file with what going on needs beside it, or to standard output.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::bail;
use rnn::checkpoint::{self, Every, Keeper, lock_path, resume_path};
use rnn::{Event, Trainer};

use crate::console::{self, Console};
use crate::format::visible;
use crate::texts::Texts;

/// Where a model goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Stdout,
    File(PathBuf),
}

impl Target {
    /// What was asked for, or else the text's name with `.safetensors` in the current folder.
    pub(crate) fn new(output: Option<&Path>, texts: &Texts) -> anyhow::Result<Self> {
        match output {
            Some(path) if path.as_os_str() == "-" => Ok(Target::Stdout),
            Some(path) => Ok(Target::File(path.to_owned())),
            None => texts.model_name().map(Target::File),
        }
    }

    /// The model whose run is to go on, given its path or that of what going on needs.
    pub(crate) fn of_run(path: &Path) -> Self {
        let is_resume = path.extension().is_some_and(|end| end == "resume");
        if is_resume && !resume_path(path).exists() {
            return Target::File(path.with_extension(""));
        }
        Target::File(path.to_owned())
    }

    /// The path as it is typed.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Target::Stdout => Path::new("-"),
            Target::File(path) => path,
        }
    }

    /// The files that a run writes there.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let Target::File(model) = self else {
            return Vec::new();
        };
        let end = checkpoint::resolve(model).unwrap_or_else(|_| model.clone());
        vec![model.clone(), resume_path(&end), lock_path(&end)]
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Stdout => f.write_str("standard output"),
            Target::File(path) => f.write_str(&visible(&path.to_string_lossy(), "")),
        }
    }
}

/// A target that is held against other runs.
pub(crate) enum Output {
    Stdout,
    File(Keeper),
}

impl Output {
    /// Takes hold of the target, before hours of training and not after.
    pub(crate) fn open(target: &Target, every: Every) -> anyhow::Result<Self> {
        match target {
            Target::Stdout if io::stdout().is_terminal() => {
                bail!("standard output is a terminal; redirect the model to a file or a pipe")
            }
            Target::Stdout => Ok(Output::Stdout),
            Target::File(path) => Ok(Output::File(Keeper::new(path, every)?)),
        }
    }

    /// Whether a new run may write there.
    pub(crate) fn check_new(&self) -> anyhow::Result<()> {
        let Output::File(keeper) = self else {
            return Ok(());
        };
        let model = keeper.model_path();
        let shown = model.display();
        if keeper.resume_path().exists() {
            bail!(
                "{} already exists; use --resume {shown} to continue that run, another name (-o), or --force to overwrite it",
                keeper.resume_path().display()
            );
        }
        if model.exists() {
            bail!("{shown} already exists; use another name (-o) or --force to overwrite it");
        }
        Ok(())
    }

    /// Saves what an event makes worth saving; true if that was the model. A run goes on when this
    /// fails, with a warning: the next save may do better.
    pub(crate) fn follow(
        &mut self,
        trainer: &Trainer<f32>,
        event: &Event,
        warn: impl FnOnce(&str),
    ) -> bool {
        let Output::File(keeper) = self else {
            return false;
        };
        keeper.follow(trainer, event).unwrap_or_else(|error| {
            let error = crate::exit::one_line(&error.into());
            warn(&format!("{error}; training continues"));
            let improved = matches!(event, Event::Evaluated { improved: true, .. });
            improved && !keeper.is_behind()
        })
    }

    /// Writes the model at the end.
    pub(crate) fn finish(&mut self, trainer: &Trainer<f32>) -> anyhow::Result<()> {
        match self {
            Output::File(keeper) => told(keeper.finish(trainer), keeper),
            Output::Stdout => {
                let model = trainer.try_best_model()?;
                let content = checkpoint::content(&model, Path::new("standard output"))?;
                let mut stdout = console::stdout();
                stdout.write_all(&content)?;
                Ok(stdout.flush()?)
            }
        }
    }

    /// Saves a run that was stopped, and says whether the model is of this run; `None` where standard
    /// output takes the model at the end.
    pub(crate) fn stop(&mut self, trainer: &Trainer<f32>) -> anyhow::Result<Option<bool>> {
        match self {
            Output::File(keeper) => told(keeper.stop(trainer), keeper).map(Some),
            Output::Stdout => Ok(None),
        }
    }

    /// After a run that diverged: what it was is of no more use, the best model stays.
    pub(crate) fn give_up(&mut self, trainer: &Trainer<f32>, console: Console) {
        let Output::File(keeper) = self else {
            return;
        };
        if let Err(error) = keeper.discard() {
            console.note(&crate::exit::one_line(&error.into()));
        }
        if let Some((step, _)) = trainer.best() {
            let model = keeper.model_path().display();
            console.note(&format!(
                "{model} holds the best model so far, of step {step}"
            ));
        }
    }
}

/// Says of a last save that failed in part what there is.
fn told<T>(saved: rnn::Result<T>, keeper: &Keeper) -> anyhow::Result<T> {
    saved.map_err(|error| {
        let resume = keeper.resume_path();
        let is_of_resume = matches!(&error, rnn::Error::Save { path, .. } if path == resume);
        let error = anyhow::Error::from(error);
        if is_of_resume && keeper.model_path().exists() && !keeper.is_behind() {
            let model = keeper.model_path().display();
            return anyhow::anyhow!(
                "{}; {model} is saved, and complete without it",
                crate::exit::one_line(&error)
            );
        }
        error
    })
}
