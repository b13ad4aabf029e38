//! The engine: a network unrolled over the steps of a window, for a group of the batch's rows.
//!
//! Training, validation, scoring, sampling and insight all read text through it, and it alone holds the
//! hidden state. [`start`](Unroll::start) it from zero or from a state; [`read`](Unroll::read)
//! characters, each time from where the last call ended; then take the logits, the state, or, for the
//! backward pass, the [trace](trace::Trace) of each layer.
//!
//! Every buffer is time-major: step `t` of a layer is one contiguous block of rows. The forward pass
//! goes layer by layer, so the input side of all steps is one product (for the first layer none: a
//! one-hot input picks a row), and only the recurrent side takes a product per step.

mod forward;
mod size;
mod strip;
mod trace;

use std::ops::Range;

use tensor::{Buffer, Scalar, parallel};

use crate::config::NetworkConfig;
use crate::dropout::Dropout;
use crate::error::Result;
use crate::memory;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::state::State;
use crate::vocabulary::Id;
pub(crate) use size::{Size, pieces};
pub(crate) use strip::{Listed, STRIP_ROWS, Steps, Strip, Whole, is_shared};

/// The buffers of one layer; `K` is the cell's [`block_width`](crate::cell::CellKind).
struct Layer<T> {
    /// `[time, rows, K*H]`: pre-activations, then gate activations, then their gradients.
    block: Buffer<T>,
    /// `[time + 1, rows, H]`: the state before the window, then that after each step.
    h: Vec<T>,
    /// The memory, laid out as `h`; empty for a cell that has none.
    c: Vec<T>,
    /// `[time, rows, H]`: the state before each step where sequences may start anew, with zeros where
    /// one does, since `h` and `c` keep what it left behind. Else empty.
    h_prev: Vec<T>,
    c_prev: Vec<T>,
    /// `[time, rows, H]`: the output after dropout; empty without dropout.
    dropped: Vec<T>,
}

impl<T> Layer<T> {
    /// The hidden states and, where the cell has one, the memory.
    fn states(&self) -> impl Iterator<Item = &[T]> {
        let states = [&self.h[..], &self.c[..]].into_iter();
        states.filter(|states| !states.is_empty())
    }

    fn states_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let states = [&mut self.h[..], &mut self.c[..]].into_iter();
        states.filter(|states| !states.is_empty())
    }
}

/// The states before the steps: `prev`, if sequences may start anew.
fn states_before<'a, T>(states: &'a [T], prev: &'a [T]) -> &'a [T] {
    if prev.is_empty() { states } else { prev }
}

