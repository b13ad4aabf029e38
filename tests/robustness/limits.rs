//! Limits that are reached, and a standard output that is closed or full: one clear line or a quiet
//! end, and no crash.
#![cfg(target_os = "linux")]

use crate::cli_support::{Folder, TINY};

#[test]
fn a_file_that_may_not_grow_so_large_is_told() {
    let folder = Folder::with_text();
    folder.train(&["text.txt", "-o", "m"]).ok();
    let old = folder.read("m");
    let run = folder.run_limited("ulimit -f 1", &["train", "text.txt", "-o", "m", "--force"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.stderr, "error: cannot save m.resume: file too large\n");
    assert!(folder.read("m") == old);
    assert_eq!(folder.names(), ["m", "m.resume", "text.txt"]);
}

#[test]
fn sizes_beyond_a_limit_of_memory_are_an_error_and_no_crash() {
    let folder = Folder::with_model();
    for args in [
        &["train", "text.txt", "-o", "n", "--hidden-size", "32768"][..],
        &[
            "train",
            "text.txt",
            "-o",
            "n",
            "--hidden-size",
            "4000",
            "--num-layers",
            "16",
        ],
        &["sample", "model.safetensors", "--samples", "1000000000"],
        &[
            "sample",
            "model.safetensors",
            "--samples",
            "18446744073709551615",
        ],
        &["demo", "--hidden", "32768"],
    ] {
        let run = folder.run_limited("ulimit -v 1500000", args);
        assert_eq!(
            (run.code, run.stderr.lines().count()),
            (Some(1), 1),
            "{args:?}: {run:?}"
        );
        assert!(
            run.stderr.starts_with("error: this needs "),
            "{}",
            run.stderr
        );
    }
    assert_eq!(
        folder.names(),
        ["model.safetensors", "model.safetensors.resume", "text.txt"]
    );
}

#[test]
fn a_closed_standard_output_ends_every_command_quietly() {
    let folder = Folder::with_model();
    for args in [
        &["sample", "model.safetensors", "-n", "1000000000"][..],
        &["score", "model.safetensors", "text.txt", "--per-char"],
        &["inspect", "model.safetensors"],
        &["completions", "bash"],
        &["demo", "--epochs", "1000000"],
        &["--help"],
        &[
            "train",
            "text.txt",
            "-o",
            "m",
            "--force",
            "--max-steps",
            "1000000",
            "--eval-every",
            "1",
        ],
    ] {
        for bytes in [0, 1, 40] {
            let run = folder.run_and_hang_up(args, bytes);
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}");
        }
    }
}

#[test]
fn a_standard_output_closed_at_any_stage_ends_every_command_quietly() {
    let folder = Folder::with_model();
    let steps = [
        "--max-steps",
        "12",
        "--eval-every",
        "1",
        "--hidden-size",
        "8",
    ];
    let train = |place: &[&'static str]| {
        [
            &["train", "text.txt", "--force", "--sample-every", "3"][..],
            place,
            &steps,
        ]
        .concat()
    };
    for args in [
        train(&["-o", "m"]),
        // The model itself.
        train(&["-o", "-"]),
        // It measures steps for a second where they are long.
        [&["train", "text.txt", "--dry-run"][..], &TINY].concat(),
        vec!["view", "model.safetensors", "text.txt", "--json"],
        vec!["view", "model.safetensors", "text.txt", "-o", "-"],
        vec!["score", "model.safetensors", "text.txt", "--per-line"],
        vec!["sample", "model.safetensors", "--samples", "9"],
        vec!["inspect", "model.safetensors", "--json"],
        vec!["check", "--cell", "rnn"],
        vec!["demo"],
    ] {
        let whole = folder.run(&args).ok();
        // After up to ten lines, and in the middle of others.
        let len = whole.stdout.len();
        let is_end = |at: &usize| whole.stdout[at - 1] == b'\n';
        let ends: Vec<usize> = (1..len).filter(is_end).collect();
        let ends = ends.iter().copied().step_by(1 + ends.len() / 10);
        for bytes in ends.chain((0..7).map(|seventh| seventh * len / 7)) {
            let run = folder.run_and_hang_up(&args, bytes);
            // Standard error may have said more than a hint by then, but no error and no panic.
            assert_eq!(
                run.code,
                Some(0),
                "{args:?} after {bytes} of {len}: {run:?}"
            );
            for word in ["error", "panicked", "warning"] {
                assert!(
                    !run.stderr.contains(word),
                    "{args:?} after {bytes}: {run:?}"
                );
            }
        }
    }
    folder.run(&["inspect", "m"]).ok();
}

#[test]
fn a_full_standard_output_is_told() {
    let folder = Folder::with_model();
    for args in [
        &["sample", "model.safetensors"][..],
        &["score", "model.safetensors", "text.txt"],
        &["inspect", "model.safetensors", "--json"],
        &["completions", "zsh"],
        &["demo"],
        &["--help"],
        &["--version"],
        &["check", "--cell", "rnn"],
        &[
            "train",
            "text.txt",
            "-o",
            "m",
            "--force",
            "--max-steps",
            "5",
            "--eval-every",
            "1",
        ],
    ] {
        let run = folder.run_limited("exec >/dev/full", args);
        let message = "error: cannot write standard output: no space left on device\n";
        assert_eq!(
            (run.code, run.stderr.as_str()),
            (Some(1), message),
            "{args:?}"
        );
    }
}
