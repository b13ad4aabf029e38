//! Saving and restoring, settings, names.

use super::{all, bits, draw};
use crate::optimizer::{Optimizer, OptimizerConfig, check_learning_rate};

#[test]
fn going_on_from_saved_state_gives_the_same_bits() {
    let (start, grads) = draw::<f32>(4, 70, 6);
    for config in all() {
        let mut params = start.clone();
        let mut optimizer = Optimizer::new(config, 70).unwrap();
        grads[..3]
            .iter()
            .for_each(|grads| optimizer.step(&mut params, grads, 0.01));

        let saved: Vec<(&str, Vec<f32>)> = optimizer
            .state()
            .map(|(name, values)| (name, values.to_vec()))
            .collect();
        let state: Vec<(&str, &[f32])> = saved
            .iter()
            .rev()
            .map(|(name, values)| (*name, &values[..]))
            .collect();
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
    let negative = [1.0, -2.0];
    let mut refused = |first: &[f32], second: (&str, &[f32])| {
        let error = optimizer
            .restore(3, &[("exp_avg", first), second])
            .unwrap_err();
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
        r#"optimiser state "exp_avg_sq" must be at least 0, got -2 at index 1"#
    );
}

#[test]
fn what_huge_gradients_have_left_can_be_restored() {
    let forgetful = OptimizerConfig::RmsProp {
        alpha: 0.0,
        eps: 1e-8,
    };
    for config in all().into_iter().chain([forgetful]) {
        let mut optimizer = Optimizer::<f32>::new(config, 2).unwrap();
        for grads in [[3e38, 1e20], [3e38, -1e20], [-3e38, 1.0]] {
            optimizer.step(&mut [0.0; 2], &grads, 0.01);
        }
        let state: Vec<(&str, &[f32])> = optimizer.state().collect();
        let mut restored = Optimizer::new(config, 2).unwrap();
        restored.restore(optimizer.steps(), &state).unwrap();
        for ((name, ours), (_, theirs)) in restored.state().zip(optimizer.state()) {
            assert_eq!(bits(ours), bits(theirs), "{name} of {config}");
        }
    }
}

#[test]
#[should_panic(expected = "optimiser for 3 parameters got 3 parameters and 2 gradients")]
fn slices_that_do_not_fit_are_a_programming_error() {
    Optimizer::new(OptimizerConfig::SGD, 3)
        .unwrap()
        .step(&mut [0.0; 3], &[0.0; 2], 0.1);
}

#[test]
fn settings_out_of_range_are_named() {
    use OptimizerConfig::{Adagrad, Adam, AdamW, RmsProp, Sgd};
    let cases = [
        (
            Sgd {
                momentum: 1.5,
                nesterov: false,
            },
            "momentum must be in [0, 1), got 1.5",
        ),
        (
            Sgd {
                momentum: f64::NAN,
                nesterov: false,
            },
            "momentum must be in [0, 1), got NaN",
        ),
        (
            Sgd {
                momentum: 0.0,
                nesterov: true,
            },
            "momentum with nesterov must be in (0, 1), got 0",
        ),
        (
            Adagrad { eps: 0.0 },
            "eps must be finite and at least 1e-16, got 0",
        ),
        (
            RmsProp {
                alpha: 1.0,
                eps: 1e-8,
            },
            "alpha must be in [0, 1), got 1",
        ),
        (
            Adam {
                beta1: -0.1,
                beta2: 0.9,
                eps: 1e-8,
            },
            "beta1 must be in [0, 1), got -0.1",
        ),
        (
            Adam {
                beta1: 0.9,
                beta2: 1.0,
                eps: 1e-8,
            },
            "beta2 must be in [0, 1), got 1",
        ),
        (
            AdamW {
                beta1: 0.9,
                beta2: 0.9,
                eps: 1e-8,
                weight_decay: -1.0,
            },
            "weight decay must be finite and at least 0, got -1",
        ),
    ];
    for (config, message) in cases {
        assert_eq!(
            Optimizer::<f32>::new(config, 1).unwrap_err().to_string(),
            message
        );
    }
    assert_eq!(
        check_learning_rate(f64::NAN).unwrap_err().to_string(),
        "learning rate must be finite and positive, got NaN"
    );
    assert!(check_learning_rate(1e-3).is_ok());
}

#[test]
fn names_and_json_lead_back_to_the_configuration() {
    for config in all() {
        let named: OptimizerConfig = config.to_string().parse().unwrap();
        assert_eq!(named.name(), config.name());
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(
            serde_json::from_str::<OptimizerConfig>(&json).unwrap(),
            config,
            "{json}"
        );
    }
    assert_eq!(
        "adamax".parse::<OptimizerConfig>().unwrap_err().to_string(),
        format!(
            r#"optimiser must be one of {}, got "adamax""#,
            OptimizerConfig::ALL.map(|config| config.name()).join(", ")
        )
    );
    assert!(
        serde_json::from_str::<OptimizerConfig>(r#"{"name":"adagrad","eps":1,"x":2}"#).is_err()
    );
}
