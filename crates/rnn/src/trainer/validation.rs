//! The loss on held-out text, as scoring that text would give it.
//!
//! The held-out part is cut into at most [`MOST_STREAMS`] streams, fewer if it is short, whatever the
//! batch size of training. Each carries its state from window to window. The first starts from a zero
//! state, as scoring does. Every other lacks its past, so it first reads the last [`WARM_UP`] characters
//! of the one before it and does not count them. So every character but the first is counted exactly
//! once, and the loss is within 0.002 nats of that of a single stream.

use std::ops::Range;

use tensor::Scalar;
use tensor::parallel::{self, Rows};

use crate::config::NetworkConfig;
use crate::corpus::{IdSlice, RecordBatches, Records};
use crate::error::Result;
use crate::loss;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::ranks::Ranks;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::{IGNORE, Id};

const MOST_STREAMS: usize = 32;
/// The fewest characters that make a stream worth its warm-up.
const STREAM_CHARACTERS: usize = 512;
/// Characters read to warm up a stream.
const WARM_UP: usize = 256;
const STEPS: usize = 64;

/// Buffers for the evaluation of a held-out part of the text.
pub(crate) struct TextValidator<T> {
    part: Range<usize>,
    weights: PackedWeights<T>,
    unroll: Unroll<T>,
    /// The characters that each row reads, counted from the first of the part.
    streams: Vec<Range<usize>>,
    /// The first of these streams, and the number of all, which other ranks may read.
    first: usize,
    count: usize,
    window: Window,
    predictions: usize,
}

/// What a validator reads and predicts at once, `[time, rows]`.
struct Window {
    inputs: Vec<Id>,
    targets: Vec<Id>,
    losses: Vec<f64>,
}

impl Window {
    fn new(rows: usize) -> Self {
        Window {
            inputs: vec![0; STEPS * rows],
            targets: vec![IGNORE; STEPS * rows],
            losses: vec![0.0; STEPS * rows],
        }
    }
}

impl<T: Scalar> TextValidator<T> {
    /// Buffers for a part of the text; `None` if there is nothing to predict.
    pub(super) fn new(config: &NetworkConfig, part: Range<usize>) -> Result<Option<Self>> {
        let Some(predictions) = part.len().checked_sub(1).filter(|&count| count > 0) else {
            return Ok(None);
        };
        let count = (predictions / STREAM_CHARACTERS).clamp(1, MOST_STREAMS);
        let overlap = WARM_UP.min(predictions);
        let bound = |stream: usize| stream * (predictions - overlap) / count;
        let streams: Vec<_> = (0..count)
            .map(|stream| bound(stream)..bound(stream + 1) + overlap)
            .collect();
        let size = Size::piecewise::<T>(config, count, STEPS);
        Ok(Some(TextValidator {
            part,
            weights: PackedWeights::forward(config)?,
            unroll: Unroll::new(config, 0, size)?,
            streams,
            first: 0,
            count,
            window: Window::new(count),
            predictions,
        }))
    }

    /// Bytes of these buffers at most, but for a few kilobytes.
    pub(super) fn bytes(config: &NetworkConfig) -> u128 {
        let size = Size::piecewise::<T>(config, MOST_STREAMS, STEPS);
        PackedWeights::<T>::forward_bytes(config).saturating_add(size.bytes::<T>(config))
    }

