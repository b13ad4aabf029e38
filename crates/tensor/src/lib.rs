#![doc = include_str!("../README.md")]
//!
//! # Map
//! | to do this | look at |
//! |---|---|
//! | own a matrix, or look at part of one | [`Matrix`], [`MatrixView`], [`MatrixViewMut`] |
//! | get an error where there is no memory | [`try_zeros`], [`Buffer::try_zeros`], [`Matrix::try_zeros`], [`PackedMatrix::try_new`], [`try_reserve_for_products`] |
//! | own a slice that starts with a cache line, as a matrix does | [`Buffer`] |
//! | multiply | [`matmul()`], [`matmul_tn`], [`matmul_nt`], and [`PackedMatrix`] for weights that are used many times |
//! | apply `exp`, `tanh`, `sigmoid` or softmax | [`activation`] |
//! | add up a row, find its largest element | [`reduce`] |
//! | write a loop of your own at full vector width | [`vectorize`], and [`Lanes`] for long formulas |
//! | split work over threads | [`parallel`] |
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
