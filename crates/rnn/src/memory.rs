//! Memory: how much is available, and buffers that return an error if it runs out.
//!
//! Rust aborts the program when an allocation fails. Sizes come from people and their files, so a size
//! that does not fit has to be an error with its number of bytes:
//!
//! * Each constructor of large buffers has a function beside it that computes their bytes from the same
//!   lengths.
//! * Public functions [`check`] the whole need before they allocate any of it.
//! * Buffers come from the functions here, which return an error if the system refuses after all, because
//!   another program was faster.
//!
//! Small allocations and those inside other crates still abort the program if they fail.
//! [`check`] leaves a margin free for them.

mod system;

use std::path::Path;

use tensor::{Buffer, Isa, Matrix, PackedMatrix, Scalar, TensorError, Zeroable};

use crate::error::{Error, Result};
use system::System;

/// What a run takes beside the bytes that are counted. [`check`] leaves it free.
pub const MARGIN: u128 = 16 << 20;
/// Bytes that a program needs to start.
const START: usize = 8 << 20;
/// Bytes that are not worth a check, which takes two dozen system calls or fifty microseconds.
const UNASKED: u128 = 1 << 20;

/// Where this machine says how much memory it has.
fn system() -> System<'static> {
    System {
        proc: Path::new("/proc"),
        groups: Path::new("/sys/fs/cgroup"),
    }
}

/// Bytes that this process can still get: the least that the system, its control groups and a limit on
/// the address space (`ulimit -v`) leave. `None` if the system does not say.
pub fn available() -> Option<u64> {
    system().available()
}

/// Checks that a program can start: with no address space left, not even an error could be printed.
/// Call this first, before reading arguments. It asks the allocator, since looking up what is available
/// takes memory as well.
///
/// # Errors
/// [`Error::TooLarge`] if not.
pub fn check_start() -> Result<()> {
    ask(START)
}

/// Allocates that many bytes and frees them. That takes addresses, not memory, and costs nothing.
/// The `black_box` keeps the compiler from removing the request.
fn ask(bytes: usize) -> Result<()> {
    room::<u8>(bytes).map(|room| drop(std::hint::black_box(room)))
}

/// Checks that `needed` bytes are available beside a margin. At most 1 MiB passes unchecked.
///
/// # Errors
/// [`Error::TooLarge`] if not, with what is available less the margin.
pub fn check(needed: u128) -> Result<()> {
    if needed <= UNASKED {
        return Ok(());
    }
    let available = available().map(|bytes| bytes.saturating_sub(MARGIN as u64));
    let too_large = Err(Error::TooLarge { needed, available });
    if available.is_some_and(|available| needed > available.into()) {
        return too_large;
    }
    // If the system does not say, the allocator may know.
    let is_given =
        available.is_some() || usize::try_from(needed).is_ok_and(|bytes| ask(bytes).is_ok());
    if is_given { Ok(()) } else { too_large }
}

/// The error for `needed` bytes that the system refused.
pub fn refused(needed: u128) -> Error {
    let available = available().filter(|&available| needed > available.into());
    Error::TooLarge { needed, available }
}

/// Sees to all that products would otherwise panic or abort for: the memory that each thread works in, and
/// an instruction set. Whoever multiplies calls it first.
///
/// # Errors
/// [`Error::TooLarge`], or [`Error::InstructionSet`] where `TENSOR_ISA` names none of this processor.
pub(crate) fn ready_for_products<T: Scalar>() -> Result<()> {
    Isa::try_active().map_err(Error::InstructionSet)?;
    tensor::try_reserve_for_products::<T>().map_err(|error| match error {
        TensorError::OutOfMemory { bytes } => refused(bytes as u128),
        error => Error::InstructionSet(error),
    })
}

/// A product of sizes that cannot overflow.
pub(crate) fn product(sizes: &[usize]) -> u128 {
    let all = sizes.iter().map(|&size| size as u128);
    all.fold(1, |all: u128, size| all.saturating_mul(size))
}

/// Bytes of `len` elements.
pub(crate) fn bytes<T>(len: u128) -> u128 {
    len.saturating_mul(size_of::<T>() as u128)
}

/// Calls `make` with a length, if it fits a `usize` and memory.
fn made<T, R>(
    len: u128,
    make: impl FnOnce(usize) -> std::result::Result<R, TensorError>,
) -> Result<R> {
    usize::try_from(len)
        .ok()
        .and_then(|len| make(len).ok())
        .ok_or_else(|| refused(bytes::<T>(len)))
}

/// `len` zeros, or an error where memory runs out.
///
/// # Errors
/// [`Error::TooLarge`] where there is no memory for them.
pub(crate) fn zeros<T: Zeroable>(len: u128) -> Result<Vec<T>> {
    made::<T, _>(len, tensor::try_zeros)
}

/// `len` zeros that start at a cache line.
pub(crate) fn buffer<T: Scalar>(len: u128) -> Result<Buffer<T>> {
    made::<T, _>(len, Buffer::try_zeros)
}

/// A matrix of zeros.
pub(crate) fn matrix<T: Scalar>(rows: usize, cols: usize) -> Result<Matrix<T>> {
    made::<T, _>(product(&[rows, cols]), |_| Matrix::try_zeros(rows, cols))
}

/// Elements of a packed matrix.
pub(crate) fn packed_len<T: Scalar>(k: usize, n: usize) -> u128 {
    PackedMatrix::<T>::padded_len(k, n) as u128
}

/// Room for a packed matrix.
pub(crate) fn packed<T: Scalar>(k: usize, n: usize) -> Result<PackedMatrix<T>> {
    made::<T, _>(packed_len::<T>(k, n), |_| PackedMatrix::try_new(k, n))
}

/// An empty vector with room for `len` elements.
///
/// # Errors
/// [`Error::TooLarge`] where there is no memory for them.
pub fn room<T>(len: usize) -> Result<Vec<T>> {
    let mut room = Vec::new();
    match room.try_reserve_exact(len) {
        Ok(()) => Ok(room),
        Err(_) => Err(refused(bytes::<T>(len as u128))),
    }
}

/// An empty string with room for `len` bytes.
///
/// # Errors
/// [`Error::TooLarge`] where there is no memory for them.
pub fn room_for_text(len: usize) -> Result<String> {
    Ok(String::from_utf8(room(len)?).unwrap_or_default())
}

/// Collects an iterator into a vector that never moves.
pub(crate) fn collected<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut all = room(items.len())?;
    all.extend(items);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_and_what_can_is_not() {
        check(1 << 20).unwrap();
        assert_eq!(zeros::<f64>(3).unwrap(), [0.0; 3]);
        for needed in [1 << 60, u128::MAX >> 1, u128::MAX] {
            let too_large = |result: Result<()>| match result {
                Err(Error::TooLarge { .. }) => {}
                other => panic!("{needed}: {other:?}"),
            };
            too_large(check(needed));
            too_large(zeros::<f32>(needed).map(drop));
            too_large(buffer::<f64>(needed).map(drop));
        }
        for side in [1 << 31, usize::MAX] {
            assert!(matrix::<f32>(side, side).is_err());
            assert!(packed::<f32>(side, side).is_err());
            assert!(room::<u64>(side << 16 | side).is_err());
        }
    }
}
