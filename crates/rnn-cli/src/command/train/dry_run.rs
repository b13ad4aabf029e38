//! `--dry-run`: sizes, memory and expected time of a run, without its files.

use std::io::{self, Write};
use std::time::Duration;

use rnn::{Layout, Recommended, Trainer, memory, recommended_within, training_speed};

use crate::console::{self, Console};
use crate::format::{architecture, bytes, duration, settings, thousands};
use crate::plan::Plan;

use super::prepare;

/// How many times longer learning from a character takes than reading it.
const BACKWARD: f64 = 3.0;
/// Times to tell the prospects of.
const TIMES: [(&str, f64); 4] = [
    ("1m", 60.0),
    ("10m", 600.0),
    ("1h", 3600.0),
    ("8h", 28800.0),
];

/// Runs `train --dry-run`.
pub(super) fn run(plan: &Plan, console: Console) -> anyhow::Result<()> {
    let trainer = prepare::new(plan, console)?;
    for note in trainer.notes() {
        console.note(note);
    }
    let advice = Recommended {
        network: *trainer.network().config(),
        train: *trainer.config(),
    };
    let work = training_speed(&advice, plan.run.threads)?;
    let speed = work / advice.work_per_character();
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
    prospects(&trainer, work, &mut out)?;
    Ok(out.flush()?)
}

/// What `--time` would choose, and the loss to expect.
fn prospects(trainer: &Trainer<f32>, work: f64, out: &mut impl Write) -> io::Result<()> {
    let text = trainer.corpus().facts(trainer.config().records);
    writeln!(
        out,
        "\n--time  network      dropout  characters       loss to expect, in nats per character"
    )?;
    for (name, seconds) in TIMES {
        let work = work * seconds;
        let advice = recommended_within(&text, work);
        let network = advice.network;
        let loss = advice.expected_loss(&text);
        writeln!(
            out,
            "{name:6}  {} {} x {:<4}  {:<7}  {:<15}  {:.2} to {:.2}",
            network.cell,
            network.num_layers,
            network.hidden_size,
            advice.train.dropout,
            thousands(advice.characters().unwrap_or_default()),
            loss.start(),
            loss.end(),
        )?;
    }
    writeln!(out, "an n-gram has {:.2}", text.ngram_loss)
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
