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
use tensor::{Kernel, Scalar, vectorize};

struct Plain<'a, T> {
    params: &'a mut [T],
    grads: &'a [T],
    learning_rate: T,
}

impl<T: Scalar> Kernel for Plain<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            params,
            grads,
            learning_rate,
        } = self;
        for (p, &g) in params.iter_mut().zip(grads) {
            *p -= learning_rate * g;
        }
    }
}

/// One step without momentum.
pub(super) fn step<T: Scalar>(params: &mut [T], grads: &[T], learning_rate: f64) {
    let learning_rate = T::from_f64(learning_rate);
    in_parts((params, grads), |(params, grads)| {
        vectorize(Plain {
            params,
            grads,
            learning_rate,
        });
    });
}

struct Momentum<'a, T> {
    params: &'a mut [T],
    grads: &'a [T],
    buffer: &'a mut [T],
    learning_rate: T,
    momentum: T,
    nesterov: bool,
}

impl<T: Scalar> Kernel for Momentum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            params,
            grads,
            buffer,
            learning_rate,
            momentum,
            nesterov,
        } = self;
        for ((p, &g), b) in params.iter_mut().zip(grads).zip(buffer) {
            *b = flush(momentum * *b + g);
            let direction = if nesterov { g + momentum * *b } else { *b };
            *p -= learning_rate * direction;
        }
    }
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
        vectorize(Momentum {
            params,
            grads,
            buffer,
            learning_rate,
            momentum,
            nesterov,
        });
    });
}
