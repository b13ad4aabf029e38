//! Memory that runs out: at every request of every command ([`refused`]), and under every limit of
//! `ulimit -v` ([`limits`]). A command ends in success or with one line that says how much it needs.

mod limits;
mod refused;

use std::fs;

use crate::cli_support::{Folder, Run};

/// A network most of whose buffers are large, in four steps.
const TRAINED: [&str; 16] = [
    "--schedule",
    "constant",
    "--hidden-size",
    "72",
    "--num-layers",
    "2",
    "--max-steps",
    "4",
    "--eval-every",
    "2",
    "--batch-size",
    "16",
    "--threads",
    "1",
    "--cell",
    "lstm",
];

/// Every command, by a name of its own. What it writes is called `out`.
fn commands() -> Vec<(&'static str, Vec<&'static str>)> {
    let train = |first: &[&'static str]| [&["train", "text.txt"], first, &TRAINED].concat();
    vec![
        ("demo", vec!["demo", "--hidden", "200", "--epochs", "3"]),
        ("train", train(&["-o", "out"])),
        ("train --bytes", train(&["-o", "out", "--bytes"])),
        (
            "train --records",
            train(&["-o", "out", "--records", "--dropout", "0.2"]),
        ),
        (
            "train --horizon",
            train(&["-o", "out", "--horizon", "3", "--optimizer", "sgd"]),
        ),
        (
            "train --resume",
            vec!["train", "text.txt", "--resume", "out", "--max-steps", "5"],
        ),
        (
            "train --init-from",
            train(&["-o", "out", "--init-from", "model"]),
        ),
        ("train --dry-run", train(&["--dry-run"])),
        ("sample", vec!["sample", "model", "-n", "20"]),
        (
            "sample --prime",
            vec!["sample", "model", "-n", "20", "--prime", "line"],
        ),
        (
            "sample --samples",
            vec!["sample", "model", "-n", "20", "--samples", "40"],
        ),
        ("score", vec!["score", "model", "text.txt"]),
        (
            "score --per-char",
            vec!["score", "model", "text.txt", "--per-char"],
        ),
        (
            "score --per-line",
            vec!["score", "model", "text.txt", "--per-line"],
        ),
        (
            "view",
            vec![
                "view",
                "model",
                "text.txt",
                "-o",
                "out",
                "--characters",
                "400",
            ],
        ),
        (
            "view --json",
            vec!["view", "model", "text.txt", "--json", "--characters", "400"],
        ),
        ("inspect", vec!["inspect", "model"]),
        ("inspect --json", vec!["inspect", "model", "--json"]),
        (
            "import",
            vec![
                "import",
                "foreign.safetensors",
                "-o",
                "out",
                "--vocabulary",
                "letters.txt",
            ],
        ),
        ("check", vec!["check"]),
    ]
}

/// What every run begins with: a text, a model of it, a run that can go on, and a network of PyTorch.
struct Start {
    /// Name and content.
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Start {
    fn new() -> Self {
        let folder = Folder::with_text();
        let flags = ["train", "text.txt", "-o", "model"];
        folder.run(&[&flags[..], &TRAINED].concat()).ok();
        let fixture = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/imports/gru_2.safetensors"
        );
        let read = |name: &str| folder.read(name);
        let logits = include_str!("../../fixtures/imports/logits.json");
        let logits: serde_json::Value = serde_json::from_str(logits).expect("a fixture");
        let letters = logits["characters"].as_str().expect("a text");
        Start {
            files: vec![
                ("text.txt", read("text.txt")),
                ("model", read("model")),
                ("run", read("model.resume")),
                ("foreign.safetensors", fs::read(fixture).expect("a fixture")),
                ("letters.txt", letters.into()),
            ],
        }
    }

    /// A folder with these files; with the run at `out.resume` where a command goes on with it.
    fn folder(&self, command: &str) -> Folder {
        let folder = Folder::with_text();
        for (name, content) in &self.files {
            folder.write(name, content);
        }
        if command == "train --resume" {
            folder.write("out", folder.read("model"));
            folder.write("out.resume", folder.read("run"));
        }
        folder
    }

    /// Asserts that no input has changed, and that what was written is whole.
    fn check_files(&self, folder: &Folder, case: &str) {
        for (name, content) in &self.files {
            assert!(folder.read(name) == *content, "{case}: {name} has changed");
        }
        let Ok(out) = fs::read(folder.path("out")) else {
            return;
        };
        if case.starts_with("view") {
            assert!(out.ends_with(b"</html>\n"), "{case}: half a page");
        } else {
            folder.run(&["inspect", "out"]).ok();
        }
    }
}

/// How a run without memory ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum End {
    Success,
    /// With one line of ours.
    Told,
    /// With the standard library's words.
    Untold,
}

/// Asserts that a run ended with success or a failure that is told, and says which.
#[track_caller]
fn end(run: &Run, case: &str) -> End {
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(!run.stderr.contains("panicked"), "{case}: {run:?}");
    if run.code == Some(0) {
        assert!(!run.stderr.contains("error: "), "{case}: {run:?}");
        return End::Success;
    }
    assert_eq!(run.code, Some(1), "{case}: {}", run.stderr);
    if lines
        .iter()
        .any(|line| line.starts_with("memory allocation of "))
    {
        return End::Untold;
    }
    let errors = lines.iter().filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 1, "{case}: {}", run.stderr);
    let last = lines.last().expect("a line");
    assert!(last.starts_with("error: "), "{case}: {}", run.stderr);
    assert!(
        last.contains("memory") || last.contains("cannot start ") && last.contains(" threads"),
        "{case}: {last}"
    );
    End::Told
}
