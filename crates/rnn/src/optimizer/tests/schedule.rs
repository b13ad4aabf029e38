//! The shape of each schedule, plateaus against PyTorch, early stopping.

use super::{golden, list, number, numbers};
use crate::optimizer::{Decay, Patience, PlateauState, Position, Schedule};
use approx::assert_relative_eq;

fn at(step: u64, max_steps: Option<u64>, epoch: u64) -> Position {
    Position {
        step,
        max_steps,
        epoch,
        plateau_scale: 1.0,
    }
}

/// The learning rate of each of `max_steps` steps, where 2 is set.
fn rates(schedule: Schedule, max_steps: u64) -> Vec<f64> {
    let rate = |step| 2.0 * schedule.factor(at(step, Some(max_steps), 0));
    (0..max_steps).map(rate).collect()
}

fn warmup_decay(decay: Decay, floor: f64) -> Schedule {
    Schedule::WarmupDecay {
        warmup_steps: 10,
        decay_fraction: 0.25,
        decay,
        floor,
    }
}

#[test]
fn warmup_decay_rises_stays_and_falls_to_the_floor() {
    for decay in [Decay::Linear, Decay::Cosine] {
        let schedule = warmup_decay(decay, 0.1);
        assert_eq!(schedule.decay_start(200), Some(150));
        let rates = rates(schedule, 200);
        for (step, &rate) in rates[..10].iter().enumerate() {
            assert_relative_eq!(rate, 0.2 * (step + 1) as f64, max_relative = 1e-15);
        }
        assert!(rates[9..150].iter().all(|&rate| rate == 2.0));
        assert!(rates[149..].is_sorted_by(|before, after| before > after));
        assert_relative_eq!(rates[199], 0.2, max_relative = 1e-14);
        // Half way down, both shapes are half way between the base rate and the floor.
        assert_relative_eq!(rates[174], 1.1, max_relative = 1e-14);
    }
    let quarter = |decay| rates(warmup_decay(decay, 0.0), 160)[129];
    assert_relative_eq!(quarter(Decay::Linear), 1.5, max_relative = 1e-14);
    let cosine = 1.0 + std::f64::consts::FRAC_1_SQRT_2;
    assert_relative_eq!(quarter(Decay::Cosine), cosine, max_relative = 1e-14);
}

#[test]
fn cosine_falls_from_the_end_of_the_warmup_to_the_floor() {
    let schedule = Schedule::Cosine {
        warmup_steps: 20,
        floor: 0.05,
    };
    let rates = rates(schedule, 100);
    assert!(rates[..20].is_sorted_by(|before, after| before < after));
    assert_eq!(rates[19], 2.0);
    assert!(rates[19..].is_sorted_by(|before, after| before > after));
    assert_relative_eq!(rates[59], 1.05, max_relative = 1e-14);
    assert_relative_eq!(rates[99], 0.1, max_relative = 1e-14);
}

#[test]
fn steps_before_the_decay_do_not_depend_on_how_many_there_are() {
    for schedule in [Schedule::default(), warmup_decay(Decay::Cosine, 0.0)] {
        let start = schedule.decay_start(1000).unwrap();
        for step in 0..start {
            let factor = |max_steps| schedule.factor(at(step, max_steps, 0));
            assert_eq!(factor(Some(1000)), factor(None), "step {step}");
            assert_eq!(factor(Some(1000)), factor(Some(5000)), "step {step}");
        }
    }
    assert_eq!(Schedule::Constant.decay_start(10), None);
}

#[test]
fn factors_stay_between_zero_and_one_wherever_training_is() {
    let edges = [0, 1, 2, 3, 10, 99, 100, 101, 1000, u64::MAX - 1, u64::MAX];
    let ramps = |warmup_steps, decay_fraction| Schedule::WarmupDecay {
        warmup_steps,
        decay_fraction,
        decay: Decay::Cosine,
        floor: 0.0,
    };
    let cosine = |warmup_steps| Schedule::Cosine {
        warmup_steps,
        floor: 0.0,
    };
    for warmup in edges {
        for schedule in [
            ramps(warmup, 0.25),
            ramps(warmup, 0.0),
            ramps(warmup, 1.0),
            cosine(warmup),
        ] {
            schedule.validate().unwrap();
            for step in edges {
                for max_steps in edges.map(Some).into_iter().chain([None]) {
                    let position = at(step, max_steps, step);
                    let factor = schedule.factor(position);
                    assert!(
                        (0.0..=1.0).contains(&factor),
                        "{schedule:?} {position:?}: {factor}"
                    );
                }
            }
        }
    }
}

