//! What several tests share: fixtures, texts, settings, and how close is close enough.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::ops::ControlFlow;
use std::path::Path;

use rnn::optimizer::Schedule;
use rnn::{
    CellKind, Corpus, Error, Id, Init, Network, NetworkConfig, Outcome, Parameters, RunOptions,
    TrainConfig, Trainer,
};
use serde_json::Value;
use tensor::Scalar;

/// A JSON file under `tests/fixtures/`.
pub(crate) fn fixture(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(path);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All numbers of a nested array, in order.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

/// All numbers of a nested array as ids.
pub(crate) fn ids(value: &Value) -> Vec<Id> {
    numbers(value).into_iter().map(|id| id as Id).collect()
}

/// Parameters from an object of PyTorch's names.
pub(crate) fn parameters<T: Scalar>(config: &NetworkConfig, by_name: &Value) -> Parameters<T> {
    let mut parameters = Parameters::zeros(config);
    for named in parameters.layout().named() {
        let values: Vec<T> = numbers(&by_name[&named.name])
            .into_iter()
            .map(T::from_f64)
            .collect();
        parameters.set_pytorch(&named, &values);
    }
    parameters
}

/// Panics unless `|ours - theirs| <= tolerance * max(|theirs|, floor)` for every element: a
/// relative error, in which numbers below `floor` count as `floor`.
#[track_caller]
pub(crate) fn assert_close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64, floor: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}: lengths");
    for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * b.abs().max(floor),
            "{what}[{at}]: {a:e}, expected {b:e}"
        );
    }
}

/// Panics unless two sets of parameters agree, as [`assert_close`] has it, name by name.
#[track_caller]
pub(crate) fn assert_parameters_close(
    what: &str,
    ours: &Parameters<f64>,
    theirs: &Parameters<f64>,
    tolerance: f64,
    floor: f64,
) {
    assert_eq!(ours.layout(), theirs.layout(), "{what}: layouts");
    for named in ours.layout().named() {
        let (a, b) = (ours.slice(named.block), theirs.slice(named.block));
        assert_close(&format!("{what} {}", named.name), a, b, tolerance, floor);
    }
}

/// A network of 2-digit size with weights drawn from the default.
pub(crate) fn network<T: Scalar>(
    cell: CellKind,
    vocab_size: usize,
    hidden_size: usize,
    num_layers: usize,
) -> Network<T> {
    let config = NetworkConfig {
        cell,
        vocab_size,
        hidden_size,
        num_layers,
    };
    Network::new(config, &Init::default(), 7).expect("valid sizes")
}

/// Words in an order that repeats only after four thousand million of them.
pub(crate) fn text(characters: usize) -> String {
    const WORDS: [&str; 16] = [
        "the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "and", "packs", "my",
        "box", "with", "five", "dozen", "jugs",
    ];
    let (mut text, mut random) = (String::new(), 1u32);
    while text.len() < characters {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(WORDS[(random >> 28) as usize]);
        text.push(if (random >> 24) & 15 == 0 { '\n' } else { ' ' });
    }
    text.truncate(characters);
    text
}

/// Ids below `vocab_size` that follow no pattern.
pub(crate) fn random_ids(vocab_size: usize, count: usize, seed: u32) -> Vec<Id> {
    let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 16) % vocab_size as u32
    };
    (0..count).map(|_| next()).collect()
}

/// Adam at a constant rate over whole windows, evaluated once, at the end.
pub(crate) fn settings(batch_size: usize, seq_length: usize, max_steps: u64) -> TrainConfig {
    TrainConfig {
        batch_size,
        seq_length,
        dropout: 0.0,
        learning_rate: 1e-2,
        schedule: Schedule::Constant,
        max_steps: Some(max_steps),
        eval_every: max_steps,
        ..TrainConfig::default()
    }
}

/// A trainer of a small network on `text`.
pub(crate) fn trainer<T: Scalar>(
    text: &str,
    split: &[f64],
    (cell, hidden_size, num_layers): (CellKind, usize, usize),
    config: TrainConfig,
) -> Trainer<T> {
    let corpus = Corpus::from_text(text).expect("a text");
    let network = NetworkConfig {
        cell,
        vocab_size: corpus.vocabulary().len(),
        hidden_size,
        num_layers,
    };
    Trainer::new(corpus, split, network, config).expect("valid settings")
}

/// Trains to the end.
pub(crate) fn run<T: Scalar>(trainer: &mut Trainer<T>, threads: usize) -> Outcome {
    let options = RunOptions {
        threads,
        time: None,
    };
    trainer
        .run(&options, |_, _| Ok::<_, Error>(ControlFlow::Continue(())))
        .expect("training goes well")
}
