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
//! epoch alone. Lists also hold copies: a line that is learned is no test, so all copies of a line go to
//! the same part.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use super::ids::IdSlice;
use super::split::check_shares;
use crate::{Corpus, Error, Id, Result, memory};

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
        let length = |&start: &usize| self.length(ids, start);
        self.starts.iter().map(length).sum()
    }

    /// Characters of the record at `start`.
    pub(super) fn length(&self, ids: IdSlice<'_>, start: usize) -> usize {
        ids.find(self.newline, start) + 1 - start
    }

    /// The id that ends every record.
    pub fn newline(&self) -> Id {
        self.newline
    }

    /// Splits the records at random into a training, a validation and a test part, by their shares of
    /// the characters; `ids` are those of their corpus. All copies of a line go to the same part. The
    /// split depends on the seed alone.
    ///
    /// # Errors
    /// [`Error::InvalidSplit`] as [`Corpus::split`]; [`Error::NoRecords`] when the training part is left
    /// without any, or one record is to be split; [`Error::TooLarge`] where memory runs out.
    pub fn split(mut self, ids: IdSlice<'_>, fractions: &[f64], seed: u64) -> Result<RecordSplit> {
        check_shares(fractions)?;
        if self.len() < 2 && fractions[1..].iter().any(|&share| share > 0.0) {
            return Err(Error::NoRecords);
        }
        shuffle(&mut self.starts, seed, Draw::Split);
        let mut lines = self.copies(ids)?;
        let (sum, all) = (fractions.iter().sum::<f64>(), self.characters(ids) as f64);
        let share = |part: usize| fractions.get(part).copied().unwrap_or(0.0) / sum * all;
        let mut filled = [0.0; 3];
        for copies in lines.chunk_by_mut(|a, b| a.0 == b.0) {
            let length = (copies.len() * self.length(ids, self.starts[copies[0].1])) as f64;
            // A line is held out if that brings the part nearer to its share. The small addition undoes
            // rounding.
            let fits = |&part: &usize| filled[part] + length / 2.0 <= share(part) + 1e-6;
            let part = [1, 2].into_iter().find(fits).unwrap_or(0);
            filled[part] += length;
            copies.iter_mut().for_each(|copy| copy.0 = part as u64);
        }
        let part = |part: u64| -> Result<Self> {
            let mine = || lines.iter().filter(|line| line.0 == part);
            let mut starts = memory::room(mine().count())?;
            starts.extend(mine().map(|line| self.starts[line.1]));
            starts.sort_unstable();
            Ok(Self {
                starts,
                newline: self.newline,
            })
        };
        let train = part(0)?;
        if train.is_empty() {
            return Err(Error::NoRecords);
        }
        Ok(RecordSplit {
            train,
            validation: part(1)?,
            test: part(2)?,
        })
    }

    /// The place in `starts` of each record, and before it the place of the first copy of its line,
    /// ascending: copies stand together, at the place of the first.
    fn copies(&self, ids: IdSlice<'_>) -> Result<Vec<(u64, usize)>> {
        // FNV-1a. Two lines that happen to have the same hash go to the same part, which does no harm.
        let hash = |start: usize| {
            let line = ids.slice(start..start + self.length(ids, start));
            line.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, id| {
                (hash ^ u64::from(id)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        };
        let starts = self.starts.iter().enumerate();
        let mut lines = memory::collected(starts.map(|(at, &start)| (hash(start), at)))?;
        lines.sort_unstable();
        for copies in lines.chunk_by_mut(|a, b| a.0 == b.0) {
            let first = copies[0].1 as u64;
            copies.iter_mut().for_each(|copy| copy.0 = first);
        }
        lines.sort_unstable();
        Ok(lines)
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
