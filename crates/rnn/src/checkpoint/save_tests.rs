//! Whatever a save accepts, a load reads; what it refuses leaves the file as it was.

use std::path::Path;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::cell::CellKind;
use crate::config::{Init, NetworkConfig};
use crate::corpus::Corpus;
use crate::facts::TextFacts;
use crate::model::{Model, Training};
use crate::network::Network;
use crate::optimizer::{Clip, Decay, OptimizerConfig, Schedule};
use crate::trainer::{Record, TrainConfig, Trainer, recommended};
use crate::vocabulary::Vocabulary;

/// Any number that can be in a field, the odd ones often.
fn number() -> impl Strategy<Value = f64> {
    const ODD: [f64; 10] = [
        0.0,
        -0.0,
        0.5,
        1.0,
        -1.0,
        5e-324,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    prop_oneof![2 => 0.0..1.0, 1 => any::<f64>(), 1 => prop::sample::select(&ODD)]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 1..100_u64,
        1 => any::<u64>(),
        1 => prop::sample::select(&[0, 1 << 53, (1 << 53) + 1, u64::MAX]),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    (
        count(),
        option::of(number()),
        option::of(number()),
        number(),
    )
        .prop_map(
            |(step, train_loss, validation_loss, learning_rate)| Record {
                step,
                train_loss,
                validation_loss,
                learning_rate,
            },
        )
}

fn schedule() -> impl Strategy<Value = Schedule> {
    prop_oneof![
        Just(Schedule::Constant),
        (count(), number(), number()).prop_map(|(warmup_steps, decay_fraction, floor)| {
            Schedule::WarmupDecay {
                warmup_steps,
                decay_fraction,
                decay: Decay::Cosine,
                floor,
            }
        }),
        (count(), number()).prop_map(|(after_epoch, factor)| Schedule::Exponential {
            after_epoch,
            factor
        }),
        (number(), count()).prop_map(|(factor, patience)| Schedule::Plateau { factor, patience }),
    ]
}

fn config() -> impl Strategy<Value = TrainConfig> {
    let sizes = (
        count(),
        count(),
        option::of(count()),
        count(),
        option::of(count()),
    );
    let optimizer = (number(), number(), number(), number());
    (sizes, optimizer, number(), number(), schedule(), number()).prop_map(
        |(sizes, (beta1, beta2, eps, weight_decay), dropout, learning_rate, schedule, clip)| {
            let sound = TrainConfig::default();
            TrainConfig {
                batch_size: sizes.0 as usize,
                seq_length: sizes.1 as usize,
                max_steps: sizes.2,
                eval_every: sizes.3,
                patience: sizes.4,
                dropout,
                learning_rate,
                schedule,
                clip: Clip::Norm(clip),
                optimizer: OptimizerConfig::AdamW {
                    beta1,
                    beta2,
                    eps,
                    weight_decay,
                },
                ..sound
            }
        },
    )
}

/// Settings of which some are sound, so that others are reached.
fn some_config() -> impl Strategy<Value = TrainConfig> {
    prop_oneof![
        1 => config(),
        2 => Just(TrainConfig::default()),
        1 => (config(), any::<u8>()).prop_map(|(wild, which)| {
            let mut mixed = TrainConfig::default();
            match which % 6 {
                0 => mixed.dropout = wild.dropout,
                1 => mixed.learning_rate = wild.learning_rate,
                2 => mixed.schedule = wild.schedule,
                3 => mixed.clip = wild.clip,
                4 => mixed.optimizer = wild.optimizer,
                _ => mixed.max_steps = wild.max_steps,
            }
            mixed
        }),
    ]
}

fn model(training: Option<Training>, weight: f32) -> Model {
    let vocabulary = Vocabulary::from_text("ab\u{0}\"").expect("characters");
    let config = NetworkConfig {
        cell: CellKind::GRU,
        vocab_size: vocabulary.len(),
        hidden_size: 2,
        num_layers: 1,
    };
    let network = Network::new(config, &Init::default(), 1).expect("a small network");
    let mut parameters = network.parameters().clone();
    parameters.as_mut_slice()[3] = weight;
    Model::new(
        vocabulary,
        Network::from_parameters(config, parameters),
        training,
    )
}

/// Saves a model over another and asserts that the path holds a model still; true if it is the new one.
#[track_caller]
fn save_over(model: &Model) -> bool {
    // In memory, where hundreds of models are flushed at once.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let path = folder.as_ref().expect("a folder").path().join("m");
    self::model(None, 0.5).save(&path).expect("a sound model");
    let old = std::fs::read(&path).expect("a file");
    let is_saved = model.save(&path).is_ok();
    let now = std::fs::read(&path).expect("a file");
    Model::load(&path).expect("what was saved can be loaded");
    assert_eq!(now == model.to_bytes(), is_saved);
    assert!(is_saved || now == old);
    is_saved
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_model_that_can_be_saved_can_be_loaded(
        config in some_config(),
        best_step in option::of(count()),
        history in vec(record(), 0..4),
        weight in prop_oneof![4 => -1.0..1.0_f32, 1 => any::<f32>()],
    ) {
        save_over(&model(Some(Training { config, best_step, history }), weight));
    }

    #[test]
    fn a_run_that_can_be_saved_can_be_gone_on_with(
        config in some_config(),
        history in vec(record(), 0..3),
        split in vec(number(), 0..4),
        losses in (number(), count()),
        best in option::of((count(), number())),
        counters in (count(), count(), number()),
        weight in any::<f32>(),
    ) {
        let corpus = Corpus::from_text(&"abc ".repeat(40)).expect("a text");
        let mut advice = recommended(&TextFacts::prose(160, 4));
        advice.network.hidden_size = 2;
        advice.network.num_layers = 1;
        let trainer = Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train);
        let mut run = trainer.expect("sound settings").interrupt();
        // The state's shape follows from the batch.
        run.config = TrainConfig { batch_size: run.config.batch_size, ..config };
        run.split = split;
        run.progress.history = history;
        run.progress.losses = losses;
        run.progress.best = best;
        (run.progress.step, run.progress.epoch, run.progress.learning_rate) = counters;
        run.parameters.as_mut_slice()[1] = weight;
        run.best.as_mut().expect("a part is held out").as_mut_slice()[2] = weight;
        if let Ok(bytes) = run.into_bytes_for(Path::new("m.resume")) {
            Interrupted::from_bytes(&bytes).expect("what was saved can be read");
        }
    }
}

#[test]
fn a_history_beyond_the_room_of_a_file_is_refused_and_one_within_is_saved() {
    let config = TrainConfig::default();
    let training = |records: u64| {
        let record = |step| Record {
            step,
            train_loss: Some(1.5),
            validation_loss: Some(2.5),
            learning_rate: 0.1,
        };
        Some(Training {
            config,
            best_step: Some(1),
            history: (0..records).map(record).collect(),
        })
    };
    assert!(save_over(&model(training(100_000), 0.5)));
    assert!(!save_over(&model(training(300_000), 0.5)));
    let mut wild = training(1);
    wild.as_mut().expect("it is there").history[0].learning_rate = f64::NAN;
    assert!(!save_over(&model(wild, 0.5)));
}
