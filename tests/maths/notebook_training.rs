//! The notebook's run through the public trainer, against numpy.
//!
//! One window is the word "hello", one step an epoch. With a horizon of 1 the gradient is the
//! notebook's, with the whole window it is that of back-propagation through time. The numbers come
//! from `fixtures/hello.json`; `fixtures/generate.py` wrote it.

use std::ops::ControlFlow;

use rnn::optimizer::{Clip, OptimizerConfig};
use rnn::{
    CellKind, Corpus, Error, Event, Model, Network, NetworkConfig, Parameters, Reduction,
    RunOptions, SampleOptions, State, Trainer,
};
use serde_json::Value;

use crate::common::{assert_close, fixture, numbers, settings};

const TOLERANCE: f64 = 1e-10;
/// Numbers below this count as this in a relative error.
const FLOOR: f64 = 1e-7;
const HIDDEN: usize = 8;
/// The notebook's numbering is h e l o, the vocabulary's is e h l o.
const NOTEBOOKS: [usize; 4] = [1, 0, 2, 3];
/// The notebook's letters and PyTorch's names.
const NAMES: [(&str, &str); 5] = [
    ("U", "rnn.weight_ih_l0"),
    ("W", "rnn.weight_hh_l0"),
    ("b", "rnn.bias_ih_l0"),
    ("V", "decoder.weight"),
    ("c", "decoder.bias"),
];

/// One of the notebook's arrays with its characters in the vocabulary's order.
fn reordered(letter: &str, values: &Value) -> Vec<f64> {
    let values = numbers(values);
    match letter {
        "U" => (0..HIDDEN * 4)
            .map(|at| values[at / 4 * 4 + NOTEBOOKS[at % 4]])
            .collect(),
        "V" => (0..HIDDEN * 4)
            .map(|at| values[NOTEBOOKS[at / HIDDEN] * HIDDEN + at % HIDDEN])
            .collect(),
        "c" => NOTEBOOKS.iter().map(|&id| values[id]).collect(),
        _ => values,
    }
}

fn trainer(initial: &Value, horizon: Option<usize>, max_steps: u64) -> Trainer<f64> {
    let corpus = Corpus::from_text("hello").expect("a text");
    let config = NetworkConfig {
        cell: CellKind::RNN,
        vocab_size: 4,
        hidden_size: HIDDEN,
        num_layers: 1,
    };
    let mut parameters = Parameters::zeros(&config);
    for named in parameters.layout().named() {
        if let Some((letter, _)) = NAMES.iter().find(|(_, name)| *name == named.name) {
            parameters.set_pytorch(&named, &reordered(letter, &initial[letter]));
        }
    }
    let network = Network::from_parameters(config, parameters);
    let train = rnn::TrainConfig {
        horizon,
        reduction: Reduction::Sum,
        freeze_recurrent_bias: true,
        optimizer: OptimizerConfig::SGD,
        learning_rate: 0.1,
        clip: Clip::None,
        ..settings(1, 4, max_steps)
    };
    Trainer::with_network(corpus, &[1.0], network, train).expect("valid settings")
}

/// Trains to the end and returns the loss of every step.
fn losses(trainer: &mut Trainer<f64>) -> Vec<f64> {
    let mut losses = Vec::new();
    let report = |_: &mut Trainer<f64>, event: Event| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    };
    trainer
        .run(&RunOptions::default(), report)
        .expect("training goes well");
    losses
}

fn tensor(network: &Network<f64>, name: &str) -> Vec<f64> {
    network.tensor(name).expect("a parameter of the network").1
}

const RUNS: [(&str, Option<usize>); 2] = [("one_step", Some(1)), ("bptt", None)];

#[test]
fn a_hundred_losses_and_the_weights_after_them_are_numpys() {
    let fixture = fixture("hello.json");
    for (run, horizon) in RUNS {
        let expected = &fixture["runs"][run];
        let mut trainer = trainer(&fixture["initial"], horizon, 100);
        let ours = losses(&mut trainer);
        let theirs = numbers(&expected["losses"]);
        assert_close(run, &ours, &theirs, TOLERANCE, FLOOR);
        for (letter, name) in NAMES {
            let theirs = reordered(letter, &expected["final"][letter]);
            let what = format!("{run} {letter}");
            let ours = tensor(trainer.network(), name);
            assert_close(&what, &ours, &theirs, TOLERANCE, FLOOR);
        }
        let frozen = tensor(trainer.network(), "rnn.bias_hh_l0");
        assert!(frozen.iter().all(|&b| b == 0.0), "{run}: {frozen:?}");
        trainer.set_max_steps(Some(101)).unwrap();
        let after = losses(&mut trainer);
        let theirs = numbers(&expected["loss_after"]);
        assert_close(run, &after, &theirs, TOLERANCE, FLOOR);
    }
}

#[test]
fn the_first_step_moves_the_weights_along_numpys_gradient() {
    let fixture = fixture("hello.json");
    for (run, horizon) in RUNS {
        let mut trainer = trainer(&fixture["initial"], horizon, 1);
        let before = trainer.network().clone();
        losses(&mut trainer);
        for (letter, name) in NAMES {
            let (old, new) = (tensor(&before, name), tensor(trainer.network(), name));
            let gradient: Vec<f64> = old.iter().zip(&new).map(|(a, b)| (a - b) / 0.1).collect();
            let theirs = reordered(letter, &fixture["runs"][run]["first_grads"][letter]);
            let what = format!("{run} {letter}");
            assert_close(&what, &gradient, &theirs, TOLERANCE, FLOOR);
        }
    }
}

#[test]
fn the_trained_network_writes_hello() {
    let fixture = fixture("hello.json");
    for (run, horizon) in RUNS {
        let mut trainer = trainer(&fixture["initial"], horizon, 100);
        losses(&mut trainer);
        let vocabulary = trainer.corpus().vocabulary();

        // by hand, in f64
        let mut state = State::zeros(trainer.network().config(), 1);
        let mut text = vec![vocabulary.id('h').expect("a character of hello")];
        while text.len() < 5 {
            let logits = trainer
                .network()
                .forward(&text[text.len() - 1..], &mut state)
                .expect("memory");
            text.push(logits.argmax_row(0) as rnn::Id);
        }
        let expected = fixture["runs"][run]["greedy"].as_str().expect("a text");
        assert_eq!(vocabulary.decode(&text), expected);

        // and by the sampler, from a file's f32
        let mut single = Parameters::<f32>::zeros(trainer.network().config());
        let weights = trainer.network().parameters().as_slice();
        for (to, &from) in single.as_mut_slice().iter_mut().zip(weights) {
            *to = from as f32;
        }
        let network = Network::from_parameters(*trainer.network().config(), single);
        let model = Model::new(vocabulary.clone(), network, None);
        let sampler = model
            .sample("h", &SampleOptions::greedy())
            .expect("h is known");
        let written: rnn::Result<String> = sampler.take(4).collect();
        assert_eq!(written.expect("sound weights"), "ello");
    }
}
