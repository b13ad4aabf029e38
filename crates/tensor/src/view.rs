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
    layout: Layout,
}

/// A matrix to write.
#[derive(Debug)]
pub struct MatrixViewMut<'a, T> {
    data: &'a mut [T],
    layout: Layout,
}

/// Where the elements are in the data.
#[derive(Debug, Clone, Copy)]
struct Layout {
    rows: usize,
    cols: usize,
    stride: usize,
}

impl Layout {
    #[inline]
    #[track_caller]
    fn check(self, len: usize) {
        let Layout { rows, cols, stride } = self;
        // From the first element of the first row to the last of the last.
        let extent = match (rows, cols) {
            (0, _) | (_, 0) => 0,
            _ => (rows - 1).saturating_mul(stride).saturating_add(cols),
        };
        assert!(
            stride >= cols && extent <= len,
            "a view of {rows} x {cols} with row stride {stride} does not fit {len} elements"
        );
    }

    /// Where a row starts. Rows without columns may start anywhere.
    #[inline]
    #[track_caller]
    fn row(self, r: usize) -> usize {
        assert!(r < self.rows, "row {r} of a matrix of {} rows", self.rows);
        if self.cols == 0 { 0 } else { r * self.stride }
    }

    /// Where some of the rows start in `len` elements, and their layout.
    #[inline]
    #[track_caller]
    fn rows(self, range: Range<usize>, len: usize) -> (usize, Self) {
        check_range(&range, self.rows, "row");
        let rows = range.len();
        (
            (range.start * self.stride).min(len),
            Layout { rows, ..self },
        )
    }

    /// The same for some of the columns.
    #[inline]
    #[track_caller]
    fn cols(self, range: Range<usize>, len: usize) -> (usize, Self) {
        check_range(&range, self.cols, "column");
        let cols = range.len();
        (range.start.min(len), Layout { cols, ..self })
    }
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

/// What both kinds of view have.
macro_rules! shape {
    () => {
        /// Number of rows.
        #[inline]
        pub fn rows(&self) -> usize {
            self.layout.rows
        }

        /// Number of columns.
        #[inline]
        pub fn cols(&self) -> usize {
            self.layout.cols
        }

        /// Elements from the start of one row to the start of the next.
        #[inline]
        pub fn stride(&self) -> usize {
            self.layout.stride
        }
    };
}

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
        let layout = Layout { rows, cols, stride };
        layout.check(data.len());
        MatrixView { data, layout }
    }

    shape!();

    /// One row.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    #[track_caller]
    pub fn row(&self, r: usize) -> &'a [T] {
        &self.data[self.layout.row(r)..][..self.layout.cols]
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// The range is not inside the rows.
    #[inline]
    #[track_caller]
    pub fn row_range(&self, range: Range<usize>) -> Self {
        let (start, layout) = self.layout.rows(range, self.data.len());
        let data = &self.data[start..];
        MatrixView { data, layout }
    }

    /// Some of the columns.
    ///
    /// # Panics
    /// The range is not inside the columns.
    #[inline]
    #[track_caller]
    pub fn col_range(&self, range: Range<usize>) -> Self {
        let (start, layout) = self.layout.cols(range, self.data.len());
        let data = &self.data[start..];
        MatrixView { data, layout }
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
        let layout = Layout { rows, cols, stride };
        layout.check(data.len());
        MatrixViewMut { data, layout }
    }

    shape!();

    /// The same for a shorter time: a view to give away while keeping this one.
    #[inline]
    pub fn reborrow(&mut self) -> MatrixViewMut<'_, T> {
        MatrixViewMut {
            data: self.data,
            layout: self.layout,
        }
    }

    /// One row, to read.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    #[track_caller]
    pub fn row(&self, r: usize) -> &[T] {
        &self.data[self.layout.row(r)..][..self.layout.cols]
    }

    /// One row, to write.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    #[track_caller]
    pub fn row_mut(&mut self, r: usize) -> &mut [T] {
        &mut self.data[self.layout.row(r)..][..self.layout.cols]
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// The range is not inside the rows.
    #[inline]
    #[track_caller]
    pub fn row_range(self, range: Range<usize>) -> Self {
        let (start, layout) = self.layout.rows(range, self.data.len());
        let data = &mut self.data[start..];
        MatrixViewMut { data, layout }
    }

    /// Some of the columns.
    ///
    /// # Panics
    /// The range is not inside the columns.
    #[inline]
    #[track_caller]
    pub fn col_range(self, range: Range<usize>) -> Self {
        let (start, layout) = self.layout.cols(range, self.data.len());
        let data = &mut self.data[start..];
        MatrixViewMut { data, layout }
    }

    /// The rows before `r`, and those from `r` on: two views that two threads can write.
    ///
    /// # Panics
    /// `r` is larger than the number of rows.
    #[inline]
    #[track_caller]
    pub fn split_at_row(self, r: usize) -> (Self, Self) {
        let len = self.data.len();
        let (_, above) = self.layout.rows(0..r, len);
        let (start, below) = self.layout.rows(r..self.layout.rows, len);
        let (top, bottom) = self.data.split_at_mut(start);
        let view = |data, layout| MatrixViewMut { data, layout };
        (view(top, above), view(bottom, below))
    }

    /// The elements from (0, 0) on, rows `stride` apart.
    #[inline]
    pub(crate) fn data_mut(&mut self) -> &mut [T] {
        self.data
    }
}
