//! Row arithmetic around the products: biases in, one-hot columns in and out, sums over rows.

use std::ops::Range;

use tensor::{MatrixView, MatrixViewMut, Scalar, vectorize};

use crate::vocabulary::Id;

/// Copies some columns of a batch's `[time, batch]` characters.
pub(crate) fn take_columns(all: &[Id], batch_size: usize, columns: &Range<usize>, to: &mut [Id]) {
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

/// The reverse: adds every row of `d_a` to the row of its character, `da x^T` for one-hot `x`. `d_table`
/// has a row for each of the characters `ids`.
pub(crate) fn scatter_add<T: Scalar>(
    d_a: MatrixView<'_, T>,
    inputs: &[Id],
    ids: &Range<usize>,
    mut d_table: MatrixViewMut<'_, T>,
) {
    vectorize(
        #[inline(always)]
        move || {
            for (row, &id) in inputs.iter().enumerate() {
                if ids.contains(&(id as usize)) {
                    add(d_a.row(row), d_table.row_mut(id as usize - ids.start));
                }
            }
        },
    );
}

/// Adds every row of a matrix to `to`, from the first to the last.
pub(crate) fn sum<T: Scalar>(matrix: &[T], to: &mut [T]) {
    sum_each(matrix, usize::MAX, to.len(), to);
}

/// Adds every `count` rows of a matrix with `cols` columns to a row of `to`.
pub(crate) fn sum_each<T: Scalar>(matrix: &[T], count: usize, cols: usize, to: &mut [T]) {
    vectorize(
        #[inline(always)]
        move || {
            let parts = matrix.chunks(count.saturating_mul(cols));
            for (rows, to) in parts.zip(to.chunks_exact_mut(cols)) {
                for row in rows.chunks_exact(cols) {
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
