//! How far back a model remembers: the gradient of the loss at one step with respect to earlier states.
//!
//! ```text
//! hidden[k] = mean over t of  || d loss_t / d h_{t-k} ||_2          loss_t = -ln p(x_{t+1})
//! ```
//!
//! The derivative includes every path from the state to that loss: the recurrent weights of its layer,
//! and the layers above. If a network has forgotten a character after `k` steps, its gradient is zero
//! there (Bengio 1994). Here each loss goes back all the way, without windows.
//!
//! Truncated BPTT sees less. The loss at place `j` of a window of `W` steps goes back `j` steps, so
//! `W - k` losses of `W` see a lag of `k`: [`kept_share`].

use tensor::{MatrixView, MatrixViewMut, Scalar};

use super::traces::Traces;
use crate::bptt::Pass;
use crate::cell::{Backward, CellKind};
use crate::error::Result;
use crate::loss;
use crate::memory;
use crate::network::Network;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::rows;
use crate::unroll::{Size, Unroll, pieces};
use crate::vocabulary::{Id, check_ids};

/// Losses to backpropagate at a time.
const ROWS: usize = 32;

/// The mean norms of one layer by lag: element `k` is for the state `k` steps before.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LayerMemory {
    /// The norm of `d loss_t / d h_{t-k}` with the memory `c_{t-k}` fixed, in nats per unit of state.
    pub hidden: Vec<f64>,
    /// The norm of `d loss_t / d c_{t-k}`, on which `h_{t-k} = o * tanh(c_{t-k})` depends; empty for a
    /// cell without [`OUTPUT_GATE`](crate::cell::Cell::OUTPUT_GATE).
    pub cell: Vec<f64>,
}

/// How strongly a loss depends on the states before it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Memory {
    /// The layers from the bottom.
    pub layers: Vec<LayerMemory>,
    /// Number of losses in the mean; 0 if the text is too short.
    pub samples: usize,
}

impl Memory {
    /// Measures lags from 0 to `max_lag`: the mean over `samples` places spread evenly over the text, or
    /// over all if it has fewer. `traces` are those of `ids`. A text of fewer than `max_lag + 2`
    /// characters gives fewer lags. Where a line starts anew, no gradient goes back further. If the gradient explodes, norms are infinite or NaN from some lag on.
    ///
    /// ```
    /// use rnn::insight::{Memory, Traces};
    /// use rnn::{CellKind, Init, Network, NetworkConfig};
    ///
    /// let config = NetworkConfig { cell: CellKind::RNN, vocab_size: 3, hidden_size: 4, num_layers: 1 };
    /// let network = Network::<f64>::new(config, &Init::default(), 1)?;
    /// let ids = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0];
    /// let memory = Memory::measure(&network, &ids, &Traces::read(&network, &ids)?, 3, 100)?;
    /// let norms = &memory.layers[0].hidden;
    /// assert!(memory.samples == 6 && norms.len() == 4 && norms[3] < norms[0]);
    /// # Ok::<(), rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    ///
    /// # Panics
    /// If `traces` are those of another text or network, or an id is outside the vocabulary.
    #[track_caller]
    pub fn measure<T: Scalar>(
        network: &Network<T>,
        ids: &[Id],
        traces: &Traces<T>,
        max_lag: usize,
        samples: usize,
    ) -> Result<Self> {
        let config = network.config();
        assert!(
            traces.len() == ids.len() && traces.config() == config,
            "traces of {} characters by {:?} for {} characters by {config:?}",
            traces.len(),
            traces.config(),
            ids.len()
        );
        check_ids(ids, config.vocab_size);
        let max_lag = max_lag.min(ids.len().saturating_sub(2));
        // A place needs `max_lag` characters before it and one after it.
        let places = ids.len().saturating_sub(max_lag + 1);
        let samples = samples.min(places);
        let lags = if samples > 0 { max_lag + 1 } else { 0 };
        let layer = LayerMemory {
            hidden: vec![0.0; lags],
            cell: match config.cell.output_gate() {
                Some(_) => vec![0.0; lags],
                None => Vec::new(),
            },
        };
        let mut layers = vec![layer; config.num_layers];
        let starts: Vec<usize> = (0..samples).map(|i| i * places / samples).collect();
        let size = |rows| Size {
            logits: false,
            ..Size::reading(rows, max_lag + 1).restarting(traces.line_end())
        };
        let most = samples.min(ROWS);
        let needed = [
            PackedWeights::<T>::forward_bytes(config),
            PackedWeights::<T>::backward_bytes(config, true),
            Pass::<T>::bytes(config, &size(most), None),
        ];
        memory::check(needed.into_iter().fold(0, u128::saturating_add))?;
        let mut forward = PackedWeights::forward(config)?;
        let mut backward = PackedWeights::backward(config, true)?;
        forward.pack_forward(network.parameters());
        backward.pack_backward(network.parameters());
        for starts in starts.chunks(ROWS) {
            let mut pass = Pass::new(config, 0, size(starts.len()), None)?;
            pass.unroll.start_from(&traces.states_after(starts)?);
            let inputs: Vec<Id> = (0..=max_lag)
                .flat_map(|step| starts.iter().map(move |start| ids[start + step]))
                .collect();
            pass.unroll
                .read_states(network.parameters(), &forward, &inputs);
            let targets = starts.iter().map(|start| ids[start + max_lag + 1]);
            let targets: Vec<Id> = targets.collect();
            let last = max_lag * starts.len() * config.hidden_size;
            let (params, weights) = (network.parameters(), [&forward, &backward]);
            loss_gradient(
                &pass.unroll,
                params,
                weights,
                &targets,
                &mut pass.d_h[last..],
            )?;
            pass.layers_backward(&backward, &(0..max_lag + 1), |k, t, step| {
                add_norms(&mut layers[k], max_lag - t, config.cell, step);
            });
        }
        for norms in layers.iter_mut().flat_map(|l| [&mut l.hidden, &mut l.cell]) {
            norms.iter_mut().for_each(|norm| *norm /= samples as f64);
        }
        Ok(Memory { layers, samples })
    }

