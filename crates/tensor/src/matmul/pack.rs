//! Copies: panels of B without gaps between their rows, and columns of C at its edge.

use super::operand::Strided;
use crate::isa::Kernel;
use crate::scalar::Scalar;

/// `[depth, width]` of B, and the panel of `[depth][P W]` that gets it. What stands in the panel past the
/// last column does not matter: it only meets columns of C that nobody keeps.
pub(crate) struct PackPanel<'a, T> {
    pub(crate) b: Strided<'a, T>,
    pub(crate) panel: &'a mut [T],
}

/// The same for panels of `P` vectors of `W` lanes.
pub(crate) struct FixedPanel<'a, T, const W: usize, const P: usize>(pub(crate) PackPanel<'a, T>);

impl<T: Scalar, const W: usize, const P: usize> Kernel for FixedPanel<'_, T, W, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let PackPanel { b, panel } = self.0;
        let Strided {
            data,
            rows,
            cols,
            row_stride,
            col_stride,
        } = b;
        let whole = P * W;
        let panel = &mut panel[..rows * whole];
        if col_stride == 1 {
            let panel = panel.as_chunks_mut::<W>().0.as_chunks_mut::<P>().0;
            for (p, out) in panel.iter_mut().enumerate() {
                let row = &data[p * row_stride..];
                match row.get(..whole) {
                    Some(row) => *out = row.as_chunks::<W>().0.as_chunks::<P>().0[0],
                    None => copy_short(&mut out.as_flattened_mut()[..cols], &row[..cols]),
                }
            }
            return;
        }
        if rows < HEIGHT {
            return short_chains(b, panel, whole);
        }
        transpose(data, col_stride, cols, rows, panel, whole);
    }
}

/// Copies B^T where its columns are short: one element after the other, which takes no vectors.
#[inline(never)]
fn short_chains<T: Copy>(b: Strided<'_, T>, panel: &mut [T], whole: usize) {
    for j in 0..b.cols {
        let column = &b.data[j * b.col_stride..][..b.rows];
        for (p, &element) in column.iter().enumerate() {
            panel[p * whole + j] = element;
        }
    }
}

/// The transpose of `[rows, depth]`, rows of it contiguous, as `[depth, rows]`.
pub(crate) struct Transpose<'a, T> {
    pub(crate) from: &'a [T],
    pub(crate) from_row: usize,
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    pub(crate) to: &'a mut [T],
    pub(crate) to_row: usize,
}

impl<T: Scalar> Kernel for Transpose<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        transpose(
            self.from,
            self.from_row,
            self.rows,
            self.depth,
            self.to,
            self.to_row,
        );
    }
}

#[inline(always)]
fn transpose<T: Scalar>(
    from: &[T],
    from_row: usize,
    rows: usize,
    depth: usize,
    to: &mut [T],
    to_row: usize,
) {
    let whole = rows - rows % SIDE;
    for first in (0..whole).step_by(SIDE) {
        across::<T, SIDE>(
            to,
            to_row,
            first,
            &from[first * from_row..],
            from_row,
            depth,
        );
    }
    for first in whole..rows {
        across::<T, 1>(
            to,
            to_row,
            first,
            &from[first * from_row..],
            from_row,
            depth,
        );
    }
}

/// Columns of B^T that are read side by side. They may lie a multiple of 4 KiB apart, and then all of
/// them share the 12 lines of one set of the first-level cache.
const SIDE: usize = 8;

/// Rows of the panel that are put together before they are stored.
const HEIGHT: usize = 16;

/// Copies `N` columns, `depth` long and contiguous each, to rows of `to` from `first` on. They go
/// through a small square: of a loop that stores straight to them the compiler makes scatters,
/// which are slower than one element after the other.
#[inline(always)]
fn across<T: Scalar, const N: usize>(
    to: &mut [T],
    to_row: usize,
    first: usize,
    from: &[T],
    stride: usize,
    depth: usize,
) {
    let mut columns: [&[T]; N] = [&[]; N];
    for (i, column) in columns.iter_mut().enumerate() {
        *column = &from[i * stride..][..depth];
    }
    let mut rows = to.chunks_mut(to_row).take(depth);
    let mut p = 0;
    while p < depth {
        let mut square = [[T::ZERO; N]; HEIGHT];
        let count = (depth - p).min(HEIGHT);
        for (q, out) in square.iter_mut().take(count).enumerate() {
            for i in 0..N {
                out[i] = columns[i][p + q];
            }
        }
        for (out, row) in square.iter().zip(rows.by_ref().take(count)) {
            row[first..][..N].copy_from_slice(out);
        }
        p += count;
    }
}

/// Elements that are copied at once.
const PIECE: usize = 8;

/// Copies in pieces whose length the compiler knows: a copy of unknown length is a call.
#[inline(always)]
pub(crate) fn copy_short<T: Copy>(to: &mut [T], from: &[T]) {
    let (to_pieces, to_rest) = to.as_chunks_mut::<PIECE>();
    let (from_pieces, from_rest) = from.as_chunks::<PIECE>();
    for (a, b) in to_pieces.iter_mut().zip(from_pieces) {
        *a = *b;
    }
    for (a, b) in to_rest.iter_mut().zip(from_rest) {
        *a = *b;
    }
}

/// Copies the first columns of each row.
pub(crate) struct CopyRows<'a, T> {
    pub(crate) rows: usize,
    pub(crate) width: usize,
    pub(crate) from: &'a [T],
    pub(crate) from_row: usize,
    pub(crate) to: &'a mut [T],
    pub(crate) to_row: usize,
}

impl<T: Scalar> Kernel for CopyRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for r in 0..self.rows {
            copy_short(
                &mut self.to[r * self.to_row..][..self.width],
                &self.from[r * self.from_row..][..self.width],
            );
        }
    }
}
