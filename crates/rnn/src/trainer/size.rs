//! The memory of a training run.

use tensor::Scalar;

use super::source::HeldOut;
use super::{TrainConfig, Trainer};
use crate::bptt::Bptt;
use crate::config::NetworkConfig;
use crate::memory;
use crate::optimizer::Optimizer;
use crate::parameters::{Layout, Parameters};
use crate::vocabulary::Id;

impl<T: Scalar> Trainer<T> {
    /// The most bytes of a trainer without its text: parameters, gradient, best weights, optimiser, packed
    /// weights, a window's activations, and a save.
    pub fn bytes(network: &NetworkConfig, config: &TrainConfig) -> u128 {
        let parameters = Layout::count(network);
        // Any id of the newline takes as much.
        let window = config.window(Some(0));
        [
            // Current, best, those without what a step drops, gradients, and what another rank sends.
            Parameters::<T>::bytes(network).saturating_mul(
                2 + u128::from(config.weight_dropout > 0.0)
                    + Bptt::<T>::gradients(config.shards) as u128
                    + u128::from(config.shards > 1),
            ),
            Optimizer::<T>::bytes(&config.optimizer, parameters),
            Bptt::<T>::bytes(network, &window, config.dropout > 0.0, config.shards),
            HeldOut::<T>::bytes(network, config),
            memory::bytes::<[Id; 2]>(memory::product(&[config.batch_size, config.seq_length])),
            Self::saving_bytes(network, config),
        ]
        .into_iter()
        .fold(0, u128::saturating_add)
    }

    /// Bytes of a save: weights, best weights and optimiser state, as tensors and in one piece, and half
    /// as much again for the allocator's fragmentation.
    pub(crate) fn saving_bytes(network: &NetworkConfig, config: &TrainConfig) -> u128 {
        let state = config.optimizer.state_names().len() as u128;
        memory::bytes::<f32>(Layout::count(network).saturating_mul(3 * (2 + state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::TextFacts;
    use crate::trainer::recommended;

    #[test]
    fn the_largest_network_has_a_number() {
        let mut advice = recommended(&TextFacts::prose(1_000_000, 0x11_0000));
        (advice.network.hidden_size, advice.network.num_layers) = (32_768, 16);
        (advice.train.batch_size, advice.train.seq_length) = (usize::MAX, usize::MAX);
        assert!(Trainer::<f32>::bytes(&advice.network, &advice.train) > 1 << 80);
    }
}