    /// The share of a layer's gradient that training with this window and horizon does not see:
    /// `1 - sum_k kept(k) hidden[k] / sum_k hidden[k]`, over the lags measured.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn cut_off(&self, layer: usize, window: usize, horizon: Option<usize>) -> f64 {
        let norms = &self.layers[layer].hidden;
        let whole: f64 = norms.iter().sum();
        let kept: f64 = (0..)
            .zip(norms)
            .map(|(k, norm)| kept_share(k, window, horizon) * norm)
            .sum();
        if whole > 0.0 { 1.0 - kept / whole } else { 0.0 }
    }
}

/// The share of the losses in a window of `window` steps whose gradient goes `lag` steps back, if none
/// goes back `horizon` steps or more.
///
/// ```
/// use rnn::insight::kept_share;
///
/// assert_eq!([0, 1, 3, 4].map(|lag| kept_share(lag, 4, None)), [1.0, 0.75, 0.25, 0.0]);
/// assert_eq!([0, 1].map(|lag| kept_share(lag, 4, Some(1))), [1.0, 0.0]); // the notebook's
/// ```
pub fn kept_share(lag: usize, window: usize, horizon: Option<usize>) -> f64 {
    if lag >= window || horizon.is_some_and(|horizon| lag >= horizon) {
        return 0.0;
    }
    (window - lag) as f64 / window as f64
}

/// Writes the gradient of the last step's loss with respect to the top layer's output to `d_h`,
/// `[rows, H]`. Takes a few rows at a time, since a row may have a million logits.
fn loss_gradient<T: Scalar>(
    unroll: &Unroll<T>,
    params: &Parameters<T>,
    [forward, backward]: [&PackedWeights<T>; 2],
    targets: &[Id],
    d_h: &mut [T],
) -> Result<()> {
    let (config, rows) = (*unroll.config(), unroll.rows());
    let (hidden, vocab) = (config.hidden_size, config.vocab_size);
    let first = (unroll.steps() - 1) * rows;
    let top = unroll.output(config.num_layers - 1);
    let piece = pieces(memory::bytes::<T>(vocab as u128), rows);
    let mut logits = memory::zeros(memory::product(&[piece, vocab]))?;
    let mut losses = [0.0; ROWS];
    let parts = targets.chunks(piece).zip(d_h.chunks_mut(piece * hidden));
    for (at, (targets, d_h)) in parts.enumerate() {
        let (start, count) = (first + at * piece, targets.len());
        let logits = &mut logits[..count * vocab];
        rows::fill(logits, params.slice(params.layout().decoder_bias));
        let out = MatrixViewMut::new(&mut *logits, count, vocab);
        let h = top.row_range(start..start + count);
        forward.decoder.matmul_acc(h, out);
        loss::softmax_cross_entropy_gradient(logits, targets, &mut losses[..count], T::ONE);
        backward.decoder.matmul(
            MatrixView::new(logits, count, vocab),
            MatrixViewMut::new(d_h, count, hidden),
        );
    }
    Ok(())
}

/// Adds the norms of the gradients that reach a layer's backward `step`, `lag` steps back.
fn add_norms<T: Scalar>(
    norms: &mut LayerMemory,
    lag: usize,
    cell: CellKind,
    step: &Backward<'_, T>,
) {
    let hidden = step.hidden;
    let gradients = step.d_h.iter().zip(&*step.carry_h);
    let total: Vec<f64> = gradients.map(|(a, b)| a.to_f64() + b.to_f64()).collect();
    norms.hidden[lag] += sum_of_norms(&total, hidden);
    if let Some(gate) = cell.output_gate() {
        let width = cell.block_width() * hidden;
        let through_h = |(at, (total, (c, carry))): (usize, (&f64, (&T, &T)))| {
            let o = step.block[at / hidden * width + gate * hidden + at % hidden].to_f64();
            let shown = c.tanh().to_f64();
            carry.to_f64() + total * o * (1.0 - shown * shown)
        };
        let memories = step.c.iter().zip(&*step.carry_c);
        let d_c: Vec<f64> = total
            .iter()
            .zip(memories)
            .enumerate()
            .map(through_h)
            .collect();
        norms.cell[lag] += sum_of_norms(&d_c, hidden);
    }
}

/// The Euclidean norms of the rows of a `[rows, H]` matrix, added up.
fn sum_of_norms(matrix: &[f64], hidden: usize) -> f64 {
    let norm = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    matrix.chunks_exact(hidden).map(norm).sum()
}
