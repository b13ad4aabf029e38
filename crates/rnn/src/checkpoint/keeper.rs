//! The files of a training run: `MODEL`, the best model so far, and `MODEL.resume`, all that going
//! on needs.
//!
//! At each improvement `MODEL.resume` is written first, then `MODEL`; from time to time, and when
//! the run stops, `MODEL.resume` alone. So `MODEL.resume` is never behind, and whoever goes on
//! trusts it alone and brings `MODEL` up to date: a kill between the two writes loses nothing. Both
//! stay when the run is finished, since it may be given more steps; `MODEL` does not need the other.
//!
//! `MODEL.lock` keeps a second writer out for as long as the [`Keeper`] lives.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::file::{self, lock, probe, replace};
use super::lock::Lock;
use super::resume::{Interrupted, resume_path};
use super::{check_finite, load, to_bytes};
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Model;
use crate::trainer::{Event, Record, Trainer};

/// How often a run notes where it stands, beside each improvement. The result does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// After so many steps; never for 0.
    Steps(u64),
    /// After so much time.
    Time(Duration),
}

impl Default for Every {
    fn default() -> Self {
        Every::Time(Duration::from_secs(60))
    }
}

/// Keeps the files of one training run.
///
/// ```
/// use rnn::checkpoint::{Every, Keeper};
/// use rnn::{Corpus, Error, RunOptions, Trainer, recommended};
/// use std::ops::ControlFlow;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("model.safetensors");
/// let corpus = Corpus::from_text(&"she sells sea shells by the sea shore. ".repeat(30))?;
/// let mut keeper = Keeper::new(&path, Every::Steps(10))?;
/// let mut trainer = match keeper.load()? {
///     Some(run) => Trainer::resume(corpus, run)?,
///     None => {
///         let mut advice = recommended(corpus.len(), corpus.vocabulary().len());
///         advice.network.hidden_size = 16;
///         advice.train.max_steps = Some(30);
///         let trainer = Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train)?;
///         keeper.start(&trainer)?;
///         trainer
///     }
/// };
/// trainer.run(&RunOptions::default(), |trainer, event| {
///     keeper.follow(trainer, &event)?;
///     Ok::<_, Error>(ControlFlow::Continue(()))
/// })?;
/// keeper.finish(&trainer)?; // the same bytes, however often the program was killed on the way
/// assert!(path.exists());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Keeper {
    model: PathBuf,
    resume: PathBuf,
    every: Every,
    /// Step of the run in `MODEL.resume`, once this keeper has read or written it.
    noted: Option<u64>,
    noted_at: Instant,
    /// Whether `MODEL` should have been written and could not be.
    is_behind: bool,
    _lock: Lock,
}

impl Keeper {
    /// A keeper of the run whose model is `model`; a symbolic link stands for the file at its end.
    ///
    /// # Errors
    /// [`Error::Locked`] while another one keeps that run, [`Error::Save`] if its files cannot be
    /// written.
    pub fn new(model: &Path, every: Every) -> Result<Self> {
        let lock = lock(model)?;
        let target = file::resolve(model).map_err(|source| Error::Save {
            path: model.into(),
            source,
        })?;
        let resume = resume_path(&target);
        for path in [model, &resume] {
            probe(path)?;
        }
        Ok(Keeper {
            model: model.into(),
            resume,
            every,
            noted: None,
            noted_at: Instant::now(),
            is_behind: false,
            _lock: lock,
        })
    }

    /// The model's path, as given.
    pub fn model_path(&self) -> &Path {
        &self.model
    }

    /// The path of what going on needs.
    pub fn resume_path(&self) -> &Path {
        &self.resume
    }

    /// The run in `MODEL.resume`, if there is one.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read or is damaged.
    pub fn load(&mut self) -> Result<Option<Interrupted>> {
        if !self.resume.exists() {
            return Ok(None);
        }
        let run = file::read(&self.resume, Interrupted::from_bytes)?;
        self.noted = Some(run.step_count());
        Ok(Some(run))
    }

    /// Writes `MODEL.resume` for a new run, so that it can go on from the first step, and a disk
    /// that is full says so before the work begins.
    ///
    /// # Errors
    /// [`Error::Save`].
    pub fn start(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        self.noted = None;
        self.note(trainer)
    }

    /// Removes `MODEL.resume`: for a run that has diverged, and would again.
    ///
    /// # Errors
    /// [`Error::Save`] if it is there and stays.
    pub fn discard(&mut self) -> Result<()> {
        fs::remove_file(&self.resume).map_err(|source| Error::Save {
            path: self.resume.clone(),
            source,
        })
    }

