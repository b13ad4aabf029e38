//! The five loops, and the threads around them.

use super::cut::{Even, Panels};
use super::kernel::{Row, Tiles};
use super::operand::{Packed, Strided};
use super::pack::{CopyRows, PackPanel};
use super::sealed::Operand;
use super::shape::Shape;
use crate::scalar::Scalar;
use crate::view::MatrixViewMut;

/// KC: length of the chains between loading and storing C, where rows of A are contiguous.
const KC: usize = 256;
/// The same where its columns are: each k then needs a line of its own, and B shares the first-level
/// cache with all of them.
const KC_ACROSS: usize = 128;
/// MC: rows of A in a block, at most half of a second-level cache of 1 MiB.
const MC: usize = 512;
/// Tiles below each other from which on a panel of B is worth packing beside an A read across.
const WORTH_PACKING: usize = 5;
/// Elements that the copies have at most. Buffers have that much room at once, so that a thread
/// allocates in its first product and never again; what is not used is never touched.
const PANEL_LEN: usize = KC * 6 * 16;
const EDGE_LEN: usize = MC * 6 * 16;
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
    a: Strided<'_, T>,
    b: Rhs<'_, T>,
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
    let split = m * k * n >= WORTH_SPLITTING && rayon::current_thread_index().is_some();
    match b {
        Rhs::Packed(b) if split && m == 1 => split_columns(level, a, b, c.row_mut(0), add),
        b if split => split_rows(level, a, b, c, add),
        b => five_loops(level, a, b, c, add),
    }
}

/// Halves the rows of C until a part is not worth another thread. No element's chain depends on
/// where the cuts are.
fn split_rows<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Rhs<'_, T>,
    c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (m, k) = (a.rows, a.cols);
    if m < 2 * FEWEST_ROWS || m * k * c.cols() < WORTH_SPLITTING {
        return five_loops(level, a, b, c, add);
    }
    let half = m / 2;
    let (top, bottom) = c.split_at_row(half);
    rayon::join(
        || split_rows(level, a.part(0, half, 0, k), b, top, add),
        || split_rows(level, a.part(half, m - half, 0, k), b, bottom, add),
    );
}

/// The same for a single row, whose weights are beyond one core's cache: halves its columns, so that
/// each thread reads its own weights.
fn split_columns<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Packed<'_, T>,
    c: &mut [T],
    add: bool,
) {
    let n = c.len();
    let panels = Panels::new::<T, L>(n);
    if n * b.depth < WORTH_SPLITTING / 2 || panels.count < 2 {
        let c = MatrixViewMut::new(c, 1, n);
        return five_loops(level, a, Rhs::Packed(b), c, add);
    }
    let half = panels.start(panels.count / 2);
    let (left, right) = c.split_at_mut(half);
    let (first, second) = b.data.split_at(half * b.depth);
    let part = |data| Packed { data, ..b };
    rayon::join(
        || split_columns(level, a, part(first), left, add),
        || split_columns(level, a, part(second), right, add),
    );
}

/// Packs all of B; inside a pool its threads share the panels out.
pub(crate) fn pack_all<T: Scalar, L: Shape<T>>(level: L, b: Strided<'_, T>, out: &mut [T]) {
    let panels = Panels::new::<T, L>(b.cols);
    if out.len() > WORTH_SPLITTING / 32
        && panels.count > 1
        && rayon::current_thread_index().is_some()
    {
        let half = panels.start(panels.count / 2);
        let (left, right) = out.split_at_mut(half * b.rows);
        rayon::join(
            || pack_all(level, b.part(0, b.rows, 0, half), left),
            || pack_all(level, b.part(0, b.rows, half, b.cols - half), right),
        );
        return;
    }
    for panel in 0..panels.count {
        let (start, width) = (panels.start(panel), panels.width(panel));
        let pack = PackPanel {
            b: b.part(0, b.rows, start, width),
            panel: &mut out[start * b.rows..],
        };
        level.pack(panels.vectors(panel), pack);
    }
}

