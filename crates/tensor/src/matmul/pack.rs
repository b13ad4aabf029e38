//! Packing: copies of A and B in the order in which the register tile reads them.

use std::ops::Range;

use super::kernel::CHUNK;
use super::operand::Strided;
use super::tiles::Tiles;
use crate::isa::Kernel;
use crate::scalar::Scalar;

/// Rows of B that are read side by side: as many streams as a prefetcher follows, each long enough
/// to be worth following.
const ROWS: usize = 8;

/// Packs `b[first row.., first column..]` into panels of `[depth][lanes]`, zeros past the last
/// column.
pub(crate) struct PackB<'a, T, const W: usize> {
    pub(crate) b: Strided<'a, T>,
    pub(crate) panels: &'a mut [T],
}

impl<T: Scalar, const W: usize> Kernel for PackB<'_, T, W> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Strided {
            data,
            rows,
            cols,
            row_stride,
            col_stride,
        } = self.b;
        if col_stride == 1 {
            for first in (0..rows).step_by(ROWS) {
                let count = ROWS.min(rows - first);
                for (j, panel) in self.panels.chunks_exact_mut(rows * W).enumerate() {
                    let (panel, _) = panel.as_chunks_mut::<W>();
                    let width = (cols - j * W).min(W);
                    for (p, out) in panel[first..first + count].iter_mut().enumerate() {
                        let row = &data[(first + p) * row_stride + j * W..];
                        match row.split_first_chunk::<W>() {
                            Some((whole, _)) if width == W => *out = *whole,
                            _ => {
                                *out = [T::ZERO; W];
                                out[..width].copy_from_slice(&row[..width]);
                            }
                        }
                    }
                }
            }
            return;
        }
        for (j, panel) in self.panels.chunks_exact_mut(rows * W).enumerate() {
            let first = j * W;
            let width = (cols - first).min(W);
            let (panel, _) = panel.as_chunks_mut::<W>();
            if width < W {
                panel.as_flattened_mut().fill(T::ZERO);
            }
            for l in 0..width {
                let column = &data[(first + l) * col_stride..][..rows];
                for (out, &x) in panel.iter_mut().zip(column) {
                    out[l] = x;
                }
            }
        }
    }
}

/// Packs some tiles of A, all columns: for a tile of R rows `[depth / chunk][R][chunk]`.
///
/// Where rows of A are contiguous a chunk is a vector of one row, so that packing copies vectors
/// and never transposes; the register tile reads its elements one by one anyway. Where columns
/// are contiguous, as in A^T B, a chunk is one element and a column of the tile is copied at once.
pub(crate) struct PackA<'a, T> {
    pub(crate) a: Strided<'a, T>,
    /// First row of each tile, and one past the last of all.
    pub(crate) tiles: Tiles,
    pub(crate) range: Range<usize>,
    pub(crate) packed: &'a mut [T],
}

impl<T: Scalar> Kernel for PackA<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let PackA {
            a,
            tiles,
            range,
            mut packed,
        } = self;
        for tile in range {
            let (first, rows) = (tiles.start(tile), tiles.rows(tile));
            let out;
            if a.col_stride == 1 {
                let padded = a.cols.next_multiple_of(CHUNK);
                (out, packed) = packed.split_at_mut(rows * padded);
                let (out, _) = out.as_chunks_mut::<CHUNK>();
                for i in 0..rows {
                    let row = &a.data[(first + i) * a.row_stride..][..a.cols];
                    let (whole, rest) = row.as_chunks::<CHUNK>();
                    for (out, part) in out[i..].iter_mut().step_by(rows).zip(whole) {
                        *out = *part;
                    }
                    if !rest.is_empty() {
                        copy_short(&mut out[whole.len() * rows + i][..rest.len()], rest);
                    }
                }
            } else {
                (out, packed) = packed.split_at_mut(rows * a.cols);
                for (p, out) in out.chunks_exact_mut(rows).enumerate() {
                    copy_short(out, &a.data[p * a.col_stride + first..][..rows]);
                }
            }
        }
    }
}

/// Copies in pieces whose length the compiler knows: a copy of unknown length is a call.
#[inline(always)]
pub(crate) fn copy_short<T: Copy>(to: &mut [T], from: &[T]) {
    let (to_pieces, to_rest) = to.as_chunks_mut::<8>();
    let (from_pieces, from_rest) = from.as_chunks::<8>();
    for (a, b) in to_pieces.iter_mut().zip(from_pieces) {
        *a = *b;
    }
    for (a, b) in to_rest.iter_mut().zip(from_rest) {
        *a = *b;
    }
}
