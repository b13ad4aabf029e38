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
    /// If a cell of this crate has its name.
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

    /// The signal of that name.
    pub fn signal(self, name: &str) -> Option<Signal> {
        self.signals()
            .into_iter()
            .find(|signal| signal.name == name)
    }

    /// Computes the new state of every row from the block of pre-activations.
    pub(crate) fn forward<T: Scalar>(self, step: Forward<'_, T>) {
        (self.steps().forward)(step);
    }

    /// Computes the gradients of the pre-activations of every row.
    pub(crate) fn backward<T: Scalar>(self, step: Backward<'_, T>) {
        (self.steps().backward)(step);
    }

    /// The steps for elements of type `T`, which is one of two.
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
mod tests {
    use super::*;
    use crate::{Init, Model, Network, NetworkConfig, Vocabulary};

    /// The notebook's cell under another name, or under its own.
    struct Mine<const NEW: bool>;

    impl<const NEW: bool> Cell for Mine<NEW> {
        const NAME: &'static str = if NEW { "mine" } else { "rnn" };
        const ABOUT: &'static str = "The notebook's cell";
        const COLUMNS: usize = 1;
        const INPUT: &'static [Part] = elman::Tanh::INPUT;
        const RECURRENT: Option<&'static Part> = elman::Tanh::RECURRENT;

        fn forward<T: Scalar>(step: Forward<'_, T>) {
            elman::Tanh::forward(step);
        }

        fn backward<T: Scalar>(step: Backward<'_, T>) {
            elman::Tanh::backward(step);
        }
    }

    #[test]
    fn a_cell_of_ones_own_is_none_of_ours_and_no_file_is_made_that_cannot_be_read() {
        let cell = CellKind::of::<Mine<true>>();
        assert!(!CellKind::ALL.contains(&cell));
        let vocabulary = Vocabulary::from_text("ab").unwrap();
        let config = NetworkConfig {
            cell,
            vocab_size: 2,
            hidden_size: 3,
            num_layers: 1,
        };
        let network = Network::new(config, &Init::default(), 1).unwrap();
        let as_ours = NetworkConfig {
            cell: CellKind::RNN,
            ..config
        };
        let ours = Network::from_parameters(as_ours, network.parameters().clone());
        let [model, ours] =
            [network, ours].map(|network| Model::new(vocabulary.clone(), network, None));
        assert_eq!(model.score("abba").unwrap(), ours.score("abba").unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m");
        let error = format!("{:?}", model.save(&path).unwrap_err());
        assert!(error.contains("cell must be one of rnn, "), "{error}");
        assert!(!path.exists());
    }

    #[test]
    #[should_panic(expected = "a cell of this crate has that name")]
    fn a_name_that_is_taken_is_refused() {
        CellKind::of::<Mine<false>>();
    }

    #[test]
    fn every_column_is_written_and_every_signal_has_its_own() {
        for cell in CellKind::ALL {
            let parts = cell.input_parts().iter().chain(cell.recurrent_part());
            let mut columns: Vec<usize> = parts.flat_map(|part| part.columns.clone()).collect();
            columns.sort_unstable();
            columns.dedup();
            assert_eq!(
                columns,
                (0..cell.block_width()).collect::<Vec<_>>(),
                "{cell}"
            );
            let mut of_signals: Vec<usize> =
                cell.signals().iter().filter_map(|s| s.column).collect();
            let count = of_signals.len();
            of_signals.sort_unstable();
            of_signals.dedup();
            assert_eq!(of_signals.len(), count, "{cell}");
            assert!(of_signals.iter().all(|&at| at < cell.block_width()));
            assert!(cell.signals().iter().all(|s| s.gate < cell.gates()));
        }
    }
}
