//! The shapes of register tiles, by instruction set and element type. A new instruction set gets
//! its line here, and its name in `isa.rs`.

use super::kernel::{Fixed, FixedRow, Row, Tiles};
use super::pack::{FixedPanel, PackPanel};
#[cfg(target_arch = "aarch64")]
use crate::isa::Neon;
#[cfg(target_arch = "x86_64")]
use crate::isa::{Avx2, Avx512};
use crate::isa::{Level, Portable};

/// The tiles that an instruction set has for elements of type `T`.
pub(crate) trait Shape<T>: Level {
    /// Elements in a vector.
    const LANES: usize;
    /// NR: vectors in a panel of B.
    const PANEL: usize;
    /// Vectors in the widest tile: what is left of a row after its last whole panel joins that panel
    /// rather than leave a tile too narrow to keep the arithmetic busy.
    const WIDEST: usize;
    /// MR: most rows of a tile of so many vectors.
    fn max_rows(vectors: usize) -> usize;
    /// Computes tiles of so many vectors and rows.
    fn tiles(self, vectors: usize, rows: usize, tiles: Tiles<'_, T>);
    /// Computes one row over two whole panels.
    fn row(self, row: Row<'_, T>);
    /// Copies so many vectors of each row of B to a panel.
    fn pack(self, vectors: usize, pack: PackPanel<'_, T>);
}

macro_rules! shape {
    ($level:ty, $type:ty, lanes: $lanes:literal, panel: $panel:literal, widest: $widest:literal,
     tiles: [$($vectors:literal => $max:literal: [$($rows:literal)*]),* $(,)?]) => {
        impl Shape<$type> for $level {
            const LANES: usize = $lanes;
            const PANEL: usize = $panel;
            const WIDEST: usize = $widest;

            #[inline]
            fn max_rows(vectors: usize) -> usize {
                match vectors {
                    $($vectors => $max,)*
                    _ => unreachable!("no tile has {vectors} vectors"),
                }
            }

            #[inline]
            fn tiles(self, vectors: usize, rows: usize, tiles: Tiles<'_, $type>) {
                match (vectors, rows) {
                    $($(($vectors, $rows) => {
                        self.run(Fixed::<$type, $lanes, $vectors, $rows>(tiles));
                    })*)*
                    _ => unreachable!("no tile has {rows} rows and {vectors} vectors"),
                }
            }

            #[inline]
            fn row(self, row: Row<'_, $type>) {
                self.run(FixedRow::<$type, $lanes, $panel>(row));
            }

            #[inline]
            fn pack(self, vectors: usize, pack: PackPanel<'_, $type>) {
                match vectors {
                    $($vectors => self.run(FixedPanel::<$type, $lanes, $vectors>(pack)),)*
                    _ => unreachable!("no panel has {vectors} vectors"),
                }
            }
        }
    };
}

// 32 registers hold at most 25 accumulators, a row of B, and an element of A.
#[cfg(target_arch = "x86_64")]
shape!(Avx512, f32, lanes: 16, panel: 4, widest: 6,
    tiles: [1 => 8: [1 2 3 4 5 6 7 8], 2 => 8: [1 2 3 4 5 6 7 8], 3 => 8: [1 2 3 4 5 6 7 8],
            4 => 6: [1 2 3 4 5 6], 5 => 5: [1 2 3 4 5], 6 => 4: [1 2 3 4]]);
#[cfg(target_arch = "x86_64")]
shape!(Avx512, f64, lanes: 8, panel: 4, widest: 6,
    tiles: [1 => 8: [1 2 3 4 5 6 7 8], 2 => 8: [1 2 3 4 5 6 7 8], 3 => 8: [1 2 3 4 5 6 7 8],
            4 => 6: [1 2 3 4 5 6], 5 => 5: [1 2 3 4 5], 6 => 4: [1 2 3 4]]);
// 16 registers: 12 accumulators, or 9 beside three vectors of B (12 there: 0.64 of the peak, not 0.83).
#[cfg(target_arch = "x86_64")]
shape!(Avx2, f32, lanes: 8, panel: 2, widest: 3,
    tiles: [1 => 6: [1 2 3 4 5 6], 2 => 6: [1 2 3 4 5 6], 3 => 3: [1 2 3]]);
#[cfg(target_arch = "x86_64")]
shape!(Avx2, f64, lanes: 4, panel: 2, widest: 3,
    tiles: [1 => 6: [1 2 3 4 5 6], 2 => 6: [1 2 3 4 5 6], 3 => 3: [1 2 3]]);
#[cfg(target_arch = "aarch64")]
shape!(Neon, f32, lanes: 4, panel: 4, widest: 6,
    tiles: [1 => 8: [1 2 3 4 5 6 7 8], 2 => 8: [1 2 3 4 5 6 7 8], 3 => 8: [1 2 3 4 5 6 7 8],
            4 => 6: [1 2 3 4 5 6], 5 => 5: [1 2 3 4 5], 6 => 4: [1 2 3 4]]);
#[cfg(target_arch = "aarch64")]
shape!(Neon, f64, lanes: 2, panel: 4, widest: 6,
    tiles: [1 => 8: [1 2 3 4 5 6 7 8], 2 => 8: [1 2 3 4 5 6 7 8], 3 => 8: [1 2 3 4 5 6 7 8],
            4 => 6: [1 2 3 4 5 6], 5 => 5: [1 2 3 4 5], 6 => 4: [1 2 3 4]]);
shape!(Portable, f32, lanes: 4, panel: 2, widest: 3,
    tiles: [1 => 4: [1 2 3 4], 2 => 4: [1 2 3 4], 3 => 4: [1 2 3 4]]);
shape!(Portable, f64, lanes: 2, panel: 2, widest: 3,
    tiles: [1 => 4: [1 2 3 4], 2 => 4: [1 2 3 4], 3 => 4: [1 2 3 4]]);
