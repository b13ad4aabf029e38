//! Several samples of one text at once.

use std::fmt;

use tensor::parallel;

use super::{Drawer, SampleOptions, Sampler};
use crate::error::{Result, check_setting};
use crate::loss;
use crate::memory;
use crate::model::Model;
use crate::packed::PackedWeights;
use crate::session::Session;
use crate::unroll::Size;
use crate::vocabulary::Id;

/// Several samples at once, one character of each at a time. A model that reads
/// [line by line](Model::line_end) writes independent lines, one after the other.
///
/// Sample `i` draws from its own stream, so its text does not depend on the number of samples. Inside a
/// rayon pool its threads share the samples out. Texts that begin or end at different times are
/// [sessions](Session), stepped together.
pub struct BatchSampler {
    samplers: Vec<Sampler>,
    chosen: Vec<Id>,
}

impl BatchSampler {
    /// A sampler that has read `prime`. After an empty prime every first character is equally likely, and
    /// a model that reads line by line begins a line.
    ///
    /// # Errors
    /// If an option is out of range, `samples` is 0 or too large for memory, or the network
    /// [overflows](crate::Error::Overflow) on the prime.
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    #[track_caller]
    pub fn new(
        model: &Model,
        prime: &[Id],
        samples: usize,
        options: &SampleOptions,
    ) -> Result<Self> {
        options.validate()?;
        let count = samples as f64;
        check_setting("number of samples", count, samples > 0, "at least 1")?;
        let config = model.network().config();
        memory::check(Self::bytes(model, samples))?;
        let mut first = Session::new(model)?;
        first.read(prime)?;
        let mut samplers = memory::room(samples)?;
        for number in 0..samples {
            let mut sampler = Sampler::resume(first.try_clone()?, options)?;
            sampler.drawer = Drawer::numbered(options, number)?;
            sampler.drawer.reserve(config.vocab_size)?;
            samplers.push(sampler);
        }
        Ok(BatchSampler {
            samplers,
            chosen: memory::zeros(samples as u128)?,
        })
    }

    /// Bytes of this many samples, without the model.
    fn bytes(model: &Model, samples: usize) -> u128 {
        let config = model.network().config();
        let state = memory::product(&[2, config.num_layers, config.hidden_size]);
        let symbols = memory::bytes::<(f32, f32, Id)>(config.vocab_size as u128);
        // Each sample has a generator, and its caller keeps a text.
        let each = [memory::bytes::<f32>(state), symbols, 2048];
        let each = each.into_iter().fold(0, u128::saturating_add);
        [
            PackedWeights::<f32>::forward_bytes(config),
            Size::reading(model.most_together(), 1)
                .restarting(model.line_end())
                .bytes::<f32>(config),
            each.saturating_mul(samples as u128),
        ]
        .into_iter()
        .fold(0, u128::saturating_add)
    }

    /// Draws the next character of every sample and reads it.
    ///
    /// # Errors
    /// [`Error::Overflow`](crate::Error::Overflow) if the network of one of the samples overflowed on the
    /// character before. No more characters are drawn then.
    pub fn next_characters(&mut self) -> Result<&[Id]> {
        for sampler in &self.samplers {
            sampler.session.logits()?;
        }
        let vocab = self.samplers[0].session.model().vocabulary().len();
        let samples = (&mut self.samplers[..], &mut self.chosen[..]);
        parallel::in_parts(samples, vocab * loss::WORK, 1, &|(samplers, chosen): (
            &mut [Sampler],
            &mut [Id],
        )| {
            for (sampler, chosen) in samplers.iter_mut().zip(chosen) {
                if let Ok(id) = sampler.draw() {
                    *chosen = id;
                }
            }
        });
        let sessions = self.samplers.iter_mut().map(|sampler| &mut sampler.session);
        Session::step_all(sessions.zip(self.chosen.iter().copied()))?;
        Ok(&self.chosen)
    }
}

impl fmt::Debug for BatchSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSampler")
            .field("samples", &self.samplers.len())
            .field("first", &self.samplers[0])
            .finish_non_exhaustive()
    }
}
