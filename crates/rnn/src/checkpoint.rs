//! Models as files: bytes to model and back (pure), then reading and writing them safely.
//!
//! A file is a `.safetensors`: tensors under PyTorch's names and shapes, and one metadata entry,
//! `rnn`, that holds JSON with sorted keys:
//!
//! | field | content |
//! |---|---|
//! | `architecture` | cell, vocabulary size, hidden size, number of layers |
//! | `checksum` | XXH3-64 of everything else, in hexadecimal |
//! | `format` | version of this layout, 1 |
//! | `training` | settings and history, or null |
//! | `vocabulary` | `{"characters": "…"}` in ascending order, or `"bytes"` |
//!
//! Nothing in it depends on the clock, the path or the number of threads. What is read is taken as
//! hostile: sizes, names, shapes and values are checked before there is a model.

mod container;
mod existing;
mod file;
mod header;
mod import;
mod keeper;
mod lock;
mod place;
mod resume;
#[cfg(test)]
mod save_tests;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

pub use container::{FORMAT, checksum_of};
pub use file::{check_target, load, read, read_from, resolve, save};
pub use import::import;
pub use keeper::{Every, Keeper};
pub use lock::{LOCK_MARK, lock_path};
pub use place::open as open_file;
pub use resume::{Interrupted, resume_path};

use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::{Model, Training};
use crate::network::Network;
use crate::parameters::{Layout, Parameters};
use crate::vocabulary::Vocabulary;
use container::{Tensors, bytes, open, seal, values, wrong};

/// What a model's file says beside its tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    architecture: NetworkConfig,
    training: Option<Training>,
    vocabulary: Symbols,
}

/// A vocabulary in a file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Symbols {
    Bytes,
    Characters(String),
}

impl Symbols {
    fn of(vocabulary: &Vocabulary) -> Self {
        match vocabulary.is_bytes() {
            true => Symbols::Bytes,
            false => Symbols::Characters(vocabulary.symbols().iter().collect()),
        }
    }

    /// The vocabulary, if it is one and as large as the network says.
    fn read(&self, architecture: &NetworkConfig) -> Result<Vocabulary> {
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

/// The content of a model's file. Equal models give equal bytes.
///
/// # Panics
/// If memory runs out.
pub fn to_bytes(model: &Model) -> Vec<u8> {
    try_to_bytes(model).expect("memory for the content of a file")
}

/// The same, or an error where memory runs out.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn try_to_bytes(model: &Model) -> Result<Vec<u8>> {
    // Once as tensors, once in one piece.
    memory::check(2 * Parameters::<f32>::bytes(model.network().config()))?;
    let mut tensors = Tensors::new();
    add_parameters(&mut tensors, "", model.network().parameters())?;
    let description = Description {
        architecture: *model.network().config(),
        training: model.training().cloned(),
        vocabulary: Symbols::of(model.vocabulary()),
    };
    seal(tensors, &description)
}

/// The content of a file to be saved at `path`, which [`load`] will read.
///
/// # Errors
/// [`Error::Save`] if it would not: a weight or a number of the history is not finite, a setting is out
/// of range, there is more than a file has room for.
pub(crate) fn bytes_for(path: &Path, model: &Model) -> Result<Vec<u8>> {
    if !model.network().parameters().is_finite() {
        let why = "its weights are not finite; try a smaller learning rate";
        return Err(unsound(path, why));
    }
    let bytes = try_to_bytes(model)?;
    let (description, _, file) = describe(&bytes).map_err(|error| unreadable(path, error))?;
    for named in Layout::new(&description.architecture).named() {
        values(&file, &named.name, &named.shape()).map_err(|error| unreadable(path, error))?;
    }
    Ok(bytes)
}

/// What would be saved at `path` could not be read again.
fn unreadable(path: &Path, error: Error) -> Error {
    let what = match error {
        Error::NotAModel { what } => what,
        error => error.to_string(),
    };
    unsound(path, &format!("it could not be read again: {what}"))
}

fn unsound(path: &Path, why: &str) -> Error {
    Error::Save {
        path: path.into(),
        source: io::Error::new(io::ErrorKind::InvalidData, why),
    }
}

/// A model from the content of its file.
///
/// # Errors
/// [`Error::NotAModel`] saying what is wrong.
pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
    let (description, vocabulary, file) = describe(bytes)?;
    let parameters = read_parameters(&description.architecture, &file, "", values)?;
    let network = Network::from_parameters(description.architecture, parameters);
    Ok(Model::new(vocabulary, network, description.training))
}

/// Whether bytes are the whole file of a model, or of a run that can be resumed.
pub fn is_ours(bytes: &[u8]) -> bool {
    describe(bytes).is_ok() || resume::is_run(bytes)
}

/// All of a model's file but its weights, checked.
fn describe(bytes: &[u8]) -> Result<(Description, Vocabulary, SafeTensors<'_>)> {
    let (description, file) = open::<Description>(bytes).map_err(|error| {
        if resume::is_run(bytes) {
            wrong("it is the state of a run, not a model; use the model beside it")
        } else {
            error
        }
    })?;
    let vocabulary = description.vocabulary.read(&description.architecture)?;
    if let Some(training) = &description.training {
        let settings = training.config.validate();
        settings.map_err(|error| wrong(error.to_string()))?;
    }
    check_count(&description.architecture, &file, 1)?;
    let named = Layout::new(&description.architecture).named().len();
    if file.len() != named {
        return Err(wrong(format!(
            "it holds {} tensors, expected {named}",
            file.len()
        )));
    }
    Ok((description, vocabulary, file))
}

/// Adds every parameter under its name after `prefix`.
fn add_parameters(tensors: &mut Tensors, prefix: &str, parameters: &Parameters<f32>) -> Result<()> {
    for named in parameters.layout().named() {
        let values = bytes(parameters.in_pytorch_order(&named))?;
        tensors.insert(format!("{prefix}{}", named.name), (named.shape(), values));
    }
    Ok(())
}

/// Takes the values of a tensor out of a file: [`values`], or
/// [`any_values`](container::any_values), which may be none.
type Take<'a> = fn(&SafeTensors<'a>, &str, &[usize]) -> Result<&'a [[u8; 4]]>;

/// Takes the parameters of `architecture` out of a file.
fn read_parameters<'a>(
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
/// weights that the architecture asks for.
fn check_count(architecture: &NetworkConfig, file: &SafeTensors<'_>, copies: usize) -> Result<()> {
    let held: usize = file
        .iter()
        .map(|(_, view)| view.data().len() / size_of::<f32>())
        .sum();
    let wanted = Layout::count(architecture) * copies as u128;
    if wanted <= held as u128 {
        return Ok(());
    }
    Err(wrong(format!(
        "it holds {held} weights, its sizes ask for {wanted}"
    )))
}
