//! The minimal gated recurrent unit, minGRU (Feng 2024): neither its gate nor its candidate sees
//! the hidden state, so a layer has no recurrent weights.
//!
//! Forward, with the pre-activations stacked `z h` in the block:
//!
//! ```text
//! z  = sigmoid(a_z)
//! h~ = g(a_h)          g(a) = a + 1/2 where a >= 0, else sigmoid(a)
//! h  = (1 - z) * h_prev + z * h~
//! ```
//!
//! Backward, with `dh` the gradient that reaches `h` from above and from step `t+1`:
//!
//! ```text
//! da_z    = dh * (h~ - h_prev) * z (1 - z)
//! da_h    = dh * z * g'(a_h)             g'(a) = 1 where h~ >= 1/2, else h~ (1 - h~)
//! dh_prev = dh * (1 - z)
//! ```

use tensor::{LANES, Lanes, Scalar};

use super::{Backward, Bounds, Cell, Forward, Part, Signal};

pub(super) struct MinGru;

impl Cell for MinGru {
    const NAME: &'static str = "mingru";
    const ABOUT: &'static str = "Minimal gated recurrent unit (minGRU)";
    const COLUMNS: usize = 2;
    const INPUT: &'static [Part] = &[Part::new(0..2, 0..2)];
    const RECURRENT: Option<&'static Part> = None;
    const BYPASS: bool = true;
    // An average of candidates, which have no upper bound.
    const HIDDEN: Bounds = Bounds::None;
    const SIGNALS: &'static [Signal] = &[
        Signal::gate("update gate", 0, 0),
        Signal::new("candidate", Bounds::None, 1, 1),
    ];

    #[inline(always)]
    fn forward<T: Scalar>(step: Forward<'_, T>) {
        let Forward {
            block,
            h_prev,
            h,
            hidden,
            ..
        } = step;
        let half = T::from_f64(0.5);
        let states = h.chunks_exact_mut(hidden).zip(h_prev.chunks_exact(hidden));
        for (gates, (h_row, h_prev)) in block.chunks_exact_mut(2 * hidden).zip(states) {
            let (a_z, a_h) = gates.split_at_mut(hidden);
            for j in (0..hidden).step_by(LANES) {
                let z = Lanes::load(a_z, j).sigmoid();
                let a = Lanes::load(a_h, j);
                let below = a.sigmoid();
                let g = a.zip(
                    below,
                    |a, below| if a >= T::ZERO { a + half } else { below },
                );
                let h_prev = Lanes::load(h_prev, j);
                // (1 - z) h_prev + z h~, with one product.
                let h = z.mul_add(g - h_prev, h_prev);
                z.store(a_z, j);
                g.store(a_h, j);
                h.store(h_row, j);
            }
        }
    }

    #[inline(always)]
    fn backward<T: Scalar>(step: Backward<'_, T>) {
        let Backward {
            block,
            h_prev,
            d_h,
            carry_h,
            hidden,
            ..
        } = step;
        let one = Lanes::splat(T::ONE);
        let half = T::from_f64(0.5);
        let states = h_prev
            .chunks_exact(hidden)
            .zip(d_h.chunks_exact(hidden))
            .zip(carry_h.chunks_exact_mut(hidden));
        for (gates, ((h_prev, d_h), carry)) in block.chunks_exact_mut(2 * hidden).zip(states) {
            let (a_z, a_h) = gates.split_at_mut(hidden);
            for j in (0..hidden).step_by(LANES) {
                let (z, g) = (Lanes::load(a_z, j), Lanes::load(a_h, j));
                let h_prev = Lanes::load(h_prev, j);
                let dh = Lanes::load(d_h, j) + Lanes::load(carry, j);
                let slope = g.map(|g| if g >= half { T::ONE } else { g * (T::ONE - g) });
                (dh * (g - h_prev) * (z * (one - z))).store(a_z, j);
                (dh * z * slope).store(a_h, j);
                (dh * (one - z)).store(carry, j);
            }
        }
    }
}
