//! A group of the batch's rows: forward through a window, loss, and backward.
//!
//! For each layer from the top down, and each step from the last to the first, the cell turns the
//! gradient of its output, `dh_t + carry`, into `da_t`, and `W^T da_t` is the carry to the step before.
//! The gradient of the layer's inputs, `U^T da`, is one product over all steps at the end. Where a
//! sequence starts anew, nothing is carried to the step before.

use std::ops::Range;

use tensor::{MatrixView, MatrixViewMut, Scalar};

use crate::cell::Backward;
use crate::config::NetworkConfig;
use crate::error::Result;
use crate::loss;
use crate::memory;
use crate::packed::PackedWeights;
use crate::rows;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::Id;

/// A group of rows: its unrolled network and the buffers of the backward pass.
pub(crate) struct Group<T> {
    pub(crate) unroll: Unroll<T>,
    pub(super) targets: Vec<Id>,
    losses: Vec<f64>,
    /// `[time, rows, H]`: the gradient of the current layer's output.
    pub(crate) d_h: Vec<T>,
    /// `[rows, H]` each: the gradient that the state hands to the step before. As long as `d_h` for a
    /// horizon of 1, where all steps are taken at once.
    carry_h: Vec<T>,
    carry_c: Vec<T>,
    /// Per layer `[K*H]`: column sums of the block's gradients.
    pub(super) bias: Vec<Vec<T>>,
    /// Per layer: the gate activations, kept where a short horizon visits a step more than once.
    saved: Vec<Vec<T>>,
}

/// Lengths of the buffers of a [`Group`], beside those of its unrolled network.
struct Lengths {
    /// Targets and losses.
    each: u128,
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
        let carry = match horizon {
            Some(1) => d_h,
            _ => memory::product(&[rows, hidden]),
        };
        Lengths {
            each: memory::product(&[steps, rows]),
            d_h,
            carry_h: carry,
            carry_c: if_there(config.cell.has_memory(), carry),
            bias: width as u128,
            saved: if_there(
                horizon.is_some_and(is_short),
                memory::product(&[steps, rows, width]),
            ),
        }
    }
}

impl<T: Scalar> Group<T> {
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
        Ok(Group {
            unroll: Unroll::new(config, first_row, size)?,
            targets: memory::zeros(lens.each)?,
            losses: memory::zeros(lens.each)?,
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
            .saturating_add(memory::bytes::<(Id, f64)>(lens.each))
            .saturating_add(size.bytes::<T>(config))
    }

    pub(super) fn set_targets(&mut self, targets: &[Id], batch_size: usize) {
        let columns = self.unroll.columns();
        rows::take_columns(targets, batch_size, columns, &mut self.targets);
    }

    /// Turns the logits into the gradient of the loss and stores each row's loss.
    pub(super) fn loss_gradient(&mut self, scale: T) {
        let count = self.unroll.steps() * self.unroll.rows();
        loss::softmax_cross_entropy_gradient(
            self.unroll.logits_mut(),
            &self.targets[..count],
            &mut self.losses[..count],
            scale,
        );
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
        weights
            .decoder
            .matmul(d_logits, MatrixViewMut::new(d_h, lossy.len(), hidden));
        self.layers_backward(weights, span, flows, |_, _, _| {});
    }

    /// Backpropagates `d_h`, the gradient of the top layer's output, through all layers. Calls `before`
    /// with the layer, the step, and what the cell is about to use, before each backward step.
    pub(crate) fn layers_backward(
        &mut self,
        weights: &PackedWeights<T>,
        span: &Range<usize>,
        flows: bool,
        mut before: impl FnMut(usize, usize, &Backward<'_, T>),
    ) {
        for k in (0..self.unroll.config().num_layers).rev() {
            self.drop_gradient(k, span);
            self.layer_backward(k, weights, span, flows, &mut before);
            if k > 0 {
                self.input_gradient(k, weights, span);
            }
        }
    }

    /// Applies the dropout of layer `k`'s output to its gradient.
    fn drop_gradient(&mut self, k: usize, span: &Range<usize>) {
        let Some(dropout) = self.unroll.dropout() else {
            return;
        };
        let (rows, hidden) = (self.unroll.rows(), self.unroll.config().hidden_size);
        let first = self.unroll.columns().start;
        for at in self.unroll.rows_of(span) {
            let row = &mut self.d_h[at * hidden..(at + 1) * hidden];
            dropout.apply([k, at / rows, first + at % rows], None, row);
        }
    }

    /// Takes layer `k` from the last step of `span` to the first, or through all of them at once.
    fn layer_backward(
        &mut self,
        k: usize,
        weights: &PackedWeights<T>,
        span: &Range<usize>,
        flows: bool,
        before: &mut impl FnMut(usize, usize, &Backward<'_, T>),
    ) {
        let NetworkConfig {
            cell,
            hidden_size: hidden,
            ..
        } = *self.unroll.config();
        let (rows, width) = (self.unroll.rows(), self.unroll.width());
        let (state, part) = (rows * hidden, cell.recurrent_part());
        let layer = self.unroll.trace_mut(k);
        self.carry_h.fill(T::ZERO);
        self.carry_c.fill(T::ZERO);
        self.bias[k].fill(T::ZERO);
        let together = if flows { 1 } else { span.len().max(1) };
        for t in span.clone().step_by(together).rev() {
            let until = t + together;
            let block = &mut layer.block[t * rows * width..until * rows * width];
            let prev = t * state..until * state;
            let now = (t + 1) * state..(until + 1) * state;
            // A cell without memory has none at any step.
            fn memory<'a, T>(of: &'a [T], at: &Range<usize>) -> &'a [T] {
                of.get(at.clone()).unwrap_or_default()
            }
            let step = Backward {
                block,
                h_prev: &layer.h_prev[prev.clone()],
                h: &layer.h[now.clone()],
                c_prev: memory(layer.c_prev, &prev),
                c: memory(layer.c, &now),
                d_h: &self.d_h[prev.clone()],
                carry_h: &mut self.carry_h[..prev.len()],
                carry_c: &mut self.carry_c[..memory(layer.c_prev, &prev).len()],
                hidden,
            };
            before(k, t, &step);
            cell.backward(step);
            let block = &layer.block[t * rows * width..until * rows * width];
            rows::sum_back(block, rows, &mut self.bias[k]);
            if let Some(part) = part
                && t > span.start
            {
                let d_a = MatrixView::new(block, rows, width).col_range(part.cols(hidden));
                let carry = MatrixViewMut::new(&mut self.carry_h, rows, hidden);
                if cell.has_bypass() {
                    weights.recurrent[k].matmul_acc(d_a, carry);
                } else {
                    weights.recurrent[k].matmul(d_a, carry);
                }
            }
            if let Some(restart) = layer.restart.filter(|_| flows) {
                let inputs = &layer.inputs[t * rows..until * rows];
                let is_new = |row: usize| inputs[row] == restart;
                rows::zero(&mut self.carry_h, hidden, is_new);
                rows::zero(&mut self.carry_c, hidden, is_new);
            }
        }
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
