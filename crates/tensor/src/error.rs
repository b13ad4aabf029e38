//! What can go wrong with data that a program was given.
//!
//! Shapes that do not fit each other are mistakes of the programmer and panic with both shapes;
//! lengths, parameters and environment variables come from outside and are reported here.

/// Why a matrix or a fill was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The number of elements is not rows x columns.
    #[error("got {len} elements for a matrix of {rows} x {cols}, expected exactly {rows} x {cols}")]
    Length {
        /// Elements given.
        len: usize,
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
    },
    /// Rows of different lengths.
    #[error("row {row} has {len} elements, expected {expected} as in row 0")]
    RaggedRows {
        /// Index of the first row that differs.
        row: usize,
        /// Its length.
        len: usize,
        /// Length of row 0.
        expected: usize,
    },
    /// The system has no memory for what was to be held.
    #[error("no memory for {bytes} bytes; use a smaller size")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: usize,
    },
    /// The standard deviation of a normal distribution is negative or not finite.
    #[error("standard deviation must be finite and at least 0, got {0}")]
    StandardDeviation(f64),
    /// The mean of a normal distribution is not finite.
    #[error("mean must be finite, got {0}")]
    Mean(f64),
    /// The bounds of a uniform distribution are not finite or not in order.
    #[error("uniform bounds must be finite with low <= high, got {low} and {high}")]
    Bounds {
        /// Lower bound given.
        low: f64,
        /// Upper bound given.
        high: f64,
    },
    /// `TENSOR_ISA` names no instruction set that this processor has.
    #[error("TENSOR_ISA is {wanted:?}; use one of: {}", available.join(", "))]
    Isa {
        /// What was asked for.
        wanted: String,
        /// What this processor has.
        available: Vec<&'static str>,
    },
}
