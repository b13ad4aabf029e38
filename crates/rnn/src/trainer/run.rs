//! Runs the trainer to its end in a thread pool and reports every event.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tensor::Scalar;

use super::clock::Clock;
use super::guard::Verdict;
use super::{Record, Step, Trainer};
use crate::error::{self, Error};
use crate::memory;
use crate::model::Model;
use crate::optimizer::check_learning_rate;

/// How to run. Only `time` can change the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Number of threads; any number gives the same bits.
    pub threads: usize,
    /// If `max_steps` is `None`, choose it so that training takes about this long.
    pub time: Option<Duration>,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            threads: 1,
            time: None,
        }
    }
}

/// What the trainer reports.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A step was taken.
    Step(Step),
    /// A step was skipped: its loss or gradient was not finite.
    Skipped(Step),
    /// Five steps in a row were skipped; training returned to the best weights with a lower learning rate.
    WentBack {
        /// The factor of the learning rate from now on.
        scale: f64,
    },
    /// The model was evaluated.
    Evaluated {
        /// The losses.
        record: Record,
        /// Whether it is the best so far; always true without held-out text.
        improved: bool,
    },
    /// The time limit has fixed the number of steps.
    StepsFixed {
        /// Steps in all; setting `max_steps` to this gives the same bits.
        max_steps: u64,
    },
    /// The validation loss no longer falls: from here on the learning rate decays to the last step.
    Settled {
        /// Steps in all; setting `max_steps` to this gives the same weights.
        max_steps: u64,
    },
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// Too many evaluations in a row without improvement, and a schedule without a decay to the end.
    PatienceSpent,
    /// The callback asked for it, or that of another rank.
    Stopped,
}

/// Runs `work` on so many threads.
///
/// # Errors
/// [`Error::Threads`] if the system cannot start them.
pub(super) fn in_pool<R: Send>(
    threads: usize,
    work: impl FnOnce() -> R + Send,
) -> error::Result<R> {
    if threads <= 1 {
        return Ok(work());
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::Threads {
        threads,
        why: error.to_string(),
    })?;
    Ok(pool.install(work))
}

impl Trainer<f32> {
    /// Trains to the end and returns the model with the best weights.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn train(mut self, threads: usize) -> error::Result<Model> {
        let options = RunOptions {
            threads,
            ..RunOptions::default()
        };
        self.run(&options, |_, _| Ok::<_, Error>(ControlFlow::Continue(())))?;
        self.try_best_model()
    }
}

impl<T: Scalar> Trainer<T> {
    /// Trains to the end, reporting every event. The callback may look at the trainer, change its
    /// [learning rate](Self::set_learning_rate), and end the run with [`ControlFlow::Break`].
    ///
    /// # Errors
    /// [`Error::Diverged`] if losses are not finite at lower learning rates either, [`Error::Threads`] if
    /// the system cannot start the threads, [`Error::Rank`] if a rank cannot be reached, and whatever the
    /// callback returns.
    pub fn run<E: From<Error> + Send>(
        &mut self,
        options: &RunOptions,
        report: impl FnMut(&mut Self, Event) -> Result<ControlFlow<()>, E> + Send,
    ) -> Result<Outcome, E> {
        in_pool(options.threads, || self.run_here(options, report))?
    }

    fn run_here<E: From<Error>>(
        &mut self,
        options: &RunOptions,
        mut report: impl FnMut(&mut Self, Event) -> Result<ControlFlow<()>, E>,
    ) -> Result<Outcome, E> {
        let first = self.progress.step;
        // Some systems have no clock, such as a browser's.
        let limit = options.time.map(|time| (Instant::now(), time));
        memory::ready_for_products::<T>()?;
        // Threads take address space. If a save no longer fits, fail before the work.
        memory::check(Self::saving_bytes(self.network.config(), &self.config))?;
        loop {
            // Evaluate first: a run may have been interrupted between a step and its evaluation.
            if self.is_evaluation_due() {
                let (record, improved) = self.evaluate()?;
                if self.tell(&mut report, Event::Evaluated { record, improved })? {
                    return Ok(Outcome::Stopped);
                }
            }
            if let Some((start, time)) = limit.filter(|_| self.config.max_steps.is_none())
                && let Some(max_steps) = self.fix_steps(start.elapsed(), time, first)?
            {
                self.config.max_steps = Some(max_steps);
                if self.tell(&mut report, Event::StepsFixed { max_steps })? {
                    return Ok(Outcome::Stopped);
                }
                continue;
            }
            if self.progress.patience_spent {
                let Some(max_steps) = self.last_decay() else {
                    return Ok(Outcome::PatienceSpent);
                };
                self.progress.patience_spent = false;
                if self.config.max_steps.is_none_or(|most| max_steps < most) {
                    self.config.max_steps = Some(max_steps);
                    if self.tell(&mut report, Event::Settled { max_steps })? {
                        return Ok(Outcome::Stopped);
                    }
                    continue;
                }
            }
            if self.is_finished() {
                return Ok(Outcome::Finished);
            }
            let (step, verdict) = self.step()?;
            let event = match verdict {
                Verdict::Take => Event::Step(step),
                Verdict::Skip => Event::Skipped(step),
                Verdict::Return => {
                    self.go_back();
                    Event::WentBack {
                        scale: self.progress.guard.scale,
                    }
                }
                Verdict::End => {
                    return Err(Error::Diverged {
                        step: self.progress.step,
                    }
                    .into());
                }
            };
            if self.tell(&mut report, event)? {
                return Ok(Outcome::Stopped);
            }
        }
    }

