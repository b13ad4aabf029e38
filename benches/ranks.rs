//! What training on several machines would cost: a model, from the rate of one core measured here and the
//! latency and bandwidth of a network.
//!
//! A step of N ranks, each a machine with a batch of its own, takes
//!
//! ```text
//! T(N) = C + 2 (N-1)/N P/B + 3 (N-1)/N P/M + 6 log2(N) L
//!
//! C    the work of the rank's rows, update included, on all cores of its machine
//! P/B  bytes of the gradient over bandwidth: they go out and come in by recursive halving, and again by
//!      doubling, so each way 2 (N-1)/N of them in all
//! P/M  the same over the bandwidth of memory: each addition reads two numbers and writes one
//! L    time that a message takes before its first byte: log2(N) of them for each of halving and doubling,
//!      three times a step: gradient, loss, and whether to go on
//! ```
//!
//! and the efficiency is C / T(N). The model leaves out that machines wait for the slowest.
//!
//! `cargo bench -p rnn --bench ranks` prints the table of `README.md`. `--cores=16` and `--share=0.8` say how
//! many cores a rank has and how much of them a step uses; `--link=30,1.1` another network: microseconds
//! and GB/s. `--rates=36100,9010,1850` takes characters a second of one core, for each size, as they are
//! given, since on a busy machine they come out too low. Without `--bench` it runs on tiny networks, as a smoke test.

use rnn::{Layout, NetworkConfig, Recommended, TextFacts, recommended, training_speed};

/// A network between machines.
struct Link {
    name: String,
    /// Seconds.
    latency: f64,
    /// Bytes a second, each way.
    bandwidth: f64,
}

fn link(name: &str, microseconds: f64, gigabytes: f64) -> Link {
    Link {
        name: name.to_owned(),
        latency: 1e-6 * microseconds,
        bandwidth: 1e9 * gigabytes,
    }
}

/// Bytes a second that one core reads and writes.
const MEMORY: f64 = 10e9;
/// Steps of a window.
const SEQ_LENGTH: usize = 64;
/// The batch that the rate is measured with.
const BATCH: usize = 64;
const RANKS: [usize; 6] = [1, 2, 4, 16, 64, 1024];

/// Seconds of a step of so many ranks, each of which computes for `alone` seconds.
fn step(alone: f64, bytes: f64, ranks: usize, link: &Link) -> f64 {
    let sent = bytes * (ranks - 1) as f64 / ranks as f64;
    let messages = 6.0 * f64::from(ranks.ilog2());
    alone + 2.0 * sent / link.bandwidth + 3.0 * sent / MEMORY + messages * link.latency
}

/// An LSTM of one layer, trained in the usual way.
fn lstm(hidden_size: usize) -> Recommended {
    let text = TextFacts::prose(1_000_000, 65);
    let network = NetworkConfig {
        hidden_size,
        num_layers: 1,
        ..recommended(&text).network
    };
    let advice = recommended(&text).with_network(network);
    let mut advice = advice.with_batch(BATCH, SEQ_LENGTH);
    advice.train.dropout = 0.0;
    advice
}

/// Characters a second that one core learns from.
fn measured(advice: &Recommended) -> f64 {
    let rate = training_speed(advice, 1).expect("a network that fits");
    rate / advice.work_per_character()
}

/// Three digits.
fn milliseconds(seconds: f64) -> String {
    let ms = 1e3 * seconds;
    let digits = (2.0 - ms.log10().floor()).clamp(0.0, 3.0) as usize;
    format!("{ms:.digits$}")
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |flag: &str| args.iter().find_map(|arg| arg.strip_prefix(flag));
    let number = |flag: &str, usual: f64| {
        value(flag).map_or(usual, |typed| typed.parse().expect("a number"))
    };
    let (cores, share) = (number("--cores=", 16.0), number("--share=", 0.8));
    let mut links = vec![
        link("10 Gb/s", 30.0, 1.1),
        link("25 Gb/s", 20.0, 2.8),
        link("200 Gb/s", 2.0, 22.0),
    ];
    if let Some(typed) = value("--link=") {
        let (latency, bandwidth) = typed.split_once(',').expect("--link=30,1.1");
        let numbers = [latency, bandwidth].map(|number| number.parse().expect("a number"));
        links = vec![link(typed, numbers[0], numbers[1])];
    }
    let rates = value("--rates=").map_or(Vec::new(), |typed| {
        let rates = typed.split(',').map(|rate| rate.parse().expect("a rate"));
        rates.collect::<Vec<f64>>()
    });
    let is_bench = args.iter().any(|arg| arg == "--bench");
    let sizes = [512, 1024, 2048].map(|size| if is_bench { size } else { size / 64 });

    println!(
        "a rank is a machine with {cores} cores, {share} of which a step uses; milliseconds a step, efficiency"
    );
    print!("| LSTM, batch a rank, network ");
    for ranks in RANKS {
        print!("| {ranks} ");
    }
    println!("|\n|---{}|", "|---".repeat(RANKS.len()));
    for (at, size) in sizes.into_iter().enumerate() {
        let advice = lstm(size);
        let rate = rates.get(at).copied();
        let rate = rate.unwrap_or_else(|| measured(&advice));
        let one_core = (BATCH * SEQ_LENGTH) as f64 / rate;
        let bytes = 4.0 * Layout::count(&advice.network) as f64;
        for batch in [BATCH, 1024] {
            let alone = one_core * (batch / BATCH) as f64 / (cores * share);
            for link in &links {
                print!("| {size}, {batch}, {} ", link.name);
                for ranks in RANKS {
                    let seconds = step(alone, bytes, ranks, link);
                    print!("| {} {:.2} ", milliseconds(seconds), alone / seconds);
                }
                println!("|");
            }
        }
    }
}
