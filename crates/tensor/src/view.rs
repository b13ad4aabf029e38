//! Borrowed matrices: row-major parts of somebody's memory, with a row stride.
//!
//! Element (r, c) is at `data[r * stride + c]`, `stride >= cols`, so a range of rows and a range of
//! columns are views too. Elements between the end of one row and the start of the next belong to
//! somebody else and are never touched.

use std::ops::Range;

/// A matrix to read.
#[derive(Debug)]
pub struct MatrixView<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    stride: usize,
}

/// A matrix to write.
#[derive(Debug)]
pub struct MatrixViewMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    cols: usize,
    stride: usize,
}

/// Elements from the first of the first row to the last of the last.
#[inline]
fn extent(rows: usize, cols: usize, stride: usize) -> usize {
    if rows == 0 || cols == 0 {
        0
    } else {
        (rows - 1).saturating_mul(stride).saturating_add(cols)
    }
}

#[inline]
#[track_caller]
fn check(len: usize, rows: usize, cols: usize, stride: usize) {
    let fits = stride >= cols && extent(rows, cols, stride) <= len;
    assert!(
        fits,
        "a view of {rows} x {cols} with row stride {stride} does not fit {len} elements"
    );
}

#[inline]
#[track_caller]
fn check_range(range: &Range<usize>, end: usize, what: &str) {
    let inside = range.start <= range.end && range.end <= end;
    assert!(inside, "{what} range {range:?} is outside 0..{end}");
}

impl<T> Clone for MatrixView<'_, T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for MatrixView<'_, T> {}

impl<'a, T> MatrixView<'a, T> {
    /// A view of `rows` x `cols` contiguous elements.
    ///
    /// # Panics
    /// `data` is shorter than that.
    #[inline]
    #[track_caller]
    pub fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::with_stride(data, rows, cols, cols)
    }

    /// A view whose rows start `stride` elements apart.
    ///
    /// # Panics
    /// `stride < cols`, or `data` is too short.
    #[inline]
    #[track_caller]
    pub fn with_stride(data: &'a [T], rows: usize, cols: usize, stride: usize) -> Self {
        check(data.len(), rows, cols, stride);
        MatrixView {
            data,
            rows,
            cols,
            stride,
        }
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

    /// Elements from the start of one row to the start of the next.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// One row.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    #[track_caller]
    pub fn row(&self, r: usize) -> &'a [T] {
        assert!(r < self.rows, "row {r} of a matrix of {} rows", self.rows);
        if self.cols == 0 {
            return &[];
        }
        &self.data[r * self.stride..][..self.cols]
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// The range is not inside the rows.
    #[inline]
    #[track_caller]
    pub fn row_range(&self, range: Range<usize>) -> Self {
        check_range(&range, self.rows, "row");
        let data = &self.data[(range.start * self.stride).min(self.data.len())..];
        MatrixView {
            data,
            rows: range.len(),
            ..*self
        }
    }

    /// Some of the columns.
    ///
    /// # Panics
    /// The range is not inside the columns.
    #[inline]
    #[track_caller]
    pub fn col_range(&self, range: Range<usize>) -> Self {
        check_range(&range, self.cols, "column");
        let data = &self.data[range.start.min(self.data.len())..];
        MatrixView {
            data,
            cols: range.len(),
            ..*self
        }
    }

    /// The elements from (0, 0) on, rows `stride` apart.
    #[inline]
    pub(crate) fn data(&self) -> &'a [T] {
        self.data
    }
}

impl<'a, T> MatrixViewMut<'a, T> {
    /// A view of `rows` x `cols` contiguous elements.
    ///
    /// # Panics
    /// `data` is shorter than that.
    #[inline]
    #[track_caller]
    pub fn new(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        Self::with_stride(data, rows, cols, cols)
    }

    /// A view whose rows start `stride` elements apart.
    ///
    /// # Panics
    /// `stride < cols`, or `data` is too short.
    #[inline]
    #[track_caller]
    pub fn with_stride(data: &'a mut [T], rows: usize, cols: usize, stride: usize) -> Self {
        check(data.len(), rows, cols, stride);
        MatrixViewMut {
            data,
            rows,
            cols,
            stride,
        }
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

    /// Elements from the start of one row to the start of the next.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The same, to read.
    #[inline]
    pub fn as_view(&self) -> MatrixView<'_, T> {
        MatrixView {
            data: self.data,
            rows: self.rows,
            cols: self.cols,
            stride: self.stride,
        }
    }

    /// The same for a shorter time: a view to give away while keeping this one.
    #[inline]
    pub fn reborrow(&mut self) -> MatrixViewMut<'_, T> {
        MatrixViewMut {
            data: self.data,
            rows: self.rows,
            cols: self.cols,
            stride: self.stride,
        }
    }

    /// One row, to read.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    #[track_caller]
    pub fn row(&self, r: usize) -> &[T] {
        self.as_view().row(r)
    }

    /// One row, to write.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    #[track_caller]
    pub fn row_mut(&mut self, r: usize) -> &mut [T] {
        assert!(r < self.rows, "row {r} of a matrix of {} rows", self.rows);
        if self.cols == 0 {
            return &mut [];
        }
        &mut self.data[r * self.stride..][..self.cols]
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// The range is not inside the rows.
    #[inline]
    #[track_caller]
    pub fn row_range(self, range: Range<usize>) -> Self {
        check_range(&range, self.rows, "row");
        let start = (range.start * self.stride).min(self.data.len());
        MatrixViewMut {
            data: &mut self.data[start..],
            rows: range.len(),
            ..self
        }
    }

    /// Some of the columns.
    ///
    /// # Panics
    /// The range is not inside the columns.
    #[inline]
    #[track_caller]
    pub fn col_range(self, range: Range<usize>) -> Self {
        check_range(&range, self.cols, "column");
        let start = range.start.min(self.data.len());
        MatrixViewMut {
            data: &mut self.data[start..],
            cols: range.len(),
            ..self
        }
    }

    /// The rows before `r`, and those from `r` on: two views that two threads can write.
    ///
    /// # Panics
    /// `r` is larger than the number of rows.
    #[inline]
    #[track_caller]
    pub fn split_at_row(self, r: usize) -> (Self, Self) {
        assert!(
            r <= self.rows,
            "split at row {r} of a matrix of {} rows",
            self.rows
        );
        let MatrixViewMut {
            data,
            rows,
            cols,
            stride,
        } = self;
        let middle = (r * stride).min(data.len());
        let (top, bottom) = data.split_at_mut(middle);
        (
            MatrixViewMut {
                data: top,
                rows: r,
                cols,
                stride,
            },
            MatrixViewMut {
                data: bottom,
                rows: rows - r,
                cols,
                stride,
            },
        )
    }

    /// The elements from (0, 0) on, rows `stride` apart.
    #[inline]
    pub(crate) fn data_mut(&mut self) -> &mut [T] {
        self.data
    }
}
