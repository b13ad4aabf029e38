//! Validation for training loops other than the trainer's.

use std::fmt;
use std::ops::Range;

use tensor::Scalar;

use super::validation::TextValidator;
use crate::config::NetworkConfig;
use crate::corpus::IdSlice;
use crate::error::Result;
use crate::parameters::{Layout, Parameters};
use crate::ranks::Ranks;

/// Measures the loss on a held-out part of a text as a [`Trainer`](crate::Trainer) does, for a training
/// loop of your own: the buffers are made once, and neither network nor vocabulary is copied.
///
/// ```
/// use rnn::{Corpus, Init, Network, NetworkConfig, Validator};
///
/// let corpus = Corpus::from_text(&"never odd or even ".repeat(30))?;
/// let held_out = corpus.split(&[0.9, 0.1])?.validation;
/// let vocab_size = corpus.vocabulary().len();
/// let config = NetworkConfig { vocab_size, hidden_size: 16, ..NetworkConfig::default() };
/// let mut network = Network::<f32>::new(config, &Init::default(), 1)?;
/// let mut validator = Validator::new(&config, held_out)?.expect("two characters or more");
/// let before = validator.loss(network.parameters(), corpus.ids());
/// network.parameters_mut().clear();
/// let uniform = validator.loss(network.parameters(), corpus.ids());
/// assert!((uniform - (vocab_size as f64).ln()).abs() < 1e-6 && before != uniform);
/// # Ok::<(), rnn::Error>(())
/// ```
pub struct Validator<T> {
    config: NetworkConfig,
    part: Range<usize>,
    text: TextValidator<T>,
}

impl<T: Scalar> Validator<T> {
    /// Buffers for a part of a text; `None` if it has fewer than two characters, so that there is nothing to
    /// predict.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn new(config: &NetworkConfig, part: Range<usize>) -> Result<Option<Self>> {
        let text = TextValidator::new(config, part.clone())?;
        let config = *config;
        Ok(text.map(|text| Validator { config, part, text }))
    }

    /// The mean loss in nats per character; `ids` are those of the whole text. It is not finite where the
    /// network overflows.
    ///
    /// # Panics
    /// If the parameters are those of another network, the part reaches past the end of `ids`, or an id in
    /// it is outside the vocabulary.
    #[track_caller]
    pub fn loss<'a>(&mut self, params: &Parameters<T>, ids: impl Into<IdSlice<'a>>) -> f64 {
        let config = &self.config;
        assert!(
            *params.layout() == Layout::new(config),
            "parameters of another network than {config:?}"
        );
        let ids = ids.into();
        ids.slice(self.part.clone()).check(config.vocab_size);
        let loss = self.text.loss(params, ids, &Ranks::alone());
        loss.expect("one rank waits for no other")
    }
}

impl<T> fmt::Debug for Validator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator")
            .field("config", &self.config)
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}
