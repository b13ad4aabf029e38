//! Matrix products: C = A B, A^T B and A B^T, overwriting C or added to it.
//!
//! ```text
//! c_ij  =  sum over p of  a_ip b_pj        A is [m, k], B is [k, n], C is [m, n]
//! ```
//!
//! Three loops say it all, and do 1.6 GFLOP/s on a core that can do 274: this is what a factor of 160
//! is made of. Figures are of one core of a Zen 5 (EPYC, 4.28 GHz) with AVX-512; `cargo bench -- matmul`
//! prints speeds and limits of the machine at hand.
//!
//! # One rule first
//!
//! Every element of C is one chain: it starts from c_ij, or from +0, and takes one fused multiply-add
//! for each p, in ascending order. Nothing below changes that, and so nothing below changes a bit of
//! any result: neither the shape of a tile nor the instruction set, the number of threads, or the
//! number of rows that happen to be computed together. What is vectorised is j, never p.
//!
//! # Registers: why there are tiles
//!
//! The core starts two fused multiply-adds of 16 lanes in a cycle: 64 operations, 274 GFLOP/s. It also
//! loads two vectors in a cycle, so a multiply-add that had to load both its factors would run at a
//! fraction of that, and each takes four cycles to finish, so at least eight must be under way that do
//! not wait for each other. Both ask for the same thing: many elements of C at once. The tile holds
//! MR x NR = 6 rows by 64 columns of C in 24 registers. For each p it loads 4 vectors of B, broadcasts
//! 6 elements of A, and does 24 multiply-adds in 12 cycles:
//!
//! ```text
//!                       b_p,0..16   b_p,16..32  b_p,32..48  b_p,48..64      4 loads
//!            a_0,p      c c c c     c c c c     c c c c     c c c c
//!            a_1,p      c c c c     c c c c     c c c c     c c c c         6 broadcasts
//!            ...                                                            24 multiply-adds
//!            a_5,p      c c c c     c c c c     c c c c     c c c c
//! ```
//!
//! 10 loads in 12 cycles leave room, where a square of single vectors would need 24. `kernel.rs` is that
//! loop, written once for any vector and any shape of tile; `isa.rs` has the compiler make it for each
//! instruction set. From the first-level cache it reaches 0.97 to 0.99 of the peak.
//!
//! # Caches: why there are blocks
//!
//! In 12 cycles a tile consumes 256 bytes of B and 24 of A: 23 bytes a cycle. What the levels give:
//!
//! | level | size | bytes a cycle |
//! |---|---|---|
//! | first | 48 KiB | 128 |
//! | second | 1 MiB | 62 |
//! | third, shared | 32 MiB | 29 |
//!
//! So B may come from the second level, and hardly suffers from the third; and the processor, which
//! looks some ten p ahead, hides the time that this takes. That is why hardly anything is packed here.
//! The blocks see to it that what a tile reads again is where it can be read fast:
//!
//! ```text
//!        n                          k                      n
//!    +---+---+---+-+           +-----+-----+-          +---+---+---+-+
//!    |   |   |   | |           | KC  |     |           |NR |   |   | |  KC
//! MC |   | C |   | |    +=   MC|     |  A  |      x    +---+---+---+-+
//!    |   |   |   | |           |=====|     |  MR       |   | B |   | |
//!    +---+---+---+-+           +-----+-----+-          +---+---+---+-+
//!
//! for ic in 0..m by MC = 1024        a block of A, MC x KC, in the third level
//!   for pc in 0..k by KC = 1024      ... read again for each panel
//!     for jc in 0..n by NR = 64      a panel of B, KC x NR, 256 KiB: read again for each tile
//!       for ir in 0..MC by MR = 6    a tile of C, in registers
//!         for p in 0..KC             one column of A times one row of B
//! ```
//!
//! These are the five loops of GotoBLAS (Goto and van de Geijn, "Anatomy of High-Performance Matrix
//! Multiplication", 2008) as BLIS cuts them (Van Zee and van de Geijn, "BLIS: A Framework for Rapidly
//! Instantiating BLAS Functionality", 2015), less their outermost, which keeps a large block of B in the
//! third level: here B is read once for every 1024 rows, and A for every panel of B: 24 bytes in 12 cycles
//! are little even for the third level. Loading and storing C costs a tile 48 moves; KC spreads them
//! over up to 1024 p.
//!
//! # Packing: when it pays
//!
//! - A B: B is read where it is, if its rows start with cache lines, as those of a [`Matrix`] do that is
//!   a multiple of 64 bytes wide: 0.97 to 0.99 of the peak from 96 to 512. Past 512 p a panel is more
//!   than the second level keeps of rows that are a power of two apart and so share sets (0.86 at
//!   1024); a copy of it comes back from 64 tiles on (0.95). Of rows that start within a line every
//!   vector is in two: there a copy comes back from 64 tiles on, too, and from 16 on for up to 128
//!   rows, which then fit into the first level. Panels of one line, which are those of AVX2 and NEON,
//!   fit there anyhow, but not rows 4 KiB apart, all of which share one set: those are packed from 5
//!   tiles on (AVX2 at 128 x 128 x 1024: 0.71 and 0.91).
//! - A^T B: each p has a line of A to itself, and they crowd the first level, so from 5 tiles on B is
//!   packed, KC is 128 and MC 512.
//! - A B^T: b_pj and b_p,j+1 are far apart, so B is always packed, through squares of 8 by 16. For few
//!   rows that costs as much as the product; then C^T = B A^T is computed instead (`flip.rs`).
//! - [`PackedMatrix`]: weights that are multiplied many times are packed once.
//!
//! # Edges
//!
//! 65 columns are one panel of five vectors (up to six when others stand before it), not one of four
//! and a tile for a single column; 50 rows are nine tiles of five and six, not eight of six and a rest
//! of two (`cut.rs`). The last panel reads on past the end of B's rows, into the next row. It stores past
//! the end of C's rows, too, where the next row is computed after; and where it is not, works on a copy
//! of C with room for what comes out. No element has a path of its own.
//!
//! A single row of C is a case of its own. It uses each element of B once, so only the cache counts that
//! B is in, and two panels side by side keep eight chains under way. Every other product with the same
//! packed weights goes through them backward: what was used last is met first, while it is still there.
//!
//! # Small products
//!
//! A product of 1 by 8 and 8 by 8, a step of the notebook's network, is one tile and takes some 50 cycles.
//! The questions above (how to cut, what to pack, whose buffers) take more, so one comes before them:
//! what is a single tile over B where it lies goes to that tile at once (`small.rs`).
//!
//! # What was tried and lost
//!
//! | tried | result |
//! |---|---|
//! | 14 x 32 tile, A packed in chunks of a line for each row | 0.81 of the peak: all broadcasts of a step come from the same place in their lines |
//! | 12 x 32 tile, A in place | 0.92 at 128 p, where 6 x 64 has 0.98: 14 loads in 12 cycles |
//! | 4 x 96 tile | as fast, but 33 bytes of B a cycle |
//! | KC = 512 | 0.93 of the peak for 1024 x 1024 x 1024, where KC = 1024 has 0.95 |
//! | KC = 256, MC = 512 | 0.89 for the same; for 512 x 512 x 512 of f64 0.89, where KC = 1024 has 0.94 |
//! | all of B packed from 64 tiles on, and from 16 for up to 128 rows | 0.91 at 96, 0.94 at 128 and 0.95 at 512, where reading it in place has 0.98 |
//! | A packed, or blocks of it copied against colliding lines | nothing within the noise |
//! | B packed by the first tiles as they read it | 0.91 where reading it in place has 0.93 |
//! | the next panel of packed weights prefetched | 0.87 to 0.95 of the peak at 64x512x2048 where other work has pushed them out of the third level; else, and in training, nothing |
//! | panels in the outer loop, chains in the inner | the same within 1 % |
//! | stores of part of a vector inside the tile | the accumulators leave their registers: 0.31 |
//! | B^T transposed by shuffles of arrays | the compiler takes them apart again: 1.2 cycles an element, 0.9 through squares |
//!
//! # Where to change what
//!
//! | file | what is in it |
//! |---|---|
//! | `kernel.rs` | the innermost loop: tiles, and a single row |
//! | `shape.rs` | which tiles each instruction set has: a new one gets its lines here |
//! | `cut.rs` | how lengths are cut into pieces and columns into panels |
//! | `pack.rs` | copies |
//! | `loops.rs` | the other four loops |
//! | `small.rs` | what needs no loops: one tile, one row |
//! | `flip.rs` | C^T instead of C |
//! | `driver.rs` | threads |
//! | `packed.rs` | weights packed once |
//! | `operand.rs`, `sealed.rs` | operands as they lie in memory; what is compiled for `f32` and `f64` |
//!
//! [`Matrix`]: crate::Matrix

