//! Reductions along a row: fixed lanes and a fixed tree, so the same bits on every instruction set.
//!
//! A sum of floats depends on its order. Here lane l adds elements l, l + L, l + 2L, … and the L
//! lanes are then added in halves (l with l + L/2, then L/4, …). L is the same for every
//! instruction set: on AVX-512 the lanes are two registers, on AVX2 four, on NEON eight.
//!
//! All functions are inlined into the kernel that calls them, and so compiled for its instruction set.

use crate::scalar::Scalar;

/// Lanes of every reduction.
const LANES: usize = 32;

/// Lanes that are enough for a short row: the others would keep what they start from.
const FEW: usize = 8;

/// The largest element; NaN where any element is NaN; -inf for an empty slice.
#[inline(always)]
pub fn max<T: Scalar>(x: &[T]) -> T {
    let start = T::from_f64(f64::NEG_INFINITY);
    // `larger` lets a NaN through from either side, so it survives whichever lane it is in.
    fold(x, start, |acc, x| larger(acc, x), |a, b| larger(a, b))
}

#[inline(always)]
fn larger<T: Scalar>(a: T, b: T) -> T {
    let kept = if a > b { a } else { b };
    #[allow(clippy::eq_op, reason = "only NaN differs from itself")]
    if a != a { a } else { kept }
}

/// The sum, in the fixed order of this module.
#[inline(always)]
pub fn sum<T: Scalar>(x: &[T]) -> T {
    fold(x, T::ZERO, |acc, x| acc + x, |a, b| a + b)
}

/// The inner product, in the fixed order of this module.
///
/// # Panics
/// Lengths that differ.
#[inline(always)]
pub fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    assert_eq!(
        x.len(),
        y.len(),
        "dot product of slices of different lengths"
    );
    let mut acc = [T::ZERO; LANES];
    let (xs, x_tail) = x.as_chunks::<LANES>();
    let (ys, y_tail) = y.as_chunks::<LANES>();
    for (x, y) in xs.iter().zip(ys) {
        for l in 0..LANES {
            acc[l] = x[l].mul_add(y[l], acc[l]);
        }
    }
    for (acc, (x, y)) in acc.iter_mut().zip(x_tail.iter().zip(y_tail)) {
        *acc = x.mul_add(*y, *acc);
    }
    halve(acc, |a, b| a + b)
}

/// The sum in f64, whatever `T`.
#[inline(always)]
pub fn sum_f64<T: Scalar>(x: &[T]) -> f64 {
    fold(x, 0.0, |acc, x| acc + x.to_f64(), |a, b| a + b)
}

/// The sum of squares in f64, whatever `T`: a squared Euclidean norm.
#[inline(always)]
pub fn sum_squares_f64<T: Scalar>(x: &[T]) -> f64 {
    fold(
        x,
        0.0,
        |acc, x| x.to_f64().mul_add(x.to_f64(), acc),
        |a, b| a + b,
    )
}

/// The index of the largest element, the first of equals; NaN is passed over. 0 where there is
/// none.
#[inline(always)]
pub fn argmax<T: Scalar>(x: &[T]) -> usize {
    let mut best: Option<(usize, T)> = None;
    for (i, &x) in x.iter().enumerate() {
        #[allow(clippy::eq_op, reason = "only NaN differs from itself")]
        if x == x && best.is_none_or(|(_, value)| x > value) {
            best = Some((i, x));
        }
    }
    best.map_or(0, |(i, _)| i)
}

/// Every lane folds its elements, then the lanes fold together. Joined with `start`, what a lane has
/// stays what it is, so that the lanes beyond a row of up to [`FEW`] elements need not exist.
#[inline(always)]
fn fold<T: Scalar, A: Copy>(
    x: &[T],
    start: A,
    step: impl Fn(A, T) -> A,
    join: impl Fn(A, A) -> A,
) -> A {
    if x.len() <= FEW {
        let lane = |l: usize| x.get(l).map_or(start, |&x| step(start, x));
        return halve::<A, FEW>(std::array::from_fn(lane), join);
    }
    let mut acc = [start; LANES];
    let (chunks, tail) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            acc[l] = step(acc[l], chunk[l]);
        }
    }
    for (acc, &x) in acc.iter_mut().zip(tail) {
        *acc = step(*acc, x);
    }
    halve(acc, join)
}

/// Lane l takes in lane l + L/2, then l + L/4, … down to one.
#[inline(always)]
fn halve<A: Copy, const L: usize>(mut acc: [A; L], join: impl Fn(A, A) -> A) -> A {
    let mut width = L / 2;
    while width > 0 {
        for l in 0..width {
            acc[l] = join(acc[l], acc[l + width]);
        }
        width /= 2;
    }
    acc[0]
}
