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

use tensor::{LANES, Lanes, Scalar};

use super::{Backward, Bounds, Cell, Forward, Part, Signal, quarters};

pub(super) struct Gru;

impl Cell for Gru {
    const NAME: &'static str = "gru";
    const ABOUT: &'static str = "Gated recurrent unit (GRU)";
    const COLUMNS: usize = 4;
    // PyTorch stacks r, z, n; the block is n_x, r, z, n_h, so that each side's columns adjoin and
    // either is one product. The halves of the candidate stay apart, since the reset gate
    // multiplies only the recurrent one.
    const INPUT: &'static [Part] = &[Part::new(0..2, 1..3), Part::new(2..3, 0..1)];
    const RECURRENT: Option<&'static Part> = Some(&Part::new(0..3, 1..4));
    const BYPASS: bool = true;
    const SIGNALS: &'static [Signal] = &[
        Signal::gate("reset gate", 1, 0),
        Signal::gate("update gate", 2, 1),
        Signal::new("candidate", Bounds::Sign, 0, 2),
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
        let states = h.chunks_exact_mut(hidden).zip(h_prev.chunks_exact(hidden));
        for (gates, (h_row, h_prev)) in block.chunks_exact_mut(4 * hidden).zip(states) {
            let [a_n, a_r, a_z, n_h] = quarters(gates);
            for j in (0..hidden).step_by(LANES) {
                let r = Lanes::load(a_r, j).sigmoid();
                let z = Lanes::load(a_z, j).sigmoid();
                let n = r.mul_add(Lanes::load(n_h, j), Lanes::load(a_n, j)).tanh();
                // (1 - z) n + z h_prev, with one product.
                let h = z.mul_add(Lanes::load(h_prev, j) - n, n);
                n.store(a_n, j);
                r.store(a_r, j);
                z.store(a_z, j);
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
        let states = h_prev
            .chunks_exact(hidden)
            .zip(d_h.chunks_exact(hidden))
            .zip(carry_h.chunks_exact_mut(hidden));
        for (gates, ((h_prev, d_h), carry)) in block.chunks_exact_mut(4 * hidden).zip(states) {
            let [a_n, a_r, a_z, a_nh] = quarters(gates);
            for j in (0..hidden).step_by(LANES) {
                let (n, r, z) = (
                    Lanes::load(a_n, j),
                    Lanes::load(a_r, j),
                    Lanes::load(a_z, j),
                );
                let (n_h, h_prev) = (Lanes::load(a_nh, j), Lanes::load(h_prev, j));
                let dh = Lanes::load(d_h, j) + Lanes::load(carry, j);
                let dn_x = dh * (one - z) * (one - n * n);
                dn_x.store(a_n, j);
                (dn_x * n_h * (r * (one - r))).store(a_r, j);
                (dh * (h_prev - n) * (z * (one - z))).store(a_z, j);
                (dn_x * r).store(a_nh, j);
                (dh * z).store(carry, j);
            }
        }
    }
}
