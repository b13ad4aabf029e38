//! What optimisers and schedules check: numbers within their range, names that are known.

use std::fmt;

use crate::error::{Error, Result};

/// Checks a learning rate.
pub(crate) fn check_learning_rate(learning_rate: f64) -> Result<()> {
    let valid = learning_rate.is_finite() && learning_rate > 0.0;
    check("learning rate", learning_rate, valid, "finite and positive")
}

/// `Ok` when `valid`, else the setting with its range.
pub(crate) fn check(
    name: &'static str,
    value: f64,
    valid: bool,
    expected: &'static str,
) -> Result<()> {
    valid.then_some(()).ok_or(Error::InvalidSetting {
        name,
        expected,
        value,
    })
}

/// The one of `all` that is called `name`.
pub(super) fn named<C: fmt::Display>(
    what: &'static str,
    all: impl IntoIterator<Item = C> + Clone,
    name: &str,
) -> Result<C> {
    let found = all
        .clone()
        .into_iter()
        .find(|choice| choice.to_string() == name);
    found.ok_or_else(|| Error::UnknownName {
        what,
        expected: all
            .into_iter()
            .map(|choice| choice.to_string())
            .collect::<Vec<_>>()
            .join(", "),
        value: name.to_owned(),
    })
}
