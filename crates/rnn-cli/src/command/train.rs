//! Training: reads the text, trains, reports, and saves the model at every improvement; also continues
//! a run that was interrupted.

mod dry_run;
mod follow;
mod go_on;
mod prepare;

use std::io;
use std::ops::ControlFlow;

use anyhow::Context;
use rnn::{BatchSampler, Error, Event, Id, Outcome, SampleOptions, Trainer};

use crate::args::TrainArgs;
use crate::console::{self, Console};
use crate::exit;
use crate::format::loss;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::ranks::World;
use crate::reports::Reports;
use crate::shell;
use crate::signals::Signals;
use crate::target::{Output, Target};

/// Characters of a sample on the way.
const SAMPLE_LENGTH: usize = 200;

/// Runs `train`.
pub(crate) fn run(args: TrainArgs, console: Console, world: &World) -> anyhow::Result<()> {
    let plan = Plan::new(args, world.processors())?;
    let is_first = world.rank() == 0;
    if plan.args.dry_run {
        return if is_first {
            dry_run::run(&plan, console)
        } else {
            Ok(())
        };
    }
    if world.count() > 1 && plan.texts.has_stdin() {
        return Err(exit::misuse(
            "standard input reaches only one of several ranks; name a file that all of them can read",
        ));
    }
    let ranks = world.ranks()?;
    if !is_first {
        return follow::run(&plan, ranks);
    }
    plan.files()?.check()?;
    Reports::check(&plan.args.run, plan.resumes())?;
    let mut output = Output::open(&plan.target, plan.every())?;
    let mut trainer = go_on::trainer(&plan, &mut output, console, &ranks)?;
    follow::join(&mut trainer, ranks)?;
    prepare::tell(&plan, &trainer, console);
    let signals = Signals::watch(console.quiet).context("cannot handle Ctrl-C")?;
    let mut reports = Reports::open(&plan.args.run, &trainer, console)?;
    // Lines and a model do not mix on standard output.
    let lines = match output {
        Output::Stdout => Box::new(io::stderr()),
        Output::File(_) => console::unbuffered_stdout(),
    };
    let (first, max_steps) = (trainer.step_count(), trainer.config().max_steps);
    let mut progress = Progress::new(console, lines, first, max_steps, plan.run.time);
    if plan.args.run.live {
        progress.show_live(plan.target.to_string());
    }
    if plan.args.init_from.is_some() {
        progress.evaluates(trainer.lengths().1);
    }
    let outcome = trainer.run(&plan.run, |trainer, event| {
        let is_saved = output.follow(trainer, &event, |why| progress.warn(why));
        report(&plan, &mut progress, trainer, event, is_saved)?;
        match &event {
            Event::Step(step) | Event::Skipped(step) => reports.step(step.characters),
            Event::Evaluated { record, .. } => {
                reports.evaluated(trainer, record, |why| progress.warn(why));
            }
            _ => {}
        }
        anyhow::Ok(if signals.asked_to_stop() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    });
    // An error in writing lines is told later: saving comes first.
    let told = progress.finish();
    let outcome = outcome.inspect_err(|error| {
        if let Some(rnn::Error::Diverged { .. }) = error.downcast_ref() {
            output.give_up(&trainer, console);
        }
    })?;
    if outcome == Outcome::Stopped {
        let how = go_on::stop(
            &plan,
            &mut output,
            &trainer,
            progress.elapsed(),
            world.count(),
        )?;
        trainer.leave()?;
        console.hint(&how);
        told?;
        return Err(exit::Interrupted.into());
    }
    // Once more, now with the whole history and the number of steps that a time was fixed to.
    output.finish(&trainer)?;
    trainer.leave()?;
    told?;
    let test_loss = trainer.test_loss(plan.run.threads).unwrap_or_else(|error| {
        console.note(&format!("cannot score the test part: {error}"));
        None
    });
    let text = conclusion(&plan, &trainer, &progress, outcome, first, test_loss);
    console.hint(&(text + &advice(&plan, world.count())));
    Ok(())
}

/// Reports what happened.
fn report(
    plan: &Plan,
    progress: &mut Progress,
    trainer: &Trainer<f32>,
    event: Event,
    is_saved: bool,
) -> anyhow::Result<()> {
    match event {
        Event::Step(step) => {
            progress.step(trainer.step_count(), &step);
            let every = trainer.config().eval_every;
            if trainer.step_count().is_multiple_of(every) || trainer.is_finished() {
                progress.evaluates(trainer.lengths().1);
            }
            if progress.wants_sample() {
                progress.sample(written(trainer)?);
            }
            if plan.args.run.sample_every.is_some_and(|every| trainer.step_count().is_multiple_of(every)) {
                let (step, text) = (trainer.step_count(), written(trainer)?);
                progress.line(&format!("---- step {step} ----\n{text}\n----"))?;
            }
        }
        Event::Skipped(_) => progress.note(&format!(
            "skipped step {}: its loss or gradient is not finite; try --clip or a smaller --learning-rate",
            trainer.step_count()
        )),
        Event::WentBack { scale } => progress.note(&format!(
            "five steps in a row were not finite; restored the best weights and multiplied the learning rate by {scale}"
        )),
        Event::StepsFixed { max_steps } => {
            let steps = max_steps - trainer.began();
            let same = match trainer.began() {
                0 => plan.same_again(trainer, max_steps),
                _ => format!("--more {steps}"),
            };
            progress.fix_steps(
                max_steps,
                &format!("the time allows {steps} steps; {same} trains the same model"),
            );
        }
        Event::Settled { max_steps } => progress.fix_steps(
            max_steps,
            &format!("the validation loss no longer falls; the learning rate decays to the last step, {max_steps}"),
        ),
        Event::Evaluated { record, .. } => progress.evaluated(&record, is_saved)?,
        _ => {}
    }
    Ok(())
}

/// What the model writes by now.
fn written(trainer: &Trainer<f32>) -> anyhow::Result<String> {
    let model = trainer.try_current_model()?;
    let prime: Vec<Id> = model.vocabulary().id('\n').into_iter().collect();
    let mut ids: Vec<Id> = Vec::new();
    let mut write = || -> rnn::Result<()> {
        let mut sampler = BatchSampler::new(&model, &prime, 1, &SampleOptions::default())?;
        for _ in 0..SAMPLE_LENGTH {
            ids.push(sampler.next_characters()?[0]);
        }
        Ok(())
    };
    let end = match write() {
        Ok(()) => String::new(),
        // Training that diverges may recover, and says so itself.
        Err(error @ Error::Overflow { .. }) => format!("\n({error})"),
        Err(error) => return Err(error.into()),
    };
    Ok(model.vocabulary().decode(&ids) + &end)
}

fn conclusion(
    plan: &Plan,
    trainer: &Trainer<f32>,
    progress: &Progress,
    outcome: Outcome,
    first: u64,
    test_loss: Option<f64>,
) -> String {
    let mut text = String::new();
    if first > 0 && first == trainer.step_count() {
        text.push_str(&format!(
            "the run was already finished: all {first} steps are done\n"
        ));
    }
    if outcome == Outcome::PatienceSpent {
        text.push_str("stopped early: the validation loss no longer improves\n");
    }
    if let Some((step, nats)) = trainer.best() {
        text.push_str(&format!(
            "best validation loss {} per character, at step {step}\n",
            loss(nats)
        ));
        if step == 0 {
            text.push_str("no step beat the model that training began with\n");
        }
    }
    if let Some(nats) = test_loss {
        text.push_str(&format!("test loss {} per character\n", loss(nats)));
    }
    let steps = trainer.step_count();
    let speed = match steps - first {
        0 => String::new(),
        _ => format!(", {}", progress.summary()),
    };
    text.push_str(&format!("{steps} steps{speed}\nmodel: {}", plan.target));
    text
}

/// What to do with the model of a run of so many ranks.
fn advice(plan: &Plan, ranks: usize) -> String {
    let Target::File(path) = &plan.target else {
        return String::new();
    };
    format!(
        "\ntry: rnn-cli sample {}\nto train longer: {} --more 5m",
        shell::path(path),
        go_on::command(plan, None, ranks)
    )
}
