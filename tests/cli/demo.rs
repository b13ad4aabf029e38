//! The demo, which is what a newcomer sees first.

use crate::cli_support::Folder;

/// The losses of the lines `Epoch N, Loss: X.XXXX`, whose numbers are checked.
fn losses(lines: &[&str]) -> Vec<f64> {
    let loss = |(line, number): (&&str, usize)| {
        let rest = line.strip_prefix(&format!("Epoch {number}, Loss: "))?;
        let (_, digits) = rest.split_once('.')?;
        rest.parse().ok().filter(|_| digits.len() == 4)
    };
    let parsed = lines
        .iter()
        .zip(1..)
        .map(|at| loss(at).unwrap_or_else(|| panic!("{:?}", at.0)));
    parsed.collect()
}

#[test]
fn no_arguments_run_the_notebook() {
    let run = Folder::new().run(&[]).ok();
    let lines: Vec<&str> = run.text().lines().collect();
    let (last, epochs) = lines.split_last().unwrap();
    assert_eq!(*last, "hello");
    let losses = losses(epochs);
    assert_eq!(losses.len(), 100);
    // Four letters guessed among four: 4 ln 4 at the start, almost nothing at the end.
    assert!((losses[0] - 4.0 * 4f64.ln()).abs() < 0.2, "{}", losses[0]);
    assert!(losses[99] < 0.2, "{}", losses[99]);
    assert!(run.stderr.contains("rnn-cli train"), "{}", run.stderr);
}

#[test]
fn demo_is_what_no_arguments_mean() {
    let folder = Folder::new();
    assert_eq!(
        folder.run(&[]).ok().stdout,
        folder.run(&["demo"]).ok().stdout
    );
    assert_eq!(folder.run(&["-q"]).ok().stderr, "");
}

#[test]
fn twenty_seeds_spell_hello_with_and_without_one_step() {
    let folder = Folder::new();
    for seed in 1..=20 {
        for more in [[].as_slice(), &["--one-step"]] {
            let seed = seed.to_string();
            let run = folder
                .run(&[&["demo", "--seed", &seed], more].concat())
                .ok();
            assert_eq!(
                run.text().lines().last(),
                Some("hello"),
                "seed {seed} {more:?}"
            );
        }
    }
}

#[test]
fn one_step_takes_another_gradient() {
    let folder = Folder::new();
    let (through_time, one_step) = (folder.run(&["demo"]), folder.run(&["demo", "--one-step"]));
    let (through_time, one_step) = (through_time.text(), one_step.text());
    assert_eq!(
        through_time.lines().next(),
        one_step.lines().next(),
        "the first loss has no past"
    );
    assert_ne!(through_time.lines().nth(9), one_step.lines().nth(9));
}

#[test]
fn another_word_in_any_script_is_spelled_too() {
    let args = [
        "demo",
        "--text",
        "žlutý kůň",
        "--hidden",
        "24",
        "--epochs",
        "300",
        "--seed",
        "3",
    ];
    let run = Folder::new().run(&args).ok();
    let lines: Vec<&str> = run.text().lines().collect();
    assert_eq!(losses(&lines[..300]).len(), 300);
    assert_eq!(lines[300..], ["žlutý kůň"]);
}

#[test]
fn a_word_that_is_not_learned_yet_gets_a_hint() {
    let run = Folder::new()
        .run(&["demo", "--text", "abracadabra", "--epochs", "1"])
        .ok();
    assert!(
        run.stderr
            .contains("rnn-cli demo --text abracadabra --epochs 5"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_closed_pipe_ends_the_demo_quietly() {
    let run = Folder::new().run_and_hang_up(&["-q", "demo", "--epochs", "20000"], 22);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(run.text().starts_with("Epoch 1, Loss: "));
}
