//! The header of a `.safetensors` file: eight bytes of length, then JSON that says where each tensor
//! lies. Nothing of it is believed before it is checked, and nothing large is made of it.

use std::io::{self, Write};

use safetensors::tensor::Metadata;
use safetensors::{SafeTensorError, SafeTensors};

use super::container;
use crate::error::{Error, Result};

/// Longest header in bytes: room for every character there is and a hundred thousand evaluations.
const MOST_BYTES: u64 = 32 << 20;
/// Most values in a header, each set off by a comma: room for a thousand tensors.
const MOST_VALUES: usize = 10_000;
/// Bytes of the length in front of the header, and what the header is padded to.
const WORD: usize = 8;

/// What a file's header says, checked as far as that goes without knowing what the file is for:
/// lengths and offsets agree with the file and with each other, without gap or overlap.
///
/// # Errors
/// [`Error::NotAModel`] saying what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Metadata> {
    check_values("header", text(bytes)?, MOST_VALUES)?;
    match SafeTensors::read_metadata(bytes) {
        Ok((_, metadata)) => Ok(metadata),
        Err(error) => Err(self::wrong(&error, bytes)),
    }
}

/// Checks that the header is written in the one way in which we write it, so that no name is there
/// twice: reading keeps one of them, in silence.
///
/// # Errors
/// [`Error::NotAModel`] if it is not.
pub(super) fn check_writing(bytes: &[u8], metadata: &Metadata) -> Result<()> {
    let mut rest = Rest(text(bytes)?);
    let is_written_so = serde_json::to_writer(&mut rest, metadata).is_ok();
    let padding = rest.0;
    if is_written_so && padding.len() < WORD && padding.iter().all(|&byte| byte == b' ') {
        return Ok(());
    }
    Err(container::wrong(
        "its header is not written as safetensors writes it: \
         a tensor is there twice, out of order or set apart by white space",
    ))
}

/// The bytes of the header's JSON.
fn text(bytes: &[u8]) -> Result<&[u8]> {
    let len = bytes.len();
    let Some((length, rest)) = bytes.split_first_chunk::<WORD>() else {
        return Err(container::wrong(format!(
            "it has {len} bytes, too few for a safetensors file"
        )));
    };
    let length = u64::from_le_bytes(*length);
    if length > MOST_BYTES {
        return Err(container::wrong(format!(
            "it is not a safetensors file: its header would have {length} bytes, \
             expected at most {MOST_BYTES}"
        )));
    }
    rest.get(..length as usize)
        .ok_or_else(|| self::wrong(&SafeTensorError::InvalidHeaderLength, bytes))
}

/// Checks that JSON has no more values than `most`, before memory is spent on them.
///
/// # Errors
/// [`Error::NotAModel`] with the number.
pub(super) fn check_values(what: &str, json: &[u8], most: usize) -> Result<()> {
    let (mut commas, mut in_string, mut is_escaped) = (0, false, false);
    for &byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b',' if !in_string => commas += 1,
            _ => {}
        }
    }
    if commas < most {
        return Ok(());
    }
    let values = commas + 1;
    Err(container::wrong(format!(
        "its {what} has {values} values, expected at most {most}"
    )))
}

/// What is left of a text after what has been written, as long as that is the same.
struct Rest<'a>(&'a [u8]);

impl Write for Rest<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .strip_prefix(bytes)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the safetensors crate found, in words for a person.
pub(super) fn wrong(error: &SafeTensorError, bytes: &[u8]) -> Error {
    use SafeTensorError as E;
    let len = bytes.len();
    container::wrong(match error {
        E::InvalidHeader(error) => {
            format!("it is not a safetensors file: its header is no UTF-8: {error}")
        }
        E::InvalidHeaderDeserialization(error) => {
            format!("it is not a safetensors file: its header is damaged: {error}")
        }
        E::InvalidHeaderLength | E::MetadataIncompleteBuffer => format!(
            "its {len} bytes are not as many as its header says: \
             it is cut short or not a safetensors file"
        ),
        E::InvalidOffset(name) => format!(
            "tensor {name:?} does not begin where the one before it ends: \
             its header is damaged"
        ),
        E::TensorInvalidInfo => {
            "a tensor's shape and type ask for another number of bytes than its offsets: \
             its header is damaged"
                .into()
        }
        E::ValidationOverflow => {
            "a tensor's shape asks for more bytes than there can be: its header is damaged".into()
        }
        other => format!("its header is damaged: {other}"),
    })
}
