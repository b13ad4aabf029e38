//! The loss on held-out text.
//!
//! The held-out part is cut into at most [`MOST_STREAMS`] streams, fewer if it is short, whatever the
//! batch size of training. Each starts from a zero state and carries it from window to window, so every
//! character but the first is predicted exactly once. The first characters of each stream lack a past,
//! which makes the loss about 0.002 nats worse than that of a single stream if streams have thousands of
//! characters.

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
/// The fewest characters that make a stream worth its cold start.
const STREAM_CHARACTERS: usize = 512;
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
    /// The predictions of each row, counted from the first of the part.
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
        let bound = |stream: usize| stream * predictions / count;
        let streams: Vec<_> = (0..count)
            .map(|stream| bound(stream)..bound(stream + 1))
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
                for t in 0..steps {
                    let at = stream.start + first + t;
                    let counted = at < stream.end;
                    self.inputs[t * rows + row] = if counted { ids.get(at) } else { 0 };
                    self.targets[t * rows + row] = if counted { ids.get(at + 1) } else { IGNORE };
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

/// Records to evaluate at a time.
const RECORDS: usize = 64;

/// Buffers for the evaluation of held-out records, each from a zero state.
pub(super) struct RecordValidator<T> {
    batches: RecordBatches,
    characters: usize,
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
        let rows = records.len().min(RECORDS);
        let size = Size::piecewise::<T>(config, rows, STEPS);
        Ok(Some(RecordValidator {
            characters: records.characters(ids),
            batches: RecordBatches::new(records, ids, rows, STEPS),
            weights: PackedWeights::forward(config)?,
            unroll: Unroll::new(config, 0, size)?,
            inputs: vec![0; STEPS * rows],
            targets: vec![IGNORE; STEPS * rows],
            losses: vec![0.0; STEPS * rows],
        }))
    }

    /// Bytes of these buffers at most, but for some ten kilobytes.
    pub(super) fn bytes(config: &NetworkConfig) -> u128 {
        let size = Size::piecewise::<T>(config, RECORDS, STEPS);
        PackedWeights::<T>::forward_bytes(config).saturating_add(size.bytes::<T>(config))
    }

    /// Number of characters predicted: all of the records, newlines included.
    pub(super) fn characters(&self) -> usize {
        self.characters
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
        total / self.characters as f64
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
            let size = Size::reading(RECORDS, steps);
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
