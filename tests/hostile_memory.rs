//! Reading a hostile file takes at most twice its size and 64 MB of memory.
//!
//! JSON is the danger: `[0,0,0,…` takes sixteen times its size as a tree. One test alone in this
//! file, since the allocator counts for the whole process.

mod hostile_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use hostile_support::{File, refusal, with_header};
use rnn::checkpoint::{self, Interrupted};
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

/// A name, and a way to read a stranger's file that must fail and says why.
type Reader = (&'static str, fn(&[u8]) -> String);

/// All of them.
const READERS: [Reader; 4] = [
    ("model", |bytes| refusal(bytes)),
    ("run", |bytes| failure(Interrupted::from_bytes(bytes))),
    ("import", |bytes| {
        failure(checkpoint::import(bytes, None, false))
    }),
    ("import with characters", |bytes| {
        failure(checkpoint::import(bytes, Some("ab"), false))
    }),
];

fn failure<T>(result: rnn::Result<T>) -> String {
    match result {
        Ok(_) => panic!("a forged file was taken for a sound one"),
        Err(error) => error.to_string(),
    }
}

/// Reads a file as a stranger's in every way, and checks what each took. The file's own bytes count,
/// as they do when it is read from a disk.
fn check(case: &str, bytes: Vec<u8>) {
    let bytes = bytes.into_boxed_slice();
    for (name, read) in READERS {
        measure(&format!("{case} as {name}"), &bytes, read);
    }
}

fn measure(case: &str, bytes: &[u8], read: fn(&[u8]) -> String) {
    let before = NOW.load(Relaxed) - bytes.len();
    MOST.store(NOW.load(Relaxed), Relaxed);
    let start = Instant::now();
    let what = read(bytes);
    let (seconds, most) = (start.elapsed().as_secs_f64(), MOST.load(Relaxed) - before);
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    println!(
        "{case}: file {:.1} MB, memory {:.1} MB, {seconds:.3} s: {what}",
        megabytes(bytes.len()),
        megabytes(most)
    );
    let limit = 2 * bytes.len() + SLACK;
    assert!(what.len() < 500, "{case}: {} bytes of words", what.len());
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

/// A character that no font has, so that quoting escapes it.
const WIDE: &str = "\u{10fffd}";

/// Two tensors of what might be a network of PyTorch's, with the data of [`DATA`].
const ALMOST: &str = r#""weight_hh_l0":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},
    "weight_ih_l0":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]}"#;
const DATA: [u8; 12] = [0; 12];
/// A tensor of nothing behind them.
const NOTHING: &str = r#"{"dtype":"F32","shape":[0],"data_offsets":[12,12]}"#;

/// Other tensors beside these, whose names fill the header.
fn many_others(len: usize) -> Vec<u8> {
    let name = WIDE.repeat(len / 8_200);
    let others: String = (0..1_900)
        .map(|number| format!(",\"{name}{number}\":{NOTHING}"))
        .collect();
    with_header(&format!("{{{ALMOST}{others}}}"), &DATA)
}

/// A vocabulary of its own that fills the header.
fn with_vocabulary(len: usize) -> Vec<u8> {
    let vocabulary = "v".repeat(len - 1000);
    let linear = format!("\"z.bias\":{NOTHING},\"z.weight\":{NOTHING}");
    let text = format!(r#"{{"__metadata__":{{"vocabulary":"{vocabulary}"}},{ALMOST},{linear}}}"#);
    with_header(&text, &DATA)
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
        cell: CellKind::RNN,
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
        // Quoting makes ten bytes of these four.
        let gap = "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}";
        check("a name to quote", header("{\"", WIDE, gap, len));
        check(
            "a field to quote",
            header("{\"a\":{\"", WIDE, "\":1}}", len),
        );
        check(
            "a type to quote",
            header("{\"a\":{\"dtype\":\"", WIDE, "\"}}", len),
        );
        check("a tensor to quote", header("{\"a\":\"", WIDE, "\"}", len));
        check(
            "metadata to quote",
            header("{\"__metadata__\":\"", WIDE, "\"}", len),
        );
        let deeper = "{\"__metadata__\":{\"rnn\":[\"";
        check(
            "metadata to quote, deeper",
            header(deeper, WIDE, "\"]}}", len),
        );
        check("many names to quote", many_others(len));
        check("a vocabulary of its own", with_vocabulary(len));
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
    let cell = |text: &str| with("architecture", json!({ "cell": text.repeat(7 << 18) }));
    check("a cell to quote", cell(WIDE));
    check("a cell to quote, of control characters", cell("\u{1}"));
    let deep = format!("{{\"characters\":{}", "[".repeat(1 << 20));
    check("a long version", with("format", json!(deep)));
    check("one weight that is none", large_with_nan());
}
