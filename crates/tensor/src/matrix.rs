//! A matrix that owns its elements: row-major and contiguous.

use std::ops::{Index, IndexMut};

use crate::activation;
use crate::buffer::Buffer;
use crate::error::TensorError;
use crate::matmul;
use crate::reduce;
use crate::scalar::Scalar;
use crate::view::{MatrixView, MatrixViewMut};

/// A row-major, contiguous matrix: element (r, c) is number `r * cols + c`. The first one starts a
/// cache line.
///
/// ```
/// use tensor::Matrix;
///
/// let a = Matrix::from_fn(2, 3, |r, c| (10 * r + c) as f64);
/// assert_eq!(a.row(1), [10.0, 11.0, 12.0]);
/// assert_eq!(a.matmul(&a.transpose())[(0, 1)], 0.0 * 10.0 + 1.0 * 11.0 + 2.0 * 12.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix<T> {
    data: Buffer<T>,
    rows: usize,
    cols: usize,
}

impl<T: Scalar> Matrix<T> {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Matrix {
            data: Buffer::zeros(rows * cols),
            rows,
            cols,
        }
    }

    /// A matrix of zeros, or an error where the system has no memory for it.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`].
    pub fn try_zeros(rows: usize, cols: usize) -> Result<Self, TensorError> {
        Ok(Matrix {
            data: Buffer::try_zeros(rows.saturating_mul(cols))?,
            rows,
            cols,
        })
    }

    /// A matrix of `f(row, column)`.
    pub fn from_fn(rows: usize, cols: usize, mut f: impl FnMut(usize, usize) -> T) -> Self {
        let mut matrix = Matrix::zeros(rows, cols);
        for r in 0..rows {
            for (c, element) in matrix.row_mut(r).iter_mut().enumerate() {
                *element = f(r, c);
            }
        }
        matrix
    }

    /// A matrix of elements given row by row, which are copied to where a cache line starts.
    ///
    /// # Errors
    /// [`TensorError::Length`] unless there are `rows` x `cols` of them.
    pub fn from_vec(rows: usize, cols: usize, data: Vec<T>) -> Result<Self, TensorError> {
        if rows.checked_mul(cols) != Some(data.len()) {
            return Err(TensorError::Length {
                len: data.len(),
                rows,
                cols,
            });
        }
        Ok(Matrix {
            data: Buffer::from_slice(&data),
            rows,
            cols,
        })
    }

    /// A matrix of rows.
    ///
    /// # Errors
    /// [`TensorError::RaggedRows`] unless all rows have the same length.
    pub fn from_rows(rows: &[&[T]]) -> Result<Self, TensorError> {
        let cols = rows.first().map_or(0, |row| row.len());
        if let Some((row, found)) = rows.iter().enumerate().find(|(_, row)| row.len() != cols) {
            return Err(TensorError::RaggedRows {
                row,
                len: found.len(),
                expected: cols,
            });
        }
        let mut matrix = Matrix::zeros(rows.len(), cols);
        for (r, row) in rows.iter().enumerate() {
            matrix.row_mut(r).copy_from_slice(row);
        }
        Ok(matrix)
    }

    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[inline]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// (rows, columns).
    #[inline]
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// All elements, row by row.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// All elements, row by row, to write.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// All elements, row by row.
    pub fn into_vec(self) -> Vec<T> {
        self.data.into_vec()
    }

    /// One row.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    #[track_caller]
    pub fn row(&self, r: usize) -> &[T] {
        self.view().row(r)
    }

    /// One row, to write.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    #[track_caller]
    pub fn row_mut(&mut self, r: usize) -> &mut [T] {
        assert!(r < self.rows, "row {r} of a matrix of {} rows", self.rows);
        &mut self.data[r * self.cols..][..self.cols]
    }

    /// The whole, to read.
    #[inline]
    pub fn view(&self) -> MatrixView<'_, T> {
        MatrixView::new(&self.data, self.rows, self.cols)
    }

    /// The whole, to write.
    #[inline]
    pub fn view_mut(&mut self) -> MatrixViewMut<'_, T> {
        MatrixViewMut::new(&mut self.data, self.rows, self.cols)
    }

    /// The transpose, as a new matrix.
    pub fn transpose(&self) -> Self {
        Matrix::from_fn(self.cols, self.rows, |r, c| self.data[c * self.cols + r])
    }

    /// A B: `[m, k]` times `[k, n]`.
    ///
    /// # Panics
    /// Inner dimensions that differ.
    #[track_caller]
    pub fn matmul(&self, b: &Self) -> Self {
        let mut c = Matrix::zeros(self.rows, b.cols);
        matmul::matmul(self.view(), b.view(), c.view_mut());
        c
    }

    /// A^T B: `[k, m]` transposed times `[k, n]`.
    ///
    /// # Panics
    /// Inner dimensions that differ.
    #[track_caller]
    pub fn matmul_tn(&self, b: &Self) -> Self {
        let mut c = Matrix::zeros(self.cols, b.cols);
        matmul::matmul_tn(self.view(), b.view(), c.view_mut());
        c
    }

    /// A B^T: `[m, k]` times `[n, k]` transposed.
    ///
    /// # Panics
    /// Inner dimensions that differ.
    #[track_caller]
    pub fn matmul_nt(&self, b: &Self) -> Self {
        let mut c = Matrix::zeros(self.rows, b.rows);
        matmul::matmul_nt(self.view(), b.view(), c.view_mut());
        c
    }

    /// tanh of every element.
    #[must_use]
    pub fn tanh(mut self) -> Self {
        activation::tanh_in_place(&mut self.data);
        self
    }

    /// 1 / (1 + e^-x) of every element.
    #[must_use]
    pub fn sigmoid(mut self) -> Self {
        activation::sigmoid_in_place(&mut self.data);
        self
    }

    /// e^x of every element.
    #[must_use]
    pub fn exp(mut self) -> Self {
        activation::exp_in_place(&mut self.data);
        self
    }

    /// Each row as probabilities that add up to 1.
    #[must_use]
    pub fn softmax_rows(mut self) -> Self {
        activation::softmax_rows(self.view_mut());
        self
    }

    /// The sum of all elements, added in f64.
    pub fn sum(&self) -> f64 {
        reduce::sum_f64(&self.data)
    }

    /// The Frobenius norm, added in f64.
    pub fn norm(&self) -> f64 {
        reduce::sum_squares_f64(&self.data).sqrt()
    }

    /// The column of the largest element of a row, the first of equals.
    ///
    /// # Panics
    /// There is no such row.
    #[track_caller]
    pub fn argmax_row(&self, r: usize) -> usize {
        reduce::argmax(self.row(r))
    }
}

impl<T: Scalar> Index<(usize, usize)> for Matrix<T> {
    type Output = T;
    #[inline]
    #[track_caller]
    fn index(&self, (r, c): (usize, usize)) -> &T {
        inside(self, r, c);
        &self.data[r * self.cols + c]
    }
}

impl<T: Scalar> IndexMut<(usize, usize)> for Matrix<T> {
    #[inline]
    #[track_caller]
    fn index_mut(&mut self, (r, c): (usize, usize)) -> &mut T {
        inside(self, r, c);
        &mut self.data[r * self.cols + c]
    }
}

#[inline]
#[track_caller]
fn inside<T>(matrix: &Matrix<T>, r: usize, c: usize) {
    let Matrix { rows, cols, .. } = matrix;
    assert!(
        r < *rows && c < *cols,
        "element ({r}, {c}) of a matrix of {rows} x {cols}"
    );
}
