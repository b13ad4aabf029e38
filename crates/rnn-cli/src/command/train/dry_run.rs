//! `--dry-run`: sizes, memory and expected time of a run, without its files.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rnn::{Event, Layout, Trainer, memory};

use crate::console::{self, Console};
use crate::format::{architecture, bytes, duration, settings, thousands};
use crate::plan::Plan;

use super::prepare;

/// How long to measure the speed.
const MEASURE: Duration = Duration::from_secs(1);
/// How many times longer learning from a character takes than reading it.
const BACKWARD: f64 = 3.0;

/// Runs `train --dry-run`.
pub(super) fn run(plan: &Plan, console: Console) -> anyhow::Result<()> {
    let mut trainer = prepare::new(plan, console)?;
    for note in trainer.notes() {
        console.note(note);
    }
    let speed = speed(plan, &mut trainer)?;
    let mut out = console::stdout();
    let (network, config) = (trainer.network().config(), trainer.config());
    let (corpus, (learned, held_out)) = (trainer.corpus(), trainer.lengths());
    let count = |count: usize| thousands(count as u64);
    writeln!(
        out,
        "text        {} characters, {} distinct; {} to learn from, {} held out",
        count(corpus.len()),
        corpus.vocabulary().len(),
        count(learned),
        count(held_out)
    )?;
    let parameters = Layout::count(network) as u64;
    writeln!(
        out,
        "network     {}\nparameters  {}, {} as a model",
        architecture(network),
        thousands(parameters),
        bytes(4 * parameters)
    )?;
    writeln!(out, "training    {}", settings(config))?;
    let epoch = count(trainer.windows_per_epoch());
    match config.max_steps {
        Some(steps) => writeln!(out, "steps       {}, {epoch} an epoch", thousands(steps))?,
        None => writeln!(out, "steps       as the time allows, {epoch} an epoch")?,
    }
    let run = memory::MARGIN.saturating_add(Trainer::<f32>::bytes(network, config));
    let needed = run as u64 + corpus.len() as u64;
    match memory::available() {
        Some(free) => writeln!(
            out,
            "memory      {} at most, {} available",
            bytes(needed),
            bytes(free)
        )?,
        None => writeln!(out, "memory      {} at most", bytes(needed))?,
    }
    let time = expected(&trainer, speed)
        .or(plan.run.time)
        .unwrap_or_default();
    writeln!(
        out,
        "time        about {}, at {} chars/s on {} threads",
        duration(time),
        thousands(speed as u64),
        plan.run.threads
    )?;
    writeln!(out, "model       {}, not written", plan.target)?;
    Ok(out.flush()?)
}

/// Characters learned from in a second, measured; the first step warms up.
fn speed(plan: &Plan, trainer: &mut Trainer<f32>) -> anyhow::Result<f64> {
    let begin = Instant::now();
    let (mut characters, mut time, mut last) = (0, Duration::ZERO, None);
    trainer.run(&plan.run, |_, event| {
        if let Event::Step(step) | Event::Skipped(step) = event {
            let now = Instant::now();
            match last.replace(now) {
                Some(last) => {
                    (characters, time) = (characters + step.characters, time + (now - last))
                }
                // The first has to do where it takes longer than the whole measurement should.
                None if begin.elapsed() >= MEASURE => {
                    (characters, time) = (step.characters, begin.elapsed());
                }
                None => {}
            }
        }
        anyhow::Ok(if begin.elapsed() < MEASURE {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    Ok(characters as f64 / time.as_secs_f64().max(1e-9))
}

/// The time of all steps and evaluations.
fn expected(trainer: &Trainer<f32>, speed: f64) -> Option<Duration> {
    let config = trainer.config();
    let steps = config.max_steps?;
    let learned = steps as f64 * trainer.characters_per_step() as f64;
    let evaluations = steps.div_ceil(config.eval_every) as f64;
    let read = evaluations * trainer.lengths().1 as f64;
    Duration::try_from_secs_f64((learned + read / BACKWARD) / speed).ok()
}
