//! A long text as parallel streams, cut into windows for truncated back-propagation through time.
//!
//! `batch_size` streams read the text at as many places at once, and the network carries the state of
//! each from window to window. All but the first of `n` characters are predicted, so a stream has
//! `L = (n - 1) / batch_size` steps, and stream `b` starts at character `b L`:
//!
//! ```text
//!     inputs[t][b] = text[b L + t]        targets[t][b] = text[b L + t + 1]
//! ```

use std::ops::Range;

use super::ids::{IdSlice, View};
use crate::error::{Error, Result, check_setting};
use crate::vocabulary::Id;

/// Piece `index` when `len` steps are cut into `pieces` whose lengths differ by at most 1.
pub(super) fn even_piece(len: usize, pieces: usize, index: usize) -> Range<usize> {
    let (short, longer) = (len / pieces, len % pieces);
    let start = index * short + index.min(longer);
    start..start + short + usize::from(index < longer)
}

/// A part of a corpus as `batch_size` contiguous streams, cut into windows of nearly equal length.
///
/// ```
/// use rnn::{Corpus, Streams};
///
/// let corpus = Corpus::from_text("abcdefg")?;
/// let streams = Streams::new(0..corpus.len(), 2, 2);
/// assert_eq!((streams.stream_len(), streams.windows_per_epoch()), (3, 2));
/// let (mut inputs, mut targets) = ([0; 4], [0; 4]);
/// let steps = streams.fill(corpus.ids().as_slice(), 0, &mut inputs, &mut targets);
/// assert_eq!(steps, 2); // time-major: [a d] then [b e]
/// assert_eq!(corpus.vocabulary().decode(&inputs), "adbe");
/// assert_eq!(corpus.vocabulary().decode(&targets), "becf");
/// # Ok::<(), rnn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streams {
    start: usize,
    batch_size: usize,
    stream_len: usize,
    windows: usize,
}

impl Streams {
    /// Streams over the characters of `range`, in windows of at most `seq_length` steps. All but
    /// fewer than `batch_size` characters at the end are used. [`TrainConfig::fitted`](crate::TrainConfig::fitted) finds sizes for short texts:
    /// with fewer than `batch_size + 1` characters there are no windows.
    ///
    /// # Panics
    /// If a size is 0.
    #[track_caller]
    pub fn new(range: Range<usize>, batch_size: usize, seq_length: usize) -> Self {
        assert!(
            batch_size > 0 && seq_length > 0,
            "batch size {batch_size} and window {seq_length} must be at least 1"
        );
        let stream_len = range.len().saturating_sub(1) / batch_size;
        let windows = stream_len.div_ceil(seq_length);
        Self {
            start: range.start,
            batch_size,
            stream_len,
            windows,
        }
    }

    /// Streams side by side.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Steps of one stream.
    pub fn stream_len(&self) -> usize {
        self.stream_len
    }

    /// Windows that cover all streams once.
    pub fn windows_per_epoch(&self) -> usize {
        self.windows
    }

    /// The steps of window `w` in its stream. Window 0 starts from a zero state, every other from the
    /// final state of the one before.
    ///
    /// # Panics
    /// If `w` is not below [`windows_per_epoch`](Self::windows_per_epoch).
    #[track_caller]
    pub fn window(&self, w: usize) -> Range<usize> {
        assert!(
            w < self.windows,
            "window {w} is outside an epoch of {}",
            self.windows
        );
        even_piece(self.stream_len, self.windows, w)
    }

    /// Writes window `w` time-major, `[steps, batch]`, without allocating, and returns its steps. Longer
    /// buffers keep the rest of their content.
    ///
    /// # Panics
    /// If there is no window `w`, a buffer is too short, or `ids` ends before the range does.
    #[track_caller]
    pub fn fill(&self, ids: IdSlice<'_>, w: usize, inputs: &mut [Id], targets: &mut [Id]) -> usize {
        self.fill_columns(0..self.batch_size, ids, w, inputs, targets)
    }

    /// As [`fill`](Self::fill), but writes only these of the streams.
    #[track_caller]
    pub(crate) fn fill_columns(
        &self,
        streams: Range<usize>,
        ids: IdSlice<'_>,
        w: usize,
        inputs: &mut [Id],
        targets: &mut [Id],
    ) -> usize {
        let window = self.window(w);
        let (steps, needed) = (window.len(), window.len() * self.batch_size);
        assert!(
            inputs.len() >= needed && targets.len() >= needed,
            "window of {steps} x {} needs buffers of {needed}, got {} and {}",
            self.batch_size,
            inputs.len(),
            targets.len()
        );
        for stream in streams {
            let first = self.start + stream * self.stream_len + window.start;
            // Inputs and targets overlap but for one character on either side.
            let text = ids.slice(first..first + steps + 1);
            let (inputs, targets) = (&mut inputs[stream..], &mut targets[stream..]);
            match text.0 {
                View::Narrow(text) => write_column(text, self.batch_size, inputs, targets),
                View::Wide(text) => write_column(text, self.batch_size, inputs, targets),
            }
        }
        steps
    }
}

/// Writes one stream to its column of the inputs and of the targets.
fn write_column<T: Copy + Into<Id>>(
    text: &[T],
    stride: usize,
    inputs: &mut [Id],
    targets: &mut [Id],
) {
    let rows = inputs
        .iter_mut()
        .step_by(stride)
        .zip(targets.iter_mut().step_by(stride));
    for ((input, target), pair) in rows.zip(text.windows(2)) {
        *input = pair[0].into();
        *target = pair[1].into();
    }
}

/// The batch size and window for a training text of `characters`: one that is shorter than a batch of
/// windows gets a smaller batch, and where one window is still too long, a shorter window.
///
/// # Errors
/// [`Error::InvalidSetting`] for a size of 0; [`Error::TooShort`] below two characters, as the second is
/// the first that can be predicted.
pub(crate) fn fit(
    characters: usize,
    batch_size: usize,
    seq_length: usize,
) -> Result<(usize, usize)> {
    for (name, size) in [("batch size", batch_size), ("window length", seq_length)] {
        check_setting(name, size as f64, size > 0, "at least 1")?;
    }
    if characters < 2 {
        return Err(Error::TooShort {
            characters,
            needed: 2,
        });
    }
    let steps = characters - 1;
    // Division instead of a product, which absurd sizes would overflow.
    let batch_size = batch_size.min((steps / seq_length).max(1));
    Ok((batch_size, seq_length.min(steps)))
}
