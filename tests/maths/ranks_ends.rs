//! Several ranks that end before the end, all at the same step, and ranks that are refused.

use std::ops::ControlFlow;

use rnn::optimizer::{Clip, OptimizerConfig};
use rnn::{CellKind, Corpus, Error, Outcome, TrainConfig, Trainer};

use crate::common::{settings, text, trainer};
use crate::ranks::{cases, corpus, on_ranks, options, start};

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
            let report = |_: &mut Trainer<f32>, _| Ok::<_, Error>(ControlFlow::Continue(()));
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
