//! The recurrent cells: one file and one implementation of [`Cell`] for each.
//!
//! A layer computes, for every time step, a *block* of pre-activations, one row for each sequence
//! of the batch. The block's columns are counted in units of the hidden size `H`:
//!
//! | cell | columns of the block | input side writes | recurrent side adds |
//! |---|---|---|---|
//! | Elman  | `a` | all | all |
//! | LSTM   | `i f g o` | all | all |
//! | GRU    | `n_x r z n_h` | `n_x r z` | `r z n_h` |
//! | minGRU | `z h` | all | nothing |
//!
//! [`Cell::forward`] turns the block, while it is still in cache, into gate activations and the new
//! state; [`Cell::backward`] turns the activations into gradients of the pre-activations, in place.
//! The products between the blocks belong to the engine and are the same for every cell.
//!
//! # A cell of your own
//!
//! Implement [`Cell`] and make a [`CellKind`] of it. Such a network trains, scores and samples as
//! any other; only a file cannot hold it, since this crate could not read it again.
//!
//! ```
//! use rnn::cell::{Backward, Cell, Forward, Part};
//! use rnn::gradient_check::{Case, check};
//! use rnn::{CellKind, Corpus, RunOptions, SampleOptions, Trainer, recommended};
//! use std::ops::ControlFlow;
//! use tensor::Scalar;
//!
//! /// A leaky integrator (Jaeger 2001): `h = (h_prev + tanh(a)) / 2`.
//! struct Leaky;
//!
//! impl Cell for Leaky {
//!     const NAME: &'static str = "leaky";
//!     const ABOUT: &'static str = "Leaky integrator";
//!     const COLUMNS: usize = 1;
//!     const INPUT: &'static [Part] = &[Part::new(0..1, 0..1)];
//!     const RECURRENT: Option<&'static Part> = Some(&Part::new(0..1, 0..1));
//!     const BYPASS: bool = true; // h_prev also reaches h past the recurrent weights
//!
//!     #[inline(always)]
//!     fn forward<T: Scalar>(step: Forward<'_, T>) {
//!         for ((a, h), &h_prev) in step.block.iter_mut().zip(step.h).zip(step.h_prev) {
//!             *a = a.tanh();
//!             *h = T::from_f64(0.5) * (h_prev + *a);
//!         }
//!     }
//!
//!     #[inline(always)]
//!     fn backward<T: Scalar>(step: Backward<'_, T>) {
//!         for ((a, carry), &d_h) in step.block.iter_mut().zip(step.carry_h).zip(step.d_h) {
//!             let half = T::from_f64(0.5) * (d_h + *carry);
//!             *a = half * (T::ONE - *a * *a);
//!             *carry = half;
//!         }
//!     }
//! }
//!
//! const LEAKY: CellKind = CellKind::of::<Leaky>();
//! let rows = check(&Case { cell: LEAKY, num_layers: 2, dropout: 0.0, seed: 1 })?;
//! assert!(rows.iter().all(|row| row.worst < 1e-6), "{rows:?}");
//!
//! let corpus = Corpus::from_text(&"she sells sea shells by the sea shore. ".repeat(30))?;
//! let facts = corpus.facts(false);
//! let mut advice = recommended(&facts);
//! (advice.network.cell, advice.network.hidden_size) = (LEAKY, 32);
//! advice.train.max_steps = Some(60);
//! advice = advice.regularised(&facts);
//! let mut trainer = Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train)?;
//! trainer.run(&RunOptions::default(), |_, _| Ok::<_, rnn::Error>(ControlFlow::Continue(())))?;
//! let model = trainer.best_model();
//! assert!(model.score("she sells sea shells")?.nats_per_character() < 2.0);
//! let written = model.sample("she ", &SampleOptions::greedy())?.take(10);
//! assert_eq!(written.collect::<rnn::Result<String>>()?.len(), 10);
//! # Ok::<(), rnn::Error>(())
//! ```

mod elman;
mod gru;
mod kind;
mod lstm;
mod min_gru;
mod name;
mod signal;

use std::ops::Range;

use tensor::Scalar;

pub use kind::CellKind;
pub use signal::{Bounds, Signal};

