//! The training loop: windows in, updates out, an evaluation now and then.
//!
//! One step is the notebook's epoch on a window of text: forward, loss, backward, update.
//!
//! ```text
//! window -> Bptt::forward -> loss -> Bptt::backward -> Clip -> guard -> Optimizer
//! ```
//!
//! The trainer prints nothing. It reports [`Event`]s to a callback, which may look at the trainer,
//! save its [best model](Trainer::best_model), and end the run.
//!
//! Several processes can share the work ([`join`](Trainer::join)). Each runs this same loop with the same
//! weights, and passes its own rows of the batch through the network; all see the same sums.

mod clock;
mod config;
mod defaults;
mod guard;
mod join;
mod progress;
mod resume;
mod run;
mod size;
mod source;
mod speed;
mod step;
mod validation;
mod validator;
mod view;

use std::fmt;
use std::ops::Range;

use tensor::Scalar;

pub use config::TrainConfig;
pub use defaults::{Recommended, recommended, recommended_within};
pub(crate) use progress::Progress;
pub use progress::Record;
pub use run::{Event, Outcome, RunOptions};
pub use speed::training_speed;
pub use validator::Validator;

use crate::bptt::Bptt;
use crate::config::NetworkConfig;
use crate::corpus::Corpus;
use crate::error::Result;
use crate::memory;
use crate::network::Network;
use crate::optimizer::{Optimizer, Patience};
use crate::parameters::Parameters;
use crate::ranks::Ranks;
use crate::vocabulary::Id;
pub(crate) use source::HeldOut;
use source::{Parts, Source};

/// Trains a network on a text.
///
/// ```
/// use rnn::{CellKind, Corpus, RunOptions, Trainer, recommended};
/// use std::ops::ControlFlow;
///
/// let corpus = Corpus::from_text(&"the quick brown fox jumps over the lazy dog. ".repeat(20))?;
/// let mut advice = recommended(&corpus.facts(false));
/// advice.network.hidden_size = 16;
/// advice.train.max_steps = Some(30);
/// let mut trainer = Trainer::<f32>::new(corpus, &[0.9, 0.1], advice.network, advice.train)?;
/// trainer.run(&RunOptions::default(), |_, _| Ok::<_, rnn::Error>(ControlFlow::Continue(())))?;
/// assert!(trainer.history().last().unwrap().validation_loss.unwrap() < 3.4);
/// # Ok::<(), rnn::Error>(())
/// ```
pub struct Trainer<T> {
    corpus: Corpus,
    /// The digest of the corpus, computed once.
    digest: u64,
    shares: Vec<f64>,
    source: Source,
    /// Characters to learn from and held out.
    lengths: (usize, usize),
    network: Network<T>,
    /// The first is that of the step; the others are for its shards.
    gradients: Vec<Parameters<T>>,
    optimizer: Optimizer<T>,
    bptt: Bptt<T>,
    held_out: Option<HeldOut<T>>,
    config: TrainConfig,
    progress: Progress,
    best: Option<Parameters<T>>,
    /// The parameters without the recurrent weights that a step drops, if it drops any.
    thinned: Option<Parameters<T>>,
    /// The parameters that weight decay is for.
    multipliers: Vec<Range<usize>>,
    inputs: Vec<Id>,
    targets: Vec<Id>,
    notes: Vec<String>,
    /// The processes that train with this one.
    ranks: Ranks,
    /// What another of them sends.
    sent: Vec<T>,
}

impl<T: Scalar> fmt::Debug for Trainer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("network", self.network.config())
            .field("config", &self.config)
            .field("step", &self.progress.step)
            .finish_non_exhaustive()
    }
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The mean or sum of the window's losses before the update, in nats.
    pub loss: f64,
    /// Euclidean norm of the whole gradient before clipping.
    pub gradient_norm: f64,
    /// The learning rate of the update.
    pub learning_rate: f64,
    /// Characters predicted.
    pub characters: u64,
}

impl<T: Scalar> Trainer<T> {
    /// A trainer for a new network on the first share of the text, evaluated on the second.
    ///
    /// A text too short for the batch or the window shrinks the batch, then the window, and says
    /// so in [`notes`](Self::notes).
    ///
    /// # Errors
    /// For an invalid setting or split, or a text too short to learn from;
    /// [`Error::TooLarge`](crate::Error::TooLarge) for sizes beyond the machine's memory.
    ///
    /// # Panics
    /// If the network's vocabulary is not as large as the text's.
    pub fn new(
        corpus: Corpus,
        split: &[f64],
        network: NetworkConfig,
        config: TrainConfig,
    ) -> Result<Self> {
        config.validate()?;
        network.validate()?;
        let fitted = config.fitted(&corpus, split)?.0;
        memory::check(Self::bytes(&network, &fitted))?;
        let network = Network::new(network, &config.init, config.seed)?;
        Self::started(corpus, split, network, config)
    }

