//! Threads: who computes which part of a product. No element's chain depends on where the cuts are.

use super::cut::Panels;
use super::flip;
use super::loops::five_loops;
use super::operand::{Packed, Strided};
use super::pack::PackPanel;
use super::shape::Shape;
use super::small::{is_one_tile, one_row, one_tile};
use crate::parallel;
use crate::scalar::Scalar;
use crate::view::MatrixViewMut;

/// Multiply-adds below which a product stays on one thread: 2^20 take 4 microseconds, about what
/// waking another thread costs.
const WORTH_SPLITTING: usize = 1 << 20;
/// Fewest rows of a part: each reads all of B again, and fewer would not pay for that.
const FEWEST_ROWS: usize = 12;

/// The right operand.
#[derive(Clone, Copy)]
pub enum Rhs<'a, T> {
    /// As the caller has it.
    Plain(Strided<'a, T>),
    /// Packed before.
    Packed(Packed<'a, T>),
}

/// C = A B, or C += A B: on the calling thread, or on all of the pool that the caller runs in.
pub(crate) fn product<T: Scalar, L: Shape<T>>(
    level: L,
    a: &Strided<'_, T>,
    b: &Rhs<'_, T>,
    mut c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (m, k, n) = (a.rows, a.cols, c.cols());
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        if !add {
            for r in 0..m {
                c.row_mut(r).fill(T::ZERO);
            }
        }
        return;
    }
    if is_one_tile::<T, L>(a, b, n) {
        return one_tile(level, a, b, c, add);
    }
    let parts = if m * k * n >= WORTH_SPLITTING {
        parallel::threads()
    } else {
        1
    };
    let (a, b) = (*a, *b);
    match b {
        Rhs::Packed(b) if m == 1 => split_columns(level, a, b, c.row_mut(0), add, parts),
        b if m == 1 => one_row(level, a, b, c.row_mut(0), add),
        b => split_rows(level, a, b, c, add, parts),
    }
}

/// Halves the rows of C until there is a part for each thread: more of them would read B more often.
fn split_rows<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Rhs<'_, T>,
    c: MatrixViewMut<'_, T>,
    add: bool,
    parts: usize,
) {
    let (m, k) = (a.rows, a.cols);
    if parts < 2 || m < 2 * FEWEST_ROWS || m * k * c.cols() < WORTH_SPLITTING {
        return match b {
            Rhs::Plain(b) if flip::pays(a, b) => flip::flipped(level, a, b, c, add),
            b => five_loops(level, a, b, c, add),
        };
    }
    let half = m / 2;
    let (top, bottom) = c.split_at_row(half);
    let (above, below) = (a.part(0, half, 0, k), a.part(half, m - half, 0, k));
    parallel::join(
        || split_rows(level, above, b, top, add, parts / 2),
        || split_rows(level, below, b, bottom, add, parts.div_ceil(2)),
    );
}

/// The same for a single row, whose weights may be beyond one core's cache: one part of the columns
/// for each thread, so that it meets the same weights again next time.
fn split_columns<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Packed<'_, T>,
    c: &mut [T],
    add: bool,
    parts: usize,
) {
    let n = c.len();
    let panels = Panels::new::<T, L>(n);
    if parts < 2 || n * b.depth < WORTH_SPLITTING / 2 || panels.count < 2 {
        return one_row(level, a, Rhs::Packed(b), c, add);
    }
    let half = panels.start(panels.count / 2);
    let (left, right) = c.split_at_mut(half);
    let (first, second) = b.data.split_at(half * b.depth);
    let part = |data| Packed { data, ..b };
    parallel::join(
        || split_columns(level, a, part(first), left, add, parts / 2),
        || split_columns(level, a, part(second), right, add, parts.div_ceil(2)),
    );
}

/// Packs all of B; inside a pool its threads share the panels out.
pub(crate) fn pack_all<T: Scalar, L: Shape<T>>(level: L, b: Strided<'_, T>, out: &mut [T]) {
    if b.rows == 0 {
        return;
    }
    let panels = Panels::new::<T, L>(b.cols);
    if out.len() > WORTH_SPLITTING / 32 && panels.count > 1 && parallel::is_parallel() {
        let half = panels.start(panels.count / 2);
        let (left, right) = out.split_at_mut(half * b.rows);
        parallel::join(
            || pack_all(level, b.part(0, b.rows, 0, half), left),
            || pack_all(level, b.part(0, b.rows, half, b.cols - half), right),
        );
        return;
    }
    for panel in (0..panels.count).map(|i| panels.get(i)) {
        let pack = PackPanel {
            b: b.part(0, b.rows, panel.start, panel.width),
            panel: &mut out[panel.start * b.rows..],
        };
        level.pack(panel.vectors, pack);
    }
}
