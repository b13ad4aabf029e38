//! Memory: what a piece of work needs, and what there is, known before anything is used.
//!
//! Rust ends the program when an allocation fails. Sizes come from people and their files, so a size
//! that does not fit is an error that says how large it is:
//!
//! * Whoever owns large buffers has, next to the constructor, a function that says how many bytes
//!   they take, of the same lengths that the constructor makes them of.
//! * What people call asks for all of it with [`check`] before any of it is made.
//! * The buffers themselves come from the functions here, which return an error where the system
//!   refuses all the same: another program may have been faster.
//!
//! What is left to Rust's way are allocations of a few kilobytes, and those inside other crates. They
//! have a margin, which [`check`] leaves free.

mod system;

use std::path::Path;

use tensor::{Buffer, Matrix, PackedMatrix, Scalar, TensorError, Zeroable};

use crate::error::{Error, Result};
use system::System;

/// All that a run takes beside what is counted. [`check`] leaves it free.
pub const MARGIN: u128 = 16 << 20;
/// What a program cannot begin without.
const START: usize = 8 << 20;
/// Bytes that are not worth asking for: finding out costs two dozen system calls, some fifty
/// microseconds, which is what a small network takes to learn its first word.
const UNASKED: u128 = 1 << 20;

/// What this machine tells of itself.
fn system() -> System<'static> {
    System {
        proc: Path::new("/proc"),
        groups: Path::new("/sys/fs/cgroup"),
    }
}

/// Bytes that this process can still get: the least of what the system, a control group or one
/// above it, and a limit on the address space (`ulimit -v`) leave. `None` where the system does not
/// tell.
pub fn available() -> Option<u64> {
    system().available()
}

/// Checks that a program can begin: under a limit on the address space that is used up, not even an
/// error could be told. Call it before anything else, even before arguments are read. It asks the
/// allocator, since looking up what is available takes memory as well.
///
/// # Errors
/// [`Error::TooLarge`] if not.
pub fn check_start() -> Result<()> {
    ask(START)
}

/// Asks the allocator for room and gives it back. It gives addresses, not memory: this costs nothing. A
/// request that nobody sees might be left out by the compiler, so the room is looked at.
fn ask(bytes: usize) -> Result<()> {
    room::<u8>(bytes).map(|room| drop(std::hint::black_box(room)))
}

/// Checks that `needed` bytes can be had, if they are many, and that a margin is left beside them.
///
/// # Errors
/// [`Error::TooLarge`] if not; what is available is told without the margin.
pub fn check(needed: u128) -> Result<()> {
    if needed <= UNASKED {
        return Ok(());
    }
    let available = available().map(|bytes| bytes.saturating_sub(MARGIN as u64));
    let too_large = Err(Error::TooLarge { needed, available });
    if available.is_some_and(|available| needed > available.into()) {
        return too_large;
    }
    // Where nobody tells, the allocator may know.
    let is_given =
        available.is_some() || usize::try_from(needed).is_ok_and(|bytes| ask(bytes).is_ok());
    if is_given { Ok(()) } else { too_large }
}

/// The error for so many bytes that the system refused, whatever it says is available.
pub fn refused(needed: u128) -> Error {
    let available = available().filter(|&available| needed > available.into());
    Error::TooLarge { needed, available }
}

/// The error for what the products were refused.
pub(crate) fn refused_by(error: TensorError) -> Error {
    match error {
        TensorError::OutOfMemory { bytes } => refused(bytes as u128),
        _ => unreachable!("nothing but memory is asked for"),
    }
}

/// A product of sizes, which no sizes overflow.
pub(crate) fn product(sizes: &[usize]) -> u128 {
    let all = sizes.iter().map(|&size| size as u128);
    all.fold(1, |all: u128, size| all.saturating_mul(size))
}

/// Bytes of so many elements.
pub(crate) fn bytes<T>(len: u128) -> u128 {
    len.saturating_mul(size_of::<T>() as u128)
}

/// What `make` makes of a length, if the machine has such lengths and memory.
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

/// The same from the start of a cache line on.
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

/// An empty string with room for so many bytes.
///
/// # Errors
/// [`Error::TooLarge`] where there is no memory for them.
pub fn room_for_text(len: usize) -> Result<String> {
    Ok(String::from_utf8(room(len)?).unwrap_or_default())
}

/// All that an iterator gives, in a vector that never moves.
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
