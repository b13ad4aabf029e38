//! The symbols that a network reads and writes, and their numbers.
//!
//! A vocabulary is a sorted list of distinct Unicode scalar values; the id of a symbol is its place
//! in the list, so equal sets of characters give equal ids. With [`Vocabulary::bytes`] the symbols are
//! the 256 bytes instead: text is read as UTF-8 bytes, no symbol is unknown, and a model can learn
//! binary files.

mod close;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::{Error, Result, memory};
pub(crate) use table::IdTable;

/// The number of a symbol: its place in the [`Vocabulary`].
pub type Id = u32;

/// A target that adds neither loss nor gradient: padding.
pub const IGNORE: Id = Id::MAX;

/// U+FFFD, which stands for every character that the vocabulary lacks, if it contains this one.
pub const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// What to do with a character that is not in the vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unknown {
    /// Fail, naming the character and those close to it.
    #[default]
    Error,
    /// Leave it out.
    Skip,
    /// Read [`REPLACEMENT`] in its place; fail if the vocabulary lacks that as well.
    Replace,
}

/// A set of symbols numbered from 0 in ascending order.
///
/// ```
/// use rnn::Vocabulary;
///
/// let vocabulary = Vocabulary::from_text("hello")?;
/// assert_eq!(vocabulary.symbols(), ['e', 'h', 'l', 'o']);
/// let ids = vocabulary.encode("hole")?;
/// assert_eq!(ids, [1, 3, 2, 0]);
/// assert_eq!(vocabulary.decode(&ids), "hole");
/// assert!(vocabulary.encode("help").is_err());
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone)]
pub struct Vocabulary {
    // Shared by its copies: a model and its corpus each have one, of up to a million symbols.
    symbols: Arc<Vec<char>>,
    table: Arc<IdTable>,
    is_bytes: bool,
}

impl Vocabulary {
    /// The distinct characters of `text`.
    ///
    /// # Errors
    /// [`Error::EmptyText`] when there are none.
    pub fn from_text(text: &str) -> Result<Self> {
        let mut seen = IdTable::default();
        let mut symbols = Vec::new();
        for character in text.chars() {
            if seen.get(character).is_none() {
                seen.insert(character, 0);
                symbols.push(character);
            }
        }
        symbols.sort_unstable();
        Self::from_symbols(symbols).map_err(|_| Error::EmptyText)
    }

    /// A vocabulary of these symbols, such as those in a model's file.
    ///
    /// # Errors
    /// [`Error::EmptyVocabulary`], [`Error::UnsortedVocabulary`] when the symbols are not distinct and
    /// ascending, or [`Error::TooLarge`] where memory runs out.
    pub fn from_symbols(symbols: Vec<char>) -> Result<Self> {
        if symbols.is_empty() {
            return Err(Error::EmptyVocabulary);
        }
        if let Some(index) = (1..symbols.len()).find(|&i| symbols[i - 1] >= symbols[i]) {
            let (symbol, previous) = (symbols[index], symbols[index - 1]);
            return Err(Error::UnsortedVocabulary {
                index,
                symbol,
                previous,
            });
        }
        // A page of the table for each 256 code points, and symbols may lie on as many pages.
        memory::check(memory::bytes::<[Id; 256]>(symbols.len().min(0x1100) as u128))?;
        let mut table = IdTable::default();
        for (id, &symbol) in (0..).zip(&symbols) {
            table.insert(symbol, id);
        }
        Ok(Self {
            symbols: symbols.into(),
            table: table.into(),
            is_bytes: false,
        })
    }

    /// The 256 bytes; a byte is its own id.
    pub fn bytes() -> Self {
        let mut table = IdTable::default();
        // Only an ASCII character is one byte of UTF-8; any other is several symbols and has no id.
        for byte in 0..=127_u8 {
            table.insert(char::from(byte), Id::from(byte));
        }
        Self {
            symbols: Arc::new((0..=255_u8).map(char::from).collect()),
            table: table.into(),
            is_bytes: true,
        }
    }

    /// Number of symbols.
    #[expect(clippy::len_without_is_empty, reason = "a vocabulary is never empty")]
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Whether the symbols are the 256 bytes, not characters.
    pub fn is_bytes(&self) -> bool {
        self.is_bytes
    }

    /// The id of a character; `None` if it is not in the vocabulary. Among [bytes](Self::bytes) only
    /// ASCII characters have one id, every other character being several bytes of UTF-8.
    #[inline]
    pub fn id(&self, character: char) -> Option<Id> {
        self.table.get(character)
    }

    /// The symbol numbered `id`. Byte `b` is shown as the character U+00`b`.
    ///
    /// # Panics
    /// If `id` is not below [`len`](Self::len).
    #[inline]
    #[track_caller]
    pub fn symbol(&self, id: Id) -> char {
        match self.symbols.get(id as usize) {
            Some(&symbol) => symbol,
            None => panic!("id {id} is outside a vocabulary of {} symbols", self.len()),
        }
    }

