//! The loss on held-out text.
//!
//! The held-out part is cut into as many streams as its length makes worthwhile, at most
//! [`MOST_STREAMS`], whatever the batch size of training. Each starts from a zero state and runs
//! through fixed windows with its state carried, so every character but the first is predicted
//! exactly once. The few characters at each stream's start that are read without a past make the
//! figure a little worse than one stream through all of it would, by about 0.002 nats where a
//! stream has thousands of characters.

use std::ops::Range;

use tensor::Scalar;

use crate::config::NetworkConfig;
use crate::corpus::{IdSlice, RecordBatches, Records};
use crate::loss;
use crate::packed::PackedWeights;
use crate::parallel;
use crate::parameters::Parameters;
use crate::unroll::Unroll;
use crate::vocabulary::{IGNORE, Id};

const MOST_STREAMS: usize = 32;
/// A stream is worth its cold start from this many characters on.
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
    /// For each row the predictions that are its own, counted from the first of the part.
    streams: Vec<Range<usize>>,
    inputs: Vec<Id>,
    targets: Vec<Id>,
    losses: Vec<f64>,
    total: f64,
}

impl<T: Scalar> TextValidator<T> {
    /// Buffers for a part of the text; `None` if there is nothing to predict.
    pub(super) fn new(config: &NetworkConfig, part: Range<usize>) -> Option<Self> {
        let predictions = part.len().checked_sub(1).filter(|&count| count > 0)?;
        let count = (predictions / STREAM_CHARACTERS).clamp(1, MOST_STREAMS);
        let bound = |stream: usize| stream * predictions / count;
        let streams: Vec<_> = (0..count)
            .map(|stream| bound(stream)..bound(stream + 1))
            .collect();
        let groups = streams
            .chunks(GROUP_STREAMS)
            .map(|streams| Group {
                unroll: Unroll::new(config, 0, streams.len(), STEPS, false),
                streams: streams.to_vec(),
                inputs: vec![0; STEPS * streams.len()],
                targets: vec![IGNORE; STEPS * streams.len()],
                losses: vec![0.0; STEPS * streams.len()],
                total: 0.0,
            })
            .collect();
        Some(TextValidator {
            part,
            weights: PackedWeights::forward(config),
            groups,
            predictions,
        })
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
        let (rows, vocab) = (self.streams.len(), self.unroll.config.vocab_size);
        let longest = self.streams.iter().map(Range::len).max().unwrap_or(0);
        self.total = 0.0;
        self.unroll.steps = 0;
        self.unroll.reset_state();
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
            self.unroll.carry_state();
            self.unroll.set_inputs(&self.inputs[..count], rows, steps);
            self.unroll.forward(params, weights);
            let logits = &mut self.unroll.logits[..count * vocab];
            loss::softmax_cross_entropy(logits, &self.targets[..count], &mut self.losses[..count]);
            self.total += self.losses[..count].iter().sum::<f64>();
        }
    }
}

/// Records evaluated side by side.
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
    pub(super) fn new(config: &NetworkConfig, records: Records, ids: IdSlice<'_>) -> Option<Self> {
        if records.is_empty() {
            return None;
        }
        let rows = records.len().min(RECORDS);
        Some(RecordValidator {
            characters: records.characters(ids),
            batches: RecordBatches::new(records, ids, rows, STEPS),
            weights: PackedWeights::forward(config),
            unroll: Unroll::new(config, 0, rows, STEPS, false),
            inputs: vec![0; STEPS * rows],
            targets: vec![IGNORE; STEPS * rows],
            losses: vec![0.0; STEPS * rows],
        })
    }

    /// Characters that are predicted: all of the records, newlines included.
    pub(super) fn characters(&self) -> usize {
        self.characters
    }

    /// The mean loss in nats per character; `ids` are those of the whole corpus.
    pub(super) fn loss(&mut self, params: &Parameters<T>, ids: IdSlice<'_>) -> f64 {
        let (rows, vocab) = (self.batches.batch_size(), self.unroll.config.vocab_size);
        let mut total = 0.0;
        self.weights.pack_forward(params);
        for w in 0..self.batches.windows_per_epoch() {
            let window = self
                .batches
                .fill(ids, w, &mut self.inputs, &mut self.targets);
            let count = window.steps * rows;
            if window.is_first {
                self.unroll.steps = 0;
                self.unroll.reset_state();
            }
            self.unroll.carry_state();
            self.unroll
                .set_inputs(&self.inputs[..count], rows, window.steps);
            self.unroll.forward(params, &self.weights);
            let logits = &mut self.unroll.logits[..count * vocab];
            loss::softmax_cross_entropy(logits, &self.targets[..count], &mut self.losses[..count]);
            total += self.losses[..count].iter().sum::<f64>();
        }
        total / self.characters as f64
    }
}
