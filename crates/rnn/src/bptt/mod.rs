//! Backpropagation through time (Werbos 1990; truncated: Williams and Peng 1990).
//!
//! The forward pass unrolls a window of steps; the backward pass takes the gradient of its loss back
//! through them. The state passes from window to window, the gradient stops at the start of the window.
//! For each layer, from the last step of the window to the first:
//!
//! ```text
//! dh_t = (gradient from the decoder or the next layer) + W^T da_{t+1}
//! da_t = the cell's backward step from dh_t                               cell/elman.rs, cell/lstm.rs ...
//! ```
//!
//! then the gradients of the weights, over all steps at once: `bptt/weights.rs`.
//!
//! The *horizon* is the number of steps that a loss is backpropagated through, its own included. By
//! default it is the whole window; a horizon of 1 drops the term `W^T da_{t+1}` and gives the notebook's
//! gradient.
//!
//! Threads share out the rows of the batch in the steps, and the elements of the gradients in the sums for
//! the weights, so their number changes no bit. A batch of several *shards* has an unrolled network and a
//! gradient for each, and their tree of sums changes no bit with the number of processes:
//! [`ranks`](crate::ranks).

mod pass;
mod shards;
mod strip;
mod weights;

use std::fmt;
use std::ops::Range;

use tensor::{Scalar, parallel};

pub(crate) use self::pass::Pass;
use crate::config::NetworkConfig;
use crate::dropout::Dropout;
use crate::error::Result;
use crate::loss::Reduction;
use crate::memory;
use crate::packed::PackedWeights;
use crate::parameters::Parameters;
use crate::state::State;
use crate::unroll::Size;
use crate::vocabulary::{IGNORE, Id, check_ids, check_targets};

/// The shape of a window: sequences, steps, and how far back the gradient goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of sequences.
    pub batch_size: usize,
    /// The most steps in a window.
    pub seq_length: usize,
    /// Steps to backpropagate a loss through; `None` for the whole window.
    pub horizon: Option<usize>,
    /// Mean or sum of the losses.
    pub reduction: Reduction,
    /// The input that starts a new sequence, such as the newline before a record: the state before it is
    /// zero. `None` if there is none.
    pub restart: Option<Id>,
}

impl Default for Window {
    /// One sequence of up to 64 steps, the mean of the losses, and the whole window as horizon.
    fn default() -> Self {
        Window {
            batch_size: 1,
            seq_length: 64,
            horizon: None,
            reduction: Reduction::Mean,
            restart: None,
        }
    }
}

impl Window {
    /// Whether the gradient flows from step to step.
    fn flows(&self) -> bool {
        self.horizon != Some(1)
    }

    /// The size of an unrolled network of `rows` sequences.
    fn size(&self, rows: usize, dropout: bool) -> Size {
        Size {
            dropout,
            restart: self.restart,
            ..Size::reading(rows, self.seq_length)
        }
    }
}

/// Forward and backward passes over windows, and their buffers.
///
/// ```
/// use rnn::{Bptt, CellKind, Init, Network, NetworkConfig, Parameters, Reduction, Window};
///
/// let config = NetworkConfig { cell: CellKind::LSTM, vocab_size: 4, hidden_size: 8, num_layers: 1 };
/// let network = Network::<f32>::new(config, &Init::default(), 1)?;
/// let window = Window { batch_size: 1, seq_length: 4, horizon: None, reduction: Reduction::Sum, restart: None };
/// let mut bptt = Bptt::new(&config, window, false)?;
/// let mut gradient = Parameters::zeros(&config);
/// // "hello" with h e l o numbered 0 to 3: read "hell", predict "ello".
/// let loss = bptt.forward(network.parameters(), &[0, 1, 2, 2], &[1, 2, 2, 3], None);
/// bptt.backward(&mut gradient);
/// assert!(loss > 0.0 && gradient.as_slice().iter().any(|&g| g != 0.0));
/// # Ok::<(), rnn::Error>(())
/// ```
pub struct Bptt<T> {
    config: NetworkConfig,
    window: Window,
    /// One for each shard that is here.
    passes: Vec<Pass<T>>,
    forward_weights: PackedWeights<T>,
    backward_weights: PackedWeights<T>,
    has_dropout: bool,
    /// Whether the buffers hold a window that has not gone backward, which overwrites it.
    is_read: bool,
}

impl<T> fmt::Debug for Bptt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bptt")
            .field("config", &self.config)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

/// Multiply-adds that packing an element counts for.
const PACK: usize = 32;

impl<T: Scalar> Bptt<T> {
    /// Buffers for windows of this shape, and for dropout if `dropout`.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) for sizes beyond the machine's memory.
    ///
    /// # Panics
    /// If the batch size, the window or the horizon is zero.
    #[track_caller]
    pub fn new(config: &NetworkConfig, window: Window, dropout: bool) -> Result<Self> {
        Self::of_shards(config, window, dropout, 1, 0..1)
    }

