//! The five loops.

use std::marker::PhantomData;

use super::kernel::{CHUNK, Tile};
use super::pack::{PackB, pack_a};
use super::sealed::Operand;
use super::shape::{Levels, Shape};
use crate::isa::LevelFn;
use crate::scalar::Scalar;
use crate::view::{MatrixView, MatrixViewMut};

/// KC: rows of B that a tile runs through before C is stored.
const KC: usize = 256;
/// NC: bytes of one row of packed B.
const NC_BYTES: usize = 4096;
/// MC: rows of A that are packed together.
const MC: usize = 120;
/// Elements of a packed block of A, its rows padded to whole chunks.
const BLOCK_LEN: usize = (MC + 1) * KC.next_multiple_of(CHUNK);

/// Vectors in the largest register tile.
const SCRATCH_VECTORS: usize = 32;

/// An operand: element (i, j) is `data[i * row_stride + j * col_stride]`, one stride being 1.
#[derive(Debug)]
pub struct Strided<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) row_stride: usize,
    pub(crate) col_stride: usize,
}

impl<T> Clone for Strided<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Strided<'_, T> {}

impl<'a, T> Strided<'a, T> {
    #[inline]
    pub(crate) fn new(x: MatrixView<'a, T>) -> Self {
        Strided {
            data: x.data(),
            rows: x.rows(),
            cols: x.cols(),
            row_stride: x.stride(),
            col_stride: 1,
        }
    }

    #[inline]
    pub(crate) fn transposed(x: MatrixView<'a, T>) -> Self {
        Strided {
            data: x.data(),
            rows: x.cols(),
            cols: x.rows(),
            row_stride: 1,
            col_stride: x.stride(),
        }
    }

    #[inline]
    fn part(self, row: usize, rows: usize, col: usize, cols: usize) -> Self {
        let start = (row * self.row_stride + col * self.col_stride).min(self.data.len());
        Strided {
            data: &self.data[start..],
            rows,
            cols,
            ..self
        }
    }
}

/// Packed B: panels of `[depth][lanes]`.
#[derive(Debug, Clone, Copy)]
pub struct Panels<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) depth: usize,
}

pub(crate) struct Lanes<T>(PhantomData<T>);
impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Lanes(PhantomData)
    }
}

macro_rules! level_fn {
    ($type:ident) => {
        impl LevelFn for Lanes<$type> {
            type Output = usize;
            fn call<L: Levels>(self, _: L) -> usize {
                <L as Shape<$type>>::LANES
            }
        }
        impl LevelFn for PackAll<'_, $type> {
            type Output = ();
            fn call<L: Levels>(self, level: L) {
                pack_b(level, self.b, self.panels);
            }
        }
        impl LevelFn for Product<'_, $type> {
            type Output = ();
            fn call<L: Levels>(self, level: L) {
                self.run(level);
            }
        }
        impl LevelFn for PackedProduct<'_, $type> {
            type Output = ();
            fn call<L: Levels>(self, level: L) {
                self.run(level);
            }
        }
    };
}
level_fn!(f32);
level_fn!(f64);

pub(crate) struct PackAll<'a, T> {
    pub(crate) b: Strided<'a, T>,
    pub(crate) panels: &'a mut [T],
}

pub(crate) struct Product<'a, T> {
    pub(crate) a: Strided<'a, T>,
    pub(crate) b: Strided<'a, T>,
    pub(crate) c: MatrixViewMut<'a, T>,
    pub(crate) add: bool,
}

pub(crate) struct PackedProduct<'a, T> {
    pub(crate) a: Strided<'a, T>,
    pub(crate) b: Panels<'a, T>,
    pub(crate) c: MatrixViewMut<'a, T>,
    pub(crate) add: bool,
}

fn pack_b<T: Scalar, L: Shape<T>>(level: L, b: Strided<'_, T>, panels: &mut [T]) {
    if panels.is_empty() {
        return;
    }
    match L::LANES {
        16 => level.run(PackB::<T, 16> { b, panels }),
        8 => level.run(PackB::<T, 8> { b, panels }),
        4 => level.run(PackB::<T, 4> { b, panels }),
        _ => level.run(PackB::<T, 2> { b, panels }),
    }
}

impl<T: Scalar> Product<'_, T> {
    fn run<L: Shape<T>>(mut self, level: L) {
        let (k, n) = (self.b.rows, self.b.cols);
        if k == 0 {
            if !self.add {
                for r in 0..self.c.rows() {
                    self.c.row_mut(r).fill(T::ZERO);
                }
            }
            return;
        }
        let nc = NC_BYTES / size_of::<T>();
        let mut buffer = T::take_buffer(Operand::B);
        for j in (0..n).step_by(nc) {
            let cols = nc.min(n - j);
            for p in (0..k).step_by(KC) {
                let depth = KC.min(k - p);
                let panels = buffer.aligned(cols.div_ceil(L::LANES) * L::LANES * depth);
                pack_b(level, self.b.part(p, depth, j, cols), panels);
                PackedProduct {
                    a: self.a.part(0, self.a.rows, p, depth),
                    b: Panels {
                        data: panels,
                        depth,
                    },
                    c: self.c.reborrow().col_range(j..j + cols),
                    add: self.add || p > 0,
                }
                .run(level);
            }
        }
        T::put_buffer(Operand::B, buffer);
    }
}

