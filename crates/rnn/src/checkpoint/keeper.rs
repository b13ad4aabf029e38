//! The files of a training run: `MODEL` is the best model so far, and `MODEL.resume` holds everything
//! that resuming needs.
//!
//! At each improvement the keeper writes `MODEL`, then `MODEL.resume`. From time to time, and when the
//! run stops, it writes `MODEL.resume` alone. `MODEL` comes first because people need it: if the disk
//! has room for only one of them, it is `MODEL`. Resuming reads `MODEL.resume` only, and rewrites a
//! `MODEL` that is missing, damaged or older, so a kill between the two writes loses nothing. Both files
//! stay when the run ends, since it may get more steps; `MODEL` works without the other.
//!
//! `MODEL.lock` keeps other writers out while the [`Keeper`] lives. Nobody typed the names
//! `MODEL.resume` and `MODEL.lock`, so the keeper leaves a file of such a name alone if it is not ours.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::content::content;
use super::existing::Existing;
use super::file::{self, check_free, probe, replace};
use super::lock::Lock;
use super::place::check_own;
use super::resume::{Interrupted, is_run, resume_path};
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Model;
use crate::trainer::{Event, Trainer};

/// How often to write `MODEL.resume` between improvements. The result does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Every {
    /// After this many steps; 0 means never.
    Steps(u64),
    /// After this much time.
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
///         let mut advice = recommended(&corpus.facts(false));
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
    /// The file at the end of the symbolic links of `model`.
    target: PathBuf,
    resume: PathBuf,
    every: Every,
    /// Step of the run in `MODEL.resume`, once this keeper has read or written it.
    noted: Option<u64>,
    noted_at: Instant,
    /// Whether `MODEL` should have been written and could not be.
    is_behind: bool,
    lock: Lock,
}

impl Keeper {
    /// Opens the files of the run whose model is `model`. Symbolic links are followed.
    ///
    /// # Errors
    /// [`Error::Locked`] if another keeper has that run, [`Error::Save`] if its files cannot be written.
    pub fn new(model: &Path, every: Every) -> Result<Self> {
        let save = |source| Error::Save {
            path: model.into(),
            source,
        };
        let target = file::resolve(model)?;
        check_free(&target)?;
        let mut lock = Lock::take(&target)
            .map_err(save)?
            .ok_or_else(|| Error::Locked { path: model.into() })?;
        let resume = resume_path(&target);
        check_own(&resume).map_err(save)?;
        probe(model, Some(&mut lock))?;
        Ok(Keeper {
            model: model.into(),
            target,
            resume,
            every,
            noted: None,
            noted_at: Instant::now(),
            is_behind: false,
            lock,
        })
    }

    /// The model's path, as given.
    pub fn model_path(&self) -> &Path {
        &self.model
    }

    /// The path of `MODEL.resume`.
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

    /// Writes `MODEL.resume` for a new run. The run can then be resumed from its first step, and a full
    /// disk is an error before the work begins.
    ///
    /// # Errors
    /// [`Error::Foreign`] if something else has that name, and [`Error::Save`].
    pub fn start(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        if self.resume.exists() {
            let path = self.resume.clone();
            match file::read(&path, |content| Ok(is_run(content))) {
                Ok(true) => {}
                Ok(false) => return Err(Error::Foreign { path }),
                Err(Error::File { source, .. }) => match *source {
                    Error::Io(source) => return Err(Error::Save { path, source }),
                    _ => return Err(Error::Foreign { path }),
                },
                Err(error) => return Err(error),
            }
        }
        self.noted = None;
        self.note(trainer)
    }

