//! A network unrolled over the steps of a window, for a group of the batch's rows.
//!
//! Every buffer is time-major: step `t` of a layer is one contiguous block of rows. The forward
//! pass goes layer by layer, so that the input side of all steps is one product (for the first
//! layer not even that: a one-hot input picks a row), and only the recurrent side is one product
//! per step. The same code serves training, validation, scoring and sampling.

mod size;

use std::ops::Range;

use tensor::{Buffer, MatrixView, MatrixViewMut, Scalar};

use crate::cell::{self, Forward};
use crate::config::NetworkConfig;
use crate::dropout::Dropout;
use crate::error::Result;
use crate::memory;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::rows;
use crate::state::State;
use crate::vocabulary::Id;
pub(crate) use size::{Size, pieces};

/// The buffers of one layer; `K` is the cell's [`block_width`](crate::config::CellKind).
pub(crate) struct Layer<T> {
    /// `[time, rows, K*H]`: pre-activations, then gate activations, then their gradients.
    pub(crate) block: Buffer<T>,
    /// `[time + 1, rows, H]`: block 0 is the state before the window.
    pub(crate) h: Vec<T>,
    /// The LSTM's memory, laid out as `h`; empty for the other cells.
    pub(crate) c: Vec<T>,
    /// `[time, rows, H]`: the output after dropout; empty without.
    pub(crate) dropped: Vec<T>,
}

/// Buffers for `rows` sequences over up to `capacity` steps.
pub(crate) struct Unroll<T> {
    pub(crate) config: NetworkConfig,
    /// Number of sequences.
    pub(crate) rows: usize,
    /// Index in the batch of the first sequence.
    pub(crate) first_row: usize,
    /// Steps of the window last run.
    pub(crate) steps: usize,
    capacity: usize,
    pub(crate) layers: Vec<Layer<T>>,
    /// `[time, rows, V]`; empty where nobody reads them.
    pub(crate) logits: Vec<T>,
    /// `[time, rows]`
    pub(crate) inputs: Vec<Id>,
    pub(crate) dropout: Option<Dropout>,
    /// `[K*H]`: the biases of the layer at hand, as a row of its block.
    bias: Vec<T>,
}

impl<T: Scalar> Unroll<T> {
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for it.
    pub(crate) fn new(config: &NetworkConfig, first_row: usize, size: Size) -> Result<Self> {
        let lens = size.lengths(config);
        let layer = |_| -> Result<Layer<T>> {
            Ok(Layer {
                block: memory::buffer(lens.block)?,
                h: memory::zeros(lens.h)?,
                c: memory::zeros(lens.c)?,
                dropped: memory::zeros(lens.dropped)?,
            })
        };
        Ok(Unroll {
            config: *config,
            rows: size.rows,
            first_row,
            steps: 0,
            capacity: size.steps,
            layers: (0..config.num_layers).map(layer).collect::<Result<_>>()?,
            logits: memory::zeros(lens.logits)?,
            inputs: memory::zeros(lens.inputs)?,
            dropout: None,
            bias: memory::zeros(lens.bias)?,
        })
    }

    /// The most steps that it runs at a time.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Columns of the block.
    pub(crate) fn width(&self) -> usize {
        self.config.cell.block_width() * self.config.hidden_size
    }

    /// Rows of the time-major matrix that belong to a range of steps.
    pub(crate) fn rows_of(&self, steps: &Range<usize>) -> Range<usize> {
        steps.start * self.rows..steps.end * self.rows
    }

    /// Takes this group's columns of a batch's `[time, batch]` characters.
    pub(crate) fn set_inputs(&mut self, inputs: &[Id], batch_size: usize, steps: usize) {
        assert!(
            steps <= self.capacity,
            "{steps} steps in buffers for {}",
            self.capacity
        );
        self.steps = steps;
        let columns = self.first_row..self.first_row + self.rows;
        rows::take_columns(inputs, batch_size, columns, &mut self.inputs);
    }

    /// Forgets everything: the state before the next window is zero.
    pub(crate) fn reset_state(&mut self) {
        let len = self.rows * self.config.hidden_size;
        for layer in &mut self.layers {
            layer.h[..len].fill(T::ZERO);
            if !layer.c.is_empty() {
                layer.c[..len].fill(T::ZERO);
            }
        }
    }

    /// Makes the state after the last window the state before the next.
    pub(crate) fn carry_state(&mut self) {
        let len = self.rows * self.config.hidden_size;
        let last = self.steps * len..(self.steps + 1) * len;
        for layer in &mut self.layers {
            layer.h.copy_within(last.clone(), 0);
            if !layer.c.is_empty() {
                layer.c.copy_within(last.clone(), 0);
            }
        }
        self.steps = 0;
    }

    /// Copies this group's rows of `state` in, as the state before the next window.
    pub(crate) fn load_state(&mut self, state: &State<T>) {
        let (hidden, len) = (self.config.hidden_size, self.rows * self.config.hidden_size);
        let mine = self.first_row * hidden..self.first_row * hidden + len;
        for (k, layer) in self.layers.iter_mut().enumerate() {
            layer.h[..len].copy_from_slice(&state.h[k].as_slice()[mine.clone()]);
            if !layer.c.is_empty() {
                layer.c[..len].copy_from_slice(&state.c[k].as_slice()[mine.clone()]);
            }
        }
    }

