//! The shapes of register tiles, by instruction set and element type.

use super::kernel::{CHUNK, Fixed, Tile};
#[cfg(target_arch = "aarch64")]
use crate::isa::Neon;
#[cfg(target_arch = "x86_64")]
use crate::isa::{Avx2, Avx512};
use crate::isa::{Level, Portable};

/// The tiles that an instruction set has for elements of type `T`.
pub(crate) trait Shape<T>: Level {
    /// Elements in a vector, and columns in a panel of B.
    const LANES: usize;
    /// Most rows of a tile.
    const MAX_ROWS: usize;
    /// Panels that a tile of so many rows takes at most: a few rows take many panels, or the
    /// latency of one fused multiply-add would be all there is to see.
    fn max_panels(rows: usize) -> usize;
    /// Computes a tile.
    fn tile(self, tile: Tile<'_, T>);
}

macro_rules! shape {
    ($level:ty, $type:ty, lanes: $lanes:literal, max rows: $max:literal,
     tiles: [$($panels:literal => [$($rows:literal)*]),* $(,)?]) => {
        impl Shape<$type> for $level {
            const LANES: usize = $lanes;
            const MAX_ROWS: usize = $max;

            #[inline]
            fn max_panels(rows: usize) -> usize {
                $(if [$($rows),*].contains(&rows) { return $panels; })*
                unreachable!("no tile has {rows} rows")
            }

            #[inline]
            fn tile(self, tile: Tile<'_, $type>) {
                match (tile.panels, tile.rows, tile.chunk) {
                    $($(
                        ($panels, $rows, 1) => self.run(Fixed::<_, $lanes, $panels, $rows, 1>(tile)),
                        ($panels, $rows, _) => self.run(Fixed::<_, $lanes, $panels, $rows, CHUNK>(tile)),
                    )*)*
                    (panels, rows, _) => unreachable!("no tile has {rows} rows and {panels} panels"),
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
shape!(Avx512, f32, lanes: 16, max rows: 14,
    tiles: [8 => [1], 4 => [1 2 3], 2 => [1 2 3 4 5 6 7 8 9 10 11 12 13 14],
            1 => [1 2 3 4 5 6 7 8 9 10 11 12 13 14]]);
#[cfg(target_arch = "x86_64")]
shape!(Avx512, f64, lanes: 8, max rows: 14,
    tiles: [8 => [1], 4 => [1 2 3], 2 => [1 2 3 4 5 6 7 8 9 10 11 12 13 14],
            1 => [1 2 3 4 5 6 7 8 9 10 11 12 13 14]]);
#[cfg(target_arch = "x86_64")]
shape!(Avx2, f32, lanes: 8, max rows: 6,
    tiles: [8 => [1], 4 => [1 2], 2 => [1 2 3 4 5 6], 1 => [1 2 3 4 5 6]]);
#[cfg(target_arch = "x86_64")]
shape!(Avx2, f64, lanes: 4, max rows: 6,
    tiles: [8 => [1], 4 => [1 2], 2 => [1 2 3 4 5 6], 1 => [1 2 3 4 5 6]]);
#[cfg(target_arch = "aarch64")]
shape!(Neon, f32, lanes: 4, max rows: 8,
    tiles: [8 => [1], 4 => [1 2], 2 => [1 2 3 4 5 6 7 8], 1 => [1 2 3 4 5 6 7 8]]);
#[cfg(target_arch = "aarch64")]
shape!(Neon, f64, lanes: 2, max rows: 8,
    tiles: [8 => [1], 4 => [1 2], 2 => [1 2 3 4 5 6 7 8], 1 => [1 2 3 4 5 6 7 8]]);
shape!(Portable, f32, lanes: 4, max rows: 4, tiles: [2 => [1 2 3 4], 1 => [1 2 3 4]]);
shape!(Portable, f64, lanes: 2, max rows: 4, tiles: [2 => [1 2 3 4], 1 => [1 2 3 4]]);

/// An instruction set with tiles for both element types.
pub(crate) trait Levels: Shape<f32> + Shape<f64> {}
impl<L: Shape<f32> + Shape<f64>> Levels for L {}
