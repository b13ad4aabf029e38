//! How C is cut into register tiles, and what happens at its right edge.

use super::kernel::Tile;
use super::pack::copy_short;
use super::shape::Shape;
use crate::scalar::Scalar;

/// Rows cut into tiles of equal height, or nearly: 16 rows are 8 + 8 and not 14 + 2.
#[derive(Clone, Copy)]
pub(crate) struct Tiles {
    pub(crate) count: usize,
    m: usize,
}

impl Tiles {
    pub(crate) fn new(m: usize, max_rows: usize) -> Self {
        Tiles {
            count: m.div_ceil(max_rows),
            m,
        }
    }

    #[inline]
    pub(crate) fn start(self, tile: usize) -> usize {
        tile * self.m / self.count
    }

    #[inline]
    pub(crate) fn rows(self, tile: usize) -> usize {
        self.start(tile + 1) - self.start(tile)
    }
}

/// A tile that reaches past the last column of C works on a whole one in `scratch`.
pub(crate) fn edge_tile<T: Scalar, L: Shape<T>>(
    level: L,
    tile: Tile<'_, T>,
    width: usize,
    scratch: &mut [T],
) {
    let Tile {
        rows,
        c,
        c_stride,
        load,
        panels,
        ..
    } = tile;
    let whole = panels * L::LANES;
    if load {
        for r in 0..rows {
            copy_short(
                &mut scratch[r * whole..][..width],
                &c[r * c_stride..][..width],
            );
        }
    }
    level.tile(Tile {
        c: scratch,
        c_stride: whole,
        ..tile
    });
    for r in 0..rows {
        copy_short(
            &mut c[r * c_stride..][..width],
            &scratch[r * whole..][..width],
        );
    }
}
