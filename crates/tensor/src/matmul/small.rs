//! Products that need no loops around their tiles: a single tile, and a single row.

use super::cut::{Panel, Panels};
use super::driver::Rhs;
use super::kernel::{Row, Tiles};
use super::loops::{KC_ACROSS, five_loops};
use super::operand::Strided;
use super::pack::CopyRows;
use super::shape::Shape;
use crate::scalar::Scalar;
use crate::view::MatrixViewMut;

/// Elements of an edge that one tile keeps beside its registers.
const SMALL_EDGE: usize = 128;

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
        let Panel { start, width, .. } = panels.get(pairs + unit);
        let part = match b {
            Rhs::Packed(b) => Rhs::Packed(b.from(start)),
            Rhs::Plain(b) => Rhs::Plain(b.part(0, k, start, width)),
        };
        let own = MatrixViewMut::new(&mut c[start..][..width], 1, width);
        if is_one_tile::<T, L>(&a, &part, width) {
            one_tile(level, &a, &part, own, add);
        } else {
            five_loops(level, a, part, own, add);
        }
    }
}
