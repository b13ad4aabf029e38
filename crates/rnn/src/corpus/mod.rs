//! From text to batches: files, ids, a split, windows.
//!
//! A [`Corpus`] is a text as numbers, with its [`Vocabulary`]. [`Corpus::split`] holds out a part.
//! [`Streams`] reads the rest at `batch_size` places at once, in windows (`|`):
//!
//! ```text
//!     text        h e l l o ,   w o r l d .
//!     stream 0    h e l|l o ,                   targets   e l l|o ,
//!     stream 1                  w o|r l d       targets   w o r|l d .
//! ```
//!
//! `RecordBatches` treats each line (a name, a log line) as an independent example instead.

mod blocks;
mod coder;
mod ids;
mod line_ends;
mod reader;
mod record_batches;
mod records;
mod split;
#[cfg(test)]
mod tests;
mod utf8;
mod windows;

use std::hash::Hasher;
use std::io::Read;
use std::path::Path;

use twox_hash::XxHash3_64;

pub use ids::{IdSlice, Ids};
pub use reader::CorpusBuilder;
pub(crate) use record_batches::{RecordBatches, RecordWindow};
pub use records::{RecordSplit, Records};
pub use split::{Split, check_shares};
pub use windows::Streams;
pub(crate) use windows::fit;

use crate::{Result, Vocabulary};
use ids::Storage;

/// A text as ids, and the vocabulary that spells it.
///
/// ```
/// use rnn::Corpus;
///
/// let corpus = Corpus::from_text("to be, or not to be")?;
/// assert_eq!(corpus.len(), 19);
/// assert_eq!(corpus.vocabulary().symbols().iter().collect::<String>(), " ,benort");
/// let split = corpus.split(&[0.9, 0.1])?;
/// assert_eq!((split.train, split.validation), (0..17, 17..19));
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Corpus {
    vocabulary: Vocabulary,
    ids: Ids,
    had_bom: bool,
    unknown: u64,
    line_ends: Option<&'static str>,
}

impl Corpus {
    /// The corpus of a text.
    ///
    /// # Errors
    /// As [`CorpusBuilder::finish`].
    pub fn from_text(text: &str) -> Result<Self> {
        let mut builder = CorpusBuilder::new();
        builder.push_text(text)?;
        builder.finish()
    }

    /// The corpus of everything that `reader` returns, read in one pass.
    ///
    /// # Errors
    /// As [`CorpusBuilder::push_reader`] and [`CorpusBuilder::finish`].
    pub fn from_reader(reader: impl Read) -> Result<Self> {
        let mut builder = CorpusBuilder::new();
        builder.push_reader(reader)?;
        builder.finish()
    }

    /// The corpus of a file.
    ///
    /// # Errors
    /// As [`CorpusBuilder::push_path`] and [`CorpusBuilder::finish`].
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let mut builder = CorpusBuilder::new();
        builder.push_path(path)?;
        builder.finish()
    }

    /// Characters in the text; bytes where the vocabulary is of bytes.
    #[expect(clippy::len_without_is_empty, reason = "a corpus is never empty")]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The symbols of the text.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The text as numbers.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Whether a file began with a byte order mark (U+FEFF), which is not part of the text.
    pub fn had_bom(&self) -> bool {
        self.had_bom
    }

    /// The line ends that were read as newlines, such as CRLF, if there were any.
    pub fn line_ends(&self) -> Option<&'static str> {
        self.line_ends
    }

    /// Number of characters that a given vocabulary lacks, which were left out or replaced.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Splits the text into a training, a validation and a test part, in this order. `fractions` are
    /// their shares of the characters, such as `[0.9, 0.1]` or `[0.9, 0.05, 0.05]`. A part of fewer
    /// than two characters has nothing to predict and joins the part before it.
    ///
    /// # Errors
    /// As [`check_shares`].
    pub fn split(&self, fractions: &[f64]) -> Result<Split> {
        Split::new(self.len(), fractions)
    }

    /// A checksum of the vocabulary and the text (XXH3, 64 bits), the same on every machine. Resuming
    /// compares it to find out whether the text has changed.
    pub fn digest(&self) -> u64 {
        let mut hasher = XxHash3_64::with_seed(0);
        hasher.write(&[u8::from(self.vocabulary.is_bytes())]);
        hasher.write(&(self.vocabulary.len() as u64).to_le_bytes());
        for &symbol in self.vocabulary.symbols() {
            hasher.write(&u32::from(symbol).to_le_bytes());
        }
        match &self.ids.0 {
            Storage::Narrow(ids) => hasher.write(ids),
            Storage::Wide(ids) => {
                let mut bytes = [0; 4096];
                for ids in ids.chunks(bytes.len() / 4) {
                    for (to, id) in bytes.chunks_exact_mut(4).zip(ids) {
                        to.copy_from_slice(&id.to_le_bytes());
                    }
                    hasher.write(&bytes[..4 * ids.len()]);
                }
            }
        }
        hasher.finish()
    }
}