    /// All symbols, ascending; the place of each is its id.
    pub fn symbols(&self) -> &[char] {
        &self.symbols
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`] for the first character that is not in the vocabulary,
    /// [`Error::TooLarge`] where memory runs out.
    pub fn encode(&self, text: &str) -> Result<Vec<Id>> {
        self.encode_with(text, Unknown::Error)
    }

    /// The ids of a text, treating characters outside the vocabulary as `unknown` says.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`] or [`Error::NoReplacement`], depending on `unknown`.
    pub fn encode_with(&self, text: &str, unknown: Unknown) -> Result<Vec<Id>> {
        if self.is_bytes {
            return memory::collected(text.bytes().map(Id::from));
        }
        let mut ids = memory::room(text.len())?;
        for (offset, character) in (0..).zip(text.chars()) {
            ids.extend(self.resolve(character, offset, unknown)?);
        }
        Ok(ids)
    }

    /// The ids of one character: as many as it has bytes, or one.
    pub(crate) fn encode_char(&self, character: char) -> Result<SmallVec<[Id; 4]>> {
        if self.is_bytes {
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).bytes();
            return Ok(bytes.map(Id::from).collect());
        }
        let id = self.resolve(character, 0, Unknown::Error)?;
        Ok(id.into_iter().collect())
    }

    /// The id to read for `character`, the one at `offset` of its text; `None` to leave it out.
    #[inline]
    pub(crate) fn resolve(
        &self,
        character: char,
        offset: u64,
        unknown: Unknown,
    ) -> Result<Option<Id>> {
        match self.id(character) {
            Some(id) => Ok(Some(id)),
            None => self.resolve_unknown(character, offset, unknown),
        }
    }

    #[cold]
    fn resolve_unknown(
        &self,
        character: char,
        offset: u64,
        unknown: Unknown,
    ) -> Result<Option<Id>> {
        match unknown {
            Unknown::Skip => Ok(None),
            Unknown::Replace => match self.id(REPLACEMENT) {
                Some(id) => Ok(Some(id)),
                None => Err(Error::NoReplacement { character, offset }),
            },
            Unknown::Error => {
                let close = self.close_to(character);
                Err(Error::UnknownCharacter {
                    character,
                    offset,
                    close,
                })
            }
        }
    }

    /// The text that the ids spell. Bytes that are not UTF-8 become U+FFFD; see
    /// [`decode_bytes`](Self::decode_bytes).
    ///
    /// # Panics
    /// If an id is not below [`len`](Self::len).
    #[track_caller]
    pub fn decode(&self, ids: &[Id]) -> String {
        if self.is_bytes {
            return String::from_utf8_lossy(&self.decode_bytes(ids)).into_owned();
        }
        ids.iter().map(|&id| self.symbol(id)).collect()
    }

    /// The bytes that the ids spell: those of UTF-8, or with [`bytes`](Self::bytes) any.
    ///
    /// # Panics
    /// If an id is not below [`len`](Self::len).
    #[track_caller]
    pub fn decode_bytes(&self, ids: &[Id]) -> Vec<u8> {
        if !self.is_bytes {
            return self.decode(ids).into_bytes();
        }
        // The symbols of bytes are U+0000 to U+00FF.
        ids.iter().map(|&id| self.symbol(id) as u8).collect()
    }

    /// Up to five symbols that may have been meant by a character outside the vocabulary, likeliest
    /// first: its other case, the same letter with other accents (or the plain form of a typographic
    /// sign), then the nearest code points of its class (capital, digit, space, …).
    pub fn close_to(&self, character: char) -> Vec<char> {
        close::close_to(&self.symbols, character)
    }
}

/// Panics unless every id is one of a vocabulary of `len` symbols.
#[track_caller]
pub(crate) fn check_ids(ids: &[Id], len: usize) {
    if let Some(at) = ids.iter().position(|&id| id as usize >= len) {
        outside(ids[at], at, len);
    }
}

/// The same for targets, which may also be [`IGNORE`].
#[track_caller]
pub(crate) fn check_targets(ids: &[Id], len: usize) {
    let is_outside = |&id: &Id| id as usize >= len && id != IGNORE;
    if let Some(at) = ids.iter().position(is_outside) {
        outside(ids[at], at, len);
    }
}

#[cold]
#[track_caller]
pub(crate) fn outside(id: Id, at: usize, len: usize) -> ! {
    let id = match id {
        IGNORE => "IGNORE".to_owned(),
        id => id.to_string(),
    };
    panic!("id {id} at position {at} is outside a vocabulary of {len} symbols")
}

// The table follows from the symbols.
impl PartialEq for Vocabulary {
    fn eq(&self, other: &Self) -> bool {
        self.is_bytes == other.is_bytes && self.symbols == other.symbols
    }
}

impl Eq for Vocabulary {}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_bytes {
            return f.write_str("Vocabulary(bytes)");
        }
        f.debug_tuple("Vocabulary")
            .field(&self.symbols.iter().collect::<String>())
            .finish()
    }
}
