//! `train --resume`: what it takes, what it refuses, and the files that it goes on with.

use std::fs;

use crate::cli_support::{Folder, TINY};

#[test]
fn what_was_typed_must_be_what_the_run_is() {
    let folder = Folder::finished();
    let before = (folder.read("m"), folder.read("m.resume"));
    for (flags, message) in [
        (
            "--hidden-size 256",
            "m.resume has --hidden-size 16; to change it, start a new run (you passed 256)",
        ),
        (
            "--num-layers 2",
            "m.resume has --num-layers 1; to change it, start a new run (you passed 2)",
        ),
        (
            "--cell gru",
            "m.resume has --cell lstm; to change it, start a new run (you passed gru)",
        ),
        (
            "--dropout 0.25",
            "m.resume has --dropout 0.5; to change it, start a new run (you passed 0.25)",
        ),
        (
            "--batch-size 5",
            "m.resume has --batch-size 4; to change it, start a new run (you passed 5)",
        ),
        (
            "--seq-length 8",
            "m.resume has --seq-length 16; to change it, start a new run (you passed 8)",
        ),
        (
            "--horizon 8",
            "m.resume has no --horizon; to change it, start a new run (you passed --horizon 8)",
        ),
        (
            "--optimizer sgd",
            "m.resume has --optimizer adamw; to change it, start a new run (you passed sgd)",
        ),
        (
            "--learning-rate 0.1",
            "m.resume has --learning-rate 0.012; to change it, start a new run (you passed 0.1)",
        ),
        (
            "--schedule cosine",
            "m.resume has --schedule constant; to change it, start a new run (you passed cosine)",
        ),
        (
            "--clip 1",
            "m.resume has --clip 5.0; to change it, start a new run (you passed 1.0)",
        ),
        (
            "--clip-value 5",
            "m.resume has --clip 5.0; to change it, start a new run (you passed --clip-value 5.0)",
        ),
        (
            "--eval-every 3",
            "m.resume has --eval-every 10; to change it, start a new run (you passed 3)",
        ),
        (
            "--patience 3",
            "m.resume has --patience 6; to change it, start a new run (you passed 3)",
        ),
        (
            "--seed 2",
            "m.resume has --seed 1; to change it, start a new run (you passed 2)",
        ),
        (
            "--orthogonal",
            "m.resume has no --orthogonal; to change it, start a new run (you passed --orthogonal)",
        ),
        (
            "--split 0.8,0.2",
            "m.resume has --split 0.9,0.1; to change it, start a new run (you passed 0.8,0.2)",
        ),
        (
            "--bytes",
            "m.resume has no --bytes; to change it, start a new run (you passed --bytes)",
        ),
        (
            "--max-steps 19",
            "--max-steps: 20 steps are already done; use at least as many, not 19",
        ),
    ] {
        let flags: Vec<&str> = flags.split(' ').collect();
        folder.resume(&flags).fails(1, message);
    }
    assert!(before == (folder.read("m"), folder.read("m.resume")));
    assert_eq!(folder.names(), ["m", "m.resume", "text.txt"]);
}

#[test]
fn the_flags_of_the_first_command_may_be_typed_again() {
    let folder = Folder::finished();
    let again = [&["--schedule", "constant"], TINY.as_slice()].concat();
    let run = folder.resume(&again).ok();
    let told = "the run was already finished: all 20 steps are done";
    assert!(run.stderr.starts_with(told), "{}", run.stderr);
    // Also where the text was too short for them.
    folder.write("text.txt", "abcabcabcabcabcabcabcabc");
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
    folder.resume(&TINY).ok();
}

#[test]
fn the_number_of_steps_is_fixed_once_the_rate_falls_towards_it() {
    let folder = Folder::with_text();
    folder.train(&["text.txt", "-o", "m"]).ok();
    let message = "--max-steps: cannot change the number of steps from 20 to 30: after 20 steps the learning rate has begun to fall; to train longer, use --more";
    folder.resume(&["--max-steps", "30"]).fails(1, message);
    let message = "--time: cannot change the number of steps from 20 to a time limit: after 20 steps the learning rate has begun to fall; to train longer, use --more";
    folder.resume(&["--time", "1s"]).fails(1, message);
}

