//! Training for a given time: when to fix the number of steps, and at what.
//!
//! A schedule that decays towards the last step has to know that step before the first decayed one.
//! With s steps taken, d of them by this process in the time e, and r of its time t left, the clock
//! projects
//!
//! ```text
//! N = s + d · r / e
//! ```
//!
//! steps in all, and fixes that number once the decay towards N begins at s. So no step depends on a
//! number that was unknown when it was taken, and `--max-steps N` gives the same bits. If the decay begins
//! at a known step (cosine: after the warm-up) before any step was taken, one is timed without taking it.

use std::time::Duration;

use crate::optimizer::Schedule;

/// Share of the time before a projection is trusted: the first steps are slower than the rest.
const TRUSTED: f64 = 0.05;

/// The progress of a run with a time limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Steps taken in all.
    pub(super) step: u64,
    /// Steps taken by this process.
    pub(super) done: u64,
    /// How long this process has been training.
    pub(super) elapsed: Duration,
    /// How long it may train.
    pub(super) time: Duration,
}

impl Clock {
    /// Whether the number of steps must be fixed before the next step.
    pub(super) fn must_fix(&self, schedule: &Schedule) -> bool {
        // Even an endless run would decay by now, so do not wait.
        let last = schedule.decay_start(u64::MAX);
        if last.is_some_and(|last| self.step >= last) {
            return true;
        }
        if self.done == 0 {
            return false;
        }
        let is_up = self.elapsed >= self.time;
        let is_trusted = self.elapsed.as_secs_f64() >= self.time.as_secs_f64() * TRUSTED;
        let start = schedule.decay_start(self.projected(self.done, self.elapsed));
        is_up || (is_trusted && start.is_some_and(|start| self.step >= start))
    }

    /// The number of steps to fix, if `count` of them took `took`. No step already taken belongs to the
    /// decay towards it, unless every number would put it there.
    pub(super) fn steps(&self, schedule: &Schedule, count: u64, took: Duration) -> u64 {
        let least = schedule.least_steps(self.step).unwrap_or(self.step);
        self.projected(count, took).max(least).max(1)
    }

    /// Steps in all if the rest goes at the pace of `count` steps in `took`.
    fn projected(&self, count: u64, took: Duration) -> u64 {
        let left = self.time.saturating_sub(self.elapsed).as_secs_f64();
        // A cast to an integer saturates; NaN becomes 0.
        let more = (count as f64 * left / took.as_secs_f64()) as u64;
        self.step.saturating_add(more)
    }
}

#[cfg(test)]
mod tests;
