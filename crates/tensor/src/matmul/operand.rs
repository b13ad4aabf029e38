//! The operands of a product, as they lie in memory.

use crate::buffer::LINE;
use crate::view::MatrixView;

/// An operand: element (i, j) is `data[i * row_stride + j * col_stride]`, one stride being 1.
#[derive(Debug)]
pub struct Strided<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) row_stride: usize,
    pub(crate) col_stride: usize,
}

impl<T> Clone for Strided<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Strided<'_, T> {}

impl<'a, T> Strided<'a, T> {
    #[inline]
    pub(crate) fn new(x: MatrixView<'a, T>) -> Self {
        Strided {
            data: x.data(),
            rows: x.rows(),
            cols: x.cols(),
            row_stride: x.stride(),
            col_stride: 1,
        }
    }

    #[inline]
    pub(crate) fn transposed(x: MatrixView<'a, T>) -> Self {
        Strided::new(x).transpose()
    }

    /// The same memory, rows and columns exchanged.
    #[inline]
    pub(crate) fn transpose(self) -> Self {
        Strided {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// Bytes from one row to the next.
    #[inline]
    pub(crate) fn row_bytes(&self) -> usize {
        self.row_stride * size_of::<T>()
    }

    /// Whether each row starts with a cache line.
    #[inline]
    pub(crate) fn starts_lines(&self) -> bool {
        self.row_bytes().is_multiple_of(LINE) && self.data.as_ptr().align_offset(LINE) == 0
    }

    /// Some of the rows and some of the columns.
    #[inline]
    pub(crate) fn part(self, row: usize, rows: usize, col: usize, cols: usize) -> Self {
        let start = (row * self.row_stride + col * self.col_stride).min(self.data.len());
        Strided {
            data: &self.data[start..],
            rows,
            cols,
            ..self
        }
    }
}

/// Packed B: panels of `[depth][columns]`, see `cut.rs`.
#[derive(Debug)]
pub struct Packed<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) depth: usize,
    /// Whether a product of one row begins with the last panel.
    pub(crate) backward: bool,
}

impl<T> Clone for Packed<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Packed<'_, T> {}

impl<T> Packed<'_, T> {
    /// The panels from the one on that starts with this column.
    #[inline]
    pub(crate) fn from(self, column: usize) -> Self {
        Packed {
            data: &self.data[column * self.depth..],
            ..self
        }
    }
}
