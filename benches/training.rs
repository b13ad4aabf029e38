//! Training speed on the networks that people train: characters per second, and how near that
//! comes to what the cores can do.
//!
//! | work | network | seq | batch | optimiser, rate | clip |
//! |---|---|---|---|---|---|
//! | W0 | the notebook's demo: milliseconds for its 100 epochs | 4 | 1 | SGD 0.1 | |
//! | W1 | Elman 100 (min-char-rnn) | 25 | 1 | Adagrad 0.1 | value 5 |
//! | W2 | Elman 256 | 64 | 32 | Adam 2e-3 | norm 5 |
//! | W3 | LSTM 2 x 128 (char-rnn) | 50 | 50 | RMSprop 2e-3 | value 5 |
//! | W4 | LSTM 512 | 64 | 64 | Adam 2e-3 | norm 5 |
//! | W5 | GRU 256 | 64 | 32 | Adam 2e-3 | norm 5 |
//! | W6 | LSTM 2 x 256 with dropout (the default for a million characters) | 64 | 8 | AdamW 4e-3 | norm 5 |
//!
//! A character costs, for each weight that multiplies, three times (forward, gradient of the
//! input, gradient of the weight) a multiplication and an addition; one-hot inputs cost nothing.
//! The peak is that of the threads in use, measured beside each case.
//!
//! `cargo bench -p rnn --features span --bench training -- --span=16 W4` says instead how many times
//! faster sixteen threads can be, and what stands in their way: `harness/span.rs`.
//!
//! `cargo bench -p rnn --bench training -- W2` measures one of them, `--threads=1` on one thread
//! alone; `--json` prints a line of JSON for each measurement; `--scale` adds LSTMs of 64 to 2048
//! units and batches of 1 to 256. `RNN_BENCH_TEXT=FILE` trains on that text.

#[allow(dead_code, reason = "every bench uses a part of the harness")]
mod harness;
#[allow(dead_code, reason = "every bench uses a part of the harness")]
#[path = "harness/limits.rs"]
mod limits;
#[allow(dead_code, reason = "every bench uses a part of the harness")]
#[path = "harness/report.rs"]
mod report;
#[cfg(feature = "span")]
#[path = "harness/span.rs"]
mod span;
#[path = "harness/threads.rs"]
mod threads;
#[path = "harness/works.rs"]
mod works;

use std::fmt::Write;
use std::ops::ControlFlow;

use harness::{Bench, Side};
use rand::RngExt;
use report::{Measurement, Report};
use rnn::optimizer::{Clip, OptimizerConfig};
use rnn::{
    CellKind, Corpus, Event, Init, NetworkConfig, Reduction, RunOptions, Scheme, TrainConfig,
    Trainer,
};
use tensor::{Scalar, random};
use threads::Threads;
use works::{Work, plain};

/// Floating-point operations that one run of a side has at least: some ten milliseconds.
const RUN: f64 = 2e9;
/// Characters of the text that the bench makes, where none is given.
const CHARACTERS: usize = 1 << 20;
const SYMBOLS: u32 = 65;

fn main() {
    let bench = Bench::from_args();
    let report = Report::from_args();
    #[cfg(feature = "span")]
    if let Some(threads) = span::threads() {
        let corpus = text();
        for work in works::works() {
            if bench.wants(&work.case) {
                let mut trainer = work.trainer(&corpus);
                span::report(&work.case, threads, |steps| advance(&mut trainer, steps));
            }
        }
        return;
    }
    if bench.measures() {
        report.header();
    }
    notebook(&bench, &report);
    let mut works = works::works();
    if std::env::args().any(|arg| arg == "--scale") {
        works.extend(works::scale());
    }
    works.retain(|work| bench.wants(&work.case));
    if !works.is_empty() {
        let (corpus, mut threads) = (text(), Threads::from_args());
        for work in works {
            measure(&bench, &report, &work, &corpus, &mut threads);
        }
    }
}

