//! The table of cells, and a cell as a value that a configuration can hold.

use std::any::Any;
use std::marker::PhantomData;

use tensor::{Kernel, Scalar, vectorize};

use super::{Backward, Bounds, Cell, Forward, Part, Signal, elman, gru, lstm, min_gru};

/// Which cell a network has. Two are the same if they have the same name.
///
/// ```
/// use rnn::CellKind;
///
/// let cell: CellKind = "gru".parse()?;
/// assert_eq!(cell, CellKind::GRU);
/// assert_eq!((cell.gates(), cell.has_memory()), (3, false));
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct CellKind(&'static Table);

/// What a [`Cell`] says of itself, and its steps compiled for both types.
struct Table {
    name: &'static str,
    about: &'static str,
    columns: usize,
    input: &'static [Part],
    recurrent: Option<&'static Part>,
    has_bypass: bool,
    has_memory: bool,
    forget_gate: Option<usize>,
    output_gate: Option<usize>,
    hidden: Bounds,
    signals: &'static [Signal],
    single: Steps<f32>,
    double: Steps<f64>,
}

#[derive(Clone, Copy)]
struct Steps<T> {
    forward: fn(Forward<'_, T>),
    backward: fn(Backward<'_, T>),
}

impl CellKind {
    /// Elman's simple recurrent network with tanh (Elman 1990): PyTorch's `nn.RNN`.
    pub const RNN: CellKind = CellKind::new::<elman::Tanh>();
    /// The same with a rectifier in place of tanh: `nn.RNN(nonlinearity="relu")`.
    pub const RNN_RELU: CellKind = CellKind::new::<elman::Relu>();
    /// Long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997, Gers 2000).
    pub const LSTM: CellKind = CellKind::new::<lstm::Lstm>();
    /// Gated recurrent unit (Cho 2014), the reset gate applied after the product, as in PyTorch.
    pub const GRU: CellKind = CellKind::new::<gru::Gru>();

    /// Minimal gated recurrent unit (Feng 2024), without recurrent weights.
    pub const MIN_GRU: CellKind = CellKind::new::<min_gru::MinGru>();

    /// Every cell of this crate, in the order in which help texts list them.
    pub const ALL: [CellKind; 5] = [
        Self::RNN,
        Self::RNN_RELU,
        Self::LSTM,
        Self::GRU,
        Self::MIN_GRU,
    ];

    /// A cell of your own: see [the module](super).
    ///
    /// # Panics
    /// If a cell of this crate has its name, or it names a column that its block does not have.
    pub const fn of<C: Cell>() -> Self {
        let mut at = 0;
        while at < Self::ALL.len() {
            assert!(
                !is_same(C::NAME, Self::ALL[at].0.name),
                "a cell of this crate has that name"
            );
            at += 1;
        }
        Self::new::<C>()
    }

    const fn new<C: Cell>() -> Self {
        let mut at = 0;
        while at < C::INPUT.len() {
            assert!(C::INPUT[at].columns.end <= C::COLUMNS, "no such column");
            at += 1;
        }
        if let Some(part) = C::RECURRENT {
            assert!(part.columns.end <= C::COLUMNS, "no such column");
        }
        let mut at = 0;
        while at < C::SIGNALS.len() {
            let fits = matches!(C::SIGNALS[at].column, Some(column) if column < C::COLUMNS);
            assert!(fits, "a signal of no column");
            at += 1;
        }
        let has_output = C::OUTPUT_GATE.is_some();
        assert!(C::MEMORY || !has_output, "an output gate of no memory");
        CellKind(
            const {
                &Table {
                    name: C::NAME,
                    about: C::ABOUT,
                    columns: C::COLUMNS,
                    input: C::INPUT,
                    recurrent: C::RECURRENT,
                    has_bypass: C::BYPASS,
                    has_memory: C::MEMORY,
                    forget_gate: C::FORGET_GATE,
                    output_gate: C::OUTPUT_GATE,
                    hidden: C::HIDDEN,
                    signals: C::SIGNALS,
                    single: Steps::of::<C>(),
                    double: Steps::of::<C>(),
                }
            },
        )
    }

    /// The name used on the command line and in model files.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What it is, in a few words.
    pub fn about(self) -> &'static str {
        self.0.about
    }

    /// Number of gates `G`: the input weights of a layer have `G*H` rows.
    pub fn gates(self) -> usize {
        let ends = self.0.input.iter().map(|part| part.gates.end);
        ends.max().unwrap_or(0)
    }

    /// Gates of the recurrent weights: all, or none where there are no such weights.
    pub fn recurrent_gates(self) -> usize {
        self.0.recurrent.map_or(0, |part| part.gates.end)
    }

    /// Columns of the block in units of `H`.
    pub(crate) fn block_width(self) -> usize {
        self.0.columns
    }

    /// Where the input side's products go.
    pub(crate) fn input_parts(self) -> &'static [Part] {
        self.0.input
    }

    /// Where the recurrent product goes, if there is one.
    pub(crate) fn recurrent_part(self) -> Option<&'static Part> {
        self.0.recurrent
    }

    /// Whether the cell has a second state, the memory `c`.
    pub fn has_memory(self) -> bool {
        self.0.has_memory
    }

    /// Whether the gradient also flows from `h` to `h_prev` past the recurrent weights.
    pub(crate) fn has_bypass(self) -> bool {
        self.0.has_bypass
    }

    /// The signals of a unit: the hidden state, the memory if there is one, then the others.
    pub fn signals(self) -> Vec<Signal> {
        let memory = Signal::state(Signal::MEMORY, Bounds::None);
        std::iter::once(Signal::state(Signal::HIDDEN, self.0.hidden))
            .chain(self.0.has_memory.then_some(memory))
            .chain(self.0.signals.iter().copied())
            .collect()
    }

    /// The gate, by its place in the weights, that [`Init::forget_bias`](crate::Init::forget_bias) opens.
    pub fn forget_gate(self) -> Option<usize> {
        self.0.forget_gate
    }

    /// The column of the gate `o` where `h = o * tanh(c)`.
    pub(crate) fn output_gate(self) -> Option<usize> {
        self.0.output_gate
    }

    /// Computes the new state of every row from the block of pre-activations.
    pub(crate) fn forward<T: Scalar>(self, step: Forward<'_, T>) {
        (self.steps().forward)(step);
    }

    /// Computes the gradients of the pre-activations of every row.
    pub(crate) fn backward<T: Scalar>(self, step: Backward<'_, T>) {
        (self.steps().backward)(step);
    }

    /// The steps for `f32` or `f64`, whichever `T` is.
    fn steps<T: Scalar>(self) -> Steps<T> {
        let either: [&dyn Any; 2] = [&self.0.single, &self.0.double];
        let mut mine = either.into_iter().filter_map(|steps| steps.downcast_ref());
        *mine.next().expect("f32 or f64")
    }
}

impl<T: Scalar> Steps<T> {
    const fn of<C: Cell>() -> Self {
        Steps {
            forward: |step| vectorize(Of::<C, _>(step, PhantomData)),
            backward: |step| vectorize(Of::<C, _>(step, PhantomData)),
        }
    }
}

/// A step of a cell, to be compiled for every instruction set.
struct Of<C, S>(S, PhantomData<C>);

impl<C: Cell, T: Scalar> Kernel for Of<C, Forward<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        C::forward(self.0);
    }
}

impl<C: Cell, T: Scalar> Kernel for Of<C, Backward<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        C::backward(self.0);
    }
}

/// Whether two texts are equal, while the program is compiled.
const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

#[cfg(test)]
mod tests;
