//! Gradients of the weights: sums over all steps and rows of a window.
//!
//! ```text
//! dV = sum_t do_t h_t^T      dc = sum_t do_t
//! dW = sum_t da_t h_{t-1}^T  dU = sum_t da_t x_t^T  db = sum_t da_t      for each layer
//! ```
//!
//! Each sum adds the groups of rows in order. Two threads share a product: each computes half of its
//! rows over all groups, so they wait for each other once a product and not once a group. Other sums run
//! beside a product. Products run one after the other: a thread that waits in one could otherwise begin
//! another, and would need a second buffer for packing.

use std::ops::Range;

use tensor::{MatrixView, MatrixViewMut, Scalar, matmul_tn_acc, parallel};

use super::group::Group;
use crate::cell::CellKind;
use crate::parameters::{LayerLayout, Layout, Parameters};
use crate::rows;

/// The groups after the backward pass through the steps of `span`.
pub(super) struct Unrolled<'a, T> {
    pub(super) groups: &'a [Group<T>],
    pub(super) span: &'a Range<usize>,
    pub(super) cell: CellKind,
    pub(super) hidden: usize,
}

impl<T: Scalar> Unrolled<'_, T> {
    /// Adds the gradients of all layers, and of the decoder if `decoder`.
    pub(super) fn add_to(&self, gradient: &mut Parameters<T>, decoder: bool) {
        let (layout, data) = gradient.parts_mut();
        if decoder {
            self.decoder(layout, &mut data[layout.decoder_weight.offset..]);
        }
        for (k, layer) in layout.layers.iter().enumerate() {
            self.layer(k, layer, &mut data[layer.weight_ih.offset..]);
        }
    }

    /// Adds `dV` and `dc`, which `gradient` holds one after the other.
    fn decoder(&self, layout: &Layout, gradient: &mut [T]) {
        let (vocab, hidden) = (layout.decoder_weight.rows, self.hidden);
        let (d_v, d_c) = gradient.split_at_mut(vocab * hidden);
        let sums = || {
            for group in self.groups {
                rows::sum(group.unroll.logits(), d_c);
            }
        };
        parallel::join_if(self.worth_sharing(d_v), sums, || {
            self.in_halves(d_v, hidden, &|rows, mut d_v| {
                for group in self.groups {
                    let d_logits = group.unroll.logits();
                    let d_logits = MatrixView::new(d_logits, d_logits.len() / vocab, vocab);
                    let top = group.unroll.output(layout.layers.len() - 1);
                    matmul_tn_acc(d_logits.col_range(rows.clone()), top, d_v.reborrow());
                }
            });
        });
    }

    /// Adds `dU`, `dW` and `db` of layer `k`, which `gradient` holds one after the other.
    fn layer(&self, k: usize, layer: &LayerLayout, gradient: &mut [T]) {
        let (d_u, rest) = gradient.split_at_mut(layer.weight_ih.len());
        let (d_w, biases) = rest.split_at_mut(layer.weight_hh.len());
        let worth = self.worth_sharing(d_w);
        if k == 0 {
            let one_hot = || {
                self.one_hot_input(MatrixViewMut::new(
                    d_u,
                    layer.weight_ih.rows,
                    layer.weight_ih.cols,
                ));
                self.biases(k, biases);
            };
            parallel::join_if(worth, one_hot, || self.recurrent(k, d_w));
        } else {
            self.input(k, d_u);
            self.biases(k, biases);
            self.recurrent(k, d_w);
        }
    }

    /// Adds `dW` of layer `k`.
    fn recurrent(&self, k: usize, d_w: &mut [T]) {
        let hidden = self.hidden;
        let Some(part) = self.cell.recurrent_part() else {
            return;
        };
        let first = part.cols(hidden).start;
        self.in_halves(d_w, hidden, &|gates, mut d_w| {
            let columns = first + gates.start..first + gates.end;
            for group in self.groups {
                // Without restarts the slice goes on, so kernels may read past the rows.
                let rows = group.unroll.rows_of(self.span);
                let h_prev = &group.unroll.trace(k).h_prev[rows.start * hidden..];
                let h_prev = MatrixView::new(h_prev, rows.len(), hidden);
                let d_a = self.block(group, k).col_range(columns.clone());
                matmul_tn_acc(d_a, h_prev, d_w.reborrow());
            }
        });
    }

    /// Adds `dU` of a layer above the first.
    fn input(&self, k: usize, d_u: &mut [T]) {
        let hidden = self.hidden;
        for part in self.cell.input_parts() {
            let (gates, columns) = (part.rows(hidden), part.cols(hidden));
            let d_u = &mut d_u[gates.start * hidden..gates.end * hidden];
            self.in_halves(d_u, hidden, &|gates, mut d_u| {
                let columns = columns.start + gates.start..columns.start + gates.end;
                for group in self.groups {
                    let input = group.unroll.output(k - 1);
                    let input = input.row_range(group.unroll.rows_of(self.span));
                    let d_a = self.block(group, k).col_range(columns.clone());
                    matmul_tn_acc(d_a, input, d_u.reborrow());
                }
            });
        }
    }

    /// Adds `dU` of the first layer, `[V, G*H]`: each step's row to that of its character.
    fn one_hot_input(&self, mut d_u: MatrixViewMut<'_, T>) {
        for group in self.groups {
            let inputs = group.unroll.inputs(self.span);
            for part in self.cell.input_parts() {
                let d_a = self.block(group, 0).col_range(part.cols(self.hidden));
                let gates = part.rows(self.hidden);
                rows::scatter_add(d_a, inputs, d_u.reborrow().col_range(gates));
            }
        }
    }

    /// Adds `db` of layer `k`: of the input side, then of the recurrent side.
    fn biases(&self, k: usize, gradient: &mut [T]) {
        let hidden = self.hidden;
        let (d_ih, rest) = gradient.split_at_mut(self.cell.gates() * hidden);
        let d_hh = &mut rest[..self.cell.recurrent_gates() * hidden];
        for group in self.groups {
            let sums = &group.bias[k];
            for part in self.cell.input_parts() {
                rows::add(&sums[part.cols(hidden)], &mut d_ih[part.rows(hidden)]);
            }
            if let Some(part) = self.cell.recurrent_part() {
                rows::add(&sums[part.cols(hidden)], d_hh);
            }
        }
    }

    /// Gradients of layer `k`'s pre-activations, a row for each step and sequence.
    fn block<'g>(&self, group: &'g Group<T>, k: usize) -> MatrixView<'g, T> {
        group.unroll.block(k, self.span)
    }

    /// Calls `f` on the first and the second half of a matrix's rows, in parallel inside a pool.
    fn in_halves(
        &self,
        matrix: &mut [T],
        cols: usize,
        f: &(impl Fn(Range<usize>, MatrixViewMut<'_, T>) + Sync),
    ) {
        let rows = matrix.len() / cols;
        if !(parallel::is_parallel() && self.worth_sharing(matrix)) {
            return f(0..rows, MatrixViewMut::new(matrix, rows, cols));
        }
        let half = rows / 2;
        let (first, second) = matrix.split_at_mut(half * cols);
        parallel::join(
            || f(0..half, MatrixViewMut::new(first, half, cols)),
            || f(half..rows, MatrixViewMut::new(second, rows - half, cols)),
        );
    }

    /// Whether the product for this gradient takes more than about ten microseconds.
    fn worth_sharing(&self, gradient: &[T]) -> bool {
        let rows = |group: &Group<T>| group.unroll.rows_of(self.span).len();
        gradient.len() * self.groups.iter().map(rows).sum::<usize>() >= 1 << 20
    }
}
