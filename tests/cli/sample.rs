//! `sample`: what it writes, and that it writes the same again.

use crate::cli_support::{Folder, TINY};

#[test]
fn a_sample_has_the_length_asked_for_and_ends_its_line() {
    let folder = Folder::with_model();
    let text = folder
        .run(&[
            "sample",
            "model.safetensors",
            "--length",
            "40",
            "--prime",
            "line",
        ])
        .ok();
    let text = text.text();
    assert!(text.starts_with("line") && text.ends_with('\n'));
    let length = text.chars().count();
    // A text that ends in a newline of its own gets no other.
    assert!(
        length == 45 || length == 44 && text.ends_with('\n'),
        "{text:?}"
    );
}

#[test]
fn equal_seeds_write_equal_texts() {
    let folder = Folder::with_model();
    let sample = |seed| {
        folder
            .run(&["sample", "model.safetensors", "--seed", seed])
            .ok()
            .stdout
    };
    assert_eq!(sample("7"), sample("7"));
    assert_ne!(sample("7"), sample("8"));
}

#[test]
fn any_number_of_threads_writes_the_same_samples() {
    let folder = Folder::with_model();
    let sample = |threads| {
        let flags = ["--samples", "1500", "--length", "3", "--top-p", "0.9"];
        let all = [
            &["sample", "model.safetensors", "--threads", threads],
            &flags[..],
        ]
        .concat();
        folder.run(&all).ok().stdout
    };
    let one = sample("1");
    assert!(one == sample("2") && one == sample("5"));
}

#[test]
fn temperature_0_is_greedy() {
    let folder = Folder::with_model();
    let greedy = folder
        .run(&["sample", "model.safetensors", "--greedy"])
        .ok();
    let cold = folder
        .run(&[
            "sample",
            "model.safetensors",
            "--temperature",
            "0",
            "--seed",
            "9",
        ])
        .ok();
    let top = folder
        .run(&["sample", "model.safetensors", "--top-k", "1", "--seed", "9"])
        .ok();
    assert_eq!(greedy.stdout, cold.stdout);
    assert_eq!(greedy.stdout, top.stdout);
    assert_ne!(
        greedy.stdout,
        folder.run(&["sample", "model.safetensors"]).ok().stdout
    );
}

#[test]
fn each_of_several_samples_is_what_it_would_be_alone() {
    let folder = Folder::with_model();
    let sample = |samples| {
        let args = [
            "sample",
            "model.safetensors",
            "--length",
            "60",
            "--stop",
            "\n",
            "--samples",
            samples,
        ];
        String::from_utf8(folder.run(&args).ok().stdout).unwrap()
    };
    let (three, five) = (sample("3"), sample("5"));
    assert_eq!((three.lines().count(), five.lines().count()), (3, 5));
    assert!(five.starts_with(&three) && three.starts_with(&sample("1")));
}

#[test]
fn a_sample_ends_before_its_stop() {
    let folder = Folder::with_model();
    let free = folder
        .run(&["sample", "model.safetensors", "--length", "300"])
        .ok();
    let stop: String = free.text().chars().skip(100).take(3).collect();
    let stopped = folder
        .run(&[
            "sample",
            "model.safetensors",
            "--length",
            "300",
            "--stop",
            &stop,
        ])
        .ok();
    let (before, _) = free.text().split_once(&stop).unwrap();
    assert_eq!(
        stopped.text().strip_suffix('\n').unwrap(),
        before.strip_suffix('\n').unwrap_or(before)
    );
}

#[test]
fn a_model_comes_from_standard_input_too() {
    let folder = Folder::with_model();
    let piped = folder
        .run_with_input(&["sample", "-"], &folder.read("model.safetensors"))
        .ok();
    assert_eq!(
        piped.stdout,
        folder.run(&["sample", "model.safetensors"]).ok().stdout
    );
}

#[test]
fn a_model_of_bytes_writes_bytes() {
    let folder = Folder::new();
    let content: Vec<u8> = (0..3000u32)
        .map(|i| if i % 2 == 0 { 0xff } else { 0x80 })
        .collect();
    folder.write("binary", &content);
    let flags = ["--bytes", "--max-steps", "150", "--learning-rate", "0.05"];
    folder
        .run(
            &[
                &["train", "binary", "-o", "m"],
                &TINY[..4],
                &TINY[8..],
                flags.as_slice(),
            ]
            .concat(),
        )
        .ok();
    let run = folder
        .run(&["sample", "m", "--greedy", "--length", "6", "--prime", "a"])
        .ok();
    let pairs = [
        [0xff, 0x80, 0xff, 0x80, 0xff, 0x80],
        [0x80, 0xff, 0x80, 0xff, 0x80, 0xff],
    ];
    assert!(run.stdout.starts_with(b"a") && run.stdout.ends_with(b"\n"));
    assert!(
        pairs.iter().any(|pair| run.stdout[1..7] == *pair),
        "{:?}",
        run.stdout
    );
}

#[test]
fn a_closed_pipe_ends_sampling_quietly() {
    let folder = Folder::with_model();
    let run = folder.run_and_hang_up(&["sample", "model.safetensors", "-n", "100000000"], 100);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_is_told() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let folder = Folder::with_model();
    let output = folder
        .command(&["sample", "model.safetensors"])
        .stdout(full)
        .output()
        .unwrap();
    let message = "error: cannot write standard output: no space left on device\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), message);
    assert_eq!(output.status.code(), Some(1));
}
