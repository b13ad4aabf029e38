//! Sampling: predict the next character, draw one, read it, repeat.
//!
//! At temperature `T` character `j` has probability `softmax(o / T)_j`: below 1 likely characters
//! become likelier, above 1 unlikely ones do; 0 always takes the likeliest (greedy). Top-k (Fan 2018)
//! keeps the `k` likeliest, top-p (Holtzman 2020) the fewest whose probabilities add up to `p`.

mod draw;
mod options;

use std::fmt;

use tensor::parallel::{self, Rows};
use tensor::random::{self, ChaCha8Rng};

use draw::draw;
pub use options::SampleOptions;

use crate::config::NetworkConfig;
use crate::error::{Error, Result, check_setting};
use crate::loss;
use crate::memory;
use crate::model::Model;
use crate::packed::PackedWeights;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::{Id, check_ids};

/// The generator's stream of the first sample.
const SAMPLE_STREAMS: u64 = 1 << 32;
/// The most steps of the prime read at a time.
const STEPS: usize = 64;

/// Several samples at once, one character of each at a time. A model that reads
/// [line by line](Model::line_end) writes independent lines, one after the other.
///
/// Sample `i` draws from its own stream, so its text does not depend on the number of samples. Inside a
/// rayon pool its threads share the samples out.
pub struct BatchSampler<'m> {
    model: &'m Model,
    weights: &'m PackedWeights<f32>,
    unroll: Unroll<f32>,
    options: SampleOptions,
    generators: Vec<ChaCha8Rng>,
    chosen: Vec<Id>,
    /// `[samples, V]`: logits of the next characters, before they are drawn.
    probabilities: Vec<f32>,
    /// The same for the characters in order of their probability; empty if no option needs it.
    order: Vec<Id>,
    /// Characters that each sample has read, including the prime.
    read: u64,
}

impl<'m> BatchSampler<'m> {
    /// A sampler that has read `prime`. After an empty prime every first character is equally likely, and
    /// a model that reads line by line begins a line.
    ///
    /// # Errors
    /// If an option is out of range, `samples` is 0 or too large for memory, or the network
    /// [overflows](Error::Overflow) on the prime.
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    #[track_caller]
    pub fn new(
        model: &'m Model,
        prime: &[Id],
        samples: usize,
        options: &SampleOptions,
    ) -> Result<Self> {
        check_ids(prime, model.vocabulary().len());
        options.validate()?;
        let count = samples as f64;
        check_setting("number of samples", count, samples > 0, "at least 1")?;
        let config = model.network().config();
        let size = Size::reading(samples, 1).restarting(model.line_end());
        memory::check(Self::bytes(config, size))?;
        let generator = |sample: usize| {
            let mut generator = random::rng(options.seed);
            generator.set_stream(SAMPLE_STREAMS + sample as u64);
            generator
        };
        let vocab = config.vocab_size;
        let mut sampler = BatchSampler {
            model,
            weights: model.packed()?,
            unroll: Unroll::new(config, 0, size)?,
            options: *options,
            generators: memory::collected((0..samples).map(generator))?,
            chosen: memory::zeros(samples as u128)?,
            probabilities: memory::zeros(memory::product(&[samples, vocab]))?,
            order: memory::zeros(match options.top_k.is_some() || options.top_p.is_some() {
                true => memory::product(&[samples, vocab]),
                false => 0,
            })?,
            read: 0,
        };
        match model.line_end() {
            Some(end) => sampler.read(&[&[end], prime].concat())?,
            None => sampler.read(prime)?,
        }
        Ok(sampler)
    }

    /// Bytes of this many samples, without the model.
    fn bytes(config: &NetworkConfig, size: Size) -> u128 {
        let samples = size.rows;
        // Each sample has a generator, and its caller keeps a text.
        let others = memory::bytes::<[u8; 1024]>(samples as u128);
        let symbols = memory::product(&[samples, config.vocab_size]);
        let symbols = memory::bytes::<(f32, Id)>(symbols);
        [
            PackedWeights::<f32>::forward_bytes(config),
            size.bytes::<f32>(config),
            Size::piecewise::<f32>(config, 1, STEPS)
                .restarting(size.restart)
                .bytes::<f32>(config),
            others,
            symbols,
        ]
        .into_iter()
        .fold(0, u128::saturating_add)
    }

