//! Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms"): every parameter moves
//! by the same amount, in the direction of the sign of its momentum.
//!
//! With learning rate η, gradient g, weight decay λ, and m = 0 at the start:
//!
//! ```text
//! c ← β₁ m + (1 − β₁) g
//! p ← p − η λ p − η sign(c)       sign(0) = 0
//! m ← β₂ m + (1 − β₂) g
//! ```
//!
//! Defaults are those of the paper's code (google/automl). Steps are larger than Adam's: the paper
//! uses a learning rate 3 to 10 times smaller and a weight decay as many times larger.

use super::parts::{flush, in_parts};
use tensor::{Kernel, Scalar, vectorize};

/// The numbers that all parameters of one step share.
#[derive(Clone, Copy)]
struct Factors<T> {
    /// 1 − η λ
    keep: T,
    learning_rate: T,
    beta1: T,
    one_minus_beta1: T,
    beta2: T,
    one_minus_beta2: T,
}

struct Lion<'a, T> {
    params: &'a mut [T],
    grads: &'a [T],
    exp_avg: &'a mut [T],
    factors: Factors<T>,
}

impl<T: Scalar> Kernel for Lion<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let f = self.factors;
        for ((p, &g), m) in self.params.iter_mut().zip(self.grads).zip(self.exp_avg) {
            let c = f.beta1 * *m + f.one_minus_beta1 * g;
            let up = if c > T::ZERO {
                f.learning_rate
            } else {
                T::ZERO
            };
            let down = if c < T::ZERO {
                f.learning_rate
            } else {
                T::ZERO
            };
            *p = f.keep * *p - up + down;
            *m = flush(f.beta2 * *m + f.one_minus_beta2 * g);
        }
    }
}

/// One step; `exp_avg` is m.
pub(super) fn step<T: Scalar>(
    params: &mut [T],
    grads: &[T],
    exp_avg: &mut [T],
    [beta1, beta2, weight_decay]: [f64; 3],
    learning_rate: f64,
) {
    let factors = Factors {
        keep: T::from_f64(1.0 - learning_rate * weight_decay),
        learning_rate: T::from_f64(learning_rate),
        beta1: T::from_f64(beta1),
        one_minus_beta1: T::from_f64(1.0 - beta1),
        beta2: T::from_f64(beta2),
        one_minus_beta2: T::from_f64(1.0 - beta2),
    };
    in_parts(((params, grads), exp_avg), |((params, grads), exp_avg)| {
        vectorize(Lion {
            params,
            grads,
            exp_avg,
            factors,
        });
    });
}
