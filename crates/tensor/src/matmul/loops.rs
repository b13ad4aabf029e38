//! The five loops: one thread's product.

use super::cut::{Even, Panels};
use super::driver::Rhs;
use super::kernel::{Row, Tiles};
use super::operand::Strided;
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
/// Elements that the copies have at most. Buffers have that much room at once, so that a thread
/// allocates in its first product and never again; what is not used is never touched.
const PANEL_LEN: usize = KC * MOST_COLUMNS;
const EDGE_LEN: usize = MC * MOST_COLUMNS;
/// Elements of an edge that one tile keeps beside its registers.
const SMALL_EDGE: usize = 128;
/// Columns of the widest panel.
const MOST_COLUMNS: usize = 6 * 16;

/// The product on this thread.
pub(crate) fn five_loops<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Rhs<'_, T>,
    mut c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (m, k, n) = (a.rows, a.cols, c.cols());
    let panels = Panels::new::<T, L>(n);
    let across = a.col_stride != 1;
    let kc = if across { KC_ACROSS } else { KC };
    let mut panel_buffer = T::take_buffer(Operand::B);
    let packed = panel_buffer.aligned(PANEL_LEN);
    let mut edge_buffer = T::take_buffer(Operand::C);
    let edge = edge_buffer.aligned(EDGE_LEN);
    let c_row = c.stride();
    let c = c.data_mut();
    for (ic, rows) in Even::new(m, MC).pieces() {
        for (pc, depth) in Even::new(k, kc).pieces() {
            for panel in 0..panels.count {
                let (jc, width) = (panels.start(panel), panels.width(panel));
                let vectors = panels.vectors(panel);
                let whole = vectors * L::LANES;
                let tiles = Even::new(rows, L::max_rows(vectors));

                // The panel at the edge of C has more columns than C: its tiles work on a copy.
                let at_edge = width < whole;
                if at_edge && add && pc == 0 {
                    level.run(CopyRows {
                        rows,
                        width,
                        from: &c[ic * c_row + jc..],
                        from_row: c_row,
                        to: &mut *edge,
                        to_row: whole,
                    });
                }
                let (target, target_row) = if at_edge {
                    (&mut *edge, whole)
                } else {
                    (&mut c[ic * c_row + jc..], c_row)
                };

                let readable = match b {
                    Rhs::Packed(_) => k,
                    Rhs::Plain(_) if worth_packing(across, tiles.count, k) => 0,
                    Rhs::Plain(b) => readable_rows(b, jc, whole),
                };
                let in_place = readable.saturating_sub(pc).min(depth);
                for (from, depth) in [(pc, in_place), (pc + in_place, depth - in_place)] {
                    if depth == 0 {
                        continue;
                    }
                    let (b, b_row) = match b {
                        Rhs::Packed(b) => (&b.data[jc * b.depth + from * whole..], whole),
                        Rhs::Plain(b) if from < readable => {
                            (&b.data[from * b.row_stride + jc..], b.row_stride)
                        }
                        Rhs::Plain(b) => {
                            let pack = PackPanel {
                                b: b.part(from, depth, jc, width),
                                panel: &mut *packed,
                            };
                            level.pack(vectors, pack);
                            (&*packed, whole)
                        }
                    };
                    let a = a.part(ic, rows, from, depth);
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
                            c: &mut target[ir * target_row..],
                            c_row: target_row,
                            load: add || from > 0,
                        };
                        level.tiles(vectors, rows, tiles);
                    }
                }

                if at_edge && pc + depth == k {
                    level.run(CopyRows {
                        rows,
                        width,
                        from: edge,
                        from_row: whole,
                        to: &mut c[ic * c_row + jc..],
                        to_row: c_row,
                    });
                }
            }
        }
    }
    T::put_buffer(Operand::B, panel_buffer);
    T::put_buffer(Operand::C, edge_buffer);
}

/// Whether the product is a single tile over B where it lies, as in small networks. At its edge C must
/// fit into a copy that costs nothing to make, and B have whole vectors all the same.
#[inline]
pub(crate) fn is_one_tile<T, L: Shape<T>>(
    a: &Strided<'_, T>,
    b: &Rhs<'_, T>,
    columns: usize,
) -> bool {
    let vectors = columns.div_ceil(L::LANES);
    let whole = vectors * L::LANES;
    let fits = match b {
        Rhs::Packed(_) => columns == whole || a.rows * whole <= SMALL_EDGE,
        Rhs::Plain(b) => columns == whole && b.col_stride == 1,
    };
    fits && vectors <= L::WIDEST
        && a.rows <= L::max_rows(vectors)
        && (a.cols <= KC_ACROSS || a.rows == 1)
}

