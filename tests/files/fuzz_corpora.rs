//! What fuzzing has found and started from, run again: every file of the corpora in
//! `crates/rnn/fuzz/corpus` goes through the function that is fuzzed.

#[allow(unreachable_pub, reason = "a crate of its own, for the fuzzer")]
#[path = "../../crates/rnn/fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::Path;

/// Runs every file of a corpus; returns how many there are.
fn run(name: &str, target: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let files = fs::read_dir(&folder).expect("a corpus");
    files
        .map(|file| {
            let path = file.expect("an entry").path();
            println!("{}", path.display());
            target(&fs::read(&path).expect("a file"));
        })
        .count()
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
