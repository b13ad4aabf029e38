//! The weights of a network, packed once for all steps of a window.
//!
//! Every recurrent step multiplies a small block of hidden states by the same matrix. Packing that
//! matrix costs about as much as one pass over it, once a window.

use tensor::{PackedMatrix, Scalar};

use crate::config::NetworkConfig;
use crate::error::Result;
use crate::memory;
use crate::parameters::Parameters;

/// The packed right-hand sides of every product in one direction.
pub(crate) struct PackedWeights<T> {
    config: NetworkConfig,
    /// Recurrent weights of each layer; empty for a cell that has none, and for a backward pass in which
    /// the gradient does not flow from step to step.
    pub(crate) recurrent: Vec<PackedMatrix<T>>,
    /// Input weights of each layer above the first, cut as [`input_parts`] says.
    ///
    /// [`input_parts`]: crate::cell::CellKind::input_parts
    pub(crate) input: Vec<Vec<PackedMatrix<T>>>,
    /// Decoder weights.
    pub(crate) decoder: PackedMatrix<T>,
}

impl<T: Scalar> PackedWeights<T> {
    /// Buffers for the forward products `h W^T`: matrices `[H, G*H]` and `[H, V]`.
    pub(crate) fn forward(config: &NetworkConfig) -> Result<Self> {
        Self::new(config, true, |rows, cols| memory::packed(cols, rows))
    }

    /// Bytes of these buffers.
    pub(crate) fn forward_bytes(config: &NetworkConfig) -> u128 {
        Self::bytes(config, true, |rows, cols| {
            memory::packed_len::<T>(cols, rows)
        })
    }

    /// Buffers for the backward products `da W`: matrices `[G*H, H]` and `[V, H]`. The recurrent weights
    /// are needed only if the gradient `flows` from step to step.
    pub(crate) fn backward(config: &NetworkConfig, flows: bool) -> Result<Self> {
        Self::new(config, flows, memory::packed)
    }

    /// Bytes of these buffers.
    pub(crate) fn backward_bytes(config: &NetworkConfig, flows: bool) -> u128 {
        Self::bytes(config, flows, memory::packed_len::<T>)
    }

    fn new(
        config: &NetworkConfig,
        recurrent: bool,
        make: impl Fn(usize, usize) -> Result<PackedMatrix<T>>,
    ) -> Result<Self> {
        // Whoever packs weights multiplies by them next.
        memory::ready_for_products::<T>()?;
        let h = config.hidden_size;
        let shapes = Shapes::new(config, recurrent);
        let input = |layer: usize| shapes.input(layer).map(|rows| make(rows, h)).collect();
        Ok(PackedWeights {
            config: *config,
            recurrent: shapes
                .recurrent()
                .map(|rows| make(rows, h))
                .collect::<Result<_>>()?,
            input: (0..config.num_layers).map(input).collect::<Result<_>>()?,
            decoder: make(config.vocab_size, h)?,
        })
    }

    /// Bytes of what [`new`](Self::new) makes, if `len` is the length of a matrix.
    fn bytes(config: &NetworkConfig, recurrent: bool, len: impl Fn(usize, usize) -> u128) -> u128 {
        let shapes = Shapes::new(config, recurrent);
        let input = (0..config.num_layers).flat_map(|layer| shapes.input(layer));
        let all = shapes.recurrent().chain(input).chain([config.vocab_size]);
        let lens = all.map(|rows| len(rows, config.hidden_size));
        memory::bytes::<T>(lens.fold(0, u128::saturating_add))
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

/// Rows of each weight matrix; all have a column for each hidden unit.
struct Shapes<'a> {
    config: &'a NetworkConfig,
    recurrent: bool,
}

impl<'a> Shapes<'a> {
    fn new(config: &'a NetworkConfig, recurrent: bool) -> Self {
        Shapes { config, recurrent }
    }

    fn recurrent(&self) -> impl Iterator<Item = usize> + use<> {
        let rows = self.config.cell.recurrent_gates() * self.config.hidden_size;
        let layers = match self.recurrent && rows > 0 {
            true => self.config.num_layers,
            false => 0,
        };
        std::iter::repeat_n(rows, layers)
    }

    fn input(&self, layer: usize) -> impl Iterator<Item = usize> + use<> {
        let parts = match layer {
            0 => &[][..],
            _ => self.config.cell.input_parts(),
        };
        let hidden = self.config.hidden_size;
        parts.iter().map(move |part| part.rows(hidden).len())
    }
}
