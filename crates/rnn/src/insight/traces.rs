//! Every state and every gate of every unit, after every character of a text.
//!
//! The text is read once, from a zero state, by the same forward pass that trains and scores. Row
//! `t` of a trace is what the network holds when it has read character `t` and is about to predict
//! character `t + 1`.

use tensor::{Matrix, MatrixView, Scalar};

use crate::config::{CellKind, NetworkConfig};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::packed::PackedWeights;
use crate::state::State;
use crate::unroll::Unroll;
use crate::vocabulary::{Id, check_ids};

/// Steps through the network at a time.
const STEPS: usize = 256;

/// One of the values that a unit has at every step; which ones there are depends on the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// The hidden state `h`, which the decoder and the next layer read. All cells.
    Hidden,
    /// The memory `c` of an LSTM, which has no bounds.
    Cell,
    /// The LSTM's input gate `i`, in (0, 1): how much of the candidate is written.
    InputGate,
    /// The LSTM's forget gate `f`, in (0, 1): how much of the memory is kept.
    ForgetGate,
    /// The LSTM's output gate `o`, in (0, 1): how much of the memory is shown.
    OutputGate,
    /// The GRU's reset gate `r`, in (0, 1): how much of the past the candidate sees.
    ResetGate,
    /// The GRU's update gate `z`, in (0, 1): how much of the past is kept.
    UpdateGate,
    /// The candidate, in (-1, 1): `g` of an LSTM, `n` of a GRU.
    Candidate,
}

/// Each signal of a cell and the place of its columns in the block, in units of `H`; the states lie
/// elsewhere.
fn places(cell: CellKind) -> &'static [(Signal, usize)] {
    use Signal::{Candidate, ForgetGate, InputGate, OutputGate, ResetGate, UpdateGate};
    match cell {
        CellKind::Rnn | CellKind::RnnRelu => &[],
        CellKind::Lstm => &[
            (InputGate, 0),
            (ForgetGate, 1),
            (OutputGate, 3),
            (Candidate, 2),
        ],
        CellKind::Gru => &[(ResetGate, 1), (UpdateGate, 2), (Candidate, 0)],
    }
}

impl Signal {
    /// The signals of a cell, the hidden state first.
    pub fn of(cell: CellKind) -> Vec<Signal> {
        let states: &[Signal] = if cell.has_memory() {
            &[Signal::Hidden, Signal::Cell]
        } else {
            &[Signal::Hidden]
        };
        let gates = places(cell).iter().map(|&(signal, _)| signal);
        states.iter().copied().chain(gates).collect()
    }

    /// What it is called in text: "hidden state", "forget gate".
    pub fn name(self) -> &'static str {
        match self {
            Signal::Hidden => "hidden state",
            Signal::Cell => "cell state",
            Signal::InputGate => "input gate",
            Signal::ForgetGate => "forget gate",
            Signal::OutputGate => "output gate",
            Signal::ResetGate => "reset gate",
            Signal::UpdateGate => "update gate",
            Signal::Candidate => "candidate",
        }
    }

    /// Whether its values lie in (0, 1).
    pub fn is_gate(self) -> bool {
        !matches!(self, Signal::Hidden | Signal::Cell | Signal::Candidate)
    }
}

/// The signals of all layers over a text.
///
/// ```
/// use rnn::insight::{Signal, Traces};
/// use rnn::{CellKind, Init, Network, NetworkConfig};
///
/// let config = NetworkConfig { cell: CellKind::Lstm, vocab_size: 3, hidden_size: 4, num_layers: 2 };
/// let network = Network::<f32>::new(config, &Init::default(), 1)?;
/// let traces = Traces::read(&network, &[0, 2, 1, 1, 0])?;
/// let forget: Vec<f32> = traces.unit(1, Signal::ForgetGate, 3).collect();
/// assert!(forget.len() == 5 && forget.iter().all(|f| (0.0..=1.0).contains(f)));
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Traces<T> {
    config: NetworkConfig,
    signals: Vec<Signal>,
    /// `[layers][signals]`, each `[time, hidden]`.
    layers: Vec<Vec<Matrix<T>>>,
    length: usize,
}

