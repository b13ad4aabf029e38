//! A model: a network with its vocabulary and the history of its training.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use tensor::activation;

use crate::error::{Error, Result};
use crate::memory;
use crate::network::Network;
use crate::packed::PackedWeights;
use crate::state::State;
use crate::trainer::{Progress, Record, TrainConfig};
use crate::unroll::{Size, Unroll, pieces};
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

/// Everything needed to sample and score text. A clone is the same model: threads, samplers and sessions
/// share its weights, which nothing changes.
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
#[derive(Clone)]
pub struct Model(Arc<Shared>);

/// What the clones of a model share.
struct Shared {
    vocabulary: Vocabulary,
    network: Network<f32>,
    training: Option<Training>,
    line_end: Option<Id>,
    /// The weights for the forward products, packed on first use.
    packed: OnceLock<PackedWeights<f32>>,
    /// Buffers to read with that no thread uses now.
    spare: Mutex<Vec<Unroll<f32>>>,
    /// The most characters that such buffers take.
    most: usize,
}

/// The most sequences of a model to step together: enough that the arithmetic takes longer than reading
/// the weights.
pub(crate) const MOST_TOGETHER: usize = 256;

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
        let line_end = vocabulary.id('\n').filter(|_| is_by_line);
        Model::reading(vocabulary, network, training, line_end)
    }

    /// The same, starting anew after `line_end` if there is one.
    fn reading(
        vocabulary: Vocabulary,
        network: Network<f32>,
        training: Option<Training>,
        line_end: Option<Id>,
    ) -> Self {
        let one = Size::reading(1, 1).restarting(line_end);
        let most = pieces(one.bytes::<f32>(network.config()), MOST_TOGETHER);
        Model(Arc::new(Shared {
            vocabulary,
            network,
            training,
            line_end,
            packed: OnceLock::new(),
            spare: Mutex::default(),
            most,
        }))
    }

    /// The characters that the model knows.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.0.vocabulary
    }

    /// The network.
    pub fn network(&self) -> &Network<f32> {
        &self.0.network
    }

    /// How it was trained, if the file says so.
    pub fn training(&self) -> Option<&Training> {
        self.0.training.as_ref()
    }

    /// The character that ends a line, if each line is an independent example to this model. Whatever
    /// reads or writes with it then starts anew at each line: a line begins with the state after this
    /// character, and all of its characters are predicted, its end included.
    pub fn line_end(&self) -> Option<Id> {
        self.0.line_end
    }

    /// The same model, reading line by line, for one whose file does not say that it was trained so. It
    /// is not saved. To clones this is another model, which copies their weights.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`] if it does not know the newline.
    pub fn by_line(self) -> Result<Self> {
        let line_end = self.vocabulary().resolve('\n', 0, Unknown::Error)?;
        let (vocabulary, network, training) = match Arc::try_unwrap(self.0) {
            Ok(own) => (own.vocabulary, own.network, own.training),
            Err(shared) => (
                shared.vocabulary.clone(),
                shared.network.clone(),
                shared.training.clone(),
            ),
        };
        Ok(Model::reading(vocabulary, network, training, line_end))
    }

    /// The state before the first character. A model that reads [line by line](Self::line_end) starts a
    /// line by reading a newline, from any state.
    pub fn initial_state(&self) -> State<f32> {
        State::zeros(self.network().config(), 1)
    }

    /// Reads one character, updates `state`, and returns the probability of each symbol to come next, in
    /// the order of the vocabulary. A [`Session`](crate::Session) does the same without allocating, and
    /// many at once.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`], [`Error::Overflow`], or [`Error::TooLarge`] where memory runs out;
    /// all leave `state` unchanged.
    ///
    /// # Panics
    /// If `state` is not one of a single sequence in this network.
    pub fn step(&self, character: char, state: &mut State<f32>) -> Result<Vec<f32>> {
        let ids = self.vocabulary().encode_char(character)?;
        let config = self.network().config();
        state.check(config, 1);
        let mut probabilities = memory::zeros(config.vocab_size as u128)?;
        let is_sound = self.unrolled(1, ids.len(), |unroll, weights| {
            unroll.start_row_from(0, state);
            // A character may be more bytes than the buffers take.
            for ids in ids.chunks(unroll.capacity()) {
                unroll.read(self.network().parameters(), weights, ids);
                if unroll.overflow().is_some() {
                    return false;
                }
            }
            unroll.row_to(0, state);
            probabilities.copy_from_slice(unroll.last_logits());
            true
        })?;
        if !is_sound {
            return Err(Error::Overflow { characters: 1 });
        }
        activation::softmax_in_place(&mut probabilities);
        Ok(probabilities)
    }

    /// Calls `f` with the packed weights and with buffers for `rows` sequences, over up to `steps` steps
    /// or fewer, which the sequences have to be started in. The buffers are kept for later calls.
    pub(crate) fn unrolled<R>(
        &self,
        rows: usize,
        steps: usize,
        f: impl FnOnce(&mut Unroll<f32>, &PackedWeights<f32>) -> R,
    ) -> Result<R> {
        let weights = self.packed()?;
        let room = rows.saturating_mul(steps).min(self.most_together());
        let kept = self.spare().pop();
        let mut unroll = match kept.filter(|kept| kept.room() >= room) {
            Some(kept) => kept,
            None => {
                let rows = room.next_power_of_two().min(self.most_together());
                let config = self.network().config();
                let size = Size::reading(rows, 1).restarting(self.line_end());
                memory::check(size.bytes::<f32>(config))?;
                Unroll::new(config, 0, size)?
            }
        };
        unroll.set_rows(rows);
        let result = f(&mut unroll, weights);
        self.spare().push(unroll);
        Ok(result)
    }

    /// The most sequences that [`unrolled`](Self::unrolled) has buffers for.
    pub(crate) fn most_together(&self) -> usize {
        self.0.most
    }

    /// Whether the other is a clone of this one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Unroll<f32>>> {
        // No push or pop leaves them half done.
        self.0.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The weights packed for the forward products, once for all threads that share the model.
    pub(crate) fn packed(&self) -> Result<&PackedWeights<f32>> {
        if let Some(weights) = self.0.packed.get() {
            return Ok(weights);
        }
        let network = self.network();
        memory::check(PackedWeights::<f32>::forward_bytes(network.config()))?;
        // If two threads come here at once, one packs in vain.
        let mut weights = PackedWeights::forward(network.config())?;
        weights.pack_forward(network.parameters());
        Ok(self.0.packed.get_or_init(|| weights))
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.is(other)
            || (self.vocabulary() == other.vocabulary()
                && self.network() == other.network()
                && self.training() == other.training()
                && self.line_end() == other.line_end())
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("network", self.network().config())
            .field("vocabulary", self.vocabulary())
            .field("line_end", &self.line_end())
            .finish_non_exhaustive()
    }
}
