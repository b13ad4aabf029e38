//! A network: its architecture and its parameters.

#[cfg(test)]
mod tests;

use tensor::random::{self, ChaCha8Rng};
use tensor::{Matrix, Scalar};

use crate::config::{Init, NetworkConfig, Scheme};
use crate::error::Result;
use crate::memory;
use crate::packed::PackedWeights;
use crate::parameters::{Layout, Parameters};
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
    /// A network whose weights are drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) for a size or a number out of range,
    /// [`Error::TooLarge`](crate::Error::TooLarge) for sizes beyond the machine's memory.
    pub fn new(config: NetworkConfig, init: &Init, seed: u64) -> Result<Self> {
        config.validate()?;
        init.validate()?;
        // One gate at a time is made orthogonal, in double precision.
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
                let named = parameters.layout().named();
                for named in named.iter().filter(|named| !named.bias) {
                    let values = parameters.slice_mut(named.block);
                    random::normal(&mut rng, 0.0, std, values).expect("the deviation was checked");
                }
            }
        }
        let hidden = config.hidden_size;
        for layer in parameters.layout().layers.clone() {
            if init.orthogonal {
                let weights = parameters.slice_mut(layer.weight_hh);
                orthogonalise(weights, hidden, &mut gate, &mut rng);
            }
            if let (Some(gate), Some(bias)) = (config.cell.forget_gate(), init.forget_bias) {
                let forget = gate * hidden..(gate + 1) * hidden;
                parameters.slice_mut(layer.bias_ih)[forget.clone()].fill(T::from_f64(bias));
                // A cell without recurrent weights has no second bias.
                if let Some(second) = parameters.slice_mut(layer.bias_hh).get_mut(forget) {
                    second.fill(T::ZERO);
                }
            }
        }
        Ok(Network { config, parameters })
    }

    /// A network with the given parameters.
    ///
    /// # Panics
    /// If the parameters are not laid out for `config`.
    pub fn from_parameters(config: NetworkConfig, parameters: Parameters<T>) -> Self {
        assert!(
            *parameters.layout() == Layout::new(&config),
            "{} parameters for {config:?}",
            parameters.len()
        );
        Network { config, parameters }
    }

    /// The same network with `f32` or `f64` numbers: exact from `f32` to `f64`, rounded back.
    ///
    /// ```
    /// use rnn::{Init, Network, NetworkConfig};
    ///
    /// let config = NetworkConfig { vocab_size: 5, hidden_size: 8, ..NetworkConfig::default() };
    /// let single = Network::<f32>::new(config, &Init::default(), 1)?;
    /// let double: Network<f64> = single.cast()?;
    /// assert_eq!(double.cast::<f32>()?, single);
    /// # Ok::<(), rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn cast<U: Scalar>(&self) -> Result<Network<U>> {
        memory::check(Parameters::<U>::bytes(&self.config))?;
        let (config, parameters) = (self.config, self.parameters.cast()?);
        Ok(Network { config, parameters })
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

    /// The shape and the elements of a parameter, in PyTorch's order, by its PyTorch name.
    pub fn tensor(&self, name: &str) -> Option<(Vec<usize>, Vec<T>)> {
        let mut all = self.parameters.layout().named().into_iter();
        let named = all.find(|named| named.name == name)?;
        Some((named.shape(), self.parameters.to_pytorch(&named)))
    }

    /// Reads characters and returns the logits for what follows each of them: the softmax of a row is
    /// the probabilities of the next character. Very large weights can make logits and state infinite or
    /// NaN; the caller has to check.
    ///
    /// `inputs` is `[time, batch]`, the result is `[time * batch, V]`. The call starts from `state` and
    /// updates it. Every call packs the weights again, so read a long text in few calls, or use
    /// [`Scorer`](crate::Scorer) or [`Session`](crate::Session), which pack them once.
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
    /// is then unchanged.
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
        let result = memory::bytes::<T>(memory::product(&[inputs.len(), vocab]));
        let packed = PackedWeights::<T>::forward_bytes(&self.config);
        let needed = result.saturating_add(packed);
        memory::check(needed.saturating_add(size.bytes::<T>(&self.config)))?;
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
}

/// Replaces each gate's `[H, H]` matrix by a random orthogonal one: Gram-Schmidt over normal rows,
/// twice, since once loses digits (Giraud 2005). Works in f64 for every type of parameters; `rows` has
/// room for one gate.
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
