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
pub(crate) fn on_ranks<R: Send>(
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

pub(crate) fn options(threads: usize) -> RunOptions {
    RunOptions {
        threads,
        time: None,
    }
}

pub(crate) fn corpus(records: bool) -> Corpus {
    let mut builder = CorpusBuilder::new();
    if records {
        builder = builder.records();
    }
    builder.push_text(&text(1_500)).unwrap();
    builder.finish().unwrap()
}

/// Three epochs of a few windows, with four shards and all that depends on a row's place.
pub(crate) fn cases() -> [TrainConfig; 4] {
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

pub(crate) fn start(cell: CellKind, config: TrainConfig) -> Trainer<f32> {
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
