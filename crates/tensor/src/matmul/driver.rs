//! The five loops.

use super::kernel::{CHUNK, Source, Tile};
use super::operand::{Panels, Strided};
use super::pack::{PackA, PackB};
use super::sealed::Operand;
use super::shape::Shape;
use super::tiles::{Tiles, edge_tile};
use crate::scalar::Scalar;
use crate::view::MatrixViewMut;

/// KC: rows of B that a tile runs through before C is stored.
const KC: usize = 512;
/// NC: bytes of one row of the block of B that stays in the second-level cache.
const NC_BYTES: usize = 2048;
/// MC: rows of A that are packed together.
const MC: usize = 120;
/// Elements that packed blocks of A and B have at most. Buffers have that much room at once, so that a
/// thread allocates in its first product and never again; what is not used is never touched.
const A_LEN: usize = (MC + 1) * KC;
const B_LEN: usize = NC_BYTES / 4 * KC;
/// Vectors in the largest register tile.
const TILE_VECTORS: usize = 32;
/// Panels that one tile takes at most.
const MOST_PANELS: usize = 8;
/// Multiply-adds below which a product stays on one thread: 2^19 take 3 microseconds, about what
/// waking another thread costs.
const WORTH_SPLITTING: usize = 1 << 20;
/// Fewest rows of a part: each reads all of B again, and fewer would not pay for that.
const FEWEST_ROWS: usize = 32;

/// The right operand.
#[derive(Clone, Copy)]
pub enum Rhs<'a, T> {
    /// As the caller has it.
    Plain(Strided<'a, T>),
    /// Packed before.
    Packed(Panels<'a, T>),
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
        Rhs::Packed(panels) if split && m == 1 => {
            split_columns(level, a, panels, c.row_mut(0), add);
        }
        _ if m < 2 * FEWEST_ROWS => five_loops(level, a, b, c, add),
        Rhs::Packed(panels) if split => split_rows(level, a, panels, c, add),
        Rhs::Plain(b) if split => {
            // B is packed once, by all threads, and then read by all.
            let len = n.next_multiple_of(L::LANES) * k;
            let mut buffer = T::take_buffer(Operand::B);
            let panels = buffer.aligned(len);
            pack_b(level, b, panels);
            split_rows(
                level,
                a,
                Panels {
                    data: panels,
                    depth: k,
                },
                c,
                add,
            );
            T::put_buffer(Operand::B, buffer);
        }
        b => five_loops(level, a, b, c, add),
    }
}

