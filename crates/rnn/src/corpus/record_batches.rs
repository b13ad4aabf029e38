//! Batches of records. A batch reads `batch_size` records from a zero state, in windows of at most
//! `seq_length` steps that carry the state. [`IGNORE`] targets pad the shorter records.

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
    /// Whether the records start here, from a zero state.
    pub(crate) is_first: bool,
}

/// Records in batches, in the order of the corpus or shuffled for an epoch.
#[derive(Clone, Debug)]
pub(crate) struct RecordBatches {
    records: Records,
    batch_size: usize,
    seq_length: usize,
    /// Windows before each batch, and after the last.
    first_window: Vec<usize>,
    /// The batch that `rows` belong to.
    batch: usize,
    rows: Vec<Row>,
}

/// A record in a batch: its first character and how many steps it has, newline included.
#[derive(Clone, Copy, Debug)]
struct Row {
    start: usize,
    steps: usize,
}

impl RecordBatches {
    /// Batches of `batch_size` records in windows of at most `seq_length` steps. A last batch of fewer
    /// records has rows of padding.
    ///
    /// # Panics
    /// If a size is 0, or `ids` is not all of the corpus that the records are of.
    #[track_caller]
    pub(crate) fn new(
        records: Records,
        ids: IdSlice<'_>,
        batch_size: usize,
        seq_length: usize,
    ) -> Self {
        assert!(
            batch_size > 0 && seq_length > 0,
            "batch size {batch_size} and window {seq_length} must be at least 1"
        );
        let batches = records.len().div_ceil(batch_size);
        let most_rows = batch_size.min(records.len());
        let mut new = Self {
            records,
            batch_size,
            seq_length,
            first_window: Vec::with_capacity(batches + 1),
            batch: 0,
            rows: Vec::with_capacity(most_rows),
        };
        new.count_windows(ids);
        new
    }

    /// Shuffles the records for `epoch`. The result does not depend on their order before.
    pub(crate) fn shuffle(&mut self, ids: IdSlice<'_>, seed: u64, epoch: u64) {
        self.records.shuffle(seed, epoch);
        self.count_windows(ids);
    }

    /// Records side by side.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Windows that cover all records once. If some records are longer than a window, the number
    /// depends on their order, and so on the epoch.
    pub(crate) fn windows_per_epoch(&self) -> usize {
        self.first_window[self.first_window.len() - 1]
    }

    /// Writes window `w` of the epoch time-major, `[steps, batch]`, without allocating. Padding follows
    /// the record, with the newline as input and [`IGNORE`] as target, so it changes no loss and no
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
        let batch = self.first_window.partition_point(|&first| first <= w) - 1;
        if batch != self.batch || self.rows.is_empty() {
            self.load(ids, batch);
        }
        let (first, end) = (self.first_window[batch], self.first_window[batch + 1]);
        let window = even_piece(self.longest(), end - first, w - first);
        let needed = window.len().saturating_mul(self.batch_size);
        assert!(
            inputs.len() >= needed && targets.len() >= needed,
            "window of {} x {} needs buffers of {needed}, got {} and {}",
            window.len(),
            self.batch_size,
            inputs.len(),
            targets.len()
        );
        inputs[..needed].fill(self.records.newline());
        targets[..needed].fill(IGNORE);
        let mut characters = 0;
        for (column, row) in self.rows.iter().enumerate() {
            let steps = window.start..window.end.min(row.steps);
            characters += steps.len();
            for (t, step) in steps.enumerate() {
                let place = t * self.batch_size + column;
                // Before a record stands the newline of another, or nothing.
                if step > 0 {
                    inputs[place] = ids.get(row.start + step - 1);
                }
                targets[place] = ids.get(row.start + step);
            }
        }
        RecordWindow {
            steps: window.len(),
            characters,
            is_first: w == first,
        }
    }

    /// Finds where the records of a batch end, once for all its windows.
    fn load(&mut self, ids: IdSlice<'_>, batch: usize) {
        let first = batch * self.batch_size;
        let end = (first + self.batch_size).min(self.records.len());
        let newline = self.records.newline();
        self.batch = batch;
        self.rows.clear();
        self.rows
            .extend(self.records.starts()[first..end].iter().map(|&start| Row {
                start,
                steps: ids.find(newline, start) + 1 - start,
            }));
    }

    /// Steps of the longest record of the batch.
    fn longest(&self) -> usize {
        self.rows.iter().map(|row| row.steps).max().unwrap_or(0)
    }

    fn count_windows(&mut self, ids: IdSlice<'_>) {
        self.first_window.clear();
        self.first_window.push(0);
        for batch in 0..self.records.len().div_ceil(self.batch_size) {
            self.load(ids, batch);
            let windows = self.windows_per_epoch() + self.longest().div_ceil(self.seq_length);
            self.first_window.push(windows);
        }
        // The rows are those of the order before.
        self.rows.clear();
    }
}
