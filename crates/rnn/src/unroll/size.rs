//! How much memory an unrolled network takes, and how many steps of it take little.

use crate::config::NetworkConfig;
use crate::memory;
use crate::vocabulary::Id;

/// How large an [`Unroll`](super::Unroll) is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Sequences.
    pub(crate) rows: usize,
    /// The most steps.
    pub(crate) steps: usize,
    /// Whether there is room for dropout.
    pub(crate) dropout: bool,
    /// Whether there is room for logits.
    pub(crate) logits: bool,
}

/// Numbers of elements in the buffers of an [`Unroll`](super::Unroll), those of a layer first.
pub(super) struct Lengths {
    pub(super) block: u128,
    pub(super) h: u128,
    pub(super) c: u128,
    pub(super) dropped: u128,
    pub(super) logits: u128,
    pub(super) inputs: u128,
    pub(super) bias: u128,
}

impl Size {
    /// To read with: neither dropout nor gradients.
    pub(crate) fn reading(rows: usize, steps: usize) -> Self {
        Size {
            rows,
            steps,
            dropout: false,
            logits: true,
        }
    }

    /// The same over as many steps at a time as take little memory, up to `most`. A text may be cut
    /// into pieces anywhere: that changes no bit of what is read.
    pub(crate) fn piecewise<T>(config: &NetworkConfig, rows: usize, most: usize) -> Self {
        let one = Size::reading(rows, 1).bytes::<T>(config);
        Size::reading(rows, pieces(one, most))
    }

    pub(super) fn lengths(&self, config: &NetworkConfig) -> Lengths {
        let (rows, steps, h) = (self.rows, self.steps, config.hidden_size);
        let width = config.cell.block_width();
        let states = memory::product(&[steps.saturating_add(1), rows, h]);
        let if_there = |is: bool, len: u128| if is { len } else { 0 };
        Lengths {
            block: memory::product(&[steps, rows, width, h]),
            h: states,
            c: if_there(config.cell.has_memory(), states),
            dropped: if_there(self.dropout, memory::product(&[steps, rows, h])),
            logits: if_there(
                self.logits,
                memory::product(&[steps, rows, config.vocab_size]),
            ),
            inputs: memory::product(&[steps, rows]),
            bias: memory::product(&[width, h]),
        }
    }

    /// Bytes of the buffers of an [`Unroll`](super::Unroll) of this size.
    pub(crate) fn bytes<T>(&self, config: &NetworkConfig) -> u128 {
        let lens = self.lengths(config);
        let layer = [lens.block, lens.h, lens.c, lens.dropped];
        let layers = sum(&layer).saturating_mul(config.num_layers as u128);
        memory::bytes::<T>(sum(&[layers, lens.logits, lens.bias]))
            .saturating_add(memory::bytes::<Id>(lens.inputs))
    }
}

/// How many of what takes `one` byte or more to take at a time, up to `most`: enough of a network of
/// ordinary size to make one product of many.
pub(crate) fn pieces(one: u128, most: usize) -> usize {
    const ENOUGH: u128 = 32 << 20;
    (ENOUGH / one.max(1)).clamp(1, most.max(1) as u128) as usize
}

fn sum(numbers: &[u128]) -> u128 {
    numbers.iter().fold(0, |sum, &n| sum.saturating_add(n))
}
