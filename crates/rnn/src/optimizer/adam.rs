//! Adam (Kingma and Ba 2015, "Adam: a method for stochastic optimization") and AdamW (Loshchilov
//! and Hutter 2019, "Decoupled weight decay regularization").
//!
//! With learning rate η, gradient g, step t = 1, 2, …, and m = v = 0 at the start:
//!
//! ```text
//! p ← p − η λ p                               AdamW alone: decay first, by weight decay λ
//! m ← m + (1 − β₁)(g − m)                     first moment:  β₁ m + (1 − β₁) g
//! v ← β₂ v + (1 − β₂) g²                      second moment
//! m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)       undo the pull towards the zero start
//! p ← p − η m̂ / (√v̂ + ε)
//! ```
//!
//! The two corrections are the same for all parameters of a step: computed once, they leave one root and
//! one division for each parameter.

use super::parts::{flush, in_parts};
use tensor::{Scalar, vectorize};

/// Step number `t`, counted from 1; Adam has weight decay 0; `exp_avg` is m, `exp_avg_sq` is v.
pub(super) fn step<T: Scalar>(
    params: &mut [T],
    grads: &[T],
    exp_avg: &mut [T],
    exp_avg_sq: &mut [T],
    [beta1, beta2, eps, weight_decay]: [f64; 4],
    learning_rate: f64,
    t: u64,
) {
    let power = |beta| libm::pow(beta, t as f64);
    // In f64, and rounded once: 1 − η λ is exactly 1 for Adam.
    let keep = T::from_f64(1.0 - learning_rate * weight_decay);
    let corrected_rate = T::from_f64(learning_rate / (1.0 - power(beta1)));
    let root_correction = T::from_f64(1.0 / (1.0 - power(beta2)).sqrt());
    let one_minus_beta1 = T::from_f64(1.0 - beta1);
    let one_minus_beta2 = T::from_f64(1.0 - beta2);
    let (beta2, eps) = (T::from_f64(beta2), T::from_f64(eps));
    in_parts(
        ((params, grads), (exp_avg, exp_avg_sq)),
        |((params, grads), (exp_avg, exp_avg_sq))| {
            vectorize(
                #[inline(always)]
                move || {
                    let averages = exp_avg.iter_mut().zip(exp_avg_sq.iter_mut());
                    for ((p, &g), (m, v)) in params.iter_mut().zip(grads).zip(averages) {
                        *m = flush(*m + one_minus_beta1 * (g - *m));
                        *v = flush(beta2 * *v + one_minus_beta2 * g * g);
                        let denominator = v.sqrt() * root_correction + eps;
                        *p = keep * *p - corrected_rate * *m / denominator;
                    }
                },
            );
        },
    );
}
