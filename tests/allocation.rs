//! After warm-up a training step allocates nothing, and nor does reading or writing a character.
//!
//! A program of its own, since the allocator that counts is the whole program's. It counts on the
//! threads at work alone: those of an earlier pool may allocate while they end.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rnn::optimizer::{Clip, OptimizerConfig};
use rnn::{
    CellKind, CorpusBuilder, Drawer, Error, Event, Id, Model, NetworkConfig, RunOptions,
    SampleOptions, Scorer, Session, TrainConfig, Trainer, Vocabulary,
};

use tensor::Matrix;

mod common;
use common::{network, settings, text, trainer};

/// The system's allocator, counted.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// Bytes in use, on whatever thread.
static HELD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread's allocations count.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    if WATCHED.get() {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: each function hands its arguments to `System` as they came and returns what that
// returns, so `System`'s own guarantees are ours. All that is added is counting, which neither
// unwinds nor allocates: its thread-local is a constant without destructor, so that reading it is
// a plain load at any time in a thread's life. The defaults of `alloc_zeroed` and `realloc` call
// `alloc`.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract, and `System.alloc` has the same one.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `memory` came from `alloc` above, hence from `System`, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

/// Begins or ends counting on this thread and on all of its pool. Each does a product first:
/// which thread does what in the steps is chance, so one might meet its first product, for which it
/// takes memory, late.
fn watch(on: bool) {
    let each = || {
        let (a, b) = (Matrix::<f32>::zeros(1024, 2), Matrix::zeros(1024, 256));
        tensor::matmul_tn(a.view(), b.view(), Matrix::zeros(2, 256).view_mut());
        WATCHED.set(on);
    };
    match rayon::current_thread_index() {
        Some(_) => drop(rayon::broadcast(|_| each())),
        None => each(),
    }
}

const WARM_UP: usize = 6;
const MEASURED: usize = 24;