mod cut;
mod driver;
mod flip;
mod kernel;
mod loops;
mod operand;
mod pack;
mod packed;
pub(crate) mod sealed;
mod shape;
mod small;

pub use loops::try_reserve_for_products;
pub use packed::PackedMatrix;

use crate::isa::Isa;
use crate::scalar::Scalar;
use crate::view::{MatrixView, MatrixViewMut};
use driver::Rhs;
use operand::Strided;

/// C = A B: `[m, k]` times `[k, n]` gives `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul<T: Scalar>(a: MatrixView<'_, T>, b: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
    product("A B", Strided::new(a), Strided::new(b), c, false);
}

/// C += A B: `[m, k]` times `[k, n]` added to `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_acc<T: Scalar>(a: MatrixView<'_, T>, b: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
    product("A B", Strided::new(a), Strided::new(b), c, true);
}

/// C = A^T B: `[k, m]` transposed times `[k, n]` gives `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_tn<T: Scalar>(a: MatrixView<'_, T>, b: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
    product("A^T B", Strided::transposed(a), Strided::new(b), c, false);
}

/// C += A^T B: `[k, m]` transposed times `[k, n]` added to `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_tn_acc<T: Scalar>(
    a: MatrixView<'_, T>,
    b: MatrixView<'_, T>,
    c: MatrixViewMut<'_, T>,
) {
    product("A^T B", Strided::transposed(a), Strided::new(b), c, true);
}

