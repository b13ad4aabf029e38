//! A text that a model is in the middle of, and many of them one step further together.

use smallvec::SmallVec;
use tensor::{MatrixView, MatrixViewMut, activation};

use crate::error::{Error, Result};
use crate::memory;
use crate::model::{MOST_TOGETHER, Model};
use crate::rows;
use crate::state::{State, memories};
use crate::unroll::{Unroll, is_sound};
use crate::vocabulary::{Id, check_ids};

/// The most characters of one text to read at a time.
const STEPS: usize = 64;

/// One text: all that a model remembers of it, and what the model expects next. It begins where nothing
/// or a [`State`] was read, and it can be cloned and sent to another thread. A model that reads
/// [line by line](Model::line_end) begins at the start of a line, and starts anew at each.
///
/// [`step_all`](Self::step_all) takes many sessions one character further at once, which is several times
/// as fast as one after the other and gives the same bits: a program that serves many texts keeps a list
/// of sessions, which may grow and shrink between two steps.
///
/// ```
/// use rnn::{CellKind, Drawer, Init, Model, Network, NetworkConfig, SampleOptions, Session, Vocabulary};
///
/// let vocabulary = Vocabulary::from_text("hello world")?;
/// let config = NetworkConfig {
///     cell: CellKind::GRU, vocab_size: vocabulary.len(), hidden_size: 16, num_layers: 1,
/// };
/// let model = Model::new(vocabulary, Network::new(config, &Init::default(), 1)?, None);
/// let mut first = Session::new(&model)?;
/// first.read(&model.vocabulary().encode("hel")?)?;
/// let mut sessions = vec![first.clone(), first, Session::new(&model)?];
/// let mut drawer = Drawer::new(&SampleOptions::default())?;
/// for _ in 0..5 {
///     let drawn: Vec<_> = sessions.iter().map(|session| Ok(drawer.draw(session.logits()?))).collect::<rnn::Result<_>>()?;
///     Session::step_all(sessions.iter_mut().zip(drawn))?;
/// }
/// let state = sessions.swap_remove(1).into_state(); // it leaves, and may go on later
/// sessions.push(Session::from_state(&model, state)?);
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    model: Model,
    state: State<f32>,
    /// `[V]`
    logits: Vec<f32>,
    /// `[V]` once they have been asked for.
    probabilities: Vec<f32>,
    /// Characters read since the state that it began with.
    read: u64,
    has_overflowed: bool,
}

impl Session {
    /// Nothing is read yet, and every first character is equally likely. A model that reads line by line
    /// has read the newline before the first line.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where memory runs out, [`Error::Overflow`] if the network overflows on the
    /// newline.
    pub fn new(model: &Model) -> Result<Self> {
        let mut session = Session::blank(model)?;
        session.read(model.line_end().as_slice())?;
        Ok(session)
    }

    fn blank(model: &Model) -> Result<Self> {
        let config = model.network().config();
        Ok(Session {
            model: model.clone(),
            state: State::try_zeros(config, 1)?,
            logits: memory::zeros(config.vocab_size as u128)?,
            probabilities: Vec::new(),
            read: 0,
            has_overflowed: false,
        })
    }

    /// Goes on from the state of another session, of [`Model::step`], or of
    /// [`Network::forward`](crate::Network::forward).
    ///
    /// # Errors
    /// [`Error::OtherState`] if it is not one of a single sequence in this model's network,
    /// [`Error::Overflow`] if it or its logits are not finite, [`Error::TooLarge`] where memory runs out.
    pub fn from_state(model: &Model, state: State<f32>) -> Result<Self> {
        let network = model.network();
        let (config, params) = (network.config(), network.parameters());
        if !state.fits(config, 1) {
            return Err(other_state(&state, model));
        }
        let mut session = Session::blank(model)?;
        let bias = params.slice(params.layout().decoder_bias);
        rows::fill(&mut session.logits, bias);
        let top = state.h[config.num_layers - 1].as_slice();
        model.packed()?.decoder.matmul_acc(
            MatrixView::new(top, 1, config.hidden_size),
            MatrixViewMut::new(&mut session.logits, 1, config.vocab_size),
        );
        session.state = state;
        let layers = session.state.h.iter().chain(&session.state.c);
        let mut all = layers.map(|layer| layer.as_slice());
        session.has_overflowed = !all.all(is_sound) || !is_sound(&session.logits);
        session.logits()?;
        Ok(session)
    }

    /// The model that reads.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// All that the model remembers.
    pub fn state(&self) -> &State<f32> {
        &self.state
    }

    /// The same, to go on with later.
    pub fn into_state(self) -> State<f32> {
        self.state
    }

    /// The logits of the next symbol, in the order of the vocabulary: for a [`Drawer`](crate::Drawer), or
    /// to change first. Their softmax is the probabilities.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the network overflowed on one of the characters, now and ever after.
    pub fn logits(&self) -> Result<&[f32]> {
        match self.has_overflowed {
            false => Ok(&self.logits),
            true => Err(Error::Overflow {
                characters: self.read,
            }),
        }
    }

    /// The probability of each symbol to come next, in the order of the vocabulary.
    ///
    /// # Errors
    /// As [`logits`](Self::logits), and [`Error::TooLarge`] where memory runs out.
    pub fn probabilities(&mut self) -> Result<&[f32]> {
        self.logits()?;
        if self.probabilities.is_empty() {
            self.probabilities = memory::zeros(self.logits.len() as u128)?;
        }
        self.probabilities.copy_from_slice(&self.logits);
        activation::softmax_in_place(&mut self.probabilities);
        Ok(&self.probabilities)
    }

