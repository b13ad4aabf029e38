//! The forward pass of a window, layer by layer, then the decoder.

use tensor::{MatrixView, MatrixViewMut, Scalar};

use super::{Unroll, states_before};
use crate::cell::Forward;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::rows;

impl<T: Scalar> Unroll<T> {
    /// Runs all layers over the window.
    pub(super) fn run_layers(&mut self, params: &Parameters<T>, weights: &PackedWeights<T>) {
        for k in 0..self.config.num_layers {
            self.input_side(k, params, weights);
            self.recurrent_side(k, weights);
            self.drop_output(k);
        }
    }

    /// Fills layer `k`'s block with its biases and the products of its inputs.
    fn input_side(&mut self, k: usize, params: &Parameters<T>, weights: &PackedWeights<T>) {
        let (cell, hidden, width) = (self.config.cell, self.config.hidden_size, self.width());
        let layout = params.layout().layers[k];
        let count = self.steps * self.rows;
        let mut block = std::mem::take(&mut self.layers[k].block);
        let parts = cell.input_parts();
        rows::bias_row(
            &mut self.bias,
            parts
                .iter()
                .map(|part| (part.cols(hidden), part.rows(hidden))),
            params.slice(layout.bias_ih),
            cell.recurrent_part().map_or(0..0, |part| part.cols(hidden)),
            params.slice(layout.bias_hh),
        );
        let used = &mut block[..count * width];
        rows::fill(used, &self.bias);
        for (at, part) in parts.iter().enumerate() {
            let out = MatrixViewMut::new(&mut *used, count, width);
            let out = out.col_range(part.cols(hidden));
            if k == 0 {
                let table = params.matrix(layout.weight_ih).col_range(part.rows(hidden));
                rows::gather_add(out, &self.inputs[..count], table);
            } else {
                weights.input[k][at].matmul_acc(self.output(k - 1), out);
            }
        }
        self.layers[k].block = block;
    }

    /// Steps layer `k` through the window: one product and one pass over the block at each.
    fn recurrent_side(&mut self, k: usize, weights: &PackedWeights<T>) {
        let (cell, rows, hidden, width) = (
            self.config.cell,
            self.rows,
            self.config.hidden_size,
            self.width(),
        );
        let (state, part) = (rows * hidden, cell.recurrent_part());
        let layer = &mut self.layers[k];
        for t in 0..self.steps {
            if let Some(restart) = self.restart {
                let inputs = &self.inputs[t * rows..(t + 1) * rows];
                layer.restart(t * state..(t + 1) * state, hidden, |row| {
                    inputs[row] == restart
                });
            }
            let block = &mut layer.block[t * rows * width..(t + 1) * rows * width];
            let (h_prev, h) = around(&mut layer.h, &layer.h_prev, t, state);
            let (c_prev, c) = around(&mut layer.c, &layer.c_prev, t, state);
            if let Some(part) = part {
                let out = MatrixViewMut::new(&mut *block, rows, width);
                weights.recurrent[k].matmul_acc(
                    MatrixView::new(h_prev, rows, hidden),
                    out.col_range(part.cols(hidden)),
                );
            }
            cell.forward(Forward {
                block,
                h_prev,
                h,
                c_prev,
                c,
                hidden,
            });
        }
    }

    fn drop_output(&mut self, k: usize) {
        let Some(dropout) = self.dropout else { return };
        let (rows, hidden) = (self.rows, self.config.hidden_size);
        let layer = &mut self.layers[k];
        let outputs = layer
            .dropped
            .chunks_exact_mut(hidden)
            .zip(layer.h[rows * hidden..].chunks_exact(hidden));
        for (at, (out, h)) in outputs.take(self.steps * rows).enumerate() {
            dropout.apply([k, at / rows, self.first_row + at % rows], Some(h), out);
        }
    }

    /// `logits = V h + c` for every step.
    pub(super) fn decode(&mut self, params: &Parameters<T>, weights: &PackedWeights<T>) {
        let (vocab, count) = (self.config.vocab_size, self.steps * self.rows);
        let bias = params.slice(params.layout().decoder_bias);
        let mut logits = std::mem::take(&mut self.logits);
        rows::fill(&mut logits[..count * vocab], bias);
        let top = self.output(self.config.num_layers - 1);
        weights.decoder.matmul_acc(
            top,
            MatrixViewMut::new(&mut logits[..count * vocab], count, vocab),
        );
        self.logits = logits;
    }
}

/// The states before and after step `t`, the ones before from `prev` if it has any; two empty slices for
/// a cell without.
fn around<'a, T>(
    states: &'a mut [T],
    prev: &'a [T],
    t: usize,
    state: usize,
) -> (&'a [T], &'a mut [T]) {
    if states.is_empty() {
        return (&[], &mut []);
    }
    let (old, new) = states.split_at_mut((t + 1) * state);
    let old = &states_before(old, prev)[t * state..(t + 1) * state];
    (old, &mut new[..state])
}
