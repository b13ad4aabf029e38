//! Adagrad (Duchi, Hazan and Singer 2011, "Adaptive subgradient methods for online learning and
//! stochastic optimization"): each parameter's rate falls with all its past gradients.
//!
//! With learning rate η, gradient g, and s = 0 at the start:
//!
//! ```text
//! s ← s + g²
//! p ← p − η g / (√s + ε)
//! ```
//!
//! This is min-char-rnn's optimiser, which puts its ε of 1e-8 inside the root; here it stands
//! outside, as in PyTorch.

use super::parts::in_parts;
use tensor::{Scalar, vectorize};

/// One step; `sum` is s.
pub(super) fn step<T: Scalar>(
    params: &mut [T],
    grads: &[T],
    sum: &mut [T],
    learning_rate: f64,
    eps: f64,
) {
    let learning_rate = T::from_f64(learning_rate);
    let eps = T::from_f64(eps);
    in_parts(((params, grads), sum), |((params, grads), sum)| {
        vectorize(
            #[inline(always)]
            move || {
                for ((p, &g), s) in params.iter_mut().zip(grads).zip(sum.iter_mut()) {
                    *s += g * g;
                    *p -= learning_rate * g / (s.sqrt() + eps);
                }
            },
        );
    });
}
