//! Optimisers against PyTorch's numbers, and what must hold for any parameters.

mod schedule;

use super::*;
use approx::assert_relative_eq;
use rand::RngExt;
use serde_json::Value;
use tensor::{Isa, random};

const ALL: [OptimizerConfig; 7] = [
    OptimizerConfig::SGD,
    OptimizerConfig::Sgd { momentum: 0.9, nesterov: false },
    OptimizerConfig::Sgd { momentum: 0.9, nesterov: true },
    OptimizerConfig::ADAGRAD,
    OptimizerConfig::RMSPROP,
    OptimizerConfig::ADAM,
    OptimizerConfig::ADAMW,
];

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
    assert_eq!(cases.len(), 11);
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
        assert_eq!(config.default_learning_rate(), number(&case["default_learning_rate"]));
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

/// Parameters and state after three steps.
fn run<T: Scalar>(config: OptimizerConfig, len: usize) -> Vec<u64> {
    let (mut params, grads) = draw::<T>(7, len, 3);
    let mut optimizer = Optimizer::new(config, len).unwrap();
    for mut grads in grads {
        Clip::Norm(0.5).apply(&mut grads);
        Clip::Value(0.01).apply(&mut grads);
        optimizer.step(&mut params, &grads, 0.01);
    }
    let mut all = bits(&params);
    optimizer.state().for_each(|(_, values)| all.extend(bits(values)));
    all
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads")
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let len = 150_001;
    for config in ALL {
        let (alone, alone_f64) = (run::<f32>(config, len), run::<f64>(config, len));
        for threads in [1, 2, 3, 7] {
            let pool = pool(threads);
            assert!(pool.install(|| run::<f32>(config, len)) == alone, "{config} x {threads}");
            assert!(pool.install(|| run::<f64>(config, len)) == alone_f64, "{config} x {threads}");
        }
    }
}

#[test]
fn any_instruction_set_gives_the_same_bits() {
    for config in ALL {
        for len in [1, 15, 33, 1000] {
            let (best, best_f64) = (run::<f32>(config, len), run::<f64>(config, len));
            for isa in Isa::available() {
                assert_eq!(isa.scope(|| run::<f32>(config, len)).unwrap(), best, "{config} {isa}");
                assert_eq!(isa.scope(|| run::<f64>(config, len)).unwrap(), best_f64, "{config}");
            }
        }
    }
}

#[test]
fn each_parameter_is_on_its_own() {
    let (start, grads) = draw::<f32>(1, 100, 3);
    for config in ALL {
        let mut together = start.clone();
        let mut optimizer = Optimizer::new(config, together.len()).unwrap();
        grads.iter().for_each(|grads| optimizer.step(&mut together, grads, 0.01));
        for (i, &together) in together.iter().enumerate() {
            let mut alone = [start[i]];
            let mut optimizer = Optimizer::new(config, 1).unwrap();
            grads.iter().for_each(|grads| optimizer.step(&mut alone, &grads[i..=i], 0.01));
            assert_eq!(alone[0].to_bits(), together.to_bits(), "{config}, parameter {i}");
        }
    }
}

#[test]
fn zero_gradients_move_nothing_but_what_decays() {
    let (start, _) = draw::<f32>(2, 500, 0);
    for config in ALL {
        let mut params = start.clone();
        let mut optimizer = Optimizer::new(config, params.len()).unwrap();
        (0..3).for_each(|_| optimizer.step(&mut params, &[0.0; 500], 0.1));
        match config {
            OptimizerConfig::AdamW { .. } => {
                for (&now, &before) in params.iter().zip(&start) {
                    assert_relative_eq!(now, before * 0.999_f32.powi(3), max_relative = 1e-6);
                }
            }
            _ => assert_eq!(bits(&params), bits(&start), "{config}"),
        }
    }
}

#[test]
fn f32_stays_near_f64() {
    let (start, grads) = draw::<f32>(3, 300, 20);
    for config in ALL {
        let mut single = start.clone();
        let mut double: Vec<f64> = start.iter().map(|&p| p.into()).collect();
        let mut optimizers =
            (Optimizer::new(config, 300).unwrap(), Optimizer::new(config, 300).unwrap());
        for grads in &grads {
            optimizers.0.step(&mut single, grads, 0.01);
            let grads: Vec<f64> = grads.iter().map(|&g| g.into()).collect();
            optimizers.1.step(&mut double, &grads, 0.01);
        }
        for (&single, &double) in single.iter().zip(&double) {
            assert_relative_eq!(f64::from(single), double, max_relative = 1e-5, epsilon = 1e-6);
        }
    }
}

#[test]
fn tiny_and_huge_gradients_leave_parameters_finite() {
    let grads = [1e-45_f32, 1e-30, -1e-20, 1e-10, 1e10, -1e18, 0.0];
    for config in ALL {
        let mut params = [0.5_f32; 7];
        let mut optimizer = Optimizer::new(config, 7).unwrap();
        (0..2000).for_each(|step| {
            optimizer.step(&mut params, if step < 5 { &grads } else { &[0.0; 7] }, 0.01);
        });
        assert!(params.iter().all(|p| p.is_finite()), "{config}: {params:?}");
    }
}

