//! Every command under limits of its address space, from the least that it starts with to what is enough.
//!
//! Here the standard library's words are never heard: what is needed is known before it is used.

use std::fs;

use super::{End, Start, commands, end};
use crate::cli_support::{Folder, Run};

/// Runs a command under a limit of its address space, in kilobytes.
fn limited(folder: &Folder, kilobytes: usize, args: &[&str]) -> Run {
    // A backtrace would be longer than the error.
    let limit = format!("export RUST_BACKTRACE=0; ulimit -v {kilobytes}");
    folder.run_limited(&limit, args)
}

/// The smallest limit, in kilobytes, under which the program starts at all; below it the system's loader
/// fails.
fn smallest(folder: &Folder) -> usize {
    let (mut fails, mut starts) = (1_000, 1_000_000);
    while fails + 16 < starts {
        let middle = usize::midpoint(fails, starts);
        let run = limited(folder, middle, &["--version"]);
        // What it says of a limit that leaves too little for more is a start as well.
        if run.code == Some(0) || run.stderr.starts_with("error: this needs ") {
            starts = middle;
        } else {
            fails = middle;
        }
    }
    starts
}

/// Runs a command under limits from the smallest up in steps, each `growth` times the last and at least
/// `step` kilobytes more, until it succeeds or there are `most`. Returns the last limit, and whether
/// that was enough.
fn sweep(
    start: &Start,
    name: &str,
    args: &[&str],
    (step, growth, most): (usize, f64, usize),
) -> (usize, bool) {
    let mut kilobytes = smallest(&start.folder(name));
    let mut runs = 0;
    loop {
        let folder = start.folder(name);
        let case = format!("{name}, {kilobytes} kB");
        let run = limited(&folder, kilobytes, args);
        let end = end(&run, &case);
        assert_ne!(end, End::Untold, "{case}: {}", run.stderr);
        start.check_files(&folder, &case);
        runs += 1;
        if end == End::Success || kilobytes >= most {
            println!("{name:<18} {runs} limits up to {kilobytes} kB: {end:?}");
            return (kilobytes, end == End::Success);
        }
        kilobytes = (kilobytes + step).max((kilobytes as f64 * growth) as usize);
    }
}

/// More than any command needs here.
const PLENTY: usize = 8_000_000;

#[test]
fn every_command_succeeds_or_tells_under_any_limit() {
    let start = Start::new();
    for (name, args) in commands() {
        let (_, is_enough) = sweep(&start, name, &args, (1_500, 1.1, PLENTY));
        assert!(is_enough, "{name}");
    }
}

/// Every character there is and one hidden unit, as PyTorch would save it.
fn all_characters() -> Vec<u8> {
    let characters: String = ('\0'..=char::MAX).collect();
    let count = characters.chars().count();
    let tensors = [
        ("linear.bias", vec![count]),
        ("linear.weight", vec![count, 1]),
        ("rnn.bias_hh_l0", vec![1]),
        ("rnn.bias_ih_l0", vec![1]),
        ("rnn.weight_hh_l0", vec![1, 1]),
        ("rnn.weight_ih_l0", vec![1, count]),
    ];
    let mut data: Vec<u8> = Vec::new();
    let mut header = serde_json::json!({ "__metadata__": { "vocabulary": characters } });
    for (name, shape) in tensors {
        let (begin, len) = (data.len(), shape.iter().product::<usize>());
        let values = (0..len).map(|at| (at % 1000) as f32 / 5000.0 - 0.1);
        data.extend(values.flat_map(f32::to_le_bytes));
        header[name] = serde_json::json!({
            "dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()],
        });
    }
    let header = header.to_string();
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &data].concat()
}

/// The same with a model of all characters in place of the trained one, and a text of a few.
fn huge() -> Start {
    let folder = Folder::new();
    let foreign = all_characters();
    folder.write("foreign.safetensors", &foreign);
    let import = ["import", "foreign.safetensors", "-o", "model"];
    folder.run(&import).ok();
    Start {
        files: vec![
            ("text.txt", b"a few words\n".repeat(3)),
            ("model", folder.read("model")),
            ("foreign.safetensors", foreign),
        ],
    }
}

