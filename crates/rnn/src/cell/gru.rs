//! Gated recurrent unit (Cho 2014), in the form of cuDNN and PyTorch: the reset gate multiplies
//! the recurrent half of the candidate *after* its product and bias.
//!
//! Forward, with the pre-activations stacked `n_x r z n_h` in the block, `n_x = W_in x + b_in` and
//! `n_h = W_hn h_prev + b_hn`:
//!
//! ```text
//! r = sigmoid(a_r)   z = sigmoid(a_z)
//! n = tanh(n_x + r * n_h)
//! h = (1 - z) * n + z * h_prev
//! ```
//!
//! Backward, with `dh` the gradient that reaches `h` from above and from step `t+1`:
//!
//! ```text
//! dn_x = dh * (1 - z) * (1 - n^2)
//! da_r = dn_x * n_h * r (1 - r)
//! da_z = dh * (h_prev - n) * z (1 - z)
//! dn_h = dn_x * r
//! dh_prev = dh * z   (and what comes through the recurrent weights)
//! ```

use tensor::{Kernel, Scalar};

use super::lstm::quarters;
use super::{Backward, Forward};

pub(super) struct Step<'a, T>(pub(super) Forward<'a, T>);

impl<T: Scalar> Kernel for Step<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Forward {
            block,
            h_prev,
            h,
            hidden,
            ..
        } = self.0;
        let states = h.chunks_exact_mut(hidden).zip(h_prev.chunks_exact(hidden));
        for (gates, (h, h_prev)) in block.chunks_exact_mut(4 * hidden).zip(states) {
            let [n, r, z, n_h] = quarters(gates);
            for j in 0..hidden {
                r[j] = r[j].sigmoid();
                z[j] = z[j].sigmoid();
                n[j] = r[j].mul_add(n_h[j], n[j]).tanh();
                h[j] = z[j].mul_add(h_prev[j] - n[j], n[j]);
            }
        }
    }
}

pub(super) struct Back<'a, T>(pub(super) Backward<'a, T>);

impl<T: Scalar> Kernel for Back<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Backward {
            block,
            h_prev,
            d_h,
            carry_h,
            hidden,
            ..
        } = self.0;
        let states = h_prev
            .chunks_exact(hidden)
            .zip(d_h.chunks_exact(hidden))
            .zip(carry_h.chunks_exact_mut(hidden));
        for (gates, ((h_prev, d_h), carry)) in block.chunks_exact_mut(4 * hidden).zip(states) {
            let [n, r, z, n_h] = quarters(gates);
            for j in 0..hidden {
                let (gate_n, gate_r, gate_z) = (n[j], r[j], z[j]);
                let dh = d_h[j] + carry[j];
                let dn = dh * (T::ONE - gate_z) * (T::ONE - gate_n * gate_n);
                n[j] = dn;
                r[j] = dn * n_h[j] * (gate_r * (T::ONE - gate_r));
                z[j] = dh * (h_prev[j] - gate_n) * (gate_z * (T::ONE - gate_z));
                n_h[j] = dn * gate_r;
                carry[j] = dh * gate_z;
            }
        }
    }
}