/// Halves the rows of C until a part is not worth another thread. No element's chain depends on
/// where the cuts are.
fn split_rows<T: Scalar, L: Shape<T>>(
    level: L,
    a: Strided<'_, T>,
    b: Panels<'_, T>,
    c: MatrixViewMut<'_, T>,
    add: bool,
) {
    let (m, k) = (a.rows, a.cols);
    if m < 2 * FEWEST_ROWS || m * k * c.cols() < WORTH_SPLITTING {
        return five_loops(level, a, Rhs::Packed(b), c, add);
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
    b: Panels<'_, T>,
    c: &mut [T],
    add: bool,
) {
    let n = c.len();
    if n * b.depth < WORTH_SPLITTING / 2 || n <= L::LANES {
        let c = MatrixViewMut::new(c, 1, n);
        return five_loops(level, a, Rhs::Packed(b), c, add);
    }
    let half = n.div_ceil(L::LANES) / 2 * L::LANES;
    let (left, right) = c.split_at_mut(half);
    let (first, second) = b.data.split_at(half * b.depth);
    let part = |data| Panels { data, ..b };
    rayon::join(
        || split_columns(level, a, part(first), left, add),
        || split_columns(level, a, part(second), right, add),
    );
}

/// Packs all of B; inside a pool its threads share the panels out.
pub(crate) fn pack_b<T: Scalar, L: Shape<T>>(level: L, b: Strided<'_, T>, panels: &mut [T]) {
    let count = b.cols.div_ceil(L::LANES);
    if panels.len() > WORTH_SPLITTING / 32 && count > 1 && rayon::current_thread_index().is_some() {
        let half = count / 2;
        let (left, right) = panels.split_at_mut(half * L::LANES * b.rows);
        let middle = half * L::LANES;
        rayon::join(
            || pack_b(level, b.part(0, b.rows, 0, middle), left),
            || pack_b(level, b.part(0, b.rows, middle, b.cols - middle), right),
        );
        return;
    }
    match L::LANES {
        _ if panels.is_empty() => {}
        16 => level.run(PackB::<T, 16> { b, panels }),
        8 => level.run(PackB::<T, 8> { b, panels }),
        4 => level.run(PackB::<T, 4> { b, panels }),
        _ => level.run(PackB::<T, 2> { b, panels }),
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
    let lanes = L::LANES;
    let chunk = if a.col_stride == 1 { CHUNK } else { 1 };
    // Whether a tile can read B as the caller has it: see `shape.rs` for the tiles there are.
    let straight = matches!(b, Rhs::Plain(b) if b.col_stride == 1 && a.col_stride == 1);
    let tiles = Tiles::new(m, L::MAX_ROWS);
    let block = (MC / L::MAX_ROWS).max(1);
    // A single block of A uses each panel of B at once and never again: no block of B to keep.
    let keep = tiles.count > block;
    let nc = if keep {
        NC_BYTES / size_of::<T>()
    } else {
        n.next_multiple_of(lanes)
    };

    let padded = KC.min(k).next_multiple_of(chunk);
    debug_assert!(tiles.start(block.min(tiles.count)) * padded <= A_LEN);
    let mut a_buffer = T::take_buffer(Operand::A);
    let (a_packed, scratch) = a_buffer
        .aligned(A_LEN + TILE_VECTORS * lanes)
        .split_at_mut(A_LEN);
    let mut b_buffer = T::take_buffer(Operand::B);
    debug_assert!(MOST_PANELS * lanes <= NC_BYTES / 4);
    let b_len = if matches!(b, Rhs::Plain(_)) { B_LEN } else { 0 };
    let b_packed = b_buffer.aligned(b_len);

    let c_stride = c.stride();
    let c = c.data_mut();
    for jc in (0..n).step_by(nc) {
        let cols = nc.min(n - jc);
        for pc in (0..k).step_by(KC) {
            let depth = KC.min(k - pc);
            let padded = depth.next_multiple_of(chunk);
            for first in (0..tiles.count).step_by(block) {
                let range = first..(first + block).min(tiles.count);
                let origin = tiles.start(first);
                let part = a.part(0, m, pc, depth);
                level.run(PackA {
                    a: part,
                    tiles,
                    range: range.clone(),
                    packed: &mut *a_packed,
                });
                let mut jr = 0;
                while jr < cols {
                    let left = (cols - jr).div_ceil(lanes);
                    let mut panels = L::max_panels(tiles.rows(first));
                    while panels > left {
                        panels /= 2;
                    }
                    let width = (cols - jr).min(panels * lanes);
                    let whole = width == panels * lanes;
                    let start = if keep { jr * depth } else { 0 };
                    for tile in range.clone() {
                        let (row, rows) = (tiles.start(tile), tiles.rows(tile));
                        let mut tile = Tile {
                            rows,
                            panels,
                            depth,
                            a: &a_packed[(row - origin) * padded..][..rows * padded],
                            chunk,
                            b: &[],
                            b_row: lanes,
                            b_panel: depth * lanes,
                            source: Source::Packed,
                            packed: &mut [],
                            c: &mut c[row * c_stride + jc + jr..],
                            c_stride,
                            load: add || pc > 0,
                        };
                        let own = start..start + panels * lanes * depth;
                        match b {
                            Rhs::Packed(b) => {
                                tile.b = &b.data[(jc + jr) * b.depth + pc * lanes..];
                                tile.b_panel = b.depth * lanes;
                            }
                            Rhs::Plain(b) if row == 0 && straight && whole => {
                                tile.source = if m == 1 {
                                    Source::Direct
                                } else {
                                    Source::Packing
                                };
                                tile.b = &b.data[pc * b.row_stride + jc + jr..];
                                tile.b_row = b.row_stride;
                                tile.b_panel = lanes;
                                tile.packed = &mut b_packed[own];
                            }
                            Rhs::Plain(b) => {
                                if row == 0 {
                                    let part = b.part(pc, depth, jc + jr, width);
                                    pack_b(level, part, &mut b_packed[own.clone()]);
                                }
                                tile.b = &b_packed[own];
                            }
                        }
                        if whole {
                            level.tile(tile);
                        } else {
                            edge_tile(level, tile, width, scratch);
                        }
                    }
                    jr += panels * lanes;
                }
            }
        }
    }
    T::put_buffer(Operand::A, a_buffer);
    T::put_buffer(Operand::B, b_buffer);
}
