//! Softmax cross-entropy: the loss of a row of logits and its gradient, in one pass.
//!
//! ```text
//! p_j  = exp(o_j - max o) / sum_k exp(o_k - max o)
//! loss = -ln p_target = ln sum_k exp(o_k - max o) - (o_target - max o)      in nats
//! do_j = p_j - [j = target]
//! ```
//!
//! Subtracting the maximum changes neither value and keeps `exp` from overflowing.

use serde::{Deserialize, Serialize};
use tensor::{Scalar, map_in_place, reduce, vectorize};

use crate::vocabulary::{IGNORE, Id, check_targets};

/// How the losses of a window become one number, which also scales its gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The mean over the characters of the window: nats per character.
    #[default]
    Mean,
    /// The sum over them, as in the notebook.
    Sum,
}

/// Turns logits into probabilities in place and writes each row's loss in nats.
///
/// `logits` is `[rows, V]`, `targets` and `losses` are `[rows]`. A row whose target is
/// [`IGNORE`] has loss 0.
///
/// # Panics
/// If the three lengths do not match, or a target is outside the vocabulary.
#[track_caller]
pub fn softmax_cross_entropy<T: Scalar>(logits: &mut [T], targets: &[Id], losses: &mut [f64]) {
    check(logits, targets, losses);
    rows(logits, targets, losses, None);
}

/// As [`softmax_cross_entropy`], but leaves `scale * (p - onehot(target))` in place of the logits:
/// the gradient of `scale` times the summed loss. An ignored row's gradient is 0.
///
/// # Panics
/// As [`softmax_cross_entropy`].
#[track_caller]
pub fn softmax_cross_entropy_gradient<T: Scalar>(
    logits: &mut [T],
    targets: &[Id],
    losses: &mut [f64],
    scale: T,
) {
    check(logits, targets, losses);
    rows(logits, targets, losses, Some(scale));
}

#[track_caller]
fn check<T>(logits: &[T], targets: &[Id], losses: &[f64]) {
    assert!(
        targets.len() == losses.len()
            && (targets.is_empty() || logits.len().is_multiple_of(targets.len())),
        "{} logits, {} targets and {} losses do not match",
        logits.len(),
        targets.len(),
        losses.len()
    );
    check_targets(targets, logits.len() / targets.len().max(1));
}

/// Multiply-adds that the softmax of a logit counts for.
pub(crate) const WORK: usize = 32;

/// Logits whose exponentials are computed together: several rows if the vocabulary is small, to fill
/// whole vectors.
const STRIP: usize = 64;

/// The loss and probabilities of every row, or its loss and gradient if there is a `scale`.
fn rows<T: Scalar>(logits: &mut [T], targets: &[Id], losses: &mut [f64], scale: Option<T>) {
    if targets.is_empty() {
        return;
    }
    let vocab = logits.len() / targets.len();
    let rows = (STRIP / vocab).max(1);
    vectorize(
        #[inline(always)]
        move || {
            let strips = logits
                .chunks_mut(rows * vocab)
                .zip(targets.chunks(rows))
                .zip(losses.chunks_mut(rows));
            for ((logits, targets), losses) in strips {
                strip(vocab, logits, targets, losses, scale);
            }
        },
    );
}

/// The rows of one strip.
#[inline(always)]
fn strip<T: Scalar>(
    vocab: usize,
    logits: &mut [T],
    targets: &[Id],
    losses: &mut [f64],
    scale: Option<T>,
) {
    let rows = logits.chunks_exact_mut(vocab).zip(targets);
    for ((row, &target), loss) in rows.zip(losses.iter_mut()) {
        let max = reduce::max(row);
        for o in row.iter_mut() {
            *o -= max;
        }
        *loss = match target {
            IGNORE => 0.0,
            target => row[target as usize].to_f64(),
        };
    }
    map_in_place(
        logits,
        #[inline(always)]
        |o| o.exp(),
        #[inline(always)]
        |o| o.exp(),
    );
    let rows = logits.chunks_exact_mut(vocab).zip(targets);
    for ((row, &target), loss) in rows.zip(losses) {
        let sum = reduce::sum(row);
        let counted = target != IGNORE;
        if counted {
            *loss = libm::log(sum.to_f64()) - *loss;
        }
        let factor = match scale {
            None => T::ONE / sum,
            Some(scale) if counted => scale / sum,
            Some(_) => T::ZERO,
        };
        for p in row.iter_mut() {
            *p *= factor;
        }
        if let (Some(scale), true) = (scale, counted) {
            row[target as usize] -= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn uniform_logits_lose_ln_v() {
        let (mut logits, mut loss) = ([0.0f64; 4], [0.0]);
        softmax_cross_entropy(&mut logits, &[2], &mut loss);
        assert_relative_eq!(loss[0], 4f64.ln(), epsilon = 1e-15);
        assert_eq!(logits, [0.25; 4]);
    }

    #[test]
    fn the_gradient_is_that_of_central_differences() {
        let logits = [0.3, -1.2, 2.0, 0.5, 0.1, -0.4];
        let targets = [2, 0];
        let total = |o: &[f64; 6]| {
            let (mut o, mut losses) = (*o, [0.0; 2]);
            softmax_cross_entropy(&mut o, &targets, &mut losses);
            0.5 * (losses[0] + losses[1])
        };
        let (mut gradient, mut losses) = (logits, [0.0; 2]);
        softmax_cross_entropy_gradient(&mut gradient, &targets, &mut losses, 0.5);
        for j in 0..6 {
            let (mut up, mut down) = (logits, logits);
            up[j] += 1e-6;
            down[j] -= 1e-6;
            assert_relative_eq!(
                gradient[j],
                (total(&up) - total(&down)) / 2e-6,
                epsilon = 1e-9
            );
        }
    }

    #[test]
    fn huge_logits_and_ignored_rows_stay_finite() {
        let mut logits = [1e4f32, -1e4, 0.0, 5.0, 6.0, 7.0];
        let mut losses = [9.0; 2];
        softmax_cross_entropy_gradient(&mut logits, &[1, IGNORE], &mut losses, 1.0);
        assert_eq!(losses, [20_000.0, 0.0]);
        assert_eq!(logits, [1.0, -1.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
