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

mod file;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hasher;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

pub use file::{check_target, load, save};

use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::model::{Model, Training};
use crate::network::Network;
use crate::parameters::{Layout, Parameters};
use crate::vocabulary::Vocabulary;

/// Version of the layout that this program writes, the only one that it reads.
pub const FORMAT: u32 = 1;
/// The one metadata entry.
const KEY: &str = "rnn";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    architecture: NetworkConfig,
    checksum: String,
    format: u32,
    training: Option<Training>,
    vocabulary: Symbols,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Symbols {
    Bytes,
    Characters(String),
}

/// The content of a model's file. Equal models give equal bytes.
pub fn to_bytes(model: &Model) -> Vec<u8> {
    let tensors = little_endian(model.network().parameters());
    let vocabulary = model.vocabulary();
    let symbols = match vocabulary.is_bytes() {
        true => Symbols::Bytes,
        false => Symbols::Characters(vocabulary.symbols().iter().collect()),
    };
    let mut header = Header {
        architecture: *model.network().config(),
        checksum: String::new(),
        format: FORMAT,
        training: model.training().cloned(),
        vocabulary: symbols,
    };
    header.checksum = checksum(&tensors, &to_json(&header));
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        let view =
            TensorView::new(Dtype::F32, shape.clone(), bytes).expect("four bytes for each element");
        (name.clone(), view)
    });
    let metadata = HashMap::from([(KEY.to_string(), to_json(&header))]);
    serialize(views, Some(metadata)).expect("names, shapes and bytes agree")
}

/// A model from the content of its file.
///
/// # Errors
/// [`Error::NotAModel`] saying what is wrong.
pub fn from_bytes(bytes: &[u8]) -> Result<Model> {
    let wrong = |what: String| Error::NotAModel { what };
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| wrong(describe(&error, bytes)))?;
    let json = metadata
        .metadata()
        .as_ref()
        .and_then(|entries| entries.get(KEY))
        .ok_or_else(|| {
            wrong(format!(
                "its metadata has no entry {KEY:?}: a safetensors file of another program"
            ))
        })?;
    let version: Version = serde_json::from_str(json)
        .map_err(|error| wrong(format!("its description is damaged: {error}")))?;
    if version.format != FORMAT {
        return Err(wrong(format!(
            "its format is version {}, expected {FORMAT}",
            version.format
        )));
    }
    let mut header: Header = serde_json::from_str(json)
        .map_err(|error| wrong(format!("its description is damaged: {error}")))?;
    header
        .architecture
        .validate()
        .map_err(|error| wrong(error.to_string()))?;
    let vocabulary = match &header.vocabulary {
        Symbols::Bytes => Vocabulary::bytes(),
        Symbols::Characters(symbols) => Vocabulary::from_symbols(symbols.chars().collect())
            .map_err(|error| wrong(error.to_string()))?,
    };
    if vocabulary.len() != header.architecture.vocab_size {
        let (symbols, size) = (vocabulary.len(), header.architecture.vocab_size);
        return Err(wrong(format!(
            "its vocabulary has {symbols} symbols, its network {size}"
        )));
    }
    let file = SafeTensors::deserialize(bytes).map_err(|error| wrong(describe(&error, bytes)))?;
    let network = read_tensors(&header.architecture, &file)?;
    let claimed = std::mem::take(&mut header.checksum);
    let actual = checksum(&little_endian(network.parameters()), &to_json(&header));
    if claimed != actual {
        return Err(wrong(format!(
            "its checksum is {claimed:?}, but its content gives {actual:?}: the file is damaged"
        )));
    }
    Ok(Model::new(vocabulary, network, header.training))
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Takes the parameters of `architecture` out of a file that has them and no others.
fn read_tensors(architecture: &NetworkConfig, file: &SafeTensors<'_>) -> Result<Network<f32>> {
    let wrong = |what: String| Error::NotAModel { what };
    // Counted before anything is allocated: the file must hold every element that the sizes ask for.
    let wanted = element_count(architecture).filter(|&count| count <= usize::MAX / 4);
    let held: usize = file.iter().map(|(_, view)| view.data().len() / 4).sum();
    if wanted != Some(held) {
        let wanted = wanted.map_or("more than memory has".to_string(), |count| {
            count.to_string()
        });
        return Err(wrong(format!(
            "it holds {held} weights, its architecture has {wanted}"
        )));
    }
    let mut parameters = Parameters::zeros(architecture);
    let named = parameters.layout().named();
    if file.len() != named.len() {
        return Err(wrong(format!(
            "it holds {} tensors, expected {}",
            file.len(),
            named.len()
        )));
    }
    for named in named {
        let name = &named.name;
        let view = file
            .tensor(name)
            .map_err(|_| wrong(format!("tensor {name:?} is missing")))?;
        if view.dtype() != Dtype::F32 || view.shape() != named.shape() {
            let (dtype, shape, expected) = (view.dtype(), view.shape(), named.shape());
            return Err(wrong(format!(
                "tensor {name:?} is {dtype:?} {shape:?}, expected F32 {expected:?}"
            )));
        }
        let values: Vec<f32> = view
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect();
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(wrong(format!(
                "tensor {name:?} has {} at element {at}, expected finite numbers",
                values[at]
            )));
        }
        parameters.set_pytorch(&named, &values);
    }
    Ok(Network::from_parameters(*architecture, parameters))
}

