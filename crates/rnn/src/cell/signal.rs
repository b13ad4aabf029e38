//! The values that a unit has at every step, by the names that they are shown under.

/// Where the values of a signal lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bounds {
    /// Between 0 and 1: a gate.
    Gate,
    /// Between -1 and 1.
    Sign,
    /// Anywhere.
    None,
}

/// One of the values that a unit has at every step; which ones there are depends on the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal {
    /// Its name, such as "hidden state" or "forget gate".
    pub name: &'static str,
    /// Where its values lie.
    pub bounds: Bounds,
    /// The column of the block that holds it, in units of `H`; `None` for the states.
    pub(crate) column: Option<usize>,
    /// The rows of the weights that feed it, in units of `H`, in PyTorch's order of gates.
    pub gate: usize,
}

impl Signal {
    /// The name of the hidden state `h`, which the decoder and the next layer read. All cells.
    pub const HIDDEN: &'static str = "hidden state";
    /// The name of the memory `c`.
    pub const MEMORY: &'static str = "cell state";

    /// A gate, in (0, 1), by its column of the block and its place in the weights.
    pub const fn gate(name: &'static str, column: usize, gate: usize) -> Self {
        Signal::new(name, Bounds::Gate, column, gate)
    }

    /// A value within these bounds, by its column of the block and its place in the weights.
    pub const fn new(name: &'static str, bounds: Bounds, column: usize, gate: usize) -> Self {
        Signal {
            name,
            bounds,
            column: Some(column),
            gate,
        }
    }

    /// A state, which lies beside the block.
    pub(super) const fn state(name: &'static str, bounds: Bounds) -> Self {
        Signal {
            name,
            bounds,
            column: None,
            gate: 0,
        }
    }

    /// Whether its values lie in (0, 1).
    pub fn is_gate(&self) -> bool {
        self.bounds == Bounds::Gate
    }
}
