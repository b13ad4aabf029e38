//! One step: forward and backward through a window, and the update.

use tensor::{Scalar, parallel};

use super::guard::Verdict;
use super::{Step, Trainer};
use crate::corpus::RecordWindow;
use crate::dropout::{Dropout, WeightDropout};
use crate::error::Result;
use crate::optimizer::Position;

impl<T: Scalar> Trainer<T> {
    /// Takes one step: forward, backward, clip, update. A window whose loss or gradient is not
    /// finite changes no weight.
    pub(super) fn step(&mut self) -> Result<(Step, Verdict)> {
        let (window, loss) = self.differentiate()?;
        let gradient = &mut self.gradients[0];
        if self.config.freeze_recurrent_bias {
            for layer in &self.network.parameters().layout().layers {
                gradient.slice_mut(layer.bias_hh).fill(T::ZERO);
            }
        }
        let gradient = gradient.as_mut_slice();
        let gradient_norm = parallel::named("clip", || self.config.clip.apply(gradient));
        let learning_rate = self.learning_rate();
        let verdict = self.progress.guard.judge(loss, gradient_norm);
        if verdict == Verdict::Take {
            let parameters = self.network.parameters_mut().as_mut_slice();
            let gradient = self.gradients[0].as_slice();
            parallel::named("update", || {
                self.optimizer.step_decaying(
                    parameters,
                    gradient,
                    learning_rate,
                    &self.multipliers,
                );
            });
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
        let step = Step {
            loss,
            gradient_norm,
            learning_rate,
            characters: window.characters as u64,
        };
        Ok((step, verdict))
    }

    /// Reads the next window, returns it and its loss, and leaves its gradient in the first of
    /// `self.gradients`. Of what a run saves, only the hidden state changes.
    pub(super) fn differentiate(&mut self) -> Result<(RecordWindow, f64)> {
        let window = parallel::named("window", || {
            self.source.fill(
                self.bptt.rows(),
                self.corpus.ids().as_slice(),
                self.progress.window,
                &mut self.inputs,
                &mut self.targets,
            )
        });
        if window.is_first {
            self.bptt.reset_state();
        }
        let count = window.steps * self.config.batch_size;
        let (config, step) = (&self.config, self.progress.step);
        let dropout = (config.dropout > 0.0)
            .then(|| Dropout::new(config.dropout, config.seed, step).locked(config.locked_dropout));
        let weight_dropout = WeightDropout::new(config.weight_dropout, config.seed, step);
        let mut parameters = self.network.parameters();
        if let Some(thinned) = &mut self.thinned {
            thinned
                .as_mut_slice()
                .copy_from_slice(parameters.as_slice());
            weight_dropout.apply(thinned);
            parameters = thinned;
        }
        let (inputs, targets) = (&self.inputs[..count], &self.targets[..count]);
        let (sum, scale) = self.bptt.forward_sum(parameters, inputs, targets, dropout);
        parallel::named("clear", || self.gradients[0].clear());
        self.bptt.backward_tree(&mut self.gradients);
        let gradient = &mut self.gradients[0];
        let mut sum = [sum];
        self.ranks.sum(gradient.as_mut_slice(), &mut self.sent)?;
        self.ranks.sum(&mut sum, &mut [0.0])?;
        if self.thinned.is_some() {
            weight_dropout.apply(gradient);
        }
        Ok((window, sum[0] * scale))
    }

    /// The learning rate of the next step: that of the settings times the factors of the schedule and the
    /// guard.
    fn learning_rate(&self) -> f64 {
        let factor = self.config.schedule.factor(Position {
            step: self.step_of_schedule(),
            max_steps: self.config.max_steps.map(|most| self.in_schedule(most)),
            epoch: self.progress.epoch,
            plateau_scale: self.progress.plateau.scale,
        });
        self.config.learning_rate * factor * self.progress.guard.scale
    }
}
