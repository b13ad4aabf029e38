//! What a window leaves behind, for those who go back through it.

use std::ops::Range;

use tensor::{MatrixView, Scalar};

use super::Unroll;
use crate::dropout::Dropout;
use crate::vocabulary::Id;

/// All that a layer computed in a window.
pub(crate) struct Trace<'a, T> {
    /// `[time, rows, K*H]`: the activations of the gates.
    pub(crate) block: &'a [T],
    /// `[time + 1, rows, H]`: the hidden states, that before the window first.
    pub(crate) h: &'a [T],
    /// The memory, laid out as `h`; empty for cells without.
    pub(crate) c: &'a [T],
}

/// The same, for a backward pass to turn the activations into the gradients of what went into them.
pub(crate) struct TraceMut<'a, T> {
    pub(crate) block: &'a mut [T],
    pub(crate) h: &'a [T],
    pub(crate) c: &'a [T],
}

impl<T: Scalar> Unroll<T> {
    /// Columns of a block.
    pub(crate) fn width(&self) -> usize {
        self.config.cell.block_width() * self.config.hidden_size
    }

    /// Rows of a time-major matrix that belong to a range of steps.
    pub(crate) fn rows_of(&self, steps: &Range<usize>) -> Range<usize> {
        steps.start * self.rows..steps.end * self.rows
    }

    /// This group's columns of a batch.
    pub(crate) fn columns(&self) -> Range<usize> {
        self.first_row..self.first_row + self.rows
    }

    /// The characters read in a range of steps, `[time, rows]`.
    pub(crate) fn inputs(&self, steps: &Range<usize>) -> &[Id] {
        &self.inputs[self.rows_of(steps)]
    }

    /// The dropout of the window last read.
    pub(crate) fn dropout(&self) -> Option<Dropout> {
        self.dropout
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

    /// The trace of layer `k`.
    pub(crate) fn trace(&self, k: usize) -> Trace<'_, T> {
        let layer = &self.layers[k];
        Trace {
            block: &layer.block,
            h: &layer.h,
            c: &layer.c,
        }
    }

    /// The trace of layer `k`, to be turned into gradients.
    pub(crate) fn trace_mut(&mut self, k: usize) -> TraceMut<'_, T> {
        let layer = &mut self.layers[k];
        TraceMut {
            block: &mut layer.block,
            h: &layer.h,
            c: &layer.c,
        }
    }

    /// Layer `k`'s block over a range of steps, a row for each step and sequence.
    pub(crate) fn block(&self, k: usize, steps: &Range<usize>) -> MatrixView<'_, T> {
        let (rows, width) = (self.rows_of(steps), self.width());
        let block = &self.layers[k].block[rows.start * width..rows.end * width];
        MatrixView::new(block, rows.len(), width)
    }
}
