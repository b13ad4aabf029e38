//! What the files of a model and of a run have in common: a vocabulary, and parameters under their
//! names.

use std::io;
use std::path::Path;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::container::{Tensors, bytes};
use super::header::wrong;
use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::memory;
use crate::parameters::{Layout, Parameters};
use crate::vocabulary::Vocabulary;

/// A vocabulary in a file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Symbols {
    Bytes,
    Characters(String),
}

impl Symbols {
    pub(super) fn of(vocabulary: &Vocabulary) -> Self {
        match vocabulary.is_bytes() {
            true => Symbols::Bytes,
            false => Symbols::Characters(vocabulary.symbols().iter().collect()),
        }
    }

    /// The vocabulary, if it is one and as large as the network says.
    pub(super) fn read(&self, architecture: &NetworkConfig) -> Result<Vocabulary> {
        architecture
            .validate()
            .map_err(|error| wrong(error.to_string()))?;
        let symbols = match self {
            Symbols::Bytes => Vocabulary::bytes().len(),
            Symbols::Characters(symbols) => symbols.chars().count(),
        };
        if symbols != architecture.vocab_size {
            let size = architecture.vocab_size;
            return Err(wrong(format!(
                "its vocabulary has {symbols} symbols, its network {size}"
            )));
        }
        match self {
            Symbols::Bytes => Ok(Vocabulary::bytes()),
            Symbols::Characters(text) => {
                let mut all = memory::room(symbols)?;
                all.extend(text.chars());
                Vocabulary::from_symbols(all).map_err(|error| match error {
                    Error::TooLarge { .. } => error,
                    error => wrong(error.to_string()),
                })
            }
        }
    }
}

/// Adds every parameter under its name after `prefix`.
pub(super) fn add_parameters(
    tensors: &mut Tensors,
    prefix: &str,
    parameters: &Parameters<f32>,
) -> Result<()> {
    for named in parameters.layout().named() {
        let values = bytes(parameters.in_pytorch_order(&named))?;
        tensors.insert(format!("{prefix}{}", named.name), (named.shape(), values));
    }
    Ok(())
}

/// Takes the values of a tensor out of a file: [`values`](super::container::values), which are finite,
/// or [`any_values`](super::container::any_values).
pub(super) type Take<'a> = fn(&SafeTensors<'a>, &str, &[usize]) -> Result<&'a [[u8; 4]]>;

/// Takes the parameters of `architecture` out of a file.
pub(super) fn read_parameters<'a>(
    architecture: &NetworkConfig,
    file: &SafeTensors<'a>,
    prefix: &str,
    take: Take<'a>,
) -> Result<Parameters<f32>> {
    memory::check(Parameters::<f32>::bytes(architecture))?;
    let mut parameters = Parameters::try_zeros(architecture)?;
    for named in parameters.layout().named() {
        let name = format!("{prefix}{}", named.name);
        let values = take(file, &name, &named.shape())?;
        parameters.fill_pytorch(&named, |at| f32::from_le_bytes(values[at]));
    }
    Ok(parameters)
}

/// Checks, before anything is allocated for them, that the file holds at least `copies` times the
/// weights of the architecture.
pub(super) fn check_count(
    architecture: &NetworkConfig,
    file: &SafeTensors<'_>,
    copies: usize,
) -> Result<()> {
    let held: u128 = file
        .iter()
        .map(|(_, view)| (view.data().len() / size_of::<f32>()) as u128)
        .sum();
    let wanted = Layout::count(architecture).saturating_mul(copies as u128);
    if wanted <= held {
        return Ok(());
    }
    Err(wrong(format!(
        "it holds {held} weights, its sizes ask for {wanted}"
    )))
}

/// Checks that the file holds no tensor beside the parameters of `architecture`.
pub(super) fn check_names(architecture: &NetworkConfig, file: &SafeTensors<'_>) -> Result<()> {
    let (held, named) = (file.len(), Layout::new(architecture).named().len());
    if held != named {
        return Err(wrong(format!("it holds {held} tensors, expected {named}")));
    }
    Ok(())
}

/// What would be saved at `path` could not be read again.
pub(super) fn unreadable(path: &Path, error: Error) -> Error {
    let what = match error {
        Error::NotAModel { what } => what,
        error => error.to_string(),
    };
    unsound(path, &format!("it could not be read again: {what}"))
}

pub(super) fn unsound(path: &Path, why: &str) -> Error {
    Error::Save {
        path: path.into(),
        source: io::Error::new(io::ErrorKind::InvalidData, why),
    }
}
