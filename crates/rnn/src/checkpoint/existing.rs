//! What an existing `MODEL` is to a run that resumes.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::model::Model;
use crate::trainer::Record;

/// What is at the path of a run's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// Nothing, a damaged model, or an older one of this run.
    Behind,
    /// The model of this run, as good as the one at hand or newer.
    Current,
    /// The model of another run.
    OtherRun,
    /// Something that has never been a model.
    Foreign,
}

impl Existing {
    /// What is at `path`, for a run whose model by now is `new`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn find(path: &Path, new: &Model) -> Result<Self> {
        let old = match Model::load(path) {
            Ok(old) => old,
            Err(Error::File { source, path }) => match *source {
                Error::NotAModel { .. } if is_damaged_model(&path) => return Ok(Self::Behind),
                Error::NotAModel { .. } => return Ok(Self::Foreign),
                Error::Io(source) if source.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::Behind);
                }
                source => {
                    let source = Box::new(source);
                    return Err(Error::File { source, path });
                }
            },
            Err(error) => return Err(error),
        };
        Ok(match is_same_run(&old, new) {
            true if last_step(&old) < last_step(new) => Self::Behind,
            true => Self::Current,
            false => Self::OtherRun,
        })
    }
}

/// Whether a file that cannot be read as a model has been one or was meant to be: it is missing, empty,
/// or starts as ours do, up to the zeros that a power cut leaves.
fn is_damaged_model(path: &Path) -> bool {
    const START: &[u8] = br#"{"__metadata__":{"rnn":"#;
    const LENGTH: usize = size_of::<u64>();
    let Ok(content) = fs::read(path) else {
        return !path.exists();
    };
    let written = content
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |at| at + 1);
    let start = content[..written].get(LENGTH..).unwrap_or_default();
    let start = &start[..start.len().min(START.len())];
    written == 0 || START.starts_with(start) && content.len() > LENGTH
}

/// Whether two models can come from one run at two times: everything but the number of steps is equal,
/// and no step has two different records.
fn is_same_run(old: &Model, new: &Model) -> bool {
    let (Some(was), Some(is)) = (old.training(), new.training()) else {
        return false;
    };
    let mut config = was.config;
    config.max_steps = is.config.max_steps;
    let at = |step: u64| is.history.iter().find(|record| record.step == step);
    config == is.config
        && old.network().config() == new.network().config()
        && old.vocabulary() == new.vocabulary()
        && was
            .history
            .iter()
            .all(|record| at(record.step).is_none_or(|other| same(record, other)))
}

/// Whether records are equal. A file does not store losses that are not finite.
fn same(a: &Record, b: &Record) -> bool {
    let told = |loss: Option<f64>| loss.filter(|loss| loss.is_finite());
    told(a.train_loss) == told(b.train_loss) && told(a.validation_loss) == told(b.validation_loss)
}

/// The step of the last evaluation in a model.
fn last_step(model: &Model) -> Option<u64> {
    model.training()?.history.last().map(|record| record.step)
}
