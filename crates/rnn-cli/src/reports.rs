//! The reports of a training run: metrics for programs, a plot for people.

mod metrics;
mod plot;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail};
use rnn::{Record, Trainer, checkpoint};

use crate::args::RunArgs;
use crate::console::Console;
use crate::exit;
use metrics::Metrics;
use plot::Plot;

/// Whether a file that begins with these bytes is a report of some kind.
type IsStart = fn(&[u8]) -> bool;

/// The files of one run.
#[derive(Debug)]
pub(crate) struct Reports {
    metrics: Option<Metrics>,
    plot: Option<Plot>,
}

impl Reports {
    /// Checks, before the run begins and leaves files, that it may write them. A new run makes new files,
    /// since `--force` is for the model; a resumed run takes its own again.
    pub(crate) fn check(args: &RunArgs, resumes: bool) -> anyhow::Result<()> {
        let metrics = (&args.metrics, metrics::is_start as IsStart, "metrics file");
        let plot = (&args.plot, plot::is_start as IsStart, "plot");
        for (path, is_start, what) in [metrics, plot] {
            let Some(path) = path else { continue };
            checkpoint::check_target(path)?;
            if !path.exists() {
                continue;
            }
            let shown = path.display();
            if !resumes {
                bail!("{shown} already exists; use another name");
            }
            let start = start(path).with_context(|| format!("cannot read {shown}"))?;
            if !is_start(&start) {
                bail!("{shown} is not a {what} of this program; use another name");
            }
        }
        Ok(())
    }

    /// Opens the reports as a run starts or resumes.
    pub(crate) fn open(
        args: &RunArgs,
        trainer: &Trainer<f32>,
        console: Console,
    ) -> anyhow::Result<Self> {
        let metrics = args.metrics.as_deref();
        let metrics = metrics.map(|path| Metrics::open(path, trainer, console));
        let plot = args.plot.clone().map(Plot);
        // The program may have been killed between an evaluation and its picture.
        if let Some(plot) = plot.as_ref().filter(|_| !trainer.history().is_empty()) {
            plot.draw(trainer.history())?;
        }
        Ok(Reports {
            metrics: metrics.transpose()?,
            plot,
        })
    }

    /// Counts characters trained on.
    pub(crate) fn step(&mut self, characters: u64) {
        if let Some(metrics) = &mut self.metrics {
            metrics.step(characters);
        }
    }

    /// Reports an evaluation. A failed write is only a warning: the model is worth more.
    pub(crate) fn evaluated(
        &mut self,
        trainer: &Trainer<f32>,
        record: &Record,
        mut warn: impl FnMut(&str),
    ) {
        let metrics = self.metrics.as_mut();
        let noted = metrics.map(|metrics| metrics.evaluated(record, trainer.windows_per_epoch()));
        let drawn = self.plot.as_ref().map(|plot| plot.draw(trainer.history()));
        for result in noted.into_iter().chain(drawn) {
            if let Err(error) = result {
                warn(&format!("{}; training continues", exit::one_line(&error)));
            }
        }
    }
}

/// Whether bytes say nothing: none, or zeros, which is how a power cut leaves what was not flushed.
fn is_nothing(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// Whether bytes begin with a mark, as far as they go: a power cut leaves zeros after that.
fn begins(bytes: &[u8], mark: &str) -> bool {
    let written = bytes.iter().rposition(|&byte| byte != 0);
    let written = &bytes[..written.map_or(0, |at| at + 1)];
    written.starts_with(mark.as_bytes()) || mark.as_bytes().starts_with(written)
}

/// Bytes that tell what a file is.
const START: u64 = 1 << 12;

fn start(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let file = checkpoint::open_file(path, File::options().read(true))?;
    file.take(START).read_to_end(&mut start)?;
    Ok(start)
}

/// Whether a file begins as metrics, a picture or a lock of ours.
pub(crate) fn starts_like_ours(path: &Path) -> bool {
    let lock = checkpoint::LOCK_MARK.as_bytes();
    start(path).is_ok_and(|start| {
        let is_report = plot::is_start(&start) || metrics::is_start(&start);
        !is_nothing(&start) && is_report || start.starts_with(lock)
    })
}