/// Allocations from each report of a step to the next.
fn in_steps(cell: CellKind, num_layers: usize, config: TrainConfig, threads: usize) -> Vec<u64> {
    // 3000 characters are 7 windows of 12 steps for a batch of 33: the measured steps cross the
    // border between epochs, where the state is reset.
    let mut trainer = trainer::<f32>(&text(3_000), &[0.9, 0.1], (cell, 48, num_layers), config);
    let mut counts = Vec::with_capacity(WARM_UP + MEASURED);
    let report = |trainer: &mut Trainer<f32>, event: Event| {
        if trainer.step_count() == 1 {
            watch(true);
        }
        if let Event::Step(_) = event {
            counts.push(allocations());
        }
        if counts.len() == WARM_UP + MEASURED {
            watch(false);
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    };
    let options = RunOptions {
        threads,
        time: None,
    };
    trainer.run(&options, report).expect("training goes well");
    assert_eq!(counts.len(), WARM_UP + MEASURED);
    assert!(trainer.epoch() >= 3);
    counts.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn check_training() {
    let plain = TrainConfig {
        dropout: 0.2,
        ..settings(33, 12, (WARM_UP + MEASURED) as u64)
    };
    let short_horizon = TrainConfig {
        horizon: Some(3),
        optimizer: OptimizerConfig::RMSPROP,
        clip: Clip::Value(1.0),
        ..plain
    };
    for cell in CellKind::ALL {
        for num_layers in 1..=2 {
            for config in [plain, short_horizon] {
                for threads in 1..=2 {
                    let counts = in_steps(cell, num_layers, config, threads);
                    assert_eq!(
                        counts[WARM_UP - 1..],
                        [0; MEASURED],
                        "{cell}, {num_layers} layers, {threads} threads, horizon {:?}",
                        config.horizon
                    );
                }
            }
        }
    }
}

fn check_reading_and_writing(cell: CellKind) {
    let vocabulary = Vocabulary::from_text(&text(2_000)).expect("a text");
    let network = network::<f32>(cell, vocabulary.len(), 48, 2);
    let model = Model::new(vocabulary, network, None);

    let ids = model
        .vocabulary()
        .encode(&text(2_000))
        .expect("its own text");
    let mut scorer = Scorer::new(&model).expect("memory");
    scorer.push(&ids[..300]).unwrap();
    let before = allocations();
    scorer.push(&ids[300..]).unwrap();
    for id in ids.chunks(1).take(20) {
        scorer.push(id).unwrap();
    }
    assert_eq!(allocations() - before, 0, "{cell}: scoring");
    check_sessions(&model, &ids);

    for options in [
        SampleOptions::default(),
        SampleOptions::greedy(),
        SampleOptions {
            top_k: Some(5),
            top_p: Some(0.8),
            ..SampleOptions::default()
        },
    ] {
        for samples in [1, 3, 20] {
            let mut sampler = model
                .sample_batch("the ", samples, &options)
                .expect("known characters");
            sampler.next_characters().unwrap();
            let before = allocations();
            for _ in 0..50 {
                sampler.next_characters().unwrap();
            }
            let count = allocations() - before;
            assert_eq!(count, 0, "{cell}: {samples} samples with {options:?}");
        }
    }
}

/// Sessions step together and alone, are read to and drawn from.
fn check_sessions(model: &Model, ids: &[Id]) {
    let mut sessions = vec![Session::new(model).expect("memory"); 300];
    let options = SampleOptions {
        top_p: Some(0.8),
        ..SampleOptions::default()
    };
    let mut drawer = Drawer::new(&options).expect("sound options");
    let mut state = model.initial_state();
    let mut round = |count: usize| {
        let sessions = &mut sessions[..count];
        Session::step_all(sessions.iter_mut().zip(ids.iter().copied())).expect("memory");
        let session = &mut sessions[0];
        session.read(&ids[..100]).expect("sound weights");
        session.read_char('t').expect("a known character");
        session.probabilities().expect("sound weights");
        let id = drawer.draw(session.logits().expect("sound weights"));
        session.read(&[id]).expect("sound weights");
        drop(model.step('t', &mut state).expect("a known character"));
    };
    // Each has its probabilities made on first use.
    round(300);
    for count in [1, 7, 299, 300] {
        let before = allocations();
        round(count);
        // What `Model::step` returns.
        assert_eq!(allocations() - before, 1, "{count} sessions");
    }
}

/// A trainer holds as much as was said beforehand, but for what saving takes and for what is small.
fn check_sizes() {
    let symbols: String = (0x4e00..0x4e00 + 3_000)
        .filter_map(char::from_u32)
        .collect();
    let lines: Vec<&str> = text(9_000).leak().lines().collect();
    let both = format!("{}\n{symbols}\n", lines.join("\n"));
    for cell in CellKind::ALL {
        for (records, horizon, dropout) in [
            (false, None, 0.0),
            (true, None, 0.3),
            (false, Some(2), 0.3),
            (true, Some(1), 0.0),
        ] {
            let config = TrainConfig {
                records,
                horizon,
                dropout,
                ..settings(40, 8, 1)
            };
            let mut builder = CorpusBuilder::new().records();
            builder.push_text(&both).expect("a text");
            let corpus = builder.finish().expect("a text");
            let network = NetworkConfig {
                cell,
                vocab_size: corpus.vocabulary().len(),
                hidden_size: 20,
                num_layers: 2,
            };
            let before = HELD.load(Ordering::Relaxed);
            let trainer = Trainer::<f32>::new(corpus, &[0.5, 0.5], network, config).expect("sizes");
            let held = (HELD.load(Ordering::Relaxed) - before) as u128;
            let said = Trainer::<f32>::bytes(&network, trainer.config());
            let state = config.optimizer.state_names().len() as u128;
            let saving = 12 * rnn::Layout::count(&network) * (2 + state);
            let case =
                format!("{cell}, records {records}: {held} of {said} bytes, {saving} to save");
            assert!(held <= said - saving + (1 << 18), "{case}");
            assert!(4 * held >= said - saving, "{case}");
        }
    }
}

#[test]
fn steps_of_training_scoring_and_sampling_allocate_nothing() {
    watch(true);
    let before = allocations();
    drop(std::hint::black_box(vec![1u8]));
    assert!(allocations() > before, "the allocator is not counting");
    for cell in CellKind::ALL {
        check_reading_and_writing(cell);
    }
    watch(false);
    check_training();
    check_sizes();
}
