//! Writing text: the network predicts a character, one is drawn, and it is read in turn.
//!
//! With temperature `T` character `j` has probability `softmax(o / T)_j`: below 1 the likely ones
//! gain, above 1 the unlikely ones; 0 is the limit, the likeliest alone (greedy). Top-k (Fan 2018)
//! keeps the `k` likeliest, top-p (Holtzman 2020) the fewest whose probabilities reach `p`.

mod options;

use rand::RngExt;
use tensor::random::{self, ChaCha8Rng};
use tensor::{activation, reduce};

pub use options::SampleOptions;

use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Model;
use crate::packed::PackedWeights;
use crate::unroll::{Size, Unroll};
use crate::vocabulary::{Id, check_ids};

/// Streams of the generator from here on draw samples.
const SAMPLE_STREAMS: u64 = 1 << 32;
/// The most steps of the prime read at a time.
const STEPS: usize = 64;

/// Several samples side by side, one character each at a time.
///
/// Sample `i` draws from its own stream, so its text does not depend on how many others there are.
pub struct BatchSampler<'m> {
    model: &'m Model,
    weights: &'m PackedWeights<f32>,
    unroll: Unroll<f32>,
    options: SampleOptions,
    generators: Vec<ChaCha8Rng>,
    chosen: Vec<Id>,
    probabilities: Vec<f32>,
    /// What every sample's first character is drawn from.
    after_prime: Vec<f32>,
    order: Vec<Id>,
    /// Characters that each sample has read, the prime's included.
    read: u64,
}

impl<'m> BatchSampler<'m> {
    /// A sampler that has read `prime`; after an empty one the first character is drawn uniformly,
    /// as there is nothing to predict it from.
    ///
    /// # Errors
    /// If an option is out of range, `samples` is 0 or beyond the machine's memory, or the network's
    /// states [overflow](Error::Overflow) over the prime.
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
        if samples == 0 {
            return Err(Error::ZeroSize {
                name: "number of samples",
            });
        }
        let config = model.network().config();
        memory::check(memory::sampling(config, samples))?;
        let generator = |sample: usize| {
            let mut generator = random::rng(options.seed);
            generator.set_stream(SAMPLE_STREAMS + sample as u64);
            generator
        };
        let vocab = config.vocab_size;
        let mut sampler = BatchSampler {
            model,
            weights: model.packed()?,
            unroll: Unroll::new(config, 0, Size::reading(samples, 1))?,
            options: *options,
            generators: memory::collected((0..samples).map(generator))?,
            chosen: memory::zeros(samples as u128)?,
            probabilities: memory::zeros(vocab as u128)?,
            after_prime: memory::zeros(vocab as u128)?,
            order: memory::room(vocab)?,
            read: 0,
        };
        sampler.read(prime)?;
        Ok(sampler)
    }

    /// Bytes that so many samples take beside the model.
    pub(crate) fn bytes(config: &NetworkConfig, samples: usize) -> u128 {
        // Each sample has a generator, and whoever writes it down a text.
        let others = memory::bytes::<[u8; 1024]>(samples as u128);
        let symbols = memory::bytes::<(f32, f32, Id)>(config.vocab_size as u128);
        [
            PackedWeights::<f32>::forward_bytes(config),
            Size::reading(samples, 1).bytes::<f32>(config),
            Size::piecewise::<f32>(config, 1, STEPS).bytes::<f32>(config),
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
        let mut one = Unroll::new(config, 0, Size::piecewise::<f32>(config, 1, most))?;
        for ids in prime.chunks(one.capacity()) {
            one.read(params, self.weights, ids);
            self.read = check(&one, self.read)?;
        }
        self.after_prime.copy_from_slice(one.last_logits());
        self.unroll.start_all_from(&one);
        Ok(())
    }

    /// Draws the next character of every sample and reads it.
    ///
    /// # Errors
    /// [`Error::Overflow`] where the characters before have left the network without a prediction,
    /// in one of the samples: then nothing is drawn, now or later.
    pub fn next_characters(&mut self) -> Result<&[Id]> {
        // Reading a character is no fault of its own: what counts is that nothing follows it.
        if self.unroll.steps() > 0 {
            check(&self.unroll, self.read - 1)?;
        }
        let vocab = self.probabilities.len();
        for sample in 0..self.chosen.len() {
            let logits = match self.unroll.steps() {
                0 => &self.after_prime,
                _ => &self.unroll.logits()[sample * vocab..(sample + 1) * vocab],
            };
            self.probabilities.copy_from_slice(logits);
            let generator = &mut self.generators[sample];
            self.chosen[sample] = draw(
                &mut self.probabilities,
                &mut self.order,
                &self.options,
                generator,
            );
        }
        let params = self.model.network().parameters();
        self.unroll.read(params, self.weights, &self.chosen);
        self.read += 1;
        Ok(&self.chosen)
    }
}

