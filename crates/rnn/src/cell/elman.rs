//! Elman's simple recurrent network (Elman 1990), the notebook's cell.
//!
//! Forward, with `a_t` the pre-activation that the products and biases have left in the block:
//!
//! ```text
//! a_t = U x_t + b_ih + W h_{t-1} + b_hh
//! h_t = tanh(a_t)                          or  max(0, a_t)
//! ```
//!
//! Backward, with `dh_t` the gradient that reaches `h_t` from above and from step `t+1`:
//!
//! ```text
//! da_t = dh_t * (1 - h_t^2)                or  dh_t where h_t > 0, else 0
//! ```

use tensor::{Kernel, LANES, Lanes, Scalar};

use super::{Backward, Forward};

pub(super) struct Tanh<'a, T>(pub(super) Forward<'a, T>);

impl<T: Scalar> Kernel for Tanh<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Forward { block, h, .. } = self.0;
        let whole = h.len() - h.len() % LANES;
        for j in (0..whole).step_by(LANES) {
            Lanes::load(block, j).tanh().store(h, j);
        }
        for (h, &a) in h[whole..].iter_mut().zip(&block[whole..]) {
            *h = a.tanh();
        }
    }
}

pub(super) struct TanhBack<'a, T>(pub(super) Backward<'a, T>);

impl<T: Scalar> Kernel for TanhBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let step = self.0;
        let above = step.h.iter().zip(step.d_h);
        for ((a, carry), (&h, &d_h)) in step.block.iter_mut().zip(step.carry_h).zip(above) {
            *a = (d_h + *carry) * (T::ONE - h * h);
            *carry = T::ZERO;
        }
    }
}

pub(super) struct Relu<'a, T>(pub(super) Forward<'a, T>);

impl<T: Scalar> Kernel for Relu<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (h, &a) in self.0.h.iter_mut().zip(self.0.block.iter()) {
            // Written so that NaN stays NaN and the guard of the trainer sees it.
            *h = if a < T::ZERO { T::ZERO } else { a };
        }
    }
}

pub(super) struct ReluBack<'a, T>(pub(super) Backward<'a, T>);

impl<T: Scalar> Kernel for ReluBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let step = self.0;
        let above = step.h.iter().zip(step.d_h);
        for ((a, carry), (&h, &d_h)) in step.block.iter_mut().zip(step.carry_h).zip(above) {
            *a = if h > T::ZERO { d_h + *carry } else { T::ZERO };
            *carry = T::ZERO;
        }
    }
}
