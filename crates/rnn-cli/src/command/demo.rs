//! The notebook's demo with the library: learn a word, print every epoch, spell the word.

use std::io::Write;
use std::ops::ControlFlow;

use rnn::optimizer::{Clip, OptimizerConfig, Schedule};
use rnn::{
    CellKind, Corpus, Event, Init, NetworkConfig, Reduction, RunOptions, SampleOptions, Scheme,
    TrainConfig, Trainer,
};

use crate::args::DemoArgs;
use crate::console::{self, Console};
use crate::exit::misuse;
use crate::shell;

/// Runs `demo`.
pub(crate) fn run(args: &DemoArgs, console: Console) -> anyhow::Result<()> {
    let corpus =
        Corpus::from_text(&args.text).map_err(|error| misuse(format_args!("--text: {error}")))?;
    let network = NetworkConfig {
        cell: CellKind::RNN,
        vocab_size: corpus.vocabulary().len(),
        hidden_size: args.hidden,
        num_layers: 1,
    };
    network.validate().map_err(misuse)?;
    let config = notebook(args, corpus.len() - 1);
    let mut out = console::stdout();
    let mut trainer = Trainer::<f32>::new(corpus, &[1.0], network, config)?;
    trainer.run(&RunOptions::default(), |trainer, event| {
        match event {
            Event::Step(step) | Event::Skipped(step) => {
                let (epoch, loss) = (trainer.step_count(), step.loss);
                writeln!(out, "Epoch {epoch}, Loss: {loss:.4}")?;
            }
            Event::WentBack { scale } => console.note(&format!(
                "the loss is not finite; multiplied the learning rate by {scale}"
            )),
            _ => {}
        }
        anyhow::Ok(ControlFlow::Continue(()))
    })?;
    let (first, rest) = (
        args.text.chars().take(1).collect::<String>(),
        args.text.chars().count() - 1,
    );
    let model = trainer.try_current_model()?;
    let mut spelled = first.clone();
    for next in model.sample(&first, &SampleOptions::greedy())?.take(rest) {
        spelled.push(next?);
    }
    writeln!(out, "{spelled}")?;
    out.flush()?;
    console.hint(&what_next(args, &spelled));
    Ok(())
}

/// The notebook's settings: the whole word in one window, its losses summed, plain gradient
/// descent, weights from a narrow normal distribution, one bias.
fn notebook(args: &DemoArgs, seq_length: usize) -> TrainConfig {
    TrainConfig {
        batch_size: 1,
        seq_length,
        horizon: args.one_step.then_some(1),
        reduction: Reduction::Sum,
        freeze_recurrent_bias: true,
        dropout: 0.0,
        optimizer: OptimizerConfig::SGD,
        learning_rate: args.learning_rate,
        schedule: Schedule::Constant,
        clip: Clip::None,
        max_steps: Some(args.epochs),
        eval_every: args.epochs,
        seed: args.seed,
        init: Init {
            scheme: Scheme::Normal(0.1),
            ..Init::default()
        },
        ..TrainConfig::default()
    }
}

fn what_next(args: &DemoArgs, spelled: &str) -> String {
    if spelled == args.text {
        "\nIt learned that from the order of the letters alone. Try another word, or a text file:\n  \
         rnn-cli demo --text abracadabra\n  rnn-cli train FILE.txt\n  rnn-cli --help"
            .into()
    } else {
        format!(
            "\nIt has not learned {:?} yet. Try more epochs and more hidden units:\n  \
             rnn-cli demo --text {} --epochs {} --hidden {}",
            args.text,
            shell::word(&args.text),
            args.epochs.saturating_mul(5),
            args.hidden.max(16).saturating_mul(2)
        )
    }
}
