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
use crate::corpus::IdSlice;
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
pub(crate) struct Validator<T> {
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

impl<T: Scalar> Validator<T> {
    /// Buffers for a part of `characters` characters; `None` if there is nothing to predict.
    pub(crate) fn new(config: &NetworkConfig, characters: usize) -> Option<Self> {
        let predictions = characters.checked_sub(1).filter(|&count| count > 0)?;
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
        Some(Validator {
            weights: PackedWeights::forward(config),
            groups,
            predictions,
        })
    }

    /// The mean loss over `ids` in nats per character.
    pub(crate) fn loss(&mut self, params: &Parameters<T>, ids: IdSlice<'_>) -> f64 {
        let Self {
            weights,
            groups,
            predictions,
        } = self;
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
