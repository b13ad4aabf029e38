//! A model: a network with the vocabulary it speaks and the story of its training.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tensor::activation;

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::memory;
use crate::network::Network;
use crate::packed::{PackedOnce, PackedWeights};
use crate::sampler::{BatchSampler, SampleOptions, Sampler};
use crate::score::{Score, Scorer};
use crate::state::State;
use crate::trainer::{Progress, Record, TrainConfig};
use crate::unroll::{Size, Unroll};
use crate::vocabulary::Vocabulary;

/// How a model was trained.
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
///     cell: CellKind::LSTM, vocab_size: vocabulary.len(), hidden_size: 16, num_layers: 1,
/// };
/// let model = Model::new(vocabulary, Network::new(config, &Init::default(), 1)?, None);
/// let again = Model::from_bytes(&model.to_bytes())?;
/// let written = again.sample("hello", &SampleOptions::default())?.take(20);
/// let text = written.collect::<rnn::Result<String>>()?;
/// assert_eq!(text.chars().count(), 20);
/// assert!(again.score("hello world")?.bits_per_character() > 0.0);
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    vocabulary: Vocabulary,
    network: Network<f32>,
    training: Option<Training>,
    packed: PackedOnce,
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
            packed: PackedOnce::default(),
        }
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a whole and sound model.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        checkpoint::load(path.as_ref())
    }

    /// Writes the model to a file, which at every instant holds the old content or the new, and which
    /// [`load`](Self::load) reads.
    ///
    /// # Errors
    /// [`Error::Save`](crate::Error::Save) if it could not be read again, as where a weight is not
    /// finite, or the file cannot be written; [`Error::Locked`](crate::Error::Locked) while a run saves
    /// there. The file then holds what it held before.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        checkpoint::save(path, &checkpoint::bytes_for(path, self)?)
    }

    /// A model from the content of a file.
    ///
    /// # Errors
    /// If the bytes are not a whole and sound model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        checkpoint::from_bytes(bytes)
    }

    /// A model from a state dict of PyTorch as `.safetensors`: `nn.RNN`, `nn.LSTM` or `nn.GRU` beside
    /// an `nn.Linear`. `characters` are those that it was trained on, in the order of their numbers
    /// there; without them the file's metadata holds them under `vocabulary`.
    ///
    /// # Errors
    /// If the bytes are not that.
    pub fn from_pytorch(bytes: &[u8], characters: Option<&str>) -> Result<Self> {
        checkpoint::import(bytes, characters, false)
    }

    /// The content of a file. Equal models give equal bytes.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn to_bytes(&self) -> Vec<u8> {
        checkpoint::to_bytes(self)
    }

    /// The same, or an error where memory runs out.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn try_to_bytes(&self) -> Result<Vec<u8>> {
        checkpoint::try_to_bytes(self)
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
    /// If `prime` has a character that the model does not know, an option is out of range, or the
    /// network's states [overflow](Error::Overflow) over the prime. An overflow later on is what the
    /// iterator gives last.
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

    /// The state before the first character, for [`step`](Self::step).
    pub fn initial_state(&self) -> State<f32> {
        State::zeros(self.network.config(), 1)
    }

    /// Reads one character, which changes `state`, and returns the probability of each symbol to come
    /// next, in the order of the vocabulary: for a loop over key presses.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`], [`Error::Overflow`], or [`Error::TooLarge`] where memory runs out;
    /// all leave `state` as it was.
    ///
    /// # Panics
    /// If `state` is not one of a single sequence in this network.
    pub fn step(&self, character: char, state: &mut State<f32>) -> Result<Vec<f32>> {
        let ids = self.vocabulary.encode(character.encode_utf8(&mut [0; 4]))?;
        let config = self.network.config();
        state.check(config, 1);
        let weights = self.packed()?;
        let mut unroll = Unroll::new(config, 0, Size::reading(1, ids.len()))?;
        let mut probabilities = memory::zeros(config.vocab_size as u128)?;
        unroll.start_from(state);
        unroll.read(self.network.parameters(), weights, &ids);
        if unroll.overflow().is_some() {
            return Err(Error::Overflow { characters: 1 });
        }
        unroll.state_to(state);
        probabilities.copy_from_slice(unroll.last_logits());
        activation::softmax_in_place(&mut probabilities);
        Ok(probabilities)
    }

    /// The weights for the forward products, packed once for all who share the model.
    pub(crate) fn packed(&self) -> Result<&PackedWeights<f32>> {
        self.packed
            .get(self.network.config(), self.network.parameters())
    }

    /// How surprising `text` is. The first character is read, not predicted.
    ///
    /// # Errors
    /// If `text` has a character that the model does not know, the network's states
    /// [overflow](Error::Overflow) over it, or memory runs out.
    pub fn score(&self, text: &str) -> Result<Score> {
        let ids = self.vocabulary.encode(text)?;
        let mut scorer = Scorer::for_pieces(self, ids.len())?;
        scorer.push(&ids)?;
        Ok(scorer.score())
    }
}