    /// The same for these shards of a batch that is cut into `count` of them.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub(crate) fn of_shards(
        config: &NetworkConfig,
        window: Window,
        dropout: bool,
        count: usize,
        shards: Range<usize>,
    ) -> Result<Self> {
        assert!(
            window.batch_size > 0 && window.seq_length > 0 && window.horizon != Some(0),
            "an empty window: {window:?}"
        );
        memory::check(Self::bytes(config, &window, dropout, count))?;
        let rows = window.batch_size / count;
        let size = window.size(rows, dropout);
        let pass = |shard| Pass::new(config, shard * rows, size, window.horizon);
        Ok(Bptt {
            config: *config,
            window,
            passes: shards.map(pass).collect::<Result<_>>()?,
            forward_weights: PackedWeights::forward(config)?,
            backward_weights: PackedWeights::backward(config, window.flows())?,
            has_dropout: dropout,
            is_read: false,
        })
    }

    /// Bytes of these buffers, for all of so many shards.
    pub(crate) fn bytes(
        config: &NetworkConfig,
        window: &Window,
        dropout: bool,
        shards: usize,
    ) -> u128 {
        let size = window.size(window.batch_size / shards.max(1), dropout);
        Pass::<T>::bytes(config, &size, window.horizon)
            .saturating_mul(shards as u128)
            .saturating_add(PackedWeights::<T>::forward_bytes(config))
            .saturating_add(PackedWeights::<T>::backward_bytes(config, window.flows()))
    }

    /// The shape of the windows.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The sequences that are here.
    pub(crate) fn rows(&self) -> Range<usize> {
        let columns = |pass: Option<&Pass<T>>| pass.map_or(0..0, |pass| pass.unroll.columns());
        columns(self.passes.first()).start..columns(self.passes.last()).end
    }

    /// Resets the state to zero; the next window starts from there.
    pub fn reset_state(&mut self) {
        for pass in &mut self.passes {
            pass.unroll.start();
        }
    }

    /// Starts the next window from `state`.
    ///
    /// # Panics
    /// If the state is not that of this batch and network.
    #[track_caller]
    pub fn set_state(&mut self, state: &State<T>) {
        state.check(&self.config, self.window.batch_size);
        for pass in &mut self.passes {
            pass.unroll.start_from(state);
        }
    }

    /// The state after the last window; zeros for sequences that are not here.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn state(&self) -> State<T> {
        self.try_state().expect("memory for a state")
    }

    /// As [`state`](Self::state).
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where memory runs out.
    pub(crate) fn try_state(&self) -> Result<State<T>> {
        let mut state = State::try_zeros(&self.config, self.window.batch_size)?;
        for pass in &self.passes {
            pass.unroll.state_to(&mut state);
        }
        Ok(state)
    }

    /// Reads the next window and returns the mean or sum of its losses in nats. `inputs` and `targets`
    /// are `[time, batch]`; a target of [`IGNORE`] has no loss.
    ///
    /// # Panics
    /// If the lengths are not whole steps of the batch, there are more steps than in a window, an id is
    /// outside the vocabulary, or there is dropout without buffers for it.
    #[track_caller]
    pub fn forward(
        &mut self,
        params: &Parameters<T>,
        inputs: &[Id],
        targets: &[Id],
        dropout: Option<Dropout>,
    ) -> f64 {
        let (sum, scale) = self.forward_sum(params, inputs, targets, dropout);
        sum * scale
    }

    /// As [`forward`](Self::forward), but returns the sum of the losses that are here and the factor that
    /// makes the sum over the whole batch its loss.
    #[track_caller]
    pub(crate) fn forward_sum(
        &mut self,
        params: &Parameters<T>,
        inputs: &[Id],
        targets: &[Id],
        dropout: Option<Dropout>,
    ) -> (f64, f64) {
        let batch = self.window.batch_size;
        assert!(
            inputs.len() == targets.len() && inputs.len().is_multiple_of(batch),
            "{} inputs and {} targets for a batch of {batch}",
            inputs.len(),
            targets.len()
        );
        assert!(
            self.has_dropout || dropout.is_none(),
            "dropout in a Bptt made without buffers for it; use Bptt::new(config, window, true)"
        );
        self.is_read = true;
        check_ids(inputs, self.config.vocab_size);
        check_targets(targets, self.config.vocab_size);
        let counted = targets.iter().filter(|&&target| target != IGNORE).count();
        let scale = match self.window.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean => 1.0 / counted.max(1) as f64,
        };
        let Self {
            passes,
            forward_weights,
            backward_weights,
            ..
        } = self;
        let each = params.len() * PACK;
        parallel::named("packing", || {
            parallel::join(
                [each, each],
                || forward_weights.pack_forward(params),
                || backward_weights.pack_backward(params),
            );
        });
        let work = params.len() * inputs.len() / batch;
        let weights = &*forward_weights;
        parallel::in_parts(&mut passes[..], work, 1, &|passes: &mut [Pass<T>]| {
            for pass in passes {
                pass.forward(params, weights, [inputs, targets], batch, dropout);
                pass.loss_gradient(T::from_f64(scale));
            }
        });
        (shards::sum_losses(passes), scale)
    }

    /// The loss of each character of the last window, `[time, batch]`, of a single shard.
    pub(crate) fn losses(&self) -> &[f64] {
        self.passes[0].losses()
    }

    /// The first step of the last window at which the network overflows, for a batch of one sequence.
    pub(crate) fn overflow(&self) -> Option<usize> {
        let unsound = self.losses().iter().position(|nats| !nats.is_finite());
        // By now the logits are gradients.
        let overflow = self.passes[0].unroll.overflow();
        overflow.into_iter().chain(unsound).min()
    }
}
