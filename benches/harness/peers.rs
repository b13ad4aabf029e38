//! The products of other crates behind one signature.

use tensor::{Matrix, Scalar};

/// C = A B, C row-major, on so many threads.
pub(crate) type Product<T> = fn(Operand<'_, T>, Operand<'_, T>, &mut [T], usize);

/// A matrix as the peers take it: element (i, j) at `i * row_stride + j * col_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T: Scalar> Operand<'a, T> {
    /// A matrix, or its transpose.
    pub(crate) fn of(x: &'a Matrix<T>, transposed: bool) -> Self {
        let (rows, cols) = x.shape();
        let data = x.as_slice();
        if transposed {
            Operand {
                data,
                rows: cols,
                cols: rows,
                row_stride: 1,
                col_stride: cols,
            }
        } else {
            Operand {
                data,
                rows,
                cols,
                row_stride: cols,
                col_stride: 1,
            }
        }
    }
}

macro_rules! matrixmultiply {
    ($name:ident, $type:ident, $function:ident) => {
        /// `matrixmultiply`, on one thread.
        pub(crate) fn $name(
            a: Operand<'_, $type>,
            b: Operand<'_, $type>,
            c: &mut [$type],
            _threads: usize,
        ) {
            let (m, k, n) = (a.rows, a.cols, b.cols);
            assert_eq!(c.len(), m * n);
            // SAFETY: the operands' slices hold rows x cols elements at these strides, as `of`
            // made them from matrices of that shape, and C was just checked to hold m x n.
            unsafe {
                matrixmultiply::$function(
                    m,
                    k,
                    n,
                    1.0,
                    a.data.as_ptr(),
                    a.row_stride as isize,
                    a.col_stride as isize,
                    b.data.as_ptr(),
                    b.row_stride as isize,
                    b.col_stride as isize,
                    0.0,
                    c.as_mut_ptr(),
                    n as isize,
                    1,
                );
            }
        }
    };
}
matrixmultiply!(matrixmultiply_f32, f32, sgemm);
matrixmultiply!(matrixmultiply_f64, f64, dgemm);

/// `gemm`.
pub(crate) fn gemm<T: Scalar>(a: Operand<'_, T>, b: Operand<'_, T>, c: &mut [T], threads: usize) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    assert_eq!(c.len(), m * n);
    let parallelism = if threads == 1 {
        gemm::Parallelism::None
    } else {
        gemm::Parallelism::Rayon(threads)
    };
    // SAFETY: the operands' slices hold rows x cols elements at these strides, as `of` made them
    // from matrices of that shape, and C was just checked to hold m x n.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// `faer`.
pub(crate) fn faer<T: Scalar + faer::traits::ComplexField>(
    a: Operand<'_, T>,
    b: Operand<'_, T>,
    c: &mut [T],
    threads: usize,
) {
    fn view<T>(x: Operand<'_, T>) -> faer::MatRef<'_, T> {
        if x.col_stride == 1 {
            faer::MatRef::from_row_major_slice(x.data, x.rows, x.cols)
        } else {
            faer::MatRef::from_column_major_slice(x.data, x.rows, x.cols)
        }
    }
    let parallelism = if threads == 1 {
        faer::Par::Seq
    } else {
        faer::Par::rayon(threads)
    };
    let c = faer::MatMut::from_row_major_slice_mut(c, a.rows, b.cols);
    let one = <T as Scalar>::ONE;
    faer::linalg::matmul::matmul(c, faer::Accum::Replace, view(a), view(b), one, parallelism);
}
