//! From files to ids in one pass.
//!
//! Characters get ids in order of first appearance while the text is read, and their sorted order at the
//! end. So a text of any size is read once and held once.

mod characters;

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::Corpus;
use super::blocks::Blocks;
use super::coder::Coder;
use super::line_ends::LineEnds;
use super::utf8::Utf8Decoder;
use crate::vocabulary::REPLACEMENT;
use crate::{Error, Id, Result, Unknown, Vocabulary, memory};

/// The most bytes of a character in UTF-8.
const LONGEST: u64 = 4;
/// Bytes read at a time.
const CHUNK: usize = 1 << 18;

/// Builds a [`Corpus`] from bytes, texts, readers and files.
///
/// ```
/// use rnn::CorpusBuilder;
///
/// let mut builder = CorpusBuilder::new();
/// builder.push_bytes(b"caf\xc3")?; // a chunk may end inside a character
/// builder.push_bytes(b"\xa9")?;
/// let corpus = builder.finish()?;
/// assert_eq!(corpus.vocabulary().symbols(), ['a', 'c', 'f', 'é']);
/// # Ok::<(), rnn::Error>(())
/// ```
///
/// After an error the builder holds part of a text: drop it.
pub struct CorpusBuilder {
    coder: Coder,
    blocks: Blocks,
    decoder: Utf8Decoder,
    is_records: bool,
    /// What makes newlines of other line ends, if that is wanted.
    line_ends: Option<LineEnds>,
    /// Whether the next character may be a byte order mark.
    at_start: bool,
    /// Characters, or bytes, of the current file so far.
    offset: u64,
    /// Bytes announced and not yet read.
    awaited: u64,
    had_bom: bool,
    unknown: u64,
}