impl<T: Scalar> PackedProduct<'_, T> {
    fn run<L: Shape<T>>(self, level: L) {
        let PackedProduct { a, b, mut c, add } = self;
        let (m, n, k) = (c.rows(), c.cols(), b.depth);
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
        if rayon::current_thread_index().is_some() && m * n * k > 1 << 19 && m > 1 {
            let half = m / 2;
            let (top, bottom) = c.split_at_row(half);
            let a_top = a.part(0, half, 0, k);
            let a_bottom = a.part(half, m - half, 0, k);
            rayon::join(
                || {
                    PackedProduct {
                        a: a_top,
                        b,
                        c: top,
                        add,
                    }
                    .run(level)
                },
                || {
                    PackedProduct {
                        a: a_bottom,
                        b,
                        c: bottom,
                        add,
                    }
                    .run(level)
                },
            );
            return;
        }
        let chunk = if a.col_stride == 1 { CHUNK } else { 1 };
        let mut buffer = T::take_buffer(Operand::A);
        let tiles = Tiles::new(m, L::MAX_ROWS);
        let block = (MC / L::MAX_ROWS).max(1);
        // Room for the largest block whatever this one's size: a thread then allocates in its first
        // product and never again.
        let (packed, scratch) = buffer
            .aligned(BLOCK_LEN + SCRATCH_VECTORS * L::LANES)
            .split_at_mut(BLOCK_LEN);
        let stride = c.stride();
        let c = c.data_mut();
        for p in (0..k).step_by(KC) {
            let depth = KC.min(k - p);
            let padded = depth.next_multiple_of(chunk);
            let load = add || p > 0;
            for first in (0..tiles.count).step_by(block) {
                let last = (first + block).min(tiles.count);
                let origin = tiles.start(first);
                for tile in first..last {
                    let (row, rows) = (tiles.start(tile), tiles.rows(tile));
                    pack_a(
                        a,
                        row,
                        rows,
                        p,
                        depth,
                        &mut packed[(row - origin) * padded..],
                    );
                }
                let panels = n.div_ceil(L::LANES);
                let mut j = 0;
                while j < panels {
                    let mut wide = L::max_panels(tiles.rows(first));
                    while wide > panels - j {
                        wide /= 2;
                    }
                    let col = j * L::LANES;
                    let width = (n - col).min(wide * L::LANES);
                    for tile in first..last {
                        let (row, rows) = (tiles.start(tile), tiles.rows(tile));
                        let tile = Tile {
                            rows,
                            panels: wide,
                            depth,
                            a: &packed[(row - origin) * padded..][..rows * padded],
                            chunk,
                            b: &b.data[(j * k + p) * L::LANES..],
                            b_stride: k * L::LANES,
                            c: &mut c[row * stride + col..],
                            c_stride: stride,
                            load,
                        };
                        if width == wide * L::LANES {
                            level.tile(tile);
                        } else {
                            edge_tile(level, tile, width, scratch);
                        }
                    }
                    j += wide;
                }
            }
        }
        T::put_buffer(Operand::A, buffer);
    }
}

/// Rows cut into tiles of equal height, or nearly: 16 rows are 8 + 8 and not 14 + 2.
#[derive(Clone, Copy)]
struct Tiles {
    count: usize,
    m: usize,
}

impl Tiles {
    fn new(m: usize, max_rows: usize) -> Self {
        Tiles {
            count: m.div_ceil(max_rows),
            m,
        }
    }

    #[inline]
    fn start(self, tile: usize) -> usize {
        tile * self.m / self.count
    }

    #[inline]
    fn rows(self, tile: usize) -> usize {
        self.start(tile + 1) - self.start(tile)
    }
}

/// A tile that reaches past the last column of C works on a whole one in `scratch`.
fn edge_tile<T: Scalar, L: Shape<T>>(level: L, tile: Tile<'_, T>, width: usize, scratch: &mut [T]) {
    let Tile {
        rows,
        c,
        c_stride,
        load,
        panels,
        ..
    } = tile;
    let whole = panels * L::LANES;
    if load {
        for r in 0..rows {
            copy_short(
                &mut scratch[r * whole..][..width],
                &c[r * c_stride..][..width],
            );
        }
    }
    level.tile(Tile {
        c: scratch,
        c_stride: whole,
        ..tile
    });
    for r in 0..rows {
        copy_short(
            &mut c[r * c_stride..][..width],
            &scratch[r * whole..][..width],
        );
    }
}

/// Copies in pieces whose length the compiler knows: a copy of unknown length is a call.
#[inline]
fn copy_short<T: Copy>(to: &mut [T], from: &[T]) {
    let (to_pieces, to_rest) = to.as_chunks_mut::<8>();
    let (from_pieces, from_rest) = from.as_chunks::<8>();
    for (a, b) in to_pieces.iter_mut().zip(from_pieces) {
        *a = *b;
    }
    for (a, b) in to_rest.iter_mut().zip(from_rest) {
        *a = *b;
    }
}
