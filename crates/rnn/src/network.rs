//! A network: its architecture and its parameters.

use tensor::random::{self, ChaCha8Rng};
use tensor::{Matrix, Scalar};

use crate::config::{Init, NetworkConfig, Scheme};
use crate::error::Result;
use crate::memory;
use crate::packed::PackedWeights;
use crate::parameters::{Block, Parameters};
use crate::state::State;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::{Id, check_ids};

/// Stream of the generator that draws initial weights.
const INIT_STREAM: u64 = 1;

/// The architecture and parameters of a recurrent network that predicts the next character.
///
/// ```
/// use rnn::{CellKind, Init, Network, NetworkConfig};
///
/// let config = NetworkConfig { cell: CellKind::GRU, vocab_size: 65, hidden_size: 128, num_layers: 2 };
/// let network = Network::<f32>::new(config, &Init::default(), 42)?;
/// assert_eq!(network.parameters().len(), 182_337);
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network<T> {
    config: NetworkConfig,
    parameters: Parameters<T>,
}

impl<T: Scalar> Network<T> {
    /// A network with weights drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) for a size or a number out of range,
    /// [`Error::TooLarge`](crate::Error::TooLarge) for sizes beyond the machine's memory.
    pub fn new(config: NetworkConfig, init: &Init, seed: u64) -> Result<Self> {
        config.validate()?;
        init.validate()?;
        // A gate of a layer is made orthogonal in double precision.
        let gate = match init.orthogonal {
            true => memory::product(&[config.hidden_size, config.hidden_size]),
            false => 0,
        };
        memory::check(Parameters::<T>::bytes(&config) + memory::bytes::<f64>(gate))?;
        let mut gate = memory::zeros::<f64>(gate)?;
        let mut parameters = Parameters::try_zeros(&config)?;
        let mut rng = random::rng(seed);
        rng.set_stream(INIT_STREAM);
        match init.scheme {
            Scheme::Uniform => {
                let bound = 1.0 / libm::sqrt(config.hidden_size as f64);
                random::uniform(&mut rng, -bound, bound, parameters.as_mut_slice())
                    .expect("a range");
            }
            Scheme::Normal(std) => {
                for named in parameters
                    .layout()
                    .named()
                    .iter()
                    .filter(|named| !named.bias)
                {
                    let values = parameters.slice_mut(named.block);
                    random::normal(&mut rng, 0.0, std, values).expect("the deviation was checked");
                }
            }
        }
        for layer in parameters.layout().layers.clone() {
            if init.orthogonal {
                orthogonalise(
                    parameters.slice_mut(layer.weight_hh),
                    config.hidden_size,
                    &mut gate,
                    &mut rng,
                );
            }
            let forget = config.cell.signal("forget gate");
            if let (Some(forget), Some(bias)) = (forget, init.forget_bias) {
                let forget =
                    forget.gate * config.hidden_size..(forget.gate + 1) * config.hidden_size;
                parameters.slice_mut(layer.bias_ih)[forget.clone()].fill(T::from_f64(bias));
                parameters.slice_mut(layer.bias_hh)[forget].fill(T::ZERO);
            }
        }
        Ok(Network { config, parameters })
    }

    /// A network with the given parameters.
    ///
    /// # Panics
    /// If the parameters are not laid out for `config`.
    pub fn from_parameters(config: NetworkConfig, parameters: Parameters<T>) -> Self {
        let wanted = crate::parameters::Layout::new(&config);
        assert!(
            *parameters.layout() == wanted,
            "{} parameters for {config:?}",
            parameters.len()
        );
        Network { config, parameters }
    }

