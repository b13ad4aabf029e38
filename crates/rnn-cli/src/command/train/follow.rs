//! What the ranks but the first do: train with it, without a word and without a file of their own.

use std::ops::ControlFlow;

use anyhow::Context;
use rnn::Trainer;
use rnn::checkpoint::Interrupted;
use rnn::ranks::Ranks;

use super::{go_on, prepare};
use crate::console::Console;
use crate::exit::misuse;
use crate::plan::Plan;
use crate::signals::Signals;

/// Trains until the first rank has saved.
pub(super) fn run(plan: &Plan, ranks: Ranks) -> anyhow::Result<()> {
    let console = Console {
        quiet: true,
        verbose: false,
    };
    let mut trainer = following(plan, console, &ranks)?;
    join(&mut trainer, ranks)?;
    let signals = Signals::watch(true).context("cannot handle Ctrl-C")?;
    let outcome = trainer.run(&plan.run, |_, _| {
        anyhow::Ok(match signals.asked_to_stop() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    });
    match outcome {
        Ok(_) => Ok(trainer.leave()?),
        // All ranks see that, and the first says so.
        Err(error) if matches!(error.downcast_ref(), Some(rnn::Error::Diverged { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The same trainer as that of the first rank, on another.
fn following(plan: &Plan, console: Console, ranks: &Ranks) -> anyhow::Result<Trainer<f32>> {
    if !plan.resumes() {
        return prepare::new(plan, console, ranks);
    }
    let run = Interrupted::from_bytes(&ranks.broadcast(&[])?)?;
    go_on::resumed(plan, run, "the run of rank 0", console)
}

/// Shares the work with the other ranks.
pub(super) fn join(trainer: &mut Trainer<f32>, ranks: Ranks) -> anyhow::Result<()> {
    trainer.join(ranks).map_err(|error| match error {
        rnn::Error::InvalidSetting { .. } => misuse(error),
        error => error.into(),
    })
}