/// Number of parameters, if it fits the machine.
fn element_count(config: &NetworkConfig) -> Option<usize> {
    let (v, h) = (config.vocab_size, config.hidden_size);
    let gates = config.cell.gates().checked_mul(h)?;
    let mut sum = v.checked_mul(h)?.checked_add(v)?;
    for layer in 0..config.num_layers {
        let inputs = if layer == 0 { v } else { h };
        sum = sum.checked_add(gates.checked_mul(inputs.checked_add(h)?.checked_add(2)?)?)?;
    }
    debug_assert!(sum > 1 << 24 || sum == Layout::new(config).len);
    Some(sum)
}

type Tensors = BTreeMap<String, (Vec<usize>, Vec<u8>)>;

/// Every parameter by name: its shape and its bytes as a file has them.
fn little_endian(parameters: &Parameters<f32>) -> Tensors {
    let bytes = |values: Vec<f32>| values.into_iter().flat_map(f32::to_le_bytes).collect();
    let named = parameters.layout().named();
    named
        .into_iter()
        .map(|n| {
            (
                n.name.clone(),
                (n.shape(), bytes(parameters.to_pytorch(&n))),
            )
        })
        .collect()
}

/// XXH3-64 over the tensors by name and the description with an empty checksum.
fn checksum(tensors: &Tensors, json: &str) -> String {
    let mut hasher = XxHash3_64::new();
    let mut field = |bytes: &[u8]| {
        hasher.write(&(bytes.len() as u64).to_le_bytes());
        hasher.write(bytes);
    };
    for (name, (_, bytes)) in tensors {
        field(name.as_bytes());
        field(bytes);
    }
    field(json.as_bytes());
    format!("{:016x}", hasher.finish())
}

/// JSON with sorted keys: a map of `serde_json` is sorted.
fn to_json(header: &Header) -> String {
    serde_json::to_value(header)
        .expect("plain data")
        .to_string()
}

/// What the safetensors crate found, in words for a person.
fn describe(error: &safetensors::SafeTensorError, bytes: &[u8]) -> String {
    use safetensors::SafeTensorError as E;
    match error {
        E::HeaderTooSmall => format!(
            "it has {} bytes, too few for a safetensors file",
            bytes.len()
        ),
        E::HeaderTooLarge | E::InvalidHeader(_) | E::InvalidHeaderDeserialization(_) => {
            "it is not a safetensors file".into()
        }
        E::InvalidHeaderLength | E::MetadataIncompleteBuffer => {
            format!(
                "its {} bytes are not as many as its header says: it is cut short or not a safetensors file",
                bytes.len()
            )
        }
        other => format!("its header is damaged: {other}"),
    }
}

#[cfg(test)]
mod tests;
