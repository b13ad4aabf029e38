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

/// Fewest rows of a part: each reads all of B again, and fewer would not pay for that.
const FEWEST_ROWS: usize = 12;
/// What a multiply-add of a single row counts for: its weights come from afar, and serve once.
const ONE_ROW: usize = 2;
/// What copying an element counts for.
const COPY: usize = 32;

/// The right operand.
#[derive(Clone, Copy, Debug)]
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
    let (a, b) = (*a, *b);
    match b {
        Rhs::Packed(b) if m == 1 => split_columns(level, a, b, c.row_mut(0), add),
        b if m == 1 => one_row(level, a, b, c.row_mut(0), add),
        b => split_rows(level, a, b, c, add),
    }
}

/// Cuts the rows of C into a part for each thread: more of them would read B more often.
fn split_rows<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Rhs<'_, T>,
    c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (m, k, n) = (a.rows, a.cols, c.cols());
    let is_high = m >= 2 * FEWEST_ROWS;
    let Some(rows) = parallel::cut(m, m * k * n).filter(|_| is_high) else {
        return match b {
            Rhs::Plain(b) if flip::pays(a, b) => flip::flipped(level, a, b, c, add),
            b => five_loops(level, a, b, c, add),
        };
    };
    let (top, bottom) = c.split_at_row(rows);
    let (above, below) = (a.part(0, rows, 0, k), a.part(rows, m - rows, 0, k));
    parallel::join(
        [rows * k * n, (m - rows) * k * n],
        || split_rows(level, above, b, top, add),
        || split_rows(level, below, b, bottom, add),
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
) {
    let (n, k) = (c.len(), b.depth);
    let panels = Panels::new::<T, L>(n);
    let Some(middle) = parallel::cut(panels.count, n * k * ONE_ROW) else {
        return one_row(level, a, Rhs::Packed(b), c, add);
    };
    let columns = panels.start(middle);
    let (left, right) = c.split_at_mut(columns);
    let (first, second) = b.data.split_at(columns * k);
    let part = |data| Packed { data, ..b };
    parallel::join(
        [left.len() * k * ONE_ROW, right.len() * k * ONE_ROW],
        || split_columns(level, a, part(first), left, add),
        || split_columns(level, a, part(second), right, add),
    );
}

/// Packs all of B; inside a pool its threads share the panels out.
pub(crate) fn pack_all<T: Scalar, L: Shape<T>>(level: L, b: Strided<'_, T>, out: &mut [T]) {
    if b.rows == 0 {
        return;
    }
    let panels = Panels::new::<T, L>(b.cols);
    if let Some(middle) = parallel::cut(panels.count, out.len() * COPY) {
        let columns = panels.start(middle);
        let (left, right) = out.split_at_mut(columns * b.rows);
        parallel::join(
            [left.len() * COPY, right.len() * COPY],
            || pack_all(level, b.part(0, b.rows, 0, columns), left),
            || pack_all(level, b.part(0, b.rows, columns, b.cols - columns), right),
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
