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

use tensor::{LANES, Lanes, Scalar};

use super::{Backward, Bounds, Cell, Forward, Part, Signal, quarters};

const ALL: Part = Part::new(0..4, 0..4);

pub(super) struct Lstm;

impl Cell for Lstm {
    const NAME: &'static str = "lstm";
    const ABOUT: &'static str = "Long short-term memory (LSTM)";
    const COLUMNS: usize = 4;
    const INPUT: &'static [Part] = &[ALL];
    const RECURRENT: Option<&'static Part> = Some(&ALL);
    const MEMORY: bool = true;
    const FORGET_GATE: Option<usize> = Some(1);
    const OUTPUT_GATE: Option<usize> = Some(3);
    const SIGNALS: &'static [Signal] = &[
        Signal::gate("input gate", 0, 0),
        Signal::gate("forget gate", 1, 1),
        Signal::gate("output gate", 3, 3),
        Signal::new("candidate", Bounds::Sign, 2, 2),
    ];

    #[inline(always)]
    fn forward<T: Scalar>(step: Forward<'_, T>) {
        let Forward {
            block,
            h,
            c_prev,
            c,
            hidden,
            ..
        } = step;
        let states = h
            .chunks_exact_mut(hidden)
            .zip(c.chunks_exact_mut(hidden))
            .zip(c_prev.chunks_exact(hidden));
        for (gates, ((h_row, c_row), c_prev)) in block.chunks_exact_mut(4 * hidden).zip(states) {
            let [a_i, a_f, a_g, a_o] = quarters(gates);
            for j in (0..hidden).step_by(LANES) {
                let i = Lanes::load(a_i, j).sigmoid();
                let f = Lanes::load(a_f, j).sigmoid();
                let g = Lanes::load(a_g, j).tanh();
                let o = Lanes::load(a_o, j).sigmoid();
                let c = f.mul_add(Lanes::load(c_prev, j), i * g);
                let h = o * c.tanh();
                i.store(a_i, j);
                f.store(a_f, j);
                g.store(a_g, j);
                o.store(a_o, j);
                c.store(c_row, j);
                h.store(h_row, j);
            }
        }
    }

    #[inline(always)]
    fn backward<T: Scalar>(step: Backward<'_, T>) {
        let Backward {
            block,
            c_prev,
            c,
            d_h,
            carry_h,
            carry_c,
            hidden,
            ..
        } = step;
        let one = Lanes::splat(T::ONE);
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
            let [a_i, a_f, a_g, a_o] = quarters(gates);
            for j in (0..hidden).step_by(LANES) {
                let (i, f) = (Lanes::load(a_i, j), Lanes::load(a_f, j));
                let (g, o) = (Lanes::load(a_g, j), Lanes::load(a_o, j));
                let tanh_c = Lanes::load(c, j).tanh();
                let dh = Lanes::load(d_h, j) + Lanes::load(carry_h, j);
                let dc = (dh * o).mul_add(one - tanh_c * tanh_c, Lanes::load(carry_c, j));
                (dc * g * (i * (one - i))).store(a_i, j);
                (dc * Lanes::load(c_prev, j) * (f * (one - f))).store(a_f, j);
                (dc * i * (one - g * g)).store(a_g, j);
                (dh * tanh_c * (o * (one - o))).store(a_o, j);
                (dc * f).store(carry_c, j);
                Lanes::splat(T::ZERO).store(carry_h, j);
            }
        }
    }
}
