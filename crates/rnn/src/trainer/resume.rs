//! Stopping between two steps and going on later with the same bits.

use super::Trainer;
use crate::checkpoint::Interrupted;
use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::network::Network;

impl Trainer<f32> {
    /// All that going on needs, as it stands between two steps.
    pub fn interrupt(&self) -> Interrupted {
        let state = self
            .optimizer
            .state()
            .map(|(name, values)| (name.to_string(), values.to_vec()));
        Interrupted {
            architecture: *self.network.config(),
            vocabulary: self.corpus.vocabulary().clone(),
            config: self.config,
            split: self.shares.clone(),
            digest: self.corpus.digest(),
            progress: self.progress.clone(),
            parameters: self.network.parameters().clone(),
            best: self.best.clone(),
            optimizer_steps: self.optimizer.steps(),
            optimizer_state: state.collect(),
            state: self.bptt.state(),
        }
    }

    /// Goes on where a run was interrupted: the same text, and every bit as if it had not been.
    ///
    /// # Errors
    /// [`Error::TextChanged`] if `corpus` is not the text of that run, and
    /// [`Error::NotAModel`] if the run's parts do not fit together.
    pub fn resume(corpus: Corpus, run: Interrupted) -> Result<Self> {
        if corpus.digest() != run.digest || *corpus.vocabulary() != run.vocabulary {
            return Err(Error::TextChanged);
        }
        let network = Network::from_parameters(run.architecture, run.parameters);
        let mut trainer = Self::with_network(corpus, &run.split, network, run.config)?;
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
