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
//!
//! A character costs, for each weight that multiplies, three times (forward, gradient of the
//! input, gradient of the weight) a multiplication and an addition; one-hot inputs cost nothing.
//! The peak is that of the threads in use, measured beside each case.
//!
//! `cargo bench -p rnn --bench training -- W2` measures one of them, `--json` prints a line of
//! JSON for each measurement. `RNN_BENCH_TEXT=FILE` trains on that text.

#[allow(dead_code, reason = "every bench uses a part of the harness")]
mod harness;
#[allow(dead_code, reason = "every bench uses a part of the harness")]
#[path = "harness/limits.rs"]
mod limits;
#[allow(dead_code, reason = "every bench uses a part of the harness")]
#[path = "harness/report.rs"]
mod report;

use std::fmt::Write;
use std::ops::ControlFlow;

use harness::{Bench, Side};
use rand::RngExt;
use rayon::{ThreadPool, ThreadPoolBuilder};
use report::{Measurement, Report, peak};
use rnn::optimizer::{Clip, OptimizerConfig, Schedule};
use rnn::{
    CellKind, Corpus, Event, Init, NetworkConfig, Reduction, RunOptions, Scheme, TrainConfig,
    Trainer,
};
use tensor::{Scalar, random};

/// Floating-point operations that one run of a side has at least: some ten milliseconds.
const RUN: f64 = 2e9;
/// Characters of the text that the bench makes, where none is given.
const CHARACTERS: usize = 1 << 20;
const SYMBOLS: u32 = 65;

struct Work {
    name: &'static str,
    network: (CellKind, usize, usize),
    seq_length: usize,
    batch_size: usize,
    optimizer: OptimizerConfig,
    learning_rate: f64,
    clip: Clip,
    reduction: Reduction,
}

fn works() -> [Work; 5] {
    let adam = |name, cell, hidden, batch_size| Work {
        name,
        network: (cell, hidden, 1),
        seq_length: 64,
        batch_size,
        optimizer: OptimizerConfig::ADAM,
        learning_rate: 2e-3,
        clip: Clip::Norm(5.0),
        reduction: Reduction::Mean,
    };
    [
        Work {
            name: "W1",
            network: (CellKind::Rnn, 100, 1),
            seq_length: 25,
            batch_size: 1,
            optimizer: OptimizerConfig::ADAGRAD,
            learning_rate: 0.1,
            clip: Clip::Value(5.0),
            reduction: Reduction::Sum,
        },
        adam("W2", CellKind::Rnn, 256, 32),
        Work {
            name: "W3",
            network: (CellKind::Lstm, 128, 2),
            seq_length: 50,
            batch_size: 50,
            optimizer: OptimizerConfig::RmsProp {
                alpha: 0.95,
                eps: 1e-8,
            },
            learning_rate: 2e-3,
            clip: Clip::Value(5.0),
            reduction: Reduction::Mean,
        },
        adam("W4", CellKind::Lstm, 512, 64),
        adam("W5", CellKind::Gru, 256, 32),
    ]
}

fn main() {
    let bench = Bench::from_args();
    let report = Report::from_args();
    notebook(&bench, &report);
    let works = works();
    if works.iter().any(|work| bench.wants(&work.case())) {
        let corpus = text();
        let pool = ThreadPoolBuilder::new().num_threads(2).build();
        let pool = pool.expect("two threads");
        if bench.measures() {
            report.header();
        }
        for work in works {
            work.measure(&bench, &report, &corpus, &pool);
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
            cell: CellKind::Rnn,
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
                let epoch = trainer.step_count();
                writeln!(lines, "Epoch {epoch}, Loss: {:.4}", step.loss).expect("memory");
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

/// Settings without anything special.
fn plain(
    seq_length: usize,
    batch_size: usize,
    optimizer: OptimizerConfig,
    learning_rate: f64,
    clip: Clip,
    reduction: Reduction,
) -> TrainConfig {
    TrainConfig {
        batch_size,
        seq_length,
        horizon: None,
        reduction,
        freeze_recurrent_bias: false,
        dropout: 0.0,
        optimizer,
        learning_rate,
        schedule: Schedule::Constant,
        clip,
        max_steps: None,
        eval_every: u64::MAX,
        patience: None,
        seed: 1,
        init: Init::default(),
    }
}

impl Work {
    fn case(&self) -> String {
        format!("training {}", self.name)
    }

    fn trainer(&self, corpus: &Corpus) -> Trainer<f32> {
        let (cell, hidden_size, num_layers) = self.network;
        let network = NetworkConfig {
            cell,
            vocab_size: corpus.vocabulary().len(),
            hidden_size,
            num_layers,
        };
        let config = plain(
            self.seq_length,
            self.batch_size,
            self.optimizer,
            self.learning_rate,
            self.clip,
            self.reduction,
        );
        Trainer::new(corpus.clone(), &[1.0], network, config).expect("sound settings")
    }

    /// Floating-point operations for each character.
    fn flop(&self, vocab_size: usize) -> f64 {
        let (cell, hidden, layers) = self.network;
        let gates = match cell {
            CellKind::Rnn | CellKind::RnnRelu => 1,
            CellKind::Gru => 3,
            CellKind::Lstm => 4,
        };
        let weights = gates * hidden * hidden * (2 * layers - 1) + vocab_size * hidden;
        (3 * 2 * weights) as f64
    }

    fn measure(&self, bench: &Bench, report: &Report, corpus: &Corpus, pool: &ThreadPool) {
        let case = self.case();
        if !bench.wants(&case) {
            return;
        }
        let [mut one, mut two] = [self.trainer(corpus), self.trainer(corpus)];
        let flop = self.flop(corpus.vocabulary().len());
        // Windows differ in length by one step where they cannot divide the text evenly.
        let epoch = (corpus.len() - 1) / self.batch_size * self.batch_size;
        let characters = epoch as f64 / one.windows_per_epoch() as f64;
        let steps = match bench.measures() {
            true => (RUN / (flop * characters)).ceil().max(1.0),
            false => 1.0,
        };
        let before = [1, 2].map(peak);
        let timings = bench.compare(
            &case,
            vec![
                Side::new("one thread", || advance(&mut one, steps as u64)),
                Side::new("two threads", || {
                    pool.install(|| advance(&mut two, steps as u64))
                }),
            ],
        );
        let after = [1, 2].map(peak);
        for (side, timing) in timings.iter().enumerate() {
            let rate = steps * characters / timing.median();
            report.rate(&Measurement {
                case: &case,
                threads: side + 1,
                rate,
                spread: timing.spread(),
                used: rate * flop / 1e9,
                limit: before[side].max(after[side]),
                unit: "GFLOP/s",
            });
        }
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