#[test]
fn exponential_decay_is_that_of_char_rnn() {
    // char-rnn multiplies by 0.97 at the end of epoch 10 and of each one after it.
    let schedule: Schedule = "exponential".parse().unwrap();
    let mut expected = 0.002;
    for epoch in 0..50 {
        if epoch >= 10 {
            expected *= 0.97;
        }
        let rate = 0.002 * schedule.factor(at(epoch * 423, None, epoch));
        assert_relative_eq!(rate, expected, max_relative = 1e-13);
    }
}

#[test]
fn plateau_follows_pytorch() {
    let golden = golden();
    let cases = list(&golden["plateaus"]);
    assert_eq!(cases.len(), 3);
    for case in cases {
        let schedule = Schedule::Plateau {
            factor: number(&case["factor"]),
            patience: case["patience"].as_u64().unwrap(),
        };
        let mut state = PlateauState::default();
        let losses = numbers(&case["losses"]);
        for (loss, theirs) in losses.into_iter().zip(numbers(&case["rates"])) {
            schedule.observe(&mut state, loss);
            let position = Position {
                plateau_scale: state.scale,
                ..at(0, None, 0)
            };
            assert_relative_eq!(schedule.factor(position), theirs, max_relative = 1e-14);
        }
        state.validate().unwrap();
    }
}

#[test]
fn only_a_plateau_listens_to_losses() {
    for name in ["constant", "warmup-decay", "exponential", "cosine"] {
        let schedule: Schedule = name.parse().unwrap();
        let mut state = PlateauState::default();
        (0..100).for_each(|_| schedule.observe(&mut state, 1.0));
        assert_eq!(state, PlateauState::default());
    }
}

#[test]
fn patience_ends_after_evaluations_without_a_new_best() {
    let mut patience = Patience::new(3);
    let mut seen = Vec::new();
    for loss in [f64::NAN, 2.0, 2.0, 1.9, f64::NAN, 1.95, 1.8, 1.8, 1.9, 1.85] {
        patience.observe(loss);
        seen.push(patience.is_exhausted());
    }
    assert_eq!(seen, [[false; 9].as_slice(), &[true]].concat());
    assert_eq!(
        Patience::new(0).validate().unwrap_err().to_string(),
        "patience must be at least 1, got 0"
    );
}

#[test]
fn names_and_json_lead_back_to_the_schedule() {
    for schedule in Schedule::ALL {
        schedule.validate().unwrap();
        let name = schedule.to_string();
        assert_eq!(name.parse::<Schedule>().unwrap(), schedule);
        let json = serde_json::to_value(schedule).unwrap();
        assert_eq!(json["name"], name);
        assert_eq!(serde_json::from_value::<Schedule>(json).unwrap(), schedule);
    }
    assert_eq!(
        "step".parse::<Schedule>().unwrap_err().to_string(),
        r#"schedule must be one of constant, warmup-decay, exponential, cosine, plateau, got "step""#
    );
}

#[test]
fn settings_out_of_range_are_named() {
    let ramps = |decay_fraction, floor| Schedule::WarmupDecay {
        warmup_steps: 1,
        decay_fraction,
        decay: Decay::Linear,
        floor,
    };
    let exponential = |after_epoch, factor| Schedule::Exponential {
        after_epoch,
        factor,
    };
    let plateau = |factor| Schedule::Plateau {
        factor,
        patience: 1,
    };
    let cases = [
        (ramps(1.5, 0.0), "decay fraction must be in [0, 1], got 1.5"),
        (
            ramps(0.5, f64::NAN),
            "floor of the learning rate must be in [0, 1], got NaN",
        ),
        (exponential(0, 0.9), "decay epoch must be at least 1, got 0"),
        (
            exponential(1, 0.0),
            "decay per epoch must be in (0, 1], got 0",
        ),
        (plateau(1.0), "plateau factor must be in (0, 1), got 1"),
    ];
    for (schedule, message) in cases {
        assert_eq!(schedule.validate().unwrap_err().to_string(), message);
    }
    let state = PlateauState {
        scale: 1e300,
        ..PlateauState::default()
    };
    assert_eq!(
        state.validate().unwrap_err().to_string(),
        "plateau scale must be in [0, 1], got 1e300"
    );
}
