//! Dense matrices by hand: products, activations and their derivatives, with the same bits on
//! every instruction set, on any number of threads.
//!
//! ```
//! use tensor::{Matrix, TensorError};
//!
//! // One step of a recurrent network: h = tanh(W x + b), written row by row as x W^T + b.
//! let x = Matrix::<f32>::from_rows(&[&[1.0, 0.0], &[0.5, -1.0]])?; // [batch 2, in 2]
//! let w = Matrix::from_rows(&[&[0.1, 0.2], &[0.3, 0.4], &[0.5, 0.6]])?; // [hidden 3, in 2]
//! let h = x.matmul_nt(&w).tanh(); // [batch 2, hidden 3]
//! assert_eq!(h.shape(), (2, 3));
//! assert!((h[(0, 2)] - 0.5_f32.tanh()).abs() < 1e-6);
//! # Ok::<(), TensorError>(())
//! ```
//!
//! # What is promised
//! * **The same bits everywhere.** Each element of a product is one chain of fused
//!   multiply-adds, in ascending order of the inner index; sums run over a fixed number of lanes;
//!   `exp`, `tanh` and `sigmoid` are polynomials of our own. So AVX-512, AVX2, NEON and portable
//!   code agree to the last bit, and so does any number of threads.
//! * **No allocation in the loop.** Products write into views of memory that the caller owns;
//!   their packing buffers are kept from call to call.
//! * **One home of `unsafe`**: `isa.rs`, which picks the instruction set at run time. To add an
//!   instruction set, change that file and the table of tile shapes in `matmul/shape.rs`.
//!
//! # Map
//! | to do this | look at |
//! |---|---|
//! | own a matrix, or look at part of one | [`Matrix`], [`MatrixView`], [`MatrixViewMut`] |
//! | get an error where there is no memory | [`try_zeros`], [`Buffer::try_zeros`], [`Matrix::try_zeros`], [`PackedMatrix::try_new`], [`try_reserve_for_products`] |
//! | own a slice that starts with a cache line, as a matrix does | [`Buffer`] |
//! | multiply | [`matmul()`], [`matmul_tn`], [`matmul_nt`], and [`PackedMatrix`] for weights that are used many times |
//! | apply `tanh`, `sigmoid`, `exp`, softmax | [`activation`] |
//! | add up a row, find its largest element | [`reduce`] |
//! | write a loop of your own at full vector width | [`Kernel`] and [`vectorize`], [`Lanes`] for long formulas |
//! | fill with random numbers | [`random`] |

pub mod activation;
mod buffer;
mod elementary;
mod elementary_f64;
mod error;
mod isa;
mod lanes;
mod matmul;
mod matrix;
mod operators;
pub mod parallel;
pub mod random;
pub mod reduce;
mod scalar;
mod view;

pub use buffer::{Buffer, try_zeros};
/// Types whose zero is all bits zero: those that [`try_zeros`] makes.
pub use bytemuck::Zeroable;
pub use error::TensorError;
pub use isa::{Isa, Kernel, vectorize};
pub use lanes::{LANES, Lanes, map_in_place};
pub use matmul::{
    PackedMatrix, matmul, matmul_acc, matmul_nt, matmul_nt_acc, matmul_tn, matmul_tn_acc,
    try_reserve_for_products,
};
pub use matrix::Matrix;
pub use scalar::Scalar;
pub use view::{MatrixView, MatrixViewMut};

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
