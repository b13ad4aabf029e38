//! A run that is interrupted after any event and goes on ends as one that never was.

use std::ops::ControlFlow;

use rnn::checkpoint::{Every, Interrupted, Keeper};
use rnn::optimizer::{Clip, OptimizerConfig, Schedule};
use rnn::{
    CellKind, Corpus, Error, Event, Model, Outcome, Recommended, RunOptions, Trainer, recommended,
};

const STEPS: u64 = 23;

fn corpus() -> Corpus {
    let text: String = (0..60)
        .map(|line| format!("{line}: she sells sea shells\n"))
        .collect();
    Corpus::from_text(&text).unwrap()
}

/// A small network, a few epochs of odd length, dropout, evaluations on the way and at the end.
fn advice(cell: CellKind) -> Recommended {
    let corpus = corpus();
    let mut advice = recommended(&corpus.facts(false));
    (
        advice.network.cell,
        advice.network.hidden_size,
        advice.network.num_layers,
    ) = (cell, 5, 2);
    (advice.train.batch_size, advice.train.seq_length) = (9, 14);
    (advice.train.max_steps, advice.train.eval_every) = (Some(STEPS), 5);
    advice.train.dropout = 0.2;
    advice
}

fn start(advice: Recommended, split: &[f64]) -> Trainer<f32> {
    Trainer::new(corpus(), split, advice.network, advice.train).unwrap()
}

fn finish(trainer: &mut Trainer<f32>) -> (Vec<u8>, Vec<u8>) {
    let go_on = |_: &mut Trainer<f32>, _| Ok::<_, Error>(ControlFlow::Continue(()));
    trainer.run(&RunOptions::default(), go_on).unwrap();
    (
        trainer.best_model().to_bytes(),
        trainer.interrupt().into_bytes(),
    )
}

/// Interrupts the run after each of its events in turn.
#[track_caller]
fn interruptions_change_nothing(advice: Recommended, split: &[f64]) -> Vec<Event> {
    interruptions_of(start(advice, split))
}

#[track_caller]
fn interruptions_of(mut straight: Trainer<f32>) -> Vec<Event> {
    let mut files = Vec::new();
    let mut events = Vec::new();
    files.push(straight.interrupt().into_bytes());
    let note = |trainer: &mut Trainer<f32>, event| {
        files.push(trainer.interrupt().into_bytes());
        events.push(event);
        Ok::<_, Error>(ControlFlow::Continue(()))
    };
    straight.run(&RunOptions::default(), note).unwrap();
    let expected = finish(&mut straight);
    for (at, file) in files.iter().enumerate() {
        let run = Interrupted::from_bytes(file).unwrap();
        let mut trainer = Trainer::resume(corpus(), run).unwrap();
        assert!(
            trainer.interrupt().into_bytes() == *file,
            "event {at} is not as it was saved"
        );
        assert!(
            finish(&mut trainer) == expected,
            "event {at} leads elsewhere"
        );
    }
    events
}

#[test]
fn any_interruption_of_any_cell_changes_nothing() {
    for cell in CellKind::ALL {
        let events = interruptions_change_nothing(advice(cell), &[0.9, 0.1]);
        let is_evaluation = |event: &&Event| matches!(event, Event::Evaluated { .. });
        assert_eq!(events.iter().filter(is_evaluation).count(), 5, "{cell}");
    }
}

#[test]
fn a_run_that_starts_with_a_model_evaluates_it_first_and_keeps_it_if_nothing_is_better() {
    let (mut advice, split) = (advice(CellKind::LSTM), [0.9, 0.1]);
    let mut before = start(advice, &split);
    finish(&mut before);
    let (_, loss) = before.best().unwrap();
    let model = before.best_model();
    let going_on = |advice: Recommended| {
        Trainer::with_network(corpus(), &split, model.network().clone(), advice.train).unwrap()
    };
    let events = interruptions_of(going_on(advice));
    let Event::Evaluated { record, improved } = events[0] else {
        panic!("{:?}", events[0])
    };
    assert!(improved && record.step == 0 && record.train_loss.is_none());
    assert_eq!(record.validation_loss, Some(loss));
    let mut better = going_on(advice);
    finish(&mut better);
    assert!(better.best().unwrap().0 > 0, "{:?}", better.history());

    advice.train.learning_rate = 1e3;
    let mut worse = going_on(advice);
    finish(&mut worse);
    assert_eq!(worse.best(), Some((0, loss)));
    assert!(worse.best_model().network() == model.network());

    // Without held-out text there is nothing to compare.
    let network = model.network().clone();
    let mut blind = Trainer::with_network(corpus(), &[1.0], network, advice.train).unwrap();
    finish(&mut blind);
    assert!(blind.history()[0].step > 0);
}