    /// Reports an event; true if a rank wants the run to end, which all learn here.
    fn tell<E: From<Error>>(
        &mut self,
        report: &mut impl FnMut(&mut Self, Event) -> Result<ControlFlow<()>, E>,
        event: Event,
    ) -> Result<bool, E> {
        let told = report(self, event);
        let wants_end = !matches!(told, Ok(ControlFlow::Continue(())));
        let ends = self.agree(wants_end);
        told.and_then(|_| Ok(ends?))
    }

    /// Sets the learning rate that the schedule multiplies, from the next step on. Files hold it as one of
    /// the settings, so a run that is resumed goes on with it. Ranks must all set the same.
    ///
    /// ```
    /// use rnn::{Corpus, Event, RunOptions, Trainer, recommended};
    /// use std::ops::ControlFlow;
    ///
    /// let corpus = Corpus::from_text(&"never odd or even ".repeat(30))?;
    /// let mut advice = recommended(&corpus.facts(false));
    /// (advice.network.hidden_size, advice.train.max_steps) = (8, Some(40));
    /// advice.train.eval_every = 5;
    /// let mut trainer = Trainer::<f32>::new(corpus, &[0.9, 0.1], advice.network, advice.train)?;
    /// trainer.run(&RunOptions::default(), |trainer, event| {
    ///     if let Event::Evaluated { improved: false, .. } = event {
    ///         trainer.set_learning_rate(trainer.config().learning_rate / 2.0)?;
    ///     }
    ///     Ok::<_, rnn::Error>(match trainer.config().learning_rate < 1e-5 {
    ///         true => ControlFlow::Break(()),
    ///         false => ControlFlow::Continue(()),
    ///     })
    /// })?;
    /// # Ok::<(), rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless it is positive and finite.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> error::Result<()> {
        check_learning_rate(learning_rate)?;
        self.config.learning_rate = learning_rate;
        Ok(())
    }

    /// Whether all steps are taken.
    pub fn is_finished(&self) -> bool {
        let step = self.progress.step;
        self.config.max_steps.is_some_and(|most| step >= most)
    }

    /// Whether the evaluation after the last step, or before the first, is still to come.
    fn is_evaluation_due(&self) -> bool {
        let step = self.progress.step;
        let is_done = self.progress.history.last().map(|record| record.step) == Some(step);
        let is_wanted = match step {
            0 => self.progress.evaluates_start,
            _ => self.is_evaluation_step() || self.is_finished(),
        };
        is_wanted && !is_done
    }

    /// Whether a run of any length evaluates after the last step.
    pub(crate) fn is_evaluation_step(&self) -> bool {
        self.progress.step.is_multiple_of(self.config.eval_every)
    }

    /// The number of steps that `time` allows, once it must be known: before the first step whose rate
    /// depends on it, or at the end of the time if none does. By the clock of the first rank.
    fn fix_steps(
        &mut self,
        elapsed: Duration,
        time: Duration,
        first: u64,
    ) -> error::Result<Option<u64>> {
        let clock = Clock {
            step: self.step_of_schedule(),
            done: self.progress.step - first,
            elapsed,
            time,
        };
        let must_fix = clock.must_fix(&self.config.schedule);
        if self.ranks.of_first(must_fix.into())? == 0 {
            return Ok(None);
        }
        let (count, took) = match clock.done {
            0 => (1, self.time_a_step(time)?),
            done => (done, elapsed),
        };
        let steps = clock.steps(&self.config.schedule, count, took);
        let steps = self.ranks.of_first(steps)?;
        Ok(Some(self.progress.began + steps))
    }

    /// The number of steps in all if the learning rate decays from here on to the end. `None` for a
    /// schedule that has no such end.
    fn last_decay(&self) -> Option<u64> {
        let schedule = &self.config.schedule;
        schedule.decay_start(u64::MAX)?;
        let steps = schedule.least_steps(self.step_of_schedule())?;
        Some(self.progress.began + steps)
    }

    /// How long a step takes, without taking it: passes forward and backward through the next window and
    /// keeps nothing. Takes the shortest of up to five, since the first finds all caches cold.
    fn time_a_step(&mut self, time: Duration) -> error::Result<Duration> {
        let state = self.bptt.state();
        let begin = Instant::now();
        let mut shortest = Duration::MAX;
        for _ in 0..5 {
            let start = Instant::now();
            self.differentiate()?;
            shortest = shortest.min(start.elapsed());
            self.bptt.set_state(&state);
            let is_enough = begin.elapsed() > time / 20;
            if self.ranks.of_first(is_enough.into())? > 0 {
                break;
            }
        }
        Ok(shortest)
    }
}
