//! The networks against PyTorch: logits, losses, gradients, clipping and optimiser steps.
//!
//! `fixtures/torch/` holds one training step of PyTorch in f64 for every cell that it has, one and two layers
//! and three seeds; `fixtures/generate.py` wrote it. Everything must agree to a relative error of
//! 1e-10, where numbers below [`FLOOR`] count as that: a sum of terms of size 1 has lost the digits
//! below 1e-16 on either side, and what is left of a tiny sum shows it.

use rnn::optimizer::{Clip, Optimizer, OptimizerConfig};
use rnn::{Bptt, CellKind, Id, Network, NetworkConfig, Parameters, Reduction, State, Window};
use serde_json::Value;
use tensor::Scalar;

use crate::common::{assert_close, assert_parameters_close, fixture, ids, numbers, parameters};

const TOLERANCE: f64 = 1e-10;
const FLOOR: f64 = 1e-7;

struct Case {
    name: String,
    value: Value,
    config: NetworkConfig,
    window: Window,
    inputs: Vec<Id>,
    targets: Vec<Id>,
}

impl Case {
    fn load(name: &str) -> Case {
        let value = fixture(&format!("torch/{name}.json"));
        let size = |key: &str| value[key].as_u64().expect("a size") as usize;
        let cell = CellKind::ALL
            .into_iter()
            .find(|cell| value["kind"] == cell.name())
            .expect("a known cell");
        let config = NetworkConfig {
            cell,
            vocab_size: size("vocab"),
            hidden_size: size("hidden"),
            num_layers: size("layers"),
        };
        let window = Window {
            batch_size: size("batch"),
            seq_length: size("seq"),
            horizon: None,
            reduction: Reduction::Mean,
            restart: None,
        };
        let (inputs, targets) = (ids(&value["inputs"]), ids(&value["targets"]));
        Case {
            name: name.to_owned(),
            value,
            config,
            window,
            inputs,
            targets,
        }
    }

    fn parameters<T: Scalar>(&self, by_name: &Value) -> Parameters<T> {
        parameters(&self.config, by_name)
    }

    fn initial<T: Scalar>(&self) -> Parameters<T> {
        self.parameters(&self.value["initial"])
    }

    /// The state that the window starts from, or ends in.
    fn state<T: Scalar>(&self, h: &str, c: &str) -> State<T> {
        let mut state = State::zeros(&self.config, self.window.batch_size);
        for (layers, key) in [(&mut state.h, h), (&mut state.c, c)] {
            for (k, layer) in layers.iter_mut().enumerate() {
                let values = numbers(&self.value[key][k]);
                assert_eq!(values.len(), layer.as_slice().len());
                for (to, from) in layer.as_mut_slice().iter_mut().zip(values) {
                    *to = T::from_f64(from);
                }
            }
        }
        state
    }

    fn start<T: Scalar>(&self) -> State<T> {
        self.state("h0", "c0")
    }

    fn number(&self, key: &str) -> f64 {
        self.value[key].as_f64().expect("a number")
    }

    /// Loss, gradient and last state of the window.
    fn step<T: Scalar>(&self, params: &Parameters<T>) -> (f64, Parameters<T>, State<T>) {
        let mut bptt = Bptt::new(&self.config, self.window, false).expect("memory");
        bptt.set_state(&self.start());
        let loss = bptt.forward(params, &self.inputs, &self.targets, None);
        let mut gradient = Parameters::zeros(&self.config);
        bptt.backward(&mut gradient);
        (loss, gradient, bptt.state())
    }

    fn what(&self, quantity: &str) -> String {
        format!("{}: {quantity}", self.name)
    }

    #[track_caller]
    fn assert_state(&self, ours: &State<f64>) {
        let theirs = self.state::<f64>("hn", "cn");
        let layers = ours.h.iter().chain(&ours.c);
        for (ours, theirs) in layers.zip(theirs.h.iter().chain(&theirs.c)) {
            let (ours, theirs) = (ours.as_slice(), theirs.as_slice());
            assert_close(&self.what("state"), ours, theirs, TOLERANCE, FLOOR);
        }
    }
}

fn cases() -> Vec<Case> {
    let mut names = vec!["rnn_relu1_s0".to_owned()];
    for kind in ["rnn", "lstm", "gru"] {
        for layers in 1..=2 {
            names.extend((0..3).map(|seed| format!("{kind}{layers}_s{seed}")));
        }
    }
    names.iter().map(|name| Case::load(name)).collect()
}

#[test]
fn logits_and_states_are_pytorchs() {
    for case in cases() {
        let network = Network::from_parameters(case.config, case.initial::<f64>());
        let mut state = case.start();
        let logits = network.forward(&case.inputs, &mut state).expect("memory");
        let theirs = numbers(&case.value["logits"]);
        let what = case.what("logits");
        assert_close(&what, logits.as_slice(), &theirs, TOLERANCE, FLOOR);
        case.assert_state(&state);
    }
}

