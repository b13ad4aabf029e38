//! Scoring that learns on the way: dynamic evaluation (Krause, Kahembwe, Murray and Renals 2018,
//! "Dynamic evaluation of neural sequence models").
//!
//! A copy of the model's weights reads the text in segments. Each segment is scored first; then a step
//! down the gradient of its loss adapts the weights, and the next segment is scored with those. So no
//! character is learned from before it is scored, and the score is as honest as the plain one, but it is
//! that of a reader who learns, not that of the model: do not compare the two kinds.
//!
//! The step is Adam's without momentum, which is the paper's gradient over its root mean square. The
//! paper takes the mean square over the training text; a model file has none, so it is gathered on the
//! way. Its decay towards the weights of the model brought nothing here.

use std::fmt;

use crate::bptt::{Bptt, Window};
use crate::config::NetworkConfig;
use crate::error::{Error, Result};
use crate::loss::Reduction;
use crate::memory;
use crate::model::Model;
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::parameters::{Layout, Parameters};
use crate::score::Score;
use crate::vocabulary::Id;

/// Scores texts with weights that adapt to what has been read.
///
/// ```
/// use rnn::{AdaptiveScorer, CellKind, Error, Init, Model, Network, NetworkConfig, Vocabulary};
///
/// let text = "never odd or even ".repeat(30);
/// let vocabulary = Vocabulary::from_text(&text)?;
/// let config = NetworkConfig {
///     cell: CellKind::GRU, vocab_size: vocabulary.len(), hidden_size: 16, num_layers: 1,
/// };
/// let model = Model::new(vocabulary, Network::new(config, &Init::default(), 1)?, None);
/// let mut scorer = AdaptiveScorer::new(&model)?;
/// scorer.read(model.vocabulary().encode(&text)?, |_, _| Ok::<_, Error>(()))?;
/// let (plain, adapted) = (model.score(&text)?, scorer.score());
/// assert_eq!(adapted.characters, plain.characters);
/// assert!(adapted.nats < plain.nats);
/// # Ok::<(), Error>(())
/// ```
pub struct AdaptiveScorer {
    parameters: Parameters<f32>,
    gradient: Parameters<f32>,
    optimizer: Optimizer<f32>,
    bptt: Bptt<f32>,
    line_end: Option<Id>,
    /// The characters of a segment, and what follows each.
    inputs: [Id; Self::SEGMENT],
    targets: [Id; Self::SEGMENT],
    /// Characters whose gradient the next step takes.
    learned: usize,
    score: Score,
}

impl AdaptiveScorer {
    /// Characters from one step to the next.
    pub const SEGMENT: usize = 20;
    /// The learning rate of [`OPTIMIZER`](Self::OPTIMIZER).
    pub const LEARNING_RATE: f64 = 5e-4;
    /// What takes the steps, with the sum of the losses of a segment.
    pub const OPTIMIZER: OptimizerConfig = OptimizerConfig::Adam {
        beta1: 0.0,
        beta2: 0.999,
        eps: 1e-8,
    };

    /// A scorer with the weights of the model, which it copies.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where memory runs out.
    pub fn new(model: &Model) -> Result<Self> {
        let config = model.network().config();
        let line_end = model.line_end();
        memory::check(Self::bytes(config, line_end))?;
        let parameters = model.network().parameters().try_clone()?;
        Ok(AdaptiveScorer {
            gradient: Parameters::try_zeros(config)?,
            optimizer: Optimizer::new(Self::OPTIMIZER, parameters.len())?,
            bptt: Bptt::new(config, window(line_end), false)?,
            line_end,
            parameters,
            inputs: [0; Self::SEGMENT],
            targets: [0; Self::SEGMENT],
            learned: 0,
            score: Score::default(),
        })
    }

    /// Bytes of its buffers.
    fn bytes(config: &NetworkConfig, line_end: Option<Id>) -> u128 {
        let optimizer = Optimizer::<f32>::bytes(&Self::OPTIMIZER, Layout::count(config));
        Parameters::<f32>::bytes(config)
            .saturating_mul(2)
            .saturating_add(optimizer)
            .saturating_add(Bptt::<f32>::bytes(config, &window(line_end), false, 1))
    }

    /// Reads a text from a zero state, and calls `tell` for each predicted character with its id and its
    /// surprise in nats. The first character is read, not predicted, unless the model reads
    /// [line by line](Model::line_end). What the weights have learned from one text stays for the next.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the network overflows. The score is then that of the characters before, and
    /// the weights have learned from them. And whatever `tell` returns.
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    #[track_caller]
    pub fn read<E: From<Error>>(
        &mut self,
        ids: impl IntoIterator<Item = Id>,
        mut tell: impl FnMut(Id, f64) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut ids = ids.into_iter();
        let Some(mut before) = self.line_end.or_else(|| ids.next()) else {
            return Ok(());
        };
        self.bptt.reset_state();
        loop {
            // A step takes as many characters in a text of short records as in any other.
            let mut count = 0;
            for target in ids.by_ref().take(Self::SEGMENT - self.learned) {
                self.inputs[count] = std::mem::replace(&mut before, target);
                self.targets[count] = target;
                count += 1;
            }
            if count == 0 {
                return Ok(());
            }
            let targets = &self.targets[..count];
            let (params, inputs) = (&self.parameters, &self.inputs[..count]);
            self.bptt.forward(params, inputs, targets, None);
            let sound = self.bptt.overflow().unwrap_or(count);
            for (&target, &nats) in targets.iter().zip(self.bptt.losses()).take(sound) {
                self.score.nats += nats;
                self.score.characters += 1;
                tell(target, nats)?;
            }
            if sound < count {
                let characters = self.score.characters + 1;
                return Err(Error::Overflow { characters }.into());
            }
            self.bptt.backward(&mut self.gradient);
            self.learned += count;
            if self.learned == Self::SEGMENT {
                self.step();
            }
        }
    }

    /// Adapts the weights. A gradient that is not finite changes none.
    fn step(&mut self) {
        let gradient = self.gradient.as_slice();
        if self.gradient.is_finite() {
            let parameters = self.parameters.as_mut_slice();
            self.optimizer
                .step(parameters, gradient, Self::LEARNING_RATE);
        }
        self.gradient.clear();
        self.learned = 0;
    }

    /// The score of all texts so far.
    pub fn score(&self) -> Score {
        self.score
    }
}

impl fmt::Debug for AdaptiveScorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveScorer")
            .field("score", &self.score)
            .finish_non_exhaustive()
    }
}

/// A segment as a window of one sequence, which starts anew at each line if these end so.
fn window(line_end: Option<Id>) -> Window {
    Window {
        batch_size: 1,
        seq_length: AdaptiveScorer::SEGMENT,
        horizon: None,
        reduction: Reduction::Sum,
        restart: line_end,
    }
}
