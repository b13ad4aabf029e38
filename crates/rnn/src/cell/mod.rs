//! The recurrent cells: one step forward and one step back, side by side in each file.
//!
//! A layer computes, for every time step, a *block* of pre-activations, one row for each sequence
//! of the batch. The block's columns are counted in units of the hidden size `H`:
//!
//! | cell | columns of the block | input side writes | recurrent side adds |
//! |---|---|---|---|
//! | Elman | `a` | all | all |
//! | LSTM  | `i f g o` | all | all |
//! | GRU   | `n_x r z n_h` | `n_x r z` | `r z n_h` |
//!
//! The GRU keeps the two halves of its candidate apart because the reset gate multiplies only the
//! recurrent one. Its order makes each side's columns contiguous, so that either is one product.
//!
//! [`forward`] turns the block, while it is still in cache, into gate activations and the new
//! state; [`backward`] turns the activations into gradients of the pre-activations, in place.
//! The products between the blocks are in [`unroll`](crate::unroll).

mod elman;
mod gru;
mod lstm;

use std::ops::Range;

use tensor::{Scalar, vectorize};

use crate::config::CellKind;

/// Which rows of a weight matrix feed which columns of the block, in units of `H`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Rows of the weight matrix, in PyTorch's order of gates.
    pub(crate) gates: Range<usize>,
    /// Columns of the block.
    pub(crate) columns: Range<usize>,
}

impl Part {
    const fn new(gates: Range<usize>, columns: Range<usize>) -> Self {
        Part { gates, columns }
    }

    /// The rows in elements.
    pub(crate) fn rows(&self, hidden: usize) -> Range<usize> {
        self.gates.start * hidden..self.gates.end * hidden
    }

    /// The columns in elements.
    pub(crate) fn cols(&self, hidden: usize) -> Range<usize> {
        self.columns.start * hidden..self.columns.end * hidden
    }
}

static ELMAN: [Part; 1] = [Part::new(0..1, 0..1)];
static LSTM: [Part; 1] = [Part::new(0..4, 0..4)];
// PyTorch stacks r, z, n; the block is n_x, r, z, n_h.
static GRU_INPUT: [Part; 2] = [Part::new(0..2, 1..3), Part::new(2..3, 0..1)];
static GRU_RECURRENT: Part = Part::new(0..3, 1..4);

impl CellKind {
    /// Number of gates `G`: each weight matrix has `G*H` rows.
    pub fn gates(self) -> usize {
        match self {
            CellKind::Rnn | CellKind::RnnRelu => 1,
            CellKind::Lstm => 4,
            CellKind::Gru => 3,
        }
    }

    /// Columns of the block in units of `H`.
    pub(crate) fn block_width(self) -> usize {
        match self {
            CellKind::Rnn | CellKind::RnnRelu => 1,
            CellKind::Lstm | CellKind::Gru => 4,
        }
    }

    /// Where the input side's products go.
    pub(crate) fn input_parts(self) -> &'static [Part] {
        match self {
            CellKind::Rnn | CellKind::RnnRelu => &ELMAN,
            CellKind::Lstm => &LSTM,
            CellKind::Gru => &GRU_INPUT,
        }
    }

    /// Where the recurrent product goes.
    pub(crate) fn recurrent_part(self) -> &'static Part {
        match self {
            CellKind::Rnn | CellKind::RnnRelu => &ELMAN[0],
            CellKind::Lstm => &LSTM[0],
            CellKind::Gru => &GRU_RECURRENT,
        }
    }

    /// Whether the cell has a second state, the memory `c`.
    pub fn has_memory(self) -> bool {
        self == CellKind::Lstm
    }

    /// Whether the gradient also flows from `h` to `h_prev` past the recurrent weights.
    pub(crate) fn has_bypass(self) -> bool {
        self == CellKind::Gru
    }
}

/// One step forward for a block of rows. All slices are `[rows, H]` but the block.
pub(crate) struct Forward<'a, T> {
    /// `[rows, K*H]`: pre-activations in, gate activations out.
    pub(crate) block: &'a mut [T],
    pub(crate) h_prev: &'a [T],
    pub(crate) h: &'a mut [T],
    /// The memory of an LSTM before and after the step; empty for the others.
    pub(crate) c_prev: &'a [T],
    pub(crate) c: &'a mut [T],
    pub(crate) hidden: usize,
}

/// One step back for a block of rows. All slices are `[rows, H]` but the block and the bias.
pub(crate) struct Backward<'a, T> {
    /// `[rows, K*H]`: what [`forward`] left in, gradients of the pre-activations out.
    pub(crate) block: &'a mut [T],
    pub(crate) h_prev: &'a [T],
    pub(crate) h: &'a [T],
    pub(crate) c_prev: &'a [T],
    pub(crate) c: &'a [T],
    /// Gradient of `h` from above: the decoder or the next layer.
    pub(crate) d_h: &'a [T],
    /// In: the gradient of `h` from the step after. Out: the part of the gradient of `h_prev`
    /// that does not pass the recurrent weights, zero for all cells but the GRU.
    pub(crate) carry_h: &'a mut [T],
    /// In: the gradient of `c` from the step after. Out: the gradient of `c_prev`. LSTM only.
    pub(crate) carry_c: &'a mut [T],
    pub(crate) hidden: usize,
}

/// Computes the new state of every row from the block of pre-activations.
pub(crate) fn forward<T: Scalar>(kind: CellKind, step: Forward<'_, T>) {
    match kind {
        CellKind::Rnn => vectorize(elman::Tanh(step)),
        CellKind::RnnRelu => vectorize(elman::Relu(step)),
        CellKind::Lstm => vectorize(lstm::Step(step)),
        CellKind::Gru => vectorize(gru::Step(step)),
    }
}

/// Computes the gradients of the pre-activations of every row.
pub(crate) fn backward<T: Scalar>(kind: CellKind, step: Backward<'_, T>) {
    match kind {
        CellKind::Rnn => vectorize(elman::TanhBack(step)),
        CellKind::RnnRelu => vectorize(elman::ReluBack(step)),
        CellKind::Lstm => vectorize(lstm::Back(step)),
        CellKind::Gru => vectorize(gru::Back(step)),
    }
}

/// The four gates of one row of a block.
#[inline(always)]
fn quarters<T>(row: &mut [T]) -> [&mut [T]; 4] {
    let hidden = row.len() / 4;
    let (first, rest) = row.split_at_mut(hidden);
    let (second, rest) = rest.split_at_mut(hidden);
    let (third, fourth) = rest.split_at_mut(hidden);
    [first, second, third, &mut fourth[..hidden]]
}
