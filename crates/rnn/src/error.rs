//! Errors of this crate: one enum. Each message holds the offending value and what would be right.

/// What can go wrong in this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Settings: optimisers, clipping, schedules.
    /// A setting is a number outside its range.
    #[error("{name} must be {expected}, got {}", short(*value))]
    InvalidSetting {
        /// The setting's name.
        name: &'static str,
        /// Its range in words.
        expected: &'static str,
        /// What it was.
        value: f64,
    },
    /// A name that stands for none of the known choices.
    #[error("{what} must be one of {expected}, got {value:?}")]
    UnknownName {
        /// What was to be named, as "optimiser".
        what: &'static str,
        /// All known names.
        expected: &'static str,
        /// The name given.
        value: String,
    },

    // Optimiser state from a file.
    /// Saved optimiser state lacks a slice that the optimiser needs.
    #[error("optimiser state lacks {name:?}, which {optimizer} needs")]
    MissingState {
        /// The missing slice's name.
        name: &'static str,
        /// The optimiser's name.
        optimizer: &'static str,
    },
    /// A slice of saved optimiser state does not fit the parameters.
    #[error("optimiser state {name:?} has {value} values, expected {expected}")]
    StateLength {
        /// The slice's name.
        name: &'static str,
        /// Its length.
        value: usize,
        /// The number of parameters.
        expected: usize,
    },
    /// A value of saved optimiser state cannot have come from training.
    #[error("optimiser state {name:?} must be {expected}, got {} at index {index}", short(*value))]
    StateValue {
        /// The slice's name.
        name: &'static str,
        /// Where the value stands.
        index: usize,
        /// The value.
        value: f64,
        /// What it may be, in words.
        expected: &'static str,
    },
}

/// A number as one would type it: 5, 0.1, 1e300, NaN.
fn short(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// [`std::result::Result`] with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
