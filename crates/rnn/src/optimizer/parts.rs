//! Spreads element-wise work over the threads of the caller's pool.
//!
//! Every update in this module treats each parameter on its own, so slices may be cut anywhere and
//! the parts computed in any order, on any thread, without changing a bit. Cuts fall on multiples
//! of [`BLOCK`] all the same: the norm adds up block by block, and no two threads write into one
//! cache line.

use tensor::{Scalar, parallel};

/// Elements in one block of the norm's sum. The order of additions depends on it: never change it.
pub(super) const BLOCK: usize = 4096;

/// The most elements one thread takes at a time: some ten microseconds of work, so that waking
/// another thread pays.
const PART: usize = 8 * BLOCK;

/// Slices of one length that are cut at the same place.
pub(super) trait Parts: Sized + Send {
    /// Number of elements.
    fn length(&self) -> usize;
    /// The first `middle` elements and the rest.
    fn cut(self, middle: usize) -> (Self, Self);
}

impl<T: Sync> Parts for &[T] {
    fn length(&self) -> usize {
        self.len()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        self.split_at(middle)
    }
}

impl<T: Send> Parts for &mut [T] {
    fn length(&self) -> usize {
        self.len()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        self.split_at_mut(middle)
    }
}

/// Pairs nest, so `((params, grads), (first, second))` is cut in one go.
impl<A: Parts, B: Parts> Parts for (A, B) {
    fn length(&self) -> usize {
        self.0.length()
    }

    fn cut(self, middle: usize) -> (Self, Self) {
        let (left_a, right_a) = self.0.cut(middle);
        let (left_b, right_b) = self.1.cut(middle);
        ((left_a, left_b), (right_a, right_b))
    }
}

/// Calls `work` on all of `parts`: at once outside a rayon pool or when they are short, else piece
/// by piece on the pool's threads. Allocates nothing.
pub(super) fn in_parts<P: Parts>(parts: P, work: impl Fn(P) + Sync) {
    if parallel::is_parallel() {
        halve(parts, &work);
    } else {
        work(parts);
    }
}

fn halve<P: Parts>(parts: P, work: &(impl Fn(P) + Sync)) {
    if parts.length() <= PART {
        return work(parts);
    }
    let middle = (parts.length() / 2).next_multiple_of(BLOCK);
    let (left, right) = parts.cut(middle);
    parallel::join(|| halve(left, work), || halve(right, work));
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
