//! How well a model predicts a text: nats, bits per character, perplexity, surprise of each character.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::corpus::{Corpus, IdSlice};
use crate::error::{Error, Result};
use crate::loss;
use crate::memory;
use crate::model::Model;
use crate::packed::PackedWeights;
use crate::ranks::Ranks;
use crate::trainer::HeldOut;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::Id;

/// The total surprise of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Sum of `-ln p` over the predicted characters.
    pub nats: f64,
    /// Characters predicted: all but the first, or all where a model reads
    /// [line by line](Model::line_end).
    pub characters: u64,
}

impl Score {
    /// Mean surprise in nats per character; NaN if none was predicted.
    pub fn nats_per_character(&self) -> f64 {
        self.nats / self.characters as f64
    }

    /// Mean surprise in bits per character: nats over ln 2.
    pub fn bits_per_character(&self) -> f64 {
        self.nats_per_character() / std::f64::consts::LN_2
    }

    /// `exp` of the nats per character: as uncertain as a choice among this many equally likely
    /// characters.
    pub fn perplexity(&self) -> f64 {
        libm::exp(self.nats_per_character())
    }
}

/// The most characters to read at a time.
const STEPS: usize = 256;

/// Scores a text piece by piece; how it is cut changes no bit of the result. A model that reads
/// [line by line](Model::line_end) starts anew at each line.
///
/// ```
/// use rnn::{CellKind, Corpus, Init, Model, Network, NetworkConfig, Scorer};
///
/// let corpus = Corpus::from_text("never odd or even")?;
/// let config = NetworkConfig {
///     cell: CellKind::GRU, vocab_size: corpus.vocabulary().len(), hidden_size: 8, num_layers: 1,
/// };
/// let network = Network::new(config, &Init::default(), 1)?;
/// let model = Model::new(corpus.vocabulary().clone(), network, None);
/// let mut scorer = Scorer::new(&model)?;
/// scorer.push(corpus.ids())?;
/// assert_eq!(scorer.score(), model.score("never odd or even")?);
/// scorer.push(&model.vocabulary().encode(" or odd")?)?;
/// assert_eq!(scorer.score().characters, 23);
/// # Ok::<(), rnn::Error>(())
/// ```
pub struct Scorer<'m> {
    model: &'m Model,
    weights: &'m PackedWeights<f32>,
    unroll: Unroll<f32>,
    inputs: Vec<Id>,
    targets: Vec<Id>,
    losses: Vec<f64>,
    last: Option<Id>,
    score: Score,
    has_overflowed: bool,
}

impl<'m> Scorer<'m> {
    /// A scorer at the start of a text, from a zero state.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where memory runs out.
    pub fn new(model: &'m Model) -> Result<Self> {
        Self::for_pieces(model, STEPS)
    }

    /// As [`new`](Self::new), for a text whose pieces have at most `most` characters.
    pub(crate) fn for_pieces(model: &'m Model, most: usize) -> Result<Self> {
        let config = model.network().config();
        let size = Size::piecewise::<f32>(config, 1, STEPS.min(most));
        let size = size.restarting(model.line_end());
        memory::check(size.bytes::<f32>(config))?;
        Ok(Scorer {
            model,
            weights: model.packed()?,
            unroll: Unroll::new(config, 0, size)?,
            inputs: vec![0; size.steps],
            targets: vec![0; size.steps],
            losses: vec![0.0; size.steps],
            last: model.line_end(),
            score: Score::default(),
            has_overflowed: false,
        })
    }

