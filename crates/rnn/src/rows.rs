//! Row arithmetic around the products: biases in, one-hot columns in and out, sums over rows.

use std::ops::Range;

use tensor::{Kernel, MatrixView, MatrixViewMut, Scalar, vectorize};

use crate::vocabulary::Id;

/// Sets every row of `block`, as wide as `bias`, to `bias`.
pub(crate) fn fill<T: Scalar>(block: &mut [T], bias: &[T]) {
    for row in block.chunks_exact_mut(bias.len()) {
        row.copy_from_slice(bias);
    }
}

/// Adds to every row of `block` its character's row of
/// `table`: `U x` for one-hot `x`.
pub(crate) fn gather<T: Scalar>(
    mut block: MatrixViewMut<'_, T>,
    inputs: &[Id],
    table: MatrixView<'_, T>,
) {
    for (row, &id) in inputs.iter().enumerate() {
        vectorize(Add {
            from: table.row(id as usize),
            to: block.row_mut(row),
        });
    }
}

/// The reverse: adds every row of `d_a` to the row of its character, `da x^T` for one-hot `x`.
pub(crate) fn scatter<T: Scalar>(
    d_a: MatrixView<'_, T>,
    inputs: &[Id],
    mut d_table: MatrixViewMut<'_, T>,
) {
    for (row, &id) in inputs.iter().enumerate() {
        vectorize(Add {
            from: d_a.row(row),
            to: d_table.row_mut(id as usize),
        });
    }
}

/// Adds every row of a matrix as wide as `to` to `to`, from the first to the last.
pub(crate) fn sum<T: Scalar>(matrix: &[T], to: &mut [T]) {
    for row in matrix.chunks_exact(to.len()) {
        vectorize(Add { from: row, to });
    }
}

/// `to += from`
pub(crate) fn add<T: Scalar>(from: &[T], to: &mut [T]) {
    vectorize(Add { from, to });
}

struct Add<'a, T> {
    from: &'a [T],
    to: &'a mut [T],
}

impl<T: Scalar> Kernel for Add<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to += from;
        }
    }
}

/// A row of the block with nothing but biases: those of the input side in its columns, those of
/// the recurrent side in its own, added up where the two share columns.
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
