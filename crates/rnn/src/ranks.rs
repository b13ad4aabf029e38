//! Ranks: the processes that train one model together, each with a part of the batch.
//!
//! What the ranks compute is added pair by pair, ranks at distance 1 first, then those at distance 2, 4
//! and so on:
//!
//! ```text
//!     rank       0   1   2   3   4   5   6   7
//!     distance 1   +       +       +       +
//!     distance 2       +               +
//!     distance 4               +
//! ```
//!
//! A rank that has several parts of the batch adds them in the same way, so the tree is that of the parts
//! alone: any number of ranks gives the same bits. The sum of long vectors halves the work at each distance
//! (recursive halving and doubling: Rabenseifner 2004; Thakur, Rabenseifner and Gropp 2005): a pair cuts the
//! vector in two, each adds up one half, goes on with that at twice the distance, and at the end they swap
//! the halves. So a rank sends 2 (N-1)/N of the vector in 2 log2(N) messages.
//!
//! MPI's own sum promises no order of additions, so this one stands on messages between two ranks, the one
//! thing that a [`Communicator`] does.
//!
//! ```
//! use rnn::ranks::{Communicator, Ranks, in_process};
//! use rnn::{Corpus, RunOptions, Trainer, recommended};
//! use std::ops::ControlFlow;
//!
//! fn train(communicator: impl Communicator + 'static) -> rnn::Result<Vec<u8>> {
//!     let corpus = Corpus::from_text(&"she sells sea shells by the sea shore. ".repeat(30))?;
//!     let mut advice = recommended(&corpus.facts(false));
//!     advice.network.hidden_size = 8;
//!     (advice.train.max_steps, advice.train.shards) = (Some(5), 4);
//!     let mut trainer = Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train)?;
//!     trainer.join(Ranks::new(communicator)?)?;
//!     trainer.run(&RunOptions::default(), |_, _| Ok::<_, rnn::Error>(ControlFlow::Continue(())))?;
//!     let model = trainer.best_model().to_bytes(); // rank 0 would save it here
//!     trainer.leave()?;
//!     Ok(model)
//! }
//!
//! let models: Vec<Vec<u8>> = std::thread::scope(|scope| {
//!     let ranks = in_process(2).into_iter();
//!     let threads: Vec<_> = ranks.map(|rank| scope.spawn(|| train(rank))).collect();
//!     threads.into_iter().map(|thread| thread.join().unwrap()).collect::<rnn::Result<_>>()
//! })?;
//! assert!(models[0] == models[1]);
//! # Ok::<(), rnn::Error>(())
//! ```

mod in_process;

use std::fmt;
use std::io;
use std::ops::AddAssign;

use bytemuck::{Pod, cast_slice, cast_slice_mut};

pub use in_process::in_process;

use crate::error::{Error, Result, check_setting};

/// The way from one rank to the others.
pub trait Communicator: Send + Sync {
    /// This rank's number, from 0.
    fn rank(&self) -> usize;

    /// Number of ranks.
    fn count(&self) -> usize;

    /// Sends `out` to `partner` and fills `into` with what that sends, which calls this at the same time.
    /// Either may be empty.
    ///
    /// # Errors
    /// If the partner cannot be reached.
    fn swap(&self, partner: usize, out: &[u8], into: &mut [u8]) -> io::Result<()>;
}

/// The ranks of a run as one of them sees them: itself alone, or others over a [`Communicator`].
///
/// All ranks must make the same calls in the same order.
#[derive(Default)]
pub struct Ranks(Option<Box<dyn Communicator>>);

impl fmt::Debug for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ranks({} of {})", self.rank(), self.count())
    }
}

impl Ranks {
    /// One process alone.
    pub fn alone() -> Self {
        Ranks(None)
    }

    /// The ranks that `communicator` connects.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless their number is a power of two.
    pub fn new(communicator: impl Communicator + 'static) -> Result<Self> {
        let count = communicator.count();
        let valid = count.is_power_of_two();
        check_setting("number of ranks", count as f64, valid, "a power of two")?;
        Ok(Ranks((count > 1).then(|| Box::new(communicator) as _)))
    }

