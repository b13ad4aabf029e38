//! What a training run tells in files: metrics for programs, a picture for people.

mod metrics;
mod plot;

use std::fs;
use std::path::Path;

use anyhow::bail;
use rnn::{Record, Trainer, checkpoint};

use crate::exit;
use crate::plan::Plan;
use metrics::Metrics;
use plot::Plot;

/// The files of one run.
#[derive(Debug)]
pub(crate) struct Reports {
    metrics: Option<Metrics>,
    plot: Option<Plot>,
}

impl Reports {
    /// Whether a new run may write them, asked before it begins.
    pub(crate) fn check_new(plan: &Plan) -> anyhow::Result<()> {
        let is_free = |path: &Path| fs::symlink_metadata(path).is_err() || plan.force;
        for path in plan.metrics.iter().chain(&plan.plot) {
            let shown = path.display();
            if fs::symlink_metadata(path).is_err() {
                // A folder that is missing is told now, before the run leaves files of its own.
                checkpoint::check_target(path)?;
            }
            if plan.texts.contain(path) {
                bail!("{shown} is the text itself, expected another name");
            }
            if !plan.resume && !is_free(path) {
                bail!("{shown} exists, expected a new name or --force to overwrite it");
            }
        }
        Ok(())
    }

    /// Opens what was asked for, as a run starts or goes on.
    pub(crate) fn open(plan: &Plan, trainer: &Trainer<f32>) -> anyhow::Result<Self> {
        let is_new = !plan.resume;
        let metrics = plan.metrics.as_deref();
        let plot = plan.plot.as_deref();
        Ok(Reports {
            metrics: metrics
                .map(|path| Metrics::open(path, trainer, is_new))
                .transpose()?,
            plot: plot
                .map(|path| Plot::open(path, is_new || plan.force))
                .transpose()?,
        })
    }

    /// Characters were learned from.
    pub(crate) fn step(&mut self, characters: u64) {
        if let Some(metrics) = &mut self.metrics {
            metrics.step(characters);
        }
    }

    /// Tells of an evaluation. What cannot be written is a warning: the model is worth more.
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
                warn(&format!("{}; training goes on", exit::one_line(&error)));
            }
        }
    }
}
