//! Sampling: predict the next character, draw one, read it, repeat.
//!
//! At temperature `T` character `j` has probability `softmax(o / T)_j`: below 1 likely characters
//! become likelier, above 1 unlikely ones do; 0 always takes the likeliest (greedy). Top-k (Fan 2018)
//! keeps the `k` likeliest, top-p (Holtzman 2020) the fewest whose probabilities add up to `p`.

mod batch;
mod draw;
mod options;
mod text;

use std::iter;

use smallvec::SmallVec;

pub use batch::BatchSampler;
pub use draw::Drawer;
pub use options::SampleOptions;

use crate::error::Result;
use crate::model::Model;
use crate::session::Session;
use crate::vocabulary::{Id, Vocabulary};
use text::Utf8;

/// An endless iterator of characters. It ends with an error if the network
/// [overflows](crate::Error::Overflow), as it may after a training that diverged.
///
/// It shares the model and belongs to nobody else: it can be cloned and sent to another thread. A model of
/// bytes writes UTF-8: its bytes come as the characters that they spell, U+FFFD where they spell none, or
/// as they are from [`bytes`](Self::bytes).
///
/// ```
/// use rnn::{CellKind, Init, Model, Network, NetworkConfig, SampleOptions, Sampler, Session, Vocabulary};
///
/// let vocabulary = Vocabulary::from_text("hello world")?;
/// let config = NetworkConfig {
///     cell: CellKind::LSTM, vocab_size: vocabulary.len(), hidden_size: 16, num_layers: 1,
/// };
/// let model = Model::new(vocabulary, Network::new(config, &Init::default(), 1)?, None);
/// let mut sampler = model.sample("he", &SampleOptions::default())?;
/// let written = sampler.by_ref().take(5).collect::<rnn::Result<String>>()?;
/// sampler.session_mut().read_char('w')?; // what others wrote
/// let mut fork = sampler.clone();
/// assert_eq!(fork.next_id()?, sampler.next_id()?);
/// let state = sampler.into_session().into_state();
/// Sampler::resume(Session::from_state(&model, state)?, &SampleOptions::greedy())?;
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sampler {
    session: Session,
    drawer: Drawer,
    /// Bytes of a character that are not all drawn yet.
    unfinished: Utf8,
    has_failed: bool,
}

impl Sampler {
    /// A sampler that has read `prime`. After an empty prime every first character is equally likely, and
    /// a model that reads [line by line](Model::line_end) begins a line.
    ///
    /// # Errors
    /// If an option is out of range, the network [overflows](crate::Error::Overflow) on the prime, or memory
    /// runs out.
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    #[track_caller]
    pub fn new(model: &Model, prime: &[Id], options: &SampleOptions) -> Result<Self> {
        let mut sampler = Sampler::resume(Session::new(model)?, options)?;
        sampler.session.read(prime)?;
        Ok(sampler)
    }

    /// A sampler that goes on with a text.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) if an option is out of range.
    pub fn resume(session: Session, options: &SampleOptions) -> Result<Self> {
        Ok(Sampler {
            session,
            drawer: Drawer::new(options)?,
            unfinished: Utf8::default(),
            has_failed: false,
        })
    }

    /// The text so far, with its [`State`](crate::State).
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The same, to read characters that were not drawn.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The same, to go on with otherwise.
    pub fn into_session(self) -> Session {
        self.session
    }

    /// Draws the next symbol and leaves it to be read, by [`Session::step_all`] for many samplers at once.
    ///
    /// # Errors
    /// [`Error::Overflow`](crate::Error::Overflow) if the network overflowed on the symbol before.
    pub fn draw(&mut self) -> Result<Id> {
        self.session.logits().map(|logits| self.drawer.draw(logits))
    }

    /// Draws the next symbol and reads it.
    ///
    /// # Errors
    /// As [`draw`](Self::draw), and [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn next_id(&mut self) -> Result<Id> {
        let id = self.draw()?;
        self.session.advance(&[id])?;
        Ok(id)
    }

    /// The ids that follow, without end, or with an error at their end.
    pub fn ids(&mut self) -> impl Iterator<Item = Result<Id>> {
        iter::from_fn(|| self.until_failed(Self::next_id))
    }

    /// The bytes that follow: those of a model of bytes, or of the UTF-8 of the characters.
    pub fn bytes(&mut self) -> impl Iterator<Item = Result<u8>> {
        let vocabulary = self.session.model().vocabulary().clone();
        let mut left = SmallVec::new();
        iter::from_fn(move || {
            if left.is_empty() {
                match self.until_failed(Self::next_id)? {
                    Ok(id) => left = spelled(&vocabulary, id),
                    Err(error) => return Some(Err(error)),
                }
                left.reverse();
            }
            left.pop().map(Ok)
        })
    }

    fn next_character(&mut self) -> Result<char> {
        if !self.session.model().vocabulary().is_bytes() {
            let id = self.next_id()?;
            return Ok(self.session.model().vocabulary().symbol(id));
        }
        loop {
            if let Some(character) = self.unfinished.take() {
                return Ok(character);
            }
            // The id of a byte is the byte.
            let id = self.next_id()?;
            self.unfinished.push(id as u8);
        }
    }

    /// What `next` gives, but after an error nothing.
    fn until_failed<T>(&mut self, next: impl Fn(&mut Self) -> Result<T>) -> Option<Result<T>> {
        if self.has_failed {
            return None;
        }
        let next = next(self);
        self.has_failed = next.is_err();
        Some(next)
    }
}

impl Iterator for Sampler {
    type Item = Result<char>;

    fn next(&mut self) -> Option<Result<char>> {
        self.until_failed(Self::next_character)
    }
}

/// The bytes that a symbol stands for.
fn spelled(vocabulary: &Vocabulary, id: Id) -> SmallVec<[u8; 4]> {
    match vocabulary.is_bytes() {
        true => SmallVec::from_slice(&[id as u8]),
        false => {
            let mut buffer = [0; 4];
            SmallVec::from_slice(vocabulary.symbol(id).encode_utf8(&mut buffer).as_bytes())
        }
    }
}

impl Model {
    /// An endless iterator of the characters that follow `prime`.
    ///
    /// # Errors
    /// If `prime` has a character that the model does not know, an option is out of range, or the network
    /// [overflows](crate::Error::Overflow) on the prime. If it overflows later, the error is the last item.
    pub fn sample(&self, prime: &str, options: &SampleOptions) -> Result<Sampler> {
        Sampler::new(self, &self.vocabulary().encode(prime)?, options)
    }

    /// Several samples at once, each continuing `prime`.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn sample_batch(
        &self,
        prime: &str,
        samples: usize,
        options: &SampleOptions,
    ) -> Result<BatchSampler> {
        BatchSampler::new(self, &self.vocabulary().encode(prime)?, samples, options)
    }
}
