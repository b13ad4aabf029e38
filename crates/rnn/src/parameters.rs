//! The parameters of a network: one flat vector and a table of its parts.
//!
//! One vector makes whatever treats all parameters alike (optimisers, clipping, norms, checkpoints) a
//! loop over a slice. Gradients have the same type and the same table.
//!
//! Names and shapes are PyTorch's. Only `weight_ih_l0` is transposed in memory, `[V, G*H]`: its input
//! is a one-hot character `x`, so the product `U x` is column `x` of `U`, here a contiguous row.

use tensor::{MatrixView, Scalar};

use crate::config::NetworkConfig;
use crate::error::Result;
use crate::memory;

/// Where one parameter lies in the flat vector, and its shape there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Index of its first element.
    pub offset: usize,
    /// Rows in memory.
    pub rows: usize,
    /// Columns in memory.
    pub cols: usize,
}

impl Block {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// Whether the network has no such parameter.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// The four parameters of one recurrent layer; `G` is the cell's number of gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerLayout {
    /// Input weights: `[V, G*H]` (transposed) in the first layer, `[G*H, H]` in those above.
    pub weight_ih: Block,
    /// Recurrent weights, `[G*H, H]`; empty for a cell that has none.
    pub weight_hh: Block,
    /// Input bias, `[1, G*H]`.
    pub bias_ih: Block,
    /// Recurrent bias, `[1, G*H]`; empty if the recurrent weights are.
    pub bias_hh: Block,
}

/// The table of parameters: layer by layer, then the decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The recurrent layers, from the bottom.
    pub layers: Vec<LayerLayout>,
    /// Decoder weights, `[V, H]`.
    pub decoder_weight: Block,
    /// Decoder bias, `[1, V]`.
    pub decoder_bias: Block,
    /// Number of parameters in all.
    pub len: usize,
}

/// A parameter: its name, its block, and how it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// PyTorch's name, such as `rnn.weight_hh_l0`.
    pub name: String,
    /// Where it lies.
    pub block: Block,
    /// True for `rnn.weight_ih_l0` only, whose shape in a file is `[cols, rows]` of the block.
    pub transposed: bool,
    /// True for biases, whose shape in a file has one dimension.
    pub bias: bool,
}

impl Layout {
    /// The table for a network.
    pub fn new(config: &NetworkConfig) -> Self {
        let (v, h) = (config.vocab_size, config.hidden_size);
        let gates = config.cell.gates() * h;
        let recurrent = config.cell.recurrent_gates() * h;
        let mut len = 0;
        let mut block = |rows: usize, cols: usize| {
            let offset = len;
            len += rows * cols;
            Block { offset, rows, cols }
        };
        let layers = (0..config.num_layers)
            .map(|layer| LayerLayout {
                weight_ih: match layer {
                    0 => block(v, gates),
                    _ => block(gates, h),
                },
                weight_hh: block(recurrent, h),
                bias_ih: block(1, gates),
                bias_hh: block(1, recurrent),
            })
            .collect();
        Layout {
            layers,
            decoder_weight: block(v, h),
            decoder_bias: block(1, v),
            len,
        }
    }

    /// Number of parameters of a network of any size.
    pub fn count(config: &NetworkConfig) -> u128 {
        let (v, h) = (config.vocab_size as u128, config.hidden_size as u128);
        let gates = config.cell.gates() as u128 * h;
        let recurrent = config.cell.recurrent_gates() as u128 * h;
        let layer = |inputs: u128| gates * (inputs + 1) + recurrent * (h + 1);
        let above = (config.num_layers as u128).saturating_sub(1);
        layer(v) + above * layer(h) + v * h + v
    }

    /// The weights that multiply, as ranges of the flat vector: all but biases and the input weights of
    /// the first layer, of which a character picks a row. Weight decay is for these.
    pub(crate) fn multipliers(&self) -> Vec<std::ops::Range<usize>> {
        let layers = self.layers.iter().enumerate();
        let weights = layers.flat_map(|(k, layer)| {
            let input = (k > 0).then_some(layer.weight_ih);
            input.into_iter().chain([layer.weight_hh])
        });
        let all = weights.chain([self.decoder_weight]);
        all.map(|block| block.range()).collect()
    }

    /// Number of weights that multiply, of a network of any size.
    pub(crate) fn multiplier_count(config: &NetworkConfig) -> u128 {
        let (v, h) = (config.vocab_size as u128, config.hidden_size as u128);
        let gates = config.cell.gates() as u128;
        let recurrent = config.cell.recurrent_gates() as u128;
        let layers = config.num_layers as u128;
        (layers * recurrent + layers.saturating_sub(1) * gates) * h * h + v * h
    }

