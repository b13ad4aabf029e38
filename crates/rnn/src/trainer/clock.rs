//! Training by the clock: when the number of steps must be fixed, and at what.
//!
//! A schedule that decays towards the last step has to know that step before the first decayed one.
//! With s steps taken, d of them by this process in the time e, and r of its time t left, the clock
//! projects
//!
//! ```text
//! N = s + d · r / e
//! ```
//!
//! steps in all, and fixes that number once the decay towards N begins at s. So no step ever depends
//! on a number that was not known when it was taken, and `--max-steps N` gives the same bits.
//! The first step of a decay that begins at a step known beforehand (cosine's, after the warm-up)
//! cannot wait for a projection: where no step has been taken yet, one is timed without taking it.

use std::time::Duration;

use crate::optimizer::Schedule;

/// Share of the time after which a projection is trusted: the first steps are slower than the rest.
const TRUSTED: f64 = 0.05;

/// Where a run by the clock stands.
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
        // Even an endless run would have begun to decay: there is no use in waiting.
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

    /// The number of steps to fix, where `count` of them took `took`. None of those taken already
    /// belongs to the decay towards it, unless any number would put them there.
    pub(super) fn steps(&self, schedule: &Schedule, count: u64, took: Duration) -> u64 {
        let least = schedule.least_steps(self.step).unwrap_or(self.step);
        self.projected(count, took).max(least).max(1)
    }

    /// Steps in all if the rest of the time goes at the pace of `count` steps in `took`.
    fn projected(&self, count: u64, took: Duration) -> u64 {
        let left = self.time.saturating_sub(self.elapsed).as_secs_f64();
        // A cast to an integer stays within its range: infinity is its most, NaN is 0.
        let more = (count as f64 * left / took.as_secs_f64()) as u64;
        self.step.saturating_add(more)
    }
}

#[cfg(test)]
mod tests;
