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

use tensor::{LANES, Lanes, Scalar};

use super::{Backward, Bounds, Cell, Forward, Part};

const ALL: Part = Part::new(0..1, 0..1);

/// The notebook's cell.
pub(super) struct Tanh;

impl Cell for Tanh {
    const NAME: &'static str = "rnn";
    const ABOUT: &'static str = "Elman network with tanh";
    const COLUMNS: usize = 1;
    const INPUT: &'static [Part] = &[ALL];
    const RECURRENT: Option<&'static Part> = Some(&ALL);

    #[inline(always)]
    fn forward<T: Scalar>(step: Forward<'_, T>) {
        let Forward { block, h, .. } = step;
        let whole = h.len() - h.len() % LANES;
        for j in (0..whole).step_by(LANES) {
            Lanes::load(block, j).tanh().store(h, j);
        }
        for (h, &a) in h[whole..].iter_mut().zip(&block[whole..]) {
            *h = a.tanh();
        }
    }

    #[inline(always)]
    fn backward<T: Scalar>(step: Backward<'_, T>) {
        let above = step.h.iter().zip(step.d_h);
        for ((a, carry), (&h, &d_h)) in step.block.iter_mut().zip(step.carry_h).zip(above) {
            *a = (d_h + *carry) * (T::ONE - h * h);
            *carry = T::ZERO;
        }
    }
}

/// The same with a rectifier.
pub(super) struct Relu;

impl Cell for Relu {
    const NAME: &'static str = "rnn_relu";
    const ABOUT: &'static str = "Elman network with ReLU";
    const COLUMNS: usize = 1;
    const INPUT: &'static [Part] = &[ALL];
    const RECURRENT: Option<&'static Part> = Some(&ALL);
    const HIDDEN: Bounds = Bounds::None;

    #[inline(always)]
    fn forward<T: Scalar>(step: Forward<'_, T>) {
        for (h, &a) in step.h.iter_mut().zip(step.block.iter()) {
            // Written so that NaN stays NaN and the guard of the trainer sees it.
            *h = if a < T::ZERO { T::ZERO } else { a };
        }
    }

    #[inline(always)]
    fn backward<T: Scalar>(step: Backward<'_, T>) {
        let above = step.h.iter().zip(step.d_h);
        for ((a, carry), (&h, &d_h)) in step.block.iter_mut().zip(step.carry_h).zip(above) {
            *a = if h > T::ZERO { d_h + *carry } else { T::ZERO };
            *carry = T::ZERO;
        }
    }
}
