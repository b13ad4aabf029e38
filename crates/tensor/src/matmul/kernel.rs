//! The register tile: MR rows by P vectors of C, kept in registers while k runs.

#![allow(
    clippy::needless_range_loop,
    clippy::manual_memcpy,
    reason = "indices i, j, l, p name the dimensions of the tile, and vectors move one by one"
)]

use crate::isa::Kernel;
use crate::scalar::Scalar;

/// Work for `count` tiles below each other: C\[count MR, P W\] (+)= A\[count MR, depth\] B\[depth, P W\].
pub(crate) struct Tiles<'a, T> {
    /// How many.
    pub(crate) count: usize,
    /// Length of the chains; at least 1.
    pub(crate) depth: usize,
    /// A from the first tile's first element on.
    pub(crate) a: &'a [T],
    /// Elements from one row of A to the next.
    pub(crate) a_row: usize,
    /// Elements from one column of A to the next.
    pub(crate) a_col: usize,
    /// B from the tiles' first element on, whole vectors in each row.
    pub(crate) b: &'a [T],
    /// Elements from one row of B to the next.
    pub(crate) b_row: usize,
    /// C from the first tile's first element on.
    pub(crate) c: &'a mut [T],
    /// Elements from one row of C to the next.
    pub(crate) c_row: usize,
    /// Whether chains start from C; from +0 otherwise.
    pub(crate) load: bool,
}

/// Tiles of `MR` rows and `P` vectors of `W` lanes. They share B, which stays in the first-level cache.
///
/// Everything that depends on the shape is settled before the accumulators exist, and nothing
/// indexes them by a number that the compiler does not know: only so do they stay in registers.
/// A closure that it does not inline in between costs 24 stores and 24 loads (measured: 0.85 of the
/// peak instead of 0.97 for 64 x 64 x 64).
pub(crate) struct Fixed<'a, T, const W: usize, const P: usize, const MR: usize>(
    pub(crate) Tiles<'a, T>,
);

impl<T: Scalar, const W: usize, const P: usize, const MR: usize> Kernel for Fixed<'_, T, W, P, MR> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Tiles {
            count,
            depth,
            a,
            a_row,
            a_col,
            b,
            b_row,
            c,
            c_row,
            load,
        } = self.0;
        // Rows of one length, so that a single check for each k covers them all.
        let length = (depth - 1) * a_col + 1;
        for tile in 0..count {
            let a = &a[tile * MR * a_row..];
            let mut rows: [&[T]; MR] = [&[]; MR];
            for i in 0..MR {
                rows[i] = &a[i * a_row..][..length];
            }
            let c = &mut c[tile * MR * c_row..];
            let mut acc = [[[T::ZERO; W]; P]; MR];
            if load {
                for i in 0..MR {
                    let row = c[i * c_row..][..P * W].as_chunks::<W>().0;
                    for j in 0..P {
                        acc[i][j] = row[j];
                    }
                }
            }
            for p in 0..depth {
                let b = b[p * b_row..][..P * W].as_chunks::<W>().0;
                rank_one(&mut acc, &rows, p * a_col, std::array::from_fn(|j| &b[j]));
            }
            for i in 0..MR {
                let row = c[i * c_row..][..P * W].as_chunks_mut::<W>().0;
                for j in 0..P {
                    row[j] = acc[i][j];
                }
            }
        }
    }
}

/// One row of C over two panels of B.
pub(crate) struct Row<'a, T> {
    /// Length of the chains.
    pub(crate) depth: usize,
    /// The row of A.
    pub(crate) a: &'a [T],
    /// Elements from one column of A to the next.
    pub(crate) a_col: usize,
    /// The two panels.
    pub(crate) b: [&'a [T]; 2],
    /// Elements from one row of B to the next.
    pub(crate) b_row: usize,
    /// The row of C: as many elements as two panels have columns.
    pub(crate) c: &'a mut [T],
    /// Whether chains start from C; from +0 otherwise.
    pub(crate) load: bool,
}

/// The same for panels of `P` vectors: eight accumulators where one panel has four. A chain of fused
/// multiply-adds waits four cycles for each link and two of them start in a cycle, so eight chains
/// are what keeps both units, or the cache, busy.
pub(crate) struct FixedRow<'a, T, const W: usize, const P: usize>(pub(crate) Row<'a, T>);

impl<T: Scalar, const W: usize, const P: usize> Kernel for FixedRow<'_, T, W, P> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Row {
            depth,
            a,
            a_col,
            b: [left, right],
            b_row,
            c,
            load,
        } = self.0;
        let mut acc = [[[[T::ZERO; W]; P]; 1]; 2];
        let c = c.as_chunks_mut::<W>().0.as_chunks_mut::<P>().0;
        if load {
            for half in 0..2 {
                acc[half][0] = c[half];
            }
        }
        for p in 0..depth {
            for (half, b) in [left, right].into_iter().enumerate() {
                let b = b[p * b_row..][..P * W].as_chunks::<W>().0;
                rank_one(
                    &mut acc[half],
                    &[a],
                    p * a_col,
                    std::array::from_fn(|j| &b[j]),
                );
            }
        }
        for half in 0..2 {
            c[half] = acc[half][0];
        }
    }
}

/// One k: a column of A times a row of B.
///
/// Three rows at a time, and four vectors: longer loops are unrolled before they are vectorised, and
/// some of them then end as scalar code a hundred times slower (measured: 4 rows, and 7 to 10).
#[inline(always)]
fn rank_one<T: Scalar, const W: usize, const P: usize, const MR: usize>(
    acc: &mut [[[T; W]; P]; MR],
    a: &[&[T]; MR],
    at: usize,
    b: [&[T; W]; P],
) {
    const ROWS: usize = 3;
    some_rows(acc, a, at, &b, 0, least(MR, ROWS));
    if MR > ROWS {
        some_rows(acc, a, at, &b, ROWS, least(MR, 2 * ROWS));
    }
    if MR > 2 * ROWS {
        some_rows(acc, a, at, &b, 2 * ROWS, MR);
    }
}

#[inline(always)]
fn some_rows<T: Scalar, const W: usize, const P: usize, const MR: usize>(
    acc: &mut [[[T; W]; P]; MR],
    a: &[&[T]; MR],
    at: usize,
    b: &[&[T; W]; P],
    from: usize,
    to: usize,
) {
    const VECTORS: usize = 4;
    for i in from..to {
        let x = a[i][at];
        for j in 0..least(P, VECTORS) {
            for l in 0..W {
                acc[i][j][l] = x.mul_add(b[j][l], acc[i][j][l]);
            }
        }
        for j in VECTORS..P {
            for l in 0..W {
                acc[i][j][l] = x.mul_add(b[j][l], acc[i][j][l]);
            }
        }
    }
}

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}
