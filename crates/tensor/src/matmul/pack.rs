//! Packing: copies of A and B in the order in which the register tile reads them.

use super::driver::Strided;
use super::kernel::CHUNK;
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

/// Packs rows `first .. first + rows` of A, columns `k .. k + depth`, for one tile.
#[inline(always)]
pub(crate) fn pack_a<T: Scalar>(
    a: Strided<'_, T>,
    first: usize,
    rows: usize,
    k: usize,
    depth: usize,
    out: &mut [T],
) {
    if a.col_stride == 1 {
        for i in 0..rows {
            let row = &a.data[(first + i) * a.row_stride + k..][..depth];
            for (q, part) in row.chunks(CHUNK).enumerate() {
                let out = &mut out[(q * rows + i) * CHUNK..][..CHUNK];
                if part.len() == CHUNK {
                    out.copy_from_slice(&part[..CHUNK]);
                } else {
                    out[..part.len()].copy_from_slice(part);
                }
            }
        }
    } else {
        for (p, out) in out[..depth * rows].chunks_exact_mut(rows).enumerate() {
            out.copy_from_slice(&a.data[(k + p) * a.col_stride + first..][..rows]);
        }
    }
}
