//! The header of a `.safetensors` file: eight bytes of length, then JSON that says where each tensor
//! lies. Nothing in it is trusted before it is checked, and nothing large is allocated for it.

use std::io::{self, Write};

use safetensors::tensor::Metadata;
use safetensors::{SafeTensorError, SafeTensors};

use crate::error::{Error, Result};
use crate::memory;
use crate::visible;

/// Longest header in bytes: room for every character there is and a hundred thousand evaluations.
const MOST_BYTES: u64 = 32 << 20;
/// Most values in a header, each set off by a comma: room for a thousand tensors.
const MOST_VALUES: usize = 10_000;
/// Longest name of a tensor or type, in bytes of JSON.
const LONGEST_NAME: usize = 1 << 16;
/// Longest text of a description, in bytes of JSON: every character there is, and room.
const LONGEST_TEXT: usize = 8 << 20;
/// Measured: bytes that reading a description takes for each of its own, at most.
const COPIES: u128 = 4;
/// Bytes of the length in front of the header, and what the header is padded to.
pub(super) const WORD: usize = 8;

/// Most characters of a message.
const MOST_CHARACTERS: usize = 300;

/// As much of a name as a message has room for. Names in a file may be long, and quoting makes them
/// longer before [`wrong`] can cut them.
pub(super) fn short(name: &str) -> &str {
    let end = name.char_indices().nth(MOST_CHARACTERS);
    &name[..end.map_or(name.len(), |(at, _)| at)]
}

/// An error that says what is wrong with a file. It may quote the file, whose text may be long or
/// steer a terminal.
pub(super) fn wrong(what: impl AsRef<str>) -> Error {
    let mut text = String::new();
    for character in what.as_ref().chars() {
        if text.len() >= MOST_CHARACTERS {
            text.push('…');
            break;
        }
        if visible::is_visible(character) {
            text.push(character);
        } else {
            text.extend(character.escape_default());
        }
    }
    Error::NotAModel { what: text }
}

/// What a file's header says, checked as far as that goes without knowing what the file is for:
/// lengths and offsets agree with the file and with each other, without gap or overlap.
///
/// # Errors
/// [`Error::NotAModel`] saying what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Metadata> {
    check_header(text(bytes)?)?;
    match SafeTensors::read_metadata(bytes) {
        Ok((_, metadata)) => Ok(metadata),
        Err(error) => Err(damaged(&error, bytes.len())),
    }
}

/// Bytes up to the end of the header, by the length that a file begins with.
///
/// # Errors
/// [`Error::NotAModel`] where no header is so long.
pub(super) fn end(start: [u8; WORD]) -> Result<u64> {
    let length = u64::from_le_bytes(start);
    if length > MOST_BYTES {
        if let Some(other) = other_format(start) {
            return Err(wrong(other));
        }
        return Err(wrong(format!(
            "it is not a safetensors file: its header would have {length} bytes, \
             expected at most {MOST_BYTES}"
        )));
    }
    Ok(WORD as u64 + length)
}

/// What a file of another program is that begins so, and how its network comes here. Each of these reads
/// as a header longer than any.
fn other_format(start: [u8; WORD]) -> Option<&'static str> {
    Some(match start {
        // A zip archive since PyTorch 1.6, a pickle before.
        [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..] => {
            "it is a file of torch.save (.pt, .pth); turn its state dict into safetensors in Python: \
             import torch, safetensors.torch as st; st.save_file({k: v.clone() for k, v in \
             torch.load(\"model.pt\").items()}, \"model.safetensors\")"
        }
        [0x89, b'H', b'D', b'F', ..] => {
            "it is an HDF5 file, as Keras writes (.h5); for an LSTM, W, U, b = lstm.get_weights() in \
             Python; save W.T, U.T, b, 0 * b as weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 with \
             safetensors.numpy.save_file, the dense layer likewise as decoder.weight, decoder.bias"
        }
        // The number of the format's version, then who wrote it.
        [0x08, 1..=31, 0x12, ..] => {
            "it is an ONNX graph (.onnx), whose gates stand in another order; import the PyTorch network \
             that it was made from: import safetensors.torch as st; \
             st.save_file(network.state_dict(), \"model.safetensors\")"
        }
        [b'G', b'G', b'U', b'F', ..] => {
            "it is a GGUF file (.gguf), which holds transformers and no nn.RNN, nn.LSTM or nn.GRU; import \
             a PyTorch network: import safetensors.torch as st; \
             st.save_file(network.state_dict(), \"model.safetensors\")"
        }
        _ => return None,
    })
}

