//! What the settings for a text depend on: its length, its characters, and how hard it is.
//!
//! The last is the loss of an n-gram, found in a moment, which any network should beat. With `n` the number
//! of times that a context was followed by anything, `d` the number of different characters that followed
//! it, and `p` the probability by the context that is one character shorter (Witten and Bell 1991,
//! interpolated):
//!
//! ```text
//! P(c | context) = (count of c + d p) / (n + d)
//! ```

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::io;
use std::ops::Range;

use twox_hash::XxHash3_64;

use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::memory;
use crate::vocabulary::Id;

/// The most characters that are counted, and that are then predicted.
const COUNTED: usize = 100_000;
const PREDICTED: usize = 30_000;
/// Parts of a list of which the last tenth each is predicted, so that an order of the list matters little.
const PARTS: usize = 10;
/// Characters of the longest context, and of a shorter one, which suits short texts better.
const ORDERS: [usize; 2] = [5, 3];

/// What the settings for a text depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextFacts {
    /// Its length in characters.
    pub characters: usize,
    /// The share of it to learn from.
    pub share: f64,
    /// Number of different characters.
    pub vocab_size: usize,
    /// The loss of an n-gram in nats per character: some 0.3 for logs, 1.7 for prose, 2 for names.
    pub ngram_loss: f64,
}

impl TextFacts {
    /// Facts of prose of this length.
    pub fn prose(characters: usize, vocab_size: usize) -> Self {
        TextFacts {
            characters,
            share: 0.9,
            vocab_size,
            ngram_loss: 1.7,
        }
    }

    /// The same for another split: the first share is learned from. Nine tenths are, if none is said.
    pub fn split(self, shares: &[f64]) -> Self {
        let share = shares.first().copied().unwrap_or(self.share);
        TextFacts { share, ..self }
    }
}

impl Corpus {
    /// What the settings for this text depend on, or for this list of `records`. Takes a fifth of a
    /// second.
    ///
    /// ```
    /// let corpus = rnn::Corpus::from_text(&"to be or not to be ".repeat(50))?;
    /// let facts = corpus.facts(false);
    /// assert_eq!((facts.characters, facts.vocab_size), (950, 7));
    /// assert!(facts.ngram_loss < 0.2);
    /// # Ok::<(), rnn::Error>(())
    /// ```
    ///
    /// # Panics
    /// If memory runs out.
    pub fn facts(&self, records: bool) -> TextFacts {
        self.try_facts(records).expect("memory to count")
    }

    /// As [`facts`](Self::facts).
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn try_facts(&self, records: bool) -> Result<TextFacts> {
        let (length, vocab_size) = (self.len(), self.vocabulary().len());
        let parts = if records { PARTS } else { 1 };
        let (counted, predicted) = (0..parts)
            .map(|part| {
                let (start, end) = (part * length / parts, (part + 1) * length / parts);
                let border = end - (end - start) / 10;
                let counted = start.max(border.saturating_sub(COUNTED / parts))..border;
                (counted, border..end.min(border + PREDICTED / parts))
            })
            .unzip();
        Ok(TextFacts {
            share: 0.9,
            characters: length,
            vocab_size,
            ngram_loss: self.ngram_loss(counted, predicted)?,
        })
    }

    /// The better loss of contexts of up to 3 and up to 5 characters, in nats per character.
    fn ngram_loss(&self, counted: Vec<Range<usize>>, predicted: Vec<Range<usize>>) -> Result<f64> {
        let read = |range: Range<usize>| {
            let mut ids = vec![0; range.len()];
            self.ids().copy_to(range, &mut ids);
            ids
        };
        let characters: usize = counted.iter().map(Range::len).sum();
        let mut counts = Counts::with_room(characters * (1 + ORDERS[0]))?;
        for ids in counted.into_iter().map(read) {
            for at in 0..ids.len() {
                for order in 0..=ORDERS[0].min(at) {
                    counts.add(&ids[at - order..at], ids[at]);
                }
            }
        }
        let uniform = 1.0 / self.vocabulary().len() as f64;
        let (mut nats, mut count) = ([0.0; 2], 0);
        for ids in predicted.into_iter().map(read) {
            count += ids.len();
            for at in 0..ids.len() {
                let mut p = uniform;
                for order in 0..=ORDERS[0].min(at) {
                    p = counts.probability(&ids[at - order..at], ids[at], p);
                    for (nats, last) in nats.iter_mut().zip(ORDERS) {
                        if order == last.min(at) {
                            *nats -= libm::log(p);
                        }
                    }
                }
            }
        }
        Ok(match count {
            0 => -libm::log(uniform),
            count => nats[0].min(nats[1]) / count as f64,
        })
    }
}

/// How often characters followed contexts. Keys are hashes: two of a million of 64 bits hardly ever meet,
/// and then one probability is a little off.
#[derive(Default)]
struct Counts {
    /// Of each context: characters that followed, and different ones.
    contexts: HashMap<u64, (u32, u32), BuildHasherDefault<Same>>,
    /// Of each context and character.
    followers: HashMap<u64, u32, BuildHasherDefault<Same>>,
}

impl Counts {
    /// Room for so many contexts and characters after them.
    fn with_room(entries: usize) -> Result<Self> {
        // A map keeps up to half of its places free.
        memory::check(memory::bytes::<[u64; 9]>(entries as u128))?;
        let mut counts = Counts::default();
        let refused = |_| Error::from(io::Error::from(io::ErrorKind::OutOfMemory));
        counts.contexts.try_reserve(entries).map_err(refused)?;
        counts.followers.try_reserve(entries).map_err(refused)?;
        Ok(counts)
    }

    fn add(&mut self, context: &[Id], id: Id) {
        let (context, follower) = keys(context, id);
        let count = self.followers.entry(follower).or_default();
        let (all, different) = self.contexts.entry(context).or_default();
        *all += 1;
        *different += u32::from(*count == 0);
        *count += 1;
    }

    fn probability(&self, context: &[Id], id: Id, shorter: f64) -> f64 {
        let (context, follower) = keys(context, id);
        let Some(&(all, different)) = self.contexts.get(&context) else {
            return shorter;
        };
        let count = self.followers.get(&follower).copied().unwrap_or(0);
        let (all, different) = (f64::from(all), f64::from(different));
        (f64::from(count) + different * shorter) / (all + different)
    }
}

fn keys(context: &[Id], id: Id) -> (u64, u64) {
    let hash = BuildHasherDefault::<XxHash3_64>::default();
    let context = hash.hash_one(context);
    (context, hash.hash_one((context, id)))
}

/// Keys are hashes already.
#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers")
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
