//! One of several processes that train the same model.
//!
//! All ranks hold all weights and do the same to them; each has some rows of the batch. After each event
//! they agree on whether to go on. Until then the first rank may save: the others send it their rows of the
//! hidden state whenever it asks.

use bytemuck::cast_slice;
use tensor::Scalar;
use twox_hash::XxHash3_64;

use super::Trainer;
use crate::bptt::Bptt;
use crate::error::{Error, Result, check_setting};
use crate::memory;
use crate::ranks::Ranks;
use crate::state::State;

impl<T: Scalar> Trainer<T> {
    /// Shares the work with other ranks, each of which has a trainer of the same text, network and settings
    /// at the same step and calls this. Each then calls [`run`](Self::run) with its own callback, and at
    /// the end [`leave`](Self::leave). The results are the same bits as with one process.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] if there are more ranks than shards, [`Error::RankDiffers`] if another
    /// rank has another text, other settings or other weights, [`Error::Rank`] if one cannot be reached.
    pub fn join(&mut self, ranks: Ranks) -> Result<()> {
        let (rank, count, shards) = (ranks.rank(), ranks.count(), self.config.shards);
        let expected = "at most the number of shards (--shards)";
        check_setting("number of ranks", count as f64, count <= shards, expected)?;
        for (what, digest) in [
            ("text", self.digest),
            ("network or other settings", self.settings_digest()),
            ("model to begin with", self.weights_digest()),
        ] {
            if let Some(rank) = ranks.first_other(digest)? {
                return Err(Error::RankDiffers { rank, what });
            }
        }
        let state = self.bptt.try_state()?;
        let each = shards / count;
        self.bptt = Bptt::of_shards(
            self.network.config(),
            self.bptt.window(),
            self.config.dropout > 0.0,
            shards,
            rank * each..(rank + 1) * each,
        )?;
        self.bptt.set_state(&state);
        self.gradients.truncate(Bptt::<T>::gradients(each));
        self.sent = match count {
            1 => Vec::new(),
            _ => memory::zeros(self.network.parameters().len().div_ceil(2) as u128)?,
        };
        self.ranks = ranks;
        Ok(())
    }

    /// Whether this is the rank that saves and reports; true for a process alone.
    pub fn is_first_rank(&self) -> bool {
        self.ranks.is_first()
    }

    /// The end of every rank's work: of the first once it has saved, of the others once it has called this.
    ///
    /// # Errors
    /// [`Error::Rank`] if a rank cannot be reached.
    pub fn leave(&self) -> Result<()> {
        self.agree(false).map(drop)
    }

    /// Whether any rank wants the run to end. Sends the first what it needs for saving meanwhile.
    pub(super) fn agree(&self, wants_end: bool) -> Result<bool> {
        loop {
            let [ends, saves] = self.speak([wants_end, false])?;
            if !saves {
                return Ok(ends);
            }
            self.gather()?;
        }
    }

    /// The hidden state of all rows of the batch, on the first rank.
    pub(super) fn whole_state(&self) -> Result<State<T>> {
        if !self.ranks.is_first() {
            return Err(Error::Io(std::io::Error::other("only rank 0 saves a run")));
        }
        self.speak([false, true])?;
        self.gather()
    }

    /// What any rank says.
    fn speak(&self, words: [bool; 2]) -> Result<[bool; 2]> {
        let mut words = words.map(u64::from);
        self.ranks.sum(&mut words, &mut [0])?;
        Ok(words.map(|count| count > 0))
    }

    fn gather(&self) -> Result<State<T>> {
        let mut state = self.bptt.try_state()?;
        for matrix in state.h.iter_mut().chain(&mut state.c) {
            self.ranks.gather(matrix.as_mut_slice())?;
        }
        Ok(state)
    }

    fn settings_digest(&self) -> u64 {
        let settings = (self.network.config(), &self.config, &self.shares);
        XxHash3_64::oneshot(format!("{settings:?}").as_bytes())
    }

    fn weights_digest(&self) -> u64 {
        let weights = cast_slice(self.network.parameters().as_slice());
        XxHash3_64::oneshot_with_seed(self.progress.step, weights)
    }
}
