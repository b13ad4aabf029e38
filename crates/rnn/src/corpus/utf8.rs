//! UTF-8 in chunks that may end inside a character.

use std::str;

use crate::{Error, Result};

/// Checks chunks of bytes and hands them on as text.
#[derive(Default)]
pub(super) struct Utf8Decoder {
    /// The start of a character that the last chunk cut.
    pending: [u8; 4],
    pending_len: usize,
    /// Bytes handed on so far.
    offset: u64,
}

impl Utf8Decoder {
    /// Calls `emit` with the text of `chunk`, except for a character that its end cuts.
    ///
    /// # Errors
    /// [`Error::InvalidUtf8`] after the text before it has been emitted, or the error of `emit`.
    pub(super) fn feed(
        &mut self,
        mut chunk: &[u8],
        mut emit: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        while self.pending_len > 0 {
            let Some((&byte, rest)) = chunk.split_first() else {
                return Ok(());
            };
            chunk = rest;
            self.pending[self.pending_len] = byte;
            self.pending_len += 1;
            match str::from_utf8(&self.pending[..self.pending_len]) {
                Ok(character) => {
                    emit(character)?;
                    self.offset += self.pending_len as u64;
                    self.pending_len = 0;
                }
                // Still cut. Four bytes never are, so `pending` has room.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(self.invalid(self.pending[0])),
            }
        }
        let (text, rest, invalid) = match str::from_utf8(chunk) {
            Ok(text) => (text, &[][..], false),
            Err(error) => {
                let (valid, rest) = chunk.split_at(error.valid_up_to());
                let text = str::from_utf8(valid).unwrap_or_default();
                (text, rest, error.error_len().is_some())
            }
        };
        emit(text)?;
        self.offset += text.len() as u64;
        if invalid {
            return Err(self.invalid(rest[0]));
        }
        self.pending[..rest.len()].copy_from_slice(rest);
        self.pending_len = rest.len();
        Ok(())
    }

    /// Ends a file. The next byte is the first of another.
    ///
    /// # Errors
    /// [`Error::InvalidUtf8`] when the last character is cut.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.pending_len > 0 {
            return Err(self.invalid(self.pending[0]));
        }
        self.offset = 0;
        Ok(())
    }

    fn invalid(&self, byte: u8) -> Error {
        Error::InvalidUtf8 {
            offset: self.offset,
            byte,
        }
    }
}