    /// Copies the state after the last window (or, before any, at its start) to its rows of `state`.
    pub(crate) fn store_state(&self, state: &mut State<T>) {
        let (hidden, len) = (self.config.hidden_size, self.rows * self.config.hidden_size);
        let mine = self.first_row * hidden..self.first_row * hidden + len;
        let last = self.steps * len..(self.steps + 1) * len;
        for (k, layer) in self.layers.iter().enumerate() {
            state.h[k].as_mut_slice()[mine.clone()].copy_from_slice(&layer.h[last.clone()]);
            if !layer.c.is_empty() {
                state.c[k].as_mut_slice()[mine.clone()].copy_from_slice(&layer.c[last.clone()]);
            }
        }
    }

    /// What layer `k` hands on: its hidden states, after dropout where there is any.
    pub(crate) fn output(&self, k: usize) -> MatrixView<'_, T> {
        let (rows, hidden) = (self.rows, self.config.hidden_size);
        let layer = &self.layers[k];
        let data = if self.dropout.is_some() {
            &layer.dropped[..]
        } else {
            &layer.h[rows * hidden..]
        };
        MatrixView::new(
            &data[..self.steps * rows * hidden],
            self.steps * rows,
            hidden,
        )
    }

    /// Runs all layers and the decoder over the window; logits are left in `self.logits`.
    pub(crate) fn forward(&mut self, params: &Parameters<T>, weights: &PackedWeights<T>) {
        self.run_layers(params, weights);
        self.decode(params, weights);
    }

    /// Runs all layers over the window, and no decoder.
    pub(crate) fn run_layers(&mut self, params: &Parameters<T>, weights: &PackedWeights<T>) {
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
            cell.recurrent_part().cols(hidden),
            params.slice(layout.bias_hh),
        );
        let used = &mut block[..count * width];
        rows::fill(used, &self.bias);
        for (at, part) in parts.iter().enumerate() {
            let out = MatrixViewMut::new(&mut *used, count, width);
            let out = out.col_range(part.cols(hidden));
            if k == 0 {
                let table = params.matrix(layout.weight_ih).col_range(part.rows(hidden));
                rows::gather(out, &self.inputs[..count], table);
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
        for (t, block) in layer
            .block
            .chunks_exact_mut(rows * width)
            .take(self.steps)
            .enumerate()
        {
            let (before, after) = layer.h.split_at_mut((t + 1) * state);
            let h_prev = &before[t * state..];
            let out = MatrixViewMut::new(block, rows, width);
            weights.recurrent[k].matmul_acc(
                MatrixView::new(h_prev, rows, hidden),
                out.col_range(part.cols(hidden)),
            );
            let (c_prev, c) = memory(&mut layer.c, t, state);
            cell::forward(
                cell,
                Forward {
                    block,
                    h_prev,
                    h: &mut after[..state],
                    c_prev,
                    c,
                    hidden,
                },
            );
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
    fn decode(&mut self, params: &Parameters<T>, weights: &PackedWeights<T>) {
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

    /// The first step of the window that has left the numbers of its type: a state that is not
    /// finite, or logits that are not or lie so far apart that their difference is not.
    ///
    /// Without it a softmax of such logits gives no number for the likeliest character, or for every
    /// one, and whoever looks for the largest finds the first.
    pub(crate) fn overflow(&self) -> Option<usize> {
        let (state, vocab) = (self.rows * self.config.hidden_size, self.config.vocab_size);
        // No two numbers of half the largest size differ by more than the largest.
        let most = T::from_f64(f64::from(f32::MAX) / 2.0);
        let is_sound = |values: &[T]| values.iter().fold(true, |all, x| all & (x.abs() <= most));
        (0..self.steps).find(|&t| {
            let after = (t + 1) * state..(t + 2) * state;
            let are_states_sound = self.layers.iter().all(|layer| {
                is_sound(&layer.h[after.clone()])
                    && (layer.c.is_empty() || is_sound(&layer.c[after.clone()]))
            });
            let logits = t * self.rows * vocab..(t + 1) * self.rows * vocab;
            !(are_states_sound && is_sound(&self.logits[logits]))
        })
    }

    /// The logits of step `t`, `[rows, V]`.
    pub(crate) fn logits_at(&self, t: usize) -> &[T] {
        let len = self.rows * self.config.vocab_size;
        &self.logits[t * len..(t + 1) * len]
    }
}

/// The LSTM's memory before and after step `t`; two empty slices for the other cells.
fn memory<T>(c: &mut [T], t: usize, state: usize) -> (&[T], &mut [T]) {
    if c.is_empty() {
        return (&[], &mut []);
    }
    let (before, after) = c.split_at_mut((t + 1) * state);
    (&before[t * state..], &mut after[..state])
}
