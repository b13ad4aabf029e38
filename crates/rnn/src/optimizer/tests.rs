//! Optimisers against PyTorch's numbers; in the folder, what must hold for any parameters.

mod properties;
mod schedule;
mod state;

use super::*;
use approx::assert_relative_eq;
use rand::RngExt;
use serde_json::Value;
use tensor::random;

/// Every optimiser, and gradient descent with momentum of either kind.
fn all() -> Vec<OptimizerConfig> {
    let momentum = |nesterov| OptimizerConfig::Sgd {
        momentum: 0.9,
        nesterov,
    };
    [&OptimizerConfig::ALL[..], &[false, true].map(momentum)].concat()
}

/// What `tests/fixtures/optimizers.py` wrote.
pub(super) fn golden() -> Value {
    let text = include_str!("../../../../tests/fixtures/optimizers.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

pub(super) fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn assert_close(ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    for (&ours, &theirs) in ours.iter().zip(theirs) {
        assert_relative_eq!(ours, theirs, max_relative = 1e-12, epsilon = 0.0);
    }
}

/// The configuration of a golden case: PyTorch's defaults but for the settings named.
fn config(case: &Value) -> OptimizerConfig {
    let name = case["name"].as_str().expect("a name");
    let default: OptimizerConfig = name.parse().expect("a known name");
    let mut json = serde_json::to_value(default).expect("a configuration has a JSON form");
    for (key, value) in case["settings"].as_object().expect("settings") {
        json[key] = value.clone();
    }
    serde_json::from_value(json).expect("a configuration")
}

#[test]
fn follows_pytorch_step_by_step() {
    let golden = golden();
    let cases = list(&golden["optimizers"]);
    for config in OptimizerConfig::ALL {
        let is_of = |case: &Value| case["name"] == config.name();
        assert!(cases.iter().any(is_of), "{config}");
    }
    for case in cases {
        let config = config(case);
        let mut params = numbers(&golden["start"]);
        let mut optimizer = Optimizer::new(config, params.len()).unwrap();
        let rate = number(&case["learning_rate"]);
        for (grads, after) in list(&golden["grads"]).iter().zip(list(&case["after"])) {
            optimizer.step(&mut params, &numbers(grads), rate);
            assert_close(&params, &numbers(after));
        }
        assert_eq!(optimizer.steps(), 4);
        assert_eq!(
            config.default_learning_rate(),
            number(&case["default_learning_rate"])
        );
        for (name, values) in optimizer.state() {
            assert_close(values, &numbers(&case["state"][name]));
        }
        let theirs = case["state"].as_object().unwrap().len();
        assert_eq!(config.state_names().len(), theirs, "{config:?}");
    }
}

/// Parameters and `steps` gradients of very different sizes, some zero.
fn draw<T: Scalar>(seed: u64, len: usize, steps: usize) -> (Vec<T>, Vec<Vec<T>>) {
    let mut rng = random::rng(seed);
    let mut values = |scale: f64| -> Vec<T> {
        let mut draw = || match rng.random_range(0..10) {
            0 => 0.0,
            n => scale * libm::exp2(f64::from(n)) * rng.random_range(-1.0..1.0),
        };
        (0..len).map(|_| T::from_f64(draw())).collect()
    };
    (values(0.01), (0..steps).map(|_| values(1e-4)).collect())
}

fn bits<T: Scalar>(values: &[T]) -> Vec<u64> {
    values.iter().map(|v| v.to_f64().to_bits()).collect()
}
