//! Matrix products.

mod cut;
mod driver;
mod kernel;
mod loops;
mod operand;
mod pack;
mod packed;
pub(crate) mod sealed;
mod shape;

pub use packed::PackedMatrix;
pub(crate) use shape::Levels;

use crate::isa::Path;
use crate::scalar::Scalar;
use crate::view::{MatrixView, MatrixViewMut};
use driver::Rhs;
use operand::Strided;

/// C = A B: `[m, k]` times `[k, n]` gives `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul<T: Scalar>(a: MatrixView<'_, T>, b: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
    product("A B", Strided::new(a), Strided::new(b), c, false);
}

/// C += A B: `[m, k]` times `[k, n]` added to `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_acc<T: Scalar>(a: MatrixView<'_, T>, b: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
    product("A B", Strided::new(a), Strided::new(b), c, true);
}

/// C = A^T B: `[k, m]` transposed times `[k, n]` gives `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_tn<T: Scalar>(a: MatrixView<'_, T>, b: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
    product("A^T B", Strided::transposed(a), Strided::new(b), c, false);
}

/// C += A^T B: `[k, m]` transposed times `[k, n]` added to `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_tn_acc<T: Scalar>(
    a: MatrixView<'_, T>,
    b: MatrixView<'_, T>,
    c: MatrixViewMut<'_, T>,
) {
    product("A^T B", Strided::transposed(a), Strided::new(b), c, true);
}

/// C = A B^T: `[m, k]` times `[n, k]` transposed gives `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_nt<T: Scalar>(a: MatrixView<'_, T>, b: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
    product("A B^T", Strided::new(a), Strided::transposed(b), c, false);
}

/// C += A B^T: `[m, k]` times `[n, k]` transposed added to `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_nt_acc<T: Scalar>(
    a: MatrixView<'_, T>,
    b: MatrixView<'_, T>,
    c: MatrixViewMut<'_, T>,
) {
    product("A B^T", Strided::new(a), Strided::transposed(b), c, true);
}

#[track_caller]
fn product<T: Scalar>(
    name: &str,
    a: Strided<'_, T>,
    b: Strided<'_, T>,
    c: MatrixViewMut<'_, T>,
    accumulate: bool,
) {
    if a.cols != b.rows || (a.rows, b.cols) != (c.rows(), c.cols()) {
        misfit(
            name,
            (a.rows, a.cols),
            (b.rows, b.cols),
            (c.rows(), c.cols()),
        );
    }
    T::product(Path::active(), a, Rhs::Plain(b), c, accumulate);
}

/// Shapes as [m, k] x [k, n] -> [m, n], transposition already applied.
#[cold]
#[track_caller]
fn misfit(name: &str, a: (usize, usize), b: (usize, usize), c: (usize, usize)) -> ! {
    panic!(
        "shapes do not fit in C = {name}: {} x {} times {} x {} into {} x {}",
        a.0, a.1, b.0, b.1, c.0, c.1
    );
}
