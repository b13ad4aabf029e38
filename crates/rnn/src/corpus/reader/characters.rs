//! From characters to ids: byte order mark, line ends, vocabulary.

use super::CorpusBuilder;
use crate::Result;
use crate::corpus::coder::Coder;

impl CorpusBuilder {
    /// Appends characters of a file, which may end inside a line end.
    pub(super) fn push_characters(&mut self, mut text: &str) -> Result<()> {
        if self.at_start && !text.is_empty() {
            self.at_start = false;
            if let Some(rest) = text.strip_prefix('\u{feff}') {
                self.had_bom = true;
                text = rest;
            }
        }
        if self.offset == 0 && self.blocks.last().is_none() && self.coder.id('\r').is_some() {
            self.line_ends = None;
        }
        let Some(mut line_ends) = self.line_ends.take() else {
            return self.push_piece(text, false);
        };
        let read = line_ends.feed(text, |piece, left_out| self.push_piece(piece, left_out));
        self.line_ends = Some(line_ends);
        read
    }

    /// Appends characters, before which one may have been left out.
    pub(super) fn push_piece(&mut self, text: &str, left_out: bool) -> Result<()> {
        self.offset += u64::from(left_out);
        match &mut self.coder {
            Coder::Learned(learned) => {
                if text.is_ascii() {
                    let (table, vocab_size) = learned.ascii(text.as_bytes());
                    self.blocks.extend(text.as_bytes(), table, vocab_size);
                    self.offset += text.len() as u64;
                } else {
                    for character in text.chars() {
                        self.blocks.push(learned.id(character));
                        self.offset += 1;
                    }
                }
                learned.check()?;
            }
            Coder::Given {
                vocabulary,
                unknown,
            } => {
                for character in text.chars() {
                    let known = vocabulary.id(character);
                    let id = match known {
                        Some(id) => Some(id),
                        None => vocabulary.resolve(character, self.offset, *unknown)?,
                    };
                    if let Some(id) = id {
                        self.blocks.push(id);
                    }
                    self.unknown += u64::from(known.is_none());
                    self.offset += 1;
                }
            }
            // Bytes are no characters and do not come here.
            Coder::Bytes { .. } => {}
        }
        Ok(())
    }
}