/// C = A B^T: `[m, k]` times `[n, k]` transposed gives `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_nt<T: Scalar>(a: MatrixView<'_, T>, b: MatrixView<'_, T>, c: MatrixViewMut<'_, T>) {
    product("A B^T", Strided::new(a), Strided::transposed(b), c, false);
}

/// C += A B^T: `[m, k]` times `[n, k]` transposed added to `[m, n]`.
///
/// # Panics
/// Shapes that do not fit.
#[track_caller]
pub fn matmul_nt_acc<T: Scalar>(
    a: MatrixView<'_, T>,
    b: MatrixView<'_, T>,
    c: MatrixViewMut<'_, T>,
) {
    product("A B^T", Strided::new(a), Strided::transposed(b), c, true);
}

#[track_caller]
fn product<T: Scalar>(
    name: &str,
    a: Strided<'_, T>,
    b: Strided<'_, T>,
    c: MatrixViewMut<'_, T>,
    accumulate: bool,
) {
    if a.cols != b.rows || (a.rows, b.cols) != (c.rows(), c.cols()) {
        misfit(
            name,
            (a.rows, a.cols),
            (b.rows, b.cols),
            (c.rows(), c.cols()),
        );
    }
    T::product(Isa::active(), a, Rhs::Plain(b), c, accumulate);
}

/// Shapes as [m, k] x [k, n] -> [m, n], transposition already applied.
#[cold]
#[track_caller]
fn misfit(name: &str, a: (usize, usize), b: (usize, usize), c: (usize, usize)) -> ! {
    panic!(
        "shapes do not fit in C = {name}: {} x {} times {} x {} into {} x {}",
        a.0, a.1, b.0, b.1, c.0, c.1
    );
}
