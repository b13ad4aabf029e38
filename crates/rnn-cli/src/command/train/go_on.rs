//! Where a run begins or goes on, and where it stops before its end.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use rnn::checkpoint::Interrupted;
use rnn::ranks::Ranks;
use rnn::{CorpusBuilder, Recommended, Trainer};

use crate::args::More;
use crate::console::Console;
use crate::plan::{Plan, check_contradictions};
use crate::target::Output;

use super::prepare;

/// The trainer that the plan asks for, with its files at `output` in order.
pub(super) fn trainer(
    plan: &Plan,
    output: &mut Output,
    console: Console,
    ranks: &Ranks,
) -> anyhow::Result<Trainer<f32>> {
    let trainer = match output {
        Output::File(keeper) if plan.resumes() => {
            let shown = keeper.resume_path().display().to_string();
            let Some(run) = keeper.load()? else {
                bail!("cannot read {shown}: no such file; train writes it beside the model");
            };
            if ranks.count() > 1 {
                ranks.broadcast(&run.clone().try_into_bytes()?)?;
            }
            let trainer = resumed(plan, run, &shown, console)?;
            keeper
                .repair(&trainer, plan.args.force)
                .map_err(with_remedy)?;
            if plan.args.more.is_some() {
                // From here on it is the longer run that goes on.
                keeper.stop(&trainer)?;
            }
            trainer
        }
        output => {
            if !plan.args.force {
                output.check_new()?;
            }
            let trainer = prepare::new(plan, console, ranks)?;
            if let Output::File(keeper) = output {
                keeper.start(&trainer)?;
            }
            trainer
        }
    };
    for note in trainer.notes() {
        console.note(note);
    }
    Ok(trainer)
}

fn with_remedy(error: rnn::Error) -> anyhow::Error {
    match error {
        rnn::Error::OtherRun { .. } | rnn::Error::Foreign { .. } => {
            anyhow!("{error}, or use --force to overwrite it")
        }
        error => error.into(),
    }
}

/// Saves a run of so many ranks that was stopped after `elapsed`; returns what to tell the user.
pub(super) fn stop(
    plan: &Plan,
    output: &mut Output,
    trainer: &Trainer<f32>,
    elapsed: Duration,
    ranks: usize,
) -> anyhow::Result<String> {
    let step = trainer.step_count();
    let Some(is_model) = output.stop(trainer)? else {
        return Ok(format!(
            "stopped after step {step}; nothing was written, because standard output gets the model only at the end"
        ));
    };
    let model = match (trainer.history().is_empty(), is_model) {
        (false, _) => String::new(),
        (true, true) => format!(
            "{} has the weights of that step, not evaluated yet; ",
            plan.target
        ),
        (true, false) => format!(
            "{} is not of this run, which has no evaluation yet; ",
            plan.target
        ),
    };
    let is_open = trainer.config().max_steps.is_none();
    let time = plan.run.time.filter(|_| is_open);
    let left = time.map(|time| time.saturating_sub(elapsed));
    let command = command(plan, left, ranks);
    Ok(format!(
        "stopped after step {step} and saved; {model}to continue, run:\n  {command}"
    ))
}

/// The command that goes on with a run of so many ranks.
pub(super) fn command(plan: &Plan, time: Option<Duration>, ranks: usize) -> String {
    let command = plan.resume_command(time);
    match ranks {
        1 => command,
        count => format!("mpirun -n {count} {command}"),
    }
}

/// A trainer that goes on with `run`, which is the content of `file`.
pub(super) fn resumed(
    plan: &Plan,
    run: Interrupted,
    file: &str,
    console: Console,
) -> anyhow::Result<Trainer<f32>> {
    let mut builder = if run.vocabulary().is_bytes() {
        CorpusBuilder::bytes()
    } else {
        CorpusBuilder::new().reserve(run.vocabulary().symbols())
    };
    if run.config().records {
        builder = builder.records();
    }
    let corpus = prepare::read(plan, builder, console)?;
    let base = Recommended {
        network: *run.network(),
        train: *run.config(),
    };
    let mut asked = plan.settings(base)?;
    let unusable = || format!("cannot use {}", plan.texts);
    // First, since what was typed means something only for the text of the run.
    run.check_text(&corpus).with_context(unusable)?;
    if asked.train.records == run.config().records {
        (asked.train, _) = asked.train.fitted(&corpus, run.split())?;
    }
    check_contradictions(plan, &run, asked, file)?;
    let was_open = run.config().max_steps.is_none();
    let mut trainer = Trainer::resume(corpus, run).with_context(unusable)?;
    if let Some(more) = plan.args.more {
        if !trainer.has_ended() {
            bail!("the run in {file} has not ended; omit --more to continue it");
        }
        trainer
            .extend(match more {
                More::Steps(steps) => Some(steps),
                More::Time(_) => None,
            })
            .context("--more")?;
        return Ok(trainer);
    }
    let has_ended = trainer.has_ended();
    match prepare::max_steps(plan, &trainer) {
        Some(steps) => {
            let set = trainer.set_max_steps(Some(steps));
            set.map_err(|error| with_more(error, "--max-steps", has_ended))?;
        }
        None if plan.run.time.is_some() => {
            let set = trainer.set_max_steps(None);
            set.map_err(|error| with_more(error, "--time", has_ended))?;
        }
        None if was_open => bail!(
            "{file} has no number of steps yet, since its run was started with --time; use --time or --max-steps"
        ),
        None => {}
    }
    console.detail(&format!("continuing after step {}", trainer.step_count()));
    Ok(trainer)
}

/// An error of a flag that changes the number of steps, with the one that trains for longer.
fn with_more(error: rnn::Error, flag: &'static str, has_ended: bool) -> anyhow::Error {
    let wants_more =
        matches!(&error, rnn::Error::StepsFixed { old, new, .. } if new.is_none() || old < new);
    let when = if has_ended { "" } else { " once they are done" };
    match wants_more {
        true => anyhow!("{flag}: {error}; to train longer, use --more{when}"),
        false => anyhow::Error::from(error).context(flag),
    }
}
