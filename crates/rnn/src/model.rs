//! A model: a network with the vocabulary it speaks and the story of its training.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::checkpoint;
use crate::error::Result;
use crate::network::Network;
use crate::sampler::{BatchSampler, SampleOptions, Sampler};
use crate::score::{Score, Scorer};
use crate::trainer::{Progress, Record, TrainConfig};
use crate::vocabulary::Vocabulary;

/// How a model came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The settings.
    pub config: TrainConfig,
    /// The step at which the weights were what they are; `None` without held-out text.
    pub best_step: Option<u64>,
    /// Every evaluation.
    pub history: Vec<Record>,
}

impl Training {
    pub(crate) fn new(config: TrainConfig, progress: &Progress) -> Self {
        let best_step = progress.best.map(|(step, _)| step);
        Training {
            config,
            best_step,
            history: progress.history.clone(),
        }
    }
}

/// Everything needed to write and score text. Shared freely between threads.
///
/// ```
/// use rnn::{CellKind, Init, Model, Network, NetworkConfig, SampleOptions, Vocabulary};
///
/// let vocabulary = Vocabulary::from_text("hello world")?;
/// let config = NetworkConfig {
///     cell: CellKind::Lstm, vocab_size: vocabulary.len(), hidden_size: 16, num_layers: 1,
/// };
/// let model = Model::new(vocabulary, Network::new(config, &Init::default(), 1)?, None);
/// let again = Model::from_bytes(&model.to_bytes())?;
/// let text: String = again.sample("hello", &SampleOptions::default())?.take(20).collect();
/// assert_eq!(text.chars().count(), 20);
/// assert!(again.score("hello world")?.bits_per_character() > 0.0);
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    vocabulary: Vocabulary,
    network: Network<f32>,
    training: Option<Training>,
}

impl Model {
    /// A model from its parts.
    ///
    /// # Panics
    /// If network and vocabulary differ in size.
    pub fn new(vocabulary: Vocabulary, network: Network<f32>, training: Option<Training>) -> Self {
        let (symbols, outputs) = (vocabulary.len(), network.config().vocab_size);
        assert!(
            symbols == outputs,
            "{symbols} symbols for a network of {outputs}"
        );
        Model {
            vocabulary,
            network,
            training,
        }
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a whole and sound model.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        checkpoint::load(path.as_ref())
    }

    /// Writes the model to a file, which at every instant holds the old content or the new.
    ///
    /// # Errors
    /// If the file cannot be written; then it holds what it held before.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        checkpoint::save(path.as_ref(), &self.to_bytes())
    }

    /// A model from the content of a file.
    ///
    /// # Errors
    /// If the bytes are not a whole and sound model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        checkpoint::from_bytes(bytes)
    }

    /// The content of a file. Equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        checkpoint::to_bytes(self)
    }

    /// The characters it knows.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Its network.
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// How it was trained, where the file says so.
    pub fn training(&self) -> Option<&Training> {
        self.training.as_ref()
    }

    /// An endless iterator of the characters that follow `prime`.
    ///
    /// # Errors
    /// If `prime` has a character that the model does not know, or an option is out of range.
    pub fn sample(&self, prime: &str, options: &SampleOptions) -> Result<Sampler<'_>> {
        Sampler::new(self, &self.vocabulary.encode(prime)?, options)
    }

    /// Several samples at once, each continuing `prime`; sample `i` draws from stream `i`.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn sample_batch(
        &self,
        prime: &str,
        samples: usize,
        options: &SampleOptions,
    ) -> Result<BatchSampler<'_>> {
        BatchSampler::new(self, &self.vocabulary.encode(prime)?, samples, options)
    }

    /// How surprising `text` is. The first character is read, not predicted.
    ///
    /// # Errors
    /// If `text` has a character that the model does not know.
    pub fn score(&self, text: &str) -> Result<Score> {
        let mut scorer = Scorer::new(self);
        scorer.push(&self.vocabulary.encode(text)?);
        Ok(scorer.score())
    }
}
