//! Several ranks, as threads of this process: the same bytes on any number of them.

use std::ops::ControlFlow;

use rnn::checkpoint::Interrupted;
use rnn::optimizer::{Clip, OptimizerConfig, Schedule};
use rnn::ranks::{Ranks, in_process};
use rnn::{
    CellKind, Corpus, CorpusBuilder, Error, Event, NetworkConfig, Outcome, RunOptions, TrainConfig,
    Trainer,
};

use crate::common::{assert_parameters_close, settings, text, trainer};

const RANKS: [usize; 3] = [1, 2, 4];

/// Runs `work` on so many ranks, each with a trainer of its own; what they return, in order.
fn on_ranks<R: Send>(
    count: usize,
    start: impl Fn(usize) -> Trainer<f32> + Sync,
    work: impl Fn(Trainer<f32>, Ranks) -> R + Sync,
) -> Vec<R> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = in_process(count)
            .into_iter()
            .map(|communicator| {
                let ranks = Ranks::new(communicator).unwrap();
                let (start, work) = (&start, &work);
                scope.spawn(move || work(start(ranks.rank()), ranks))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// What the first rank could save after each event and at the end, and each event.
type Told = (Vec<Vec<u8>>, Vec<Event>);

/// Trains on so many ranks; the rank and event in `stop` ask for the end.
fn train(
    count: usize,
    options: RunOptions,
    stop: Option<(usize, usize)>,
    start: impl Fn(usize) -> Trainer<f32> + Sync,
) -> (Told, Outcome) {
    let mut ends = on_ranks(count, start, |mut trainer, ranks| {
        let rank = ranks.rank();
        trainer.join(ranks).unwrap();
        let (mut files, mut events) = (Vec::new(), Vec::new());
        let outcome = trainer.run(&options, |trainer, event| {
            events.push(event);
            // Not after each: the others have to wait for the first as often as it asks.
            if trainer.is_first_rank() && events.len() % 3 != 1 {
                files.push(trainer.interrupt().into_bytes());
                files.push(trainer.current_model().to_bytes());
            }
            Ok::<_, Error>(match stop == Some((rank, events.len())) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        });
        if trainer.is_first_rank() {
            files.push(trainer.best_model().to_bytes());
            files.push(trainer.interrupt().into_bytes());
        } else {
            assert!(trainer.try_interrupt().is_err());
        }
        trainer.leave().unwrap();
        ((files, events), outcome.unwrap())
    });
    for ((_, events), outcome) in &ends {
        assert!(*events == ends[0].0.1 && *outcome == ends[0].1);
    }
    ends.swap_remove(0)
}

fn options(threads: usize) -> RunOptions {
    RunOptions {
        threads,
        time: None,
    }
}

fn corpus(records: bool) -> Corpus {
    let mut builder = CorpusBuilder::new();
    if records {
        builder = builder.records();
    }
    builder.push_text(&text(1_500)).unwrap();
    builder.finish().unwrap()
}

/// Three epochs of a few windows, with four shards and all that depends on a row's place.
fn cases() -> [TrainConfig; 4] {
    let plain = TrainConfig {
        shards: 4,
        dropout: 0.3,
        clip: Clip::Norm(0.5),
        eval_every: 4,
        ..settings(12, 30, 11)
    };
    [
        plain,
        TrainConfig {
            records: true,
            locked_dropout: true,
            weight_dropout: 0.3,
            optimizer: OptimizerConfig::ADAMW,
            ..plain
        },
        TrainConfig {
            horizon: Some(3),
            ..plain
        },
        TrainConfig {
            records: true,
            horizon: Some(1),
            ..plain
        },
    ]
}

fn start(cell: CellKind, config: TrainConfig) -> Trainer<f32> {
    let corpus = corpus(config.records);
    let network = NetworkConfig {
        cell,
        vocab_size: corpus.vocabulary().len(),
        hidden_size: 20,
        num_layers: 2,
    };
    Trainer::new(corpus, &[0.8, 0.2], network, config).unwrap()
}

#[test]
fn any_number_of_ranks_and_threads_gives_the_same_bytes() {
    for cell in CellKind::ALL {
        for config in cases() {
            let start = |_| start(cell, config);
            let alone = train(1, options(1), None, start);
            assert_eq!(alone.1, Outcome::Finished);
            for ranks in RANKS {
                for threads in [1, 2, 3] {
                    let several = train(ranks, options(threads), None, start);
                    assert!(
                        several == alone,
                        "{cell}, records {}, horizon {:?}: {ranks} ranks of {threads} threads",
                        config.records,
                        config.horizon
                    );
                }
            }
        }
    }
}

#[test]
fn held_out_text_of_several_groups_has_the_same_loss_on_any_number_of_ranks() {
    let start = |_| {
        trainer(
            &text(12_000),
            &[0.2, 0.8],
            (CellKind::GRU, 8, 1),
            cases()[0],
        )
    };
    let alone = train(1, options(1), None, start);
    for ranks in [2, 4] {
        assert!(
            train(ranks, options(1), None, start) == alone,
            "{ranks} ranks"
        );
    }
}

#[test]
fn the_gradient_of_four_shards_is_that_of_one_but_for_rounding() {
    for cell in CellKind::ALL {
        for mut config in cases().into_iter().filter(|config| !config.records) {
            config.max_steps = Some(2);
            config.optimizer = OptimizerConfig::SGD;
            let after = |shards| {
                let config = TrainConfig { shards, ..config };
                let mut trainer = trainer::<f64>(&text(1_500), &[1.0], (cell, 20, 2), config);
                crate::common::run(&mut trainer, 1);
                trainer
            };
            let (one, four) = (after(1), after(4));
            let what = format!("{cell}, horizon {:?}", config.horizon);
            let parameters = [&one, &four].map(|trainer| trainer.network().parameters());
            assert_parameters_close(&what, parameters[1], parameters[0], 1e-10, 1e-3);
        }
    }
}

#[test]
fn a_run_that_any_rank_stops_goes_on_with_any_number_of_ranks() {
    let config = cases()[1];
    let cell = CellKind::LSTM;
    let straight = train(1, options(1), None, |_| start(cell, config));
    let end = straight.0.0.last().unwrap();
    let mut events = 0;
    for (before, after, rank) in [(4, 2, 3), (2, 4, 1), (1, 4, 0), (4, 1, 0), (2, 1, 1)] {
        events += 2;
        let stop = Some((rank, events));
        let (stopped, outcome) = train(before, options(1), stop, |_| start(cell, config));
        assert_eq!((outcome, stopped.1.len()), (Outcome::Stopped, events));
        let file = stopped.0.last().unwrap();
        let going_on = train(after, options(1), None, |_| {
            let run = Interrupted::from_bytes(file).unwrap();
            Trainer::resume(corpus(true), run).unwrap()
        });
        assert!(going_on.0.0.last() == Some(end), "{before}, then {after}");
    }
}

#[test]
fn a_time_limit_fixes_the_same_steps_on_every_rank() {
    // The second knows when it decays before its first step, and so times one.
    let cosine = "cosine".parse().unwrap();
    for schedule in [Schedule::default(), cosine] {
        let config = TrainConfig {
            max_steps: None,
            schedule,
            ..cases()[0]
        };
        let options = RunOptions {
            threads: 1,
            time: Some(std::time::Duration::from_millis(60)),
        };
        let limited = train(4, options, None, |_| start(CellKind::GRU, config));
        let fixed = limited.0.1.iter().find_map(|event| match event {
            Event::StepsFixed { max_steps } => Some(*max_steps),
            _ => None,
        });
        let config = TrainConfig {
            max_steps: Some(fixed.expect("it is fixed")),
            ..config
        };
        let again = train(2, self::options(1), None, |_| start(CellKind::GRU, config));
        assert!(again.0.0.last() == limited.0.0.last(), "{schedule}");
    }
}

#[test]
fn every_rank_skips_goes_back_and_gives_up_at_the_same_step() {
    let config = TrainConfig {
        learning_rate: 1e30,
        clip: Clip::None,
        optimizer: OptimizerConfig::SGD,
        max_steps: Some(100),
        ..cases()[0]
    };
    let told = |count| {
        on_ranks(
            count,
            |_| start(CellKind::RNN_RELU, config),
            |mut trainer, ranks| {
                trainer.join(ranks).unwrap();
                let mut events = Vec::new();
                let error = trainer.run(&options(1), |_, event| {
                    events.push(format!("{event:?}"));
                    Ok::<_, Error>(ControlFlow::Continue(()))
                });
                (events, error.unwrap_err().to_string())
            },
        )
    };
    let alone = told(1);
    assert!(alone[0].0.iter().any(|event| event.contains("WentBack")));
    assert!(alone[0].1.contains("diverged"), "{}", alone[0].1);
    for count in [2, 4] {
        for rank in told(count) {
            assert_eq!(rank, alone[0]);
        }
    }
}

#[test]
fn a_callback_that_fails_ends_the_run_on_every_rank() {
    let ends = on_ranks(
        4,
        |_| start(CellKind::GRU, cases()[0]),
        |mut trainer, ranks| {
            let rank = ranks.rank();
            trainer.join(ranks).unwrap();
            let end = trainer.run(&options(1), |trainer, _| match trainer.step_count() {
                3 if rank == 2 => Err(Error::NoRecords),
                _ => Ok(ControlFlow::Continue(())),
            });
            (end.map_err(|error| error.to_string()), trainer.step_count())
        },
    );
    for (rank, (end, steps)) in ends.into_iter().enumerate() {
        assert_eq!(steps, 3);
        match rank {
            2 => assert!(end.is_err()),
            _ => assert_eq!(end, Ok(Outcome::Stopped)),
        }
    }
}

#[test]
fn a_rank_that_dies_is_an_error_of_the_others_and_no_hang() {
    let ends = on_ranks(
        2,
        |_| start(CellKind::GRU, cases()[0]),
        |mut trainer, ranks| {
            let rank = ranks.rank();
            trainer.join(ranks).unwrap();
            if rank == 1 {
                return None;
            }
            let report = |_: &Trainer<f32>, _| Ok::<_, Error>(ControlFlow::Continue(()));
            Some(trainer.run(&options(1), report))
        },
    );
    assert!(matches!(ends[0], Some(Err(Error::Rank { rank: 1, .. }))));
}

#[test]
fn ranks_that_differ_are_named() {
    let join = |count, start: &(dyn Fn(usize) -> Trainer<f32> + Sync)| {
        let joined = on_ranks(count, start, |mut trainer, ranks| trainer.join(ranks));
        let told = joined
            .into_iter()
            .map(|joined| joined.unwrap_err().to_string());
        let mut told: Vec<_> = told.collect();
        told.dedup();
        told
    };
    let config = cases()[0];
    let with = |config| start(CellKind::GRU, config);
    let text = |rank: usize| {
        let text = if rank == 2 { text(1_501) } else { text(1_500) };
        trainer(&text, &[0.8, 0.2], (CellKind::GRU, 20, 2), config)
    };
    let settings = |rank: usize| {
        let learning_rate = config.learning_rate * (1.0 + rank as f64);
        with(TrainConfig {
            learning_rate,
            ..config
        })
    };
    let model = |rank: usize| {
        let network = with(TrainConfig {
            seed: 1 + rank as u64,
            ..config
        })
        .network()
        .clone();
        Trainer::with_network(corpus(false), &[0.8, 0.2], network, config).unwrap()
    };
    for (start, told) in [
        (
            &text as &(dyn Fn(usize) -> Trainer<f32> + Sync),
            "rank 2 has another text",
        ),
        (&settings, "rank 1 has another network or other settings"),
        (&model, "rank 1 has another model to begin with"),
    ] {
        let told = format!("{told} than rank 0; give every rank the same");
        assert_eq!(join(4, start), [told]);
    }
    assert_eq!(
        join(8, &|_| with(config)),
        ["number of ranks must be at most the number of shards (--shards), got 8"]
    );
}

#[test]
fn a_batch_is_cut_into_equal_shards_and_shrinks_by_whole_rows_of_them() {
    let refused = |batch_size, shards| {
        let config = TrainConfig {
            shards,
            ..settings(batch_size, 4, 1)
        };
        config.validate().unwrap_err().to_string()
    };
    assert_eq!(
        refused(12, 3),
        "number of shards must be a power of two, got 3"
    );
    assert_eq!(
        refused(12, 0),
        "number of shards must be a power of two, got 0"
    );
    assert_eq!(
        refused(12, 8),
        "batch size must be a multiple of the number of shards (--shards), got 12"
    );
    let fitted = |characters, shards| {
        let config = TrainConfig {
            shards,
            ..settings(64, 8, 1)
        };
        let corpus = Corpus::from_text(&text(characters)).unwrap();
        config
            .fitted(&corpus, &[1.0])
            .map(|(config, _)| (config.batch_size, config.seq_length))
    };
    assert_eq!(fitted(121, 1).unwrap(), (15, 8));
    assert_eq!(fitted(121, 4).unwrap(), (12, 8));
    assert_eq!(fitted(13, 4).unwrap(), (4, 3));
    assert!(matches!(
        fitted(4, 4),
        Err(Error::TooShort { needed: 5, .. })
    ));
}

#[test]
fn one_shard_leaves_no_trace_in_a_file() {
    let written = |shards| {
        let config = TrainConfig {
            shards,
            ..settings(4, 8, 1)
        };
        serde_json::to_string(&config).unwrap()
    };
    assert!(!written(1).contains("shards"));
    assert!(written(2).contains("\"shards\":2"));
    let read: TrainConfig = serde_json::from_str(&written(1)).unwrap();
    assert_eq!(read.shards, 1);
}