/// Buffers for `rows` sequences over up to `capacity` steps.
pub(crate) struct Unroll<T> {
    config: NetworkConfig,
    /// Number of sequences.
    rows: usize,
    /// The first sequence's index in the batch.
    first_row: usize,
    /// Steps of the last window.
    steps: usize,
    capacity: usize,
    layers: Vec<Layer<T>>,
    /// `[time, rows, V]`; empty if not needed.
    logits: Vec<T>,
    /// `[time, rows]`
    inputs: Vec<Id>,
    dropout: Option<Dropout>,
    /// The input before which a sequence starts from zero, if any.
    restart: Option<Id>,
    /// `[K*H]`: the biases of the current layer, as a row of its block.
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
                h_prev: memory::zeros(lens.h_prev)?,
                c_prev: memory::zeros(lens.c_prev)?,
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
            restart: size.restart,
            bias: memory::zeros(lens.bias)?,
        })
    }

    /// The most steps of a window.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The network's architecture.
    pub(crate) fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Number of sequences.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Steps of the last window; 0 after a start.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Starts from a zero state.
    pub(crate) fn start(&mut self) {
        self.steps = 0;
        let len = self.state_len();
        for layer in &mut self.layers {
            for states in layer.states_mut() {
                states[..len].fill(T::ZERO);
            }
        }
    }

    /// Starts from this group's rows of `state`.
    pub(crate) fn start_from(&mut self, state: &State<T>) {
        self.steps = 0;
        let mine = self.rows_of_batch();
        for (k, layer) in self.layers.iter_mut().enumerate() {
            let from = [&state.h, &state.c].map(|states| states.get(k));
            for (states, from) in layer.states_mut().zip(from.into_iter().flatten()) {
                states[..mine.len()].copy_from_slice(&from.as_slice()[mine.clone()]);
            }
        }
    }

    /// The most characters that the buffers take in one window, over all its sequences.
    pub(crate) fn room(&self) -> usize {
        self.inputs.len()
    }

    /// Unrolls so many sequences from now on, over as many steps as fit. Buffers for one step of `n`
    /// sequences also fit `n` steps of one. Start each row before reading.
    pub(crate) fn set_rows(&mut self, rows: usize) {
        assert!(rows <= self.room(), "{rows} rows, {} fit", self.room());
        self.capacity = self.room() / rows;
        (self.rows, self.steps) = (rows, 0);
    }

    /// Starts one row from a state of one sequence.
    pub(crate) fn start_row_from(&mut self, row: usize, state: &State<T>) {
        let hidden = self.config.hidden_size;
        for (k, layer) in self.layers.iter_mut().enumerate() {
            let from = [&state.h, &state.c].map(|states| states.get(k));
            for (states, from) in layer.states_mut().zip(from.into_iter().flatten()) {
                states[row * hidden..][..hidden].copy_from_slice(from.as_slice());
            }
        }
    }

    /// Copies the current state of one row to a state of one sequence.
    pub(crate) fn row_to(&self, row: usize, state: &mut State<T>) {
        let hidden = self.config.hidden_size;
        let at = (self.steps * self.rows + row) * hidden;
        for (k, layer) in self.layers.iter().enumerate() {
            let to = [&mut state.h, &mut state.c].map(|states| states.get_mut(k));
            for (states, to) in layer.states().zip(to.into_iter().flatten()) {
                to.as_mut_slice().copy_from_slice(&states[at..][..hidden]);
            }
        }
    }

    /// Copies the current state to this group's rows of `state`.
    pub(crate) fn state_to(&self, state: &mut State<T>) {
        let mine = self.rows_of_batch();
        let last = self.steps * mine.len()..(self.steps + 1) * mine.len();
        for (k, layer) in self.layers.iter().enumerate() {
            let to = [&mut state.h, &mut state.c].map(|states| states.get_mut(k));
            for (states, to) in layer.states().zip(to.into_iter().flatten()) {
                to.as_mut_slice()[mine.clone()].copy_from_slice(&states[last.clone()]);
            }
        }
    }

    /// Reads the next characters, `[time, rows]`, of up to [`capacity`](Self::capacity) steps.
    pub(crate) fn read(
        &mut self,
        params: &Parameters<T>,
        weights: &PackedWeights<T>,
        inputs: &[Id],
    ) {
        self.read_dropping(params, weights, inputs, None);
    }

    /// The same with dropout.
    pub(crate) fn read_dropping(
        &mut self,
        params: &Parameters<T>,
        weights: &PackedWeights<T>,
        inputs: &[Id],
        dropout: Option<Dropout>,
    ) {
        self.dropout = dropout;
        self.set_inputs(inputs);
        self.run_layers(params, weights);
        parallel::named("decoder", || self.decode(params, weights));
    }

    /// As [`read`](Self::read), but computes no logits.
    pub(crate) fn read_states(
        &mut self,
        params: &Parameters<T>,
        weights: &PackedWeights<T>,
        inputs: &[Id],
    ) {
        self.dropout = None;
        self.set_inputs(inputs);
        self.run_layers(params, weights);
    }

    /// The logits of the last window, `[time, rows, V]`.
    pub(crate) fn logits(&self) -> &[T] {
        &self.logits[..self.steps * self.rows * self.config.vocab_size]
    }

    /// The same, mutably: a loss turns them into probabilities or gradients.
    pub(crate) fn logits_mut(&mut self) -> &mut [T] {
        &mut self.logits[..self.steps * self.rows * self.config.vocab_size]
    }

    /// The logits of the last step, `[rows, V]`.
    pub(crate) fn last_logits(&self) -> &[T] {
        let step = self.rows * self.config.vocab_size;
        let logits = self.logits();
        &logits[logits.len() - step..]
    }

    /// Elements in one layer's state of all sequences.
    fn state_len(&self) -> usize {
        self.rows * self.config.hidden_size
    }

    /// The elements of this group's rows in a state of the whole batch.
    fn rows_of_batch(&self) -> Range<usize> {
        let hidden = self.config.hidden_size;
        self.first_row * hidden..(self.first_row + self.rows) * hidden
    }

    /// Copies the state after the last window to that before the next, and takes its characters.
    fn set_inputs(&mut self, inputs: &[Id]) {
        let steps = inputs.len() / self.rows;
        assert!(
            steps <= self.capacity,
            "{steps} steps in buffers for {}",
            self.capacity
        );
        let len = self.state_len();
        let last = self.steps * len..(self.steps + 1) * len;
        for layer in &mut self.layers {
            for states in layer.states_mut() {
                states.copy_within(last.clone(), 0);
            }
        }
        self.steps = steps;
        self.inputs[..inputs.len()].copy_from_slice(inputs);
    }

    /// The first step of the window whose state or logits overflow.
    pub(crate) fn overflow(&self) -> Option<usize> {
        (0..self.steps).find(|&t| !self.is_sound_after(t, 0..self.rows))
    }

    /// Whether the state and the logits of these rows after step `t` are [sound](is_sound).
    pub(crate) fn is_sound_after(&self, t: usize, rows: Range<usize>) -> bool {
        let at = |t: usize, cols: usize| {
            (t * self.rows + rows.start) * cols..(t * self.rows + rows.end) * cols
        };
        let after = at(t + 1, self.config.hidden_size);
        let mut states = self.layers.iter().flat_map(Layer::states);
        // There may be no logits.
        let logits = self.logits.get(at(t, self.config.vocab_size));
        states.all(|states| is_sound(&states[after.clone()])) && logits.is_none_or(is_sound)
    }
}

/// Whether all are finite, and so is the difference of any two. The softmax of others would be NaN.
pub(crate) fn is_sound<T: Scalar>(values: &[T]) -> bool {
    // Two numbers of at most half the largest have a finite difference.
    let most = T::from_f64(f64::from(f32::MAX) / 2.0);
    values.iter().fold(true, |all, x| all & (x.abs() <= most))
}