#[test]
fn going_on_from_saved_state_gives_the_same_bits() {
    let (start, grads) = draw::<f32>(4, 70, 6);
    for config in ALL {
        let mut params = start.clone();
        let mut optimizer = Optimizer::new(config, 70).unwrap();
        grads[..3].iter().for_each(|grads| optimizer.step(&mut params, grads, 0.01));

        let saved: Vec<(&str, Vec<f32>)> =
            optimizer.state().map(|(name, values)| (name, values.to_vec())).collect();
        let state: Vec<(&str, &[f32])> =
            saved.iter().rev().map(|(name, values)| (*name, &values[..])).collect();
        let mut resumed = Optimizer::new(config, 70).unwrap();
        resumed.restore(optimizer.steps(), &state).unwrap();
        assert_eq!(resumed, optimizer);

        let mut resumed_params = params.clone();
        for grads in &grads[3..] {
            optimizer.step(&mut params, grads, 0.01);
            resumed.step(&mut resumed_params, grads, 0.01);
        }
        assert_eq!(bits(&resumed_params), bits(&params), "{config}");
        resumed.reset();
        assert_eq!(resumed, Optimizer::new(config, 70).unwrap());
    }
}

#[test]
fn restoring_refuses_what_training_cannot_have_left() {
    let mut optimizer = Optimizer::<f32>::new(OptimizerConfig::ADAM, 2).unwrap();
    let untouched = optimizer.clone();
    let (good, short) = ([1.0, 2.0], [1.0]);
    let (negative, infinite) = ([1.0, -2.0], [f32::INFINITY, 0.0]);
    let mut refused = |first: &[f32], second: (&str, &[f32])| {
        let error = optimizer.restore(3, &[("exp_avg", first), second]).unwrap_err();
        assert_eq!(optimizer, untouched);
        error.to_string()
    };
    assert_eq!(
        refused(&good, ("exp_avg_squared", &good)),
        r#"optimiser state lacks "exp_avg_sq", which adam needs"#
    );
    assert_eq!(
        refused(&good, ("exp_avg_sq", &short)),
        r#"optimiser state "exp_avg_sq" has 1 values, expected 2"#
    );
    assert_eq!(
        refused(&negative, ("exp_avg_sq", &negative)),
        r#"optimiser state "exp_avg_sq" must be finite and at least 0, got -2 at index 1"#
    );
    assert_eq!(
        refused(&infinite, ("exp_avg_sq", &good)),
        r#"optimiser state "exp_avg" must be finite, got inf at index 0"#
    );
}

#[test]
#[should_panic(expected = "optimiser for 3 parameters got 3 parameters and 2 gradients")]
fn slices_that_do_not_fit_are_a_programming_error() {
    Optimizer::new(OptimizerConfig::SGD, 3).unwrap().step(&mut [0.0; 3], &[0.0; 2], 0.1);
}

#[test]
fn settings_out_of_range_are_named() {
    use OptimizerConfig::{Adagrad, Adam, AdamW, RmsProp, Sgd};
    let cases = [
        (Sgd { momentum: 1.5, nesterov: false }, "momentum must be in [0, 1), got 1.5"),
        (Sgd { momentum: f64::NAN, nesterov: false }, "momentum must be in [0, 1), got NaN"),
        (
            Sgd { momentum: 0.0, nesterov: true },
            "momentum with nesterov must be in (0, 1), got 0",
        ),
        (Adagrad { eps: 0.0 }, "eps must be finite and at least 1e-16, got 0"),
        (RmsProp { alpha: 1.0, eps: 1e-8 }, "alpha must be in [0, 1), got 1"),
        (Adam { beta1: -0.1, beta2: 0.9, eps: 1e-8 }, "beta1 must be in [0, 1), got -0.1"),
        (Adam { beta1: 0.9, beta2: 1.0, eps: 1e-8 }, "beta2 must be in [0, 1), got 1"),
        (
            AdamW { beta1: 0.9, beta2: 0.9, eps: 1e-8, weight_decay: -1.0 },
            "weight decay must be finite and at least 0, got -1",
        ),
    ];
    for (config, message) in cases {
        assert_eq!(Optimizer::<f32>::new(config, 1).unwrap_err().to_string(), message);
    }
    assert_eq!(
        check_learning_rate(f64::NAN).unwrap_err().to_string(),
        "learning rate must be finite and positive, got NaN"
    );
    assert!(check_learning_rate(1e-3).is_ok());
}

#[test]
fn names_and_json_lead_back_to_the_configuration() {
    for config in ALL {
        assert_eq!(config.to_string().parse::<OptimizerConfig>().unwrap().name(), config.name());
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<OptimizerConfig>(&json).unwrap(), config, "{json}");
    }
    assert_eq!(
        "adamax".parse::<OptimizerConfig>().unwrap_err().to_string(),
        r#"optimiser must be one of sgd, adagrad, rmsprop, adam, adamw, got "adamax""#
    );
    assert!(serde_json::from_str::<OptimizerConfig>(r#"{"name":"adagrad","eps":1,"x":2}"#).is_err());
}
