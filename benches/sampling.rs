//! Sampling speed: characters per second, and how near that comes to what the caches can give.
//!
//! One stream reads every weight once for each character, so the bandwidth of the cache that holds
//! them is the limit; it is measured beside each case, on a block of the same size. Several streams
//! share what is read, and come near the limit of arithmetic instead: there the measure is the share
//! of the peak of multiply-adds.
//!
//! G2 samples from an Elman network of 256 units, G4 from an LSTM of 512, both with 65 symbols at
//! temperature 1. `cargo bench -p rnn --bench sampling -- G4` measures one of them, `--threads=1` on
//! one thread alone; `--json` prints a line of JSON for each measurement.

#[allow(dead_code, reason = "every bench uses a part of the harness")]
mod harness;
#[path = "harness/limits.rs"]
mod limits;
#[allow(dead_code, reason = "every bench uses a part of the harness")]
#[path = "harness/report.rs"]
mod report;
#[path = "harness/threads.rs"]
mod threads;

use harness::{Bench, Side};
use report::{Measurement, Report};
use rnn::{CellKind, Init, Model, Network, NetworkConfig, SampleOptions, Vocabulary};
use threads::Threads;

/// Streams side by side.
const STREAMS: [usize; 3] = [1, 8, 32];
/// Characters of one run of a side, over all streams.
const CHARACTERS: usize = 512;

fn main() {
    let bench = Bench::from_args();
    let (report, mut threads) = (Report::from_args(), Threads::from_args());
    if bench.measures() {
        report.header();
    }
    for (name, cell, hidden_size) in [("G2", CellKind::RNN, 256), ("G4", CellKind::LSTM, 512)] {
        let gates = cell.gates();
        let model = model(cell, hidden_size);
        let weights = gates * hidden_size * hidden_size + model.vocabulary().len() * hidden_size;
        for streams in STREAMS {
            let case = format!("sampling {name} x{streams}");
            if bench.wants(&case) {
                measure(
                    &bench,
                    &report,
                    &case,
                    &mut threads,
                    (&model, weights),
                    streams,
                );
            }
        }
    }
}

fn model(cell: CellKind, hidden_size: usize) -> Model {
    let vocabulary = Vocabulary::from_symbols(('0'..='p').collect()).expect("ascending symbols");
    let config = NetworkConfig {
        cell,
        vocab_size: vocabulary.len(),
        hidden_size,
        num_layers: 1,
    };
    let network = Network::new(config, &Init::default(), 1).expect("sound sizes");
    Model::new(vocabulary, network, None)
}

fn measure(
    bench: &Bench,
    report: &Report,
    case: &str,
    threads: &mut [Threads],
    (model, weights): (&Model, usize),
    streams: usize,
) {
    let options = SampleOptions::default();
    let steps = CHARACTERS.div_ceil(streams);
    let sides = threads.iter().map(|threads| {
        let sampler = model.sample_batch("0", streams, &options);
        let mut sampler = sampler.expect("a known prime");
        Side::new("ours", move || {
            threads.run(|| {
                for _ in 0..steps {
                    sampler.next_characters().expect("sound weights");
                }
            });
        })
    });
    let timings = bench.compare(case, sides.collect());
    for (timing, threads) in timings.iter().zip(threads) {
        let rate = (steps * streams) as f64 / timing.median();
        let bytes = weights * size_of::<f32>();
        let (used, limit, unit) = if streams == 1 {
            (bytes as f64, limits::read_bandwidth(bytes), "GB/s")
        } else {
            ((2 * weights) as f64, threads.peak(), "GFLOP/s")
        };
        report.rate(&Measurement {
            case,
            threads: threads.count,
            rate,
            spread: timing.spread(),
            used: rate * used / 1e9,
            limit,
            unit,
        });
    }
}