/// A recurrent cell: what it is called, how its block is laid out, and one step forward and back.
pub trait Cell: 'static {
    /// Its name on the command line and in model files, such as `lstm`.
    const NAME: &'static str;
    /// What it is, for a help text: `Long short-term memory (LSTM)`.
    const ABOUT: &'static str;
    /// Columns of the block, in units of `H`.
    const COLUMNS: usize;
    /// Which rows of the input weights write which columns.
    const INPUT: &'static [Part];
    /// Which columns the recurrent weights add to; `None` for a cell that has no such weights.
    const RECURRENT: Option<&'static Part>;
    /// Whether `h_prev` also reaches `h` past the recurrent weights, so that
    /// [`carry_h`](Backward::carry_h) is not zero after a step back.
    const BYPASS: bool = false;
    /// Whether the cell has a second state, the memory `c`.
    const MEMORY: bool = false;
    /// The gate, by its place in the weights, that [`Init::forget_bias`](crate::Init::forget_bias)
    /// opens at the start.
    const FORGET_GATE: Option<usize> = None;
    /// The column of the gate `o` where `h = o * tanh(c)`. From it [`insight`](crate::insight) knows the
    /// gradient of the memory; for a cell with another use of its memory there is none to show.
    const OUTPUT_GATE: Option<usize> = None;
    /// Where the hidden state lies.
    const HIDDEN: Bounds = Bounds::Sign;
    /// What [`forward`](Self::forward) leaves in the block for [`insight`](crate::insight) to show.
    const SIGNALS: &'static [Signal] = &[];

    /// Computes the new state of every row from the block of pre-activations.
    ///
    /// Mark it `#[inline(always)]`: the loop is then compiled for each instruction set.
    fn forward<T: Scalar>(step: Forward<'_, T>);

    /// Computes the gradients of the pre-activations of every row. Mark it `#[inline(always)]`.
    fn backward<T: Scalar>(step: Backward<'_, T>);
}

/// Which rows of a weight matrix feed which columns of the block, in units of `H`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Rows of the weight matrix, in PyTorch's order of gates.
    gates: Range<usize>,
    /// Columns of the block.
    columns: Range<usize>,
}

impl Part {
    /// These gates of the weight matrix feed these columns of the block, as many.
    ///
    /// # Panics
    /// If there are more of one than of the other.
    pub const fn new(gates: Range<usize>, columns: Range<usize>) -> Self {
        assert!(gates.end - gates.start == columns.end - columns.start);
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

/// One step forward for a block of rows. All slices are `[rows, H]` but the block.
#[derive(Debug)]
pub struct Forward<'a, T> {
    /// `[rows, K*H]`: pre-activations in, gate activations out.
    pub block: &'a mut [T],
    /// The hidden state before the step.
    pub h_prev: &'a [T],
    /// The hidden state after it, to be written.
    pub h: &'a mut [T],
    /// The memory before the step; empty for a cell without.
    pub c_prev: &'a [T],
    /// The memory after it, to be written.
    pub c: &'a mut [T],
    /// `H`.
    pub hidden: usize,
}

/// One step back for a block of rows. All slices are `[rows, H]` but the block.
#[derive(Debug)]
pub struct Backward<'a, T> {
    /// `[rows, K*H]`: what [`Cell::forward`] left in, gradients of the pre-activations out.
    pub block: &'a mut [T],
    /// The hidden state before the step.
    pub h_prev: &'a [T],
    /// The hidden state after it.
    pub h: &'a [T],
    /// The memory before the step; empty for a cell without.
    pub c_prev: &'a [T],
    /// The memory after it.
    pub c: &'a [T],
    /// Gradient of `h` from above: the decoder or the next layer.
    pub d_h: &'a [T],
    /// In: the gradient of `h` from the step after. Out: the part of the gradient of `h_prev`
    /// that does not pass the recurrent weights, zero for a cell without [`Cell::BYPASS`].
    pub carry_h: &'a mut [T],
    /// In: the gradient of `c` from the step after. Out: the gradient of `c_prev`.
    pub carry_c: &'a mut [T],
    /// `H`.
    pub hidden: usize,
}

/// The four quarters of one row of a block.
#[inline(always)]
fn quarters<T>(row: &mut [T]) -> [&mut [T]; 4] {
    let hidden = row.len() / 4;
    let (first, rest) = row.split_at_mut(hidden);
    let (second, rest) = rest.split_at_mut(hidden);
    let (third, fourth) = rest.split_at_mut(hidden);
    [first, second, third, &mut fourth[..hidden]]
}
