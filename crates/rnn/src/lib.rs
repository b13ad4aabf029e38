//! Recurrent networks.
#![forbid(unsafe_code)]

pub mod error;
pub mod optimizer;

pub use error::{Error, Result};
