//! Training that is interrupted, by Ctrl-C or without warning, and goes on: to the same bytes as
//! if it never had been.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::cli_support::Folder;

/// A run of some hundred steps: two groups of rows, two layers, dropout, several epochs.
const RUN: [&str; 16] = [
    "--hidden-size",
    "12",
    "--num-layers",
    "2",
    "--dropout",
    "0.2",
    "--batch-size",
    "8",
    "--seq-length",
    "16",
    "--eval-every",
    "20",
    "--checkpoint-every",
    "7",
    "--patience",
    "1000",
];

/// `train text.txt` with the flags of [`RUN`] and these.
fn train<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    [&["train", "text.txt"], flags, &RUN].concat()
}

fn send(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args([signal, &pid]).status();
    assert!(status.expect("kill runs").success());
}

/// Starts a run, sends `signal` when it has reported so many lines, and waits for its end; the
/// code, if it was not killed, and what it said.
fn interrupt(folder: &Folder, args: &[&str], lines: usize, signal: &str) -> (Option<i32>, String) {
    let mut child = folder.command(args).spawn().expect("the binary runs");
    let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut reports = stdout.lines();
    reports.by_ref().take(lines).for_each(drop);
    send(&child, signal);
    reports.for_each(drop);
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("it is piped");
    stderr.read_to_string(&mut said).expect("UTF-8");
    (child.wait().expect("it ends").code(), said)
}

#[test]
fn every_interruption_leads_to_the_same_bytes() {
    for cell in ["rnn", "lstm", "gru", "mingru"] {
        for threads in ["1", "2"] {
            let folder = Folder::with_text();
            let flags = ["--cell", cell, "--threads", threads, "--max-steps", "150"];
            let straight = [&["-o", "straight"], flags.as_slice()].concat();
            folder.run(&train(&straight)).ok();
            let first = [&["-o", "m"], flags.as_slice()].concat();
            let again = [&["--resume", "m"], flags.as_slice()].concat();
            interrupt(&folder, &train(&first), 1, "-KILL");
            for (lines, signal) in [(2, "-INT"), (0, "-KILL"), (1, "-TERM"), (2, "-KILL")] {
                interrupt(&folder, &train(&again), lines, signal);
            }
            folder.run(&train(&again)).ok();
            for end in ["", ".resume"] {
                let (ours, theirs) = (format!("m{end}"), format!("straight{end}"));
                assert!(
                    folder.read(&ours) == folder.read(&theirs),
                    "{cell}, {threads} threads: {ours} differs"
                );
            }
        }
    }
}

#[test]
fn a_longer_run_that_is_interrupted_leads_to_the_same_bytes() {
    let folder = Folder::with_text();
    let short = ["-o", "m", "--max-steps", "40"];
    folder.run(&train(&short)).ok();
    for end in ["", ".resume"] {
        let copy = folder.path(&format!("straight{end}"));
        std::fs::copy(folder.path(&format!("m{end}")), copy).unwrap();
    }
    folder
        .run(&train(&["--resume", "straight", "--more", "400"]))
        .ok();
    interrupt(
        &folder,
        &train(&["--resume", "m", "--more", "400"]),
        2,
        "-KILL",
    );
    folder
        .run(&train(&["--resume", "m", "--more", "400"]))
        .fails(
            1,
            "the run in m.resume has not ended; omit --more to continue it",
        );
    interrupt(&folder, &train(&["--resume", "m"]), 3, "-INT");
    folder.run(&train(&["--resume", "m"])).ok();
    for end in ["", ".resume"] {
        let (ours, theirs) = (format!("m{end}"), format!("straight{end}"));
        assert!(folder.read(&ours) == folder.read(&theirs), "{ours} differs");
    }
}

#[test]
fn a_run_that_gets_its_steps_piece_by_piece_is_the_run_that_had_them_at_once() {
    let folder = Folder::with_text();
    let schedules = ["constant", "exponential", "plateau"];
    for (schedule, optimizer) in schedules.into_iter().zip(["sgd", "adagrad", "rmsprop"]) {
        let flags = ["--schedule", schedule, "--optimizer", optimizer, "--force"];
        let with = |place: [&'static str; 4]| [place.as_slice(), &flags].concat();
        folder
            .run(&train(&with(["-o", "straight", "--max-steps", "130"])))
            .ok();
        folder
            .run(&train(&with(["-o", "m", "--max-steps", "7"])))
            .ok();
        // Some ends are evaluations of every run, some are not.
        for steps in ["20", "33", "47", "130"] {
            folder
                .run(&train(&with(["--resume", "m", "--max-steps", steps])))
                .ok();
        }
        assert!(
            folder.read("m") == folder.read("straight"),
            "{schedule}, {optimizer}"
        );
        assert!(
            folder.read("m.resume") == folder.read("straight.resume"),
            "{schedule}"
        );
    }
}

#[test]
fn ctrl_c_saves_and_prints_the_command_that_goes_on() {
    let folder = Folder::with_text();
    std::fs::rename(folder.path("text.txt"), folder.path("it's a text")).unwrap();
    let start = ["train", "it's a text", "-o", "a model", "--threads", "1"];
    let args = [start.as_slice(), &RUN].concat();
    let args = [args.as_slice(), &["--max-steps", "1000000", "--force"]].concat();
    for signal in ["-INT", "-TERM"] {
        let (code, said) = interrupt(&folder, &args, 2, signal);
        assert_eq!(code, Some(130), "{said}");
        let (told, command) = said.trim_end().split_once(":\n  ").expect("a command");
        assert!(told.starts_with("stopped after step "), "{said}");
        assert_eq!(
            command,
            r"rnn-cli train 'it'\''s a text' --resume 'a model' --checkpoint-every 7 --threads 1"
        );
        let binary = env!("CARGO_BIN_EXE_rnn-cli");
        let command = command.replacen("rnn-cli", &format!("timeout -s INT 1 '{binary}' -v"), 1);
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).current_dir(folder.path("."));
        let output = shell.output().expect("sh runs");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("continuing after step "), "{said}");
    }
}