/// What can be done with it.
const HUGE: [(&str, &[&str]); 8] = [
    ("score", &["score", "model", "text.txt"]),
    (
        "score --per-char",
        &["score", "model", "text.txt", "--per-char"],
    ),
    ("sample", &["sample", "model", "-n", "3"]),
    (
        "sample --prime",
        &[
            "sample",
            "model",
            "-n",
            "3",
            "--prime",
            "a few words, and a few more",
        ],
    ),
    ("inspect", &["inspect", "model"]),
    ("import", &["import", "foreign.safetensors", "-o", "out"]),
    (
        "train --init-from",
        &[
            "train",
            "text.txt",
            "-o",
            "out",
            "--init-from",
            "model",
            "--max-steps",
            "1",
        ],
    ),
    ("view", &["view", "model", "text.txt", "-o", "out"]),
];

#[test]
fn a_model_of_every_character_succeeds_or_tells_under_any_limit() {
    let start = huge();
    for (name, args) in HUGE {
        // What the page takes is known long before it is made, which takes its time.
        let most = if name == "view" { 450_000 } else { PLENTY };
        let (limit, is_enough) = sweep(&start, name, args, (10_000, 1.5, most));
        assert!(is_enough || name == "view", "{name}");
        // The whole of it in single and double precision is 40 MB; 256 steps of it would be 1.1 GB.
        let modest = ["score", "sample", "inspect", "import"];
        if modest.iter().any(|command| name.starts_with(command)) {
            assert!(limit < 400_000, "{name} took {limit} kB");
        }
    }
}

#[test]
#[ignore = "minutes"]
fn every_command_succeeds_or_tells_under_many_limits() {
    let start = Start::new();
    for (name, args) in commands() {
        assert!(sweep(&start, name, &args, (200, 1.0, PLENTY)).1, "{name}");
    }
    let start = huge();
    for (name, args) in HUGE {
        assert!(sweep(&start, name, args, (1_000, 1.01, PLENTY)).1, "{name}");
    }
}

/// A text with so many distinct characters that a window of it fills memory.
fn distinct(count: u32) -> String {
    let all = (0x4e00..).filter_map(char::from_u32).take(count as usize);
    let mut text = String::new();
    for (at, character) in all.enumerate() {
        text.push(character);
        if at % 40 == 39 {
            text.push('\n');
        }
    }
    text
}

#[test]
fn a_thousand_lines_of_distinct_characters_are_learned_or_refused() {
    let start = Start {
        files: vec![("text.txt", distinct(20_000).into_bytes())],
    };
    let flags = [
        "--hidden-size",
        "8",
        "--num-layers",
        "1",
        "--max-steps",
        "2",
    ];
    for first in [&["--records"][..], &[]] {
        let fixed = ["train", "text.txt", "-o", "out", "--batch-size", "2"];
        let args = [&fixed[..], &["--seq-length", "4"], &flags, first].concat();
        // Each thread takes some tens of megabytes of addresses, more or less by chance, and there are as
        // many as processors.
        let alone = [&args[..], &["--threads", "1"]].concat();
        let (limit, is_enough) = sweep(&start, "train", &alone, (6_000, 1.1, PLENTY));
        // 64 rows of 64 steps would be 330 MB.
        assert!(is_enough && limit < 250_000, "{limit} kB");
        // What threads leave may not be enough to save in: then that is told before anything is learned.
        for kilobytes in (200_000..300_000).step_by(25_000) {
            let run = limited(&start.folder("train"), kilobytes, &args);
            let case = format!("{kilobytes} kB: {run:?}");
            assert_ne!(end(&run, &case), End::Untold, "{case}");
            assert!(!run.stderr.contains("training continues"), "{case}");
        }
    }
}

#[test]
fn a_text_that_is_larger_than_memory_is_told() {
    let folder = Folder::with_model();
    let text = fs::File::create(folder.path("large.txt")).expect("a file");
    // Zeros that take no room on a disk.
    text.set_len(300 << 20).expect("a length");
    for args in [
        &["train", "large.txt", "-o", "out", "--bytes"][..],
        &["train", "large.txt", "-o", "out"],
        &[
            "score",
            "model.safetensors",
            "large.txt",
            "--unknown",
            "skip",
        ],
    ] {
        let run = limited(&folder, 100_000, args);
        assert_eq!(run.code, Some(1), "{args:?}: {run:?}");
        if args[0] == "train" {
            let said = "error: cannot read large.txt: this needs ";
            assert!(run.stderr.starts_with(said), "{args:?}: {}", run.stderr);
        }
        assert_eq!(run.stderr.lines().count(), 1, "{args:?}: {}", run.stderr);
    }
}
