//! What the forward pass leaves for the backward pass and for insight.

use std::ops::Range;

use tensor::{MatrixView, Scalar};

use super::{Unroll, states_before};
use crate::dropout::Dropout;
use crate::vocabulary::Id;

/// What a layer computed in a window.
pub(crate) struct Trace<'a, T> {
    /// `[time, rows, K*H]`: the activations of the gates.
    pub(crate) block: &'a [T],
    /// `[time + 1, rows, H]`: the hidden state before the window, then that after each step.
    pub(crate) h: &'a [T],
    /// The memory, laid out as `h`; empty for a cell that has none.
    pub(crate) c: &'a [T],
    /// `[time, rows, H]`, and more: the hidden state before each step.
    pub(crate) h_prev: &'a [T],
}

/// The same, for a backward pass that turns the block into the gradients of the pre-activations.
pub(crate) struct TraceMut<'a, T> {
    pub(crate) block: &'a mut [T],
    pub(crate) h: &'a [T],
    pub(crate) c: &'a [T],
    pub(crate) h_prev: &'a [T],
    /// The memory before each step.
    pub(crate) c_prev: &'a [T],
    /// `[time, rows]`
    pub(crate) inputs: &'a [Id],
    /// The input before which a sequence starts anew.
    pub(crate) restart: Option<Id>,
}

impl<T: Scalar> Unroll<T> {
    /// Number of columns of a block.
    pub(crate) fn width(&self) -> usize {
        self.config.cell.block_width() * self.config.hidden_size
    }

    /// The rows of a range of steps in a time-major matrix.
    pub(crate) fn rows_of(&self, steps: &Range<usize>) -> Range<usize> {
        steps.start * self.rows..steps.end * self.rows
    }

    /// The places of the sequences in the batch.
    pub(crate) fn columns(&self) -> Range<usize> {
        self.first_row..self.first_row + self.rows
    }

    /// The characters read in a range of steps, `[time, rows]`.
    pub(crate) fn inputs(&self, steps: &Range<usize>) -> &[Id] {
        &self.inputs[self.rows_of(steps)]
    }

    /// The dropout of the last window.
    pub(crate) fn dropout(&self) -> Option<Dropout> {
        self.dropout
    }

    /// The outputs of layer `k`: its hidden states, after dropout if there is any.
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

    /// The trace of layer `k`.
    pub(crate) fn trace(&self, k: usize) -> Trace<'_, T> {
        let layer = &self.layers[k];
        Trace {
            block: &layer.block,
            h: &layer.h,
            c: &layer.c,
            h_prev: states_before(&layer.h, &layer.h_prev),
        }
    }

    /// The trace of layer `k`, for a backward pass.
    pub(crate) fn trace_mut(&mut self, k: usize) -> TraceMut<'_, T> {
        let layer = &mut self.layers[k];
        TraceMut {
            block: &mut layer.block,
            h: &layer.h,
            c: &layer.c,
            h_prev: states_before(&layer.h, &layer.h_prev),
            c_prev: states_before(&layer.c, &layer.c_prev),
            inputs: &self.inputs,
            restart: self.restart,
        }
    }

    /// Layer `k`'s block over a range of steps, a row for each step and sequence.
    pub(crate) fn block(&self, k: usize, steps: &Range<usize>) -> MatrixView<'_, T> {
        let (rows, width) = (self.rows_of(steps), self.width());
        let block = &self.layers[k].block[rows.start * width..rows.end * width];
        MatrixView::new(block, rows.len(), width)
    }
}
