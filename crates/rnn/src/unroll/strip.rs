//! A strip: some rows of a layer, through all steps of a window.
//!
//! In a pass forward or back rows never meet; only the sums for the weights bring them together. So
//! threads share the rows out, and each takes its own from step to step without waiting for another.

use std::mem;
use std::ops::Range;

use smallvec::SmallVec;
use tensor::parallel::Parts;

/// Rows that stay together. Fewer would take longer to read the weights than to multiply by them.
pub(crate) const STRIP_ROWS: usize = 2;

/// Some rows of a `[time, rows, cols]` array. One without elements has none at any step.
pub(crate) struct Steps<'a, T> {
    cols: usize,
    rows: Which<'a, T>,
}

enum Which<'a, T> {
    /// All of them, so many elements a step.
    All(&'a mut [T], usize),
    /// Some of them, step by step. For windows of ordinary length this allocates nothing.
    Some(SmallVec<[&'a mut [T]; 96]>),
}

impl<'a, T> Steps<'a, T> {
    /// All rows of an array.
    pub(crate) fn new(array: &'a mut [T], rows: usize, cols: usize) -> Self {
        Steps {
            cols,
            rows: Which::All(array, rows * cols),
        }
    }

    /// The rows at step `t`.
    pub(crate) fn at(&mut self, t: usize) -> &mut [T] {
        match &mut self.rows {
            Which::All(array, each) => {
                let range = t * *each..(t + 1) * *each;
                array.get_mut(range).unwrap_or_default()
            }
            Which::Some(steps) => match steps.get_mut(t) {
                Some(step) => step,
                None => &mut [],
            },
        }
    }

    /// The rows at step `t` to read, and those of the next to write.
    pub(crate) fn around(&mut self, t: usize) -> (&[T], &mut [T]) {
        match &mut self.rows {
            Which::All(array, each) => match array.get_mut(t * *each..(t + 2) * *each) {
                Some(both) => {
                    let (before, after) = both.split_at_mut(*each);
                    (before, after)
                }
                None => (&[], &mut []),
            },
            Which::Some(steps) => match steps.get_mut(t..t + 2) {
                Some([before, after]) => (before, after),
                _ => (&[], &mut []),
            },
        }
    }

    /// Keeps the first `middle` rows and returns the others.
    fn cut_off(&mut self, middle: usize) -> Self {
        let at = middle * self.cols;
        let mut rest = SmallVec::new();
        let mut cut = |step: &'a mut [T]| {
            let (first, others) = step.split_at_mut(at);
            rest.push(others);
            first
        };
        match &mut self.rows {
            Which::All(array, each) => {
                let steps = mem::take(array).chunks_exact_mut((*each).max(1));
                self.rows = Which::Some(steps.map(cut).collect());
            }
            Which::Some(steps) => {
                for step in steps {
                    *step = cut(mem::take(step));
                }
            }
        }
        Steps {
            cols: self.cols,
            rows: Which::Some(rest),
        }
    }
}

/// Some rows of several arrays.
pub(crate) struct Strip<'a, T, const N: usize> {
    /// The rows, counted from the first of the unrolled ones.
    pub(crate) rows: Range<usize>,
    pub(crate) arrays: [Steps<'a, T>; N],
}

impl<T: Send, const N: usize> Parts for Strip<'_, T, N> {
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
