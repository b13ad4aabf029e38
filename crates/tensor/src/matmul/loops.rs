//! The five loops: one thread's product.

use std::ops::Range;

use super::cut::{Even, Panel, Panels};
use super::driver::Rhs;
use super::kernel::Tiles;
use super::operand::Strided;
use super::pack::{CopyRows, PackPanel};
use super::sealed::Operand;
use super::shape::Shape;
use crate::buffer::LINE;
use crate::error::TensorError;
use crate::parallel;
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

/// Columns of the widest panel.
pub(crate) const MOST_COLUMNS: usize = 6 * 16;

/// Takes the memory that products work in, on this thread and all of its pool, or says that there is
/// none. Otherwise a thread takes it in its first product. Once taken, this costs next to nothing.
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
    parallel::on_every_thread(|| {
        let mut buffers = wanted.map(|(operand, _)| T::take_buffer(operand));
        let mut pairs = buffers.iter_mut().zip(wanted);
        let grown = pairs.try_for_each(|(buffer, (_, len))| buffer.try_grow(len));
        for (buffer, (operand, _)) in buffers.into_iter().zip(wanted) {
            T::put_buffer(operand, buffer);
        }
        grown
    })
}

/// The product on this thread.
pub(crate) fn five_loops<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Rhs<'_, T>,
    mut c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (m, k, n) = (a.rows, a.cols, c.cols());
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
    let mut edge_buffer = T::take_buffer(Operand::C);
    let mut product = Product {
        a,
        b,
        n,
        c_row: c.stride(),
        c: c.data_mut(),
        add,
        worth_packing,
        packed: panel_buffer.grown(PANEL_LEN),
        edge: edge_buffer.grown(EDGE_LEN),
    };
    for rows in Even::new(m, mc).pieces() {
        for chain in Even::new(k, kc).pieces() {
            for panel in Panels::new::<T, L>(n).last_first() {
                product.panel(level, &rows, &chain, panel);
            }
        }
    }
    T::put_buffer(Operand::B, panel_buffer);
    T::put_buffer(Operand::C, edge_buffer);
}

/// What the inner loops work on.
struct Product<'a, T> {
    a: Strided<'a, T>,
    b: Rhs<'a, T>,
    c: &'a mut [T],
    /// Elements from one row of C to the next.
    c_row: usize,
    /// Columns of C.
    n: usize,
    /// Whether chains start from C; from +0 otherwise.
    add: bool,
    /// Fewest tiles below each other for which a panel of B is packed.
    worth_packing: usize,
    /// Room for a packed panel of B.
    packed: &'a mut [T],
    /// Room for the columns of C in the panel at its edge.
    edge: &'a mut [T],
}

/// Some rows of C in one panel.
struct Block {
    first_row: usize,
    panel: Panel,
    /// The rows, cut into tiles.
    tiles: Even,
    /// The first row of the block that is computed on the copy of C's edge.
    copied_from: usize,
}

impl<T: Scalar> Product<'_, T> {
    /// Some rows of C, over part of their chains, in one panel.
    #[inline]
    fn panel<L: Shape<T>>(
        &mut self,
        level: L,
        rows: &Range<usize>,
        chain: &Range<usize>,
        panel: Panel,
    ) {
        let Panel { width, whole, .. } = panel;
        let (m, k) = (self.a.rows, self.a.cols);
        let tiles = Even::new(rows.len(), L::max_rows(panel.vectors));
        let readable = self.readable(panel, tiles.count);
        let middle = readable.clamp(chain.start, chain.end);

        // The panel at the edge of C has more columns than C. Where each chain is computed at one go,
        // its tiles may store past the ends of their rows, since what comes next is computed later;
        // else they work on a copy, as do those whose last row is the last of C.
        let at_edge = width < whole;
        let at_one_go = !self.add && *chain == (0..k) && (middle == 0 || middle == k);
        let copied_from = if !at_edge {
            rows.len()
        } else if at_one_go && self.c_row == self.n {
            // Not of `c`, which may go on behind the matrix.
            let storable = whole_rows(m * self.n, self.c_row, panel);
            tiles.within(storable.saturating_sub(rows.start))
        } else {
            0
        };
        if at_edge && self.add && chain.start == 0 {
            level.run(CopyRows {
                rows: rows.len(),
                width,
                from: &self.c[rows.start * self.c_row + panel.start..],
                from_row: self.c_row,
                to: &mut *self.edge,
                to_row: whole,
            });
        }
        let block = Block {
            first_row: rows.start,
            panel,
            tiles,
            copied_from,
        };
        for part in [chain.start..middle, middle..chain.end] {
            if !part.is_empty() {
                let in_place = part.start < readable;
                self.tiles(level, &block, part, in_place);
            }
        }
        if at_edge && chain.end == k {
            level.run(CopyRows {
                rows: rows.len() - copied_from,
                width,
                from: &self.edge[copied_from * whole..],
                from_row: whole,
                to: &mut self.c[(rows.start + copied_from) * self.c_row + panel.start..],
                to_row: self.c_row,
            });
        }
    }

    /// Rows of B, from the first on, that the tiles of a panel read where they lie.
    #[inline]
    fn readable(&self, panel: Panel, tiles: usize) -> usize {
        let k = self.a.cols;
        match self.b {
            Rhs::Packed(_) => k,
            Rhs::Plain(_) if tiles >= self.worth_packing => 0,
            Rhs::Plain(b) => whole_rows(b.data.len(), b.row_stride, panel).min(k),
        }
    }

    /// The tiles of a block, over part of their chains: B is either read in place or packed first.
    #[inline]
    fn tiles<L: Shape<T>>(&mut self, level: L, block: &Block, chain: Range<usize>, in_place: bool) {
        let Panel { start, whole, .. } = block.panel;
        let (from, depth) = (chain.start, chain.len());
        let (b, b_row) = match self.b {
            Rhs::Packed(b) => (&b.data[start * b.depth + from * whole..], whole),
            Rhs::Plain(b) if in_place => (&b.data[from * b.row_stride + start..], b.row_stride),
            Rhs::Plain(b) => {
                let pack = PackPanel {
                    b: b.part(from, depth, start, block.panel.width),
                    panel: &mut *self.packed,
                };
                level.pack(block.panel.vectors, pack);
                (&*self.packed, whole)
            }
        };
        let a = self
            .a
            .part(block.first_row, block.tiles.length, from, depth);
        for run in block.tiles.runs_around(block.copied_from) {
            if run.count == 0 {
                continue;
            }
            let (c, c_row) = if run.start < block.copied_from {
                let first = (block.first_row + run.start) * self.c_row + start;
                (&mut self.c[first..], self.c_row)
            } else {
                (&mut self.edge[run.start * whole..], whole)
            };
            let tiles = Tiles {
                count: run.count,
                depth,
                a: &a.data[run.start * a.row_stride..],
                a_row: a.row_stride,
                a_col: a.col_stride,
                b,
                b_row,
                c,
                c_row,
                load: self.add || from > 0,
            };
            level.tiles(block.panel.vectors, run.length, tiles);
        }
    }
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

/// Rows of a matrix of `len` elements, from the first on, of which a panel's vectors can be read or
/// stored whole, past the last column too where the next row follows. In the last row or two nothing may
/// come next.
#[inline]
fn whole_rows(len: usize, row_stride: usize, panel: Panel) -> usize {
    match len.checked_sub(panel.start + panel.whole) {
        Some(rest) => rest / row_stride.max(1) + 1,
        None => 0,
    }
}