    /// Removes `MODEL.resume` of a run that has diverged, since it would diverge again.
    ///
    /// # Errors
    /// [`Error::Save`] if it cannot be removed.
    pub fn discard(&mut self) -> Result<()> {
        self.noted = None;
        match fs::remove_file(&self.resume) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::Save {
                path: self.resume.clone(),
                source,
            }),
            _ => Ok(()),
        }
    }

    /// Writes the `MODEL` of a resumed run if it is missing, damaged or older.
    ///
    /// # Errors
    /// [`Error::OtherRun`] if it is the model of another run, [`Error::Foreign`] if it is no model at
    /// all, unless `force`, and as [`Model::save`].
    pub fn repair(&mut self, trainer: &Trainer<f32>, force: bool) -> Result<()> {
        if !trainer.has_result() {
            return Ok(());
        }
        let model = trainer.try_best_model()?;
        let path = self.model.clone();
        match Existing::find(&self.target, &model)? {
            Existing::Current => Ok(()),
            Existing::OtherRun if !force => Err(Error::OtherRun { path }),
            Existing::Foreign if !force => Err(Error::Foreign { path }),
            _ => self.write_model(&model),
        }
    }

    /// Saves what `event` calls for; true if that was `MODEL`. Call it for each event of a run. The run
    /// may continue after an error: a later call saves what this one could not.
    ///
    /// # Errors
    /// [`Error::Save`].
    pub fn follow(&mut self, trainer: &Trainer<f32>, event: &Event) -> Result<bool> {
        match event {
            Event::Evaluated { improved: true, .. } => {
                self.is_behind = true;
                let best = trainer.try_best_model();
                let written = best.and_then(|best| self.write_model(&best));
                let noted = self.note(trainer);
                written.and(noted)?;
                return Ok(true);
            }
            Event::Evaluated { .. } => {}
            Event::StepsFixed { .. } | Event::Settled { .. } => self.note(trainer)?,
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

    /// Whether the best model could not be written to `MODEL`.
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Saves a run that stops and may be resumed: writes `MODEL.resume`, and `MODEL` if that failed
    /// before. Before the first evaluation `MODEL` gets the weights as they are, unless it is the model
    /// of another run. Returns whether `MODEL` is of this run.
    ///
    /// # Errors
    /// [`Error::Save`]. If the disk has room for only one of them, it is `MODEL`.
    pub fn stop(&mut self, trainer: &Trainer<f32>) -> Result<bool> {
        if self.is_behind {
            self.write_last_model(&trainer.try_best_model()?)?;
        }
        self.note(trainer)?;
        Ok(trainer.has_result() || self.write_unevaluated(trainer)?)
    }

    /// Writes the weights of a run without an evaluation to `MODEL`; false if it keeps what it has.
    fn write_unevaluated(&mut self, trainer: &Trainer<f32>) -> Result<bool> {
        if !trainer.network().parameters().is_finite() {
            return Ok(false);
        }
        let model = trainer.try_current_model()?;
        let is_ours = match Existing::find(&self.target, &model)? {
            Existing::Behind => true,
            // A run with the same settings may have come further.
            Existing::Current => Model::load(&self.target)?
                .training()
                .is_some_and(|told| told.history.is_empty()),
            _ => false,
        };
        if is_ours {
            self.write_model(&model)?;
        }
        Ok(is_ours)
    }

    /// Writes both files at the end of a run, the model with its whole history.
    ///
    /// # Errors
    /// [`Error::Save`]. If the disk has room for only one of them, it is `MODEL`.
    pub fn finish(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        self.write_last_model(&trainer.try_best_model()?)?;
        self.note(trainer)
    }

    /// Writes `MODEL` for the last time. On a full disk `MODEL.resume` makes room for it.
    fn write_last_model(&mut self, model: &Model) -> Result<()> {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        match self.write_model(model) {
            Err(Error::Save { source, .. })
                if matches!(source.kind(), StorageFull | QuotaExceeded)
                    && self.noted.is_some()
                    && fs::remove_file(&self.resume).is_ok() =>
            {
                self.noted = None;
                self.write_model(model)
            }
            written => written,
        }
    }

    /// Writes `MODEL.resume`.
    fn note(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        // If it fails, the next attempt also waits.
        self.noted_at = Instant::now();
        let step = Some(trainer.step_count());
        if is_extra(trainer) && self.noted == step {
            return Ok(());
        }
        let needed = Trainer::<f32>::saving_bytes(trainer.network().config(), trainer.config());
        memory::check(needed).map_err(|_| Error::Save {
            path: self.resume.clone(),
            source: io::ErrorKind::OutOfMemory.into(),
        })?;
        let bytes = trainer.try_interrupt()?.into_bytes_for(&self.resume)?;
        // It holds the same weights, so give it the same permissions.
        let like = Some(self.target.as_path());
        replace(&self.resume, &bytes, Some(&mut self.lock), like)?;
        self.noted = step;
        Ok(())
    }

    fn write_model(&mut self, model: &Model) -> Result<()> {
        let bytes = content(model, &self.model)?;
        replace(&self.model, &bytes, Some(&mut self.lock), None)?;
        self.is_behind = false;
        Ok(())
    }
}

/// Whether the evaluation after this step is one that only the end of a run has. A longer run does not
/// have it, so `MODEL.resume` is written before it and stays so.
fn is_extra(trainer: &Trainer<f32>) -> bool {
    trainer.is_finished() && !trainer.is_evaluation_step()
}
