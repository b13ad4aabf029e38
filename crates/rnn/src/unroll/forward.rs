//! The forward pass of a window, layer by layer, then the decoder.

use tensor::parallel::{self, Rows};
use tensor::{MatrixView, MatrixViewMut, Scalar};

use super::strip::{STRIP_ROWS, Steps, Strip, Whole, is_shared};
use super::{Layer, Unroll};
use crate::cell::Forward;
use crate::config::NetworkConfig;
use crate::dropout::Dropout;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::rows;
use crate::vocabulary::Id;

/// What all strips of a layer share on their way forward.
struct LayerForward<'a, T> {
    config: &'a NetworkConfig,
    k: usize,
    steps: usize,
    /// Rows of all strips, and the place of the first in the batch.
    rows: usize,
    first_row: usize,
    /// `[time, rows]`
    inputs: &'a [Id],
    restart: Option<Id>,
    dropout: Option<Dropout>,
    bias: &'a [T],
    params: &'a Parameters<T>,
    weights: &'a PackedWeights<T>,
}

impl<T: Scalar> Unroll<T> {
    /// Runs all layers over the window.
    pub(super) fn run_layers(&mut self, params: &Parameters<T>, weights: &PackedWeights<T>) {
        for k in 0..self.config.num_layers {
            self.set_bias(k, params);
            if k > 0 {
                parallel::named("inputs of a layer", || self.input_side(k, weights));
            }
            parallel::named("steps forward", || self.steps_forward(k, params, weights));
        }
    }

    /// Sets `bias` to the biases of layer `k`, as a row of its block.
    fn set_bias(&mut self, k: usize, params: &Parameters<T>) {
        let (cell, hidden) = (self.config.cell, self.config.hidden_size);
        let layout = params.layout().layers[k];
        rows::bias_row(
            &mut self.bias,
            cell.input_parts()
                .iter()
                .map(|part| (part.cols(hidden), part.rows(hidden))),
            params.slice(layout.bias_ih),
            cell.recurrent_part().map_or(0..0, |part| part.cols(hidden)),
            params.slice(layout.bias_hh),
        );
    }

    /// Fills the block of a layer above the first with its biases and the products of its inputs.
    fn input_side(&mut self, k: usize, weights: &PackedWeights<T>) {
        let (cell, hidden, width) = (self.config.cell, self.config.hidden_size, self.width());
        let count = self.steps * self.rows;
        let mut block = std::mem::take(&mut self.layers[k].block);
        let (bias, input) = (&self.bias[..], self.output(k - 1));
        let used = (0..count, Rows(&mut block[..count * width], width));
        parallel::in_parts(used, width * hidden, STRIP_ROWS, &|(at, Rows(block, _))| {
            rows::fill(block, bias);
            let input = input.row_range(at);
            for (part, packed) in cell.input_parts().iter().zip(&weights.input[k]) {
                let out = MatrixViewMut::new(&mut *block, input.rows(), width);
                packed.matmul_acc(input, out.col_range(part.cols(hidden)));
            }
        });
        self.layers[k].block = block;
    }

    /// Steps layer `k` through the window.
    fn steps_forward(&mut self, k: usize, params: &Parameters<T>, weights: &PackedWeights<T>) {
        let (steps, rows, hidden, width) =
            (self.steps, self.rows, self.config.hidden_size, self.width());
        let layer = LayerForward {
            config: &self.config,
            k,
            steps,
            rows,
            first_row: self.first_row,
            inputs: &self.inputs,
            restart: self.restart,
            dropout: self.dropout,
            bias: &self.bias,
            params,
            weights,
        };
        let strip = self.layers[k].strip(rows, [steps, width, hidden]);
        let work = steps * width * hidden;
        match is_shared(rows, work) {
            true => parallel::in_parts(strip.listed(), work, STRIP_ROWS, &|strip| layer.run(strip)),
            false => layer.run(strip),
        }
    }

