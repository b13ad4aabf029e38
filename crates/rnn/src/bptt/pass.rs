//! The passes through a window: forward, loss, and backward.
//!
//! For each layer from the top down, and each step from the last to the first, the cell turns the
//! gradient of its output, `dh_t + carry`, into `da_t`, and `W^T da_t` is the carry to the step before.
//! The gradient of the layer's inputs, `U^T da`, is one product over all steps at the end. Where a
//! sequence starts anew, nothing is carried to the step before.

use std::ops::Range;

use tensor::parallel::{self, Rows};
use tensor::{MatrixView, MatrixViewMut, Scalar};

use super::strip::{BackStrip, LayerBackward};
use crate::cell::Backward;
use crate::config::NetworkConfig;
use crate::dropout::Dropout;
use crate::error::Result;
use crate::loss;
use crate::memory;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::rows;
use crate::unroll::{STRIP_ROWS, Size, Strip, Unroll, Whole, is_shared};
use crate::vocabulary::Id;

/// The unrolled network of a batch, and the buffers of the backward pass.
pub(crate) struct Pass<T> {
    pub(crate) unroll: Unroll<T>,
    /// Inputs and targets, `[time, rows]`.
    ids: [Vec<Id>; 2],
    losses: Vec<f64>,
    /// `[time, rows, H]`: the gradient of the current layer's output.
    pub(crate) d_h: Vec<T>,
    /// `[rows, H]` each: the gradient that the state hands to the step before.
    carry_h: Vec<T>,
    carry_c: Vec<T>,
    /// Per layer `[units, K*H]`: column sums of the block's gradients, a row for every [`STRIP_ROWS`]
    /// sequences, so that no order of additions depends on the strips.
    pub(super) bias: Vec<Vec<T>>,
    /// Per layer: the gate activations, kept where a short horizon visits a step more than once.
    saved: Vec<Vec<T>>,
}

/// Lengths of the buffers of a [`Pass`], beside those of its unrolled network.
struct Lengths {
    /// Losses, inputs and targets.
    losses: u128,
    d_h: u128,
    carry_h: u128,
    carry_c: u128,
    /// Per layer.
    bias: u128,
    saved: u128,
}

impl Lengths {
    fn new(config: &NetworkConfig, size: &Size, horizon: Option<usize>) -> Self {
        let (rows, steps, hidden) = (size.rows, size.steps, config.hidden_size);
        let width = config.cell.block_width() * hidden;
        let is_short = |horizon| 1 < horizon && horizon < steps;
        let if_there = |is: bool, len: u128| if is { len } else { 0 };
        let d_h = memory::product(&[steps, rows, hidden]);
        let carry = memory::product(&[rows, hidden]);
        Lengths {
            losses: memory::product(&[steps, rows]),
            d_h,
            carry_h: carry,
            carry_c: if_there(config.cell.has_memory(), carry),
            bias: memory::product(&[rows.div_ceil(STRIP_ROWS), width]),
            saved: if_there(
                horizon.is_some_and(is_short),
                memory::product(&[steps, rows, width]),
            ),
        }
    }
}