impl fmt::Debug for CorpusBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorpusBuilder")
            .field("is_records", &self.is_records)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl Default for CorpusBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl CorpusBuilder {
    /// A builder whose vocabulary will be the characters of the text.
    pub fn new() -> Self {
        Self::with_coder(Coder::Learned(Box::default()))
    }

    /// A builder that reads bytes of any kind, with [`Vocabulary::bytes`].
    pub fn bytes() -> Self {
        Self::with_coder(Coder::Bytes { for_training: true })
    }

    /// A builder that uses a model's vocabulary, for example to score a text. `unknown` says what to do
    /// with characters outside it.
    pub fn with_vocabulary(vocabulary: Vocabulary, unknown: Unknown) -> Self {
        let for_training = false;
        Self::with_coder(match vocabulary.is_bytes() {
            true => Coder::Bytes { for_training },
            false => Coder::Given {
                vocabulary,
                unknown,
            },
        })
    }

    fn with_coder(coder: Coder) -> Self {
        Self {
            coder,
            blocks: Blocks::default(),
            decoder: Utf8Decoder::default(),
            is_records: false,
            line_ends: None,
            at_start: true,
            offset: 0,
            awaited: 0,
            had_bom: false,
            unknown: 0,
        }
    }

    /// Announces this many more bytes, so that a text too large for memory fails before it is read.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the text cannot fit.
    pub fn expect_bytes(&mut self, bytes: u64) -> Result<()> {
        self.awaited = self.awaited.saturating_add(bytes);
        memory::check(self.least_ids(self.awaited).into())
    }

    /// The fewest ids that this many bytes can become.
    fn least_ids(&self, bytes: u64) -> u64 {
        match self.coder {
            Coder::Bytes { .. } => bytes,
            _ => bytes / LONGEST,
        }
    }

    /// Adds symbols to the vocabulary even if the text lacks them: those of a model to train further, or
    /// [`REPLACEMENT`] for characters of later texts. Does not change a given vocabulary.
    #[must_use]
    pub fn reserve(mut self, symbols: &[char]) -> Self {
        if let Coder::Learned(learned) = &mut self.coder {
            for &symbol in symbols {
                learned.id(symbol);
            }
        }
        self
    }

    /// [`reserve`](Self::reserve)s [`REPLACEMENT`].
    #[must_use]
    pub fn reserve_replacement(self) -> Self {
        self.reserve(&[REPLACEMENT])
    }

    /// Makes every line a record: adds the newline that the last line of a file may lack, and
    /// [unifies](Self::unify_line_ends) line ends.
    #[must_use]
    pub fn records(mut self) -> Self {
        self.is_records = true;
        self.unify_line_ends()
    }

    /// Reads CRLF as a newline, and CR as well in a file whose first line ends so. Bytes stay as they are,
    /// and so does CR where it is a character of a given or [reserved](Self::reserve) vocabulary.
    #[must_use]
    pub fn unify_line_ends(mut self) -> Self {
        self.line_ends = Some(LineEnds::default());
        self
    }

    /// Appends a chunk, which may begin and end anywhere.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::InvalidUtf8`]; for a given vocabulary [`Error::UnknownCharacter`] or
    /// [`Error::NoReplacement`].
    pub fn push_bytes(&mut self, chunk: &[u8]) -> Result<()> {
        chunk
            .chunks(CHUNK)
            .try_for_each(|chunk| self.push_chunk(chunk))
    }

    fn push_chunk(&mut self, chunk: &[u8]) -> Result<()> {
        self.blocks
            .make_room(chunk.len() + 1, self.least_ids(self.awaited))?;
        self.awaited = self.awaited.saturating_sub(chunk.len() as u64);
        if let Coder::Bytes { .. } = self.coder {
            self.blocks
                .extend(chunk, &std::array::from_fn(|byte| byte as Id), 256);
            self.offset += chunk.len() as u64;
            return Ok(());
        }
        let mut decoder = std::mem::take(&mut self.decoder);
        let result = decoder.feed(chunk, |text| self.push_characters(text));
        self.decoder = decoder;
        result
    }

    /// Appends a text.
    ///
    /// # Errors
    /// As [`push_bytes`](Self::push_bytes).
    pub fn push_text(&mut self, text: &str) -> Result<()> {
        self.push_bytes(text.as_bytes())
    }

    /// Appends everything that `reader` returns, as one file.
    ///
    /// # Errors
    /// As [`push_bytes`](Self::push_bytes), and [`Error::Io`] from the reader.
    pub fn push_reader(&mut self, mut reader: impl Read) -> Result<()> {
        let mut chunk: Vec<u8> = memory::zeros(CHUNK as u128)?;
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => return self.end_file(),
                Ok(len) => self.push_bytes(&chunk[..len])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Appends a file.
    ///
    /// # Errors
    /// As [`push_reader`](Self::push_reader), in an [`Error::File`] that names the path.
    pub fn push_path(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let read = File::open(path)
            .map_err(Error::from)
            .and_then(|file| self.push_reader(file));
        read.map_err(|error| Error::File {
            path: path.to_owned(),
            source: Box::new(error),
        })
    }

    /// Ends a file. The next one may start with a byte order mark, and its offsets count from 0. Nothing
    /// is inserted between files.
    ///
    /// # Errors
    /// [`Error::InvalidUtf8`] when the last character is cut.
    pub fn end_file(&mut self) -> Result<()> {
        self.decoder.end()?;
        if let Some(mut line_ends) = self.line_ends.take() {
            self.blocks.make_room(1, 0)?;
            line_ends.end(|piece, left_out| self.push_piece(piece, left_out))?;
            self.line_ends = Some(line_ends);
        }
        let newline = self.coder.id('\n');
        let ends_in_newline = newline.is_some() && self.blocks.last() == newline;
        if self.is_records && self.offset > 0 && !ends_in_newline {
            self.push_bytes(b"\n")?;
        }
        self.at_start = true;
        self.offset = 0;
        Ok(())
    }

    /// Builds the corpus.
    ///
    /// # Errors
    /// [`Error::EmptyText`], also if every character was skipped; [`Error::OneDistinctCharacter`] unless
    /// the vocabulary was given, since there is nothing to learn; [`Error::InvalidUtf8`] if the last
    /// character is cut.
    pub fn finish(mut self) -> Result<Corpus> {
        self.end_file()?;
        self.blocks.make_room(0, 0)?;
        if self.blocks.last().is_none() {
            return Err(Error::EmptyText);
        }
        let (vocabulary, ids, for_training) = match self.coder {
            Coder::Learned(learned) => {
                let (symbols, new_ids) = learned.sorted()?;
                let ids = self
                    .blocks
                    .finish(symbols.len(), |old| new_ids[old as usize])?;
                (Vocabulary::from_symbols(symbols)?, ids, true)
            }
            Coder::Given { vocabulary, .. } => {
                let ids = self.blocks.finish(vocabulary.len(), |id| id)?;
                (vocabulary, ids, false)
            }
            Coder::Bytes { for_training } => (
                Vocabulary::bytes(),
                self.blocks.finish(256, |id| id)?,
                for_training,
            ),
        };
        let first = ids.get(0);
        if for_training && ids.as_slice().iter().all(|id| id == first) {
            return Err(Error::OneDistinctCharacter {
                character: vocabulary.symbol(first),
            });
        }
        Ok(Corpus {
            vocabulary,
            ids,
            had_bom: self.had_bom,
            unknown: self.unknown,
            line_ends: self.line_ends.and_then(|ends| ends.found()),
        })
    }
}