    /// `logits = V h + c` for every step.
    pub(super) fn decode(&mut self, params: &Parameters<T>, weights: &PackedWeights<T>) {
        let (vocab, hidden, count) = (
            self.config.vocab_size,
            self.config.hidden_size,
            self.steps * self.rows,
        );
        let bias = params.slice(params.layout().decoder_bias);
        let mut logits = std::mem::take(&mut self.logits);
        let top = self.output(self.config.num_layers - 1);
        let used = (0..count, Rows(&mut logits[..count * vocab], vocab));
        parallel::in_parts(used, vocab * hidden, STRIP_ROWS, &|(
            at,
            Rows(logits, _),
        )| {
            rows::fill(logits, bias);
            let top = top.row_range(at);
            let logits = MatrixViewMut::new(logits, top.rows(), vocab);
            weights.decoder.matmul_acc(top, logits);
        });
        self.logits = logits;
    }
}

impl<T> Layer<T> {
    /// All rows of the arrays that the forward pass writes.
    fn strip(&mut self, rows: usize, [steps, width, hidden]: [usize; 3]) -> Strip<Whole<'_, T>, 6> {
        fn of<T>(array: &mut [T], steps: usize, rows: usize, cols: usize) -> Whole<'_, T> {
            let used = (steps * rows * cols).min(array.len());
            Whole::new(&mut array[..used], rows, cols)
        }
        Strip {
            rows: 0..rows,
            arrays: [
                of(&mut self.block, steps, rows, width),
                of(&mut self.h, steps + 1, rows, hidden),
                of(&mut self.c, steps + 1, rows, hidden),
                of(&mut self.h_prev, steps, rows, hidden),
                of(&mut self.c_prev, steps, rows, hidden),
                of(&mut self.dropped, steps, rows, hidden),
            ],
        }
    }
}

impl<T: Scalar> LayerForward<'_, T> {
    /// Takes a strip from step to step: one product and one pass over the block at each.
    fn run(&self, mut strip: Strip<impl Steps<T>, 6>) {
        let (cell, hidden) = (self.config.cell, self.config.hidden_size);
        let count = strip.rows.len();
        let [block, h, c, h_prev, c_prev, dropped] = &mut strip.arrays;
        for t in 0..self.steps {
            let first = t * self.rows + strip.rows.start;
            let inputs = &self.inputs[first..first + count];
            let block = block.at(t);
            if self.k == 0 {
                self.one_hot_side(block, inputs);
            }
            let (h_before, h) = h.around(t);
            let (c_before, c) = c.around(t);
            let before = |states, prev| match self.restart {
                Some(restart) => restarted(states, inputs, restart, prev, hidden),
                None => states,
            };
            let (h_before, c_before) = (
                before(h_before, h_prev.at(t)),
                before(c_before, c_prev.at(t)),
            );
            if let Some(part) = cell.recurrent_part() {
                let out = MatrixViewMut::new(&mut *block, count, self.bias.len());
                self.weights.recurrent[self.k].matmul_acc(
                    MatrixView::new(h_before, count, hidden),
                    out.col_range(part.cols(hidden)),
                );
            }
            cell.forward(Forward {
                block,
                h_prev: h_before,
                h: &mut *h,
                c_prev: c_before,
                c,
                hidden,
            });
            if let Some(dropout) = self.dropout {
                let outputs = dropped
                    .at(t)
                    .chunks_exact_mut(hidden)
                    .zip(h.chunks_exact(hidden));
                for ((out, h), row) in outputs.zip(self.first_row + strip.rows.start..) {
                    dropout.apply([self.k, t, row], Some(h), out);
                }
            }
        }
    }

    /// Fills a step of the first layer's block: its biases, and `U x` for one-hot `x`.
    fn one_hot_side(&self, block: &mut [T], inputs: &[Id]) {
        let hidden = self.config.hidden_size;
        let table = self.params.matrix(self.params.layout().layers[0].weight_ih);
        rows::fill(block, self.bias);
        for part in self.config.cell.input_parts() {
            let out = MatrixViewMut::new(&mut *block, inputs.len(), self.bias.len());
            rows::gather_add(
                out.col_range(part.cols(hidden)),
                inputs,
                table.col_range(part.rows(hidden)),
            );
        }
    }
}

/// Copies the `states` before a step to `prev`, with zeros for the rows that start anew there.
fn restarted<'a, T: Scalar>(
    states: &[T],
    inputs: &[Id],
    restart: Id,
    prev: &'a mut [T],
    hidden: usize,
) -> &'a [T] {
    prev.copy_from_slice(states);
    rows::zero(prev, hidden, |row| inputs[row] == restart);
    prev
}
