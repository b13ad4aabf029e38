//! Gradients of the weights: sums over all steps and rows of a window.
//!
//! ```text
//! dV = sum_t do_t h_t^T      dc = sum_t do_t
//! dW = sum_t da_t h_{t-1}^T  dU = sum_t da_t x_t^T  db = sum_t da_t      for each layer
//! ```
//!
//! Each sum goes from the first step to the last, and within a step from the first row to the last; those
//! of the biases, from the last step to the first, for a few rows at a time. Threads share out the
//! elements of the gradients, never a sum.

use std::ops::Range;

use tensor::parallel::{self, Rows};
use tensor::{MatrixView, MatrixViewMut, Scalar, matmul_tn_acc};

use crate::cell::CellKind;
use crate::parameters::{LayerLayout, Layout, Parameters};
use crate::rows;
use crate::unroll::Unroll;

/// Multiply-adds that adding an element counts for.
const ADD: usize = 8;

/// The network after the backward pass through the steps of `span`.
pub(super) struct Unrolled<'a, T> {
    pub(super) unroll: &'a Unroll<T>,
    /// Sums for the biases of each layer, `[units, K*H]`.
    pub(super) bias: &'a [Vec<T>],
    pub(super) span: &'a Range<usize>,
    pub(super) cell: CellKind,
    pub(super) hidden: usize,
}

impl<T: Scalar> Unrolled<'_, T> {
    /// Adds the gradients of all layers, and of the decoder if `decoder`.
    pub(super) fn add_to(&self, gradient: &mut Parameters<T>, decoder: bool) {
        let (layout, data) = gradient.parts_mut();
        let (layers, of_decoder) = data.split_at_mut(layout.decoder_weight.offset);
        let rows = self.unroll.rows_of(self.span).len();
        parallel::join(
            [layout.decoder_weight.len() * rows, layers.len() * rows],
            || {
                if decoder {
                    self.decoder(layout, of_decoder);
                }
            },
            || self.layers(0, &layout.layers, layers),
        );
    }

    /// Adds `dV` and `dc`, which `gradient` holds one after the other.
    fn decoder(&self, layout: &Layout, gradient: &mut [T]) {
        let vocab = layout.decoder_weight.rows;
        let (d_v, d_c) = gradient.split_at_mut(vocab * self.hidden);
        let d_logits = self.unroll.logits();
        let rows = d_logits.len() / vocab;
        let top = self.unroll.output(layout.layers.len() - 1);
        rows::sum(d_logits, d_c);
        self.product(MatrixView::new(d_logits, rows, vocab), top, d_v);
    }

    /// Adds the gradients of the layers from `first` on, which `gradient` holds one after the other.
    fn layers(&self, first: usize, layers: &[LayerLayout], gradient: &mut [T]) {
        let [layer] = layers else {
            let (below, above) = layers.split_at(layers.len() / 2);
            let border = above[0].weight_ih.offset - below[0].weight_ih.offset;
            let (of_below, of_above) = gradient.split_at_mut(border);
            let rows = self.unroll.rows_of(self.span).len();
            return parallel::join(
                [of_below.len() * rows, of_above.len() * rows],
                || self.layers(first, below, of_below),
                || self.layers(first + below.len(), above, of_above),
            );
        };
        self.layer(first, layer, gradient);
    }

    /// Adds `dU`, `dW` and `db` of layer `k`, which `gradient` holds one after the other.
    fn layer(&self, k: usize, layer: &LayerLayout, gradient: &mut [T]) {
        let (d_u, rest) = gradient.split_at_mut(layer.weight_ih.len());
        let (d_w, biases) = rest.split_at_mut(layer.weight_hh.len());
        let rows = self.unroll.rows_of(self.span).len();
        let work = match k {
            0 => rows * layer.weight_ih.cols * ADD,
            _ => rows * d_u.len(),
        };
        parallel::join(
            [work, rows * d_w.len()],
            || match k {
                0 => parallel::named("one-hot inputs", || self.one_hot_input(layer, d_u)),
                _ => self.input(k, d_u),
            },
            || self.recurrent(k, d_w),
        );
        parallel::named("biases", || self.biases(k, biases));
    }

    /// Adds `dW` of layer `k`.
    fn recurrent(&self, k: usize, d_w: &mut [T]) {
        let hidden = self.hidden;
        let Some(part) = self.cell.recurrent_part() else {
            return;
        };
        // Without restarts the slice goes on, so kernels may read past the rows.
        let rows = self.unroll.rows_of(self.span);
        let h_prev = &self.unroll.trace(k).h_prev[rows.start * hidden..];
        let h_prev = MatrixView::new(h_prev, rows.len(), hidden);
        let d_a = self.unroll.block(k, self.span).col_range(part.cols(hidden));
        self.product(d_a, h_prev, d_w);
    }

    /// Adds `dU` of a layer above the first.
    fn input(&self, k: usize, d_u: &mut [T]) {
        let hidden = self.hidden;
        let input = self.unroll.output(k - 1);
        let input = input.row_range(self.unroll.rows_of(self.span));
        for part in self.cell.input_parts() {
            let gates = part.rows(hidden);
            let d_u = &mut d_u[gates.start * hidden..gates.end * hidden];
            let d_a = self.unroll.block(k, self.span).col_range(part.cols(hidden));
            self.product(d_a, input, d_u);
        }
    }

    /// Adds `left^T right` to `gradient`.
    fn product(&self, left: MatrixView<'_, T>, right: MatrixView<'_, T>, gradient: &mut [T]) {
        let out = MatrixViewMut::new(gradient, left.cols(), right.cols());
        parallel::named("products for weights", || matmul_tn_acc(left, right, out));
    }

    /// Adds `dU` of the first layer, `[V, G*H]`: each step's row to that of its character.
    fn one_hot_input(&self, layer: &LayerLayout, d_u: &mut [T]) {
        let (vocab, cols) = (layer.weight_ih.rows, layer.weight_ih.cols);
        let inputs = self.unroll.inputs(self.span);
        let each = (inputs.len() * cols * ADD).div_ceil(vocab);
        let rows = (0..vocab, Rows(d_u, cols));
        parallel::in_parts(rows, each, 1, &|(ids, Rows(d_u, _))| {
            let mut d_u = MatrixViewMut::new(d_u, ids.len(), cols);
            for part in self.cell.input_parts() {
                let d_a = self.unroll.block(0, self.span);
                rows::scatter_add(
                    d_a.col_range(part.cols(self.hidden)),
                    inputs,
                    &ids,
                    d_u.reborrow().col_range(part.rows(self.hidden)),
                );
            }
        });
    }

    /// Adds `db` of layer `k`: of the input side, then of the recurrent side.
    fn biases(&self, k: usize, gradient: &mut [T]) {
        let hidden = self.hidden;
        let (d_ih, rest) = gradient.split_at_mut(self.cell.gates() * hidden);
        let d_hh = &mut rest[..self.cell.recurrent_gates() * hidden];
        for sums in self.bias[k].chunks_exact(self.unroll.width()) {
            for part in self.cell.input_parts() {
                rows::add(&sums[part.cols(hidden)], &mut d_ih[part.rows(hidden)]);
            }
            if let Some(part) = self.cell.recurrent_part() {
                rows::add(&sums[part.cols(hidden)], d_hh);
            }
        }
    }
}
