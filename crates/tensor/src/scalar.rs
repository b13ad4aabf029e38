//! The two element types, `f32` and `f64`, behind one trait.

use std::fmt::{Debug, Display, LowerExp};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use bytemuck::Pod;

use crate::lanes::Lanes;
use crate::matmul::sealed::Sealed;
use crate::{elementary, elementary_f64};

/// An element of a matrix: `f32` or `f64`.
///
/// Every operation is one IEEE 754 operation, or a fixed sequence of them, so results do not
/// depend on the platform. The methods are inlined and, for `f32`, branch-free: a loop over a
/// slice inside a [`Kernel`](crate::Kernel) becomes vector code.
pub trait Scalar:
    Sealed
    + Pod
    + Copy
    + Default
    + PartialEq
    + PartialOrd
    + Debug
    + Display
    + LowerExp
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest value.
    fn from_f64(x: f64) -> Self;
    /// The same value.
    fn to_f64(self) -> f64;
    /// `self * a + b`, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// The square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// The larger of two; `other` where either is NaN.
    fn max(self, other: Self) -> Self;
    /// The smaller of two; `other` where either is NaN.
    fn min(self, other: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// e^x: within 1 ulp for `f32`, `libm`'s for `f64`.
    fn exp(self) -> Self;
    /// Hyperbolic tangent: within 2 ulp for `f32`, `libm`'s for `f64`.
    fn tanh(self) -> Self;
    /// 1 / (1 + e^-x): within 2 ulp for `f32`.
    fn sigmoid(self) -> Self;
    /// Natural logarithm, `libm`'s.
    fn ln(self) -> Self;

    /// See [`Lanes::exp`].
    #[doc(hidden)]
    fn exp_lanes(x: Lanes<Self>) -> Lanes<Self>;
    /// See [`Lanes::tanh`].
    #[doc(hidden)]
    fn tanh_lanes(x: Lanes<Self>) -> Lanes<Self>;
    /// See [`Lanes::sigmoid`].
    #[doc(hidden)]
    fn sigmoid_lanes(x: Lanes<Self>) -> Lanes<Self>;
}

macro_rules! scalar {
    (
        $type:ident,
        ln = $ln:path,
        exp = $exp:path,
        tanh = $tanh:path,
        sigmoid = $sigmoid:path,
        lanes = [$exp_lanes:expr, $tanh_lanes:expr, $sigmoid_lanes:expr]
    ) => {
        impl Scalar for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAME: &'static str = stringify!($type);

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $type::mul_add(self, a, b)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }
            // A comparison and a choice is one instruction; the standard `max` needs three to
            // treat NaN, and leaves open which zero it returns.
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other { self } else { other }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other { self } else { other }
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                $sigmoid(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
            }
            #[inline(always)]
            fn exp_lanes(x: Lanes<Self>) -> Lanes<Self> {
                $exp_lanes(x)
            }
            #[inline(always)]
            fn tanh_lanes(x: Lanes<Self>) -> Lanes<Self> {
                $tanh_lanes(x)
            }
            #[inline(always)]
            fn sigmoid_lanes(x: Lanes<Self>) -> Lanes<Self> {
                $sigmoid_lanes(x)
            }
        }
    };
}

scalar!(
    f32,
    ln = libm::logf,
    exp = elementary::exp,
    tanh = elementary::tanh,
    sigmoid = elementary::sigmoid,
    lanes = [elementary::exp, elementary::tanh, elementary::sigmoid]
);
scalar!(
    f64,
    ln = libm::log,
    exp = elementary_f64::exp,
    tanh = elementary_f64::tanh,
    sigmoid = elementary_f64::sigmoid,
    lanes = [
        |x: Lanes<f64>| x.map(elementary_f64::exp),
        |x: Lanes<f64>| x.map(elementary_f64::tanh),
        |x: Lanes<f64>| x.map(elementary_f64::sigmoid)
    ]
);
