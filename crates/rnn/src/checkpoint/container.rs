//! The format of all our files: a `.safetensors` whose one metadata entry, `rnn`, is JSON with sorted
//! keys, sealed by a checksum over the tensors and the JSON.
//!
//! Reading takes little memory beside the bytes, however hostile they are. A JSON value of two bytes may
//! take a hundred in memory, so values are counted before they are parsed, and the description stays
//! text until its checksum is right.

use std::collections::BTreeMap;
use std::hash::Hasher;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata, TensorInfo, TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::Value;
use serde_json::value::RawValue;
use twox_hash::XxHash3_64;

use super::header::{self, wrong};
use crate::error::Result;
use crate::memory;

/// Version of the layout, the only one that this program writes and reads.
pub const FORMAT: u64 = 1;
/// The one metadata entry.
pub(super) const KEY: &str = "rnn";
/// Most values of a description: a hundred thousand evaluations, and room.
const MOST_VALUES: usize = 1_000_000;
/// Most fields of a description, one level deep.
const MOST_FIELDS: usize = 32;
/// Tensors by name: shape and bytes.
pub(super) type Tensors = BTreeMap<String, (Vec<usize>, Vec<u8>)>;

/// The fields of a description, each still as text.
type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

/// Values as they stand in a file.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for them.
pub(super) fn bytes(values: impl ExactSizeIterator<Item = f32>) -> Result<Vec<u8>> {
    let mut bytes = memory::room(values.len().saturating_mul(size_of::<f32>()))?;
    for value in values {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    Ok(bytes)
}

/// Bytes of a file with these tensors and this description.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for them.
pub(super) fn seal(tensors: Tensors, description: &impl Serialize) -> Result<Vec<u8>> {
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
    let text = serde_json::to_string(&fields).expect("plain data");
    let checksum = checksum(&views, &[&text]);
    fields.insert("checksum".into(), checksum.into());
    join(&views, Value::Object(fields).to_string())
}

/// The bytes that the safetensors crate would write with this description, in memory that may be refused.
fn join(views: &BTreeMap<&str, TensorView<'_>>, description: String) -> Result<Vec<u8>> {
    let mut end = 0;
    let infos = views.iter().map(|(name, view)| {
        let begin = end;
        end += view.data().len();
        let info = TensorInfo {
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            data_offsets: (begin, end),
        };
        ((*name).to_owned(), info)
    });
    let metadata = [(KEY.to_owned(), description)].into_iter().collect();
    let header = Metadata::new(Some(metadata), infos.collect()).expect("one after the other");
    let header = serde_json::to_string(&header).expect("plain data");
    let padded = header.len().next_multiple_of(header::WORD);
    let mut file = memory::room(header::WORD + padded + end)?;
    file.extend_from_slice(&(padded as u64).to_le_bytes());
    file.extend_from_slice(header.as_bytes());
    file.resize(header::WORD + padded, b' ');
    for view in views.values() {
        file.extend_from_slice(view.data());
    }
    Ok(file)
}

/// Opens a file's bytes: its description and its tensors, unchanged since they were sealed.
///
/// # Errors
/// [`Error::NotAModel`](crate::Error::NotAModel) saying what is wrong.
pub(super) fn open<D: DeserializeOwned>(bytes: &[u8]) -> Result<(D, SafeTensors<'_>)> {
    let damaged = |error: serde_json::Error| wrong(format!("its description is damaged: {error}"));
    let metadata = header::read(bytes)?;
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
    header::check_writing(bytes, &metadata)?;
    header::check_description(json.as_bytes(), MOST_VALUES)?;
    let mut fields: Fields<'_> = serde_json::from_str(json).map_err(damaged)?;
    if fields.len() > MOST_FIELDS {
        let len = fields.len();
        return Err(wrong(format!(
            "its description has {len} fields, expected at most {MOST_FIELDS}"
        )));
    }
    match fields.get("format").map(|format| format.get()) {
        Some(format) if format == FORMAT.to_string() => {}
        Some(format) => {
            return Err(wrong(format!(
                "its format is version {format}, expected {FORMAT}"
            )));
        }
        None => return Err(wrong("its description has no format version")),
    }
    if !is_made_of(json, &pieces(&fields)) {
        return Err(wrong(
            "its description is not written as this program writes it: \
             a field is there twice, out of order or set apart by white space",
        ));
    }
    let claimed = fields
        .remove("checksum")
        .ok_or_else(|| wrong("its description has no checksum"))?;
    let claimed: &str = serde_json::from_str(claimed.get())
        .map_err(|error| wrong(format!("its checksum is no plain text: {error}")))?;
    let file =
        SafeTensors::deserialize(bytes).map_err(|error| header::damaged(&error, bytes.len()))?;
    let views: BTreeMap<&str, TensorView<'_>> = file.iter().collect();
    let actual = checksum(&views, &pieces(&fields));
    if claimed != actual {
        return Err(wrong(format!(
            "its checksum is {claimed:?}, but its content gives {actual:?}: the file is damaged"
        )));
    }
    fields.remove("format");
    let description = D::deserialize(MapDeserializer::new(fields.into_iter())).map_err(damaged)?;
    Ok((description, file))
}

/// The checksum in a file. Only reading the model checks it.
///
/// # Errors
/// [`Error::NotAModel`](crate::Error::NotAModel) where there is none.
pub fn checksum_of(content: &[u8]) -> Result<String> {
    let metadata = header::read(content)?;
    let entries = metadata.metadata().as_ref();
    let json = entries.and_then(|entries| entries.get(KEY));
    json.filter(|json| header::check_description(json.as_bytes(), MOST_VALUES).is_ok())
        .and_then(|json| serde_json::from_str::<Fields<'_>>(json).ok())
        .and_then(|fields| serde_json::from_str(fields.get("checksum")?.get()).ok())
        .ok_or_else(|| wrong("its description has no checksum"))
}

/// The text of a JSON object with these fields, in pieces that copy nothing.
fn pieces<'a>(fields: &Fields<'a>) -> Vec<&'a str> {
    let mut pieces = Vec::with_capacity(4 * fields.len() + 2);
    pieces.push("{");
    for (name, value) in fields {
        // A name that is borrowed has no escapes, so it stands for itself.
        pieces.extend([
            if pieces.len() == 1 { "\"" } else { ",\"" },
            name,
            "\":",
            value.get(),
        ]);
    }
    pieces.push("}");
    pieces
}

