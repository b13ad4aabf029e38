//! Row arithmetic around the products: biases in, one-hot columns in and out, sums over rows.

use std::ops::Range;

use tensor::{MatrixView, MatrixViewMut, Scalar, vectorize};

use crate::vocabulary::Id;

/// Copies some columns of a batch's `[time, batch]` characters.
pub(crate) fn take_columns(all: &[Id], batch_size: usize, columns: Range<usize>, to: &mut [Id]) {
    if columns.len() == batch_size {
        return to[..all.len()].copy_from_slice(all);
    }
    let rows = all.chunks_exact(batch_size);
    for (to, row) in to.chunks_exact_mut(columns.len()).zip(rows) {
        to.copy_from_slice(&row[columns.clone()]);
    }
}

/// Sets every row of `block`, as wide as `bias`, to `bias`.
pub(crate) fn fill<T: Scalar>(block: &mut [T], bias: &[T]) {
    for row in block.chunks_exact_mut(bias.len()) {
        row.copy_from_slice(bias);
    }
}

/// Sets the rows of a matrix with `cols` columns to zero where `is_zero` says so.
pub(crate) fn zero<T: Scalar>(matrix: &mut [T], cols: usize, is_zero: impl Fn(usize) -> bool) {
    for (row, values) in matrix.chunks_exact_mut(cols).enumerate() {
        if is_zero(row) {
            values.fill(T::ZERO);
        }
    }
}

/// Adds to every row of `block` its character's row of `table`: `U x` for one-hot `x`.
pub(crate) fn gather_add<T: Scalar>(
    mut block: MatrixViewMut<'_, T>,
    inputs: &[Id],
    table: MatrixView<'_, T>,
) {
    vectorize(
        #[inline(always)]
        move || {
            for (row, &id) in inputs.iter().enumerate() {
                add(table.row(id as usize), block.row_mut(row));
            }
        },
    );
}

/// The reverse: adds every row of `d_a` to the row of its character, `da x^T` for one-hot `x`.
pub(crate) fn scatter_add<T: Scalar>(
    d_a: MatrixView<'_, T>,
    inputs: &[Id],
    mut d_table: MatrixViewMut<'_, T>,
) {
    vectorize(
        #[inline(always)]
        move || {
            for (row, &id) in inputs.iter().enumerate() {
                add(d_a.row(row), d_table.row_mut(id as usize));
            }
        },
    );
}

/// Adds every row of a matrix to `to`, from the first to the last.
pub(crate) fn sum<T: Scalar>(matrix: &[T], to: &mut [T]) {
    sum_steps(matrix, matrix.len(), to);
}

/// The same for a time-major matrix with `rows` rows a step: from the last step to the first, and within
/// a step from the first row to the last.
pub(crate) fn sum_back<T: Scalar>(matrix: &[T], rows: usize, to: &mut [T]) {
    sum_steps(matrix, rows * to.len(), to);
}

fn sum_steps<T: Scalar>(matrix: &[T], step: usize, to: &mut [T]) {
    vectorize(
        #[inline(always)]
        move || {
            for step in matrix.rchunks_exact(step.max(1)) {
                for row in step.chunks_exact(to.len()) {
                    add(row, to);
                }
            }
        },
    );
}

/// `to += from`, with full vectors inside a kernel.
#[inline(always)]
pub(crate) fn add<T: Scalar>(from: &[T], to: &mut [T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Sets a row of the block to the biases of the input side plus those of the recurrent side, each in the
/// columns of its side.
pub(crate) fn bias_row<T: Scalar>(
    row: &mut [T],
    sides: impl Iterator<Item = (Range<usize>, Range<usize>)>,
    bias_ih: &[T],
    recurrent: Range<usize>,
    bias_hh: &[T],
) {
    row.fill(T::ZERO);
    for (columns, gates) in sides {
        add(&bias_ih[gates], &mut row[columns]);
    }
    add(bias_hh, &mut row[recurrent]);
}
