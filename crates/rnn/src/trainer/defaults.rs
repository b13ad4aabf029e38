//! Settings for a text of any length, found by measuring.
//!
//! With `n` characters to learn from, and a network of two LSTM layers of `H` units (one for a short text):
//!
//! ```text
//! H         256 (n / 10⁶)^(1/8), at most what the text can fill: 128 (n / 20,000)^0.4
//! learned   12.3 · 10⁶ (n / 10⁶)^(1/4) characters, each several times
//! dropout   0.12 ln(learned / n), from 0 to 1/2: the oftener a character is seen, the more
//! of W_hh   0.5 − 0.18 ln(n / 20,000), from 0 to 1/2: for short texts
//! η         0.004 / max(1, H / 256)^0.7
//! decay     1 / (7 η s), at most 1/2, times min(1, l / 1.7)², with s steps an epoch and the loss l of an
//!           n-gram
//! ```
//!
//! A network of another size has 0.15 ln(its units / H) more of both dropouts, a smaller one H / its units
//! times the learning rate, and one that learns from less than a million characters has proportionally
//! less dropout.
//!
//! So a network that learns longer from a shorter text is held back more, and goes on improving where it
//! would learn the text by heart. A run that no longer improves lowers its learning rate and ends early.
//! With three times the work a network has 1.44 times the units and learns from 1.44 times the
//! characters.

use std::ops::RangeInclusive;

use super::TrainConfig;
use crate::cell::CellKind;
use crate::config::NetworkConfig;
use crate::facts::TextFacts;
use crate::optimizer::OptimizerConfig;
use crate::parameters::Layout;

/// A network and a way to train it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recommended {
    /// The network.
    pub network: NetworkConfig,
    /// The training.
    pub train: TrainConfig,
}

impl Recommended {
    /// Multiply-adds to learn from one character: each weight that multiplies does so once forward and
    /// twice back. [`training_speed`](crate::training_speed) says how many a machine does in a second.
    pub fn work_per_character(&self) -> f64 {
        each_character(&self.network)
    }

    /// Characters that all steps learn from, each as often as it is read. `None` if the number of steps is
    /// open.
    pub fn characters(&self) -> Option<u64> {
        let each_step = self.train.batch_size.saturating_mul(self.train.seq_length) as u64;
        Some(self.train.max_steps?.saturating_mul(each_step))
    }

    /// The range that the loss on this text, in nats per character, falls into in four of five cases.
    pub fn expected_loss(&self, text: &TextFacts) -> RangeInclusive<f64> {
        let learned = learned(text);
        let usual = each_character(&network(text, usual_size(learned))) * usual_budget(learned);
        let work = self
            .characters()
            .map_or(usual, |all| all as f64 * self.work_per_character());
        // Of eight texts the usual run had 0.69 to 0.91 of the n-gram's loss, 0.82 on average.
        let loss = 0.82 * text.ngram_loss * (1.0 - 0.0115 * libm::log(work / usual));
        loss * 0.86..=loss * 1.14
    }

    /// The same with another network, and a batch that it is fast with.
    pub fn with_network(mut self, network: NetworkConfig) -> Self {
        self.network = network;
        let seq_length = self.train.seq_length;
        self.with_batch(batch_size(&network), seq_length)
    }

    /// The same with another batch and window, and as many steps as learn from as many characters.
    pub fn with_batch(mut self, batch_size: usize, seq_length: usize) -> Self {
        let budget = self.characters();
        let train = &mut self.train;
        (train.batch_size, train.seq_length) = (batch_size, seq_length);
        if let Some(budget) = budget {
            train.take_steps(budget as f64);
        }
        self
    }

