//! The shapes of register tiles, by instruction set and element type.

use super::kernel::{CHUNK, Fixed, Source, Tile};
#[cfg(target_arch = "aarch64")]
use crate::isa::Neon;
#[cfg(target_arch = "x86_64")]
use crate::isa::{Avx2, Avx512};
use crate::isa::{Level, Portable};
use crate::scalar::Scalar;

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
                match (tile.panels, tile.rows) {
                    $($(($panels, $rows) => {
                        by_source::<_, $type, $lanes, $panels, $rows>(self, tile)
                    })*)*
                    (panels, rows) => unreachable!("no tile has {rows} rows and {panels} panels"),
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

/// Picks the tile by where A and B come from. Only combinations in use are compiled: a single row
/// reads B as it is, rows of a contiguous A pack B on the way, and everything else finds B packed.
#[inline]
fn by_source<L: Level, T: Scalar, const W: usize, const P: usize, const MR: usize>(
    level: L,
    tile: Tile<'_, T>,
) {
    const PACKED: u8 = Source::Packed as u8;
    const DIRECT: u8 = Source::Direct as u8;
    const PACKING: u8 = Source::Packing as u8;
    match (tile.source, tile.chunk) {
        (Source::Packed, 1) => level.run(Fixed::<T, W, P, MR, 1, PACKED>(tile)),
        (Source::Packed, _) => level.run(Fixed::<T, W, P, MR, CHUNK, PACKED>(tile)),
        (Source::Direct, _) => level.run(Fixed::<T, W, P, 1, CHUNK, DIRECT>(tile)),
        (Source::Packing, _) => level.run(Fixed::<T, W, P, MR, CHUNK, PACKING>(tile)),
    }
}
