//! Draws a symbol from logits.

use rand::RngExt;
use tensor::random::{self, ChaCha8Rng};
use tensor::{activation, reduce};

use super::SampleOptions;
use crate::error::Result;
use crate::memory;
use crate::vocabulary::Id;

/// The generator's stream of the first sample.
const SAMPLE_STREAMS: u64 = 1 << 32;

/// Draws one symbol after another from logits, those of a [`Session`](crate::Session) or any others.
///
/// ```
/// use rnn::{Drawer, SampleOptions};
///
/// let mut drawer = Drawer::new(&SampleOptions { temperature: 0.5, top_k: Some(2), ..Default::default() })?;
/// let mut logits = [1.0, 3.0, 2.5, 4.0];
/// logits[3] = f32::NEG_INFINITY; // never
/// assert!((0..100).all(|_| matches!(drawer.draw(&logits), 1 | 2)));
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Debug)]
pub struct Drawer {
    options: SampleOptions,
    generator: ChaCha8Rng,
    /// `[V]` from the first draw on.
    probabilities: Vec<f32>,
    /// The same for the symbols in order of their probability, if an option keeps the likeliest.
    order: Vec<Id>,
}

impl Drawer {
    /// A drawer whose draws follow from the seed.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) if an option is out of range.
    pub fn new(options: &SampleOptions) -> Result<Self> {
        Self::numbered(options, 0)
    }

    /// The drawer of the sample of that number: each draws from a stream of its own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn numbered(options: &SampleOptions, number: usize) -> Result<Self> {
        options.validate()?;
        let mut generator = random::rng(options.seed);
        generator.set_stream(SAMPLE_STREAMS + number as u64);
        Ok(Drawer {
            options: *options,
            generator,
            probabilities: Vec::new(),
            order: Vec::new(),
        })
    }

    /// Takes the memory for draws from so many symbols.
    pub(super) fn reserve(&mut self, symbols: usize) -> Result<()> {
        self.probabilities = memory::zeros(symbols as u128)?;
        if self.options.keeps_likeliest() {
            self.order = memory::zeros(symbols as u128)?;
        }
        Ok(())
    }

    /// Draws the id of a symbol: its place among the logits. Minus infinity is never drawn.
    ///
    /// # Panics
    /// If one of the logits is NaN or plus infinity, or none is above minus infinity.
    #[track_caller]
    pub fn draw(&mut self, logits: &[f32]) -> Id {
        let max = reduce::max(logits);
        assert!(
            max.is_finite(),
            "{max} is the largest of {} logits",
            logits.len()
        );
        let options = &self.options;
        if options.temperature == 0.0 {
            return reduce::argmax(logits) as Id;
        }
        let probabilities = &mut self.probabilities;
        probabilities.resize(logits.len(), 0.0);
        // Shift before scaling: a tiny temperature then sends all but the likeliest to minus infinity,
        // whose probability is 0, and infinity minus infinity cannot occur.
        for (probability, logit) in probabilities.iter_mut().zip(logits) {
            *probability = (f64::from(*logit - max) / options.temperature) as f32;
        }
        activation::softmax_in_place(probabilities);
        if options.keeps_likeliest() {
            self.order.resize(logits.len(), 0);
            keep_likeliest(probabilities, &mut self.order, options);
        }
        let total: f64 = probabilities.iter().map(|&p| f64::from(p)).sum();
        let mut left = self.generator.random::<f64>() * total;
        let mut last = 0;
        for (id, &p) in probabilities.iter().enumerate().filter(|&(_, &p)| p > 0.0) {
            last = id;
            left -= f64::from(p);
            if left < 0.0 {
                break;
            }
        }
        last as Id
    }
}

impl Clone for Drawer {
    fn clone(&self) -> Self {
        Drawer {
            options: self.options,
            generator: ChaCha8Rng::deserialize_state(&self.generator.serialize_state()),
            probabilities: self.probabilities.clone(),
            order: self.order.clone(),
        }
    }
}

/// Sets the probabilities of all but the likeliest to 0; among equals the lower id stays.
fn keep_likeliest(probabilities: &mut [f32], order: &mut [Id], options: &SampleOptions) {
    for (id, place) in (0..).zip(order.iter_mut()) {
        *place = id;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(logits: &[f32], options: &SampleOptions) -> Vec<usize> {
        let mut drawer = Drawer::new(options).unwrap();
        let mut counts = vec![0; logits.len()];
        for _ in 0..20_000 {
            counts[drawer.draw(logits) as usize] += 1;
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
