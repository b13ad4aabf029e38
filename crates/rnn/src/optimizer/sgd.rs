//! Stochastic gradient descent, with momentum and Nesterov's variant.
//!
//! Plain (Robbins and Monro 1951), with learning rate η and gradient g:
//!
//! ```text
//! p ← p − η g
//! ```
//!
//! With momentum μ (Polyak 1964), and with Nesterov's look-ahead (Sutskever, Martens, Dahl and
//! Hinton 2013, "On the importance of initialization and momentum in deep learning"), both as
//! PyTorch writes them, with dampening 0:
//!
//! ```text
//! b ← μ b + g
//! p ← p − η b              momentum
//! p ← p − η (g + μ b)      Nesterov
//! ```
//!
//! PyTorch sets b = g on the first step. Without dampening that is what b = 0 at the start gives.

use super::parts::{flush, in_parts};
use tensor::{Scalar, vectorize};

/// One step without momentum.
pub(super) fn step<T: Scalar>(params: &mut [T], grads: &[T], learning_rate: f64) {
    let learning_rate = T::from_f64(learning_rate);
    in_parts((params, grads), |(params, grads)| {
        vectorize(
            #[inline(always)]
            move || {
                for (p, &g) in params.iter_mut().zip(grads) {
                    *p -= learning_rate * g;
                }
            },
        );
    });
}

/// One step with momentum; `buffer` is b.
pub(super) fn step_momentum<T: Scalar>(
    params: &mut [T],
    grads: &[T],
    buffer: &mut [T],
    learning_rate: f64,
    momentum: f64,
    nesterov: bool,
) {
    let learning_rate = T::from_f64(learning_rate);
    let momentum = T::from_f64(momentum);
    in_parts(((params, grads), buffer), |((params, grads), buffer)| {
        vectorize(
            #[inline(always)]
            move || {
                for ((p, &g), b) in params.iter_mut().zip(grads).zip(buffer.iter_mut()) {
                    *b = flush(momentum * *b + g);
                    let direction = if nesterov { g + momentum * *b } else { *b };
                    *p -= learning_rate * direction;
                }
            },
        );
    });
}