impl<T: Scalar> Traces<T> {
    /// Reads a text from a zero state.
    ///
    /// # Errors
    /// [`Error::Overflow`] where the states leave the numbers of their type.
    ///
    /// # Panics
    /// If an id is outside the vocabulary.
    #[track_caller]
    pub fn read(network: &Network<T>, ids: &[Id]) -> Result<Self> {
        check_ids(ids, network.config().vocab_size);
        let config = *network.config();
        let (hidden, signals) = (config.hidden_size, Signal::of(config.cell));
        let mut weights = PackedWeights::forward(&config);
        weights.pack_forward(network.parameters());
        let mut unroll = Unroll::new(&config, 0, 1, STEPS.min(ids.len()), false);
        let mut values = vec![vec![Vec::<T>::new(); signals.len()]; config.num_layers];
        for (at, ids) in ids.chunks(STEPS).enumerate() {
            unroll.carry_state();
            unroll.set_inputs(ids, 1, ids.len());
            unroll.forward(network.parameters(), &weights);
            if let Some(step) = unroll.overflow() {
                let characters = (at * STEPS + step + 1) as u64;
                return Err(Error::Overflow { characters });
            }
            let (width, states) = (unroll.width(), hidden..(ids.len() + 1) * hidden);
            for (values, layer) in values.iter_mut().zip(&unroll.layers) {
                values[0].extend_from_slice(&layer.h[states.clone()]);
                let (states_first, gates) =
                    values.split_at_mut(signals.len() - places(config.cell).len());
                if let [_, memory] = states_first {
                    memory.extend_from_slice(&layer.c[states.clone()]);
                }
                for (values, &(_, at)) in gates.iter_mut().zip(places(config.cell)) {
                    for row in layer.block.chunks_exact(width).take(ids.len()) {
                        values.extend_from_slice(&row[at * hidden..(at + 1) * hidden]);
                    }
                }
            }
        }
        let matrix = |values| Matrix::from_vec(ids.len(), hidden, values).expect("whole rows");
        let layers = values
            .into_iter()
            .map(|signals| signals.into_iter().map(matrix).collect())
            .collect();
        Ok(Traces {
            config,
            signals,
            layers,
            length: ids.len(),
        })
    }

    /// The architecture of the network.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Characters read.
    #[expect(
        clippy::len_without_is_empty,
        reason = "as long as the text that was read"
    )]
    pub fn len(&self) -> usize {
        self.length
    }

    /// What is recorded: [`Signal::of`] the network's cell.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// A signal of all units of a layer, `[time, hidden]`.
    ///
    /// # Panics
    /// If the network has no such layer or its cell no such signal.
    #[track_caller]
    pub fn layer(&self, layer: usize, signal: Signal) -> MatrixView<'_, T> {
        let at = self.signals.iter().position(|&other| other == signal);
        match (self.layers.get(layer), at) {
            (Some(signals), Some(at)) => signals[at].view(),
            _ => panic!("no {signal:?} of layer {layer} in {:?}", self.config),
        }
    }

    /// A signal of one unit, one value for each character of the text.
    ///
    /// # Panics
    /// If the network has no such layer or unit, or its cell no such signal.
    #[track_caller]
    pub fn unit(
        &self,
        layer: usize,
        signal: Signal,
        unit: usize,
    ) -> impl ExactSizeIterator<Item = T> + '_ {
        let matrix = self.layer(layer, signal);
        let units = self.config.hidden_size;
        assert!(unit < units, "unit {unit} of {units}");
        (0..self.length).map(move |t| matrix.row(t)[unit])
    }

    /// The state of a batch of sequences, row `b` of which has read `read[b]` characters.
    pub(super) fn states_after(&self, read: &[usize]) -> State<T> {
        let mut state = State::zeros(&self.config, read.len());
        let copy = |signal, to: &mut [Matrix<T>]| {
            for (k, to) in to.iter_mut().enumerate() {
                for (row, &read) in read.iter().enumerate().filter(|&(_, &read)| read > 0) {
                    to.row_mut(row)
                        .copy_from_slice(self.layer(k, signal).row(read - 1));
                }
            }
        };
        copy(Signal::Hidden, &mut state.h);
        copy(Signal::Cell, &mut state.c);
        state
    }
}
