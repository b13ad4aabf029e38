//! Stops between two steps and resumes later with the same bits.

use tensor::Scalar;

use super::Trainer;
use crate::checkpoint::Interrupted;
use crate::corpus::Corpus;
use crate::error::{Error, Result, check_setting};
use crate::memory;
use crate::network::Network;
use crate::optimizer::{Patience, PlateauState};
use crate::parameters::Parameters;

impl Trainer<f32> {
    /// All that is needed to resume after the last step.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn interrupt(&self) -> Interrupted {
        self.try_interrupt().expect("memory for what is saved")
    }

    /// As [`interrupt`](Self::interrupt). Of several ranks only the first may call this, and only in the
    /// callback of a run or between a run and [`leave`](Self::leave): the others then send their part.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where memory runs out, [`Error::Rank`] if a rank cannot be reached.
    pub fn try_interrupt(&self) -> Result<Interrupted> {
        let copy = |(name, values): (&str, &[f32])| -> Result<_> {
            let values = memory::collected(values.iter().copied())?;
            Ok((name.to_owned(), values))
        };
        Ok(Interrupted {
            architecture: *self.network.config(),
            vocabulary: self.corpus.vocabulary().clone(),
            config: self.config,
            split: self.shares.clone(),
            digest: self.digest,
            progress: self.progress.clone(),
            parameters: self.network.parameters().try_clone()?,
            best: self.best.as_ref().map(Parameters::try_clone).transpose()?,
            optimizer_steps: self.optimizer.steps(),
            optimizer_state: self.optimizer.state().map(copy).collect::<Result<_>>()?,
            state: self.whole_state()?,
        })
    }

    /// Resumes an interrupted run on the same text; every bit is as if it had not been interrupted.
    ///
    /// # Errors
    /// [`Error::TextChanged`] if `corpus` is not the text of that run, and
    /// [`Error::NotAModel`] if the run's parts do not fit together.
    pub fn resume(corpus: Corpus, run: Interrupted) -> Result<Self> {
        run.check_text(&corpus)?;
        let network = Network::from_parameters(run.architecture, run.parameters);
        let mut trainer = Self::started(corpus, &run.split, network, run.config)?;
        let ids = trainer.corpus.ids().as_slice();
        trainer.source.begin_epoch(ids, run.progress.epoch);
        let misfit = |what: &str| Error::NotAModel {
            what: format!("{what} does not fit its text"),
        };
        if trainer.config != run.config || run.progress.window >= trainer.windows_per_epoch() {
            return Err(misfit("its position"));
        }
        if trainer.best.is_some() != run.best.is_some() {
            return Err(misfit("its best state"));
        }
        let state: Vec<_> = run
            .optimizer_state
            .iter()
            .map(|(name, v)| (name.as_str(), &v[..]))
            .collect();
        trainer.optimizer.restore(run.optimizer_steps, &state)?;
        trainer.bptt.set_state(&run.state);
        trainer.best = run.best;
        trainer.progress = run.progress;
        Ok(trainer)
    }
}

impl<T: Scalar> Trainer<T> {
    /// Whether an evaluation has found a model to keep.
    pub(crate) fn has_result(&self) -> bool {
        let is_evaluated = !self.progress.history.is_empty();
        self.progress.best.is_some() || (self.held_out.is_none() && is_evaluated)
    }

    /// Changes the number of steps; `None` leaves it open until a time limit fixes it. From here on every
    /// bit is as if the new number had been set from the start, but a run that was at its end keeps the
    /// evaluation there in its history.
    ///
    /// # Errors
    /// [`Error::StepsFixed`] if it would have changed steps already taken: there are more of them, or the
    /// learning rate has begun to decay.
    /// [`Error::InvalidSetting`] for 0.
    pub fn set_max_steps(&mut self, max_steps: Option<u64>) -> Result<()> {
        let (step, old) = (self.progress.step, self.config.max_steps);
        check_setting("number of steps", 0.0, max_steps != Some(0), "at least 1")?;
        if old == max_steps {
            return Ok(());
        }
        let is_free = |most: Option<u64>| {
            most.is_none_or(|most| {
                let most = self.in_schedule(most);
                let start = self.config.schedule.decay_start(most);
                self.step_of_schedule() <= start.unwrap_or(most)
            })
        };
        if is_free(old) && is_free(max_steps) {
            self.config.max_steps = max_steps;
            return Ok(());
        }
        let new = max_steps;
        Err(Error::StepsFixed { step, old, new })
    }

    /// Whether the run is at its end: all steps are taken, or patience is spent.
    pub fn has_ended(&self) -> bool {
        self.is_finished() || self.progress.patience_spent
    }

    /// Gives a run so many steps more, with its schedule from the start: training goes on from the best
    /// weights and the optimiser's state, with a new warm-up and a decay to the new end. Patience starts
    /// anew. `None` leaves the number open until a time limit fixes it. The model stays what it is until
    /// an evaluation beats it.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] for 0 steps, or for more than 2^53 in all.
    pub fn extend(&mut self, steps: Option<u64>) -> Result<()> {
        let (step, most) = (self.progress.step, 1 << 53);
        if let Some(steps) = steps {
            let sound = steps > 0 && steps <= most - step.min(most);
            check_setting("number of steps", steps as f64, sound, "at least 1")?;
        }
        if let Some(best) = self.best.as_ref().filter(|_| self.progress.best.is_some()) {
            let parameters = self.network.parameters_mut().as_mut_slice();
            parameters.copy_from_slice(best.as_slice());
        }
        self.progress.began = step;
        self.progress.patience = self.config.patience.map(Patience::new);
        self.progress.patience_spent = false;
        self.progress.plateau = PlateauState::default();
        self.config.max_steps = steps.map(|steps| step + steps);
        Ok(())
    }

    /// The step at which the schedule began: 0, or where the run was [extended](Self::extend).
    pub fn began(&self) -> u64 {
        self.progress.began
    }

    /// Steps since the schedule began.
    pub(super) fn step_of_schedule(&self) -> u64 {
        self.in_schedule(self.progress.step)
    }

    /// A step of the run as one of the schedule.
    pub(super) fn in_schedule(&self, step: u64) -> u64 {
        step.saturating_sub(self.progress.began)
    }
}
