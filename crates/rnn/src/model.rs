//! A model: a network with its vocabulary and the history of its training.

use serde::{Deserialize, Serialize};
use tensor::activation;

use crate::error::{Error, Result};
use crate::memory;
use crate::network::Network;
use crate::packed::{PackedOnce, PackedWeights};
use crate::state::State;
use crate::trainer::{Progress, Record, TrainConfig};
use crate::unroll::{Size, Unroll};
use crate::vocabulary::{Id, Unknown, Vocabulary};

/// How a model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The settings.
    pub config: TrainConfig,
    /// The step that the weights are from; `None` without held-out text.
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

/// Everything needed to sample and score text. Threads can share it.
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
    line_end: Option<Id>,
    packed: PackedOnce,
}

impl Model {
    /// A model from its parts. If it was trained on [records](TrainConfig::records), it reads
    /// [line by line](Self::line_end).
    ///
    /// # Panics
    /// If network and vocabulary differ in size.
    pub fn new(vocabulary: Vocabulary, network: Network<f32>, training: Option<Training>) -> Self {
        let (symbols, outputs) = (vocabulary.len(), network.config().vocab_size);
        assert!(
            symbols == outputs,
            "{symbols} symbols for a network of {outputs}"
        );
        let is_by_line = training.as_ref().is_some_and(|told| told.config.records);
        Model {
            line_end: vocabulary.id('\n').filter(|_| is_by_line),
            vocabulary,
            network,
            training,
            packed: PackedOnce::default(),
        }
    }

    /// The characters that the model knows.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The network.
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// How it was trained, if the file says so.
    pub fn training(&self) -> Option<&Training> {
        self.training.as_ref()
    }

    /// The character that ends a line, if each line is an independent example to this model. Whatever
    /// reads or writes with it then starts anew at each line: a line begins with the state after this
    /// character, and all of its characters are predicted, its end included.
    pub fn line_end(&self) -> Option<Id> {
        self.line_end
    }

    /// The same model, reading line by line, for one whose file does not say that it was trained so. It
    /// is not saved.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`] if it does not know the newline.
    pub fn by_line(mut self) -> Result<Self> {
        self.line_end = self.vocabulary.resolve('\n', 0, Unknown::Error)?;
        Ok(self)
    }

    /// The state before the first character, for [`step`](Self::step). A model that reads
    /// [line by line](Self::line_end) starts a line by reading a newline, from any state.
    pub fn initial_state(&self) -> State<f32> {
        State::zeros(self.network.config(), 1)
    }

    /// Reads one character, updates `state`, and returns the probability of each symbol to come next, in
    /// the order of the vocabulary: for a loop over key presses.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`], [`Error::Overflow`], or [`Error::TooLarge`] where memory runs out;
    /// all leave `state` unchanged.
    ///
    /// # Panics
    /// If `state` is not one of a single sequence in this network.
    pub fn step(&self, character: char, state: &mut State<f32>) -> Result<Vec<f32>> {
        let ids = self.vocabulary.encode(character.encode_utf8(&mut [0; 4]))?;
        let config = self.network.config();
        state.check(config, 1);
        let weights = self.packed()?;
        let mut unroll = Unroll::new(
            config,
            0,
            Size::reading(1, ids.len()).restarting(self.line_end),
        )?;
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

    /// The weights packed for the forward products, once for all threads that share the model.
    pub(crate) fn packed(&self) -> Result<&PackedWeights<f32>> {
        self.packed
            .get(self.network.config(), self.network.parameters())
    }
}
