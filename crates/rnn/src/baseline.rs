//! How hard a text is, in a moment: the loss of an n-gram, which any network should beat.
//!
//! With `n` the number of times that a context was followed by anything, `d` the number of different
//! characters that followed it, and `p` the probability by the context that is one character shorter
//! (Witten and Bell 1991, interpolated):
//!
//! ```text
//! P(c | context) = (count of c + d p) / (n + d)
//! ```

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use twox_hash::XxHash3_64;

use crate::corpus::Corpus;
use crate::vocabulary::Id;

/// Characters that are counted at most, and those that are then predicted.
const COUNTED: usize = 300_000;
const PREDICTED: usize = 30_000;
/// Characters of the longest context, and of a shorter one that suits short texts better.
const ORDERS: [usize; 2] = [5, 3];

/// The loss in nats per character of an n-gram on the text's last tenth, or on the start of that if the
/// text is long, after counting what comes before. The better of contexts of up to 3 and up to 5
/// characters. `None` for a text of fewer than 20 characters.
///
/// ```
/// let corpus = rnn::Corpus::from_text(&"to be or not to be ".repeat(50))?;
/// assert!(rnn::ngram_loss(&corpus).unwrap() < 0.2);
/// # Ok::<(), rnn::Error>(())
/// ```
pub fn ngram_loss(corpus: &Corpus) -> Option<f64> {
    let length = corpus.len();
    let border = length - length / 10;
    let start = border.saturating_sub(COUNTED);
    let end = length.min(border + PREDICTED);
    if end - border < 2 {
        return None;
    }
    let mut ids: Vec<Id> = vec![0; end - start];
    corpus.ids().copy_to(start..end, &mut ids);
    let mut counts = Counts::default();
    let border = border - start;
    for at in 0..border {
        for order in 0..=ORDERS[0].min(at) {
            counts.add(&ids[at - order..at], ids[at]);
        }
    }
    let vocab_size = corpus.vocabulary().len() as f64;
    let mut nats = [0.0; 2];
    for at in border..ids.len() {
        let mut p = 1.0 / vocab_size;
        for order in 0..=ORDERS[0].min(at) {
            p = counts.probability(&ids[at - order..at], ids[at], p);
            for (nats, last) in nats.iter_mut().zip(ORDERS) {
                if order == last.min(at) {
                    *nats -= libm::log(p);
                }
            }
        }
    }
    Some(nats[0].min(nats[1]) / (ids.len() - border) as f64)
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
