//! Back-propagation through time (Werbos 1990; truncated: Williams and Peng 1990).
//!
//! A window of steps is unrolled forward, then the gradient of its loss is taken back through the
//! same steps. The state is carried from window to window; the gradient stops at the window's
//! start. For each layer, from the last step of the window to the first:
//!
//! ```text
//! dh_t     = (gradient from above) + W^T da_{t+1}        from the decoder or next layer, and from t+1
//! da_t     = what the cell makes of dh_t                 cell/elman.rs, cell/lstm.rs, cell/gru.rs
//! ```
//!
//! and then, over all steps at once, the gradients of the weights: `bptt/weights.rs`.
//!
//! The *horizon* is how many steps a loss sends its gradient back, itself included. It is the
//! whole window unless asked to be shorter; a horizon of 1 cuts the term `W^T da_{t+1}` and gives
//! the notebook's gradient.
//!
//! The batch's rows are cut into groups whose number depends on the batch alone. Each group goes
//! through its window without waiting for the others, and the weight gradients add the groups in
//! order, so that the number of threads changes no bit.

mod group;
mod weights;

use std::ops::Range;

use tensor::{Scalar, parallel};

pub(crate) use self::group::Group;
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

/// The shape of the work: how many sequences, how many steps, how far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Sequences side by side.
    pub batch_size: usize,
    /// Most steps in a window.
    pub seq_length: usize,
    /// Steps that a gradient flows back; `None` is the whole window.
    pub horizon: Option<usize>,
    /// How the losses become one number.
    pub reduction: Reduction,
}

impl Window {
    /// Whether a gradient flows from step to step at all.
    fn flows(&self) -> bool {
        self.horizon != Some(1)
    }

    /// The size of a group of `rows` sequences.
    fn size(&self, rows: usize, dropout: bool) -> Size {
        Size {
            dropout,
            ..Size::reading(rows, self.seq_length)
        }
    }
}

/// Forward and backward passes over windows, with all their buffers.
///
/// ```
/// use rnn::{Bptt, CellKind, Init, Network, NetworkConfig, Parameters, Reduction, Window};
///
/// let config = NetworkConfig { cell: CellKind::LSTM, vocab_size: 4, hidden_size: 8, num_layers: 1 };
/// let network = Network::<f32>::new(config, &Init::default(), 1)?;
/// let window = Window { batch_size: 1, seq_length: 4, horizon: None, reduction: Reduction::Sum };
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
    groups: Vec<Group<T>>,
    forward_weights: PackedWeights<T>,
    backward_weights: PackedWeights<T>,
}

/// Rows of the batch that one thread takes through a window.
const GROUP_ROWS: usize = 32;

/// How many groups a batch makes.
fn group_count(batch: usize) -> usize {
    batch
        .div_ceil(GROUP_ROWS)
        .max(if batch >= 8 { 2 } else { 1 })
}

/// Parameters from which on two threads pack them for the two directions sooner than one.
const WORTH_PACKING_APART: usize = 1 << 16;

