//! Activations and their derivatives, in place and vectorised.
//!
//! Derivatives take the *output*, which the backward pass has at hand:
//! tanh' = 1 - h^2, sigmoid' = s (1 - s), and for y = softmax(x) with incoming gradient g
//! dx = y (g - <g, y>), for log-softmax dx = g - exp(y) sum(g).

use crate::isa::{Kernel, vectorize};
use crate::lanes::{Lanes, map_in_place};
use crate::reduce;
use crate::scalar::Scalar;
use crate::view::MatrixViewMut;

/// Replaces each element by a function of it: in blocks, and what is left of them one by one.
struct Map<'a, T, B, F>(&'a mut [T], B, F);

impl<T: Scalar, B: Fn(Lanes<T>) -> Lanes<T>, F: Fn(T) -> T> Kernel for Map<'_, T, B, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        map_in_place(self.0, self.1, self.2);
    }
}

/// x <- tanh(x).
pub fn tanh_in_place<T: Scalar>(x: &mut [T]) {
    vectorize(Map(
        x,
        #[inline(always)]
        |x: Lanes<T>| x.tanh(),
        #[inline(always)]
        |x: T| x.tanh(),
    ));
}

/// x <- 1 / (1 + e^-x).
pub fn sigmoid_in_place<T: Scalar>(x: &mut [T]) {
    vectorize(Map(
        x,
        #[inline(always)]
        |x: Lanes<T>| x.sigmoid(),
        #[inline(always)]
        |x: T| x.sigmoid(),
    ));
}

/// x <- e^x.
pub fn exp_in_place<T: Scalar>(x: &mut [T]) {
    vectorize(Map(
        x,
        #[inline(always)]
        |x: Lanes<T>| x.exp(),
        #[inline(always)]
        |x: T| x.exp(),
    ));
}

/// x <- max(x, 0); NaN becomes 0.
pub fn relu_in_place<T: Scalar>(x: &mut [T]) {
    let one = |x: T| x.max(T::ZERO);
    vectorize(Map(x, |x: Lanes<T>| x.map(one), one));
}

/// d tanh(x) / dx from h = tanh(x).
#[inline(always)]
pub fn tanh_derivative<T: Scalar>(h: T) -> T {
    (-h).mul_add(h, T::ONE)
}

/// d sigmoid(x) / dx from s = sigmoid(x).
#[inline(always)]
pub fn sigmoid_derivative<T: Scalar>(s: T) -> T {
    s * (T::ONE - s)
}

/// Multiplies each gradient by a function of the output beside it.
struct Chain<'a, T, F>(&'a [T], &'a mut [T], F);

impl<T: Scalar, F: Fn(T) -> T> Kernel for Chain<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (d, &y) in self.1.iter_mut().zip(self.0) {
            *d *= (self.2)(y);
        }
    }
}

/// gradient <- gradient * tanh'(x), from the outputs h = tanh(x).
///
/// # Panics
/// Lengths that differ.
#[track_caller]
pub fn tanh_backward<T: Scalar>(h: &[T], gradient: &mut [T]) {
    same_length(h, gradient);
    vectorize(Chain(
        h,
        gradient,
        #[inline(always)]
        |h: T| tanh_derivative(h),
    ));
}

/// gradient <- gradient * sigmoid'(x), from the outputs s = sigmoid(x).
///
/// # Panics
/// Lengths that differ.
#[track_caller]
pub fn sigmoid_backward<T: Scalar>(s: &[T], gradient: &mut [T]) {
    same_length(s, gradient);
    vectorize(Chain(
        s,
        gradient,
        #[inline(always)]
        |s: T| sigmoid_derivative(s),
    ));
}

/// gradient <- y (gradient - <gradient, y>), from the output y = softmax(x).
///
/// # Panics
/// Lengths that differ.
#[track_caller]
pub fn softmax_backward<T: Scalar>(y: &[T], gradient: &mut [T]) {
    struct Backward<'a, T>(&'a [T], &'a mut [T]);
    impl<T: Scalar> Kernel for Backward<'_, T> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            let inner = reduce::dot(self.0, self.1);
            for (d, &y) in self.1.iter_mut().zip(self.0) {
                *d = y * (*d - inner);
            }
        }
    }
    same_length(y, gradient);
    vectorize(Backward(y, gradient));
}

/// gradient <- gradient - e^y sum(gradient), from the output y = log_softmax(x).
///
/// # Panics
/// Lengths that differ.
#[track_caller]
pub fn log_softmax_backward<T: Scalar>(y: &[T], gradient: &mut [T]) {
    struct Backward<'a, T>(&'a [T], &'a mut [T]);
    impl<T: Scalar> Kernel for Backward<'_, T> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            let total = reduce::sum(self.1);
            for (d, &y) in self.1.iter_mut().zip(self.0) {
                *d = (-y.exp()).mul_add(total, *d);
            }
        }
    }
    same_length(y, gradient);
    vectorize(Backward(y, gradient));
}

/// x <- e^x / sum(e^x), the largest element subtracted first so that nothing overflows.
pub fn softmax_in_place<T: Scalar>(x: &mut [T]) {
    let cols = x.len();
    softmax_rows(MatrixViewMut::new(x, 1, cols));
}

/// x <- x - ln(sum(e^x)), the largest element subtracted first so that nothing overflows.
pub fn log_softmax_in_place<T: Scalar>(x: &mut [T]) {
    let cols = x.len();
    log_softmax_rows(MatrixViewMut::new(x, 1, cols));
}

/// [`softmax_in_place`] of every row.
pub fn softmax_rows<T: Scalar>(x: MatrixViewMut<'_, T>) {
    struct Rows<'a, T>(MatrixViewMut<'a, T>);
    impl<T: Scalar> Kernel for Rows<'_, T> {
        type Output = ();
        #[inline(always)]
        fn run(mut self) {
            for r in 0..self.0.rows() {
                let row = self.0.row_mut(r);
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
        }
    }
    vectorize(Rows(x));
}

/// [`log_softmax_in_place`] of every row.
pub fn log_softmax_rows<T: Scalar>(x: MatrixViewMut<'_, T>) {
    struct Rows<'a, T>(MatrixViewMut<'a, T>);
    impl<T: Scalar> Kernel for Rows<'_, T> {
        type Output = ();
        #[inline(always)]
        fn run(mut self) {
            for r in 0..self.0.rows() {
                let row = self.0.row_mut(r);
                let largest = reduce::max(row);
                let log_sum = reduce::sum_map(row, |x| (x - largest).exp()).ln();
                for x in row {
                    *x = (*x - largest) - log_sum;
                }
            }
        }
    }
    vectorize(Rows(x));
}

#[track_caller]
fn same_length<T>(output: &[T], gradient: &[T]) {
    assert_eq!(
        output.len(),
        gradient.len(),
        "output and gradient must have the same length"
    );
}
