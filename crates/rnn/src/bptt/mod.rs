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
//! the weights, so their number changes no bit.

mod pass;
mod strip;
mod weights;

use std::ops::Range;

use tensor::{Scalar, parallel};

pub(crate) use self::pass::Pass;
use self::weights::Unrolled;
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

impl Window {
    /// Whether the gradient flows from step to step.
    fn flows(&self) -> bool {
        self.horizon != Some(1)
    }

    /// The size of the unrolled network.
    fn size(&self, dropout: bool) -> Size {
        Size {
            dropout,
            restart: self.restart,
            ..Size::reading(self.batch_size, self.seq_length)
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
    pass: Pass<T>,
    forward_weights: PackedWeights<T>,
    backward_weights: PackedWeights<T>,
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
    pub fn new(config: &NetworkConfig, window: Window, dropout: bool) -> Result<Self> {
        assert!(
            window.batch_size > 0 && window.seq_length > 0 && window.horizon != Some(0),
            "an empty window: {window:?}"
        );
        memory::check(Self::bytes(config, &window, dropout))?;
        Ok(Bptt {
            config: *config,
            window,
            pass: Pass::new(config, 0, window.size(dropout), window.horizon)?,
            forward_weights: PackedWeights::forward(config)?,
            backward_weights: PackedWeights::backward(config, window.flows())?,
        })
    }

    /// Bytes of these buffers.
    pub(crate) fn bytes(config: &NetworkConfig, window: &Window, dropout: bool) -> u128 {
        Pass::<T>::bytes(config, &window.size(dropout), window.horizon)
            .saturating_add(PackedWeights::<T>::forward_bytes(config))
            .saturating_add(PackedWeights::<T>::backward_bytes(config, window.flows()))
    }

    /// The shape of the windows.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Resets the state to zero; the next window starts from there.
    pub fn reset_state(&mut self) {
        self.pass.unroll.start();
    }

    /// Starts the next window from `state`.
    ///
    /// # Panics
    /// If the state is not that of this batch and network.
    #[track_caller]
    pub fn set_state(&mut self, state: &State<T>) {
        state.check(&self.config, self.window.batch_size);
        self.pass.unroll.start_from(state);
    }

    /// The state after the last window.
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
        self.pass.unroll.state_to(&mut state);
        Ok(state)
    }

    /// Reads the next window and returns the mean or sum of its losses in nats. `inputs` and `targets`
    /// are `[time, batch]`; a target of [`IGNORE`] has no loss.
    ///
    /// # Panics
    /// If the lengths are not whole steps of the batch, there are more steps than in a window, or an id
    /// is outside the vocabulary.
    #[track_caller]
    pub fn forward(
        &mut self,
        params: &Parameters<T>,
        inputs: &[Id],
        targets: &[Id],
        dropout: Option<Dropout>,
    ) -> f64 {
        let batch = self.window.batch_size;
        assert!(
            inputs.len() == targets.len() && inputs.len().is_multiple_of(batch),
            "{} inputs and {} targets for a batch of {batch}",
            inputs.len(),
            targets.len()
        );
        check_ids(inputs, self.config.vocab_size);
        check_targets(targets, self.config.vocab_size);
        let counted = targets.iter().filter(|&&target| target != IGNORE).count();
        let scale = match self.window.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean => 1.0 / counted.max(1) as f64,
        };
        let Self {
            pass,
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
        pass.unroll
            .read_dropping(params, forward_weights, inputs, dropout);
        parallel::named("loss", || {
            pass.loss_gradient(targets, T::from_f64(scale));
            pass.losses().iter().sum::<f64>() * scale
        })
    }

    /// The loss of each character of the last window, `[time, batch]`.
    pub(crate) fn losses(&self) -> &[f64] {
        self.pass.losses()
    }

    /// The first step of the last window at which the network overflows, for a batch of one sequence.
    pub(crate) fn overflow(&self) -> Option<usize> {
        let unsound = self.losses().iter().position(|nats| !nats.is_finite());
        // By now the logits are gradients.
        let overflow = self.pass.unroll.overflow();
        overflow.into_iter().chain(unsound).min()
    }

    /// Adds the gradient of the last window's loss to `gradient`.
    pub fn backward(&mut self, gradient: &mut Parameters<T>) {
        let steps = self.pass.unroll.steps();
        match self.window.horizon {
            // The gradient does not flow from step to step, so take all steps at once.
            Some(1) => self.backward_span(0..steps, 0, gradient),
            Some(horizon) if horizon < steps => {
                self.pass.save();
                for t in 0..steps {
                    let span = (t + 1).saturating_sub(horizon)..t + 1;
                    self.pass.restore(&span);
                    self.backward_span(span, t, gradient);
                }
            }
            _ => self.backward_span(0..steps, 0, gradient),
        }
    }

    /// Backpropagates the losses from step `from` on through the steps of `span`.
    fn backward_span(&mut self, span: Range<usize>, from: usize, gradient: &mut Parameters<T>) {
        let flows = self.window.flows();
        self.pass
            .backward(&self.backward_weights, &span, from, flows);
        let unrolled = Unrolled {
            unroll: &self.pass.unroll,
            bias: &self.pass.bias,
            span: &span,
            cell: self.config.cell,
            hidden: self.config.hidden_size,
        };
        // The decoder's gradient does not depend on the span, so add it with the first.
        unrolled.add_to(gradient, from == 0);
    }
}