    /// The mean loss in nats per character; `ids` are those of the whole text. The ranks share out the
    /// streams.
    pub(super) fn loss(
        &mut self,
        params: &Parameters<T>,
        ids: IdSlice<'_>,
        ranks: &Ranks,
    ) -> Result<f64> {
        self.share(ranks)?;
        let ids = ids.slice(self.part.clone());
        let rows = self.streams.len();
        let longest = self.streams.iter().map(Range::len).max().unwrap_or(0);
        let mut totals = vec![0.0; self.count];
        let mine = &mut totals[self.first..self.first + rows];
        self.weights.pack_forward(params);
        self.unroll.start();
        for first in (0..longest).step_by(STEPS) {
            let steps = STEPS.min(longest - first);
            self.fill(ids, first, steps);
            let (unroll, weights) = (&mut self.unroll, &self.weights);
            self.window
                .add_losses(steps * rows, unroll, params, weights, mine);
        }
        if rows < self.count {
            // The others add zeros.
            ranks.sum(&mut totals, &mut vec![0.0; self.count])?;
        }
        Ok(totals.iter().sum::<f64>() / self.predictions as f64)
    }

    /// Keeps this rank's streams, unless there are too few for all ranks.
    fn share(&mut self, ranks: &Ranks) -> Result<()> {
        let bound = |rank: usize| rank * self.count / ranks.count();
        let mine = bound(ranks.rank())..bound(ranks.rank() + 1);
        if self.count >= ranks.count() && mine.len() < self.streams.len() {
            let config = *self.unroll.config();
            let size = Size::piecewise::<T>(&config, mine.len(), STEPS);
            self.unroll = Unroll::new(&config, 0, size)?;
            self.first = mine.start;
            self.streams = self.streams[mine].to_vec();
        }
        Ok(())
    }

    /// Characters predicted: all but the first.
    pub(super) fn characters(&self) -> usize {
        self.predictions
    }

    /// Fills the window with the characters of each stream from its `first` on.
    fn fill(&mut self, ids: IdSlice<'_>, first: usize, steps: usize) {
        let rows = self.streams.len();
        for (row, stream) in self.streams.iter().enumerate() {
            let warm = match stream.start {
                0 => 0,
                start => start + WARM_UP,
            };
            for t in 0..steps {
                let at = stream.start + first + t;
                let is_read = at < stream.end;
                let is_counted = is_read && at >= warm;
                self.window.inputs[t * rows + row] = if is_read { ids.get(at) } else { 0 };
                self.window.targets[t * rows + row] =
                    if is_counted { ids.get(at + 1) } else { IGNORE };
            }
        }
    }
}

impl Window {
    /// Adds the losses of the first `count` predictions, those of each row to its total. Reads them in
    /// pieces as large as the buffers, which change no bit.
    fn add_losses<T: Scalar>(
        &mut self,
        count: usize,
        unroll: &mut Unroll<T>,
        params: &Parameters<T>,
        weights: &PackedWeights<T>,
        totals: &mut [f64],
    ) {
        let (piece, vocab) = (
            unroll.capacity() * unroll.rows(),
            unroll.config().vocab_size,
        );
        let pieces = self.inputs[..count]
            .chunks(piece)
            .zip(self.targets[..count].chunks(piece));
        for ((inputs, targets), losses) in pieces.zip(self.losses[..count].chunks_mut(piece)) {
            unroll.read(params, weights, inputs);
            let rows = (Rows(unroll.logits_mut(), vocab), (targets, losses));
            parallel::in_parts(rows, vocab * loss::WORK, 1, &|(
                Rows(logits, _),
                (targets, losses),
            )| {
                loss::softmax_cross_entropy(logits, targets, losses);
            });
        }
        for losses in self.losses[..count].chunks_exact(totals.len()) {
            for (total, loss) in totals.iter_mut().zip(losses) {
                *total += loss;
            }
        }
    }
}

/// The most rows of records.
const RECORD_ROWS: usize = 64;

/// Buffers for the evaluation of held-out records, each from a zero state. A row that starts inside a long
/// one warms up as a stream does.
pub(crate) struct RecordValidator<T> {
    batches: RecordBatches,
    weights: PackedWeights<T>,
    unroll: Unroll<T>,
    window: Window,
}

