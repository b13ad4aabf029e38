//! The table of a network's parameters: where each lies in the flat vector, its name and its shape.

use std::ops::Range;

use crate::config::NetworkConfig;

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

    pub(crate) fn range(&self) -> Range<usize> {
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
    pub(crate) fn multipliers(&self) -> Vec<Range<usize>> {
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