    /// The same after a change of network or number of steps: dropout, weight decay and learning
    /// rate fitted to a text of so many characters again. A small network, or one that sees a text only
    /// a few times, needs less to hold it back.
    pub fn regularised(mut self, text: &TextFacts) -> Self {
        let learned = learned(text);
        let budget = self
            .characters()
            .map_or(usual_budget(learned), |all| all as f64);
        let (network, train) = (&self.network, &mut self.train);
        let usual = usual_size(learned).min(most_size(learned));
        let larger = libm::log(network.hidden_size as f64 / usual);
        let dropout = 0.12 * libm::log(budget / learned) + 0.15 * larger;
        let weight_dropout = 0.5 - 0.18 * libm::log(learned / 2e4) + 0.15 * larger;
        // From less than a million characters nothing is learned by heart.
        let by_heart = (budget / 1e6).min(1.0);
        let probability = |share: f64| hundredths(share.clamp(0.0, 0.5) * by_heart);
        train.dropout = probability(dropout);
        train.weight_dropout = match network.cell.recurrent_gates() {
            0 => 0.0,
            _ => probability(weight_dropout),
        };
        let slower = power((network.hidden_size as f64 / 256.0).max(1.0), 0.7);
        let quicker = match network.cell.gates() {
            // Without gates large steps lead astray.
            1 => 1.0,
            _ => (usual / network.hidden_size as f64).clamp(1.0, 3.0),
        };
        train.learning_rate = rate(4e-3 / slower * quicker);
        let each_step = train.batch_size as f64 * train.seq_length as f64;
        let weight_decay = each_step / (7.0 * train.learning_rate * learned);
        // Where little is uncertain, decay keeps a network from being sure.
        let uncertain = power((text.ngram_loss / 1.7).clamp(0.0, 1.0), 2.0);
        train.optimizer = OptimizerConfig::ADAMW;
        if let Some(decay) = train.optimizer.setting("weight decay") {
            *decay = match weight_decay.min(0.5) * uncertain {
                small if small < 0.01 => rate(small),
                decay => hundredths(decay),
            };
        }
        self
    }

    /// The same with as many steps as take this much work, up to ten times the usual.
    pub fn within(mut self, text: &TextFacts, work: f64) -> Self {
        let most = MOST_PATIENT * usual_budget(learned(text));
        let budget = (work / self.work_per_character()).min(most);
        self.train.take_steps(budget);
        self
    }

    /// The same for going on with a trained network on this text: steps a quarter as large, since most is
    /// known already, and half as many.
    pub fn for_fine_tuning(mut self) -> Self {
        let train = &mut self.train;
        train.learning_rate *= 0.25;
        train.max_steps = train.max_steps.map(|steps| steps.div_ceil(2));
        train.eval_every = train.eval_every.div_ceil(2);
        self
    }
}

/// How many times longer than usual a run may take.
const MOST_PATIENT: f64 = 10.0;

/// Settings for this text. On a million characters a run takes a few minutes on a laptop.
pub fn recommended(text: &TextFacts) -> Recommended {
    let learned = learned(text);
    let network = network(text, usual_size(learned));
    fitted(text, network, usual_budget(learned))
}

/// Settings for this text and about this much work, in [multiply-adds](Recommended::work_per_character):
/// with more work than [`recommended`] has, a larger network that learns longer, up to what the text
/// can fill.
pub fn recommended_within(text: &TextFacts, work: f64) -> Recommended {
    let (learned, work) = (learned(text), work.max(1.0));
    let usual = network(text, usual_size(learned));
    let share = work / (each_character(&usual) * usual_budget(learned));
    // Half of more work goes to the network, which has units squared, half to the time that it learns.
    let network = network(text, usual_size(learned) * power(share, 1.0 / 3.0));
    let start = fitted(text, network, usual_budget(learned));
    start.within(text, work).regularised(text)
}

/// Characters to learn from.
fn learned(text: &TextFacts) -> f64 {
    (text.share * text.characters as f64).max(1.0)
}

fn usual_size(learned: f64) -> f64 {
    256.0 * power(learned / 1e6, 0.125)
}

fn most_size(learned: f64) -> f64 {
    128.0 * power(learned / 2e4, 0.4)
}

fn usual_budget(learned: f64) -> f64 {
    12.3e6 * power(learned / 1e6, 0.25)
}

