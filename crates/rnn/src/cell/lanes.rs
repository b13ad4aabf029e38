//! Gates of one row, a few lanes at a time.
//!
//! A gated cell reads and writes up to ten slices in one loop. The compiler cannot know that they
//! do not overlap, and would have to check every pair, so it gives up and leaves the loop scalar.
//! Values that are loaded to local arrays first and stored last leave it nothing to doubt.

use tensor::Scalar;

/// Lanes worked on together: one AVX-512 register of f32.
pub(super) const LANES: usize = 16;

/// `LANES` values of a slice from `at` on, filled up with zeros past its end.
#[inline(always)]
pub(super) fn load<T: Scalar>(slice: &[T], at: usize) -> [T; LANES] {
    let rest = &slice[at..];
    if let Some(whole) = rest.first_chunk() {
        return *whole;
    }
    let mut lanes = [T::ZERO; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    lanes
}

/// Stores as many of the lanes as the slice has room for from `at` on.
#[inline(always)]
pub(super) fn store<T: Scalar>(slice: &mut [T], at: usize, lanes: [T; LANES]) {
    let rest = &mut slice[at..];
    if let Some(whole) = rest.first_chunk_mut() {
        *whole = lanes;
        return;
    }
    let len = rest.len();
    rest.copy_from_slice(&lanes[..len]);
}

/// The four gates of one row.
#[inline(always)]
pub(super) fn quarters<T>(row: &mut [T]) -> [&mut [T]; 4] {
    let hidden = row.len() / 4;
    let (first, rest) = row.split_at_mut(hidden);
    let (second, rest) = rest.split_at_mut(hidden);
    let (third, fourth) = rest.split_at_mut(hidden);
    [first, second, third, &mut fourth[..hidden]]
}
