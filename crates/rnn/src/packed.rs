//! The weights of a network, packed once for all the steps of a window.
//!
//! A recurrent step multiplies a small block of hidden states by the same matrix again and again.
//! Packing that matrix costs as much as one pass over it, and is paid once a window.

use std::sync::OnceLock;

use tensor::{PackedMatrix, Scalar};

use crate::config::NetworkConfig;
use crate::parameters::Parameters;

/// The packed right-hand sides of every product in one direction.
pub(crate) struct PackedWeights<T> {
    config: NetworkConfig,
    /// Recurrent weights of each layer; none where no gradient flows from step to step.
    pub(crate) recurrent: Vec<PackedMatrix<T>>,
    /// Input weights of each layer above the first, cut as [`input_parts`] says.
    ///
    /// [`input_parts`]: crate::config::CellKind::input_parts
    pub(crate) input: Vec<Vec<PackedMatrix<T>>>,
    /// Decoder weights.
    pub(crate) decoder: PackedMatrix<T>,
}

/// The weights for the forward products of a network that does not change, packed when they are first
/// asked for. It follows from the network, so a copy begins empty and all are equal.
#[derive(Default)]
pub(crate) struct PackedOnce(OnceLock<PackedWeights<f32>>);

impl PackedOnce {
    pub(crate) fn get(
        &self,
        config: &NetworkConfig,
        params: &Parameters<f32>,
    ) -> &PackedWeights<f32> {
        self.0.get_or_init(|| {
            let mut weights = PackedWeights::forward(config);
            weights.pack_forward(params);
            weights
        })
    }
}

impl Clone for PackedOnce {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for PackedOnce {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for PackedOnce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PackedOnce")
    }
}

impl<T: Scalar> PackedWeights<T> {
    /// Room for the forward products `h W^T`: matrices `[H, G*H]` and `[H, V]`.
    pub(crate) fn forward(config: &NetworkConfig) -> Self {
        Self::new(config, true, |rows, cols| PackedMatrix::new(cols, rows))
    }

    /// Room for the backward products `da W`: matrices `[G*H, H]` and `[V, H]`. From step to step the
    /// gradient passes the recurrent weights, if it `flows` at all.
    pub(crate) fn backward(config: &NetworkConfig, flows: bool) -> Self {
        Self::new(config, flows, PackedMatrix::new)
    }

    fn new(
        config: &NetworkConfig,
        recurrent: bool,
        make: impl Fn(usize, usize) -> PackedMatrix<T>,
    ) -> Self {
        let h = config.hidden_size;
        let parts = |layer: usize| {
            if layer == 0 {
                &[][..]
            } else {
                config.cell.input_parts()
            }
        };
        PackedWeights {
            config: *config,
            recurrent: (0..if recurrent { config.num_layers } else { 0 })
                .map(|_| make(config.cell.gates() * h, h))
                .collect(),
            input: (0..config.num_layers)
                .map(|layer| {
                    parts(layer)
                        .iter()
                        .map(|part| make(part.rows(h).len(), h))
                        .collect()
                })
                .collect(),
            decoder: make(config.vocab_size, h),
        }
    }

    /// Packs the weights for the forward products.
    pub(crate) fn pack_forward(&mut self, params: &Parameters<T>) {
        self.pack(params, |packed, view| packed.pack_transposed(view));
    }

    /// Packs the weights for the backward products.
    pub(crate) fn pack_backward(&mut self, params: &Parameters<T>) {
        self.pack(params, |packed, view| packed.pack(view));
    }

    fn pack(
        &mut self,
        params: &Parameters<T>,
        pack: impl Fn(&mut PackedMatrix<T>, tensor::MatrixView<'_, T>),
    ) {
        let layout = params.layout();
        for (packed, layer) in self.recurrent.iter_mut().zip(&layout.layers) {
            pack(packed, params.matrix(layer.weight_hh));
        }
        for (input, layer) in self.input.iter_mut().zip(&layout.layers) {
            for (packed, part) in input.iter_mut().zip(self.config.cell.input_parts()) {
                let rows = part.rows(self.config.hidden_size);
                pack(packed, params.matrix(layer.weight_ih).row_range(rows));
            }
        }
        pack(&mut self.decoder, params.matrix(layout.decoder_weight));
    }
}
