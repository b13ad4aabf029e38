//! The source of windows: streams through one long text, or records.

use tensor::Scalar;

use super::TrainConfig;
use super::validation::{RecordValidator, TextValidator};
use crate::config::NetworkConfig;
use crate::corpus::{Corpus, IdSlice, RecordBatches, RecordWindow, Records, Streams};
use crate::error::Result;
use crate::parameters::Parameters;
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

    /// Writes window `w` of the epoch time-major, `[steps, batch]`.
    pub(super) fn fill(
        &mut self,
        ids: IdSlice<'_>,
        w: usize,
        inputs: &mut [Id],
        targets: &mut [Id],
    ) -> RecordWindow {
        match self {
            Source::Text(streams) => {
                let steps = streams.fill(ids, w, inputs, targets);
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

/// The held-out part.
pub(super) enum HeldOut<T> {
    Text(TextValidator<T>),
    Records(Box<RecordValidator<T>>),
}

impl<T: Scalar> HeldOut<T> {
    /// Bytes that it takes at most, without its list of records.
    pub(super) fn bytes(network: &NetworkConfig, config: &TrainConfig) -> u128 {
        match config.records {
            true => RecordValidator::<T>::bytes(network),
            false => TextValidator::<T>::bytes(network),
        }
    }

    /// The mean loss in nats per character; `ids` are those of the whole corpus.
    pub(super) fn loss(&mut self, params: &Parameters<T>, ids: IdSlice<'_>) -> f64 {
        match self {
            HeldOut::Text(validator) => validator.loss(params, ids),
            HeldOut::Records(validator) => validator.loss(params, ids),
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
        let (batch_size, seq_length) = (config.batch_size, config.seq_length);
        if !config.records {
            let split = corpus.split(shares)?;
            let lengths = (split.train.len(), split.validation.len());
            return Ok(Parts {
                source: Source::Text(Streams::new(split.train, batch_size, seq_length)),
                held_out: TextValidator::new(network, split.validation)?.map(HeldOut::Text),
                lengths,
            });
        }
        let ids = corpus.ids().as_slice();
        let split = Records::of(corpus)?.split(shares, config.seed)?;
        let held_out = RecordValidator::new(network, split.validation, ids)?;
        let held = held_out
            .as_ref()
            .map_or(0, |validator| validator.characters());
        let learned = split.train.characters(ids);
        let batches = RecordBatches::new(split.train, ids, batch_size, seq_length);
        let seed = config.seed;
        let mut source = Source::Records { batches, seed };
        source.begin_epoch(ids, 0);
        Ok(Parts {
            source,
            held_out: held_out.map(|validator| HeldOut::Records(Box::new(validator))),
            lengths: (learned, held),
        })
    }
}
