//! How a product is cut: rows and chains into pieces of nearly equal length, columns into panels.

use std::ops::Range;

use super::shape::Shape;

/// A length cut into pieces of nearly the same length: 16 rows are 8 + 8 and not 14 + 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Even {
    pub(crate) count: usize,
    pub(crate) length: usize,
}

impl Even {
    /// Pieces of at most `most`.
    #[inline]
    pub(crate) fn new(length: usize, most: usize) -> Self {
        Even {
            count: length.div_ceil(most),
            length,
        }
    }

    /// Where a piece begins, or where the last one ends.
    #[inline]
    fn start(self, piece: usize) -> usize {
        piece * self.length / self.count
    }

    /// The longer pieces, by one, and then the others.
    #[inline]
    fn runs(self) -> [Run; 2] {
        let (short, longer) = (self.length / self.count, self.length % self.count);
        let first = Run {
            start: 0,
            length: short + 1,
            count: longer,
        };
        let second = Run {
            start: first.end(),
            length: short,
            count: self.count - longer,
        };
        [first, second]
    }

    /// [`Even::runs`], each in two: the pieces that end by `limit`, and the others.
    #[inline]
    pub(crate) fn runs_around(self, limit: usize) -> [Run; 4] {
        let [longer, shorter] = self.runs();
        let ([a, b], [c, d]) = (longer.around(limit), shorter.around(limit));
        [a, b, c, d]
    }

    /// The length of all pieces that end by `limit`.
    #[inline]
    pub(crate) fn within(self, limit: usize) -> usize {
        let [longer, _, shorter, _] = self.runs_around(limit);
        longer.length * longer.count + shorter.length * shorter.count
    }

    /// Each piece.
    #[inline]
    pub(crate) fn pieces(self) -> impl Iterator<Item = Range<usize>> {
        (0..self.count).map(move |piece| self.start(piece)..self.start(piece + 1))
    }
}

/// Pieces of one length, one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Where the first begins.
    pub(crate) start: usize,
    /// The length of each.
    pub(crate) length: usize,
    /// How many.
    pub(crate) count: usize,
}

impl Run {
    /// Where the last one ends.
    #[inline]
    fn end(self) -> usize {
        self.start + self.length * self.count
    }

    /// The pieces that end by `limit`, and the others. Nearly always all of them are on one side, which
    /// costs no division.
    #[inline]
    fn around(self, limit: usize) -> [Run; 2] {
        let count = if limit >= self.end() {
            self.count
        } else {
            limit.saturating_sub(self.start) / self.length
        };
        let before = Run { count, ..self };
        let behind = Run {
            start: before.end(),
            count: self.count - count,
            ..self
        };
        [before, behind]
    }
}

/// Columns of B and C cut into panels of [`Shape::PANEL`] vectors; the last one takes up to
/// [`Shape::WIDEST`], so that 65 columns are one panel of five vectors and not one of four and a
/// tile that is nearly empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panels {
    /// How many.
    pub(crate) count: usize,
    columns: usize,
    lanes: usize,
    panel: usize,
}

impl Panels {
    #[inline]
    pub(crate) fn new<T, L: Shape<T>>(columns: usize) -> Self {
        let vectors = columns.div_ceil(L::LANES);
        let joined = L::WIDEST - L::PANEL;
        let count = vectors.saturating_sub(joined).div_ceil(L::PANEL);
        Panels {
            count: count.max(usize::from(columns > 0)),
            columns,
            lanes: L::LANES,
            panel: L::PANEL,
        }
    }

    /// First column of a panel.
    #[inline]
    pub(crate) fn start(self, panel: usize) -> usize {
        panel * self.panel * self.lanes
    }

    /// All of them, the last one before the others.
    #[inline]
    pub(crate) fn last_first(self) -> impl Iterator<Item = Panel> {
        let last = self.count.saturating_sub(1);
        (last..self.count).chain(0..last).map(move |i| self.get(i))
    }

    /// One of them.
    #[inline]
    pub(crate) fn get(self, panel: usize) -> Panel {
        let start = self.start(panel);
        let width = if panel + 1 == self.count {
            self.columns - start
        } else {
            self.panel * self.lanes
        };
        let vectors = width.div_ceil(self.lanes);
        Panel {
            start,
            width,
            vectors,
            whole: vectors * self.lanes,
        }
    }

    /// How many panels are as wide as most: all, but perhaps for the last.
    #[inline]
    pub(crate) fn whole(self) -> usize {
        let last = self.count.saturating_sub(1);
        last + usize::from(self.count > 0 && self.get(last).width == self.start(1))
    }
}

/// One panel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    /// Its first column.
    pub(crate) start: usize,
    /// Columns that exist.
    pub(crate) width: usize,
    /// Vectors, the last one perhaps in part beyond the last column.
    pub(crate) vectors: usize,
    /// Elements in these vectors.
    pub(crate) whole: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, with_level};

    fn check_panels<L: Shape<f32>>(_: L) {
        for columns in 0..500 {
            let panels = Panels::new::<f32, L>(columns);
            let mut next = 0;
            for panel in (0..panels.count).map(|i| panels.get(i)) {
                assert_eq!(panel.start, next, "{columns} columns");
                let vectors = panel.vectors;
                assert!((1..=L::WIDEST).contains(&vectors), "{columns} columns");
                assert!(L::max_rows(vectors) > 0);
                next += panel.width;
            }
            assert_eq!(next, columns);
        }
    }

    #[test]
    fn panels_cover_every_column_once() {
        for isa in Isa::available() {
            with_level!(isa, level => check_panels(level));
        }
    }

    #[test]
    fn pieces_cover_a_length_once_and_differ_by_one_at_most() {
        for length in 0..200 {
            for most in 1..20 {
                let pieces: Vec<_> = Even::new(length, most).pieces().collect();
                let sizes: Vec<usize> = pieces.iter().map(Range::len).collect();
                assert_eq!(sizes.iter().sum::<usize>(), length);
                if length > 0 {
                    let [first, second] = Even::new(length, most).runs();
                    assert_eq!(first.count + second.count, pieces.len());
                    assert_eq!(first.end(), second.start);
                    assert_eq!(second.end(), length);
                }
                assert!(sizes.iter().all(|&size| size <= most));
                let least = sizes.iter().min().copied().unwrap_or(0);
                assert!(sizes.iter().all(|&size| size <= least + 1));
            }
        }
    }

    #[test]
    fn runs_around_a_limit_are_the_pieces_on_its_sides() {
        for (length, most) in (1..40).flat_map(|length| (1..9).map(move |most| (length, most))) {
            let even = Even::new(length, most);
            for limit in 0..length + 2 {
                let within = even.within(limit);
                let mut next = 0;
                for run in even.runs_around(limit) {
                    if run.count > 0 {
                        assert_eq!(run.start, next);
                        next = run.end();
                        assert!(next <= within || run.start >= within);
                    }
                }
                assert_eq!(next, length);
                assert!(within <= limit, "{length} {most} {limit}");
                assert!(within == length || within + most > limit);
            }
        }
    }
}
