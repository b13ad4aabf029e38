//! Any schedule, any time, any step: what is fixed can be kept, and runs end.

use super::*;
use crate::checkpoint::Interrupted;
use crate::optimizer::{Decay, Position};
use crate::trainer::{Event, Outcome, RunOptions, Trainer, recommended};
use crate::{Corpus, Error};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::sync::mpsc::channel;

/// Any schedule, with settings from one end of their range to the other.
fn schedules() -> impl Strategy<Value = Schedule> {
    let share = || {
        prop_oneof![
            Just(0.0),
            Just(0.25),
            Just(1.0 - f64::EPSILON / 2.0),
            Just(1.0),
            0.0..=1.0
        ]
    };
    prop_oneof![
        Just(Schedule::Constant),
        (counts(), share(), share()).prop_map(|(warmup_steps, decay_fraction, floor)| {
            Schedule::WarmupDecay {
                warmup_steps,
                decay_fraction,
                decay: Decay::Linear,
                floor,
            }
        }),
        (counts(), share()).prop_map(|(warmup_steps, floor)| Schedule::Cosine {
            warmup_steps,
            floor
        }),
        counts().prop_map(|after| Schedule::Exponential {
            after_epoch: after.max(1),
            factor: 0.5
        }),
        counts().prop_map(|patience| Schedule::Plateau {
            factor: 0.5,
            patience
        }),
    ]
}

/// Small numbers and all others, the largest among them.
fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..200u64,
        any::<u64>(),
        Just(u64::MAX),
        (0..64u32).prop_map(|bit| 1 << bit)
    ]
}

fn times() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::MAX),
        (0..10_000_000u64).prop_map(Duration::from_micros),
        counts().prop_map(Duration::from_secs),
        counts().prop_map(Duration::from_nanos),
    ]
}

/// Whether steps before `step` are the same for `max_steps` as for an open number.
fn is_free(schedule: &Schedule, step: u64, max_steps: u64) -> bool {
    schedule
        .decay_start(max_steps)
        .is_none_or(|start| start >= step)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_fixed_lies_ahead_and_leaves_what_was_taken_as_it_was(
        schedule in schedules(),
        step in counts(),
        done in counts(),
        elapsed in times(),
        time in times(),
        (count, took) in (counts(), times()),
    ) {
        let clock = Clock { step, done: done.min(step), elapsed, time };
        clock.must_fix(&schedule);
        let steps = clock.steps(&schedule, count, took);
        prop_assert!(steps >= step.max(1));
        // Some number would do: then this one does.
        if is_free(&schedule, step, u64::MAX) {
            prop_assert!(is_free(&schedule, step, steps), "{steps}");
        }
    }

    /// A whole run with steps of any length: the number is fixed in time, and the rates are
    /// those of a run that knew it from the start.
    #[test]
    fn a_run_by_the_clock_has_the_rates_of_one_by_the_number(
        schedule in prop_oneof![
            schedules(),
            (0..20u64).prop_map(|warmup_steps| Schedule::Cosine { warmup_steps, floor: 0.1 }),
        ],
        first in 0..100u64,
        pace in 1..1000u64,
        time in 1..20_000u64,
    ) {
        let rate = |step, max_steps| {
            schedule.factor(Position { step, max_steps, epoch: 0, plateau_scale: 1.0 })
        };
        // Where a run was interrupted with its number open.
        let first = schedule.decay_start(u64::MAX).map_or(first, |last| first.min(last));
        let mut clock = Clock {
            step: first,
            done: 0,
            elapsed: Duration::ZERO,
            time: Duration::from_millis(time),
        };
        let mut rates = Vec::new();
        while !clock.must_fix(&schedule) {
            rates.push(rate(clock.step, None));
            clock.step += 1;
            clock.done += 1;
            clock.elapsed += Duration::from_millis(pace);
            prop_assert!(clock.done <= time / pace + 1, "the time is up");
        }
        let steps = clock.steps(&schedule, 1, Duration::from_millis(pace));
        for (step, open) in (first..).zip(rates) {
            prop_assert_eq!(open, rate(step, Some(steps)), "step {} of {}", step, steps);
        }
    }
}

#[test]
fn a_cosine_without_warmup_is_fixed_before_its_first_step() {
    let schedule = Schedule::Cosine {
        warmup_steps: 0,
        floor: 0.0,
    };
    let clock = Clock {
        step: 0,
        done: 0,
        elapsed: Duration::ZERO,
        time: Duration::from_secs(2),
    };
    assert!(clock.must_fix(&schedule));
    assert_eq!(clock.steps(&schedule, 1, Duration::from_millis(10)), 200);
    // What an interrupted run of an older release may have left: it goes on all the same.
    let late = Clock { step: 7, ..clock };
    assert!(late.must_fix(&schedule));
    assert_eq!(late.steps(&schedule, 1, Duration::from_millis(10)), 207);
}

