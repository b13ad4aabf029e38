//! `tensor` against naive one-line versions of itself, on each instruction set, and by properties.

mod activation;
mod matmul;
mod properties;
