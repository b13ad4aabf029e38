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

use super::lanes::{LANES, load, quarters, store};
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
            for j in (0..hidden).step_by(LANES) {
                let (mut gn, mut gr, mut gz) = (load(n, j), load(r, j), load(z, j));
                let (gn_h, mut state) = (load(n_h, j), load(h_prev, j));
                for l in 0..LANES {
                    gr[l] = gr[l].sigmoid();
                    gz[l] = gz[l].sigmoid();
                    gn[l] = gr[l].mul_add(gn_h[l], gn[l]).tanh();
                    state[l] = gz[l].mul_add(state[l] - gn[l], gn[l]);
                }
                store(n, j, gn);
                store(r, j, gr);
                store(z, j, gz);
                store(h, j, state);
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
            for j in (0..hidden).step_by(LANES) {
                let (mut gn, mut gr, mut gz) = (load(n, j), load(r, j), load(z, j));
                let (mut gn_h, before) = (load(n_h, j), load(h_prev, j));
                let (above, mut from_h) = (load(d_h, j), load(carry, j));
                for l in 0..LANES {
                    let (n, r, z) = (gn[l], gr[l], gz[l]);
                    let dh = above[l] + from_h[l];
                    let dn = dh * (T::ONE - z) * (T::ONE - n * n);
                    gn[l] = dn;
                    gr[l] = dn * gn_h[l] * (r * (T::ONE - r));
                    gz[l] = dh * (before[l] - n) * (z * (T::ONE - z));
                    gn_h[l] = dn * r;
                    from_h[l] = dh * z;
                }
                store(n, j, gn);
                store(r, j, gr);
                store(z, j, gz);
                store(n_h, j, gn_h);
                store(carry, j, from_h);
            }
        }
    }
}
