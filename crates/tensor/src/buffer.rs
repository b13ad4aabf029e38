//! Memory for packed panels that starts on a cache line.
//!
//! A 512-bit load that crosses a cache line costs two, so packed panels start on one. `Vec` gives
//! 16 bytes of alignment; one line of slack makes up the rest without `unsafe`.

use crate::scalar::Scalar;

/// Bytes in a cache line.
const LINE: usize = 64;

/// A growable block of elements whose slice starts on a cache line.
#[derive(Debug, Default)]
pub struct Buffer<T> {
    data: Vec<T>,
}

impl<T: Scalar> Buffer<T> {
    /// A buffer of `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut buffer = Buffer::default();
        buffer.aligned(len);
        buffer
    }

    /// The first `len` elements from the first line boundary on, growing when there are too few.
    /// Their values are left over from earlier use.
    #[inline]
    pub(crate) fn aligned(&mut self, len: usize) -> &mut [T] {
        let slack = LINE / size_of::<T>();
        if self.data.len() < len + slack {
            // Zeros from the system, which are no memory until something is written.
            self.data = vec![T::ZERO; len + slack];
        }
        let start = self.start();
        &mut self.data[start..start + len]
    }

    /// The same elements, to read.
    #[inline]
    pub(crate) fn as_slice(&self, len: usize) -> &[T] {
        let start = self.start();
        &self.data[start..start + len]
    }

    #[inline]
    fn start(&self) -> usize {
        self.data
            .as_ptr()
            .align_offset(LINE)
            .min(LINE / size_of::<T>())
    }
}
