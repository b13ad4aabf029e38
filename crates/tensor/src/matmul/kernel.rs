//! The register tile: MR rows by P vectors of C, kept in registers while k runs.

#![allow(
    clippy::needless_range_loop,
    reason = "indices i, j, l, u name the dimensions of the tile"
)]

use crate::isa::Kernel;
use crate::scalar::Scalar;

/// k's that A is packed by where its rows are contiguous: see `pack.rs`.
pub(crate) const CHUNK: usize = 16;

/// One tile's worth of work: C\[rows, width\] (+)= A\[rows, depth\] B\[depth, width\].
pub(crate) struct Tile<'a, T> {
    /// Rows of C, and of the packed A.
    pub(crate) rows: usize,
    /// Panels of B, each one vector wide.
    pub(crate) panels: usize,
    /// Length of the chains.
    pub(crate) depth: usize,
    /// A, packed in chunks of `[rows][chunk]`.
    pub(crate) a: &'a [T],
    /// 1 or [`CHUNK`].
    pub(crate) chunk: usize,
    /// B's panels, `[depth][lanes]` each.
    pub(crate) b: &'a [T],
    /// Elements from one panel to the next.
    pub(crate) b_stride: usize,
    /// C from the tile's first element on.
    pub(crate) c: &'a mut [T],
    /// Elements from one row of C to the next.
    pub(crate) c_stride: usize,
    /// Whether chains start from C; from +0 otherwise.
    pub(crate) load: bool,
}

/// The tile of `MR` rows and `P` vectors of `W` lanes, A packed by `KU`.
///
/// The compiler keeps the accumulators in registers only if nothing ever indexes them by a number
/// that it does not know: hence the copies in [`Fixed::load`] and [`Fixed::store`], which give
/// the edges an array of their own to index.
pub(crate) struct Fixed<'a, T, const W: usize, const P: usize, const MR: usize, const KU: usize>(
    pub(crate) Tile<'a, T>,
);

impl<T: Scalar, const W: usize, const P: usize, const MR: usize, const KU: usize> Kernel
    for Fixed<'_, T, W, P, MR, KU>
{
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let mut acc = [[[T::ZERO; W]; P]; MR];
        if self.0.load {
            self.load(&mut acc);
        }
        let Tile {
            depth,
            a,
            b,
            b_stride,
            ..
        } = self.0;
        let b: [&[[T; W]]; P] =
            std::array::from_fn(|j| b[j * b_stride..][..depth * W].as_chunks::<W>().0);
        let a = a.as_chunks::<KU>().0.as_chunks::<MR>().0;
        let full = depth / KU;
        for (q, a) in a[..full].iter().enumerate() {
            let b: [&[[T; W]]; P] = std::array::from_fn(|j| &b[j][q * KU..][..KU]);
            for u in 0..KU {
                step(&mut acc, a, u, std::array::from_fn(|j| &b[j][u]));
            }
        }
        let rest = depth % KU;
        if rest > 0 {
            let a = &a[full];
            let b: [&[[T; W]]; P] = std::array::from_fn(|j| &b[j][full * KU..][..rest]);
            for u in 0..rest {
                step(&mut acc, a, u, std::array::from_fn(|j| &b[j][u]));
            }
        }
        self.store(acc);
    }
}

impl<T: Scalar, const W: usize, const P: usize, const MR: usize, const KU: usize>
    Fixed<'_, T, W, P, MR, KU>
{
    #[inline(always)]
    fn load(&self, acc: &mut [[[T; W]; P]; MR]) {
        for i in 0..MR {
            let row = &self.0.c[i * self.0.c_stride..][..P * W];
            for j in 0..P {
                acc[i][j].copy_from_slice(&row[j * W..][..W]);
            }
        }
    }

    #[inline(always)]
    fn store(&mut self, acc: [[[T; W]; P]; MR]) {
        for i in 0..MR {
            let row = &mut self.0.c[i * self.0.c_stride..][..P * W];
            for j in 0..P {
                row[j * W..][..W].copy_from_slice(&acc[i][j]);
            }
        }
    }
}

/// One k: a column of A times a row of B.
///
/// A loop over rows that the compiler unrolls before it vectorises ends as scalar code, and it
/// unrolls loops of 7 to 10 rows that early: so six rows at a time, and four panels.
#[inline(always)]
fn step<T: Scalar, const W: usize, const P: usize, const MR: usize, const KU: usize>(
    acc: &mut [[[T; W]; P]; MR],
    a: &[[T; KU]; MR],
    u: usize,
    b: [&[T; W]; P],
) {
    const ROWS: usize = 6;
    rank_one(acc, a, u, b, 0, least(MR, ROWS));
    if MR > ROWS {
        rank_one(acc, a, u, b, ROWS, least(MR, 2 * ROWS));
    }
    if MR > 2 * ROWS {
        rank_one(acc, a, u, b, 2 * ROWS, MR);
    }
}

#[inline(always)]
fn rank_one<T: Scalar, const W: usize, const P: usize, const MR: usize, const KU: usize>(
    acc: &mut [[[T; W]; P]; MR],
    a: &[[T; KU]; MR],
    u: usize,
    b: [&[T; W]; P],
    from: usize,
    to: usize,
) {
    const PANELS: usize = 4;
    for i in from..to {
        for j in 0..least(P, PANELS) {
            for l in 0..W {
                acc[i][j][l] = a[i][u].mul_add(b[j][l], acc[i][j][l]);
            }
        }
        for j in PANELS..P {
            for l in 0..W {
                acc[i][j][l] = a[i][u].mul_add(b[j][l], acc[i][j][l]);
            }
        }
    }
}

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}
