//! Long short-term memory (Hochreiter and Schmidhuber 1997) with the forget gate of Gers (2000).
//!
//! Forward, with the four pre-activations stacked `i f g o` in the block:
//!
//! ```text
//! i = sigmoid(a_i)   f = sigmoid(a_f)   g = tanh(a_g)   o = sigmoid(a_o)
//! c = f * c_prev + i * g
//! h = o * tanh(c)
//! ```
//!
//! Backward, with `dh` and `dc` the gradients that reach `h` and `c` from above and from step `t+1`:
//!
//! ```text
//! dc   += dh * o * (1 - tanh(c)^2)
//! da_i  = dc * g      * i (1 - i)
//! da_f  = dc * c_prev * f (1 - f)
//! da_g  = dc * i      * (1 - g^2)
//! da_o  = dh * tanh(c) * o (1 - o)
//! dc_prev = dc * f
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
            h,
            c_prev,
            c,
            hidden,
            ..
        } = self.0;
        let states = h
            .chunks_exact_mut(hidden)
            .zip(c.chunks_exact_mut(hidden))
            .zip(c_prev.chunks_exact(hidden));
        for (gates, ((h, c), c_prev)) in block.chunks_exact_mut(4 * hidden).zip(states) {
            let [i, f, g, o] = quarters(gates);
            for j in (0..hidden).step_by(LANES) {
                let (mut gi, mut gf) = (load(i, j), load(f, j));
                let (mut gg, mut go) = (load(g, j), load(o, j));
                let (mut cell, mut out) = (load(c_prev, j), [T::ZERO; LANES]);
                for l in 0..LANES {
                    gi[l] = gi[l].sigmoid();
                    gf[l] = gf[l].sigmoid();
                    gg[l] = gg[l].tanh();
                    go[l] = go[l].sigmoid();
                    cell[l] = gf[l].mul_add(cell[l], gi[l] * gg[l]);
                    out[l] = go[l] * cell[l].tanh();
                }
                store(i, j, gi);
                store(f, j, gf);
                store(g, j, gg);
                store(o, j, go);
                store(c, j, cell);
                store(h, j, out);
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
            c_prev,
            c,
            d_h,
            carry_h,
            carry_c,
            hidden,
            ..
        } = self.0;
        let states = c
            .chunks_exact(hidden)
            .zip(c_prev.chunks_exact(hidden))
            .zip(d_h.chunks_exact(hidden));
        let carries = carry_h
            .chunks_exact_mut(hidden)
            .zip(carry_c.chunks_exact_mut(hidden));
        for ((gates, ((c, c_prev), d_h)), (carry_h, carry_c)) in
            block.chunks_exact_mut(4 * hidden).zip(states).zip(carries)
        {
            let [i, f, g, o] = quarters(gates);
            for j in (0..hidden).step_by(LANES) {
                let (mut gi, mut gf) = (load(i, j), load(f, j));
                let (mut gg, mut go) = (load(g, j), load(o, j));
                let (cell, cell_prev, above) = (load(c, j), load(c_prev, j), load(d_h, j));
                let (from_h, mut from_c) = (load(carry_h, j), load(carry_c, j));
                for l in 0..LANES {
                    let (i, f, g, o) = (gi[l], gf[l], gg[l], go[l]);
                    let tanh_c = cell[l].tanh();
                    let dh = above[l] + from_h[l];
                    let dc = (dh * o).mul_add(T::ONE - tanh_c * tanh_c, from_c[l]);
                    gi[l] = dc * g * (i * (T::ONE - i));
                    gf[l] = dc * cell_prev[l] * (f * (T::ONE - f));
                    gg[l] = dc * i * (T::ONE - g * g);
                    go[l] = dh * tanh_c * (o * (T::ONE - o));
                    from_c[l] = dc * f;
                }
                store(i, j, gi);
                store(f, j, gf);
                store(g, j, gg);
                store(o, j, go);
                store(carry_c, j, from_c);
                store(carry_h, j, [T::ZERO; LANES]);
            }
        }
    }
}
