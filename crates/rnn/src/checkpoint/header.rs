//! The header of a `.safetensors` file: eight bytes of length, then JSON that says where each tensor
//! lies. Nothing of it is believed before it is checked, and nothing large is made of it.

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

/// As much of a name as a message has room for. A file's names may be long, and quoting makes them
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
pub(super) fn end(length: [u8; WORD]) -> Result<u64> {
    let length = u64::from_le_bytes(length);
    if length > MOST_BYTES {
        return Err(wrong(format!(
            "it is not a safetensors file: its header would have {length} bytes, \
             expected at most {MOST_BYTES}"
        )));
    }
    Ok(WORD as u64 + length)
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

/// That a file has another number of bytes than its header says.
pub(super) fn wrong_len(len: u64) -> Error {
    wrong(format!(
        "its {len} bytes are not as many as its header says: \
         it is cut short or not a safetensors file"
    ))
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

/// Checks a header's JSON before memory is spent on it. An error of the parser's quotes whatever it
/// finds in a wrong place, so no text may be long but where any text may stand: in the metadata.
fn check_header(json: &[u8]) -> Result<()> {
    // Parsing makes texts of it, and whoever reads them makes more: a vocabulary, its table, a history.
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

/// Checks a description's JSON before memory is spent on it: that it has no more values than `most`,
/// and no text longer than all characters there are.
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

/// Goes through JSON, without a tree: tells of each text how deep it stands, and returns the number of
/// values, each of which a comma sets off. What is no JSON gives some number.
fn scan<'a>(json: &'a [u8], mut tell: impl FnMut(&'a [u8], usize) -> Result<()>) -> Result<usize> {
    let (mut commas, mut depth, mut is_escaped) = (0, 0_usize, false);
    // Where the text began that we are in.
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
