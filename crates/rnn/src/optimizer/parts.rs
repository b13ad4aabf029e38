//! Spreads element-wise work over the threads of the caller's pool.
//!
//! Every update in this module treats each parameter on its own, so slices may be cut anywhere and
//! the parts computed in any order, on any thread, without changing a bit. Cuts fall on multiples
//! of [`BLOCK`] all the same: the norm adds up block by block, and no two threads write into one
//! cache line.

use tensor::Scalar;
use tensor::parallel::{self, Parts};

/// Elements in one block of the norm's sum. The order of additions depends on it: never change it.
pub(super) const BLOCK: usize = 4096;
/// Multiply-adds that updating an element counts for: it has to come from memory.
const UPDATE: usize = 32;

/// Calls `work` on all of `parts`, piece by piece on the pool's threads.
pub(super) fn in_parts<P: Parts>(parts: P, work: impl Fn(P) + Sync) {
    parallel::in_parts(parts, UPDATE, BLOCK, &work);
}

/// Below this, a decaying average counts as 0.
const NEGLIGIBLE: f64 = 1e-36;

/// `average`, or 0 where it has all but died away.
///
/// While a parameter gets no gradient (a rare character's input weights) its averages shrink step
/// by step, and in f32 they would soon be subnormal and, by rounding, stay so for ever. Many
/// processors take some twenty times longer over each subnormal number, while its effect on the
/// parameter is far below rounding.
#[inline(always)]
pub(super) fn flush<T: Scalar>(average: T) -> T {
    if average.abs() < T::from_f64(NEGLIGIBLE) {
        T::ZERO
    } else {
        average
    }
}