    /// Every parameter with its name, in the order of the flat vector.
    pub fn named(&self) -> Vec<Named> {
        let named = |name: String, block: Block, transposed: bool| Named {
            bias: name.contains("bias"),
            name,
            block,
            transposed,
        };
        let layers = self.layers.iter().enumerate().flat_map(|(k, layer)| {
            [
                named(format!("rnn.weight_ih_l{k}"), layer.weight_ih, k == 0),
                named(format!("rnn.weight_hh_l{k}"), layer.weight_hh, false),
                named(format!("rnn.bias_ih_l{k}"), layer.bias_ih, false),
                named(format!("rnn.bias_hh_l{k}"), layer.bias_hh, false),
            ]
        });
        let decoder = [
            named("decoder.weight".into(), self.decoder_weight, false),
            named("decoder.bias".into(), self.decoder_bias, false),
        ];
        let all = layers.chain(decoder);
        all.filter(|named| !named.block.is_empty()).collect()
    }
}

impl Named {
    /// The shape in a file: PyTorch's.
    pub fn shape(&self) -> Vec<usize> {
        match (self.bias, self.transposed) {
            (true, _) => vec![self.block.cols],
            (false, true) => vec![self.block.cols, self.block.rows],
            (false, false) => vec![self.block.rows, self.block.cols],
        }
    }
}

/// All parameters of a network, or the gradients with respect to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters<T> {
    layout: Layout,
    data: Vec<T>,
}

impl<T: Scalar> Parameters<T> {
    /// Parameters that are all zero; a gradient starts from these.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn zeros(config: &NetworkConfig) -> Self {
        Self::try_zeros(config).expect("memory for parameters")
    }

    /// As [`zeros`](Self::zeros).
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn try_zeros(config: &NetworkConfig) -> Result<Self> {
        // Before the table: its `usize` numbers would overflow for a network far too large for memory.
        let data = memory::zeros(Layout::count(config))?;
        let layout = Layout::new(config);
        Ok(Parameters { layout, data })
    }

    /// A copy, or an error where the system has no memory for one.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        let mut data = memory::zeros(self.data.len() as u128)?;
        data.copy_from_slice(&self.data);
        let layout = self.layout.clone();
        Ok(Parameters { layout, data })
    }

    /// Bytes of all parameters of a network.
    pub(crate) fn bytes(config: &NetworkConfig) -> u128 {
        memory::bytes::<T>(Layout::count(config))
    }

    /// Whether all of them are finite.
    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|value| value.to_f64().is_finite())
    }

    /// The table of parameters.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no parameters; false for every valid network.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// All parameters in the order of the table.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// All parameters in the order of the table, mutably.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The table and all parameters, mutably.
    pub(crate) fn parts_mut(&mut self) -> (&Layout, &mut [T]) {
        (&self.layout, &mut self.data)
    }

    /// Sets every value to zero.
    pub fn clear(&mut self) {
        self.data.fill(T::ZERO);
    }

    /// The elements of one parameter, as they lie in memory.
    pub fn slice(&self, block: Block) -> &[T] {
        &self.data[block.range()]
    }

    /// The elements of one parameter, mutably.
    pub fn slice_mut(&mut self, block: Block) -> &mut [T] {
        &mut self.data[block.range()]
    }

    /// One parameter as a matrix, as it lies in memory.
    pub fn matrix(&self, block: Block) -> MatrixView<'_, T> {
        MatrixView::new(self.slice(block), block.rows, block.cols)
    }

    /// The elements of one parameter in PyTorch's order: transposed where memory holds it so.
    pub fn to_pytorch(&self, named: &Named) -> Vec<T> {
        self.in_pytorch_order(named).collect()
    }

    /// The same as an iterator.
    pub(crate) fn in_pytorch_order(
        &self,
        named: &Named,
    ) -> impl ExactSizeIterator<Item = T> + use<'_, T> {
        let Block { rows, cols, .. } = named.block;
        let (data, is_transposed) = (self.slice(named.block), named.transposed);
        (0..data.len()).map(move |at| match is_transposed {
            true => data[(at % rows) * cols + at / rows],
            false => data[at],
        })
    }

    /// Sets one parameter from elements in PyTorch's order.
    ///
    /// # Panics
    /// If the number of elements is not the parameter's.
    pub fn set_pytorch(&mut self, named: &Named, values: &[T]) {
        let count = values.len();
        assert!(count == named.block.len(), "{count} values for {named:?}");
        self.fill_pytorch(named, |at| values[at]);
    }

    /// Sets one parameter to `value` of each place in PyTorch's order.
    pub(crate) fn fill_pytorch(&mut self, named: &Named, value: impl Fn(usize) -> T) {
        let Block { rows, cols, .. } = named.block;
        let data = self.slice_mut(named.block);
        for (at, to) in data.iter_mut().enumerate() {
            *to = if named.transposed {
                value(at % cols * rows + at / cols)
            } else {
                value(at)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::CellKind;

    #[test]
    fn parameters_are_counted_as_they_are_laid_out() {
        for cell in CellKind::ALL {
            for num_layers in [1, 3] {
                let network = NetworkConfig {
                    cell,
                    vocab_size: 7,
                    hidden_size: 5,
                    num_layers,
                };
                let layout = Layout::new(&network);
                assert_eq!(Layout::count(&network), layout.len as u128, "{cell}");
                let multipliers = layout.multipliers().into_iter().map(|range| range.len());
                let count = multipliers.sum::<usize>() as u128;
                assert_eq!(Layout::multiplier_count(&network), count, "{cell}");
            }
        }
    }
}
