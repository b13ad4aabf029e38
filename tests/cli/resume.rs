//! `train --resume`: what it takes, what it refuses, and the files that it goes on with.

use std::fs;

use crate::cli_support::{Folder, Run, TINY};

/// A folder with a text and `m`, the model of a finished run.
fn finished() -> Folder {
    let folder = Folder::with_text();
    folder
        .train(&["text.txt", "-o", "m", "--schedule", "constant"])
        .ok();
    folder
}

/// `train text.txt --resume m` with these flags.
fn resume(folder: &Folder, flags: &[&str]) -> Run {
    folder.run(&[&["train", "text.txt", "--resume", "m"], flags].concat())
}

#[test]
fn what_was_typed_must_be_what_the_run_is() {
    let folder = finished();
    let before = (folder.read("m"), folder.read("m.resume"));
    for (flags, message) in [
        (
            "--hidden-size 256",
            "hidden-size is 16 in m.resume, 256 was asked",
        ),
        ("--num-layers 2", "num-layers is 1 in m.resume, 2 was asked"),
        ("--model gru", "model is lstm in m.resume, gru was asked"),
        (
            "--dropout 0.25",
            "dropout is 0.5 in m.resume, 0.25 was asked",
        ),
        ("--batch-size 5", "batch-size is 4 in m.resume, 5 was asked"),
        (
            "--seq-length 8",
            "seq-length is 16 in m.resume, 8 was asked",
        ),
        ("--horizon 8", "horizon is not set in m.resume, 8 was asked"),
        (
            "--optimizer sgd",
            "optimizer is adam in m.resume, sgd was asked",
        ),
        (
            "--learning-rate 0.1",
            "learning-rate is 0.004 in m.resume, 0.1 was asked",
        ),
        (
            "--schedule cosine",
            "schedule is constant in m.resume, cosine was asked",
        ),
        (
            "--clip 1",
            "clip is norm 5.0 in m.resume, norm 1.0 was asked",
        ),
        (
            "--clip-value 5",
            "clip is norm 5.0 in m.resume, value 5.0 was asked",
        ),
        (
            "--eval-every 3",
            "eval-every is 10 in m.resume, 3 was asked",
        ),
        (
            "--patience 3",
            "patience is not set in m.resume, 3 was asked",
        ),
        ("--seed 2", "seed is 1 in m.resume, 2 was asked"),
        (
            "--orthogonal",
            "orthogonal is off in m.resume, on was asked",
        ),
        (
            "--split 0.8,0.2",
            "split is 0.9,0.1 in m.resume, 0.8,0.2 was asked",
        ),
        ("--bytes", "bytes is off in m.resume, on was asked"),
        (
            "--max-steps 19",
            "--max-steps: 20 steps are done, expected at least as many in all, got 19",
        ),
    ] {
        let flags: Vec<&str> = flags.split(' ').collect();
        resume(&folder, &flags).fails(1, message);
    }
    assert!(before == (folder.read("m"), folder.read("m.resume")));
    assert_eq!(folder.names(), ["m", "m.resume", "text.txt"]);
}

#[test]
fn the_flags_of_the_first_command_may_be_typed_again() {
    let folder = finished();
    let again = [&["--schedule", "constant"], TINY.as_slice()].concat();
    let run = resume(&folder, &again).ok();
    let told = "the run was finished: all of its 20 steps were done";
    assert!(run.stderr.starts_with(told), "{}", run.stderr);
    // Also where the text was too short for them.
    folder.write("text.txt", "abcabcabcabcabcabcabcabc");
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
    resume(&folder, &TINY).ok();
}

#[test]
fn the_number_of_steps_is_fixed_once_the_rate_falls_towards_it() {
    let folder = Folder::with_text();
    folder.train(&["text.txt", "-o", "m"]).ok();
    let message = "--max-steps: the number of steps is 20, 30 was asked: after 20 steps the \
                   learning rate has begun to fall, so the number can no longer change";
    resume(&folder, &["--max-steps", "30"]).fails(1, message);
    let message = "--time: the number of steps is 20, a time limit was asked: after 20 steps the \
                   learning rate has begun to fall, so the number can no longer change";
    resume(&folder, &["--time", "1s"]).fails(1, message);
}

