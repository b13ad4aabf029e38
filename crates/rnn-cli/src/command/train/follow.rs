//! What the ranks but the first do: train with it, without a word and without a file of their own.

use std::ops::ControlFlow;

use anyhow::Context;
use rnn::ranks::Ranks;

use super::prepare;
use crate::console::Console;
use crate::plan::Plan;
use crate::signals::Signals;

/// Trains until the first rank has saved.
pub(super) fn run(plan: &Plan, ranks: Ranks) -> anyhow::Result<()> {
    let console = Console {
        quiet: true,
        verbose: false,
    };
    let mut trainer = prepare::following(plan, console, &ranks)?;
    prepare::join(&mut trainer, ranks)?;
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
