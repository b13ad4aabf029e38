//! B packed once and multiplied many times.

use std::sync::atomic::{AtomicBool, Ordering};

use super::driver::Rhs;
use super::operand::{Packed, Strided};
use crate::buffer::Buffer;
use crate::error::TensorError;
use crate::isa::Isa;
use crate::scalar::Scalar;
use crate::view::{MatrixView, MatrixViewMut};

/// The right operand of a product, packed for the instruction set in use.
///
/// A recurrent step multiplies by the same weights at every time: packing them once saves most of
/// what a small product costs, and a product with one row then runs at the speed at which the
/// weights come out of the cache.
///
/// ```
/// use tensor::{Matrix, PackedMatrix};
///
/// let w = Matrix::from_fn(3, 5, |r, c| (r + c) as f32); // [in 3, out 5]
/// let packed = PackedMatrix::from_view(w.view());
/// let x = Matrix::from_fn(2, 3, |r, c| (r * c) as f32);
/// let mut y = Matrix::zeros(2, 5);
/// packed.matmul(x.view(), y.view_mut());
/// assert_eq!(y, x.matmul(&w));
/// ```
#[derive(Debug)]
pub struct PackedMatrix<T> {
    data: Buffer<T>,
    k: usize,
    n: usize,
    isa: Isa,
    /// Which way the next product of one row goes through the panels: every other one backward. Weights
    /// too large for a cache are then met first where they were used last, while the end of them is
    /// still there; always forward, each part is gone by the time it is needed again. The order of
    /// panels is no order of operations within an element.
    backward: AtomicBool,
}

impl<T: Scalar> PackedMatrix<T> {
    /// A packed matrix of zeros, `[k, n]`.
    pub fn new(k: usize, n: usize) -> Self {
        Self::of(Buffer::zeros(Self::padded_len(k, n)), k, n)
    }

    /// As [`new`](Self::new), or an error where the system has no memory for it.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`], or [`TensorError::Isa`].
    pub fn try_new(k: usize, n: usize) -> Result<Self, TensorError> {
        Isa::try_active()?;
        Ok(Self::of(Buffer::try_zeros(Self::padded_len(k, n))?, k, n))
    }

    /// Elements that a packed matrix of `[k, n]` holds: columns fill whole vectors.
    pub fn padded_len(k: usize, n: usize) -> usize {
        // A length is no reason to panic: where `TENSOR_ISA` is wrong, there will be no matrix.
        let lanes = T::lanes(Isa::try_active().unwrap_or(Isa::PORTABLE));
        n.div_ceil(lanes).saturating_mul(lanes).saturating_mul(k)
    }

    fn of(data: Buffer<T>, k: usize, n: usize) -> Self {
        PackedMatrix {
            data,
            k,
            n,
            isa: Isa::active(),
            backward: AtomicBool::new(false),
        }
    }

    /// Packs `[k, n]`.
    pub fn from_view(b: MatrixView<'_, T>) -> Self {
        let mut packed = PackedMatrix::new(b.rows(), b.cols());
        packed.pack(b);
        packed
    }

    /// Packs the transpose of `[n, k]`.
    pub fn from_transposed(b_t: MatrixView<'_, T>) -> Self {
        let mut packed = PackedMatrix::new(b_t.cols(), b_t.rows());
        packed.pack_transposed(b_t);
        packed
    }

    /// Packs `[k, n]` over what was there; allocates nothing.
    ///
    /// # Panics
    /// A shape other than that of this matrix.
    #[track_caller]
    pub fn pack(&mut self, b: MatrixView<'_, T>) {
        self.pack_strided(Strided::new(b));
    }

    /// Packs the transpose of `[n, k]` over what was there; allocates nothing.
    ///
    /// # Panics
    /// A shape other than that of this matrix, transposed.
    #[track_caller]
    pub fn pack_transposed(&mut self, b_t: MatrixView<'_, T>) {
        self.pack_strided(Strided::transposed(b_t));
    }

    #[track_caller]
    fn pack_strided(&mut self, b: Strided<'_, T>) {
        let (k, n) = (self.k, self.n);
        assert!(
            (b.rows, b.cols) == (k, n),
            "packing {} x {} into a packed matrix of {k} x {n}",
            b.rows,
            b.cols
        );
        T::pack(self.isa, b, &mut self.data);
    }

    /// Number of rows, the inner dimension of the product.
    #[inline]
    pub fn k(&self) -> usize {
        self.k
    }

    /// Number of columns.
    #[inline]
    pub fn n(&self) -> usize {
        self.n
    }

    /// C = A B, `[m, k]` times this `[k, n]`.
    ///
    /// # Panics
    /// Shapes that do not fit.
    #[track_caller]
    pub fn matmul(&self, a: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
        self.product(a, c, false);
    }

    /// C += A B, `[m, k]` times this `[k, n]`.
    ///
    /// # Panics
    /// Shapes that do not fit.
    #[track_caller]
    pub fn matmul_acc(&self, a: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
        self.product(a, c, true);
    }

    #[track_caller]
    fn product(&self, a: MatrixView<'_, T>, c: MatrixViewMut<'_, T>, add: bool) {
        let (k, n) = (self.k, self.n);
        if a.cols() != k || (a.rows(), n) != (c.rows(), c.cols()) {
            super::misfit(
                "A B (packed)",
                (a.rows(), a.cols()),
                (k, n),
                (c.rows(), c.cols()),
            );
        }
        let panels = Packed {
            data: &self.data,
            depth: k,
            backward: a.rows() == 1 && self.turn(),
        };
        T::product(self.isa, Strided::new(a), Rhs::Packed(panels), c, add);
    }

    /// Which way to go, and the other way next time. Two threads at once may go the same way: that
    /// costs less than an exchange, which would take longer than a small product.
    fn turn(&self) -> bool {
        let backward = self.backward.load(Ordering::Relaxed);
        self.backward.store(!backward, Ordering::Relaxed);
        backward
    }
}

impl<T: Scalar> Clone for PackedMatrix<T> {
    fn clone(&self) -> Self {
        PackedMatrix {
            data: self.data.clone(),
            backward: AtomicBool::new(false),
            ..*self
        }
    }
}