#[test]
fn a_text_that_changed_is_refused() {
    let folder = finished();
    let message = "cannot use text.txt: the text has changed since the run began, expected the \
                   same characters in the same order";
    let text = crate::cli_support::text();
    for changed in [
        text.replacen("00", "01", 1),
        format!("{text}é"),
        text[1..].to_owned(),
    ] {
        folder.write("text.txt", changed);
        resume(&folder, &["--max-steps", "30"]).fails(1, message);
    }
    // Another name and other pieces are the same text.
    folder.write("a", &text[..1000]);
    folder.write("b", &text[1000..]);
    folder
        .run(&[
            "train",
            "a",
            "b",
            "--resume",
            "m.resume",
            "--max-steps",
            "30",
        ])
        .ok();
}

#[test]
fn without_a_run_there_is_nothing_to_go_on_with() {
    let folder = Folder::with_text();
    let message = "cannot read m.resume: no such file, expected what train leaves beside a model";
    resume(&folder, &[]).fails(1, message);
    folder.train(&["text.txt", "-o", "m"]).ok();
    let whole = folder.read("m.resume");
    folder.write("m.resume", &whole[..whole.len() - 1]);
    let run = resume(&folder, &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr
            .starts_with("error: cannot read m.resume: not a model of this program: "),
        "{}",
        run.stderr
    );
    folder
        .run(&["train", "text.txt", "--resume", "m", "-o", "n"])
        .fails(
            2,
            "the argument '--resume <MODEL>' cannot be used with '--output <MODEL>'",
        );
}

#[test]
fn a_model_that_is_missing_damaged_or_older_is_written_anew() {
    let folder = Folder::with_text();
    let train = |out, steps| {
        folder
            .train(&["text.txt", out, "m", "--schedule", "constant", "--force"])
            .ok();
        let more = ["train", "text.txt", "--resume", "m", "--max-steps", steps];
        folder.run(&more).ok();
        folder.read("m")
    };
    let older = train("-o", "30");
    let newer = train("-o", "60");
    for old in [
        None,
        Some(Vec::new()),
        Some(vec![0; newer.len()]),
        Some(newer[..100].to_vec()),
        Some(older),
    ] {
        match old {
            None => fs::remove_file(folder.path("m")).unwrap(),
            Some(bytes) => folder.write("m", bytes),
        }
        resume(&folder, &[]).ok();
        assert!(folder.read("m") == newer);
    }
}

#[test]
fn the_model_of_another_run_is_not_overwritten() {
    let folder = finished();
    folder
        .train(&["text.txt", "-o", "other", "--seed", "2"])
        .ok();
    fs::copy(folder.path("other"), folder.path("m")).unwrap();
    let message = "m holds the model of another run, expected that of the run to go on with, or \
                   none; --force overwrites it";
    resume(&folder, &["--max-steps", "30"]).fails(1, message);
    assert!(folder.read("m") == folder.read("other"));
    resume(&folder, &["--max-steps", "30", "--force"]).ok();
    assert!(folder.read("m") != folder.read("other"));
}

#[test]
fn what_is_no_model_is_not_overwritten_by_one() {
    let folder = finished();
    folder.write("m", "my notes");
    let message = "m is not a file of this program or is damaged, expected another name for the model, or \
                   that file moved away; --force overwrites it";
    resume(&folder, &["--max-steps", "30"]).fails(1, message);
    assert_eq!(folder.read("m"), b"my notes");
    resume(&folder, &["--max-steps", "30", "--force"]).ok();
    folder.run(&["inspect", "m"]).ok();
}

#[test]
fn a_new_run_overwrites_no_old_one() {
    let folder = finished();
    let message = "m.resume exists, expected --resume m to go on with that run, a new name (-o) or \
                   --force to overwrite it";
    folder.train(&["text.txt", "-o", "m"]).fails(1, message);
    fs::remove_file(folder.path("m")).unwrap();
    folder.train(&["text.txt", "-o", "m"]).fails(1, message);
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
}
