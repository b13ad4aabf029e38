//! Reading a hostile file takes at most twice its size and 64 MB of memory.
//!
//! JSON is the danger: `[0,0,0,…` takes sixteen times its size as a tree. One test alone in this
//! file, since the allocator counts for the whole process.

mod hostile_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use hostile_support::{File, refusal, with_header};
use rnn::{CellKind, Model, Network, NetworkConfig, Parameters, Vocabulary};
use serde_json::json;

/// The system's allocator, and how much it has given out, now and at most.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator with the arguments it came with, and what that
// returns is returned; counting touches atomics alone and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(now, Relaxed);
        // SAFETY: our caller keeps the contract of `alloc`, which is the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: `pointer` came from `alloc` above, so from the system, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes above twice the file that reading one may take.
const SLACK: usize = 64 << 20;

/// Reads a file as a stranger's, which must fail, and checks what that took. The file's own bytes
/// count, as they do when it is read from a disk.
fn check(case: &str, bytes: Vec<u8>) {
    let bytes = bytes.into_boxed_slice();
    let before = NOW.load(Relaxed) - bytes.len();
    MOST.store(NOW.load(Relaxed), Relaxed);
    let start = Instant::now();
    let what = refusal(&bytes);
    let (seconds, most) = (start.elapsed().as_secs_f64(), MOST.load(Relaxed) - before);
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    println!(
        "{case}: file {:.1} MB, memory {:.1} MB, {seconds:.3} s: {what}",
        megabytes(bytes.len()),
        megabytes(most)
    );
    let limit = 2 * bytes.len() + SLACK;
    assert!(
        most <= limit,
        "{case}: {most} bytes of memory, expected at most {limit}"
    );
}

/// A header of `len` bytes: `piece` again and again between `start` and `end`.
fn header(start: &str, piece: &str, end: &str, len: usize) -> Vec<u8> {
    let count = (len - start.len() - end.len()) / piece.len();
    with_header(&format!("{start}{}{end}", piece.repeat(count)), b"")
}

/// The same with a running number in place of every `@`.
fn numbered(start: &str, piece: &str, end: &str, len: usize) -> Vec<u8> {
    let mut text = start.to_owned();
    for number in 0.. {
        if text.len() + piece.len() + end.len() + 8 > len {
            break;
        }
        text.push_str(&piece.replace('@', &format!("{number:x}")));
    }
    with_header(&(text + end), b"")
}

/// A sealed model with so many records in its history, the last of which is none.
fn with_records(count: usize) -> Vec<u8> {
    let mut file = File::small();
    let history = &mut file.description["training"]["history"];
    let record = history[0].clone();
    *history = (0..count).map(|_| record.clone()).collect();
    history[count - 1]["step"] = json!(-1);
    file.sealed()
}

/// A sealed model whose vocabulary or whose story is this.
fn with(field: &str, value: serde_json::Value) -> Vec<u8> {
    let mut file = File::small();
    file.description.insert(field.into(), value);
    file.sealed()
}

/// A model of one great matrix, whose last weight is none.
fn large_with_nan() -> Vec<u8> {
    let vocabulary = Vocabulary::from_text("ab").expect("characters");
    let config = NetworkConfig {
        cell: CellKind::Rnn,
        vocab_size: 2,
        hidden_size: 4000,
        num_layers: 1,
    };
    let mut parameters = Parameters::zeros(&config);
    *parameters.as_mut_slice().last_mut().expect("weights") = f32::NAN;
    Model::new(
        vocabulary,
        Network::from_parameters(config, parameters),
        None,
    )
    .to_bytes()
}

#[test]
fn memory_stays_below_twice_the_file_and_64_megabytes() {
    const FULL: usize = 32 << 20;
    for len in [4 << 20, FULL] {
        let tensor = r#""@":{"dtype":"F32","shape":[],"data_offsets":[0,0]},"#;
        check("many tensors", numbered("{", tensor, "\"z\":0}", len));
        check(
            "many metadata",
            numbered("{\"__metadata__\":{", "\"@\":\"\",", "\"z\":\"\"}}", len),
        );
        check("one long name", header("{\"", "n", "\":{}}", len));
        check("one long list", header("{\"a\":[", "0,", "0]}", len));
        check("white space", header("{", " ", "}", len));
        check("deep", header("{\"a\":", "[", "", len));
        let (start, end) = ("{\"__metadata__\":{\"rnn\":\"", "\"}}");
        check(
            "list in the description",
            header(&format!("{start}["), "0,", end, len),
        );
        check(
            "fields in the description",
            numbered(&format!("{start}{{"), "\\\"@\\\":0,", end, len),
        );
        check("text in the description", header(start, "n", end, len));
        check(
            "deep description",
            header(&format!("{start}{{\\\"a\\\":"), "[", end, len),
        );
    }
    for len in [FULL + 8, 100_000_000, 110_000_000] {
        check("a header too long", header("{\"a\":[", "0,", "0]}", len));
    }
    for count in [1_000, 180_000] {
        check("long history", with_records(count));
    }
    let zeros: Vec<u8> = vec![0; 999_000];
    check(
        "a story of numbers",
        with("training", json!({ "history": zeros })),
    );
    check(
        "a vocabulary of numbers",
        with("vocabulary", json!({ "characters": zeros })),
    );
    let text = "\u{10ffff}".repeat(4 << 20);
    check(
        "a long vocabulary",
        with("vocabulary", json!({ "characters": text })),
    );
    let deep = format!("{{\"characters\":{}", "[".repeat(1 << 20));
    check("a long version", with("format", json!(deep)));
    check("one weight that is none", large_with_nan());
}
