//! Draws a character from logits.

use rand::RngExt;
use tensor::random::ChaCha8Rng;
use tensor::{activation, reduce};

use super::SampleOptions;
use crate::vocabulary::Id;

/// Draws a character from logits, and turns them into probabilities. `order` is as long where an option
/// keeps the likeliest.
pub(super) fn draw(
    logits: &mut [f32],
    order: &mut [Id],
    options: &SampleOptions,
    generator: &mut ChaCha8Rng,
) -> Id {
    if options.temperature == 0.0 {
        return reduce::argmax(logits) as Id;
    }
    // Shift before scaling: a tiny temperature then sends all but the likeliest to minus infinity, whose
    // probability is 0, and infinity minus infinity cannot occur.
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
    use tensor::random;

    use super::*;

    fn draws(logits: &[f32], options: &SampleOptions) -> Vec<usize> {
        let (mut generator, mut order) = (random::rng(5), vec![0; logits.len()]);
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
