//! Packing: copies of A and B from which a tile reads without gaps.

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
        let mut column = 0;
        while column + SQUARE <= cols {
            transpose(
                panel,
                whole,
                column,
                &data[column * col_stride..],
                col_stride,
                rows,
            );
            column += SQUARE;
        }
        for column in column..cols {
            let from = &data[column * col_stride..][..rows];
            for (out, &x) in panel.chunks_exact_mut(whole).zip(from) {
                out[column] = x;
            }
        }
    }
}

/// Side of the squares that are transposed in registers.
const SQUARE: usize = 8;

/// [`SQUARE`] rows of `from`, `depth` long, to as many columns of the panel.
#[inline(always)]
fn transpose<T: Scalar>(
    panel: &mut [T],
    whole: usize,
    column: usize,
    from: &[T],
    stride: usize,
    depth: usize,
) {
    let mut rows: [&[T]; SQUARE] = [&[]; SQUARE];
    for (i, row) in rows.iter_mut().enumerate() {
        *row = &from[i * stride..][..depth];
    }
    let squares = depth / SQUARE;
    for q in 0..squares {
        let mut x = [[T::ZERO; SQUARE]; SQUARE];
        for i in 0..SQUARE {
            x[i].copy_from_slice(&rows[i][q * SQUARE..][..SQUARE]);
        }
        let y: [[T; SQUARE]; SQUARE] = std::array::from_fn(|p| std::array::from_fn(|i| x[i][p]));
        for p in 0..SQUARE {
            panel[(q * SQUARE + p) * whole + column..][..SQUARE].copy_from_slice(&y[p]);
        }
    }
    for p in squares * SQUARE..depth {
        for i in 0..SQUARE {
            panel[p * whole + column + i] = rows[i][p];
        }
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
