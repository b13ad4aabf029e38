//! The backward pass of one layer through a strip of rows.

use std::ops::Range;

use tensor::parallel::Parts;
use tensor::{MatrixView, MatrixViewMut, Scalar};

use crate::cell::Backward;
use crate::config::NetworkConfig;
use crate::dropout::Dropout;
use crate::packed::PackedWeights;
use crate::rows;
use crate::unroll::{Listed, STRIP_ROWS, Steps, Strip, Whole};
use crate::vocabulary::Id;

/// What all strips of a layer share on their way back.
pub(super) struct LayerBackward<'a, T> {
    pub(super) config: NetworkConfig,
    pub(super) k: usize,
    /// Rows of all strips, and the place of the first in the batch.
    pub(super) rows: usize,
    pub(super) first_row: usize,
    /// As in [`TraceMut`](crate::unroll::Unroll::trace_mut).
    pub(super) h: &'a [T],
    pub(super) c: &'a [T],
    pub(super) h_prev: &'a [T],
    pub(super) c_prev: &'a [T],
    pub(super) inputs: &'a [Id],
    pub(super) restart: Option<Id>,
    pub(super) dropout: Option<Dropout>,
    pub(super) weights: &'a PackedWeights<T>,
    pub(super) span: &'a Range<usize>,
    /// Whether the recurrent weights carry the gradient from step to step.
    pub(super) flows: bool,
}

/// Some rows of the block, of `d_h`, and of the two carries.
pub(super) struct BackStrip<'a, T, S> {
    pub(super) strip: Strip<S, 4>,
    /// Their sums for the biases, `[units, width]`.
    pub(super) bias: &'a mut [T],
    pub(super) width: usize,
}

impl<'a, T> BackStrip<'a, T, Whole<'a, T>> {
    /// The same, to be cut.
    pub(super) fn listed(self) -> BackStrip<'a, T, Listed<'a, T>> {
        BackStrip {
            strip: self.strip.listed(),
            bias: self.bias,
            width: self.width,
        }
    }
}

impl<T: Send> Parts for BackStrip<'_, T, Listed<'_, T>> {
    fn length(&self) -> usize {
        self.strip.length()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        let (first, rest) = self.strip.cut(middle);
        let units = middle / STRIP_ROWS * self.width;
        let (first_bias, rest_bias) = self.bias.split_at_mut(units);
        let part = |strip, bias| BackStrip {
            strip,
            bias,
            width: self.width,
        };
        (part(first, first_bias), part(rest, rest_bias))
    }
}

impl<T: Scalar> LayerBackward<'_, T> {
    /// Takes a strip from the last step to the first. Calls `before` with each step and what the cell is
    /// about to use.
    pub(super) fn run(
        &self,
        back: BackStrip<'_, T, impl Steps<T>>,
        mut before: impl FnMut(usize, &Backward<'_, T>),
    ) {
        let BackStrip {
            mut strip,
            bias,
            width,
        } = back;
        let (cell, hidden) = (self.config.cell, self.config.hidden_size);
        let count = strip.rows.len();
        let [block, d_h, carry_h, carry_c] = &mut strip.arrays;
        let (carry_h, carry_c) = (carry_h.at(0), carry_c.at(0));
        for t in self.span.clone().rev() {
            let at = |t: usize| t * self.rows + strip.rows.start..t * self.rows + strip.rows.end;
            let (now, after) = (at(t), at(t + 1));
            let (block, d_h) = (block.at(t), d_h.at(t));
            self.drop_gradient(t, strip.rows.start, d_h);
            if !self.flows {
                carry_h.fill(T::ZERO);
                carry_c.fill(T::ZERO);
            }
            let step = Backward {
                block: &mut *block,
                h_prev: states(self.h_prev, &now, hidden),
                h: states(self.h, &after, hidden),
                c_prev: states(self.c_prev, &now, hidden),
                c: states(self.c, &after, hidden),
                d_h,
                carry_h: &mut *carry_h,
                carry_c: &mut *carry_c,
                hidden,
            };
            before(t, &step);
            cell.backward(step);
            rows::sum_each(block, STRIP_ROWS, width, bias);
            if let Some(part) = cell.recurrent_part()
                && self.flows
                && t > self.span.start
            {
                let d_a = MatrixView::new(block, count, width).col_range(part.cols(hidden));
                let carry = MatrixViewMut::new(&mut *carry_h, count, hidden);
                if cell.has_bypass() {
                    self.weights.recurrent[self.k].matmul_acc(d_a, carry);
                } else {
                    self.weights.recurrent[self.k].matmul(d_a, carry);
                }
            }
            if let Some(restart) = self.restart {
                let inputs = &self.inputs[now.clone()];
                let is_new = |row: usize| inputs[row] == restart;
                rows::zero(carry_h, hidden, is_new);
                rows::zero(carry_c, hidden, is_new);
            }
        }
    }

    /// Applies the dropout of the layer's output at step `t` to its gradient.
    fn drop_gradient(&self, t: usize, first: usize, d_h: &mut [T]) {
        let Some(dropout) = self.dropout else {
            return;
        };
        let rows = d_h.chunks_exact_mut(self.config.hidden_size);
        for (d_h, row) in rows.zip(self.first_row + first..) {
            dropout.apply([self.k, t, row], None, d_h);
        }
    }
}

/// Some rows of the states. A cell without memory has none.
fn states<'a, T>(states: &'a [T], rows: &Range<usize>, hidden: usize) -> &'a [T] {
    states
        .get(rows.start * hidden..rows.end * hidden)
        .unwrap_or_default()
}