    /// The architecture.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters<T> {
        &self.parameters
    }

    /// The parameters, mutably.
    pub fn parameters_mut(&mut self) -> &mut Parameters<T> {
        &mut self.parameters
    }

    /// The elements of a parameter by its PyTorch name, in PyTorch's order, with its shape.
    pub fn tensor(&self, name: &str) -> Option<(Vec<usize>, Vec<T>)> {
        let named = self
            .parameters
            .layout()
            .named()
            .into_iter()
            .find(|named| named.name == name)?;
        Some((named.shape(), self.parameters.to_pytorch(&named)))
    }

    /// Reads characters and returns the logits of what follows each: softmax of a row gives the
    /// probabilities of the next character. Weights that are large enough make them infinite or NaN,
    /// which is for the caller to look at, as it is for [`State`].
    ///
    /// `inputs` is `[time, batch]`, the result `[time * batch, V]`. `state` is where the sequences
    /// stand: before the call after what was read earlier, after it after `inputs`. Every call
    /// packs the weights anew, so a long text is better read in few calls, or by
    /// [`Scorer`](crate::Scorer) and [`BatchSampler`](crate::BatchSampler), which pack once.
    ///
    /// ```
    /// use rnn::{CellKind, Init, Network, NetworkConfig, State};
    ///
    /// let config = NetworkConfig { cell: CellKind::GRU, vocab_size: 5, hidden_size: 8, num_layers: 1 };
    /// let network = Network::<f64>::new(config, &Init::default(), 1)?;
    /// let mut state = State::zeros(&config, 2);
    /// let logits = network.forward(&[0, 4, 1, 3, 2, 2], &mut state)?; // 0 1 2 and 4 3 2
    /// assert_eq!(logits.shape(), (6, 5));
    /// let likeliest_after_012 = logits.argmax_row(4);
    /// assert!(likeliest_after_012 < 5);
    /// # Ok::<(), rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for so many logits; `state`
    /// is then as it was.
    ///
    /// # Panics
    /// If `state` is not one of this network, the inputs do not make whole steps of its batch, or
    /// an id is outside the vocabulary.
    #[track_caller]
    pub fn forward(&self, inputs: &[Id], state: &mut State<T>) -> Result<Matrix<T>> {
        let batch = state.batch_size();
        state.check(&self.config, batch);
        assert!(
            inputs.len().is_multiple_of(batch),
            "{} inputs for a batch of {batch}",
            inputs.len()
        );
        check_ids(inputs, self.config.vocab_size);
        let steps = inputs.len() / batch;
        let vocab = self.config.vocab_size;
        let size = Size::reading(batch, steps);
        let packed = PackedWeights::<T>::forward_bytes(&self.config);
        let result = memory::bytes::<T>(memory::product(&[inputs.len(), vocab]));
        memory::check(
            packed
                .saturating_add(result)
                .saturating_add(size.bytes::<T>(&self.config)),
        )?;
        let mut weights = PackedWeights::forward(&self.config)?;
        weights.pack_forward(&self.parameters);
        let mut unroll = Unroll::new(&self.config, 0, size)?;
        let mut logits = memory::matrix(inputs.len(), vocab)?;
        unroll.start_from(state);
        unroll.read(&self.parameters, &weights, inputs);
        unroll.state_to(state);
        logits.as_mut_slice().copy_from_slice(unroll.logits());
        Ok(logits)
    }

    /// Where the recurrent biases lie, for training that holds them at zero.
    pub(crate) fn recurrent_biases(&self) -> impl Iterator<Item = Block> + '_ {
        self.parameters
            .layout()
            .layers
            .iter()
            .map(|layer| layer.bias_hh)
    }
}

