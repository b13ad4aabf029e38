//! Lines as independent examples: names, addresses, log lines.
//!
//! A record is a line with the newline that ends it. The newline is its last target, so the model
//! learns where records end, and its first input, so sampling starts by feeding a newline:
//!
//! ```text
//!     inputs   \n e m m a
//!     targets   e m m a \n
//! ```
//!
//! The order of the lines in the file has no meaning, and lists are often sorted. So one shuffle
//! decides which lines are held out, and another orders each epoch. Both depend on the seed and the
//! epoch alone.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use super::ids::IdSlice;
use super::split::Split;
use crate::{Corpus, Error, Id, Result};

/// A set of records of one corpus: where each of them starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    starts: Vec<usize>,
    newline: Id,
}

/// The parts of a set of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSplit {
    /// For training.
    pub train: Records,
    /// For choosing the best weights; may be empty.
    pub validation: Records,
    /// For one measurement at the end; may be empty.
    pub test: Records,
}

impl Records {
    /// All lines of a corpus, empty ones included.
    ///
    /// # Errors
    /// [`Error::UnfinishedRecord`] when the last line lacks its newline, which
    /// [`CorpusBuilder::records`](crate::CorpusBuilder::records) sees to.
    pub fn of(corpus: &Corpus) -> Result<Self> {
        let ids = corpus.ids().as_slice();
        let newline = corpus
            .vocabulary()
            .id('\n')
            .ok_or(Error::UnfinishedRecord)?;
        if ids.get(ids.len() - 1) != newline {
            return Err(Error::UnfinishedRecord);
        }
        let mut starts = Vec::new();
        let mut start = 0;
        while start < ids.len() {
            starts.push(start);
            start = ids.find(newline, start) + 1;
        }
        starts.shrink_to_fit();
        Ok(Self { starts, newline })
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Where the records start in the corpus, ascending.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// Characters of all records, newlines included; `ids` are those of their corpus.
    pub fn characters(&self, ids: IdSlice<'_>) -> usize {
        let length = |&start: &usize| ids.find(self.newline, start) + 1 - start;
        self.starts.iter().map(length).sum()
    }

    /// The id that ends every record.
    pub fn newline(&self) -> Id {
        self.newline
    }

    /// Splits the records at random into a training, a validation and a test part, by their shares of
    /// the lines. The split depends on the seed alone.
    ///
    /// # Errors
    /// [`Error::InvalidSplit`] as [`Corpus::split`]; [`Error::NoRecords`] when the training part
    /// is left without any.
    pub fn split(mut self, fractions: &[f64], seed: u64) -> Result<RecordSplit> {
        let split = Split::new(self.len(), fractions, 1)?;
        if split.train.is_empty() {
            return Err(Error::NoRecords);
        }
        shuffle(&mut self.starts, seed, Draw::Split);
        let part = |mut starts: Vec<usize>| {
            starts.sort_unstable();
            Self {
                starts,
                newline: self.newline,
            }
        };
        let test = part(self.starts.split_off(split.test.start));
        let validation = part(self.starts.split_off(split.validation.start));
        Ok(RecordSplit {
            train: part(self.starts),
            validation,
            test,
        })
    }

    /// Shuffles the records for `epoch`. The result does not depend on their order before.
    pub(super) fn shuffle(&mut self, seed: u64, epoch: u64) {
        self.starts.sort_unstable();
        shuffle(&mut self.starts, seed, Draw::Epoch(epoch));
    }
}

/// What a shuffle is for. Each has its own stream of random numbers.
enum Draw {
    Split,
    Epoch(u64),
}

/// Fisher and Yates's shuffle, as a function of the seed and its purpose alone.
fn shuffle(starts: &mut [usize], seed: u64, draw: Draw) {
    let (purpose, epoch) = match draw {
        Draw::Split => (b"records split   ", 0),
        Draw::Epoch(epoch) => (b"records epoch   ", epoch),
    };
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&epoch.to_le_bytes());
    key[16..].copy_from_slice(purpose);
    let mut random = ChaCha8Rng::from_seed(key);
    for last in (1..starts.len()).rev() {
        // The high half of a product is uniform over 0..=last but for a bias below last / 2^64.
        let choice = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
        starts.swap(last, choice as usize);
    }
}
