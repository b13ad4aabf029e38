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
            for j in 0..hidden {
                i[j] = i[j].sigmoid();
                f[j] = f[j].sigmoid();
                g[j] = g[j].tanh();
                o[j] = o[j].sigmoid();
                c[j] = f[j].mul_add(c_prev[j], i[j] * g[j]);
                h[j] = o[j] * c[j].tanh();
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
            for j in 0..hidden {
                let (gate_i, gate_f, gate_g, gate_o) = (i[j], f[j], g[j], o[j]);
                let tanh_c = c[j].tanh();
                let dh = d_h[j] + carry_h[j];
                let dc = (dh * gate_o).mul_add(T::ONE - tanh_c * tanh_c, carry_c[j]);
                i[j] = dc * gate_g * (gate_i * (T::ONE - gate_i));
                f[j] = dc * c_prev[j] * (gate_f * (T::ONE - gate_f));
                g[j] = dc * gate_i * (T::ONE - gate_g * gate_g);
                o[j] = dh * tanh_c * (gate_o * (T::ONE - gate_o));
                carry_c[j] = dc * gate_f;
                carry_h[j] = T::ZERO;
            }
        }
    }
}

/// The four gates of one row.
#[inline(always)]
pub(super) fn quarters<T>(row: &mut [T]) -> [&mut [T]; 4] {
    let hidden = row.len() / 4;
    let (first, rest) = row.split_at_mut(hidden);
    let (second, rest) = rest.split_at_mut(hidden);
    let (third, fourth) = rest.split_at_mut(hidden);
    [first, second, third, &mut fourth[..hidden]]
}