#[test]
fn a_run_that_is_stopped_before_its_first_evaluation_leaves_a_model() {
    let folder = Folder::with_text();
    let flags = [
        "--max-steps",
        "1000000",
        "--eval-every",
        "1000000",
        "--sample-every",
        "1",
    ];
    let small = [
        "--hidden-size",
        "8",
        "--batch-size",
        "4",
        "--seq-length",
        "16",
    ];
    let run = |first: &[&str]| {
        let args = [first, flags.as_slice(), &small].concat();
        let (code, said) = interrupt(&folder, &args, 1, "-INT");
        assert_eq!(code, Some(130), "{said}");
        said
    };
    let new = ["train", "text.txt", "-o", "m"];
    let has = " and saved; m has the weights of that step, not evaluated yet; to continue, run:\n";
    let said = run(&new);
    assert!(said.contains(has), "{said}");
    folder.run(&["sample", "m"]).ok();
    let first = folder.read("m");
    // What goes on gets the weights of its own step.
    let said = run(&["train", "text.txt", "--resume", "m"]);
    assert!(said.contains(has) && folder.read("m") != first, "{said}");
    // The model of another run stays.
    let other = [
        "train",
        "text.txt",
        "-o",
        "m",
        "--force",
        "--max-steps",
        "9",
    ];
    folder.run(&[&other[..], &small].concat()).ok();
    let other = folder.read("m");
    let said = run(&["train", "text.txt", "-o", "m", "--force"]);
    let kept = " and saved; m is not of this run, which has no evaluation yet; to continue, run:\n";
    assert!(said.contains(kept) && folder.read("m") == other, "{said}");
}

#[test]
fn two_signals_at_once_leave_a_whole_file() {
    let folder = Folder::with_text();
    for round in 0..5 {
        let args = train(&["-o", "m", "--max-steps", "1000000", "--force"]);
        let mut child = folder.command(&args).spawn().expect("the binary runs");
        let mut stdout = child.stdout.take().expect("it is piped");
        stdout.read_exact(&mut [0; 10]).expect("a report");
        send(&child, "-INT");
        send(&child, "-INT");
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        // Saved, where the system makes one signal of the two or the second comes too late.
        match output.status.code() {
            Some(130) => assert!(said.contains("and saved"), "round {round}: {said}"),
            code => {
                assert_eq!(code, Some(3), "round {round}: {said}");
                assert!(said.ends_with("since the last save is lost\n"), "{said}");
            }
        }
        folder.run(&["inspect", "m"]).ok();
    }
}

/// Interrupts runs at random instants, half of the times by Ctrl-C, half by `kill -9`, until each
/// kind of cell and number of threads has seen `INTERRUPTIONS` (100 unless set).
#[test]
#[ignore = "takes some minutes"]
fn a_hundred_interruptions_at_random_instants() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let (wanted, seed) = (number("INTERRUPTIONS", 100), number("SEED", 1));
    println!("SEED={seed}");
    let mut random = seed;
    // Knuth's linear congruential generator: the instants need no better one.
    let mut next = |below: u64| {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (random >> 33) % below
    };
    for cell in ["rnn", "lstm", "gru"] {
        for threads in ["1", "2"] {
            let folder = Folder::with_text();
            let flags = ["--cell", cell, "--threads", threads, "--max-steps", "1500"];
            folder
                .run(&train(&[&["-o", "straight"], flags.as_slice()].concat()))
                .ok();
            let (mut stopped, mut killed, mut runs) = (0, 0, 0);
            while stopped + killed < wanted {
                let mut place = ["-o", "m", "--force"].as_slice();
                loop {
                    let args = train(&[place, flags.as_slice()].concat());
                    let mut command = folder.command(&args);
                    command.stdout(Stdio::null()).stderr(Stdio::null());
                    let mut child = command.spawn().expect("the binary runs");
                    std::thread::sleep(Duration::from_millis(next(120)));
                    let is_stop = next(2) == 0;
                    if child.try_wait().unwrap().is_none() {
                        send(&child, if is_stop { "-INT" } else { "-KILL" });
                    }
                    let code = child.wait().unwrap().code();
                    match code {
                        // Before training begins Ctrl-C ends the program as it ends any other.
                        Some(130) | None if is_stop => stopped += 1,
                        None => killed += 1,
                        code => assert_eq!(code, Some(0)),
                    }
                    if folder.path("m.resume").exists() {
                        place = ["--resume", "m"].as_slice();
                    }
                    if code == Some(0) {
                        break;
                    }
                }
                runs += 1;
                for end in ["", ".resume"] {
                    let (ours, theirs) = (format!("m{end}"), format!("straight{end}"));
                    assert!(
                        folder.read(&ours) == folder.read(&theirs),
                        "{cell}, {threads} threads"
                    );
                }
            }
            println!(
                "{cell}, threads {threads}: {stopped} by Ctrl-C, {killed} by kill -9, in {runs} \
                 runs, all with the same bytes"
            );
        }
    }
}
