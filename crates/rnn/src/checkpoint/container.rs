//! The container that every file of ours is: a `.safetensors` whose one metadata entry, `rnn`, is
//! JSON with sorted keys, sealed by a checksum over the tensors and the JSON.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hasher;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors, serialize};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use twox_hash::XxHash3_64;

use crate::error::{Error, Result};

/// Version of the layout that this program writes, the only one that it reads.
pub const FORMAT: u64 = 1;
/// The one metadata entry.
const KEY: &str = "rnn";

/// Tensors by name: shape and bytes.
pub(super) type Tensors = BTreeMap<String, (Vec<usize>, Vec<u8>)>;

/// Values as they stand in a file.
pub(super) fn bytes(values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_val(values));
    for value in values {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// An error that says what is wrong with a file.
pub(super) fn wrong(what: impl Into<String>) -> Error {
    Error::NotAModel { what: what.into() }
}

/// Bytes of a file with these tensors and this description.
pub(super) fn seal(tensors: Tensors, description: &impl Serialize) -> Vec<u8> {
    let description = serde_json::to_value(description).expect("plain data");
    let Value::Object(mut fields) = description else {
        unreachable!("a struct is an object")
    };
    let views: BTreeMap<&str, TensorView<'_>> = tensors
        .iter()
        .map(|(name, (shape, bytes))| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
            (name.as_str(), view.expect("four bytes for each element"))
        })
        .collect();
    fields.insert("format".into(), FORMAT.into());
    let checksum = checksum(&views, &fields);
    fields.insert("checksum".into(), checksum.into());
    let metadata = HashMap::from([(KEY.to_string(), Value::Object(fields).to_string())]);
    serialize(views, Some(metadata)).expect("names, shapes and bytes agree")
}

/// Opens a file's bytes: its description and its tensors, neither of which has been changed since
/// it was sealed.
///
/// # Errors
/// [`Error::NotAModel`] saying what is wrong.
pub(super) fn open<D: DeserializeOwned>(bytes: &[u8]) -> Result<(D, SafeTensors<'_>)> {
    let damaged = |error: serde_json::Error| wrong(format!("its description is damaged: {error}"));
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| wrong(describe(&error, bytes)))?;
    let entries = metadata.metadata().as_ref();
    let json = entries
        .and_then(|entries| entries.get(KEY))
        .ok_or_else(|| {
            wrong(format!(
                "its metadata has no entry {KEY:?}: a safetensors file of another program"
            ))
        })?;
    if entries.is_some_and(|entries| entries.len() > 1) {
        return Err(wrong(format!("its metadata has more entries than {KEY:?}")));
    }
    let mut fields: Map<String, Value> = serde_json::from_str(json).map_err(damaged)?;
    match fields.get("format") {
        Some(Value::Number(format)) if format.as_u64() == Some(FORMAT) => {}
        Some(format) => {
            return Err(wrong(format!(
                "its format is version {format}, expected {FORMAT}"
            )));
        }
        None => return Err(wrong("its description has no format version")),
    }
    let Some(Value::String(claimed)) = fields.remove("checksum") else {
        return Err(wrong("its description has no checksum"));
    };
    let file = SafeTensors::deserialize(bytes).map_err(|error| wrong(describe(&error, bytes)))?;
    let views: BTreeMap<&str, TensorView<'_>> = file.iter().collect();
    let actual = checksum(&views, &fields);
    if claimed != actual {
        return Err(wrong(format!(
            "its checksum is {claimed:?}, but its content gives {actual:?}: the file is damaged"
        )));
    }
    fields.remove("format");
    let description = serde_json::from_value(Value::Object(fields)).map_err(damaged)?;
    Ok((description, file))
}

/// The values of a tensor, all finite.
///
/// # Errors
/// [`Error::NotAModel`] if it is missing, of another type or shape, or not finite throughout.
pub(super) fn values(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let values = any_values(file, name, shape)?;
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(at) => {
            let value = values[at];
            let expected = "expected finite numbers";
            Err(wrong(format!(
                "tensor {name:?} has {value} at element {at}, {expected}"
            )))
        }
    }
}

/// The values of a tensor, whatever they are: a run may be interrupted while it recovers from
/// losses that were not finite.
///
/// # Errors
/// [`Error::NotAModel`] if it is missing or of another type or shape.
pub(super) fn any_values(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let view = file
        .tensor(name)
        .map_err(|_| wrong(format!("tensor {name:?} is missing")))?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        let (dtype, found) = (view.dtype(), view.shape());
        return Err(wrong(format!(
            "tensor {name:?} is {dtype:?} {found:?}, expected F32 {shape:?}"
        )));
    }
    Ok(view
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect())
}

/// XXH3-64 over the tensors in order of their names (name, type, shape and data of each) and the
/// description without its checksum, every part preceded by its length.
fn checksum(tensors: &BTreeMap<&str, TensorView<'_>>, fields: &Map<String, Value>) -> String {
    let mut hasher = XxHash3_64::new();
    let mut part = |bytes: &[u8]| {
        hasher.write(&(bytes.len() as u64).to_le_bytes());
        hasher.write(bytes);
    };
    for (name, view) in tensors {
        part(name.as_bytes());
        part(format!("{:?} {:?}", view.dtype(), view.shape()).as_bytes());
        part(view.data());
    }
    part(
        serde_json::to_string(fields)
            .expect("plain data")
            .as_bytes(),
    );
    format!("{:016x}", hasher.finish())
}

/// What the safetensors crate found, in words for a person.
fn describe(error: &SafeTensorError, bytes: &[u8]) -> String {
    use SafeTensorError as E;
    let len = bytes.len();
    match error {
        E::HeaderTooSmall => format!("it has {len} bytes, too few for a safetensors file"),
        E::HeaderTooLarge | E::InvalidHeader(_) | E::InvalidHeaderDeserialization(_) => {
            "it is not a safetensors file".into()
        }
        E::InvalidHeaderLength | E::MetadataIncompleteBuffer => format!(
            "its {len} bytes are not as many as its header says: \
             it is cut short or not a safetensors file"
        ),
        other => format!("its header is damaged: {other}"),
    }
}
