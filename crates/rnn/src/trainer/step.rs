//! One step: a window forward and back, and the update.

use tensor::Scalar;

use super::guard::Verdict;
use super::source::Filled;
use super::{Progress, Step, Trainer};
use crate::dropout::Dropout;
use crate::optimizer::Position;

impl<T: Scalar> Trainer<T> {
    /// Takes one step: forward, backward, clip, update. A window whose loss or gradient is not
    /// finite changes no weight.
    pub(super) fn step(&mut self) -> (Step, Verdict) {
        let (window, loss) = self.differentiate();
        if self.config.freeze_recurrent_bias {
            for bias in self.network.recurrent_biases() {
                self.gradient.slice_mut(bias).fill(T::ZERO);
            }
        }
        let gradient_norm = self.config.clip.apply(self.gradient.as_mut_slice());
        let learning_rate = self.learning_rate();
        let verdict = self.progress.guard.judge(loss, gradient_norm);
        if verdict == Verdict::Take {
            self.optimizer.step(
                self.network.parameters_mut().as_mut_slice(),
                self.gradient.as_slice(),
                learning_rate,
            );
            self.progress.losses.0 += loss;
            self.progress.losses.1 += 1;
        }
        self.progress.learning_rate = learning_rate;
        self.progress.step += 1;
        self.progress.window += 1;
        if self.progress.window == self.source.windows_per_epoch() {
            self.progress.window = 0;
            self.progress.epoch += 1;
            let ids = self.corpus.ids().as_slice();
            self.source.begin_epoch(ids, self.progress.epoch);
        }
        (
            Step {
                loss,
                gradient_norm,
                learning_rate,
                characters: window.characters as u64,
            },
            verdict,
        )
    }

    /// Reads the window that comes next, forward and back: what was read, its loss, and its
    /// gradient in `self.gradient`. Of all that a run goes on from only the carried state changes.
    pub(super) fn differentiate(&mut self) -> (Filled, f64) {
        let window = self.source.fill(
            self.corpus.ids().as_slice(),
            self.progress.window,
            &mut self.inputs,
            &mut self.targets,
        );
        if window.is_first {
            self.bptt.reset_state();
        }
        let count = window.steps * self.config.batch_size;
        let dropout = (self.config.dropout > 0.0)
            .then(|| Dropout::new(self.config.dropout, self.config.seed, self.progress.step));
        let (inputs, targets) = (&self.inputs[..count], &self.targets[..count]);
        let loss = self
            .bptt
            .forward(self.network.parameters(), inputs, targets, dropout);
        self.gradient.clear();
        self.bptt.backward(&mut self.gradient);
        (window, loss)
    }

    /// The learning rate of the step about to be taken.
    fn learning_rate(&self) -> f64 {
        let Progress {
            step,
            epoch,
            ref guard,
            ref plateau,
            ..
        } = self.progress;
        let position = Position {
            step,
            max_steps: self.config.max_steps,
            epoch,
        };
        self.config
            .schedule
            .rate(self.config.learning_rate, position, plateau)
            * guard.scale
    }
}