    /// Brings `MODEL` up to date with a run that goes on: writes it where it is missing, damaged or
    /// older.
    ///
    /// # Errors
    /// [`Error::OtherRun`] if it is the model of another run, unless `force`, and as
    /// [`Model::save`].
    pub fn repair(&mut self, trainer: &Trainer<f32>, force: bool) -> Result<()> {
        if !trainer.has_result() {
            return Ok(());
        }
        let model = trainer.best_model();
        let is_wanted = match load(&self.model) {
            Err(_) => true,
            Ok(old) if is_same_run(&old, &model) => last_step(&old) < last_step(&model),
            Ok(_) if force => true,
            Ok(_) => {
                return Err(Error::OtherRun {
                    path: self.model.clone(),
                });
            }
        };
        if is_wanted {
            self.write_model(&model)?;
        }
        Ok(())
    }

    /// Saves whatever `event` makes worth saving; true if that was `MODEL`. Call it on each event
    /// of a run. After an error the run may go on: what could not be saved is saved later.
    ///
    /// # Errors
    /// [`Error::Save`].
    pub fn follow(&mut self, trainer: &Trainer<f32>, event: &Event) -> Result<bool> {
        match event {
            Event::Evaluated { improved: true, .. } => {
                self.is_behind = true;
                self.note(trainer)?;
                self.write_model(&trainer.best_model())?;
                return Ok(true);
            }
            Event::Evaluated { .. } => {}
            Event::StepsFixed { .. } => self.note(trainer)?,
            _ if is_extra(trainer) || self.is_due(trainer.step_count()) => self.note(trainer)?,
            _ => {}
        }
        Ok(false)
    }

    fn is_due(&self, step: u64) -> bool {
        match self.every {
            Every::Steps(steps) => steps > 0 && step.is_multiple_of(steps),
            Every::Time(time) => self.noted_at.elapsed() >= time,
        }
    }

    /// Writes `MODEL.resume`, and `MODEL` where that could not be done before: for a run that stops
    /// and may go on later.
    ///
    /// # Errors
    /// [`Error::Save`].
    pub fn stop(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        self.note(trainer)?;
        if self.is_behind {
            self.write_model(&trainer.best_model())?;
        }
        Ok(())
    }

    /// Writes both files at the end of a run: the model with its whole history.
    ///
    /// # Errors
    /// [`Error::Save`].
    pub fn finish(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        self.note(trainer)?;
        self.write_model(&trainer.best_model())
    }

    /// Writes `MODEL.resume`.
    fn note(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        // Where it fails the next attempt is a period away as well.
        self.noted_at = Instant::now();
        let step = Some(trainer.step_count());
        if is_extra(trainer) && self.noted == step {
            return Ok(());
        }
        let needed = memory::saving(trainer.network().config(), trainer.config());
        // Half as much again, for what the allocator makes of it in a tight place.
        memory::check(needed + needed / 2).map_err(|_| Error::Save {
            path: self.resume.clone(),
            source: io::ErrorKind::OutOfMemory.into(),
        })?;
        replace(&self.resume, &trainer.interrupt().into_bytes())?;
        self.noted = step;
        Ok(())
    }

    fn write_model(&mut self, model: &Model) -> Result<()> {
        check_finite(model, &self.model)?;
        replace(&self.model, &to_bytes(model))?;
        self.is_behind = false;
        Ok(())
    }
}

/// Whether an evaluation after this step is one that only a run's end brings. A longer run does not
/// have it, so what going on needs is noted before it and stays so.
fn is_extra(trainer: &Trainer<f32>) -> bool {
    trainer.is_finished() && !trainer.is_evaluation_step()
}

/// Whether two models can come from one run at two times: all but the number of steps is equal,
/// and no step has two records.
fn is_same_run(old: &Model, new: &Model) -> bool {
    let (Some(was), Some(is)) = (old.training(), new.training()) else {
        return false;
    };
    let mut config = was.config;
    config.max_steps = is.config.max_steps;
    let at = |step: u64| is.history.iter().find(|record| record.step == step);
    config == is.config
        && old.network().config() == new.network().config()
        && old.vocabulary() == new.vocabulary()
        && was
            .history
            .iter()
            .all(|record| at(record.step).is_none_or(|other| same(record, other)))
}

/// Equal records; what is not finite is not told in a file.
fn same(a: &Record, b: &Record) -> bool {
    let told = |loss: Option<f64>| loss.filter(|loss| loss.is_finite());
    told(a.train_loss) == told(b.train_loss) && told(a.validation_loss) == told(b.validation_loss)
}

/// The step of the last evaluation that a model knows of.
fn last_step(model: &Model) -> Option<u64> {
    model.training()?.history.last().map(|record| record.step)
}