/// Characters read after a window that followed `read` others.
fn check(unroll: &Unroll<f32>, read: u64) -> Result<u64> {
    match unroll.overflow() {
        None => Ok(read + unroll.steps() as u64),
        Some(step) => Err(Error::Overflow {
            characters: read + step as u64 + 1,
        }),
    }
}

/// Draws a character from logits, which become probabilities on the way.
fn draw(
    logits: &mut [f32],
    order: &mut Vec<Id>,
    options: &SampleOptions,
    generator: &mut ChaCha8Rng,
) -> Id {
    if options.temperature == 0.0 {
        return reduce::argmax(logits) as Id;
    }
    // Shifted before it is scaled: a tiny temperature then sends all but the likeliest to minus
    // infinity, whose probability is 0, and no infinity meets another.
    let max = reduce::max(logits);
    for logit in logits.iter_mut() {
        *logit = (f64::from(*logit - max) / options.temperature) as f32;
    }
    activation::softmax_in_place(logits);
    if options.top_k.is_some() || options.top_p.is_some() {
        keep_likeliest(logits, order, options);
    }
    let total: f64 = logits.iter().map(|&p| f64::from(p)).sum();
    let mut left = generator.random::<f64>() * total;
    let mut last = 0;
    for (id, &p) in logits.iter().enumerate().filter(|&(_, &p)| p > 0.0) {
        last = id;
        left -= f64::from(p);
        if left < 0.0 {
            break;
        }
    }
    last as Id
}

/// Sets the probabilities of all but the likeliest to 0; of equals the first stays.
fn keep_likeliest(probabilities: &mut [f32], order: &mut Vec<Id>, options: &SampleOptions) {
    order.clear();
    order.extend(0..probabilities.len() as Id);
    order.sort_unstable_by(|&a, &b| {
        probabilities[b as usize]
            .total_cmp(&probabilities[a as usize])
            .then(a.cmp(&b))
    });
    let mut sum = 0.0;
    let most = options.top_k.unwrap_or(order.len()).min(order.len());
    let enough = options.top_p.unwrap_or(f64::INFINITY);
    let reach = order.iter().position(|&id| {
        sum += f64::from(probabilities[id as usize]);
        sum >= enough
    });
    let kept = most.min(reach.map_or(order.len(), |at| at + 1));
    for &id in &order[kept..] {
        probabilities[id as usize] = 0.0;
    }
}

/// An endless iterator of characters; one that ends with an error where the network's states
/// [overflow](Error::Overflow), which only weights do that no sound training leaves.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(logits: &[f32], options: &SampleOptions) -> Vec<usize> {
        let (mut generator, mut order) = (random::rng(5), Vec::new());
        let mut counts = vec![0; logits.len()];
        for _ in 0..20_000 {
            counts[draw(&mut logits.to_vec(), &mut order, options, &mut generator) as usize] += 1;
        }
        counts
    }

    #[test]
    fn characters_come_as_often_as_they_are_likely() {
        let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
        let counts = draws(&logits, &SampleOptions::default());
        for (count, p) in counts.iter().zip([0.5, 0.3, 0.2]) {
            assert!((*count as f64 / 20_000.0 - p).abs() < 0.015, "{counts:?}");
        }
        let sharp = draws(
            &logits,
            &SampleOptions {
                temperature: 0.5,
                ..Default::default()
            },
        );
        assert!(
            (sharp[0] as f64 / 20_000.0 - 0.25 / 0.38).abs() < 0.015,
            "{sharp:?}"
        );
    }

    #[test]
    fn temperature_0_and_tiny_temperatures_draw_the_likeliest() {
        for temperature in [0.0, 1e-300, 1e-9] {
            let counts = draws(
                &[1.0, 5.0, 4.9, f32::MIN],
                &SampleOptions {
                    temperature,
                    ..Default::default()
                },
            );
            assert_eq!(counts, [0, 20_000, 0, 0], "temperature {temperature}");
        }
    }

    #[test]
    fn top_k_and_top_p_never_draw_what_they_exclude() {
        let logits = [0.1f32.ln(), 0.4f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
        let top_k = draws(
            &logits,
            &SampleOptions {
                top_k: Some(2),
                ..Default::default()
            },
        );
        assert!(top_k[0] == 0 && top_k[3] == 0 && top_k[1] > top_k[2]);
        let top_p = draws(
            &logits,
            &SampleOptions {
                top_p: Some(0.85),
                ..Default::default()
            },
        );
        assert!(top_p[0] == 0 && top_p[3] > 0);
        let one = draws(
            &logits,
            &SampleOptions {
                top_p: Some(1e-9),
                ..Default::default()
            },
        );
        assert_eq!(one, [0, 20_000, 0, 0]);
    }
}
