//! The register tile: MR rows by P vectors of C, kept in registers while k runs.

#![allow(
    clippy::needless_range_loop,
    reason = "indices i, j, l, u name the dimensions of the tile"
)]

use crate::isa::Kernel;
use crate::scalar::Scalar;

/// k's that A is packed by where its rows are contiguous: see `pack.rs`.
pub(crate) const CHUNK: usize = 16;

/// How a tile finds B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// In panels.
    Packed,
    /// Row by row where the caller has it: for products of one row of tiles, which use it once.
    Direct,
    /// The same, writing the panels on the way for the tiles below: the stores cost nothing beside
    /// the arithmetic, while packing beforehand would be a pass of its own.
    Packing,
}

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
    /// B from the tile's first element on.
    pub(crate) b: &'a [T],
    /// Elements from one row of B to the next: the lanes of a panel where B is packed.
    pub(crate) b_row: usize,
    /// Elements from one panel of B to the next: the lanes of a panel where B is not packed.
    pub(crate) b_panel: usize,
    /// Where B comes from.
    pub(crate) source: Source,
    /// Where a tile that packs puts its panels, `[depth][lanes]` each; empty otherwise.
    pub(crate) packed: &'a mut [T],
    /// C from the tile's first element on.
    pub(crate) c: &'a mut [T],
    /// Elements from one row of C to the next.
    pub(crate) c_stride: usize,
    /// Whether chains start from C; from +0 otherwise.
    pub(crate) load: bool,
}

/// The tile of `MR` rows and `P` vectors of `W` lanes, A packed by `KU`, B from [`Source`] `S`.
///
/// The compiler keeps the accumulators in registers only while nothing indexes them by a number
/// that it does not know: the tile is always whole, and what reaches past the edge of C works on a
/// copy (see `edge.rs`).
#[rustfmt::skip]
pub(crate) struct Fixed<'a, T, const W: usize, const P: usize, const MR: usize, const KU: usize, const S: u8>(
    pub(crate) Tile<'a, T>,
);

impl<T: Scalar, const W: usize, const P: usize, const MR: usize, const KU: usize, const S: u8>
    Kernel for Fixed<'_, T, W, P, MR, KU, S>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Tile {
            depth,
            a,
            b,
            b_row,
            b_panel,
            packed,
            c,
            c_stride,
            load,
            ..
        } = self.0;
        let mut acc = [[[T::ZERO; W]; P]; MR];
        if load {
            for i in 0..MR {
                let row = &c[i * c_stride..][..P * W];
                for j in 0..P {
                    acc[i][j].copy_from_slice(&row[j * W..][..W]);
                }
            }
        }
        // A panel has exactly `depth` rows: what the compiler must see to drop its checks below.
        let panels: [&[[T; W]]; P] = std::array::from_fn(|j| {
            let whole = if S == Source::Packed as u8 { depth } else { 0 };
            b[j * b_panel..][..whole * W].as_chunks::<W>().0
        });
        let mut rows = Rows {
            b,
            b_row,
            packed,
            depth,
        };
        let a = a.as_chunks::<KU>().0.as_chunks::<MR>().0;
        let full = depth / KU;
        for (q, a) in a[..full].iter().enumerate() {
            if S == Source::Packed as u8 {
                let b: [&[[T; W]]; P] = std::array::from_fn(|j| &panels[j][q * KU..][..KU]);
                for u in 0..KU {
                    step(&mut acc, a, u, std::array::from_fn(|j| &b[j][u]));
                }
            } else {
                for u in 0..KU {
                    step(&mut acc, a, u, rows.row::<W, P, S>(q * KU + u));
                }
            }
        }
        for p in full * KU..depth {
            let (a, u) = (&a[full], (p - full * KU) % KU);
            if S == Source::Packed as u8 {
                step(&mut acc, a, u, std::array::from_fn(|j| &panels[j][p]));
            } else {
                step(&mut acc, a, u, rows.row::<W, P, S>(p));
            }
        }
        for i in 0..MR {
            let row = &mut c[i * c_stride..][..P * W];
            for j in 0..P {
                row[j * W..][..W].copy_from_slice(&acc[i][j]);
            }
        }
    }
}

/// B as the caller has it, and where its panels go.
struct Rows<'a, T> {
    b: &'a [T],
    b_row: usize,
    packed: &'a mut [T],
    depth: usize,
}

impl<'a, T: Scalar> Rows<'a, T> {
    /// Row p of B, written to the panels if they are to be made.
    #[inline(always)]
    fn row<const W: usize, const P: usize, const S: u8>(&mut self, p: usize) -> [&'a [T; W]; P] {
        let row: &'a [T] = &self.b[p * self.b_row..][..P * W];
        let row = row.as_chunks::<W>().0;
        if S == Source::Packing as u8 {
            for j in 0..P {
                self.packed[(j * self.depth + p) * W..][..W].copy_from_slice(&row[j]);
            }
        }
        std::array::from_fn(|j| &row[j])
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