    /// Reads what follows, several characters at a time.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the network overflows, [`Error::TooLarge`] where memory runs out. The state
    /// is then that before the call.
    ///
    /// # Panics
    /// If an id is outside the model's vocabulary.
    #[track_caller]
    pub fn read(&mut self, ids: &[Id]) -> Result<()> {
        check_ids(ids, self.model.vocabulary().len());
        if !self.has_overflowed && !ids.is_empty() {
            self.advance(ids)?;
        }
        self.logits().map(drop)
    }

    /// Reads one character, such as a key that was pressed.
    ///
    /// # Errors
    /// [`Error::UnknownCharacter`], and those of [`read`](Self::read). The state is then that before.
    pub fn read_char(&mut self, character: char) -> Result<()> {
        let ids = self.model.vocabulary().encode_char(character)?;
        self.read(&ids)
    }

    /// As [`read`](Self::read) of ids that are some and sound, in a session that is; leaves it to
    /// [`logits`](Self::logits) to say whether the network overflowed.
    pub(crate) fn advance(&mut self, ids: &[Id]) -> Result<()> {
        let params = self.model.network().parameters();
        let most = ids.len().min(STEPS);
        self.model.clone().unrolled(1, most, |unroll, weights| {
            unroll.start_row_from(0, &self.state);
            for ids in ids.chunks(unroll.capacity()) {
                unroll.read(params, weights, ids);
                if let Some(step) = unroll.overflow() {
                    self.has_overflowed = true;
                    self.read += step as u64 + 1;
                    return;
                }
                self.read += ids.len() as u64;
            }
            unroll.row_to(0, &mut self.state);
            self.logits.copy_from_slice(unroll.last_logits());
        })
    }

    /// Reads one character in each session, all at once: the weights are read once for up to 256
    /// sessions, and inside a rayon pool its threads share the sessions out. Nothing is allocated once
    /// there were as many sessions before. Each session ends up as after [`read`](Self::read), to the
    /// bit. One whose network overflows says so when its logits are wanted, and the others go on.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where memory runs out. Of more than 256 sessions some may have read then.
    ///
    /// # Panics
    /// If an id is outside the vocabulary, or the sessions are not all of one model or its clones.
    #[track_caller]
    pub fn step_all<'s>(sessions: impl IntoIterator<Item = (&'s mut Session, Id)>) -> Result<()> {
        let mut sessions = sessions.into_iter().peekable();
        let Some((first, _)) = sessions.peek() else {
            return Ok(());
        };
        let model = first.model.clone();
        let (vocab, most) = (model.vocabulary().len(), model.most_together());
        let mut ids = SmallVec::<[Id; MOST_TOGETHER]>::new();
        let mut group = SmallVec::<[&mut Session; MOST_TOGETHER]>::new();
        while sessions.peek().is_some() {
            for (session, id) in sessions.by_ref().take(most) {
                assert!(session.model.is(&model), "sessions of two models in a step");
                if !session.has_overflowed {
                    ids.push(id);
                    group.push(session);
                }
            }
            check_ids(&ids, vocab);
            Self::step_group(&model, &mut group, &ids)?;
            ids.clear();
            group.clear();
        }
        Ok(())
    }

    /// The same for as many as there are buffers for.
    fn step_group(model: &Model, group: &mut [&mut Session], ids: &[Id]) -> Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        model.unrolled(group.len(), 1, |unroll, weights| {
            for (row, session) in group.iter().enumerate() {
                unroll.start_row_from(row, &session.state);
            }
            unroll.read(model.network().parameters(), weights, ids);
            for (row, session) in group.iter_mut().enumerate() {
                session.take(unroll, row);
            }
        })
    }

    /// Takes over what one row has come to in a step.
    fn take(&mut self, unroll: &Unroll<f32>, row: usize) {
        self.read += 1;
        self.has_overflowed = !unroll.is_sound_after(0, row..row + 1);
        if !self.has_overflowed {
            let vocab = self.logits.len();
            unroll.row_to(row, &mut self.state);
            self.logits
                .copy_from_slice(&unroll.logits()[row * vocab..][..vocab]);
        }
    }

    /// As `clone`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where memory runs out.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        let mut clone = Session::blank(&self.model)?;
        let layers = self.state.h.iter().chain(&self.state.c);
        let clones = clone.state.h.iter_mut().chain(&mut clone.state.c);
        for (clone, layer) in clones.zip(layers) {
            clone.as_mut_slice().copy_from_slice(layer.as_slice());
        }
        clone.logits.copy_from_slice(&self.logits);
        (clone.read, clone.has_overflowed) = (self.read, self.has_overflowed);
        Ok(clone)
    }
}

/// What a state is and what it should be.
fn other_state(state: &State<f32>, model: &Model) -> Error {
    let config = model.network().config();
    let memories = memories(config);
    let units = state.h.first().map_or(0, |layer| layer.cols());
    Error::OtherState {
        found: format!(
            "a state of {} sequences in {} layers of {units} units, {} of them with a memory, for a model of 1 in {} layers of {} units, {memories} with a memory",
            state.batch_size(),
            state.h.len(),
            state.c.len(),
            config.num_layers,
            config.hidden_size,
        ),
    }
}
