//! Weights in fewer digits, and what that changes.
//!
//! A page, a message or a small machine has room for few bytes. Weights rounded to multiples of one
//! step `2^-k` are whole numbers with leading zeros, which pack well; the step is one for all of
//! them, since in a sum of products each of their errors counts alike. An error of at most half a
//! step in each weight moves every probability by an amount in proportion to the step, so that one
//! measurement tells about which step stays within a bound, and a second one whether it does.
//!
//! The rounded weights are read in double precision, as a page's script does. The difference to the
//! model's own probabilities then holds both, the rounding of the weights and that of the model's
//! arithmetic, and is what a reader would find who compares the two.

use tensor::{MatrixViewMut, activation};

use crate::error::Result;
use crate::memory;
use crate::model::Model;
use crate::network::Network;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::score::Scorer;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::{Id, check_ids};

/// The most characters between two looks at the probabilities.
const PIECE: usize = 1024;
/// The step that [`Rounding::within`] measures first, `2^-16`.
const FIRST: i32 = 16;
/// Steps measured beyond the one that proportion tells.
const TRIES: i32 = 6;
/// Digits of which every f32 is a multiple: its smallest is `2^-149`.
const FINEST: i32 = 149;
/// Digits at which every f32 is nearest to zero: all are below `2^128`, half a step.
const COARSEST: i32 = -130;

/// How far weights are rounded, and how much that changes probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    /// Weights are multiples of `2^-digits`: binary digits after the point. Negative for weights so
    /// large that the step is more than one; `None` for weights as they are.
    pub digits: Option<i32>,
    /// The largest difference to the model in any probability, of any character in any place of the
    /// text: see [`largest_difference`].
    pub change: f64,
}

impl Rounding {
    /// What rounding to `digits` changes over a text.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    pub fn measure(model: &Model, ids: &[Id], digits: Option<i32>) -> Result<Self> {
        let change = largest_difference(model, &rounded(model.network(), digits)?, ids)?;
        Ok(Rounding { digits, change })
    }

    /// The fewest digits, found by proportion, that change no probability by more than `bound` over
    /// a text; `None` if not even `most` digits do.
    ///
    /// ```
    /// use rnn::insight::Rounding;
    /// use rnn::{CellKind, Init, Model, Network, NetworkConfig, Vocabulary};
    ///
    /// let vocabulary = Vocabulary::from_text("hello")?;
    /// let config = NetworkConfig {
    ///     cell: CellKind::LSTM, vocab_size: vocabulary.len(), hidden_size: 8, num_layers: 1,
    /// };
    /// let model = Model::new(vocabulary, Network::new(config, &Init::default(), 1)?, None);
    /// let ids = model.vocabulary().encode("hello")?;
    /// let rounding = Rounding::within(&model, &ids, 1e-4, 22)?.expect("22 digits are plenty");
    /// assert!(rounding.change <= 1e-4 && rounding.digits < Some(16));
    /// # Ok::<(), rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    pub fn within(model: &Model, ids: &[Id], bound: f64, most: i32) -> Result<Option<Self>> {
        let start = FIRST.min(most);
        let first = Self::measure(model, ids, Some(start))?;
        // One less, as the measure is the worst of many and not quite in proportion.
        let further = libm::floor(libm::log2(first.change / bound)) - 1.0;
        let likely = if further.is_finite() {
            start.saturating_add(further as i32).min(most)
        } else {
            start
        };
        for digits in likely..=most.min(likely.saturating_add(TRIES)) {
            let rounding = if digits == start {
                first
            } else {
                Self::measure(model, ids, Some(digits))?
            };
            if rounding.change <= bound {
                return Ok(Some(rounding));
            }
        }
        Ok(None)
    }
}

/// The network in double precision with every weight and bias at the closest multiple of
/// `2^-digits`, or for `None` as it is.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for it.
pub fn rounded(network: &Network<f32>, digits: Option<i32>) -> Result<Network<f64>> {
    // Any finer step leaves an f32 as it is and any coarser one leaves none of it, while powers of two
    // that far out are no numbers any more.
    let digits = digits.map(|digits| digits.clamp(COARSEST, FINEST));
    memory::check(Parameters::<f64>::bytes(network.config()))?;
    let mut double = Parameters::<f64>::try_zeros(network.config())?;
    let pairs = double.as_mut_slice().iter_mut();
    for (double, &weight) in pairs.zip(network.parameters().as_slice()) {
        let weight = f64::from(weight);
        *double = digits.map_or(weight, |digits| {
            libm::ldexp(libm::round(libm::ldexp(weight, digits)), -digits)
        });
    }
    Ok(Network::from_parameters(*network.config(), double))
}

/// The largest `|p - q|` of the probabilities that a model and a network of the same shape in double
/// precision give to any character in any place of a text; infinite if one of them is no number, or
/// the states overflow.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
///
/// # Panics
/// If the sizes of the vocabularies differ or an id is outside of them.
pub fn largest_difference(model: &Model, other: &Network<f64>, ids: &[Id]) -> Result<f64> {
    let (vocab, config) = (model.vocabulary().len(), other.config());
    assert_eq!(vocab, config.vocab_size, "size of the vocabularies");
    check_ids(ids, vocab);
    let Some((first, rest)) = ids.split_first() else {
        return Ok(0.0);
    };
    let size = Size::piecewise::<f64>(config, 1, PIECE.min(ids.len()));
    let packed = PackedWeights::<f64>::forward_bytes(config);
    memory::check(packed.saturating_add(size.bytes::<f64>(config)))?;
    let mut weights = PackedWeights::forward(config)?;
    weights.pack_forward(other.parameters());
    let (mut scorer, mut theirs) = (Scorer::new(model)?, Unroll::new(config, 0, size)?);
    if scorer.push(&[*first]).is_err() {
        return Ok(f64::INFINITY);
    }
    let (mut before, mut worst) = (*first, 0.0f64);
    for piece in rest.chunks(size.steps) {
        // What has been read before each character of the piece.
        let inputs: Vec<Id> = [before]
            .iter()
            .chain(piece)
            .copied()
            .take(piece.len())
            .collect();
        before = piece[piece.len() - 1];
        theirs.read(other.parameters(), &weights, &inputs);
        let logits = theirs.logits_mut();
        activation::softmax_rows(MatrixViewMut::new(logits, inputs.len(), vocab));
        let mut rows = theirs.logits().chunks_exact(vocab);
        let read = scorer.push_with(piece, |_, _, ours| {
            let theirs = rows.next().unwrap_or_default();
            for (p, q) in ours.iter().zip(theirs) {
                let difference = (f64::from(*p) - q).abs();
                worst = worst.max(if difference.is_nan() {
                    f64::INFINITY
                } else {
                    difference
                });
            }
        });
        if read.is_err() {
            return Ok(f64::INFINITY);
        }
    }
    Ok(worst)
}
