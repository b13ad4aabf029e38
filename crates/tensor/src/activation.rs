//! exp, tanh, sigmoid and softmax, in place and vectorised.

use crate::isa::vectorize;
use crate::lanes::{Lanes, map_in_place};
use crate::reduce;
use crate::scalar::Scalar;
use crate::view::MatrixViewMut;

macro_rules! in_place {
    ($(#[$doc:meta] $name:ident: $function:ident;)*) => {$(
        #[$doc]
        pub fn $name<T: Scalar>(x: &mut [T]) {
            vectorize(
                #[inline(always)]
                move || {
                    map_in_place(
                        x,
                        #[inline(always)]
                        |x| x.$function(),
                        #[inline(always)]
                        |x| x.$function(),
                    );
                },
            );
        }
    )*};
}

in_place! {
    /// x <- e^x.
    exp_in_place: exp;
    /// x <- tanh(x).
    tanh_in_place: tanh;
    /// x <- 1 / (1 + e^-x).
    sigmoid_in_place: sigmoid;
}

/// x <- e^x / sum(e^x), the largest element subtracted first so that nothing overflows.
pub fn softmax_in_place<T: Scalar>(x: &mut [T]) {
    let cols = x.len();
    softmax_rows(MatrixViewMut::new(x, 1, cols));
}

/// [`softmax_in_place`] of every row.
pub fn softmax_rows<T: Scalar>(mut x: MatrixViewMut<'_, T>) {
    vectorize(
        #[inline(always)]
        move || {
            for r in 0..x.rows() {
                let row = x.row_mut(r);
                let largest = reduce::max(row);
                let all = Lanes::splat(largest);
                map_in_place(
                    row,
                    #[inline(always)]
                    |x| (x - all).exp(),
                    #[inline(always)]
                    |x| (x - largest).exp(),
                );
                let scale = T::ONE / reduce::sum(row);
                for x in row {
                    *x *= scale;
                }
            }
        },
    );
}