    /// Reads the next piece of the text: the ids of a [`Corpus`](crate::Corpus), a part of them, or any
    /// slice.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the network overflows. The score is then that of the characters before, and
    /// every call is an error until [`reset`](Self::reset).
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    #[track_caller]
    pub fn push<'a>(&mut self, ids: impl Into<IdSlice<'a>>) -> Result<()> {
        self.push_with(ids, |_, _, _| {})
    }

    /// Reads the next piece and calls `tell` for each predicted character with its id, its surprise in
    /// nats, and the probabilities that the model gave to all characters.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    #[track_caller]
    pub fn push_with<'a>(
        &mut self,
        ids: impl Into<IdSlice<'a>>,
        mut tell: impl FnMut(Id, f64, &[f32]),
    ) -> Result<()> {
        let ids = ids.into();
        ids.check(self.model.vocabulary().len());
        if self.has_overflowed {
            return Err(self.overflow());
        }
        if ids.is_empty() {
            return Ok(());
        }
        let params = self.model.network().parameters();
        let vocab = self.model.vocabulary().len();
        let mut before = self.last.unwrap_or_else(|| ids.get(0));
        let first = usize::from(self.last.is_none());
        let steps = self.unroll.capacity();
        for start in (first..ids.len()).step_by(steps) {
            let piece = ids.slice(start..ids.len().min(start + steps));
            let targets = &mut self.targets[..piece.len()];
            piece.copy_to(targets);
            for (input, &mut target) in self.inputs.iter_mut().zip(&mut *targets) {
                *input = std::mem::replace(&mut before, target);
            }
            let inputs = &self.inputs[..targets.len()];
            self.unroll.read(params, self.weights, inputs);
            let overflow = self.unroll.overflow();
            let targets = &targets[..overflow.unwrap_or(targets.len())];
            let losses = &mut self.losses[..targets.len()];
            let logits = &mut self.unroll.logits_mut()[..targets.len() * vocab];
            loss::softmax_cross_entropy(logits, targets, losses);
            for ((&target, &nats), probabilities) in
                targets.iter().zip(&*losses).zip(logits.chunks_exact(vocab))
            {
                self.score.nats += nats;
                self.score.characters += 1;
                tell(target, nats, probabilities);
            }
            if overflow.is_some() {
                self.has_overflowed = true;
                return Err(self.overflow());
            }
        }
        self.last = Some(before);
        Ok(())
    }

    /// The error of an overflow: one more character was read than predicted.
    fn overflow(&self) -> Error {
        Error::Overflow {
            characters: self.score.characters + 1,
        }
    }

    /// The score of all text so far.
    pub fn score(&self) -> Score {
        self.score
    }

    /// Starts a new text from a zero state with a zero score.
    pub fn reset(&mut self) {
        self.unroll.start();
        self.last = self.model.line_end();
        self.score = Score::default();
        self.has_overflowed = false;
    }
}

impl fmt::Debug for Scorer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scorer")
            .field("score", &self.score)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// How surprising `text` is. The first character is read, not predicted. If the model reads
    /// [line by line](Self::line_end), every line is scored by itself with its end, which the last may
    /// lack.
    ///
    /// # Errors
    /// If `text` has a character that the model does not know, the network [overflows](Error::Overflow),
    /// or memory runs out.
    pub fn score(&self, text: &str) -> Result<Score> {
        let mut ids = self.vocabulary().encode(text)?;
        if let Some(&last) = ids.last() {
            ids.extend(self.line_end().filter(|&end| end != last));
        }
        let mut scorer = Scorer::for_pieces(self, ids.len())?;
        scorer.push(&ids)?;
        Ok(scorer.score())
    }

    /// How surprising a whole corpus is, read in many places at once, which the threads of a rayon pool
    /// share: up to 32 of a running text, or 64 lines for a model that reads
    /// [line by line](Self::line_end). A place inside a text begins with the
    /// 256 characters before it, so the result is within 0.002 nats per character of a [`Scorer`]'s.
    ///
    /// ```
    /// use rnn::{CellKind, Corpus, Init, Model, Network, NetworkConfig};
    ///
    /// let text = "the quick brown fox jumps over the lazy dog. ".repeat(300);
    /// let corpus = Corpus::from_text(&text)?;
    /// let config = NetworkConfig { cell: CellKind::GRU, vocab_size: corpus.vocabulary().len(), hidden_size: 8, num_layers: 1 };
    /// let model = Model::new(corpus.vocabulary().clone(), Network::new(config, &Init::default(), 1)?, None);
    /// let (fast, exact) = (model.score_corpus(&corpus)?, model.score(&text)?);
    /// assert_eq!(fast.characters, exact.characters);
    /// assert!((fast.nats_per_character() - exact.nats_per_character()).abs() < 0.002);
    /// # Ok::<(), rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Overflow`] if the network overflows, [`Error::TooLarge`] where memory runs out, and those of
    /// [`Records::of`](crate::Records::of).
    ///
    /// # Panics
    /// If the corpus has another vocabulary.
    #[track_caller]
    pub fn score_corpus(&self, corpus: &Corpus) -> Result<Score> {
        assert!(
            corpus.vocabulary() == self.vocabulary(),
            "a corpus of {} characters for a model of {}, or of others",
            corpus.vocabulary().len(),
            self.vocabulary().len()
        );
        let network = self.network();
        let text = HeldOut::whole(corpus, network.config(), self.line_end().is_some())?;
        let Some(mut text) = text else {
            return Ok(Score::default());
        };
        let ids = corpus.ids().as_slice();
        let mean = text.loss(network.parameters(), ids, &Ranks::alone())?;
        if !mean.is_finite() {
            // To say where.
            let mut scorer = Scorer::new(self)?;
            scorer.push(ids)?;
        }
        let characters = text.characters() as u64;
        Ok(Score {
            nats: mean * characters as f64,
            characters,
        })
    }
}