/// Whether a text is these pieces one after the other.
fn is_made_of(text: &str, pieces: &[&str]) -> bool {
    let rest = pieces
        .iter()
        .try_fold(text, |rest, piece| rest.strip_prefix(piece));
    rest.is_some_and(str::is_empty)
}

/// The values of a tensor, all finite, as they lie in the file.
///
/// # Errors
/// [`Error::NotAModel`](crate::Error::NotAModel) if it is missing, of another type or shape, or not finite throughout.
pub(super) fn values<'a>(
    file: &SafeTensors<'a>,
    name: &str,
    shape: &[usize],
) -> Result<&'a [[u8; 4]]> {
    let values = any_values(file, name, shape)?;
    let number = |&bytes| f32::from_le_bytes(bytes);
    match values.iter().position(|bytes| !number(bytes).is_finite()) {
        None => Ok(values),
        Some(at) => {
            let value = number(&values[at]);
            let expected = "expected finite numbers";
            Err(wrong(format!(
                "tensor {name:?} has {value} at element {at}, {expected}"
            )))
        }
    }
}

/// The values of a tensor, which need not be finite: a run may be interrupted while it recovers from
/// such losses.
///
/// # Errors
/// [`Error::NotAModel`](crate::Error::NotAModel) if it is missing or of another type or shape.
pub(super) fn any_values<'a>(
    file: &SafeTensors<'a>,
    name: &str,
    shape: &[usize],
) -> Result<&'a [[u8; 4]]> {
    let view = file
        .tensor(name)
        .map_err(|_| wrong(format!("tensor {name:?} is missing")))?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        let (dtype, found) = (view.dtype(), view.shape());
        return Err(wrong(format!(
            "tensor {name:?} is {dtype:?} {found:?}, expected F32 {shape:?}"
        )));
    }
    Ok(view.data().as_chunks().0)
}

/// Numbers from the bytes of a tensor.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) where there is no memory for them.
pub(super) fn numbers(values: &[[u8; 4]]) -> Result<Vec<f32>> {
    memory::collected(values.iter().map(|&bytes| f32::from_le_bytes(bytes)))
}

/// XXH3-64 over the tensors in order of their names (name, type, shape and data of each) and the
/// description without its checksum, given in pieces, every part preceded by its length.
fn checksum(tensors: &BTreeMap<&str, TensorView<'_>>, description: &[&str]) -> String {
    let mut hasher = XxHash3_64::new();
    let mut part = |pieces: &[&[u8]]| {
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        hasher.write(&(len as u64).to_le_bytes());
        pieces.iter().for_each(|piece| hasher.write(piece));
    };
    for (name, view) in tensors {
        part(&[name.as_bytes()]);
        part(&[format!("{:?} {:?}", view.dtype(), view.shape()).as_bytes()]);
        part(&[view.data()]);
    }
    let description: Vec<&[u8]> = description.iter().map(|piece| piece.as_bytes()).collect();
    part(&description);
    format!("{:016x}", hasher.finish())
}
