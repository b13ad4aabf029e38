//! Training killed without warning while it saves, again and again: what is there is always whole,
//! never older than before, and leads to the bytes of a run that was never killed.
#![cfg(unix)]

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::cli_support::{Folder, text};
use rnn::Model;
use rnn::checkpoint::Interrupted;

/// A run that saves after each step, which takes longer than the step does. Its rate is constant, so
/// that the number of steps does not change what the first of them do.
const RUN: [&str; 14] = [
    "--hidden-size",
    "128",
    "--num-layers",
    "1",
    "--batch-size",
    "1",
    "--seq-length",
    "4",
    "--schedule",
    "constant",
    "--checkpoint-every",
    "1",
    "--eval-every",
    "40",
];

/// Steps of the run in a folder, if it has come so far as to say.
fn step(folder: &Folder) -> Option<u64> {
    let bytes = fs::read(folder.path("m.resume")).ok()?;
    let run = Interrupted::from_bytes(&bytes).expect("what going on needs is whole");
    Some(run.step_count())
}

/// Kills a run so many times, after a time that differs from round to round.
fn kill(rounds: u64) {
    let folder = Folder::on_disk();
    folder.write("text.txt", text());
    let (mut random, mut last, mut during) = (rounds, None, 0);
    for round in 0..rounds {
        let place = if last.is_some() {
            ["--resume", "m"]
        } else {
            ["-o", "m"]
        };
        let steps = ["--max-steps", "1000000", "--force"];
        let args = [&["train", "text.txt"], &place[..], &steps, &RUN].concat();
        let mut child = folder.command(&args).spawn().expect("the binary runs");
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695);
        sleep(Duration::from_micros(5_000 + (random >> 33) % 120_000));
        child.kill().expect("it runs still");
        child.wait().expect("it ends");
        let now = step(&folder);
        assert!(
            now >= last,
            "round {round}: back from step {last:?} to {now:?}"
        );
        last = now;
        if folder.path("m").exists() {
            Model::load(folder.path("m")).expect("the model is whole");
        }
        during += u32::from(folder.names().iter().any(|name| name.ends_with(".tmp")));
    }
    let steps = (last.unwrap_or(0) + 5).to_string();
    let to_end = |place: [&'static str; 2]| {
        let place = [
            "train",
            "text.txt",
            place[0],
            place[1],
            "--force",
            "--max-steps",
        ];
        folder.run(&[&place[..], &[&steps], &RUN].concat()).ok();
    };
    to_end(if last.is_some() {
        ["--resume", "m"]
    } else {
        ["-o", "m"]
    });
    to_end(["-o", "straight"]);
    for end in ["", ".resume"] {
        let (ours, theirs) = (format!("m{end}"), format!("straight{end}"));
        assert!(folder.read(&ours) == folder.read(&theirs), "{ours} differs");
    }
    let names = ["m", "m.resume", "straight", "straight.resume", "text.txt"];
    assert_eq!(folder.names(), names, "something was left behind");
    println!("{rounds} kills, {during} in the middle of a save, {steps} steps in all");
}

#[test]
fn twenty_kills_lose_nothing() {
    kill(20);
}

#[test]
#[ignore = "takes a minute"]
fn two_hundred_kills_lose_nothing() {
    kill(200);
}

#[test]
fn of_two_runs_at_one_path_the_second_is_told() {
    let folder = Folder::on_disk();
    folder.write("text.txt", text());
    let endless = ["train", "text.txt", "-o", "m", "--max-steps", "1000000"];
    let endless = [&endless[..], &RUN].concat();
    let mut first = folder.command(&endless).spawn().expect("the binary runs");
    while step(&folder).is_none() {
        sleep(Duration::from_millis(5));
    }
    for args in [
        &["train", "text.txt", "-o", "m", "--force"][..],
        &["train", "text.txt", "--resume", "m"],
    ] {
        let run = folder.run(args);
        assert_eq!(
            (run.code, run.stderr.lines().count()),
            (Some(1), 1),
            "{run:?}"
        );
        assert!(
            run.stderr
                .starts_with("error: cannot save m: another run is saving there; wait for it"),
            "{}",
            run.stderr
        );
    }
    first.kill().expect("it runs still");
    first.wait().expect("it ends");
    // The lock of a killed process bars nobody.
    let steps = (step(&folder).expect("a run") + 3).to_string();
    folder
        .run(&["train", "text.txt", "--resume", "m", "--max-steps", &steps])
        .ok();
}
