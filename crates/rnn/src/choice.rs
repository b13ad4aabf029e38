//! Cells, optimisers and schedules are found by their names.

use std::fmt;

use crate::error::{Error, Result};

/// The one of `all` that is called `name`.
pub(crate) fn named<C: fmt::Display>(
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
