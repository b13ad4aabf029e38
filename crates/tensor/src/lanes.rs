//! Blocks of elements that go through a formula together, one step at a time.
//!
//! A formula such as tanh is one long chain: each of its twenty-odd steps waits some four cycles
//! for the one before. A processor finds other work while it waits, but looks only so far ahead: a
//! hundred operations on a Zen 5, which is three or four vectors of a loop that finishes one vector
//! before it starts the next. Here each step is done for the whole block before the next one starts,
//! so what lies ahead is always work that waits for nothing (`cargo bench -- activation`: exp 6.1 to
//! 7.2, tanh 2.9 to 3.8, sigmoid 4.1 to 5.8 billion elements a second).

#![allow(clippy::needless_range_loop, reason = "l is a lane of several arrays")]

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::scalar::Scalar;

/// Elements in a block, the same on every instruction set: four registers of AVX-512, eight of AVX2.
///
/// Not fewer: the compiler unrolls shorter loops before it vectorises them, and then does it badly
/// (measured: a quarter of the speed with 32).
pub const LANES: usize = 64;

/// [`LANES`] elements with the arithmetic of one: write a formula once, and it runs on all of them.
///
/// For use inside a [`Kernel`](crate::Kernel): outside it has no vectors but the portable ones.
///
/// ```
/// use tensor::{LANES, Lanes};
///
/// let a = [0.5_f32; 100];
/// let mut h = [0.0; 100];
/// for at in (0..100).step_by(LANES) {
///     let a = Lanes::load(&a, at);
///     (a * a).tanh().store(&mut h, at);
/// }
/// assert!((h[99] - 0.25_f32.tanh()).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Lanes<T>(pub(crate) [T; LANES]);

impl<T: Scalar> Lanes<T> {
    /// The same value in every lane.
    #[inline(always)]
    pub fn splat(x: T) -> Self {
        Lanes([x; LANES])
    }

    /// The elements of `slice` from `at` on, filled up with zeros past its end.
    ///
    /// # Panics
    /// `at` past the end.
    #[inline(always)]
    pub fn load(slice: &[T], at: usize) -> Self {
        let rest = &slice[at..];
        if let Some(whole) = rest.first_chunk() {
            return Lanes(*whole);
        }
        let mut lanes = [T::ZERO; LANES];
        lanes[..rest.len()].copy_from_slice(rest);
        Lanes(lanes)
    }

    /// Puts as many lanes as there is room for into `slice` from `at` on.
    ///
    /// # Panics
    /// `at` past the end.
    #[inline(always)]
    pub fn store(self, slice: &mut [T], at: usize) {
        let rest = &mut slice[at..];
        if let Some(whole) = rest.first_chunk_mut() {
            *whole = self.0;
            return;
        }
        let len = rest.len();
        rest.copy_from_slice(&self.0[..len]);
    }

    /// `self * a + b` in every lane, rounded once.
    #[inline(always)]
    pub fn mul_add(self, a: Self, b: Self) -> Self {
        let mut out = [T::ZERO; LANES];
        for l in 0..LANES {
            out[l] = self.0[l].mul_add(a.0[l], b.0[l]);
        }
        Lanes(out)
    }

    /// [`Scalar::exp`] of every lane.
    #[inline(always)]
    pub fn exp(self) -> Self {
        T::exp_lanes(self)
    }

    /// [`Scalar::tanh`] of every lane.
    #[inline(always)]
    pub fn tanh(self) -> Self {
        T::tanh_lanes(self)
    }

    /// [`Scalar::sigmoid`] of every lane.
    #[inline(always)]
    pub fn sigmoid(self) -> Self {
        T::sigmoid_lanes(self)
    }

    /// A function of every lane. Inline the function.
    #[inline(always)]
    pub fn map(self, f: impl Fn(T) -> T) -> Self {
        let mut out = [T::ZERO; LANES];
        for l in 0..LANES {
            out[l] = f(self.0[l]);
        }
        Lanes(out)
    }

    /// A function of every lane and the same lane of `other`. Inline the function.
    #[inline(always)]
    pub fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        let mut out = [T::ZERO; LANES];
        for l in 0..LANES {
            out[l] = f(self.0[l], other.0[l]);
        }
        Lanes(out)
    }
}

/// Replaces each element by a function of it: whole blocks by `block`, what is left by `one`, which
/// must be the same function. For use inside a [`Kernel`](crate::Kernel), with closures that are marked
/// `#[inline(always)]`.
#[inline(always)]
pub fn map_in_place<T: Scalar>(
    x: &mut [T],
    block: impl Fn(Lanes<T>) -> Lanes<T>,
    one: impl Fn(T) -> T,
) {
    let (blocks, rest) = x.as_chunks_mut::<LANES>();
    for x in blocks {
        *x = block(Lanes(*x)).0;
    }
    for x in rest {
        *x = one(*x);
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl<T: Scalar> $trait for Lanes<T> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $op b)
            }
        }
    };
}

operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl<T: Scalar> Neg for Lanes<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|x| -x)
    }
}

/// One `f32` or a block of them: what a formula of `elementary.rs` is written in.
pub(crate) trait Floats:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    fn splat(x: f32) -> Self;
    fn mul_add(self, a: Self, b: Self) -> Self;
    fn map(self, f: impl Fn(f32) -> f32) -> Self;
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self;
}

impl Floats for f32 {
    #[inline(always)]
    fn splat(x: f32) -> f32 {
        x
    }
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32) -> f32 {
        f32::mul_add(self, a, b)
    }
    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> f32 {
        f(self)
    }
    #[inline(always)]
    fn zip(self, other: f32, f: impl Fn(f32, f32) -> f32) -> f32 {
        f(self, other)
    }
}

impl Floats for Lanes<f32> {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Lanes::splat(x)
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Lanes::mul_add(self, a, b)
    }
    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        Lanes::map(self, f)
    }
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Lanes::zip(self, other, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_past_the_end_is_filled_with_zeros_and_cut_off_again() {
        let from: Vec<f32> = (0..100_u8).map(f32::from).collect();
        let lanes = Lanes::load(&from, 60);
        assert_eq!(lanes.0[..40], from[60..]);
        assert_eq!(lanes.0[40..], [0.0; LANES - 40]);
        let mut to = [-1.0; 100];
        lanes.store(&mut to, 60);
        assert_eq!(to[60..], from[60..]);
        assert_eq!(to[..60], [-1.0; 60]);
    }

    #[test]
    fn a_block_has_the_bits_of_its_elements() {
        type Pair<T> = (fn(Lanes<T>) -> Lanes<T>, fn(T) -> T);
        fn check<T: Scalar>(bits: fn(T) -> u64) {
            let x: [T; LANES] = std::array::from_fn(|l| T::from_f64((l as f64 - 31.3) * 0.37));
            let functions: [Pair<T>; 5] = [
                (Lanes::exp, T::exp),
                (Lanes::tanh, T::tanh),
                (Lanes::sigmoid, T::sigmoid),
                (|x| -x / (x * x - x), |x| -x / (x * x - x)),
                (|x| (x + x).mul_add(x, x), |x| (x + x).mul_add(x, x)),
            ];
            for (block, one) in functions {
                let together = block(Lanes(x)).0.map(bits);
                assert_eq!(together, x.map(one).map(bits));
            }
        }
        check::<f32>(|x| x.to_bits().into());
        check::<f64>(f64::to_bits);
    }
}
