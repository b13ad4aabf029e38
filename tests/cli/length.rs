//! How long a run of `train` lasts: epochs, a time, patience.

use crate::cli_support::Folder;

#[test]
fn max_epochs_counts_passes_over_the_text() {
    let folder = Folder::with_text();
    let flags = [
        "--split",
        "1",
        "--batch-size",
        "4",
        "--seq-length",
        "16",
        "--hidden-size",
        "8",
    ];
    folder
        .run(
            &[
                &["train", "text.txt", "--max-epochs", "2"],
                flags.as_slice(),
            ]
            .concat(),
        )
        .ok();
    let shown = folder.run(&["inspect", "text.safetensors"]).ok();
    // 3,500 characters make 4 streams of 874 predictions, cut into 55 windows.
    assert!(
        shown.text().contains("; 110 steps done"),
        "{}",
        shown.text()
    );
}

#[test]
fn a_time_fixes_a_number_of_steps_that_gives_the_same_bytes() {
    let folder = Folder::with_text();
    let flags = [
        "--hidden-size",
        "8",
        "--batch-size",
        "4",
        "--seq-length",
        "16",
        "--eval-every",
        "1000",
    ];
    let timed = ["train", "text.txt", "-o", "timed", "--time", "0.2s"];
    let run = folder.run(&[timed.as_slice(), &flags].concat()).ok();
    let (_, told) = run.stderr.split_once("steps; ").unwrap();
    let (told, _) = told.split_once(" trains the same model").unwrap();
    let told: Vec<&str> = told.split(' ').collect();
    assert!(told.contains(&"--max-steps") && !told.contains(&"--hidden-size"));
    let counted = ["train", "text.txt", "-o", "counted"];
    folder
        .run(&[counted.as_slice(), &flags, &told].concat())
        .ok();
    assert_eq!(folder.read("timed"), folder.read("counted"));
}

#[test]
fn patience_ends_a_run_early() {
    let folder = Folder::with_text();
    let flags = [
        "--patience",
        "2",
        "--eval-every",
        "5",
        "--max-steps",
        "100000",
        "--learning-rate",
        "0.5",
        "--schedule",
        "constant",
    ];
    let sizes = [
        "--hidden-size",
        "8",
        "--batch-size",
        "4",
        "--seq-length",
        "16",
    ];
    let run = folder
        .run(&[&["train", "text.txt"], flags.as_slice(), &sizes].concat())
        .ok();
    assert!(
        run.stderr
            .contains("stopped early: the validation loss no longer improves"),
        "{}",
        run.stderr
    );
    // The last evaluation that improved anything, and two that did not.
    let lines: Vec<bool> = run
        .text()
        .lines()
        .map(|line| line.ends_with("saved"))
        .collect();
    assert!(
        lines.len() > 2 && lines[lines.len() - 3..] == [true, false, false],
        "{lines:?}"
    );
    // A schedule that decays does so first.
    let flags = [
        "--patience",
        "1",
        "--eval-every",
        "5",
        "--max-steps",
        "2000",
        "-o",
        "decayed",
    ];
    let rate = ["--learning-rate", "0.5"];
    let run = folder
        .run(&[&["train", "text.txt"], flags.as_slice(), &rate, &sizes].concat())
        .ok();
    let (_, last) = run
        .stderr
        .split_once("the learning rate decays to the last step, ")
        .unwrap();
    let last = last.lines().next().unwrap();
    assert!(
        run.text()
            .lines()
            .last()
            .unwrap()
            .starts_with(&format!("step {last}/{last} "))
    );
}