    /// Reads the prime once and gives its state to every sample.
    fn read(&mut self, prime: &[Id]) -> Result<()> {
        if prime.is_empty() {
            return Ok(());
        }
        let network = self.model.network();
        let (params, config) = (network.parameters(), network.config());
        let most = STEPS.min(prime.len());
        let size = Size::piecewise::<f32>(config, 1, most).restarting(self.model.line_end());
        let mut one = Unroll::new(config, 0, size)?;
        for ids in prime.chunks(one.capacity()) {
            one.read(params, self.weights, ids);
            self.read = check(&one, self.read)?;
        }
        let logits = one.last_logits();
        for first in self.probabilities.chunks_exact_mut(logits.len()) {
            first.copy_from_slice(logits);
        }
        self.unroll.start_all_from(&one);
        Ok(())
    }

    /// Draws the next character of every sample and reads it.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the network of one of the samples overflowed on the character before. No
    /// more characters are drawn then.
    pub fn next_characters(&mut self) -> Result<&[Id]> {
        // The last character may overflow: that is an error only if another is wanted.
        if self.unroll.steps() > 0 {
            check(&self.unroll, self.read - 1)?;
        }
        if self.unroll.steps() > 0 {
            self.probabilities.copy_from_slice(self.unroll.logits());
        }
        let (vocab, options) = (self.model.vocabulary().len(), &self.options);
        let cols = if self.order.is_empty() { 0 } else { vocab };
        let samples = (
            (&mut self.chosen[..], &mut self.generators[..]),
            (
                Rows(&mut self.probabilities, vocab),
                Rows(&mut self.order, cols),
            ),
        );
        let draw_some = |((chosen, generators), (logits, order)): Samples<'_>| {
            let samples = chosen.iter_mut().zip(generators);
            for ((at, (chosen, generator)), logits) in
                samples.enumerate().zip(logits.0.chunks_exact_mut(vocab))
            {
                let order = &mut order.0[at * cols..(at + 1) * cols];
                *chosen = draw(logits, order, options, generator);
            }
        };
        parallel::in_parts(samples, vocab * loss::WORK, 1, &draw_some);
        let params = self.model.network().parameters();
        self.unroll.read(params, self.weights, &self.chosen);
        self.read += 1;
        Ok(&self.chosen)
    }
}

/// The characters drawn and the generators, the probabilities and their order.
type Samples<'a> = (
    (&'a mut [Id], &'a mut [ChaCha8Rng]),
    (Rows<'a, f32>, Rows<'a, Id>),
);

/// The number of characters read, `read` before the last window and those in it.
fn check(unroll: &Unroll<f32>, read: u64) -> Result<u64> {
    match unroll.overflow() {
        None => Ok(read + unroll.steps() as u64),
        Some(step) => Err(Error::Overflow {
            characters: read + step as u64 + 1,
        }),
    }
}

/// An endless iterator of characters. It ends with an error if the network
/// [overflows](Error::Overflow), as it may after a training that diverged.
pub struct Sampler<'m> {
    batch: BatchSampler<'m>,
    has_failed: bool,
}

impl<'m> Sampler<'m> {
    /// A sampler that has read `prime`.
    ///
    /// # Errors
    /// As those of [`BatchSampler::new`].
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    #[track_caller]
    pub fn new(model: &'m Model, prime: &[Id], options: &SampleOptions) -> Result<Self> {
        Ok(Sampler {
            batch: BatchSampler::new(model, prime, 1, options)?,
            has_failed: false,
        })
    }
}

impl Iterator for Sampler<'_> {
    type Item = Result<char>;

    fn next(&mut self) -> Option<Result<char>> {
        if self.has_failed {
            return None;
        }
        let vocabulary = self.batch.model.vocabulary();
        let drawn = self.batch.next_characters();
        let next = drawn.map(|ids| vocabulary.symbol(ids[0]));
        self.has_failed = next.is_err();
        Some(next)
    }
}

impl fmt::Debug for BatchSampler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSampler")
            .field("options", &self.options)
            .field("samples", &self.chosen.len())
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Sampler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampler")
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// An endless iterator of the characters that follow `prime`.
    ///
    /// # Errors
    /// If `prime` has a character that the model does not know, an option is out of range, or the network
    /// [overflows](Error::Overflow) on the prime. If it overflows later, the error is the last item.
    pub fn sample(&self, prime: &str, options: &SampleOptions) -> Result<Sampler<'_>> {
        Sampler::new(self, &self.vocabulary().encode(prime)?, options)
    }

    /// Several samples at once, each continuing `prime`.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn sample_batch(
        &self,
        prime: &str,
        samples: usize,
        options: &SampleOptions,
    ) -> Result<BatchSampler<'_>> {
        BatchSampler::new(self, &self.vocabulary().encode(prime)?, samples, options)
    }
}
