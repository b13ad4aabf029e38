//! What a trainer shows: settings, counters, evaluations and models.

use tensor::Scalar;

use super::run::in_pool;
use super::source::HeldOut;
use super::{Record, TrainConfig, Trainer};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::memory;
use crate::model::{Model, Training};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::ranks::Ranks;

impl<T: Scalar> Trainer<T> {
    /// Notes for the user, a line each, such as sizes fitted to the text.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The settings, as fitted to the text.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network<T> {
        &self.network
    }

    /// The text.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// Number of characters to train on, and held out.
    pub fn lengths(&self) -> (usize, usize) {
        self.lengths
    }

    /// Steps taken.
    pub fn step_count(&self) -> u64 {
        self.progress.step
    }

    /// Whole epochs done.
    pub fn epoch(&self) -> u64 {
        self.progress.epoch
    }

    /// Number of windows, and so of steps, in this epoch. With records it may vary by a few from epoch to
    /// epoch.
    pub fn windows_per_epoch(&self) -> usize {
        self.source.windows_per_epoch()
    }

    /// Number of characters in a full window.
    pub fn characters_per_step(&self) -> usize {
        self.config.batch_size * self.config.seq_length
    }

    /// The evaluations so far.
    pub fn history(&self) -> &[Record] {
        &self.progress.history
    }

    /// Step and loss (nats per character) of the best evaluation so far; `None` before the first and
    /// without held-out text.
    pub fn best(&self) -> Option<(u64, f64)> {
        self.progress.best
    }

    /// Loss of the best weights so far (else of the current ones) on the third part of the split, in nats
    /// per character; `None` if there is no such part.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn test_loss(&self, threads: usize) -> Result<Option<f64>> {
        let network = self.network.config();
        let test = HeldOut::<T>::test(&self.corpus, &self.shares, network, &self.config)?;
        let parameters = self.best.as_ref().unwrap_or(self.network.parameters());
        let ids = self.corpus.ids().as_slice();
        let alone = Ranks::alone();
        in_pool(threads, || {
            test.map(|mut part| part.loss(parameters, ids, &alone))
                .transpose()
        })?
    }

    /// Steps that were skipped because their loss or gradient was not finite.
    pub fn skipped(&self) -> u64 {
        self.progress.guard.skipped
    }
}

impl Trainer<f32> {
    /// The model with the best weights so far, or the last if nothing is held out.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn best_model(&self) -> Model {
        self.try_best_model().expect("memory for a model")
    }

    /// The model with the weights as they are now.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn current_model(&self) -> Model {
        self.try_current_model().expect("memory for a model")
    }

    /// As [`best_model`](Self::best_model), or an error where memory runs out.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn try_best_model(&self) -> Result<Model> {
        self.model(self.best.as_ref().unwrap_or(self.network.parameters()))
    }

    /// As [`current_model`](Self::current_model), or an error where memory runs out.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn try_current_model(&self) -> Result<Model> {
        self.model(self.network.parameters())
    }

    fn model(&self, parameters: &Parameters<f32>) -> Result<Model> {
        memory::check(Parameters::<f32>::bytes(self.network.config()))?;
        let network = Network::from_parameters(*self.network.config(), parameters.try_clone()?);
        let training = Training::new(self.config, &self.progress);
        Ok(Model::new(
            self.corpus.vocabulary().clone(),
            network,
            Some(training),
        ))
    }
}
