//! Everything that a training run needs to continue as if it had never stopped.
//!
//! The file is a container like a model's, with the weights as they are now, the best ones under
//! the prefix `best.`, the optimiser's state by parameter table order, the carried hidden state,
//! and every counter. Dropout and the position in the text are functions of the step, so they need no
//! place in the file.

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::container::{Tensors, any_values, bytes, numbers, open, seal, values};
use super::header::wrong;
use super::parts::{Symbols, add_parameters, check_count, read_parameters, unreadable, unsound};
use super::place::beside;
use crate::config::NetworkConfig;
use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::{Model, Training};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::state::State;
use crate::trainer::{Progress, TrainConfig};
use crate::vocabulary::Vocabulary;

/// The path of `MODEL.resume`, the file beside a model that holds what resuming needs.
pub fn resume_path(model: &Path) -> PathBuf {
    beside(model, "resume")
}

/// A training run between two steps, as a file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Interrupted {
    pub(crate) architecture: NetworkConfig,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) config: TrainConfig,
    /// Shares of the text for training, validation and test.
    pub(crate) split: Vec<f64>,
    pub(crate) digest: u64,
    pub(crate) progress: Progress,
    pub(crate) parameters: Parameters<f32>,
    pub(crate) best: Option<Parameters<f32>>,
    pub(crate) optimizer_steps: u64,
    pub(crate) optimizer_state: Vec<(String, Vec<f32>)>,
    pub(crate) state: State<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    architecture: NetworkConfig,
    config: TrainConfig,
    digest: u64,
    has_best: bool,
    optimizer_state: Vec<String>,
    optimizer_steps: u64,
    progress: Progress,
    split: Vec<f64>,
    vocabulary: Symbols,
}

/// Whether these bytes are a run, so that whoever takes them for a model gets a clear error.
pub(super) fn is_run(content: &[u8]) -> bool {
    open::<Description>(content).is_ok()
}

/// All of a file but its tensors, checked.
fn describe(content: &[u8]) -> Result<(Description, Vocabulary, SafeTensors<'_>)> {
    let (d, file) = open::<Description>(content)?;
    let vocabulary = d.vocabulary.read(&d.architecture)?;
    d.config
        .validate()
        .map_err(|error| wrong(error.to_string()))?;
    d.progress
        .validate()
        .map_err(|error| wrong(error.to_string()))?;
    let copies = 1 + usize::from(d.has_best) + d.optimizer_state.len();
    check_count(&d.architecture, &file, copies)?;
    Ok((d, vocabulary, file))
}

impl Interrupted {
    /// The file's content.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.try_into_bytes()
            .expect("memory for the content of a file")
    }

    /// The same, or an error where memory runs out.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn try_into_bytes(self) -> Result<Vec<u8>> {
        let names = self.optimizer_state.iter().map(|(name, _)| name.clone());
        let description = Description {
            architecture: self.architecture,
            config: self.config,
            digest: self.digest,
            has_best: self.best.is_some(),
            optimizer_state: names.collect(),
            optimizer_steps: self.optimizer_steps,
            progress: self.progress,
            split: self.split,
            vocabulary: Symbols::of(&self.vocabulary),
        };
        // Each part is freed as soon as it is copied, so saving a run takes little more than the run.
        let mut tensors = Tensors::new();
        add_parameters(&mut tensors, "", &self.parameters)?;
        drop(self.parameters);
        if let Some(best) = self.best {
            add_parameters(&mut tensors, "best.", &best)?;
        }
        for (name, values) in self.optimizer_state {
            let name = format!("optimizer.{name}");
            tensors.insert(name, (vec![values.len()], bytes(values.iter().copied())?));
        }
        for (letter, layers) in [("h", &self.state.h), ("c", &self.state.c)] {
            for (k, layer) in layers.iter().enumerate() {
                let shape = vec![layer.rows(), layer.cols()];
                let values = bytes(layer.as_slice().iter().copied())?;
                tensors.insert(format!("state.{letter}_l{k}"), (shape, values));
            }
        }
        seal(tensors, &description)
    }

    /// As [`into_bytes`](Self::into_bytes), of a file to be saved at `path`, which
    /// [`from_bytes`](Self::from_bytes) will read.
    ///
    /// # Errors
    /// [`Error::Save`] if it would not.
    pub(super) fn into_bytes_for(self, path: &Path) -> Result<Vec<u8>> {
        if self.best.as_ref().is_some_and(|best| !best.is_finite()) {
            return Err(unsound(path, "its best weights are not finite"));
        }
        let bytes = self.try_into_bytes()?;
        describe(&bytes).map_err(|error| unreadable(path, error))?;
        Ok(bytes)
    }

    /// A run from its file's content.
    ///
    /// # Errors
    /// [`Error::NotAModel`] saying what is wrong.
    pub fn from_bytes(content: &[u8]) -> Result<Self> {
        let (d, vocabulary, file) = describe(content)?;
        // These may not be finite: the run then skips steps, and in the end returns to its best weights.
        let parameters = read_parameters(&d.architecture, &file, "", any_values)?;
        let best = d
            .has_best
            .then(|| read_parameters(&d.architecture, &file, "best.", values))
            .transpose()?;
        let mut optimizer_state = Vec::new();
        for name in d.optimizer_state {
            let values = any_values(&file, &format!("optimizer.{name}"), &[parameters.len()])?;
            optimizer_state.push((name, numbers(values)?));
        }
        let shape = [d.config.batch_size, d.architecture.hidden_size];
        let layer = |letter: &str, k: usize| {
            let values = any_values(&file, &format!("state.{letter}_l{k}"), &shape)?;
            let mut layer = memory::matrix(shape[0], shape[1])?;
            layer.as_mut_slice().copy_from_slice(&numbers(values)?);
            Ok(layer)
        };
        let layers = |letter: &str, count: usize| -> Result<Vec<_>> {
            (0..count).map(|k| layer(letter, k)).collect()
        };
        let memories = if d.architecture.cell.has_memory() {
            d.architecture.num_layers
        } else {
            0
        };
        let state = State {
            h: layers("h", d.architecture.num_layers)?,
            c: layers("c", memories)?,
        };
        Ok(Interrupted {
            architecture: d.architecture,
            vocabulary,
            config: d.config,
            split: d.split,
            digest: d.digest,
            progress: d.progress,
            parameters,
            best,
            optimizer_steps: d.optimizer_steps,
            optimizer_state,
            state,
        })
    }

    /// The architecture of its network.
    pub fn network(&self) -> &NetworkConfig {
        &self.architecture
    }

    /// Its settings.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The shares of its text.
    pub fn split(&self) -> &[f64] {
        &self.split
    }

    /// Checks that `corpus` is the text of this run.
    ///
    /// # Errors
    /// [`Error::TextChanged`] if it is not.
    pub fn check_text(&self, corpus: &Corpus) -> Result<()> {
        if *corpus.vocabulary() == self.vocabulary && corpus.digest() == self.digest {
            Ok(())
        } else {
            Err(Error::TextChanged)
        }
    }

    /// Its vocabulary.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Steps taken.
    pub fn step_count(&self) -> u64 {
        self.progress.step
    }

    /// The model that the run would save now: what `MODEL` holds, or should hold.
    pub fn model(&self) -> Model {
        let parameters = self.best.as_ref().unwrap_or(&self.parameters).clone();
        let network = Network::from_parameters(self.architecture, parameters);
        let training = Training::new(self.config, &self.progress);
        Model::new(self.vocabulary.clone(), network, Some(training))
    }
}
