//! What a network has learned, in numbers.
//!
//! | question | answer |
//! |---|---|
//! | what does each unit do while reading a text? | [`Traces`]: every state and gate after every character |
//! | where is the model surprised, and what did it expect? | [`surprises`]: `-ln p` and the likeliest characters |
//! | does a unit follow quotes, brackets, lines, ...? | [`Property`] and [`correlations`]: Pearson's `r` for each unit |
//! | how far back does it remember? | [`Memory`]: the norm of `d(loss at t) / d(h at t-k)` against `k` |
//! | which characters does it treat alike? | [`letters`]: principal components of each character's weights |
//!
//! ```
//! use rnn::insight::{Property, Signal, Traces, correlations};
//! use rnn::{CellKind, Init, Network, NetworkConfig, Vocabulary};
//!
//! let text: Vec<char> = "he said \"yes\" and \"no\"".chars().collect();
//! let vocabulary = Vocabulary::from_text(&String::from_iter(&text))?;
//! let config = NetworkConfig {
//!     cell: CellKind::GRU, vocab_size: vocabulary.len(), hidden_size: 8, num_layers: 1,
//! };
//! let network = Network::<f32>::new(config, &Init::default(), 1)?;
//! let traces = Traces::read(&network, &vocabulary.encode(&String::from_iter(&text))?)?;
//! let quoted = Property::InsideQuotes.values(&text);
//! let r = correlations(&quoted, &traces, 0, Signal::HIDDEN);
//! assert!(r.len() == 8 && r.iter().flatten().all(|r| r.abs() <= 1.0));
//! # Ok::<(), rnn::Error>(())
//! ```

mod letters;
mod memory;
mod property;
mod surprise;
mod traces;

pub use crate::cell::{Bounds, Signal};
pub use letters::{Class, Letters, Map, letters, principal_components};
pub use memory::{LayerMemory, Memory, kept_share};
pub use property::{Property, correlations};
pub use surprise::{Surprise, surprises};
pub use traces::Traces;
