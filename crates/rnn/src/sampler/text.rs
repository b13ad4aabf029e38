//! Characters from bytes that come one by one.

use std::str;

use smallvec::SmallVec;

use crate::vocabulary::REPLACEMENT;

/// The bytes of a character so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Utf8(SmallVec<[u8; 4]>);

impl Utf8 {
    pub(super) fn push(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// The first character, if its bytes are all there; U+FFFD for bytes that begin none, as in
    /// [`String::from_utf8_lossy`].
    pub(super) fn take(&mut self) -> Option<char> {
        let (character, len) = match str::from_utf8(&self.0) {
            Ok(text) => text.chars().next().map(|first| (first, first.len_utf8()))?,
            Err(error) => (REPLACEMENT, error.error_len()?),
        };
        self.0.drain(..len);
        Some(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_spell_what_the_standard_library_reads_in_them() {
        let all = "aé€𝄞ÿ\u{fffd}z".as_bytes();
        // Every byte in every place, and ends in the middle.
        for at in 0..all.len() {
            for byte in 0..=u8::MAX {
                let mut bytes = all.to_vec();
                bytes[at] = byte;
                // Nothing waits for more.
                bytes.push(b'z');
                let (mut utf8, mut text) = (Utf8::default(), String::new());
                for &byte in &bytes {
                    utf8.push(byte);
                    text.extend(std::iter::from_fn(|| utf8.take()));
                }
                assert_eq!(text, String::from_utf8_lossy(&bytes), "{bytes:x?}");
                assert!(utf8.0.is_empty());
            }
        }
    }
}