#[test]
fn a_run_that_goes_on_ends_when_its_time_is_up_and_not_a_third_later() {
    let schedule = Schedule::default();
    // 300 steps in 30 of 60 seconds, then interrupted; 15 more bring the decay.
    let at = |done| Clock {
        step: 300 + done,
        done,
        elapsed: Duration::from_millis(100 * done),
        time: Duration::from_secs(30),
    };
    assert!(!at(0).must_fix(&schedule) && !at(149).must_fix(&schedule));
    assert!(at(150).must_fix(&schedule));
    assert_eq!(at(150).steps(&schedule, 150, at(150).elapsed), 600);
}

/// Far longer than any of these runs takes; for one that would never end.
const LIMIT: Duration = Duration::from_secs(120);

fn trainer(schedule: Schedule) -> Trainer<f32> {
    let corpus = corpus();
    let mut advice = recommended(&corpus.facts(false));
    advice.network.hidden_size = 4;
    (advice.train.batch_size, advice.train.seq_length) = (2, 8);
    (advice.train.schedule, advice.train.max_steps) = (schedule, None);
    advice.train.eval_every = 1000;
    Trainer::new(corpus, &[0.9, 0.1], advice.network, advice.train).expect("a trainer")
}

fn corpus() -> Corpus {
    Corpus::from_text(&"the quick brown fox jumps over the lazy dog. ".repeat(20)).expect("a text")
}

/// Runs for `time`, stopping after `stop` steps in all; the number that the steps were fixed to.
fn run(
    mut trainer: Trainer<f32>,
    time: Duration,
    stop: u64,
) -> (Trainer<f32>, Outcome, Option<u64>) {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let options = RunOptions {
            threads: 1,
            time: Some(time),
        };
        let mut fixed = None;
        let outcome = trainer.run(&options, |trainer, event| {
            if let Event::StepsFixed { max_steps } = event {
                fixed = Some(max_steps);
            }
            let is_there = trainer.step_count() >= stop;
            let flow = if is_there {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
            Ok::<_, Error>(flow)
        });
        // Nobody listens where the limit has passed.
        let _ = sender.send((trainer, outcome.expect("a run"), fixed));
    });
    receiver.recv_timeout(LIMIT).expect("the run ends")
}

fn resumed(run: Interrupted) -> Trainer<f32> {
    Trainer::resume(corpus(), run).expect("a run that goes on")
}

#[test]
fn a_cosine_by_the_clock_ends_with_the_bits_of_its_number_of_steps() {
    for warmup_steps in [0, 1, 7] {
        let schedule = Schedule::Cosine {
            warmup_steps,
            floor: 0.0,
        };
        let time = Duration::from_millis(20);
        let (clocked, outcome, fixed) = run(trainer(schedule), time, u64::MAX);
        assert_eq!(outcome, Outcome::Finished);
        let mut counted = trainer(schedule);
        counted.set_max_steps(fixed).expect("a number of steps");
        let (counted, _, _) = run(counted, time, u64::MAX);
        assert!(clocked.interrupt() == counted.interrupt(), "{fixed:?}");
    }
}

#[test]
fn a_cosine_stopped_at_the_end_of_its_warmup_goes_on_by_the_clock() {
    let schedule = Schedule::Cosine {
        warmup_steps: 3,
        floor: 0.0,
    };
    let hour = Duration::from_secs(3600);
    let (stopped, outcome, fixed) = run(trainer(schedule), hour, 3);
    assert_eq!((outcome, fixed), (Outcome::Stopped, None));
    let state = stopped.interrupt();
    let (clocked, outcome, fixed) =
        run(resumed(state.clone()), Duration::from_millis(20), u64::MAX);
    assert_eq!(outcome, Outcome::Finished);
    let mut counted = resumed(state);
    counted.set_max_steps(fixed).expect("a number of steps");
    let (counted, _, _) = run(counted, hour, u64::MAX);
    assert!(clocked.interrupt() == counted.interrupt(), "{fixed:?}");
}

#[test]
fn no_time_is_too_long() {
    let schedules = [
        "constant",
        "warmup-decay",
        "exponential",
        "cosine",
        "plateau",
    ];
    let open = Schedule::Cosine {
        warmup_steps: 0,
        floor: 0.0,
    };
    for schedule in schedules
        .map(|name| name.parse().expect("a schedule"))
        .into_iter()
        .chain([open])
    {
        for time in [
            Duration::MAX,
            Duration::from_secs(10_000_000_000_000_000_000),
        ] {
            let (trainer, outcome, _) = run(trainer(schedule), time, 150);
            assert_eq!((outcome, trainer.step_count()), (Outcome::Stopped, 150));
        }
        let (_, outcome, _) = run(trainer(schedule), Duration::ZERO, u64::MAX);
        assert_eq!(outcome, Outcome::Finished);
    }
}
