//! What the products need to know of an element type, and what keeps others from being one.
//!
//! The products are compiled here, once for `f32` and once for `f64`: a generic function would be
//! compiled again, tiles and all, in every crate and test that calls it.

use std::cell::RefCell;

use super::driver::{self, Rhs};
use super::operand::Strided;
use super::shape::Shape;
use crate::buffer::Buffer;
use crate::isa::{Isa, with_level};
use crate::view::MatrixViewMut;

/// `f32` and `f64` only.
pub trait Sealed: Sized {
    /// C = A B, or C += A B.
    #[doc(hidden)]
    fn product(
        isa: Isa,
        a: Strided<'_, Self>,
        b: Rhs<'_, Self>,
        c: MatrixViewMut<'_, Self>,
        add: bool,
    );

    /// Packs B into panels.
    #[doc(hidden)]
    fn pack(isa: Isa, b: Strided<'_, Self>, panels: &mut [Self]);

    /// Elements in a vector.
    #[doc(hidden)]
    fn lanes(isa: Isa) -> usize;

    /// A packing buffer of this thread, to be given back.
    #[doc(hidden)]
    fn take_buffer(operand: Operand) -> Buffer<Self>;

    /// Gives a buffer back for the next product.
    #[doc(hidden)]
    fn put_buffer(operand: Operand, buffer: Buffer<Self>);
}

/// Which operand a buffer holds a part of.
#[derive(Clone, Copy, Debug)]
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
                isa: Isa,
                a: Strided<'_, Self>,
                b: Rhs<'_, Self>,
                c: MatrixViewMut<'_, Self>,
                add: bool,
            ) {
                with_level!(isa, level => driver::product(level, &a, &b, c, add));
            }

            fn pack(isa: Isa, b: Strided<'_, Self>, panels: &mut [Self]) {
                with_level!(isa, level => driver::pack_all(level, b, panels));
            }

            fn lanes(isa: Isa) -> usize {
                with_level!(isa, level => lanes::<$type, _>(level))
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

fn lanes<T, L: Shape<T>>(_: L) -> usize {
    L::LANES
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
