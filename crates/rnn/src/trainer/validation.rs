//! The loss on held-out text, as scoring that text would give it.
//!
//! The held-out part is cut into at most [`MOST_STREAMS`] streams, fewer if it is short, whatever the
//! batch size of training. Each carries its state from window to window. The first starts from a zero
//! state, as scoring does. Every other lacks its past, so it first reads the last [`WARM_UP`] characters
//! of the one before it and does not count them. So every character but the first is counted exactly
//! once, and the loss is within 0.002 nats of that of a single stream.

use std::ops::Range;

use tensor::{Scalar, parallel};

use crate::config::NetworkConfig;
use crate::corpus::{IdSlice, RecordBatches, Records};
use crate::error::Result;
use crate::loss;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::{IGNORE, Id};

const MOST_STREAMS: usize = 32;
/// The fewest characters that make a stream worth its warm-up.
const STREAM_CHARACTERS: usize = 512;
/// Characters read to warm up a stream.
const WARM_UP: usize = 256;
const GROUP_STREAMS: usize = 16;
const STEPS: usize = 64;

/// Buffers for the evaluation of a held-out part of the text.
pub(super) struct TextValidator<T> {
    part: Range<usize>,
    weights: PackedWeights<T>,
    groups: Vec<Group<T>>,
    predictions: usize,
}

struct Group<T> {
    unroll: Unroll<T>,
    /// The characters that each row reads, counted from the first of the part.
    streams: Vec<Range<usize>>,
    inputs: Vec<Id>,
    targets: Vec<Id>,
    losses: Vec<f64>,
    total: f64,
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
        let groups = streams
            .chunks(GROUP_STREAMS)
            .map(|streams| {
                let size = Size::piecewise::<T>(config, streams.len(), STEPS);
                Ok(Group {
                    unroll: Unroll::new(config, 0, size)?,
                    streams: streams.to_vec(),
                    inputs: vec![0; STEPS * streams.len()],
                    targets: vec![IGNORE; STEPS * streams.len()],
                    losses: vec![0.0; STEPS * streams.len()],
                    total: 0.0,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Some(TextValidator {
            part,
            weights: PackedWeights::forward(config)?,
            groups,
            predictions,
        }))
    }

    /// Bytes of these buffers at most, but for a few kilobytes.
    pub(super) fn bytes(config: &NetworkConfig) -> u128 {
        let groups = MOST_STREAMS.div_ceil(GROUP_STREAMS) as u128;
        let size = Size::piecewise::<T>(config, GROUP_STREAMS, STEPS);
        let groups = size.bytes::<T>(config).saturating_mul(groups);
        PackedWeights::<T>::forward_bytes(config).saturating_add(groups)
    }

    /// The mean loss in nats per character; `ids` are those of the whole text.
    pub(super) fn loss(&mut self, params: &Parameters<T>, ids: IdSlice<'_>) -> f64 {
        let Self {
            weights,
            groups,
            predictions,
            part,
        } = self;
        let ids = ids.slice(part.clone());
        weights.pack_forward(params);
        let weights = &*weights;
        parallel::for_each(groups, &|group: &mut Group<T>| {
            group.run(params, weights, ids)
        });
        groups.iter().map(|group| group.total).sum::<f64>() / *predictions as f64
    }
}

impl<T: Scalar> Group<T> {
    fn run(&mut self, params: &Parameters<T>, weights: &PackedWeights<T>, ids: IdSlice<'_>) {
        let rows = self.streams.len();
        let longest = self.streams.iter().map(Range::len).max().unwrap_or(0);
        self.total = 0.0;
        self.unroll.start();
        for first in (0..longest).step_by(STEPS) {
            let steps = STEPS.min(longest - first);
            for (row, stream) in self.streams.iter().enumerate() {
                let warm = match stream.start {
                    0 => 0,
                    start => start + WARM_UP,
                };
                for t in 0..steps {
                    let at = stream.start + first + t;
                    let is_read = at < stream.end;
                    let is_counted = is_read && at >= warm;
                    self.inputs[t * rows + row] = if is_read { ids.get(at) } else { 0 };
                    self.targets[t * rows + row] =
                        if is_counted { ids.get(at + 1) } else { IGNORE };
                }
            }
            let count = steps * rows;
            self.total += window_loss(
                &mut self.unroll,
                params,
                weights,
                [&self.inputs[..count], &self.targets[..count]],
                &mut self.losses[..count],
            );
        }
    }
}

/// The sum of a window's losses. Reads it in pieces as large as the buffers, but adds the losses of the
/// whole window in one sum, so the pieces change no bit.
fn window_loss<T: Scalar>(
    unroll: &mut Unroll<T>,
    params: &Parameters<T>,
    weights: &PackedWeights<T>,
    [inputs, targets]: [&[Id]; 2],
    losses: &mut [f64],
) -> f64 {
    let piece = unroll.capacity() * unroll.rows();
    let pieces = inputs.chunks(piece).zip(targets.chunks(piece));
    for ((inputs, targets), losses) in pieces.zip(losses.chunks_mut(piece)) {
        unroll.read(params, weights, inputs);
        loss::softmax_cross_entropy(unroll.logits_mut(), targets, losses);
    }
    losses.iter().sum()
}

/// The most rows of records.
const RECORD_ROWS: usize = 64;

/// Buffers for the evaluation of held-out records, each from a zero state. A row that starts inside a long
/// one warms up as a stream does.
pub(super) struct RecordValidator<T> {
    batches: RecordBatches,
    weights: PackedWeights<T>,
    unroll: Unroll<T>,
    inputs: Vec<Id>,
    targets: Vec<Id>,
    losses: Vec<f64>,
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
            inputs: vec![0; STEPS * rows],
            targets: vec![IGNORE; STEPS * rows],
            losses: vec![0.0; STEPS * rows],
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
        let mut total = 0.0;
        self.weights.pack_forward(params);
        for w in 0..self.batches.windows_per_epoch() {
            let window = self
                .batches
                .fill(ids, w, &mut self.inputs, &mut self.targets);
            let count = window.steps * rows;
            if window.is_first {
                self.unroll.start();
            }
            total += window_loss(
                &mut self.unroll,
                params,
                &self.weights,
                [&self.inputs[..count], &self.targets[..count]],
                &mut self.losses[..count],
            );
        }
        total / self.batches.characters() as f64
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
            for group in &mut validator.groups {
                let size = Size::reading(group.streams.len(), steps);
                group.unroll = Unroll::new(&config, 0, size).unwrap();
            }
            assert!(validator.groups.len() > 1);
            (validator.loss(params, ids), validator.loss(params, ids))
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
        let (whole, again) = of_text(STEPS);
        assert!(whole.is_finite() && whole == again);
        for steps in [1, 3, 63] {
            assert_eq!(of_text(steps), (whole, whole), "{steps} steps");
            assert_eq!(of_records(steps), of_records(STEPS), "{steps} steps");
        }
    }
}