impl<T: Scalar> RecordValidator<T> {
    /// Buffers for the records; `None` if there are none.
    pub(super) fn new(
        config: &NetworkConfig,
        records: Records,
        ids: IdSlice<'_>,
    ) -> Result<Option<Self>> {
        if records.is_empty() {
            return Ok(None);
        }
        let rows = (records.characters(ids) / STEPS).clamp(1, RECORD_ROWS);
        let size = Size::piecewise::<T>(config, rows, STEPS).restarting(records.newline());
        Ok(Some(RecordValidator {
            batches: RecordBatches::new(records, ids, [rows, STEPS], WARM_UP),
            weights: PackedWeights::forward(config)?,
            unroll: Unroll::new(config, 0, size)?,
            window: Window::new(rows),
        }))
    }

    /// Bytes of these buffers at most, but for some ten kilobytes.
    pub(super) fn bytes(config: &NetworkConfig) -> u128 {
        let size = Size::piecewise::<T>(config, RECORD_ROWS, STEPS).restarting(0);
        PackedWeights::<T>::forward_bytes(config).saturating_add(size.bytes::<T>(config))
    }

    /// The mean loss in nats per character; `ids` are those of the whole corpus.
    pub(super) fn loss(&mut self, params: &Parameters<T>, ids: IdSlice<'_>) -> f64 {
        let rows = self.batches.batch_size();
        let mut totals = vec![0.0; rows];
        self.weights.pack_forward(params);
        for w in 0..self.batches.windows_per_epoch() {
            let Window {
                inputs, targets, ..
            } = &mut self.window;
            let window = self.batches.fill(ids, w, inputs, targets);
            if window.is_first {
                self.unroll.start();
            }
            let count = window.steps * rows;
            let (unroll, weights) = (&mut self.unroll, &self.weights);
            self.window
                .add_losses(count, unroll, params, weights, &mut totals);
        }
        totals.iter().sum::<f64>() / self.characters() as f64
    }

    /// Characters predicted.
    pub(super) fn characters(&self) -> usize {
        self.batches.characters()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::CellKind;
    use crate::config::Init;
    use crate::corpus::CorpusBuilder;
    use crate::network::Network;

    #[test]
    fn losses_read_in_small_pieces_have_the_same_bits() {
        let line = |at: usize| format!("line {at} of {}\n", "x".repeat(at % 90));
        let text: String = (0..200).map(line).collect();
        let mut builder = CorpusBuilder::new().records();
        builder.push_text(&text).unwrap();
        let corpus = builder.finish().unwrap();
        let config = NetworkConfig {
            cell: CellKind::GRU,
            vocab_size: corpus.vocabulary().len(),
            hidden_size: 9,
            num_layers: 2,
        };
        let network = Network::<f32>::new(config, &Init::default(), 3).unwrap();
        let (params, ids) = (network.parameters(), corpus.ids().as_slice());
        let of_text = |steps: usize| {
            let validator = TextValidator::new(&config, 5..corpus.len()).unwrap();
            let mut validator = validator.unwrap();
            let size = Size::reading(validator.streams.len(), steps);
            validator.unroll = Unroll::new(&config, 0, size).unwrap();
            let alone = Ranks::alone();
            [(); 2].map(|()| validator.loss(params, ids, &alone).unwrap())
        };
        let of_records = |steps: usize| {
            let records = Records::of(&corpus).unwrap();
            let validator = RecordValidator::new(&config, records, ids).unwrap();
            let mut validator = validator.unwrap();
            let rows = validator.batches.batch_size();
            let size = Size::reading(rows, steps).restarting(0);
            validator.unroll = Unroll::new(&config, 0, size).unwrap();
            validator.loss(params, ids)
        };
        let [whole, again] = of_text(STEPS);
        assert!(whole.is_finite() && whole == again);
        for steps in [1, 3, 63] {
            assert_eq!(of_text(steps), [whole; 2], "{steps} steps");
            assert_eq!(of_records(steps), of_records(STEPS), "{steps} steps");
        }
    }
}
