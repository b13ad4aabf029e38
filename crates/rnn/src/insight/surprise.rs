//! How surprising each character was to a model, and what it expected.
//!
//! The surprise of character `t` is `-ln p(x_t | x_0 ... x_{t-1})` in nats: 0 for a certain character,
//! `ln V` for a uniform guess among `V`.

use crate::error::Result;
use crate::memory;
use crate::model::Model;
use crate::score::Scorer;
use crate::vocabulary::Id;

/// A predicted character.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Surprise {
    /// The character in the text.
    pub id: Id,
    /// Its `-ln p` in nats.
    pub nats: f64,
    /// The likeliest characters and their probabilities, the likeliest first; among equals the lower id.
    pub likeliest: Vec<(Id, f32)>,
}

/// The surprise of every character but the first, which is not predicted unless the model reads
/// [line by line](Model::line_end), and the `likeliest` most
/// likely characters at each place. The numbers are those of [`Scorer`](crate::Scorer), bit for bit.
///
/// ```
/// use rnn::insight::surprises;
/// use rnn::{CellKind, Init, Model, Network, NetworkConfig, Vocabulary};
///
/// let vocabulary = Vocabulary::from_text("hello")?;
/// let config = NetworkConfig {
///     cell: CellKind::RNN, vocab_size: vocabulary.len(), hidden_size: 8, num_layers: 1,
/// };
/// let model = Model::new(vocabulary, Network::new(config, &Init::default(), 1)?, None);
/// let ids = model.vocabulary().encode("hello")?;
/// let surprises = surprises(&model, &ids, 2)?;
/// assert_eq!((surprises.len(), surprises[0].likeliest.len()), (4, 2));
/// # Ok::<(), rnn::Error>(())
/// ```
///
/// # Errors
/// [`Error::Overflow`](crate::Error::Overflow) if the network overflows,
/// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
///
/// # Panics
/// If an id is outside the model's vocabulary.
#[track_caller]
pub fn surprises(model: &Model, ids: &[Id], likeliest: usize) -> Result<Vec<Surprise>> {
    let vocab = model.vocabulary().len();
    let each = size_of::<Surprise>() + likeliest.min(vocab).saturating_mul(size_of::<(Id, f32)>());
    memory::check(memory::product(&[ids.len(), each]))?;
    let mut surprises = memory::room(ids.len())?;
    let mut order: Vec<Id> = memory::room(vocab)?;
    Scorer::new(model)?.push_with(ids, |id, nats, probabilities| {
        let p = |id: Id| probabilities[id as usize];
        let likelier = |a: &Id, b: &Id| p(*b).total_cmp(&p(*a)).then(a.cmp(b));
        let wanted = likeliest.min(probabilities.len());
        order.clear();
        order.extend(0..probabilities.len() as Id);
        if wanted < order.len() {
            order.select_nth_unstable_by(wanted, likelier);
        }
        order[..wanted].sort_unstable_by(likelier);
        surprises.push(Surprise {
            id,
            nats,
            likeliest: order[..wanted].iter().map(|&id| (id, p(id))).collect(),
        });
    })?;
    Ok(surprises)
}
