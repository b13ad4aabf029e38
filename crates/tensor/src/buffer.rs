//! Memory that starts on a cache line.
//!
//! A 512-bit load that crosses a cache line costs two, so matrices and packed panels start on one
//! (measured: 32 x 65 x 256 at 0.94 of the peak, and at 0.86 where B starts within a line). `Vec`
//! gives 16 bytes of alignment; one line of slack makes up the rest without `unsafe`.

use std::fmt;
use std::ops::{Deref, DerefMut};

use bytemuck::Zeroable;
use bytemuck::allocation::try_zeroed_vec;

use crate::error::TensorError;
use crate::scalar::Scalar;

/// Bytes in a cache line.
pub(crate) const LINE: usize = 64;

/// A vector of `len` zeros, or an error where the system has no memory for it. Pages of it are no
/// memory until something is written there.
///
/// ```
/// assert_eq!(tensor::try_zeros::<u32>(3)?, [0, 0, 0]);
/// assert!(tensor::try_zeros::<f64>(usize::MAX).is_err());
/// # Ok::<(), tensor::TensorError>(())
/// ```
///
/// # Errors
/// [`TensorError::OutOfMemory`].
pub fn try_zeros<T: Zeroable>(len: usize) -> Result<Vec<T>, TensorError> {
    try_zeroed_vec(len).map_err(|()| TensorError::OutOfMemory {
        bytes: len.saturating_mul(size_of::<T>()),
    })
}

/// A slice that owns its elements and starts on a cache line.
///
/// ```
/// let mut buffer = tensor::Buffer::zeros(3);
/// buffer[1] = 2.5f32;
/// assert_eq!(*buffer, [0.0, 2.5, 0.0]);
/// assert_eq!(buffer.as_ptr().align_offset(64), 0);
/// ```
#[derive(Default)]
pub struct Buffer<T> {
    data: Vec<T>,
    /// The first element that starts a line. What comes before it is no part of the slice.
    start: usize,
}

impl<T: Scalar> Buffer<T> {
    /// A buffer of `len` zeros.
    pub fn zeros(len: usize) -> Self {
        // Zeros from the system, which are no memory until something is written.
        Self::aligned(vec![T::ZERO; len.saturating_add(slack::<T>())], len)
    }

    /// As [`zeros`](Self::zeros), or an error where the system has no memory for them.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`].
    pub fn try_zeros(len: usize) -> Result<Self, TensorError> {
        let data = try_zeros(len.saturating_add(slack::<T>()))?;
        Ok(Self::aligned(data, len))
    }

    /// The `len` elements of `data` from the start of a line on.
    fn aligned(mut data: Vec<T>, len: usize) -> Self {
        let start = to_line(&data);
        data.truncate(start + len);
        Buffer { data, start }
    }

    /// Makes the room that [`grown`](Self::grown) needs, or says that there is no memory for it.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`].
    pub(crate) fn try_grow(&mut self, len: usize) -> Result<(), TensorError> {
        if self.len() < len {
            *self = Buffer::try_zeros(len)?;
        }
        Ok(())
    }

    /// Room for `len` elements, whose values are left over from earlier use.
    #[inline]
    pub(crate) fn grown(&mut self, len: usize) -> &mut [T] {
        if self.len() < len {
            *self = Buffer::zeros(len);
        }
        &mut self[..len]
    }
}

impl<T: Clone> Buffer<T> {
    /// A copy of these elements.
    pub fn from_slice(elements: &[T]) -> Self {
        let mut data = Vec::with_capacity(elements.len() + slack::<T>());
        // Any elements do up to the line; without any there is no need to get there.
        let gap = elements.iter().cycle().take(to_line(&data));
        data.extend(gap.cloned());
        let start = data.len();
        data.extend_from_slice(elements);
        Buffer { data, start }
    }
}

impl<T> Buffer<T> {
    /// The elements, moved to the start of their memory.
    pub fn into_vec(mut self) -> Vec<T> {
        self.data.drain(..self.start);
        self.data
    }
}

/// Most elements between the start of some memory and that of a line.
const fn slack<T>() -> usize {
    const {
        assert!(
            LINE.is_multiple_of(size_of::<T>()),
            "elements that fill a line"
        )
    }
    LINE / size_of::<T>()
}

/// Elements between the start of this memory and that of a line.
fn to_line<T>(data: &[T]) -> usize {
    data.as_ptr().align_offset(LINE).min(slack::<T>())
}

impl<T> Deref for Buffer<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        &self.data[self.start..]
    }
}

impl<T> DerefMut for Buffer<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.data[self.start..]
    }
}

impl<T: Clone> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Buffer::from_slice(self)
    }
}

impl<T: PartialEq> PartialEq for Buffer<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn every_buffer_starts_on_a_line_and_keeps_its_elements() {
        for len in [0, 1, 3, 16, 17, 1000, 100_000] {
            let elements: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let buffer = Buffer::from_slice(&elements);
            // So much memory in between lets the copy start elsewhere in its line.
            let other = vec![1u8; len % 61 + 1];
            let copy = buffer.clone();
            for buffer in [&buffer, &copy, &Buffer::zeros(len)] {
                assert_eq!(buffer.len(), len);
                assert!(len == 0 || buffer.as_ptr().align_offset(64) == 0, "{len}");
            }
            assert_eq!(buffer, copy);
            assert_eq!(copy.into_vec(), elements);
            drop(other);
        }
    }
}
