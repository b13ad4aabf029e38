//! A few rows times the transpose of a large B: C^T = B A^T instead.
//!
//! A product has to transpose its right operand where that lies the other way round. Of C = A B^T that
//! is all of B, and for few rows of C it costs as much as the product. Of C^T = B A^T it is A, which is
//! smaller; and B then is the left operand, which is read where it is. Each element of C is the same
//! chain, with the factors of each product exchanged.

use super::cut::Even;
use super::driver::Rhs;
use super::loops::{EDGE_LEN, MC, MOST_COLUMNS, five_loops};
use super::operand::Strided;
use super::pack::Transpose;
use super::sealed::Operand;
use super::shape::Shape;
use crate::scalar::Scalar;
use crate::view::MatrixViewMut;

/// Whether A and B lie so that this pays: C^T then is one panel wide and lower than it is wide.
pub(crate) fn pays<T>(a: Strided<'_, T>, b: Strided<'_, T>) -> bool {
    a.col_stride == 1 && b.col_stride != 1 && a.rows <= MOST_COLUMNS && a.rows < b.cols
}

/// C = A B, or C += A B, through the transpose of C, some of its rows at a time.
pub(crate) fn flipped<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Strided<'_, T>,
    mut c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (m, k) = (a.rows, a.cols);
    let mut buffer = T::take_buffer(Operand::C);
    let flipped = buffer.grown(EDGE_LEN);
    let c_row = c.stride();
    let c = c.data_mut();
    for columns in Even::new(b.cols, MC).pieces() {
        let (start, columns) = (columns.start, columns.len());
        let block = &mut flipped[..columns * m];
        if add {
            level.run(Transpose {
                from: &c[start..],
                from_row: c_row,
                rows: m,
                depth: columns,
                to: &mut *block,
                to_row: m,
            });
        }
        let left = b.part(0, k, start, columns).transpose();
        let right = Rhs::Plain(a.transpose());
        five_loops(
            level,
            left,
            right,
            MatrixViewMut::new(&mut *block, columns, m),
            add,
        );
        level.run(Transpose {
            from: block,
            from_row: m,
            rows: columns,
            depth: m,
            to: &mut c[start..],
            to_row: c_row,
        });
    }
    T::put_buffer(Operand::C, buffer);
}
