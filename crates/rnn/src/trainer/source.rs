//! The source of windows: streams through one long text, or records.

use std::ops::Range;

use tensor::Scalar;

use super::TrainConfig;
use super::validation::{RecordValidator, TextValidator};
use crate::config::NetworkConfig;
use crate::corpus::{Corpus, IdSlice, RecordBatches, RecordWindow, Records, Streams};
use crate::error::Result;
use crate::memory;
use crate::parameters::Parameters;
use crate::ranks::Ranks;
use crate::vocabulary::Id;

/// The training part.
pub(super) enum Source {
    Text(Streams),
    Records { batches: RecordBatches, seed: u64 },
}

impl Source {
    pub(super) fn windows_per_epoch(&self) -> usize {
        match self {
            Source::Text(streams) => streams.windows_per_epoch(),
            Source::Records { batches, .. } => batches.windows_per_epoch(),
        }
    }

    /// Shuffles records for the epoch.
    pub(super) fn begin_epoch(&mut self, ids: IdSlice<'_>, epoch: u64) {
        if let Source::Records { batches, seed } = self {
            batches.shuffle(ids, *seed, epoch);
        }
    }

    /// Writes window `w` of the epoch time-major, `[steps, batch]`: at least these `columns`.
    pub(super) fn fill(
        &mut self,
        columns: Range<usize>,
        ids: IdSlice<'_>,
        w: usize,
        inputs: &mut [Id],
        targets: &mut [Id],
    ) -> RecordWindow {
        match self {
            Source::Text(streams) => {
                let steps = streams.fill_columns(columns, ids, w, inputs, targets);
                RecordWindow {
                    steps,
                    characters: steps * streams.batch_size(),
                    is_first: w == 0,
                }
            }
            Source::Records { batches, .. } => batches.fill(ids, w, inputs, targets),
        }
    }
}

/// The held-out part, or another text to evaluate.
pub(crate) enum HeldOut<T> {
    Text(Box<TextValidator<T>>),
    Records(Box<RecordValidator<T>>),
}

impl<T: Scalar> HeldOut<T> {
    fn text(network: &NetworkConfig, part: Range<usize>) -> Result<Option<Self>> {
        let validator = TextValidator::new(network, part)?;
        Ok(validator.map(|validator| HeldOut::Text(Box::new(validator))))
    }

    fn records(network: &NetworkConfig, part: Records, ids: IdSlice<'_>) -> Result<Option<Self>> {
        let validator = RecordValidator::new(network, part, ids)?;
        Ok(validator.map(|validator| HeldOut::Records(Box::new(validator))))
    }

    /// A whole corpus, line by line or as one text; `None` if there is nothing to predict.
    pub(crate) fn whole(
        corpus: &Corpus,
        network: &NetworkConfig,
        records: bool,
    ) -> Result<Option<Self>> {
        if records {
            let ids = corpus.ids().as_slice();
            memory::check(RecordValidator::<T>::bytes(network))?;
            return Self::records(network, Records::of(corpus)?, ids);
        }
        memory::check(TextValidator::<T>::bytes(network))?;
        Self::text(network, 0..corpus.len())
    }

    /// The third part of a corpus, if there is one.
    pub(super) fn test(
        corpus: &Corpus,
        shares: &[f64],
        network: &NetworkConfig,
        config: &TrainConfig,
    ) -> Result<Option<Self>> {
        if shares.len() < 3 {
            return Ok(None);
        }
        memory::check(Self::bytes(network, config))?;
        if !config.records {
            return Self::text(network, corpus.split(shares)?.test);
        }
        let ids = corpus.ids().as_slice();
        let split = Records::of(corpus)?.split(ids, shares, config.seed)?;
        Self::records(network, split.test, ids)
    }

    /// Bytes that it takes at most, without its list of records.
    pub(super) fn bytes(network: &NetworkConfig, config: &TrainConfig) -> u128 {
        match config.records {
            true => RecordValidator::<T>::bytes(network),
            false => TextValidator::<T>::bytes(network),
        }
    }

    /// The mean loss in nats per character; `ids` are those of the whole corpus. The ranks share a text,
    /// and each reads all records.
    pub(crate) fn loss(
        &mut self,
        params: &Parameters<T>,
        ids: IdSlice<'_>,
        ranks: &Ranks,
    ) -> Result<f64> {
        match self {
            HeldOut::Text(validator) => validator.loss(params, ids, ranks),
            HeldOut::Records(validator) => Ok(validator.loss(params, ids)),
        }
    }

    /// Characters predicted.
    pub(crate) fn characters(&self) -> usize {
        match self {
            HeldOut::Text(validator) => validator.characters(),
            HeldOut::Records(validator) => validator.characters(),
        }
    }
}

/// A corpus split into a training part and a held-out part.
pub(super) struct Parts<T> {
    pub(super) source: Source,
    pub(super) held_out: Option<HeldOut<T>>,
    /// Number of characters in each part.
    pub(super) lengths: (usize, usize),
}

impl<T: Scalar> Parts<T> {
    /// Splits the corpus; `config` has to be fitted to it.
    pub(super) fn new(
        corpus: &Corpus,
        shares: &[f64],
        network: &NetworkConfig,
        config: &TrainConfig,
    ) -> Result<Self> {
        let size = [config.batch_size, config.seq_length];
        if !config.records {
            let split = corpus.split(shares)?;
            let lengths = (split.train.len(), split.validation.len());
            return Ok(Parts {
                source: Source::Text(Streams::new(split.train, size[0], size[1])),
                held_out: HeldOut::text(network, split.validation)?,
                lengths,
            });
        }
        let ids = corpus.ids().as_slice();
        let split = Records::of(corpus)?.split(ids, shares, config.seed)?;
        let lengths = (
            split.train.characters(ids),
            split.validation.characters(ids),
        );
        let held_out = HeldOut::records(network, split.validation, ids)?;
        let batches = RecordBatches::new(split.train, ids, size, 0);
        let seed = config.seed;
        let mut source = Source::Records { batches, seed };
        source.begin_epoch(ids, 0);
        Ok(Parts {
            source,
            held_out,
            lengths,
        })
    }
}