#[test]
fn any_interruption_of_any_optimiser_and_schedule_changes_nothing() {
    use OptimizerConfig as O;
    let schedules = [
        "constant",
        "warmup-decay",
        "exponential",
        "cosine",
        "plateau",
    ];
    let optimizers = [O::SGD, O::ADAGRAD, O::RMSPROP, O::ADAM, O::ADAMW];
    for (schedule, optimizer) in schedules.into_iter().zip(optimizers) {
        let mut advice = advice(CellKind::GRU);
        advice.train.schedule = schedule.parse().unwrap();
        advice.train.optimizer = optimizer;
        advice.train.patience = Some(3);
        for split in [&[0.9, 0.1][..], &[1.0]] {
            interruptions_change_nothing(advice, split);
        }
    }
}

#[test]
fn an_interruption_among_steps_that_are_not_finite_changes_nothing() {
    let mut advice = advice(CellKind::RNN_RELU);
    // Weights grow until they overflow; back at the best ones with half the rate, they do again.
    advice.train.optimizer = OptimizerConfig::SGD;
    advice.train.schedule = Schedule::Constant;
    advice.train.clip = Clip::None;
    advice.train.learning_rate = 1e20;
    advice.train.max_steps = Some(17);
    let events = interruptions_change_nothing(advice, &[0.9, 0.1]);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Skipped(_))),
        "{events:?}"
    );
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::WentBack { .. })),
        "{events:?}"
    );
}

#[test]
fn patience_that_is_spent_fixes_the_steps_so_that_the_rate_decays_to_the_last() {
    let mut advice = advice(CellKind::LSTM);
    advice.train.optimizer = OptimizerConfig::ADAM;
    // So high a rate that the loss soon rises, and so many steps that the decay would begin late.
    (advice.train.learning_rate, advice.train.schedule) = (0.3, Schedule::default());
    (advice.train.max_steps, advice.train.eval_every) = (Some(1000), 4);
    advice.train.dropout = 0.0;
    advice.train.patience = Some(2);
    let events = interruptions_change_nothing(advice, &[0.9, 0.1]);
    let fixed: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Settled { max_steps } => Some(*max_steps),
            _ => None,
        })
        .collect();
    let [max_steps] = fixed[..] else {
        panic!("fixed at {fixed:?}")
    };
    assert!(max_steps < 1000);
    let mut patient = start(advice, &[0.9, 0.1]);
    finish(&mut patient);
    assert_eq!(patient.config().max_steps, Some(max_steps));
    assert!(patient.history().last().unwrap().learning_rate < 0.01);
    // The same run as one that was told so from the start.
    (advice.train.patience, advice.train.max_steps) = (None, Some(max_steps));
    let mut told = start(advice, &[0.9, 0.1]);
    finish(&mut told);
    assert_eq!(told.network(), patient.network());
    assert_eq!(told.history(), patient.history());
}

