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
//! The two corrections are the same for all parameters of a step, so they are computed once, in
//! f64: η / (1 − β₁ᵗ) and 1 / √(1 − β₂ᵗ) leave one root and one division for each parameter.

use super::parts::{flush, in_parts};
use tensor::{Kernel, Scalar, vectorize};

/// What Adam and AdamW are set to; Adam has weight decay 0.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) eps: f64,
    pub(super) weight_decay: f64,
}

/// The numbers that all parameters of one step share.
#[derive(Clone, Copy)]
struct Factors<T> {
    /// 1 − η λ, exactly 1 for Adam.
    keep: T,
    one_minus_beta1: T,
    beta2: T,
    one_minus_beta2: T,
    /// 1 / √(1 − β₂ᵗ)
    root_correction: T,
    /// η / (1 − β₁ᵗ)
    step_size: T,
    eps: T,
}

impl<T: Scalar> Factors<T> {
    fn new(settings: Settings, learning_rate: f64, t: u64) -> Self {
        let Settings {
            beta1,
            beta2,
            eps,
            weight_decay,
        } = settings;
        let t = t as f64;
        Self {
            keep: T::from_f64(1.0 - learning_rate * weight_decay),
            one_minus_beta1: T::from_f64(1.0 - beta1),
            beta2: T::from_f64(beta2),
            one_minus_beta2: T::from_f64(1.0 - beta2),
            root_correction: T::from_f64(1.0 / (1.0 - libm::pow(beta2, t)).sqrt()),
            step_size: T::from_f64(learning_rate / (1.0 - libm::pow(beta1, t))),
            eps: T::from_f64(eps),
        }
    }
}

struct Adam<'a, T> {
    params: &'a mut [T],
    grads: &'a [T],
    exp_avg: &'a mut [T],
    exp_avg_sq: &'a mut [T],
    factors: Factors<T>,
}

impl<T: Scalar> Kernel for Adam<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            params,
            grads,
            exp_avg,
            exp_avg_sq,
            factors: f,
        } = self;
        for (((p, &g), m), v) in params.iter_mut().zip(grads).zip(exp_avg).zip(exp_avg_sq) {
            *m = flush(*m + f.one_minus_beta1 * (g - *m));
            *v = flush(f.beta2 * *v + f.one_minus_beta2 * g * g);
            let denominator = v.sqrt() * f.root_correction + f.eps;
            *p = f.keep * *p - f.step_size * *m / denominator;
        }
    }
}

/// Step number `t`, counted from 1; `exp_avg` is m, `exp_avg_sq` is v.
pub(super) fn step<T: Scalar>(
    params: &mut [T],
    grads: &[T],
    exp_avg: &mut [T],
    exp_avg_sq: &mut [T],
    settings: Settings,
    learning_rate: f64,
    t: u64,
) {
    let factors = Factors::new(settings, learning_rate, t);
    in_parts(
        ((params, grads), (exp_avg, exp_avg_sq)),
        |((params, grads), (exp_avg, exp_avg_sq))| {
            vectorize(Adam {
                params,
                grads,
                exp_avg,
                exp_avg_sq,
                factors,
            });
        },
    );
}