fn network(text: &TextFacts, size: f64) -> NetworkConfig {
    let learned = learned(text);
    NetworkConfig {
        cell: CellKind::LSTM,
        vocab_size: text.vocab_size,
        hidden_size: rounded(size.min(most_size(learned)).min(4096.0), 16).max(64),
        num_layers: if learned < 4e4 { 1 } else { 2 },
    }
}

fn each_character(network: &NetworkConfig) -> f64 {
    3.0 * Layout::multiplier_count(network) as f64
}

/// The training of a network by `budget` characters.
fn fitted(text: &TextFacts, network: NetworkConfig, budget: f64) -> Recommended {
    let mut train = TrainConfig {
        batch_size: batch_size(&network),
        locked_dropout: true,
        patience: Some(6),
        ..TrainConfig::default()
    };
    train.take_steps(budget);
    Recommended { network, train }.regularised(text)
}

impl TrainConfig {
    /// Sets the steps to learn from so many characters, with 24 evaluations.
    fn take_steps(&mut self, budget: f64) {
        let each_step = self.batch_size as f64 * self.seq_length as f64;
        self.eval_every = rounded(budget / each_step / 24.0, 10).max(10) as u64;
        self.max_steps = Some(self.eval_every.saturating_mul(24));
    }
}

/// Streams of text side by side. Few, since many small steps learn more from a text than a few large
/// ones; a larger network is only fast with more.
fn batch_size(network: &NetworkConfig) -> usize {
    match network.hidden_size {
        0..=320 => 8,
        321..=640 => 16,
        _ => 32,
    }
}

/// Not the platform's power, whose last digit differs from machine to machine.
fn power(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

fn rounded(value: f64, unit: usize) -> usize {
    ((value / unit as f64 + 0.5) as usize).saturating_mul(unit)
}

/// Four digits after the point.
fn rate(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_for_any_text_and_any_work_are_sound() {
        let works = [
            f64::NEG_INFINITY,
            -1.0,
            0.0,
            1e-300,
            1e9,
            1e15,
            1e300,
            f64::INFINITY,
            f64::NAN,
        ];
        for characters in [0, 1, 100, 10_000, 1_000_000, 1 << 40, usize::MAX] {
            let text = TextFacts::prose(characters, 100);
            let usual = recommended(&text);
            for advice in works.map(|work| recommended_within(&text, work)) {
                assert!(advice.train.validate().is_ok(), "{advice:?}");
                assert!(advice.network.validate().is_ok(), "{advice:?}");
                assert!(advice.expected_loss(&text).start().is_finite());
            }
            let work = usual.work_per_character() * usual_budget(learned(&text));
            assert_eq!(recommended_within(&text, work), usual);
        }
    }

    #[test]
    fn more_time_and_more_text_never_shrink_the_network() {
        let sizes = |all: Vec<Recommended>| {
            let sizes = all.iter().map(|advice| advice.network.hidden_size);
            assert!(sizes.is_sorted(), "{all:?}");
        };
        let powers = (10..60).map(|power| 2f64.powi(power));
        sizes(
            powers
                .clone()
                .map(|length| recommended(&TextFacts::prose(length as usize, 100)))
                .collect(),
        );
        sizes(
            powers
                .map(|work| recommended_within(&TextFacts::prose(1_000_000, 100), 1000.0 * work))
                .collect(),
        );
    }

    #[test]
    fn what_is_held_out_is_not_learned_from() {
        let half = TextFacts::prose(1_000_000, 100).split(&[0.5, 0.5]);
        assert_eq!(
            recommended(&half).train.max_steps,
            recommended(&TextFacts::prose(555_556, 100)).train.max_steps
        );
    }

    #[test]
    fn going_on_with_a_network_takes_fewer_and_smaller_steps() {
        let new = recommended(&TextFacts::prose(100_000, 60));
        let tuned = new.for_fine_tuning();
        assert!(tuned.train.learning_rate < new.train.learning_rate);
        assert!(tuned.train.max_steps < new.train.max_steps);
        let mut open = new;
        (open.train.max_steps, open.train.eval_every) = (None, 1);
        assert_eq!(open.for_fine_tuning().train.max_steps, None);
        open.for_fine_tuning().train.validate().unwrap();
    }
}