/// The text that `RNN_BENCH_TEXT` names, or one of 65 symbols in which each can be followed by
/// four others.
fn text() -> Corpus {
    if let Some(path) = std::env::var_os("RNN_BENCH_TEXT") {
        return Corpus::from_path(path).expect("RNN_BENCH_TEXT names a text");
    }
    let (mut rng, mut symbol) = (random::rng(1), 0);
    let text: String = (0..CHARACTERS)
        .map(|_| {
            symbol = (7 * symbol + rng.random_range(0..4)) % SYMBOLS;
            char::from_u32(u32::from('0') + symbol).expect("a printable character")
        })
        .collect();
    Corpus::from_text(&text).expect("a text")
}

/// The notebook's 100 epochs from fresh weights, in its arithmetic (f64) and with its gradient, as
/// many lines written to memory.
fn notebook(bench: &Bench, report: &Report) {
    let run = || {
        let corpus = Corpus::from_text("hello").expect("a text");
        let network = NetworkConfig {
            cell: CellKind::RNN,
            vocab_size: corpus.vocabulary().len(),
            hidden_size: 8,
            num_layers: 1,
        };
        let config = TrainConfig {
            horizon: Some(1),
            freeze_recurrent_bias: true,
            max_steps: Some(100),
            eval_every: 100,
            init: Init {
                scheme: Scheme::Normal(0.1),
                ..Init::default()
            },
            ..plain(4, 1, OptimizerConfig::SGD, 0.1, Clip::None, Reduction::Sum)
        };
        let mut trainer =
            Trainer::<f64>::new(corpus, &[1.0], network, config).expect("sound settings");
        let mut lines = String::new();
        let outcome = trainer.run(&RunOptions::default(), |trainer, event| {
            if let Event::Step(step) = event {
                let (epoch, loss) = (trainer.step_count(), step.loss);
                writeln!(lines, "Epoch {epoch}, Loss: {loss:.4}").expect("memory");
            }
            Ok::<_, rnn::Error>(ControlFlow::Continue(()))
        });
        outcome.expect("a hundred steps");
        assert_eq!(lines.lines().count(), 100);
    };
    let timings = bench.compare("training W0", vec![Side::new("one thread", run)]);
    if let Some(timing) = timings.first() {
        report.milliseconds("training W0", timing.median() * 1e3, timing.spread());
    }
}

fn measure(bench: &Bench, report: &Report, work: &Work, corpus: &Corpus, threads: &mut [Threads]) {
    let flop = work.flop(corpus.vocabulary().len());
    // Windows differ in length by one step where they cannot divide the text evenly.
    let epoch = (corpus.len() - 1) / work.batch_size * work.batch_size;
    let characters = epoch as f64 / work.trainer(corpus).windows_per_epoch() as f64;
    let steps = match bench.measures() {
        true => (RUN / (flop * characters)).ceil().max(1.0),
        false => 1.0,
    };
    if bench.measures() {
        for threads in threads.iter_mut() {
            threads.peak();
        }
    }
    let sides = threads.iter().map(|threads| {
        let mut trainer = work.trainer(corpus);
        Side::new("ours", move || {
            threads.run(|| advance(&mut trainer, steps as u64))
        })
    });
    let timings = bench.compare(&work.case, sides.collect());
    for (timing, threads) in timings.iter().zip(threads) {
        let rate = steps * characters / timing.median();
        report.rate(&Measurement {
            case: &work.case,
            threads: threads.count,
            rate,
            spread: timing.spread(),
            used: rate * flop / 1e9,
            limit: threads.peak(),
            unit: "GFLOP/s",
        });
    }
}

/// Takes so many steps.
fn advance<T: Scalar>(trainer: &mut Trainer<T>, steps: u64) {
    let mut done = 0;
    let outcome = trainer.run(&RunOptions::default(), |_, event| {
        match event {
            Event::Step(_) => done += 1,
            other => panic!("a step was not taken: {other:?}"),
        }
        Ok::<_, rnn::Error>(match done < steps {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    });
    outcome.expect("training goes on");
}
