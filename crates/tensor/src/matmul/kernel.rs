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
    /// Columns of C: at most `panels` vectors.
    pub(crate) width: usize,
    /// Whether chains start from C; from +0 otherwise.
    pub(crate) load: bool,
}

/// The tile for `P` vectors of `W` lanes and `MR` rows, A packed by `KU`.
pub(crate) struct Fixed<'a, T, const W: usize, const P: usize, const MR: usize, const KU: usize>(
    pub(crate) Tile<'a, T>,
);

impl<T: Scalar, const W: usize, const P: usize, const MR: usize, const KU: usize> Kernel
    for Fixed<'_, T, W, P, MR, KU>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let t = self.0;
        let mut acc = [[[T::ZERO; W]; P]; MR];
        let whole = t.width == P * W;
        if t.load {
            for i in 0..MR {
                if whole {
                    load_whole(&mut acc[i], &t.c[i * t.c_stride..]);
                } else {
                    load_part(&mut acc[i], &t.c[i * t.c_stride..][..t.width]);
                }
            }
        }
        let b: [&[[T; W]]; P] =
            std::array::from_fn(|j| t.b[j * t.b_stride..][..t.depth * W].as_chunks::<W>().0);
        let (a, _) = t.a.as_chunks::<KU>();
        let (a, _) = a.as_chunks::<MR>();
        let full = t.depth / KU;
        for (q, a) in a[..full].iter().enumerate() {
            let b: [&[[T; W]]; P] = std::array::from_fn(|j| &b[j][q * KU..][..KU]);
            for u in 0..KU {
                step(&mut acc, a, u, std::array::from_fn(|j| &b[j][u]));
            }
        }
        if KU > 1 && full * KU < t.depth {
            let rest = t.depth - full * KU;
            let b: [&[[T; W]]; P] = std::array::from_fn(|j| &b[j][full * KU..][..rest]);
            let a = &a[full];
            for u in 0..rest.min(KU) {
                step(&mut acc, a, u, std::array::from_fn(|j| &b[j][u]));
            }
        }
        for i in 0..MR {
            if whole {
                store_whole(&mut t.c[i * t.c_stride..], &acc[i]);
            } else {
                store_part(&mut t.c[i * t.c_stride..][..t.width], &acc[i]);
            }
        }
    }
}

/// One k: a column of A times a row of B.
#[inline(always)]
fn step<T: Scalar, const W: usize, const P: usize, const MR: usize, const KU: usize>(
    acc: &mut [[[T; W]; P]; MR],
    a: &[[T; KU]; MR],
    u: usize,
    b: [&[T; W]; P],
) {
    for i in 0..MR {
        for j in 0..P {
            for l in 0..W {
                acc[i][j][l] = a[i][u].mul_add(b[j][l], acc[i][j][l]);
            }
        }
    }
}

#[inline(always)]
fn load_whole<T: Scalar, const W: usize, const P: usize>(acc: &mut [[T; W]; P], c: &[T]) {
    acc.as_flattened_mut().copy_from_slice(&c[..P * W]);
}

#[inline(always)]
fn store_whole<T: Scalar, const W: usize, const P: usize>(c: &mut [T], acc: &[[T; W]; P]) {
    c[..P * W].copy_from_slice(acc.as_flattened());
}

#[inline(always)]
fn load_part<T: Scalar, const W: usize, const P: usize>(acc: &mut [[T; W]; P], c: &[T]) {
    for (acc, c) in acc.as_flattened_mut().iter_mut().zip(c) {
        *acc = *c;
    }
}

#[inline(always)]
fn store_part<T: Scalar, const W: usize, const P: usize>(c: &mut [T], acc: &[[T; W]; P]) {
    for (c, acc) in c.iter_mut().zip(acc.as_flattened()) {
        *c = *acc;
    }
}
