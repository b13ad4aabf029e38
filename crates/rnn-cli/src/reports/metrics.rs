//! `--metrics`: one JSON object a line for each evaluation, for programs to read.
//!
//! A resumed run appends. It first cuts off the lines of evaluations that it will repeat. If the program
//! was killed after an evaluation and before its line, the line is added then, without its time. So each
//! step has one line.
//!
//! A power cut may leave zeros or garbage at the end of the file. The lines before that are kept, and
//! lines that cannot be read are written again. A copy of what cannot be read is put aside first, unless
//! it is only zeros or a line of ours that was cut short.

use std::f64::consts::LN_2;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use rnn::{Record, Trainer, checkpoint};
use serde::{Deserialize, Serialize};

use super::{begins, is_nothing};
use crate::console::Console;

/// How each line begins.
const MARK: &str = "{\"step\":";
/// More bytes than a line has.
const LONGEST: u64 = 1 << 12;

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
    /// Characters trained on since the first start, if known.
    characters: Option<u64>,
    characters_per_second: Option<f64>,
    /// Seconds of training since the first start.
    seconds: Option<f64>,
}

impl Line {
    /// A line with its end.
    fn read(bytes: &[u8]) -> Option<Self> {
        let line = bytes.strip_suffix(b"\n")?;
        serde_json::from_slice(line).ok()
    }

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

/// Whether a file begins as metrics of ours, as far as it goes.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    begins(bytes, MARK)
}

/// Whether nothing of value follows the lines that can be read: only zeros, or a line that was cut
/// short. `bytes` of it have been read already.
fn is_leftover(bytes: &[u8], mut rest: impl BufRead) -> io::Result<bool> {
    if !begins(bytes, MARK) || bytes.ends_with(b"\n") {
        return Ok(false);
    }
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() || !is_nothing(bytes) {
            return Ok(bytes.is_empty());
        }
        let len = bytes.len();
        rest.consume(len);
    }
}

/// Copies a file to a new name beside it. The name starts with a dot, so that a folder of texts does not
/// gain one.
fn put_aside(path: &Path) -> io::Result<PathBuf> {
    for number in 1.. {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".damaged-{number}"));
        let copy = path.with_file_name(name);
        match File::options().write(true).create_new(true).open(&copy) {
            Ok(mut file) => {
                io::copy(&mut File::open(path)?, &mut file)?;
                file.sync_all()?;
                return Ok(copy);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("some number is free")
}

/// A file of metrics that grows.
#[derive(Debug)]
pub(crate) struct Metrics {
    path: PathBuf,
    file: File,
    started: Instant,
    /// Step of the last line that was there before.
    noted: Option<u64>,
    /// Characters and seconds of the starts before.
    before: (u64, f64),
    characters: u64,
}

impl Metrics {
    /// The metrics of a run as it starts, in a new file, or goes on, in the one that it has.
    pub(crate) fn open(
        path: &Path,
        trainer: &Trainer<f32>,
        console: Console,
    ) -> anyhow::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true);
        let is_new = !path.exists();
        let file = if is_new {
            options.create_new(true).open(path)
        } else {
            checkpoint::open_file(path, &options)
        };
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        let mut metrics = Metrics {
            path: path.to_owned(),
            file,
            started: Instant::now(),
            noted: None,
            before: (0, 0.0),
            characters: 0,
        };
        if !is_new {
            metrics.keep_lines(trainer, console)?;
        }
        let noted = metrics.noted;
        for record in trainer
            .history()
            .iter()
            .filter(|record| Some(record.step) > noted)
        {
            metrics.write(&Line::new(record, trainer.windows_per_epoch()))?;
        }
        Ok(metrics)
    }

    /// Leaves the lines of evaluations that the run has made, up to the first that cannot be read.
    fn keep_lines(&mut self, trainer: &Trainer<f32>, console: Console) -> anyhow::Result<()> {
        let last = trainer.history().last().map(|record| record.step);
        let shown = self.path.display().to_string();
        let cannot_read = || format!("cannot read {shown}");
        let mut reader = BufReader::new(&self.file);
        let (mut kept, mut bytes) = (0, Vec::new());
        let damage = loop {
            bytes.clear();
            let mut line = reader.by_ref().take(LONGEST);
            line.read_until(b'\n', &mut bytes)
                .with_context(cannot_read)?;
            let Some(read) = Line::read(&bytes) else {
                break !is_leftover(&bytes, reader).with_context(cannot_read)?;
            };
            if Some(read.step) > last {
                break false;
            }
            self.noted = Some(read.step);
            if let (Some(characters), Some(seconds)) = (read.characters, read.seconds) {
                self.before = (characters, seconds);
            }
            kept += bytes.len() as u64;
        };
        if damage {
            let copy = put_aside(&self.path).with_context(|| format!("cannot copy {shown}"))?;
            console.note(&format!(
                "{shown} is damaged after step {}; a copy of it is kept in {}",
                self.noted.unwrap_or(0),
                copy.display()
            ));
        }
        let cut = self.file.set_len(kept);
        cut.and_then(|()| self.file.seek(SeekFrom::End(0)))
            .with_context(|| format!("cannot write {shown}"))?;
        Ok(())
    }

    /// Counts characters trained on.
    pub(crate) fn step(&mut self, characters: u64) {
        self.characters += characters;
    }

    /// Writes the line of an evaluation.
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
        // In one call, so that a line is whole or missing.
        let written = self.file.write_all(line.as_bytes());
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }
}
