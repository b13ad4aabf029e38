//! Random fills from a seeded generator that is named after its algorithm.
//!
//! ChaCha with 8 rounds: the stream of a seed is part of the promise of equal bits, and a
//! generator called "standard" may change between releases. Normal variates are the ziggurat of
//! `rand_distr`.

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

pub use rand::rngs::ChaCha8Rng;

use crate::error::TensorError;
use crate::scalar::Scalar;

/// The generator of a seed.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Fills with `low + (high - low) u`, u uniform in [0, 1) with 53 bits, drawn as f64 whatever `T`.
///
/// # Errors
/// A bound that is not finite, or `low > high`.
pub fn uniform<T: Scalar>(
    rng: &mut ChaCha8Rng,
    low: f64,
    high: f64,
    out: &mut [T],
) -> Result<(), TensorError> {
    if !(low.is_finite() && high.is_finite() && low <= high) {
        return Err(TensorError::Bounds { low, high });
    }
    for x in out {
        *x = T::from_f64((high - low).mul_add(rng.random::<f64>(), low));
    }
    Ok(())
}

/// Fills with normal variates, drawn as f64 whatever `T`.
///
/// # Errors
/// `mean` is not finite, or `std` is negative or not finite.
pub fn normal<T: Scalar>(
    rng: &mut ChaCha8Rng,
    mean: f64,
    std: f64,
    out: &mut [T],
) -> Result<(), TensorError> {
    if !mean.is_finite() {
        return Err(TensorError::Mean(mean));
    }
    if !(std.is_finite() && std >= 0.0) {
        return Err(TensorError::StandardDeviation(std));
    }
    for x in out {
        let z: f64 = StandardNormal.sample(rng);
        *x = T::from_f64(std.mul_add(z, mean));
    }
    Ok(())
}
