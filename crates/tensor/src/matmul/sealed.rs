//! What the products need to know of an element type, and what keeps others from being one.
//!
//! The products are compiled here, once for `f32` and once for `f64`: a generic function would be
//! compiled again, tiles and all, in every crate and test that calls it.

use std::cell::RefCell;

use super::driver::{self, Rhs};
use super::operand::Strided;
use super::shape::{Levels, Shape};
use crate::buffer::Buffer;
use crate::isa::{LevelFn, Path};
use crate::view::MatrixViewMut;

/// `f32` and `f64` only.
pub trait Sealed: Sized {
    /// C = A B, or C += A B.
    #[doc(hidden)]
    fn product(
        path: Path,
        a: Strided<'_, Self>,
        b: Rhs<'_, Self>,
        c: MatrixViewMut<'_, Self>,
        add: bool,
    );

    /// Packs B into panels.
    #[doc(hidden)]
    fn pack(path: Path, b: Strided<'_, Self>, panels: &mut [Self]);

    /// Columns per panel.
    #[doc(hidden)]
    fn lanes(path: Path) -> usize;

    /// A packing buffer of this thread, to be given back.
    #[doc(hidden)]
    fn take_buffer(operand: Operand) -> Buffer<Self>;

    /// Gives a buffer back for the next product.
    #[doc(hidden)]
    fn put_buffer(operand: Operand, buffer: Buffer<Self>);
}

/// Which operand a buffer holds a part of.
#[derive(Clone, Copy)]
pub enum Operand {
    /// The right one: a panel.
    B,
    /// The result: its edge.
    C,
}

macro_rules! sealed {
    ($type:ident) => {
        impl Sealed for $type {
            fn product(
                path: Path,
                a: Strided<'_, Self>,
                b: Rhs<'_, Self>,
                c: MatrixViewMut<'_, Self>,
                add: bool,
            ) {
                struct Product<'a>(
                    Strided<'a, $type>,
                    Rhs<'a, $type>,
                    MatrixViewMut<'a, $type>,
                    bool,
                );
                impl LevelFn for Product<'_> {
                    type Output = ();
                    #[inline]
                    fn call<L: Levels>(self, level: L) {
                        driver::product(level, &self.0, &self.1, self.2, self.3);
                    }
                }
                path.with(Product(a, b, c, add));
            }

            fn pack(path: Path, b: Strided<'_, Self>, panels: &mut [Self]) {
                struct Pack<'a>(Strided<'a, $type>, &'a mut [$type]);
                impl LevelFn for Pack<'_> {
                    type Output = ();
                    fn call<L: Levels>(self, level: L) {
                        driver::pack_all(level, self.0, self.1);
                    }
                }
                path.with(Pack(b, panels));
            }

            fn lanes(path: Path) -> usize {
                struct Lanes;
                impl LevelFn for Lanes {
                    type Output = usize;
                    fn call<L: Levels>(self, _: L) -> usize {
                        <L as Shape<$type>>::LANES
                    }
                }
                path.with(Lanes)
            }

            fn take_buffer(operand: Operand) -> Buffer<Self> {
                buffers::$type
                    .with_borrow_mut(|stacks| stacks[operand as usize].pop())
                    .unwrap_or_default()
            }

            fn put_buffer(operand: Operand, buffer: Buffer<Self>) {
                buffers::$type.with_borrow_mut(|stacks| stacks[operand as usize].push(buffer));
            }
        }
    };
}

sealed!(f32);
sealed!(f64);

/// Buffers that no product of this thread is using. A stack and not one buffer, since a thread
/// that waits for another in `join` may be given a second product to compute meanwhile.
#[allow(non_upper_case_globals, reason = "named after the element type")]
mod buffers {
    use super::{Buffer, RefCell};
    thread_local! {
        pub(super) static f32: RefCell<[Vec<Buffer<f32>>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
        pub(super) static f64: RefCell<[Vec<Buffer<f64>>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
    }
}