#[test]
fn a_run_that_has_ended_can_be_trained_for_longer() {
    let folder = Folder::with_text();
    // The time alone, and not the loss, is to say when it ends.
    let flags = ["text.txt", "-o", "m", "--patience", "0"];
    let said = folder.train(&flags).ok().stderr;
    let told = "\nto train longer: rnn-cli train text.txt --resume m --more 5m\n";
    assert!(said.ends_with(told), "{said}");
    // Nothing left to do: no speed of nothing.
    let said = folder.resume(&[]).ok().stderr;
    assert!(
        said.contains("\n20 steps\nmodel: m\n") && said.ends_with(told),
        "{said}"
    );
    folder
        .resume(&["--more", "30", "--metrics", "m.jsonl"])
        .ok();
    let metrics = String::from_utf8(folder.read("m.jsonl")).unwrap();
    let rates: Vec<f64> = metrics
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|record| record["step"].as_u64() > Some(20))
        .map(|record| record["learning_rate"].as_f64().unwrap())
        .collect();
    // The decay of 20 steps is over; the rate warms up and decays again.
    assert!(
        rates.len() == 3 && rates[0] < rates[1] && rates[2] < rates[1],
        "{rates:?}"
    );
    // And again, for a time, which says how many steps that were.
    fs::copy(folder.path("m"), folder.path("n")).unwrap();
    fs::copy(folder.path("m.resume"), folder.path("n.resume")).unwrap();
    let said = folder.resume(&["--more", "0.2s"]).ok().stderr;
    let (_, rest) = said.split_once(" steps; --more ").expect("the same again");
    let steps = rest.split(' ').next().unwrap();
    let same = ["train", "text.txt", "--resume", "n", "--more", steps];
    folder.run(&same).ok();
    assert!(folder.read("m") == folder.read("n"));
    for (flags, message) in [
        (
            ["--more", "soon"],
            "invalid value 'soon' for '--more <TIME|STEPS>': must be a time such as 90s, 3m or 1h30m, or a number of steps",
        ),
        (
            ["--more", "0"],
            "invalid value '0' for '--more <TIME|STEPS>': must be a time such as 90s, 3m or 1h30m, or a number of steps",
        ),
    ] {
        folder.resume(&flags).fails(2, message);
    }
}

#[test]
fn a_text_that_changed_is_refused() {
    let folder = Folder::finished();
    let message =
        "cannot use text.txt: the text has changed since the run began; use the same text";
    let text = crate::cli_support::text();
    for changed in [
        text.replacen("00", "01", 1),
        format!("{text}é"),
        text[1..].to_owned(),
        // So short that the batch would not fit.
        "abcabc".to_owned(),
    ] {
        folder.write("text.txt", changed);
        folder.resume(&["--max-steps", "30"]).fails(1, message);
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
    let message = "cannot read m.resume: no such file; train writes it beside the model";
    folder.resume(&[]).fails(1, message);
    folder.train(&["text.txt", "-o", "m"]).ok();
    let whole = folder.read("m.resume");
    folder.write("m.resume", &whole[..whole.len() - 1]);
    let run = folder.resume(&[]);
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
        folder.resume(&[]).ok();
        assert!(folder.read("m") == newer);
    }
}

#[test]
fn the_model_of_another_run_is_not_overwritten() {
    let folder = Folder::finished();
    folder
        .train(&["text.txt", "-o", "other", "--seed", "2"])
        .ok();
    fs::copy(folder.path("other"), folder.path("m")).unwrap();
    let message = "m holds the model of another run; move it away to resume this one, or use --force to overwrite it";
    folder.resume(&["--max-steps", "30"]).fails(1, message);
    assert!(folder.read("m") == folder.read("other"));
    folder.resume(&["--max-steps", "30", "--force"]).ok();
    assert!(folder.read("m") != folder.read("other"));
}

#[test]
fn what_is_no_model_is_not_overwritten_by_one() {
    let folder = Folder::finished();
    folder.write("m", "my notes");
    let message = "m is damaged or not a file of this program; move it away or use another name for the model, or use --force to overwrite it";
    folder.resume(&["--max-steps", "30"]).fails(1, message);
    assert_eq!(folder.read("m"), b"my notes");
    folder.resume(&["--max-steps", "30", "--force"]).ok();
    folder.run(&["inspect", "m"]).ok();
}

#[test]
fn a_new_run_overwrites_no_old_one() {
    let folder = Folder::finished();
    let message = "m.resume already exists; use --resume m to continue that run, another name (-o), or --force to overwrite it";
    folder.train(&["text.txt", "-o", "m"]).fails(1, message);
    fs::remove_file(folder.path("m")).unwrap();
    folder.train(&["text.txt", "-o", "m"]).fails(1, message);
    folder.train(&["text.txt", "-o", "m", "--force"]).ok();
}