#[test]
fn losses_gradients_and_their_norm_are_pytorchs() {
    for case in cases() {
        let (loss, gradient, state) = case.step(&case.initial::<f64>());
        assert_close(
            &case.what("loss"),
            &[loss],
            &[case.number("loss")],
            TOLERANCE,
            FLOOR,
        );
        let theirs = case.parameters(&case.value["grads"]);
        assert_parameters_close(&case.what("grads"), &gradient, &theirs, TOLERANCE, FLOOR);
        let norm = Clip::None.apply(gradient.clone().as_mut_slice());
        let theirs = case.number("grad_norm");
        assert_close(&case.what("norm"), &[norm], &[theirs], TOLERANCE, FLOOR);
        case.assert_state(&state);
    }
}

#[test]
fn three_clippings_are_pytorchs() {
    for case in cases() {
        let (_, gradient, _) = case.step(&case.initial::<f64>());
        let mut changed = 0;
        for key in ["clip_norm", "clip_norm_small", "clip_value"] {
            let expected = &case.value[key];
            let limit = expected["limit"].as_f64().expect("a limit");
            let clip = match key {
                "clip_value" => Clip::Value(limit),
                _ => Clip::Norm(limit),
            };
            let mut clipped = gradient.clone();
            clip.apply(clipped.as_mut_slice());
            changed += u32::from(clipped != gradient);
            let theirs = case.parameters(&expected["grads"]);
            assert_parameters_close(&case.what(key), &clipped, &theirs, TOLERANCE, FLOOR);
        }
        assert!(changed >= 2, "{}: too little was clipped", case.name);
    }
}

/// The optimiser and learning rate of a fixture's `settings`.
fn optimizer(name: &str, settings: &Value) -> (OptimizerConfig, f64) {
    let number = |key: &str| settings[key].as_f64().expect("a setting");
    let beta = |at: usize| settings["betas"][at].as_f64().expect("a setting");
    let config = match name {
        "sgd" | "sgd_momentum" => OptimizerConfig::Sgd {
            momentum: number("momentum"),
            nesterov: false,
        },
        "adagrad" => OptimizerConfig::Adagrad { eps: number("eps") },
        "rmsprop" => OptimizerConfig::RmsProp {
            alpha: number("alpha"),
            eps: number("eps"),
        },
        "adam" => OptimizerConfig::Adam {
            beta1: beta(0),
            beta2: beta(1),
            eps: number("eps"),
        },
        "adamw" => OptimizerConfig::AdamW {
            beta1: beta(0),
            beta2: beta(1),
            eps: number("eps"),
            weight_decay: number("weight_decay"),
        },
        other => panic!("optimiser {other:?} in a fixture"),
    };
    (config, number("lr"))
}

#[test]
fn two_steps_of_six_optimisers_are_pytorchs() {
    for case in cases() {
        let optimisers = case.value["optimisers"].as_object().expect("an object");
        assert_eq!(optimisers.len(), 6, "{}", case.name);
        for (name, expected) in optimisers {
            let (config, rate) = optimizer(name, &expected["settings"]);
            let mut params = case.initial::<f64>();
            let mut optimizer = Optimizer::new(config, params.len()).expect("valid settings");
            for step in 0..2 {
                let (loss, gradient, _) = case.step(&params);
                let what = case.what(&format!("{name} step {step}"));
                let theirs = expected["losses"][step].as_f64().expect("a loss");
                assert_close(&what, &[loss], &[theirs], TOLERANCE, FLOOR);
                optimizer.step(params.as_mut_slice(), gradient.as_slice(), rate);
                let theirs = case.parameters(&expected["after"][step]);
                assert_parameters_close(&what, &params, &theirs, TOLERANCE, FLOOR);
            }
        }
    }
}

/// The f32 network may be this far from the f64 one, as a share of the quantity's largest element:
/// eight roundings of 6e-8.
const SINGLE: f64 = 5e-7;

#[test]
fn single_precision_is_within_eight_roundings_of_double() {
    let largest = |values: &[f64]| values.iter().fold(0.0f64, |max, x| max.max(x.abs()));
    let gap = |ours: &[f32], theirs: &[f64]| {
        let apart = ours.iter().zip(theirs).map(|(&a, b)| f64::from(a) - b);
        largest(&apart.collect::<Vec<_>>()) / largest(theirs)
    };
    let mut worst = 0.0f64;
    for case in cases() {
        let (single, double) = (case.initial::<f32>(), case.initial::<f64>());
        let (loss32, gradient32, _) = case.step(&single);
        let (loss64, gradient64, _) = case.step(&double);
        let logits32 = Network::from_parameters(case.config, single)
            .forward(&case.inputs, &mut case.start::<f32>())
            .expect("memory");
        let logits64 = Network::from_parameters(case.config, double)
            .forward(&case.inputs, &mut case.start::<f64>())
            .expect("memory");
        let gaps = [
            (loss32 - loss64).abs() / loss64,
            gap(logits32.as_slice(), logits64.as_slice()),
            gap(gradient32.as_slice(), gradient64.as_slice()),
        ];
        assert!(largest(&gaps) <= SINGLE, "{}: {gaps:?}", case.name);
        worst = worst.max(largest(&gaps));
    }
    assert!(
        worst > 1e-9,
        "the two precisions agree to {worst}: are they two?"
    );
}