/// Replaces each gate's `[H, H]` matrix by a random orthogonal one: Gram-Schmidt over normal rows,
/// twice, since once loses digits (Giraud 2005). In f64 whatever the parameters' type.
/// `rows` has room for one gate.
fn orthogonalise<T: Scalar>(
    weight_hh: &mut [T],
    hidden: usize,
    rows: &mut [f64],
    rng: &mut ChaCha8Rng,
) {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    for gate in weight_hh.chunks_exact_mut(hidden * hidden) {
        random::normal(rng, 0.0, 1.0, rows).expect("1 is a standard deviation");
        for at in 0..hidden {
            let (done, rest) = rows.split_at_mut(at * hidden);
            let row = &mut rest[..hidden];
            for _ in 0..2 {
                for other in done.chunks_exact(hidden) {
                    let along = dot(row, other);
                    row.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
                }
            }
            let norm = libm::sqrt(dot(row, row));
            row.iter_mut().for_each(|x| *x /= norm);
        }
        for (weight, &value) in gate.iter_mut().zip(&*rows) {
            *weight = T::from_f64(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::CellKind;
    use crate::parameters::Layout;
    use approx::assert_relative_eq;

    fn config(cell: CellKind) -> NetworkConfig {
        NetworkConfig {
            cell,
            vocab_size: 5,
            hidden_size: 6,
            num_layers: 2,
        }
    }

    #[test]
    fn uniform_weights_lie_within_the_bound_and_depend_on_the_seed() {
        let draw =
            |seed| Network::<f64>::new(config(CellKind::LSTM), &Init::default(), seed).unwrap();
        let bound = 1.0 / 6f64.sqrt();
        assert!(
            draw(1)
                .parameters()
                .as_slice()
                .iter()
                .all(|w| w.abs() <= bound)
        );
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn the_largest_network_is_refused_with_its_size() {
        for orthogonal in [false, true] {
            let init = Init {
                orthogonal,
                ..Init::default()
            };
            let largest = NetworkConfig {
                cell: CellKind::LSTM,
                vocab_size: 100,
                hidden_size: crate::MAX_HIDDEN_SIZE,
                num_layers: crate::MAX_LAYERS,
            };
            let wanted = 4 * Layout::count(&largest);
            match Network::<f32>::new(largest, &init, 1) {
                Err(crate::Error::TooLarge { needed, .. }) => assert!(needed >= wanted),
                other => panic!("{:?}", other.map(|network| network.config)),
            }
        }
    }

    #[test]
    fn orthogonal_recurrent_matrices_times_their_transpose_are_the_identity() {
        let init = Init {
            orthogonal: true,
            ..Init::default()
        };
        let network = Network::<f64>::new(config(CellKind::GRU), &init, 3).unwrap();
        let (_, w) = network.tensor("rnn.weight_hh_l1").unwrap();
        for gate in w.chunks_exact(36) {
            for (i, j) in (0..36).map(|at| (at / 6, at % 6)) {
                let dot: f64 = (0..6).map(|k| gate[i * 6 + k] * gate[j * 6 + k]).sum();
                assert_relative_eq!(dot, f64::from(u8::from(i == j)), epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn the_forget_bias_is_what_was_asked_for() {
        let init = Init {
            forget_bias: Some(1.0),
            ..Init::default()
        };
        let network = Network::<f64>::new(config(CellKind::LSTM), &init, 3).unwrap();
        let (_, ih) = network.tensor("rnn.bias_ih_l0").unwrap();
        let (_, hh) = network.tensor("rnn.bias_hh_l0").unwrap();
        assert!((6..12).all(|j| ih[j] + hh[j] == 1.0));
        assert!((0..6).any(|j| ih[j] + hh[j] != 1.0));
    }

    #[test]
    fn a_start_that_is_accepted_is_finite() {
        let values = [
            0.0,
            -0.0,
            1.0,
            1e30,
            3e38,
            1e39,
            -1e39,
            f64::MAX,
            f64::MIN,
            f64::NAN,
        ];
        let mut accepted = 0;
        for value in values {
            for scheme in [Scheme::Uniform, Scheme::Normal(value)] {
                let init = Init {
                    scheme,
                    orthogonal: false,
                    forget_bias: Some(value),
                };
                if init.validate().is_ok() {
                    let network = Network::<f32>::new(config(CellKind::LSTM), &init, 3).unwrap();
                    assert!(network.parameters().is_finite(), "{init:?}");
                    accepted += 1;
                }
            }
        }
        // Of the last five nothing, of 3e38 the bias alone.
        assert_eq!(accepted, 9);
    }
}
