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

use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::parameters::Layout;
use crate::sampler::BatchSampler;
use crate::trainer::{TrainConfig, Trainer};
use system::System;

/// All that a run takes beside what is counted.
const MARGIN: u128 = 16 << 20;
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

/// Number of parameters of a network, however large.
pub fn parameters(network: &NetworkConfig) -> u128 {
    Layout::count(network)
}

/// Bytes that a training run takes at most, beside its text: parameters, gradient, optimiser,
/// best weights, packed weights, a window's activations, and a save.
pub fn training(network: &NetworkConfig, train: &TrainConfig) -> u128 {
    MARGIN.saturating_add(Trainer::<f32>::bytes(network, train))
}

/// Bytes that a save takes: weights, best weights and optimiser state as tensors and in one piece, and
/// half as much again for what the allocator makes of it in a tight place.
pub(crate) fn saving(network: &NetworkConfig, train: &TrainConfig) -> u128 {
    let state = train.optimizer.state_names().len() as u128;
    parameters(network) * size_of::<f32>() as u128 * 3 * (2 + state)
}

/// Bytes that sampling takes beside the model, for so many samples.
pub(crate) fn sampling(network: &NetworkConfig, samples: usize) -> u128 {
    BatchSampler::bytes(network, samples)
}

/// Bytes that it takes at most to show what a model makes of so many characters: every signal of
/// every unit, the surprises, and all of that as JSON in a page.
pub fn viewing(network: &NetworkConfig, characters: usize) -> u128 {
    // Measured: 640 bytes with three likeliest characters, 830 with five.
    const EACH: u128 = 1200;
    // Measured: four numbers as JSON, and all of it once more as text.
    const EACH_SYMBOL: u128 = 450;
    let units = product(&[network.hidden_size, network.num_layers]);
    let signals = network.cell.signals().len() as u128;
    let weights = parameters(network).saturating_mul(8 * size_of::<f32>() as u128);
    let symbols = network.vocab_size as u128 * EACH_SYMBOL;
    let each = EACH + units.saturating_mul((signals + 1) * size_of::<f32>() as u128);
    each.saturating_mul(characters as u128)
        .saturating_add(weights)
        .saturating_add(symbols)
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
    use crate::cell::CellKind;
    use crate::parameters::Layout;
    use crate::trainer::recommended;

    #[test]
    fn parameters_are_counted_as_they_are_laid_out() {
        for cell in CellKind::ALL {
            for num_layers in [1, 3] {
                let network = NetworkConfig {
                    cell,
                    vocab_size: 7,
                    hidden_size: 5,
                    num_layers,
                };
                assert_eq!(
                    parameters(&network),
                    Layout::new(&network).len as u128,
                    "{cell}"
                );
            }
        }
    }

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

    #[test]
    fn the_largest_network_has_a_number() {
        let mut advice = recommended(1_000_000, 0x11_0000);
        (advice.network.hidden_size, advice.network.num_layers) = (32_768, 16);
        (advice.train.batch_size, advice.train.seq_length) = (usize::MAX, usize::MAX);
        assert!(training(&advice.network, &advice.train) > 1 << 80);
    }
}
