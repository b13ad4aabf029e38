//! The files of a training run: `MODEL`, the best model so far, and `MODEL.resume`, all that going
//! on needs.
//!
//! At each improvement `MODEL` is written, then `MODEL.resume`; from time to time, and when the run
//! stops, `MODEL.resume` alone. `MODEL` comes first because it is what people need, and the smaller:
//! where a disk has room for one of them it is that. Whoever goes on trusts `MODEL.resume` alone,
//! which leads to the same bits again, and writes `MODEL` where it is missing, damaged or older: a
//! kill between the two writes loses nothing. Both stay when the run is finished, since it may be
//! given more steps; `MODEL` does not need the other.
//!
//! `MODEL.lock` keeps a second writer out for as long as the [`Keeper`] lives. `MODEL.resume` and
//! `MODEL.lock` are names that nobody typed: what is there and not ours stays as it is.

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
    /// The file that `model` means.
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
    /// A keeper of the run whose model is `model`; a symbolic link stands for the file at its end.
    ///
    /// # Errors
    /// [`Error::Locked`] while another one keeps that run, [`Error::Save`] if its files cannot be
    /// written.
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

    /// Removes `MODEL.resume`: for a run that has diverged, and would again.
    ///
    /// # Errors
    /// [`Error::Save`] if it is there and stays.
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

    /// Brings `MODEL` up to date with a run that goes on: writes it where it is missing, damaged or
    /// older.
    ///
    /// # Errors
    /// [`Error::OtherRun`] if it is the model of another run, [`Error::Foreign`] if it is no model at
    /// all, unless `force`, and as [`Model::save`].
    pub fn repair(&mut self, trainer: &Trainer<f32>, force: bool) -> Result<()> {
        if !trainer.has_result() {
            return Ok(());
        }
        let model = trainer.try_best_model()?;
        let is_wanted = match Existing::find(&self.target, &model)? {
            Existing::Behind => true,
            Existing::Current => false,
            Existing::OtherRun | Existing::Foreign if force => true,
            Existing::OtherRun => {
                let path = self.model.clone();
                return Err(Error::OtherRun { path });
            }
            Existing::Foreign => {
                let path = self.model.clone();
                return Err(Error::Foreign { path });
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
                let best = trainer.try_best_model();
                let written = best.and_then(|best| self.write_model(&best));
                let noted = self.note(trainer);
                written.and(noted)?;
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

    /// Whether `MODEL` should hold a better model than it does, since it could not be written.
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Writes `MODEL.resume`, and `MODEL` where that could not be done before: for a run that stops
    /// and may go on later.
    ///
    /// # Errors
    /// [`Error::Save`]. Where only one of them fits it is `MODEL`.
    pub fn stop(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        if self.is_behind {
            self.write_last_model(&trainer.try_best_model()?)?;
        }
        self.note(trainer)
    }

    /// Writes both files at the end of a run: the model with its whole history.
    ///
    /// # Errors
    /// [`Error::Save`]. Where only one of them fits it is `MODEL`.
    pub fn finish(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        self.write_last_model(&trainer.try_best_model()?)?;
        self.note(trainer)
    }

    /// Writes `MODEL` for the last time. On a disk that is full what going on needs makes room.
    fn write_last_model(&mut self, model: &Model) -> Result<()> {
        let written = self.write_model(model);
        let is_full = matches!(
            &written,
            Err(Error::Save { source, .. }) if matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        );
        if !is_full || self.noted.is_none() || fs::remove_file(&self.resume).is_err() {
            return written;
        }
        self.noted = None;
        self.write_model(model)
    }

    /// Writes `MODEL.resume`.
    fn note(&mut self, trainer: &Trainer<f32>) -> Result<()> {
        // Where it fails the next attempt is a period away as well.
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
        // It holds the same weights, so the same people may read it.
        replace(
            &self.resume,
            &bytes,
            Some(&mut self.lock),
            Some(&self.target),
        )?;
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

/// Whether an evaluation after this step is one that only a run's end brings. A longer run does not
/// have it, so what going on needs is noted before it and stays so.
fn is_extra(trainer: &Trainer<f32>) -> bool {
    trainer.is_finished() && !trainer.is_evaluation_step()
}
