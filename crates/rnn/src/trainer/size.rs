//! How much memory a training run takes.

use tensor::Scalar;

use super::source::HeldOut;
use super::{TrainConfig, Trainer};
use crate::bptt::{Bptt, Window};
use crate::config::NetworkConfig;
use crate::memory;
use crate::optimizer::Optimizer;
use crate::parameters::Parameters;
use crate::vocabulary::Id;

impl<T: Scalar> Trainer<T> {
    /// Bytes that a trainer takes at most beside its text, with a save.
    pub(crate) fn bytes(network: &NetworkConfig, config: &TrainConfig) -> u128 {
        let parameters = memory::parameters(network);
        [
            // Current, gradient and best.
            Parameters::<T>::bytes(network).saturating_mul(3),
            Optimizer::<T>::bytes(&config.optimizer, parameters),
            Bptt::<T>::bytes(network, &window(config), config.dropout > 0.0),
            HeldOut::<T>::bytes(network, config),
            memory::bytes::<[Id; 2]>(memory::product(&[config.batch_size, config.seq_length])),
            memory::saving(network, config),
        ]
        .into_iter()
        .fold(0, u128::saturating_add)
    }
}

/// The windows that a run has.
pub(super) fn window(config: &TrainConfig) -> Window {
    Window {
        batch_size: config.batch_size,
        seq_length: config.seq_length,
        horizon: config.horizon,
        reduction: config.reduction,
    }
}
