//! The content of a model's file.

use std::path::Path;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::container::{Tensors, open, seal, values};
use super::header::wrong;
use super::parts::{
    Symbols, add_parameters, check_count, check_names, read_parameters, unreadable, unsound,
};
use super::{file, resume};
use crate::config::NetworkConfig;
use crate::error::Result;
use crate::memory;
use crate::model::{Model, Training};
use crate::network::Network;
use crate::parameters::{Layout, Parameters};
use crate::vocabulary::Vocabulary;

/// What a model's file says beside its tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    architecture: NetworkConfig,
    training: Option<Training>,
    vocabulary: Symbols,
}

impl Model {
    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) naming the path, with the reason as its source.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        file::read(path.as_ref(), Self::from_bytes)
    }

    /// Writes the model to a file that [`load`](Self::load) reads. At every instant the path holds the
    /// old content or the new.
    ///
    /// # Errors
    /// [`Error::Save`](crate::Error::Save) if the file cannot be written or could not be read again, as where a weight is
    /// not finite; [`Error::Locked`](crate::Error::Locked) while a run saves there. The path then holds what it held before.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        file::save(path, &content(self, path)?)
    }

    /// A model from the content of its file.
    ///
    /// # Errors
    /// [`Error::NotAModel`](crate::Error::NotAModel) saying what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (description, vocabulary, file) = describe(bytes)?;
        let parameters = read_parameters(&description.architecture, &file, "", values)?;
        let network = Network::from_parameters(description.architecture, parameters);
        Ok(Model::new(vocabulary, network, description.training))
    }

    /// The content of a file. Equal models give equal bytes.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.try_to_bytes()
            .expect("memory for the content of a file")
    }

    /// The same, or an error where memory runs out.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn try_to_bytes(&self) -> Result<Vec<u8>> {
        // Once as tensors, once in one piece.
        memory::check(2 * Parameters::<f32>::bytes(self.network().config()))?;
        let mut tensors = Tensors::new();
        add_parameters(&mut tensors, "", self.network().parameters())?;
        let description = Description {
            architecture: *self.network().config(),
            training: self.training().cloned(),
            vocabulary: Symbols::of(self.vocabulary()),
        };
        seal(tensors, &description)
    }
}

/// The content of a file to be saved at `path`, which [`Model::load`] will read.
///
/// # Errors
/// [`Error::Save`](crate::Error::Save) if it would not: a weight or a number of the history is not finite, a setting is out
/// of range, or the file would be too large.
pub fn content(model: &Model, path: &Path) -> Result<Vec<u8>> {
    if !model.network().parameters().is_finite() {
        let why = "its weights are not finite; try a smaller learning rate";
        return Err(unsound(path, why));
    }
    let bytes = model.try_to_bytes()?;
    let (description, _, file) = describe(&bytes).map_err(|error| unreadable(path, error))?;
    for named in Layout::new(&description.architecture).named() {
        values(&file, &named.name, &named.shape()).map_err(|error| unreadable(path, error))?;
    }
    Ok(bytes)
}

/// Whether `bytes` are the whole file of a model or of a run.
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
    check_names(&description.architecture, &file)?;
    Ok((description, vocabulary, file))
}