/// C = A B, or C += A B, that [`is_one_tile`]: there is nothing to cut and no copy of B to make, and to
/// find that out in the five loops takes longer than the product itself.
#[inline]
pub(crate) fn one_tile<T: Scalar, L: Shape<T>>(
    level: L,
    a: &Strided<'_, T>,
    b: &Rhs<'_, T>,
    mut c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (rows, width, c_row) = (a.rows, c.cols(), c.stride());
    let vectors = width.div_ceil(L::LANES);
    let whole = vectors * L::LANES;
    if width < whole {
        return edge_tile(level, a, b, c, add);
    }
    let (b, b_row) = match b {
        Rhs::Packed(b) => (b.data, whole),
        Rhs::Plain(b) => (b.data, b.row_stride),
    };
    let tile = Tiles {
        count: 1,
        depth: a.cols,
        a: a.data,
        a_row: a.row_stride,
        a_col: a.col_stride,
        b,
        b_row,
        c: c.data_mut(),
        c_row,
        load: add,
    };
    level.tiles(vectors, rows, tile);
}

/// The same at the edge of C, on a copy with room for whole vectors.
#[inline(never)]
fn edge_tile<T: Scalar, L: Shape<T>>(
    level: L,
    a: &Strided<'_, T>,
    b: &Rhs<'_, T>,
    mut c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (rows, width, c_row) = (a.rows, c.cols(), c.stride());
    let whole = width.next_multiple_of(L::LANES);
    let mut edge = [T::ZERO; SMALL_EDGE];
    let copy = |from: &[T], from_row, to: &mut [T], to_row| {
        level.run(CopyRows {
            rows,
            width,
            from,
            from_row,
            to,
            to_row,
        });
    };
    if add {
        copy(c.data_mut(), c_row, &mut edge, whole);
    }
    let wide = MatrixViewMut::new(&mut edge, rows, whole);
    one_tile(level, a, b, wide, add);
    copy(&edge, whole, c.data_mut(), c_row);
}

/// Whether so many tiles below each other repay a packed panel of B: beside an A that is read across
/// they do soon; else only if the panel then fits into the first-level cache, as one of up to 128
/// rows does.
#[inline]
fn worth_packing(across: bool, tiles: usize, k: usize) -> bool {
    if across {
        tiles >= 5
    } else {
        tiles >= 64 || tiles >= 16 && k <= 128
    }
}

/// Rows of B, from the first on, of which a tile may read whole vectors where the caller has them.
/// Past the last column it then reads what comes next in memory; that only meets columns of C that
/// nobody keeps. In the last row or two nothing may come next.
#[inline]
fn readable_rows<T>(b: Strided<'_, T>, column: usize, whole: usize) -> usize {
    if b.col_stride != 1 || b.data.len() < column + whole {
        return 0;
    }
    let rows = (b.data.len() - column - whole) / b.row_stride.max(1) + 1;
    rows.min(b.rows)
}

/// C = a B, or C += a B for a single row: every element of B is used once, so nothing is blocked, and
/// two panels are read side by side.
pub(crate) fn one_row<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Rhs<'_, T>,
    c: &mut [T],
    add: bool,
) {
    let k = a.cols;
    let panels = Panels::new::<T, L>(c.len());
    // B, elements from one of its rows to the next, and from a whole panel to the next.
    let (data, b_row, next) = match b {
        Rhs::Packed(b) => (b.data, panels.start(1), panels.start(1) * k),
        Rhs::Plain(b) if b.col_stride == 1 => (b.data, b.row_stride, panels.start(1)),
        Rhs::Plain(_) => (&[][..], 0, 0),
    };
    let pairs = if data.is_empty() {
        0
    } else {
        panels.whole() / 2
    };
    let units = pairs + (panels.count - 2 * pairs);
    let backward = matches!(b, Rhs::Packed(b) if b.backward);
    for unit in 0..units {
        let unit = if backward { units - 1 - unit } else { unit };
        if unit < pairs {
            let panel = 2 * unit;
            let columns = panels.start(panel)..panels.start(panel + 2);
            level.row(Row {
                depth: k,
                a: a.data,
                a_col: a.col_stride,
                b: [&data[panel * next..], &data[(panel + 1) * next..]],
                b_row,
                c: &mut c[columns],
                load: add,
            });
            continue;
        }
        let panel = pairs + unit;
        let (jc, width) = (panels.start(panel), panels.width(panel));
        let part = match b {
            Rhs::Packed(b) => Rhs::Packed(b.from(jc)),
            Rhs::Plain(b) => Rhs::Plain(b.part(0, k, jc, width)),
        };
        let own = MatrixViewMut::new(&mut c[jc..][..width], 1, width);
        if is_one_tile::<T, L>(&a, &part, width) {
            one_tile(level, &a, &part, own, add);
        } else {
            five_loops(level, a, part, own, add);
        }
    }
}