    /// This rank's number, from 0.
    pub fn rank(&self) -> usize {
        self.0.as_ref().map_or(0, |ranks| ranks.rank())
    }

    /// Number of ranks.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |ranks| ranks.count())
    }

    /// Whether this is rank 0, which saves and decides.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// What rank 0 has; the others pass anything.
    ///
    /// # Errors
    /// [`Error::Rank`] if a rank cannot be reached.
    pub fn broadcast(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        if self.count() == 1 {
            return Ok(bytes.to_vec());
        }
        let len = self.of_first(bytes.len() as u64)? as usize;
        let mut all = crate::memory::zeros(len as u128)?;
        if self.is_first() {
            all.copy_from_slice(bytes);
        }
        // The others add zeros.
        let mut spare = crate::memory::zeros(len.div_ceil(2) as u128)?;
        self.sum(&mut all, &mut spare)?;
        Ok(all)
    }

    /// The number that rank 0 has.
    pub(crate) fn of_first(&self, number: u64) -> Result<u64> {
        let mut sum = [if self.is_first() { number } else { 0 }];
        self.sum(&mut sum, &mut [0])?;
        Ok(sum[0])
    }

    /// The first rank whose number differs from that of rank 0.
    pub(crate) fn first_other(&self, number: u64) -> Result<Option<usize>> {
        let mut numbers = vec![0; self.count()];
        numbers[self.rank()] = number;
        self.sum(&mut numbers, &mut vec![0; self.count()])?;
        Ok(numbers.iter().position(|other| *other != numbers[0]))
    }

    /// Sums `values` over the ranks, element by element; `spare` is half as long or longer. With the same
    /// bits on every rank, as [above](self).
    pub(crate) fn sum<E: Pod + AddAssign>(&self, values: &mut [E], spare: &mut [E]) -> Result<()> {
        match &self.0 {
            Some(ranks) => sum_from(&**ranks, 1, values, spare),
            None => Ok(()),
        }
    }

    /// Fills `all` on rank 0: `all` is cut into as many pieces as there are ranks, and each sends its own.
    pub(crate) fn gather<E: Pod>(&self, all: &mut [E]) -> Result<()> {
        let Some(ranks) = &self.0 else { return Ok(()) };
        let piece = all.len() / ranks.count();
        let mut pieces = all.chunks_exact_mut(piece.max(1)).enumerate();
        if ranks.rank() > 0 {
            let mine = pieces.nth(ranks.rank());
            return mine.map_or(Ok(()), |(_, mine)| {
                swap(&**ranks, 0, cast_slice(mine), &mut [])
            });
        }
        pieces
            .skip(1)
            .try_for_each(|(rank, theirs)| swap(&**ranks, rank, &[], cast_slice_mut(theirs)))
    }
}

/// Sums over the ranks at this distance and further ones.
fn sum_from<E: Pod + AddAssign>(
    ranks: &dyn Communicator,
    distance: usize,
    values: &mut [E],
    spare: &mut [E],
) -> Result<()> {
    if distance == ranks.count() {
        return Ok(());
    }
    let partner = ranks.rank() ^ distance;
    let (left, right) = values.split_at_mut(values.len() / 2);
    let (mine, theirs) = match ranks.rank() < partner {
        true => (left, right),
        false => (right, left),
    };
    let sent = &mut spare[..mine.len()];
    swap(ranks, partner, cast_slice(theirs), cast_slice_mut(sent))?;
    // The order of the two changes no bit of a sum.
    for (mine, sent) in mine.iter_mut().zip(sent) {
        *mine += *sent;
    }
    sum_from(ranks, 2 * distance, mine, spare)?;
    swap(ranks, partner, cast_slice(mine), cast_slice_mut(theirs))
}

fn swap(ranks: &dyn Communicator, partner: usize, out: &[u8], into: &mut [u8]) -> Result<()> {
    let swapped = ranks.swap(partner, out, into);
    swapped.map_err(|source| Error::Rank {
        rank: partner,
        source,
    })
}

#[cfg(test)]
mod tests;
