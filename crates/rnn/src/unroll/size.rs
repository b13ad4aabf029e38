//! The memory of an unrolled network, and how many steps to take at a time.

use crate::config::NetworkConfig;
use crate::memory;
use crate::vocabulary::Id;

/// The size of an [`Unroll`](super::Unroll).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Number of sequences.
    pub(crate) rows: usize,
    /// The most steps.
    pub(crate) steps: usize,
    /// Whether it has buffers for dropout.
    pub(crate) dropout: bool,
    /// Whether it has buffers for logits.
    pub(crate) logits: bool,
    /// The input before which a sequence starts anew, if any. It takes buffers.
    pub(crate) restart: Option<Id>,
}

/// Lengths of the buffers of an [`Unroll`](super::Unroll), those of a layer first.
pub(super) struct Lengths {
    pub(super) block: u128,
    pub(super) h: u128,
    pub(super) c: u128,
    pub(super) h_prev: u128,
    pub(super) c_prev: u128,
    pub(super) dropped: u128,
    pub(super) logits: u128,
    pub(super) inputs: u128,
    pub(super) bias: u128,
}

impl Size {
    /// For reading: logits, no dropout, no restarts.
    pub(crate) fn reading(rows: usize, steps: usize) -> Self {
        Size {
            rows,
            steps,
            dropout: false,
            logits: true,
            restart: None,
        }
    }

    /// The same for up to `most` steps at a time, fewer if they would take much memory. Cutting a text
    /// into pieces changes no bit of the result.
    pub(crate) fn piecewise<T>(config: &NetworkConfig, rows: usize, most: usize) -> Self {
        let one = Size::reading(rows, 1).bytes::<T>(config);
        Size::reading(rows, pieces(one, most))
    }

    /// The same for sequences that start anew before each input `restart`, if there is one.
    pub(crate) fn restarting(self, restart: impl Into<Option<Id>>) -> Self {
        Size {
            restart: restart.into(),
            ..self
        }
    }

    pub(super) fn lengths(&self, config: &NetworkConfig) -> Lengths {
        let (rows, steps, h) = (self.rows, self.steps, config.hidden_size);
        let width = config.cell.block_width();
        let states = memory::product(&[steps.saturating_add(1), rows, h]);
        let outputs = memory::product(&[steps, rows, h]);
        let if_there = |is: bool, len: u128| if is { len } else { 0 };
        let (restarts, has_memory) = (self.restart.is_some(), config.cell.has_memory());
        Lengths {
            block: memory::product(&[steps, rows, width, h]),
            h: states,
            c: if_there(has_memory, states),
            h_prev: if_there(restarts, outputs),
            c_prev: if_there(restarts && has_memory, outputs),
            dropped: if_there(self.dropout, outputs),
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
        let prev = [lens.h_prev, lens.c_prev];
        let layer = [lens.block, lens.h, lens.c, lens.dropped, sum(&prev)];
        let layers = sum(&layer).saturating_mul(config.num_layers as u128);
        memory::bytes::<T>(sum(&[layers, lens.logits, lens.bias]))
            .saturating_add(memory::bytes::<Id>(lens.inputs))
    }
}

/// How many items of `one` byte or more to take at a time, up to `most`: enough for large products in a
/// network of ordinary size.
pub(crate) fn pieces(one: u128, most: usize) -> usize {
    const ENOUGH: u128 = 32 << 20;
    (ENOUGH / one.max(1)).clamp(1, most.max(1) as u128) as usize
}

fn sum(numbers: &[u128]) -> u128 {
    numbers.iter().fold(0, |sum, &n| sum.saturating_add(n))
}
