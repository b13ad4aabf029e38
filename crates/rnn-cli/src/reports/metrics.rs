//! `--metrics`: one JSON object a line for each evaluation, for programs to read.
//!
//! A run that goes on appends. Lines after the point where it goes on from are of evaluations that
//! are made again, so they are cut off first; evaluations that were made but not noted, as the
//! program was killed in between, are noted then, without their times. So each step has one line.

use std::f64::consts::LN_2;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use rnn::{Record, Trainer};
use serde::{Deserialize, Serialize};

/// One line. Losses are per character.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Line {
    step: u64,
    epoch: u64,
    train_nats: Option<f64>,
    train_bits: Option<f64>,
    validation_nats: Option<f64>,
    validation_bits: Option<f64>,
    learning_rate: f64,
    /// Characters learned from, of all starts together, as far as they are known.
    characters: Option<u64>,
    characters_per_second: Option<f64>,
    /// Seconds of training, of all starts together.
    seconds: Option<f64>,
}

impl Line {
    fn new(record: &Record, windows_per_epoch: usize) -> Self {
        let bits = |nats: Option<f64>| nats.map(|nats| nats / LN_2);
        Line {
            step: record.step,
            epoch: record.step / windows_per_epoch.max(1) as u64,
            train_nats: record.train_loss,
            train_bits: bits(record.train_loss),
            validation_nats: record.validation_loss,
            validation_bits: bits(record.validation_loss),
            learning_rate: record.learning_rate,
            ..Line::default()
        }
    }
}

/// A file of metrics that grows.
#[derive(Debug)]
pub(crate) struct Metrics {
    path: PathBuf,
    file: File,
    started: Instant,
    /// Characters and seconds of the starts before.
    before: (u64, f64),
    characters: u64,
}

impl Metrics {
    /// The metrics of a run as it starts, from an empty file, or goes on.
    pub(crate) fn open(path: &Path, trainer: &Trainer<f32>, is_new: bool) -> anyhow::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(is_new);
        let file = options.open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        let mut metrics = Metrics {
            path: path.to_owned(),
            file,
            started: Instant::now(),
            before: (0, 0.0),
            characters: 0,
        };
        if !is_new {
            metrics.catch_up(trainer)?;
        }
        Ok(metrics)
    }

    /// Leaves the lines of evaluations that the run has made, all of them and no others.
    fn catch_up(&mut self, trainer: &Trainer<f32>) -> anyhow::Result<()> {
        let mut text = String::new();
        let read = self.file.read_to_string(&mut text);
        read.with_context(|| format!("cannot read {}", self.path.display()))?;
        let history = trainer.history();
        let last = history.last().map_or(0, |record| record.step);
        let (mut kept, mut noted) = (0, 0);
        for (number, line) in text.split_inclusive('\n').enumerate() {
            if !line.ends_with('\n') && line.starts_with('{') {
                // Cut short by the end of the program that wrote it.
                break;
            }
            let Ok(line_read) = serde_json::from_str::<Line>(line) else {
                let (path, number) = (self.path.display(), number + 1);
                bail!("line {number} of {path} is no line of metrics, expected another file");
            };
            if line_read.step > last {
                break;
            }
            noted = line_read.step;
            if let (Some(characters), Some(seconds)) = (line_read.characters, line_read.seconds) {
                self.before = (characters, seconds);
            }
            kept += line.len();
        }
        let cut = |file: &mut File| {
            file.set_len(kept as u64)?;
            file.seek(SeekFrom::End(0))
        };
        cut(&mut self.file).with_context(|| format!("cannot write {}", self.path.display()))?;
        for record in history.iter().filter(|record| record.step > noted) {
            self.write(&Line::new(record, trainer.windows_per_epoch()))?;
        }
        Ok(())
    }

    /// Characters were learned from.
    pub(crate) fn step(&mut self, characters: u64) {
        self.characters += characters;
    }

    /// Notes an evaluation.
    pub(crate) fn evaluated(
        &mut self,
        record: &Record,
        windows_per_epoch: usize,
    ) -> anyhow::Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        self.write(&Line {
            characters: Some(self.before.0 + self.characters),
            characters_per_second: Some(self.characters as f64 / seconds.max(1e-9)),
            seconds: Some(self.before.1 + seconds),
            ..Line::new(record, windows_per_epoch)
        })
    }

    fn write(&mut self, line: &Line) -> anyhow::Result<()> {
        let line = serde_json::to_string(line).context("metrics")? + "\n";
        // In one call, so that a line is there or not.
        let written = self.file.write_all(line.as_bytes());
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }
}