    /// As [`new`](Self::new), starting from a network that exists. Where text is held out, its weights are
    /// evaluated before the first step, and are the result if nothing beats them.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// If the network's vocabulary is not as large as the text's.
    pub fn with_network(
        corpus: Corpus,
        split: &[f64],
        network: Network<T>,
        config: TrainConfig,
    ) -> Result<Self> {
        let mut trainer = Self::started(corpus, split, network, config)?;
        trainer.progress.evaluates_start = trainer.held_out.is_some();
        Ok(trainer)
    }

    /// A trainer before its first step.
    fn started(
        corpus: Corpus,
        split: &[f64],
        network: Network<T>,
        config: TrainConfig,
    ) -> Result<Self> {
        config.validate()?;
        let (mine, texts) = (network.config().vocab_size, corpus.vocabulary().len());
        assert!(
            mine == texts,
            "a network of {mine} characters for a text of {texts}"
        );
        let shares = split.to_vec();
        let (config, changed) = config.fitted(&corpus, split)?;
        // The network exists already.
        let there = Parameters::<T>::bytes(network.config());
        memory::check(Self::bytes(network.config(), &config).saturating_sub(there))?;
        let mut notes: Vec<String> = changed.into_iter().collect();
        let Parts {
            source,
            held_out,
            lengths,
        } = Parts::new(&corpus, split, network.config(), &config)?;
        if held_out.is_none() {
            notes.push(
                "no text is held out for validation: the model is the last state, not the best"
                    .into(),
            );
        }
        let newline = corpus.vocabulary().id('\n');
        let count = memory::product(&[config.batch_size, config.seq_length]);
        Ok(Trainer {
            gradients: (0..Bptt::<T>::gradients(config.shards))
                .map(|_| Parameters::try_zeros(network.config()))
                .collect::<Result<_>>()?,
            optimizer: Optimizer::new(config.optimizer, network.parameters().len())?,
            bptt: Bptt::of_shards(
                network.config(),
                config.window(newline),
                config.dropout > 0.0,
                config.shards,
                0..config.shards,
            )?,
            best: match held_out {
                Some(_) => Some(network.parameters().try_clone()?),
                None => None,
            },
            thinned: match config.weight_dropout > 0.0 {
                true => Some(Parameters::try_zeros(network.config())?),
                false => None,
            },
            multipliers: network.parameters().layout().multipliers(),
            progress: Progress {
                patience: config.patience.map(Patience::new),
                ..Progress::default()
            },
            inputs: memory::zeros(count)?,
            targets: memory::zeros(count)?,
            digest: corpus.digest(),
            corpus,
            source,
            lengths,
            shares,
            network,
            held_out,
            config,
            notes,
            ranks: Ranks::alone(),
            sent: Vec::new(),
        })
    }

    /// Measures the held-out loss, adds it to the history, and keeps the weights if they are the best so
    /// far; among equals the earlier.
    fn evaluate(&mut self) -> Result<(Record, bool)> {
        let ids = self.corpus.ids().as_slice();
        let parameters = self.network.parameters();
        let validation_loss = self
            .held_out
            .as_mut()
            .map(|held_out| held_out.loss(parameters, ids, &self.ranks))
            .transpose()?;
        let (sum, count) = std::mem::take(&mut self.progress.losses);
        let train_loss = (count > 0).then(|| sum / count as f64);
        let record = Record {
            step: self.progress.step,
            train_loss,
            validation_loss,
            learning_rate: self.progress.learning_rate,
        };
        self.progress.record(record);
        let improved = validation_loss.is_some_and(|loss| {
            loss.is_finite() && self.progress.best.is_none_or(|(_, best)| loss < best)
        });
        // A weight that the held-out text never uses may be infinite although the loss is finite.
        let improved = improved && parameters.is_finite();
        if improved {
            self.progress.best = validation_loss.map(|loss| (record.step, loss));
            if let Some(best) = &mut self.best {
                best.as_mut_slice()
                    .copy_from_slice(self.network.parameters().as_slice());
            }
        }
        if let Some(loss) = validation_loss {
            self.config
                .schedule
                .observe(&mut self.progress.plateau, loss);
            if let Some(patience) = &mut self.progress.patience {
                patience.observe(loss);
                self.progress.patience_spent = patience.is_exhausted();
            }
        }
        Ok((record, improved || validation_loss.is_none()))
    }

    /// Returns to the best weights and resets the hidden state and the optimiser.
    fn go_back(&mut self) {
        if let Some(best) = &self.best {
            self.network
                .parameters_mut()
                .as_mut_slice()
                .copy_from_slice(best.as_slice());
        }
        self.optimizer.reset();
        self.bptt.reset_state();
    }
}
