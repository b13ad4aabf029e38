//! Element-wise arithmetic on matrices, in place and as operators.

use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

use crate::isa::vectorize;
use crate::matrix::Matrix;
use crate::scalar::Scalar;

impl<T: Scalar> Matrix<T> {
    /// Sets every element to `value`.
    pub fn fill(&mut self, value: T) {
        self.as_mut_slice().fill(value);
    }

    /// Multiplies every element by `factor`.
    pub fn scale(&mut self, factor: T) {
        self.map_in_place(|x| x * factor);
    }

    /// self <- self + factor * other, each element one fused multiply-add.
    ///
    /// # Panics
    /// Shapes that differ.
    #[track_caller]
    pub fn add_scaled(&mut self, other: &Self, factor: T) {
        self.zip(other, |x, y| y.mul_add(factor, x));
    }

    /// The Hadamard product: each element times its counterpart.
    ///
    /// # Panics
    /// Shapes that differ.
    #[track_caller]
    pub fn mul_assign_elements(&mut self, other: &Self) {
        self.zip(other, |x, y| x * y);
    }

    /// Replaces every element by a function of it. Inlined into vector code where `f` allows it.
    pub fn map_in_place(&mut self, f: impl Fn(T) -> T) {
        let elements = self.as_mut_slice();
        vectorize(
            #[inline(always)]
            move || {
                for x in elements.iter_mut() {
                    *x = f(*x);
                }
            },
        );
    }

    #[track_caller]
    fn zip(&mut self, other: &Self, f: impl Fn(T, T) -> T) {
        assert_eq!(
            self.shape(),
            other.shape(),
            "element-wise operation on different shapes"
        );
        let (xs, ys) = (self.as_mut_slice(), other.as_slice());
        vectorize(
            #[inline(always)]
            move || {
                for (x, &y) in xs.iter_mut().zip(ys) {
                    *x = f(*x, y);
                }
            },
        );
    }
}

impl<T: Scalar> AddAssign<&Matrix<T>> for Matrix<T> {
    #[track_caller]
    fn add_assign(&mut self, other: &Matrix<T>) {
        self.zip(other, |x, y| x + y);
    }
}

impl<T: Scalar> SubAssign<&Matrix<T>> for Matrix<T> {
    #[track_caller]
    fn sub_assign(&mut self, other: &Matrix<T>) {
        self.zip(other, |x, y| x - y);
    }
}

impl<T: Scalar> Add for &Matrix<T> {
    type Output = Matrix<T>;
    #[track_caller]
    fn add(self, other: &Matrix<T>) -> Matrix<T> {
        let mut sum = self.clone();
        sum += other;
        sum
    }
}

impl<T: Scalar> Sub for &Matrix<T> {
    type Output = Matrix<T>;
    #[track_caller]
    fn sub(self, other: &Matrix<T>) -> Matrix<T> {
        let mut difference = self.clone();
        difference -= other;
        difference
    }
}

impl<T: Scalar> Mul<T> for &Matrix<T> {
    type Output = Matrix<T>;
    fn mul(self, factor: T) -> Matrix<T> {
        let mut product = self.clone();
        product.scale(factor);
        product
    }
}
