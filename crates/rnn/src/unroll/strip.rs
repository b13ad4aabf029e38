//! A strip: some rows of a layer, through all steps of a window.
//!
//! In a pass forward or back rows never meet; only the sums for the weights bring them together. So
//! threads share the rows out, and each takes its own from step to step without waiting for another.

use std::mem;
use std::ops::Range;

use smallvec::SmallVec;
use tensor::parallel::{self, Parts};

/// Whether threads should share out these rows, each of so much `work`.
pub(crate) fn is_shared(rows: usize, work: usize) -> bool {
    parallel::cut(rows.div_ceil(STRIP_ROWS), rows.saturating_mul(work)).is_some()
}

/// Rows that stay together. Fewer would take longer to read the weights than to multiply by them.
pub(crate) const STRIP_ROWS: usize = 2;

/// Some rows of a `[time, rows, cols]` array. One without elements has none at any step.
pub(crate) trait Steps<T> {
    /// The rows at step `t`.
    fn at(&mut self, t: usize) -> &mut [T];
    /// The rows at step `t` to read, and those of the next to write.
    fn around(&mut self, t: usize) -> (&[T], &mut [T]);
}

/// All rows.
pub(crate) struct Whole<'a, T> {
    array: &'a mut [T],
    rows: usize,
    cols: usize,
}

impl<'a, T> Whole<'a, T> {
    pub(crate) fn new(array: &'a mut [T], rows: usize, cols: usize) -> Self {
        Whole { array, rows, cols }
    }
}

impl<T> Steps<T> for Whole<'_, T> {
    #[inline]
    fn at(&mut self, t: usize) -> &mut [T] {
        let each = self.rows * self.cols;
        let step = self.array.get_mut(t * each..(t + 1) * each);
        step.unwrap_or_default()
    }

    #[inline]
    fn around(&mut self, t: usize) -> (&[T], &mut [T]) {
        let each = self.rows * self.cols;
        match self.array.get_mut(t * each..(t + 2) * each) {
            Some(both) => {
                let (before, after) = both.split_at_mut(each);
                (before, after)
            }
            None => (&[], &mut []),
        }
    }
}

/// Some of them, step by step. For windows of ordinary length the list allocates nothing.
pub(crate) struct Listed<'a, T> {
    steps: SmallVec<[&'a mut [T]; 96]>,
    cols: usize,
}

impl<'a, T> Listed<'a, T> {
    /// Keeps the first `middle` rows and returns the others.
    fn cut_off(&mut self, middle: usize) -> Self {
        let at = middle * self.cols;
        let cut = |step: &mut &'a mut [T]| {
            let (first, others) = mem::take(step).split_at_mut(at);
            *step = first;
            others
        };
        Listed {
            steps: self.steps.iter_mut().map(cut).collect(),
            cols: self.cols,
        }
    }
}

impl<T> Steps<T> for Listed<'_, T> {
    #[inline]
    fn at(&mut self, t: usize) -> &mut [T] {
        match self.steps.get_mut(t) {
            Some(step) => step,
            None => &mut [],
        }
    }

    #[inline]
    fn around(&mut self, t: usize) -> (&[T], &mut [T]) {
        match self.steps.get_mut(t..t + 2) {
            Some([before, after]) => (before, after),
            _ => (&[], &mut []),
        }
    }
}

/// Some rows of several arrays.
pub(crate) struct Strip<S, const N: usize> {
    /// The rows, counted from the first of the unrolled ones.
    pub(crate) rows: Range<usize>,
    pub(crate) arrays: [S; N],
}

impl<'a, T, const N: usize> Strip<Whole<'a, T>, N> {
    /// The same, to be cut.
    pub(crate) fn listed(self) -> Strip<Listed<'a, T>, N> {
        let list = |whole: Whole<'a, T>| Listed {
            cols: whole.cols,
            steps: whole
                .array
                .chunks_exact_mut((whole.rows * whole.cols).max(1))
                .collect(),
        };
        Strip {
            rows: self.rows,
            arrays: self.arrays.map(list),
        }
    }
}

impl<T: Send, const N: usize> Parts for Strip<Listed<'_, T>, N> {
    fn length(&self) -> usize {
        self.rows.len()
    }

    fn cut(mut self, middle: usize) -> (Self, Self) {
        let border = self.rows.start + middle;
        let rest = Strip {
            rows: border..self.rows.end,
            arrays: self.arrays.each_mut().map(|array| array.cut_off(middle)),
        };
        self.rows.end = border;
        (self, rest)
    }
}