#[test]
fn the_number_of_steps_can_change_until_the_rate_depends_on_it() {
    let mut advice = advice(CellKind::RNN);
    advice.train.schedule = "warmup-decay".parse().unwrap();
    let mut straight = start(advice, &[0.9, 0.1]);
    let expected = finish(&mut straight);
    // The last quarter of 23 steps: the rate falls from the 18th on.
    for (stop, is_free) in [(17, true), (18, false)] {
        let mut other = advice;
        other.train.max_steps = Some(60);
        let mut trainer = start(other, &[0.9, 0.1]);
        let stopped = trainer.run(&RunOptions::default(), |trainer, _| {
            let is_there = trainer.step_count() == stop;
            let flow = if is_there {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
            Ok::<_, Error>(flow)
        });
        assert_eq!(stopped.unwrap(), Outcome::Stopped);
        let changed = trainer.set_max_steps(Some(STEPS));
        assert_eq!(changed.is_ok(), is_free, "{stop}: {changed:?}");
        if is_free {
            assert!(finish(&mut trainer) == expected);
        }
        assert!(matches!(
            trainer.set_max_steps(Some(3)),
            Err(Error::StepsFixed { .. })
        ));
        assert!(matches!(
            trainer.set_max_steps(Some(0)),
            Err(Error::InvalidSetting { .. })
        ));
    }
}

#[test]
fn another_text_is_refused() {
    let run = start(advice(CellKind::RNN), &[0.9, 0.1]).interrupt();
    let text: String = (0..60)
        .rev()
        .map(|line| format!("{line}: she sells sea shells\n"))
        .collect();
    let other = Corpus::from_text(&text).unwrap();
    assert!(matches!(
        Trainer::resume(other, run),
        Err(Error::TextChanged)
    ));
}

/// Runs with a keeper until `stop` events have passed, as if killed then.
fn kept(path: &std::path::Path, every: Every, stop: usize) -> Result<bool, Error> {
    let mut keeper = Keeper::new(path, every)?;
    let mut trainer = match keeper.load()? {
        Some(run) => {
            let trainer = Trainer::resume(corpus(), run)?;
            keeper.repair(&trainer, false)?;
            trainer
        }
        None => {
            let trainer = start(advice(CellKind::LSTM), &[0.9, 0.1]);
            keeper.start(&trainer)?;
            trainer
        }
    };
    let mut passed = 0;
    let outcome = trainer.run(&RunOptions::default(), |trainer, event| {
        keeper.follow(trainer, &event)?;
        passed += 1;
        let flow = if passed == stop {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        };
        Ok::<_, Error>(flow)
    })?;
    if outcome == Outcome::Finished {
        keeper.finish(&trainer)?;
    }
    Ok(outcome == Outcome::Finished)
}

#[test]
fn a_kept_run_ends_with_the_same_file_however_often_it_dies() {
    // In memory, where hundreds of models are flushed at once.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.unwrap();
    let straight = folder.path().join("straight");
    assert!(kept(&straight, Every::default(), usize::MAX).unwrap());
    let expected = std::fs::read(&straight).unwrap();
    for every in [1, 2, 7] {
        // A life must be longer than the way to the next note, or nothing is ever gained.
        for life in [8, 9, 11] {
            let path = folder.path().join(format!("{every}-{life}"));
            let mut lives = 1;
            while !kept(&path, Every::Steps(every), life).unwrap() {
                // What the model holds at any time is a model.
                if path.exists() {
                    Model::load(&path).unwrap();
                }
                lives += 1;
                assert!(lives < 100, "every {every}, life {life}: no progress");
            }
            assert!(
                lives > 2 && std::fs::read(&path).unwrap() == expected,
                "{every}, {life}"
            );
        }
    }
}

#[test]
fn one_keeper_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let keeper = Keeper::new(&path, Every::default()).unwrap();
    assert!(matches!(
        Keeper::new(&path, Every::default()),
        Err(Error::Locked { .. })
    ));
    let model = start(advice(CellKind::RNN), &[0.9, 0.1]).best_model();
    assert!(matches!(model.save(&path), Err(Error::Locked { .. })));
    drop(keeper);
    model.save(&path).unwrap();
    Keeper::new(&path, Every::default()).unwrap();
}

#[test]
fn a_run_on_records_goes_on_in_any_epoch_and_in_the_middle_of_a_record() {
    let mut advice = advice(CellKind::GRU);
    advice.train.records = true;
    // Four batches an epoch, each of two windows.
    advice.train.batch_size = 14;
    let events = interruptions_change_nothing(advice, &[0.9, 0.1]);
    let evaluations = |event: &&Event| matches!(event, Event::Evaluated { .. });
    assert_eq!(events.iter().filter(evaluations).count(), 5);
}