/// The product on this thread.
fn five_loops<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Rhs<'_, T>,
    mut c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (m, k, n) = (a.rows, a.cols, c.cols());
    let panels = Panels::new::<T, L>(n);
    let mut panel_buffer = T::take_buffer(Operand::B);
    let b_panel = panel_buffer.aligned(PANEL_LEN);
    let mut edge_buffer = T::take_buffer(Operand::C);
    let edge = edge_buffer.aligned(EDGE_LEN);
    let c_row = c.stride();
    let c = c.data_mut();
    // A single row uses each element of packed B once: nothing to keep in a cache.
    let kc = match b {
        Rhs::Packed(_) if m == 1 => k,
        _ if a.col_stride == 1 => KC,
        _ => KC_ACROSS,
    };
    for (ic, rows) in Even::new(m, MC).pieces() {
        for (pc, depth) in Even::new(k, kc).pieces() {
            let across = a.col_stride != 1;
            let a = a.part(ic, rows, pc, depth);
            let mut panel = 0;
            while panel < panels.count {
                let (jc, width) = (panels.start(panel), panels.width(panel));
                let vectors = panels.vectors(panel);
                let tiles = Even::new(rows, L::max_rows(vectors));
                // B, the elements from one of its rows to the next, and to the panel at the right.
                let (b, b_row, next) = match b {
                    Rhs::Packed(b) => {
                        let b_row = vectors * L::LANES;
                        (
                            &b.data[jc * b.depth + pc * b_row..],
                            b_row,
                            Some(width * b.depth),
                        )
                    }
                    Rhs::Plain(b)
                        if b.col_stride == 1
                            && width.is_multiple_of(L::LANES)
                            && !(across && tiles.count >= WORTH_PACKING) =>
                    {
                        (&b.data[pc * b.row_stride + jc..], b.row_stride, Some(width))
                    }
                    Rhs::Plain(b) => {
                        let pack = PackPanel {
                            b: b.part(pc, depth, jc, width),
                            panel: &mut *b_panel,
                        };
                        level.pack(vectors, pack);
                        (&b_panel[..], vectors * L::LANES, None)
                    }
                };
                let load = add || pc > 0;
                if let Some(next) = next.filter(|_| m == 1 && panels.whole(panel + 1)) {
                    level.row(Row {
                        depth,
                        a: a.data,
                        a_col: a.col_stride,
                        b: [b, &b[next..]],
                        b_row,
                        c: &mut c[jc..][..2 * width],
                        load,
                    });
                    panel += 2;
                    continue;
                }
                // The panel at the edge of C has more columns than C: its tiles work on a copy.
                let whole = vectors * L::LANES;
                let at_edge = width < whole;
                let own = &mut c[ic * c_row + jc..];
                if at_edge && load && pc == 0 {
                    level.run(CopyRows {
                        rows,
                        width,
                        from: own,
                        from_row: c_row,
                        to: &mut *edge,
                        to_row: whole,
                    });
                }
                let (c_tiles, c_tiles_row) = if at_edge {
                    (&mut *edge, whole)
                } else {
                    (&mut *own, c_row)
                };
                for (ir, rows, count) in tiles.runs() {
                    if count == 0 {
                        continue;
                    }
                    let tiles = Tiles {
                        count,
                        depth,
                        a: &a.data[ir * a.row_stride..],
                        a_row: a.row_stride,
                        a_col: a.col_stride,
                        b,
                        b_row,
                        c: &mut c_tiles[ir * c_tiles_row..],
                        c_row: c_tiles_row,
                        load,
                    };
                    level.tiles(vectors, rows, tiles);
                }
                if at_edge && pc + depth == k {
                    level.run(CopyRows {
                        rows,
                        width,
                        from: edge,
                        from_row: whole,
                        to: own,
                        to_row: c_row,
                    });
                }
                panel += 1;
            }
        }
    }
    T::put_buffer(Operand::B, panel_buffer);
    T::put_buffer(Operand::C, edge_buffer);
}
