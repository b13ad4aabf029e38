//! Batches of records. Each row of a batch reads one record after the other, so no step waits for the
//! longest:
//!
//! ```text
//!     row 0   inputs   \n e m m a|\n a v a \n x ...      targets   e m m a \n|a v a \n x \n ...
//! ```
//!
//! A newline as input says that a record starts, and so from a zero state. The records of an epoch, one
//! after the other, are cut into `batch_size` rows of nearly equal length. A cut that falls into a record
//! moves to its nearer end. If that is far, the row starts inside the record, as a stream of a text does:
//! one record that is longer than all others together holds up none.

use super::ids::IdSlice;
use super::records::Records;
use super::windows::even_piece;
use crate::{IGNORE, Id};

/// One window of a batch of records, as [`RecordBatches::fill`] wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordWindow {
    /// Steps of the window.
    pub(crate) steps: usize,
    /// Number of targets that are not padding.
    pub(crate) characters: usize,
    /// Whether all rows start here, from a zero state.
    pub(crate) is_first: bool,
}

/// Records in batches, in the order of the corpus or shuffled for an epoch.
#[derive(Clone, Debug)]
pub(crate) struct RecordBatches {
    records: Records,
    batch_size: usize,
    seq_length: usize,
    /// Characters of all records.
    characters: usize,
    /// Characters that a row which starts inside a record first reads of it, without a target.
    warm_up: usize,
    /// Where each row that has characters starts.
    starts: Vec<Row>,
    /// Characters of the longest row.
    longest: usize,
    /// The window at whose start `rows` are.
    window: usize,
    rows: Vec<Row>,
}

/// A place in a row.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The next target's place in the corpus.
    at: usize,
    /// The record after this one, by its place in the order.
    next: usize,
    /// Characters to read without a target.
    silent: usize,
    /// Characters to the end of the row.
    left: usize,
}

impl Row {
    /// The next input and target; `None` at the end of the row.
    #[inline]
    fn step(&mut self, ids: IdSlice<'_>, records: &Records) -> Option<(Id, Id)> {
        self.left = self.left.checked_sub(1)?;
        // Before a record stands the newline of another, or nothing.
        let input = match self.at {
            0 => records.newline(),
            at => ids.get(at - 1),
        };
        let id = ids.get(self.at);
        self.at += 1;
        if id == records.newline() {
            // Behind the last record there is none, and the row is at its end.
            self.at = records.starts().get(self.next).copied().unwrap_or(0);
            self.next += 1;
        }
        let is_silent = self.silent > 0;
        self.silent -= usize::from(is_silent);
        Some((input, if is_silent { IGNORE } else { id }))
    }
}

impl RecordBatches {
    /// Batches of `batch_size` rows in windows of at most `seq_length` steps. A row that starts inside a
    /// record reads up to `warm_up` characters before its own.
    ///
    /// # Panics
    /// If a size is 0, or `ids` is not all of the corpus that the records are of.
    #[track_caller]
    pub(crate) fn new(
        records: Records,
        ids: IdSlice<'_>,
        [batch_size, seq_length]: [usize; 2],
        warm_up: usize,
    ) -> Self {
        assert!(
            batch_size > 0 && seq_length > 0,
            "batch size {batch_size} and window {seq_length} must be at least 1"
        );
        let mut new = Self {
            characters: records.characters(ids),
            records,
            batch_size,
            seq_length,
            warm_up,
            starts: Vec::new(),
            longest: 0,
            window: 0,
            rows: Vec::new(),
        };
        new.cut(ids);
        new
    }

    /// Shuffles the records for `epoch`. The result does not depend on their order before.
    pub(crate) fn shuffle(&mut self, ids: IdSlice<'_>, seed: u64, epoch: u64) {
        self.records.shuffle(seed, epoch);
        self.cut(ids);
    }

    /// Characters of all records, newlines included.
    pub(crate) fn characters(&self) -> usize {
        self.characters
    }

    /// Rows side by side.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Windows that cover all records once. The number may differ by a few from epoch to epoch.
    pub(crate) fn windows_per_epoch(&self) -> usize {
        self.longest.div_ceil(self.seq_length)
    }

    /// Writes window `w` of the epoch time-major, `[steps, batch]`, without allocating. Padding follows
    /// the end of a row, with the newline as input and [`IGNORE`] as target, so it changes no loss and no
    /// state that is used. Longer buffers keep the rest of their content.
    ///
    /// # Panics
    /// If there is no window `w`, a buffer is too short, or `ids` is not of the same corpus.
    #[track_caller]
    pub(crate) fn fill(
        &mut self,
        ids: IdSlice<'_>,
        w: usize,
        inputs: &mut [Id],
        targets: &mut [Id],
    ) -> RecordWindow {
        let windows = self.windows_per_epoch();
        assert!(w < windows, "window {w} is outside an epoch of {windows}");
        let steps = even_piece(self.longest, windows, w).len();
        let needed = steps.saturating_mul(self.batch_size);
        assert!(
            inputs.len() >= needed && targets.len() >= needed,
            "window of {steps} x {} needs buffers of {needed}, got {} and {}",
            self.batch_size,
            inputs.len(),
            targets.len()
        );
        self.go_to(ids, w);
        inputs[..needed].fill(self.records.newline());
        targets[..needed].fill(IGNORE);
        let mut characters = 0;
        for (column, row) in self.rows.iter().enumerate() {
            let mut row = *row;
            for place in (column..needed).step_by(self.batch_size) {
                let Some(read) = row.step(ids, &self.records) else {
                    break;
                };
                (inputs[place], targets[place]) = read;
                characters += usize::from(targets[place] != IGNORE);
            }
        }
        RecordWindow {
            steps,
            characters,
            is_first: w == 0,
        }
    }

    /// Takes the rows to the start of window `w`.
    fn go_to(&mut self, ids: IdSlice<'_>, w: usize) {
        if w < self.window {
            self.window = 0;
            self.rows.clone_from(&self.starts);
        }
        let windows = self.windows_per_epoch();
        for passed in self.window..w {
            for row in &mut self.rows {
                for _ in even_piece(self.longest, windows, passed) {
                    row.step(ids, &self.records);
                }
            }
        }
        self.window = w;
    }

    /// Cuts the records, as they are ordered now, into rows.
    fn cut(&mut self, ids: IdSlice<'_>) {
        let ideal = self.characters.div_ceil(self.batch_size).max(1);
        let starts = self.records.starts();
        let start_of = |index: usize| starts.get(index).copied().unwrap_or(0);
        self.rows.clear();
        let mut last = 0;
        let mut begin = 0;
        for (index, &start) in starts.iter().enumerate() {
            let end = begin + self.records.length(ids, start);
            for cut in (begin.next_multiple_of(ideal)..end).step_by(ideal) {
                let (before, after) = (cut - begin, end - cut);
                let (cut, at, next, silent) = if before.min(after) > self.seq_length {
                    let silent = before.min(self.warm_up);
                    (cut, start + before - silent, index + 1, silent)
                } else if before <= after {
                    (begin, start, index + 1, 0)
                } else {
                    (end, start_of(index + 1), index + 2, 0)
                };
                if let Some(row) = self.rows.last_mut() {
                    row.left += cut - last;
                }
                last = cut;
                self.rows.push(Row {
                    at,
                    next,
                    silent,
                    left: silent,
                });
            }
            begin = end;
        }
        if let Some(row) = self.rows.last_mut() {
            row.left += self.characters - last;
        }
        self.longest = self.rows.iter().map(|row| row.left).max().unwrap_or(0);
        self.starts.clone_from(&self.rows);
        self.window = 0;
    }
}
