//! What fuzzing has found and started from, run again: every file of the corpora in
//! `crates/rnn/fuzz/corpus` goes through the function that is fuzzed. Then some thousands of sequences
//! of calls that chance makes, the same ones each time.

#[allow(unreachable_pub, reason = "a crate of its own, for the fuzzer")]
#[path = "../../crates/rnn/fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::hint::black_box;
use std::panic;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::{Rng, RngExt};
use tensor::random;

/// The files of a corpus.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let files = fs::read_dir(&folder).expect("a corpus");
    let mut files: Vec<_> = files
        .map(|file| {
            let path = file.expect("an entry").path();
            let content = fs::read(&path).expect("a file");
            (path.display().to_string(), content)
        })
        .collect();
    files.sort();
    files
}

/// Runs every file of a corpus; returns how many there are.
fn run(name: &str, target: fn(&[u8])) -> usize {
    let files = corpus(name);
    for (path, content) in &files {
        println!("{path}");
        target(content);
    }
    files.len()
}

#[test]
fn models_of_the_corpus_break_nothing() {
    assert!(run("model", fuzz::model) > 0);
}

#[test]
fn texts_of_the_corpus_break_nothing() {
    assert!(run("text", fuzz::text) > 0);
}

#[test]
fn options_of_the_corpus_break_nothing() {
    assert!(run("sampling", fuzz::sampling) > 0);
}

#[test]
fn calls_of_the_corpus_break_nothing() {
    assert!(run("calls", fuzz::calls) > 0);
}

/// A sequence of calls from a seed: one of the corpus with some bytes changed, or bytes of any kind.
fn sequence(seeds: &[(String, Vec<u8>)], seed: u64) -> Vec<u8> {
    let mut rng = random::rng(seed);
    let mut bytes = vec![0; rng.random_range(1..200)];
    rng.fill_bytes(&mut bytes);
    if !seeds.is_empty() && rng.random() {
        let parts = (0..2).flat_map(|_| seeds[rng.random_range(0..seeds.len())].1.clone());
        bytes = parts.collect();
        for _ in 0..rng.random_range(0..8) {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
        }
    }
    bytes
}

/// Makes the calls of the seeds from `first` on, for as long as `goes_on` says; returns how many there
/// were, and which seeds broke something.
fn call_at_random(first: u64, goes_on: impl Fn(u64) -> bool) -> (u64, Vec<u64>) {
    let seeds = corpus("calls");
    let (mut count, mut broken) = (0, Vec::new());
    while goes_on(count) {
        let seed = first + count;
        let bytes = sequence(&seeds, seed);
        if panic::catch_unwind(|| fuzz::calls(&bytes)).is_err() {
            println!("seed {seed}: {bytes:?}");
            broken.push(seed);
        }
        count += 1;
    }
    (count, broken)
}

#[test]
fn calls_by_chance_break_nothing() {
    assert_eq!(call_at_random(1, |count| count < 2000), (2000, vec![]));
}

/// For as many minutes as `FUZZ_MINUTES` says, other calls for each `FUZZ_SEED`.
#[test]
#[ignore = "takes ten minutes"]
fn many_more_calls_by_chance_break_nothing() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse().ok())
    };
    let time = Duration::from_secs(60 * number("FUZZ_MINUTES").unwrap_or(10));
    let (start, first) = (Instant::now(), number("FUZZ_SEED").unwrap_or(1 << 32));
    let (count, broken) = call_at_random(first, |_| start.elapsed() < time);
    println!("{count} sequences of calls");
    assert!(count > 0 && broken.is_empty(), "seeds {broken:?}");
}

/// A library that is built without these checks would make wrong sums in silence here.
#[test]
fn sums_that_overflow_are_noticed() {
    let sum = panic::catch_unwind(|| black_box(u8::MAX) + black_box(1));
    assert!(sum.is_err(), "built without overflow-checks");
    let wrong = panic::catch_unwind(|| debug_assert!(black_box(false)));
    assert!(wrong.is_err(), "built without debug-assertions");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("a manifest");
    let ours = read("../../Cargo.toml");
    let fuzzers = read("fuzz/Cargo.toml");
    for check in ["overflow-checks", "debug-assertions"] {
        let (on, off) = (format!("{check} = true"), format!("{check} = false"));
        assert!(!ours.contains(&off), "{off} in the workspace");
        assert!(
            fuzzers.lines().any(|line| line == on),
            "no {on} for the fuzzer"
        );
    }
}
