//! `--dry-run`: sizes, memory and expected time of a run, without its files.

use std::io::{self, Write};
use std::time::Duration;

use rnn::ranks::Ranks;
use rnn::{Layout, Recommended, TextFacts, Trainer, memory, training_speed};

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
    let trainer = prepare::new(plan, console, &Ranks::alone())?;
    for note in trainer.notes() {
        console.note(note);
    }
    let advice = Recommended {
        network: *trainer.network().config(),
        train: *trainer.config(),
    };
    let shares = plan.split(trainer.corpus().len());
    let text = trainer.corpus().try_facts(advice.train.records)?;
    let text = text.split(&shares);
    let (learned, held_out) = trainer.lengths();
    let epoch = trainer.windows_per_epoch();
    // Measuring makes another.
    drop(trainer);
    let work = training_speed(&advice, plan.run.threads)?;
    let speed = work / advice.work_per_character();
    let mut out = console::stdout();
    let (network, config) = (&advice.network, &advice.train);
    let count = |count: usize| thousands(count as u64);
    writeln!(
        out,
        "text        {} characters, {} distinct; {} to learn from, {} held out",
        count(text.characters),
        text.vocab_size,
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
    let epoch = count(epoch);
    match config.max_steps {
        Some(steps) => writeln!(out, "steps       {}, {epoch} an epoch", thousands(steps))?,
        None => writeln!(out, "steps       as the time allows, {epoch} an epoch")?,
    }
    let run = memory::MARGIN.saturating_add(Trainer::<f32>::bytes(network, config));
    let needed = run as u64 + text.characters as u64;
    match memory::available() {
        Some(free) => writeln!(
            out,
            "memory      {} at most, {} available",
            bytes(needed),
            bytes(free)
        )?,
        None => writeln!(out, "memory      {} at most", bytes(needed))?,
    }
    let time = expected(&advice, held_out, speed)
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
    prospects(plan, &advice, &text, work, &mut out)?;
    Ok(out.flush()?)
}

/// What `--time` would choose, and the loss to expect.
fn prospects(
    plan: &Plan,
    advice: &Recommended,
    text: &TextFacts,
    work: f64,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(
        out,
        "\n--time  network      dropout  characters       loss to expect, in nats per character"
    )?;
    let start = plan.args.init_from.as_ref().map(|_| advice.network);
    for (name, seconds) in TIMES {
        let advice = prepare::advice(plan, text, start, Some(work * seconds));
        let network = advice.network;
        let loss = advice.expected_loss(text);
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
    writeln!(out, "an n-gram model reaches {:.2}", text.ngram_loss)
}

/// The time of all steps and evaluations.
fn expected(advice: &Recommended, held_out: usize, speed: f64) -> Option<Duration> {
    let learned = advice.characters()? as f64;
    let evaluations = advice.train.max_steps?.div_ceil(advice.train.eval_every) as f64;
    let read = evaluations * held_out as f64;
    Duration::try_from_secs_f64((learned + read / BACKWARD) / speed).ok()
}
