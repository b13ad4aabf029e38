//! Dense matrices.
