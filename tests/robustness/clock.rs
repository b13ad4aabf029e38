//! `train --time`: with every schedule, at the ends of what it takes, also for a run that goes on.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli_support::{Folder, Run, ending};

/// Far longer than any of this takes.
const LIMIT: Duration = Duration::from_secs(60);
const SMALL: &str = "--hidden-size 8 --num-layers 1 --batch-size 4 --seq-length 16 --eval-every 10 --patience 1000000000";

fn train(flags: &str) -> Vec<&str> {
    ["train", "text.txt"]
        .into_iter()
        .chain(flags.split(' '))
        .collect()
}

/// Runs to the end, which may not be waited for for ever.
fn run(folder: &Folder, args: &[&str]) -> Run {
    let output = ending::end(&mut folder.command(args));
    Run {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

#[test]
fn every_schedule_ends_by_the_clock_with_the_bytes_of_its_number_of_steps() {
    for schedule in [
        "constant",
        "warmup-decay --warmup-steps 0",
        "exponential",
        "cosine --warmup-steps 0",
        "cosine --warmup-steps 1",
        "cosine --warmup-steps 18446744073709551615",
        "plateau",
    ] {
        let folder = Folder::with_text();
        let flags = format!("{SMALL} --schedule {schedule}");
        let timed = format!("-o timed --time 0.1s {flags}");
        let said = run(&folder, &train(&timed)).ok().stderr;
        let told = said
            .split_once("steps; ")
            .and_then(|(_, told)| told.split_once(" trains the same model"));
        let (told, _) = told.unwrap_or_else(|| panic!("{schedule}: {said}"));
        let counted = format!("-o counted {told} {flags}");
        run(&folder, &train(&counted)).ok();
        assert!(
            folder.read("timed") == folder.read("counted"),
            "{schedule}, {told}"
        );
    }
}

#[test]
fn a_time_without_end_stops_when_asked_and_goes_on_as_printed() {
    for schedule in [
        "constant",
        "warmup-decay",
        "cosine --warmup-steps 0",
        "cosine",
    ] {
        for time in ["10000000000000000000s", "18446744073709549568s", "1h"] {
            let folder = Folder::with_text();
            let flags = format!("-o m --time {time} {SMALL} --schedule {schedule}");
            let case = format!("{schedule}, {time}");
            let printed = stop(folder.command(&train(&flags)), &case);
            let line = printed.replacen(
                "rnn-cli",
                &format!("exec '{}'", env!("CARGO_BIN_EXE_rnn-cli")),
                1,
            );
            let mut shell = Command::new("sh");
            shell.args(["-c", &line]).current_dir(folder.path("."));
            stop(shell, &case);
        }
    }
}

/// Runs until something was evaluated, asks to stop; the command that goes on.
fn stop(mut command: Command, case: &str) -> String {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let stdout = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(stdout).lines();
    lines.by_ref().take(3).for_each(drop);
    let asked = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(asked.expect("kill runs").success(), "{case}");
    let rest = std::thread::spawn(move || lines.for_each(drop));
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > LIMIT {
            child.kill().expect("it runs still");
            panic!("{case}: does not stop");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    rest.join().expect("no panic");
    let mut said = String::new();
    child
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut said)
        .expect("UTF-8");
    assert_eq!(
        child.wait().expect("it ends").code(),
        Some(130),
        "{case}: {said}"
    );
    let (_, printed) = said
        .trim_end()
        .split_once("to continue, run:\n  ")
        .expect("a command");
    printed.to_owned()
}