impl<T: Scalar> Pass<T> {
    /// Buffers for the rows of a batch from `first_row` on.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub(crate) fn new(
        config: &NetworkConfig,
        first_row: usize,
        size: Size,
        horizon: Option<usize>,
    ) -> Result<Self> {
        let lens = Lengths::new(config, &size, horizon);
        let of_layers = |len: u128| (0..config.num_layers).map(move |_| memory::zeros(len));
        Ok(Pass {
            unroll: Unroll::new(config, first_row, size)?,
            ids: [memory::zeros(lens.losses)?, memory::zeros(lens.losses)?],
            losses: memory::zeros(lens.losses)?,
            d_h: memory::zeros(lens.d_h)?,
            carry_h: memory::zeros(lens.carry_h)?,
            carry_c: memory::zeros(lens.carry_c)?,
            bias: of_layers(lens.bias).collect::<Result<_>>()?,
            saved: of_layers(lens.saved).collect::<Result<_>>()?,
        })
    }

    /// Bytes of these buffers.
    pub(crate) fn bytes(config: &NetworkConfig, size: &Size, horizon: Option<usize>) -> u128 {
        let lens = Lengths::new(config, size, horizon);
        let of_layers =
            (lens.bias.saturating_add(lens.saved)).saturating_mul(config.num_layers as u128);
        let numbers = [lens.d_h, lens.carry_h, lens.carry_c, of_layers];
        let numbers = numbers.into_iter().fold(0, u128::saturating_add);
        memory::bytes::<T>(numbers)
            .saturating_add(memory::bytes::<([Id; 2], f64)>(lens.losses))
            .saturating_add(size.bytes::<T>(config))
    }

    /// Reads the pass's columns of the batch's next `[inputs, targets]`, each `[time, batch]`.
    pub(super) fn forward(
        &mut self,
        params: &Parameters<T>,
        weights: &PackedWeights<T>,
        [inputs, targets]: [&[Id]; 2],
        batch_size: usize,
        dropout: Option<Dropout>,
    ) {
        let columns = self.unroll.columns();
        let count = inputs.len() / batch_size * columns.len();
        let [mine, wanted] = self.ids.each_mut().map(|ids| &mut ids[..count]);
        rows::take_columns(inputs, batch_size, &columns, mine);
        rows::take_columns(targets, batch_size, &columns, wanted);
        self.unroll.read_dropping(params, weights, mine, dropout);
    }

    /// Turns the logits into the gradient of the loss and stores each row's loss.
    pub(super) fn loss_gradient(&mut self, scale: T) {
        let vocab = self.unroll.config().vocab_size;
        let count = self.unroll.steps() * self.unroll.rows();
        let (targets, losses) = (&self.ids[1][..count], &mut self.losses[..count]);
        let rows = (Rows(self.unroll.logits_mut(), vocab), (targets, losses));
        parallel::named("loss", || {
            parallel::in_parts(rows, vocab * loss::WORK, 1, &|(
                Rows(logits, _),
                (targets, losses),
            )| {
                loss::softmax_cross_entropy_gradient(logits, targets, losses, scale);
            });
        });
    }

    /// The loss of each row of the last window.
    pub(super) fn losses(&self) -> &[f64] {
        &self.losses[..self.unroll.steps() * self.unroll.rows()]
    }

    pub(super) fn save(&mut self) {
        for (k, saved) in self.saved.iter_mut().enumerate() {
            saved.copy_from_slice(self.unroll.trace(k).block);
        }
    }

    pub(super) fn restore(&mut self, span: &Range<usize>) {
        let (rows, width) = (self.unroll.rows_of(span), self.unroll.width());
        let range = rows.start * width..rows.end * width;
        for (k, saved) in self.saved.iter().enumerate() {
            let block = self.unroll.trace_mut(k).block;
            block[range.clone()].copy_from_slice(&saved[range.clone()]);
        }
    }

    /// Backpropagates the losses from step `from` on through the steps of `span`. The recurrent weights
    /// carry the gradient from step to step only if it `flows`.
    pub(super) fn backward(
        &mut self,
        weights: &PackedWeights<T>,
        span: &Range<usize>,
        from: usize,
        flows: bool,
    ) {
        let (config, rows) = (*self.unroll.config(), self.unroll.rows());
        let (hidden, vocab) = (config.hidden_size, config.vocab_size);
        let from = from.max(span.start);
        self.d_h[span.start * rows * hidden..from * rows * hidden].fill(T::ZERO);
        let lossy = from * rows..span.end * rows;
        let d_logits = MatrixView::new(
            &self.unroll.logits()[lossy.start * vocab..lossy.end * vocab],
            lossy.len(),
            vocab,
        );
        let d_h = &mut self.d_h[lossy.start * hidden..lossy.end * hidden];
        let d_h = MatrixViewMut::new(d_h, lossy.len(), hidden);
        parallel::named("decoder", || weights.decoder.matmul(d_logits, d_h));
        for k in (0..config.num_layers).rev() {
            parallel::named("steps back", || self.steps_back(k, weights, span, flows));
            if k > 0 {
                parallel::named("inputs of a layer", || {
                    self.input_gradient(k, weights, span)
                });
            }
        }
    }

    /// Takes the strips of layer `k` from the last step of `span` to the first, side by side.
    fn steps_back(
        &mut self,
        k: usize,
        weights: &PackedWeights<T>,
        span: &Range<usize>,
        flows: bool,
    ) {
        let work = span.len() * self.unroll.width() * self.unroll.config().hidden_size;
        let rows = self.unroll.rows();
        let (layer, strip) = self.layer(k, weights, span, flows);
        match is_shared(rows, work) {
            true => parallel::in_parts(strip.listed(), work, STRIP_ROWS, &|strip| {
                layer.run(strip, |_, _| {});
            }),
            false => layer.run(strip, |_, _| {}),
        }
    }

    /// Backpropagates `d_h`, the gradient of the top layer's output, through all layers. Calls `before`
    /// with the layer, the step, and what the cell is about to use, before each backward step.
    pub(crate) fn layers_backward(
        &mut self,
        weights: &PackedWeights<T>,
        span: &Range<usize>,
        mut before: impl FnMut(usize, usize, &Backward<'_, T>),
    ) {
        for k in (0..self.unroll.config().num_layers).rev() {
            let (layer, strip) = self.layer(k, weights, span, true);
            layer.run(strip, |t, step| before(k, t, step));
            if k > 0 {
                self.input_gradient(k, weights, span);
            }
        }
    }

    /// The backward pass of layer `k` over all rows.
    fn layer<'a>(
        &'a mut self,
        k: usize,
        weights: &'a PackedWeights<T>,
        span: &'a Range<usize>,
        flows: bool,
    ) -> (LayerBackward<'a, T>, BackStrip<'a, T, Whole<'a, T>>) {
        let (config, rows, width) = (
            *self.unroll.config(),
            self.unroll.rows(),
            self.unroll.width(),
        );
        let (dropout, first_row) = (self.unroll.dropout(), self.unroll.columns().start);
        let trace = self.unroll.trace_mut(k);
        let hidden = config.hidden_size;
        self.carry_h.fill(T::ZERO);
        self.carry_c.fill(T::ZERO);
        self.bias[k].fill(T::ZERO);
        let steps = span.end;
        let strip = Strip {
            rows: 0..rows,
            arrays: [
                Whole::new(&mut trace.block[..steps * rows * width], rows, width),
                Whole::new(&mut self.d_h[..steps * rows * hidden], rows, hidden),
                Whole::new(&mut self.carry_h, rows, hidden),
                Whole::new(&mut self.carry_c, rows, hidden),
            ],
        };
        let layer = LayerBackward {
            config,
            k,
            rows,
            first_row,
            h: trace.h,
            c: trace.c,
            h_prev: trace.h_prev,
            c_prev: trace.c_prev,
            inputs: trace.inputs,
            restart: trace.restart.filter(|_| flows),
            dropout,
            weights,
            span,
            flows,
        };
        let bias = &mut self.bias[k];
        (layer, BackStrip { strip, bias, width })
    }

    /// Sets `d_h` to the gradient of layer `k`'s inputs, the outputs of the layer below.
    fn input_gradient(&mut self, k: usize, weights: &PackedWeights<T>, span: &Range<usize>) {
        let NetworkConfig {
            cell,
            hidden_size: hidden,
            ..
        } = *self.unroll.config();
        let rows = self.unroll.rows_of(span);
        let block = self.unroll.block(k, span);
        let d_h = &mut self.d_h[rows.start * hidden..rows.end * hidden];
        let mut d_h = MatrixViewMut::new(d_h, rows.len(), hidden);
        for (at, (part, packed)) in cell.input_parts().iter().zip(&weights.input[k]).enumerate() {
            let columns = block.col_range(part.cols(hidden));
            if at == 0 {
                packed.matmul(columns, d_h.reborrow());
            } else {
                packed.matmul_acc(columns, d_h.reborrow());
            }
        }
    }
}
