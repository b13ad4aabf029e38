//! Learning a text: reads it, trains, reports, and saves the model at every improvement.

use std::io;
use std::ops::ControlFlow;

use anyhow::Context;
use rnn::{BatchSampler, CorpusBuilder, Event, Id, Outcome, SampleOptions, Trainer};

use crate::args::TrainArgs;
use crate::console::{self, Console};
use crate::file::Target;
use crate::format::{loss, thousands};
use crate::plan::Plan;
use crate::progress::Progress;

/// Characters of a sample on the way.
const SAMPLE_LENGTH: usize = 200;

/// Runs `train`.
pub(crate) fn run(args: TrainArgs, console: Console) -> anyhow::Result<()> {
    let plan = Plan::new(args)?;
    plan.target.check(&plan.source, plan.force)?;
    let mut trainer = prepare(&plan, console)?;
    let is_open = matches!(plan.target, Target::Stdout);
    // Lines and a model do not mix on standard output.
    let lines = if is_open {
        Box::new(io::stderr())
    } else {
        console::unbuffered_stdout()
    };
    let mut progress = Progress::new(console, lines, trainer.config().max_steps, plan.time());
    let outcome = trainer.run(&plan.run, |trainer, event| {
        follow(&plan, &mut progress, trainer, event)?;
        anyhow::Ok(ControlFlow::Continue(()))
    });
    progress.finish();
    let outcome = outcome.inspect_err(|error| {
        let is_diverged = matches!(error.downcast_ref(), Some(rnn::Error::Diverged { .. }));
        if let (true, Some((step, _)), Target::File(path)) =
            (is_diverged, trainer.best(), &plan.target)
        {
            console.note(&format!(
                "{} holds the best model so far, of step {step}",
                path.display()
            ));
        }
    })?;
    // Once more, now with the whole history and the number of steps that a time was fixed to.
    plan.target.write(&trainer.best_model())?;
    console.hint(&conclusion(&plan, &trainer, &progress, outcome));
    Ok(())
}

/// Reads the text and makes a trainer for it.
fn prepare(plan: &Plan, console: Console) -> anyhow::Result<Trainer<f32>> {
    let builder = if plan.bytes {
        CorpusBuilder::bytes()
    } else {
        CorpusBuilder::new()
    };
    let corpus = plan.source.read(builder)?;
    if corpus.had_bom() {
        console.note("a byte order mark was dropped from the text");
    }
    let (characters, symbols) = (corpus.len(), corpus.vocabulary().len());
    let settings = plan.settings(characters, symbols)?;
    let mut trainer = Trainer::<f32>::new(corpus, &plan.split, settings.network, settings.train)
        .with_context(|| format!("cannot use {}", plan.source))?;
    if let Some(epochs) = plan.max_epochs {
        trainer.set_max_steps(epochs.saturating_mul(trainer.windows_per_epoch() as u64));
    }
    for note in trainer.notes() {
        console.note(note);
    }
    let (network, config) = (trainer.network().config(), trainer.config());
    console.detail(&format!(
        "{} characters, {symbols} distinct; {}, layers {}, hidden units {}, {} parameters",
        thousands(characters as u64),
        network.cell,
        network.num_layers,
        network.hidden_size,
        thousands(trainer.network().parameters().len() as u64),
    ));
    console.detail(&format!(
        "batch {} x window {}, {} {}, {} steps an epoch, threads {}",
        config.batch_size,
        config.seq_length,
        config.optimizer,
        config.learning_rate,
        trainer.windows_per_epoch(),
        plan.run.threads,
    ));
    Ok(trainer)
}

/// Saves and reports what happened.
fn follow(
    plan: &Plan,
    progress: &mut Progress,
    trainer: &Trainer<f32>,
    event: Event,
) -> anyhow::Result<()> {
    match event {
        Event::Step(step) => {
            progress.step(trainer.step_count(), step.characters, step.loss);
            if plan.sample_every.is_some_and(|every| trainer.step_count().is_multiple_of(every)) {
                progress.line(&excerpt(trainer)?)?;
            }
        }
        Event::Skipped(_) => progress.note(&format!(
            "step {} was skipped: its loss or gradient is not finite; --clip or a smaller --learning-rate may help",
            trainer.step_count()
        )),
        Event::WentBack { scale } => progress.note(&format!(
            "five steps in a row were not finite: back to the best weights, learning rate times {scale}"
        )),
        Event::StepsFixed { max_steps } => progress.fix_steps(max_steps),
        Event::Evaluated { record, improved } => {
            let is_saved = improved && matches!(plan.target, Target::File(_));
            if is_saved {
                plan.target.write(&trainer.best_model())?;
            }
            progress.evaluated(&record, is_saved)?;
        }
    }
    Ok(())
}

/// What the model writes by now.
fn excerpt(trainer: &Trainer<f32>) -> anyhow::Result<String> {
    let model = trainer.current_model();
    let prime: Vec<Id> = model.vocabulary().id('\n').into_iter().collect();
    let mut sampler = BatchSampler::new(&model, &prime, 1, &SampleOptions::default())?;
    let ids: Vec<Id> = (0..SAMPLE_LENGTH)
        .map(|_| sampler.next_characters()[0])
        .collect();
    let text = model.vocabulary().decode(&ids);
    Ok(format!(
        "---- step {} writes ----\n{text}\n----",
        trainer.step_count()
    ))
}

fn conclusion(
    plan: &Plan,
    trainer: &Trainer<f32>,
    progress: &Progress,
    outcome: Outcome,
) -> String {
    let mut text = String::new();
    if outcome == Outcome::PatienceSpent {
        text.push_str("no improvement any more, so training ended early\n");
    }
    if let Some((step, nats)) = trainer.best() {
        text.push_str(&format!(
            "best validation loss {} per character, at step {step}\n",
            loss(nats)
        ));
    }
    text.push_str(&format!(
        "{} steps, {}\nmodel: {}",
        trainer.step_count(),
        progress.summary(),
        plan.target
    ));
    if let Target::File(path) = &plan.target {
        text.push_str(&format!("\ntry: rnn-cli sample {}", path.display()));
    }
    text
}
