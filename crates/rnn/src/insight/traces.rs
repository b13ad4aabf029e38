//! Every state and every gate of every unit, after every character of a text.
//!
//! One forward pass, the same as in training and scoring. Row `t` of a trace is the
//! network's state after character `t`, when it predicts character `t + 1`.

use tensor::{Matrix, MatrixView, Scalar};

use crate::cell::Signal;
use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Model;
use crate::network::Network;
use crate::packed::PackedWeights;
use crate::state::State;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::{Id, check_ids};

/// The most characters to read at a time.
const STEPS: usize = 256;

/// The signals of all layers over a text.
///
/// ```
/// use rnn::insight::Traces;
/// use rnn::{CellKind, Init, Network, NetworkConfig};
///
/// let config = NetworkConfig { cell: CellKind::LSTM, vocab_size: 3, hidden_size: 4, num_layers: 2 };
/// let network = Network::<f32>::new(config, &Init::default(), 1)?;
/// let traces = Traces::read(&network, &[0, 2, 1, 1, 0])?;
/// let forget: Vec<f32> = traces.unit(1, "forget gate", 3).collect();
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
    /// The state before the first character.
    before: State<T>,
    /// What ends a line, if each is read from the start.
    line_end: Option<Id>,
}

/// The size of the engine: with logits, since they may overflow where no state does.
fn size(config: &NetworkConfig, characters: usize, line_end: Option<Id>) -> Size {
    Size::piecewise::<f64>(config, 1, STEPS.min(characters)).restarting(line_end)
}

impl Model {
    /// The traces of a text as this model reads it: from a zero state, or
    /// [line by line](Self::line_end).
    ///
    /// # Errors
    /// As [`Traces::read`].
    ///
    /// # Panics
    /// As [`Traces::read`].
    #[track_caller]
    pub fn traces(&self, ids: &[Id]) -> Result<Traces<f32>> {
        Traces::of(self.network(), ids, self.line_end())
    }
}

impl<T: Scalar> Traces<T> {
    /// Reads a text from a zero state. [`Model::traces`] also knows where lines begin.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the network overflows, [`Error::TooLarge`] where memory runs out.
    ///
    /// # Panics
    /// If an id is outside the vocabulary.
    #[track_caller]
    pub fn read(network: &Network<T>, ids: &[Id]) -> Result<Self> {
        Self::of(network, ids, None)
    }

    #[track_caller]
    fn of(network: &Network<T>, ids: &[Id], line_end: Option<Id>) -> Result<Self> {
        check_ids(ids, network.config().vocab_size);
        let config = *network.config();
        let (hidden, signals) = (config.hidden_size, config.cell.signals());
        let size = size(&config, ids.len(), line_end);
        memory::check(Self::bytes(&config, ids.len(), line_end))?;
        let mut weights = PackedWeights::forward(&config)?;
        weights.pack_forward(network.parameters());
        let mut unroll = Unroll::new(&config, 0, size)?;
        let matrices = || -> Result<Vec<_>> {
            let matrix = |_| memory::matrix(ids.len(), hidden);
            signals.iter().map(matrix).collect()
        };
        let mut layers = (0..config.num_layers)
            .map(|_| matrices())
            .collect::<Result<Vec<Vec<Matrix<T>>>>>()?;
        let mut before = State::try_zeros(&config, 1)?;
        if let Some(end) = line_end {
            unroll.read(network.parameters(), &weights, &[end]);
            unroll.state_to(&mut before);
        }
        let mut read = 0;
        for ids in ids.chunks(size.steps) {
            unroll.read(network.parameters(), &weights, ids);
            if let Some(step) = unroll.overflow() {
                let characters = (read + step + 1) as u64;
                return Err(Error::Overflow { characters });
            }
            let (width, states) = (unroll.width(), hidden..(ids.len() + 1) * hidden);
            let place = read * hidden..(read + ids.len()) * hidden;
            for (k, values) in layers.iter_mut().enumerate() {
                let layer = unroll.trace(k);
                let mut states_first = [layer.h, layer.c].into_iter();
                for (values, signal) in values.iter_mut().zip(&signals) {
                    let to = &mut values.as_mut_slice()[place.clone()];
                    let Some(at) = signal.column else {
                        let from = states_first.next().expect("a signal for each state");
                        to.copy_from_slice(&from[states.clone()]);
                        continue;
                    };
                    let rows = to.chunks_exact_mut(hidden);
                    for (to, row) in rows.zip(layer.block.chunks_exact(width)) {
                        to.copy_from_slice(&row[at * hidden..(at + 1) * hidden]);
                    }
                }
            }
            read += ids.len();
        }
        Ok(Traces {
            config,
            signals,
            layers,
            length: ids.len(),
            before,
            line_end,
        })
    }

    /// Bytes of the traces of this many characters, and of the buffers to read them.
    fn bytes(config: &NetworkConfig, characters: usize, line_end: Option<Id>) -> u128 {
        let signals = config.cell.signals().len();
        let held = [characters, config.hidden_size, config.num_layers, signals];
        memory::bytes::<T>(memory::product(&held))
            .saturating_add(size(config, characters, line_end).bytes::<T>(config))
            .saturating_add(PackedWeights::<T>::forward_bytes(config))
    }

    /// The architecture of the network.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Number of characters read.
    #[expect(
        clippy::len_without_is_empty,
        reason = "as long as the text that was read"
    )]
    pub fn len(&self) -> usize {
        self.length
    }

    /// The [signals](crate::CellKind::signals) of the network's cell.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// A signal of all units of a layer, by name, `[time, hidden]`.
    ///
    /// # Panics
    /// If the network has no such layer or its cell no such signal.
    #[track_caller]
    pub fn layer(&self, layer: usize, signal: &str) -> MatrixView<'_, T> {
        let at = self.signals.iter().position(|other| other.name == signal);
        match (self.layers.get(layer), at) {
            (Some(signals), Some(at)) => signals[at].view(),
            _ => panic!("no {signal:?} of layer {layer} in {:?}", self.config),
        }
    }

    /// A signal of one unit, a value for each character of the text.
    ///
    /// # Panics
    /// If the network has no such layer or unit, or its cell no such signal.
    #[track_caller]
    pub fn unit(
        &self,
        layer: usize,
        signal: &str,
        unit: usize,
    ) -> impl ExactSizeIterator<Item = T> + use<'_, T> {
        let matrix = self.layer(layer, signal);
        let units = self.config.hidden_size;
        assert!(unit < units, "unit {unit} of {units}");
        (0..self.length).map(move |t| matrix.row(t)[unit])
    }

    /// What ends a line, if each was read from the start.
    pub(super) fn line_end(&self) -> Option<Id> {
        self.line_end
    }

    /// The state of a batch whose row `b` has read the first `read[b]` characters.
    pub(super) fn states_after(&self, read: &[usize]) -> Result<State<T>> {
        let mut state = State::try_zeros(&self.config, read.len())?;
        let copy = |signal: &str, before: &[Matrix<T>], to: &mut [Matrix<T>]| {
            for (k, to) in to.iter_mut().enumerate() {
                for (row, &read) in read.iter().enumerate() {
                    to.row_mut(row).copy_from_slice(match read {
                        0 => before[k].row(0),
                        read => self.layer(k, signal).row(read - 1),
                    });
                }
            }
        };
        copy(Signal::HIDDEN, &self.before.h, &mut state.h);
        copy(Signal::MEMORY, &self.before.c, &mut state.c);
        Ok(state)
    }
}
