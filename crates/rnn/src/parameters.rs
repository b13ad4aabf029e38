//! The parameters of a network: one flat vector and a table of its parts.
//!
//! One vector makes whatever treats all parameters alike (optimisers, clipping, norms, checkpoints) a
//! loop over a slice. Gradients have the same type and the same table.
//!
//! Names and shapes are PyTorch's. Only `weight_ih_l0` is transposed in memory, `[V, G*H]`: its input
//! is a one-hot character `x`, so the product `U x` is column `x` of `U`, here a contiguous row.

mod layout;

use tensor::{MatrixView, Scalar, parallel};

pub use layout::{Block, Layout};
pub(crate) use layout::{LayerLayout, Named};

use crate::config::NetworkConfig;
use crate::error::Result;
use crate::memory;

/// All parameters of a network, or the gradients with respect to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters<T> {
    layout: Layout,
    data: Vec<T>,
}

impl<T: Scalar> Parameters<T> {
    /// Parameters that are all zero; a gradient starts from these.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn zeros(config: &NetworkConfig) -> Self {
        Self::try_zeros(config).expect("memory for parameters")
    }

    /// As [`zeros`](Self::zeros).
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn try_zeros(config: &NetworkConfig) -> Result<Self> {
        // Before the table: its `usize` numbers would overflow for a network far too large for memory.
        let data = memory::zeros(Layout::count(config))?;
        let layout = Layout::new(config);
        Ok(Parameters { layout, data })
    }

    /// A copy, or an error where the system has no memory for one.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        let mut data = memory::zeros(self.data.len() as u128)?;
        data.copy_from_slice(&self.data);
        let layout = self.layout.clone();
        Ok(Parameters { layout, data })
    }

    /// The same as `f32` or `f64`: exact from `f32` to `f64`, rounded back. A number that no `f32` holds
    /// becomes infinite.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub fn cast<U: Scalar>(&self) -> Result<Parameters<U>> {
        let mut data = memory::zeros(self.data.len() as u128)?;
        for (to, from) in data.iter_mut().zip(&self.data) {
            *to = U::from_f64(from.to_f64());
        }
        let layout = self.layout.clone();
        Ok(Parameters { layout, data })
    }

    /// Bytes of all parameters of a network.
    pub(crate) fn bytes(config: &NetworkConfig) -> u128 {
        memory::bytes::<T>(Layout::count(config))
    }

    /// Whether all of them are finite.
    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|value| value.to_f64().is_finite())
    }

    /// The table of parameters.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no parameters; false for every valid network.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// All parameters in the order of the table.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// All parameters in the order of the table, mutably.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The table and all parameters, mutably.
    pub(crate) fn parts_mut(&mut self) -> (&Layout, &mut [T]) {
        (&self.layout, &mut self.data)
    }

    /// Sets every value to zero.
    pub fn clear(&mut self) {
        /// Multiply-adds that writing an element counts for.
        const FILL: usize = 8;
        parallel::in_parts(&mut self.data[..], FILL, 1, &|part: &mut [T]| {
            part.fill(T::ZERO);
        });
    }

    /// Adds `other`, element by element.
    pub(crate) fn add(&mut self, other: &Self) {
        /// Multiply-adds that an addition counts for.
        const ADD: usize = 16;
        let both = (&mut self.data[..], &other.data[..]);
        parallel::in_parts(both, ADD, 1, &|(sums, others): (&mut [T], &[T])| {
            for (sum, &other) in sums.iter_mut().zip(others) {
                *sum += other;
            }
        });
    }

    /// The elements of one parameter, as they lie in memory.
    pub fn slice(&self, block: Block) -> &[T] {
        &self.data[block.range()]
    }

    /// The elements of one parameter, mutably.
    pub fn slice_mut(&mut self, block: Block) -> &mut [T] {
        &mut self.data[block.range()]
    }

    /// One parameter as a matrix, as it lies in memory.
    pub fn matrix(&self, block: Block) -> MatrixView<'_, T> {
        MatrixView::new(self.slice(block), block.rows, block.cols)
    }

    /// The elements of one parameter in PyTorch's order: transposed where memory holds it so.
    pub fn to_pytorch(&self, named: &Named) -> Vec<T> {
        self.in_pytorch_order(named).collect()
    }

    /// The same as an iterator.
    pub(crate) fn in_pytorch_order(
        &self,
        named: &Named,
    ) -> impl ExactSizeIterator<Item = T> + use<'_, T> {
        let Block { rows, cols, .. } = named.block;
        let (data, is_transposed) = (self.slice(named.block), named.transposed);
        (0..data.len()).map(move |at| match is_transposed {
            true => data[(at % rows) * cols + at / rows],
            false => data[at],
        })
    }

    /// Sets one parameter from elements in PyTorch's order.
    ///
    /// # Panics
    /// If the number of elements is not the parameter's.
    pub fn set_pytorch(&mut self, named: &Named, values: &[T]) {
        let count = values.len();
        assert!(count == named.block.len(), "{count} values for {named:?}");
        self.fill_pytorch(named, |at| values[at]);
    }

    /// Sets one parameter to `value` of each place in PyTorch's order.
    pub(crate) fn fill_pytorch(&mut self, named: &Named, value: impl Fn(usize) -> T) {
        let Block { rows, cols, .. } = named.block;
        let data = self.slice_mut(named.block);
        for (at, to) in data.iter_mut().enumerate() {
            *to = if named.transposed {
                value(at % cols * rows + at / cols)
            } else {
                value(at)
            };
        }
    }
}