/// Bytes of the whole file, by its start, which is the length and the header.
///
/// # Errors
/// [`Error::NotAModel`] saying what is wrong with the header.
pub(super) fn total(start: &[u8]) -> Result<u64> {
    let text = text(start)?;
    check_header(text)?;
    match SafeTensors::read_metadata(start) {
        Ok(_) => Ok(start.len() as u64),
        // Sound, and data are to follow.
        Err(SafeTensorError::MetadataIncompleteBuffer) => {
            let metadata = serde_json::from_slice::<Metadata>(text);
            let metadata = metadata.map_err(|error| damaged(&error.into(), start.len()))?;
            Ok(start.len() as u64 + metadata.data_len() as u64)
        }
        Err(error) => Err(damaged(&error, start.len())),
    }
}

/// The error of a file that is longer or shorter than its header says.
pub(super) fn wrong_len(len: u64) -> Error {
    wrong(format!(
        "its {len} bytes are not as many as its header says: \
         it is cut short or not a safetensors file"
    ))
}

/// Checks that the header is written exactly as we write it. Otherwise a name could be there twice, of
/// which reading would silently keep one.
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
    Err(wrong(
        "its header is not written as safetensors writes it: \
         a tensor is there twice, out of order or set apart by white space",
    ))
}

/// The bytes of the header's JSON.
fn text(bytes: &[u8]) -> Result<&[u8]> {
    let len = bytes.len();
    let Some((length, rest)) = bytes.split_first_chunk::<WORD>() else {
        return Err(wrong(format!(
            "it has {len} bytes, too few for a safetensors file"
        )));
    };
    let length = end(*length)? as usize - WORD;
    rest.get(..length).ok_or_else(|| wrong_len(len as u64))
}

/// Checks a header's JSON before memory is spent on it. The parser's errors quote what they find, so no
/// text may be long except in the metadata, where any text is allowed.
fn check_header(json: &[u8]) -> Result<()> {
    // Parsing copies its texts, and reading those takes more: a vocabulary, its table, a history.
    memory::check(COPIES * json.len() as u128)?;
    let mut key: &[u8] = b"";
    let values = scan(json, |text, depth| {
        if depth == 1 {
            key = text;
        }
        let is_metadata = depth == 2 && key == b"__metadata__";
        check_text(
            "header",
            text,
            if is_metadata {
                json.len()
            } else {
                LONGEST_NAME
            },
        )
    })?;
    check_count("header", values, MOST_VALUES)
}

/// Checks a description's JSON before memory is spent on it: it has at most `most` values, and no text
/// is longer than a vocabulary of all characters.
///
/// # Errors
/// [`Error::NotAModel`] with the number.
pub(super) fn check_description(json: &[u8], most: usize) -> Result<()> {
    let values = scan(json, |text, _| {
        check_text("description", text, LONGEST_TEXT)
    })?;
    check_count("description", values, most)
}

fn check_text(what: &str, text: &[u8], longest: usize) -> Result<()> {
    let len = text.len();
    if len <= longest {
        return Ok(());
    }
    Err(wrong(format!(
        "its {what} has a text of {len} bytes, expected at most {longest}"
    )))
}

fn check_count(what: &str, values: usize, most: usize) -> Result<()> {
    if values <= most {
        return Ok(());
    }
    Err(wrong(format!(
        "its {what} has {values} values, expected at most {most}"
    )))
}

/// Scans JSON without building a tree: calls `tell` with each text and its depth, and returns the number
/// of values, which commas separate. The number means nothing if the bytes are not JSON.
fn scan<'a>(json: &'a [u8], mut tell: impl FnMut(&'a [u8], usize) -> Result<()>) -> Result<usize> {
    let (mut commas, mut depth, mut is_escaped) = (0, 0_usize, false);
    // Where the current text began.
    let mut begin = None;
    for (at, &byte) in json.iter().enumerate() {
        match (byte, begin) {
            _ if is_escaped => is_escaped = false,
            (b'\\', Some(_)) => is_escaped = true,
            (b'"', Some(from)) => {
                tell(&json[from..at], depth)?;
                begin = None;
            }
            (b'"', None) => begin = Some(at + 1),
            (b',', None) => commas += 1,
            (b'{' | b'[', None) => depth += 1,
            (b'}' | b']', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(commas + 1)
}

/// The rest of a text after what has been written, which must be the same.
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
pub(super) fn damaged(error: &SafeTensorError, len: usize) -> Error {
    use SafeTensorError as E;
    wrong(match error {
        E::InvalidHeader(error) => {
            format!("it is not a safetensors file: its header is no UTF-8: {error}")
        }
        E::InvalidHeaderDeserialization(error) | E::JsonError(error) => {
            format!("it is not a safetensors file: its header is damaged: {error}")
        }
        E::InvalidHeaderLength | E::MetadataIncompleteBuffer => return wrong_len(len as u64),
        E::InvalidOffset(name) => format!(
            "tensor {:?} does not begin where the one before it ends: \
             its header is damaged",
            short(name)
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
