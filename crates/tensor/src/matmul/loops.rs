//! The five loops: one thread's product.

use super::cut::{Even, Panels};
use super::driver::Rhs;
use super::kernel::Tiles;
use super::operand::Strided;
use super::pack::{CopyRows, PackPanel};
use super::sealed::Operand;
use super::shape::Shape;
use crate::buffer::LINE;
use crate::error::TensorError;
use crate::scalar::Scalar;
use crate::view::MatrixViewMut;

/// KC: longest part of the chains between loading and storing C, where rows of A are contiguous.
const KC: usize = 1024;
/// The same where columns of A are contiguous: each k then needs a line of its own, and B
/// shares the first-level cache with all of them.
pub(crate) const KC_ACROSS: usize = 128;
/// MC: most rows of C in a block. A tile reads so little of A that it may come from the third level;
/// the more rows, the more tiles share a packed panel of B.
pub(crate) const MC: usize = 1024;
/// The same where columns of A are contiguous: a tile then reads a line of A for each k, and the next
/// tiles and panels read it again.
const MC_ACROSS: usize = 512;
/// Elements that the copies have at most. Buffers have that much room at once, so that a thread
/// allocates in its first product and never again; what is not used is never touched.
const PANEL_LEN: usize = KC * MOST_COLUMNS;
pub(crate) const EDGE_LEN: usize = MC * MOST_COLUMNS;

/// Takes the memory that products of this thread work in, which otherwise the first of them does, or
/// says that there is none. Once it has been taken this costs next to nothing.
///
/// # Errors
/// [`TensorError::OutOfMemory`].
pub fn try_reserve_for_products<T: Scalar>() -> Result<(), TensorError> {
    // A product that is turned around needs an edge within an edge.
    let wanted = [
        (Operand::B, PANEL_LEN),
        (Operand::C, EDGE_LEN),
        (Operand::C, EDGE_LEN),
    ];
    let mut buffers = wanted.map(|(operand, _)| T::take_buffer(operand));
    let mut pairs = buffers.iter_mut().zip(wanted);
    let grown = pairs.try_for_each(|(buffer, (_, len))| buffer.try_grow(len));
    for (buffer, (operand, _)) in buffers.into_iter().zip(wanted) {
        T::put_buffer(operand, buffer);
    }
    grown
}
/// Columns of the widest panel.
pub(crate) const MOST_COLUMNS: usize = 6 * 16;

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
    let (kc, mc) = if across {
        (KC_ACROSS, MC_ACROSS)
    } else {
        (KC, MC)
    };
    let worth_packing = match b {
        Rhs::Packed(_) => usize::MAX,
        Rhs::Plain(b) => tiles_worth_packing::<T, L>(across, &b),
    };
    let mut panel_buffer = T::take_buffer(Operand::B);
    let packed = panel_buffer.grown(PANEL_LEN);
    let mut edge_buffer = T::take_buffer(Operand::C);
    let edge = edge_buffer.grown(EDGE_LEN);
    let c_row = c.stride();
    let c = c.data_mut();
    for (ic, rows) in Even::new(m, mc).pieces() {
        for (pc, depth) in Even::new(k, kc).pieces() {
            for panel in panels.last_first() {
                let (jc, width) = (panels.start(panel), panels.width(panel));
                let vectors = panels.vectors(panel);
                let whole = vectors * L::LANES;
                let tiles = Even::new(rows, L::max_rows(vectors));

                let readable = match b {
                    Rhs::Packed(_) => k,
                    Rhs::Plain(_) if tiles.count >= worth_packing => 0,
                    Rhs::Plain(b) => whole_rows(b.data.len(), b.row_stride, jc, whole).min(k),
                };
                let in_place = readable.saturating_sub(pc).min(depth);

                // The panel at the edge of C has more columns than C. Where each chain is computed at
                // one go, its tiles may store past the ends of their rows, since what comes next is
                // computed later; else they work on a copy, as do those whose last row is the last of C.
                let at_edge = width < whole;
                let at_one_go = !add && depth == k && (in_place == 0 || in_place == k);
                let copied_from = if !at_edge {
                    rows
                } else if at_one_go && c_row == n {
                    // Not of `c`, which may go on behind the matrix.
                    let storable = whole_rows(m * n, c_row, jc, whole);
                    tiles.within(storable.saturating_sub(ic))
                } else {
                    0
                };
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
                    for (ir, rows, count) in tiles.runs_around(copied_from) {
                        if count == 0 {
                            continue;
                        }
                        let (target, target_row) = if ir < copied_from {
                            (&mut c[(ic + ir) * c_row + jc..], c_row)
                        } else {
                            (&mut edge[ir * whole..], whole)
                        };
                        let tiles = Tiles {
                            count,
                            depth,
                            a: &a.data[ir * a.row_stride..],
                            a_row: a.row_stride,
                            a_col: a.col_stride,
                            b,
                            b_row,
                            c: target,
                            c_row: target_row,
                            load: add || from > 0,
                        };
                        level.tiles(vectors, rows, tiles);
                    }
                }

                if at_edge && pc + depth == k {
                    level.run(CopyRows {
                        rows: rows - copied_from,
                        width,
                        from: &edge[copied_from * whole..],
                        from_row: whole,
                        to: &mut c[(ic + copied_from) * c_row + jc..],
                        to_row: c_row,
                    });
                }
            }
        }
    }
    T::put_buffer(Operand::B, panel_buffer);
    T::put_buffer(Operand::C, edge_buffer);
}

/// Fewest tiles below each other that repay a packed panel of B.
#[inline]
fn tiles_worth_packing<T, L: Shape<T>>(across: bool, b: &Strided<'_, T>) -> usize {
    let k = b.rows;
    if b.col_stride != 1 {
        return 0;
    }
    // Beside an A that is read across there is no room for lines of B that are not used. A panel of one
    // line a row is read from the first level, where rows 4 KiB apart share one set and push each other
    // out; one of several lines comes from the second anyhow.
    let one_line = L::PANEL * L::LANES * size_of::<T>() <= LINE;
    if across || one_line && b.row_bytes().is_multiple_of(4096) {
        return 5;
    }
    if b.starts_lines() {
        // As fast as from a panel, unless there are so many that the second level does not keep them.
        return if k > 512 { 64 } else { usize::MAX };
    }
    // Each vector is in two lines. Panels of up to 128 rows then fit into the first level.
    if k <= 128 { 16 } else { 64 }
}

/// Rows of a matrix, from the first on, of which whole vectors can be read or stored, past the last
/// column too where the next row follows. In the last row or two nothing may come next.
#[inline]
fn whole_rows(len: usize, row_stride: usize, column: usize, whole: usize) -> usize {
    match len.checked_sub(column + whole) {
        Some(rest) => rest / row_stride.max(1) + 1,
        None => 0,
    }
}