impl<T: Scalar> Bptt<T> {
    /// Buffers for windows of this shape, with room for dropout if `dropout`.
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
        let batch = window.batch_size;
        let count = group_count(batch);
        let bounds = |i: usize| i * batch / count;
        let group = |i| {
            let rows = bounds(i + 1) - bounds(i);
            Group::new(
                config,
                bounds(i),
                window.size(rows, dropout),
                window.horizon,
            )
        };
        let groups = (0..count).map(group).collect::<Result<_>>()?;
        Ok(Bptt {
            config: *config,
            window,
            groups,
            forward_weights: PackedWeights::forward(config)?,
            backward_weights: PackedWeights::backward(config, window.flows())?,
        })
    }

    /// Bytes of these buffers.
    pub(crate) fn bytes(config: &NetworkConfig, window: &Window, dropout: bool) -> u128 {
        // As if all groups were as large as the largest.
        let count = group_count(window.batch_size);
        let rows = window.batch_size.div_ceil(count);
        Group::<T>::bytes(config, &window.size(rows, dropout), window.horizon)
            .saturating_mul(count as u128)
            .saturating_add(PackedWeights::<T>::forward_bytes(config))
            .saturating_add(PackedWeights::<T>::backward_bytes(config, window.flows()))
    }

    /// The shape of the windows.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Resets the state to zero; the next window starts from there.
    pub fn reset_state(&mut self) {
        for group in &mut self.groups {
            group.unroll.start();
        }
    }

    /// Starts the next window from `state`.
    ///
    /// # Panics
    /// If the state is not that of this batch and network.
    #[track_caller]
    pub fn set_state(&mut self, state: &State<T>) {
        state.check(&self.config, self.window.batch_size);
        for group in &mut self.groups {
            group.unroll.start_from(state);
        }
    }

    /// The state after the last window.
    ///
    /// # Panics
    /// If memory runs out.
    pub fn state(&self) -> State<T> {
        self.try_state().expect("memory for a state")
    }

    /// The same, or an error where memory runs out.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub(crate) fn try_state(&self) -> Result<State<T>> {
        let mut state = State::try_zeros(&self.config, self.window.batch_size)?;
        for group in &self.groups {
            group.unroll.state_to(&mut state);
        }
        Ok(state)
    }

    /// Reads a window from the carried state on and returns its loss in nats, reduced as the
    /// window says. `inputs` and `targets` are `[time, batch]`; a target of [`IGNORE`] counts for nothing.
    ///
    /// # Panics
    /// If the lengths do not make whole steps of the batch, there are more steps than the window
    /// has, or an id is outside the vocabulary.
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
            groups,
            forward_weights,
            backward_weights,
            ..
        } = self;
        parallel::join_if(
            params.len() >= WORTH_PACKING_APART,
            || forward_weights.pack_forward(params),
            || backward_weights.pack_backward(params),
        );
        let weights = &*forward_weights;
        parallel::for_each(groups, &|group: &mut Group<T>| {
            group
                .unroll
                .read_group(params, weights, inputs, batch, dropout);
            group.set_targets(targets, batch);
            group.loss_gradient(T::from_f64(scale));
        });
        let sum: f64 = self
            .groups
            .iter()
            .flat_map(|group| &group.losses[..group.unroll.steps() * group.unroll.rows()])
            .sum();
        sum * scale
    }

    /// Adds the gradient of the last window's loss to `gradient`.
    pub fn backward(&mut self, gradient: &mut Parameters<T>) {
        let steps = self.groups[0].unroll.steps();
        match self.window.horizon {
            // No gradient flows from step to step, so all steps can be taken at once.
            Some(1) => self.backward_span(0..steps, 0, gradient),
            Some(horizon) if horizon < steps => {
                for group in &mut self.groups {
                    group.save();
                }
                for t in 0..steps {
                    let span = (t + 1).saturating_sub(horizon)..t + 1;
                    let restore = |group: &mut Group<T>| group.restore(&span);
                    parallel::for_each(&mut self.groups, &restore);
                    self.backward_span(span, t, gradient);
                }
            }
            _ => self.backward_span(0..steps, 0, gradient),
        }
    }

    /// The gradient through the steps of `span` of the losses from step `from` on.
    fn backward_span(&mut self, span: Range<usize>, from: usize, gradient: &mut Parameters<T>) {
        let Self {
            groups,
            backward_weights,
            ..
        } = self;
        let weights = &*backward_weights;
        let flows = self.window.flows();
        parallel::for_each(groups, &|group: &mut Group<T>| {
            group.backward(weights, &span, from, flows);
        });
        let unrolled = Unrolled {
            groups: &self.groups,
            span: &span,
            cell: self.config.cell,
            hidden: self.config.hidden_size,
        };
        // The decoder's gradient belongs to no span: it goes with the first.
        unrolled.add_to(gradient, from == 0);
    }
}
