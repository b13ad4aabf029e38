//! How a product is cut: rows and chains into pieces of nearly equal length, columns into panels.

use super::shape::Shape;

/// A length cut into pieces of nearly the same length: 16 rows are 8 + 8 and not 14 + 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Even {
    pub(crate) count: usize,
    length: usize,
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
    pub(crate) fn start(self, piece: usize) -> usize {
        piece * self.length / self.count
    }

    /// Where the pieces of each length begin, how long they are, and how many: the longer ones first,
    /// by one, then the others.
    #[inline]
    fn runs(self) -> [(usize, usize, usize); 2] {
        let (short, longer) = (self.length / self.count, self.length % self.count);
        let start = longer * (short + 1);
        [(0, short + 1, longer), (start, short, self.count - longer)]
    }

    /// [`Even::runs`], each in two: the pieces that end by `limit`, and the others.
    #[inline]
    pub(crate) fn runs_around(self, limit: usize) -> [(usize, usize, usize); 4] {
        let [longer, shorter] = self.runs();
        let ([a, b], [c, d]) = (around(longer, limit), around(shorter, limit));
        [a, b, c, d]
    }

    /// The length of all pieces that end by `limit`.
    #[inline]
    pub(crate) fn within(self, limit: usize) -> usize {
        let [a, _, c, _] = self.runs_around(limit);
        a.1 * a.2 + c.1 * c.2
    }

    /// Where each piece begins and how long it is.
    #[inline]
    pub(crate) fn pieces(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.count).map(move |i| (self.start(i), self.start(i + 1) - self.start(i)))
    }
}

/// A run of pieces in two. Nearly always all of them are on one side, which costs no division.
#[inline]
fn around(
    (start, length, count): (usize, usize, usize),
    limit: usize,
) -> [(usize, usize, usize); 2] {
    let before = if limit >= start + length * count {
        count
    } else {
        limit.saturating_sub(start) / length
    };
    let middle = start + before * length;
    [(start, length, before), (middle, length, count - before)]
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
    pub(crate) fn last_first(self) -> impl Iterator<Item = usize> {
        let last = self.count.saturating_sub(1);
        (last..self.count).chain(0..last)
    }

    /// Columns of a panel that exist.
    #[inline]
    pub(crate) fn width(self, panel: usize) -> usize {
        if panel + 1 == self.count {
            self.columns - self.start(panel)
        } else {
            self.panel * self.lanes
        }
    }

    /// How many panels are as wide as most: all, but perhaps for the last.
    #[inline]
    pub(crate) fn whole(self) -> usize {
        let last = self.count.saturating_sub(1);
        last + usize::from(self.count > 0 && self.width(last) == self.start(1))
    }

    /// Vectors in a panel, the last one perhaps in part beyond the last column.
    #[inline]
    pub(crate) fn vectors(self, panel: usize) -> usize {
        self.width(panel).div_ceil(self.lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{LevelFn, Path};
    use crate::matmul::shape::Levels;

    struct Covers;

    impl LevelFn for Covers {
        type Output = ();
        fn call<L: Levels>(self, _: L) {
            for columns in 0..500 {
                let panels = Panels::new::<f32, L>(columns);
                let mut next = 0;
                for panel in 0..panels.count {
                    assert_eq!(panels.start(panel), next, "{columns} columns");
                    let vectors = panels.vectors(panel);
                    let widest = <L as Shape<f32>>::WIDEST;
                    assert!((1..=widest).contains(&vectors), "{columns} columns");
                    assert!(<L as Shape<f32>>::max_rows(vectors) > 0);
                    next += panels.width(panel);
                }
                assert_eq!(next, columns);
            }
        }
    }

    #[test]
    fn panels_cover_every_column_once() {
        Path::active().with(Covers);
    }

    #[test]
    fn pieces_cover_a_length_once_and_differ_by_one_at_most() {
        for length in 0..200 {
            for most in 1..20 {
                let pieces: Vec<_> = Even::new(length, most).pieces().collect();
                let sizes: Vec<usize> = pieces.iter().map(|piece| piece.1).collect();
                assert_eq!(sizes.iter().sum::<usize>(), length);
                if length > 0 {
                    let [first, second] = Even::new(length, most).runs();
                    assert_eq!(first.2 + second.2, pieces.len());
                    assert_eq!(first.1 * first.2, second.0);
                    assert_eq!(second.0 + second.1 * second.2, length);
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
                for (start, piece, count) in even.runs_around(limit) {
                    if count > 0 {
                        assert_eq!(start, next);
                        next += count * piece;
                        assert!(next <= within || start >= within);
                    }
                }
                assert_eq!(next, length);
                assert!(within <= limit, "{length} {most} {limit}");
                assert!(within == length || within + most > limit);
            }
        }
    }
}
